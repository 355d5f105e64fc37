# SPDX-License-Identifier: ISC
"""An older backup is put back: who renewed since goes on, what was ended since stays ended, and a spent
token is found out once its owner has come."""

import json
import shutil

import pytest

from lab import dialects, machine

OAUTH = "/oauth/token"  # native tokens
RENEWED = {"once": 1, "twice": 2, "10 times": 10}
EACH = 3


class Session:
    """One login and every token it was given."""

    def __init__(self, world, server, mount):
        self.server, self.mount = server, mount
        self.login = world.login(mount)
        self.tokens = [self.login]

    def ask(self, login):
        return self.server.send(self.mount.dialect.request(self.mount.path, login))

    def renew(self, times=1):
        for _ in range(times):
            answer = self.ask(self.tokens[-1])
            assert self.mount.dialect.complaints(self.tokens[-1], answer) == []
            self.tokens.append(self.login.after(*self.mount.dialect.tokens(answer)))
        return self


def restore(world, server, backup):
    """Puts it back into the stopped installation and starts a responder; what the verb said."""
    refused = world.installed.run("store", "restore", str(backup))
    assert refused.returncode == 1 and b"has the store open" in refused.stderr, refused.stderr
    server.stop()
    said = world.installed.json("store", "restore", str(backup))
    return said, world.serve("socket")


def move(sessions, server):
    for session in sessions:
        session.server = server
    return sessions


@pytest.mark.parametrize("path", [OAUTH, "/oauth2/token"])
def test_who_is_logged_out(world, path):
    mount = dialects.mount_at(path)
    uuid = path != OAUTH
    world.mount_settings(mount, concurrency_window="0")
    server = world.serve("socket")
    begin = lambda: [Session(world, server, mount).renew(2) for _ in range(EACH)]
    idle, revoked, reused = begin(), begin(), begin()
    renewed = {name: begin() for name in RENEWED}
    backup = machine.folder("retoken-backup-") / "copy"
    world.cleanup.callback(shutil.rmtree, backup.parent, ignore_errors=True)
    assert world.installed.run("store", "backup", str(backup)).returncode == 0

    for name, times in RENEWED.items():
        for session in renewed[name]:
            session.renew(times)
    for session in revoked:
        world.installed.run("session", "revoke", session.login.session)
    for session in reused:
        session.renew()
        assert session.ask(session.tokens[0]).status >= 400
    begun = begin()
    said, server = restore(world, server, backup)
    assert said["ended_again"] == 2 * EACH
    for sessions in (idle, revoked, reused, begun, *renewed.values()):
        move(sessions, server)

    for session in idle:
        session.renew()
    for session in revoked + reused:
        assert session.ask(session.tokens[-1]).status >= 400
        assert session.ask(session.tokens[2]).status >= 400  # current at the backup
    for session in begun:
        assert session.ask(session.tokens[-1]).status >= 400  # not known: to be had from nowhere
    for name, sessions in renewed.items():
        for session in sessions:
            if uuid:  # the alias of a generation made since is lost
                assert session.ask(session.tokens[-1]).status >= 400
                assert session.ask(session.tokens[2]).status == 200
            else:
                session.renew()
    why = json.loads(world.installed.run("explain", "--json", stdin=(
        revoked[0].tokens[-1].refresh_token + "\n").encode()).stdout)
    assert uuid or "ended it again" in why["mounts"][0]["says"]
    health = {row["check"]: row for row in json.loads(
        world.installed.run("doctor", "--json").stdout)}
    assert health["ended.log"]["state"] == "ok"
    assert uuid or "after an older copy was put back" in health["history"]["detail"]
    for said in world.installed.json("session", "list"):
        if said["session"] in {s.login.session for s in revoked + reused}:
            assert said["state"] != "live"
    assert world.installed.run("store", "check").returncode == 0


def test_a_thief_is_found_out(world):
    """The spent token that was current at the backup: honoured until its owner has come."""
    mount = dialects.mount_at(OAUTH)
    world.mount_settings(mount, concurrency_window="0")
    server = world.serve("socket")
    first, second = (Session(world, server, mount).renew(1) for _ in range(2))
    backup = machine.folder("retoken-backup-") / "copy"
    world.cleanup.callback(shutil.rmtree, backup.parent, ignore_errors=True)
    assert world.installed.run("store", "backup", str(backup)).returncode == 0
    first.renew(4)
    second.renew(4)
    _, server = restore(world, server, backup)
    move([first, second], server)

    assert second.ask(second.tokens[1]).status == 200  # the thief first
    for session in (first, second):  # then the owner, who is not refused
        session.renew()
        assert session.ask(session.tokens[1]).status == 400
        assert session.ask(session.tokens[-1]).status == 400  # and the session has ended
        assert world.installed.session(session.login.session)["state"].startswith("reused")
    shown = json.loads(world.installed.run("explain", "--json", stdin=(
        first.tokens[-1].refresh_token + "\n").encode()).stdout)
    assert {"rolled-forward", "reuse"} <= {event["event"] for event in shown["events"]}


@pytest.mark.parametrize("loss", ["data", "damage", "everything"])
def test_what_is_there_need_not_be_readable(world, loss):
    mount = dialects.mount_at(OAUTH)
    server = world.serve("socket")
    session, revoked = (Session(world, server, mount).renew(1) for _ in range(2))
    backup = machine.folder("retoken-backup-") / "copy"
    world.cleanup.callback(shutil.rmtree, backup.parent, ignore_errors=True)
    assert world.installed.run("store", "backup", str(backup)).returncode == 0
    world.installed.run("session", "revoke", revoked.login.session)
    server.stop()
    store = world.installed.folder / "data" / "store"
    if not store.exists():
        store = next(p.parent for p in world.installed.folder.rglob("ended.log"))
    if loss == "everything":
        shutil.rmtree(store)
    elif loss == "data":
        (store / "data.mdb").unlink()
    else:
        (store / "data.mdb").write_bytes(b"\x5a" * 10000)
    said = world.installed.json("store", "restore", str(backup))
    assert ("lost" in said["ends"]) == (loss == "everything")
    assert bool(said["kept"]) == (loss == "damage")
    move([session, revoked], world.serve("socket"))
    session.renew()
    assert (revoked.ask(revoked.tokens[-1]).status == 200) == (loss == "everything")
