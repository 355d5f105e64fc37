# SPDX-License-Identifier: ISC
"""The web server's own login: from its password prompt to a session, by authorization code and
without one, behind every server; and what is no login."""

import base64
import hashlib
import re
import shutil
import urllib.parse

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from selenium.webdriver.support.ui import WebDriverWait

from conftest import PASSWORD
from lab import browser as browsers
from lab import machine, servers
from lab.http import Request

ISSUER = "https://login.example"
SETTINGS = f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\nremote-user = known\n"
REDIRECT = "http://127.0.0.1/done"
OTHER_REDIRECT = "https://app.example/done?from=login"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
# Every spelling of a user that a client could send, and a Basic password that nothing checks.
CLAIMS = [("Remote-User", "ada"), ("X-Remote-User", "ada"), ("X-Forwarded-User", "ada"),
          ("Auth-Type", "Basic"), ("Authorization", "Basic YWRhOg==")]
CLAIMS_WITH_UNDERSCORES = [("REMOTE_USER", "ada"), ("AUTH_TYPE", "Basic"), ("HTTP_REMOTE_USER", "ada")]
TIMEOUT = 30


def query(**more):
    asked = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT, "state": "a&b",
             "code_challenge": CHALLENGE, "code_challenge_method": "S256", **more}
    return urllib.parse.urlencode({name: value for name, value in asked.items() if value is not None})


def prepared(world):
    """The world with a client of its own, and htpasswd's file."""
    world.installed.retoken("client", "add", "app", "--public", "--scope", "read write")
    world.installed.retoken("client", "set", "app", "--redirect-uri", REDIRECT, "--redirect-uri",
                            OTHER_REDIRECT)
    return world.passwords("ada", "nobody")


@pytest.fixture(params=servers.WEB_KINDS)
def guarded(request, small_world):
    """A server with login.conf; .world is what is behind it."""
    world = small_world(SETTINGS)
    server = world.serve(request.param, passwords=prepared(world))
    server.world = world
    return server


def authorize(server, user="ada", **more):
    return requests.get(f"{server.url}/oauth/authorize?{query(**more)}", auth=(user, PASSWORD),
                        allow_redirects=False, timeout=TIMEOUT)


def exchange(server, code, **more):
    return requests.post(f"{server.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": "authorization_code", "code": code, "client_id": "app",
        "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **more})


def answered(location):
    """What the redirect says, by name."""
    parts = urllib.parse.urlsplit(location)
    assert parts.fragment == ""
    return dict(urllib.parse.parse_qsl(parts.query, strict_parsing=True))


def explained(server, code):
    return server.world.installed.run("explain", code).stdout.decode()


def test_login_by_code_and_without(guarded):
    unknown = requests.get(f"{guarded.url}/oauth/authorize?{query()}", timeout=TIMEOUT)
    assert unknown.status_code == 401 and "Basic" in unknown.headers["WWW-Authenticate"]
    answer = authorize(guarded)
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT + "?")
    said = answered(location)
    assert said["state"] == "a&b" and said["iss"] == ISSUER and set(said) == {"code", "state", "iss"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "it is good for" in explained(guarded, said["code"])
    assert "pending" in guarded.world.installed.json("session", "list")[0]["state"]
    first = exchange(guarded, said["code"])
    assert "it was exchanged" in explained(guarded, said["code"])
    assert first.status_code == 200, first.text
    assert first.json()["scope"] == "read write"
    renewed = requests.post(f"{guarded.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": "refresh_token", "client_id": "app",
        "refresh_token": first.json()["refresh_token"]})
    assert renewed.status_code == 200 and renewed.json()["refresh_token"] != first.json()["refresh_token"]
    again = exchange(guarded, said["code"])
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"
    dead = requests.post(f"{guarded.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": "refresh_token", "client_id": "app",
        "refresh_token": renewed.json()["refresh_token"]})
    assert dead.status_code == 400
    kinds = [row["event"] for row in guarded.world.installed.json("events")]
    assert "reuse" in kinds and "login" in kinds

    session = requests.post(f"{guarded.url}/oauth/session", auth=("ada", PASSWORD), timeout=TIMEOUT,
                            data={"client_id": "app", "scope": "read"})
    assert session.status_code == 200, session.text
    renewed = requests.post(f"{guarded.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": "refresh_token", "client_id": "app",
        "refresh_token": session.json()["refresh_token"]})
    assert renewed.status_code == 200
    wrong = requests.post(f"{guarded.url}/oauth/session", auth=("ada", "wrong"), timeout=TIMEOUT)
    assert wrong.status_code == 401
    assert PASSWORD not in guarded.log_text() and said["code"] not in guarded.log_text()


def test_refusals(guarded):
    """What has no account, and what must not be redirected."""
    denied = authorize(guarded, user="nobody")
    assert denied.status_code == 303
    assert answered(denied.headers["Location"])["error"] == "access_denied"
    for wrong in ({"client_id": "eve"}, {"redirect_uri": "https://evil.example/"},
                  {"redirect_uri": REDIRECT + "/more"}, {"client_id": None}):
        answer = authorize(guarded, **wrong)
        assert answer.status_code == 400 and "Location" not in answer.headers, wrong
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "evil" not in answer.text
    for error, wrong in (("invalid_request", {"code_challenge": None}),
                         ("invalid_request", {"code_challenge_method": "plain"}),
                         ("unsupported_response_type", {"response_type": "token"}),
                         ("invalid_scope", {"scope": "admin"}),
                         ("request_uri_not_supported", {"request_uri": "https://evil.example/"})):
        answer = authorize(guarded, redirect_uri=OTHER_REDIRECT, **wrong)
        assert answer.headers["Location"].startswith(OTHER_REDIRECT + "&")
        assert answered(answer.headers["Location"])["error"] == error
    foreign = requests.post(f"{guarded.url}/oauth/session", auth=("ada", PASSWORD), timeout=TIMEOUT,
                            headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert guarded.world.installed.json("session", "list") == []


@pytest.mark.parametrize("kind", servers.KINDS)
def test_claims_are_no_login(small_world, kind):
    """Where no login guards the paths, nothing that a client sends is one."""
    world = small_world(SETTINGS)
    prepared(world)
    server = world.serve(kind)
    for claims in (CLAIMS, CLAIMS_WITH_UNDERSCORES):
        answer = server.send(Request("GET", f"/oauth/authorize?{query()}", claims))
        # nginx: without login.conf there is no such location; others refuse what has no user
        assert answer.status == (404 if kind == "nginx" else 403), answer
        answer = server.send(Request("POST", "/oauth/session", claims))
        assert answer.status == (404 if kind == "nginx" else 403), answer
    assert world.installed.json("session", "list") == []
    if kind != "nginx":
        machine.wait_until(lambda: "outcome=no-remote-user" in server.log_text() or
                           "outcome=no-remote-user" in world_log(world), what="the log line")


def world_log(world):
    return "".join(path.read_text() for path in world.installed.folder.glob("*.log"))


def test_nginx_without_auth_basic(small_world):
    """Its own fastcgi_params pass as REMOTE_USER whatever name the client sends."""
    world = small_world(SETTINGS)
    passwords = prepared(world)

    class Unguarded(servers.Nginx):
        def config(self):
            written = super().config()
            login = self.samples / "login.conf"
            text = login.read_text()
            for line in (r"auth_basic Login;", r"auth_basic_user_file [^;]+;",
                         r"fastcgi_param AUTH_TYPE +Basic;", r'fastcgi_param HTTP_AUTHORIZATION "";'):
                text, count = re.subn(line, "", text)
                assert count == 1, line
            login.write_text(text)
            return written

    run = machine.folder("retoken-run-")
    world.cleanup.callback(shutil.rmtree, run, ignore_errors=True)
    server = Unguarded("nginx", world.installed, run, passwords=passwords)
    world.cleanup.callback(server.stop)
    answer = server.send(Request("GET", f"/oauth/authorize?{query()}", [("Authorization", "Basic YWRhOg==")]))
    assert answer.status == 403
    machine.wait_until(lambda: "outcome=remote-user-unchecked" in server.log_text(), what="the log line")
    answer = server.send(Request("POST", "/oauth/session", [("Authorization", "Basic YWRhOg==")]))
    assert answer.status == 403


@pytest.fixture
def nginx(small_world):
    world = small_world(SETTINGS)
    return world.serve("nginx", passwords=prepared(world))


def test_authlib(nginx):
    client = OAuth2Session("app", redirect_uri="http://127.0.0.1:49152/done", scope="read",
                           token_endpoint_auth_method="none", code_challenge_method="S256")
    url, state = client.create_authorization_url(f"{nginx.url}/oauth/authorize", code_verifier=VERIFIER)
    answer = requests.get(url, auth=("ada", PASSWORD), allow_redirects=False, timeout=TIMEOUT)
    token = client.fetch_token(f"{nginx.url}/oauth/token", state=state, code_verifier=VERIFIER,
                               authorization_response=answer.headers["Location"])
    assert token["access_token"] and token["scope"] == "read"
    renewed = client.refresh_token(f"{nginx.url}/oauth/token")
    assert renewed["refresh_token"] != token["refresh_token"]


@pytest.fixture
def app():
    """A native app's page, also behind its redirect URI."""
    pages = browsers.Pages()
    yield pages
    pages.stop()


@pytest.fixture
def browser(tmp_path):
    with browsers.chromium(tmp_path) as driver:
        yield driver


def test_browser(nginx, app, browser):
    """From a page of the app's, by a link to this server, and back to the app."""
    redirect = app.origin() + "/done"
    # the password first, as a person types it into the browser's own dialog
    browser.get(f"http://ada:{urllib.parse.quote(PASSWORD)}@127.0.0.1:{nginx.port}/oauth/authorize?{query(client_id='eve')}")
    assert browser.title == "This link does not work"
    browser.get(app.origin())
    link = f"{nginx.url}/oauth/authorize?{query(redirect_uri=redirect)}"
    browser.execute_script("location.href = arguments[0]", link)
    WebDriverWait(browser, TIMEOUT).until(lambda _: browser.current_url.startswith(redirect))
    code = answered(browser.current_url)["code"]
    token = exchange(nginx, code, redirect_uri=redirect)
    assert token.status_code == 200, token.text
