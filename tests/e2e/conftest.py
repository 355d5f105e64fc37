# SPDX-License-Identifier: ISC
"""Fixtures of the end-to-end tests: installations, and real web servers in front of them. Everything
lives in temporary folders, on free ports of 127.0.0.1, and is ended by process id."""

import contextlib
import functools
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from clocks import Clocks
from databases import Database
from lab import dialects, installation, machine, postgresql, servers

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "Tr0ub4dor & 3"


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitized: run again with ASan and UBSan programs")
    config.addinivalue_line("markers", "threaded: run again with TSan programs")


class World:
    """An installation with what the tests need in it: account ada (and grace), confidential
    clients web and other, public client phone."""

    def __init__(self, installed, database=None):
        """database: on PostgreSQL; else the store is in the installation's folder."""
        self.installed, self.database = installed, database
        self.secrets = {}
        self.cleanup = contextlib.ExitStack()

    def furnish(self):
        if self.database is not None:
            self.installed.replace_settings(f"[retoken]\nstore = {self.database.url()}\n")
        self.installed.init()
        self.installed.set_retoken(password_hash="yescrypt:1")  # what a hash costs is no matter here
        self.installed.add_account("ada", PASSWORD, "--role", "ROLE_CUSTOMER", "--claim",
                                   "email=ada@example.org", "--claim", "roleId=1")
        self.installed.add_account("grace", OTHER_PASSWORD)
        for client in ("web", "other"):
            self.secrets[client] = self.installed.add_client(client)
        self.installed.add_client("phone", "--public")

    def copy(self, folder):
        """Another world in which all is as in this one."""
        if self.database is None:
            return self.seen_from(folder)
        database = self.database.copy()
        other = self.seen_from(folder, database)
        other.cleanup.callback(database.drop)
        return other

    def seen_from(self, folder, database=None, through=None):
        """The same installation in another folder, as on another machine. On PostgreSQL: with the same
        database or another, and through these servers or proxies."""
        shutil.copytree(self.installed.folder, folder, dirs_exist_ok=True)
        machine.own(folder)
        other = World(installation.Installation(folder, self.installed.programs), database or self.database)
        other.secrets = dict(self.secrets)
        if other.database is not None:
            other.installed.set_retoken(store=other.database.url(through))
        return other

    def login(self, mount, client=None, **more):
        """A session at a dialects.Mount, begun as its dialect does."""
        dialect = mount.dialect
        client = client if client is not None else ("web" if dialect.client else "")
        options = {"scope": dialect.scope, **more}
        name = options.pop("name", "ada")
        password = PASSWORD if name == "ada" else OTHER_PASSWORD
        return self.installed.login(mount.path, name, password, client,
                                    self.secrets.get(client, ""), **options)

    def who(self, mount, name="ada", password=PASSWORD):
        """What a client of the mount has before it has tokens."""
        client = "web" if mount.dialect.client else ""
        return dialects.Login("", "", "", name, password, client, self.secrets.get(client, ""),
                              mount.dialect.scope)

    def passwords(self, *names):
        """A file of htpasswd's for the web server's own login, in which each has PASSWORD."""
        path = self.installed.folder / "htpasswd"
        for name in names:
            done = machine.run(["htpasswd", "-B", "-b", *([] if path.exists() else ["-c"]), path, name, PASSWORD])
            assert done.returncode == 0, done.stderr
        path.chmod(0o644)
        return path

    def mount_settings(self, mount=None, **settings):
        """Sets keys of a mount, or of every mount."""
        for one in [mount] if mount else dialects.MOUNTS:
            self.installed.set_mount(one, **settings)

    def serve(self, kind, **options):
        """A running web server (or a bare responder); ended with the world."""
        run = machine.folder("retoken-run-")
        self.cleanup.callback(shutil.rmtree, run, ignore_errors=True)
        server = servers.start(kind, self.installed, run, **options)
        self.cleanup.callback(server.stop)
        return server


@pytest.fixture(scope="session")
def programs():
    folder = installation.programs_for_user()
    yield folder
    if folder != machine.BUILD:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def furnished_world(programs, database=None):
    folder = machine.folder("retoken-template-")
    world = World(installation.Installation(folder, programs), database)
    try:
        world.furnish()
        yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def on_servers(programs, make):
    """A furnished world on PostgreSQL servers, which make(folder) starts."""
    folder = machine.folder("retoken-pg-")
    folder.chmod(0o711)
    servers_there = make(folder)
    try:
        with furnished_world(programs, Database.begin(servers_there)) as world:
            yield world
    finally:
        servers_there.stop()
        shutil.rmtree(folder, ignore_errors=True)


def one_server(folder):
    return postgresql.Server(folder).make().start()


@pytest.fixture(scope="session")
def template(programs):
    """Furnished once; every world is a copy of it."""
    made = {"lmdb": lambda: furnished_world(programs), "postgresql": lambda: on_servers(programs, one_server)}
    with made[os.environ.get("RETOKEN_STORE", "lmdb")]() as world:
        yield world


@pytest.fixture(scope="session")
def small_templates(programs):
    """A world with a configuration that is there before anything else is; furnished once for each."""
    with contextlib.ExitStack() as cleanup:
        @functools.cache
        def furnished(settings):
            folder = machine.folder("retoken-template-")
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            world = World(installation.Installation(folder, programs))
            world.installed.replace_settings(settings)
            world.furnish()
            return world
        yield furnished


@pytest.fixture
def small_world(small_templates):
    """Begins a world of its own with such a configuration."""
    with contextlib.ExitStack() as cleanup:
        yield lambda settings: cleanup.enter_context(new_world(small_templates(settings)))


@contextlib.contextmanager
def new_world(template, make=World.copy):
    folder = machine.folder("retoken-world-")
    world = make(template, folder)
    try:
        with world.cleanup:
            yield world
    finally:
        if "RETOKEN_KEEP" in os.environ:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def world(template):
    """A world for one test."""
    with new_world(template) as fresh:
        yield fresh


@pytest.fixture
def clocks(world):
    """Of everything that is started in this world."""
    made = Clocks(machine.folder("retoken-clocks-"))
    world.installed.variables = made.variables()
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shared_world(template):
    """A world for all tests of a file: they must not change its settings."""
    with new_world(template) as fresh:
        yield fresh
