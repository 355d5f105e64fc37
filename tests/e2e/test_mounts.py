# SPDX-License-Identifier: ISC
"""Every mount behind every kind of web server: what a success looks like byte for byte, and each
documented error. Both behaviours, and what no web server has a part in (rotation, the repeated request,
reuse), without one, and with a process of its own for every request."""

import json
import re

import pytest

from conftest import PASSWORD, new_world
from lab import dialects, goldens, http, jwks, servers
from lab.http import Request
from refusals import refusals, token_refusal

BEHAVIOURS = ("documented", "deployed")

# The first need no other web server. Under the sanitizers the responder is what matters, not which server
# is in front of it.
INNER = [pytest.param(case, id="-".join(case), marks=pytest.mark.sanitized)
         for case in (*(("socket", behaviour) for behaviour in BEHAVIOURS), ("lighttpd-cgi", "documented"))]
OUTER = [pytest.param((kind, "documented"), id=f"{kind}-documented")
         for kind in servers.WEB_KINDS if kind != "lighttpd-cgi"]
EVERYWHERE = pytest.mark.parametrize("place", INNER + OUTER, indirect=True)
INSIDE = pytest.mark.parametrize("place", INNER, indirect=True)
MOUNTS = [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS]


class Place:
    """A running server, its world, and the behaviour of all its mounts."""

    def __init__(self, world, server, behaviour):
        self.world, self.server, self.behaviour = world, server, behaviour
        self.logins = {}

    def send(self, mount, login):
        return self.server.send(mount.dialect.request(mount.path, login))

    def granted(self, mount, login):
        """The login after a refresh that must succeed."""
        answer = self.send(mount, login)
        assert mount.dialect.complaints(login, answer, self.behaviour) == []
        return login.after(*mount.dialect.tokens(answer))

    def log_in(self, mount, name="ada", password=PASSWORD):
        """The answer to a login at the mount where the sessions of `mount` begin."""
        who = self.world.who(mount, name, password)
        return self.server.send(mount.dialect.login_request(mount.path, who))

    def logged_in(self, mount):
        """The login that a password has bought over HTTP."""
        answer, who = self.log_in(mount), self.world.who(mount)
        assert mount.dialect.login_complaints(mount.path, who, answer, self.behaviour) == []
        return mount.dialect.begun(who, answer)

    def refused(self, mount, login, outcome):
        row = token_refusal(mount.dialect, self.behaviour, outcome)
        assert row.complaints(self.send(mount, login)) == []

    def unspent(self, mount):
        """One session per mount for requests that must not spend it."""
        if mount.path not in self.logins:
            self.logins[mount.path] = self.world.login(mount)
        return self.logins[mount.path]


@pytest.fixture(scope="module")
def place(request, template):
    kind, behaviour = request.param
    with new_world(template) as world:
        world.mount_settings(behaviour=behaviour)
        yield Place(world, world.serve(kind), behaviour)


@EVERYWHERE
@pytest.mark.parametrize("mount", MOUNTS)
def test_refresh_is_answered_as_documented(place, mount):
    login = place.world.login(mount)
    after = place.granted(mount, login)
    header, claims = map(json.loads, dialects.jwt_parts(after.access_token))
    assert header["alg"] == mount.dialect.algorithm
    assert claims["exp"] > claims.get("iat", claims.get("nbf"))
    if mount.dialect.rotates:
        assert after.refresh_token != login.refresh_token
        assert after.access_token != login.access_token
    if not header["alg"].startswith("HS"):
        keys = place.server.send(Request("GET", dialects.JWKS_PATH)).body
        assert jwks.verifies(after.access_token, jwks.keys_of(keys))


BEGINNING = [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS if mount.login_path]


@EVERYWHERE
@pytest.mark.parametrize("mount", BEGINNING)
def test_login_begins_a_session(place, mount):
    login = place.logged_in(mount)
    header, _ = map(json.loads, dialects.jwt_parts(login.access_token))
    assert header["alg"] == mount.dialect.algorithm
    after = place.granted(mount, login)
    if mount.dialect.rotates:
        place.granted(mount, after)


@INSIDE
@pytest.mark.parametrize("mount", BEGINNING)
def test_wrong_passwords_and_unknown_accounts_are_told_the_same(place, mount):
    place.logged_in(mount)  # so that no wrong one before this one counts
    wrong = place.log_in(mount, password="wrong horse")
    unknown = place.log_in(mount, name=f"eve at {mount.path}")
    assert 400 <= wrong.status < 500
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    told = [[row for row in answer.headers if row[0].lower() != "date"] for answer in (wrong, unknown)]
    assert told[0] == told[1]


# Requests beside a refresh that cannot be right, and the golden case that answers each.
JSON, FORM = dialects.JSON, dialects.FORM
AMISS = [
    ("fusionauth", "login-empty", Request("POST", "/api/login", [JSON], b"{}")),
    ("fusionauth", "login-name-number", Request("POST", "/api/login", [JSON], b'{"loginId":1,"password":"x"}')),
    ("fusionauth", "login-form", Request("POST", "/api/login", [FORM], b"loginId=ada&password=x")),
    ("fusionauth", "login-application-unknown", Request(
        "POST", "/api/login", [JSON], b'{"applicationId":"nobody","loginId":"ada","password":"x"}')),
    ("fusionauth", "logout-get", Request("GET", "/api/logout")),
    ("fusionauth", "logout-nothing", Request("POST", "/api/logout")),
    ("fusionauth", "logout-token-number", Request("POST", "/api/logout", [JSON], b'{"refreshToken":1}')),
    ("fusionauth", "logout-parameter-repeated", Request("POST", "/api/logout?refreshToken=one&refreshToken=two")),
    ("simplejwt", "login-empty", Request("POST", "/api/token/", [JSON], b"{}")),
    ("simplejwt", "login-blank-and-null", Request(
        "POST", "/api/token/", [JSON], b'{"username":" ","password":null}')),
    ("simplejwt", "login-form-repeated", Request(
        "POST", "/api/token/", [FORM], b"username=ada&username=eve&password=x")),
    ("simplejwt", "verify-missing", Request("POST", "/api/token/verify/", [JSON], b'{"refresh":"x"}')),
    ("simplejwt", "blacklist-missing", Request("POST", "/api/token/blacklist/", [JSON], b'{"token":"x"}')),
]


@EVERYWHERE
@pytest.mark.parametrize("dialect, case, request_amiss", AMISS, ids=[f"{row[0]}-{row[1]}" for row in AMISS])
def test_request_beside_a_refresh_is_refused(place, dialect, case, request_amiss):
    assert goldens.case(dialect, case).complaints(place.server.send(request_amiss)) == []


ENDING = [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS
          if mount.dialect.beside("logout", mount.path)]


@EVERYWHERE
@pytest.mark.parametrize("mount", ENDING)
def test_logout_ends_the_session(place, mount):
    """Renewed, logged out, and refused from then on: without an administrator where there are logins."""
    dialect = mount.dialect
    begin = place.logged_in if dialect.beside("login", mount.path) else place.world.login
    login = place.granted(mount, begin(mount))
    other = begin(mount)

    def ask(word):
        return place.server.send(dialect.request_beside(word, mount.path, login))

    if dialect.beside("verify", mount.path):
        assert (ask("verify").status, ask("verify").body) == (200, b"{}")
    golden = goldens.outcomes(dialect.name, place.behaviour, "logout")
    assert golden["ended"].complaints(ask("logout")) == []
    again = ask("logout")
    assert [] in (golden["none-ended"].complaints(again), golden["revoked"].complaints(again))
    refused = place.send(mount, login)
    assert goldens.outcomes(dialect.name, place.behaviour)["revoked"].complaints(refused) == []
    place.granted(mount, other)


@INSIDE
@pytest.mark.parametrize("mount", MOUNTS)
def test_repeated_request_gets_the_same_answer(place, mount):
    login = place.world.login(mount)
    first, second = place.granted(mount, login), place.granted(mount, login)
    assert first.refresh_token == second.refresh_token
    if mount.dialect.rotates:
        assert dialects.jwt_parts(first.access_token) == dialects.jwt_parts(second.access_token)
        assert place.world.installed.session(login.session)["generation"] == 1


ROTATING = [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS
            if mount.dialect.rotates]


@INSIDE
@pytest.mark.parametrize("mount", ROTATING)
def test_spent_token_gets_the_current_answer_inside_the_window(place, mount):
    first = place.world.login(mount)
    second = place.granted(mount, first)
    third = place.granted(mount, second)
    for spent in (first, second, first):
        assert place.granted(mount, spent).refresh_token == third.refresh_token
    place.granted(mount, third)


@pytest.fixture(scope="module", params=BEHAVIOURS)
def strict(request, template):
    """No window: a spent token is a reused one at once."""
    with new_world(template) as world:
        for mount in dialects.MOUNTS:
            window = {"concurrency-window": "0"} if mount.dialect.rotates else {}
            world.mount_settings(mount, behaviour=request.param, **window)
        yield Place(world, world.serve("socket"), request.param)


@pytest.mark.parametrize("mount", ROTATING)
def test_reuse_is_refused_and_ends_the_session(strict, mount):
    first = strict.world.login(mount)
    second = strict.granted(mount, first)
    third = strict.granted(mount, second)
    strict.refused(mount, first, "reused")
    strict.refused(mount, third, "revoked")
    strict.refused(mount, second, "revoked")


@EVERYWHERE
@pytest.mark.parametrize("mount", MOUNTS)
def test_documented_errors(place, mount):
    login = place.unspent(mount)
    found = {}
    for row in refusals(mount, place.behaviour):
        try:
            complaints = row.complaints(place.server.send(row.request(mount.path, login)))
        except http.Broken as error:
            complaints = [str(error)]
        if complaints:
            found[row.name] = complaints
    assert found == {}
    place.granted(mount, login)  # none of them spent it
    del place.logins[mount.path]


@INSIDE
@pytest.mark.parametrize("mount", MOUNTS)
def test_revoked_session_is_refused(place, mount):
    login = place.world.login(mount)
    place.world.installed.retoken("session", "revoke", login.session)
    place.refused(mount, login, "revoked")


@INSIDE
def test_one_realm_has_two_paths(place):
    one, other = (dialects.mount_at(path) for path in ("/api/auth/refresh", "/api/jwt/refresh"))
    login = place.granted(other, place.world.login(one))
    place.granted(one, login)


@EVERYWHERE
def test_body_is_as_good_as_the_cookie(place):
    mount = dialects.mount_at("/api/jwt/refresh")
    login = place.world.login(mount)
    answer = place.server.send(mount.dialect.request(mount.path, login, "json"))
    assert mount.dialect.complaints(login, answer, place.behaviour) == []


@EVERYWHERE
def test_cookie_wins_over_the_body(place):
    mount = dialects.mount_at("/api/jwt/refresh")
    login = place.world.login(mount)
    request = mount.dialect.request(mount.path, login.after("garbage", "x"), "json")
    request.headers.append(("Cookie", f"refresh_token={login.refresh_token}"))
    answer = place.server.send(request)
    assert mount.dialect.complaints(login, answer, place.behaviour) == []


@EVERYWHERE
def test_basic_is_as_good_as_the_body(place):
    mount = dialects.mount_at("/oauth/token")
    login = place.world.login(mount)
    answer = place.server.send(mount.dialect.request(mount.path, login, "basic"))
    assert mount.dialect.complaints(login, answer, place.behaviour) == []


@EVERYWHERE
def test_kopong_as_its_document_has_it(place):
    mount = dialects.mount_at("/oauth/access_token")
    login = place.world.login(mount)
    if place.behaviour == "deployed":
        return  # the plugin never had it; test_documented_errors has what it answers
    answer = place.server.send(mount.dialect.request(mount.path, login, "bearer"))
    assert mount.dialect.complaints(login, answer) == []
    by_access = mount.dialect.request(mount.path, login.after(login.access_token, ""), "bearer")
    answer = place.server.send(by_access)  # the password proves the holder: a new session
    body = json.loads(answer.body)
    assert answer.status == 200 and body["refresh_token"] != login.refresh_token


@EVERYWHERE
def test_lower_case_post_of_the_documented_curl(place):
    """Some servers refuse the method themselves; whoever passes it on gets tokens."""
    mount = dialects.mount_at("/sandbox/token")
    login = place.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    request.method = "post"
    answer = place.server.send(request)
    if answer.status not in (400, 405, 501):
        assert mount.dialect.complaints(login, answer, place.behaviour) == []


@EVERYWHERE
def test_duktig_router_drops_empty_segments(place):
    mount = dialects.mount_at("/auth/refresh_token")
    login = place.world.login(mount)
    answer = place.server.send(mount.dialect.request(mount.path + "/", login))
    assert mount.dialect.complaints(login, answer, place.behaviour) == []


@EVERYWHERE
def test_keys_and_health(place):
    keys = place.server.send(Request("GET", dialects.JWKS_PATH))
    assert keys.status == 200
    listed = json.loads(keys.body)["keys"]
    signing = {mount.dialect.algorithm for mount in dialects.MOUNTS}
    assert {key["kty"] for key in listed} == {kind for kind, names in jwks.KINDS.items()
                                              if signing & set(names)}
    assert all(re.fullmatch(r"[\w.-]{1,64}", key["kid"]) for key in listed)
    assert not any({"d", "p", "q", "k"} & set(key) for key in listed)
    known = place.server.send(Request("GET", dialects.JWKS_PATH, [("If-None-Match", keys.header("ETag"))]))
    assert (known.status, known.body, known.header("ETag")) == (304, b"", keys.header("ETag"))
    assert known.header("Cache-Control") == keys.header("Cache-Control") == "public, max-age=300"
    health = place.server.send(Request("GET", dialects.HEALTH_PATH))
    assert (health.status, json.loads(health.body)) == (200, {"status": "ok"})


@EVERYWHERE
@pytest.mark.parametrize("path", ["/oauth/tokenx", "/oauth/token/x", "/oauth2/tokens", "/healthz/x"])
def test_neighbouring_path_is_not_a_mount(place, path):
    assert place.server.send(Request("POST", path, [dialects.FORM], b"a=b")).status == 404


@EVERYWHERE
@pytest.mark.parametrize("path", ["/retoken.conf", "/data/secret", "/store/data.mdb", "/secret",
                                  "/retoken/secret", "/retoken/retoken.conf"])
def test_data_is_not_served(place, path):
    answer = place.server.send(Request("GET", path))
    assert answer.status in (403, 404) and place.world.secrets["web"].encode() not in answer.body
