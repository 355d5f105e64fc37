# SPDX-License-Identifier: ISC
"""The page in a real browser against the real demo: every mount is renewed, replayed and reused, and the page
is readable, usable and calm at every width and in both colour schemes."""

import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lab import dialects

ROTATING = {mount.path: mount.dialect.algorithm for mount in dialects.MOUNTS if mount.dialect.rotates}
KEEPING = tuple(mount.path for mount in dialects.MOUNTS if not mount.dialect.rotates)
MOUNTS = (*ROTATING, *KEEPING)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIZES = {"phone": (360, 780), "desktop": (1280, 900)}
LOOKS = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]


def printed(login):
    """What `retoken session create --json` prints, as somebody pastes it into the token field."""
    return json.dumps({"session": login.session, "refresh_token": login.refresh_token,
                       "access_token": login.access_token})


def begin(page, demo, mount, form=None):
    """A session of its own, pasted into the page, so that no test spends another's token."""
    page.choose(mount)
    options = {"client": "web"} if mount == "/oauth/token" else {}
    if page.all("#field-scope"):
        options["scope"] = page.field("scope")
    login = demo.login(mount, **options)
    if form:
        page.choose_form(form)
    page.fill("refresh_token", printed(login))
    return login


def demo_file(demo):
    with urllib.request.urlopen(urllib.parse.urljoin(demo.url, "demo.json")) as answer:
        return json.load(answer)


# ---- the experiment at every mount ----

@pytest.mark.parametrize("mount", ROTATING)
def test_a_rotating_mount_renews_replays_and_answers_an_older_token(page, mount):
    page.choose(mount)
    first = page.field("refresh_token")

    [renewed] = page.press("send")
    assert (renewed.status, renewed.kept) == ("200", "good")
    line, headers, body = page.answer()
    assert line == "HTTP/1.1 200 OK"
    assert headers["content-type"].startswith("application/json")
    answer = json.loads(body)
    second = answer.get("refresh_token") or answer["refreshToken"]
    assert second != first and page.field("refresh_token") == second
    assert page.chain() == ["spent", "current"]

    [replayed] = page.press("replay")
    assert (replayed.status, replayed.kept) == ("200", "good")
    assert "identical" in page.text("answer-same")
    again = json.loads(page.answer()[2])
    tokens = [value for value in answer.values() if isinstance(value, str)]
    assert [value for value in again.values() if isinstance(value, str)] == tokens
    assert page.chain() == ["replayed", "current"]
    assert page.field("refresh_token") == second

    renewed, late = page.press("reuse", answers=2)
    assert (renewed.status, late.status, late.kept) == ("200", "200", "good")
    assert page.chain() == ["spent", "spent", "current"]


@pytest.mark.parametrize("mount", KEEPING)
def test_a_mount_that_keeps_its_token_renews_again_and_again(page, mount):
    page.choose(mount)
    first = page.field("refresh_token")
    [renewed] = page.press("send")
    [again] = page.press("replay")
    assert [entry.status for entry in (renewed, again)] == ["200", "200"]
    assert "keeps its refresh token" in renewed.says and "again" in again.says
    assert page.field("refresh_token") == first
    assert page.chain() == ["current"]
    assert page.at("reuse").get_attribute("aria-disabled") == "true"
    assert "Not here" in page.text("step-reuse")


@pytest.mark.parametrize("mount", MOUNTS)
def test_both_tokens_are_decoded_and_checked(page, demo, mount):
    login = begin(page, demo, mount)
    page.press("send")
    state, says = page.verdict("access")
    if mount in KEEPING:
        assert state == "unknown" and "HS256" in says
        assert page.all("#refresh .json"), "the refresh token is a JWT"
    else:
        assert state == "good" and ROTATING[mount] in says
    assert re.search(r'"exp": \d+, {0,1}.*\((in|now)', page.text("access-body"))
    if mount == "/oauth2/token":
        assert "UUID" in page.text("refresh-body")
    elif mount not in KEEPING:
        facts = page.facts("refresh")
        assert facts["Version"] == "1" and facts["Generation"] == "1"
        assert facts["Session"] == login.session and UUID.fullmatch(login.session)


def test_a_new_session_begins_where_another_ended(page, demo):
    ended = begin(page, demo, "/sandbox/token")
    page.press("send")
    demo.installed.retoken("session", "revoke", ended.session)
    [refused] = page.press("replay")
    assert refused.status == "400" and page.chain() == ["reused", "revoked"]
    assert page.at("hint").is_displayed()
    fresh = demo.login("/sandbox/token")
    page.fill("refresh_token", printed(fresh))
    assert page.field("refresh_token") == fresh.refresh_token
    assert page.field("access_token") == fresh.access_token
    assert page.chain() == ["current"] and not page.at("hint").is_displayed()
    assert page.at("replay").get_attribute("aria-disabled") == "true"
    assert page.press("send")[0].status == "200"


def test_a_token_broken_over_lines_is_made_whole(page, demo):
    token = demo.login("/production/token").refresh_token
    page.choose("/production/token")
    page.fill("refresh_token", f"  {token[:30]}\n  {token[30:]}\n")
    assert f'"refresh_token":"{token}"' in page.text("wire")


# ---- the other ways to word a request ----

def test_the_client_may_prove_itself_in_the_body(page, demo):
    login = begin(page, demo, "/oauth/token", "body")
    wire = page.text("wire")
    assert wire.startswith("POST /oauth/token HTTP/1.1\nHost: 127.0.0.1:")
    assert f"\n\ngrant_type=refresh_token&refresh_token={login.refresh_token}&" in wire
    assert "&client_id=web&client_secret=" in wire
    assert "Authorization" not in wire
    assert page.press("send")[0].status == "200"


def test_a_wrong_client_secret_spends_nothing(page, demo):
    begin(page, demo, "/oauth/token", "basic")
    right = page.field("client_secret")
    page.fill("client_secret", "wrong")
    [refused] = page.press("send")
    assert refused.status == "401" and "nothing was spent" in refused.says
    page.fill("client_secret", right)
    assert page.press("send")[0].status == "200"


def test_kopong_takes_bearer_user_and_password(page, demo):
    begin(page, demo, "/oauth/access_token", "bearer")
    wire = page.text("wire")
    assert "Authorization: Bearer ey" in wire and '{"username":"ada","password":"' in wire
    assert page.press("send")[0].status == "200"


def test_an_access_token_and_a_password_begin_a_session_at_kopong(page, demo):
    login = begin(page, demo, "/oauth/access_token", "bearer")
    page.fill("refresh_token", login.access_token)
    [begun] = page.press("send")
    assert begun.status == "200" and "new session begins" in begun.says
    assert page.field("refresh_token") not in (login.access_token, login.refresh_token)


def test_the_browser_keeps_the_cookies(page, demo):
    begin(page, demo, "/api/jwt/refresh", "cookie")
    assert "Cookie: refresh_token=" in page.text("wire")
    assert [page.press("send")[0].status for _ in range(2)] == ["200", "200"]
    kept = {cookie["name"]: cookie for cookie in page.driver.get_cookies()}
    assert kept["refresh_token"]["value"] == page.field("refresh_token")
    assert kept["refresh_token"]["httpOnly"] and kept["access_token"]["httpOnly"]
    [replayed] = page.press("replay")
    assert (replayed.status, replayed.kept) == ("200", "good")
    [late] = page.press("reuse")
    assert (late.status, late.kept) == ("200", "good")


def test_koppeltaal_wants_the_exact_scope(page, demo):
    begin(page, demo, "/oauth2/token")
    granted = page.field("scope")
    page.fill("scope", "something/else")
    [refused] = page.press("send")
    assert refused.status == "400" and "invalid scope" in page.answer()[2]
    assert "nothing was spent" in refused.says
    page.fill("scope", granted)
    assert page.press("send")[0].status == "200"


def test_a_path_and_a_dialect_of_ones_own(page, demo):
    login = demo.login("/production/token")
    page.choose("Another path")
    page.at("custom-path").send_keys(Keys.CONTROL, "a")
    page.at("custom-path").send_keys("/production/token")
    page.at("custom-dialect").find_element(By.CSS_SELECTOR, 'option[value="wirecash"]').click()
    page.fill("refresh_token", printed(login))
    page.fill("username", "ada")
    assert page.press("send")[0].status == "200"
    assert page.field("access_token") == json.loads(page.answer()[2])["access_token"]


def test_a_path_where_nothing_answers(page):
    page.at("prefix").send_keys("no/such/place/")
    assert page.text("wire").startswith("POST /no/such/place/oauth/token HTTP/1.1")
    [refused] = page.press("send")
    assert refused.status in ("403", "404", "405") and refused.kept == "unknown"
    assert page.chain() == ["current"]


# ---- what it shows and what it hides ----

def test_curl_lines_can_be_run(page, demo):
    """The line on the page, given to a shell, is answered as the page is."""
    page.at("secrets").click()
    for mount, form in (("/oauth/token", "basic"), ("/auth/refresh_token", None), ("/sandbox/token", None),
                        ("/oauth/access_token", "bearer"), ("/api/auth/refresh", "cookie")):
        begin(page, demo, mount, form)
        done = subprocess.run(["/bin/sh", "-c", page.text("curl") + " -s"], capture_output=True, text=True,
                              timeout=30, check=True)
        assert done.stdout.startswith("HTTP/1.1 200 "), done.stdout


def test_secrets_are_covered_until_asked_for(page, demo):
    secret = urllib.parse.quote_plus(demo_file(demo)["client"]["secret"])
    page.choose("/oauth/token")
    page.choose_form("body")
    assert secret not in page.text("wire") and secret not in page.text("curl")
    assert page.at("field-client_secret").get_attribute("type") == "password"
    page.at("secrets").click()
    assert secret in page.text("wire") and secret in page.text("curl")
    assert page.at("field-client_secret").get_attribute("type") == "text"


def test_generations_are_masked_until_revealed(page):
    page.choose("/production/token")
    token = page.field("refresh_token")
    assert token not in page.text("chain")
    page.at("reveal").click()
    assert token in page.text("chain")
    page.at("reveal").click()
    assert token not in page.text("chain")


def test_nothing_is_kept_in_storage_or_in_the_address(page, demo):
    begin(page, demo, "/sandbox/token")
    page.press("send")
    assert page.script("return [localStorage.length, sessionStorage.length, location.search + location.hash]"
                       ) == [0, 0, ""]
    assert page.driver.get_cookies() == []


def test_what_comes_from_outside_is_text(page):
    page.choose("/sandbox/token")
    page.fill("username", '<img src=x onerror="document.title=1">')
    assert '<img src=x onerror=\\"document.title=1\\">' in page.text("wire")
    assert not page.all("main img") and page.driver.title.startswith("Retoken")


def test_without_a_demo_it_says_how_to_begin(page):
    cdp = page.driver.execute_cdp_cmd
    cdp("Network.enable", {})
    cdp("Network.setBlockedURLs", {"urls": ["*/demo.json"]})
    try:
        page.open()
        assert page.at("hint").is_displayed()
        assert page.text("hint-command") == "retoken session create --mount /oauth/token --account ada --client web --json"
        assert page.at("send").get_attribute("aria-disabled") == "true"
        page.choose("/oauth2/token")
        assert "--scope '*/write'" in page.text("hint-command")
    finally:
        cdp("Network.setBlockedURLs", {"urls": []})
        page.driver.get_log("browser")


# ---- its modules, on their own ----

SIGNATURES = """
const { read_token, check_signature } = await import("./tokens.js");
const [name, parameters, signing] = given;
const pair = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
const { key_ops, ext, ...exported } = await crypto.subtle.exportKey("jwk", pair.publicKey);
const url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const text = (value) => url(new TextEncoder().encode(JSON.stringify(value)));
const signed = `${text({ alg: name, kid: "one" })}.${text({ sub: "ada" })}`;
const signature = new Uint8Array(await crypto.subtle.sign(signing, pair.privateKey, new TextEncoder().encode(signed)));
const token = `${signed}.${url(signature)}`;
signature[9] ^= 1;
const spoiled = `${signed}.${url(signature)}`;
const key = { ...exported, alg: name, kid: "one", use: "sig" };
const state = async (jwt, keys) => (await check_signature(read_token(jwt), keys)).state;
return [await state(token, [key]), await state(spoiled, [key]), await state(token, [{ ...key, kid: "two" }]),
        await state(token, [{ ...key, alg: "RS999" }]), await state(token, null)];
"""
RSA = {"modulusLength": 2048, "publicExponent": None}


@pytest.mark.parametrize("name, parameters, signing", [
    ("RS256", {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"}, {"name": "RSASSA-PKCS1-v1_5"}),
    ("RS512", {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-512"}, {"name": "RSASSA-PKCS1-v1_5"}),
    ("PS256", {"name": "RSA-PSS", "hash": "SHA-256"}, {"name": "RSA-PSS", "saltLength": 32}),
    ("ES256", {"name": "ECDSA", "namedCurve": "P-256"}, {"name": "ECDSA", "hash": "SHA-256"}),
    ("ES384", {"name": "ECDSA", "namedCurve": "P-384"}, {"name": "ECDSA", "hash": "SHA-384"}),
    ("EdDSA", {"name": "Ed25519"}, {"name": "Ed25519"}),
])
def test_signatures(page, name, parameters, signing):
    rsa = "Object.assign(given[1], { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) });"
    script = (rsa if name[1] == "S" and name[0] in "RP" else "") + SIGNATURES
    assert page.module(script, name, parameters, signing) == ["good", "bad", "bad", "bad", "unknown"]


@pytest.mark.parametrize("token, shape", [
    ("", "none"),
    ("89d970e4-5048-4310-b6f8-c5bc83f92e11", "uuid"),
    ("A" * 72, "native"),
    ("A" * 71, "opaque"),
    ("A" * 71 + "+", "opaque"),
    ("..", "opaque"),
    ("e30.e30.", "jwt"),
    ("e30.W10.", "opaque"),
    ("e30.e30.e30.e30", "opaque"),
    ("!.e30.e30", "opaque"),
    ("xRxGGEpVawiUak6He367W3oeOfh+3irw+1G1h1jc", "opaque"),
])
def test_shapes_of_tokens(page, token, shape):
    script = 'return (await import("./tokens.js")).read_token(given[0]).shape'
    assert page.module(script, token) == shape


def test_a_native_token_is_read_byte_by_byte(page):
    """Version 1, key 7, a UUIDv7 of 2023-11-14T22:13:20Z, generation 0x01020304, MAC of 0xaa."""
    raw = bytes([1, 7]) + bytes.fromhex("018bcfe568007000a000000000000001") + bytes([1, 2, 3, 4]) + b"\xaa" * 32
    script = """
    const { read_token } = await import("./tokens.js");
    return read_token(btoa(String.fromCharCode(...given)).replaceAll("+", "-").replaceAll("/", "_"));
    """
    assert page.module(script, *raw) == {
        "shape": "native", "version": 1, "key": 7, "session": "018bcfe5-6800-7000-a000-000000000001",
        "begun_s": 1700000000, "generation": 0x01020304, "mac": "aa" * 32}


JUDGE = """
const { chain_begin, chain_state, chain_take } = await import("./chain.js");
const chain = chain_begin("t0", "a0");
let last;
for (const [sent, status, refresh, access, about_token] of given)
    last = chain_take(chain, { sent, status, granted: status === 200, refresh, access, about_token });
return [last.kind, last.kept, chain.links.map((_, i) => chain_state(chain, i)).join(" ")];
"""
FIRST, SECOND = ["t0", 200, "t1", "a1", False], ["t1", 200, "t2", "a2", False]


@pytest.mark.parametrize("exchanges, verdict", [
    ([FIRST], ["renew", True, "spent current"]),
    ([FIRST, FIRST], ["replay", True, "replayed current"]),
    ([FIRST, FIRST, SECOND], ["renew", True, "spent spent current"]),
    # another answer to the same token: a fork
    ([FIRST, ["t0", 200, "tX", "a1", False]], ["replay", False, "replayed current"]),
    ([FIRST, ["t0", 200, "t1", "aX", False]], ["replay", False, "replayed current"]),
    # the window is over
    ([FIRST, ["t0", 400, "", "", True]], ["reuse", None, "reused revoked"]),
    ([FIRST, SECOND, ["t0", 400, "", "", True]], ["reuse", True, "reused spent revoked"]),
    ([FIRST, SECOND, ["t0", 400, "", "", True], ["t2", 400, "", "", True]], ["successor", True, "reused spent revoked"]),
    # report only: the session lives on
    ([FIRST, SECOND, ["t0", 400, "", "", True], ["t2", 200, "t3", "a3", False]],
     ["successor", None, "reused spent spent current"]),
    # an older token in its window gets the newest answer, and no other
    ([FIRST, SECOND, ["t0", 200, "t2", "a2", False]], ["replay", True, "spent spent current"]),
    ([FIRST, SECOND, ["t0", 200, "t1", "a1", False]], ["replay", False, "spent spent current"]),
    # one that was spent nine renewals ago is accepted: never right
    ([*([f"t{n}", 200, f"t{n + 1}", f"a{n + 1}", False] for n in range(9)), ["t0", 200, "t9", "a9", False]],
     ["reuse", False, " ".join([*["spent"] * 9, "current"])]),
    # not about the token, a fault, no answer: nothing changes
    ([FIRST, ["t0", 401, "", "", False]], ["refused", None, "spent current"]),
    ([FIRST, ["t1", 503, "", "", False]], ["fault", None, "spent current"]),
    ([FIRST, ["t1", 0, "", "", False]], ["lost", None, "spent current"]),
    ([["t0", 400, "", "", True]], ["refused", None, "current"]),
    # a mount that keeps its token, echoing it or not
    ([["t0", 200, "t0", "a1", False]], ["renew", True, "current"]),
    ([["t0", 200, "", "a1", False], ["t0", 200, "", "a2", False]], ["renew", True, "current"]),
])
def test_what_an_answer_means(page, exchanges, verdict):
    assert page.module(JUDGE, *exchanges) == verdict


# ---- how it looks and feels ----

WIDTHS = (320, 360, 735, 736, 1024, 1280, 1920)
OVERFLOW = "return [document.documentElement.scrollWidth, innerWidth]"


def busy_page(page, size, scheme, demo):
    """The page with everything on it: renewed twice, replayed."""
    width, height = SIZES[size]
    page.open(width, height, scheme)
    begin(page, demo, "/oauth/token", "basic")
    for step in ("send", "send", "replay"):
        page.press(step)
    page.verdict("access")


@pytest.mark.parametrize("mount", MOUNTS)
def test_nothing_sticks_out(page, demo, mount):
    page.open(WIDTHS[0], 780)
    page.at("reveal").click()
    page.at("secrets").click()
    begin(page, demo, mount)
    assert page.press("send")[0].status == "200"
    for width in WIDTHS:
        page.resize(width, 780)
        wide, window = page.script(OVERFLOW)
        assert window == width and wide <= window, width


# Every visible text against what is behind it (WCAG 2.1, 1.4.3); what cannot be pressed now is exempt.
CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (colour) => colour.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
        const colour = rgb(getComputedStyle(at).backgroundColor);
        if (colour.length === 3 || colour[3] === 1)
            return colour;
    }
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
    const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!(texts || element.matches("input, textarea, select")) || !element.checkVisibility() || element.closest("[aria-disabled=true]"))
        continue;
    const [one, other] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5)
        poor.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${element.textContent.slice(0, 20)}`);
}
return poor;
"""


@pytest.mark.parametrize("size, scheme", LOOKS)
def test_it_is_readable(page, demo, size, scheme):
    busy_page(page, size, scheme, demo)
    assert page.script(CONTRAST) == []
    page.press("reuse")
    assert page.script(CONTRAST) == []


def test_every_control_has_a_name(page):
    nameless = """
    return [...document.querySelectorAll("input, textarea, select, button, pre[tabindex]")]
        .filter((each) => !each.labels?.length && !each.textContent.trim()
                          && !each.getAttribute("aria-label") && !each.getAttribute("aria-labelledby"))
        .map((each) => each.outerHTML.slice(0, 80))"""
    for label in [mount.find_element(By.CSS_SELECTOR, ".mount-path").text for mount in page.all(".mount")]:
        page.choose(label)
        assert page.script(nameless) == []
    assert page.at("says").get_attribute("aria-live") == "polite"


def test_it_works_by_keyboard(page):
    """Arrow keys choose a mount, Tab reaches Send with a visible focus all the way, Enter sends."""
    focus = """const at = document.activeElement; const style = getComputedStyle(at);
    const face = at.matches(".mount input") ? getComputedStyle(at.nextElementSibling) : style;
    return [at.id, face.outlineStyle !== "none" && parseFloat(face.outlineWidth) >= 2]"""
    keys = page.driver.switch_to
    page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.script("return document.activeElement.className") == "skip"
    keys.active_element.send_keys(Keys.TAB)
    keys.active_element.send_keys(Keys.ARROW_DOWN)
    assert page.text("wire").startswith("POST /oauth/access_token ")
    for _ in range(40):
        keys.active_element.send_keys(Keys.TAB)
        name, visible = page.script(focus)
        assert visible, f"no focus ring on {name}"
        if name == "send":
            break
    assert name == "send"
    keys.active_element.send_keys(Keys.ENTER)
    page.wait(lambda: page.entries() and page.idle())
    assert page.entries()[0].status == "200"
    assert page.script("return document.activeElement.id") == "send"


def test_reduced_motion_is_respected(page):
    moving = "return getComputedStyle(document.getElementById('replay')).transitionDuration"
    assert page.script(moving) != "0s"
    page.open(motion="reduce")
    assert page.script(moving) == "0s"


def test_it_asks_nothing_of_other_origins_and_has_nothing_inline(page):
    page.press("send")
    origins = page.script("return [...new Set(performance.getEntriesByType('resource').map((each) => new URL(each.name).origin))]")
    assert origins == [page.script("return location.origin")]
    www = pathlib.Path(__file__).resolve().parents[2] / "www"
    markup = (www / "index.html").read_text()
    assert "default-src 'none'" in markup
    assert not re.search(r'<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)|(src|href)="(/|https?:)', markup)
    for path in www.glob("*.js"):
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage|sessionStorage",
                             path.read_text()), path.name


@pytest.mark.parametrize("size, scheme", LOOKS)
def test_screenshots(page, demo, tmp_path, size, scheme):
    """Pictures for the manual: RETOKEN_SCREENSHOTS=docs/screenshots keeps them."""
    busy_page(page, size, scheme, demo)
    background = page.script("return getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", background)[0]) < 64) == (scheme == "dark")
    top = 0
    if size == "phone" and scheme == "dark":
        top = page.script("return document.getElementById('steps-title').getBoundingClientRect().top + scrollY - 32")
    bottom = page.script("return document.getElementById('chain').parentElement.getBoundingClientRect().bottom + scrollY + 10")
    picture = page.screenshot(bottom if size == "desktop" else 1080, top)
    folder = pathlib.Path(os.environ.get("RETOKEN_SCREENSHOTS", tmp_path))
    (folder / f"{size}-{scheme}.png").write_bytes(picture)
    assert picture.startswith(b"\x89PNG") and 10_000 < len(picture) < 300_000
