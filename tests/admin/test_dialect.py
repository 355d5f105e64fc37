# SPDX-License-Identifier: ISC
"""`retoken dialects`, and `retoken dialect` check, try and test, run on real files. What learn proposes is in
test_learn.py. No test waits, and none needs a network."""

import base64
import json

import pytest

from recordings import (DONE, IAT, NEXT, OLD, REFUSED, ROOT, USAGE, answer, compact, jwt, put, request,
                        run)  # noqa: F401

FILES = sorted((ROOT / "dialects").glob("*.dialect"))

ACME = """[dialect]
summary = Acme: JSON with camel case

[endpoint refresh]
path          = /auth/refresh
operation     = refresh
refresh-token = json /data/refreshToken, header X-Refresh
username      = optional json user
answer        = 200 {"accessToken":"${access_token}","refreshToken":"${refresh_token}","kind":"Bearer"}

[refusals]
request = 400 {"error":"bad_request"}
client  = 401 {"error":"unauthorized"}
token   = 401 {"error":"invalid_refresh_token"}
reused  = 403 {"error":"stolen"}
here    = 503 {"error":"unavailable"}
"""

# ---- list ----

def test_dialects_lists_each_on_a_line(run):
    printed = json.loads(run("dialects", "--json").stdout)
    title, *lines = run("dialects").stdout.splitlines()
    assert title.split() == ["dialect", "from", "what", "it", "is"]
    assert [line.split()[:2] for line in lines] == [[row["dialect"], row["origin"]] for row in printed]
    assert all(row["summary"] in line for row, line in zip(printed, lines))
    assert {path.stem for path in FILES} <= {row["dialect"] for row in printed}
    assert {"kopong", "oauth"} <= {row["dialect"] for row in printed if row["origin"] == "program"}
    title, *lines = run("dialects", "duktig").stdout.splitlines()
    assert title.split() == ["path", "methods", "operation", "format", "algorithm"]
    assert [line.split() for line in lines] == [["/auth/refresh_token", "POST", "refresh", "jwt", "HS256"],
                                                ["/auth/token", "POST", "login", "jwt", "HS256"]]
    assert len(json.loads(run("dialects", "duktig", "--json").stdout)) == 1
    assert "nonsense" in run("dialects", "nonsense", status=REFUSED).stderr


def test_dialects_lists_those_of_the_configuration(run):
    put(run, "acme.dialect", ACME)
    conf = put(run, "retoken.conf", "[retoken]\ndata = .\n[dialect acme]\nfile = acme.dialect\n")
    rows = json.loads(run("-c", conf, "dialects", "--json").stdout)
    assert [row["dialect"] for row in rows if row["origin"] == "configuration"] == ["acme"]
    assert "Acme: JSON with camel case" in run("-c", conf, "dialects").stdout


def test_dialects_for_the_page(run):
    """How a client spells a refresh, and no more: the library's are mounted nowhere."""
    put(run, "acme.dialect", ACME)
    conf = put(run, "retoken.conf", "[retoken]\ndata = .\n[dialect acme]\nfile = acme.dialect\n[realm acme]\n"
                                    "dialect = acme\nbase = /old\nrotation = off\n")
    told = json.loads(run("-c", conf, "dialects", "--page").stdout)
    row = ["data", "refreshToken"]
    tokens = {"access": ["accessToken"], "refresh": ["refreshToken"]}
    assert told["acme"] == {
        "title": "acme", "summary": "Acme: JSON with camel case", "paths": ["/old/auth/refresh"], "keeps": True,
        "refused": [{"status": 403, "body": '{"error":"stolen"}'}, {"status": 401, "body": '{"error":"invalid_refresh_token"}'}],
        "forms": [{"id": "refresh-0", "label": "JSON", "answer": tokens, "fields": ["refresh_token", {"name": "username", "help": "optional"}],
                   "json": [[row, "{refresh_token}"], [["user"], "{username}", "optional"]]},
                  {"id": "refresh-1", "label": "header", "answer": tokens, "fields": ["refresh_token", {"name": "username", "help": "optional"}],
                   "headers": [["x-refresh", "{refresh_token}"]], "json": [[["user"], "{username}", "optional"]]}]}
    library = json.loads(run("dialects", "--page").stdout)
    assert {"supabase", "cognito"} <= set(library) and "wirecash" not in library and "acme" not in library
    for name, one in library.items():
        assert one["paths"] == [] and one["refused"] and all(form["answer"]["access"] for form in one["forms"]) and one["forms"], name
    [token] = library["supabase"]["forms"]
    assert token["query"] == [["grant_type", "refresh_token"]]
    assert library["cognito"]["forms"][0]["answer"]["access"] == ["AuthenticationResult", "AccessToken"]
    # No page sees a refresh token that comes in a cookie.
    [body] = library["strapi"]["forms"]
    assert (body["id"], body["answer"]) == ("body-0", {"access": ["jwt"], "refresh": ["refreshToken"]})
    assert list(json.loads(run("dialects", "cognito", "--page").stdout)) == ["cognito"]


# ---- check ----

def test_check_says_what_it_does(run):
    said = run("dialect", "check", put(run, "acme.dialect", ACME)).stdout
    for words in ("acme: Acme: JSON with camel case", "refresh: POST /auth/refresh",
                  "A session is renewed.",
                  "It reads the refresh token from the member data/refreshToken of the JSON body, or else the "
                  "header x-refresh.",
                  "It reads the user name from the member user of the JSON body, if it is there.",
                  "It answers 200, application/json:", "accessToken: the access token",
                  "refreshToken: the refresh token to use next", 'kind: always "Bearer"',
                  'reused, it was renewed before and came back: 403 {"error":"stolen"}',
                  'token, session or account are not good: 401 {"error":"invalid_refresh_token"}',
                  "Access tokens are JWTs signed with RS256, good for 1h.",
                  "sub: the account's subject, else its name", "Refresh tokens are opaque texts.",
                  "Each refresh replaces the refresh token; the old one gets the same answer for 1m more"):
        assert words in said, said
    assert said.index("reused, ") < said.index("token, session")


def test_check_tells_choices_and_logouts(run):
    text = ACME + ("[endpoint out]\npath = /auth/out\n[request out all]\n"
                   "when = optional json mode is json or text, header X-A is 1\noperation = logout\n"
                   "access-token = bearer\nsessions = all\nunknown-token = grant\nanswer = 204\n")
    said = run("dialect", "check", put(run, "acme.dialect", text)).stdout
    for words in ("all: where the member mode of the JSON body is json or text or not there and the header x-a is 1\n",
                  "All sessions of the account are ended.", "A token of no live session is answered alike."):
        assert words in said, said


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_check_knows_every_dialect_that_is_shipped(run, file):
    said = run("dialect", "check", file).stdout
    assert "Access tokens are JWTs" in said and "Refusals, of which" in said
    assert run("dialect", "check", file.stem).stdout == said
    assert "${access" not in said, "a place without a meaning"


@pytest.mark.parametrize("right, wrong, line, words", [
    ("operation     = refresh", "operation     = renew", 6, "unknown; write refresh"),
    ('"accessToken":"${access_token}",', "", 4, "its answer has no ${access_token}"),
    ("${refresh_token}", "${password}", 9, "${password}: unknown"),
    ("here    = 503", "here    = 400", 4, "clients would take it for a refused token"),
])
def test_check_names_what_is_wrong(run, right, wrong, line, words):
    text = ACME.replace(right, wrong)
    said = run("dialect", "check", put(run, "acme.dialect", text), status=REFUSED)
    assert f"acme.dialect:{line}: " in said.stderr and words in said.stderr and said.stdout == ""
    assert "No such file" in run("dialect", "check", "absent.dialect", status=REFUSED).stderr
    assert "No such file" in run("dialect", "check", "absent", status=REFUSED).stderr
    assert "written in C" in run("dialect", "check", "kopong", status=REFUSED).stderr


# ---- try ----

def test_try_shows_what_is_read_and_the_answer(run):
    put(run, "acme.dialect", ACME)
    put(run, "r.http", request(compact({"data": {"refreshToken": OLD}, "user": "ada"})))
    said = run("dialect", "try", "acme.dialect", "--request", "r.http").stdout
    assert "endpoint refresh, /auth/refresh: refresh" in said
    assert "the refresh token: old-… (28 bytes)" in said and OLD not in said
    assert "the user name: ada" in said
    assert "made up" in said and "\nHTTP/1.1 200 OK\n" in said and "Content-Type: application/json" in said
    body = json.loads(said.split("\n\n")[-1])
    assert list(body) == ["accessToken", "refreshToken", "kind"]
    header, payload, signature = body["accessToken"].split(".")
    assert signature == "made-up-signature"
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["exp"] - claims["iat"] == 3600 and claims["sub"] == "ada"
    said = run("dialect", "try", "acme.dialect", "--request", "r.http", "--outcome", "reused").stdout
    assert said.endswith('\n\n{"error":"stolen"}\n') and "HTTP/1.1 403" in said
    said = run("dialect", "try", "acme.dialect", "--request", "-", stdin=request("{}")).stdout
    assert "not understood (outcome=no-token)" in said and 'HTTP/1.1 400' in said
    # from behind a prefix, and from a page of another origin
    said = run("dialect", "try", "acme.dialect", "--request", "-",
               stdin=request("{}", path="https://x.example/v1/auth/refresh/", X_Refresh=OLD,
                             Origin="https://app.example")).stdout
    assert "HTTP/1.1 200 OK" in said


def test_try_refuses_what_it_cannot_use(run):
    put(run, "acme.dialect", ACME)
    put(run, "r.http", request("{}"))
    words = ("dialect", "try", "acme.dialect", "--request")
    assert "no endpoint" in run(*words, "-", stdin=request("{}", path="/other"), status=REFUSED).stderr
    assert "NAME: VALUE" in run(*words, "-", stdin="POST / HTTP/1.1\nnonsense\n\n", status=REFUSED).stderr
    assert "neither a request" in run(*words, "-", stdin="nonsense", status=REFUSED).stderr
    assert "a request should be" in run(*words, "-", stdin=answer("{}"), status=REFUSED).stderr
    assert "larger than 256 KiB" in run(*words, "-", stdin=request("x" * 300_000), status=REFUSED).stderr
    assert "--request is missing" in run(*words[:-1], status=USAGE).stderr
    assert "no word" in run(*words, "r.http", "--outcome", "nonsense", status=USAGE).stderr
    assert "no grant" in run(*words, "r.http", "--outcome", "rotated", status=REFUSED).stderr


# ---- test ----

def recorded(run, name, asked, answered):
    put(run, f"{name}.request.http", asked)
    put(run, f"{name}.answer.http", answered)


def test_test_finds_every_byte(run):
    put(run, "acme.dialect", ACME)
    body = compact({"data": {"refreshToken": OLD}})
    good = compact({"accessToken": "opaque-access-token-1234", "refreshToken": NEXT, "kind": "Bearer"})
    recorded(run, "good", request(body), answer(good))
    recorded(run, "refused", request(body), answer('{"error":"invalid_refresh_token"}', "401 Unauthorized"))
    recorded(run, "stolen", request(body), answer('{"error":"stolen"}', "403 Forbidden"))
    said = run("dialect", "test", ".").stdout
    assert said == "good: the same\nrefused: the same\nstolen: the same\n3 recordings, 0 answered otherwise\n"
    for wrong, words in ((answer(good.replace(",", ", ", 1)), "the body differs from byte 31 on"),
                         (answer(good.replace("Bearer", "bearer")), "the body differs from byte"),
                         (answer(good, "201 Created"), "status: 200, recorded was 201"),
                         (answer(good, media="text/json"), "Content-Type: application/json, recorded was text"),
                         (answer(good.replace("}", ',"more":1}')), "the body differs from byte"),
                         (answer('{"error":"other"}', "401 Unauthorized"), "the body differs from byte 11 on")):
        put(run, "good.answer.http", wrong)
        said = run("dialect", "test", ".", status=REFUSED).stdout
        assert words in said and "1 answered otherwise" in said, said
        assert NEXT not in said and "opaque-access" not in said
    put(run, "good.request.http", request("{}"))
    put(run, "good.answer.http", answer(good))
    assert "not understood: outcome: no-token" in run("dialect", "test", ".", status=REFUSED).stdout
    (run.folder / "good.answer.http").unlink()
    assert "No such file" in run("dialect", "test", ".", status=REFUSED).stderr
    put(run, "second.dialect", ACME)
    assert "more than one" in run("dialect", "test", ".", status=REFUSED).stderr


def test_test_shows_headers_that_the_dialect_lacks(run):
    put(run, "acme.dialect", ACME)
    good = compact({"accessToken": "opaque-access-token-1234", "refreshToken": NEXT, "kind": "Bearer"})
    recorded(run, "good", request(compact({"data": {"refreshToken": OLD}})),
             answer(good, X_Acme_Version="4.1", X_Request_Id="1", Date="today"))
    assert run("dialect", "test", ".").stdout == ("good: the same\n  the header x-acme-version: only the recording has it\n"
                                                  "1 recordings, 0 answered otherwise\n")
    assert json.loads(run("dialect", "test", ".", "--json").stdout)[0]["headers_not_set"] == ["x-acme-version"]


def test_test_says_it_to_scripts(run):
    """Cookies are compared by what becomes of them, and refresh tokens that are JWTs by what they say."""
    put(run, "acme.dialect", ACME.replace("[dialect]\n", "[dialect]\nrefresh-cookie = rt\nrotation = off\n")
        .replace('\n[refusals]', 'answer.cookies = set\n\n[access-token]\nheader = '
                                         '{"alg":"${alg}","typ":"JWT"}\n\n[refresh-token]\npayload = '
                                         '{"sub":"${subject}","typ":"refresh","exp":${expires_at}}\n\n[refusals]'))
    token = jwt({"sub": "42", "typ": "refresh", "exp": IAT})
    body = compact({"data": {"refreshToken": token}})

    def differences(answered, status):
        recorded(run, "one", request(body), answered)
        printed = json.loads(run("dialect", "test", ".", "--json", status=status).stdout)
        assert [row["name"] for row in printed] == ["one"] and printed[0]["same"] == (status == DONE)
        return printed[0]["differences"]

    good = compact({"accessToken": "opaque-access-token-1234", "refreshToken": token, "kind": "Bearer"})
    assert differences(answer(good, Set_Cookie=f"rt={token}; Path=/"), DONE) == []
    assert differences(answer(good, Set_Cookie="rt=; Max-Age=0"), REFUSED) == [
        {"what": "the cookie of the refresh token", "recorded": "cleared", "answered": "set"}]
    assert differences(answer(good), REFUSED)[0]["recorded"] == "not set"
    other = jwt({"sub": "42", "typ": "Refresh", "exp": IAT})
    found = differences(answer(good.replace(token, other), Set_Cookie=f"rt={other}"), REFUSED)
    assert [(row["what"], row["byte"]) for row in found] == [("the payload of the refresh token", 20)]
    assert '"typ":"Refresh"' in found[0]["recorded"] and '"typ":"refresh"' in found[0]["answered"]
    # of two ways to write a time both are times
    when = ACME.replace('"kind":"Bearer"', '"at":"${now.iso}"')
    put(run, "acme.dialect", when)
    for at, status in (("2026-11-26T18:00:00Z", DONE), ("2026-11-26T18:00:00.000Z", REFUSED)):
        text = compact({"accessToken": "opaque-access-token-1234", "refreshToken": NEXT, "at": at})
        assert len(differences(answer(text), status)) == (status == REFUSED)


EVERYTHING = """[dialect]
summary        = one of each
type           = application/vnd.acme+json
json-style     = php
white-space    = trim
numbers        = read
missing        = state
realm          = house
refresh-cookie = acme_rt
access-cookie  = acme_at
published-key  = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
issuer         = https://acme.example
audience       = api
rotation       = on
concurrency-window = 90s
recovery-window = 1d
recovery-generations = 2
recovery-evidence = client
reuse          = report
idle-lifetime  = 20d
absolute-lifetime = 200d
access-lifetime = 7m
access-jitter  = on
algorithm      = ES256
grants         = refresh password
dpop           = required
scope-loss     = allow
scope-rule     = subset

[access-token]
header     = {"alg":"${alg}","typ":"JWT"}
json-style = slash
payload    = {"sub":"${subject}","exp":${expires_at},"at":${issued_at.ms},"mail":${account.email?},"sid":"${session}"}

[endpoint refresh]
path            = /token
methods         = any-case POST GET
slashes         = loose
body            = json application/x-acme+json required
realm           = other
operation       = refresh
refresh-token   = json /data/token, cookie
access-token    = optional authorization Token
username        = optional form user
password        = optional query pass
scope           = json scope
client-id       = optional header X-Client
client-secret   = optional header X-Secret
application-key = header X-Key
members         = only
not-in-url      = token secret
answer          = 201 {"a":"${access_token}","r":"${refresh_token}","in":${expires_in.ms},"v":"1"}
answer.type     = application/json
answer.json-style = ascii
answer.cookies  = set
answer.header.X-Name = ${username}

[endpoint again]
like = refresh
path = /again

[endpoint login]
path      = /login
[request login first]
when      = form kind is a or b, optional query x is y, header X-V is 2, method is POST
operation = login
username  = json user
password  = json pass
client    = oauth
answer    = 200 {"a":"${access_token}","r":"${refresh_token}"}

[endpoint logout]
path          = /logout
operation     = logout
refresh-token = json token
sessions      = all
unknown-token = grant
answer        = 204
answer.cookies = clear

[endpoint verify]
path          = /verify
operation     = verify
refresh-token = json token
answer        = 200 {"ok":true}

[endpoint me]
path          = /me
operation     = validate
refresh-token = bearer
answer        = 200 {"id":${token.sub},"roles":${roles.list}}

[refusals]
request = 400 ${complaints}
client  = 401
token   = 401 no
token.type = text/plain
token.header.WWW-Authenticate = Bearer
expired = 410 {"error":"old"}
here    = 503 {"error":"later"}

[refusals deployed]
expired = 402 {"error":"paid"}

[complaints]
any.absent = ["needed"]
any.members = ["too many"]
token      = ["bad"]
"""

# What each setting of retoken-dialect(5) is told by.
SENTENCES = {
    "summary": "everything: one of each", "json-style": "a slash is \\/, and what is not ASCII is \\u",
    "type": "It answers 200, application/vnd.acme+json:", "white-space": "White space round any value is dropped.",
    "numbers": "A JSON number is taken for its digits.", "missing": "no-token is any value that is not there",
    "realm": "In a [mount] without a realm these are in the realm house.",
    "refresh-cookie": "and the cookie acme_rt is set", "access-cookie": "and the cookie acme_at is set",
    "published-key": "An application key is known to everyone", "path": "refresh: GET, HEAD, POST /token",
    "like": "again: GET, HEAD, POST /again", "methods": "the method in any case",
    "slashes": "with or without further slashes",
    "body": "The body is JSON, also as application/x-acme+json, and without one the request is malformed.",
    "operation": "It is said whose an access token is, if its session is live.",
    "refresh-token": "It reads the refresh token from the member data/token of the JSON body, or else its cookie.",
    "access-token": "It reads the access token from Authorization: Token, if it is there.",
    "username": "It reads the user name from the field user of the form, if it is there.",
    "password": "It reads the password from the parameter pass of the URL, if it is there.",
    "scope": "It reads the scope from the member scope of the JSON body, if it is there.",
    "client-id": "It reads the client's id from the header x-client", "client-secret": "the header x-secret",
    "application-key": "The realm's auth-key-sha256 says which key is good.",
    "client": "The client proves itself as in RFC 6749.", "members": "Other members of the JSON body are refused.",
    "sessions": "All sessions of the account are ended.",
    "unknown-token": "A token of no live session is answered alike.", "not-in-url": "secret in the URL is refused.",
    "answer": "in: how long the access token is good, in milliseconds", "answer.type": "It answers 201, application/json:",
    "answer.json-style": "    in which what is not ASCII is \\u and its number\n",
    "answer.header.": "header X-Name: (the account's name)", "answer.cookies": "and the cookie acme_rt is cleared",
    "header": "typ: always JWT", "payload": "at: when it was issued, in milliseconds since 1970",
    # the defaults of a realm
    "rotation": "Each refresh replaces the refresh token", "concurrency-window": "the same answer for 90s more",
    "recovery-window": "For 1d after that", "recovery-evidence": "where the session's client proves itself",
    "recovery-generations": "at most 2 generations back", "idle-lifetime": "A session ends 20d after its last refresh.",
    "absolute-lifetime": "A session ends 200d after it began.", "access-lifetime": "good for 7m",
    "access-jitter": "up to a tenth less", "reuse": "is reported after that", "format": "Refresh tokens are opaque texts.",
    "algorithm": "signed with ES256", "grants": "the grants refresh, password.", "dpop": "only to who proves a key (DPoP)",
    "scope-rule": "A refresh may ask for a part of the session's scope.",
    "scope-loss": "cannot say their scope are issued nevertheless", "issuer": "Its issuer is https://acme.example",
    "audience": "Its audience is api",
}
# … and what has no name of its own there.
MORE_SENTENCES = (
    "first: where the field kind of the form is a or b and the parameter x of the URL is y or not there and the header x-v "
    "is 2 and the method is POST", "A user logs in, and a session begins.", "A session is renewed.",
    "It is said whether a refresh or an access token is good.", "id: the claim sub of the token that is shown",
    "roles: the account's roles, as an array", "mail: the account's claim email", "a slash is \\/\n",
    'expired, its session has expired (behaviour = deployed): 402 {"error":"paid"}',
    "token, session or account are not good: 401 no as text/plain", "with WWW-Authenticate: Bearer",
    "it is not known who asks: 401, without a body", '${complaints} says of any value that is not there: ["needed"]',
    '${complaints} says of token that is not good: ["bad"]', "In a [mount] without a realm it is in the realm other.",
    "The body is not read",
)


def test_check_has_a_sentence_for_each_line(run):
    said = run("dialect", "check", put(run, "everything.dialect", EVERYTHING)).stdout
    said += run("dialect", "check", put(run, "none.dialect", ACME.replace("operation ", "body = none\noperation "))).stdout
    for words in (*SENTENCES.values(), *MORE_SENTENCES):
        assert words in said, (words, said)


def test_each_setting_of_the_manual_has_a_sentence():
    """A setting that the manual has and SENTENCES has not: `dialect check` is to explain it, and the file above to have it."""
    page = (ROOT / "man/retoken-dialect.5").read_text()
    told = page[page.index(".Sh SECTION [dialect]"):page.index(".Sh SECTION [refusals]")]
    defaults = told[told.index("The defaults of\n"):told.index("may be set here too")]
    named = [word for line in told.splitlines() if line.startswith(".It Cm ")
             for word in line[len(".It Cm "):].replace(" , ", " ").split(" Ns ")[0].split()]
    named += [word for line in defaults.splitlines() if line.startswith(".Cm ") for word in line.split()[1:] if word != ","]
    assert set(named) == set(SENTENCES)
