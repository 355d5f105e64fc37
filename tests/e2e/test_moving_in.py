# SPDX-License-Identifier: ISC
"""Moving in while everything goes wrong: an import that is killed and repeated, and the first uses
of one old token that race. Each old token leads to one session, and no session forks."""

import concurrent.futures
import hashlib
import json
import random
import subprocess
import threading
import time

from forged import hs256, spelled
from lab import fcgi, http, machine

SESSIONS = 10000
KILLS = 4
CONNECTIONS = 16
PATH = "/oauth/token"
SECRET = "an old server's secret of 52 bytes, q8Zk2Vx0Lr5Tn7Wb"
SMALL = "[retoken]\ndata = .\nissuer = https://login.example.org\n[realm old]\ndialect = oauth\nalgorithm = HS256\n"


def old_token(n):
    return hashlib.sha256(b"old %d" % n).hexdigest()


def lines_of(count):
    return [json.dumps({"account": f"user{n % 97}", "token": old_token(n)}) + "\n" for n in range(count)]


def killed_import(installed, lines):
    """Reads that many lines, and is killed wherever it is then."""
    words = ["session", "import", "-", "--mount", PATH, "--create-accounts"]
    process = machine.start([installed.programs / "retoken", "-c", installed.config, *words],
                            log=installed.folder / "import.log", cwd=installed.folder,
                            stdin=subprocess.PIPE)
    process.stdin.write("".join(lines).encode())
    process.stdin.flush()
    process.kill()
    process.wait()
    process.stdin.close()


class Connection:
    """One that is kept, and carries one request after the other."""

    def __init__(self, server):
        self.socket = fcgi.connect(server.socket, 60.0)

    def refresh(self, token):
        body = f"grant_type=refresh_token&refresh_token={token}".encode()
        request = http.Request("POST", PATH, [("Content-Type", "application/x-www-form-urlencoded")], body)
        self.socket.sendall(fcgi.begin(fcgi.KEEP_CONNECTION) + fcgi.params(fcgi.variables(request))
                            + fcgi.stdin(body))
        out, err, ended = fcgi.read_answer(self.socket)
        assert ended, (out, err)
        return fcgi.parse(out)


def refresh_all(server, tokens):
    """What each of them is answered with; the tokens are shared out among the connections."""
    answers = {}

    def one(number):
        connection = Connection(server)
        for token in tokens[number::CONNECTIONS]:
            answers[token] = connection.refresh(token)
        connection.socket.close()

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(CONNECTIONS)))
    return {token: json.loads(answer.body)["refresh_token"] if answer.status == 200 else answer.body
            for token, answer in answers.items()}


def test_each_imported_session_refreshes_once(small_world):
    world = small_world(SMALL)
    lines, order = lines_of(SESSIONS), random.Random(SESSIONS)
    for _ in range(KILLS):
        killed_import(world.installed, lines[:order.randrange(SESSIONS)])
        world.installed.retoken("store", "check")
    there = len(world.installed.json("session", "list"))
    assert 0 < there < SESSIONS  # the longest of them got somewhere
    words = ["session", "import", "-", "--mount", PATH, "--create-accounts"]
    counts = world.installed.json(*words, stdin="".join(lines).encode())
    assert (counts["begun"], counts["there"], counts["wrong"]) == (SESSIONS - there, there, 0)
    counts = world.installed.json(*words, stdin="".join(lines).encode())
    assert (counts["begun"], counts["there"], counts["accounts"]) == (0, SESSIONS, 0)

    server = world.serve("socket")
    tokens = [old_token(n) for n in range(SESSIONS)]
    first = refresh_all(server, tokens)
    assert len(set(first.values())) == SESSIONS and {len(token) for token in first.values()} == {72}
    # an answer that was lost is given again, and is no second refresh
    again = order.sample(tokens, 500)
    assert refresh_all(server, again) == {token: first[token] for token in again}
    sessions = world.installed.json("session", "list")
    assert [session["generation"] for session in sessions] == [1] * SESSIONS
    world.installed.retoken("store", "check")


def test_refreshes_once_the_window_is_over(small_world):
    """Then an old token that comes again is reuse, as any other, and ends its session alone."""
    world = small_world(SMALL + "concurrency-window = 0\n")
    world.installed.json("session", "import", "-", "--mount", PATH, "--create-accounts",
                         stdin="".join(lines_of(2)).encode())
    server = world.serve("socket")
    first = refresh_all(server, [old_token(0), old_token(1)])
    machine.wait_until(lambda: b"invalid_grant" in refresh_all(server, [old_token(0)])[old_token(0)],
                       what="the old token to be refused")
    states = [session["state"] for session in world.installed.json("session", "list")]
    assert sorted(state == "live" for state in states) == [False, True]
    assert b"invalid_grant" in refresh_all(server, [first[old_token(0)]])[first[old_token(0)]]
    assert len(refresh_all(server, [first[old_token(1)]])[first[old_token(1)]]) == 72


def test_first_uses_that_race_adopt_once(small_world):
    world = small_world(SMALL + "adopt = on\nadopt-accounts = create\n")
    world.installed.retoken("key", "import", "--verify-only", "--algorithm", "HS256", "--kid", "old",
                            stdin=SECRET.encode() + b"\n")
    server = world.serve("socket", processes=8)
    for n in range(5):
        name, now = f"user{n}", int(time.time())
        old = spelled({"alg": "HS256"}, {"sub": name, "iat": now - 60, "exp": now + 6000}, hs256(SECRET.encode()))
        start = threading.Barrier(CONNECTIONS)

        def one(_, old=old, start=start):
            connection = Connection(server)
            start.wait()
            return connection.refresh(old)

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = list(pool.map(one, range(CONNECTIONS)))
        assert [answer.status for answer in answers] == [200] * CONNECTIONS, answers
        assert len({json.loads(answer.body)["refresh_token"] for answer in answers}) == 1
        session, = world.installed.json("session", "list", "--account", name)
        assert session["generation"] == 1
        events = world.installed.json("events", "--session", session["session"])
        assert [event["event"] for event in events].count("adopted") == 1
    world.installed.retoken("store", "check")
