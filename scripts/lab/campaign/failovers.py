# SPDX-License-Identifier: ISC
"""The primary of three PostgreSQL servers is killed during load, a standby takes its place, and what was
killed comes back as a standby, again and again. Nobody is refused, no renewal that was answered is lost, a
revocation that was acknowledged holds, and the responders find the new primary by themselves. Knows who may
kill and promote: `hand` (scripts/lab/postgresql.py) or `patroni`."""

import shutil
import threading
import time

from lab import dialects, machine, patroni, postgresql

from . import Violation, kills, load, memory_folder

MOUNT = dialects.mount_at("/oauth/token")
WINDOWS = dict.fromkeys(load.WINDOWS, 300.0)  # longer than any failover: who is refused was wronged
MANAGERS = {"hand": postgresql.Cluster, "patroni": patroni.Cluster}
WAYS = {"hand": ("failover",), "patroni": ("switchover", "failover")}
CLIENTS, REVOKED = 8, 3
RECOVERY_S = 5.0
# A machine that does something else is slow, too: over RECOVERY_S is counted, over this a violation.
RECOVERY_MOST_S = 20.0
ROLE = "retoken"  # and its database


def run(budget_s, seed, manager="hand", failovers=None, durability="quorum"):
    """Until there were so many, or the time is over."""
    storm = Storm(seed, manager)
    try:
        storm.furnish(durability)
        figures = storm.run(time.monotonic() + budget_s, int(failovers) if failovers else None)
    finally:
        storm.stop()
    if storm.clients.violations:
        raise Violation(storm.clients.violations, figures, [storm.folder])
    shutil.rmtree(storm.folder)
    return figures


class Storm:
    def __init__(self, seed, manager):
        self.seed, self.ways = seed, WAYS[manager]
        self.folder = memory_folder("retoken-f-")
        self.folder.chmod(0o711)
        self.cluster, self.server = MANAGERS[manager](self.folder), None
        self.revoked = []

    def furnish(self, durability):
        postgresql.create(self.cluster.primary, ROLE)
        home = self.folder / "home"
        home.mkdir()
        machine.own(home)
        self.installed = load.furnish(home, CLIENTS + 1, WINDOWS, store=self.cluster.url(ROLE, ROLE),
                                      rotation_durability=durability)
        self.server = kills.Kept(self.installed, self.folder, 2)
        self.clients = load.Load(self.installed, self.server.send, self.seed, range(CLIENTS), WINDOWS, patience=120,
                                 thieves=False)
        self.clients.loses_history = durability == "local"

    def stop(self):
        if self.server is not None:
            self.server.stop()
        self.cluster.stop()

    def run(self, until, enough):
        figures = {"failovers": 0, "slowest_recovery_s": 0.0, "recoveries_over_5_s": 0}
        self.clients.start()
        while time.monotonic() < until and figures["failovers"] != enough and not self.clients.violations:
            self.once(self.ways[figures["failovers"] % len(self.ways)], figures)
        self.clients.finish()
        self.judge_revoked()
        return {**figures, "revoked": len(self.revoked), **self.clients.figures()}

    def once(self, way, figures):
        doomed = [load.login(self.installed, MOUNT, CLIENTS) for _ in range(REVOKED)]
        revoking = threading.Thread(target=self.revoke, args=(doomed,), daemon=True)
        revoking.start()
        getattr(self.cluster, way)()
        self.recover(figures)
        revoking.join(120)
        if revoking.is_alive():
            self.clients.violate("`session revoke` hangs")
        self.judge_revoked()
        self.cluster.rejoin()
        figures["failovers"] += 1

    def recover(self, figures):
        """There is a primary now."""
        began, answers = time.monotonic(), self.clients.counts["answers"]
        try:
            machine.wait_until(lambda: self.clients.counts["answers"] > answers + CLIENTS, RECOVERY_MOST_S)
        except machine.LabError:
            self.clients.violate(f"no answers within {RECOVERY_MOST_S:g} s although there is a primary")
        took = time.monotonic() - began
        figures["slowest_recovery_s"] = round(max(figures["slowest_recovery_s"], took), 2)
        figures["recoveries_over_5_s"] += took > RECOVERY_S

    def revoke(self, doomed):
        """Each until `retoken` says that it has happened."""
        for login in doomed:
            end = time.monotonic() + 120
            while self.installed.run("session", "revoke", login.session).returncode != 0:
                if time.monotonic() > end:
                    self.clients.violate("a session could not be revoked")
                    return
            self.revoked.append(login)

    def judge_revoked(self):
        for login in self.revoked:
            answer = None
            while answer is None or answer.status >= 500:
                answer = self.server.send(MOUNT.dialect.request(MOUNT.path, login))
            if answer.status == 200:
                self.clients.violate(f"I5: session {login.session} lives after it was revoked")
