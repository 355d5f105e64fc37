# SPDX-License-Identifier: ISC
"""PostgreSQL servers of our own: one, or a primary with standbys that acknowledge its commits, through
kills and failovers. Knows Debian's programs and PostgreSQL's replication; knows nothing of Retoken.

Everything runs as the user, on Unix sockets only, in the folder that is given: nothing is left when that
folder is removed after stop()."""

import os
import pathlib
import signal
import time

from . import machine

PROGRAMS = pathlib.Path("/usr/lib/postgresql")
PORT = 5432  # part of a socket's name
OWNER = "postgres"  # the superuser of each server
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0777",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "fsync": "off",  # what is killed here are processes, not machines
    "wal_log_hints": "on",  # for pg_rewind
    "wal_keep_size": "'128MB'",  # the same: what it was before the failover
    "hot_standby": "on",
    "log_min_messages": "warning",
    "log_line_prefix": "'%m [%p] %a %e '",
    # What waits five seconds by default, so that a failover is no longer than it must be.
    "wal_retrieve_retry_interval": "'100ms'",
    "wal_receiver_status_interval": "'1s'",
}


def program(name):
    """The newest of Debian's versions."""
    found = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise machine.LabError(f"{name} is not there; apt-get install postgresql")
    return found[-1]


def url(servers, database, user=None, **parameters):
    """A URL of libpq's with all these servers (or proxies), and the words behind `?`."""
    hosts = ",".join(str(server.socket).replace("/", "%2F") + (f":{server.port}" if server.port != PORT else "")
                     for server in servers)
    words = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"postgresql://{f'{user}@' if user else ''}{hosts}/{database}{f'?{words}' if words else ''}"


def query(host, port, sql, database, timeout=60):
    """Rows of texts. Statement by statement, each on its own."""
    done = machine.run([program("psql"), "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", port,
                        "-U", OWNER, "-d", database], stdin=sql.encode(), timeout=timeout)
    if done.returncode != 0:
        raise machine.LabError(f"{host}: {done.stderr.decode().strip()}")
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def create(primary, name):
    """An empty database, and a role of the same name that owns it and may make roles."""
    primary.query(f"CREATE ROLE {name} LOGIN CREATEROLE; CREATE DATABASE {name} OWNER {name}")


class Server:
    """One server. folder: for its files, made by make() or follow(). socket: the folder of its socket,
    which libpq takes for a host."""

    def __init__(self, folder, name="s0", **settings):
        self.folder, self.name = pathlib.Path(folder) / name, name
        self.data, self.socket = self.folder / "data", self.folder
        self.settings = {**SETTINGS, "cluster_name": f"'{name}'", "unix_socket_directories": f"'{self.socket}'",
                         **settings}
        self.port = settings.get("port", PORT)
        self.process = None
        self.primary, self.servers = self, [self]  # as a Cluster of one
        self.folder.mkdir(mode=0o755, exist_ok=True)
        machine.own(self.folder)

    @property
    def log(self):
        return self.folder / "log"

    def make(self):
        """A new, empty server."""
        _succeed(program("initdb"), "-D", self.data, "-A", "trust", "-U", OWNER, "-E", "UTF8", "--locale=C",
                 "--no-sync", "--no-instructions")
        self._configure()
        return self

    def follow(self, primary):
        """A standby of a server that runs, made afresh."""
        machine.run(["rm", "-rf", self.data])
        _succeed(program("pg_basebackup"), "-D", self.data, "-h", primary.socket, "-p", primary.port, "-U", OWNER,
                 "-c", "fast", "-X", "stream", "--no-sync")
        self._stand_by(primary)
        return self

    def rejoin(self, primary):
        """A primary that was killed becomes a standby of the one that took its place."""
        primary.query("CHECKPOINT")  # or pg_rewind would not see that there is a new timeline
        rewound = machine.run([program("pg_rewind"), "-D", self.data, "--no-sync", "--source-server",
                               f"{_conninfo(primary)} dbname=postgres"])
        if rewound.returncode != 0:
            return self.follow(primary)
        self._stand_by(primary)
        return self

    def _stand_by(self, primary):
        self._configure()
        self._write("postgresql.auto.conf", f"primary_conninfo = '{_conninfo(primary)}'\n")
        self._write("standby.signal", "")

    def _configure(self):
        self._write("retoken.conf", "".join(f"{name} = {value}\n" for name, value in self.settings.items()))
        config = (self.data / "postgresql.conf").read_text()
        if "include 'retoken.conf'" not in config:
            self._write("postgresql.conf", f"{config}\ninclude 'retoken.conf'\n")

    def _write(self, name, text):
        (self.data / name).write_text(text)
        machine.own(self.data / name)

    def start(self):
        """Until it answers."""
        self.process = machine.start([program("postgres"), "-D", self.data], log=self.log, cwd=self.folder,
                                     env=machine.environment(LC_ALL="C"))
        machine.wait_until(self._up, 60, f"PostgreSQL: {self.log}")
        return self

    def _up(self):
        if self.process.poll() is not None:
            raise machine.LabError(f"PostgreSQL ended: {self.log.read_text()[-2000:]}")
        return machine.run([program("pg_isready"), "-q", "-h", self.socket, "-p", self.port]).returncode == 0

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def set(self, **settings):
        """Changes settings, of one that runs too where it needs no restart for them."""
        self.settings |= settings
        self._configure()
        if self.is_running():
            self.query("SELECT pg_reload_conf()")

    def admit(self, *lines):
        """Who may connect how: lines of pg_hba.conf, instead of everybody on its socket."""
        self._write("pg_hba.conf", "".join(f"{line}\n" for line in (f"local all {OWNER} trust", *lines)))
        self.query("SELECT pg_reload_conf()")

    def query(self, sql, database="postgres", timeout=60):
        """Rows of texts."""
        return query(self.socket, self.port, sql, database, timeout)

    def value(self, sql, database="postgres"):
        """The one value of the one row."""
        return self.query(sql, database)[0][0]

    def stop(self):
        """Ends it in order, with all sessions."""
        if self.is_running():
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except machine.subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self):
        """kill -9 of everything at once, as if its machine was lost."""
        if self.is_running():
            os.kill(self.process.pid, signal.SIGSTOP)  # or it would see its children die
            for pid in [*machine.children(self.process.pid), self.process.pid]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()

    def freeze(self):
        """Everything stops where it is, until thaw()."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for pid in [self.process.pid, *machine.children(self.process.pid)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def _forget(self):
        """The few bytes of System V memory that a killed server leaves, which it would take up again."""
        lock = self.data / "postmaster.pid"
        lines = lock.read_text().splitlines() if lock.exists() else []
        if len(lines) > 6 and len(lines[6].split()) == 2:
            machine.run(["ipcrm", "-m", lines[6].split()[1]])

    # ---- replication ----

    def promote(self):
        """A standby becomes the primary; until it is."""
        if self.value("SELECT pg_promote(true, 60)") != "t":
            raise machine.LabError(f"{self.name} was not promoted: {self.log.read_text()[-2000:]}")

    def turn_to(self, primary):
        """A standby follows another primary from now on."""
        self.query(f"ALTER SYSTEM SET primary_conninfo = '{_conninfo(primary)}'; SELECT pg_reload_conf()")

    def received(self):
        """How far a standby whose primary is gone has written down what it was sent: a number of bytes."""
        machine.wait_until(lambda: self.value("SELECT count(*) FROM pg_stat_wal_receiver"
                                              " WHERE status = 'streaming'") == "0", what="the last of its WAL")
        return int(self.value("SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
                              " - '0/0'").partition(".")[0])

    def followers(self):
        """name -> sync_state of each standby that streams from here."""
        return dict(self.query("SELECT application_name, sync_state FROM pg_stat_replication"
                               " WHERE state = 'streaming'"))


def _conninfo(primary):
    return f"host={primary.socket} port={primary.port} user={OWNER}"  # cluster_name is its application_name


def _succeed(*command):
    done = machine.run(command, timeout=120, env=machine.environment(LC_ALL="C"))
    if done.returncode != 0:
        raise machine.LabError(f"{command[0].name}: {done.stderr.decode().strip()[-2000:]}")


class Cluster:
    """A primary and standbys, of which one must have a commit before it is acknowledged. Failovers are
    made by hand, as an operator or a cluster manager would: what has failed stays away until it is made a
    standby of the new primary."""

    def __init__(self, folder, count=3, **settings):
        names = [f"s{number}" for number in range(count)]
        quorum = f"'ANY 1 ({','.join(names)})'" if count > 1 else "''"
        self.servers = [Server(folder, name, synchronous_standby_names=quorum, **settings) for name in names]
        self.primary = self.servers[0]
        try:
            self.primary.make().start()
            for server in self.servers[1:]:
                server.follow(self.primary).start()
            self.settle()
        except BaseException:
            self.stop()
            raise

    def standbys(self):
        """Those that run."""
        return [server for server in self.servers if server is not self.primary and server.is_running()]

    def settle(self):
        """Until every standby that runs streams from the primary."""
        wanted = {server.name for server in self.standbys()}
        machine.wait_until(lambda: self.primary.followers().keys() >= wanted, 60, f"standbys {wanted}")

    def url(self, database, user=None, **parameters):
        return url(self.servers, database, user, **{"target_session_attrs": "read-write", **parameters})

    def failover(self):
        """The primary is killed, the standby that has most takes its place, the others follow it. The
        seconds that there was no primary."""
        failed, began = self.primary, time.monotonic()
        failed.kill()
        self.primary = max(self.standbys(), key=Server.received)
        self.primary.promote()
        took = time.monotonic() - began
        for server in self.standbys():
            server.turn_to(self.primary)
        return took

    def switchover(self):
        """In order: the primary ends with all that it has on the standbys, and one of them takes over."""
        self.primary.stop()
        return self.failover()

    def mend(self):
        """Whatever was done to it: there is a primary, and all others follow it."""
        for server in self.servers:
            if server.is_running():
                server.thaw()
        if not self.primary.is_running():
            self.failover()
        self.rejoin()

    def rejoin(self):
        """What has failed comes back as standbys."""
        for server in self.servers:
            if not server.is_running():
                server.rejoin(self.primary).start()
        self.settle()

    def stop(self):
        """Standbys last: a primary does not end before they have all it wrote."""
        for server in [self.primary, *(one for one in self.servers if one is not self.primary)]:
            server.stop()
