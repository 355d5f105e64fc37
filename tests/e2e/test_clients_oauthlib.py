# SPDX-License-Identifier: ISC
"""requests-oauthlib, unmodified, from each grant's first request to a renewal of its tokens: it reads
the answers strictly (token_type, state, and a scope that was changed is an exception)."""

import pytest
import requests
from oauthlib.oauth2 import (AccessDeniedError, BackendApplicationClient, DeviceClient, InvalidClientError,
                             InvalidGrantError, InvalidScopeError, LegacyApplicationClient,
                             MismatchingStateError, OAuth2Error, WebApplicationClient)
from requests_oauthlib import OAuth2Session

from conftest import PASSWORD
from test_device import decide

ISSUER = "https://login.example"
SETTINGS = (f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\nremote-user = known\n"
            "grants = refresh password client code device\n")
REDIRECT = "http://127.0.0.1:49152/done"
TIMEOUT = 30


@pytest.fixture
def server(small_world, monkeypatch):
    """nginx with a login of its own: app is a public client, web has a secret."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # 127.0.0.1 needs no TLS
    world = small_world(SETTINGS)
    world.installed.retoken("client", "add", "app", "--public")
    for client in ("app", "web"):
        world.installed.retoken("client", "set", client, "--redirect-uri", REDIRECT,
                                "--scope", "read write", "--grant", "refresh", "--grant", "password",
                                "--grant", "client", "--grant", "code", "--grant", "device")
    server = world.serve("nginx", passwords=world.passwords("ada"))
    server.token, server.secret = f"{server.url}/oauth/token", world.secrets["web"]
    return server


def proof(server, client, how):
    """What fetch_token and refresh_token take so that the client proves itself in this way."""
    secret = server.secret if client == "web" else None
    return {"basic": {"fetch": {"client_secret": secret}, "refresh": {"auth": (client, secret or "")}},
            "body": {"fetch": {"client_secret": secret, "include_client_id": True},
                     "refresh": {"client_id": client, **({"client_secret": secret} if secret else {})}},
            }[how]


WAYS = pytest.mark.parametrize("client,how", [("app", "basic"), ("app", "body"), ("web", "basic"), ("web", "body")])


def is_whole(token):
    assert (token["token_type"], token["expires_in"]) == ("bearer", 3600)
    assert token["access_token"].count(".") == 2
    return token


def renewed(session, server, refresh):
    old = session.token["refresh_token"]
    token = is_whole(session.refresh_token(server.token, timeout=TIMEOUT, **refresh))
    assert token["refresh_token"] != old and session.authorized
    session.scope = "admin"
    with pytest.raises(InvalidScopeError):
        session.refresh_token(server.token, timeout=TIMEOUT, **refresh)
    return token


@WAYS
def test_code(server, client, how):
    with_proof = proof(server, client, how)
    application = WebApplicationClient(client)
    session = OAuth2Session(client=application, redirect_uri=REDIRECT, scope=["read"])
    verifier = application.create_code_verifier(43)
    challenge = application.create_code_challenge(verifier, "S256")
    link, _ = session.authorization_url(f"{server.url}/oauth/authorize", code_challenge=challenge,
                                        code_challenge_method="S256")
    arrived = requests.get(link, auth=("ada", PASSWORD), allow_redirects=False, timeout=TIMEOUT).headers["Location"]

    def exchange(**more):
        return session.fetch_token(server.token, authorization_response=arrived, timeout=TIMEOUT,
                                   **{"code_verifier": verifier, **with_proof["fetch"], **more})

    with pytest.raises(InvalidGrantError):
        exchange(code_verifier=verifier[::-1])
    assert is_whole(exchange())["scope"] == ["read"]
    renewed(session, server, with_proof["refresh"])
    other = OAuth2Session(client, redirect_uri=REDIRECT, state="of another")
    with pytest.raises(MismatchingStateError):
        other.fetch_token(server.token, authorization_response=arrived, code_verifier=verifier)
    with pytest.raises(InvalidGrantError):
        exchange()


@WAYS
def test_password(server, client, how):
    with_proof = proof(server, client, how)
    session = OAuth2Session(client=LegacyApplicationClient(client, scope="read write"))
    with pytest.raises(InvalidGrantError):
        session.fetch_token(server.token, username="ada", password="wrong", timeout=TIMEOUT, **with_proof["fetch"])
    is_whole(session.fetch_token(server.token, username="ada", password=PASSWORD, timeout=TIMEOUT,
                                 **with_proof["fetch"]))
    renewed(session, server, with_proof["refresh"])


@pytest.mark.parametrize("how", ["basic", "body"])
def test_client_credentials(server, how):
    with_proof = proof(server, "web", how)["fetch"]
    session = OAuth2Session(client=BackendApplicationClient("web", scope="write"))
    token = is_whole(session.fetch_token(server.token, timeout=TIMEOUT, **with_proof))
    assert "refresh_token" not in token and session.authorized
    with pytest.raises(InvalidClientError):
        session.fetch_token(server.token, timeout=TIMEOUT, **{**with_proof, "client_secret": "wrong"})


@pytest.mark.parametrize("client,how", [("app", "body"), ("web", "basic")])
def test_device(server, client, how):
    """One poll a device: before its user has decided, after a no, and after a yes."""
    with_proof = proof(server, client, how)
    session = OAuth2Session(client=DeviceClient(client, scope="read"))

    def begin():
        who = {"auth": (client, server.secret)} if how == "basic" else {}
        answer = requests.post(f"{server.url}/oauth/device_authorization", timeout=TIMEOUT,
                               data={"client_id": client, "scope": "read"}, **who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def poll(codes):
        return session.fetch_token(server.token, device_code=codes["device_code"], timeout=TIMEOUT,
                                   **with_proof["fetch"])

    def decided(decision):
        codes = begin()
        assert decide(server, codes["user_code"], decision).status_code == 200
        return codes

    with pytest.raises(OAuth2Error, match="authorization_pending"):
        poll(begin())
    with pytest.raises(AccessDeniedError):
        poll(decided("deny"))
    assert is_whole(poll(decided("allow")))["scope"] == ["read"]
    renewed(session, server, with_proof["refresh"])
