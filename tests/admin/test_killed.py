# SPDX-License-Identifier: ISC
"""`retoken` killed before each single call that changes a file, and in the middle of each write: what
it made is whole or absent, repeating the verb works, and doctor and store check find nothing wrong."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from test_admin import RETOKEN, Installation, environment

SMALL = "[retoken]\ndata = .\nissuer = https://auth.example.org\n[mount /oauth/token]\ndialect = oauth\nalgorithm = HS256\n"


@pytest.fixture(scope="module")
def stop_at(tmp_path_factory):
    """The preloaded library."""
    built = tmp_path_factory.mktemp("stop") / "stop_at.so"
    source = Path(__file__).with_name("stop_at.c")
    subprocess.run(["cc", "-O1", "-fPIC", "-shared", "-o", built, source, "-ldl"], check=True)
    return built


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A furnished installation with one mount: account ada, a session, one that was revoked."""
    one = Installation(tmp_path_factory.mktemp("small") / "data")
    one.directory.mkdir(mode=0o700)
    one.write(SMALL)
    one.run("init")
    one.account()
    one.session()
    one.run("session", "revoke", one.session()["session"])
    one.run("client", "add", "web")
    return one


def steps_of(stop_at, one, *words):
    """In how many steps the verb changes files."""
    done = run(stop_at, one, *words)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"^steps (\d+)$", done.stderr, re.M).group(1))


def run(stop_at, one, *words, **variables):
    return subprocess.run([RETOKEN, "-c", one.config, *map(str, words)], capture_output=True, text=True,
                          cwd=one.config.parent.parent, timeout=60,
                          env={**environment(), "LD_PRELOAD": str(stop_at), **variables})


def kills(stop_at, begin, *words):
    """Runs the verb in one installation after the other (`begin` makes it), killed a step later in
    each; yields them."""
    first = begin("whole")
    last = steps_of(stop_at, first, *words)
    assert last > 3, f"only {last} steps: does the library still see them?"
    shutil.rmtree(first.directory)
    if "backup" in words:
        shutil.rmtree(words[-1])
    for n in range(1, last + 1):
        one = begin(str(n))
        done = run(stop_at, one, *words, STOP_AT=str(n))
        assert done.returncode == -signal.SIGKILL, (n, done.stderr)
        yield one
        shutil.rmtree(one.directory)


def copies(small, folder):
    def begin(name):
        one = Installation(folder / name)
        shutil.copytree(small.directory, one.directory)
        return one
    return begin


def is_sound(one):
    one.run("store", "check")
    one.run("doctor")


def test_init_before_there_is_a_configuration(stop_at, tmp_path):
    """As far as the secret; what follows does not depend on who wrote the configuration."""
    for n in range(1, 100):
        one = Installation(tmp_path / str(n) / "deep")
        one.directory.parent.mkdir(mode=0o700)
        assert run(stop_at, one, "init", STOP_AT=str(n)).returncode == -signal.SIGKILL
        complete = (one.directory / "secret").exists()
        if one.config.exists():
            assert "# [mount /oauth/token]" in one.config.read_text()
        else:
            assert not complete
        # again, as far as the store: the keys of all dialects take long
        assert run(stop_at, one, "init", STOP_AT="30").returncode == -signal.SIGKILL
        assert re.fullmatch(r"[0-9a-f]{64}\n", (one.directory / "secret").read_text())
        if complete:
            one.run("init")
            one.write(one.config.read_text().replace("[retoken]\n",
                                                     "[retoken]\nissuer = https://auth.example.org\n"))
            one.run("doctor")
            return
    pytest.fail("the secret is never made")


def test_init(stop_at, tmp_path):
    def begin(name):
        one = Installation(tmp_path / name)
        one.directory.mkdir(mode=0o700)
        one.write(SMALL)
        return one

    count = 0
    for one in kills(stop_at, begin, "init"):
        one.run("init")
        is_sound(one)
        one.account()
        assert one.explain(one.session()["refresh_token"])["accepted"]
        assert not list(one.directory.rglob("*.part"))
        count += 1
    assert count > 20


@pytest.mark.parametrize("words", [
    ("key", "add", "--algorithm", "HS256", "--realm", "/oauth/token"),
    ("account", "disable", "ada"),
    ("session", "revoke", "--account", "ada"),
    ("client", "disable", "web"),
    ("client", "secret", "add", "web"),
], ids=" ".join)
def test_verb(stop_at, small, tmp_path, words):
    for one in kills(stop_at, copies(small, tmp_path), *words):
        one.run("store", "check")
        again = run(stop_at, one, *words)
        assert again.returncode == 0 or "exists" in again.stderr or "two secrets" in again.stderr
        is_sound(one)


def test_secret(stop_at, small, tmp_path):
    """The file of the master secrets is what it was or what it shall be, and each verb is done when repeated."""
    begin = copies(small, tmp_path)
    before = (small.directory / "secret").read_text()

    def rolled(name):
        one = begin(name)
        one.run("secret", "rotate", "--now")
        one.run("session", "revoke", "--all")
        return one

    for one in kills(stop_at, begin, "secret", "rotate"):
        now = (one.directory / "secret").read_text()
        assert now == before or re.fullmatch(re.escape(before) + r"[0-9a-f]{64} \S+Z\n", now)
        again = run(stop_at, one, "secret", "rotate")
        assert again.returncode == 0 or "already" in again.stderr
        assert len((one.directory / "secret").read_text().splitlines()) == 2
        is_sound(one)
    old = small.json("secret", "list")[0]["id"]
    for one in kills(stop_at, rolled, "secret", "retire", old):
        now = (one.directory / "secret").read_text()
        assert now.startswith((before, before[:-1] + " retired\n")) and len(now.splitlines()) == 2
        one.run("secret", "retire", old)
        is_sound(one)
        assert not list(one.directory.rglob("*.part"))


@pytest.mark.parametrize("words", [("client", "remove", "web"), ("account", "remove", "ada"),
                                   ("account", "disable", "ada"),
                                   ("account", "passwd", "ada", "--no-password")], ids=" ".join)
def test_end(stop_at, small, tmp_path, words):
    """Sessions that end with something else: all or none, and none is left after doing it again."""
    begin = copies(small, tmp_path)

    def with_sessions(name):
        one = begin(name)
        tokens = [one.session("/oauth/token", "ada", "--client", "web")["refresh_token"] for _ in range(3)]
        (one.directory / "tokens").write_text("\n".join(tokens))
        return one

    states, told = set(), []
    for one in kills(stop_at, with_sessions, *words):
        told += [row["detail"] for row in one.json("doctor") if row["check"] == "ended"]
        tokens = (one.directory / "tokens").read_text().split()
        accepted = {one.explain(token)["accepted"] for token in tokens}
        assert len(accepted) == 1, accepted
        states |= accepted
        again = run(stop_at, one, *words)
        gone = f"no {words[0]} {words[2]}" in again.stderr
        assert again.returncode == 0 or gone and not accepted.pop(), again.stderr
        if words[0] == "client":
            one.run("client", "add", "web")  # another one: what was the other's stays dead
        assert not any(one.explain(token)["accepted"] for token in tokens)
        mine = [row for row in one.json("session", "list") if row["client"] == "web"]
        assert all(row["state"] not in ("live", "expired") for row in mine), mine
        is_sound(one)
    assert states == {True, False}
    if words != ("account", "remove", "ada"):  # then they show no end of their own
        assert told and all(line.startswith(("3 ended at once (its ", "4 ended at once (its ")) for line in told), told


def test_backup(stop_at, small, tmp_path):
    incomplete = 0
    copy = tmp_path / "copy"
    for one in kills(stop_at, copies(small, tmp_path), "store", "backup", copy):
        if not (copy / "data.mdb").exists():
            incomplete += 1
            one.run("store", "backup", copy)
        is_store(one, copy)
        one.run("store", "check")
        shutil.rmtree(copy)
    assert incomplete > 3


def test_restore(stop_at, small, tmp_path):
    """The old store or the new one, whole; and again."""
    copy = tmp_path / "copy"
    small.run("store", "backup", copy)
    for one in kills(stop_at, copies(small, tmp_path), "store", "restore", copy):
        one.run("store", "check")
        assert len(one.json("session", "list")) == 2
        one.run("store", "restore", copy)
        assert not (one.directory / "store" / "restore.part").exists()
        is_sound(one)


def test_import(stop_at, small, tmp_path):
    """Many commits: each token begins one session, however often the import is killed."""
    path = tmp_path / "old.jsonl"
    path.write_text("".join(json.dumps({"account": f"user{n % 1500}", "token": hashlib.sha256(b"%d" % n).hexdigest()}) + "\n"
                            for n in range(2500)))
    one = copies(small, tmp_path)("one")
    words = ["session", "import", path, "--mount", "/oauth/token", "--create-accounts", "--json"]
    before = len(one.json("session", "list"))
    n, killed = 0, 0
    while True:
        n += 6
        done = run(stop_at, one, *words, STOP_AT=str(n))
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, (n, done.stderr)
        killed += 1
    assert killed > 2
    counts = json.loads(done.stdout)
    assert counts["begun"] + counts["there"] == 2500 and counts["there"] > 0
    assert len(one.json("session", "list")) == before + 2500
    assert len(one.json("account", "list")) == 1501
    is_sound(one)


def is_store(one, folder):
    """The copy is used as it is, in place of the store."""
    other = Installation(one.directory / "other")
    other.directory.mkdir(mode=0o700, exist_ok=True)
    other.write(SMALL.replace("data = .\n", f"data = .\nstore = {folder}\n"))
    shutil.copy2(one.directory / "secret", other.directory / "secret")
    other.run("store", "check")
    assert len(other.json("session", "list")) == 2
