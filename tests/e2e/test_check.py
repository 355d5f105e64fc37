# SPDX-License-Identifier: ISC
"""Pages that the web server hands out to whoever has an access token of ours, and asks Retoken first:
nginx by auth_request, Apache and lighttpd by a FastCGI authorizer."""

import base64
import hashlib
import json
import pathlib

import pytest

from lab import dialects, machine
from lab.http import Request

KINDS = ("nginx", "lighttpd", "lighttpd-socket", "apache")
SETTINGS = "[realm /oauth/token]\ndialect = oauth\ncheck-cookie = access_token\n"
# Who the page's program believes its user to be.
CLAIMED = [("Remote-User", "eve"), ("Remote_User", "eve"), ("Variable-Remote-User", "eve"), ("Auth-Type", "Basic")]
NGINX = """
    location /members/ {
        auth_request /oauth/check;
        auth_request_set $retoken_user $upstream_http_remote_user;
        add_header X-User $retoken_user;
    }
    location /members/editors/ { auth_request "/oauth/check/read write"; }
"""
APACHE = """
    <Location "/members/">
        Header set X-User "expr=%{REMOTE_USER}"
    </Location>
    <Location "/members/editors/">
        SetEnvIf Request_URI ^ "RETOKEN_CHECK_SCOPE=read write"
    </Location>
"""
# lighttpd shows an authorizer's variables to the page's program only
LIGHTTPD = """
    server.modules += ( "mod_cgi", "mod_setenv" )
    $HTTP["url"] =~ "^/members/" { cgi.assign = ( "index.html" => "%s" ) }
    $HTTP["url"] =~ "^/members/editors/" { setenv.set-environment = ( "RETOKEN_CHECK_SCOPE" => "read write" ) }
"""


def lines_for(kind, world):
    if not kind.startswith("lighttpd"):
        return {"nginx": NGINX, "apache": APACHE}[kind]
    shows = world.installed.folder / "shows-user"
    shows.write_text('#!/bin/sh\nprintf \'X-User: %s\\nContent-Type: text/html\\n\\nMembers\\n\' "$REMOTE_USER"\n')
    shows.chmod(0o755)
    machine.own(shows)
    return LIGHTTPD % shows


@pytest.fixture(params=KINDS)
def guarded(request, small_world):
    """A server with check.conf, the world behind it, and a session of ada's."""
    world = small_world(SETTINGS)
    server = world.serve(request.param, checked=True, extra=lines_for(request.param, world))
    server.world = world
    return server


def tokens_of(server, login):
    """The session's next tokens."""
    mount = dialects.mount_at("/oauth/token")
    answer = server.send(mount.dialect.request(mount.path, login))
    assert answer.status == 200, answer
    return json.loads(answer.body)


def ask(server, *headers, method="GET", body=b"", path="/members/index.html"):
    return server.send(Request(method, path, list(headers), body))


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def test_page_shuts_at_the_next_request(guarded):
    world = guarded.world
    login = world.login(dialects.mount_at("/oauth/token"))
    tokens = tokens_of(guarded, login)

    refused = ask(guarded)
    assert refused.status == 401 and b"Members" not in refused.body
    assert refused.header("WWW-Authenticate") == 'Bearer realm="retoken"'
    page = ask(guarded, bearer(tokens["access_token"]))
    assert page.status == 200 and b"Members" in page.body, (page, guarded.log_text())
    assert page.header("X-User") == "ada"
    page = ask(guarded, bearer(tokens["access_token"]), *CLAIMED)
    assert page.header("X-User") == "ada"
    page = ask(guarded, ("Cookie", f"theme=dark; access_token={tokens['access_token']}"))
    assert page.status == 200 and page.header("X-User") == "ada"
    page = ask(guarded, bearer(tokens["access_token"]), ("Origin", "https://evil.example"),
               ("Content-Type", "text/plain"), method="POST", body=b"a=b")
    assert page.status in (200, 405), page  # files take no POST: the check is not what refuses it

    world.installed.retoken("session", "revoke", login.session)
    refused = ask(guarded, bearer(tokens["access_token"]))
    assert refused.status == 401 and b"Members" not in refused.body
    assert refused.header("WWW-Authenticate") == 'Bearer realm="retoken", error="invalid_token"'
    assert tokens["access_token"] not in guarded.log_text()


def test_what_opens_no_page(guarded):
    world = guarded.world
    login = world.login(dialects.mount_at("/oauth/token"))
    tokens = tokens_of(guarded, login)
    generation = world.installed.session(login.session)["generation"]
    header, payload, signature = tokens["access_token"].split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**said, "sub": "eve"}).encode()).decode().rstrip("=")
    for headers in ([bearer(tokens["refresh_token"])], [bearer(f"{header}.{forged}.{signature}")],
                    [bearer("x" * 7000)], [bearer("")], [("Authorization", "Basic YWRhOmFkYQ==")],
                    [("Authorization", tokens["access_token"])], [("Cookie", "access_token=")],
                    [("Cookie", f"session={tokens['access_token']}")], [("Remote-User", "ada")]):
        for path in ("/members/index.html", "/members/index.html?access_token=" + tokens["access_token"]):
            refused = ask(guarded, *headers, path=path)
            assert refused.status in (400, 401), (headers, refused)
            assert b"Members" not in refused.body
    twice = ask(guarded, bearer("nonsense"), bearer(tokens["access_token"]))
    assert twice.status in (400, 401) and b"Members" not in twice.body
    other = world.login(dialects.mount_at("/oauth/token"), name="grace")
    both = (f"access_token={tokens['access_token']}; access_token={tokens_of(guarded, other)['access_token']}")
    assert ask(guarded, ("Cookie", both)).status == 401
    assert world.installed.session(login.session)["generation"] == generation  # nothing was spent


def test_scope_that_a_page_needs(guarded):
    """Of the token, and asked for by the server's configuration alone: no header takes it back."""
    path = "/members/editors/index.html"
    folder = guarded.root / "members" / "editors"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Members</title>\n")
    machine.own(folder)
    mount = dialects.mount_at("/oauth/token")
    login = guarded.world.login(mount, scope="read write")
    page = ask(guarded, bearer(tokens_of(guarded, login)["access_token"]), path=path)
    assert page.status == 200 and b"Members" in page.body, (page, guarded.log_text())
    less = tokens_of(guarded, guarded.world.login(mount, scope="read"))["access_token"]
    assert ask(guarded, bearer(less)).status == 200
    for headers in ([], [("Retoken-Check-Scope", "read")], [("RETOKEN_CHECK_SCOPE", "read")]):
        refused = ask(guarded, bearer(less), *headers, path=path)
        assert refused.status == 403 and b"Members" not in refused.body, refused
    assert ask(guarded, path=path).status == 401


def test_a_client_is_no_user(guarded):
    """A token of client_credentials names no account."""
    world = guarded.world
    world.installed.retoken("client", "set", "web", "--grant", "refresh", "--grant", "client")
    basic = base64.b64encode(f"web:{world.secrets['web']}".encode()).decode()
    own = guarded.send(Request("POST", "/oauth/token", [dialects.FORM, ("Authorization", f"Basic {basic}")],
                               b"grant_type=client_credentials"))
    assert own.status == 200, own
    refused = ask(guarded, bearer(json.loads(own.body)["access_token"]))
    assert refused.status == 403 and b"Members" not in refused.body



# ---- what apps ask for their users ----

def test_own_sessions(small_world):
    """Seen and ended with an access token; the ended one's is refused at the next request."""
    world = small_world(SETTINGS)
    server = world.serve("nginx", checked=True, extra=NGINX)
    server.world = world
    logins = [world.login(dialects.mount_at("/oauth/token")) for _ in range(2)]
    world.login(dialects.mount_at("/oauth/token"), name="grace")
    here, there = [tokens_of(server, login)["access_token"] for login in logins]

    def sessions(token):
        answer = server.send(Request("GET", "/oauth/sessions", [bearer(token)]))
        assert answer.status == 200, answer
        assert here not in answer.body.decode() and logins[0].refresh_token not in answer.body.decode()
        return {row["session"]: row["current"] for row in json.loads(answer.body)["sessions"]}

    def end(token, session):
        answer = server.send(Request("POST", "/oauth/sessions", [bearer(token), dialects.FORM],
                                     f"session={session}".encode()))
        assert answer.status == 200, answer
        return json.loads(answer.body)["ended"]

    assert sessions(here) == {logins[0].session: True, logins[1].session: False}
    assert ask(server, bearer(there)).status == 200
    assert end(here, logins[1].session) is True and end(here, logins[1].session) is False
    assert ask(server, bearer(there)).status == 401
    assert sessions(here) == {logins[0].session: True}
    assert server.send(Request("GET", "/oauth/sessions", [bearer(there)])).status == 401
    assert server.send(Request("GET", "/oauth/sessions", [("Cookie", f"access_token={here}")])).status == 401
    assert world.installed.session(logins[1].session)["state"] == "logged out by its user"


def test_fusionauth_validates(world):
    mount = dialects.mount_at("/api/jwt/refresh")
    server = world.serve("socket")
    login = world.login(mount)
    token = json.loads(server.send(mount.dialect.request(mount.path, login)).body)["token"]

    def validate(*headers):
        return server.send(Request("GET", "/api/jwt/validate", list(headers)))

    assert json.loads(validate(bearer(token)).body)["jwt"]["sid"] == login.session
    assert validate(("Cookie", f"access_token={token}")).status == 200
    world.installed.retoken("session", "revoke", login.session)
    refused = validate(bearer(token))
    assert refused.status == 401 and refused.body == b"" and refused.header("Content-Type") is None


def test_kopong_validates(world):
    """Its tokens name no session, but an account."""
    mount = dialects.mount_at("/oauth/access_token")
    server = world.serve("socket")
    login = world.login(mount)
    said = json.loads(server.send(mount.dialect.request(mount.path, login)).body)
    asked = Request("GET", "/api/validate", [bearer(said["access_token"])])
    answer = json.loads(server.send(asked).body)
    del said["refresh_token"]
    assert said["expires_in"] - 60 <= answer["expires_in"] <= said["expires_in"]
    assert dict(answer, expires_in=0) == dict(said, expires_in=0)
    assert server.send(Request("GET", "/api/validate", [bearer(login.refresh_token)])).status == 401
    world.installed.retoken("account", "disable", "ada")
    refused = server.send(asked)
    assert refused.status == 401 and refused.body == b""
    assert refused.header("WWW-Authenticate") == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("kind", KINDS)
def test_fusionauth_revokes(small_world, kind):
    """DELETE gets through each server, with parameters and with a body."""
    key = "bf69486b-4733-4470-a592-f1bfce7af580"
    world = small_world("[realm /oauth/token]\ndialect = oauth\n[realm shop]\ndialect = fusionauth\n"
                        f"api-key-sha256 = {hashlib.sha256(key.encode()).hexdigest()}\n")
    mount = dialects.mount_at("/api/jwt/refresh")
    server = world.serve(kind)
    logins = [world.login(mount) for _ in range(4)]
    tokens = [json.loads(server.send(mount.dialect.request(mount.path, login)).body) for login in logins]
    states = lambda: [world.installed.session(login.session)["state"] for login in logins]  # noqa: E731

    def revoke(authorization, query="", body=b"", below=""):
        json_type = [("Content-Type", "application/json")] if body else []
        answer = server.send(Request("DELETE", f"/api/jwt/refresh{below}?{query}",
                                     [("Authorization", authorization), *json_type], body))
        assert answer.body == b"" and answer.header("Content-Type") is None
        return answer.status

    assert revoke("another", f"token={tokens[0]['refreshToken']}") == 401
    assert revoke(key, f"token={tokens[0]['refreshToken']}&userId=undefined&applicationId=undefined") == 200
    assert states() == ["revoked by an administrator", "live", "live", "live"]
    mine = f"Bearer {tokens[1]['token']}"
    assert revoke(mine, "userId=grace") == 401
    assert revoke(mine, body=json.dumps({"token": tokens[1]["refreshToken"]}).encode()) == 200
    assert states()[1:] == ["logged out by its user", "live", "live"]
    assert revoke(key, below=f"/{logins[3].session}") == 200 and states()[2:] == ["live", states()[0]]
    assert revoke(key, "userId=ada") == 200 and states()[2] == "revoked by an administrator"
    assert revoke(key, f"token={tokens[2]['refreshToken']}") == 404


# ---- the modules of others, in Apache ----

MODULES = "/usr/lib/apache2/modules"
# It asks over https only.
OPENIDC = f"""
LoadModule ssl_module {MODULES}/mod_ssl.so
Listen 127.0.0.1:{{tls_port}} https
<VirtualHost 127.0.0.1:{{tls_port}}>
    SSLEngine on
    SSLCertificateFile {{certificate}}
</VirtualHost>
LoadModule auth_openidc_module {MODULES}/mod_auth_openidc.so
OIDCOAuthSSLValidateServer Off
%s
<Location "/members/">
    AuthType oauth20
    Require valid-user
    Header set X-User "expr=%%{{REMOTE_USER}}"
</Location>
"""
OAUTH2 = f"""
LoadModule oauth2_module {MODULES}/mod_oauth2.so
<Location "/members/">
    AuthType oauth2
    OAuth2TokenVerify %s
    OAuth2TargetPass remote_user_claim=sub
    Require valid-user
    Header set X-User "expr=%%{{REMOTE_USER}}"
</Location>
"""
# How each is told to ask Retoken at each request, and to trust the signature alone.
ONLINE = {
    "mod_auth_openidc": OPENIDC % """
OIDCOAuthIntrospectionEndpoint https://127.0.0.1:{tls_port}/oauth/introspect
OIDCOAuthClientID web
OIDCOAuthClientSecret {secret}
OIDCOAuthTokenIntrospectionInterval -1
OIDCOAuthRemoteUserClaim username
""",
    "mod_oauth2": OAUTH2 % ("introspect {url}/oauth/introspect introspect.auth=client_secret_basic&client_id=web"
                            "&client_secret={secret}&expiry=0"),
}
OFFLINE = {
    "mod_auth_openidc": OPENIDC % """
OIDCOAuthVerifyJwksUri https://127.0.0.1:{tls_port}/.well-known/jwks.json
OIDCOAuthRemoteUserClaim sub
""",
    "mod_oauth2": OAUTH2 % "jwks_uri {url}/.well-known/jwks.json",
}


def certificate(path):
    """A key and its certificate, in one file."""
    done = machine.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=127.0.0.1", "-keyout", path, "-out", f"{path}.crt"])
    assert done.returncode == 0, done.stderr
    with path.open("ab") as pem:
        pem.write(pathlib.Path(f"{path}.crt").read_bytes())
    return path


def apache(small_world, lines):
    world = small_world(SETTINGS + "issuer = https://login.example\n")
    port = machine.free_port()
    values = {"url": f"http://127.0.0.1:{port}", "secret": world.secrets["web"], "tls_port": str(machine.free_port()),
              "certificate": str(certificate(world.installed.folder / "tls.pem"))}
    for name, value in values.items():
        lines = lines.replace(f"{{{name}}}", value)
    server = world.serve("apache", port=port, extra=lines)
    server.world = world
    return server


@pytest.mark.parametrize("module", ONLINE)
def test_introspection_by(small_world, module):
    server = apache(small_world, ONLINE[module])
    login = server.world.login(dialects.mount_at("/oauth/token"))
    tokens = tokens_of(server, login)
    assert ask(server).status == 401
    for _ in range(2):
        page = ask(server, bearer(tokens["access_token"]))
        assert page.status == 200 and page.header("X-User") == "ada", server.log_text()
    server.world.installed.retoken("session", "revoke", login.session)
    assert ask(server, bearer(tokens["access_token"])).status == 401


@pytest.mark.parametrize("module", OFFLINE)
def test_key_set_by(small_world, module):
    server = apache(small_world, OFFLINE[module])
    tokens = tokens_of(server, server.world.login(dialects.mount_at("/oauth/token")))
    assert ask(server).status == 401
    page = ask(server, bearer(tokens["access_token"]))
    assert page.status == 200 and page.header("X-User") == "ada", server.log_text()
    header, payload, signature = tokens["access_token"].split(".")
    signature = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert ask(server, bearer(f"{header}.{payload}.{signature}")).status == 401
