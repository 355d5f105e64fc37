"""Clients nobody wants, for as long as a `with` lasts: what they do to the others is measured meanwhile.
They speak FastCGI to a responder's socket, with tokens that are none, so that they cost it little but
their presence, and they are few enough to cost the machine little. Knows bad manners; measures nothing."""

import contextlib
import socket
import threading

import measure  # finds scripts/lab
from lab import fcgi, http

COUNT = 100           # at a time; more than a responder has threads
STEP = 0.2            # seconds between a slow sender's bytes
LEAVERS_PER_SECOND = 200


def _request(path, flags=0):
    body = b"grant_type=refresh_token&refresh_token=" + b"A" * 72
    asked = http.Request("POST", path, [("Content-Type", "application/x-www-form-urlencoded")], body)
    return fcgi.begin(flags) + fcgi.params(fcgi.variables(asked)) + fcgi.stdin(body)


@contextlib.contextmanager
def _peers():
    """A list of connections; all that are in it are closed at the end."""
    held = []
    try:
        yield held
    finally:
        for peer in held:
            peer.close()


@contextlib.contextmanager
def _meanwhile(work):
    """Runs work(ending) in a thread until the end; it is to return soon after ending.is_set()."""
    ending = threading.Event()
    thread = threading.Thread(target=work, args=(ending,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


@contextlib.contextmanager
def half_sent(at, path):
    """Half a record, and then nothing."""
    data = _request(path)
    with _peers() as held:
        for _ in range(COUNT):
            held.append(fcgi.connect(at))
            held[-1].sendall(data[:10])
        yield


@contextlib.contextmanager
def slow(at, path):
    """A byte now and then; whoever is through, or thrown out, begins anew."""
    data = _request(path)

    def send(held, sent, ending):
        while not ending.wait(STEP):
            for number, peer in enumerate(held):
                try:
                    peer.sendall(data[sent[number]:sent[number] + 1])
                    sent[number] += 1
                except OSError:
                    sent[number] = len(data)
                if sent[number] == len(data):
                    peer.close()
                    held[number], sent[number] = fcgi.connect(at), 0

    with _peers() as held:
        held += [fcgi.connect(at) for _ in range(COUNT)]
        with _meanwhile(lambda ending: send(held, [0] * COUNT, ending)):
            yield


@contextlib.contextmanager
def kept(at, path):
    """One request each, answered; the connection is kept and nothing more is asked."""
    data = _request(path, fcgi.KEEP_CONNECTION)
    with _peers() as held:
        for _ in range(COUNT):
            held.append(fcgi.connect(at))
            held[-1].sendall(data)
            fcgi.read_answer(held[-1])
        yield


@contextlib.contextmanager
def leaving(at, path):
    """A whole request, and gone before the answer."""
    data = _request(path)

    def come_and_go(ending):
        while not ending.wait(1 / LEAVERS_PER_SECOND):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
                peer.setblocking(False)
                peer.connect(str(at))
                peer.sendall(data)

    with _meanwhile(come_and_go):
        yield


WAYS = {"half-sent": half_sent, "slow": slow, "kept": kept, "leaving": leaving}
