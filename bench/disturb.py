# SPDX-License-Identifier: ISC
"""Misbehaving clients, for as long as a `with` lasts: what they do to the others is measured meanwhile.
They speak FastCGI to a responder's socket, with tokens that are none, so that they cost it little but
their presence, and they are few enough to cost the machine little. And a log that is not read, which
holds up every thread that has something to say. Knows bad manners; measures nothing."""

import collections
import contextlib
import json
import os
import random
import selectors
import socket
import threading
import time
from concurrent import futures

import measure  # finds scripts/lab
from lab import fcgi, http, machine

COUNT = 100           # at a time; more than the threads a responder may have (64 unless told)
STEP = 0.2            # seconds between a slow sender's bytes
LEAVERS_PER_SECOND = 200
GUESSERS = 128
GUESS_PAUSE = 0.5     # seconds from an answer to the next guess: all of them want more hashes than there can be


def _request(path, flags=0, token="A" * 72):
    body = f"grant_type=refresh_token&refresh_token={token}".encode()
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
    """Runs work(ending) in a thread until the end; it is to return soon after ending.is_set(). What it
    raises is raised then."""
    ending = threading.Event()
    with futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(work, ending)
        try:
            yield
        finally:
            ending.set()
        done.result()


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
    """A byte now and then; a client that is done, or closed, begins again."""
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


@contextlib.contextmanager
def guessing(at, path):
    """Wrong passwords by GUESSERS at a time, of ever other names and from ever other networks: none of
    them is slowed, so each that finds a place costs a hash. One thread has all of them: they come from
    elsewhere, and what they cost there is not to be measured."""
    chance = random.Random()

    def send(peer):
        body = json.dumps({"username": f"user{chance.getrandbits(64)}", "password": "wrong"}).encode()
        asked = http.Request("POST", path, [("Content-Type", "application/json")], body)
        network = ".".join(str(chance.randrange(1, 255)) for _ in range(4))
        peer.sendall(fcgi.begin(fcgi.KEEP_CONNECTION) +
                     fcgi.params(fcgi.variables(asked, REMOTE_ADDR=network)) + fcgi.stdin(body))

    def guess(peers, ending):
        due = collections.deque((0, peer) for peer in peers)  # soonest first
        seen = collections.Counter()
        with selectors.DefaultSelector() as waiting:
            for peer in peers:
                waiting.register(peer, selectors.EVENT_READ)
            while not ending.is_set():
                while due and due[0][0] <= time.monotonic():
                    send(due.popleft()[1])
                pause = due[0][0] - time.monotonic() if due else GUESS_PAUSE
                for key, _ in waiting.select(max(0, min(pause, GUESS_PAUSE))):
                    answer = fcgi.parse(fcgi.read_answer(key.fileobj)[0])
                    if answer.status not in (401, 503):
                        raise machine.LabError(f"{path}: {answer.status} {answer.body[:300]!r}")
                    seen[answer.status] += 1
                    due.append((time.monotonic() + GUESS_PAUSE, key.fileobj))
        if not seen[401] or not seen[503]:
            raise machine.LabError(f"{path}: guessers who take no more hashes than there are: {dict(seen)}")

    with _peers() as peers:
        peers += [fcgi.connect(at) for _ in range(GUESSERS)]
        with _meanwhile(lambda ending: guess(peers, ending)):
            yield


@contextlib.contextmanager
def held_up(at, path, tokens, log):
    """A request with each of these tokens, all of which are under way while the `with` lasts: `log`,
    which the responder writes to, is an UnreadLog, and the answer comes after the line. At the end all
    have been answered."""
    with _peers() as held:
        for token in tokens:
            held.append(fcgi.connect(at, 60))
            held[-1].sendall(_request(path, token=token))
        yield
        log.let_go()
        for peer in held:
            answer = fcgi.parse(fcgi.read_answer(peer)[0])
            if answer.status != 200:
                raise machine.LabError(f"{path}: {answer.status} {answer.body[:300]!r}")


class UnreadLog:
    """A pipe that is full: with bench/held_log.c, a process that logs into it waits until it is let go. The
    responder has ended before it comes to an end itself."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        machine.own(path)
        self.pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.pipe, b"\n" * 4096)

    def let_go(self):
        reader = os.open(self.path, os.O_RDONLY)
        os.close(self.pipe)

        def read_on():
            with open(reader, "rb", buffering=0) as log:
                while log.read(65536):
                    pass

        threading.Thread(target=read_on, daemon=True).start()


WAYS = {"half-sent": half_sent, "slow": slow, "kept": kept, "leaving": leaving,
        "guessing": guessing}
