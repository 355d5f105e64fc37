# SPDX-License-Identifier: ISC
"""Sessions bound to a browser's key (Device Bound Session Credentials), behind every kind of web server: a
client that does what the draft of February 2026 has a browser do, with the web server's own login and a
page that the web server guards."""

import base64
import json
import re
import threading

import pytest
from authlib.jose import ECKey, JsonWebSignature

from conftest import PASSWORD, new_world
from lab import servers
from lab.http import Request
from test_check import ask as ask_page
from test_check import lines_for

SETTINGS = """[realm site]
dialect = dbsc, oauth
issuer = https://login.example
remote-user = known
check-cookie = access_token
"""
BASIC = ("Authorization", "Basic " + base64.b64encode(f"ada:{PASSWORD}".encode()).decode())


def make_key():
    """Without leading zeros, which authlib leaves out."""
    while True:
        key = ECKey.generate_key("P-256", is_private=True)
        if all(len(key.as_dict(is_private=True)[name]) == 43 for name in "xyd"):
            return key


def sign(key, header, payload, algorithm="ES256"):
    return JsonWebSignature(["ES256", "HS256"]).serialize_compact(
        {"typ": "dbsc+jwt", "alg": algorithm, **header}, json.dumps(payload), key).decode()


class Browser:
    """One device bound session, as the draft's algorithms have it."""

    def __init__(self, server):
        self.server, self.key = server, make_key()
        self.session = self.cookie = self.challenge = None

    def send(self, path, *headers, method="POST"):
        return self.server.send(Request(method, path, list(headers)))

    def start(self):
        """A page's fetch; what its answer tells the browser."""
        answer = self.send("/dbsc/start", BASIC)
        assert answer.status == 200, answer
        found = re.fullmatch(r'\(ES256\);path="([^"]+)";challenge="([^"]+)";authorization="([^"]+)"',
                             answer.header("Secure-Session-Registration"))
        return found.groups()

    def first_proof(self, challenge, code, header=None):
        jwk = {name: self.key.as_dict(is_private=False)[name] for name in ("kty", "crv", "x", "y")}
        return sign(self.key, {"jwk": jwk, **(header or {})}, {"jti": challenge, "authorization": code})

    def register(self, path, challenge, code):
        return self.take(self.send(path, ("Secure-Session-Response", f'"{self.first_proof(challenge, code)}"'),
                                   ("Authorization", code)))

    def begin(self):
        answer = self.register(*self.start())
        assert answer.status == 200, answer
        return self

    def take(self, answer):
        """Follows the session instructions of an answer."""
        if answer.status == 200:
            said = json.loads(answer.body)
            assert self.session in (None, said["session_identifier"])
            self.session, self.refresh_url = said["session_identifier"], said["refresh_url"]
            assert said["scope"] == {"include_site": False} and said["allowed_refresh_initiators"] == ["*"]
            (credential,) = said["credentials"]
            value, attributes = answer.cookies()[credential["name"]]
            assert "; ".join(part for part in attributes if not part.startswith(("Max-Age", "Expires"))) == \
                credential["attributes"]
            self.cookie = (credential["name"], value)
        elif 400 <= answer.status < 500 and answer.status not in (403, 407, 429):
            self.session = None
        return answer

    def ask(self, *more):
        """One request to the refresh URL, with a proof once there is a challenge."""
        headers = [("Sec-Secure-Session-Id", f'"{self.session}"'), *more]
        if self.challenge:
            headers.append(("Secure-Session-Response", f'"{sign(self.key, {}, {"jti": self.challenge})}"'))
        answer = self.send(self.refresh_url, *headers)
        if answer.status == 403:
            found = re.fullmatch(r'"([^"]+)";id="([^"]+)"', answer.header("Secure-Session-Challenge"))
            assert found[2] == self.session and not answer.cookies()
            self.challenge = found[1]
        return self.take(answer)

    def refresh(self):
        answer = self.ask()
        return self.ask() if answer.status == 403 else answer

    def page(self):
        return ask_page(self.server, ("Cookie", "=".join(self.cookie))).status


@pytest.fixture(scope="module", params=servers.WEB_KINDS)
def server(request, small_templates):
    with new_world(small_templates(SETTINGS)) as world:
        server = world.serve(request.param, passwords=world.passwords("ada"))
        server.world = world
        yield server


def test_a_session_from_login_to_logout(server):
    browser = Browser(server)
    assert browser.send("/dbsc/start").status == 401
    browser.begin()
    first = browser.cookie
    assert browser.refresh().status == 200 and browser.cookie[0] == first[0]
    assert "with a key of its browser's" in explained(server, browser)
    for _ in range(2):  # its answer was lost, or another tab was as fast
        assert browser.ask().status == 200
    ended = browser.send("/dbsc/logout", ("Cookie", "=".join(browser.cookie)), ("Sec-Fetch-Site", "same-origin"))
    assert ended.status == 200 and ended.cookies()[browser.cookie[0]][0] == ""
    answer = browser.refresh()
    assert answer.status == 400 and json.loads(answer.body) == {"continue": False} and browser.session is None


def explained(server, browser):
    return server.world.installed.run("explain", stdin=browser.session.encode()).stdout.decode()


def test_whichever_page_is_the_reason(server):
    browser = Browser(server).begin()
    browser.ask()
    assert browser.ask(("Origin", "https://mail.example"), ("Sec-Fetch-Site", "cross-site")).status == 200
    refused = browser.send("/dbsc/start", BASIC, ("Origin", "https://evil.example"))
    assert refused.status == 403 and not refused.all("Secure-Session-Registration")
    assert browser.send("/dbsc/logout", ("Cookie", "=".join(browser.cookie)),
                        ("Origin", "https://evil.example")).status == 403
    assert browser.refresh().status == 200


def test_tabs_race(server):
    """All of them are logged in."""
    browser = Browser(server).begin()
    browser.ask()
    found = []
    threads = [threading.Thread(target=lambda: found.append(browser.ask().status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8


# What no browser sends. Each leaves the session as it is.
HOSTILE = {
    "no session": lambda b: [("Secure-Session-Response", '"a.b.c"')],
    "an unknown session": lambda b: [("Sec-Secure-Session-Id", '"x"')],
    "a session with one letter more": lambda b: [("Sec-Secure-Session-Id", f'"{b.session}A"')],
    "two sessions": lambda b: [("Sec-Secure-Session-Id", f'"{b.session}"')] * 2,
    "an unended string": lambda b: [("Sec-Secure-Session-Id", f'"{b.session}')],
    "no JWT": lambda b: proved(b, "a.b.c"),
    "another key": lambda b: proved(b, sign(make_key(), {}, {"jti": b.challenge})),
    "a key of its own": lambda b: proved(b, b.first_proof(b.challenge, "x")),
    "another typ": lambda b: proved(b, sign(b.key, {"typ": "JWT"}, {"jti": b.challenge})),
    "no algorithm": lambda b: proved(b, part({"typ": "dbsc+jwt", "alg": "none"}) + "." + part({"jti": b.challenge})
                                     + ".AAAA"),
    "no challenge": lambda b: proved(b, sign(b.key, {}, {"iat": 1})),
    "two proofs": lambda b: proved(b, sign(b.key, {}, {"jti": b.challenge})) + [
        ("Secure-Session-Response", '"a.b.c"')],
    "a long proof": lambda b: proved(b, sign(b.key, {}, {"jti": b.challenge, "x": "x" * 7000})),
}


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def proved(browser, proof):
    return [("Sec-Secure-Session-Id", f'"{browser.session}"'), ("Secure-Session-Response", f'"{proof}"')]


@pytest.fixture(scope="module")
def hostile(server):
    browser = Browser(server).begin()
    browser.ask()
    return browser


@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_browser_sends(hostile, case):
    answer = hostile.send(hostile.refresh_url, *HOSTILE[case](hostile))
    assert answer.status in (400, 431) and not answer.cookies(), answer  # 431: lighttpd's own
    assert hostile.refresh().status == 200


def test_an_old_challenge_is_told_anew(hostile):
    answer = hostile.send(hostile.refresh_url, *proved(hostile, sign(hostile.key, {}, {"jti": "A" * 22})))
    assert answer.status == 403 and answer.header("Secure-Session-Challenge")


def test_two_keys_for_one_code(server):
    """One of the two is a thief's, so neither goes on."""
    browser, thief = Browser(server), Browser(server)
    told = browser.start()
    assert thief.register(*told).status == 200
    assert browser.register(*told).status == 400
    assert thief.refresh().status == 400
    assert "reuse" in [row["event"] for row in server.world.installed.json("events")]


@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_page_shuts_at_the_next_request(small_world, kind):
    """The cookie opens what check.conf guards, and a thief has it for minutes."""
    world = small_world(SETTINGS)
    server = world.serve(kind, passwords=world.passwords("ada"), checked=True, extra=lines_for(kind, world))
    browser = Browser(server).begin()
    assert browser.page() == 200
    assert ask_page(server).status == 401
    browser.refresh()
    assert browser.page() == 200
    world.installed.retoken("session", "revoke", "--account", "ada")
    assert browser.page() == 401
    assert browser.refresh().status == 400 and browser.session is None
