# SPDX-License-Identifier: ISC
"""The same token presented by many at once, to threads of one responder and to sixteen of them,
which share their commits."""

import concurrent.futures
import threading
import time

import pytest

from history import History
from lab import dialects, machine
from refusals import token_refusal

CLIENTS = 64
RACED = [pytest.param(dialects.mount_at(path), id=path)
         for path in ("/oauth/token", "/sandbox/token", "/api/jwt/refresh", "/oauth2/token")]
PLACES = [pytest.param(1, id="threads", marks=pytest.mark.threaded), pytest.param(16, id="processes")]


def race(server, mount, login, clients=CLIENTS):
    """All clients send at the same moment; their answers."""
    start = threading.Barrier(clients)
    request = mount.dialect.request(mount.path, login)

    def one(_):
        start.wait()
        return server.send(request)

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(clients)))


def judged(history, mount, login, answers):
    """Notes the answers; the one successor that all of them carry."""
    for answer in answers:
        assert mount.dialect.complaints(login, answer) == []
        history.add("racer", login.refresh_token, mount.dialect.tokens(answer)[0], answer.status)
    assert history.verdict() == []
    successors = {mount.dialect.tokens(answer) for answer in answers}
    assert len({refresh for refresh, _ in successors}) == 1
    assert len({dialects.jwt_parts(access) for _, access in successors}) == 1
    return login.after(*successors.pop())


@pytest.mark.parametrize("mount", RACED)
@pytest.mark.parametrize("processes", PLACES)
def test_exactly_one_rotation(world, processes, mount):
    server = world.serve("socket", processes=processes)
    login, history = world.login(mount), History()
    for generation in range(1, 4):  # the winner's token is raced for in its turn
        login = judged(history, mount, login, race(server, mount, login))
        assert world.installed.session(login.session)["generation"] == generation
    assert server.send(mount.dialect.request(mount.path, login)).status == 200


@pytest.mark.parametrize("mount", RACED)
@pytest.mark.parametrize("processes", PLACES)
def test_after_the_window_the_old_token_ends_the_session(world, processes, mount):
    world.mount_settings(mount, concurrency_window="1s")
    server = world.serve("socket", processes=processes)
    login, history = world.login(mount), History()
    successor = judged(history, mount, login, race(server, mount, login))
    rotated = time.monotonic()
    window = rotated + 1.0
    machine.wait_until(lambda: time.monotonic() > window + 0.1, what="the window to pass")
    refusal = token_refusal(mount.dialect, "documented", "reused", "revoked")
    for answer in race(server, mount, login):
        assert refusal.complaints(answer) == []
    assert world.installed.session(login.session)["state"] != "live"
    for answer in race(server, mount, successor):
        assert refusal.complaints(answer) == []


def test_old_and_new_token_race(world):
    """Half of the clients still hold the old token, half the new one. Each is answered with the
    newest one, as both were spent a moment ago. Never a fork."""
    mount = dialects.mount_at("/oauth/token")
    server = world.serve("socket", processes=8)
    for _ in range(5):
        old, history = world.login(mount), History()
        new = judged(history, mount, old, [server.send(mount.dialect.request(mount.path, old))])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            halves = [(login, pool.submit(race, server, mount, login, CLIENTS // 2))
                      for login in (old, new)]
        answers = [(login, answer) for login, half in halves for answer in half.result()]
        for login, answer in answers:
            successor = mount.dialect.tokens(answer)[0] if answer.status == 200 else None
            history.add("racer", login.refresh_token, successor, answer.status)
        assert history.verdict() == []
        refused = any(answer.status != 200 for _, answer in answers)
        assert refused == (world.installed.session(old.session)["state"] != "live")


def test_refresh_races_revocation(world):
    """Whoever is granted after the revocation was acknowledged would hold a dead session's token."""
    mount = dialects.mount_at("/oauth/token")
    server = world.serve("socket", processes=8)
    for _ in range(5):
        login = world.login(mount)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            racing = pool.submit(race, server, mount, login, 16)
            pool.submit(world.installed.retoken, "session", "revoke", login.session).result()
            refusal = token_refusal(mount.dialect, "documented", "revoked")
            assert refusal.complaints(server.send(mount.dialect.request(mount.path, login))) == []
            for answer in racing.result():
                if answer.status == 200:
                    after = login.after(*mount.dialect.tokens(answer))
                    dead = server.send(mount.dialect.request(mount.path, after))
                    assert refusal.complaints(dead) == []
