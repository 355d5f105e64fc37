# SPDX-License-Identifier: ISC
"""oidc-client-ts, unmodified, in a page of another origin in Chromium: the issuer's URL is all that it is told of
the server. It finds the endpoints, signs its user in by code and PKCE, renews by itself, and revokes. A page of an
origin that its client is not registered with gets nothing and spends nothing."""

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from conftest import PASSWORD
from lab import browser as browsers
from lab import machine
from test_clients_node import CLIENTS, ISSUER, PATHS

SETTINGS = (f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\nremote-user = known\n"
            "allow-origins = clients\n"
            # the library renews a minute before an access token ends, so after a second
            "access-lifetime = 1m\n%s")
KINDS = {"lighttpd": "", "nginx": "dpop = required\ndpop-nonce = on\n"}  # server -> more settings
BUNDLE = CLIENTS / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"
PATIENCE = 120
# What an app's developer writes; `manager` of the page that is open.
MANAGER = """
    const [authority, dpop] = given.splice(0, 2);
    const manager = window.manager ??= new oidc.UserManager({
        authority, client_id: "app", scope: "read", redirect_uri: location.origin + "/done",
        dpop: dpop ? { bind_authorization_code: true, store: new oidc.IndexedDbDPoPStore() } : undefined,
    });
"""


class App:
    """The app in a browser, at whichever origin is open."""

    def __init__(self, driver, issuer, dpop):
        self.driver, self.words = driver, [issuer, dpop]

    def run(self, text, *arguments):
        return browsers.run(self.driver, MANAGER + text, *self.words, *arguments)

    def refused(self, text, *arguments):
        """The error that it meets."""
        return self.run(f"try {{ {text} }} catch (error) {{ return String(error); }}", *arguments)

    def sign_in(self, pages):
        """To the server and back, until the code is there."""
        self.driver.get(pages.origin() + "/")
        self.run("manager.signinRedirect().catch((error) => { document.title = String(error); });")
        there = f"{pages.origin()}/done?"
        WebDriverWait(self.driver, PATIENCE).until(
            lambda _: self.driver.current_url.startswith(there) or "rror" in self.driver.title)
        assert "code=" in self.driver.current_url, (self.driver.current_url, self.driver.title)

    def arrive(self):
        """The user whose tokens the code brings."""
        return self.run("return { ...await manager.signinCallback() };")


@pytest.fixture
def pages():
    """The app's page at two origins."""
    page = b'<!DOCTYPE html><title>an app</title><script src="/script.js"></script>'
    made = [browsers.Pages(page, BUNDLE.read_bytes()) for _ in range(2)]
    yield made
    for one in made:
        one.stop()


@pytest.fixture(params=KINDS)
def site(request, small_world, pages):
    """The server; the client may ask from the first of the two origins, and be redirected to both."""
    port = machine.free_port()
    world = small_world(SETTINGS.format(port=1) % KINDS[request.param])
    world.installed.replace_settings(SETTINGS.format(port=port) % KINDS[request.param])
    world.installed.retoken("client", "add", "app", "--public", "--scope", "read", "--origin", pages[0].origin(),
                            *(word for one in pages for word in ("--redirect-uri", f"{one.origin()}/done")))
    server = world.serve(request.param, port=port, paths=PATHS, passwords=world.passwords("ada"))
    server.installed, server.dpop = world.installed, bool(KINDS[request.param])
    return server


@pytest.fixture
def app(site, tmp_path):
    with browsers.chromium(tmp_path) as driver:
        driver.set_script_timeout(PATIENCE)
        # the password once, as a person types it into the browser's own dialog
        driver.get(site.url.replace("//", f"//ada:{PASSWORD.replace(' ', '%20')}@") + "/oauth/authorize")
        yield App(driver, ISSUER.format(port=site.port), site.dpop)


def only_session(site):
    [row] = site.installed.json("session", "list")
    return site.installed.session(row["session"])


def test_signs_in_renews_and_revokes(site, app, pages):
    app.sign_in(pages[0])
    first = app.arrive()
    assert (first["token_type"], first["scope"]) == ("DPoP" if site.dpop else "bearer", "read")

    renewed = app.run("return { ...await new Promise((loaded) => manager.events.addUserLoaded(loaded)) };")
    app.run("manager.stopSilentRenew();")
    assert renewed["refresh_token"] != first["refresh_token"]
    again = app.run("return { ...await manager.signinSilent() };")
    assert len({user["access_token"] for user in (first, renewed, again)}) == 3
    assert only_session(site)["generation"] >= 3

    # a header that is not every form's is asked for by a preflight
    sessions = app.run("""
        const url = given[0] + "/oauth/sessions", user = await manager.getUser();
        const ask = async (nonce) => fetch(url, { headers: dpop ? {
            Authorization: `DPoP ${user.access_token}`, DPoP: await manager.dpopProof(url, user, "GET", nonce) }
            : { Authorization: `Bearer ${user.access_token}` } });
        let answer = await ask();
        if (answer.headers.has("DPoP-Nonce")) answer = await ask(answer.headers.get("DPoP-Nonce"));
        return [answer.status, await answer.json()];""", site.url)
    assert sessions[0] == 200 and sessions[1]["sessions"][0]["current"], sessions

    app.run("await manager.revokeTokens();")
    assert app.run("return (await manager.getUser()).refresh_token;") is None
    assert only_session(site)["state"] == "logged out by its user"
    error = app.refused("await manager.storeUser(new oidc.User(given[0])); await manager.signinSilent();", again)
    assert "The refresh token is invalid" in error, error


def test_page_of_another_origin_spends_nothing(site, app, pages):
    listed, other = pages
    app.sign_in(other)
    kept = app.run("return { ...localStorage };")
    assert "Failed to fetch" in app.refused("await manager.signinCallback();")
    assert only_session(site)["generation"] == 0

    # the very same code is good once the page may ask
    origins = ["--origin", listed.origin(), "--origin", other.origin()]
    site.installed.retoken("client", "set", "app", *origins)
    app.run("Object.assign(localStorage, given[0]); manager.stopSilentRenew();", kept)
    user = app.arrive()
    before = only_session(site)["generation"]
    site.installed.retoken("client", "set", "app", *origins[:2])
    assert "Failed to fetch" in app.refused("await manager.signinSilent();")
    assert "Failed to fetch" in app.refused("await manager.revokeTokens();")
    assert only_session(site)["generation"] == before
    assert app.run("return (await manager.getUser()).refresh_token;") == user["refresh_token"]
    assert only_session(site)["state"] == "live"
