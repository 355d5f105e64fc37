# SPDX-License-Identifier: ISC
"""kill -9 of responders under every way to run them, and of `retoken` itself, in the middle of load. A
responder that is seen gets a random lifetime, so kills fall anywhere between start and answer; every other
kill takes who has the turn to write by then, and some are stopped for a while first. Judged by load.py, and for
`retoken` by what it printed before it died."""

import dataclasses
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket as sockets
import struct
import subprocess
import threading
import time

from lab import dialects, fcgi, http, installation, machine, servers

from . import PROGRAMS, Violation, load, memory_folder


@dataclasses.dataclass(frozen=True)
class Way:
    """servers: how many of a kind, all on one store. lifetime_ms: of a responder, on average; where a
    responder ends by itself, what lets 4 of 10 be killed. processes: of a socket."""

    kind: str
    share: float  # of the budget
    servers: int = 1
    lifetime_ms: float = 40
    processes: int = 0
    ends_by_itself: bool = False
    verbs: bool = False  # `retoken` is killed, too
    patience_s: float = load.HANG_S  # of clients


# lighttpd takes a second to start a responder again, mod_fcgid is as slow: several on one store.
WAYS = {
    "socket-1": Way("socket", 0.1, processes=1, lifetime_ms=10),
    "socket-4": Way("socket", 0.2, processes=4, lifetime_ms=40, verbs=True),
    "cgi": Way("lighttpd-cgi", 0.2, ends_by_itself=True),
    "apache-cgid": Way("apache-cgi", 0.05, ends_by_itself=True),
    "lighttpd": Way("lighttpd", 0.25, servers=48, lifetime_ms=400),
    # It looks once a second what has ended, and starts no more than so many: clients wait for that.
    "mod_fcgid": Way("apache", 0.2, servers=12, lifetime_ms=500, patience_s=120),
}
QUICK = ("socket-4", "cgi")
TURN_S = 0.01  # how long to look for who has it
STOPPED = 20  # one in so many is


def run(budget_s, seed, ways=None, kills=None, clients=8, stop_s=1, disk=0):
    """ways: names of WAYS, joined by commas; unless given all, or when there is little time those that
    start quickly. kills: enough for each way. stop_s: a process is stopped for up to so long; a leader holds
    up all others then. disk: 1 has the store there, where most of the time somebody has the turn."""
    chosen = ways.split(",") if ways else QUICK if budget_s < 60 else list(WAYS)
    total = sum(WAYS[name].share for name in chosen)
    figures = {}
    for name in chosen:
        storm = Storm(WAYS[name], f"{seed}/{name}", int(clients), float(stop_s), disk)
        figures[name] = storm.run(budget_s * WAYS[name].share / total, int(kills) if kills else None)
    return figures


class Storm:
    def __init__(self, way, seed, clients, stop_s, disk):
        self.way, self.random, self.stop_s = way, random.Random(seed), stop_s
        self.folder = (machine.folder if int(disk) else memory_folder)("retoken-storm-")
        self.installed = load.furnish(self.folder, clients + 1)
        self.servers, self.lives = [], {}
        self.counts = {"kills": 0, "leaders": 0, "stops": 0}
        self.seed, self.clients = seed, clients

    def run(self, seconds, enough):
        began = time.monotonic()
        try:
            for number in range(self.way.servers):
                run = self.folder / f"server{number}"
                run.mkdir()
                machine.own(run)
                self.servers.append(
                    Kept(self.installed, run, self.way.processes) if self.way.processes else
                    servers.start(self.way.kind, self.installed, run))
            clients = load.Apart(self.load)
            verbs = Verbs(self, clients) if self.way.verbs else None
            self.storm(time.monotonic() + seconds, enough)
            if verbs is not None:
                verbs.finish()
            clients.finish()
            figures = {"seconds": round(time.monotonic() - began, 1), **self.counts,
                       **(verbs.counts if verbs else {}), **clients.figures()}
            if self.counts["kills"] == 0:
                clients.violate("nothing was killed")
            if clients.violations:
                raise Violation(clients.violations, figures, [self.folder])
        finally:
            for server in self.servers:
                server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return figures

    def load(self, number):
        return load.Load(self.installed, self.send, f"{self.seed}/{number}",
                         range(number, self.clients, 2), patience=self.way.patience_s + self.stop_s)

    def send(self, request):
        return random.choice(self.servers).send(request)

    def storm(self, end, enough):
        """Kills until the end or until it is enough."""
        mean_s = self.way.lifetime_ms / 1000
        parents = [parent for server in self.servers for parent in parents_of(server)]
        turn = Turn(self.installed)
        while time.monotonic() < end and (enough is None or self.counts["kills"] < enough):
            now = time.monotonic()
            seen = {pid for parent in parents for pid in children(parent)}
            for pid in seen - self.lives.keys():
                try:
                    self.lives[pid] = Life(os.pidfd_open(pid), now + self.lifetime_s(mean_s))
                except ProcessLookupError:
                    pass
            for pid, life in list(self.lives.items()):
                if pid in seen and (now < life.due or machine.program_of(pid) not in servers.RESPONDERS):
                    continue  # its time has not come, or the program not yet started
                if pid in seen:
                    self.end(life, turn, mean_s)
                if self.way.ends_by_itself:
                    mean_s = min(mean_s * (1.03 if pid in seen else 0.98), 1.0)
                if pid not in seen or life.ended:
                    os.close(life.handle)
                    del self.lives[pid]
            time.sleep(0.0005)
        for life in self.lives.values():
            sent(life.handle, signal.SIGCONT)
            os.close(life.handle)

    def end(self, life, turn, mean_s):
        """Kills this one or who has the turn, or stops it first."""
        chosen = self.leader(turn) if self.random.randrange(2) else None
        if chosen in (None, life):
            chosen = life
        else:
            life.due = time.monotonic() + self.lifetime_s(mean_s)
        if chosen.stopped and self.random.randrange(2):
            chosen.stopped = not sent(chosen.handle, signal.SIGCONT)
            chosen.due = time.monotonic() + self.lifetime_s(mean_s)
        elif not chosen.stopped and self.stop_s > 0 and self.random.randrange(STOPPED) == 0:
            chosen.stopped = sent(chosen.handle, signal.SIGSTOP)
            chosen.due = time.monotonic() + self.random.uniform(0, self.stop_s)
            self.counts["stops"] += chosen.stopped
        elif not chosen.ended:
            chosen.ended = True
            leads = self.lives.get(turn.holder()) is chosen
            self.counts["kills"] += sent(chosen.handle, signal.SIGKILL)
            self.counts["leaders"] += leads
            return
        if not chosen.stopped and not chosen.ended:
            sent(chosen.handle, signal.SIGCONT)

    def leader(self, turn):
        """Who has the turn, and is stopped, so that it keeps it until it is killed; None: nobody was seen to."""
        end = time.monotonic() + TURN_S
        while time.monotonic() < end:
            life = self.lives.get(turn.holder())
            if life is not None and not life.ended:
                if life.stopped or sent(life.handle, signal.SIGSTOP) and self.lives.get(turn.holder()) is life:
                    return life
                sent(life.handle, signal.SIGCONT)
        return None

    def lifetime_s(self, mean_s):
        """One in six lives long, so that there are answers however slowly the machine starts one."""
        longer = 1 if self.way.ends_by_itself or self.random.randrange(6) else 10
        return self.random.expovariate(1 / (mean_s * longer))


class Kept(servers.Server):
    """Responders on a socket, kept running by tests/campaign/keeper."""

    def __init__(self, installed, run, processes):
        super().__init__("socket", installed, run)
        self.socket = run / "retoken.sock"
        keeper = machine.copy_for_user(PROGRAMS / "keeper", run / "keeper")
        with sockets.socket(sockets.AF_UNIX) as listener:
            listener.bind(str(self.socket))
            machine.own(self.socket)
            listener.listen(1024)
            self.process = machine.start([keeper, str(processes), installed.responder], log=self.log,
                                         cwd=run, env=servers.environment(installed), stdin=listener)

    def send(self, request, **more):
        return fcgi.send(self.socket, request, **more)


@dataclasses.dataclass
class Life:
    """Of a responder that was seen. handle: its pidfd. due: when something is done to it."""

    handle: int
    due: float
    stopped: bool = False
    ended: bool = False


class Turn:
    """Who has the turn to write: the lock of process.lock that begins at 0, as long as its owner's number."""

    GET_LOCK = 36  # F_OFD_GETLK
    FLOCK = "hhqqixxxx"

    def __init__(self, installed):
        self.path, self.file = installed.folder / "store" / "process.lock", None

    def holder(self):
        """Its process number; 0: nobody."""
        if self.file is None:
            self.file = self.path.open("r+b")
        asked = struct.pack(self.FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        kind, _, _, length, _ = struct.unpack(self.FLOCK, fcntl.fcntl(self.file, self.GET_LOCK, asked))
        return length if kind != fcntl.F_UNLCK else 0


def sent(handle, number):
    """False: it has ended."""
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    return True


def children(pid):
    """Those that a process of one thread has; none when it has ended."""
    try:
        return {int(word) for word in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def parents_of(server):
    """What starts responders: the server itself, or the one process of Apache that has no threads."""
    if not isinstance(server, servers.Apache):
        return [server.process.pid]
    found = []

    def is_there():
        found[:] = [pid for pid in children(server.process.pid)
                    if len(list(pathlib.Path(f"/proc/{pid}/task").glob("*"))) == 1]
        return found
    machine.wait_until(is_there, what="the process of Apache that starts programs")
    return found


class Verbs:
    """`retoken`, killed after a random time. What it printed is promised; what was killed has been done
    or not, and nothing between."""

    KINDS = ("create", "create", "revoke", "prune", "backup", "key", "account", "list", "init")
    KEYS_MOST = 12

    def __init__(self, storm, clients):
        self.storm, self.load, self.random = storm, clients, random.Random(f"{storm.seed}/verbs")
        self.installed, self.owner = storm.installed, f"user{storm.clients}"
        self.mount = dialects.mount_at("/oauth2/token")
        self.counts = {"verbs_killed": 0, "verbs_done": 0}
        self.live, self.keys, self.number = [], 0, 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def finish(self):
        self.ending.set()
        self.thread.join(90)
        if self.thread.is_alive():
            self.load.violate("`retoken` hangs")

    def loop(self):
        try:
            while not self.ending.is_set():
                self.number += 1
                getattr(self, self.random.choice(self.KINDS))()
        except Exception as error:
            self.load.violate(f"retoken: {type(error).__name__}: {error}")

    def verb(self, *words, installed=None):
        """(status, output) of a command that is mostly killed."""
        installed = installed or self.installed
        process = subprocess.Popen(
            [str(word) for word in (installed.programs / "retoken", "-c", installed.config, *words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=installed.folder,
            env=machine.environment(), **machine.identity())
        if self.random.random() < 0.7:
            try:
                process.wait(self.random.random() ** 2 * 0.02)
            except subprocess.TimeoutExpired:
                process.kill()
        out, errors = process.communicate(timeout=60)
        self.counts["verbs_killed" if process.returncode == -9 else "verbs_done"] += 1
        if process.returncode not in (0, -9):
            self.load.violate(f"retoken {' '.join(map(str, words))}: {process.returncode} {errors[-200:]}")
        return process.returncode, out

    def ask(self, token):
        """The newest token after it, None when it was refused."""
        login = dialects.Login("", token, "", self.owner, client="phone",
                               scope=self.mount.dialect.scope)
        end = time.monotonic() + load.HANG_S
        while time.monotonic() < end:
            try:
                answer = self.storm.send(self.mount.dialect.request(self.mount.path, login))
            except (http.Broken, OSError):
                continue
            if answer.status < 500:
                return self.mount.dialect.tokens(answer)[0] if answer.status == 200 else None
        raise machine.LabError("not answered")

    def create(self):
        _, out = self.verb("session", "create", "--mount", self.mount.path, "--account", self.owner,
                           "--client", "phone", "--scope", self.mount.dialect.scope, "--json")
        if not out.rstrip().endswith(b"}"):
            return
        made = json.loads(out)
        token = self.ask(made["refresh_token"])
        if token is None:
            self.load.violate("a token that `session create` printed is refused")
        else:
            self.live.append([made["session"], token])

    def revoke(self):
        if not self.live:
            return
        one = self.live.pop(self.random.randrange(len(self.live)))
        status, _ = self.verb("session", "revoke", one[0])
        token = self.ask(one[1])
        if status == 0 and token is not None:
            self.load.violate("I5: a session goes on after `session revoke`")
        elif status == -9 and token is not None:
            self.live.append([one[0], token])
        elif status == -9 and self.installed.session(one[0])["state"] == "live":
            self.load.violate("a live session was refused after a killed `session revoke`")

    def prune(self):
        self.verb("store", "prune")

    def key(self):
        if self.keys < self.KEYS_MOST:
            self.keys += 1
            self.verb("key", "add", "--algorithm", "ES256", "--activate")

    def account(self):
        self.verb("account", "set", self.owner, "--role", f"role{self.number}")

    def list(self):
        self.verb("session", "list", "--account", self.owner)

    def backup(self):
        """Wherever it was killed, a data.mdb that is there is a whole store."""
        target = self.installed.folder / f"backup{self.number}"
        self.verb("store", "backup", target)
        if (target / "data.mdb").exists():
            home = machine.folder("retoken-backup-", self.storm.folder)
            shutil.copy2(self.installed.config, home)
            shutil.copy2(self.installed.folder / "secret", home)
            shutil.move(target, home / "store")
            machine.own(home)
            checked = installation.Installation(home, self.installed.programs).run("store", "check")
            if checked.returncode != 0:
                self.load.violate(f"a backup is no whole store: {checked.stdout[-200:]} {checked.stderr[-200:]}")
            shutil.rmtree(home)
        shutil.rmtree(target, ignore_errors=True)

    def init(self):
        """Wherever it was killed, it can be repeated."""
        home = installation.Installation(machine.folder("retoken-init-", self.storm.folder),
                                         self.installed.programs)
        if self.verb("init", installed=home)[0] == -9:
            repeated = home.run("init")
            if repeated.returncode != 0:
                self.load.violate(f"`init` cannot be repeated: {repeated.stderr[-200:]}")
        checked = home.run("store", "check")
        if checked.returncode != 0:
            self.load.violate(f"after `init`: {checked.stdout[-200:]} {checked.stderr[-200:]}")
        shutil.rmtree(home.folder)
