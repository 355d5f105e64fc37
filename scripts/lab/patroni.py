# SPDX-License-Identifier: ISC
"""Three PostgreSQL servers kept by Patroni, with etcd to agree who is the primary: the failover that
operators know. Knows both programs' configuration and Patroni's API; knows nothing of Retoken. The
servers listen on ports of 127.0.0.1, because Patroni wants addresses."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import urllib.error
import urllib.request

from . import machine, postgresql

SCOPE = "retoken"
# Seconds. The least that Patroni takes: what a lost machine costs is ttl.
TIMES = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "primary_start_timeout": 0}


class Member:
    """One server and its Patroni."""

    def __init__(self, cluster, number):
        self.name = f"s{number}"
        self.folder = cluster.folder / self.name
        self.folder.mkdir()
        self.port, self.api = machine.free_port(), machine.free_port()
        self.data, self.process = self.folder / "data", None
        self.config = self.folder / "patroni.yml"
        self.config.write_text(json.dumps(self._settings(cluster)))  # which is YAML, too
        machine.own(self.folder)

    def _settings(self, cluster):
        parameters = {name: value.strip("'") for name, value in postgresql.SETTINGS.items()
                      if name not in ("listen_addresses", "unix_socket_permissions")}
        trust = "host all all 127.0.0.1/32 trust"
        return {
            "scope": SCOPE, "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.api}", "connect_address": f"127.0.0.1:{self.api}"},
            "etcd3": {"host": f"127.0.0.1:{cluster.etcd_port}"},
            "bootstrap": {
                "dcs": {**TIMES, "maximum_lag_on_failover": 1048576, "synchronous_mode": True,
                        "synchronous_mode_strict": True,
                        "postgresql": {"use_pg_rewind": True, "parameters": parameters}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "trust"}, "no-sync"]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.data), "bin_dir": str(postgresql.program("postgres").parent),
                "pgpass": str(self.folder / "pgpass"),
                "pg_hba": ["local all all trust", trust, trust.replace("all", "replication", 1)],
                "parameters": {"unix_socket_directories": str(self.folder)},
                "authentication": {"superuser": {"username": postgresql.OWNER, "password": "unused"},
                                   "replication": {"username": postgresql.OWNER, "password": "unused"}}}}

    def start(self):
        self.process = machine.start(["/usr/bin/patroni", self.config], log=self.folder / "patroni.log",
                                     cwd=self.folder, env=machine.environment(LC_ALL="C"))

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Its machine is lost: Patroni and the server, at once."""
        self._kill(self.process.pid, *self._postmaster())
        self.process.wait()

    def kill_server(self):
        """PostgreSQL alone: Patroni sees it, and has another take its place."""
        self._kill(*self._postmaster())

    def _postmaster(self):
        lock = self.data / "postmaster.pid"
        return [int(lock.read_text().splitlines()[0])] if lock.exists() else []

    @staticmethod
    def _kill(*parents):
        for number in (signal.SIGSTOP, signal.SIGKILL):  # or they would see their children die
            for pid in [*parents, *(child for parent in parents for child in machine.children(parent))]:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass

    def stop(self):
        if self.process is not None:
            machine.stop(self.process, patience=30)
            self._kill(*(pid for pid in self._postmaster() if machine.program_of(pid) == "postgres"))

    def ask(self, path, method="GET", body=None):
        """Status and answer of Patroni's API; (0, None) when there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}/{path}", method=method,
                                         data=json.dumps(body).encode() if body else None)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, None

    def query(self, sql, database="postgres"):
        return postgresql.query("127.0.0.1", self.port, sql, database)


class Cluster:
    """As postgresql.Cluster; who takes over is Patroni's to say."""

    def __init__(self, folder, count=3):
        for name in ("etcd", "patroni"):
            if shutil.which(name) is None:
                raise machine.LabError(f"{name} is not there; apt-get install etcd-server patroni")
        self.folder = pathlib.Path(folder)
        self.etcd_port, self.etcd = machine.free_port(), None
        self.servers = [Member(self, number) for number in range(count)]
        try:
            self._start_etcd()
            for server in self.servers:
                server.start()
            self.settle()
        except BaseException:
            self.stop()
            raise

    def _start_etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{machine.free_port()}"
        self.etcd = machine.start(
            ["/usr/bin/etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
             "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"default={peer}", "--unsafe-no-fsync", "--log-level", "error"],
            log=self.folder / "etcd.log", cwd=self.folder)
        machine.wait_until(lambda: machine.listens(self.etcd_port), 30, "etcd")

    def members(self):
        """name -> (role, state) as Patroni has it."""
        for server in self.servers:
            status, answer = server.ask("cluster")
            if status == 200:
                return {one["name"]: (one["role"], one["state"]) for one in json.loads(answer)["members"]}
        return {}

    @property
    def primary(self):
        return next((server for server in self.servers if server.ask("primary")[0] == 200), None)

    def settle(self):
        """Until there is a primary, and all others that run stream from it, one of them synchronously."""
        wanted = {server.name for server in self.servers if server.is_running()}

        def settled():
            members = self.members()
            there = {name for name, (_, state) in members.items() if state in ("running", "streaming")}
            roles = [role for role, _ in members.values()]
            return there >= wanted and roles.count("leader") == 1 and "sync_standby" in roles
        machine.wait_until(settled, 180, f"members {sorted(wanted)}: {self.folder}")

    def url(self, database, user=None, **parameters):
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        words = {"target_session_attrs": "read-write", "sslmode": "disable", **parameters}
        return (f"postgresql://{f'{user}@' if user else ''}{hosts}/{database}?"
                + "&".join(f"{name}={value}" for name, value in words.items()))

    def failover(self, lost=True):
        """The primary's machine is lost, or only PostgreSQL there; until another is the primary."""
        failed = self.primary
        if lost:
            failed.kill()
        else:
            failed.kill_server()
        machine.wait_until(lambda: self.primary not in (None, failed), 120, "another primary")

    def switchover(self):
        """In order, as an operator asks for it."""
        leader = self.primary
        status, answer = leader.ask("switchover", "POST", {"leader": leader.name})
        if status not in (200, 202):
            raise machine.LabError(f"no switchover: {status} {answer!r}")
        machine.wait_until(lambda: self.primary not in (None, leader), 120, "another primary")

    def rejoin(self):
        for server in self.servers:
            if not server.is_running():
                server.start()
        self.settle()

    def stop(self):
        with concurrent.futures.ThreadPoolExecutor(len(self.servers)) as pool:  # each takes its time
            list(pool.map(Member.stop, self.servers))
        if self.etcd is not None:
            machine.stop(self.etcd)
