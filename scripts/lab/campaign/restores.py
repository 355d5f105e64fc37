# SPDX-License-Identifier: ISC
"""Backups are made under load and put back a little later. Everyone who renewed meanwhile goes on; what
ended meanwhile stays ended; sessions that began meanwhile are gone. When a token was spent is not known
after that: until its owner has come it may be honoured, and is refused without harm. UUIDs are left
out: those made since the backup are not found. Knows the verbs; what they do is the store's."""

import random
import shutil
import time

from lab import dialects, installation, machine, servers

from . import Violation, load, memory_folder

PATHS = ("/oauth/token", "/api/jwt/refresh")
REVOKED = 2  # of each round
DEAD_ASKED = 12


def run(budget_s, seed):
    folder, chance = memory_folder("retoken-restores-"), random.Random(seed)
    home = folder / "home"
    home.mkdir()
    machine.own(home)
    rounds = Rounds(load.furnish(home, 7), folder, chance)
    try:
        clients = rounds.clients = Restored(rounds.installed, rounds.send, seed, range(6), paths=PATHS)
        clients.start()
        end = time.monotonic() + budget_s
        while time.monotonic() < end and not clients.violations:
            rounds.one()
        clients.finish()
    finally:
        rounds.server.stop()
    figures = {**rounds.counts, **clients.figures()}
    if clients.violations:
        raise Violation(clients.violations, figures, [folder])
    shutil.rmtree(folder)
    return figures


class Rounds:
    def __init__(self, installed, folder, chance):
        self.installed, self.folder, self.chance = installed, folder, chance
        self.counts = {"restores": 0, "dead_asked": 0}
        self.server = servers.start("socket", installed, folder)

    def send(self, request):
        return self.server.send(request)

    def one(self):
        mount = dialects.mount_at("/oauth/token")
        doomed = [load.login(self.installed, mount, 6) for _ in range(REVOKED)]
        backup = self.folder / f"backup-{self.counts['restores']}"
        self.clients.ending.wait(self.chance.uniform(0, 1))
        backed_up = time.monotonic()
        self.installed.retoken("store", "backup", backup)
        self.clients.ending.wait(self.chance.uniform(0.1, 3))
        for login in doomed:
            self.installed.retoken("session", "revoke", login.session)
            self.clients.dead.append((mount, login))
        self.clients.begin_restore(backed_up)
        self.server.stop()
        self.put_back(backup)
        self.server = servers.start("socket", self.installed, self.folder)
        self.clients.end_restore()
        self.counts["restores"] += 1
        for dead_mount, login in self.chance.sample(self.clients.dead, min(DEAD_ASKED, len(self.clients.dead))):
            self.counts["dead_asked"] += 1
            if self.server.send(dead_mount.dialect.request(dead_mount.path, login)).status == 200:
                self.clients.violate(f"I5: session {login.session} lives again")
        self.clients.ending.wait(self.chance.uniform(2, 4))

    def put_back(self, backup):
        """It refuses as long as a process has the store open, as the `retoken` of a login has."""
        def done():
            result = self.installed.run("store", "restore", backup)
            if result.returncode != 0 and b"has the store open" not in result.stderr:
                raise installation.Refused(("store", "restore", backup), result)
            return result.returncode == 0

        machine.wait_until(done, patience=60, what="the store to be closed")


class Restored(load.Load):
    """A load that knows which sessions are lost."""

    loses_history = True

    def __init__(self, *arguments, **more):
        self.restores = []  # [backed up, begun, done]
        super().__init__(*arguments, **more)

    def begin_restore(self, backed_up):
        self.restores.append([backed_up, time.monotonic(), float("inf")])

    def end_restore(self):
        self.restores[-1][2] = time.monotonic()

    def excuses(self, client, first, end):
        if any(backed_up <= client.begun + 1 and client.begun <= done
               for backed_up, _, done in self.restores):
            return "begin"
        meanwhile = [begun for _, begun, done in self.restores if first <= done and begun <= end]
        if not meanwhile:
            return None
        return "spent" if end - max(meanwhile) <= client.window else "over"
