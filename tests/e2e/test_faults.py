# SPDX-License-Identifier: ISC
"""Something breaks here: the client gets its dialect's 5xx, the operator a clear message, and the
token is as good as before once it is mended."""

import errno
import json
import os

import pytest

from lab import dialects, goldens, machine, preload
from lab.campaign import faults
from lab.http import Request


def is_fault_of(dialect, answer):
    """The golden words for a fault, in the documented behaviour."""
    assert goldens.outcomes(dialect.name, "documented")["fault"].complaints(answer) == []


def secret_missing(world):
    os.rename(world.installed.folder / "secret", world.installed.folder / "elsewhere")
    return lambda: os.rename(world.installed.folder / "elsewhere", world.installed.folder / "secret")


def secret_readable_by_all(world):
    os.chmod(world.installed.folder / "secret", 0o644)
    return lambda: os.chmod(world.installed.folder / "secret", 0o600)


def secret_of_another(world):
    secret = world.installed.folder / "secret"
    right = secret.read_text()
    secret.write_text("0" * 64 + "\n")
    return lambda: secret.write_text(right)


def store_missing(world):
    store = world.installed.folder / "store"
    os.rename(store, world.installed.folder / "elsewhere")
    return lambda: os.rename(world.installed.folder / "elsewhere", store)


def store_read_only(world):
    store = world.installed.folder / "store"
    for path in (store / "data.mdb", store):
        os.chmod(path, path.stat().st_mode & 0o500)

    def mend():
        os.chmod(store, 0o700)
        os.chmod(store / "data.mdb", 0o600)
    return mend


def store_damaged(world):
    """Every data page overwritten; the two meta pages stay."""
    data = world.installed.folder / "store" / "data.mdb"
    right = data.read_bytes()
    data.write_bytes(right[:8192] + bytes(len(right) - 8192))
    return lambda: data.write_bytes(right)


# name -> (what breaks it and gives what mends it, words that the message must hold)
BROKEN = {
    "secret missing": (secret_missing, ["secret"]),
    "secret readable by all": (secret_readable_by_all, ["secret", "600"]),
    "secret of another": (secret_of_another, []),
    "store missing": (store_missing, ["store"]),
    "store read-only": (store_read_only, ["store"]),
    "store damaged": (store_damaged, []),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", ["socket", "lighttpd-cgi"])
def test_broken_at_the_start(world, kind, name):
    """No responder opens it: every mount answers with its own 5xx, health too."""
    logins = {mount.path: world.login(mount) for mount in dialects.MOUNTS}
    breaks, words = BROKEN[name]
    mend = breaks(world)
    server = world.serve(kind)
    for mount in dialects.MOUNTS:
        answer = server.send(mount.dialect.request(mount.path, logins[mount.path]))
        is_fault_of(mount.dialect, answer)
    assert server.send(Request("GET", dialects.HEALTH_PATH)).status == 503
    for word in words:
        assert word in server.log_text(), server.log_text()
    mend()
    server.stop()
    server = world.serve(kind)
    for mount in dialects.MOUNTS:
        login = logins[mount.path]
        answer = server.send(mount.dialect.request(mount.path, login))
        assert mount.dialect.complaints(login, answer) == []


@pytest.mark.parametrize("name", ["secret missing", "store missing", "secret readable by all"])
def test_mended_without_a_restart(world, name):
    """A responder that could not open its store tries again by itself."""
    mount = dialects.mount_at("/oauth/token")
    login = world.login(mount)
    mend = BROKEN[name][0](world)
    server = world.serve("socket")
    is_fault_of(mount.dialect, server.send(mount.dialect.request(mount.path, login)))
    mend()
    answer = server.send_until(lambda found: found.status == 200,
                               mount.dialect.request(mount.path, login))
    assert mount.dialect.complaints(login, answer) == []


@pytest.mark.parametrize("settings,wrong,at", [
    ("[retoken]\nno-such-key = 1\n", "no-such-key", 2),
    ("[mount /oauth/token]\ndialect = klingon\n", "klingon", 2),
    ("[mount /oauth/token]\ndialect = oauth\nabsolute-lifetime = soon\n", "soon", 3),
    ("[mount /oauth/token\n", "", 1),
], ids=["key", "dialect", "duration", "section"])
def test_wrong_configuration(world, settings, wrong, at):
    mount = dialects.mount_at("/oauth/token")
    login = world.login(mount)
    right = world.installed.settings()
    world.installed.replace_settings(right + "\n" + settings)
    server = world.serve("socket")
    assert server.send(mount.dialect.request(mount.path, login)).status in (500, 503)
    place = f"retoken.conf:{right.count(chr(10)) + 1 + at}:"
    assert place in server.log_text() and wrong in server.log_text(), server.log_text()
    refused = world.installed.run("session", "list")
    assert refused.returncode in (2, 3) and place.encode() in refused.stderr
    server.stop()
    world.installed.replace_settings(right)
    answer = world.serve("socket").send(mount.dialect.request(mount.path, login))
    assert mount.dialect.complaints(login, answer) == []


SMALL = "[retoken]\ndata = .\nstore-size = 1m\nstore-limit = {}\n"


def fill(installed):
    """Adds accounts until there is no room for one more; what the last attempt said."""
    claims = installed.folder / "claims.json"
    claims.write_text(json.dumps({"note": "x" * 2000}))
    machine.own(claims)
    for number in range(2000):
        added = installed.run("account", "add", f"account-{number}", "--no-password",
                              "--claims-file", str(claims))
        if added.returncode != 0:
            return added
    raise AssertionError("2000 large accounts fit into a mebibyte")


def test_store_full(small_world):
    """Nothing more can be written: 5xx in each dialect's words and nothing spent. With more room
    everybody goes on with the token they have."""
    world = small_world(SMALL.format("1m"))
    koppeltaal = dialects.mount_at("/oauth2/token")
    # each keeps a row for each of its last thousand rotations
    keeping = [(koppeltaal, number) for number in range(4)]
    others = [(mount, 0) for mount in dialects.MOUNTS if mount is not koppeltaal]
    logins = {(mount.path, number): world.login(mount) for mount, number in keeping + others}
    added = fill(world.installed)
    assert added.returncode == 3 and b"full" in added.stderr, added.stderr
    server = world.serve("socket")

    def refresh(mount, number):
        """Once; False when the answer was the dialect's 5xx."""
        answer = server.send(mount.dialect.request(mount.path, logins[mount.path, number]))
        if answer.status != 200:
            is_fault_of(mount.dialect, answer)
            return False
        logins[mount.path, number] = logins[mount.path, number].after(*mount.dialect.tokens(answer))
        return True

    assert any(not refresh(*each) for _ in range(1000) for each in keeping)
    for each in (keeping + others) * 20:  # rotations in place may still find room
        refresh(*each)
    assert "full" in server.log_text()
    server.stop()
    world.installed.replace_settings(SMALL.format("64m"))
    server = world.serve("socket")
    for (path, _), login in logins.items():
        dialect = dialects.mount_at(path).dialect
        assert dialect.complaints(login, server.send(dialect.request(path, login))) == []
    assert world.installed.run("store", "check").returncode == 0


def test_health_reads_the_store(world):
    server = world.serve("socket")
    answer = server.send(Request("GET", dialects.HEALTH_PATH))
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})


# ---- a process that cannot recover ----

def test_every_write_of_a_meta_page_fails():
    """Never a refusal, nothing is lost or spent twice; the process ends or goes on, the next one answers."""
    path = "/oauth/token"
    figures = faults.run(600, 1, calls="meta", errors="EIO,ENOSPC,EDQUOT", paths=path)[path]
    assert figures["happened"] == figures["planned"] == figures["faults"] > 20
    assert figures["ended"] > 20


@pytest.mark.parametrize("kind", ["apache", "lighttpd", "lighttpd-cgi", "apache-cgi"])
def test_the_next_process_answers(world, kind):
    """However the responder is started: a fault, in the dialect's words, and then the answer."""
    mount = dialects.mount_at("/oauth/token")
    login = world.login(mount)
    armed = world.installed.folder / "armed"
    world.installed = preload.preloaded(world.installed, world.installed.folder, faults.SHIM, FAULT_CALL="meta",
                                        FAULT_NUMBER=0, FAULT_ERROR=errno.ENOSPC, FAULT_ARMED=armed)
    server = world.serve(kind)
    request = mount.dialect.request(mount.path, login)
    armed.touch()
    machine.own(armed)
    is_fault_of(mount.dialect, server.send(request))
    assert not armed.exists()
    answer = server.send_until(lambda found: found.status < 500, request)
    assert mount.dialect.complaints(login, answer) == []
    assert server.log_text().count("; ending") == 1
