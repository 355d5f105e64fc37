# SPDX-License-Identifier: ISC
"""Unmodified clients of other backends, as npm gives them, whose dialects files of the library describe: each
logs in, refreshes twice in a chain and logs out (tests/clients/backends.js)."""

import json
import shutil

import pytest

from conftest import PASSWORD
from lab import dialects, machine
from lab.http import Request
from test_clients_node import node

EMAIL = "grace@example.org"
SUPABASE = [r"/auth/v1/(?:token|user|logout)"]
DIRECTUS = [r"/auth/(?:login|refresh|logout)"]
KEYCLOAK = [r"/realms/master/protocol/openid-connect/(?:token|logout|revoke)"]
KEYCLOAK_KEYS = "/realms/master/protocol/openid-connect/certs"
AZURE = [r"/common/oauth2/v2\.0/token"]
OKTA = [r"/oauth2/default/v1/(?:token|revoke)"]
COGNITO = [r"/cognito-idp/?"]
# Where Firebase's own client looks for them, at a host that is not Google's.
FIREBASE = {"token": "/securetoken.googleapis.com/v1/token",
            "login": "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword",
            "lookup": "/identitytoolkit.googleapis.com/v1/accounts:lookup"}


@pytest.fixture(scope="module")
def certificate():
    """A folder with a certificate for 127.0.0.1, of a server that is asked by clients that speak TLS only."""
    folder = machine.folder("retoken-backends-")
    made = machine.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "3",
                        "-keyout", folder / "server.key", "-out", folder / "ca.crt"])
    assert made.returncode == 0, made.stderr
    (folder / "server.pem").write_text((folder / "server.key").read_text() + (folder / "ca.crt").read_text())
    shutil.copy(folder / "ca.crt", folder / "clients.pem")
    yield machine.own(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ask(small_world, certificate, monkeypatch):
    """Runs the client of a backend against a real server; what it said, and its session."""
    def run(server, backend, settings, paths=(), tls=False, client="phone"):
        port = machine.free_port()
        world = small_world(settings.replace("URL", f"http://127.0.0.1:{port}"))
        world.installed.add_account(EMAIL, PASSWORD, "--claim", f"email={EMAIL}", "--claim", "name=Grace")
        served = world.serve(server, port=port, paths=paths, tls=certificate if tls else None)
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(certificate / "ca.crt"))
        url = f"https://127.0.0.1:{served.tls_port}" if tls else served.url
        said = node("backends.js", backend, url, EMAIL, PASSWORD, client, world.secrets.get(client, ""))
        for what in ("login", "refresh", "refresh again", "logout"):
            assert what not in said or "said" in said[what], said[what]
        [row] = world.installed.json("session", "list")
        return said, world.installed.session(row["session"])
    return run


def chain(said, rotates):
    """What came of the login and both refreshes: other tokens each where it rotates; else two access tokens of one
    second may be the same, and the refresh token is."""
    answers = [said[what]["said"] for what in ("login", "refresh", "refresh again")]
    assert not rotates or len({answer["access"] for answer in answers}) == 3
    assert len({answer["refresh"] for answer in answers}) == (3 if rotates else 1)
    return answers


@pytest.mark.parametrize("server", ["nginx", "lighttpd"])
def test_auth0(ask, server):
    settings = "[realm auth0]\ndialect = auth0\nissuer = https://acme.example/\naudience = https://api.example\n"
    said, session = ask(server, "auth0", settings, tls=True, client="web")
    for answer in chain(said, rotates=True):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["iss"], claims["aud"]) == ("https://acme.example/", "https://api.example")
        assert (claims["azp"], claims["scope"]) == ("web", "offline_access read")
        assert (answer["scope"], answer["expires"]) == ("offline_access read", 86400)
    refused = said["after the logout"]["refused"]
    assert (refused["status"], refused["code"]) == (403, "invalid_grant")
    assert session["state"] == "logged out by its user"


@pytest.mark.parametrize("rotates", [False, True])
def test_keycloak(ask, rotates):
    """Whatever OAuth client asks, with either kind of refresh token."""
    settings = "[realm keycloak]\ndialect = keycloak\nissuer = URL/realms/master\n"
    said, session = ask("lighttpd", "keycloak-openid", settings + ("format = native\nrotation = on\n" if rotates else ""),
                        KEYCLOAK, client="web")
    for answer in chain(said, rotates):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["typ"], claims["azp"], claims["preferred_username"]) == ("Bearer", "web", EMAIL)
        assert answer["all"]["session_state"] == claims["sid"] == session["session"]
        assert (answer["all"]["scope"], answer["all"]["not-before-policy"]) == ("read write", 0)
        assert 1700 <= answer["all"]["refresh_expires_in"] <= 1920  # each use puts the end off, some minutes at a time
        assert rotates or dialects.jwt_claims(answer["refresh"])["typ"] == "Refresh"
    assert said["after the logout"]["refused"]["code"] == "OAUTH_RESPONSE_BODY_ERROR"
    assert session["state"] == "logged out by its user"


def test_keycloak_adapter(ask):
    """It looks into refresh tokens, and asks for the keys of the realm."""
    settings = ("[realm keycloak]\ndialect = keycloak\nissuer = URL/realms/master\n"
                f"[mount {KEYCLOAK_KEYS}]\ndialect = jwks\n")
    said, session = ask("nginx", "keycloak", settings, KEYCLOAK + [KEYCLOAK_KEYS])
    for answer in chain(said, rotates=False):
        assert (answer["all"]["token_type"], answer["all"]["session_state"]) == ("Bearer", session["session"])


@pytest.mark.parametrize("server", ["nginx", "lighttpd"])
def test_azure(ask, server):
    said, session = ask(server, "azure", "[realm azure]\ndialect = azure\n", AZURE, tls=True, client="web")
    for answer in chain(said, rotates=True):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["ver"], claims["azp"], claims["name"]) == ("2.0", "web", "Grace")
        assert "https://api.example/read" in answer["scopes"] and "https://api.example/read" in claims["scp"].split()
        assert 3500 <= answer["expires"] <= 3600
    assert session["state"] == "live"


@pytest.mark.parametrize("server", ["nginx", "lighttpd"])
def test_okta(ask, server):
    said, session = ask(server, "okta", "[realm okta]\ndialect = okta\nissuer = URL/oauth2/default\n", OKTA)
    for answer in chain(said, rotates=True):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["cid"], claims["scp"]) == ("phone", ["offline_access", "read"])
        assert answer["scopes"] == ["offline_access", "read"]
    assert session["state"] == "live"


@pytest.mark.parametrize("behaviour", ["documented", "deployed"])
def test_passport(ask, behaviour):
    said, session = ask("nginx", "passport", f"[realm passport]\ndialect = passport\nbehaviour = {behaviour}\n",
                        client="web")
    for answer in chain(said, rotates=True):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["aud"], claims["scopes"]) == ("web", ["read", "write"])
    assert session["state"] == "live"


def test_supabase(ask):
    said, session = ask("nginx", "supabase", "[realm supabase]\ndialect = supabase\n", SUPABASE)
    for answer in chain(said, rotates=True):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["aud"], claims["role"], claims["email"]) == ("authenticated", "authenticated", EMAIL)
        assert claims["session_id"] == session["session"]
        assert (answer["user"]["id"], answer["user"]["email"]) == (claims["sub"], EMAIL)
    assert said["user"]["said"]["user_metadata"] == {"email": EMAIL, "name": "Grace"}
    assert said["after the logout"]["refused"]["code"] == "refresh_token_not_found"
    assert session["state"] == "logged out by its user"


# What a client of each mode keeps itself, beside what its cookies hold.
@pytest.mark.parametrize("server, mode, stored, cookies", [
    ("lighttpd", "directus", {"access_token", "refresh_token"}, set()),
    ("nginx", "directus-cookie", {"access_token"}, {"directus_refresh_token"}),
    ("lighttpd", "directus-cookie", {"access_token"}, {"directus_refresh_token"}),
    ("nginx", "directus-session", set(), {"directus_refresh_token", "directus_session_token"}),
    ("lighttpd", "directus-session", set(), {"directus_refresh_token", "directus_session_token"}),
])
def test_directus(ask, server, mode, stored, cookies):
    said, session = ask(server, mode, "[realm directus]\ndialect = directus\n", DIRECTUS)
    for answer in chain(said, rotates=True):
        assert 890_000 <= answer["expires"] <= 900_000
        assert set(answer["stored"]) == stored | {"expires", "expires_at"}
        assert set(answer["cookies"]) == cookies
        assert dialects.jwt_claims(answer["access"])["iss"] == "directus"
    assert said["logout"]["said"]["cookies"] == []
    assert said["after the logout"]["refused"]["code"] == "INVALID_CREDENTIALS"
    assert session["state"] == "logged out by its user"


@pytest.mark.parametrize("rotates", [False, True])
def test_cognito(ask, rotates):
    backend = "cognito-rotating" if rotates else "cognito"
    settings = f"[realm cognito]\ndialect = cognito\nrotation = {'on' if rotates else 'off'}\n"
    said, session = ask("nginx", backend, settings, COGNITO)
    for answer in chain(said, rotates):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["token_use"], claims["username"], claims["client_id"]) == ("access", EMAIL, "phone")
        assert (answer["id"], answer["expires"]) == (answer["access"], 3600)
    refused = said["after the logout"]["refused"]
    assert (refused["kind"], refused["message"]) == ("NotAuthorizedException", "Refresh Token has been revoked")
    assert session["state"] == "logged out by its user"


def test_firebase(ask):
    settings = "[realm firebase]\ndialect = firebase\n" + "".join(
        f"path.{endpoint} = {path}\n" for endpoint, path in FIREBASE.items())
    said, session = ask("lighttpd", "firebase", settings, [path.replace(".", r"\.") for path in FIREBASE.values()])
    for answer in chain(said, rotates=False):
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["email"], claims["name"], claims["user_id"]) == (EMAIL, "Grace", claims["sub"])
        assert answer["user"] == {"uid": claims["sub"], "email": EMAIL}
    assert said["user"]["said"] == {"uid": said["login"]["said"]["user"]["uid"]}
    assert session["state"] == "live"


# ---- one token that is both ----

POCKETBASE = [r"/api/collections/users/auth-(?:refresh|with-password)"]
SIGN_IN, SIGN_OUT, RENEW = "/users/sign_in", "/users/sign_out", "/users/tokens/refresh"
CHECK = "/oauth/check"
BUSY = 60  # seconds


@pytest.mark.parametrize("server", ["nginx", "lighttpd"])
def test_pocketbase(ask, server):
    said, session = ask(server, "pocketbase", "[realm pocketbase]\ndialect = pocketbase\n", POCKETBASE)
    ends = []
    for what in ("login", "refresh", "refresh again"):
        answer = said[what]["said"]
        claims = dialects.jwt_claims(answer["access"])
        assert (claims["type"], claims["refreshable"], claims["sid"]) == ("auth", True, session["session"])
        assert (answer["user"]["id"], answer["user"]["email"]) == (claims["id"], EMAIL)
        assert answer["valid"]
        ends.append(claims["exp"])
    assert ends == sorted(ends)
    refused = said["after the logout"]["refused"]
    assert (refused["status"], refused["kind"][:19]) == (401, "ClientResponseError")
    assert session["state"] == "live"


def bearer(token):
    return ("Authorization", f"Bearer {token}")


@pytest.mark.parametrize("server", ["nginx", "lighttpd"])
def test_devise(small_world, server):
    """As axios with an interceptor: the token comes and goes in a header. The same opens guarded pages, until the
    user signs out."""
    world = small_world(f"[realm app]\ndialect = devise-jwt\naccess-token = at+jwt\n[mount {CHECK}]\nrealm = app\n")
    world.installed.add_account(EMAIL, PASSWORD, "--claim", "id=7")
    served = world.serve(server, paths=[SIGN_IN, SIGN_OUT, RENEW, CHECK])

    def send(method, path, headers=(), body=b""):
        return served.send(Request(method, path, list(headers), body), timeout=BUSY)

    credentials = {"user": {"email": EMAIL, "password": PASSWORD}}
    answer = send("POST", SIGN_IN, [dialects.JSON], json.dumps(credentials).encode())
    assert answer.status == 201
    tokens = [answer.header("Authorization").removeprefix("Bearer ")]
    for method in ("GET", "POST"):
        answer = send(method, RENEW, [bearer(tokens[-1])])
        assert (answer.status, json.loads(answer.body)["email"]) == (200, EMAIL)
        tokens.append(answer.header("Authorization").removeprefix("Bearer "))
    sessions = {dialects.jwt_claims(token)["sid"] for token in tokens}
    assert len(sessions) == 1
    for token in tokens:
        assert send("GET", CHECK, [bearer(token)]).header("Remote-User") == EMAIL
    assert f"its session is renewed with it, at {RENEW}" in world.installed.retoken("explain", tokens[-1])

    assert send("DELETE", SIGN_OUT, [bearer(tokens[0])]).status == 204
    for token in tokens:
        assert send("GET", CHECK, [bearer(token)]).status == 401
        answer = send("POST", RENEW, [bearer(token)])
        assert (answer.status, json.loads(answer.body)) == (401, {"error": "revoked token"})
    assert send("DELETE", SIGN_OUT, [bearer(tokens[0])]).status == 204
