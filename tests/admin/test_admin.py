# SPDX-License-Identifier: ISC
"""The program `retoken`, run as people and scripts run it: every verb, its exit status and its JSON.

RETOKEN_BUILD names the directory that holds `retoken` and `retoken.fcgi` (build/ unless set). Refreshes
go through the responder as plain CGI. No test waits: what depends on time is set by configuration.
"""

import base64
import calendar
import hashlib
import json
import os
import pty
import re
import select
import signal
import shutil
import socket
import stat
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve()
RETOKEN = BUILD / "retoken"
RESPONDER = BUILD / "retoken.fcgi"
DONE, REFUSED, USAGE, FAULT = 0, 1, 2, 3
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
DIALECTS = [row for row in json.loads(subprocess.run([RETOKEN, "dialects", "--json"], capture_output=True,
                                                     check=True).stdout) if row["origin"] == "program"]
# Those that are there without a setting.
ENDPOINTS = [endpoint for dialect in DIALECTS if dialect["policy"] and dialect["dialect"] != "dbsc"
             for endpoint in dialect["endpoints"] if not endpoint["remote_user"]
             and endpoint["operation"] not in ("device", "metadata")]
MOUNTS = [endpoint["path"] for endpoint in ENDPOINTS]
RENEWING = [endpoint["path"] for endpoint in ENDPOINTS if endpoint["operation"] == "refresh"]


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}


class Installation:
    """A directory with a configuration, and `retoken -c` on it."""

    def __init__(self, directory):
        self.directory = directory
        self.config = directory / "retoken.conf"

    def run(self, *words, stdin="", status=DONE):
        done = subprocess.run([RETOKEN, "-c", self.config, *map(str, words)], input=stdin,
                              capture_output=True, text=True, env=environment(), cwd=self.directory,
                              timeout=60)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        if status == DONE:
            assert done.stderr == "" or "newer key" in done.stderr or "answers with" in done.stderr \
                or "can be guessed" in done.stderr or "without their token" in done.stderr \
                or "realm old adopts" in done.stderr or "refused there until then" in done.stderr
        else:
            # whatever goes wrong is told, on standard error, by name
            assert done.stderr != "" or words[0] in ("explain", "doctor") or "check" in words
        return done

    def json(self, *words, **more):
        return json.loads(self.run(*words, "--json", **more).stdout)

    def write(self, text):
        self.config.write_text(text)
        self.config.chmod(0o600)

    def account(self, name="ada", *more):
        self.run("account", "add", name, "--no-password", *more)

    def session(self, mount="/oauth/token", account="ada", *more):
        return self.json("session", "create", "--mount", mount, "--account", account, *more)

    def explain(self, token, status=DONE):
        return self.json("explain", stdin=token + "\n", status=status)

    def refresh(self, token, path="/oauth/token", **more):
        """One refresh at a mount that takes a form; its JSON."""
        said = self.cgi(token, path, **more)
        return json.loads(said.split("\n\n", 1)[1])

    def cgi(self, token, path="/oauth/token", key="refresh_token", address="", **more):
        """The same through the responder as CGI: all that it answers."""
        body = urllib.parse.urlencode({"grant_type": "refresh_token", key: token, **more})
        variables = {**environment(), "RETOKEN_CONFIG": str(self.config), "GATEWAY_INTERFACE": "CGI/1.1",
                     "REQUEST_METHOD": "POST", "SCRIPT_NAME": path, "QUERY_STRING": "",
                     "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
                     "REMOTE_ADDR": address, "CONTENT_TYPE": "application/x-www-form-urlencoded",
                     "CONTENT_LENGTH": str(len(body))}
        done = subprocess.run([RESPONDER], input=body, capture_output=True, text=True, env=variables,
                              cwd=self.directory, timeout=60)
        assert "\n\n" in done.stdout.replace("\r\n", "\n"), (done.stdout, done.stderr)
        return done.stdout.replace("\r\n", "\n")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """One initialised installation; generating RSA keys takes a while."""
    one = Installation(tmp_path_factory.mktemp("template") / "data")
    one.directory.mkdir(mode=0o700)
    one.run("init", "--issuer", "https://login.example.org")
    return one


def copy_of(template, directory):
    """The store is copied by its own verb, as a backup would be."""
    one = Installation(directory)
    one.directory.mkdir(mode=0o700)
    for name in ("retoken.conf", "secret"):
        (one.directory / name).write_bytes((template.directory / name).read_bytes())
        (one.directory / name).chmod(0o600)
    template.run("store", "backup", one.directory / "store")
    return one


@pytest.fixture
def fresh(template, tmp_path):
    return copy_of(template, tmp_path / "data")


def payload(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# ---- init ----

def test_init_twice(tmp_path):
    one = Installation(tmp_path / "new")
    one.directory.mkdir()
    one.config = tmp_path / "new" / "deep" / "retoken.conf"
    first = one.run("init").stdout
    data = one.config.parent
    assert "there already" not in first
    for item in ("configuration", "secret", "store", "key HS256", "key RS256", "key RS512"):
        assert re.search(rf"^{item} +made ", first, re.M), first
    before = {p: p.read_bytes() for p in (one.config, data / "secret")}
    keys = one.json("key", "list")

    second = one.run("init").stdout
    assert " made " not in second
    assert second.count("there already") == first.count(" made ")
    assert before == {p: p.read_bytes() for p in before}
    assert one.json("key", "list") == keys

    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert re.fullmatch(r"[0-9a-f]{64}\n", (data / "secret").read_text())


def test_init_says_what_to_type_next(tmp_path):
    """And that is typed then, word by word."""
    def next_lines(said):
        return [line.strip() for line in said.rpartition("\nnext:\n")[2].splitlines()]

    done = subprocess.run([RETOKEN, "init", "--issuer", "https://login.example.org"], cwd=tmp_path,
                          capture_output=True, text=True, env=environment(), check=True)
    export, account, *_, doctor = next_lines(done.stdout)
    assert export == f"export RETOKEN_HOME={tmp_path}/retoken-data"
    assert doctor == f"{RETOKEN} doctor --url https://login.example.org"
    typed = f"{export}; cd /; {account.replace('NAME', 'ada')} --no-password"
    subprocess.run(["sh", "-c", typed], env=environment(), check=True)

    again = Installation(tmp_path / "retoken-data").run("init").stdout
    assert "account add" not in again  # there is one
    assert next_lines(again)[-1] == \
        f"{RETOKEN} -c {tmp_path}/retoken-data/retoken.conf doctor --url https://login.example.org"


def test_init_beside_the_samples(tmp_path):
    """As the archive for a shared host has them."""
    (tmp_path / "retoken").write_bytes(RETOKEN.read_bytes())
    (tmp_path / "retoken").chmod(0o755)
    sample = tmp_path / "apache-conf" / "shared-host" / ".htaccess"
    sample.parent.mkdir(parents=True)
    sample.write_text("")
    done = subprocess.run([tmp_path / "retoken", "init"], cwd=tmp_path, capture_output=True, text=True,
                          env={**environment(), "RETOKEN_HOME": str(tmp_path / "data")}, check=True)
    assert "apache-conf/shared-host/retoken.fcgi and .htaccess" in done.stdout
    assert f"\n  {tmp_path}/retoken account add NAME\n" in done.stdout and "export" not in done.stdout


def test_prune_says_what_it_keeps(fresh):
    assert "0 ended sessions removed (none ended more than keep-ended, 30d, ago)" in fresh.run("store", "prune").stdout


def test_init_asks_for_the_issuer(tmp_path):
    one = Installation(tmp_path / "a" / "data")
    one.directory.mkdir(parents=True, mode=0o755)
    said = one.run("init").stdout
    assert "name no issuer yet: set issuer in" in said and "is open to others (mode 0755): chmod 0700" in said
    one.directory.chmod(0o700)
    failed = [r for r in one.json("doctor", status=FAULT) if r["state"] == "FAIL"]
    assert [r["check"] for r in failed] == ["mount"] and "set issuer" in failed[0]["detail"]
    assert "there already" in one.run("init", "--issuer", "https://a.example", status=REFUSED).stderr
    for wrong in ("login.example.org", "https://", "ftp://a.example", "https:///x", "https://a b"):
        other = Installation(tmp_path / "b")
        other.directory.mkdir(mode=0o700, exist_ok=True)
        assert "is no URL" in other.run("init", "--issuer", wrong, status=USAGE).stderr
        assert not other.config.exists()
    other.run("init", "--issuer", "https://a.example")
    other.account()
    token = other.session()["access_token"]
    assert payload(token)["iss"] == payload(token)["aud"] == "https://a.example"
    other.json("doctor")


def test_printed_defaults_can_be_uncommented(fresh):
    """Each alone, and the sections together; what describes a default is an error that says so."""
    text = fresh.config.read_text()
    general, mounts = text.split("# Without [realm]")
    for line in re.findall(r"^# [a-z-]+ = .*$", general, re.M):
        fresh.write(general.replace(line, line[2:]))
        fresh.run("account", "list")
    fresh.write(general + re.sub(r"^# (?=[a-z-]+ =|\[)", "", mounts.partition("\n\n")[2], flags=re.M))
    assert fresh.json("doctor")[0]["state"] == "ok"


def test_one_section_is_all_there_is(fresh):
    assert not [r for r in fresh.json("doctor") if r["check"] == "not mounted"]
    fresh.write("[retoken]\ndata = .\n[mount /oauth2/token]\n")
    said = [r["detail"] for r in fresh.json("doctor") if r["check"] == "not mounted"]
    assert len(said) == 1 and "/oauth/token" in said[0] and "/oauth2/token" not in said[0]
    # nor has one endpoint its dialect's others
    assert "/oauth2/introspect" in said[0] and "/metrics" not in said[0] and "/.well-known" not in said[0]
    fresh.write("[retoken]\ndata = .\n[realm x]\ndialect = koppeltaal\n")
    said = [r["detail"] for r in fresh.json("doctor") if r["check"] == "not mounted"]
    assert len(said) == 1 and "/oauth2" not in said[0]


def test_init_adds_only_what_is_missing(fresh):
    fresh.write("[retoken]\ndata = .\n[mount /new]\ndialect = oauth\nalgorithm = ES384\n"
                "[mount /other]\ndialect = oauth\nalgorithm = HS256\n")
    said = fresh.run("init").stdout
    assert re.search(r"^key ES384 +made +for all realms", said, re.M)
    assert re.search(r"^key HS256 +made +/other", said, re.M)
    assert len(re.findall(r" made ", said)) == 2
    fresh.account()
    assert fresh.session("/new")["access_token"].count(".") == 2


def test_dialects_of_a_realm_share_its_sessions(fresh):
    """A session of an old dialect goes on in the new one; another realm refuses it."""
    fresh.write("[retoken]\ndata = .\n"
                "[realm shop]\ndialect = kopong, oauth\nbase = /v1\npath.oauth.token = /token\n"
                "[realm other]\ndialect = oauth\n")
    fresh.run("init")
    fresh.account()
    old = fresh.session("/v1/oauth/access_token")["refresh_token"]
    assert fresh.refresh(old)["error"] == "invalid_grant"
    moved = fresh.refresh(old, "/token")["refresh_token"]
    assert moved != old
    assert fresh.refresh(moved, "/token")["access_token"].count(".") == 2


def test_init_keys(template):
    keys = template.json("key", "list")
    assert {k["state"] for k in keys} == {"active"}
    hs = sorted(k["realm"] for k in keys if k["algorithm"] == "HS256")
    expected = sorted({endpoint["realm"] for dialect in DIALECTS
                       if (dialect["policy"] or {}).get("algorithm") == "HS256"
                       for endpoint in dialect["endpoints"]})
    assert hs == expected  # a shared secret is shared once
    assert sorted(k["algorithm"] for k in keys if k["realm"] is None) == ["RS256", "RS512"]


def test_init_writes_defaults_as_comments(template, tmp_path):
    """Every commented key, taken literally, loads and changes nothing."""
    text = template.config.read_text()
    for mount in MOUNTS:
        assert f"# [mount {mount}]" in text
    lines = [re.sub(r"^# (?=(\[mount|[a-z-]+ = \S))", "", line) for line in text.split("\n")]
    lines = [l for l in lines if not re.match(r"(secret-file|store) = ", l)]
    copy = tmp_path / "all.conf"
    copy.write_text("\n".join(lines).replace("data = .", f"data = {template.directory}"))
    copy.chmod(0o600)
    done = subprocess.run([RETOKEN, "-c", copy, "doctor", "--json"], capture_output=True, text=True,
                          env=environment())
    assert done.returncode == DONE, done.stdout
    assert sum(row["check"] == "mount" for row in json.loads(done.stdout)) == len(MOUNTS) + 5
    # the key set, the health check, and what the issuers of oauth and koppeltaal say of themselves


def test_home_and_config_variables(template, tmp_path):
    home = {**environment(), "RETOKEN_HOME": str(template.directory)}
    done = subprocess.run([RETOKEN, "key", "list", "--json"], capture_output=True, text=True, env=home,
                          cwd=tmp_path)
    assert done.returncode == DONE and len(json.loads(done.stdout)) >= 4
    config = {**environment(), "RETOKEN_CONFIG": str(template.config), "RETOKEN_HOME": "/nonexistent"}
    done = subprocess.run([RETOKEN, "key", "list", "--json"], capture_output=True, text=True,
                          env=config, cwd=tmp_path)
    assert done.returncode == DONE and len(json.loads(done.stdout)) >= 4


# ---- usage and help ----

@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["account"], ["account", "nonsense"], ["account", "add"],
    ["account", "add", "a", "b"], ["account", "list", "--mount", "/x"], ["account", "list", "--nonsense"],
    ["session", "create"], ["session", "create", "--mount", "/oauth/token"], ["session", "revoke"],
    ["session", "show", "not-a-session"], ["key", "add"], ["key", "add", "--algorithm", "none"],
    ["client", "add", "x", "--key", "/dev/null"], ["client", "add", "x", "--algorithm", "RS256"],
    ["client", "add", "has space"], ["account", "add", "x", "--claim", "novalue"],
    ["account", "add", "x", "--role", "two words"], ["account", "add", ""],
    ["account", "set", "x"], ["events", "--last", "0"], ["events", "--last", "ten"],
    ["client", "add", "x", "--public", "--secret-file", "/dev/null"],
    ["account", "add", "x", "--no-password", "--password-file", "/dev/null"], ["store", "backup"],
])
def test_wrong_usage(template, words):
    template.run(*words, status=USAGE)


def test_wrong_usage_does_not_repeat_values(template):
    said = template.run("client", "add", "x", "s3cret-on-the-line", status=USAGE)
    assert "s3cret" not in said.stdout + said.stderr
    said = template.run("client", "add", "x", "--secret=s3cret", status=USAGE)
    assert "s3cret" not in said.stdout + said.stderr


def test_dialects(tmp_path):
    """The table needs no installation, and leaves none behind; tests/admin/test_dialect.py reads it."""
    subprocess.run([RETOKEN, "dialects"], capture_output=True, cwd=tmp_path, env=environment(), check=True)
    assert list(tmp_path.iterdir()) == []
    koppeltaal = next(row for row in DIALECTS if row["dialect"] == "koppeltaal")
    assert koppeltaal["policy"] == {
        "rotation": "on", "reuse": "revoke", "format": "uuid", "algorithm": "RS512",
        "concurrency-window": "1m", "recovery-window": "0", "idle-lifetime": "400d",
        "absolute-lifetime": "0", "access-lifetime": "1h"}
    assert koppeltaal["endpoints"][0] == {
        "name": "token", "path": "/oauth2/token", "realm": "/oauth2/token", "methods": ["POST"],
        "deployed_methods": ["GET", "POST"], "bodies": ["form"], "operation": "refresh",
        "remote_user": False}
    assert koppeltaal["audience"] == "fhir-server" and [s["name"] for s in koppeltaal["settings"]] == ["query"]
    wellknown = next(row for row in DIALECTS if row["dialect"] == "wellknown")
    assert wellknown["policy"] is None and wellknown["issuer"] is None


def test_help_tells_every_verb(template):
    text = template.run("help").stdout
    rows = re.findall(r"^  (\w+)(?: ([a-z]+))?(?: \[?[A-Z]| {2})", text, re.M)
    assert len(rows) > 25
    manual = (ROOT / "man" / "retoken.1").read_text()
    for noun, verb in rows:
        words = [w for w in (noun, verb) if w]
        told = template.run("help", *words).stdout
        assert told.startswith("usage: retoken " + " ".join(words))
        assert told == template.run(*words, "--help").stdout
        assert re.search(r"^\.It Cm " + " ".join(words) + r"\b", manual, re.M), words
        for option in re.findall(r"--([a-z-]+)", told):
            assert f"Fl -{option}" in manual, f"retoken(1) does not name --{option}"
    assert template.run("--help").stdout == text
    assert re.fullmatch(r"retoken \d+\.\d+\.\d+\nOpenSSL .+\nclient assertions verified by .+\nconfines itself: .+\n",
                        template.run("version").stdout)
    assert template.run("--version").stdout == template.run("version").stdout


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff sets the manual")
@pytest.mark.parametrize("page", ["retoken.1", "retoken.conf.5", "retoken-dialect.5", "retoken.fcgi.8"])
def test_manual_is_well_formed(page):
    done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", ROOT / "man" / page],
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and "November" in done.stdout


def test_manual_of_the_responder():
    told = subprocess.run([RESPONDER, "--help"], capture_output=True, text=True).stdout
    manual = (ROOT / "man" / "retoken.fcgi.8").read_text()
    options = set(re.findall(r"--([a-z]+)", told))
    assert {"config", "listen", "threads"} <= options
    for option in options:
        assert f"Fl -{option}" in manual or f"| -{option}" in manual, option


# ---- accounts ----

def test_account_life(fresh):
    fresh.run("account", "add", "ada", "--role", "user", "--role", "admin", "--subject", "u-1",
              "--claim", "userId=5", "--claim", "email=ada@example.org", "--claim", "ok=true",
              "--claim", "zip=01234", stdin="correct horse\n")
    shown = fresh.json("account", "show", "ada")
    assert shown.pop("number") > 0
    assert TIME.match(shown.pop("created"))
    assert shown == {"name": "ada", "enabled": True, "password": True, "subject": "u-1",
                     "roles": ["user", "admin"],
                     "claims": {"userId": 5, "email": "ada@example.org", "ok": True, "zip": "01234"},
                     "session_limit": 0, "keep_sessions": False, "last_login": None, "wrong_passwords": 0,
                     "refused_until": None}
    assert [a["name"] for a in fresh.json("account", "list")] == ["ada"]
    assert "correct" not in fresh.run("account", "show", "ada").stdout

    fresh.run("account", "add", "ada", "--no-password", status=REFUSED)
    fresh.run("account", "set", "ada", "--role", "user")
    assert fresh.json("account", "show", "ada")["roles"] == ["user"]
    assert fresh.json("account", "show", "ada")["claims"]["userId"] == 5

    one = fresh.session()
    fresh.run("account", "disable", "ada", "--keep-sessions")
    assert fresh.json("account", "show", "ada")["enabled"] is False
    assert fresh.explain(one["refresh_token"])["outcome"] == "account-disabled"
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", status=REFUSED)
    fresh.run("account", "enable", "ada")
    assert fresh.explain(one["refresh_token"])["accepted"] is True
    assert "1 session ended" in fresh.run("account", "disable", "ada").stdout
    fresh.run("account", "enable", "ada")
    assert fresh.explain(one["refresh_token"])["outcome"] == "revoked"
    one = fresh.session()

    assert "1 session ended" in fresh.run("account", "passwd", "ada", stdin="another one\n").stdout
    assert fresh.explain(one["refresh_token"])["outcome"] == "revoked"

    two = fresh.session()
    assert "1 session ended" in fresh.run("account", "remove", "ada").stdout
    assert fresh.explain(two["refresh_token"])["accepted"] is False
    assert fresh.json("account", "list") == []
    for verb in ("show", "remove", "disable", "enable"):
        fresh.run("account", verb, "ada", status=REFUSED)

    fresh.account()  # another one of that name: the old sessions stay dead
    assert fresh.explain(two["refresh_token"])["accepted"] is False
    notes = [e["note"] for e in fresh.json("events") if e["event"] == "account"]
    assert notes[::-1] == ["added", "changed", *["disabled", "enabled"] * 2, "password changed",
                           "removed", "added"]


def test_account_claims_file(fresh):
    claims = fresh.directory / "claims.json"
    claims.write_text('{"email": "a@b", "nested": {"x": [1, "é"]}, "roleId": 1}')
    fresh.run("account", "add", "ada", "--no-password", "--claims-file", claims, "--claim", "roleId=2")
    assert fresh.json("account", "show", "ada")["claims"] == {
        "email": "a@b", "nested": {"x": [1, "é"]}, "roleId": 2}
    for wrong in ("[]", '{"a":1,"a":2}', "", "{", '{"a":"' + "x" * 2100 + '"}'):
        claims.write_text(wrong)
        fresh.run("account", "add", "bob", "--no-password", "--claims-file", claims, status=USAGE)
    fresh.run("account", "add", "bob", "--claims-file", "-", stdin="{}", status=USAGE)
    fresh.run("account", "add", "bob", "--no-password", "--claim", "a=1", "--claim", "a=2", status=USAGE)


@pytest.mark.parametrize("stdin", ["", "\n", "\0\n", "x" * 257 + "\n", "x" * 100000 + "\n"])
def test_account_wrong_passwords(fresh, stdin):
    fresh.run("account", "add", "ada", stdin=stdin, status=USAGE)
    assert fresh.json("account", "list") == []


def test_account_password_file(fresh):
    secret = fresh.directory / "password"
    secret.write_text("from a file\r\nsecond line\n")
    fresh.run("account", "add", "ada", "--password-file", secret)
    assert fresh.json("account", "show", "ada")["password"] is True
    fresh.run("account", "add", "bob", "--password-file", "/nonexistent/file", status=USAGE)
    fresh.run("account", "passwd", "ada", "--no-password")
    assert fresh.json("account", "show", "ada")["password"] is False


def on_terminal(installation, words, answers):
    """Runs on a terminal of its own; each answer is typed when its prompt is there. Output and status."""
    pid, master = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background starts without
        os.execve(RETOKEN, ["retoken", "-c", str(installation.config), *words], environment())
    seen = b""
    answers = list(answers)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([master], [], [], 1)[0]:
            try:
                got = os.read(master, 4096)
            except OSError:
                break
            if not got:
                break
            seen += got
            if answers and seen.rstrip().endswith(b"password:"):
                os.write(master, answers.pop(0))
                seen += b"<typed>"
    status = os.waitpid(pid, 0)[1]
    os.close(master)
    return seen.decode(), status


def test_account_password_on_a_terminal(fresh):
    seen, status = on_terminal(fresh, ["account", "add", "ada"], [b"typed in\n", b"typed in\n"])
    assert os.waitstatus_to_exitcode(status) == DONE, seen
    assert "typed in\r" not in seen.replace("<typed>", "")  # not echoed
    assert "account ada added" in seen
    seen, status = on_terminal(fresh, ["account", "add", "bob"], [b"one\n", b"two\n"])
    assert os.waitstatus_to_exitcode(status) == REFUSED
    assert "not the same" in seen
    seen, status = on_terminal(fresh, ["account", "add", "bob"], [b"\x03"])  # Ctrl-C
    assert os.waitstatus_to_exitcode(status) == -2  # by the signal, the terminal put right before
    assert [a["name"] for a in fresh.json("account", "list")] == ["ada"]


def test_many_accounts(fresh):
    """More than one page of the store's and of the table's."""
    names = [f"user{i:03}" for i in range(70)]
    for name in names:
        fresh.account(name)
    assert [a["name"] for a in fresh.json("account", "list")] == names
    lines = fresh.run("account", "list").stdout.split("\n")
    assert len(lines) == 1 + 70 + 1
    assert lines[1].index("yes") == lines[0].index("enabled")


def test_unlock(fresh):
    """Wrong secrets are counted by one process after the other, for the account whose token comes
    along; `unlock` of either forgets them."""
    for name in ("ada", "eve"):
        fresh.run("account", "add", name, stdin="correct horse\n")
    fresh.run("client", "add", "old", "--secret-file", "-", stdin="chosen by a human\n")
    token = {name: fresh.json("session", "create", "--mount", "/oauth/token", "--account", name,
                              "--client", "old")["refresh_token"] for name in ("ada", "eve")}

    def refresh(name, secret):
        answer = fresh.refresh(token[name], client_id="old", client_secret=secret)
        token[name] = answer.get("refresh_token", token[name])
        return answer.get("error")

    for noun, name in (("account", "ada"), ("client", "old")):
        assert f"{name} was not locked" in fresh.run(noun, "unlock", name).stdout
        assert [refresh("ada", f"guess {i}") for i in range(5)] == ["invalid_client"] * 5
        while refresh("ada", "guess") != "temporarily_unavailable":
            pass  # on a slow machine the first second is over: the next wait is twice as long
        assert refresh("eve", "chosen by a human") is None
        assert f"{name} unlocked" in fresh.run(noun, "unlock", name).stdout
        assert refresh("ada", "chosen by a human") is None
    (event,) = (one for one in fresh.json("events", "--last", "20") if one["event"] == "guessed")
    assert event["account"] == "ada" and event["client"] == "old"
    checks = {row["check"]: row for row in fresh.json("doctor")}
    assert "2 times five wrong ones" in checks["guesses"]["detail"]
    fresh.run("account", "unlock", "nobody", status=REFUSED)
    fresh.run("client", "unlock", "nobody", status=REFUSED)


# ---- clients ----

def test_client_life(fresh):
    added = fresh.json("client", "add", "web", "--scope", "read write")
    assert added["client"] == "web" and len(added["client_secret"]) == 43
    fresh.run("client", "add", "web", status=REFUSED)
    fresh.run("client", "add", "phone", "--public")
    fresh.run("client", "add", "old", "--secret-file", "-", stdin="chosen by a human\n")
    shown = fresh.run("client", "add", "shop").stdout.split("\n")
    assert len(shown[1]) == 43
    rows = {c["client"]: c for c in fresh.json("client", "list")}
    assert {k: v["proof"] for k, v in rows.items()} == {
        "old": "secret", "phone": "none (public)", "shop": "secret", "web": "secret"}
    assert rows["web"]["scope"] == ["read", "write"]
    everything = fresh.run("client", "list").stdout + fresh.run("client", "list", "--json").stdout
    assert added["client_secret"] not in everything and "human" not in everything

    fresh.account()
    one = fresh.session("/oauth/token", "ada", "--client", "web", "--scope", "read")
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", "--client", "web",
              "--scope", "admin", status=REFUSED)
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", "--client", "none",
              status=REFUSED)
    new = fresh.refresh(one["refresh_token"], client_id="web", client_secret=added["client_secret"])
    assert "refresh_token" in new, new
    assert "1 session ended" in fresh.run("client", "remove", "web").stdout
    assert fresh.explain(new["refresh_token"])["outcome"] == "revoked"
    fresh.run("client", "remove", "web", status=REFUSED)


def openssl(directory, *words, **more):
    return subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True, **more).stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def rsa_key(directory, name):
    """An RSA key pair in NAME.pem, its public half in NAME.pub and, as a JWK, returned."""
    openssl(directory, "genpkey", "-algorithm", "RSA", "-out", f"{name}.pem")
    openssl(directory, "pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub")
    modulus = openssl(directory, "rsa", "-in", f"{name}.pem", "-noout", "-modulus", text=True)
    n = bytes.fromhex(modulus.strip().removeprefix("Modulus="))
    return {"kty": "RSA", "kid": name, "n": base64url(n), "e": "AQAB", "alg": "RS256", "use": "sig"}


def test_client_secrets(fresh):
    """Two at a time: the old one goes on until it is retired, and no session ends."""
    fresh.account()
    first = fresh.json("client", "add", "web")["client_secret"]
    token = fresh.session("/oauth/token", "ada", "--client", "web")["refresh_token"]
    added = fresh.json("client", "secret", "add", "web")
    assert added["number"] == 2 and len(added["client_secret"]) == 43
    fresh.run("client", "secret", "add", "web", status=REFUSED)
    for secret in (first, added["client_secret"]):
        answer = fresh.refresh(token, client_id="web", client_secret=secret)
        token = answer["refresh_token"]
    rows = fresh.json("client", "secret", "list", "web")
    assert [row["number"] for row in rows] == [1, 2] and all(TIME.match(row["used"]) for row in rows)
    shown = fresh.run("client", "secret", "list", "web").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["number", "1", "2"]  # what `retire` is told
    fresh.run("client", "secret", "retire", "web", "3", status=REFUSED)
    fresh.run("client", "secret", "retire", "web", "1")
    assert "add web" in fresh.run("client", "secret", "retire", "web", "2", status=REFUSED).stderr
    assert fresh.refresh(token, client_id="web", client_secret=first)["error"] == "invalid_client"
    token = fresh.refresh(token, client_id="web", client_secret=added["client_secret"])["refresh_token"]
    chosen = "chosen by somebody else, and long"
    shown = fresh.run("client", "secret", "add", "web", "--secret-file", "-", stdin=chosen + "\n").stdout
    assert "secret 3 of client web added" in shown and chosen not in shown
    assert fresh.refresh(token, client_id="web", client_secret=chosen)["refresh_token"]
    for wrong in (["add"], ["turn", "web"], ["retire", "web"], ["list", "web", "1"], ["retire", "web", "x"]):
        fresh.run("client", "secret", *wrong, status=USAGE)
    notes = [e["note"] for e in fresh.json("events") if e["event"] == "client"]
    assert notes[::-1] == ["added", "secret added", "secret retired", "secret added"]


def test_client_disabled(fresh):
    """Its sessions are refused by every mount of the realm, and accepted again."""
    fresh.account()
    fresh.run("client", "add", "app", "--public")
    one = fresh.session("/oauth/token", "ada", "--client", "app")["refresh_token"]
    fresh.run("client", "disable", "app")
    assert fresh.json("client", "show", "app")["enabled"] is False
    assert fresh.explain(one)["outcome"] == "client-grant"
    assert fresh.refresh(one, client_id="app")["error"] == "unauthorized_client"
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", "--client", "app",
              status=REFUSED)
    fresh.run("client", "enable", "app")
    assert fresh.refresh(one, client_id="app")["refresh_token"]
    fresh.run("client", "disable", "nobody", status=REFUSED)


def test_cookies_must_reach_the_logout(fresh):
    """And no more than the mounts that renew it would judge its token."""
    fresh.write("[retoken]\ndata = .\n[realm r]\ndialect = fusionauth\nissuer = https://x.example\n"
                "cookie-path = /api/jwt\n")
    said = [row["detail"] for row in fresh.json("doctor") if "cookie-path" in row["detail"]]
    assert sorted(line.split(":")[0].split()[0] for line in said) == ["/api/auth/refresh", "/api/login", "/api/logout"]
    fresh.account()
    token = fresh.session("/api/jwt/refresh")["refresh_token"]
    assert [row["mount"] for row in fresh.explain(token)["mounts"]] == ["/api/jwt/refresh", "/api/auth/refresh"]


def test_doctor_knows_the_published_key_of_duktig(fresh):
    def said(key):
        digest = hashlib.sha256(key).hexdigest()
        fresh.write(f"[retoken]\ndata = .\n[realm shop]\ndialect = duktig\nauth-key-sha256 = {digest}\n")
        fresh.run("init")
        return [row["detail"] for row in fresh.json("doctor")
                if row["check"] == "mount" and "auth-key" in row["detail"]]

    assert said(b"a key of our own") == []
    assert said(b"abc123756%37*53f3trR3") != []


def test_doctor_wants_a_refresh_beside_every_login(fresh):
    def said(realm):
        fresh.write("[retoken]\ndata = .\n[mount /oauth/access_token]\n[mount /api/login]\n"
                    f"dialect = kopong\nendpoint = login\n{realm}")
        fresh.run("init")
        return [row["detail"] for row in fresh.json("doctor")
                if row["check"] == "mount" and row["state"] == "warn"]

    assert len(said("")) == 1 and "/api/login" in said("")[0]
    assert said("realm = /oauth/access_token\n") == []


def test_doctor_wants_an_issuer_for_each_realm_that_is_looked_up(fresh):
    def said(issuer):
        fresh.write("[retoken]\ndata = .\nissuer = https://id.example\n[realm one]\ndialect = oauth\n"
                    f"[realm two]\ndialect = oauth\nbase = /two\n{issuer}")
        fresh.run("init")
        return [row["detail"] for row in fresh.json("doctor") if row["check"] == "mount" and row["state"] == "warn"]

    assert len(said("")) == 1 and "/two/oauth/token" in said("")[0]
    assert said("issuer = https://id.example/two\n") == []


def test_doctor_says_whether_the_log_daemon_listens(fresh):
    path = fresh.directory / "daemon"
    fresh.write(f"[retoken]\ndata = .\nissuer = https://id.example\nlog = syslog:{path}\n")
    fresh.run("init")

    def said():
        [row] = [row for row in fresh.json("doctor") if row["check"] == "log"]
        return row["state"], row["detail"]

    assert said() == ("warn", f"syslog:{path}: no daemon listens there, so lines go to standard error: "
                              "No such file or directory")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(path))
        assert said() == ("ok", f"syslog:{path}")


def test_doctor_names_public_clients_whose_tokens_stay_the_same(fresh):
    def warnings():
        return [row["detail"] for row in fresh.json("doctor") if row["check"] == "client"]

    fresh.run("client", "add", "web")
    assert not warnings()
    fresh.run("client", "add", "app", "--public")
    said, = warnings()
    assert "app is public" in said and "/oauth/access_token" in said and "/oauth/token" not in said
    fresh.run("client", "set", "app", "--policy", "rotation=off", "--policy", "absolute-lifetime=0")
    assert "/oauth/token" in warnings()[0]
    fresh.run("client", "set", "app", "--policy", "absolute-lifetime=90d")
    assert not warnings()


def test_client_set(fresh):
    fresh.run("client", "add", "app", "--public", "--scope", "read")
    fresh.run("client", "set", "app", "--scope", "read write", "--origin", "https://a.example",
              "--origin", "capacitor://localhost", "--redirect-uri", "https://a.example/back")
    shown = fresh.json("client", "show", "app")
    assert shown["scope"] == ["read", "write"] and shown["redirect_uris"] == ["https://a.example/back"]
    assert shown["origins"] == ["https://a.example", "capacitor://localhost"]
    fresh.run("client", "set", "app", "--origin", "")
    assert not fresh.json("client", "show", "app")["origins"]
    for wrong in (["--origin", "a.example"], ["--origin", "https://a b"],
                  ["--redirect-uri", "https://" + "x" * 3000]):
        fresh.run("client", "set", "app", *wrong, status=USAGE)


def assertion(directory, name, client, audience):
    """A client assertion (RFC 7523) signed with RS256 by NAME.pem; it names no key."""
    claims = {"iss": client, "sub": client, "aud": audience, "exp": int(time.time()) + 60, "jti": os.urandom(8).hex()}
    signed = base64url(b'{"alg":"RS256"}') + "." + base64url(json.dumps(claims).encode())
    return signed + "." + base64url(openssl(directory, "dgst", "-sha256", "-sign", f"{name}.pem",
                                            input=signed.encode()))


def test_client_certificates(fresh):
    rsa_key(fresh.directory, "k")
    for name in ("one", "two"):
        openssl(fresh.directory, "req", "-x509", "-key", "k.pem", "-subj", f"/O=Bank/CN={name}", "-out", f"{name}.crt")
    one, two = (base64url(hashlib.sha256(openssl(fresh.directory, "x509", "-in", f"{name}.crt", "-outform", "DER"))
                          .digest()) for name in ("one", "two"))
    assert fresh.json("client", "add", "svc", "--certificate", "one.crt") == {"client": "svc", "client_secret": None}
    row, = fresh.json("client", "list")
    assert (row["proof"], row["keys"]) == ("certificate", [])

    def shown():
        said = fresh.json("client", "show", "svc")
        return len(said["keys"]), said["certificates"], said["certificate_name"]

    assert shown() == (0, [one], None)
    # each is changed alone
    fresh.run("client", "set", "svc", "--certificate-name", "dn:CN=one,O=Bank")
    assert shown() == (0, [one], "dn:CN=one,O=Bank")
    fresh.run("client", "set", "svc", "--key", "k.pub", "--algorithm", "RS256")
    assert shown() == (1, [one], "dn:CN=one,O=Bank")
    (fresh.directory / "both").write_text("".join((fresh.directory / f"{n}.crt").read_text() for n in ("one", "two")))
    fresh.run("client", "set", "svc", "--certificate", "both", "--certificate-name", "")
    assert shown() == (1, [one, two], None)
    assert fresh.json("client", "list")[0]["proof"] == "assertion, certificate"
    der = base64.b64encode(openssl(fresh.directory, "x509", "-in", "two.crt", "-outform", "DER")).decode()
    fresh.run("client", "set", "svc", "--certificate", "-", stdin=json.dumps({"keys": [{"kty": "RSA", "x5c": [der]}]}))
    assert shown() == (1, [two], None)
    fresh.run("client", "set", "svc", "--certificate", "")
    assert shown() == (1, [], None)
    for words, complaint in (
            (["--certificate", "k.pub"], "k.pub: no certificate in PEM form"),
            (["--certificate", "absent"], "absent"), (["--certificate", "-"], "no certificate in PEM form"),
            (["--certificate-name", "app.example"], "write dn:, dns:, uri:, ip: or email:"),
            (["--certificate-name", "dns:"], "write dn:, dns:, uri:, ip: or email:")):
        assert complaint in fresh.run("client", "set", "svc", *words, status=USAGE, stdin="").stderr
    fresh.run("client", "add", "x", "--public", "--certificate", "one.crt", status=USAGE)
    fresh.run("client", "set", "svc", "--policy", "certificate=required")
    assert fresh.json("client", "show", "svc")["policy"] == ["certificate=required"]
    fresh.run("client", "set", "svc", "--policy", "certificate=optional", status=USAGE)


def test_client_key(fresh):
    jwk = rsa_key(fresh.directory, "k")
    added = fresh.json("client", "add", "svc", "--key", "k.pub", "--algorithm", "RS384")
    assert added == {"client": "svc", "client_secret": None}
    row = fresh.json("client", "list")[0]
    required = json.dumps({m: jwk[m] for m in ("e", "kty", "n")}, separators=(",", ":"))
    thumbprint = base64url(hashlib.sha256(required.encode()).digest())  # RFC 7638
    assert (row["proof"], row["keys"]) == ("assertion", [thumbprint])
    fresh.run("client", "add", "two", "--key", "-", "--secret-file", "k.pem",
              stdin=json.dumps({"keys": [jwk, {**jwk, "use": "enc"}, {**jwk, "kid": "k2"}]}))
    shown = fresh.json("client", "show", "two")
    assert shown["keys"] == ["k", "k2"]
    assert fresh.json("client", "list")[1]["proof"] == "secret, assertion"

    sets = {"private": {"keys": [{**jwk, "d": "AQAB"}]}, "shared": {"keys": [{"kty": "oct", "k": "AAAA"}]},
            "short": {"keys": [jwk, {**jwk, "n": jwk["n"][:40]}]}, "single": jwk, "none": {"keys": []},
            "curve": {"keys": [{"kty": "EC", "crv": "P-224"}]}}
    for name, value in sets.items():
        (fresh.directory / name).write_text(json.dumps(value))
    for words, complaint in ((["k.pem", "--algorithm", "RS256"], "openssl pkey -in KEY -pubout"),
                             (["k.pub", "--algorithm", "HS256"], "RS256, RS384"),
                             (["k.pub", "--algorithm", "HS512"], "RS256, RS384"),
                             (["k.pub", "--algorithm", "ES256"], "P-256"),
                             (["k.pub"], "--algorithm RS256"),
                             (["/nonexistent", "--algorithm", "RS256"], "/nonexistent"),
                             (["none", "--algorithm", "RS256"], "leave --algorithm out"),
                             (["private"], "key 1 of the JWK Set: member d is secret"),
                             (["shared"], "key 1 of the JWK Set: member k is secret"),
                             (["short"], "key 2 of the JWK Set: the RSA key has 240 bits"),
                             (["single"], "no JWK Set"),
                             (["none"], "none: no key"),
                             (["curve"], "P-224")):
        for verb in (["add", "other"], ["set", "svc"]):
            assert complaint in fresh.run("client", *verb, "--key", *words, status=USAGE).stderr
    assert "--key FILE" in fresh.run("client", "add", "other", "--algorithm", "RS256", status=USAGE).stderr
    assert [c["client"] for c in fresh.json("client", "list")] == ["svc", "two"]


def test_client_changes_its_key(fresh):
    """Old and new are accepted for a while, then the new one alone; its session lives on."""
    fresh.write(fresh.config.read_text() + "\n[mount /oauth/token]\ndialect = oauth\nissuer = https://id\n")
    fresh.account()
    old, new = rsa_key(fresh.directory, "old"), rsa_key(fresh.directory, "new")
    fresh.run("client", "add", "svc", "--key", "old.pub", "--algorithm", "RS256")
    token = fresh.session("/oauth/token", "ada", "--client", "svc")["refresh_token"]
    for keys, accepted in ((None, {"old"}), ([old, new], {"old", "new"}), ([new], {"new"})):
        if keys:
            (fresh.directory / "set").write_text(json.dumps({"keys": keys}))
            fresh.run("client", "set", "svc", "--key", "set")
        for name in ("old", "new"):
            answer = fresh.refresh(
                token, client_assertion=assertion(fresh.directory, name, "svc", "https://id"),
                client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            assert answer.get("error") == (None if name in accepted else "invalid_client"), answer
            token = answer.get("refresh_token", token)


def test_explains_assertions(fresh):
    """Whose it is and what it lacks, in the word that the log has; and once it was used, when."""
    fresh.account()
    rsa_key(fresh.directory, "svc")
    fresh.run("client", "add", "svc", "--key", "svc.pub", "--algorithm", "RS256")
    fresh.write("[mount /oauth/token]\ndialect = oauth\n")
    assert re.search(r"^assertions +warn +/oauth/token.*svc", fresh.run("doctor", status=FAULT).stdout, re.M)
    text = assertion(fresh.directory, "svc", "svc", "https://id")
    assert fresh.explain(text, status=REFUSED)["outcome"] == "assertion-no-issuer"

    fresh.write("[mount /oauth/token]\ndialect = oauth\nissuer = https://id\n")
    assert not re.search(r"^assertions ", fresh.run("doctor").stdout, re.M)
    said = fresh.explain(text, status=REFUSED)
    assert (said["kind"], said["outcome"]) == ("client assertion", "right")
    said = fresh.explain(assertion(fresh.directory, "svc", "svc", "https://other"), status=REFUSED)
    assert said["outcome"] == "assertion-aud"
    assert said["says"] == ('a client assertion for svc; its aud is "https://other", '
                            'wanted "https://id", or /oauth/token on its host')
    said = fresh.explain(assertion(fresh.directory, "svc", "stranger", "https://id"), status=REFUSED)
    assert said["outcome"] == "unknown-client"
    token = fresh.session("/oauth/token", "ada", "--client", "svc")["refresh_token"]
    answer = fresh.refresh(
        token, client_assertion=text,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    assert "refresh_token" in answer, answer
    said = fresh.explain(text, status=REFUSED)
    assert said["outcome"] == "assertion-replayed" and "it was used" in said["says"]


# ---- sessions ----

@pytest.mark.parametrize("mount", MOUNTS)
def test_session_create_on_every_mount(fresh, mount):
    fresh.account("ada", "--role", "ROLE_USER")
    one = fresh.session(mount, "ada", "--scope", "openid")
    assert UUID.match(one["session"])
    assert (one["mount"], one["account"], one["client"]) == (mount, "ada", None)
    assert one["generation"] == 0 and 0 < one["expires_in"] <= 86400
    assert one["expires"] is None or TIME.match(one["expires"])
    assert one["access_token"].count(".") == 2
    said = fresh.explain(one["refresh_token"])
    assert said["accepted"] is True and said["session"] == one["session"]
    assert (mount in [m["mount"] for m in said["mounts"]]) == (mount in RENEWING)
    access = fresh.explain(one["access_token"])
    assert (access["kind"], access["accepted"], access["signature"]) == ("access token", True, True)


def test_session_create_refusals(fresh):
    fresh.account()
    for words in (["--mount", "/nowhere", "--account", "ada"],
                  ["--mount", "/healthz", "--account", "ada"],
                  ["--mount", "/oauth/token", "--account", "nobody"],
                  ["--mount", "/oauth/token", "--account", "ada", "--scope", 'quo"te']):
        fresh.run("session", "create", *words, status=REFUSED)
    assert fresh.json("session", "list") == []


def test_session_create_asks_for_the_proof_of_its_mount(fresh):
    """Begun where clients prove themselves, a session is taken with less nowhere in its realm."""
    shared = "[mount {}]\ndialect = {}\nrealm = /oauth/token\n"
    fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\n" +
                shared.format("/oauth2/token", "koppeltaal") +
                shared.format("/api/jwt/refresh", "fusionauth"))
    fresh.account()
    secret = fresh.json("client", "add", "web")["client_secret"]
    fresh.run("client", "add", "phone", "--public")

    def begin(mount, client):
        token = fresh.session(mount, "ada", "--client", client, "--scope",
                              "*/write")["refresh_token"]
        return token, {one["mount"]: one["outcome"] for one in fresh.explain(token)["mounts"]}

    token, says = begin("/oauth/token", "web")
    assert says == {"/oauth/token": "rotated", "/oauth2/token": "rotated",
                    "/api/jwt/refresh": "client-auth"}
    assert "access_token" in fresh.refresh(token, client_id="web", client_secret=secret)
    # neither koppeltaal's document nor a public client asks for proof
    token, says = begin("/oauth2/token", "web")
    assert says["/api/jwt/refresh"] == "rotated"
    assert "access_token" in fresh.refresh(token, "/oauth2/token")
    assert begin("/oauth/token", "phone")[1]["/api/jwt/refresh"] == "rotated"


def test_session_revoke_of_many(fresh):
    """Of a client, of a realm, of all: each is told once, and new sessions begin as ever."""
    fresh.account("ada")
    for client in ("web", "tv"):
        fresh.run("client", "add", client, "--public")

    def outcomes():
        return [fresh.explain(one["refresh_token"])["outcome"] for one in sessions]

    def create(mount, client=None):
        more = ["--client", client] if client else []
        return fresh.json("session", "create", "--mount", mount, "--account", "ada", *more)

    sessions = [create("/oauth/token", "web"), create("/oauth/token", "tv"), create("/api/jwt/refresh"),
                create("/oauth2/token")]
    live = "rotated"
    assert outcomes() == [live] * 4
    assert "1 session of client web revoked" in fresh.run("session", "revoke", "--client", "web").stdout
    assert outcomes() == ["revoked", live, live, live]
    realm = fresh.json("session", "show", sessions[2]["session"])["realm"]
    assert f"1 session of realm {realm} revoked" in fresh.run("session", "revoke", "--realm", realm).stdout
    assert outcomes() == ["revoked", live, "revoked", live]
    assert {row["state"] for row in fresh.json("session", "list") if row["realm"] == realm} == {
        "revoked by an administrator"}
    assert "2 sessions revoked" in fresh.run("session", "revoke", "--all").stdout
    assert outcomes() == ["revoked"] * 4
    notes = [(row["event"], row["note"]) for row in fresh.json("events") if row["event"] == "revoked"]
    assert sorted(notes) == [("revoked", "all sessions"), ("revoked", "all sessions of the client"),
                             ("revoked", "all sessions of the realm")]
    sessions = [create("/oauth/token", "web"), create("/api/jwt/refresh")]
    assert outcomes() == [live] * 2
    fresh.run("store", "check")
    fresh.run("session", "revoke", "--client", "nobody", status=REFUSED)
    fresh.run("session", "revoke", "--realm", "nowhere", status=REFUSED)
    fresh.run("session", "revoke", "--all", "--account", "ada", status=USAGE)
    assert outcomes() == [live] * 2


def test_session_list_show_revoke(fresh):
    fresh.account("ada")
    fresh.account("bob")
    one, two, three = fresh.session(), fresh.session("/oauth2/token"), fresh.session("/oauth/token", "bob")
    rows = fresh.json("session", "list")
    assert [r["session"] for r in rows] == [s["session"] for s in (one, two, three)]
    assert [r["account"] for r in rows] == ["ada", "ada", "bob"]
    assert {r["state"] for r in rows} == {"live"}
    assert len(fresh.json("session", "list", "--account", "ada")) == 2
    shown = fresh.json("session", "show", one["session"])
    assert {k: shown[k] for k in rows[0]} == rows[0] and len(shown["story"]) == 3
    assert rows[0]["realm"] == "/oauth/token" and rows[0]["generation"] == 0

    fresh.run("session", "revoke", one["session"])
    assert fresh.json("session", "show", one["session"])["ended"] is not None
    said = fresh.run("session", "revoke", one["session"]).stdout
    assert "already" in said
    assert fresh.explain(one["refresh_token"])["outcome"] == "revoked"
    assert "1 session of ada revoked" in fresh.run("session", "revoke", "--account", "ada").stdout
    assert fresh.explain(two["refresh_token"])["accepted"] is False
    assert fresh.explain(three["refresh_token"])["accepted"] is True
    absent = "01936a2e-5c1b-7e52-9d1f-3f8a6b0c2d4e"
    fresh.run("session", "revoke", absent, status=REFUSED)
    fresh.run("session", "show", absent, status=REFUSED)
    fresh.run("session", "list", "--account", "nobody", status=REFUSED)
    fresh.run("session", "revoke", one["session"], "--account", "ada", status=USAGE)


def test_session_import(fresh):
    fresh.account()
    old = "an-old-server-issued-this-one"
    one = fresh.json("session", "create", "--mount", "/oauth/token", "--account", "ada",
                     "--import-token-file", "-", stdin=old + "\n")
    assert one["refresh_token"] == old
    assert fresh.explain(old)["spelling"] == "imported"
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada",
              "--import-token-file", "-", stdin=old + "\n", status=REFUSED)
    own = fresh.session()["refresh_token"]
    for wrong in (own, "short", "a" * 40, "with space in it and long enough"):
        fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada",
                  "--import-token-file", "-", stdin=wrong + "\n", status=REFUSED)
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", "--force",
              "--import-token-file", "-", stdin="a" * 40 + "\n")
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada",
              "--import-token-file", "/nonexistent", status=USAGE)
    new = fresh.refresh(old)
    assert fresh.explain(new["refresh_token"])["session"] == one["session"]


def age(text):
    return time.time() - calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


# ---- keys ----

def test_key_life(fresh):
    old = next(k for k in fresh.json("key", "list") if k["algorithm"] == "RS256")
    refused = fresh.run("key", "retire", old["kid"], status=REFUSED)
    assert "--force" in refused.stderr and "RS256" in refused.stderr
    new = fresh.json("key", "add", "--algorithm", "RS256", "--kid", "second")
    assert (new["kid"], new["state"]) == ("second", "published")
    fresh.account()
    assert header(fresh.session()["access_token"])["kid"] == old["kid"]
    before = fresh.session()["access_token"]
    fresh.run("key", "activate", "second", "--now")
    assert header(fresh.session()["access_token"])["kid"] == "second"
    assert fresh.explain(before)["accepted"] is True
    fresh.run("key", "retire", old["kid"])
    said = fresh.explain(before)
    assert (said["signature"], said["accepted"], said["key_state"]) == (True, False, "retired")
    assert "newer key" in fresh.run("key", "activate", old["kid"], "--now").stderr
    fresh.run("key", "retire", old["kid"])
    assert "answers with an error" in fresh.run("key", "retire", "second", "--force").stderr
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada", status=FAULT)
    assert any(r["state"] == "FAIL" and r["check"] == "key RS256"
               for r in fresh.json("doctor", status=FAULT))
    fresh.run("key", "retire", "nobody", status=REFUSED)
    fresh.run("key", "activate", "nobody", status=REFUSED)
    fresh.run("key", "add", "--algorithm", "RS256", "--kid", "second", status=REFUSED)
    fresh.run("key", "add", "--algorithm", "RS256", "--realm", "/nowhere", status=REFUSED)


def test_key_export(fresh):
    """To a new file that only its owner can read, to a pipe, and back."""
    for algorithm in ("RS256", "ES384", "EdDSA", "HS256"):
        key = fresh.json("key", "add", "--algorithm", algorithm)
        file = fresh.directory / algorithm
        before = os.umask(0)
        fresh.run("key", "export", key["kid"], file)
        os.umask(before)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        piped = fresh.run("key", "export", key["kid"]).stdout
        assert piped == fresh.run("key", "export", key["kid"], "-").stdout == file.read_text()
        assert "stays as it is" in fresh.run("key", "export", key["kid"], file, status=REFUSED).stderr
        seen, status = on_terminal(fresh, ["key", "export", key["kid"]], [])
        assert os.waitstatus_to_exitcode(status) == REFUSED and "terminal" in seen and len(seen) < 300
        assert "exists" in fresh.run("key", "import", file, "--algorithm", algorithm, status=REFUSED).stderr
        if algorithm == "HS256":
            shown = json.loads(piped)
            assert {**shown, "k": ""} == {"alg": "HS256", "k": "", "kid": key["kid"], "kty": "oct"}
            assert "no public part" in fresh.run("key", "export", key["kid"], "--public", status=REFUSED).stderr
        else:
            openssl(fresh.directory, "pkey", "-in", file, "-noout")
            public = fresh.run("key", "export", key["kid"], "--public").stdout
            assert public == openssl(fresh.directory, "pkey", "-in", file, "-pubout").decode()
            seen, _ = on_terminal(fresh, ["key", "export", key["kid"], "--public"], [])
            assert seen.replace("\r", "") == public
    notes = [event["note"] for event in fresh.json("events", "list", "--kind", "key")]
    assert len([note for note in notes if note.endswith(" exported")]) == 12
    assert fresh.run("key", "export", "nobody", status=REFUSED).stdout == ""


def test_public_key_is_told(fresh):
    """To whoever asks, at a path of FusionAuth's, as it is exported."""
    def get(query):
        done = subprocess.run([RESPONDER], capture_output=True, text=True, timeout=60, cwd=fresh.directory,
                              env={**environment(), "RETOKEN_CONFIG": str(fresh.config), "GATEWAY_INTERFACE": "CGI/1.1",
                                   "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/api/jwt/public-key", "QUERY_STRING": query})
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        return head.split("\n")[0], body

    pairs = [k for k in fresh.json("key", "list") if k["algorithm"] != "HS256"]
    public = {k["kid"]: fresh.run("key", "export", k["kid"], "--public").stdout for k in pairs}
    status, body = get("")
    assert (status, json.loads(body)) == ("Status: 200 OK", {"publicKeys": public})
    kid = next(k["kid"] for k in pairs if k["algorithm"] == "RS256")
    for query in (f"kid={kid}", "applicationId=85a03867-dccf-4882-adde-1a79aeec50df"):
        assert json.loads(get(query)[1]) == {"publicKey": public[kid]}
    secret = next(k["kid"] for k in fresh.json("key", "list") if k["algorithm"] == "HS256")
    for kid in ("none", secret):
        assert get(f"kid={kid}") == ("Status: 404 Not Found", "")


def test_key_moves_to_another_installation(fresh):
    """What one has signed, the other verifies and goes on signing."""
    key = fresh.json("key", "add", "--algorithm", "ES256", "--activate")
    secret = fresh.json("key", "add", "--algorithm", "HS256", "--realm", "/oauth/access_token", "--activate")
    files = [fresh.run("key", "export", one["kid"]).stdout for one in (key, secret)]
    other = Installation(fresh.directory / "other")
    other.directory.mkdir(mode=0o700)
    other.run("init", "--issuer", "https://login.example.org")
    assert other.json("key", "import", "--algorithm", "ES256", "--activate", stdin=files[0])["kid"] == key["kid"]
    said = other.json("key", "import", "--algorithm", "HS256", "--realm", "/oauth/access_token", "--activate",
                      stdin=files[1])
    assert said["kid"] == secret["kid"]
    fresh.account()
    other.account()
    token = fresh.session("/oauth/access_token")["access_token"]
    told = other.explain(token)
    assert (told["signature"], told["kid"]) == (True, secret["kid"])


def test_key_rotate(fresh):
    """One call: the next key is published, and both have their dates."""
    old = {k["algorithm"]: k["kid"] for k in fresh.json("key", "list")}
    made = {k["algorithm"]: k for k in fresh.json("key", "rotate")}
    assert set(made) == {"RS256", "RS512"} and {k["state"] for k in made.values()} == {"published"}
    keys = {k["kid"]: k for k in fresh.json("key", "list")}
    for algorithm, key in made.items():
        before = keys[old[algorithm]]
        assert -2 <= age(key["activates"]) + 70 * 60 <= 600
        # an access token's hour and ten minutes for what clocks differ by
        assert round(age(key["activates"]) - age(before["retires"])) == 70 * 60
        assert (before["state"], keys[key["kid"]]["retires"]) == ("active", None)
    assert [k["retires"] for k in keys.values() if k["algorithm"] == "HS256"] == [None] * 3
    said = fresh.run("key", "rotate", status=REFUSED).stderr
    assert "key activate" in said and len(fresh.json("key", "list")) == len(keys)
    assert "signs from" in fresh.run("key", "list").stdout
    assert any("takes the place of" in r["detail"] for r in fresh.json("doctor") if r["check"] == "key RS256")
    # what signs is chosen by hand, too
    fresh.account()
    fresh.run("key", "activate", made["RS256"]["kid"], "--now")
    assert header(fresh.session()["access_token"])["kid"] == made["RS256"]["kid"]
    fresh.run("key", "rotate", "--algorithm", "HS256", "--realm", "/oauth/access_token")
    secrets = [k for k in fresh.json("key", "list") if k["state"] == "published" and k["algorithm"] == "HS256"]
    assert [k["realm"] for k in secrets] == ["/oauth/access_token"]
    # clients of kopong's dialect log in with a token that has expired, for 30 days
    before = next(k for k in fresh.json("key", "list") if k["realm"] == "/oauth/access_token" and k["retires"])
    assert 30 * 86400 < -age(before["retires"]) < 31 * 86400
    now = fresh.run("key", "rotate", "--algorithm", "RS256", "--now")
    assert "signs from" in now.stdout and "refused there until then" in now.stderr
    fresh.run("key", "rotate", "--algorithm", "ES384", status=REFUSED)
    fresh.run("key", "rotate", "--realm", "/nowhere", status=REFUSED)


def test_key_rotate_by_the_longest_life(fresh):
    """A client's own policy counts; what grows afterwards, doctor says."""
    fresh.run("client", "add", "web", "--public", "--policy", "access-lifetime=5h")
    key = fresh.json("key", "rotate", "--algorithm", "RS256")[0]
    old = next(k for k in fresh.json("key", "list") if k["algorithm"] == "RS256")
    assert round(age(key["activates"]) - age(old["retires"])) == 5 * 3600 + 600
    assert not [r for r in fresh.json("doctor") if r["check"] == "key RS256" and r["state"] != "ok"]
    fresh.run("client", "set", "web", "--policy", "access-lifetime=6h")
    warned = [r["detail"] for r in fresh.json("doctor") if r["check"] == "key RS256" and r["state"] == "warn"]
    assert len(warned) == 1 and f"key activate {old['kid']}" in warned[0]
    fresh.run("key", "activate", old["kid"])
    assert [k["retires"] for k in fresh.json("key", "list") if k["kid"] == old["kid"]] == [None]


def header(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize("algorithm", ["HS256", "RS384", "PS256", "ES256", "ES384", "EdDSA"])
def test_key_add_every_algorithm(fresh, algorithm):
    key = fresh.json("key", "add", "--algorithm", algorithm, "--activate")
    assert (key["algorithm"], key["state"]) == (algorithm, "active")
    fresh.write(f"[retoken]\ndata = .\n[mount /t]\ndialect = oauth\nalgorithm = {algorithm}\n")
    fresh.account()
    one = fresh.session("/t")
    assert header(one["access_token"])["alg"] == algorithm
    assert fresh.explain(one["access_token"])["kid"] == key["kid"]


def test_key_import(fresh):
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                          "ec_paramgen_curve:P-256"], check=True, capture_output=True, text=True).stdout
    key = fresh.json("key", "import", "--algorithm", "ES256", "--activate", stdin=pem)
    assert len(key["kid"]) == 43  # its thumbprint
    fresh.run("key", "import", "-", "--algorithm", "ES256", stdin=pem, status=REFUSED)  # there already
    secret = "qrD6h8K6S9503Q06Y6Rfk21TErImPYqa"
    (fresh.directory / "hs").write_text(secret + "\n")
    fresh.run("key", "import", fresh.directory / "hs", "--algorithm", "HS256", "--realm",
              "/oauth/access_token", "--activate", "--kid", "grails", "--force")
    everything = fresh.run("key", "list").stdout + fresh.run("key", "list", "--json").stdout
    assert secret not in everything
    fresh.account()
    token = fresh.session("/oauth/access_token")["access_token"]
    assert fresh.explain(token)["kid"] == "grails"
    for words, stdin in ((["--algorithm", "ES384"], pem), (["--algorithm", "RS256"], pem),
                         (["--algorithm", "HS256"], "too short\n"), (["--algorithm", "RS256"], ""),
                         (["--algorithm", "RS256"], "nonsense\n"), (["/nonexistent", "--algorithm", "RS256"], "")):
        said = fresh.run("key", "import", *words, stdin=stdin, status=REFUSED)
        assert "MG" not in said.stderr and "too short\n" not in said.stderr


# ---- what is chosen badly ----

def test_published_and_weak_secrets(fresh):
    """Those of the documents, and those that can be guessed."""
    for secret, says in (("qrD6h8K6S9503Q06Y6Rfk21TErImPYqa", "published in the default configuration of grails"),
                         ("~s!d8f7s#d9@f9d8%_sf9D3378Rds79#", "published in the sample configuration of a PHP"),
                         ("my-secret-token-to-change-in-production", "published in JHipster"),
                         ("django-insecure-" + "k3v9x2m8q1w7e6r5t4y0u", "Django"),
                         ("a" * 32, "1 different bytes"), ("password" * 4, "7 different bytes"),
                         ("0123456789abcdef" * 2, "repeats itself")):
        said = fresh.run("key", "import", "--algorithm", "HS256", "--kid", "k", stdin=secret + "\n",
                         status=REFUSED).stderr
        assert says in said and secret not in said, said
    good = hashlib.sha256(b"x").hexdigest()
    fresh.run("key", "import", "--algorithm", "HS256", "--kid", "good", stdin=good)
    assert not [r for r in fresh.json("doctor") if r["check"] == "key HS256" and r["state"] != "ok"]
    fresh.run("key", "import", "--algorithm", "HS256", "--kid", "bad", "--force", stdin="a" * 32)
    rows = fresh.json("doctor", status=FAULT)
    assert [r["detail"] for r in rows if r["state"] == "FAIL"][0].startswith("bad: the secret has 1 different")
    fresh.run("key", "retire", "bad")
    fresh.json("doctor")


def test_short_secrets(fresh):
    """What does not come from a terminal may be in use already: a warning."""
    for words, short, enough in ((["account", "add"], "1234567", "12345678"),
                                 (["client", "add", "--secret-file", "-"], "x" * 15, "x" * 16)):
        assert "can be guessed" in fresh.run(*words, "short", stdin=short + "\n").stderr
        assert fresh.run(*words, "enough", stdin=enough + "\n").stderr == ""
    assert "can be guessed" in fresh.run("account", "passwd", "short", stdin="1\n").stderr
    assert fresh.run("account", "passwd", "short", "--force", stdin="1\n").stderr == ""
    client = ["client", "add", "old", "--secret-file", "-"]
    assert "--force" in fresh.run(*client, stdin="x" * 7 + "\n", status=REFUSED).stderr
    fresh.run(*client, "--force", stdin="x\n")


def test_short_password_on_a_terminal(fresh):
    seen, status = on_terminal(fresh, ["account", "add", "ada"], [b"1234567\n", b"1234567\n"])
    assert os.waitstatus_to_exitcode(status) == REFUSED and "--force" in seen


def test_why_a_token_cannot_be_imported(fresh):
    fresh.account()
    create = ["session", "create", "--mount", "/oauth/token", "--account", "ada", "--import-token-file", "-"]
    own = fresh.session()["refresh_token"]
    fresh.run(*create, stdin="0123456789abcdef-there\n")
    for token, says in (("0123456789abcdef-there", "a session has it already"),
                        ("0123456789a", "11 characters; 12 to"), ("a\tb" * 8, "character 2 of it"),
                        ("0123456789;abcdefg", "character 11 of it"), (own, "one of Retoken's own"),
                        ("a" * 16, "--force"), ("x0123456789" * 372 + "abcde", "12 to 4096 can be")):
        assert says in fresh.run(*create, stdin=token + "\n", status=REFUSED).stderr, token
    fresh.run(*create, "--force", stdin="a" * 16 + "\n")


def test_a_key_that_caches_cannot_have(fresh):
    """Its tokens would be refused by who has fetched the key set a moment ago."""
    before = [k["kid"] for k in fresh.json("key", "list") if k["algorithm"] == "RS256"][0]
    kid = fresh.json("key", "add", "--algorithm", "RS256")["kid"]
    said = fresh.run("key", "activate", kid, status=REFUSED).stderr
    assert "caches may keep the key set without" in said and "--now" in said
    assert [k["state"] for k in fresh.json("key", "list") if k["kid"] == kid] == ["published"]
    fresh.run("key", "activate", kid, "--now")
    said = {r["detail"]: r["state"] for r in fresh.json("doctor") if r["check"] == "key RS256"}
    assert "warn" in said.values() and any("signs already" in detail for detail in said)
    fresh.run("key", "retire", before)
    assert {r["state"] for r in fresh.json("doctor") if r["check"] == "key RS256"} == {"ok"}
    # a secret is in no key set, and where no other key signs, waiting helps no one
    kid = fresh.json("key", "add", "--algorithm", "HS256")["kid"]
    fresh.run("key", "activate", kid)
    kid = fresh.json("key", "add", "--algorithm", "ES384")["kid"]
    fresh.run("key", "activate", kid)


def test_session_has_the_scope_of_its_client(fresh):
    fresh.account()
    fresh.run("client", "add", "web", "--public", "--scope", "openid offline_access read")
    token = fresh.session("/oauth/token", "ada", "--client", "web")["refresh_token"]
    assert "access_token" in fresh.refresh(token, client_id="web", scope="openid offline_access")
    # not where it would be lost
    old = fresh.session("/oauth/access_token", "ada", "--client", "web")
    assert fresh.json("session", "show", old["session"])["scope"] is None


# ---- explain ----

def test_client_has_a_policy_of_its_own(fresh):
    fresh.account()
    fresh.json("client", "add", "tool", "--public")
    first = fresh.session("/oauth/token", "ada", "--client", "tool")["refresh_token"]
    fresh.run("client", "set", "tool", "--policy", "rotation=off", "--policy", "access-lifetime=5m",
              "--policy", "recovery-evidence=none", "--policy", "recovery-generations=3",
              "--policy", "reuse=report")
    shown = fresh.json("client", "show", "tool")
    assert shown["policy"] == ["rotation=off", "reuse=report", "recovery-generations=3",
                               "recovery-evidence=none", "access-lifetime=5m"]
    assert shown["grants"] == ["all"]
    assert fresh.explain(first)["outcome"] == "renewed"
    again = fresh.refresh(first, client_id="tool")
    assert again["refresh_token"] == first and again["expires"] == 300
    fresh.run("client", "set", "tool", "--policy", "rotation=", "--grant", "code", "--grant", "device")
    shown = fresh.json("client", "show", "tool")
    assert "rotation=off" not in shown["policy"] and shown["grants"] == ["code", "device"]
    assert fresh.explain(first)["outcome"] == "client-grant"
    assert fresh.refresh(first, client_id="tool")["error"] == "unauthorized_client"
    fresh.run("client", "set", "tool", "--grant", "all")
    assert fresh.explain(first)["outcome"] == "rotated"
    fresh.run("client", "set", "tool", "--policy", "dpop=required")
    assert "dpop=required" in fresh.json("client", "show", "tool")["policy"]
    assert fresh.refresh(first, client_id="tool")["error"] == "invalid_dpop_proof"
    fresh.run("client", "set", "tool", "--policy", "dpop=")
    assert "access_token" in fresh.refresh(first, client_id="tool")
    for wrong in ("dpop=optional", "idle-lifetime=soon", "recovery-generations=9", "rotation=maybe", "rotation", "colour=red"):
        fresh.run("client", "set", "tool", "--policy", wrong, status=USAGE)
    fresh.run("client", "set", "tool", "--grant", "magic", status=USAGE)
    fresh.run("client", "set", "nobody", "--grant", "all", status=REFUSED)


def test_explain_states(fresh):
    fresh.account("ada", "--claim", "x=1")
    web = fresh.json("client", "add", "web", "--public")
    assert web["client_secret"] is None
    one = fresh.session("/oauth/token", "ada", "--client", "web")
    first = one["refresh_token"]
    said = fresh.explain(first)
    assert (said["kind"], said["spelling"], said["outcome"]) == ("refresh token", "native", "rotated")
    assert (said["account"], said["client"], said["realm"]) == ("ada", "web", "/oauth/token")
    assert (said["generation"], said["current_generation"]) == (0, 0)
    assert said["mounts"][0]["says"].startswith(
        "generation 0 of ada's session on web; it is the current one")
    assert TIME.match(said["expires"]) and said["ended"] is None and [e["event"] for e in said["events"]] == ["begun"]

    second = fresh.refresh(first, client_id="web")["refresh_token"]
    said = fresh.explain(first)
    assert (said["outcome"], said["generation"], said["current_generation"]) == ("replayed", 0, 1)
    assert 0 < said["mounts"][0]["window_left"] <= 60
    assert re.fullmatch(r"generation 0 of ada's session on web; already renewed once, (now|\d+ s ago); "
                        r"presenting it again gives the same answer for \d+ s more",
                        said["mounts"][0]["says"])
    text = fresh.run("explain", first).stdout
    assert text.startswith("/oauth/token: generation 0 of ada's session on web; already renewed once")
    assert first not in text

    third = fresh.refresh(second, client_id="web")["refresh_token"]
    fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nconcurrency-window = 0\n")
    said = fresh.explain(first)
    assert said["outcome"] == "reused" and "renewed 2 times" in said["mounts"][0]["says"]
    assert fresh.explain(third)["accepted"] is True  # explaining spends nothing
    assert fresh.refresh(first, client_id="web")["error"] == "invalid_grant"
    said = fresh.explain(third)
    assert said["outcome"] == "revoked" and said["events"][0]["event"] == "reuse"
    assert TIME.match(said["ended"])
    assert "reuse" in fresh.run("explain", third).stdout
    assert fresh.json("events", "--session", one["session"])[0]["event"] == "reuse"


def test_explain_windows_and_lifetimes(fresh):
    mount = "[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\n"
    fresh.account()
    secret = fresh.json("client", "add", "web")["client_secret"]
    first = fresh.session("/oauth/token", "ada", "--client", "web")["refresh_token"]
    fresh.refresh(first, client_id="web", client_secret=secret)
    fresh.write(mount + "concurrency-window = 0\nrecovery-window = 1d\n")
    assert fresh.explain(first)["outcome"] == "recovered"
    assert "proves itself" in fresh.explain(first)["mounts"][0]["says"]
    # what really happens to a client that has nothing to prove itself with, and at such a mount
    one = fresh.session()
    first = one["refresh_token"]
    fresh.refresh(first)
    said = fresh.explain(first)
    assert said["outcome"] == "reused" and "which this one cannot here" in said["mounts"][0]["says"]
    fresh.write(mount + "concurrency-window = 0\nrecovery-window = 1d\nrecovery-evidence = none\n")
    assert fresh.explain(first)["outcome"] == "recovered"
    fresh.write(mount + "concurrency-window = 0\n")
    assert fresh.explain(first)["outcome"] == "reused"
    assert "ends the session" in fresh.explain(first)["mounts"][0]["says"]
    fresh.write(mount + "concurrency-window = 0\nreuse = report\n")
    assert "reported" in fresh.explain(first)["mounts"][0]["says"]
    fresh.write("[retoken]\ndata = .\n[mount /elsewhere]\ndialect = oauth\n")
    said = fresh.explain(first)
    assert said["accepted"] is False and said["outcome"] == "wrong-realm" and said["mounts"] == []
    fresh.write(mount + "[mount /second]\ndialect = oauth\nrealm = /oauth/token\n")
    assert [m["mount"] for m in fresh.explain(first)["mounts"]] == ["/oauth/token", "/second"]


def test_explain_spellings(fresh):
    fresh.account()
    for mount, spelling in (("/oauth2/token", "uuid"), ("/oauth/access_token", "jwt"),
                            ("/auth/refresh_token", "jwt"), ("/sandbox/token", "native")):
        said = fresh.explain(fresh.session(mount)["refresh_token"])
        assert (said["spelling"], said["realm"], said["accepted"]) == (spelling, mount, True)
    assert "does not rotate" in said["mounts"][0]["says"] or said["spelling"] == "native"


def test_explain_what_is_not_ours(fresh):
    fresh.account()
    one = fresh.session()
    native, access = one["refresh_token"], one["access_token"]
    head, body, signature = access.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    flipped = native[:-3] + ("A" if native[-3] != "A" else "B") + native[-2:]
    for token, kind in ((flipped, "nothing known"), ("x", "nothing known"), ("..", "nothing known"),
                        ("89d970e4-5048-4310-b6f8-c5bc83f92e11", "nothing known"),
                        (none + "." + body + "." + signature, "access token"),
                        (head + "." + body + "." + signature[:-4] + "AAAA", "access token"),
                        ("é" * 50, "nothing known"), ("A" * 5000, "nothing known")):
        said = fresh.explain(token, status=REFUSED)
        assert (said["kind"], said["accepted"]) == (kind, False), token[:40]
    fresh.run("explain", stdin="", status=USAGE)
    fresh.run("explain", stdin="\n", status=USAGE)
    fresh.run("explain", "-", stdin="x" * 20000, status=USAGE)
    # escape sequences in a foreign token do not reach the terminal
    evil = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in
                    (b'{"alg":"RS256"}', b'{"sub":"\\u001b[31mred","iss":"\xc2\x9b2J"}', b"sig"))
    shown = fresh.run("explain", evil, status=REFUSED).stdout
    assert "\x1b" not in shown and "\x9b" not in shown and "\\u001b" in shown


def test_explain_what_people_paste(fresh):
    """What is odd is said first, then what the token is."""
    fresh.account()
    one = fresh.session()
    native, access = one["refresh_token"], one["access_token"]
    uuid = fresh.session("/oauth2/token")["refresh_token"]
    half = len(native) // 2
    for pasted, token, oddity in (
            (native, native, ""),
            (f" \r\n\t{native}\r\n", native, ""),
            (f'"{native}"', native, "inside quotation marks"),
            (f"'{native}", native, "inside quotation marks"),
            (f"\u201c{native}\u201d", native, "inside quotation marks"),
            (f'\\"{native}\\"', native, "inside quotation marks"),
            (f"Bearer {native}", native, "with the word Bearer in front"),
            (f"bearer  {access}", access, "with the word Bearer in front"),
            (f"Authorization: Bearer {access}", access,
             "with a header's name in front, with the word Bearer in front"),
            (f"refresh_token={native}", native, "with a parameter's name in front"),
            (f"grant_type=refresh_token&refresh_token={native}&client_id=web", native,
             "with a parameter's name in front"),
            (f"Cookie: theme=dark; refresh_token={native}; a=b", native,
             "with a header's name in front, with a parameter's name in front"),
            (f"https://a.example/cb?state=1&refresh_token={native}#x", native,
             "with a parameter's name in front"),
            (json.dumps({"refresh_token": native}), native, "inside JSON"),
            (json.dumps({"access_token": access, "token_type": "bearer", "refresh_token": native},
                        indent=2), native, "inside JSON"),
            (json.dumps({"refresh": f'"{native}"'}), native, "inside JSON, inside quotation marks"),
            (urllib.parse.quote(f'"{native}"'), native, "percent-encoded, inside quotation marks"),
            (f"{{{uuid.upper()}}}", uuid, "in braces"),
            (f"<{uuid}>", uuid, "in angle brackets"),
            (f"{native[:half]}\n{native[half:]}", native, "with white space inside"),
            (f"{native[:half]} \r\n  {native[half:]}", native, "with white space inside"),
            (f"{native},", native, "with a punctuation mark after it"),
            (f"{native}{native}", native, "with something after it"),
            (f'"Bearer {native}",', native,
             "inside quotation marks, with the word Bearer in front"),
            (f"&quot;{native}&quot;", native, "with entities of HTML, inside quotation marks"),
            (f"a=1&amp;refresh_token={native}&amp;b=2", native, "with entities of HTML"),
            (f"{native[:half]}\u200b{native[half:]}\u00a0", native, "with characters that cannot be seen"),
            (f"\ufeff{native}", native, "with characters that cannot be seen"),
            (f"{native[:half]}\\r\\n{native[half:]}\\n", native, "with line breaks written as \\n"),
            (json.dumps({"data": {"session": {"refresh_token": native}}}), native, "inside JSON"),
            (f'"refresh_token": "{native}", "expires_in": 3600', native, "inside quotation marks, with a parameter's"),
            (f"{{'refresh_token': '{native}'}}", native, "in braces"),
            (f"curl -H 'Authorization: Bearer {access}' https://a.example/", access, "with the word Bearer in front"),
            (f"curl -d 'grant_type=refresh_token&refresh_token={native}' https://a.example/t", native,
             "with a parameter's name in front"),
    ):
        said = fresh.json("explain", stdin=pasted)
        assert said["oddity"].startswith(oddity) and bool(said["oddity"]) == bool(oddity), (pasted, said)
        assert said["kind"] == ("access token" if token == access else "refresh token"), pasted
        assert said["accepted"] is True, pasted
        text = fresh.run("explain", pasted.strip()).stdout
        assert ("no token: the token is " in text.partition("\n")[0]) == bool(oddity), pasted
        assert token not in text
    for cut, says in ((native[:40], "cut after 40 of 72"), (native[:71], "cut after 71 of 72"),
                      (access[:30], "beginning of a JWT"), (access.rpartition(".")[0], "beginning of a JWT"),
                      (f'"{native[:50]}"', "cut after 50 of 72")):
        assert says in fresh.json("explain", stdin=cut, status=REFUSED)["says"], cut
    for nothing in ('""', "Bearer ", "{}", "%", "%zz", "'", '"', "refresh_token=", ",", "{", "<>"):
        assert fresh.json("explain", stdin=nothing, status=REFUSED)["kind"] == "nothing known"


def test_explain_when_and_why(fresh):
    fresh.account()
    one = fresh.session()["refresh_token"]
    fresh.run("session", "revoke", fresh.explain(one)["session"])
    at = fresh.explain(one)["ended"]
    assert f"revoked by an administrator) at {at}, " in fresh.explain(one)["mounts"][0]["says"]
    two = fresh.session()["refresh_token"]
    fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nidle-lifetime = 1s\n")
    until = time.monotonic() + 60
    while fresh.explain(two)["outcome"] != "expired":
        assert time.monotonic() < until
    assert re.search(r"expired at \S+Z, (now|\d+ s ago): it was not renewed for 1 s \(idle-lifetime\)",
                     fresh.explain(two)["mounts"][0]["says"])
    fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nabsolute-lifetime = 1s\n"
                "idle-lifetime = 0\n")
    assert "sessions end 1 s after they began (absolute-lifetime)" in fresh.explain(two)["mounts"][0]["says"]


def test_explain_has_a_sentence_for_each_row(fresh):
    """Each row of the decision table (docs/design.md section 4) that a request can meet here, but those
    that need a clock which was wrong (tests/decision has them), a hook or a key (tests/e2e/test_hook.py,
    test_dpop.py)."""
    table = (ROOT / "docs" / "design.md").read_text().partition("| c against n |")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == 2 + 14, "a row came or went: tell its sentence here"
    mount = "[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\n"
    fresh.account()
    fresh.run("client", "add", "web", "--public")

    def says(token, outcome, sentence):
        said = fresh.explain(token)
        assert (said["outcome"], sentence in said["mounts"][0]["says"]) == (outcome, True), said

    fresh.write(mount)
    current = fresh.session("/oauth/token", "ada", "--client", "web")["refresh_token"]
    says(current, "rotated", "it is the current one: presenting it gives new tokens")
    fresh.run("client", "disable", "web")
    says(current, "client-grant", "refused: ")
    fresh.run("client", "enable", "web")
    fresh.run("account", "disable", "ada", "--keep-sessions")
    says(current, "account-disabled", "refused: ")
    fresh.run("account", "enable", "ada")
    newer = fresh.refresh(current, client_id="web")["refresh_token"]
    says(current, "replayed", "presenting it again gives the same answer for")
    fresh.write(mount + "concurrency-window = 0\nrecovery-window = 1d\nrecovery-evidence = none\n")
    says(current, "recovered", "presenting it gives its successor again for")
    fresh.write(mount + "concurrency-window = 0\n")
    says(current, "reused", "refused as reuse and ends the session")
    fresh.write(mount + "concurrency-window = 0\nreuse = report\n")
    says(current, "reused", "refused and reported as reuse")
    fresh.write(mount)
    fresh.run("store", "backup", fresh.directory / "copy")
    for _ in range(3):
        older, newer = newer, fresh.refresh(newer, client_id="web")["refresh_token"]
    fresh.run("store", "restore", fresh.directory / "copy")
    says(newer, "rolled-forward", "the store has lost history (a restored backup?)")
    fresh.refresh(newer, client_id="web")
    says(older, "spent", "presenting it is refused, and the session lives on")
    fresh.run("session", "revoke", fresh.explain(newer)["session"])
    says(newer, "revoked", "refused: its session ended (revoked by an administrator)")


def test_why_was_i_logged_out(fresh):
    """The story of a session that a spent token ended, with what came, when and from where."""
    fresh.account()
    fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nconcurrency-window = 0\n")
    one = fresh.session()
    first = one["refresh_token"]
    second = fresh.refresh(first, address="192.0.2.7")["refresh_token"]
    third = fresh.refresh(second, address="192.0.2.7")["refresh_token"]
    assert fresh.refresh(second, address="198.51.100.9")["error"] == "invalid_grant"
    said = fresh.explain(third)
    began, refreshed, returned = said["story"]
    assert re.fullmatch(r"It began at \S+Z, (now|\d+ s ago), by an administrator\.", began)
    assert re.fullmatch(r"It was refreshed 2 times, last (now|\d+ s ago)\.", refreshed)
    assert re.fullmatch(r"Generation 1 came back( \d+ s after 2 was issued)?, from another address than had "
                        r"renewed it last \(198\.51\.100\.9\): the session was revoked at \S+Z, "
                        r"(now|\d+ s ago); its user felt that at the next refresh\.", returned)
    assert fresh.json("session", "show", one["session"])["story"] == said["story"] or \
        len(fresh.json("session", "show", one["session"])["story"]) == 3  # a second later
    text = fresh.run("session", "show", one["session"]).stdout + fresh.run("explain", third).stdout
    assert text.count("from another address") == 2
    assert not any(token in text for token in (first, second, third))


def test_stories(fresh):
    """Each way in which a session goes on or ends has its sentence."""
    mount = "[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nconcurrency-window = 0\n"
    fresh.account()

    def story(session):
        return " ".join(fresh.json("session", "show", session)["story"])

    fresh.write(mount + "reuse = report\n")
    live = fresh.session()
    fresh.refresh(live["refresh_token"], address="192.0.2.7")
    for _ in range(3):
        fresh.refresh(live["refresh_token"], address="192.0.2.7")
    assert "from the address that had renewed it last (192.0.2.7): refused and reported" in story(live["session"])
    assert "and 2 more times, the last" in story(live["session"])
    assert "It is live, and unless it is refreshed it expires at" in story(live["session"])
    fresh.write(mount + "recovery-window = 1d\nrecovery-evidence = none\n")
    lost = fresh.session()
    fresh.refresh(lost["refresh_token"])
    fresh.refresh(lost["refresh_token"])
    assert "taken for a lost answer, which was given again" in story(lost["session"])
    fresh.run("session", "revoke", lost["session"])
    assert story(lost["session"]).count("An administrator revoked it at") == 1
    unused = fresh.session()["session"]
    assert "It was not refreshed." in story(unused)
    fresh.run("account", "disable", "ada", "--keep-sessions")
    assert "Its account is disabled" in story(unused)
    fresh.run("account", "enable", "ada")
    fresh.run("session", "revoke", "--account", "ada")
    assert "It ended at" in story(unused)
    fresh.account("bob")
    brief = fresh.session("/oauth/token", "bob")["session"]
    fresh.run("account", "remove", "bob")
    assert "removed" in story(brief)
    fresh.account("eve")
    short = fresh.session("/oauth/token", "eve")["session"]
    fresh.write(mount + "idle-lifetime = 1s\n")
    until = time.monotonic() + 60
    while "It expired at" not in story(short):
        assert time.monotonic() < until
    assert "it was not renewed for 1 s (idle-lifetime)" in story(short)


def test_explain_of_another_store(fresh, template, tmp_path):
    """The same master secret, so the MAC is right; but the session is not in this store."""
    other = copy_of(template, tmp_path / "other")
    other.account()
    token = other.session()["refresh_token"]
    said = fresh.explain(token, status=REFUSED)
    assert (said["kind"], said["outcome"]) == ("refresh token", "unknown")


# ---- the store ----

def test_store_verbs(fresh):
    fresh.account()
    fresh.session("/oauth2/token")
    stats = fresh.json("store", "stat")
    assert (stats["sessions"], stats["accounts"], stats["clients"]) == (1, 1, 0)
    assert stats["keys"] >= 4 and stats["engine"].startswith("LMDB 0.9.")
    assert stats["used_bytes"] > 0 and stats["map_bytes"] >= stats["used_bytes"]
    assert "engine" in fresh.run("store", "stat").stdout
    assert fresh.run("store", "check").stdout == "nothing wrong\n"
    assert fresh.json("store", "check") == {"findings": [], "count": 0}
    assert "0 ended sessions removed" in fresh.run("store", "prune").stdout
    copy = fresh.directory / "copy"
    fresh.run("store", "backup", copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in copy.iterdir())
    fresh.run("store", "backup", copy, status=FAULT)  # never over a store
    fresh.write(f"[retoken]\ndata = .\nstore = lmdb:{copy}\n")
    assert fresh.json("store", "stat")["sessions"] == 1


def test_prune(fresh):
    fresh.account()
    kept, live = fresh.session(), fresh.session()
    fresh.run("session", "revoke", kept["session"])
    assert "0 ended sessions removed" in fresh.run("store", "prune").stdout  # kept to be explained
    fresh.write("[retoken]\ndata = .\nkeep-ended = 0\n")
    gone = fresh.session()
    fresh.run("session", "revoke", gone["session"])
    fresh.run("store", "prune")
    assert fresh.explain(gone["refresh_token"], status=REFUSED)["outcome"] == "unknown"
    assert fresh.explain(kept["refresh_token"])["outcome"] == "revoked"  # ended under the old setting
    assert fresh.explain(live["refresh_token"])["accepted"] is True
    assert fresh.run("store", "check").stdout == "nothing wrong\n"


def test_nothing_secret_is_kept_or_shown_again(fresh):
    fresh.run("account", "add", "ada", stdin="correct horse battery\n")
    secrets = {"correct horse battery", fresh.json("client", "add", "web")["client_secret"],
               (fresh.directory / "secret").read_text().strip()}
    for mount in MOUNTS:
        one = fresh.session(mount)
        secrets |= {one["refresh_token"], one["access_token"]}
        fresh.explain(one["refresh_token"])
    shown = "".join(fresh.run(*words, *more).stdout for more in ([], ["--json"]) for words in (
        ["account", "list"], ["account", "show", "ada"], ["client", "list"], ["session", "list"],
        ["session", "show", one["session"]], ["key", "list"], ["events"], ["doctor"], ["store", "stat"],
        ["explain", one["access_token"]], ["explain", one["refresh_token"]]))
    kept = b"".join(p.read_bytes() for p in (fresh.directory / "store").iterdir())
    for secret in secrets:
        assert secret not in shown
        assert secret.encode() not in kept


def test_events(fresh):
    assert fresh.run("events", "--last", "1").stdout.startswith("at ")
    for i in range(3):
        fresh.account(f"a{i}")
    rows = fresh.json("events", "--last", "2")
    assert [r["event"] for r in rows] == ["account", "account"]
    assert all(TIME.match(r["at"]) and r["session"] is None for r in rows)
    fresh.run("events", "--session", "nonsense", status=USAGE)
    assert fresh.json("events", "--session", "01936a2e-5c1b-7e52-9d1f-3f8a6b0c2d4e") == []


def test_events_are_chosen(fresh):
    """By session, account, client, kind, class and time; without a verb it is the list."""
    fresh.run("client", "add", "web", "--public")
    for name in ("ada", "bob"):
        fresh.account(name)
    one = fresh.session("/oauth/token", "ada", "--client", "web")
    fresh.session("/oauth/token", "bob")
    everything = fresh.json("events", "list", "--last", "1000")
    assert everything == fresh.json("events", "--last", "1000")
    assert [e["number"] for e in everything] == sorted((e["number"] for e in everything), reverse=True)

    def chosen(*words):
        return [e["event"] for e in fresh.json("events", "list", *words)]

    assert chosen("--session", one["session"]) == ["begun"]
    assert chosen("--account", "bob") == ["begun", "account"]
    assert chosen("--client", "web") == ["begun", "client"]
    assert chosen("--kind", "account") == ["account", "account"]
    assert set(chosen("--kind", "account", "--kind", "key", "--last", "100")) == {"account", "key"}
    assert chosen("--kind", "administration", "--last", "3") == ["begun", "begun", "account"]
    assert chosen("--kind", "security") == [] == chosen("--kind", "reuse")
    assert len(chosen("--since", "1d")) == len(everything)
    until = time.monotonic() + 60
    while chosen("--since", "1s"):
        assert time.monotonic() < until
    for words in (("--since", "soon"), ("--since", "0"), ("--kind", "nonsense"), ("--last", "0"), ("again",)):
        fresh.run("events", *words, status=USAGE)
    fresh.run("events", "list", "--account", "nobody", status=REFUSED)


def test_events_follow(fresh):
    """The newest first, then what comes, a line each, until it is interrupted; it locks no one out."""
    fresh.account()
    with subprocess.Popen([RETOKEN, "-c", fresh.config, "events", "follow", "--last", "1", "--json"],
                          stdout=subprocess.PIPE, text=True, env=environment()) as follower:
        try:
            first = json.loads(follower.stdout.readline())
            assert (first["event"], first["account"]) == ("account", "ada")
            one = fresh.session()
            second = json.loads(follower.stdout.readline())
            assert (second["event"], second["session"]) == ("begun", one["session"])
            fresh.write("[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nconcurrency-window = 0\n"
                        "reuse = report\n")
            fresh.refresh(one["refresh_token"])
            for times in (1, 2):  # what is counted again is told again
                fresh.refresh(one["refresh_token"])
                said = json.loads(follower.stdout.readline())
                assert (said["event"], said["times"]) == ("reuse-reported", times)
            follower.send_signal(signal.SIGINT)
            assert follower.stdout.read() == "" and follower.wait(timeout=60) == 0
        finally:
            follower.kill()


def test_events_summary(fresh):
    """What strict mode would have ended, by how late and from where a spent token came."""
    mount = "[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\nconcurrency-window = 0\n"
    fresh.account()
    fresh.write(mount + "reuse = report\n")
    for address in ("192.0.2.7", "192.0.2.7", "198.51.100.9", ""):
        first = fresh.session()["refresh_token"]
        fresh.refresh(first, address="192.0.2.7")
        until = time.monotonic() + 60
        while fresh.explain(first)["outcome"] != "reused":
            assert time.monotonic() < until
        for _ in range(2):
            fresh.refresh(first, address=address)
    fresh.write(mount)
    first = fresh.session()["refresh_token"]
    second = fresh.refresh(first, address="192.0.2.7")["refresh_token"]
    fresh.refresh(second, address="192.0.2.7")
    fresh.refresh(first, address="192.0.2.8")
    said = fresh.json("events", "summary", "--since", "1d")
    times = {e["event"]: (e["class"], e["times"]) for e in said["events"]}
    assert times["reuse-reported"] == ("routine", 8) and times["reuse"] == ("security", 1)
    assert times["begun"] == ("administration", 5)
    assert said["reported"]["sessions"] == 4 and said["ended"]["sessions"] == 1
    sums = {key: sum(gap[key] for gap in said["reported"]["gaps"]) for key in ("same", "other", "unknown")}
    assert sums == {"same": 2, "other": 1, "unknown": 1}
    assert sum(gap["other"] for gap in said["ended"]["gaps"]) == 1
    text = fresh.run("events", "summary").stdout
    assert "4 with reuse = report: sessions that reuse would have ended" in text and "within 5 min" in text


# ---- what is wrong around us ----

@pytest.mark.parametrize("text,said", [
    ("[retoken]\nnonsense = 1\n", "nonsense"),
    ("[mount /x]\ndialect = nonsense\n", "kopong"),
    ("[mount /x]\ndialect = oauth\naccess-lifetime = long\n", "access-lifetime"),
    ("[mount /x]\ndialect = oauth\nalgorithm = none\n", "algorithm"),
])
def test_wrong_configuration(fresh, text, said):
    fresh.write(text)
    error = fresh.run("account", "list", status=FAULT).stderr
    assert said in error and str(fresh.config) in error and re.search(r":\d+|line \d+", error), error
    rows = fresh.json("doctor", status=FAULT)
    assert rows[0]["check"] == "configuration" and rows[0]["state"] == "FAIL"


def test_missing_pieces(tmp_path):
    one = Installation(tmp_path)
    assert str(one.config) in one.run("account", "list", status=FAULT).stderr
    one.write("[retoken]\ndata = data\n")
    said = f"there is no installation in {tmp_path}/data; set RETOKEN_HOME or name the configuration with -c"
    assert said in one.run("account", "list", status=FAULT).stderr
    rows = {r["check"]: r for r in one.json("doctor", status=FAULT)}
    assert said in rows["installation"]["detail"]


def test_a_lost_secret_is_not_replaced(fresh):
    secret = fresh.directory / "secret"
    secret.unlink()
    for words in (["init"], ["account", "list"]):
        assert "put back" in fresh.run(*words, status=FAULT).stderr
    rows = {r["check"]: r for r in fresh.json("doctor", status=FAULT)}
    assert "put back" in rows["installation"]["detail"]
    assert not secret.exists()


def test_wrong_permissions(fresh):
    secret = fresh.directory / "secret"
    secret.chmod(0o644)
    error = fresh.run("account", "list", status=FAULT).stderr
    assert str(secret) in error and "600" in error
    rows = {r["check"]: r for r in fresh.json("doctor", status=FAULT)}
    assert rows["secret"]["state"] == "FAIL" and "chmod 600" in rows["secret"]["detail"]
    secret.chmod(0o600)
    fresh.directory.chmod(0o755)
    rows = {r["check"]: r for r in fresh.json("doctor", status=FAULT)}
    assert "chmod 0700" in rows["data"]["detail"]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_configuration_that_others_can_write(fresh, mode):
    """Verbs, doctor and responder refuse it alike: who writes it chooses the secret."""
    fresh.config.chmod(mode)
    said = f"{fresh.config}: can be written by others: chmod go-w {fresh.config}"
    assert said in fresh.run("account", "list", status=FAULT).stderr
    assert said in fresh.json("doctor", status=FAULT)[0]["detail"]
    done = subprocess.run([RESPONDER], capture_output=True, text=True, timeout=60,
                          env={**environment(), "RETOKEN_CONFIG": str(fresh.config), "SCRIPT_NAME": "/healthz",
                               "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET"})
    assert "Status: 503" in done.stdout and said in done.stderr


def test_secret_behind_a_symbolic_link(fresh):
    """As containers mount it: doctor and the verbs judge the file, not the link."""
    secret, target = fresh.directory / "secret", fresh.directory / "mounted"
    secret.rename(target)
    secret.symlink_to(target)
    fresh.run("account", "list")
    rows = {r["check"]: r["state"] for r in fresh.json("doctor")}
    assert rows["secret"] == rows["store"] == "ok"
    target.chmod(0o640)
    fresh.run("account", "list", status=FAULT)
    rows = {r["check"]: r["state"] for r in fresh.json("doctor", status=FAULT)}
    assert rows["secret"] == "FAIL"


# ---- root ----

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def give_away(fresh):
    """The installation to nobody, who can reach it."""
    for path in (fresh.directory, *fresh.directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    for folder in fresh.directory.parents:
        if folder.owner() == "root" and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    return fresh


def owners(folder):
    return {path.stat().st_uid for path in (folder, *folder.rglob("*"))}


@root_only
def test_root_acts_as_the_owner(fresh):
    give_away(fresh)
    fresh.account()
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "ada")
    fresh.run("key", "add", "--algorithm", "ES384")
    fresh.run("store", "backup", fresh.directory / "copy")
    rows = {r["check"]: r for r in fresh.json("doctor")}
    assert rows["data"]["state"] == "ok" and rows["owner"]["detail"].startswith("nobody;")
    (fresh.directory / "retoken.conf").unlink()
    fresh.run("init")
    assert owners(fresh.directory) == {NOBODY}


@root_only
def test_responder_of_root_runs_as_the_owner(fresh):
    give_away(fresh)
    done = subprocess.run([RESPONDER], capture_output=True, text=True, timeout=60,
                          env={**environment(), "RETOKEN_CONFIG": str(fresh.config), "SCRIPT_NAME": "/healthz",
                               "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET"})
    assert "Status: 200" in done.stdout, done.stderr
    assert owners(fresh.directory) == {NOBODY}


@root_only
def test_wrong_owner_of_the_secret(fresh):
    give_away(fresh)
    os.chown(fresh.directory / "secret", 0, 0)
    fresh.run("account", "list", status=FAULT)
    rows = {r["check"]: r for r in fresh.json("doctor", status=FAULT)}
    assert rows["data"]["state"] == "ok" and rows["secret"]["state"] == "FAIL"


def test_nothing_is_made_where_there_is_nothing(tmp_path):
    """Only init makes things: a wrong RETOKEN_HOME must not look like an empty installation."""
    home = {**environment(), "RETOKEN_HOME": str(tmp_path / "typo")}
    for words in (["account", "list"], ["account", "add", "ada", "--no-password"], ["doctor"]):
        done = subprocess.run([RETOKEN, *words], capture_output=True, text=True, env=home, cwd=tmp_path)
        assert done.returncode == FAULT
        assert "there is no installation in" in done.stdout + done.stderr
        assert "set RETOKEN_HOME" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_passwd_undoes_nobodys_disable(fresh):
    """The prompt may stay open for long: what happens to the account meanwhile stands."""
    fresh.account()
    waiting = subprocess.Popen([RETOKEN, "-c", fresh.config, "account", "passwd", "ada"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    fresh.run("account", "disable", "ada")
    waiting.communicate("another password\n")
    assert waiting.returncode == DONE
    assert fresh.json("account", "show", "ada")["enabled"] is False


def test_closed_standard_descriptors(fresh):
    """The store's file must not become standard output."""
    done = subprocess.run(["sh", "-c", '"$0" -c "$1" account add ada --no-password >&- 2>&- <&-', RETOKEN,
                           fresh.config], env=environment())
    assert done.returncode == DONE
    assert [a["name"] for a in fresh.json("account", "list")] == ["ada"]
    assert fresh.run("store", "check").stdout == "nothing wrong\n"


def change_on_disk(fresh, old, new):
    data = next((fresh.directory / "store").glob("data*"))
    raw = data.read_bytes()
    assert old in raw
    data.write_bytes(raw.replace(old, new))


def test_damaged_store_is_told(fresh):
    fresh.account()
    fresh.account("bob")
    change_on_disk(fresh, b"ada", b"adb")
    said = fresh.run("store", "check", status=FAULT)
    assert "finding" in said.stdout or said.stderr != ""
    fresh.run("session", "create", "--mount", "/oauth/token", "--account", "adb", status=FAULT)


def test_keys_out_of_order_are_told(fresh):
    """A walk over such a page went in a circle once."""
    fresh.account()
    fresh.account("bob")
    change_on_disk(fresh, b"ada", b"eve")
    said = fresh.run("store", "check", status=FAULT)
    assert "out of order" in said.stderr


def test_other_secret(fresh):
    (fresh.directory / "secret").write_text("ab" * 32 + "\n")
    fresh.run("account", "list", status=FAULT)
    rows = {r["check"]: r for r in fresh.json("doctor", status=FAULT)}
    assert rows["store"]["state"] == "FAIL"


def test_doctor(fresh):
    rows = fresh.json("doctor")
    assert {r["state"] for r in rows} <= {"ok", "warn"}
    checks = {r["check"] for r in rows}
    assert {"configuration", "mount", "data", "secret", "file system", "disk space", "store", "engine",
            "map", "readers", "key RS256", "key HS256", "history", "clock"} <= checks
    text = fresh.run("doctor").stdout.split("\n")
    assert text[1].index("ok") == text[0].index("state")
    fresh.write("[retoken]\ndata = .\n[mount /x]\ndialect = oauth\nconcurrency-window = 5s\n"
                "issuer = https://login.example.org\n")
    narrow = [r for r in fresh.json("doctor") if r["check"] == "mount"]
    assert narrow[0]["state"] == "warn" and "30s" in narrow[0]["detail"]


def test_lost_output_is_a_fault(template):
    with open("/dev/full", "w") as full:
        done = subprocess.run([RETOKEN, "-c", template.config, "key", "list"], stdout=full,
                              stderr=subprocess.PIPE, env=environment())
    assert done.returncode == FAULT
