# SPDX-License-Identifier: ISC
"""First tokens at the token endpoints, by a client that other people wrote: client_credentials and
password, proved by private_key_jwt, and the renewals after them."""

import base64
import json
import subprocess

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from conftest import PASSWORD

ISSUER = "https://login.example"
SETTINGS = (f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\n"
            "grants = refresh password client\n"
            f"[realm /oauth2/token]\ndialect = koppeltaal\nissuer = {ISSUER}\n")
OAUTH, KOPPELTAAL = "/oauth/token", "/oauth2/token"
TIMEOUT = 30


def openssl(*words, stdin=b""):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def key():
    return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")


@pytest.fixture
def server(small_world, key):
    world = small_world(SETTINGS)
    public = openssl("pkey", "-pubout", stdin=key)
    world.installed.retoken("client", "add", "robot", "--key", "-", "--algorithm", "RS256",
                            "--grant", "client", "--grant", "password", "--grant", "refresh",
                            stdin=public)
    server = world.serve("lighttpd")
    server.world = world
    return server


def robot(key, path, scope):
    session = OAuth2Session("robot", key.decode(), scope=scope,
                            token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(PrivateKeyJWT(ISSUER + path))
    return session


def claims(token):
    payload = token["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def sessions(server):
    return server.world.installed.json("session", "list")


def test_client_credentials(server, key):
    token = robot(key, OAUTH, "read").fetch_token(server.url + OAUTH,
                                                  grant_type="client_credentials")
    assert "refresh_token" not in token
    said = claims(token)
    assert (said["sub"], said["client_id"], said["scope"]) == ("robot", "robot", "read")
    assert "sid" not in said and sessions(server) == []


def test_password_and_refresh(server, key):
    session = robot(key, OAUTH, "read offline_access")
    token = session.fetch_token(server.url + OAUTH, grant_type="password", username="ada",
                                password=PASSWORD)
    assert claims(token)["sub"] == "ada"
    renewed = session.refresh_token(server.url + OAUTH)
    assert renewed["refresh_token"] != token["refresh_token"]
    assert [row["account"] for row in sessions(server)] == ["ada"]


def test_koppeltaal_begins_and_refreshes(server, key):
    session = robot(key, KOPPELTAAL, "*/write")
    token = session.fetch_token(server.url + KOPPELTAAL, grant_type="client_credentials")
    assert claims(token)["azp"] == "robot" and claims(token)["scope"] == "*/write"
    for _ in range(2):
        renewed = session.refresh_token(server.url + KOPPELTAAL)
        assert renewed["refresh_token"] != token["refresh_token"]
        assert claims(renewed)["azp"] == "robot"
        token = renewed
    assert [(row["account"], row["client"]) for row in sessions(server)] == [(None, "robot")]
    told = server.world.installed.run("explain", stdin=token["refresh_token"].encode()).stdout
    assert b"generation 2 of client robot's own session" in told, told
    server.world.installed.retoken("client", "remove", "robot")
    gone = requests.post(server.url + KOPPELTAAL, timeout=TIMEOUT, data={
        "grant_type": "refresh_token", "refresh_token": token["refresh_token"], "scope": "*/write"})
    assert (gone.status_code, gone.text) == (400, "Bad Request, invalid token")


def test_assertion_is_used_once(server, key):
    for path in OAUTH, KOPPELTAAL:
        sent = []

        class Kept(PrivateKeyJWT):
            def sign(self, auth, token_endpoint):
                sent.append(super().sign(auth, token_endpoint))
                return sent[-1]

        session = OAuth2Session("robot", key.decode(), token_endpoint_auth_method="private_key_jwt")
        session.register_client_auth_method(Kept(ISSUER + path))
        session.fetch_token(server.url + path, grant_type="client_credentials")
        answer = requests.post(server.url + path, timeout=TIMEOUT, data={
            "grant_type": "client_credentials", "client_assertion": sent[0],
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
        assert answer.status_code == 401, answer.text
    assert len(sessions(server)) == 1
