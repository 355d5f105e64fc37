# SPDX-License-Identifier: ISC
"""Signing keys that roll under load: what is signed verifies wherever the key set was fetched no longer
than an hour ago. clocks.c hands the time in, and authlib verifies."""

import concurrent.futures
import json

from authlib.jose import JsonWebKey, JsonWebToken

from lab import dialects
from lab.http import Request

MOUNT = dialects.mount_at("/oauth/token")
MINUTE, HOUR = 60, 3600
STEP, STEPS, REFRESHES = 150, 120, 10000
CLIENTS = 4


class Verifier:
    """A resource server that keeps the key set for an hour, whatever it is told."""

    def __init__(self, server):
        self.server, self.fetched, self.tag, self.keys, self.unchanged = server, None, None, None, 0

    def look(self, now):
        if self.fetched is not None and now - self.fetched < HOUR:
            return
        headers = [("If-None-Match", self.tag)] if self.tag else []
        answer = self.server.send(Request("GET", dialects.JWKS_PATH, headers))
        self.fetched = now
        if answer.status == 304:
            assert answer.body == b""
            self.unchanged += 1
            return
        assert answer.status == 200
        self.tag = answer.header("ETag")
        self.keys = {key["kid"]: JsonWebKey.import_key(key) for key in json.loads(answer.body)["keys"]}

    def verify(self, token):
        """The kid of what signed it."""
        def find(head, payload):
            kids.append(head["kid"])
            assert kids[0] in self.keys, f"{kids[0]} is not in the key set of {self.fetched} s"
            return self.keys[kids[0]]

        kids = []
        JsonWebToken(["RS256"]).decode(token, find)
        return kids[0]


def refreshed(server, login, count):
    """The login afterwards, and every access token."""
    tokens = []
    for _ in range(count):
        answer = server.send(MOUNT.dialect.request(MOUNT.path, login))
        assert MOUNT.dialect.complaints(login, answer) == [], server.log_text()[-2000:]
        login = login.after(*MOUNT.dialect.tokens(answer))
        tokens.append(login.access_token)
    return login, tokens


def test_roll_under_load(world, clocks):
    """Five hours in steps of two and a half minutes: twelve verifiers that fetch at different times,
    and two processes that nobody tells anything."""
    server = world.serve("socket", processes=2)
    logins = [world.login(MOUNT) for _ in range(CLIENTS)]
    verifiers = [Verifier(server) for _ in range(HOUR // (5 * MINUTE))]
    each = -(-REFRESHES // (STEPS * CLIENTS))
    old = next(key["kid"] for key in world.installed.json("key", "list") if key["algorithm"] == "RS256")
    signed, living, rotated_at = [], [], None
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for step in range(STEPS):
            now = step * STEP
            clocks.set(now, now)
            for number, verifier in enumerate(verifiers):
                if verifier.fetched is not None or now >= number * 5 * MINUTE or now > HOUR:
                    verifier.look(now)
            if now >= HOUR and rotated_at is None:
                rotated_at, rolled = now, world.installed.json("key", "rotate", "--algorithm", "RS256")
            done = list(pool.map(lambda login: refreshed(server, login, each), logins))
            logins = [login for login, _ in done]
            tokens = [token for _, some in done for token in some]
            looking = [verifier for verifier in verifiers if verifier.keys]
            stalest = min(looking, key=lambda verifier: verifier.fetched)
            kids = {stalest.verify(token) for token in tokens}
            assert len(kids) == 1, "two processes sign with two keys"
            signed += [kids.pop()] * len(tokens)
            living.append((now, tokens[0]))
            for verifier in looking:  # everywhere, and until a token is nearly over
                verifier.verify(tokens[0])
                verifier.verify(living[0][1])
            if now - living[0][0] >= HOUR - STEP:
                living.pop(0)
    new = rolled[0]["kid"]
    assert len(signed) >= REFRESHES and set(signed) == {old, new}
    changed = signed.index(new) // (each * CLIENTS) * STEP
    assert signed == sorted(signed, key=[old, new].index) and changed - rotated_at == 70 * MINUTE
    assert sum(verifier.unchanged for verifier in verifiers) >= len(verifiers)
    assert all(set(verifier.keys) >= {new} for verifier in verifiers)
    clocks.set(rotated_at + 4 * HOUR, rotated_at + 4 * HOUR)
    last = Verifier(server)
    last.look(0)
    assert old not in last.keys and new in last.keys
    assert next(key["state"] for key in world.installed.json("key", "list") if key["kid"] == old) == "retired"
