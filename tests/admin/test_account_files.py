# SPDX-License-Identifier: ISC
"""`retoken account import` and `export`: files of htpasswd(1), shadow(5) and JSON, what is refused in
them and by which line, and logins with what was imported. Refreshes and logins go through the
responder as plain CGI."""

import json
import shutil
import signal
import subprocess

import pytest

from test_admin import DONE, REFUSED, RESPONDER, USAGE, Installation, environment
from test_killed import copies, is_sound, run, stop_at, steps_of  # noqa: F401

CONFIG = """[retoken]
data = .
issuer = https://auth.example.org
password-hash = yescrypt:1
[realm main]
dialect = kopong, oauth
algorithm = HS256
"""
YESCRYPT = "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$1bx0qUeWpIHfKwUOpO9N/3xYblZqf66xSikKiLrzx60"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    one = Installation(tmp_path_factory.mktemp("files") / "data")
    one.directory.mkdir(mode=0o700)
    one.write(CONFIG)
    one.run("init")
    return one


@pytest.fixture
def one(made, tmp_path):
    return copies(made, tmp_path)("data")


def write(one, text, name="users"):
    path = one.directory / name
    path.write_text(text)
    return path


def imported(one, *words, status=DONE, stdin=""):
    """What an import says of itself, and what it says on standard error."""
    done = subprocess.run([*command(one), "account", "import", *map(str, words), "--json"], input=stdin,
                          capture_output=True, text=True, env=environment(), timeout=120)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    counts = json.loads(done.stdout) if done.stdout else {}
    return {key: value for key, value in counts.items() if value}, done.stderr


def command(one):
    return [RESPONDER.parent / "retoken", "-c", one.config]


def exported(one):
    lines = one.run("account", "export", "--with-hashes").stdout.splitlines()
    return {row["name"]: row for row in map(json.loads, lines)}


def log_in(one, name, password):
    """Status and body of a login at /login."""
    body = json.dumps({"username": name, "password": password})
    variables = {**environment(), "RETOKEN_CONFIG": str(one.config), "GATEWAY_INTERFACE": "CGI/1.1",
                 "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/login", "QUERY_STRING": "",
                 "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
                 "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    done = subprocess.run([RESPONDER], input=body, capture_output=True, text=True, env=variables,
                          timeout=60)
    head, _, rest = done.stdout.replace("\r\n", "\n").partition("\n\n")
    status = next((line.split()[1] for line in head.splitlines() if line.startswith("Status:")), "200")
    return int(status), json.loads(rest) if rest else None


# ---- htpasswd ----

def htpasswd(path, name, *options, password="secret"):
    subprocess.run(["htpasswd", "-b", *options, path, name, password], check=True, capture_output=True)


@pytest.fixture
def from_apache(one):
    """What htpasswd(1) writes, with each kind of hash it has."""
    path = one.directory / "users"
    htpasswd(path, "blow", "-cB")
    htpasswd(path, "plain-md5", "-m")
    htpasswd(path, "five", "-2")
    htpasswd(path, "six", "-5")
    return path


def test_htpasswd(one, from_apache):
    assert imported(one, "--htpasswd", from_apache) == ({"added": 4}, "")
    before = exported(one)
    for name in before:
        assert log_in(one, name, "Secret")[0] == 401
        status, answer = log_in(one, name, "secret")
        assert status == 200 and answer["refresh_token"], answer
    after = exported(one)
    # the first login has made hashes as configured, and none before it
    assert {name: row["password_hash"].split("$")[1] for name, row in before.items()} == {
        "blow": "2y", "five": "5", "plain-md5": "apr1", "six": "6"}
    assert all(row["password_hash"].startswith("$y$j75$") for row in after.values())
    assert log_in(one, "blow", "secret")[0] == 200
    assert exported(one) == after


def test_htpasswd_again(one, from_apache):
    """A file that is imported every night changes what has changed in it, and logs out no one else."""
    imported(one, "--htpasswd", from_apache)
    tokens = {name: log_in(one, name, "secret")[1]["refresh_token"] for name in ("blow", "five")}
    rehashed = exported(one)
    assert imported(one, "--htpasswd", from_apache) == ({"exist": 4}, "")
    assert imported(one, "--htpasswd", "--update", from_apache) == ({"unchanged": 4}, "")
    assert exported(one) == rehashed
    htpasswd(from_apache, "blow", "-B", password="another")
    assert imported(one, "--htpasswd", "--update", from_apache) == ({"unchanged": 3, "changed": 1}, "")
    assert log_in(one, "blow", "secret")[0] == 401 and log_in(one, "blow", "another")[0] == 200
    assert not one.explain(tokens["blow"])["accepted"]
    assert one.explain(tokens["five"])["accepted"]


def test_htpasswd_lines_that_are_wrong(one):
    path = write(one, f"# comment\n\nada:{YESCRYPT}\nno colon\nsha:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
                      f"des:lc1otK83hzmy2\nplain:secret\n:{YESCRYPT}\ncut:{YESCRYPT[:-1]}\n"
                      f"{'x' * 129}:{YESCRYPT}\ndear:$2y$31$7yBGUR9lQhUxsQwocyaQMee4tjdcxRQmtjKQhLJa8HwMElFnPbfmi\n"
                      f"bob:{YESCRYPT}:Bob")
    counts, said = imported(one, "--htpasswd", path, status=REFUSED)
    assert counts == {"added": 2, "refused": 8}
    assert [line.split(":")[1] for line in said.splitlines()] == ["4", "5", "6", "7", "8", "9", "10", "11"]
    for expected in (f"{path}:5: sha: a plain SHA-1 hash", "htpasswd -B", "11: dear: a hash that costs more",
                     "9: cut: not a whole hash", "4: no NAME:HASH"):
        assert expected in said
    assert "secret" not in said and YESCRYPT not in said and "5en6G6" not in said
    assert sorted(exported(one)) == ["ada", "bob"]


def test_shadow(one):
    text = (f"root:*:19000:0:99999:7:::\nbin:!:19000:0:99999:7:::\nsync::19000:0:99999:7:::\n"
            f"ada:{YESCRYPT}:19000:0:99999:7:::\nleft:!{YESCRYPT}:19000:0:99999:7:::\n"
            f"gone:{YESCRYPT}:19000:0:99999:7::19000:\nfuture:{YESCRYPT}:19000:0:99999:7::900000:\n"
            f"bad:{YESCRYPT}\n")
    counts, said = imported(one, "--shadow", "-", stdin=text, status=REFUSED)
    assert counts == {"added": 4, "without_password": 3, "refused": 1}
    assert said.startswith("standard input:8: ")
    assert {name: row["enabled"] for name, row in exported(one).items()} == {
        "ada": True, "left": False, "gone": False, "future": True}


# ---- JSON ----

ROWS = [
    {"name": "ada", "enabled": True, "subject": "u-1", "roles": ["admin", "user"],
     "claims": {"email": "ada@example.org", "deep": {"a": [1, None, True]}}, "session_limit": 3,
     "keep_sessions": True, "created": 1700000000, "password_hash": YESCRYPT},
    {"name": "bob", "enabled": False, "roles": [], "session_limit": 0, "keep_sessions": False,
     "created": 1700000001},
    {"name": "Zoë Ünal", "enabled": True, "roles": [], "session_limit": 0, "keep_sessions": False,
     "created": 1700000002},
]


def test_what_is_exported_can_be_imported(one, made, tmp_path):
    text = "\n".join(map(json.dumps, ROWS))
    assert imported(one, "-", stdin=text) == ({"added": 3}, "")
    assert exported(one) == {row["name"]: row for row in ROWS}
    without = one.run("account", "export").stdout
    assert "password_hash" not in without and len(without.splitlines()) == 3
    other = copies(made, tmp_path)("other")
    everything = one.run("account", "export", "--with-hashes").stdout
    assert imported(other, "-", stdin=everything) == ({"added": 3}, "")
    assert other.run("account", "export", "--with-hashes").stdout == everything
    assert imported(other, "-", "--update", stdin=everything) == ({"unchanged": 3}, "")
    is_sound(other)


def test_update_changes_what_a_line_gives(one):
    imported(one, "-", stdin=json.dumps(ROWS[0]))
    lines = [{"name": "ada", "roles": ["user"]}, {"name": "ada", "claims": None, "enabled": False},
             {"name": "new"}]
    text = "\n".join(map(json.dumps, lines))
    assert imported(one, "-", "--update", "--dry-run", stdin=text)[0] == {"changed": 2, "added": 1}
    assert list(exported(one)) == ["ada"]
    assert imported(one, "-", stdin=text)[0] == {"exist": 2, "added": 1}
    assert imported(one, "-", "--update", stdin=text)[0] == {"changed": 2, "unchanged": 1}
    expected = {**ROWS[0], "roles": ["user"], "enabled": False}
    del expected["claims"]
    assert exported(one)["ada"] == expected


def test_the_same_name_twice(one):
    twice = '{"name":"ada","roles":["one"]}\n{"name":"ada","roles":["two"]}\n'
    assert imported(one, "-", stdin=twice)[0] == {"added": 1, "exist": 1}
    assert exported(one)["ada"]["roles"] == ["one"]
    assert imported(one, "-", "--update", stdin=twice + '{"name":"eve"}\n{"name":"eve","roles":["x"]}')[0] == {
        "unchanged": 1, "changed": 2, "added": 1}
    assert exported(one)["ada"]["roles"] == ["two"] and exported(one)["eve"]["roles"] == ["x"]


def test_passwords_in_clear(one):
    line = json.dumps({"name": "ada", "password": "correct horse"})
    assert imported(one, "-", stdin=line)[0] == {"added": 1}
    assert log_in(one, "ada", "correct horse")[0] == 200
    before = exported(one)
    assert imported(one, "-", "--update", stdin=line)[0] == {"unchanged": 1}
    assert exported(one) == before


@pytest.mark.parametrize("line", [
    "{", "[]", '{"name":1}', '{"name":""}', "{}", '{"nome":"ada"}', '{"name":"a\\nb"}', '{"name":"ada","name":"b"}',
    '{"name":"ada","roles":"admin"}', '{"name":"ada","roles":["two words"]}', '{"name":"ada","roles":[1]}',
    '{"name":"ada","claims":[]}', '{"name":"ada","enabled":1}', '{"name":"ada","session_limit":-1}',
    '{"name":"ada","session_limit":1000001}', '{"name":"ada","created":"today"}', '{"name":"ada","created":-1}',
    '{"name":"ada","password":""}', '{"name":"ada","password":"%s"}' % ("x" * 257),
    '{"name":"ada","password_hash":"{SHA}x"}', '{"name":"ada","password_hash":5}',
    '{"name":"ada","password_hash":null,"password":"x"}', '{"name":"ada","subject":"%s"}' % ("x" * 129),
    '{"name":"ada","claims":{"x":"%s"}}' % ("x" * 2050), "x" * 70000,
], ids=lambda line: line[:40])
def test_json_lines_that_are_wrong(one, line):
    counts, said = imported(one, "-", stdin=f'{line}\n{{"name":"eve"}}\n', status=REFUSED)
    assert counts == {"added": 1, "refused": 1} and said.startswith("standard input:1: ")
    assert list(exported(one)) == ["eve"]


def test_usage(one):
    one.run("account", "import", status=USAGE)
    one.run("account", "import", "--htpasswd", "--shadow", "-", status=USAGE)
    assert "No such file" in one.run("account", "import", "missing", status=REFUSED).stderr


def test_many(one):
    """More than one commit takes; nothing is lost, and the event says it in one line."""
    text = "".join(f'{{"name":"u{i:05}","password_hash":"{YESCRYPT}"}}\n' for i in range(2000))
    assert imported(one, "-", stdin=text)[0] == {"added": 2000}
    assert len(exported(one)) == 2000
    assert [e["note"] for e in one.json("events") if e["event"] == "account"] == [
        "import: 2000 added, 0 changed"]
    one.run("store", "check")


def test_killed(stop_at, made, tmp_path):  # noqa: F811
    """Each time a step later; what is missing then comes with the same command."""
    begin = copies(made, tmp_path)
    text = "".join(f'{{"name":"u{i}","roles":["x"]}}\n' for i in range(600))
    first = begin("whole")
    last = steps_of(stop_at, first, "account", "import", write(first, text))
    assert last > 3
    counts = set()
    for n in range(1, last + 1):
        here = begin(str(n))
        path = write(here, text)
        assert run(stop_at, here, "account", "import", path, STOP_AT=str(n)).returncode == -signal.SIGKILL
        there = len(exported(here))
        counts.add(there)
        here.run("store", "check")
        assert imported(here, path)[0].get("added", 0) == 600 - there
        assert len(exported(here)) == 600
        is_sound(here)
        shutil.rmtree(here.directory)
    assert 0 in counts and 600 in counts and len(counts) > 2


# ---- rules ----

def test_rules_of_an_account(one):
    imported(one, "-", stdin=json.dumps(ROWS[0]))
    one.run("account", "set", "ada", "--session-limit", "2", "--on-password-change", "end")
    shown = one.json("account", "show", "ada")
    assert shown["session_limit"] == 2 and shown["keep_sessions"] is False
    token = one.session("/oauth/token", "ada")["refresh_token"]
    one.run("account", "set", "ada", "--on-password-change", "keep")
    assert "0 sessions ended" in one.run("account", "passwd", "ada", stdin="another one\n").stdout
    assert one.explain(token)["accepted"]
    one.run("account", "set", "ada", "--on-password-change", "end")
    assert "1 session ended" in one.run("account", "passwd", "ada", stdin="a third one\n").stdout
    assert not one.explain(token)["accepted"]
    for wrong in (("--session-limit", "-1"), ("--session-limit", "1000001"), ("--on-password-change", "on")):
        one.run("account", "set", "ada", *wrong, status=USAGE)
