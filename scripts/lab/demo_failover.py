# SPDX-License-Identifier: ISC
"""./demo --store postgresql: two web servers with a responder each, as on two machines, over three
PostgreSQL servers. Sessions refresh here and there; the primary is killed under their hands; and each
client tells whether it was logged out. Knows what to show; servers and clusters are its neighbours'."""

import itertools
import threading
import time

from . import dialects, http, machine, postgresql

MOUNT = dialects.mount_at("/oauth/token")
ROLE = "retoken"  # and its database
SESSIONS, PAUSE_S = 24, 0.02
KILLED_AT, AFTERWARDS, MOST = 3, 3, 60  # seconds of the show


def start(run, cleanup):
    """Three servers with an empty database for Retoken."""
    folder = machine.folder("postgresql-", run)
    folder.chmod(0o711)
    cluster = postgresql.Cluster(folder)
    cleanup.callback(cluster.stop)
    postgresql.create(cluster.primary, ROLE)
    return cluster


def store_of(cluster):
    return cluster.url(ROLE, ROLE)


class Client(threading.Thread):
    """One session that refreshes at one web server after the other. Asked to try again, it does."""

    def __init__(self, ports, login):
        super().__init__(daemon=True)
        self.ports, self.login = itertools.cycle(ports), login
        self.refreshes = self.busy = 0
        self.refused, self.ending = None, threading.Event()

    def run(self):
        while not self.ending.wait(PAUSE_S) and self.refused is None:
            try:
                answer = http.send(next(self.ports), MOUNT.dialect.request(MOUNT.path, self.login))
            except http.Broken:
                continue
            if answer.status >= 500:
                self.busy += 1
            elif answer.status == 200:
                self.login = self.login.after(*MOUNT.dialect.tokens(answer))
                self.refreshes += 1
            else:
                self.refused = f"{answer.status} {answer.reason}"


def show(screen, cluster, ports, installed, begin_session):
    """The failover; True when nobody was logged out."""
    clients = [Client(ports, begin_session(installed, MOUNT)) for _ in range(SESSIONS)]
    screen.line(f"  {screen.bold(f'{SESSIONS} sessions refresh, at one web server after the other')}")
    for client in clients:
        client.start()
    failover = threading.Thread(target=cluster.failover, daemon=True)
    before, second, good = (0, 0), 0, 0  # good: seconds with refreshes since the failover
    while good < AFTERWARDS and second < MOST:
        time.sleep(1)
        second += 1
        now = sum(client.refreshes for client in clients), sum(client.busy for client in clients)
        done, busy = now[0] - before[0], now[1] - before[1]
        where = f"{cluster.primary.name} is the primary" if cluster.primary.is_running() else "there is no primary"
        again = f", {busy} x 503: try again" if busy else ""
        screen.line(f"    {second:2} s  {where:22} {done:5} refreshes{again}")
        before = now
        good += second > KILLED_AT and done > 0 and not failover.is_alive()
        if second == KILLED_AT:
            screen.line(f"    {screen.bad('✗')} kill -9 {cluster.primary.name}, the primary: server and sessions")
            failover.start()
    failover.join()
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(60)
    return judge(screen, cluster, installed, clients)


def judge(screen, cluster, installed, clients):
    """What each client has seen beside what the store says of its session."""
    wrong = [client.refused for client in clients if client.refused]
    for client in clients:
        shown = installed.session(client.login.session)
        if shown["state"] != "live" or not 0 <= shown["generation"] - client.refreshes <= 1:
            wrong.append(f"{client.login.session}: {shown['state']}, generation {shown['generation']}")
    total, busy = sum(client.refreshes for client in clients), sum(client.busy for client in clients)
    screen.line(f"    {total} refreshes; {busy} times a client was asked to try again, and did")
    if wrong:
        screen.line(screen.bad(f"    ✗ {len(wrong)} of {SESSIONS} sessions are wrong: {wrong[0]}") + "\n")
        return False
    screen.line(screen.good(f"    ✓ nobody was logged out: all {SESSIONS} sessions are live, and the store has "
                            "every refresh that was answered"))
    killed = next(server for server in cluster.servers if not server.is_running())
    cluster.rejoin()
    screen.line(f"    {screen.good('✓')} {killed.name} is back, as a standby of {cluster.primary.name}\n")
    return True
