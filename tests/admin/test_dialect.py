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


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_check_knows_every_dialect_that_is_shipped(run, file):
    said = run("dialect", "check", file).stdout
    assert "Access tokens are JWTs" in said and "Refusals, of which" in said
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
