# SPDX-License-Identifier: ISC
"""The master secret rolls while clients refresh: nobody is logged out, an answer that is given again is the
same, and every process follows without being told."""

import base64
import concurrent.futures

import pytest

from lab import dialects

MOUNT = dialects.mount_at("/oauth/token")
CLIENTS, STEP, STEPS, ROLLED_AT = 4, 10, 14, 3


def secret_of(token):
    """The id of the master secret that a native token names."""
    return base64.urlsafe_b64decode(token)[1:2].hex()


def refresh(server, login):
    """The login afterwards; the same request again gets the same answer."""
    answers = [server.send(MOUNT.dialect.request(MOUNT.path, login)) for _ in range(2)]
    for answer in answers:
        assert MOUNT.dialect.complaints(login, answer) == [], server.log_text()[-2000:]
    after = login.after(*MOUNT.dialect.tokens(answers[0]))
    assert MOUNT.dialect.tokens(answers[1]) == MOUNT.dialect.tokens(answers[0])
    assert after.refresh_token != login.refresh_token
    return after


def listed(world):
    return {row["id"]: (row["state"], row["sessions"]) for row in world.installed.json("secret", "list")}


def test_roll_under_load(world, clocks):
    """Two processes, steps of ten seconds: the minute in which others learn of it, and what comes then."""
    server = world.serve("socket", processes=2)
    logins = [world.login(MOUNT) for _ in range(CLIENTS)]
    idle = world.login(MOUNT)
    old = secret_of(idle.refresh_token)
    seen, new = [], None
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for step in range(STEPS):
            clocks.set(step * STEP, step * STEP)
            if step == ROLLED_AT:
                new = world.installed.json("secret", "rotate")[0]["id"]
            logins = list(pool.map(lambda login: refresh(server, login), logins))
            ids = {secret_of(login.refresh_token) for login in logins}
            assert len(ids) == 1, "two processes make tokens under two secrets"
            seen.append(ids.pop())
    changed = ROLLED_AT + 60 // STEP
    # the clock of a process goes on between two steps, so a step early at most
    assert seen in ([old] * at + [new] * (STEPS - at) for at in (changed, changed + 1)), seen
    assert listed(world)[old] == ("accepted", 1) and listed(world)[new] == ("current", CLIENTS)
    assert secret_of(refresh(server, idle).refresh_token) == new
    assert listed(world)[old] == ("accepted", 0)
    assert not [row for row in world.installed.json("session", "list") if row["state"] != "live"]
    world.installed.run("secret", "retire", old)
    logins = [refresh(server, login) for login in logins]
    world.installed.run("store", "check")


@pytest.mark.parametrize("kind", ["apache", "nginx", "lighttpd-cgi"])
def test_every_server_follows(world, kind):
    server = world.serve(kind)
    login = refresh(server, world.login(MOUNT))
    for _ in range(2):
        new = world.installed.json("secret", "rotate", "--now")[0]["id"]
        login = refresh(server, login)
        assert secret_of(login.refresh_token) == new


def test_a_damaged_file_stops_nobody(world):
    """What was read stays, the log names file and line, and the mended file is taken up."""
    server = world.serve("socket")
    login = refresh(server, world.login(MOUNT))
    new = world.installed.json("secret", "rotate", "--now")[0]["id"]
    login = refresh(server, login)
    file = world.installed.folder / "secret"
    good = file.read_text()
    file.write_text(good + "damaged\n")
    for _ in range(3):
        login = refresh(server, login)
        assert secret_of(login.refresh_token) == new
    complaints = [line for line in server.log_text().splitlines() if "line 3" in line]
    assert len(complaints) == 1 and str(file) in complaints[0] and "damaged" not in complaints[0]
    file.write_text(good)
    login = refresh(server, login)
    assert server.log_text().count("was taken up") == 2
