# SPDX-License-Identifier: ISC
"""Clocks that jump, a disk that stalls, a request that is read late: no one is logged out, nothing is
removed, and no one is refused for longer than the clock is wrong. clocks.c hands the time in."""

import contextlib
import json
import os
import signal
import threading

import pytest

from lab import dialects, installation, machine

MOUNT = dialects.mount_at("/oauth/token")
MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
JUMPS = {"+61s": 61, "+1h": HOUR, "+1d": DAY, "+10y": 10 * YEAR,
         "-61s": -61, "-1h": -HOUR, "-1d": -DAY, "-31d": -31 * DAY, "-10y": -10 * YEAR}


def request(login):
    return MOUNT.dialect.request(MOUNT.path, login)


def renewed(server, login):
    """With the tokens of the answer, which is a success."""
    answer = server.send(request(login))
    assert MOUNT.dialect.complaints(login, answer) == [], server.log_text()[-2000:]
    return login.after(*MOUNT.dialect.tokens(answer))


class Asking(threading.Thread):
    """One request, answered some time."""

    def __init__(self, server, login):
        super().__init__(daemon=True)
        self.server, self.login, self.answer = server, login, None
        self.start()

    def run(self):
        self.answer = self.server.send(request(self.login), timeout=120)

    def renewed(self):
        self.join(120)
        assert self.answer is not None and MOUNT.dialect.complaints(self.login, self.answer) == []
        return self.login.after(*MOUNT.dialect.tokens(self.answer))


class Client(threading.Thread):
    """Renews without a pause. While it may, a refusal is put up with, and the same token is tried
    again."""

    def __init__(self, server, login):
        super().__init__(daemon=True)
        self.server, self.login = server, login
        self.answers, self.refused, self.failure = 0, 0, None
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            answer = self.server.send(request(self.login))
            if answer.status == 200:
                self.login = self.login.after(*MOUNT.dialect.tokens(answer))
            else:
                self.refused += 1
                self.failure = answer
            self.answers += 1


@contextlib.contextmanager
def load(server, logins):
    clients = [Client(server, login) for login in logins]
    for client in clients:
        client.start()
    yield clients
    for client in clients:
        client.ending.set()
        client.join(60)
        assert not client.is_alive()


def go_on(clients, answers=5):
    """Until each has had so many more answers."""
    wanted = [client.answers + answers for client in clients]
    machine.wait_until(lambda: all(client.answers >= enough for client, enough in zip(clients, wanted)),
                       patience=120, what="answers under load")


@pytest.mark.parametrize("jump", JUMPS)
def test_jump(world, clocks, jump):
    """A rotation whose answer is lost, then the clock jumps, people go on and lose answers, and the
    clock is mended."""
    server = world.serve("socket", processes=2)
    before, idle, spare = (world.login(MOUNT) for _ in range(3))
    after_before = renewed(server, before)
    with load(server, [world.login(MOUNT) for _ in range(4)]) as clients:
        go_on(clients)
        assert sum(client.refused for client in clients) == 0, clients[0].failure
        clocks.set(JUMPS[jump])
        retried = server.send(request(before))
        if jump != "+10y":  # all has expired then, as long as the clock says so
            assert MOUNT.dialect.tokens(retried)[0] == after_before.refresh_token
        go_on(clients)
        if jump == "-10y":  # what begins says that the clock is older than the program
            with pytest.raises(installation.Refused, match="before this program"):
                world.login(MOUNT)
        lost = spare if jump == "-10y" else world.login(MOUNT)
        after_lost = renewed(server, lost)
        assert jump == "+10y" or sum(client.refused for client in clients) == 0, clients[0].failure
        clocks.set(0)
        for client in clients:
            client.refused = 0
        go_on(clients)
        # one answer may have been under way as it was mended
        assert sum(client.refused for client in clients) <= len(clients), clients[0].failure
        assert renewed(server, before).refresh_token == after_before.refresh_token
        assert renewed(server, lost).refresh_token == after_lost.refresh_token
    for login in [after_before, idle, after_lost, *(client.login for client in clients)]:
        renewed(server, login)
        assert world.installed.session(login.session)["state"] == "live"


def test_nothing_is_removed_by_a_clock_that_is_ahead(world, clocks):
    """Many sessions, and writes enough to remove them all; the log says it once, doctor says it, and
    pruning asks."""
    logins = [world.login(MOUNT) for _ in range(12)]
    server = world.serve("socket", processes=2)
    writer = renewed(server, world.login(MOUNT))
    for days in (61, 3650):
        clocks.set(days * DAY)
        writer = world.login(MOUNT)
        for _ in range(12):
            writer = renewed(server, writer)
        doctor = world.installed.run("doctor").stdout.decode()
        assert f"the clock is {days} days ahead of the time that has passed" in doctor
        refused = world.installed.run("store", "prune")
        assert refused.returncode != 0 and b"--yes" in refused.stderr
        clocks.set(0)
        writer = renewed(server, world.login(MOUNT))
        assert world.installed.json("store", "stat")["sessions"] >= len(logins)
    logins = [renewed(server, login) for login in logins]
    said = server.log_text().count("days ahead of the time that has passed")
    assert 2 <= said <= 4, said  # once for each jump and process
    assert "days ahead" not in world.installed.run("doctor").stdout.decode()
    clocks.set(3650 * DAY)
    pruned = world.installed.retoken("store", "prune", "--yes")
    assert "0 ended" not in pruned
    # Only what was begun under that clock is not over by it.
    assert world.installed.json("store", "stat")["sessions"] == 1
    assert world.installed.run("store", "check").returncode == 0


def waiting_to_write(store):
    """How many wait for the turn: with a write in commit.queue (shared_queue_file.h), or for the lock."""
    words = (store / "commit.queue").read_bytes()[192:192 + 128 * 64:64]
    lock = f":{os.stat(store / 'process.lock').st_ino} "
    return (sum(word % 8 in (1, 2) for word in words)
            + sum("->" in line and lock in line for line in open("/proc/locks")))


def test_a_stalled_disk_logs_no_one_out(world, clocks):
    """The commit of a rotation takes 61 s by every clock. Its client asks again elsewhere: while the
    disk stalls, and while the time of the commit is being corrected."""
    world.installed.set_retoken(writer_wait="2m")
    first, second, third = (world.serve("socket") for _ in range(3))
    login = renewed(first, world.login(MOUNT))
    for server in (second, third):
        renewed(server, world.login(MOUNT))  # it has opened the store
    clocks.stall(2)
    asked = Asking(first, login)
    clocks.wait_for_stall(1)
    clocks.set(61, 61)
    meanwhile = Asking(second, login)
    store = world.installed.folder / "store"
    machine.wait_until(lambda: waiting_to_write(store) == 1, patience=60, what="a second writer")
    clocks.go(1)
    clocks.wait_for_stall(2)
    late = Asking(third, login)
    machine.wait_until(lambda: waiting_to_write(store) == 2, patience=60, what="a third writer")
    clocks.go(2)
    answers = {one.renewed().refresh_token for one in (asked, meanwhile, late)}
    assert len(answers) == 1
    assert renewed(second, login).refresh_token in answers
    assert world.installed.session(login.session)["state"] == "live"
    renewed(third, asked.renewed())


def test_a_request_that_is_read_late(world):
    """It lies unread in a process that does not run, while its client asks elsewhere and goes on. It
    gets the answer that is now the current one."""
    frozen, other = world.serve("socket"), world.serve("socket")
    login = renewed(frozen, world.login(MOUNT))
    machine.freeze(frozen.process.pid)
    try:
        late = Asking(frozen, login)
        second = renewed(other, login)
        third = renewed(other, second)
    finally:
        os.kill(frozen.process.pid, signal.SIGCONT)
    assert late.renewed().refresh_token == third.refresh_token
    renewed(other, third)
    assert world.installed.session(login.session)["state"] == "live"
