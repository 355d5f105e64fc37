# SPDX-License-Identifier: ISC
"""Connections to the responder's own socket: kept, in pieces, silent, too many, and at its end. None
of them makes anybody else wait, and no request is performed before it is whole."""

import json
import os
import shutil
import signal
import socket
import threading

import pytest

from lab import dialects, fcgi, machine, servers

MOUNT = dialects.mount_at("/oauth/token")


class Chain:
    """One session; each refresh goes on from the answer before."""

    def __init__(self, world):
        self.world, self.login = world, world.login(MOUNT)

    def request(self, flags=0):
        asked = MOUNT.dialect.request(MOUNT.path, self.login)
        return (fcgi.begin(flags) + fcgi.params(fcgi.variables(asked)) + fcgi.stdin(asked.body))

    def take(self, connection):
        """Reads an answer, which must be a grant."""
        out, _, ended = fcgi.read_answer(connection)
        assert ended
        answer = fcgi.parse(out)
        assert MOUNT.dialect.complaints(self.login, answer) == []
        self.login.refresh_token = json.loads(answer.body)["refresh_token"]

    def generation(self):
        return self.world.installed.session(self.login.session)["generation"]

    def refresh(self, path):
        with fcgi.connect(path, timeout=60) as connection:
            connection.sendall(self.request())
            self.take(connection)


def is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        connection.settimeout(60)


@pytest.fixture
def serve(world):
    def serve(**settings):
        if settings:
            world.installed.set_retoken(**settings)
        return world.serve("socket")
    return serve


@pytest.fixture
def opened():
    """fcgi.connect, with the connections closed afterwards."""
    connections = []

    def connect(path):
        connections.append(fcgi.connect(path, timeout=60))
        return connections[-1]
    yield connect
    for connection in connections:
        connection.close()


@pytest.mark.sanitized
@pytest.mark.threaded
def test_kept_connection_serves_one_request_after_the_other(world, serve, opened):
    chain, connection = Chain(world), opened(serve().socket)
    for _ in range(20):
        connection.sendall(chain.request(fcgi.KEEP_CONNECTION))
        chain.take(connection)
    assert is_open(connection)
    connection.sendall(chain.request())
    chain.take(connection)
    assert connection.recv(1) == b""
    assert chain.generation() == 21


@pytest.mark.sanitized
def test_more_kept_connections_than_threads(world, serve, opened):
    """All of them are served, again and again, and so is who comes anew."""
    server = serve(threads=2)
    kept = [(Chain(world), opened(server.socket)) for _ in range(12)]
    for _ in range(3):
        for chain, connection in kept:
            connection.sendall(chain.request(fcgi.KEEP_CONNECTION))
        for chain, connection in kept:
            chain.take(connection)
        Chain(world).refresh(server.socket)


@pytest.mark.sanitized
def test_silent_and_slow_peers_keep_nobody_waiting(world, serve, opened):
    """Many more than threads, each with another part of a request. Those who come meanwhile are
    answered before any of them is given up; then one after the other sends its rest."""
    server = serve(threads=2)
    chains, others, slow = [Chain(world) for _ in range(40)], [Chain(world) for _ in range(5)], []
    for number, chain in enumerate(chains):
        connection, data = opened(server.socket), chain.request()
        cut = number * (len(data) - 1) // 39
        connection.sendall(data[:cut])
        slow.append((chain, connection, data[cut:]))
        if number % 8 == 0:
            others.pop().refresh(server.socket)
    generations = {row["session"]: row["generation"] for row in world.installed.json("session", "list")}
    assert {generations[chain.login.session] for chain in chains} == {0}
    for chain, connection, rest in slow:
        connection.sendall(rest)
        chain.take(connection)


@pytest.mark.sanitized
def test_request_byte_by_byte_is_performed_once(world, serve, opened):
    server = serve()
    chain, connection = Chain(world), opened(server.socket)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for byte in chain.request(fcgi.KEEP_CONNECTION):
        connection.sendall(bytes([byte]))
    chain.take(connection)
    connection.sendall(chain.request(fcgi.KEEP_CONNECTION))  # and the connection is as good as new
    chain.take(connection)
    assert chain.generation() == 2


def test_peers_that_never_finish_are_ended(world, serve, opened):
    """However often they send a byte; those that are kept and idle are not."""
    server = serve()
    idle, chain = opened(server.socket), Chain(world)
    idle.sendall(chain.request(fcgi.KEEP_CONNECTION))
    chain.take(idle)
    silent, half = opened(server.socket), opened(server.socket)
    half.sendall(fcgi.begin()[:12])
    assert silent.recv(1) == b"" and half.recv(1) == b""
    machine.wait_until(lambda: "had not sent a whole request after 10 s" in server.log_text(),
                       what="the line in the log")
    idle.sendall(chain.request(fcgi.KEEP_CONNECTION))
    chain.take(idle)


@pytest.mark.sanitized
def test_second_request_in_one_go_is_not_performed(world, serve, opened):
    """FastCGI allows no second one before the answer; nothing of it is taken for the next one's."""
    server = serve()
    first, second = Chain(world), Chain(world)
    connection = opened(server.socket)
    connection.sendall(first.request(fcgi.KEEP_CONNECTION) + second.request(fcgi.KEEP_CONNECTION))
    first.take(connection)
    assert connection.recv(1) == b""
    assert second.generation() == 0
    second.refresh(server.socket)


@pytest.mark.sanitized
@pytest.mark.parametrize("data, why", [
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", "not FastCGI version 1", id="HTTP"),
    pytest.param(fcgi.begin(role=3), "a role other than responder and authorizer", id="filter"),
    pytest.param(fcgi.record(9, b"", request=0), "a management record", id="management"),
    pytest.param(fcgi.begin() + fcgi.record(fcgi.PARAMS, b"\5"), "", id="half a pair"),
    pytest.param(fcgi.begin() + fcgi.record(fcgi.PARAMS, fcgi.bare_pair(0x7ffffffe, 0x7ffffffe)),
                 "a name-value pair announces more than we take", id="2 GiB"),
    pytest.param(fcgi.begin() + fcgi.stdin(b""), "STDIN before the end of PARAMS", id="no PARAMS"),
])
def test_what_is_no_request_is_closed_and_named(world, serve, data, why):
    server = serve()
    out, _, ended = fcgi.raw(server.socket, data, half_close=not why)
    assert (out, ended) == (b"", False)
    assert f"not-fastcgi: {why}" in server.log_text() if why else True
    Chain(world).refresh(server.socket)


@pytest.fixture
def limited(world):
    """A responder that may open so many descriptors: the path of its socket, and the process."""
    folder = machine.folder("retoken-limited-")
    started = []

    def start(descriptors):
        path = folder / "socket"
        started.append(machine.start(
            ["sh", "-c", f'ulimit -n {descriptors} && exec "$0" --listen "$1"',
             world.installed.responder, path],
            log=folder / "log", env=servers.environment(world.installed)))
        machine.wait_until(lambda: machine.listens_at(path), what="the responder")
        return path, started[0]
    yield start
    for process in started:
        machine.stop(process)
    shutil.rmtree(folder)


def test_more_peers_than_descriptors(world, limited, opened):
    """The one that has been idle longest has to go; everybody who asks is answered, also who sends
    his request in pieces, which takes a descriptor more."""
    path, _ = limited(48)
    kept = []
    for _ in range(60):
        chain, connection = Chain(world), opened(path)
        data = chain.request(fcgi.KEEP_CONNECTION)
        connection.sendall(data)
        chain.take(connection)
        kept.append(connection)
    assert not is_open(kept[0]) and is_open(kept[-1])
    assert [is_open(connection) for connection in kept].count(True) < 48
    for byte in chain.request(fcgi.KEEP_CONNECTION):
        connection.sendall(bytes([byte]))
    chain.take(connection)


def test_more_half_sent_requests_than_memory(world, limited, opened):
    """A megabyte of each of three hundred: too many are turned away, and the process goes on."""
    path, process = limited(1024)
    begun = fcgi.begin() + fcgi.record(fcgi.PARAMS, fcgi.pair("X", "a" * 1_000_000)[:65535])
    data = begun + b"".join(fcgi.record(fcgi.PARAMS, b"a" * 65535) for _ in range(14))
    for _ in range(300):
        try:
            opened(path).sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # turned away in the middle
    Chain(world).refresh(path)
    assert process.poll() is None
    assert "too many are half sent" in (path.parent / "log").read_text()


@pytest.mark.sanitized
def test_peer_that_takes_no_answer_holds_up_nobody(world, serve, opened):
    """It has stopped reading, but goes on sending until everybody else is served."""
    server = serve(threads=1)
    connection, served = opened(server.socket), threading.Event()
    connection.sendall(Chain(world).request(fcgi.KEEP_CONNECTION))
    connection.shutdown(socket.SHUT_RD)

    def go_on():
        try:
            while not served.wait(0.2):
                connection.sendall(b"x")
        except OSError:
            pass
    sender = threading.Thread(target=go_on)
    sender.start()
    try:
        for _ in range(5):
            Chain(world).refresh(server.socket)
    finally:
        served.set()
        sender.join()


@pytest.mark.sanitized
def test_half_a_request_at_the_end_is_still_answered(world, serve, opened):
    """SIGTERM: nobody new is let in, who has begun may finish, and the process ends in order."""
    server = serve()
    chain, connection = Chain(world), opened(server.socket)
    data = chain.request(fcgi.KEEP_CONNECTION)
    connection.sendall(data[:100])
    idle, other = opened(server.socket), Chain(world)
    idle.sendall(other.request(fcgi.KEEP_CONNECTION))  # answered: so the half was seen before, too
    other.take(idle)
    server.processes[0].send_signal(signal.SIGTERM)
    connection.sendall(data[100:])
    chain.take(connection)
    assert server.processes[0].wait(timeout=60) == 0
    assert idle.recv(1) == b""
    assert chain.generation() == 1


def test_refreshes_beside_passwords(world, serve, opened):
    """More passwords to check at a time than there are processors: all are answered."""
    server = serve()
    kopong = next(mount for mount in dialects.MOUNTS if mount.dialect.name == "kopong")
    logins = [world.login(kopong) for _ in range(os.cpu_count() + 6)]
    waiting = []
    for login in logins:
        asked = kopong.dialect.request(kopong.path, login)
        connection = opened(server.socket)
        connection.sendall(fcgi.begin() + fcgi.params(fcgi.variables(asked)) + fcgi.stdin(asked.body))
        waiting.append((login, connection))
    chain = Chain(world)
    for _ in range(20):
        chain.refresh(server.socket)
    for login, connection in waiting:
        out, _, _ = fcgi.read_answer(connection)
        assert kopong.dialect.complaints(login, fcgi.parse(out)) == []
