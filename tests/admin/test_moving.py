# SPDX-License-Identifier: ISC
"""Sessions of another server: imported as JSON Lines, refreshed, imported again."""

import base64
import hashlib
import hmac
import json
import shutil
import time
import urllib.parse

from test_admin import REFUSED, ROOT, USAGE, age, copy_of, fresh, payload, template  # noqa: F401 (fixtures)

MOUNT = ("--mount", "/oauth/token")
# RFC 9449 sections 4.1 and 6.1: a key and its thumbprint.
JWK = {"crv": "P-256", "kty": "EC", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
       "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}
JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
NO_KEYS = (5, JKT, [JKT], {}, {"kid": "a"}, {"jkt": 5}, {"jkt": ""}, {"jkt": JKT[:-1]}, {"jkt": JKT + "AA"},
           {"jkt": JKT[:-1] + "J"}, {"jkt": JKT, "x5t#S256": JKT}, {"jwk": JKT}, {"jwk": {**JWK, "y": JWK["x"]}},
           {"jwk": {**JWK, "d": JWK["x"]}}, {"jwk": {"kty": "oct", "k": JKT}})


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def token(n):
    return hashlib.sha256(b"token %d" % n).hexdigest()[:43]


def date(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    return time.strftime(form, time.gmtime(seconds))


def imported(one, *records, status=0, more=()):
    done = one.run("session", "import", "-", *MOUNT, "--json", *more, stdin=lines(*records), status=status)
    return json.loads(done.stdout), done.stderr


def test_tokens_and_hashes(fresh):
    fresh.account()
    fresh.account("ben")
    fresh.run("client", "add", "web", "--public", "--scope", "openid offline_access")
    digests = [hashlib.sha256(token(n).encode()).digest() for n in range(5)]
    records = [{"account": "ada", "token": token(0), "client": "web", "created": int(time.time()) - 864000,
                "expires": int(time.time()) + 3600},
               {"account": "ben", "token_sha256": digests[1].hex(), "scope": "openid"},
               {"account": "ben", "token_sha256": base64.b64encode(digests[2]).decode(), "client": None},
               {"account": "ben", "token_sha256": base64.urlsafe_b64encode(digests[3]).decode()},
               {"account": "ada", "token_sha256": base64.urlsafe_b64encode(digests[4]).decode().rstrip("="),
                "created": date(time.time() - 864000 + 3600, "%Y-%m-%d %H:%M:%S+01")}]
    counts, _ = imported(fresh, *records, more=["--dry-run"])
    assert (counts["begun"], fresh.json("session", "list")) == (5, [])
    counts, said = imported(fresh, *records)
    assert counts == {"lines": 5, "begun": 5, "there": 0, "over": 0, "wrong": 0, "accounts": 0} and said == ""
    assert imported(fresh, *records, more=["--dry-run"])[0]["there"] == 5
    # the same tokens again, told as hashes and the reverse
    again = [{"account": "ada", "token_sha256": digests[0].hex()}, {"account": "ben", "token": token(1)}]
    assert imported(fresh, *again, *again)[0] == {**counts, "lines": 4, "begun": 0, "there": 4}

    listed = fresh.json("session", "list")
    assert sorted((s["account"], s["client"], s["scope"]) for s in listed if s["client"] or s["scope"]) == \
        [("ada", "web", "openid offline_access"), ("ben", None, "openid")]
    assert [abs(age(s["created"]) - 864000) < 60 for s in listed if s["account"] == "ada"] == [True, True]
    assert [s["generation"] for s in listed] == [0] * 5
    for n in range(5):
        more = {"client_id": "web"} if n == 0 else {}
        answer = fresh.refresh(token(n), **more)
        assert len(answer["refresh_token"]) == 72, answer
        # again: its answer was lost
        assert fresh.refresh(token(n), **more)["refresh_token"] == answer["refresh_token"]
        assert "access_token" in fresh.refresh(answer["refresh_token"], **more)
    assert imported(fresh, *records)[0] == {**counts, "begun": 0, "there": 5}
    assert "5 imported into" in [e["note"] for e in fresh.json("events") if e["event"] == "begun"][0]


def test_an_old_end_holds_until_the_first_refresh(fresh):
    fresh.account()
    soon = int(time.time()) + 7200
    imported(fresh, {"account": "ada", "token": token(1), "expires": soon})
    before = fresh.json("session", "list")[0]
    fresh.refresh(token(1))
    after = fresh.json("session", "list")[0]
    assert before["expires"] == date(soon)
    assert after["expires"] > before["expires"]
    counts, _ = imported(fresh, {"account": "ada", "token": token(2), "expires": 1700000000},
                         {"account": "ada", "token": token(3), "state": "revoked by an administrator"})
    assert (counts["over"], counts["begun"], counts["wrong"]) == (2, 0, 0)


def test_lines_that_are_wrong(fresh):
    fresh.account()
    fresh.account("off")
    fresh.run("account", "disable", "off")
    fresh.run("client", "add", "web", "--public", "--scope", "openid")
    good = {"account": "ada", "token": token(1)}
    wrong = [
        ('{"account": "ada",', "JSON"),
        ("[]", "object"),
        (json.dumps({**good, "expire": 5}), "unknown member expire"),
        (json.dumps({"account": "ada"}), "either"),
        (json.dumps({**good, "token_sha256": "00" * 32}), "either"),
        (json.dumps({"account": "ada", "token": 5}), "either"),
        (json.dumps({"account": "ada", "token": "short"}), "token: it has 5 characters"),
        (json.dumps({"account": "ada", "token": "a token with spaces in it"}), "character 2"),
        (json.dumps({"account": "ada", "token": "abcdefghijklmnop"}), "--force"),
        (json.dumps({"account": "ada", "token_sha256": "00" * 31}), "64 hexadecimal digits"),
        (json.dumps({"account": "ada", "token_sha256": "$2y$10$abc"}), "log in again"),
        (json.dumps({"token": token(1)}), "account: missing"),
        (json.dumps({**good, "account": "no one"}), "--create-accounts"),
        (json.dumps({**good, "account": "off"}), "account enable"),
        (json.dumps({**good, "client": "none"}), "client add"),
        (json.dumps({**good, "client": "web", "scope": "openid mail"}), "may only have openid"),
        (json.dumps({**good, "scope": ["openid"]}), "scope: no text"),
        (json.dumps({**good, "scope": 'a"b'}), "scope: none"),
        *((json.dumps({**good, "cnf": cnf}), "cnf: no key; write") for cnf in NO_KEYS),
        (json.dumps({**good, "cnf": {"jwk": JWK}}), "at a mount of dbsc"),
        (json.dumps({**good, "cnf": {"x5t#S256": JKT}}), "client-certificates = on"),
        (json.dumps({**good, "resources": ["urn:a"]}), "resources: no words"),
        (json.dumps({**good, "resources": "urn:" + "a" * 512}), "at most 512"),
        (json.dumps({**good, "resources": "https://login.example.org urn:a"}), "realm /oauth/token has no urn:a"),
        (json.dumps({**good, "created": "yesterday"}), "2025-11-20T11:04:00Z"),
        (json.dumps({**good, "expires": 0}), "leave it out"),
        (json.dumps({**good, "expires": 1700000000000}), "seconds"),
    ]
    text = "\n".join(line for line, _ in wrong) + "\n\n" + json.dumps(good)
    path = fresh.directory / "old.jsonl"
    path.write_text(text)
    done = fresh.run("session", "import", path, *MOUNT, "--json", status=REFUSED)
    counts = json.loads(done.stdout)
    assert (counts["wrong"], counts["begun"], counts["lines"]) == (len(wrong), 1, len(wrong) + 2)
    told = {line.split(": ", 1)[0]: line for line in done.stderr.splitlines()}
    for n, (line, says) in enumerate(wrong, 1):
        assert says in told[f"{path}:{n}"], (line, told[f"{path}:{n}"])
    assert token(1) not in done.stderr
    assert "--mount PATH is missing" in fresh.run("session", "import", path, status=USAGE).stderr
    assert "No such file" in fresh.run("session", "import", "none", *MOUNT, status=REFUSED).stderr


def test_accounts_are_added(fresh):
    fresh.account()
    records = [{"account": f"user{n % 700}", "token": token(n)} for n in range(3000)]
    records.append({"account": "ada", "token": token(5000)})
    counts, _ = imported(fresh, *records, more=["--create-accounts"])
    assert (counts["begun"], counts["accounts"]) == (3001, 700)
    assert len(fresh.json("account", "list")) == 701
    assert len(fresh.json("session", "list", "--account", "user3")) == 5
    counts, _ = imported(fresh, *records, more=["--create-accounts"])
    assert (counts["begun"], counts["there"], counts["accounts"]) == (0, 3001, 0)
    fresh.run("store", "check")


def test_where_the_token_stays_the_same(fresh):
    """A dialect whose answers have no place for another one: the old one goes on."""
    fresh.account()
    old = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    done = fresh.run("session", "import", "--mount", "/oauth/access_token", "--json",
                     stdin=lines({"account": "ada", "token_sha256": hashlib.sha256(old.encode()).hexdigest()}))
    assert json.loads(done.stdout)["begun"] == 1
    for _ in range(3):
        assert fresh.refresh(old, path="/oauth/access_token")["refresh_token"] == old
    assert fresh.run("session", "import", *MOUNT, stdin="").stdout.startswith("0 lines: 0 sessions")


# ---- exporting ----

def exported(one, *more):
    done = one.run("session", "export", *more)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_what_is_exported_refreshes_elsewhere(fresh, tmp_path):
    """Sessions of every kind of token move into an installation with another secret."""
    for name in ("ada", "ben"):
        fresh.account(name)
    fresh.run("client", "add", "web", "--public", "--scope", "openid mail")
    first = fresh.session("/oauth/token", "ada", "--client", "web", "--scope", "openid")
    uuid = fresh.session("/oauth2/token", "ben")
    renewed = fresh.refresh(fresh.session()["refresh_token"])["refresh_token"]
    renewed = fresh.refresh(renewed)["refresh_token"]
    gone = fresh.session()
    fresh.run("session", "revoke", gone["session"])
    imported(fresh, {"account": "ada", "token": token(1)}, {"account": "ada", "token": token(2)})
    moved = fresh.refresh(token(2))["refresh_token"]
    jwt = fresh.session("/oauth/access_token")

    rows, said = exported(fresh)
    assert (len(rows), said) == (7, "") and not any("token" in row for row in rows)
    rows, said = exported(fresh, "--with-tokens")
    assert "2 live sessions without their token" in said
    assert gone["refresh_token"] not in str(rows)
    held = {row["token"]: row for row in rows if "token" in row}
    assert set(held) == {first["refresh_token"], uuid["refresh_token"], renewed, moved}
    assert [row["session"] for row in rows if "token" not in row and row["state"] == "live"][-1] == jwt["session"]
    listed = {row["session"]: row for row in fresh.json("session", "list")}
    for row in rows:
        row.pop("token", None)
        for name in ("scope", "key", "thumbprint", "resources"):
            row.setdefault(name, None)
        assert listed[row["session"]] == {**row, "ended": listed[row["session"]]["ended"]}
    assert {row["account"] for row in exported(fresh, "--account", "ben")[0]} == {"ben"}
    assert [row["session"] for row in exported(fresh, "--mount", "/oauth2/token")[0]] == [uuid["session"]]

    other = copy_of(fresh, tmp_path / "other")
    for name in ("secret", "store"):
        path = other.directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    other.run("init")
    other.run("client", "add", "web", "--public", "--scope", "openid mail")
    other.run("account", "import", "-", stdin=fresh.run("account", "export").stdout)
    done = other.run("session", "import", "-", *MOUNT, "--json", status=REFUSED,
                     stdin=fresh.run("session", "export", "--with-tokens").stdout)
    counts = json.loads(done.stdout)
    assert (counts["begun"], counts["over"], counts["wrong"]) == (4, 1, 2)
    assert done.stderr.count('write either "token"') == 2
    for old, row in held.items():
        more = {"client_id": "web"} if row["client"] else {}
        answer = other.refresh(old, **more)
        assert answer["refresh_token"] != old and len(answer["refresh_token"]) == 72, answer
    now = other.json("session", "list")
    assert sorted(row["created"] for row in now) == sorted(row["created"] for row in held.values())
    assert [row["scope"] for row in now if row["client"]] == ["openid"]
    other.run("store", "check")


def test_what_has_ended_with_others_is_not_exported_as_live(fresh):
    """With its account, or with its client."""
    fresh.account()
    fresh.run("client", "add", "web", "--public")
    fresh.session("/oauth/token", "ada", "--client", "web")
    fresh.run("client", "remove", "web")
    fresh.session()
    fresh.run("account", "disable", "ada")
    rows, said = exported(fresh, "--with-tokens")
    assert len(rows) == 2 and said == ""
    assert not any("token" in row or row["state"] == "live" for row in rows)


BOUND = ("[retoken]\ndata = .\nissuer = https://login.example.org\n[realm app]\ndialect = oauth\n"
         "client-certificates = on\n[realm site]\ndialect = dbsc\nremote-user = known\n[realm old]\n"
         "dialect = kopong\n")


def test_a_bound_session_stays_bound(fresh):
    """What it is bound to is exported, and imported again."""
    fresh.write(BOUND)
    fresh.account()
    kinds = [("dpop", {"jkt": JKT}, "/oauth/token"), ("certificate", {"x5t#S256": JKT}, "/oauth/token"),
             ("browser", {"jwk": JWK}, "/dbsc/refresh")]
    for n, (kind, cnf, mount) in enumerate(kinds):
        for first in (0, 10):
            line = {"account": "ada", "token": token(first + n), "cnf": cnf}
            fresh.run("session", "import", "--mount", mount, stdin=lines(line))
            session = fresh.json("session", "list")[-1]
            assert (session["key"], session["thumbprint"]) == (kind, JKT)
            row = exported(fresh)[0][-1]
            assert (row["session"], row["cnf"]) == (session["session"], cnf)
            cnf = row["cnf"]
    for n in (0, 1):
        assert fresh.refresh(token(n))["error"] == "invalid_grant"
        assert fresh.json("session", "list")[2 * n]["generation"] == 0
    counts, _ = imported(fresh, {"account": "ada", "token": token(20), "cnf": None})
    assert counts["begun"] == 1 and "cnf" not in exported(fresh)[0][-1]
    fresh.refresh(token(20))


def test_what_a_session_is_limited_to_moves_with_it(fresh):
    text = "[retoken]\ndata = .\nissuer = https://login.example.org\n[mount /oauth/token]\nresources = urn:a urn:b\n"
    fresh.write(text)
    fresh.account()
    resources = "urn:b  https://login.example.org\n"
    for n in range(2):
        imported(fresh, {"account": "ada", "token": token(n), "resources": resources})
        assert fresh.json("session", "list")[-1]["resources"] == "urn:b https://login.example.org"
        resources = exported(fresh)[0][-1]["resources"]
    assert fresh.refresh(token(0), resource="urn:a")["error"] == "invalid_target"
    answer = fresh.refresh(token(0))
    assert payload(answer["access_token"])["aud"] == ["urn:b", "https://login.example.org"]
    answer = fresh.refresh(answer["refresh_token"], resource="urn:b")
    assert payload(answer["access_token"])["aud"] == "urn:b"
    # the realm has less by now
    fresh.write(text.replace("urn:a urn:b", "urn:a"))
    answer = fresh.refresh(answer["refresh_token"])
    assert payload(answer["access_token"])["aud"] == "https://login.example.org"
    fresh.write(text.replace("\nissuer = https://login", "\nissuer = https://other"))
    answer = fresh.refresh(answer["refresh_token"])
    assert payload(answer["access_token"])["aud"] == "urn:b"
    imported(fresh, {"account": "ada", "token": token(5), "resources": " "})
    assert payload(fresh.refresh(token(5), resource="urn:a")["access_token"])["aud"] == "urn:a"


def test_where_no_request_proves_the_key(fresh):
    fresh.write(BOUND)
    fresh.account()
    for mount, cnf, says in (("/oauth/access_token", {"jkt": JKT}, "at a mount of oauth"),
                             ("/dbsc/refresh", {"jkt": JKT}, "only what is bound to a browser's key"),
                             ("/dbsc/refresh", None, "only what is bound to a browser's key")):
        done = fresh.run("session", "import", "--mount", mount, status=REFUSED,
                         stdin=lines({"account": "ada", "token": token(1), "cnf": cnf}))
        assert f"cnf: {mount} " in done.stderr and says in done.stderr
    done = fresh.run("session", "create", "--mount", "/dbsc/refresh", "--account", "ada", status=REFUSED)
    assert "a browser begins them" in done.stderr and "name another mount" in done.stderr
    assert fresh.json("session", "list") == []


# ---- adopting ----

KOPONG_SECRET = "qrD6h8K6S9503Q06Y6Rfk21TErImPYqa"  # published as a default
SECRET = "an-old-servers-secret-of-64-bytes-" + "q8Zk2Vx0Lr5Tn7Wb3Yc9Dm"
REALM = ("[retoken]\ndata = .\nissuer = https://login.example.org\n[realm old]\ndialect = %s\nadopt = on\n%s")


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=")


def hs256(claims, secret=SECRET, header=None):
    return mac("sha256", claims, secret.encode(), header or {"alg": "HS256", "typ": "JWT"})


def mac(digest, claims, secret, header):
    signed = b64(header) + b"." + b64(claims)
    return (signed + b"." + b64(hmac.new(secret, signed, digest).digest())).decode()


def adopts(fresh, dialect="oauth", settings="algorithm = HS256\n", secret=SECRET):
    fresh.write(REALM % (dialect, settings))
    fresh.run("init")
    fresh.run("key", "import", "--verify-only", "--algorithm", "HS256", "--kid", "old", stdin=secret + "\n")
    return fresh


def refreshes(one, text, **more):
    answer = one.refresh(text, **more)
    assert "access_token" in answer, answer
    return answer


def refused(one, text, **more):
    answer = one.refresh(text, **more)
    assert set(answer) & {"error"} and answer["error"] == "invalid_grant", answer
    return answer


def test_the_documents_own_token_is_adopted(fresh):
    """Seed document: its refresh token, under the secret that its system had by default."""
    text = (ROOT / "tests/dialect/golden/kopong/documented-plugin.request").read_text()
    token = urllib.parse.parse_qs(text.rsplit("\n\n", 1)[1].strip())["refresh_token"][0]
    fresh.write(REALM % ("kopong", "adopt-accounts = create\n"))
    fresh.run("init")
    words = ["key", "import", "--verify-only", "--algorithm", "HS256", "--kid", "grails"]
    assert "--force" in fresh.run(*words, stdin=KOPONG_SECRET, status=REFUSED).stderr
    fresh.run(*words, "--force", stdin=KOPONG_SECRET)
    for _ in range(2):
        answer = refreshes(fresh, token, path="/oauth/access_token")
        assert (answer["username"], answer["refresh_token"]) == ("test@kopong.com", token)
    session, = fresh.json("session", "list")
    assert (session["account"], session["created"]) == ("test@kopong.com", "2017-12-23T12:46:06Z")
    assert [e["event"] for e in fresh.json("events") if e["session"] == session["session"]] == ["adopted"]
    assert fresh.json("key", "list")[-1]["state"] == "verify-only"
    # one that says when it ends is an access token there, and none to refresh with
    access = hs256({"sub": "ada", "exp": int(time.time()) + 3000}, KOPONG_SECRET, {"alg": "HS256"})
    assert fresh.cgi(access, path="/oauth/access_token").startswith("Status: 401")
    fresh.run("session", "revoke", session["session"])
    assert fresh.cgi(token, path="/oauth/access_token").startswith("Status: 401")


def test_adopted_once_then_rotated(fresh):
    one = adopts(fresh)
    fresh.account()
    now = int(time.time())
    old = hs256({"sub": "ada", "iat": now - 1000, "exp": now + 5000, "scope": "openid mail"})
    first = refreshes(one, old)
    assert len(first["refresh_token"]) == 72
    assert refreshes(one, old)["refresh_token"] == first["refresh_token"]
    refreshes(one, first["refresh_token"])
    session, = one.json("session", "list")
    assert (session["generation"], session["scope"]) == (2, "openid mail")
    assert abs(age(session["created"]) - 1000) < 60
    one.run("session", "revoke", session["session"])
    refused(one, old)
    # swept as soon as may be, it is not adopted again while the token has not expired
    one.write(one.config.read_text().replace("data = .", "data = .\nkeep-ended = 0"))
    one.run("store", "prune", "--yes")
    refused(one, old)
    assert len(one.json("session", "list")) == 1
    one.run("store", "check")


def test_from_keycloak(fresh):
    """Its refresh and offline tokens; the secret comes as docs/moving-in.md takes it out of its tables."""
    issuer, user = "https://sso.example/realms/shop", "4f0a7f0c-97c2-4d1e-8d0e-0b1c9cf0b0d2"
    fresh.write(REALM % ("oauth", f"algorithm = HS256\nadopt-issuer = {issuer}\nadopt-audience = {issuer}\n"))
    fresh.run("init")
    fresh.account(user)
    kid, secret, now = "d21d6c52-4e0d-4ae5-9c5b-51a9b7a9b7c5", bytes(range(64)), int(time.time())
    words = ["key", "import", "--algorithm", "HS512", "--realm", "old"]
    jwk = json.dumps({"kty": "oct", "kid": kid, "k": b64(secret).decode()}) + "\n"
    assert "--verify-only" in fresh.run(*words, stdin=jwk, status=USAGE).stderr
    fresh.run(*words, "--verify-only", stdin=jwk)
    assert fresh.json("key", "list")[-1] | {"created": None} == {
        "kid": kid, "algorithm": "HS512", "state": "verify-only", "realm": "old", "created": None,
        "activates": None, "retires": None}
    header = {"alg": "HS512", "typ": "JWT", "kid": kid}
    claims = {"exp": now + 1800, "iat": now - 60, "jti": "9c4f0ce5-3b0c-4a7c-9e0e-33e5dd2dc9e1", "iss": issuer,
              "aud": issuer, "sub": user, "typ": "Refresh", "azp": "shop-app",
              "sid": "1b1d5c4a-9a0b-4e8e-bb0b-2f1f6ad0b2a1", "scope": "openid profile email"}
    refreshes(fresh, mac("sha512", claims, secret, {**header, "kid": "named by no one"}))
    assert fresh.json("session", "list")[0]["scope"] == "openid profile email"
    offline = {k: v for k, v in claims.items() if k != "exp"} | {"typ": "Offline", "jti": "another"}
    refreshes(fresh, mac("sha512", offline, secret, header))
    refused(fresh, mac("sha512", {**claims, "typ": "Bearer"}, secret, header))
    refused(fresh, mac("sha512", claims, secret[1:], header))
    refused(fresh, mac("sha256", claims, secret, {**header, "alg": "HS256"}))


def test_what_is_not_adopted(fresh):
    one = adopts(fresh, settings="algorithm = HS256\nadopt-issuer = https://old.example\nadopt-audience = app\n")
    fresh.account()
    fresh.account("off")
    fresh.run("account", "disable", "off")
    now = int(time.time())
    good = {"sub": "ada", "iss": "https://old.example", "aud": ["x", "app"], "iat": now, "exp": now + 5000}
    wrong = [
        {**good, "sub": "no one"}, {**good, "sub": "off"}, {**good, "sub": ""}, {**good, "sub": ["ada"]},
        {**good, "iss": "https://other.example"}, {**good, "aud": "x"}, {k: v for k, v in good.items() if k != "aud"},
        {**good, "exp": now - 1}, {**good, "exp": "tomorrow"}, {**good, "exp": 0}, {**good, "iat": now + 3600},
        {**good, "nbf": now + 3600}, {**good, "iat": -5},
        {**good, "token_type": "access"}, {**good, "typ": "Bearer"}, {**good, "type": "access"},
        {**good, "token_use": "id"}, {**good, "refresh_only": False}, {**good, "token_type": 5},
    ]
    for claims in wrong:
        refused(one, hs256(claims))
    for text in (hs256(good, SECRET[:-1] + "x"), hs256(good)[:-2] + "AA", hs256(good) + "A",
                 hs256(good, header={"alg": "none"}), hs256(good, header={"alg": "HS512"}),
                 hs256(good, header={"alg": "HS256", "typ": "at+jwt"}),
                 hs256(good, header={"alg": "HS256", "crit": ["x"], "x": 1})):
        refused(one, text)
    assert one.json("session", "list") == []
    for n, more in enumerate(({}, {"token_type": "refresh"}, {"typ": "Offline"}, {"refresh_only": True})):
        refreshes(one, hs256({**good, **more, "jti": str(n)}, header={"alg": "HS256", "kid": str(n)}))
    assert len(one.json("session", "list")) == 4
    # neither another realm, nor once the door is closed, nor without the key
    one.write(one.config.read_text() + "adopt-until = 2026-01-01\n")
    refused(one, hs256({**good, "jti": "late"}))
    one.write(one.config.read_text().replace("2026-01-01", "9999-01-01"))
    refreshes(one, hs256({**good, "jti": "early"}))
    one.run("key", "retire", "old")
    refused(one, hs256({**good, "jti": "after"}))
    assert "never signs" in one.run("key", "activate", "old", status=REFUSED).stderr
    refreshes(one, hs256({**good, "jti": "early"}))  # it has begun a session


def test_an_adopting_key_does_nothing_else(fresh):
    """What it signed is no access token here, and no refresh token of a realm that adopts nothing."""
    one = adopts(fresh, settings="algorithm = HS256\n[realm other]\ndialect = koppeltaal\nalgorithm = HS256\n")
    fresh.account()
    text = hs256({"sub": "ada", "iat": int(time.time())})
    assert "access_token" not in one.cgi(text, path="/oauth2/token")
    assert [row["mount"] for row in one.explain(text)["mounts"]] == ["/oauth/token"]
    assert one.json("session", "list") == []
    one.run("doctor")


def test_explain_says_whether_it_would_be_adopted(fresh):
    """And adopts nothing."""
    one = adopts(fresh, settings="algorithm = HS256\nadopt-issuer = https://old.example\n")
    fresh.account()
    fresh.account("off")
    fresh.run("account", "disable", "off")
    now = int(time.time())
    good = {"sub": "ada", "iss": "https://old.example", "iat": now, "exp": now + 5000}
    told = one.explain(f' "{hs256(good)}"')
    row, = told["mounts"]
    assert (told["kind"], told["accepted"], told["outcome"]) == ("refresh token of another server", True, "rotated")
    assert (row["mount"], row["accepted"]) == ("/oauth/token", True)
    assert "it would be adopted: presenting it begins a session of ada" in row["says"]
    assert "adopted" in one.run("explain", hs256(good)).stdout
    for claims, outcome in (({**good, "exp": now - 5}, "expired"), ({**good, "sub": "off"}, "account-disabled"),
                            ({**good, "sub": "no one"}, "account-gone")):
        told = one.explain(hs256(claims), status=REFUSED)
        assert (told["accepted"], told["outcome"]) == (False, outcome)
        assert "it would not be adopted" in told["mounts"][0]["says"]
    for claims in ({**good, "iss": "https://other.example"}, {**good, "typ": "Bearer"}):
        assert one.explain(hs256(claims), status=REFUSED)["kind"] == "access token"
    assert one.json("session", "list") == []
    refreshes(one, hs256(good))
    assert one.explain(hs256(good))["kind"] == "refresh token"


def test_doctor_says_when_the_key_can_go(fresh):
    fresh.write(REALM % ("oauth", "algorithm = HS256\n"))
    fresh.run("init")

    def told(until=None):
        fresh.write(REALM % ("oauth", "algorithm = HS256\n" + (f"adopt-until = {until}\n" if until else "")))
        row, = [row for row in fresh.json("doctor") if row["check"] == "adopting"]
        return row["state"], row["detail"]

    assert told()[0] == "warn" and "key import --verify-only" in told()[1]
    fresh.run("key", "import", "--verify-only", "--algorithm", "HS256", "--kid", "old", stdin=SECRET + "\n")
    assert told()[0] == "warn" and "adopt-until" in told()[1]
    assert told("9999-01-01") == ("ok", "old: with old until 9999-01-01T00:00:00Z; no session so far")
    fresh.account()
    now = int(time.time())
    for n in range(70):
        refreshes(fresh, hs256({"sub": "ada", "iat": now - 1000 + n, "exp": now + 5000}))
        if n == 0:
            assert "; 1 session so far, the last at " in told("9999-01-01")[1]
    fresh.session("/oauth/token", "ada")
    state, detail = told("9999-01-01")
    assert state == "ok" and "; 70 sessions so far, the last at " in detail
    assert 0 <= age(detail.rsplit(" ", 1)[1]) < 600, "when it came here, not when it began there"
    assert told("2026-01-01")[0] == "warn" and "key retire old" in told("2026-01-01")[1]
    fresh.run("key", "retire", "old")
    assert told("2026-01-01")[0] == "ok"


def test_an_older_store_adopts_again(fresh):
    """What the journal of ends cannot prevent, `store restore` says."""
    one = adopts(fresh)
    fresh.account()
    fresh.run("store", "backup", "copy")
    token = hs256({"sub": "ada", "iat": int(time.time()), "exp": int(time.time()) + 5000})
    refreshes(one, token)
    fresh.run("session", "revoke", fresh.json("session", "list")[0]["session"])
    refused(one, token)
    assert "realm old adopts: " in fresh.run("store", "restore", "copy").stderr
    refreshes(one, token)
    fresh.write(fresh.config.read_text() + "adopt-until = 2026-01-01\n")
    fresh.run("session", "revoke", fresh.json("session", "list")[0]["session"])
    assert "adopts" not in fresh.run("store", "restore", "copy").stderr
    refused(one, token)


def test_accounts_by_another_claim(fresh):
    one = adopts(fresh, dialect="simplejwt",
                 settings="algorithm = HS256\nadopt-claim = user_id\nadopt-accounts = create\n")
    claims = {"token_type": "refresh", "user_id": 7, "exp": int(time.time()) + 900, "jti": "a"}
    assert "access" in one.refresh(hs256(claims), path="/api/token/refresh", key="refresh")
    assert [a["name"] for a in one.json("account", "list")] == ["7"]


def test_public_keys_of_the_old_server(fresh):
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    one = adopts(fresh)
    fresh.account()
    claims = {"sub": "ada", "iat": int(time.time()), "typ": "Refresh"}
    key = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    said = one.run("key", "import", "--verify-only", "--algorithm", "RS256", "--kid", "rsa", stdin=pem)
    assert "verify-only" in said.stdout
    signed = b64({"alg": "RS256", "kid": "whatever"}) + b"." + b64(claims)
    good = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    refused(one, (signed + b"." + b64(bytes(len(good)))).decode())
    refreshes(one, (signed + b"." + b64(good)).decode())

    curve = ec.generate_private_key(ec.SECP256R1())
    numbers = curve.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "ec-1", "x": b64(numbers.x.to_bytes(32, "big")).decode(),
           "y": b64(numbers.y.to_bytes(32, "big")).decode()}
    one.run("key", "import", "--verify-only", "--algorithm", "ES256", stdin=json.dumps({"keys": [jwk]}))
    assert [k["kid"] for k in one.json("key", "list") if k["algorithm"] == "ES256"] == ["ec-1"]
    signed = b64({"alg": "ES256", "kid": "ec-1"}) + b"." + b64(claims)
    r, s = utils.decode_dss_signature(curve.sign(signed, ec.ECDSA(hashes.SHA256())))
    refreshes(one, (signed + b"." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode())
    # a public key signs nothing: not even where it is taken for a secret (RFC 8725 section 2.1)
    refused(one, hs256(claims, secret=pem))
    assert len(one.json("session", "list")) == 2
    one.run("store", "check")
    one.run("doctor")
