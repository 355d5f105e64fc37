# SPDX-License-Identifier: ISC
"""`retoken dialects` and the verbs of `retoken dialect`, run on real files: recordings of backends that
do not exist, in the shapes that real ones have. No test waits, and none needs a network."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve()
RETOKEN = BUILD / "retoken"
DONE, REFUSED, USAGE, FAULT = 0, 1, 2, 3
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
OLD = "old-refresh-token-0123456789"
NEXT = "next-refresh-token-9876543210"
IAT = 1_700_000_000


def part(value):
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def jwt(payload, **header):
    return ".".join([part({"alg": "HS256", "typ": "JWT", **header}), part(payload), "c2lnbmF0dXJl"])


ACCESS = jwt({"iss": "https://acme.example", "sub": "42", "aud": "api", "iat": IAT, "exp": IAT + 900,
              "email": "ada@acme.example", "role": "member", "jti": "0a0b0c0d-0001-4002-8003-0123456789ab"})


@pytest.fixture
def run(tmp_path):
    """Runs retoken in a folder of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}

    def one(*words, status=DONE, stdin=""):
        done = subprocess.run([RETOKEN, *map(str, words)], input=stdin, capture_output=True, text=True,
                              env=env, cwd=tmp_path, timeout=120)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert (done.stderr == "") == (status == DONE) or words[:2] == ("dialect", "test")
        return done

    one.folder = tmp_path
    return one


def put(run, name, text):
    path = run.folder / name
    path.write_bytes(text.encode())
    path.chmod(0o600)
    return path


def request(body, path="/auth/refresh", media="application/json", **headers):
    lines = [f"POST {path} HTTP/1.1", "Host: api.acme.example", f"Content-Type: {media}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def answer(body, status="200 OK", media="application/json", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media}", "Server: acme",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def compact(value):
    return json.dumps(value, separators=(",", ":"))


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
    assert told["acme"] == {
        "title": "acme", "summary": "Acme: JSON with camel case", "paths": ["/old/auth/refresh"], "keeps": True,
        "answer": {"access": ["accessToken"], "refresh": ["refreshToken"]},
        "refused": [{"status": 403, "body": '{"error":"stolen"}'}, {"status": 401, "body": '{"error":"invalid_refresh_token"}'}],
        "forms": [{"id": "refresh-0", "label": "JSON", "fields": ["refresh_token", {"name": "username", "help": "optional"}],
                   "json": [[row, "{refresh_token}"], [["user"], "{username}", "optional"]]},
                  {"id": "refresh-1", "label": "header", "fields": ["refresh_token", {"name": "username", "help": "optional"}],
                   "headers": [["x-refresh", "{refresh_token}"]], "json": [[["user"], "{username}", "optional"]]}]}
    library = json.loads(run("dialects", "--page").stdout)
    assert {"supabase", "cognito"} <= set(library) and "wirecash" not in library and "acme" not in library
    for name, one in library.items():
        assert one["paths"] == [] and one["forms"] and one["refused"] and one["answer"]["access"], name
    [token] = library["supabase"]["forms"]
    assert token["query"] == [["grant_type", "refresh_token"]]
    assert library["cognito"]["answer"]["access"] == ["AuthenticationResult", "AccessToken"]
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
    assert "${access" not in said.replace("header ", ""), "a place without a meaning"


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
                         (answer(good, "201 Created"), "status 200, recorded was 201"),
                         (answer(good, media="text/json"), "Content-Type: application/json, recorded was text"),
                         (answer(good.replace("}", ',"more":1}')), "the body differs from byte"),
                         (answer('{"error":"other"}', "401 Unauthorized"), "the body differs from byte 11 on")):
        put(run, "good.answer.http", wrong)
        said = run("dialect", "test", ".", status=REFUSED).stdout
        assert words in said and "1 answered otherwise" in said, said
        assert NEXT not in said and "opaque-access" not in said
    put(run, "good.request.http", request("{}"))
    put(run, "good.answer.http", answer(good))
    assert "not understood: outcome=no-token" in run("dialect", "test", ".", status=REFUSED).stdout
    (run.folder / "good.answer.http").unlink()
    assert "No such file" in run("dialect", "test", ".", status=REFUSED).stderr
    put(run, "second.dialect", ACME)
    assert "more than one" in run("dialect", "test", ".", status=REFUSED).stderr


# ---- learn ----

def learn(run, asked, answered, refused=None, status=DONE):
    """The proposal; it has been checked, and replayed against what it was made of."""
    put(run, "r.http", asked)
    put(run, "a.http", answered)
    more = []
    if refused is not None:
        put(run, "e.http", refused)
        more = ["--refusal", "e.http"]
    proposal = run("dialect", "learn", "--request", "r.http", "--answer", "a.http", *more, status=status).stdout
    for secret in (OLD, NEXT, ACCESS, "ada@"):
        assert secret not in proposal
    if status == DONE:
        folder = run.folder / "learnt"
        folder.mkdir(exist_ok=True)
        for name, text in (("learnt.dialect", proposal), ("one.request.http", asked),
                           ("one.answer.http", answered), *(
                               [("two.request.http", asked), ("two.answer.http", refused)] if refused else [])):
            (folder / name).write_bytes(text.encode())
        run("dialect", "check", folder / "learnt.dialect")
        assert ", 0 answered otherwise" in run("dialect", "test", folder).stdout
    return proposal


def test_learn_from_json(run):
    body = compact({"status": "ok", "data": {"accessToken": ACCESS, "refreshToken": NEXT, "expiresAt": (IAT + 900) * 1000,
                                             "user": {"id": "42", "email": "ada@acme.example"}}})
    proposal = learn(run, request(compact({"refreshToken": OLD, "deviceName": "x"}), X_Api_Key="k"), answer(body),
                     answer('{"status":"error","why":"${expired}"}', "419 Authentication Timeout"))
    for line in ("summary = as api.acme.example", "rotation = on", "access-lifetime = 15m", "algorithm = HS256",
                 "issuer = https://acme.example", "audience = api",
                 'header = {"alg":"${alg}","typ":"JWT"}',
                 'payload = {"iss":"${issuer}","sub":"${subject}","aud":"${audience}","iat":${issued_at},'
                 '"exp":${expires_at?},"email":${account.email?},"role":"member","jti":"${jti}"}',
                 "path = /auth/refresh", "refresh-token = json refreshToken", "# not read: json deviceName",
                 "application-key = header x-api-key",
                 'answer = 200 {"status":"ok","data":{"accessToken":"${access_token}","refreshToken":'
                 '"${refresh_token}","expiresAt":${expires_at.ms},"user":{"id":"${subject}","email":'
                 '${account.email?}}}}',
                 'token = 419 {"status":"error","why":"$${expired}"}'):
        assert line + "\n" in proposal, proposal
    assert proposal.count("# guessed: ") >= 5


@pytest.mark.parametrize("name, told, place", [
    ("expires_in", 900, "${expires_in}"), ("expires", IAT + 900, "${expires_at}"),
    ("expires_at", (IAT + 900) * 1000, "${expires_at.ms}"), ("ttl", 900_000, "${expires_in.ms}"),
    ("expiresAt", "2023-11-14T22:28:20Z", '"${expires_at.iso}"'), ("expires_in", "900", '"${expires_in}"'),
])
def test_learn_finds_the_unit(run, name, told, place):
    proposal = learn(run, request(compact({"refresh": OLD})), answer(compact({"access": ACCESS, name: told})))
    assert f'answer = 200 {{"access":"${{access_token}}","{name}":{place}}}\n' in proposal
    assert "rotation = off" in proposal and f"guessed: {name}" not in proposal


def test_learn_from_a_form(run):
    asked = request(f"grant_type=refresh_token&refresh_token={OLD}&client_id=web&scope=read", path="/oauth2/token/",
                    media="application/x-www-form-urlencoded")
    body = json.dumps({"access_token": "opaque/access+token/01234567", "token_type": "bearer", "expires_in": 3600,
                       "refresh_token": NEXT, "scope": "read"}, indent=2) + "\n"
    body = body.replace("/", "\\/")
    proposal = learn(run, asked, answer(body, media="application/json; charset=utf-8", Content_Length=len(body)))
    for line in ("json-style = slash", "type = application/json; charset=utf-8", "path = /oauth2/token",
                 "slashes = loose", "body = form", "when = form grant_type is refresh_token",
                 "refresh-token = form refresh_token", "scope = form scope", "client = oauth",
                 "answer = 200 {", "access-lifetime = 1h", "answer = '  \"expires_in\": ${expires_in},'"):
        assert line + "\n" in proposal, proposal


def test_learn_knows_a_token_that_comes_under_the_name_it_went_by(run):
    asked = request(compact({"session": {"renewToken": OLD}}), path="/v2/session/renew")
    proposal = learn(run, asked, answer(compact({"session": {"jwt": ACCESS, "renewToken": NEXT}})))
    assert "refresh-token = json /session/renewToken\n" in proposal and "rotation = on\n" in proposal
    assert '"renewToken":"${refresh_token}"' in proposal


def test_learn_from_headers_and_cookies(run):
    asked = request("", path="/session/renew", media="text/plain", Cookie=f"theme=dark; refresh_token={OLD}")
    proposal = learn(run, asked, answer(compact({"accessToken": ACCESS}),
                                        Set_Cookie=f"refresh_token={NEXT}; HttpOnly; Path=/"))
    for line in ("refresh-cookie = refresh_token", "refresh-token = cookie", "answer.cookies = set", "body = none"):
        assert line + "\n" in proposal, proposal
    asked = request("", path="/renew", media="text/plain", Authorization=f"Bearer {OLD}")
    proposal = learn(run, asked, answer(compact({"token": ACCESS, "message": "caf\u00e9"})))
    assert "refresh-token = bearer\n" in proposal and "guessed: this is the refresh token" in proposal
    assert "json-style = ascii\n" in proposal


def test_learn_keeps_a_refresh_token_that_is_a_jwt(run):
    token = jwt({"token_type": "refresh", "exp": IAT + 86400, "iat": IAT, "jti": "0a0b0c0d000140028003012345678901",
                 "user_id": 7})
    access = jwt({"token_type": "access", "exp": IAT + 300, "iat": IAT, "jti": "1a0b0c0d000140028003012345678901",
                  "user_id": 7})
    proposal = learn(run, request(compact({"refresh": token})), answer(compact({"access": access})))
    assert "format = jwt\n" in proposal and "rotation = off\n" in proposal
    assert ('[refresh-token]\n# guessed: user_id: the account\'s number, its claim userId if it has one\n'
            'payload = {"token_type":"refresh","exp":${expires_at?},"iat":${issued_at},"jti":"${session.hex}",'
            '"user_id":${user_number}}\n') in proposal


def test_learn_gives_nobody_away(run):
    """What is one account's, wherever it is; and a host of its own, whose path no mount can have."""
    token = jwt({"sub": "42", "iat": IAT, "exp": IAT + 60, "auth_time": IAT - 86400, "email": "ada@acme.example",
                 "identities": {"emails": ["ada@acme.example", "ada@other.example"]}, "device": "a1b2c3d4e5f6a7b8"})
    body = compact({"access_token": token, "id_token": jwt({"sub": "42"}), "user": {"email": "ada@acme.example"},
                    "billing": {"email": "ada@third.example"}, "expires_in": 60})
    proposal = learn(run, request(compact({"refresh_token": OLD}), path="https://token.acme.example/"),
                     answer(body))
    for line in ('payload = {"sub":"${subject}","iat":${issued_at},"exp":${expires_at?},"auth_time":${issued_at},'
                 '"email":${account.email?},"identities":{"emails":[${account.emails},'
                 '${account.identities_emails}]},"device":${account.device?}}', "path = /token",
                 'answer = 200 {"access_token":"${access_token}","id_token":"${access_token}","user":{"email":'
                 '${account.email?}},"billing":{"email":${account.billing_email?}},"expires_in":${expires_in}}'):
        assert line + "\n" in proposal, proposal


@pytest.mark.parametrize("asked, answered, words", [
    (request("{}"), answer(compact({"access": ACCESS})), "no refresh token was found"),
    (request(compact({"refresh": OLD})), answer("{}"), "no access token was found"),
    (request(compact({"refresh": OLD})), answer("<html>"), "no JSON object"),
    (request(compact({"refresh": OLD})), answer("{}", "500 Oops"), "status 500"),
    (request("["), answer("{}"), "no JSON object"),
    (answer("{}"), answer("{}"), "a request should be"),
    (request("{}"), "HTTP/1.1 200 OK\n\n\x1f\u0000", "not UTF-8"),
])
def test_learn_says_what_is_missing(run, asked, answered, words):
    put(run, "r.http", asked)
    put(run, "a.http", answered)
    said = run("dialect", "learn", "--request", "r.http", "--answer", "a.http", status=REFUSED)
    assert words in said.stderr and said.stdout == ""
    assert OLD not in said.stderr and ACCESS not in said.stderr
    assert "missing" in run("dialect", "learn", "--request", "r.http", status=USAGE).stderr


# ---- HAR ----

def entry(path, asked, status, answered):
    return {"startedDateTime": "2026-11-26T18:00:00Z", "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
            "request": {"method": "POST", "url": "https://api.acme.example" + path, "httpVersion": "h2", "cookies": [],
                        "queryString": [], "headers": [{"name": ":authority", "value": "api.acme.example"},
                                                       {"name": "Origin", "value": "https://app.acme.example"}],
                        "postData": {"mimeType": "application/json", "text": asked}},
            "response": {"status": status, "statusText": "", "httpVersion": "h2", "cookies": [], "redirectURL": "",
                         "headers": [{"name": "Content-Type", "value": "application/json"}],
                         "content": {"size": len(answered), "mimeType": "application/json",
                                     "text": base64.b64encode(answered.encode()).decode(), "encoding": "base64"}}}


def har(run):
    pair = compact({"accessToken": ACCESS, "refreshToken": NEXT, "expiresIn": 900})
    page = entry("/index", "", 200, "<html>" + 5000 * "[{,")
    login = entry("/auth/login", compact({"email": "ada@acme.example", "password": "correct horse"}), 200, pair)
    fresh = entry("/auth/refresh", compact({"refreshToken": OLD}), 200, pair)
    wrong = entry("/auth/refresh", compact({"refreshToken": NEXT}), 401, '{"code":"TOKEN_EXPIRED"}')
    many = [page] * 40
    return put(run, "acme.har", json.dumps({"log": {"version": "1.2", "pages": [], "entries":
                                                    [*many, login, page, wrong, fresh, page]}}))


def test_learn_from_a_har_and_serve_it(run):
    """As a new user would: from what a browser saved to a client that refreshes, with no compiler."""
    proposal = run("dialect", "learn", "--har", har(run)).stdout
    for secret in (OLD, NEXT, ACCESS, "ada@", "correct horse"):
        assert secret not in proposal
    for line in ("[endpoint refresh]", "[endpoint login]", "username = json email", "password = json password",
                 'token = 401 {"code":"TOKEN_EXPIRED"}'):
        assert line + "\n" in proposal, proposal
    put(run, "acme.dialect", proposal)
    conf = put(run, "retoken.conf", "[retoken]\ndata = .\n[dialect acme]\nfile = acme.dialect\n"
                                    "[realm acme]\ndialect = acme\n")
    run("-c", conf, "init")
    run("-c", conf, "account", "add", "ada@acme.example", "--password-file", "-", stdin="correct horse battery\n")

    def ask(path, value):
        body = compact(value)
        env = {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}
        env.update(RETOKEN_CONFIG=str(conf), GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD="POST", SCRIPT_NAME=path,
                   QUERY_STRING="", SERVER_PROTOCOL="HTTP/1.1", CONTENT_TYPE="application/json",
                   CONTENT_LENGTH=str(len(body)))
        done = subprocess.run([BUILD / "retoken.fcgi"], input=body, capture_output=True, text=True, env=env,
                              cwd=run.folder, timeout=60)
        return done.stdout.replace("\r\n", "\n").split("\n\n", 1)

    head, body = ask("/auth/login", {"email": "ada@acme.example", "password": "correct horse battery"})
    for _ in range(2):
        pair = json.loads(body)
        assert list(pair) == ["accessToken", "refreshToken", "expiresIn"] and pair["expiresIn"] == 900
        head, body = ask("/auth/refresh", {"refreshToken": pair["refreshToken"]})
        assert json.loads(body)["refreshToken"] != pair["refreshToken"]
    head, body = ask("/auth/refresh", {"refreshToken": "nonsense"})
    assert head.startswith("Status: 401") and body == '{"code":"TOKEN_EXPIRED"}'


def test_learn_refuses_other_files_than_har(run):
    assert "log.entries" in run("dialect", "learn", "--har", "-", stdin="{}", status=REFUSED).stderr
    assert "log.entries" in run("dialect", "learn", "--har", "-", stdin="[[[", status=REFUSED).stderr
    empty = '{"log":{"entries":[{"request":{}},1]}}'
    assert "no exchange" in run("dialect", "learn", "--har", "-", stdin=empty, status=REFUSED).stderr
    assert "goes without" in run("dialect", "learn", "--har", "x", "--request", "y", status=USAGE).stderr
