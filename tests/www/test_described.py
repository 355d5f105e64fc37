# SPDX-License-Identifier: ISC
"""The page with dialects that files describe, in a real browser: one of the library and one of the user's own, as
`retoken dialects --page` tells it of them, refresh, are replayed and reused like the others."""

import contextlib
import json
import shutil

import pytest
from selenium.webdriver.common.by import By

from lab import installation, machine, servers
from page import Page

# Paths that the samples of the web servers hand over; each value at another kind of place.
ACME = """
[dialect]
summary        = Acme: an envelope
refresh-cookie = acme_rt

[endpoint refresh]
path          = /auth/token
operation     = refresh
refresh-token = json /data/refreshToken, header X-Refresh
access-token  = optional json /data/access
client-id     = optional query app
answer        = 201 {"data":{"tokens":["${access_token}","${refresh_token}"]},"who":"${username}"}

[refusals]
request = 400 {"error":"BAD_REQUEST"}
client  = 401 {"error":"BAD_CLIENT"}
token   = 401 {"error":"SIGNED_OUT"}
here    = 503 {"error":"TRY_AGAIN"}
"""
SETTINGS = """
[dialect acme]
file = acme.dialect
[realm acme]
dialect = acme
algorithm = ES256
[realm supabase]
dialect = supabase
algorithm = ES256
[realm cognito]
dialect = cognito
algorithm = ES256
rotation = on
"""
PATHS = {"acme": "/auth/token", "supabase": "/auth/v1/token", "cognito": "/cognito-idp"}


@pytest.fixture(scope="module")
def site():
    """(URL of the page, the installation)"""
    with contextlib.ExitStack() as cleanup:
        folders = [machine.folder("retoken-described-") for _ in range(3)]
        for one in folders:
            cleanup.callback(shutil.rmtree, one, ignore_errors=True)
        data, run, public = folders
        programs = installation.programs_for_user()
        if programs != machine.BUILD:
            cleanup.callback(shutil.rmtree, programs, ignore_errors=True)
        installed = installation.Installation(data, programs)
        installed.replace_settings(SETTINGS)
        (data / "acme.dialect").write_text(ACME)
        machine.own(data / "acme.dialect")
        installed.init()
        installed.add_account("ada", "a password of ada")
        installed.add_client("phone", "--public")
        shutil.copytree(machine.ROOT / "www", public, dirs_exist_ok=True)
        (public / "described.json").write_text(installed.retoken("dialects", "--page"))
        public.chmod(0o755)
        server = servers.start("lighttpd", installed, run, page=public, paths=list(PATHS.values()))
        cleanup.callback(server.stop)
        yield server.url + server.page, installed


@pytest.fixture
def page(browser, site):
    fresh = Page(browser, site[0])
    fresh.open()
    yield fresh
    assert fresh.console_errors() == []


def begin(page, site, dialect):
    client = {"client": "phone"} if dialect == "cognito" else {}
    login = site[1].login(PATHS[dialect], "ada", **client)
    page.choose(PATHS[dialect])
    page.fill("refresh_token", json.dumps({"refresh_token": login.refresh_token, "access_token": login.access_token}))
    if client:
        page.fill("client_id", "phone")
    return login


@pytest.mark.parametrize("dialect, status", [("acme", "201"), ("supabase", "200")])
def test_a_file_dialect_renews_replays_and_answers_an_older_token(page, site, dialect, status):
    login = begin(page, site, dialect)
    [renewed] = page.press("send")
    assert (renewed.status, renewed.kept) == (status, "good"), page.answer()
    assert page.chain() == ["spent", "current"]
    assert page.field("refresh_token") not in ("", login.refresh_token)
    assert site[1].session(login.session)["generation"] == 1
    assert page.verdict("access")[0] == "good"
    [replayed] = page.press("replay")
    assert (replayed.status, replayed.kept) == (status, "good")
    assert "identical" in page.text("answer-same")
    renewed, late = page.press("reuse", answers=2)
    assert (renewed.status, late.status, late.kept) == (status, status, "good")


def test_a_session_that_was_ended(page, site):
    login = begin(page, site, "supabase")
    site[1].retoken("session", "revoke", login.session)
    [refused] = page.press("send")
    assert refused.status == "400" and "unknown here, expired, or its session has ended" in refused.says


def test_each_kind_of_request(page, site):
    """The constants that a file asks for are sent as they are, members of members too."""
    begin(page, site, "supabase")
    assert page.text("wire").startswith("POST /auth/v1/token?grant_type=refresh_token HTTP/1.1\n")
    begin(page, site, "acme")
    assert '\n\n{"data":{"refreshToken":"' in page.text("wire") and '","access":"ey' in page.text("wire")
    page.choose_form("refresh-1")
    assert "\nx-refresh: " in page.text("wire") and page.press("send")[0].status == "201"
    login = begin(page, site, "cognito")
    assert "\nx-amz-target: AWSCognitoIdentityProviderService.InitiateAuth\n" in page.text("wire")
    assert (f'{{"AuthFlow":"REFRESH_TOKEN_AUTH","AuthParameters":{{"REFRESH_TOKEN":"{login.refresh_token}"}},'
            '"ClientId":"phone"}') in page.text("wire")
    assert page.press("send")[0].status == "200"
    page.choose_form("tokens-0")
    assert page.press("send")[0].status == "200"
    assert site[1].session(login.session)["generation"] == 2


def test_what_is_not_mounted_can_be_chosen(page):
    page.choose("Another path")
    values = [option.get_attribute("value") for option in page.all("#custom-dialect option")]
    assert "firebase" in values and "directus" in values
    page.at("custom-dialect").find_element(By.CSS_SELECTOR, 'option[value="directus"]').click()
    assert page.text("dialect-summary").startswith("Directus")
