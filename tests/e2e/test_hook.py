# SPDX-License-Identifier: ISC
"""A program on this machine says what access tokens say: [hook] of retoken.conf(5). The hooks here are real servers
behind a Unix socket or on loopback; what their answers mean is in tests/operation/test_hook.c."""

import concurrent.futures
import json
import pathlib
import socket
import sys
import threading
import time

import pytest

from lab import dialects, machine

MOUNT = dialects.mount_at("/oauth/token")
OTHER = dialects.mount_at("/sandbox/token")
SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "hook" / "claims.py"
LONG = 60.0


class Hook:
    """One that answers each question with what `answer` makes of its connection."""

    def __init__(self, world, unix=True):
        self.path = world.installed.folder / "hook.sock"
        self.listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        self.listener.bind(str(self.path) if unix else ("127.0.0.1", 0))
        if unix:
            machine.own(self.path)
        self.url = f"unix:{self.path}" if unix else f"http://127.0.0.1:{self.listener.getsockname()[1]}/claims"
        self.listener.listen(128)
        self.answer = says({})
        self.asked = 0
        self.kept = []  # connections that are left open
        world.cleanup.callback(self.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.perform, args=(peer,), daemon=True).start()

    def perform(self, peer):
        self.kept.append(peer)
        peer.recv(65536)
        self.asked += 1
        try:
            self.answer(peer)
        except OSError:  # whoever asked has gone
            pass

    def close(self):
        self.listener.close()
        for peer in self.kept:
            peer.close()


def respond(peer, body, status="200 OK", head=""):
    peer.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{head}\r\n".encode() + body)
    peer.close()


def says(value):
    return lambda peer: respond(peer, json.dumps(value).encode())


def floods(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        peer.sendall(b" " * 65536)


def trickles(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
    while True:
        peer.sendall(b" ")
        time.sleep(0.01)


BAD = {
    "hangs": lambda peer: None,
    "dies": lambda peer: peer.close(),
    "dies-in-the-answer": lambda peer: (peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), peer.close()),
    "garbage": lambda peer: (peer.sendall(b"\0\1\2 what?\r\n\r\n"), peer.close()),
    "no-json": lambda peer: respond(peer, b"<html>"),
    "error": lambda peer: respond(peer, b"{}", "500 Oops"),
    "redirects": lambda peer: respond(peer, b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"),
    "reserved-claim": says({"claims": {"sub": "root"}}),
    "gigabytes": floods,
    "trickles": trickles,
}


def configure(world, url, mount=MOUNT, **settings):
    world.installed._set("hook users", {"url": url, **settings})
    world.mount_settings(mount, hook="users")


def refresh(server, login, mount=MOUNT):
    return server.send(mount.dialect.request(mount.path, login), timeout=LONG)


def renewed(login, answer, mount=MOUNT):
    assert answer.status == 200, answer.body
    return login.after(*mount.dialect.tokens(answer))


def claims_of(login):
    return dialects.jwt_claims(login.access_token)


def test_the_sample(world):
    users, sock = world.installed.folder / "users.json", world.installed.folder / "claims.sock"
    users.write_text(json.dumps({"ada": {"roles": ["editor"], "claims": {"team": [1, 2]}}}))
    login = world.login(MOUNT)
    process = machine.start([sys.executable, SAMPLE, sock, users], log=world.installed.folder / "claims.log",
                            env=machine.environment())
    world.cleanup.callback(machine.stop, process)
    machine.wait_until(lambda: machine.listens_at(sock), LONG, "the sample")
    configure(world, f"unix:{sock}", cache="0", timeout="1m")
    server = world.serve("socket")
    login = renewed(login, refresh(server, login))
    assert claims_of(login)["roles"] == ["editor"] and claims_of(login)["team"] == [1, 2]
    users.write_text(json.dumps({"ada": {"refuse": "on leave"}}))
    for _ in range(2):  # and nothing is spent
        answer = refresh(server, login)
        assert answer.status == 400 and json.loads(answer.body)["error"] == "invalid_grant"
    assert "outcome=account-refused" in server.log_text()
    told = world.installed.json("events")
    assert [(event["event"], event["note"]) for event in told if event["event"] == "hook-refused"] == \
        [("hook-refused", "on leave")]
    users.write_text(json.dumps({"ada": {}}))
    login = renewed(login, refresh(server, login))
    assert "team" not in claims_of(login) and claims_of(login)["roles"] == ["ROLE_CUSTOMER"]
    assert "confined: the process tried" not in server.log_text()


@pytest.mark.parametrize("unix", [True, False], ids=["unix", "loopback"])
def test_what_is_no_answer_is_a_fault_that_spends_nothing(world, unix):
    login, hook = world.login(MOUNT), Hook(world, unix)
    configure(world, hook.url, cache="0", on_fault="refuse-503", timeout="1s")
    server = world.serve("socket")
    for name, answer in BAD.items():
        hook.answer = answer
        got = refresh(server, login)
        assert got.status == 503 and got.header("Retry-After") == "1", name
    hook.answer = says({"roles": ["late"]})
    login = renewed(login, server.send_until(lambda good: good.status == 200, MOUNT.dialect.request(MOUNT.path, login)))
    assert claims_of(login)["roles"] == ["late"]
    assert server.log_text().count("fault=hook users:") >= len(BAD)
    assert "confined: the process tried" not in server.log_text()


def test_the_last_answer_stands_in(world):
    login, hook = world.login(MOUNT), Hook(world)
    configure(world, hook.url, cache="0", timeout="1m")
    server = world.serve("socket")
    hook.answer = says({"roles": ["known"]})
    login = renewed(login, refresh(server, login))
    hook.answer = BAD["dies"]
    login = renewed(login, refresh(server, login))
    assert claims_of(login)["roles"] == ["known"]
    assert "s ago holds" in server.log_text()


def test_others_go_on_while_a_hook_hangs(world):
    """By order, not by time: those of the other realm are answered before any that waits for the hook."""
    hanging = [world.login(MOUNT) for _ in range(12)]
    others = [world.login(OTHER) for _ in range(4)]
    hook = Hook(world)
    hook.answer = BAD["hangs"]
    configure(world, hook.url, timeout="1m", calls="8")
    server = world.serve("socket")
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        waiting = [pool.submit(refresh, server, hanging[number % 12]) for number in range(64)]
        machine.wait_until(lambda: hook.asked == 8 and sum(one.done() for one in waiting) == 56, LONG,
                           "eight calls and no more")
        for round in range(5):
            others = [renewed(other, refresh(server, other, OTHER), OTHER) for other in others]
        assert hook.asked == 8 and sum(one.done() for one in waiting) == 56
        for peer in list(hook.kept):
            respond(peer, b"{}")
        statuses = [one.result().status for one in waiting]
    assert statuses.count(200) == 8 and statuses.count(503) == 56
    assert refresh(server, hanging[0]).status == 200


def test_a_race_gets_one_token(world):
    """Two hundred answers, each another one: all who present one token get the same."""
    login, hook = world.login(MOUNT), Hook(world)
    configure(world, hook.url, cache="0", timeout="1m", calls="16")
    server, count = world.serve("socket"), iter(range(1000))
    hook.answer = lambda peer: says({"roles": [f"r{next(count)}"]})(peer)
    for _ in range(5):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: refresh(server, login), range(16)))
        tokens = {MOUNT.dialect.tokens(answer) for answer in answers if answer.status == 200}
        said = {dialects.jwt_parts(access)[1] for _, access in tokens}
        assert len(said) == 1, said
        login = login.after(*tokens.pop())
