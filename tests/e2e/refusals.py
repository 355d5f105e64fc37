# SPDX-License-Identifier: ISC
"""How a client comes by each refusal of a dialect, and what it is then told: the golden answer of
that outcome, byte for byte. Every dialect gets the refusals that all have in common; what only one
can be asked has a row here."""

import dataclasses
import urllib.parse

from lab import dialects, goldens
from lab.http import Request

FORM, JSON = dialects.FORM, dialects.JSON
NO_TOKEN = ("invalid", "unknown")  # a string that no mount has issued


@dataclasses.dataclass(frozen=True)
class Refusal:
    name: str
    request: object  # (path, login) -> Request
    answers: list  # any of these will do

    def complaints(self, answer):
        found = [golden.complaints(answer) for golden in self.answers]
        return [] if [] in found else found[0]


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


def replaced(dialect, **fields):
    """The dialect's own request with other values."""
    return lambda path, login: dialect.request(path, dataclasses.replace(login, **fields))


def oauth(dialect, behaviour):
    wider = lambda path, login: Request(
        "POST", path, [FORM, dialects.basic(login.client, login.secret)],
        urllib.parse.urlencode({"grant_type": "refresh_token", "scope": "read admin",
                                "refresh_token": login.refresh_token}).encode())
    basic = lambda path, login: dialect.request(
        path, dataclasses.replace(login, secret="wrong"), "basic")
    in_url = lambda path, login: Request(
        "POST", f"{path}?refresh_token={login.refresh_token}", [FORM],
        b"grant_type=refresh_token")
    by_itself = lambda path, login: Request(
        "POST", path, [FORM, dialects.basic(login.client, login.secret)],
        b"grant_type=client_credentials")
    yield "no grant_type", form(refresh_token="x"), "no-grant-type"
    yield "another grant_type", form(grant_type="urn:example:other"), "grant-type"
    yield "password, which no realm allows unless it says so", form(
        grant_type="password", username="ada", password="x"), "client-grant"
    yield "no password", form(grant_type="password", username="ada"), "no-field"
    yield "no client for itself", form(grant_type="client_credentials"), "case client-wrong-body"
    yield "a client that may not for itself", by_itself, "client-grant"
    yield "no token", form(grant_type="refresh_token"), "no-token"
    yield "repeated", form(grant_type="refresh_token", refresh_token=["x", "y"]), "repeated"
    yield "token in the URL", in_url, "in-url"
    yield "JSON", lambda path, login: Request("POST", path, [JSON], b"{}"), "media"
    yield "wrong secret", replaced(dialect, secret="wrong"), "case client-wrong-body"
    yield "wrong secret by Basic", basic, "case client-wrong-basic"
    yield "wider scope", wider, "scope"


def kopong(dialect, behaviour):
    wrong_password = lambda path, login: dialect.request(
        path, dataclasses.replace(login, password="wrong"), "bearer")
    no_bearer = lambda path, login: Request("POST", path, [JSON], dialects.compact(
        {"username": login.username, "password": login.password}))
    yield "no grant_type", form(refresh_token="x"), "no-grant-type"
    yield "another grant_type", form(grant_type="password", refresh_token="x"), "grant-type"
    yield "bad grant_type wins", form(grant_type="password"), "grant-type"
    yield "no token", form(grant_type="refresh_token"), "no-token"
    yield "empty token", form(grant_type="refresh_token", refresh_token=""), "no-token"
    if behaviour == "deployed":  # the plugin reads no JSON
        yield "documented form", wrong_password, "case json-deployed"
    else:
        yield "wrong password", wrong_password, "case password-wrong"
        yield "no Bearer", no_bearer, "case json-alone"


def wirecash(dialect, behaviour):
    def body(content):
        return lambda path, login: Request("POST", path, [JSON], content)

    in_url = lambda path, login: Request(
        "POST", f"{path}?refresh_token={login.refresh_token}&access_token=x&username=ada", [JSON])
    yield "no JSON", body(b"{"), "malformed"
    yield "not an object", body(b"[]"), "malformed"
    yield "a field is missing", body(b'{"username":"ada","refresh_token":"x"}'), "no-field"
    yield ("a field is a number", body(b'{"username":1,"refresh_token":"x","access_token":"y"}'),
           "no-field")
    yield "token in the URL", in_url, "in-url"
    yield "a form", lambda path, login: Request("POST", path, [FORM], b"username=ada"), "media"
    yield "another user", replaced(dialect, username="grace"), "wrong-user"
    yield "garbage as access token", replaced(dialect, access_token="a.b.c"), "wrong-access-token"


def duktig(dialect, behaviour):
    yield "no header", lambda path, login: Request("POST", path, [JSON]), "no-token"
    yield "empty header", with_token(dialect, ""), "no-token"


def fusionauth(dialect, behaviour):
    undefined = lambda path, login: Request(
        "POST", path, [JSON], b'{"refreshToken":"undefined"}')
    twice = lambda path, login: Request(
        "POST", path, [("Cookie", "refresh_token=a; refresh_token=b")])
    by_body = lambda path, login: dialect.request(
        path, dataclasses.replace(login, refresh_token="garbage"), "json")
    yield "nothing", lambda path, login: Request("POST", path), "no-token"
    yield "undefined", undefined, "no-token"
    yield "no JSON", lambda path, login: Request("POST", path, [JSON], b"{"), "malformed"
    yield "two strange cookies", twice, "invalid"
    yield "by body", by_body, "invalid"


def koppeltaal(dialect, behaviour):
    yield "no grant_type", form(refresh_token="x"), "no-grant-type"
    yield "another grant_type", form(grant_type="password"), "grant-type"
    yield "no token", form(grant_type="refresh_token"), "no-token"
    yield "another scope", replaced(dialect, scope="*/read"), "scope"
    yield "empty scope", replaced(dialect, scope=""), "scope"
    yield "both wrong", replaced(dialect, refresh_token="garbage", scope="other"), "invalid"
    yield "no assertion", form(grant_type="client_credentials", scope=""), "no-field"
    yield "no assertion of a client", form(
        grant_type="client_credentials", scope="", client_assertion="a.b.c",
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ), "client-auth"


# What only one dialect can be asked; none is needed.
OWN = {"oauth": oauth, "kopong": kopong, "wirecash": wirecash, "duktig": duktig,
       "fusionauth": fusionauth, "koppeltaal": koppeltaal}


def methods(mount, behaviour):
    endpoint = next(row for row in dialects.table()[mount.dialect.name]["endpoints"]
                    if row["path"] == mount.path)
    return endpoint["deployed_methods" if behaviour == "deployed" else "methods"]


def refusals(mount, behaviour):
    dialect = mount.dialect
    allowed = methods(mount, behaviour)
    for name in ("GET", "PUT"):
        if name not in allowed:
            said = goldens.outcomes(dialect.name, behaviour)["method"].quoting(name).allowing(allowed)
            yield Refusal(name, method(name), [said])
    for name, request in wrong_tokens(dialect).items():
        yield dataclasses.replace(token_refusal(dialect, behaviour, *NO_TOKEN), name=name,
                                  request=request)
    for name, request, word in OWN[dialect.name](dialect, behaviour) if dialect.name in OWN else ():
        answer = (goldens.case(dialect.name, word.removeprefix("case ")) if word.startswith("case ")
                  else goldens.outcomes(dialect.name, behaviour)[word])
        yield Refusal(name, request, [answer])


def token_refusal(dialect, behaviour, *words):
    """What is said to a token that is no good any more, for any of these outcomes."""
    known = goldens.outcomes(dialect.name, behaviour)
    return Refusal(words[0], None, [known[word] for word in words])
