# SPDX-License-Identifier: ISC
"""A backend that nobody knows, described in a file beside the configuration: its clients log in, refresh and log out
through real web servers, without a compiler. What a file can say is in tests/process/test_dialect_file.c."""

import json

import pytest

from conftest import PASSWORD
from lab import dialects, machine
from lab.http import Request

# Paths that the samples of the web servers hand over.
LOGIN, REFRESH, LOGOUT = "/login", "/auth/token", "/api/logout"
FILE = f"""
[dialect]
summary        = Acme: camel case in an envelope, refresh token in a cookie or the body
json-style     = slash
refresh-cookie = acme_rt
idle-lifetime  = 90d

[access-token]
header  = {{"alg":"${{alg}}","typ":"JWT"}}
payload = {{"uid":"${{subject}}","mail":${{account.email?}},"exp":${{expires_at}},"sid":"${{session}}"}}

[endpoint refresh]
path           = {REFRESH}
operation      = refresh
refresh-token  = json /data/refreshToken, cookie
answer         = 200 {{
answer         = '  "data": {{ "accessToken": "${{access_token}}", "refreshToken": "${{refresh_token}}",'
answer         = '            "expiresIn": ${{expires_in.ms}}, "user": "${{username}}" }}'
answer         = }}
answer         = ''
answer.cookies = set

[endpoint login]
path           = {LOGIN}
operation      = login
username       = json /data/user
password       = json /data/password
answer         = 201 {{"data":{{"accessToken":"${{access_token}}","refreshToken":"${{refresh_token}}"}}}}
answer.cookies = set

[endpoint logout]
path           = {LOGOUT}
operation      = logout
access-token   = bearer
answer         = 204

[refusals]
request = 400 {{"error":{{"code":"BAD_REQUEST"}}}}
client  = 401 {{"error":{{"code":"BAD_CREDENTIALS"}}}}
token   = 401 {{"error":{{"code":"SIGNED_OUT"}}}}
token.header.WWW-Authenticate = Bearer
expired = 401 {{"error":{{"code":"EXPIRED"}}}}
here    = 503 {{"error":{{"code":"TRY_AGAIN"}}}}
"""
BUSY = 60  # seconds


def describe(world, text=FILE):
    file = world.installed.folder / "acme.dialect"
    file.write_text(text)
    machine.own(file)
    world.installed.replace_settings("[retoken]\npassword-hash = yescrypt:1\n[dialect acme]\nfile = acme.dialect\n"
                                     "[realm acme]\ndialect = acme\nalgorithm = ES256\n")
    world.installed.run("key", "add", "--algorithm", "ES256", "--activate")


def ask(server, path, data=None, headers=()):
    body = b"" if data is None else json.dumps({"data": data}).encode()
    return server.send(Request("POST", path, [dialects.JSON, *headers], body), timeout=BUSY)


@pytest.mark.parametrize("kind", ["socket", "apache", "nginx", "lighttpd", "lighttpd-cgi"])
def test_a_made_up_backend(world, kind):
    describe(world)
    server = world.serve(kind)
    answer = ask(server, LOGIN, {"user": "ada", "password": PASSWORD})
    assert answer.status == 201, (answer.body, server.log_text()[-2000:])
    tokens = json.loads(answer.body)["data"]
    assert dialects.jwt_claims(tokens["accessToken"])["mail"] == "ada@example.org"
    for _ in range(3):
        again = [ask(server, REFRESH, {"refreshToken": tokens["refreshToken"]}) for _ in range(2)]
        assert [one.status for one in again] == [200, 200], again[0].body
        after = json.loads(again[0].body)["data"]
        assert json.loads(again[1].body)["data"]["refreshToken"] == after["refreshToken"] != tokens["refreshToken"]
        assert after["user"] == "ada" and after["expiresIn"] > 3_000_000
        assert again[0].body.startswith(b'{\n  "data": { "accessToken": "') and again[0].body.endswith(b"}\n}\n")
        tokens = after
    cookie = again[0].header("Set-Cookie").partition(";")[0]
    assert cookie == f"acme_rt={tokens['refreshToken']}"
    assert ask(server, REFRESH, headers=[("Cookie", cookie)]).status == 200

    wrong = ask(server, LOGIN, {"user": "ada", "password": "wrong"})
    assert (wrong.status, wrong.body) == (401, b'{"error":{"code":"BAD_CREDENTIALS"}}')
    assert ask(server, REFRESH, {}).body == b'{"error":{"code":"BAD_REQUEST"}}'
    assert ask(server, LOGOUT, headers=[("Authorization", f"Bearer {tokens['accessToken']}")]).status == 204
    ended = ask(server, REFRESH, {"refreshToken": tokens["refreshToken"]})
    assert (ended.status, ended.body) == (401, b'{"error":{"code":"SIGNED_OUT"}}')
    assert ended.header("WWW-Authenticate") == "Bearer" and ended.header("Set-Cookie") is None


def test_a_page_of_another_site_cannot_use_the_cookie(world):
    describe(world)
    server = world.serve("socket")
    tokens = json.loads(ask(server, LOGIN, {"user": "ada", "password": PASSWORD}).body)["data"]
    for headers in ([("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")]):
        answer = ask(server, REFRESH, headers=[("Cookie", f"acme_rt={tokens['refreshToken']}"), *headers])
        assert answer.status == 400 and answer.header("Set-Cookie") is None
    assert ask(server, REFRESH, {"refreshToken": tokens["refreshToken"]}).status == 200


def test_a_mistake_names_the_line(world):
    describe(world, FILE.replace("${username}", "${user}"))
    done = world.installed.run("doctor")
    assert done.returncode != 0
    assert "acme.dialect:" in done.stdout.decode() + done.stderr.decode()
    assert "${user}: unknown; write one of access_token" in done.stdout.decode() + done.stderr.decode()


def test_a_file_of_others_is_not_read(world):
    describe(world)
    (world.installed.folder / "acme.dialect").chmod(0o666)
    done = world.installed.run("doctor")
    assert "acme.dialect: can be written by others: chmod go-w" in done.stdout.decode() + done.stderr.decode()
