# SPDX-License-Identifier: ISC
"""The device flow (RFC 8628) behind every server with a login of its own: a tool asks for codes and
polls, and its user approves it on the page, with a script that sends forms and in a browser without
script."""

import base64
import hashlib
import re
import urllib.parse

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from conftest import PASSWORD
from lab import browser, servers

ISSUER = "https://login.example"
SETTINGS = f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\nremote-user = known\n"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TIMEOUT = 30


def prepared(world):
    """The world with a tool for devices, and htpasswd's file."""
    world.installed.retoken("client", "add", "cli", "--public", "--scope", "read write")
    return world.passwords("ada")


@pytest.fixture(params=servers.WEB_KINDS)
def guarded(request, small_world):
    world = small_world(SETTINGS)
    server = world.serve(request.param, passwords=prepared(world))
    server.world = world
    return server


@pytest.fixture
def nginx(small_world):
    world = small_world(SETTINGS)
    server = world.serve("nginx", passwords=prepared(world))
    server.world = world
    return server


def ask(server, **more):
    answer = requests.post(f"{server.url}/oauth/device_authorization", timeout=TIMEOUT,
                           data={"client_id": "cli", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def poll(server, codes, **more):
    return requests.post(f"{server.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": GRANT, "client_id": "cli", "device_code": codes["device_code"], **more})


def error_of(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


def page(server, method="GET", data=None, query="", headers=None):
    return requests.request(method, f"{server.url}/oauth/device{query}", auth=("ada", PASSWORD), data=data,
                            headers=headers, timeout=TIMEOUT)


def fields(answer):
    """The hidden fields of the page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))


def look_up(server, code):
    question = page(server)
    assert question.status_code == 200, question.text
    return page(server, "POST", {**fields(question), "user_code": code})


def decide(server, code, decision):
    return page(server, "POST", {**fields(look_up(server, code)), "decision": decision})


def sessions(server):
    return server.world.installed.json("session", "list")


def test_approved(guarded):
    codes = ask(guarded, scope="read")
    assert list(codes) == ["device_code", "user_code", "verification_uri", "verification_uri_complete",
                           "expires_in", "interval"]
    assert codes["verification_uri"] == f"{ISSUER}/oauth/device"
    assert codes["verification_uri_complete"] == f"{ISSUER}/oauth/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert error_of(poll(guarded, codes)) == "authorization_pending"
    assert "pending" in sessions(guarded)[0]["state"]

    unknown = requests.get(f"{guarded.url}/oauth/device", timeout=TIMEOUT)
    assert unknown.status_code == 401 and "Basic" in unknown.headers["WWW-Authenticate"]
    choice = look_up(guarded, codes["user_code"].lower().replace("-", " "))
    assert choice.status_code == 200, choice.text
    assert all(shown in choice.text for shown in (">cli<", ">ada<", ">read<", codes["user_code"]))
    done = page(guarded, "POST", {**fields(choice), "decision": "allow"})
    assert done.status_code == 200 and "Device connected" in done.text
    assert done.headers["Cache-Control"] == "no-store"

    first = poll(guarded, codes)
    assert first.status_code == 200, first.text
    assert first.json()["scope"] == "read"
    assert poll(guarded, codes).json()["refresh_token"] == first.json()["refresh_token"]
    assert sessions(guarded)[0]["account"] == "ada"
    renewed = requests.post(f"{guarded.url}/oauth/token", timeout=TIMEOUT, data={
        "grant_type": "refresh_token", "client_id": "cli", "refresh_token": first.json()["refresh_token"]})
    assert renewed.status_code == 200, renewed.text
    assert look_up(guarded, codes["user_code"]).status_code == 400
    assert codes["device_code"] not in guarded.log_text() and PASSWORD not in guarded.log_text()


def test_denied(nginx):
    codes = ask(nginx)
    denied = decide(nginx, codes["user_code"], "deny")
    assert denied.status_code == 200 and "not connected" in denied.text
    assert error_of(poll(nginx, codes)) == "access_denied"
    assert decide(nginx, codes["user_code"], "allow").status_code in (400, 403)
    assert error_of(poll(nginx, codes)) == "access_denied"


def test_pages_of_others(nginx):
    """Nothing but the page's own form approves, and what is typed comes back as text only."""
    codes = ask(nginx)
    code = codes["user_code"]
    form = fields(look_up(nginx, code))
    asks = {**form, "decision": "allow"}
    for wrong in ({"headers": {"Origin": "https://evil.example"}},
                  {"headers": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}},
                  {"data": {**asks, "form": "1500000000.AAAA"}}, {"data": {**asks, "form": ""}},
                  {"data": {**asks, "form": asks["form"][:-1] + "A" * 2}},
                  {"data": {"user_code": code, "decision": "allow"}}):
        answer = page(nginx, "POST", **{"data": asks, **wrong})
        assert answer.status_code == 403, (wrong, answer.text)
    for query in (f"?{urllib.parse.urlencode(asks)}", f"?user_code={code}&decision=allow"):
        assert "Connect a device" in page(nginx, query=query).text
    for hostile in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "A" * 5000, "\0", "%00", "é"):
        for answer in (page(nginx, query="?" + urllib.parse.urlencode({"user_code": hostile})),
                       look_up(nginx, hostile)):
            assert "alert(1)" not in answer.text and "AAAA" not in answer.text, hostile
            assert answer.status_code in (200, 400, 413, 414, 429), hostile
    assert page(nginx, query=f"?user_code={code}&user_code={code}").status_code == 400
    assert page(nginx, "POST", {**asks, "decision": "perhaps"}).status_code == 400
    assert error_of(poll(nginx, codes)) == "authorization_pending"
    assert "pending" in sessions(nginx)[0]["state"]


def test_what_devices_may_not(nginx):
    url = f"{nginx.url}/oauth/device_authorization"
    for status, error, data in ((401, "invalid_client", {}), (401, "invalid_client", {"client_id": "eve"}),
                                (400, "invalid_scope", {"client_id": "cli", "scope": "root"}),
                                (400, "invalid_request", [("client_id", "cli"), ("scope", "a"), ("scope", "b")])):
        answer = requests.post(url, data=data, timeout=TIMEOUT)
        assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert requests.get(url, timeout=TIMEOUT).status_code == 405
    nginx.world.installed.retoken("client", "set", "cli", "--grant", "refresh")
    answer = requests.post(url, data={"client_id": "cli"}, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert sessions(nginx) == []


def test_wrong_codes_are_slowed(nginx):
    codes = ask(nginx)
    for _ in range(5):
        assert look_up(nginx, "BBBB-BBBB").status_code == 400
    slowed = look_up(nginx, codes["user_code"])
    assert slowed.status_code == 429 and int(slowed.headers["Retry-After"]) >= 1


def test_style_is_the_one_that_may_be(nginx):
    answer = page(nginx)
    style = re.search(r"<style>(.*?)</style>", answer.text, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "script" not in answer.text


@pytest.fixture
def plain_browser(tmp_path):
    """Chromium without script."""
    preferences = {"profile.managed_default_content_settings.javascript": 2}
    with browser.chromium(tmp_path / "chromium", preferences) as driver:
        yield driver


def test_browser_without_script(nginx, plain_browser):
    codes = ask(nginx, scope="read write")
    host = nginx.url.removeprefix("http://")
    plain_browser.get(f"http://ada:{urllib.parse.quote(PASSWORD)}@{host}/oauth/device?user_code={codes['user_code']}")
    plain_browser.get(f"{nginx.url}/oauth/device?user_code={codes['user_code'].lower()}")
    field = plain_browser.find_element(By.ID, "code")
    assert field.get_attribute("value") == codes["user_code"]
    assert error_of(poll(nginx, codes)) == "authorization_pending"
    plain_browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(plain_browser, TIMEOUT).until(lambda driver: "Connect this device?" in driver.title)
    shown = plain_browser.find_element(By.TAG_NAME, "body").text
    assert all(word in shown for word in ("cli", "ada", "read write", codes["user_code"])), shown
    assert plain_browser.find_element(By.TAG_NAME, "dd").value_of_css_property("font-weight") == "700"
    plain_browser.find_element(By.CSS_SELECTOR, 'button[value="allow"]').click()
    WebDriverWait(plain_browser, TIMEOUT).until(lambda driver: "Device connected" in driver.title)
    answer = poll(nginx, codes)
    assert answer.status_code == 200, answer.text
