# SPDX-License-Identifier: ISC
"""Clients that refresh without a pause, each the judge of its own session: given what it has sent and
seen, it knows which answers are right. Knows the decision table as users are promised it (docs/design.md,
section 4); does not know what is done to the server meanwhile.

A client never gives up: it asks with the same token until it is answered. An answer of 5xx, or none, is
always allowed and says nothing. Judged are:

    the newest token     renewed, with a token that no one has seen before. Refused only when the
                         client's first try is longer ago than the window: its answer was lost
    a token spent less   the newest token again
    than a window ago
    one spent longer ago refused, and the session has ended for good
    two tabs at once     the same answer
    each access token    of the client's own session"""

import collections
import dataclasses
import multiprocessing
import random
import threading
import time

from lab import dialects, http, installation, machine

WINDOWS = {"/oauth/token": 2.0, "/oauth2/token": 60.0, "/api/jwt/refresh": 60.0}  # s
HANG_S = 30.0
# Claims that differ between two access tokens of a session.
CHANGING = {"exp", "iat", "nbf", "jti", "nonce", "authenticationType"}


def furnish(folder, accounts, windows=None, **settings):
    """An installation with accounts user0, user1, …, a public client and the mounts above."""
    installed = installation.Installation(folder, installation.programs_for_user())
    lines = [f"{name.replace('_', '-')} = {value}\n" for name, value in settings.items()]
    installed.replace_settings("[retoken]\n" + "".join(lines))
    for path, window in {**WINDOWS, **(windows or {})}.items():
        installed.set_mount(dialects.mount_at(path), algorithm="ES256",
                            concurrency_window=f"{window:g}s")
    installed.init()
    for number in range(accounts):
        installed.retoken("account", "add", f"user{number}", "--no-password")
    installed.add_client("phone", "--public")
    return installed


def login(installed, mount, number):
    return installed.login(mount.path, f"user{number}", "", "phone", scope=mount.dialect.scope)


def lasting_claims(access):
    """What all access tokens of a session say."""
    claims = dialects.jwt_claims(access)
    return {name: claims[name] for name in claims.keys() - CHANGING}


@dataclasses.dataclass
class Reply:
    """What came of a token; first and last: when it was sent first and last. token is None for a
    refusal."""

    token: str | None
    status: int
    first: float
    last: float
    end: float
    body: bytes = b""


class Load:
    """Clients of an installation, of these numbers. `send` takes a Request and gives an Answer. windows: as
    furnish was given. patience: how long a client may have no answer before it is a violation."""

    loses_history = False  # an older store may take the place of the store

    def __init__(self, installed, send, seed, numbers=range(8), windows=None, patience=HANG_S,
                 thieves=True, paths=tuple(WINDOWS)):
        self.installed, self.send, self.seed = installed, send, seed
        self.windows = {**WINDOWS, **(windows or {})}
        self.patience, self.thieves = patience, thieves
        self.mounts = [dialects.mount_at(path) for path in paths]
        self.violations, self.lock = [], threading.Lock()
        self.counts = dict.fromkeys(("answers", "unanswered", "busy", "replays", "tabs", "reuses",
                                     "too_late", "over_5_s", "refused_meanwhile"), 0)
        self.slowest = 0.0
        self.owners = {}  # every refresh token -> its client
        self.dead = []  # (mount, login) of each session that has ended
        self.ending = threading.Event()
        self.clients = [Client(self, number) for number in numbers]

    def start(self):
        for client in self.clients:
            client.start()

    def count(self, what, more=1):
        with self.lock:
            self.counts[what] += more

    def violate(self, text):
        with self.lock:
            self.violations.append(f"{time.strftime('%T')} {text}")

    def note(self, word, session, generation=0, when=None):
        """What a client may count on, or has asked for, since `when` (time.monotonic); for those who
        look into the store: "made", "asked", "generation", "end-asked", "ended"."""

    def excuses(self, client, first, end):
        """Whether a refusal is to be expected, of a request under way from first to end or of a token
        spent at first: "again", as while the clock is wrong, and the client asks once more; "begin", and
        it begins a new session; "spent", of a spent token only; "over", the same, and it may have ended
        its session, because a window has passed since the store lost history."""
        return None

    def took(self, seconds):
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            self.counts["over_5_s"] += seconds > 5

    def figures(self):
        return {**self.counts, "slowest_s": round(self.slowest, 2)}

    def finish(self):
        """Ends the load; the server must answer again by now. Every session must be where its client
        believes it to be, and go on from there."""
        self.ending.set()
        for client in self.clients:
            client.join(2 * self.patience + 10)
            if client.is_alive():
                self.violate(f"client {client.number} hangs")
            else:
                client.settle()
        checked = self.installed.run("store", "check")
        if checked.returncode != 0:
            self.violate(f"store check: {checked.stdout[-300:]} {checked.stderr[-300:]}")
        if not self.loses_history and "rolled-forward" in self.installed.retoken("events", "--last", "10000"):
            self.violate("I7: the store had lost a renewal that was answered")


class Apart:
    """Loads in processes of their own, so that Python's lock does not hold up who disturbs them.
    make(number) gives one, of which there are `loads`. As a Load otherwise."""

    def __init__(self, make, loads=2):
        self.violations, self.counts, self.slowest = [], collections.Counter(), 0.0
        context = multiprocessing.get_context("fork")
        self.loads = []
        for number in range(loads):
            here, there = context.Pipe()
            process = context.Process(target=self._perform, args=(make, number, there), daemon=True)
            process.start()
            self.loads.append((process, here))
        for _, pipe in self.loads:
            if pipe.recv() != "begun":
                raise machine.LabError("no load: see above")

    @staticmethod
    def _perform(make, number, pipe):
        try:
            load = make(number)
            load.start()
        except BaseException:
            pipe.send("failed")
            raise
        pipe.send("begun")
        pipe.recv()
        load.finish()
        pipe.send((load.violations, load.counts, load.slowest))

    def violate(self, text):
        self.violations.append(f"{time.strftime('%T')} {text}")

    def finish(self):
        for _, pipe in self.loads:
            pipe.send("end")
        for process, pipe in self.loads:
            try:
                violations, counts, slowest = pipe.recv()
            except EOFError:
                self.violate("a load came to no end")
                continue
            process.join()
            self.violations += violations
            self.counts.update(counts)
            self.slowest = max(self.slowest, slowest)

    def figures(self):
        return {**self.counts, "slowest_s": round(self.slowest, 2)}


class Client(threading.Thread):
    def __init__(self, load, number):
        super().__init__(name=f"client {number}", daemon=True)
        self.load, self.number = load, number
        self.random = random.Random(f"{load.seed}/{number}")
        self.mount = load.mounts[number % len(load.mounts)]
        self.window = load.windows[self.mount.path]
        self.failed = False
        self.begin()

    def begin(self):
        """A new session."""
        self.begun = time.monotonic()
        self.login = login(self.load.installed, self.mount, self.number)
        self.claims = lasting_claims(self.login.access_token)
        self.chain = [self.login.refresh_token]
        self.spent = []  # of each token of the chain but the newest: (sent first, answered)
        self.note("made")

    def run(self):
        try:
            while not self.load.ending.is_set():
                self.step()
        except Exception as error:
            self.failed = True
            self.violate(f"{type(error).__name__}: {error}")

    def step(self):
        chance = self.random.random()
        if chance < 0.10 and self.spent:
            self.replay()
        elif chance < 0.13:
            self.two_tabs()
        elif chance < 0.14 and len(self.chain) > 3 and self.window < 5 and self.load.thieves:
            self.thief()
        else:
            self.renew()

    # ---- what a client does ----

    def renew(self):
        self.accept([self.ask(self.chain[-1])])

    def two_tabs(self):
        replies = []
        tab = threading.Thread(target=lambda: replies.append(self.ask(self.chain[-1])), daemon=True)
        tab.start()
        mine = self.ask(self.chain[-1])
        tab.join()
        self.load.count("tabs")
        self.accept([mine, *replies])

    def note(self, word, generation=0, when=None):
        self.load.note(word, self.login.session, generation, when)

    def accept(self, replies):
        """Of the newest token, asked with once or more at the same time."""
        first, end = min(reply.first for reply in replies), max(reply.end for reply in replies)
        tokens = {reply.token for reply in replies}
        if None in tokens and self.load.excuses(self, first, end) == "begin":
            self.load.count("refused_meanwhile")
        elif None in tokens and end - first <= self.window:
            refused = next(reply for reply in replies if reply.token is None)
            self.violate(f"I7/I8: the newest token was refused {end - first:.2f} s after it was first "
                         f"sent: {refused.status} {refused.body[:120]!r}")
        elif None in tokens:
            self.load.count("too_late")
            self.note("end-asked", when=first)
        elif len(tokens) > 1:
            self.violate("I1: two successors of one token")
        if None in tokens or len(tokens) > 1:
            self.begin()
            return
        token = tokens.pop()
        with self.load.lock:
            owner = self.load.owners.setdefault(token, self.number)
        if owner != self.number or token in self.chain:
            self.violate(f"I2/I9: a token that has been given before, to client {owner}")
        self.chain.append(token)
        self.spent.append((first, end))
        self.note("asked", len(self.spent), first)
        self.note("generation", len(self.spent), end)

    def replay(self):
        """A client that crashed before it had written down the newest token."""
        at = self.random.randrange(max(0, len(self.spent) - 8), len(self.spent))
        first, _ = self.spent[at]
        reply = self.ask(self.chain[at])
        self.load.count("replays")
        excuse = self.load.excuses(self, first, reply.end)
        if reply.token is None and excuse == "over":
            self.load.count("refused_meanwhile")
            self.begin()
        elif (reply.token is None or reply.token in self.chain) and excuse:
            self.load.count("refused_meanwhile")  # it did not end the session: the next renewal tells
        elif reply.end - first <= self.window:
            if reply.token != self.chain[-1]:
                self.violate(f"I6: a token spent at most {reply.end - first:.2f} s ago, {len(self.spent) - at} "
                             f"generations back, was answered with {reply.status} "
                             f"{'another token' if reply.token else reply.body[:120]}")
                self.begin()
        elif reply.token is None:
            self.note("end-asked", when=reply.first)
            self.begin()
        elif reply.token != self.chain[-1]:
            self.violate("I1: a spent token got a successor of its own")

    def thief(self):
        """An old token comes back when all windows are over."""
        if self.load.ending.wait(self.window + 0.3):
            return
        at = self.random.randrange(len(self.spent))
        reply = self.ask(self.chain[at])
        if self.load.excuses(self, self.spent[-1][0], reply.end):
            self.begin()
            return
        self.load.count("reuses")
        if reply.token is not None:
            self.violate(f"I3: a token {len(self.spent) - at} generations back was honoured "
                         f"{reply.first - self.spent[at][1]:.2f} s after it was spent")
        self.note("end-asked", when=reply.first)
        self.note("ended", when=reply.end)
        for token in (self.chain[-1], self.chain[at], self.chain[-2]):
            if self.ask(token).token is not None:
                self.violate("I4/I5: a session lives after a spent token came back")
        self.load.dead.append((self.mount, dataclasses.replace(self.login, refresh_token=self.chain[-1])))
        self.begin()

    def settle(self):
        """When all is quiet again."""
        if self.failed:
            return
        if self.load.loses_history:
            self.renew()
        shown = self.load.installed.session(self.login.session)
        if shown["state"] != "live" or shown["generation"] != len(self.chain) - 1:
            self.violate(f"I7: at the end {shown['state']}, generation {shown['generation']}; "
                         f"the client has {len(self.chain) - 1}")
        self.renew()

    # ---- asking ----

    def ask(self, token):
        """Until there is an answer that says something."""
        request = self.mount.dialect.request(
            self.mount.path, dataclasses.replace(self.login, refresh_token=token))
        first, last_words = time.monotonic(), ""
        while True:
            last = time.monotonic()
            try:
                answer = self.load.send(request)
            except (http.Broken, OSError) as error:
                answer, last_words = None, str(error)
            end = time.monotonic()
            self.load.took(end - last)
            if answer is not None and answer.status < 500 and (
                    answer.status == 200 or self.load.excuses(self, last, end) != "again"):
                break
            if answer is not None:
                last_words = f"{answer.status} {answer.body[:100]!r}"
            self.load.count("unanswered" if answer is None else
                            "busy" if answer.status >= 500 else "refused_meanwhile")
            if end - first > self.load.patience:
                raise machine.LabError(f"not answered for {end - first:.1f} s; the last words: {last_words}")
            time.sleep(0.005)
        self.load.count("answers")
        if answer.status != 200:
            return Reply(None, answer.status, first, last, end, answer.body)
        refresh, access = self.mount.dialect.tokens(answer)
        if lasting_claims(access) != self.claims:
            self.violate(f"I11: an answer of another session: {lasting_claims(access)}")
        return Reply(refresh, 200, first, last, end)

    def violate(self, text):
        self.load.violate(f"client {self.number}, {self.mount.path}, session {self.login.session}: {text}")
