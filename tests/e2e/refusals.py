# SPDX-License-Identifier: ISC
"""What each dialect says when it refuses, byte for byte, as its document or the server behind it
has it. One row per documented error: how a client comes by it, and the answer."""

import dataclasses
import urllib.parse

from lab import dialects
from lab.http import Request

FORM, JSON = dialects.FORM, dialects.JSON
BEARER_INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}


@dataclasses.dataclass(frozen=True)
class Refusal:
    name: str
    request: object  # (path, login) -> Request
    status: int
    body: bytes
    content_type: str | None
    headers: dict = dataclasses.field(default_factory=dict)

    def complaints(self, answer):
        found = []
        if answer.status != self.status:
            found.append(f"status {answer.status} instead of {self.status}")
        if answer.body != self.body:
            found.append(f"body {answer.body!r} instead of {self.body!r}")
        if answer.header("content-type") != self.content_type:
            found.append(f"Content-Type {answer.header('content-type')!r}")
        for name, value in self.headers.items():
            if answer.header(name) != value:
                found.append(f"{name} is {answer.header(name)!r} instead of {value!r}")
        if answer.header("cache-control") != "no-store":
            found.append("an answer of a token endpoint may be cached")
        if answer.all("set-cookie"):
            found.append("a refusal touches a cookie")
        return found


def form(**fields):
    """A form request; a list repeats its name; None leaves it out."""
    rows = [(name, one) for name, value in fields.items() if value is not None
            for one in (value if isinstance(value, list) else [value])]
    body = urllib.parse.urlencode(rows).encode()
    return lambda path, login: Request("POST", path, [FORM], body)


def with_token(dialect, token):
    """The dialect's own request with another refresh token."""
    return lambda path, login: dialect.request(path, dataclasses.replace(
        login, refresh_token=token(login) if callable(token) else token))


def method(name):
    return lambda path, login: Request(name, path)


def tampered(login):
    """One character in the middle of the token changed."""
    middle = len(login.refresh_token) // 2
    old = login.refresh_token[middle]
    new = "a" if old != "a" else "b"
    return login.refresh_token[:middle] + new + login.refresh_token[middle + 1:]


def wrong_tokens(dialect):
    """Strings that are no refresh token of this mount, by name."""
    return {
        "garbage": with_token(dialect, "garbage"),
        "tampered": with_token(dialect, tampered),
        "cut short": with_token(dialect, lambda login: login.refresh_token[:-1]),
        "access token": with_token(dialect, lambda login: login.access_token),
        "dots": with_token(dialect, "." * 3000),
    }


def json_error(**members):
    return dialects.compact(members)


def oauth(behaviour):
    dialect = dialects.OAuth()
    media = "application/json;charset=UTF-8"

    def row(name, request, status, code, sentence, **headers):
        body = json_error(error=code, error_description=sentence)
        return Refusal(name, request, status, body, media,
                       {key.replace("_", "-"): value for key, value in headers.items()})

    invalid = ("invalid_grant",
               "The refresh token is invalid, expired or revoked, or belongs to another client.")
    secret = lambda text: lambda path, login: dialect.request(
        path, dataclasses.replace(login, secret=text))
    basic = lambda path, login: dialect.request_with_basic(
        path, dataclasses.replace(login, secret="wrong"))
    wider = lambda path, login: Request(
        "POST", path, [FORM, dialects.basic(login.client, login.secret)],
        urllib.parse.urlencode({"grant_type": "refresh_token", "scope": "read admin",
                                "refresh_token": login.refresh_token}).encode())
    in_url = lambda path, login: Request(
        "POST", f"{path}?refresh_token={login.refresh_token}", [FORM],
        b"grant_type=refresh_token")
    as_json = lambda path, login: Request("POST", path, [JSON], b"{}")
    return [
        row("GET", method("GET"), 405, "invalid_request", "This endpoint is asked with POST.",
            allow="POST"),
        row("no grant_type", form(refresh_token="x"), 400, "invalid_request",
            "grant_type is missing."),
        row("another grant_type", form(grant_type="password", refresh_token="x"), 400,
            "unsupported_grant_type", "This endpoint takes grant_type refresh_token."),
        row("no token", form(grant_type="refresh_token"), 400, "invalid_request",
            "refresh_token is missing."),
        row("repeated", form(grant_type="refresh_token", refresh_token=["x", "y"]), 400,
            "invalid_request", "A parameter is given more than once."),
        row("token in the URL", in_url, 400, "invalid_request", "Credentials belong in the body."),
        row("JSON", as_json, 400, "invalid_request",
            "The body must be application/x-www-form-urlencoded in UTF-8."),
        row("wrong secret", secret("wrong"), 401, "invalid_client",
            "The client could not be authenticated."),
        row("wrong secret by Basic", basic, 401, "invalid_client",
            "The client could not be authenticated.", www_authenticate='Basic realm="retoken"'),
        row("wider scope", wider, 400, "invalid_scope", "The scope goes beyond what was granted."),
        *[row(name, request, 400, *invalid) for name, request in wrong_tokens(dialect).items()],
    ]


def kopong(behaviour):
    dialect = dialects.Kopong()
    text = "text/html;charset=utf-8"
    deployed = behaviour == "deployed"
    status = 403 if deployed else 401
    headers = {} if deployed else BEARER_INVALID
    rows = [
        Refusal("GET", method("GET"), 405, b"", None, {"allow": "POST"}),
        Refusal("no grant_type", form(refresh_token="x"), 400, b"Invalid grant_type", text),
        Refusal("another grant_type", form(grant_type="password", refresh_token="x"), 400,
                b"Invalid grant_type", text),
        Refusal("bad grant_type wins", form(grant_type="password"), 400, b"Invalid grant_type", text),
        Refusal("no token", form(grant_type="refresh_token"), 400, b"Refresh token is required",
                text),
        Refusal("empty token", form(grant_type="refresh_token", refresh_token=""), 400,
                b"Refresh token is required", text),
        *[Refusal(name, request, status, b"", None, headers)
          for name, request in wrong_tokens(dialect).items()],
    ]
    wrong_password = lambda path, login: dialect.request_of_document(
        path, dataclasses.replace(login, password="wrong"))
    no_bearer = lambda path, login: Request(
        "POST", path, [JSON], json_error(username=login.username, password=login.password))
    if deployed:  # the plugin reads no JSON: it misses grant_type
        rows.append(Refusal("documented form", wrong_password, 400, b"Invalid grant_type", text))
    else:
        rows += [Refusal("wrong password", wrong_password, 401, b"", None, BEARER_INVALID),
                 Refusal("no Bearer", no_bearer, 401, b"", None, {"www-authenticate": "Bearer"})]
    return rows


def wirecash(behaviour):
    dialect = dialects.WireCash()

    def row(name, request, status=400, text="Invalid data provided", **headers):
        if behaviour == "deployed":
            return Refusal(name, request, status, b"", None, headers)
        return Refusal(name, request, status, json_error(message=text), "application/json", headers)

    def body(content):
        return lambda path, login: Request("POST", path, [JSON], content)

    def replaced(**fields):
        return lambda path, login: dialect.request(path, dataclasses.replace(login, **fields))

    in_url = lambda path, login: Request(
        "POST", f"{path}?refresh_token={login.refresh_token}&access_token=x&username=ada", [JSON])
    return [
        row("GET", method("GET"), 405, "Method not allowed", allow="POST"),
        row("no JSON", body(b"{")),
        row("not an object", body(b"[]")),
        row("a field is missing", body(b'{"username":"ada","refresh_token":"x"}')),
        row("a field is a number", body(b'{"username":1,"refresh_token":"x","access_token":"y"}')),
        row("token in the URL", in_url),
        row("a form", lambda path, login: Request("POST", path, [FORM], b"username=ada")),
        row("another user", replaced(username="grace")),
        row("garbage as access token", replaced(access_token="a.b.c")),
        *[row(name, request) for name, request in wrong_tokens(dialect).items()],
    ]


def duktig(behaviour):
    dialect = dialects.Duktig()

    def row(name, request, status, text):
        return Refusal(name, request, status, json_error(status="error", message=text),
                       "application/json")

    invalid = "Invalid token." if behaviour == "deployed" else "Invalid token"
    return [
        row("GET", method("GET"), 404, "Resource not found"),
        row("no header", lambda path, login: Request("POST", path, [JSON]), 401, "Unauthorized"),
        row("empty header", with_token(dialect, ""), 401, "Unauthorized"),
        *[row(name, request, 401, invalid) for name, request in wrong_tokens(dialect).items()],
    ]


def fusionauth(behaviour):
    dialect = dialects.FusionAuth()

    def field(code, text):
        return json_error(fieldErrors={"refreshToken": [
            {"code": f"{code}refreshToken", "message": text}]})

    def general(code, text):
        return json_error(generalErrors=[{"code": code, "message": text}])

    if behaviour == "deployed":
        wrong = (400, field("[invalid]", "The provided Refresh Token is either expired or has been "
                                         "revoked."), "application/json")
    else:
        wrong = (401, b"", None)
    blank = (400, field("[blank]", "You must specify the Refresh Token."), "application/json")
    post = lambda path, login: Request("POST", path)
    undefined = lambda path, login: Request(
        "POST", path, [JSON], b'{"refreshToken":"undefined"}')
    twice = lambda path, login: Request(
        "POST", path, [("Cookie", "refresh_token=a; refresh_token=b")])
    return [
        Refusal("GET", method("GET"), 405, b"", None, {"allow": "POST"}),
        Refusal("nothing", post, *blank),
        Refusal("undefined", undefined, *blank),
        Refusal("no JSON", lambda path, login: Request("POST", path, [JSON], b"{"), 400,
                general("[invalidJSON]", "The request cannot be parsed."), "application/json"),
        Refusal("cookie twice", twice, 400,
                field("[duplicate]", "The Refresh Token was sent more than once."),
                "application/json"),
        *[Refusal(name, request, *wrong) for name, request in wrong_tokens(dialect).items()],
        Refusal("by body", lambda path, login: dialect.request_with_body(
            path, dataclasses.replace(login, refresh_token="garbage")), *wrong),
    ]


def koppeltaal(behaviour):
    dialect = dialects.Koppeltaal()
    text = "text/html; charset=utf-8"

    def row(name, request, status, sentence, **headers):
        return Refusal(name, request, status, sentence, text, headers)

    def scope(value):
        return lambda path, login: dialect.request(path, dataclasses.replace(login, scope=value))

    both = lambda path, login: dialect.request(path, dataclasses.replace(
        login, refresh_token="garbage", scope="other"))
    rows = [
        row("PUT", method("PUT"), 405, b"Method Not Allowed",
            allow="GET, POST" if behaviour == "deployed" else "POST"),
        row("no grant_type", form(refresh_token="x"), 400, b"Bad Request"),
        row("another grant_type", form(grant_type="password"), 400, b"Bad Request"),
        row("no token", form(grant_type="refresh_token"), 400, b"Bad Request, invalid token"),
        row("another scope", scope("*/read"), 400, b"Bad Request, invalid scope"),
        row("empty scope", scope(""), 400, b"Bad Request, invalid scope"),
        row("both wrong", both, 400, b"Bad Request, invalid token"),
        *[row(name, request, 400, b"Bad Request, invalid token")
          for name, request in wrong_tokens(dialect).items()],
    ]
    if behaviour == "documented":
        rows.append(row("GET", method("GET"), 405, b"Method Not Allowed", allow="POST"))
    return rows


ROWS = {"oauth": oauth, "kopong": kopong, "wirecash": wirecash, "duktig": duktig,
        "fusionauth": fusionauth, "koppeltaal": koppeltaal}


def refusals(dialect, behaviour):
    return ROWS[dialect.name](behaviour)


def token_refusal(dialect, behaviour):
    """The row for a token that is no good any more (reused, revoked, expired otherwise)."""
    return next(row for row in refusals(dialect, behaviour) if row.name == "garbage")
