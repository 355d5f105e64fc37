# SPDX-License-Identifier: ISC
"""A store in PostgreSQL as an operator meets it: who makes what, what is said where something is missing,
passwords, rights, and what `retoken doctor` sees. The server is a real one, on a Unix socket."""

import datetime
import itertools
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from lab import dialects, installation, machine, postgresql, servers

REFUSED, USAGE, FAULT = 1, 2, 3
PASSWORD = "correct horse battery staple"
MOUNT = dialects.mount_at("/oauth/token")


@pytest.fixture(scope="module")
def server():
    """One whose role `secretive` must show a password."""
    folder = machine.folder("retoken-admin-")
    folder.chmod(0o755)
    one = postgresql.Server(folder).make()
    hba = one.data / "pg_hba.conf"
    hba.write_text("local all secretive scram-sha-256\n" + hba.read_text())
    one.start()
    one.query("CREATE ROLE secretive LOGIN PASSWORD 'open sesame'")
    yield one
    one.stop()
    shutil.rmtree(folder)


@pytest.fixture
def folder(tmp_path_factory):
    made = machine.folder("retoken-admin-")
    yield made
    shutil.rmtree(made)


class Place:
    """A database of its own, and installations on it: each is a machine."""

    numbers = itertools.count()

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.database, self.role = f"d{next(self.numbers)}", "responder"

    def create(self, owner="postgres"):
        self.server.query(f"CREATE DATABASE {self.database} OWNER {owner}")
        return self

    def url(self, role=None, **parameters):
        return postgresql.url([self.server], self.database, role or self.role, **parameters)

    def machine(self, name):
        data = self.folder / name
        data.mkdir(mode=0o700)
        machine.own(data)
        return installation.Installation(data, machine.BUILD)

    def made(self, name="a", role=None):
        """The first machine, all made by the superuser."""
        one = self.machine(name)
        one.retoken("init", "--issuer", "https://login.example.org", "--store", self.url(role),
                    "--owner", self.url("postgres"))
        return one

    def beside(self, one, name="b"):
        """Another machine with the same configuration and secret."""
        other = self.machine(name)
        for file in ("retoken.conf", "secret"):
            shutil.copy2(one.folder / file, other.folder / file)
            machine.own(other.folder / file)
        return other


@pytest.fixture
def place(server, folder):
    return Place(server, folder)


def refused(one, *words, status=FAULT):
    """What it says."""
    done = one.run(*words)
    assert done.returncode == status, f"{words}: {done}"
    return done.stderr.decode()


def checks(one, *words):
    """{check: [(state, detail)]} of doctor."""
    found = {}
    done = one.run("doctor", "--json", *words)
    for row in installation.json.loads(done.stdout):
        found.setdefault(row["check"], []).append((row["state"], row["detail"]))
    return found


# ---- making it ----


def test_a_superuser_makes_tables_roles_and_store(place):
    place.create()
    one = place.machine("a")
    words = ["init", "--issuer", "https://login.example.org"]
    said = one.retoken(*words, "--store", place.url(), "--owner", place.url("postgres"))
    rows = {line.split()[0]: line for line in said.splitlines() if line}
    assert "made" in rows["tables"] and "retoken_owner" in rows["owner"] and "responder" in rows["role"], said
    assert "made" in rows["secret"] and "made" in rows["store"], said
    again = one.retoken("init", "--owner", place.url("postgres"))
    assert " made " not in again and "there already" in again, again
    assert f"store = {place.url()}\n" in one.settings()
    assert not list(one.folder.glob("store*")), "nothing of it is in the data directory"
    assert "set store in its section" in refused(one, "init", "--store", place.url(), status=REFUSED)


def test_the_role_of_the_store_makes_its_tables_where_it_may(place, server):
    postgresql.create(server, "makes")  # a database and a role of that name
    place.database, place.role = "makes", "makes"
    one = place.machine("a")
    said = one.retoken("init", "--store", place.url())
    assert "store         made" in said, said
    assert any("owns the tables" in detail for _, detail in checks(one)["rights"])


def test_sessions_are_shared_by_machines(place):
    one = place.create().made()
    one.add_account("ada", PASSWORD)
    secret = one.add_client("web")
    login = one.login("/oauth/token", "ada", PASSWORD, "web", secret)
    other = place.beside(one)
    run = other.folder / "run"
    run.mkdir()
    machine.own(run)
    responder = servers.start("socket", other, run)
    try:
        answer = responder.send(MOUNT.dialect.request("/oauth/token", login))
        assert MOUNT.dialect.complaints(login, answer) == []
        assert one.session(login.session)["generation"] == 1
    finally:
        responder.stop()
    assert one.json("store", "stat")["sessions"] == 1
    assert "nothing wrong" in one.retoken("store", "check")
    assert "removed" in one.retoken("store", "prune")
    rows = place.server.query("SELECT id, account, client FROM retoken.retoken_sessions", place.database)
    assert rows == [[login.session, "ada", "web"]]


def test_a_second_machine_without_the_secret_makes_none(place):
    one = place.create().made()
    other = place.machine("b")
    shutil.copy2(one.config, other.config)
    machine.own(other.config)
    said = refused(other, "init")
    assert "copy it from the machine" in said, said
    assert not (other.folder / "secret").exists()
    assert "copy it from the machine" in refused(other, "account", "list")


# ---- moving in and out ----


def test_a_store_moves_to_the_server_and_back(place):
    one = place.machine("a")
    one.retoken("init", "--issuer", "https://login.example.org")
    one.add_account("ada", PASSWORD)
    secret = one.add_client("web")
    login = one.login("/oauth/token", "ada", PASSWORD, "web", secret)
    before = one.json("session", "list", "--account", "ada")
    assert [row["session"] for row in before] == [login.session]
    place.create()
    place.role = "postgres"
    said = one.retoken("store", "copy", one.folder / "store", place.url())
    assert "nothing wrong" in said, said
    assert "holds something already" in refused(one, "store", "copy", one.folder / "store", place.url(),
                                                status=REFUSED)
    one.retoken("store", "copy", place.url(), one.folder / "back")
    text = one.settings()
    for store in (place.url(), "back"):
        one.replace_settings(text.replace("[retoken]\n", f"[retoken]\nstore = {store}\n"))
        assert one.json("session", "list", "--account", "ada") == before
        assert "nothing wrong" in one.retoken("store", "check")


def test_a_store_that_is_open_is_not_copied(place):
    one = place.create().made()
    run = one.folder / "run"
    run.mkdir()
    machine.own(run)
    responder = servers.start("socket", one, run)
    try:
        said = refused(one, "store", "copy", place.url(), one.folder / "copy", status=REFUSED)
        assert "other connections" in said, said
    finally:
        responder.stop()
    one.replace_settings(one.settings().replace("store = postgresql", "# store = postgresql"))
    one.retoken("store", "copy", place.url(), one.folder / "store")
    responder = servers.start("socket", one, run)
    try:
        said = refused(one, "store", "copy", one.folder / "store", one.folder / "copy", status=REFUSED)
        assert "has it open" in said, said
    finally:
        responder.stop()


# ---- what is missing ----


@pytest.mark.parametrize("role, database, expected", [
    ("postgres", "absent", "createdb"),
    ("absent", "postgres", "createuser"),
])
def test_what_is_missing_is_named(place, role, database, expected):
    place.database, place.role = database, role
    said = refused(place.machine("a"), "init", "--store", place.url())
    assert expected in said, said


def test_rights_that_are_missing_are_named(place, server):
    place.create()
    server.query("CREATE ROLE bystander LOGIN")
    place.role = "bystander"
    one = place.machine("a")
    said = refused(one, "init", "--store", place.url())
    assert f'GRANT CREATE ON DATABASE "{place.database}" TO "bystander"' in said, said
    place.role = "responder"
    place.made("b")
    said = refused(one, "init")
    assert "bystander may not read and write all tables" in said and "--owner" in said, said


def test_a_server_that_is_away_is_a_fault(place, folder):
    place.create()
    one = place.made()
    text = one.settings()
    one.replace_settings(text.replace(str(place.server.socket).replace("/", "%2F"), "%2Fnonexistent"))
    assert "/nonexistent" in refused(one, "account", "list")
    state, detail = checks(one)["store"][0]
    assert state == "FAIL" and "/nonexistent" in detail
    one.replace_settings(text)
    assert one.json("account", "list") == []


# ---- passwords ----


def test_passwords_are_in_no_url(place):
    one = place.create().machine("a")
    secret = "hush-hush"
    for url in (f"postgresql://me:{secret}@db/retoken", f"postgresql://db/retoken?password={secret}"):
        for words in (["--store", url], ["--store", place.url(), "--owner", url]):
            done = one.run("init", *words)
            assert done.returncode in (USAGE, FAULT), done
            assert secret.encode() not in done.stdout + done.stderr
            one.config.unlink(missing_ok=True)


def test_a_password_comes_from_a_file(place):
    place.create()
    place.role = "secretive"
    one = place.machine("a")
    said = refused(one, "init", "--store", place.url(), "--owner", place.url("postgres"))
    assert "password" in said, said
    password = one.folder / "password"
    password.write_text("open sesame\n")
    password.chmod(0o600)
    machine.own(password)
    one.set_retoken(store_password_file="password")
    one.retoken("init")
    assert one.json("account", "list") == []
    password.chmod(0o644)
    assert "password" in refused(one, "account", "list")
    password.chmod(0o600)
    password.write_text("open barley\n")
    assert "store-password-file" in refused(one, "init")


def test_a_password_comes_from_pgpass(place):
    place.create()
    place.role = "secretive"
    one = place.machine("a")
    pgpass = one.folder / ".pgpass"
    pgpass.write_text("*:*:*:secretive:open sesame\n")
    pgpass.chmod(0o600)
    machine.own(pgpass)
    one.variables["HOME"] = str(one.folder)
    one.retoken("init", "--store", place.url(), "--owner", place.url("postgres"))
    assert one.json("account", "list") == []


# ---- what doctor sees ----


def test_doctor_looks_at_the_server(place):
    one = place.create().made()
    found = checks(one)
    assert found["store"][0][0] == "ok", found
    assert found["server"] == [("ok", found["server"][0][1])] and "PostgreSQL 1" in found["server"][0][1]
    assert found["standbys"][0][0] == "warn" and "synchronous_standby_names" in found["standbys"][0][1]
    assert found["durability"][0][0] == "warn" and "fsync" in found["durability"][0][1]  # of this server
    assert found["rights"][0][0] == "ok", found
    assert found["server's clock"][0][0] == "ok", found
    assert found["connections"][0][0] == "ok" and "listening responder" in found["connections"][0][1]
    assert found["vacuum"][0][0] == "ok", found


def test_doctor_warns_of_dead_rows_and_few_connections(place, server):
    one = place.create().made()
    server.query("ALTER TABLE retoken.marks SET (autovacuum_enabled = off);"
                 " INSERT INTO retoken.marks SELECT int8send(n), '' FROM generate_series(1, 120000) n;"
                 " DELETE FROM retoken.marks", place.database)
    server.query(f"ALTER DATABASE {place.database} CONNECTION LIMIT 3")
    machine.wait_until(lambda: checks(one)["vacuum"][0][0] == "warn", 60, "the server's counts")
    found = checks(one)
    assert "marks" in found["vacuum"][0][1]
    assert found["connections"][0][0] == "warn" and "pgbouncer" in found["connections"][0][1].lower()


# ---- a responder that is confined ----


def test_a_confined_responder_connects_again(place, server):
    """Passwords and sockets are beyond what it could open and call without a server."""
    place.create()
    place.role = "secretive"
    one = place.machine("a")
    password = one.folder / "password"
    password.write_text("open sesame\n")
    password.chmod(0o600)
    machine.own(password)
    one.replace_settings("[retoken]\nissuer = https://login.example.org\nlog-level = info\n"
                         f"store = {place.url()}\nstore-password-file = password\n")
    one.retoken("init", "--owner", place.url("postgres"))
    one.add_account("ada", PASSWORD)
    secret = one.add_client("web")
    login = one.login("/oauth/token", "ada", PASSWORD, "web", secret)
    run = one.folder / "run"
    run.mkdir()
    machine.own(run)
    responder = servers.start("socket", one, run)
    try:
        answer = responder.send(MOUNT.dialect.request("/oauth/token", login))
        assert MOUNT.dialect.complaints(login, answer) == []
        server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     f" WHERE datname = '{place.database}' AND pid <> pg_backend_pid()")
        again = login.after(*MOUNT.dialect.tokens(answer))
        answer = responder.send_until(lambda answer: answer.status == 200,
                                      MOUNT.dialect.request("/oauth/token", again))
        assert MOUNT.dialect.complaints(again, answer) == []
    finally:
        responder.stop()
    text = responder.log_text()
    assert "confined: system calls" in text and "tried system call" not in text, text


# ---- the master secret rolls ----


def test_a_master_secret_waits_for_the_other_machines(place):
    """A day, in which the file can be copied; a machine without it refuses nobody."""
    one = place.create().made()
    one.add_account("ada", PASSWORD)
    secret = one.add_client("web")
    other = place.beside(one)
    run = other.folder / "run"
    run.mkdir()
    machine.own(run)
    responder = servers.start("socket", other, run)
    try:
        said = one.retoken("secret", "rotate")
        assert "copy" in said and "before that" in said, said
        waiting = one.json("secret", "list")[1]
        wait = datetime.datetime.fromisoformat(waiting["from"][:-1] + "+00:00") - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(hours=23) < wait < datetime.timedelta(hours=25)
        assert any(state == "warn" and waiting["id"] in detail for state, detail in checks(one)["secret"])
        new = one.json("secret", "rotate", "--now")[0]["id"]
        login = one.login("/oauth/token", "ada", PASSWORD, "web", secret)
        answer = responder.send(MOUNT.dialect.request("/oauth/token", login))
        assert answer.status == 503 and f"master secret {new}" in responder.log_text()
        assert any(state == "FAIL" and new in detail for state, detail in checks(other)["secret"])
        shutil.copy2(one.folder / "secret", other.folder / "secret")
        machine.own(other.folder / "secret")
        answer = responder.send(MOUNT.dialect.request("/oauth/token", login))
        assert MOUNT.dialect.complaints(login, answer) == []
        assert not [detail for state, detail in checks(other)["secret"] if state == "FAIL"]
    finally:
        responder.stop()
