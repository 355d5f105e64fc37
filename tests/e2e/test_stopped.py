# SPDX-License-Identifier: ISC
"""A process is stopped, or its disk hangs, in the middle of a commit. Those who want to write are told within the
setting `writer-wait` that they must wait, and their tokens stay good; those who only read notice nothing. The commit
is stalled by a preloaded library (stall.c) when the test says so."""

import contextlib
import json
import os
import pathlib
import signal
import threading
import time

import pytest

from lab import dialects, goldens, machine, preload
from lab.http import Request

READY = Request("GET", dialects.HEALTH_PATH + "?ready")
HEALTH = Request("GET", dialects.HEALTH_PATH)
MOUNT = dialects.mount_at("/oauth/token")
LONG = 60.0  # seconds in which everything must be over on a busy machine; the bound is 1 s


class Stall:
    """A server whose next commit stalls, while requests go on."""

    def __init__(self, world, file, **options):
        self.world, self.folder = world, world.installed.folder
        self.file = self.folder / file
        self.held = self.folder / "held"
        world.installed.set_retoken(writer_wait="1s")
        plain = world.installed
        world.installed = preload.preloaded(plain, self.folder, "e2e/stall.c", STALL_PROCESS=self.folder / "process",
                                            STALL_THREAD=self.folder / "thread", STALL_WHILE=self.held)
        self.server = world.serve("socket", **options)
        world.installed = plain
        self.login = world.login(MOUNT)
        self.answer = None

    def begin(self):
        """One client's commit stalls, and that client waits."""
        for path in (self.held, self.file):
            path.touch()
            machine.own(path)

        def ask():
            self.answer = self.server.send(request_of(self.login), timeout=LONG)

        self.client = threading.Thread(target=ask)
        self.client.start()
        machine.wait_until(lambda: not self.file.exists(), LONG, "a commit that stalls")

    def end(self):
        self.held.unlink(missing_ok=True)
        self.client.join(LONG)
        assert MOUNT.dialect.complaints(self.login, self.answer) == []


def request_of(login):
    return MOUNT.dialect.request(MOUNT.path, login)


def stopped(pids):
    return [pid for pid in pids
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"]


@contextlib.contextmanager
def stopped_responder(world, processes):
    """Of so many processes, one is stopped while it has the turn to write: the server and its process id."""
    stall = Stall(world, "process", processes=processes)
    stall.begin()
    machine.wait_until(lambda: stopped(stall.server.responders()), LONG, "a process that is stopped")
    pid, = stopped(stall.server.responders())
    try:
        yield stall.server, pid
    finally:
        os.kill(pid, signal.SIGCONT)
    stall.end()


def ask_at_once(server, logins):
    """The answers of all, asked at the same time, each with the seconds it took."""
    answers = [None] * len(logins)

    def ask(number):
        began = time.monotonic()
        answers[number] = server.send(request_of(logins[number])), time.monotonic() - began

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(logins))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    return answers


def expect_faults(answers):
    for answer, seconds in answers:
        assert goldens.outcomes(MOUNT.dialect.name, "documented")["fault"].complaints(answer) == []
        assert answer.status == 503 and answer.header("Retry-After") == "1"
        assert 1.0 <= seconds < 15.0


def expect_grants(server, logins):
    for login in logins:
        assert MOUNT.dialect.complaints(login, server.send(request_of(login))) == []


def reason(answer):
    return answer.status, json.loads(answer.body)


NOT_READY = (503, {"status": "fault", "reason": "commit-waits"})


def test_one_of_four_processes_is_stopped(world):
    world.installed.set_retoken(issuer="https://auth.example.org")  # doctor asks for it
    logins = [world.login(MOUNT) for _ in range(12)]
    with stopped_responder(world, 4) as (server, pid):
        expect_faults(ask_at_once(server, logins))
        assert f"to write behind process {pid};" in server.log_text()
        assert reason(server.send(HEALTH)) == (200, {"status": "ok"})
        server.send_until(lambda answer: reason(answer) == NOT_READY, READY)
        head = server.send(Request("HEAD", READY.path))
        assert head.body == b"" and head.status in (200, 503)
        read = {arguments: world.installed.run(*arguments, timeout=LONG)
                for arguments in [("session", "list"), ("account", "list"), ("store", "stat"), ("doctor",)]}
        assert {arguments: result.returncode for arguments, result in read.items()} == dict.fromkeys(read, 0)
        explained = world.installed.run("explain", stdin=logins[0].refresh_token.encode() + b"\n", timeout=LONG)
        assert explained.returncode == 0, explained.stderr
        refused = world.installed.run("session", "create", "--mount", MOUNT.path, "--account", "ada", timeout=LONG)
        assert refused.returncode == 3
        assert f"behind process {pid};".encode() in refused.stderr
    expect_grants(server, logins)
    for _ in range(8):
        server.send_until(lambda answer: reason(answer) == (200, {"status": "ok"}), READY)
    assert world.installed.run("store", "check").returncode == 0


@pytest.mark.parametrize("kind", ["lighttpd-cgi", "lighttpd"])
def test_another_server_goes_on(world, kind):
    """It starts, opens the store and reads while a process that is none of its own is stopped."""
    logins = [world.login(MOUNT) for _ in range(4)]
    with stopped_responder(world, 1):
        server = world.serve(kind)
        assert reason(server.send(HEALTH)) == (200, {"status": "ok"})
        expect_faults(ask_at_once(server, logins))
    expect_grants(server, logins)


def test_the_disk_hangs(world):
    """In the process that is asked: what waits behind the commit is answered, and a reader is."""
    logins = [world.login(MOUNT) for _ in range(12)]
    stall = Stall(world, "thread")
    stall.begin()
    expect_faults(ask_at_once(stall.server, logins))
    pid, = stall.server.responders()
    assert f"a commit of this process ({pid}) has taken" in stall.server.log_text()
    assert reason(stall.server.send(HEALTH)) == (200, {"status": "ok"})
    assert reason(stall.server.send(READY)) == NOT_READY
    stall.end()
    expect_grants(stall.server, logins)
    assert reason(stall.server.send(READY)) == (200, {"status": "ok"})
