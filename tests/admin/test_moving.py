# SPDX-License-Identifier: ISC
"""Sessions of another server: imported as JSON Lines, refreshed, imported again."""

import base64
import calendar
import hashlib
import json
import time

from test_admin import FAULT, REFUSED, USAGE, fresh, template  # noqa: F401 (fixtures)

MOUNT = ("--mount", "/oauth/token")


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def token(n):
    return hashlib.sha256(b"token %d" % n).hexdigest()[:43]


def date(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    return time.strftime(form, time.gmtime(seconds))


def age(text):
    return time.time() - calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


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
