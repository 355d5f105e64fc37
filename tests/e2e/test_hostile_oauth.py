# SPDX-License-Identifier: ISC
"""What attackers send where OAuth sessions begin: authorization requests that would have a code sent
elsewhere, and requests that cannot be read, for a code, a session, a device or a client of its own. Each
is refused, and nothing is in the store that was not there before."""

import base64
import json
import re
import urllib.parse

import pytest

from conftest import PASSWORD
from lab import dialects
from lab.http import Request
from test_hostile import Door, kept, unreadable

ISSUER = "https://login.example"
SETTINGS = (f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\nremote-user = known\n"
            "grants = refresh code device client\n"
            f"[realm /oauth2/token]\ndialect = koppeltaal\nissuer = {ISSUER}\n")
REGISTERED = ("https://app.example/done?from=login", "http://127.0.0.1/done", "http://localhost:3000/done",
              "com.example.app:/done")
USER = {"REMOTE_USER": "ada", "AUTH_TYPE": "Basic"}
FORM = dialects.FORM
SECRET = "Chosen by a human"
CHALLENGE = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASKED = {"response_type": "code", "client_id": "app", "redirect_uri": REGISTERED[0], "state": "s",
         "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
# Where a body begins something: what would begin it but for what is wrong with it.
BODIES = {
    "/oauth/session": {"client_id": "app", "scope": "read"},
    "/oauth/device_authorization": {"client_id": "app", "scope": "read"},
    "/oauth/device": {"user_code": "BBBB-BBBB", "decision": "allow", "form": "1500000000.AAAA"},
    "/oauth/token": {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong"},
    "/oauth2/token": {"grant_type": "client_credentials", "client_assertion_type": ASSERTION,
                      "client_assertion": "a.b.c", "scope": "*/write"},
}

ELSEWHERE = [
    "", " ", "/done", "//app.example/done?from=login", "app.example/done?from=login",
    # another host that looks like it
    "https://evil.example/", "https://app.example.evil.example/done?from=login",
    "https://evilapp.example/done?from=login", "https://app.example./done?from=login",
    "https://APP.EXAMPLE/done?from=login", "HTTPS://app.example/done?from=login",
    "https://app%2eexample/done?from=login", "https://app.example%2f@evil.example/done?from=login",
    "https://app.example@evil.example/done?from=login", "https://app.example:x@evil.example/done?from=login",
    "https://ada@app.example/done?from=login", "https://evil.example\\@app.example/done?from=login",
    "https://evil.example/\\app.example/done?from=login", "https://app.example\\.evil.example/done?from=login",
    "https://app.example\t.evil.example/done?from=login", "https://аpp.example/done?from=login",
    "https://evil.example#https://app.example/done?from=login",
    "https://evil.example/?https://app.example/done?from=login",
    # another port, scheme, path or query
    "https://app.example:443/done?from=login", "https://app.example:8443/done?from=login",
    "http://app.example/done?from=login", "https:/app.example/done?from=login",
    "https:app.example/done?from=login", "https:\\\\app.example\\done?from=login",
    "https://app.example/done", "https://app.example/done/?from=login", "https://app.example/done?from=login&x=1",
    "https://app.example/done?from=logi", "https://app.example/done/../evil?from=login",
    "https://app.example/%2e%2e/done?from=login", "https://app.example%2fdone?from=login",
    "https://app.example/%64one?from=login", "https://app.example//done?from=login",
    "https://app.example/Done?from=login", "https://app.example/done;x?from=login",
    "https://app.example/done?from=login#", "https://app.example/done?from=login#code",
    # what breaks out of a header, or is cut off
    "https://app.example/done?from=login\r\nLocation: https://evil.example/",
    "https://app.example/done?from=login\0.evil.example", "https://app.example/done?from=login ",
    " https://app.example/done?from=login", " ".join(REGISTERED), "https://app.example/done?from=login" + "a" * 9000,
    # no page at all
    "javascript:alert(1)", "javascript://app.example/%0aalert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:x", "file:///etc/passwd", "blob:https://app.example/1", "view-source:https://app.example/done?from=login",
    # nearly this machine
    "https://127.0.0.1/done", "http://127.0.0.1.evil.example/done", "http://127.0.0.1:80.evil.example/done",
    "http://127.0.0.1:80@evil.example/done", "http://127.0.0.1@evil.example/done", "http://127.0.0.1:/done",
    "http://127.0.0.1:0/done", "http://127.0.0.1:65536/done", "http://127.0.0.1:-1/done", "http://127.0.0.1:8 0/done",
    "http://127.0.0.1:080x/done", "http://127.0.0.1\\.evil.example/done", "http://127.0.0.1#.evil.example/done",
    "http://127.0.0.1?.evil.example/done", "http://127.0.0.1/done/", "http://127.0.0.1/done?x", "http://127.1/done",
    "http://2130706433/done", "http://0x7f.0.0.1/done", "http://127.0.0.01/done", "http://0.0.0.0/done",
    "http://[::1]/done", "http://[::ffff:127.0.0.1]/done", "http://localhost.evil/done",
    "http://localhost.evil.example:3000/done", "http://LOCALHOST:3000/done", "http://localhost@evil.example:3000/done",
    "http://localhost:3000@evil.example/done",
    # nearly this app
    "com.example.app:/", "com.example.app:/done/more", "com.example.app://done", "COM.example.app:/done",
    "com.example.app.evil:/done", "com.example.app:javascript:alert(1)",
]


@pytest.fixture
def door(small_world):
    world = small_world(SETTINGS)
    world.installed.retoken("client", "add", "app", "--public", "--scope", "read write")
    world.installed.retoken("client", "set", "app", *(word for uri in REGISTERED
                                                      for word in ("--redirect-uri", uri)))
    world.installed.retoken("client", "add", "robot", "--secret-file", "-", "--grant", "client",
                            stdin=SECRET.encode())
    return Door(world, world.serve("socket"))


def asks(asked, method="GET"):
    """An authorization request of these parameters, as a list of pairs or a mapping."""
    spelled = urllib.parse.urlencode(asked)
    if method == "GET":
        return Request("GET", f"/oauth/authorize?{spelled}")
    return Request("POST", "/oauth/authorize", [FORM], spelled.encode())


def stays_a_page(answer, what):
    """What a browser shows, and does not follow; of words that are always the same."""
    assert 400 <= answer.status < 500, (what, answer)
    assert answer.header("location") is None and answer.header("refresh") is None, (what, answer)
    assert answer.header("content-type").startswith("text/html"), (what, answer)
    assert not re.search(rb"evil|script|http|href", answer.body), (what, answer)


@pytest.mark.sanitized
def test_codes_go_nowhere_else(door):
    before = kept(door.world)
    for method in ("GET", "POST"):
        for uri in ELSEWHERE:
            stays_a_page(door.send(asks({**ASKED, "redirect_uri": uri}, method), **USER), uri)
        for client in ("", "eve", "APP", "app ", "app\0", "app,web", "a" * 5000, "web"):
            stays_a_page(door.send(asks({**ASKED, "client_id": client}, method), **USER), client)
        for name in ("client_id", "redirect_uri"):
            twice = [*ASKED.items(), (name, ASKED[name])]
            stays_a_page(door.send(asks(twice, method), **USER), f"{name} twice")
            without = {other: value for other, value in ASKED.items() if other != name}
            stays_a_page(door.send(asks(without, method), **USER), f"no {name}")
    assert kept(door.world) == before
    for uri in (*REGISTERED, "http://127.0.0.1:49152/done", "http://localhost/done"):
        answer = door.send(asks({**ASKED, "redirect_uri": uri}), **USER)
        assert answer.status == 303 and answer.header("location").startswith(uri), answer
        assert "code=" in answer.header("location")


@pytest.mark.sanitized
def test_wrong_requests_of_known_apps(door):
    """The app is told at its own address, in parameters that cannot break out of it; no code is made."""
    before = kept(door.world)
    for wrong in ({"state": "\r\nSet-Cookie: x=y", "scope": "admin"}, {"state": "s" * 1025},
                  {"response_type": "code token"},
                  {"response_type": ""}, {"response_mode": "form_post"}, {"response_mode": "fragment"},
                  {"code_challenge": ""}, {"code_challenge": CHALLENGE[:-1]}, {"code_challenge": CHALLENGE + "A"},
                  {"code_challenge": "=" * 43}, {"code_challenge": "é" * 43}, {"code_challenge_method": ""},
                  {"code_challenge_method": "plain"}, {"code_challenge_method": "s256"}, {"scope": "read read\0"},
                  {"scope": "a" * 5000}, {"request": "a.b.c"}, {"request_uri": "file:///etc/passwd"}):
        answer = door.send(asks({**ASKED, **wrong}), **USER)
        location = answer.header("location")
        assert answer.status == 303 and location.startswith(REGISTERED[0] + "&error="), (wrong, answer)
        assert "code=" not in location and re.fullmatch(r"[!-~]+", location), (wrong, answer)
        assert answer.header("set-cookie") is None
    for name in ("state", "scope", "response_type", "code_challenge", "code_challenge_method"):
        answer = door.send(asks([*ASKED.items(), (name, ASKED.get(name, "read"))] + [("scope", "read")]), **USER)
        assert "error=invalid_request" in answer.header("location"), (name, answer)
    assert kept(door.world) == before


@pytest.mark.sanitized
@pytest.mark.parametrize("path", ["/oauth/authorize", *BODIES])
def test_bodies_and_methods(door, path):
    fields = BODIES.get(path, {**ASKED, "client_id": "eve"})
    before = kept(door.world)
    wrong = unreadable(fields, fields)
    if path == "/oauth/session":  # who is logged in there has to say no more, and these do not
        for name in ("no body", "empty form", "raw bytes", "nothing but spaces"):
            del wrong[name]
    for at, (name, (headers, body)) in enumerate(wrong.items()):
        answer = door.send(Request("POST", path, list(headers), body), REMOTE_ADDR=f"198.51.100.{at}", **USER)
        assert 400 <= answer.status < 500 and len(answer.body) < 2000, (name, answer)
        assert answer.header("location") is None and answer.header("set-cookie") is None, (name, answer)
        assert not re.search(rb"access_token|device_code|evil", answer.body), (name, answer)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "POST ", "POSTPOST", "", "\r\n", "\xff", "G" * 5000):
        request = Request("POST", path, [FORM], urllib.parse.urlencode(fields).encode())
        answer = door.send(request, REQUEST_METHOD=method, **USER)
        assert answer.status in (400, 404, 405), (method, answer)
    for at, length in enumerate(("1", "-1", "99999999999999999999", "2147483647", "1e3", "0x10", " 5", "5 5")):
        answer = door.send(request, CONTENT_LENGTH=length, REMOTE_ADDR=f"203.0.113.{at}", **USER)
        assert 400 <= answer.status < 500, (length, answer)
    assert kept(door.world) == before


def test_a_chosen_secret(door):
    """Right, wrong, slowed after five in a row and unlocked; and meanwhile it works elsewhere."""
    def ask(secret, network, by="body"):
        fields = {"grant_type": "client_credentials"}
        headers = [FORM]
        if by == "basic":
            headers.append(dialects.basic("robot", secret))
        else:
            fields |= {"client_id": "robot", "client_secret": secret}
        return door.send(Request("POST", "/oauth/token", headers, urllib.parse.urlencode(fields).encode()),
                         REMOTE_ADDR=network)

    def error(answer):
        return answer.status, json.loads(answer.body).get("error")

    before = kept(door.world)
    for by in ("body", "basic"):
        granted = ask(SECRET, "192.0.2.1", by)
        assert granted.status == 200 and "access_token" in json.loads(granted.body), granted
    for guess in range(5):
        wrong = ask(f"{SECRET}{guess}", "198.51.100.7", "basic" if guess % 2 else "body")
        assert error(wrong) == (401, "invalid_client")
    for secret in ("wrong", SECRET):
        slowed = ask(secret, "198.51.100.7")
        assert slowed.status == 429 and int(slowed.header("retry-after")) >= 1, slowed
    assert ask(SECRET, "192.0.2.1").status == 200
    told = [event for event in door.world.installed.json("events") if event["event"] == "guessed"]
    assert len(told) == 1 and told[0]["client"] == "robot", told
    door.world.installed.retoken("client", "unlock", "robot")
    assert ask(SECRET, "198.51.100.7").status == 200
    assert kept(door.world)["sessions"] == before["sessions"]
    assert SECRET not in door.server.log_text() and PASSWORD not in door.server.log_text()
