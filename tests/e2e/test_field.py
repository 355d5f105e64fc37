# SPDX-License-Identifier: ISC
"""Requests as clients in the field send them: what is odd about them and harms nobody must not cost a
login. Each row is one habit, sent through lighttpd, nginx and Apache. To add one: a function of a
Place that returns the Request, in GRANTED or in REFUSED."""

import base64
import gzip
import json
import os
import subprocess
import time
import urllib.parse

import pytest

from conftest import new_world
from lab import dialects
from lab.http import Request

OAUTH = "/oauth/token"
KOPONG = "/oauth/access_token"
FUSION = "/api/jwt/refresh"
WIRECASH = "/sandbox/token"
DUKTIG = "/auth/refresh_token"
KOPPELTAAL = "/oauth2/token"
SIMPLEJWT = "/api/token/refresh"

ODD_SECRET = "9+4/7%x=:&é 100%"
SERVERS = ("lighttpd", "nginx", "apache", "apache-proxy")


def openssl(*words, stdin):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


SIGNER = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", stdin=b"")


class Place:
    def __init__(self, world, server):
        self.world, self.server = world, server

    def token(self, path, client=None, **more):
        return self.login(path, client, **more).refresh_token

    def login(self, path, client=None, **more):
        return self.world.login(dialects.mount_at(path), client, **more)

    def web(self):
        return dialects.basic("web", self.world.secrets["web"])

    def send(self, request):
        return self.server.send(request)


@pytest.fixture(scope="module", params=SERVERS)
def place(request, template):
    with new_world(template) as world:
        world.installed.retoken("client", "add", "odd", "--secret-file", "-",
                                stdin=ODD_SECRET.encode() + b"\n")
        world.secrets["odd"] = ODD_SECRET
        world.mount_settings(dialects.mount_at(OAUTH), issuer="http://login.example.org/", audience="api")
        world.installed.retoken("client", "add", "signer", "--key", "-", "--algorithm", "PS256",
                                stdin=openssl("pkey", "-pubout", stdin=SIGNER))
        yield Place(world, world.serve(request.param))


def typed(value):
    return ("Content-Type", value)


def body_of(token, tail=b""):
    return b"grant_type=refresh_token&refresh_token=" + token.encode() + tail


def oauth(place, body=None, tail=b"", kind=dialects.FORM, path=OAUTH, headers=(), scope="read write"):
    token = place.token(OAUTH, scope=scope)
    return Request("POST", path, [kind, place.web(), *headers],
                   body_of(token, tail) if body is None else body(token.encode()))


def raw_basic(user, password):
    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def fusion(place, cookies=(), content=None, kind=dialects.JSON):
    headers = [("Cookie", cookie) for cookie in cookies]
    return Request("POST", FUSION, headers + ([kind] if content else []), content or b"")


def used(place):
    """A token that was spent and its successor."""
    login = place.login(FUSION)
    answer = place.send(fusion(place, [f"refresh_token={login.refresh_token}"]))
    return login.refresh_token, json.loads(answer.body)["refreshToken"]


def by_cookies(spell):
    return lambda place: fusion(place, [line.replace("TOKEN", place_token) for place_token in
                                        [place.token(FUSION)] for line in spell])


def by_json(path, content, kind=dialects.JSON):
    def make(place):
        login = place.login(path)
        text = (content.replace("TOKEN", login.refresh_token).replace("ACCESS", login.access_token))
        return Request("POST", path, [kind], text.encode("utf-8", "surrogateescape"))
    return make


def by_form(path, content, kind=dialects.FORM):
    def make(place):
        login = place.login(path)
        return Request("POST", path, [kind],
                       content.replace("TOKEN", login.refresh_token).encode("latin-1"))
    return make


def spent_beside_new(place):
    old, new = used(place)
    return fusion(place, [f"refresh_token={old}; refresh_token={new}"])


def odd_client(place, credentials=None):
    return Request("POST", OAUTH, [dialects.FORM, credentials or raw_basic("odd", ODD_SECRET)],
                   body_of(place.token(OAUTH, "odd")))


BOM = "\ufeff"
GRANTED = {
    # charsets, which neither media type has
    "form in windows-1252": lambda p: oauth(p, kind=typed(f"{dialects.FORM[1]};charset=windows-1252")),
    "form in no charset": lambda p: oauth(p, kind=typed(f'{dialects.FORM[1]}; charset="x')),
    "kopong in Latin 9": by_form(KOPONG, "grant_type=refresh_token&refresh_token=TOKEN",
                                 typed(f"{dialects.FORM[1]}; Charset=ISO-8859-15")),
    "koppeltaal in Shift_JIS": by_form(
        KOPPELTAAL, "grant_type=refresh_token&scope=*/write&refresh_token=TOKEN",
        typed(f"{dialects.FORM[1]}; charset=Shift_JIS")),
    "JSON in cp1252": by_json(FUSION, '{"refreshToken":"TOKEN"}', typed("application/json;charset=cp1252")),
    "JSON in utf8 to wirecash": by_json(
        WIRECASH, '{"username":"ada","access_token":"ACCESS","refresh_token":"TOKEN"}',
        typed("application/json; charset=utf8")),
    "JSON in UCS-2 to simplejwt": by_json(SIMPLEJWT, '{"refresh":"TOKEN"}',
                                          typed("application/json; charset=ucs-2")),
    # byte order marks
    "JSON behind a byte order mark": by_json(FUSION, BOM + '{"refreshToken":"TOKEN"}\r\n'),
    "form behind a byte order mark": lambda p: oauth(
        p, lambda t: b"\xef\xbb\xbf" + body_of(t.decode())),
    # white space round tokens and at the end
    "form of two lines": lambda p: oauth(p, lambda t: body_of(t.decode()).replace(b"&", b"&\n") + b"\n\n"),
    "encoded line break": lambda p: oauth(p, tail=b"%0A"),
    "encoded blanks on both sides": lambda p: oauth(
        p, lambda t: b"grant_type=refresh_token%20&refresh_token=+%09" + t + b"%0D%0A"),
    "line break behind a scope": lambda p: oauth(p, tail=b"&scope=read\r\n"),
    "line break behind a secret": lambda p: Request(
        "POST", OAUTH, [dialects.FORM],
        body_of(p.token(OAUTH), b"&client_id=web&client_secret=" + p.world.secrets["web"].encode() + b"\r\n")),
    "kopong with line breaks": by_form(KOPONG, "grant_type=refresh_token%0a&refresh_token=TOKEN%20\r\n"),
    "koppeltaal with a line break": by_form(
        KOPPELTAAL, "scope=*/write&grant_type=refresh_token&refresh_token=TOKEN%0A"),
    "simplejwt with a line break": by_form(SIMPLEJWT, "refresh=TOKEN\n"),
    "JSON with a line break": by_json(FUSION, '{"refreshToken":"\\tTOKEN\\r\\n"}'),
    "wirecash with line breaks": by_json(
        WIRECASH, '{"username":"ada","access_token":"ACCESS\\n","refresh_token":" TOKEN\\n"}\n'),
    # bytes that nobody reads
    "Latin-1 in a device name": lambda p: oauth(p, tail=b"&device=Caf\xe9+%E9&%=%&x=%00"),
    "bad escape in the query": lambda p: oauth(p, path=OAUTH + "?campaign=50%&x=%zz"),
    "kopong, bad escape elsewhere": by_form(KOPONG, "grant_type=refresh_token&n=%u00e9&refresh_token=TOKEN"),
    # cookies
    "two Cookie lines": by_cookies(["lang=de", "refresh_token=TOKEN"]),
    "three Cookie lines": by_cookies(["refresh_token=TOKEN", "a=1", "b=2; c=3"]),
    "lines joined by commas": by_cookies(["a=1, refresh_token=TOKEN, b=2"]),
    "quoted cookie": by_cookies(['refresh_token="TOKEN"']),
    "stale cookie behind": by_cookies(["refresh_token=TOKEN; refresh_token=left.by.another"]),
    "stale cookies in front": by_cookies(["; ".join(f"refresh_token=old-{n}" for n in range(30)),
                                          "refresh_token=TOKEN"]),
    "same cookie twice": by_cookies(["refresh_token=TOKEN; refresh_token=TOKEN"]),
    "undefined beside a good one": by_cookies(["refresh_token=undefined; refresh_token=TOKEN"]),
    "older cookie of one session": spent_beside_new,
    # scopes
    "scope in another order": lambda p: oauth(p, tail=b"&scope=write+read"),
    "scope with blanks and doubles": lambda p: oauth(p, tail=b"&scope=+write++read%09write+"),
    # Basic
    "Basic as it stands": odd_client,
    "Basic encoded": lambda p: odd_client(p, dialects.basic("odd", ODD_SECRET)),
    # slashes
    "slash behind the path": lambda p: oauth(p, path=OAUTH + "/"),
    "slash before a query": lambda p: oauth(p, path=OAUTH + "/?x=1"),
    "identity is no coding": lambda p: oauth(p, headers=[("Content-Encoding", "identity")]),
}


@pytest.mark.parametrize("habit", GRANTED)
def test_granted(place, habit):
    answer = place.send(GRANTED[habit](place))
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("mount", [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS])
def test_a_slash_more(place, mount):
    login = place.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    request.path = request.path.replace(mount.path, mount.path + "/", 1)
    assert mount.dialect.complaints(login, place.send(request)) == []


@pytest.mark.parametrize("kind", SERVERS)
def test_a_slash_more_where_no_token_is(small_world, kind):
    """At every endpoint that is there by default, whatever it says of a request without anything."""
    world = small_world("")
    server = world.serve(kind)

    def said(method, path):
        answer = server.send(Request(method, path))
        return answer.status, answer.body, answer.header("WWW-Authenticate")

    rows = [row for dialect in world.installed.json("dialects") if dialect["origin"] == "program"
            for row in dialect["endpoints"]]
    assert {dialects.JWKS_PATH, "/healthz", "/oauth/revoke", "/oauth/check"} <= {row["path"] for row in rows}
    there = 0
    for row in rows:
        path, other = row["path"], row["path"] + ("" if row["path"].endswith("/") else "/")
        plain = said(row["methods"][0], path)
        assert said(row["methods"][0], other) == plain, path
        there += plain[0] != 404
    assert there > len(rows) * 3 / 5  # the others need an issuer, a login or metrics = on


def test_each_scope_word_is_granted_once(place):
    answer = place.send(oauth(place, tail=b"&scope=" + b"read+" * 900))
    claims = dialects.jwt_claims(json.loads(answer.body)["access_token"])
    assert claims["scope"] == "read"


@pytest.mark.parametrize("scope", ["write  read write", " read\twrite\n"])
def test_scope_of_a_login_has_one_form(place, scope):
    login = place.login(OAUTH, scope=scope)
    assert place.world.installed.session(login.session)["scope"] == " ".join(
        dict.fromkeys(scope.split()))


def refused_body(path, body, headers=(), kind=dialects.FORM):
    return lambda place: Request("POST", path, [kind, *headers], body)


PACKED = gzip.compress(b"grant_type=refresh_token&refresh_token=x")
REFUSED = {
    # what protects stays strict
    "compressed form": (refused_body(OAUTH, PACKED, [("Content-Encoding", "gzip")]), 415, b"compressed"),
    "compressed JSON": (refused_body(FUSION, PACKED, [("Content-Encoding", "gzip")], dialects.JSON), 415,
                        b"compressed"),
    "compressed to kopong": (refused_body(KOPONG, PACKED, [("Content-Encoding", "br")]), 415, b"compressed"),
    "bad token bytes": (lambda p: oauth(p, tail=b"%ff"), 400, b"invalid_request"),
    "scope twice": (lambda p: oauth(p, tail=b"&scope=read&scope=read"), 400, b"invalid_request"),
    "wider scope": (lambda p: oauth(p, tail=b"&scope=read++admin"), 400, b"invalid_scope"),
    "token in the query": (lambda p: oauth(p, path=OAUTH + "/?refresh_token=x"), 400, b"invalid_request"),
    "another path": (lambda p: oauth(p, path="/oauth/tokens/"), 404, b""),
    "two ways to authenticate": (lambda p: oauth(p, tail=b"&client_id=web&client_secret=x"), 400,
                                 b"one way only"),
    "wrong secret either way": (lambda p: odd_client(p, raw_basic("odd", ODD_SECRET + "+")), 401,
                                b"invalid_client"),
    "two logins in cookies": (
        lambda p: fusion(p, [f"refresh_token={p.token(FUSION)}; refresh_token={p.token(FUSION)}"]),
        400, b"[duplicate]"),
    "garbage in two cookies": (
        lambda p: fusion(p, ["refresh_token=a", "refresh_token=b"]), 401, b""),
}


@pytest.mark.parametrize("habit", REFUSED)
def test_refused(place, habit):
    make, status, words = REFUSED[habit]
    answer = place.send(make(place))
    assert (answer.status, words in answer.body) == (status, True), answer.body
    assert answer.all("set-cookie") == []  # no refusal clears a cookie


# ---- client assertions ----

def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def assertion(folder, header=(), **claims):
    """Signed with PS256 by the client signer."""
    said = {"iss": "signer", "sub": "signer", "aud": "https://login.example.org" + OAUTH,
            "exp": time.time() + 45.25, "jti": os.urandom(9).hex(), **claims}
    signed = base64url(json.dumps({"alg": "PS256", **dict(header)}).encode()) + b"." + base64url(
        json.dumps(said).encode())
    key = folder / "signer.pem"
    key.write_bytes(SIGNER)
    return (signed + b"." + base64url(openssl(
        "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest",
        "-sign", str(key), stdin=signed))).decode()


def signed_request(place, token, proof, path=OAUTH):
    return place.send(Request("POST", path, [dialects.FORM], body_of(token, ("&" + urllib.parse.urlencode({
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": proof})).encode())))


def test_assertions_prove_once_and_here_only(place, tmp_path):
    mine, other = place.token(OAUTH, "signer"), place.token(OAUTH, "signer")
    proof = assertion(tmp_path, [("typ", "application/Client-Authentication+JWT")])
    first, again = (signed_request(place, mine, proof) for _ in range(2))
    assert (first.status, again.status) == (200, 200), (first.body, again.body)
    assert json.loads(first.body)["refresh_token"] == json.loads(again.body)["refresh_token"]
    assert signed_request(place, other, proof).status == 401
    for wrong in ({"aud": "https://login.example.org/elsewhere"}, {"aud": f"http://127.0.0.1{OAUTH}"},
                  {"aud": ["http://login.example.org/", "https://other.example"]}, {"exp": "9999999999"},
                  {"exp": time.time() - 61}, {"iat": time.time() + 300}, {"jti": 1}, {"sub": "web"}):
        assert signed_request(place, other, assertion(tmp_path, **wrong)).status == 401, wrong
    assert signed_request(place, other, assertion(tmp_path, [("typ", "at+jwt")])).status == 401
    right = assertion(tmp_path, aud=["http://login.example.org/"])
    assert signed_request(place, other, right, OAUTH + "/").status == 200
