# SPDX-License-Identifier: ISC
"""Unmodified clients for Node.js, as npm gives them (tests/clients, `scripts/prepare clients`). A script
beside the packages makes the calls and prints what the client made of our answers."""

import json
import subprocess

import pytest

from conftest import PASSWORD
from lab import machine

CLIENTS = machine.ROOT / "tests" / "clients"
ISSUER, AUDIENCE = "http://127.0.0.1:{port}/auth", "https://api.example"
OAUTH = (f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\naudience = {AUDIENCE}\n"
         "remote-user = known\n")
# Where an issuer with a path has its documents.
PATHS = [r"/\.well-known/oauth-authorization-server/auth", r"/auth/\.well-known/openid-configuration"]
# Of each: what openssl makes it with, and what Web Cryptography calls it.
KEYS = {"RS256": (["RSA"], {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"}),
        "PS256": (["RSA"], {"name": "RSA-PSS", "hash": "SHA-256"}),
        "ES256": (["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"name": "ECDSA", "namedCurve": "P-256"}),
        "EdDSA": (["ED25519"], {"name": "Ed25519"})}


@pytest.fixture(scope="module", params=["lighttpd", "apache", "nginx"])
def server(request, shared_world):
    return shared_world.serve(request.param)


def node(script, *words, given=None):
    """Runs tests/clients/SCRIPT; the JSON objects that it prints, by what they are."""
    assert (CLIENTS / "node_modules").is_dir(), "run: scripts/prepare clients"
    # the global object `crypto`, which Node.js 18 of Debian 12 has by this option only
    done = subprocess.run(["node", "--experimental-global-webcrypto", CLIENTS / script, *words],
                          input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row.pop("what"): row for row in rows}


@pytest.mark.parametrize("release", ["fusionauth-client-of-2020", "@fusionauth/typescript-client"])
def test_fusionauth(shared_world, server, release):
    """From the first request to the last; "phone" is a public client, which is an application there."""
    said = node("fusionauth.js", release, server.url, "phone", "ada", PASSWORD)

    def granted(what):
        assert said[what]["status"] == 200 and said[what]["exception"] is None, said[what]
        return said[what]["response"]

    login = granted("login")
    assert list(login) == ["refreshToken", "token", "user"]
    assert login["user"] == {
        "active": True, "email": "ada@example.org", "id": "ada",
        "registrations": [{"applicationId": "phone", "roles": ["ROLE_CUSTOMER"]}], "username": "ada"}
    first, second = granted("refresh"), granted("refresh again")
    assert list(first) == ["refreshToken", "token"]
    assert len({login["refreshToken"], first["refreshToken"], second["refreshToken"]}) == 3
    for what in ("logout", "logout again", "global logout", "logout without token"):
        assert granted(what) is None
    assert "registrations" not in granted("login without application")["user"]
    granted("login once more")

    empty = {"response": None, "exception": None}
    for what in ("after the logout", "after the global logout", "foreign token"):
        assert said[what] == {"status": 401, **empty}
    assert said["wrong password"] == said["unknown user"] == {"status": 404, **empty}
    for what, field, code in (("unknown application", "applicationId", "[invalid]applicationId"),
                              ("nothing", "loginId", "[blank]loginId"),
                              ("nothing", "password", "[blank]password"),
                              ("no token", "refreshToken", "[blank]refreshToken")):
        assert said[what]["status"] == 400
        assert said[what]["exception"]["fieldErrors"][field][0]["code"] == code


@pytest.fixture
def oauth(small_world):
    """nginx with a login of its own, and clients: app is public, web has a secret, and of the others
    each has a key for the algorithm that it is called after."""
    port = machine.free_port()
    world = small_world(OAUTH.format(port=1))
    world.installed.replace_settings(OAUTH.format(port=port))
    redirect = ["--redirect-uri", "http://127.0.0.1/done", "--scope", "read write"]
    world.installed.retoken("client", "add", "app", "--public", "--scope", "read write")
    for client in ("app", "web"):
        world.installed.retoken("client", "set", client, *redirect)
    clients = {"app": {}, "web": {"secret": world.secrets["web"]}}
    for algorithm, (words, web_name) in KEYS.items():
        pem = machine.run(["openssl", "genpkey", "-algorithm", *words]).stdout
        public = machine.run(["openssl", "pkey", "-pubout"], stdin=pem).stdout
        world.installed.retoken("client", "add", algorithm, "--key", "-", "--algorithm", algorithm,
                                "--grant", "client", "--scope", "read", stdin=public)
        clients[algorithm] = {"pem": pem.decode(), "algorithm": web_name}
    server = world.serve("nginx", port=port, paths=PATHS, passwords=world.passwords("ada"))
    server.clients, server.issuer = clients, ISSUER.format(port=port)
    return server


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_oauth(oauth, library):
    """Every grant from the first request to the last, by the issuer's URL alone: openid-client looks
    for openid-configuration, oauth4webapi as RFC 8414 has it. They judge each answer themselves:
    issuer, state, types of members, token_type, and the access token by the published keys."""
    said = node("oauth.mjs", library, oauth.issuer, "ada", PASSWORD, given=oauth.clients)

    def granted(what):
        assert "said" in said[what], said[what]
        return said[what]["said"]

    def tokens(what, scope):
        answer = granted(what)
        assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
        assert answer.get("scope", "read") == scope
        return answer

    def refused(what):
        return {name: said[what]["refused"].get(name) for name in ("type", "error", "status")}

    def is_refused(what, error, status=400):
        assert refused(what) == {"type": "ResponseBodyError", "error": error, "status": status}

    for client in ("app", "web"):
        first = tokens(f"{client}: code", "read")
        assert first["refresh_token"] != tokens(f"{client}: refresh", "read")["refresh_token"]
        is_refused(f"{client}: code again", "invalid_grant")
        is_refused(f"{client}: refresh after that", "invalid_grant")
        assert refused(f"{client}: scope of others")["error"] == "invalid_scope"
        claims = granted(f"{client}: access token")
        assert [claims[name] for name in ("iss", "aud", "sub", "client_id", "scope")] == [
            oauth.issuer, AUDIENCE, "ada", client, "read"]
    assert refused("wrong secret")["status"] == 401
    for algorithm in KEYS:
        assert "refresh_token" not in tokens(f"{algorithm}: client_credentials", "read")

    device = granted("device")
    assert device["verification_uri"] == f"{oauth.url}/oauth/device" and device["interval"] == 5
    assert granted("device: pending") == "authorization_pending"
    first = tokens("device: tokens", "read")
    assert first["refresh_token"] != tokens("device: refresh", "read")["refresh_token"]
    active = granted("api: introspect")
    assert (active["active"], active["client_id"], active["username"], active["scope"], active["iss"]) == (
        True, "app", "ada", "read", oauth.issuer)
    for what in ("api: introspect another's", "api: introspect after that"):
        assert granted(what) == {"active": False}
    assert "refused" in said["device: introspect"]  # a public client
    for what in ("device: revoke", "device: revoke again"):
        assert "refused" not in said[what]
    is_refused("device: refresh after that", "invalid_grant")


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_dpop(small_world, library):
    """With a key of its own, and a nonce for each proof. The proofs name the URL that is asked, so that
    is the issuer's."""
    issuer = "http://127.0.0.1"
    world = small_world(f"[realm /oauth/token]\ndialect = oauth\nissuer = {issuer}\ngrants = refresh password\n"
                        "dpop = required\ndpop-nonce = on\n")
    said = node("dpop.mjs", library, world.serve("nginx").url, issuer, "ada", PASSWORD)
    tokens = [said[what]["said"] for what in ("login", "refresh", "refresh again")]
    assert [answer["token_type"] for answer in tokens] == ["dpop"] * 3  # as the libraries spell it
    assert len({answer["refresh_token"] for answer in tokens}) == 3
    assert said["thief"]["refused"]["error"] == "invalid_grant"
