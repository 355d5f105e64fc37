# SPDX-License-Identifier: ISC
"""Clients refresh, and every refresh is told to a webhook, while `kill -9` falls on responders and on
`retoken notify`, and the receiver sometimes hangs up instead of answering. Judged by what arrived: each
refresh that a client was answered, none that it was not, in the order of its session, signed, and
whatever came twice under the same id. Knows what a receiver may count on; does not know the outbox."""

import collections
import random
import shutil
import threading
import time

from lab import dialects, http, machine, servers
from lab.receiver import Authority, Receiver, new_secret

from . import Violation, load, memory_folder

MOUNT = dialects.mount_at("/oauth/token")
KILL_EVERY_S, HANGS_UP = 1.5, 0.03
LATE_S = 300  # the longest that the last event may take, leases and back-off included


def run(budget_s, seed, refreshes=None, sessions=24):
    """Until there are so many refreshes, or the budget is used up. Kills go on until half of them have
    arrived."""
    refreshes = refreshes or (10_000 if budget_s >= 60 else 1_000)
    told = Told(seed, int(sessions))
    try:
        figures = told.run(time.monotonic() + budget_s, -(-int(refreshes) // int(sessions)))
    finally:
        told.stop()
    if told.violations:
        raise Violation(told.violations, figures, [told.folder])
    shutil.rmtree(told.folder)
    return figures


class Told:
    def __init__(self, seed, sessions):
        self.folder, self.chance = memory_folder("retoken-webhooks-"), random.Random(seed)
        self.home = self.folder / "home"
        self.home.mkdir()
        machine.own(self.home)
        self.installed = load.furnish(self.home, sessions)
        self.logins = [load.login(self.installed, MOUNT, number) for number in range(sessions)]
        self.secret = new_secret()
        self.lock = threading.Lock()
        self.receiver = Receiver(self.answer, self.subscribe())
        self.installed._set("webhook app", {
            "url": self.receiver.url, "events": "refreshed", "secret-file": "app.secret", "ca-file": "ca.pem"})
        self.server = servers.start("socket", self.installed, self.folder, processes=2, respawn=True)
        self.notify, self.kills = self.start_notify(), 0
        self.renewed = {}  # session -> refreshes that were answered
        self.violations = []

    def subscribe(self):
        """The certificate that the receiver shows."""
        authority = Authority(self.home)
        authority.file.chmod(0o644)
        secret = self.home / "app.secret"
        secret.write_text(self.secret + "\n")
        secret.chmod(0o600)
        machine.own(secret)
        return authority.issue("receiver.pem")

    def answer(self, delivery):
        with self.lock:
            return b"" if self.chance.random() < HANGS_UP else 204

    def start_notify(self):
        return machine.start([self.installed.programs / "retoken", "-c", self.installed.config, "notify"],
                             log=self.folder / "notify.log")

    def stop(self):
        machine.stop(self.notify)
        self.server.stop()
        self.receiver.stop()

    def run(self, until, times):
        clients = [threading.Thread(target=self.renew, args=(login, times, until)) for login in self.logins]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients) or 2 * len(self.arrived()) < sum(self.renewed.values()):
            time.sleep(KILL_EVERY_S)  # the lifetime of what is killed
            self.kill()
        for client in clients:
            client.join()
        wanted = {(session, generation) for session, count in self.renewed.items() for generation in range(count)}
        began = time.monotonic()
        try:
            machine.wait_until(lambda: self.arrived() >= wanted, patience=LATE_S, what="all events")
        except machine.LabError:
            self.violations.append(f"{len(wanted - self.arrived())} refreshes were never told")
        self.judge(wanted)
        return {"refreshes": len(wanted), "kills": self.kills, "deliveries": len(self.receiver.deliveries),
                "last_after_s": round(time.monotonic() - began, 1)}

    def kill(self):
        """A responder, and `retoken notify`."""
        responders = self.server.responders()
        if responders:
            self.server.kill(self.chance.choice(responders))
        self.notify.kill()
        self.notify.wait()
        self.notify = self.start_notify()
        self.kills += 2

    def renew(self, login, times, until):
        """Asks until there is an answer, so that what was answered is what has happened."""
        done, unanswered = 0, False
        while done < times and (unanswered or time.monotonic() < until):
            unanswered = True
            try:
                answer = self.server.send(MOUNT.dialect.request(MOUNT.path, login))
            except (http.Broken, OSError):
                continue
            if answer.status >= 500:
                continue
            if answer.status != 200:
                self.violations.append(f"{answer.status} {answer.body[:120]!r}")
                break
            login = login.after(*MOUNT.dialect.tokens(answer))
            done, unanswered = done + 1, False
        self.renewed[login.session] = done

    def arrived(self):
        return {key(delivery) for delivery in list(self.receiver.deliveries)}

    def judge(self, wanted):
        arrived, ids = collections.defaultdict(dict), collections.defaultdict(set)
        for delivery in self.receiver.deliveries:
            session, generation = key(delivery)
            arrived[session].setdefault(generation)  # keeps the order of first arrivals
            ids[session, generation].add(delivery.id)
            if not delivery.is_signed_by(self.secret):
                self.violations.append(f"{session} {generation}: its signature is wrong")
        self.violations += [f"{session}: told in the order {list(generations)}"
                            for session, generations in arrived.items() if list(generations) != sorted(generations)]
        self.violations += [f"{one}: was told and never answered" for one in sorted(set(ids) - wanted)]
        self.violations += [f"{one}: has the ids {found}" for one, found in ids.items() if len(found) > 1]


def key(delivery):
    data = delivery.json()["data"]
    return data["session"], data["generation"]
