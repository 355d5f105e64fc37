# SPDX-License-Identifier: ISC
"""The servers and the proxy that the tests of PostgreSQL stand on do what they say: a failover loses
nothing that a standby has acknowledged, and a connection breaks where it is told to. Asked through libpq,
in pipeline mode as the store does."""

import concurrent.futures
import ctypes
import shutil

import pytest

from lab import machine, pgproxy, postgresql

CONNECTED = 0
COMMAND, ROWS, ERROR, SYNC = 1, 2, 7, 10  # PGRES_... of libpq-fe.h


def libpq():
    library = ctypes.CDLL("libpq.so.5")
    for name in ("PQconnectdb", "PQprepare", "PQgetResult", "PQgetCancel"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("PQresultErrorField", "PQerrorMessage", "PQgetvalue", "PQcmdStatus"):
        getattr(library, name).restype = ctypes.c_char_p
    return library


class Client:
    """One connection; statements are prepared and sent in a pipeline with one sync at its end."""

    def __init__(self, url):
        self.pq, self.names = libpq(), {}
        self.connection = ctypes.c_void_p(self.pq.PQconnectdb(url.encode()))

    def is_connected(self):
        return self.pq.PQstatus(self.connection) == CONNECTED

    def why(self):
        return self.pq.PQerrorMessage(self.connection).decode()

    def cancel(self):
        handle = ctypes.c_void_p(self.pq.PQgetCancel(self.connection))
        self.pq.PQcancel(handle, ctypes.create_string_buffer(256), 256)
        self.pq.PQfreeCancel(handle)

    def close(self):
        self.pq.PQfinish(self.connection)

    def pipeline(self, *texts):
        """What each was answered: a value, a command's tag or an SQLSTATE. Fewer when the connection broke."""
        for text in texts:
            if text not in self.names:
                self.names[text] = f"s{len(self.names)}".encode()
                self.pq.PQclear(ctypes.c_void_p(
                    self.pq.PQprepare(self.connection, self.names[text], text.encode(), 0, None)))
        self.pq.PQenterPipelineMode(self.connection)
        for text in texts:
            self.pq.PQsendQueryPrepared(self.connection, self.names[text], 0, None, None, None, 0)
        self.pq.PQpipelineSync(self.connection)
        answers, empty = [], 0
        while empty < 2:  # one ends the results of a statement, two all of them
            result = ctypes.c_void_p(self.pq.PQgetResult(self.connection))
            status = self.pq.PQresultStatus(result) if result else None
            empty = 0 if result else empty + 1
            if status == ROWS:
                answers.append(self.pq.PQgetvalue(result, 0, 0).decode())
            elif status == COMMAND:
                answers.append(self.pq.PQcmdStatus(result).decode())
            elif status == ERROR:
                answers.append((self.pq.PQresultErrorField(result, ord("C")) or b"").decode())
            self.pq.PQclear(result)
            if status == SYNC:
                break
        self.pq.PQexitPipelineMode(self.connection)
        return answers


@pytest.fixture(scope="module")
def folder():
    made = machine.folder("retoken-pg-")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def server(folder):
    one = postgresql.Server(folder, "alone").make().start()
    yield one
    one.stop()


@pytest.fixture
def proxy(folder, server):
    server.query("DROP TABLE IF EXISTS t; CREATE TABLE t (n int)")
    between = pgproxy.Proxy(folder, server)
    yield between
    between.stop()


@pytest.fixture
def client(proxy):
    connected = Client(postgresql.url([proxy], "postgres", postgresql.OWNER))
    assert connected.is_connected(), connected.why()
    yield connected
    connected.close()


WRITE = ("BEGIN", "INSERT INTO t VALUES (1)", "COMMIT")


def written(server):
    """Once none of the sessions that the proxy let through is left."""
    machine.wait_until(lambda: server.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type ="
                                            " 'client backend' AND pid <> pg_backend_pid()") == "0",
                       what="the end of a session")
    return int(server.value("SELECT count(*) FROM t"))


@pytest.mark.parametrize("place, seen, counts", [
    (pgproxy.BEFORE, False, {0}), (pgproxy.DURING, False, {0, 1}), (pgproxy.UNANSWERED, False, {1}),
    (pgproxy.AFTER, True, {1})])
def test_a_connection_breaks_at_its_place(server, proxy, client, place, seen, counts):
    assert client.pipeline(*WRITE) == ["BEGIN", "INSERT 0 1", "COMMIT"]
    server.query("TRUNCATE t")
    rule = proxy.drop(place, nth=2)
    again = Client(postgresql.url([proxy], "postgres", postgresql.OWNER))
    assert again.pipeline(*WRITE) == ["BEGIN", "INSERT 0 1", "COMMIT"]  # the first COMMIT from now on
    again.close()
    server.query("TRUNCATE t")
    assert ("COMMIT" in client.pipeline(*WRITE)) == seen
    client.pipeline("SELECT 1")
    assert not client.is_connected() and rule.happened == 1
    assert written(server) in counts


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "25006"])
def test_the_server_raises_an_error_in_its_stead(server, proxy, client, sqlstate):
    rule = proxy.refuse(sqlstate, "^INSERT")
    assert client.pipeline(*WRITE) == ["BEGIN", sqlstate]
    assert client.pipeline("ROLLBACK") == ["ROLLBACK"]
    assert client.pipeline(*WRITE) == ["BEGIN", "INSERT 0 1", "COMMIT"]
    assert rule.happened == 1 and proxy.statements[WRITE[1]] == 2
    proxy.refuse(sqlstate, pgproxy.COMMIT)
    assert client.pipeline(*WRITE) == ["BEGIN", "INSERT 0 1", sqlstate]
    assert server.value("SELECT count(*) FROM t") == "1"


def test_an_error_that_ends_the_connection(server, proxy, client):
    proxy.refuse("57P01", "^INSERT")
    assert client.pipeline(*WRITE)[:2] == ["BEGIN", "57P01"]
    client.pipeline("SELECT 1")
    assert not client.is_connected() and written(server) == 0


def test_connecting_is_refused(proxy):
    proxy.refuse("57P03", pgproxy.CONNECT, times=2)
    url = postgresql.url([proxy], "postgres", postgresql.OWNER)
    tried = [Client(url) for _ in range(3)]
    assert [one.is_connected() for one in tried] == [False, False, True]
    assert "refused by the proxy" in tried[0].why()
    for one in tried:
        one.close()


def test_simple_queries_go_through_the_same_rules(server, proxy):
    """As psql sends them."""
    def psql(sql):
        return machine.run(["psql", "-XqAt", "-v", "VERBOSITY=sqlstate", "-h", proxy.socket, "-U", postgresql.OWNER,
                            "-d", "postgres", "-c", sql])
    assert psql("SELECT 7").stdout == b"7\n"
    proxy.refuse("40001", "^INSERT")
    assert b"40001" in psql(WRITE[1]).stderr
    proxy.drop(pgproxy.UNANSWERED, "^INSERT")
    assert psql(WRITE[1]).returncode == 2
    assert written(server) == 1
    proxy.refuse("57P01", "^INSERT", nth=2)
    assert psql(WRITE[1]).returncode == 0
    assert psql(WRITE[1]).returncode == 2
    assert written(server) == 2


def test_a_proxy_holds_everything_up(proxy, client):
    proxy.freeze()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.pipeline, "SELECT 7")
        assert not concurrent.futures.wait([waiting], timeout=0.2).done
        proxy.thaw()
        assert waiting.result(timeout=30) == ["7"]


def test_cancels_are_counted(proxy, client):
    client.cancel()
    machine.wait_until(lambda: proxy.cancels == 1, what="the cancel")
    assert client.pipeline("SELECT 7") == ["7"]


def test_failovers_lose_nothing_acknowledged(folder):
    cluster = postgresql.Cluster(folder)
    try:
        cluster.primary.query("CREATE TABLE t (n int)")
        url = cluster.url("postgres", postgresql.OWNER)
        for number in range(2):
            client = Client(url)
            assert client.pipeline(f"INSERT INTO t VALUES ({number})") == ["INSERT 0 1"]
            failed = cluster.primary
            cluster.failover()
            assert client.pipeline("SELECT 1") != ["1"]  # its server is gone
            client.close()
            assert cluster.primary is not failed and not failed.is_running()
            assert cluster.primary.query("SELECT n FROM t ORDER BY n") == [[str(n)] for n in range(number + 1)]
            cluster.rejoin()
            assert cluster.primary.followers().keys() == {one.name for one in cluster.servers} - {cluster.primary.name}
        client = Client(url)
        standbys = cluster.standbys()
        for standby in standbys:
            standby.freeze()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.pipeline, "INSERT INTO t VALUES (9)")
            assert not concurrent.futures.wait([waiting], timeout=0.3).done
            for standby in standbys:
                standby.thaw()
            assert waiting.result(timeout=60) == ["INSERT 0 1"]
        client.close()
    finally:
        cluster.stop()
