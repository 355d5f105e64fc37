# SPDX-License-Identifier: ISC
"""Unmodified clients that other people wrote, refreshing as they always do."""

import json
import os
import subprocess

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.integrations.requests_client import OAuthError
from requests_oauthlib import OAuth2Session as RequestsSession

from lab import dialects
from lab.http import Request

TOKEN, ACCESS_TOKEN = (dialects.mount_at(path) for path in ("/oauth/token", "/oauth/access_token"))
BOTH = pytest.mark.parametrize("mount", (TOKEN, ACCESS_TOKEN), ids=lambda mount: mount.path)


@pytest.fixture(scope="module", params=["lighttpd", "apache", "nginx"])
def server(request, shared_world):
    return shared_world.serve(request.param)


@pytest.fixture(autouse=True)
def plain_http(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # 127.0.0.1 needs no TLS


@BOTH
def test_requests_oauthlib(shared_world, server, mount):
    login = shared_world.login(mount)
    session = RequestsSession(login.client or "web", token={
        "access_token": login.access_token, "refresh_token": login.refresh_token,
        "token_type": "bearer"})
    proof = {"client_id": login.client, "client_secret": login.secret} if login.client else {}
    token = session.refresh_token(server.url + mount.path, **proof)
    assert token["access_token"] and session.authorized
    assert (token["refresh_token"] != login.refresh_token) == mount.dialect.rotates
    assert session.refresh_token(server.url + mount.path, **proof)["access_token"]


@pytest.mark.parametrize("proof", ["client_secret_basic", "client_secret_post"])
@BOTH
def test_authlib(shared_world, server, mount, proof):
    login = shared_world.login(mount)
    session = AuthlibSession(login.client or "web", login.secret or "unused",
                             token_endpoint_auth_method=proof, token={
                                 "access_token": login.access_token,
                                 "refresh_token": login.refresh_token, "token_type": "bearer"})
    token = session.refresh_token(server.url + mount.path)
    assert token["access_token"] and token["refresh_token"]
    assert (token["refresh_token"] != login.refresh_token) == mount.dialect.rotates
    assert session.refresh_token(server.url + mount.path)["access_token"]


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("proof", ["client_secret_basic", "client_secret_post"])
def test_authlib_revokes(shared_world, server, proof, kind):
    login = shared_world.login(TOKEN)
    session = AuthlibSession(login.client, login.secret, token_endpoint_auth_method=proof,
                             revocation_endpoint_auth_method=proof, token={
                                 "access_token": login.access_token,
                                 "refresh_token": login.refresh_token, "token_type": "bearer"})
    token = session.refresh_token(server.url + TOKEN.path)
    for _ in range(2):  # the second time it names no live session
        answer = session.revoke_token(server.url + "/oauth/revoke", token=token[kind], token_type_hint=kind)
        assert (answer.status_code, answer.content) == (200, b"")
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(server.url + TOKEN.path)
    assert shared_world.installed.session(login.session)["ended"]


def test_public_client_needs_no_secret(shared_world, server):
    login = shared_world.login(TOKEN, client="phone")
    session = RequestsSession("phone", token={"access_token": login.access_token,
                                              "refresh_token": login.refresh_token,
                                              "token_type": "bearer"})
    assert session.refresh_token(server.url + TOKEN.path, client_id="phone")["access_token"]


def test_jose_verifies_by_the_published_keys(shared_world, server, tmp_path):
    mount = dialects.mount_at("/oauth2/token")
    login = shared_world.login(mount)
    _, access = mount.dialect.tokens(server.send(mount.dialect.request(mount.path, login)))
    (tmp_path / "token").write_text(access)
    (tmp_path / "jwks").write_bytes(server.send(Request("GET", dialects.JWKS_PATH)).body)

    def verify(token):
        return subprocess.run(["jose", "jws", "ver", "-i", token, "-k", tmp_path / "jwks", "-O", "-"],
                              capture_output=True, check=False)

    right = verify(tmp_path / "token")
    assert right.returncode == 0, right.stderr
    assert json.loads(right.stdout)["aud"] == "fhir-server"
    (tmp_path / "forged").write_text(access[:-6] + ("AAAAAA" if access[-6:] != "AAAAAA" else "BBBBBB"))
    assert verify(tmp_path / "forged").returncode != 0


def curl(*words):
    done = subprocess.run(["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", *map(str, words)],
                          capture_output=True, check=True, env={"PATH": os.environ["PATH"]})
    body, _, status = done.stdout.decode().rpartition("\n")
    return int(status), body


def test_documented_curl_calls(shared_world, server, tmp_path):
    """The calls that the documents print, with the documents' own options. lighttpd itself wants a
    Content-Length with every POST, which `curl -X POST` alone does not send."""
    empty_post = ["-d", ""] if server.kind == "lighttpd" else ["-X", "POST"]
    wirecash = dialects.mount_at("/sandbox/token")
    login = shared_world.login(wirecash)
    body = json.dumps({"username": "ada", "access_token": login.access_token,
                       "refresh_token": login.refresh_token})
    status, answer = curl("-X", "POST", server.url + "/sandbox/token",
                          "-H", "Content-Type: application/json", "-H", "Accept: application/json",
                          "-d", body)
    assert status == 200 and list(json.loads(answer)) == ["access_token", "expires_in",
                                                          "refresh_token", "token_type"]

    login = shared_world.login(TOKEN)
    status, answer = curl(server.url + "/oauth/token", "-d", "grant_type=refresh_token",
                          "-d", f"refresh_token={login.refresh_token}",
                          "-d", "client_id=web", "-d", f"client_secret={login.secret}")
    assert status == 200 and list(json.loads(answer)) == ["access_token", "refresh_token",
                                                          "token_type", "expires", "expires_in"]

    login = shared_world.login(TOKEN)
    status, answer = curl(server.url + "/oauth/token", "-u", f"web:{login.secret}",
                          "-d", "grant_type=refresh_token",
                          "-d", f"refresh_token={login.refresh_token}")
    assert status == 200

    login = shared_world.login(dialects.mount_at("/auth/refresh_token"))
    status, answer = curl(*empty_post, server.url + "/auth/refresh_token",
                          "-H", f"Refresh-Token: {login.refresh_token}",
                          "-H", "Content-Type: application/json")
    assert status == 200 and list(json.loads(answer)) == ["status", "message", "access_token",
                                                          "expires_in"]

    login = shared_world.login(dialects.mount_at("/api/jwt/refresh"))
    jar = tmp_path / "jar"
    status, answer = curl(*empty_post, server.url + "/api/jwt/refresh", "-c", jar,
                          "-b", f"refresh_token={login.refresh_token}")
    assert status == 200 and list(json.loads(answer)) == ["refreshToken", "token"]
    status, answer = curl(*empty_post, server.url + "/api/jwt/refresh", "-b", jar, "-c", jar)
    assert status == 200  # the cookies that the first answer set were enough

    login = shared_world.login(dialects.mount_at("/oauth2/token"))
    status, answer = curl(server.url + "/oauth2/token", "-d", "grant_type=refresh_token",
                          "--data-urlencode", f"scope={login.scope}",
                          "-d", f"refresh_token={login.refresh_token}")
    assert status == 200 and answer.endswith("}\n")


def test_documented_python_sample_is_refused(shared_world, server):
    """WireCash's Python sample, as printed: it puts the credentials into the URL, where servers log
    them; the document's own text forbids it."""
    login = shared_world.login(dialects.mount_at("/sandbox/token"))
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = requests.post(server.url + "/sandbox/token", params={
        "access_token": login.access_token, "refresh_token": login.refresh_token,
        "username": "ada"}, headers=headers, timeout=30)
    assert answer.status_code == 400 and answer.json() == {"message": "Invalid data provided"}
