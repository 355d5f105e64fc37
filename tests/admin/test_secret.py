# SPDX-License-Identifier: ISC
"""`retoken secret`: what is listed while a master secret rolls, what is refused, and what doctor says."""

import re
import shutil

import pytest

from test_admin import FAULT, REFUSED, USAGE, Installation, copy_of, template  # noqa: F401

FILE = r"([0-9a-f]{64})( \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?( retired)?"


@pytest.fixture
def one(template, tmp_path):  # noqa: F811
    made = copy_of(template, tmp_path / "data")
    made.account()
    return made


def lines(one):
    return [re.fullmatch(FILE, line).groups() for line in (one.directory / "secret").read_text().splitlines()]


def listed(one):
    return {row["id"]: row for row in one.json("secret", "list")}


def states(one):
    return [(row["state"], row["sessions"]) for row in one.json("secret", "list")]


def said(one, state):
    rows = one.json("doctor", status=FAULT if state == "FAIL" else 0)
    return [row["detail"] for row in rows if row["check"] == "secret" and row["state"] == state]


def roll(one):
    """The id of the new one, which makes tokens at once."""
    return one.json("secret", "rotate", "--now")[0]["id"]


def test_list_of_one(one):
    one.session()
    row = one.json("secret", "list")[0]
    assert (row["state"], row["sessions"], row["store"], row["from"]) == ("current", 1, True, None)
    assert "current" in one.run("secret", "list").stdout
    assert said(one, "ok") == [str(one.directory / "secret")]


def test_rotate_waits_a_minute(one):
    """Published at once, current when every process has had time to look."""
    before = (one.directory / "secret").read_text()
    first = one.session()
    made = one.json("secret", "rotate")[0]
    assert made["state"] == "published"
    assert (one.directory / "secret").read_text().startswith(before)
    assert (one.directory / "secret").stat().st_mode & 0o7777 == 0o600
    assert states(one) == [("current", 1), ("published", 0)]
    one.refresh(first["refresh_token"])
    assert states(one) == [("current", 1), ("published", 0)]
    assert "makes tokens from" in said(one, "ok")[1]
    told = one.run("secret", "rotate", status=REFUSED).stderr
    assert made["id"] in told and "--now" in told
    assert len(lines(one)) == 2
    assert f"master secret {made['id']} added" in one.run("events", "--kind", "key").stdout


def test_one_at_once_while_another_waits(one):
    """A file that has leaked holds both."""
    one.session()
    waiting = one.json("secret", "rotate")[0]["id"]
    new = roll(one)
    assert states(one) == [("accepted", 1), ("accepted", 0), ("current", 0)]
    one.run("secret", "retire", waiting)
    assert states(one) == [("accepted", 1), ("retired", 0), ("current", 0)]
    one.session()
    assert listed(one)[new]["sessions"] == 1


def test_sessions_move_as_they_are_renewed(one):
    first, second = one.session(), one.session()
    old = one.json("secret", "list")[0]["id"]
    new = roll(one)
    assert states(one) == [("accepted", 2), ("current", 0)]
    assert f"2 sessions still need {old}" in said(one, "ok")
    assert "2 sessions need" in one.run("secret", "retire", old, status=REFUSED).stderr
    moved = one.refresh(first["refresh_token"])
    again = one.refresh(first["refresh_token"])
    assert again["refresh_token"] == moved["refresh_token"]
    assert states(one) == [("accepted", 1), ("current", 1)]
    assert "1 session needs" in one.run("secret", "retire", old, status=REFUSED).stderr
    one.refresh(second["refresh_token"])
    assert f"secret retire {old}" in said(one, "warn")[0]

    told = one.run("secret", "retire", old).stdout
    assert "the store is under it" in told
    assert states(one) == [("retired", 0), ("current", 2)]
    assert one.refresh(first["refresh_token"])["error"] == "invalid_grant"
    assert "retired" in one.run("explain", stdin=first["refresh_token"] + "\n", status=REFUSED).stdout
    assert "access_token" in one.refresh(moved["refresh_token"])
    assert said(one, "warn") == []
    one.run("store", "check")

    assert "tokens are made" in one.run("secret", "retire", new, status=REFUSED).stderr
    assert "secret list" in one.run("secret", "retire", "zz", status=USAGE).stderr
    unknown = next(f"{n:02x}" for n in range(256) if f"{n:02x}" not in (old, new))
    assert "secret list" in one.run("secret", "retire", unknown, status=REFUSED).stderr


def test_after_a_leak(one):
    """All sessions end in one write; then nobody needs what has leaked."""
    token = one.session()["refresh_token"]
    old = one.json("secret", "list")[0]["id"]
    roll(one)
    one.run("session", "revoke", "--all")
    one.run("secret", "retire", old)
    assert one.refresh(token)["error"] == "invalid_grant"
    assert "access_token" in one.refresh(one.session()["refresh_token"])


def test_a_machine_that_was_not_given_the_file(one):
    """503, nothing is spent, and log and doctor say what to copy."""
    old = (one.directory / "secret").read_text()
    first = one.session()
    new = roll(one)
    rolled = (one.directory / "secret").read_text()
    moved = one.refresh(first["refresh_token"])
    (one.directory / "secret").write_text(old)
    assert one.cgi(moved["refresh_token"]).startswith("Status: 503")
    assert one.cgi(first["refresh_token"]).startswith("Status: 503")
    assert states(one) == [("current", 0), ("missing", 1)]
    assert f"master secret {new}" in said(one, "FAIL")[0] and "copy" in said(one, "FAIL")[0]
    (one.directory / "secret").write_text(rolled)
    assert "access_token" in one.refresh(moved["refresh_token"])


def test_restore_of_a_backup_from_before_the_roll(one, tmp_path):
    """The secrets are in a file of their own, so newer tokens verify, and sessions move forward."""
    first = one.session()
    one.run("store", "backup", tmp_path / "backup")
    roll(one)
    token = first["refresh_token"]
    for _ in range(3):
        token = one.refresh(token)["refresh_token"]
    one.run("store", "restore", tmp_path / "backup")
    assert states(one) == [("accepted", 1), ("current", 0)]
    assert "access_token" in one.refresh(token)
    assert states(one) == [("accepted", 0), ("current", 1)]


def test_export_and_import_of_tokens(one):
    """What is exported after a roll is what its holder has."""
    first = one.session()
    roll(one)
    moved = one.refresh(first["refresh_token"])
    exported = one.run("session", "export", "--with-tokens").stdout
    assert moved["refresh_token"] in exported and first["refresh_token"] not in exported


@pytest.mark.parametrize("damage, line", [
    (lambda text: text.replace("\n", "\r\n"), "line 1"),
    (lambda text: text[:-1], "line 2"),
    (lambda text: text + "\n", "line 3"),
    (lambda text: text[:65] + "0" + text[66:100] + text[101:], "line 2"),
    (lambda text: text.replace("Z\n", "Z retird\n"), "line 2"),
    (lambda text: text + text[:65], "line 3"),
    (lambda text: text[65:], "line 1"),
    (lambda text: "", "line 1"),
], ids=["crlf", "cut", "empty-line", "digit-lost", "word", "twice", "first-lost", "empty"])
def test_damaged_lines_are_named(one, damage, line):
    roll(one)
    file = one.directory / "secret"
    file.write_text(damage(file.read_text()))
    told = one.run("secret", "list", status=FAULT).stderr
    assert line in told and str(file) in told
    assert not re.search(r"[0-9a-f]{16}", told)
    assert one.cgi("x").startswith("Status: 503")


def test_passed_by_a_service_manager(one):
    """It is not ours to write: how a line is added is said, and a line that is added that way works."""
    with open(one.config) as file:
        text = file.read()
    shutil.copy(one.directory / "secret", one.directory / "passed")
    one.write(text.replace("[retoken]\n", "[retoken]\nsecret-file = credential:passed\n", 1))
    told = run_passed(one, "secret", "rotate", status=REFUSED).stderr
    assert "openssl rand -hex 32" in told and "restart" in told


def run_passed(one, *words, status):
    import os
    import subprocess

    from test_admin import RETOKEN, environment
    done = subprocess.run([RETOKEN, "-c", one.config, *words], capture_output=True, text=True, cwd=one.directory,
                          env={**environment(), "CREDENTIALS_DIRECTORY": str(one.directory)}, timeout=60)
    assert done.returncode == status, done.stderr
    assert os.path.exists(one.directory / "passed")
    return done
