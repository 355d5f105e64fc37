# SPDX-License-Identifier: ISC
"""Unmodified clients of other backends, as npm gives them, whose dialects files of the library describe: each
logs in, refreshes twice in a chain and logs out (tests/clients/backends.js)."""

import pytest

from conftest import PASSWORD
from lab import dialects
from test_clients_node import node

EMAIL = "grace@example.org"
SUPABASE = [r"/auth/v1/(?:token|user|logout)"]
DIRECTUS = [r"/auth/(?:login|refresh|logout)"]
COGNITO = [r"/cognito-idp/?"]
# Where Firebase's own client looks for them, at a host that is not Google's.
FIREBASE = {"token": "/securetoken.googleapis.com/v1/token",
            "login": "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword",
            "lookup": "/identitytoolkit.googleapis.com/v1/accounts:lookup"}


@pytest.fixture
def ask(small_world):
    """Runs the client of a backend against a real server; what it said, and its session."""
    def run(server, backend, settings, paths):
        world = small_world(settings)
        world.installed.add_account(EMAIL, PASSWORD, "--claim", f"email={EMAIL}", "--claim", "name=Grace")
        url = world.serve(server, paths=paths).url
        said = node("backends.js", backend, url, EMAIL, PASSWORD, "phone")
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
