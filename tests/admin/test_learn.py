# SPDX-License-Identifier: ISC
"""`retoken dialect learn`: what it proposes from recordings (recordings.py, har/), and that Retoken then answers as the
backend did. No test waits, and none needs a network."""

import base64
import json
import os
import subprocess

import pytest

from recordings import (ACCESS, BUILD, DONE, IAT, NEXT, OLD, REFUSED, ROOT, USAGE, answer, compact, jwt, put, request,
                        run)  # noqa: F401


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


@pytest.mark.parametrize("shown, next_one", [("old-renewal-0123456789", "new-renewal-9876543210"),
                                             ("old-renewal-0123456789", None)])
def test_learn_names_the_one_text_that_can_be_the_token(run, shown, next_one):
    told = {"bearer": ACCESS, "at": IAT, **({"later": next_one} if next_one else {})}
    proposal = learn(run, request(compact({"renewal": shown, "app": "web"})), answer(compact(told)))
    rotation, later = ("on", ',"later":"${refresh_token}"') if next_one else ("off", "")
    for line in ("# guessed: this is the refresh token\nrefresh-token = json renewal", f"rotation = {rotation}",
                 'answer = 200 {"bearer":"${access_token}","at":${now}' + later + "}"):
        assert line + "\n" in proposal, proposal
    assert shown not in proposal and (next_one is None or next_one not in proposal)
    put(run, "r.http", request(compact({"renewal": shown, "other": "one-more-0123456789"})))
    said = run("dialect", "learn", "--request", "r.http", "--answer", "a.http", status=REFUSED)
    assert "no refresh token was found in the request" in said.stderr


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


# ---- whole backends ----

SECRETS = ("-Secret-", "kw.rt.",  "rt-lumen-", "tw.at.", "tw.rt.", "eyJ", "ada@", "Lovelace", "usr_7", "for ada", '"7"',
           "0a0b0c0d")


def learn_har(run, name, status=DONE):
    """The proposal and what was said, neither of which gives anybody away."""
    done = run("dialect", "learn", "--har", ROOT / "tests/admin/har" / f"{name}.har", status=status)
    for secret in SECRETS:
        assert secret not in done.stdout and secret not in done.stderr
    return done


def lines(exchange, which):
    """One side of an entry, as it goes over the wire."""
    side = exchange[which]
    first = (f"{side['method']} {side['url']} HTTP/1.1" if which == "request" else f"HTTP/1.1 {side['status']} X")
    heads = [f"{one['name']}: {one['value']}" for one in side["headers"] if not one["name"].startswith(":")]
    content = side.get("postData", {}) if which == "request" else side["content"]
    if content.get("mimeType") and not any(head.lower().startswith("content-type:") for head in heads):
        heads.append(f"Content-Type: {content['mimeType']}")
    body = content.get("text", "")
    body = base64.b64decode(body).decode() if content.get("encoding") == "base64" else body
    return "\r\n".join([first, *heads, f"Content-Length: {len(body.encode())}"]) + "\r\n\r\n" + body


def ours(proposal, entry):
    path = "/" + entry["request"]["url"].split("/", 3)[3]
    return f"path = {path}\n" in proposal and entry["request"]["method"] != "OPTIONS"


@pytest.mark.parametrize("name, but", [("bergfunk", "differs"), ("kielwasser", None), ("lumen", None), ("tidewerk", None)])
def test_a_whole_backend_is_answered_as_it_was_recorded(run, name, but):
    """Each exchange of the recording, granted and refused, byte by byte; but one has the name of its user in it."""
    proposal = learn_har(run, name, status=REFUSED if but else DONE).stdout
    folder = run.folder / "all"
    folder.mkdir()
    (folder / "learnt.dialect").write_text(proposal)
    entries = json.loads((ROOT / f"tests/admin/har/{name}.har").read_text())["log"]["entries"]
    kept = [(i, entry) for i, entry in enumerate(entries, 1) if ours(proposal, entry)]
    assert len(kept) >= 6
    for i, entry in kept:
        put(run, f"all/{i:02d}.request.http", lines(entry, "request"))
        put(run, f"all/{i:02d}.answer.http", lines(entry, "response"))
    said = run("dialect", "test", folder, status=REFUSED if but else DONE).stdout
    assert f"{len(kept)} recordings, {1 if but else 0} answered otherwise" in said, said
    assert not but or "02: differs" in said
    run("dialect", "check", folder / "learnt.dialect")


def serve(run, proposal):
    """A function that asks Retoken, with the proposal as it is, for CGI."""
    put(run, "made.dialect", proposal)
    conf = put(run, "retoken.conf", "[retoken]\ndata = .\npassword-hash = yescrypt:1\n[dialect made]\n"
                                    "file = made.dialect\n[realm made]\ndialect = made\n")
    run("-c", conf, "init")
    run("-c", conf, "account", "add", "ada", "--password-file", "-", "--claim", "name=Ada of the claims",
        stdin="correct horse battery\n")

    def ask(method, path, body="", media="", **headers):
        env = {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}
        env.update(RETOKEN_CONFIG=str(conf), GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD=method, SCRIPT_NAME=path,
                   QUERY_STRING="", SERVER_PROTOCOL="HTTP/1.1", CONTENT_LENGTH=str(len(body)),
                   **({"CONTENT_TYPE": media} if media else {}),
                   **{f"HTTP_{key.upper()}": value for key, value in headers.items()})
        done = subprocess.run([BUILD / "retoken.fcgi"], input=body, capture_output=True, text=True, env=env,
                              cwd=run.folder, timeout=60)
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        heads = [line.partition(": ")[::2] for line in head.splitlines()]
        named = {name.lower(): value for name, value in heads}
        return int(named["status"].split()[0]), named, body

    return ask


def test_a_cookie_and_a_bearer_token(run):
    done = learn_har(run, "lumen")
    assert "entry 3, POST /api/auth/login: it sets the cookie theme" in done.stderr
    for line in ("refresh-cookie = lumen_rt", "# for the realm: cookie-path = /api/auth",
                 "# for the realm: cookie-same-site = strict", "rotation = on", "[endpoint logout]",
                 "refresh-token = cookie", "answer.cookies = clear", "[endpoint validate]", "methods = GET",
                 "# recorded: 2 refreshes, of which 2 brought another refresh token",
                 'token = 401 {"code":"NO_SESSION","message":"Sign in again"}', "[refusals validate]",
                 'client = 401 {"code":"BAD_CREDENTIALS","message":"Wrong email or password"}',
                 'request = 400 {"code":"NO_COOKIE","message":"No session cookie"}'):
        assert line + "\n" in done.stdout, done.stdout
    ask = serve(run, done.stdout)
    status, heads, body = ask("POST", "/api/auth/login", compact({"email": "ada", "password": "correct horse battery"}),
                              "application/json")
    for _ in range(3):
        assert status == 200 and "email" in json.loads(body)["user"]
        cookie = heads["set-cookie"].partition(";")[0]
        status, heads, body = ask("POST", "/api/auth/refresh", cookie=cookie)
        assert heads["set-cookie"].partition(";")[0] != cookie
    bearer = f"Bearer {json.loads(body)['accessToken']}"
    status, _, body = ask("GET", "/api/me", authorization=bearer)
    assert status == 200 and json.loads(body)["email"] == "ada" and json.loads(body)["name"] == "Ada of the claims"
    assert ask("POST", "/api/auth/logout", cookie=heads["set-cookie"].partition(";")[0])[0] == 204
    assert ask("GET", "/api/me", authorization=bearer)[::2] == (401, '{"code":"UNAUTHORIZED","message":"Sign in again"}')
    assert ask("POST", "/api/auth/refresh")[0] == 400


def test_forms_and_grant_types_at_one_path(run):
    done = learn_har(run, "tidewerk")
    for line in ("body = form", "when = form grant_type is refresh_token", "when = form grant_type is password",
                 "rotation = on", "refresh-token = form token", "path = /oauth/revoke", "answer = 200",
                 'reused = 400 {"error":"invalid_grant","error_description":"Refresh token was used"}',
                 'token = 400 {"error":"invalid_grant","error_description":"Unknown refresh token"}',
                 'client = 400 {"error":"invalid_grant","error_description":"Bad credentials"}'):
        assert line + "\n" in done.stdout, done.stdout
    ask = serve(run, done.stdout)
    form = "application/x-www-form-urlencoded"
    _, _, body = ask("POST", "/oauth/token", "grant_type=password&username=ada&password=correct+horse+battery", form)
    for _ in range(2):
        token = json.loads(body)["refresh_token"]
        status, _, body = ask("POST", "/oauth/token", f"grant_type=refresh_token&refresh_token={token}", form)
        assert status == 200 and json.loads(body)["refresh_token"] != token
    token = json.loads(body)["refresh_token"]
    assert ask("POST", "/oauth/revoke", f"token={token}", form)[::2] == (200, "")
    assert ask("POST", "/oauth/token", f"grant_type=refresh_token&refresh_token={token}", form)[0] == 400


def test_names_that_nobody_knows(run):
    """What is what, the way of the values tells alone."""
    done = learn_har(run, "kielwasser")
    pair = ('"ticket":"${access_token}","runs":${expires_in.ms},"sinks":"${expires_at.iso}","stub":"${refresh_token}",'
            '"who":{"number":"${subject}","calls":"${username}","full":${account.full?},"deck":${account.deck?}}}')
    for line in ("# recorded: 3 refreshes, of which 3 brought another refresh token", "access-lifetime = 15m",
                 'payload = {"sub":"${subject}","calls":"${username}","deck":${account.deck?},"iat":${issued_at},'
                 '"exp":${expires_at?},"slip":"${jti}"}',
                 "# guessed: this is the refresh token\nrefresh-token = form stub", "answer = 200 {" + pair,
                 "# guessed: these are the name and the password\nusername = json caller\npassword = json word",
                 'answer = 201 {"aboard":{' + pair + "}", "# not read: json ship",
                 "# guessed: runs: by its value, when the access token expires",
                 'client = 403 {"no":{"nr":11,"say":"Caller or word is wrong"}}',
                 'token = 410 {"no":{"nr":12,"say":"Come aboard anew"}}'):
        assert line + "\n" in done.stdout, done.stdout
    logout = done.stdout.partition("[endpoint logout]\n")[2]
    assert logout.startswith("path = /port/ashore\n") and "# guessed: it ends the session" in logout
    assert "/port/bell" not in done.stdout and "/port/cargo" not in done.stdout
    ask = serve(run, done.stdout)
    form = "application/x-www-form-urlencoded"
    status, _, body = ask("POST", "/port/aboard", compact({"caller": "ada", "word": "correct horse battery"}),
                          "application/json")
    assert status == 201
    token = json.loads(body)["aboard"]["stub"]
    for _ in range(2):
        status, _, body = ask("POST", "/port/again", f"stub={token}", form)
        assert status == 200 and json.loads(body)["runs"] == 900_000 and json.loads(body)["stub"] != token
        token = json.loads(body)["stub"]
    assert ask("POST", "/port/ashore", f"stub={token}", form)[::2] == (200, '{"bye":true}')
    assert ask("POST", "/port/again", f"stub={token}", form)[::2] == (410, '{"no":{"nr":12,"say":"Come aboard anew"}}')


def test_tokens_in_headers_and_methods_at_one_path(run):
    done = learn_har(run, "bergfunk", status=REFUSED)
    assert ("entry 2, POST /v3/session: members of the refusal are of this one request, or times, and empty here: "
            "errors/detail") in done.stderr
    for line in ("type = application/vnd.api+json", "body = json application/vnd.api+json", "format = jwt",
                 "rotation = off", "answer.header.authorization = Bearer ${access_token}", "when = method is DELETE",
                 "refresh-token = header x-refresh-token", "methods = POST DELETE GET",
                 "token.header.WWW-Authenticate = Bearer"):
        assert line + "\n" in done.stdout, done.stdout
    ask = serve(run, done.stdout)
    media = "application/vnd.api+json"
    asked = compact({"data": {"type": "session", "attributes": {"login": "ada", "password": "correct horse battery"}}})
    status, heads, _ = ask("POST", "/v3/session", asked, media)
    assert status == 201 and heads["content-type"] == media
    token = heads["x-refresh-token"]
    for _ in range(2):
        status, heads, body = ask("POST", "/v3/renewal", "{}", media, x_refresh_token=token)
        assert status == 200 and json.loads(body)["data"]["attributes"] == {"validFor": 300, "login": "ada"}
    status, _, body = ask("GET", "/v3/session", authorization=heads["authorization"])
    assert status == 200 and json.loads(body)["data"]["attributes"]["login"] == "ada"
    assert ask("DELETE", "/v3/session", authorization=heads["authorization"])[0] == 204
    assert ask("POST", "/v3/renewal", "{}", media, x_refresh_token=token)[0] == 401


# ---- secrets ----

MARK = "Zq7"  # of all that is one user's; no name of a place has it


def marked(what, size=24):
    return f"{MARK}{what}{MARK}0123456789abcdefghijklmnop"[:max(size, len(what) + 6)]


def marked_entry(path, asked, status, answered, method="POST", heads=(), told=()):
    one = entry(path, asked, status, answered)
    one["request"]["method"] = method
    one["request"]["headers"] += [{"name": name, "value": value} for name, value in heads]
    one["response"]["headers"] += [{"name": name, "value": value} for name, value in told]
    return one


def test_learn_says_no_secret_whatever_it_says(run):
    """Each value of a recording that is one user's is marked: in every kind of place, granted and refused. None is in the
    file, in a warning, or in what `test` and `try` say of it, as text or as JSON."""
    access = jwt({"sub": marked("sub"), "iat": IAT, "exp": IAT + 60, "email": f"{marked('mail')}@acme.example",
                  "did": marked("device"), "sid": "0a0b0c0d-0001-4002-8003-0123456789ab"}, kid=marked("kid"))
    stale = jwt({"sub": marked("stale"), "exp": IAT})
    refresh, again = marked("first"), marked("second")
    pair = compact({"accessToken": access, "refreshToken": again, "user": {"id": marked("id"), "name": marked("name"),
                                                                          "pin": f"{MARK}pin"},
                    "csrfToken": marked("csrf"), "trace": marked("trace"), "id_token": jwt({"sub": marked("idsub")})})
    cookies = [("Cookie", f"sid={marked('cookie')}; refresh_token={refresh}"), ("X-Csrf-Token", marked("xcsrf")),
               ("Authorization", f"Bearer {stale}")]
    told = [("Set-Cookie", f"refresh_token={again}; Path=/{marked('path')}"), ("Set-Cookie", f"other={marked('set')}"),
            ("Set-Cookie", f"{marked('name-of-cookie')}=1"), ("X-Trace-Id", marked("header"))]
    login = compact({"email": f"{marked('mail')}@acme.example", "password": f"{MARK}pw", "otp": marked("otp")})
    wrong = compact({"error": {"user": f"{marked('mail')}@acme.example", "hint": f"not {MARK}pw", "at": "2026-11-26T18:00:00Z",
                               "id": marked("error"), "list": [marked("in-list")]}})
    challenge = [("WWW-Authenticate", f'Bearer realm="{marked("realm")}"')]
    entries = [
        marked_entry(f"/auth/login?next={marked('next')}", login, 401, wrong, told=challenge),
        marked_entry(f"/auth/login?next={marked('next')}", login, 200, pair, told=told),
        marked_entry("/auth/refresh", compact({"refreshToken": refresh, marked("member"): 1}), 200, pair, heads=cookies,
                     told=told),
        marked_entry("/auth/refresh", compact({"refreshToken": again}), 200, pair, heads=cookies, told=told),
        marked_entry("/auth/refresh", compact({"refreshToken": marked("bad")}), 401, f"<p>no {marked('bad')}</p>"),
        marked_entry("/auth/refresh", compact({"refreshToken": refresh}), 403, compact({"token": refresh})),
        marked_entry("/me", None, 200, compact({"email": f"{marked('mail')}@acme.example", "key": marked("key"),
                                                "token": access}), "GET",
                     [("Authorization", f"Bearer {access}")]),
        marked_entry(f"/users/{marked('user')}/logout", "{}", 200, f"bye {marked('bye')}", heads=cookies),
        marked_entry("/signin", compact({"username": marked("u"), "password": f"{MARK}pw"}), 200, "[]"),
        marked_entry("/auth/logout", compact({"refreshToken": again}), 302, "", heads=cookies),
    ]
    for one in entries:
        if one["request"]["postData"]["text"] is None:
            del one["request"]["postData"]
    file = put(run, "marked.har", json.dumps({"log": {"entries": entries}}))
    done = run("dialect", "learn", "--har", file, status=REFUSED)
    assert MARK not in done.stdout and MARK not in done.stderr, done.stdout + done.stderr
    for sentence in ("entry 8, POST /users/…/logout: the path has something of one user",
                     "entry 9, POST /signin: a login in whose answer no access token was found",
                     "entry 10, POST /auth/logout: it was answered with a redirect (302)",
                     "entry 4, POST /auth/refresh: it sets the cookie other",
                     "entry 1, POST /auth/login: WWW-Authenticate has something of this one request",
                     "entry 5, POST /auth/refresh: the body of the refusal has something of this one request"):
        assert sentence in done.stderr, done.stderr
    folder = run.folder / "all"
    folder.mkdir()
    for text in (done.stdout, done.stdout.replace('"accessToken"', '"access"').replace("${refresh_token}", "none")):
        (folder / "marked.dialect").write_text(text.replace("rotation = on", "rotation = off"))
        for i, one in enumerate(entries[:7], 1):
            put(run, f"all/{i}.request.http", lines(one, "request"))
            put(run, f"all/{i}.answer.http", lines(one, "response"))
            said = run("dialect", "try", folder / "marked.dialect", "--request", f"all/{i}.request.http").stdout
            assert marked("first") not in said and f"{MARK}pw" not in said and stale not in said
        for more in ((), ("--json",)):
            tested = run("dialect", "test", folder, *more, status=REFUSED)
            assert MARK not in tested.stdout and MARK not in tested.stderr, tested.stdout


@pytest.mark.parametrize("asked, answered, refused", [
    (request("{}"), answer("{}"), answer("\x1b]0;owned\x07", "401 No", "text/plain")),
    (request("{}"), answer("{}"), answer("\u009b2J", "401 No", "text/plain")),
    (request("{}"), answer("{}"), answer('{"a\u009b2J":1}', "401 No")),
    (request("{}"), answer("{}"), answer('{"a":"\x7f"}', "401 No", "text/html\u009b2J")),
    (request("{}"), answer("{}"), answer("", "401 No", WWW_Authenticate="Bearer \u009b2J")),
    (request("{}"), answer('{"a\u009b2J":1}'), None),
    (request("{}"), answer('{"a":"\u009b2J"}'), None),
    (request("{}"), answer("{}", "200 OK", "text/\u009b2J"), None),
    (request("{}"), answer("{}", Set_Cookie="token\u009b2J=" + NEXT), None),
    (request("{}", Cookie="refresh_token\u009b2J=" + OLD), answer("{}", Set_Cookie="refresh_token\u009b2J=" + NEXT), None),
    (request('{"refresh\u009b2J":1}'), answer("{}"), None),
    (request("{}", path="/auth/refresh?a%C2%9B2J=1"), answer("{}"), None),
])
def test_a_terminal_is_told_nothing_by_a_recording(run, asked, answered, refused):
    """Whether it comes to a proposal or not: control characters are in no line that is shown."""
    asked, answered = (text.replace("{", "{" + more, 1) if more else text
                       for text, more in ((asked, f'"refreshToken":"{OLD}"' + ("," if "{}" not in asked else "")),
                                          (answered, f'"accessToken":"{ACCESS}"' + ("," if "{}" not in answered else ""))))
    files = [put(run, "r.http", asked), put(run, "a.http", answered), put(run, "e.http", refused or answer("", "401 No"))]
    done = subprocess.run([BUILD / "retoken", "dialect", "learn", "--request", files[0], "--answer", files[1],
                           "--refusal", files[2]], capture_output=True, text=True, cwd=run.folder, timeout=120)
    assert done.returncode in (DONE, REFUSED)
    assert not [c for c in done.stdout + done.stderr if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], done
    assert "[dialect]" in done.stdout or done.stdout == ""
    folder = run.folder / "test"
    folder.mkdir()
    put(run, "test/one.dialect", (ROOT / "dialects/nestjs.dialect").read_text())
    put(run, "test/1.request.http", asked.replace("refreshToken", "refresh_token"))
    put(run, "test/1.answer.http", answered)
    put(run, "test/2.request.http", asked.replace("refreshToken", "refresh_token"))
    put(run, "test/2.answer.http", refused or answer("", "401 No"))
    shown = run("dialect", "test", folder, status=REFUSED).stdout
    assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], shown


def test_a_recording_takes_no_time_that_grows_with_its_square(run):
    """What only looks like tokens, and many values that are looked for: minutes, if each looked through all the rest."""
    folder = run.folder / "large"
    folder.mkdir()
    put(run, "large/one.dialect", (ROOT / "dialects/nestjs.dialect").read_text())
    values = {f"token-{i}": f"{i:04}-is-not-there" for i in range(100)}
    for i, body in enumerate(10 * ("eyJ" * 80_000, "@ " * 120_000)):
        put(run, f"large/{i}.request.http", request(compact({"refresh_token": OLD, **values})))
        put(run, f"large/{i}.answer.http", answer(body))
    assert "20 recordings, 20 answered otherwise" in run("dialect", "test", folder, status=REFUSED).stdout


# ---- the ways in which people record ----

PAIR = compact({"accessToken": ACCESS, "refreshToken": NEXT})
ASKED = compact({"refreshToken": OLD})
CHUNKED = "".join(f"{len(part):x};note=1\r\n{part}\r\n" for part in (PAIR[:40], PAIR[40:])) + "0\r\n\r\n"


@pytest.mark.parametrize("asked, answered", [
    # curl -i: HTTP/2, names in lower case, no reason; behind a proxy; after 100 Continue
    (request(ASKED), f"HTTP/2 200 \ncontent-type: application/json\nserver: x\n\n{PAIR}"),
    (request(ASKED), f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{PAIR}"),
    # a raw answer in chunks
    (request(ASKED), f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKED}"),
    # a request with the pseudo headers of HTTP/2, and with its whole URL
    (f"POST https://user:{OLD}@api.acme.example/auth/refresh HTTP/2\n:authority: api.acme.example\n:method: POST\n"
     f"content-type: application/json\n\n{ASKED}\n", answer(PAIR)),
])
def test_learn_from_raw_recordings_of_each_kind(run, asked, answered):
    proposal = learn(run, asked, answered)
    for line in ("summary = as api.acme.example", "refresh-token = json refreshToken", "rotation = on",
                 'answer = 200 {"accessToken":"${access_token}","refreshToken":"${refresh_token}"}'):
        assert line + "\n" in proposal, proposal


def test_learn_repeats_neither_query_nor_telephone(run):
    body = compact({"accessToken": ACCESS, "refreshToken": NEXT, "user": {}, "phone_number": "+4915112345678"})
    proposal = learn(run, request(ASKED, path=f"https://api.acme.example?key={OLD}"), answer(body))
    assert "summary = as api.acme.example\n" in proposal and "path = /token\n" in proposal
    assert '"phone_number":${account.phone_number?}' in proposal and "+49" not in proposal


@pytest.mark.parametrize("media", ["application/x-amz-json-1.1", "application/json; charset=utf-8",
                                   "application/problem+json"])
def test_learn_keeps_media_types_as_they_are(run, media):
    proposal = learn(run, request(ASKED, media=media), answer(PAIR, media=media))
    assert f"type = {media}\n" in proposal
    bare = media.partition(";")[0]
    assert (f"body = json {bare}\n" in proposal) == (bare != "application/json")


@pytest.mark.parametrize("place, line", [({"X_Refresh_Token": OLD}, "header x-refresh-token"),
                                         ({"Authorization": f"Refresh {OLD}"}, "authorization Refresh"),
                                         ({"Authorization": f"Bearer {OLD}"}, "bearer")])
def test_learn_from_headers(run, place, line):
    proposal = learn(run, request("", **place), answer("", "204 No Content", Authorization=f"Bearer {ACCESS}",
                                                       X_Refresh_Token=NEXT))
    for one in (f"refresh-token = {line}", "answer = 204", "answer.header.authorization = Bearer ${access_token}",
                "answer.header.x-refresh-token = ${refresh_token}", "rotation = on"):
        assert one + "\n" in proposal, proposal


def test_learn_from_one_path_and_a_header_that_says_what(run):
    """As Amazon's services have it."""
    def ask(target, asked, status, answered):
        one = entry("/api/idp", compact(asked), status, compact(answered))
        one["request"]["headers"].append({"name": "X-Amz-Target", "value": f"Acme.{target}"})
        return one

    result = {"AuthenticationResult": {"AccessToken": ACCESS, "ExpiresIn": 900, "TokenType": "Bearer"}}
    entries = [
        ask("InitiateAuth", {"AuthFlow": "PASSWORD", "Parameters": {"username": "ada", "password": "correct horse"}}, 200,
            {"AuthenticationResult": {**result["AuthenticationResult"], "RefreshToken": OLD}}),
        ask("InitiateAuth", {"AuthFlow": "REFRESH", "Parameters": {"refreshToken": OLD}}, 200, result),
        ask("RevokeToken", {"Token": OLD}, 200, {}),
        ask("InitiateAuth", {"AuthFlow": "REFRESH", "Parameters": {"refreshToken": NEXT}}, 400, {"__type": "Refused"}),
    ]
    proposal = run("dialect", "learn", "--har", put(run, "one.har", json.dumps({"log": {"entries": entries}}))).stdout
    for line in ("when = json AuthFlow is REFRESH, header x-amz-target is Acme.InitiateAuth",
                 "when = json AuthFlow is PASSWORD, header x-amz-target is Acme.InitiateAuth",
                 "when = header x-amz-target is Acme.RevokeToken", "rotation = off", "refresh-token = json Token",
                 'token = 400 {"__type":"Refused"}'):
        assert line + "\n" in proposal, proposal


@pytest.mark.parametrize("rotation, header", [("on", True), ("off", False)])
def test_learn_follows_opaque_tokens(run, rotation, header):
    """An access token is what Authorization carries later; a refresh token may be in a header, and may stay."""
    access, renewal = ([f"{word}{i:030d}" for i in range(3)] for word in ("ab", "cd"))
    entries = []

    def ask(path, asked, told=None, new=None, shown=None, status=200):
        one = entry(path, compact({**asked, **({"r": shown} if shown and not header else {})}), status,
                    compact({**(told or {}), **({"r": new} if new and not header else {})}))
        one["request"]["headers"] += [{"name": "X-Renewal", "value": shown}] if shown and header else []
        one["response"]["headers"] += [{"name": "X-Renewal", "value": new}] if new and header else []
        entries.append(one)
        if told and "a" in told:
            entries.append(entry("/ships", "{}", 200, '{"ships":[]}'))
            entries[-1]["request"]["headers"].append({"name": "Authorization", "value": f"Bearer {told['a']}"})

    ask("/in", {"nick": "ada", "code": "open sesame"}, {"a": access[0]}, renewal[0])
    for i in (1, 2):
        ask("/more", {"a": access[i - 1]}, {"a": access[i]}, renewal[i] if rotation == "on" else None,
            renewal[i - 1] if rotation == "on" else renewal[0])
    last = renewal[2 if rotation == "on" else 0]
    ask("/out", {}, shown=last)
    ask("/more", {}, shown=last, status=400)
    proposal = run("dialect", "learn", "--har", put(run, "flow.har", json.dumps({"log": {"entries": entries}}))).stdout
    assert "00000000" not in proposal and "sesame" not in proposal
    for line in (f"rotation = {rotation}", "username = json nick", "password = json code", "path = /out"):
        assert line + "\n" in proposal, proposal
    assert proposal.count("refresh-token = " + ("header x-renewal" if header else "json r") + "\n") == 2
    assert proposal.count("answer.header.x-renewal = ${refresh_token}\n") == (2 if header else 0)
    assert 'answer = 200 {"a":"${access_token}"}\n' in proposal


def test_learn_from_a_har_that_ends_too_early(run):
    text = har(run).read_text()
    cut = text[:text.rindex('"startedDateTime"')]
    said = run("dialect", "learn", "--har", put(run, "cut.har", cut))
    assert "the file ends within entry 45: what should follow is not looked at" in said.stderr
    assert "[endpoint refresh]\n" in said.stdout
    cut = text[:text.index("/auth/login")]
    said = run("dialect", "learn", "--har", put(run, "cut.har", cut), status=REFUSED).stderr
    assert "no exchange in it is a refresh" in said
    deep = '{"log":{"entries":[' + 100_000 * "["
    assert "no exchange" in run("dialect", "learn", "--har", "-", stdin=deep, status=REFUSED).stderr
    large = run("dialect", "learn", "--har", "-", stdin="{" + 13 * 1024 * 1024 * " ", status=REFUSED).stderr
    assert "larger than 12288 KiB" in large


def test_learn_says_what_changes_in_each_answer(run):
    pair = [compact({"accessToken": ACCESS, "refreshToken": token, "round": i}) for i, token in enumerate((NEXT, OLD))]
    entries = [entry("/auth/refresh", compact({"refreshToken": OLD}), 200, pair[0]),
               entry("/auth/refresh", compact({"refreshToken": NEXT}), 200, pair[1])]
    file = put(run, "two.har", json.dumps({"log": {"entries": entries}}))
    said = run("dialect", "learn", "--har", file, status=REFUSED)
    assert "entry 2, POST /auth/refresh: what is another one in each answer stays as it is: round" in said.stderr
    assert "entry 1, POST /auth/refresh: answered otherwise" in said.stderr and '"round":1' in said.stdout


NO = {"ok": False, "fault": {"code": "E_RENEWAL", "text": "The renewal is not known", "status": 401, "at": 1_700_000_000,
                             "by": "backend-0123456789abcdef"}}


@pytest.mark.parametrize("refusals, request_, here", [
    # what varies says the error, in words where there were words; times and what is of one request go
    ([(401, NO), (400, {**NO, "fault": {**NO["fault"], "code": "E_OLD", "text": "Too old", "status": 400}})],
     '{"ok":false,"fault":{"code":"invalid_request","text":"invalid request","status":400,"at":0,"by":""}}',
     '{"ok":false,"fault":{"code":"unavailable","text":"unavailable","status":503,"at":0,"by":""}}'),
    # of one alone, each text but those that say that it is a refusal
    ([(401, {"status": "error", "error": "expired", "hint": "Log in ${again}", "code": "401", "tags": []})],
     '{"status":"error","error":"invalid_request","hint":"invalid request","code":"400","tags":[]}',
     '{"status":"error","error":"unavailable","hint":"unavailable","code":"503","tags":[]}'),
    # where none varies, the last text
    ([(401, {"kind": "no", "why": "refused"}), (403, {"kind": "no", "why": "refused"})],
     '{"kind":"no","why":"invalid_request"}', '{"kind":"no","why":"unavailable"}'),
    # no shape
    ([(401, {"why": "refused"}), (403, {"reason": "refused"})], '{"error":"invalid_request"}', '{"error":"unavailable"}'),
])
def test_learn_makes_refusals_like_the_recorded(run, refusals, request_, here):
    paths = ("/auth/refresh", "/auth/login")
    login = compact({"email": "ada@acme.example", "password": "correct horse"})
    entries = [entry("/auth/login", login, 200, PAIR), entry("/auth/refresh", compact({"refreshToken": OLD}), 200, PAIR)]
    for path, asked, (status, body) in zip(paths, (compact({"refreshToken": NEXT}), login), refusals):
        entries.append(entry(path, asked, status, compact(body)))
    file = put(run, "one.har", json.dumps({"log": {"entries": entries}}))
    left_out = any("fault" in body for _, body in refusals)  # its time
    proposal = run("dialect", "learn", "--har", file, status=REFUSED if left_out else DONE).stdout
    like = "" if '"error":"invalid_request"}' == request_[1:] else "; made like the others"
    for line in (f"request = 400 {request_}", f"here = 503 {here}"):
        assert f"# guessed: no refusal of this kind was recorded{like}\n{line}\n" in proposal, proposal


def test_learn_finds_headers_of_the_backend(run):
    """Those of all answers with one value; none that a server adds, that changes, or that is of one user."""
    told = {"X-Acme-Version": "4.1", "acme-mode": "a ${b}", "Server": "nginx", "X-Powered-By": "Acme", "Date": "today",
            "X-Name": "ada@acme.example", "X-User-Kind": "member", "X-Acme_Odd": "1"}
    entries = [entry("/auth/refresh", compact({"refreshToken": OLD}), 200, PAIR),
               entry("/auth/refresh", compact({"refreshToken": NEXT}), 200, PAIR),
               entry("/auth/refresh", compact({"refreshToken": NEXT}), 401, '{"code":"TOKEN_EXPIRED"}')]
    for i, one in enumerate(entries):
        one["response"]["headers"] += [{"name": name, "value": value} for name, value in
                                       {**told, "X-Took": f"{i} ms", **({"X-Last": "1"} if i == 2 else {})}.items()]
    file = put(run, "one.har", json.dumps({"log": {"entries": entries}}))
    said = run("dialect", "learn", "--har", file)
    assert [line for line in said.stdout.splitlines() if ".header." in line] == [
        "answer.header.x-acme-version = 4.1", "answer.header.acme-mode = a $${b}",
        *(f"{word}.header.x-acme-version = 4.1" for word in ("request", "client", "token", "here"))]
    assert said.stdout.count("the header x-last is") == 1
    for words in ("/auth/refresh: the header x-name has something of one user", "the header x-user-kind has something",
                  "the header x-acme_odd cannot be written", "the header acme-mode is one more than a file can have here",
                  "the header x-last is in one recorded answer only"):
        assert words in said.stderr and words in said.stdout, words
    assert "x-took" not in said.stdout + said.stderr and "nginx" not in said.stdout + said.stderr
    status, heads, _ = serve(run, said.stdout)("POST", "/auth/refresh", compact({"refreshToken": OLD}),
                                               "application/json")
    assert status == 401 and heads["x-acme-version"] == "4.1"


@pytest.mark.parametrize("method, told, words", [
    ("PUT", [], "a dialect takes POST, GET and DELETE only; POST is in the place of this method"),
    ("POST", [("Set-Cookie", "tracker=1")], "it sets the cookie tracker"),
])
def test_learn_says_what_no_file_can_say(run, method, told, words):
    one = entry("/auth/refresh", ASKED, 200, PAIR)
    one["request"]["method"] = method
    one["response"]["headers"] += [{"name": name, "value": value} for name, value in told]
    file = put(run, "one.har", json.dumps({"log": {"entries": [one]}}))
    said = run("dialect", "learn", "--har", file, status=REFUSED if method == "PUT" else DONE)
    assert f"entry 1, {method} /auth/refresh: {words}" in said.stderr
    assert f"# cannot be said: entry 1, {method} /auth/refresh: {words}" in said.stdout
