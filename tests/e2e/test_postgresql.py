# SPDX-License-Identifier: ISC
"""Several responders on one PostgreSQL: one successor of a token wherever it is presented, by one clock,
whatever the connections and the servers do. What many failovers do: scripts/lab/campaign/failovers.py."""

import concurrent.futures
import contextlib
import functools
import pathlib
import shutil
import threading
import time

import pytest

from clocks import Clocks
from conftest import World, new_world, on_servers, one_server
from databases import ROLE
from history import History
from lab import dialects, http, machine, pgproxy, postgresql
from lab.receiver import Authority
from refusals import token_refusal

NATIVE = dialects.mount_at("/oauth/token")
LOGGING_IN = dialects.mount_at("/api/jwt/refresh")  # begins and ends sessions over HTTP
ALIASED = dialects.mount_at("/oauth2/token")  # its tokens are UUIDs, which only the store can read
VERIFYING = dialects.mount_at("/api/token/refresh")
PATIENCE_S = 60
COMPILER = "llvmjit"  # the library with which PostgreSQL compiles plans


@pytest.fixture(scope="module")
def alone(programs):
    """A world on one server."""
    with on_servers(programs, one_server) as world:
        yield world


@pytest.fixture(scope="module")
def replicated(programs):
    """A world on a primary that waits for one of two standbys."""
    with on_servers(programs, postgresql.Cluster) as world:
        yield world


@pytest.fixture
def worlds():
    """Begins worlds that end with the test: copies, or worlds as another machine sees them."""
    with contextlib.ExitStack() as cleanup:
        yield lambda *made_of: cleanup.enter_context(new_world(*made_of))


@pytest.fixture
def world(alone, worlds):
    return worlds(alone)


@pytest.fixture
def away(replicated, worlds):
    """A world whose servers may be away for a while."""
    world = worlds(replicated)
    world.installed.set_retoken(writer_wait="2s")
    yield world
    world.database.servers.mend()


def request(login, mount=NATIVE):
    return mount.dialect.request(mount.path, login)


def renewed(server, login, mount=NATIVE):
    answer = server.send(request(login, mount))
    assert mount.dialect.complaints(login, answer) == [], server.log_text()[-2000:]
    return login.after(*mount.dialect.tokens(answer))


def patiently(server, asked):
    """Asks until the answer is neither missing nor a fault; never more than that is forgiven."""
    return server.send_until(lambda answer: answer.status < 500, asked, PATIENCE_S)


def is_fault(answer):
    return answer.status == 503 and answer.header("Retry-After") is not None


def test_two_machines_and_one_token(worlds, world):
    """64 clients at once, half of them here and half there, generation after generation."""
    servers = [one.serve("socket", processes=2) for one in (world, worlds(world, World.seen_from))]
    login, history = world.login(NATIVE), History()
    for generation in range(1, 4):
        start = threading.Barrier(64)

        def race(number, login=login, start=start):
            start.wait()
            return servers[number % 2].send(request(login))
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(race, range(64)))
        for answer in answers:
            assert NATIVE.dialect.complaints(login, answer) == []
            history.add("racer", login.refresh_token, NATIVE.dialect.tokens(answer)[0], answer.status)
        assert history.verdict() == []
        assert len({NATIVE.dialect.tokens(answer)[0] for answer in answers}) == 1
        login = login.after(*NATIVE.dialect.tokens(answers[0]))
        assert world.installed.session(login.session)["generation"] == generation


@pytest.mark.parametrize("apart_s", [90, -90, 86400])
def test_clocks_of_two_machines_change_nothing(worlds, world, apart_s):
    """Networks and clocks of their own: windows and lifetimes are judged by the clock of the database."""
    if machine.run([*machine.APART, "true"]).returncode != 0:
        pytest.skip("this machine gives no network of its own to who is not root")
    servers = []
    for one, shift in ((worlds(world, World.seen_from), 0), (worlds(world, World.seen_from), apart_s)):
        clocks = Clocks(machine.folder("retoken-clocks-", one.installed.folder))
        clocks.set(shift)
        one.installed.words, one.installed.variables = machine.APART, clocks.variables()
        servers.append(one.serve("socket"))
    first = world.login(NATIVE)
    for here, there in (servers, servers[::-1]):
        second = renewed(here, first)
        assert renewed(there, first).refresh_token == second.refresh_token  # a replay within the window
        first = renewed(there, second)
        assert renewed(here, second).refresh_token == first.refresh_token
        for login in (first, second):
            assert abs(dialects.jwt_claims(login.access_token)["iat"] - time.time()) < 30
    assert world.installed.session(first.session)["state"] == "live"


@contextlib.contextmanager
def proxy_to(world):
    """A proxy in front of its server. Nothing that was sent may ever be cancelled."""
    primary = world.database.servers.primary
    proxy = pgproxy.Proxy(primary.folder, primary)
    try:
        yield proxy
    finally:
        proxy.stop()
    assert proxy.cancels == 0


def through(proxy):
    return functools.partial(World.seen_from, through=[proxy])


@pytest.fixture
def proxied(worlds, world):
    """A responder behind a proxy; gives (server, proxy)."""
    with proxy_to(world) as proxy:
        server = worlds(world, through(proxy)).serve("socket")
        renewed(server, world.login(NATIVE))  # it is connected
        yield server, proxy


@pytest.mark.parametrize("place", pgproxy.PLACES)
@pytest.mark.parametrize("mount", [pytest.param(mount, id=mount.dialect.name) for mount in (NATIVE, ALIASED)])
def test_a_connection_breaks_round_the_commit_of_a_refresh(world, proxied, mount, place):
    server, proxy = proxied
    login = world.login(mount)
    rule = proxy.drop(place)
    answer = server.send(request(login, mount))
    assert rule.happened == 1 and (answer.status == 200 or is_fault(answer))
    second = renewed(server, login, mount)
    if answer.status == 200:
        assert mount.dialect.tokens(answer)[0] == second.refresh_token
    assert world.installed.session(login.session)["generation"] == 1
    renewed(server, second, mount)


@pytest.mark.parametrize("place", pgproxy.PLACES)
def test_a_connection_breaks_round_the_commit_of_a_login_and_a_logout(world, proxied, place):
    server, proxy = proxied
    who = world.who(LOGGING_IN)
    rule = proxy.drop(place)
    answer = patiently(server, LOGGING_IN.dialect.login_request(LOGGING_IN.path, who))
    assert rule.happened == 1
    assert LOGGING_IN.dialect.login_complaints(LOGGING_IN.path, who, answer) == []
    login = renewed(server, LOGGING_IN.dialect.begun(who, answer), LOGGING_IN)
    rule = proxy.drop(place)
    patiently(server, LOGGING_IN.dialect.request_beside("logout", LOGGING_IN.path, login))
    assert rule.happened == 1
    assert patiently(server, request(login, LOGGING_IN)).status in (400, 401)


@pytest.mark.parametrize("place", pgproxy.PLACES)
def test_a_connection_breaks_round_the_commit_of_a_revocation(worlds, world, place):
    """By `retoken`: what it says has happened."""
    server, login = world.serve("socket"), world.login(NATIVE)
    with proxy_to(world) as proxy:
        retoken = worlds(world, through(proxy)).installed
        rule = proxy.drop(place)
        done = retoken.run("session", "revoke", login.session)
        assert rule.happened == 1
        if done.returncode != 0:
            retoken.retoken("session", "revoke", login.session)
    assert server.send(request(login)).status == 400
    assert world.installed.session(login.session)["state"] != "live"


@pytest.mark.parametrize("pattern", [pgproxy.COMMIT, r"^\s*UPDATE\b.*\bsessions\b"])
@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "25006", "57P01"])
def test_errors_of_the_server(world, proxied, sqlstate, pattern):
    """A conflict and a server that is no primary any more are the store's to deal with, not the client's."""
    server, proxy = proxied
    login = world.login(NATIVE)
    rule = proxy.refuse(sqlstate, pattern)
    second = renewed(server, login)
    assert rule.happened == 1
    assert world.installed.session(login.session)["generation"] == 1
    renewed(server, second)


def test_a_server_that_is_starting(world, proxied):
    """Refused connections (57P03) are tried again, within the time that writers wait."""
    server, proxy = proxied
    login = world.login(NATIVE)
    broken = proxy.drop(pgproxy.BEFORE)
    starting = proxy.refuse("57P03", pgproxy.CONNECT, times=3)
    answer = patiently(server, request(login))
    assert NATIVE.dialect.complaints(login, answer) == [] and broken.happened == 1 and starting.happened == 3
    assert world.installed.session(login.session)["generation"] == 1


def test_a_server_that_does_not_answer(worlds, world):
    """503 at the deadline; the other machine goes on; and the retry gives the one successor."""
    with proxy_to(world) as proxy:
        far = worlds(world, through(proxy))
        far.installed.set_retoken(writer_wait="2s")
        here, there = far.serve("socket"), world.serve("socket")
        login, other = world.login(NATIVE), world.login(NATIVE)
        login = login.after(*NATIVE.dialect.tokens(patiently(here, request(login))))
        proxy.freeze()
        assert is_fault(here.send(request(login)))
        renewed(there, other)
        proxy.thaw()
        second = patiently(here, request(login))
        assert NATIVE.dialect.tokens(second)[0] == renewed(there, login).refresh_token
        assert world.installed.session(login.session)["generation"] == 2


class Asking:
    """One request on a thread of its own."""

    def __init__(self, server, asked):
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.waiting = self.pool.submit(server.send, asked)

    def is_over(self):
        return self.waiting.done()

    def answer(self):
        with self.pool:
            return self.waiting.result(timeout=PATIENCE_S)


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_no_standby_is_there(away):
    """A commit that no standby has is no success: 503 with Retry-After at the deadline, then the one
    successor as soon as one is back. Who only reads does not wait."""
    server = away.serve("socket")
    login, read = renewed(server, away.login(NATIVE)), renewed(server, away.login(VERIFYING), VERIFYING)
    standbys = away.database.servers.standbys()
    for standby in standbys:
        standby.freeze()
    asking = Asking(server, request(login))
    machine.wait_until(lambda: away.database.query(WAITING), PATIENCE_S, "a commit that waits")
    verified = server.send(VERIFYING.dialect.request_beside("verify", VERIFYING.path, read))
    assert verified.status == 200
    assert is_fault(asking.answer())
    standbys[0].thaw()
    answer = patiently(server, request(login))
    assert NATIVE.dialect.complaints(login, answer) == []
    assert away.installed.session(login.session)["generation"] == 2


def test_a_failover(away):
    """The primary is killed under the hands of responders that are connected to it: they find the new one
    by themselves. What was answered before is there; what was revoked stays so."""
    world, servers = away, away.database.servers
    server = world.serve("socket", processes=2)
    logins = [renewed(server, world.login(NATIVE)) for _ in range(8)]
    revoked = world.login(NATIVE)
    world.installed.retoken("session", "revoke", revoked.session)
    killed, took = servers.primary, servers.failover()
    began = time.monotonic()
    after = [patiently(server, request(login)) for login in logins]
    print(f"{took:.1f} s without a primary; all served {time.monotonic() - began:.2f} s after that")
    for login, answer in zip(logins, after):
        assert NATIVE.dialect.complaints(login, answer) == []
        assert world.installed.session(login.session)["generation"] == 2
    assert patiently(server, request(revoked)).status == 400
    assert not killed.is_running() and "rolled-forward" not in world.installed.retoken("events")


def test_a_wait_that_is_cancelled_is_no_success(away):
    """An administrator cancels the wait for a standby: PostgreSQL commits with a warning. No client hears
    of it before a standby has it."""
    server = away.serve("socket")
    login = renewed(server, away.login(NATIVE))
    standbys = away.database.servers.standbys()
    for standby in standbys:
        standby.freeze()
    asking = Asking(server, request(login))
    cancelled = 0
    while not asking.is_over():
        for (pid,) in away.database.query(WAITING):
            away.database.query(f"SELECT pg_cancel_backend({pid})")
            cancelled += 1
    assert cancelled > 0 and is_fault(asking.answer())
    assert is_fault(server.send(request(login)))
    standbys[0].thaw()
    answer = patiently(server, request(login))
    assert NATIVE.dialect.complaints(login, answer) == []
    assert away.installed.session(login.session)["generation"] == 2
    renewed(server, login.after(*NATIVE.dialect.tokens(answer)))


def test_rotations_that_wait_for_no_standby(away):
    """rotation-durability = local: a failover may lose them, and logs nobody out. Everything else waits."""
    world, servers = away, away.database.servers
    world.installed.set_retoken(rotation_durability="local")
    server = world.serve("socket")
    login, doomed = renewed(server, world.login(NATIVE)), world.login(NATIVE)
    alias = renewed(server, world.login(ALIASED), ALIASED)
    standbys = servers.standbys()
    for standby in standbys:
        standby.stop()
    assert world.installed.run("session", "revoke", doomed.session).returncode != 0
    newest = renewed(server, renewed(server, login))
    assert is_fault(server.send(request(alias, ALIASED)))
    servers.primary.kill()
    for standby in standbys:
        standby.start()
    servers.failover()
    answer = patiently(server, request(newest))
    assert NATIVE.dialect.complaints(newest, answer) == []
    assert world.installed.session(login.session)["generation"] == 4
    assert ALIASED.dialect.complaints(alias, patiently(server, request(alias, ALIASED))) == []
    assert "rolled-forward" in world.installed.retoken("events")


@pytest.fixture
def over_tls(programs):
    """A world on a server that speaks TLS only, shows a certificate, and asks for a password."""
    folder = machine.folder("retoken-tls-")
    port = machine.free_port()

    def make(where):
        authority = Authority(folder)
        authority.file.chmod(0o644)
        certificate = authority.issue("server.pem")
        certificate.chmod(0o600)
        machine.own(folder)
        server = postgresql.Server(where, port=port, listen_addresses="'127.0.0.1'", ssl="on",
                                   ssl_cert_file=f"'{certificate}'", ssl_key_file=f"'{certificate}'").make().start()
        return server
    with on_servers(programs, make) as world:
        yield world, folder, port
    shutil.rmtree(folder, ignore_errors=True)


def test_over_tls_with_a_password(over_tls, worlds):
    """The confined responder reaches the network, checks the certificate, and reads the password itself."""
    template, folder, port = over_tls
    world = worlds(template)
    database = world.database
    database.query(f"ALTER ROLE {ROLE} PASSWORD 'tell no one'")
    database.servers.admit("hostssl all all 127.0.0.1/32 scram-sha-256")
    password = world.installed.folder / "database.password"
    password.write_text("tell no one\n")
    password.chmod(0o600)
    machine.own(password)
    url = f"postgresql://{ROLE}@127.0.0.1:{port}/{database.name}?sslmode=verify-full&sslrootcert={folder}/ca.pem"
    world.installed.set_retoken(store=url, store_password_file=password.name)
    login = world.login(NATIVE)
    server = world.serve("socket", processes=2)
    second = renewed(server, renewed(server, login))
    assert world.installed.session(second.session)["generation"] == 2
    assert database.query("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                          " WHERE application_name = 'retoken'") == [["t"]]
    password.write_text("guess\n")
    refused = world.installed.run("session", "list")
    assert refused.returncode != 0 and b"guess" not in refused.stderr + refused.stdout
    assert "tell no one" not in server.log_text()


def test_through_a_web_server(world):
    """nginx, and a process for each request: CGI by lighttpd."""
    for kind in ("nginx", "lighttpd-cgi"):
        server = world.serve(kind)
        login = world.login(NATIVE)
        second = renewed(server, login)
        assert renewed(server, login).refresh_token == second.refresh_token
        assert server.send(http.Request("GET", dialects.HEALTH_PATH)).status == 200


def test_no_statement_is_compiled(world):
    """A plan with a step that is switched off is priced so high that PostgreSQL compiles it, each time anew,
    which takes longer than the rest of the write."""
    world.mount_settings(NATIVE, concurrency_window="1s")
    server = world.serve("socket")
    login = world.login(NATIVE)
    renewed(server, renewed(server, login))
    refused = server.send_until(lambda answer: answer.status != 200, request(login), PATIENCE_S)
    assert token_refusal(NATIVE.dialect, "documented", "reused").complaints(refused) == []
    assert list(postgresql.program("postgres").parents[1].glob(f"lib/{COMPILER}.so"))
    backends = world.database.query("SELECT pid FROM pg_stat_activity"
                                    f" WHERE usename = '{ROLE}' AND datname = '{world.database.name}'")
    assert len(backends) >= 2
    for (pid,) in backends:
        assert COMPILER not in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
