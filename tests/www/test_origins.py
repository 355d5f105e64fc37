# SPDX-License-Identifier: ISC
"""Pages of other origins in a real browser: one that allow-origins names can refresh and read; any other spends
nothing, sets no cookie and uses none, whatever it sends."""

import contextlib
import json
import shutil

import pytest

from lab import dialects, installation, machine, servers
from lab.browser import Pages

PAGE = ("127.0.0.1", "localhost")
NAMES = {mount.path: mount for mount in dialects.MOUNTS}
COOKIES = "/api/jwt/refresh"
READ = """
    const done = arguments[arguments.length - 1];
    fetch(arguments[0], arguments[1]).then((answer) => answer.text().then((text) => done([answer.status, text])))
        .catch((error) => done([0, String(error)]));"""


class World:
    def __init__(self, installed, server, allowed, other):
        self.installed, self.server, self.allowed, self.other = installed, server, allowed, other

    def login(self, mount):
        options = {"scope": "read"} if mount == "/oauth2/token" else {}
        return self.installed.login(mount, "ada", **options)

    def generation(self, login):
        return self.installed.session(login.session)["generation"]


@pytest.fixture(scope="module")
def world():
    with contextlib.ExitStack() as cleanup:
        folder, run = machine.folder("retoken-origins-"), machine.folder("retoken-origins-run-")
        for one in (folder, run):
            cleanup.callback(shutil.rmtree, one, ignore_errors=True)
        programs = installation.programs_for_user()
        if programs != machine.BUILD:
            cleanup.callback(shutil.rmtree, programs, ignore_errors=True)
        installed = installation.Installation(folder, programs)
        installed.init()
        allowed, other = Pages(), Pages()
        for pages in (allowed, other):
            cleanup.callback(pages.stop)
        installed.set_retoken(allow_origins=f"{allowed.origin()} {allowed.origin('localhost')}")
        installed.add_account("ada", "a password of ada")
        server = servers.start("lighttpd", installed, run, page=machine.ROOT / "www")
        cleanup.callback(server.stop)
        yield World(installed, server, allowed, other)


def options(mount, login):
    """fetch()'s options for the usual request, made by the page's own data."""
    request = NAMES[mount].dialect.request(mount, login)
    return request.path, {"method": "POST", "headers": {name: value for name, value in request.headers
                                                        if name.lower() != "cookie"},
                          "body": request.body.decode() or None}


def json_body(login):
    return COOKIES, {"method": "POST", "headers": {"Content-Type": "application/json"},
                     "body": json.dumps({"refreshToken": login.refresh_token})}


def usual(mount, login):
    return json_body(login) if mount == COOKIES else options(mount, login)


def visit(browser, url):
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(url)


def fetch(browser, world, path, how):
    return browser.execute_async_script(READ, world.server.url + path, how)


MOUNTS = ("/auth/refresh_token", COOKIES, "/oauth2/token")


@pytest.mark.parametrize("mount", MOUNTS)
def test_an_allowed_page_refreshes_and_reads(world, browser, mount):
    login = world.login(mount)
    visit(browser, world.allowed.origin())
    path, how = usual(mount, login)
    status, text = fetch(browser, world, path, how)
    assert status == 200 and "oken" in text, text  # a duktig token of the same second is the same

    # refusals, too
    status, text = fetch(browser, world, path, {**how, "headers": {}, "body": None})
    assert 400 <= status < 500, text


@pytest.mark.parametrize("host", PAGE)
@pytest.mark.parametrize("mount", MOUNTS)
def test_another_page_spends_nothing(world, browser, mount, host):
    login = world.login(mount)
    visit(browser, world.other.origin(host))
    path, how = usual(mount, login)
    for mode in ("cors", "no-cors"):
        assert fetch(browser, world, path, {**how, "mode": mode})[0] == 0 or mode == "no-cors"
    assert world.generation(login) == 0
    visit(browser, world.allowed.origin(host))
    assert fetch(browser, world, path, how)[0] == 200


def logged_in(world, browser, login):
    """The victim's browser: the session's cookie, as this site set it."""
    visit(browser, world.server.url + "/retoken/icon.svg")
    browser.add_cookie({"name": "refresh_token", "value": login.refresh_token, "path": "/", "httpOnly": True,
                        "sameSite": "Lax"})


def cookies(world, browser):
    browser.get(world.server.url + "/retoken/icon.svg")
    return {cookie["name"]: cookie["value"] for cookie in browser.get_cookies()}


@pytest.mark.parametrize("host", PAGE)
def test_another_page_cannot_use_the_cookie(world, browser, host):
    victim = world.login(COOKIES)
    logged_in(world, browser, victim)
    browser.get(world.other.origin(host))
    for mode in ("cors", "no-cors"):
        fetch(browser, world, COOKIES, {"method": "POST", "mode": mode, "credentials": "include"})
    assert world.generation(victim) == 0

    world.other.body = (f'<form method=post action="{world.server.url}{COOKIES}"></form>'
                        "<script>document.forms[0].submit()</script>").encode()
    try:
        browser.get(world.other.origin(host))
        machine.wait_until(lambda: COOKIES in browser.current_url, what="the form's answer")
    finally:
        world.other.body = world.allowed.body
    assert world.generation(victim) == 0
    assert cookies(world, browser)["refresh_token"] == victim.refresh_token

    status, _ = fetch(browser, world, COOKIES, {"method": "POST"})
    assert (status, world.generation(victim)) == (200, 1)


@pytest.mark.parametrize("host", PAGE)
def test_another_page_cannot_log_its_visitor_in(world, browser, host):
    attacker = world.login(COOKIES)
    visit(browser, world.other.origin(host))
    browser.execute_async_script("""
        const done = arguments[arguments.length - 1];
        const body = new Blob([JSON.stringify({ refreshToken: arguments[1] })]);
        fetch(arguments[0], { method: 'POST', mode: 'no-cors', credentials: 'include', body }).finally(() => done());
        """, world.server.url + COOKIES, attacker.refresh_token)
    assert world.generation(attacker) == 0
    assert cookies(world, browser) == {}


def test_an_allowed_page_of_the_same_site_uses_the_cookie(world, browser):
    victim = world.login(COOKIES)
    logged_in(world, browser, victim)
    browser.get(world.allowed.origin())
    status, text = fetch(browser, world, COOKIES, {"method": "POST", "credentials": "include"})
    assert status == 200 and json.loads(text)["token"]
    assert cookies(world, browser)["refresh_token"] == json.loads(text)["refreshToken"]


def test_every_page_reads_the_key_set(world, browser):
    visit(browser, world.other.origin("localhost"))
    status, text = fetch(browser, world, "/.well-known/jwks.json", {})
    assert status == 200 and json.loads(text)["keys"]


def test_no_page_can_frame_ours(world, browser):
    world.other.body = f'<iframe src="{world.server.url}/retoken/"></iframe>'.encode()
    try:
        visit(browser, world.other.origin())
        browser.switch_to.frame(browser.find_element("tag name", "iframe"))
        machine.wait_until(lambda: browser.execute_script("return document.readyState") == "complete",
                           what="the frame")
        assert "Retoken" not in browser.execute_script("return document.documentElement.outerHTML")
    finally:
        browser.switch_to.default_content()
        world.other.body = world.allowed.body
