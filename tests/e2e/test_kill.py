# SPDX-License-Identifier: ISC
"""kill -9 of responders in the middle of load, again and again: nobody loses a session, and no
token is honoured twice."""

import random
import threading
import time

import pytest

from history import History
from lab import dialects, http, machine

KILLS = 20  # scripts/lab/campaign kills for longer
CLIENTS = 8
PATIENCE_S = 15  # nobody waits that long for an answer, or for the end of a connection


class Client(threading.Thread):
    """Refreshes for ever; whenever no answer comes it asks again with the same token, as every
    client does. Now and then it asks with the token before, as one that crashed before it had
    written down the new one."""

    def __init__(self, name, server, mount, login, history, seed):
        super().__init__(name=name, daemon=True)
        self.server, self.mount, self.login, self.history = server, mount, login, history
        self.random = random.Random(seed)
        self.answers = self.losses = 0
        self.slowest = 0.0
        self.refusal = None
        self.ending = threading.Event()

    def ask(self, login):
        """The answer; asks again until there is one."""
        request = self.mount.dialect.request(self.mount.path, login)
        while True:
            began = time.monotonic()
            try:
                answer = self.server.send(request)
                self.answers += 1
                return answer
            except http.Broken:
                self.losses += 1
                self.history.add(self.name, login.refresh_token, None, 0)
                if self.losses > 100000:
                    raise
            finally:
                self.slowest = max(self.slowest, time.monotonic() - began)

    def renew(self, login):
        answer = self.ask(login)
        if complaints := self.mount.dialect.complaints(login, answer):
            self.refusal = complaints
            self.ending.set()
            return login
        after = login.after(*self.mount.dialect.tokens(answer))
        self.history.add(self.name, login.refresh_token, after.refresh_token, answer.status)
        return after

    def run(self):
        while not self.ending.is_set():
            before = self.login
            self.login = self.renew(before)
            if self.random.random() < 0.1:
                self.login = self.renew(before)


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth2/token"])
@pytest.mark.parametrize("processes", [1, 4])
def test_nobody_loses_a_session(world, path, processes):
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    choice = random.Random(seed)
    mount = dialects.mount_at(path)
    server = world.serve("socket", processes=processes, respawn=True)
    history = History()
    clients = [Client(f"client {n}", server, mount, world.login(mount), history, seed + n)
               for n in range(CLIENTS)]
    for client in clients:
        client.start()
    for kill in range(KILLS):
        wanted = [client.answers + choice.randrange(1, 4) for client in clients]
        machine.wait_until(lambda: all(client.answers >= enough or client.ending.is_set()
                                       for client, enough in zip(clients, wanted)),
                           patience=60, what=f"answers after kill {kill}")
        server.kill(choice.choice(server.responders()))
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(60)
        assert not client.is_alive() and client.refusal is None, client.refusal
    assert history.verdict() == []
    assert max(client.slowest for client in clients) < PATIENCE_S
    for client in clients:
        chain = {call.successor for call in history.calls
                 if call.client == client.name and call.successor}
        shown = world.installed.session(client.login.session)
        assert shown["state"] == "live" and shown["generation"] == len(chain)
        client.login = client.renew(client.login)
        assert client.refusal is None
    assert world.installed.run("store", "check").returncode == 0
