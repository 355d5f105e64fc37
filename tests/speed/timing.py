#!/usr/bin/python3 -B
# SPDX-License-Identifier: ISC
"""What a stranger could learn from how long an answer takes: requests that must not differ, side by
side in random order, over one kept connection to the bare socket.

    tests/speed/timing.py [N]   N of each (1,000 unless given); exit status 1: a ratio of medians is
                                above 1.1 (or below 1/1.1)

RETOKEN_BUILD names the build (build/ unless set). Times of a busy machine mean little, ratios within
one run mean more; repeat a run that fails. Knows the requests; how the responder is started and spoken
to is scripts/lab's."""

import json
import pathlib
import random
import shutil
import statistics
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from lab import dialects, fcgi, installation, machine, servers  # noqa: E402
from lab.http import Request  # noqa: E402

LIMIT = 1.10
GARBAGE = "x" * 72


def changed(text, at):
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


def refresh(token, client="", secret=""):
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    if client:
        fields.update(client_id=client, client_secret=secret)
    return Request("POST", "/oauth/token", [dialects.FORM], urllib.parse.urlencode(fields).encode())


def login(name):
    return Request("POST", "/login", [dialects.JSON],
                   json.dumps({"username": name, "password": "wrong"}).encode())


def prepare(folder):
    made = installation.Installation(folder, installation.programs_for_user())
    made.init()
    made.add_account("ada", "correct horse battery")
    secret = made.add_client("web")
    made.add_client("phone", "--public")
    return made, secret


def groups(made, secret, count):
    """What must not differ, by name: functions that give the i-th request of each kind."""
    token = made.json("session", "create", "--mount", "/oauth/token", "--account", "ada", "--client",
                      "phone")["refresh_token"]
    yield "client beside garbage", count, {
        "unknown": lambda i: refresh(GARBAGE, "nobody", "wrong"),
        "generated secret": lambda i: refresh(GARBAGE, "web", "wrong"),
        "public": lambda i: refresh(GARBAGE, "phone", "wrong")}
    yield "secret beside garbage", count, {
        "first wrong": lambda i: refresh(GARBAGE, "web", changed(secret, 0)),
        "last wrong": lambda i: refresh(GARBAGE, "web", changed(secret, len(secret) - 2))}
    yield "refresh token", count, {
        "first of its MAC wrong": lambda i: refresh(changed(token, 30)),
        "last of its MAC wrong": lambda i: refresh(changed(token, len(token) - 2)),
        "garbage": lambda i: refresh(GARBAGE)}
    names = ["with-%d", "without-%d", "off-%d", "none-%d"]
    each = max(count // 100, 5)  # accounts; four guesses at each, so that none is slowed
    for i in range(each):
        made.add_account(names[0] % i, "correct horse battery")
        made.retoken("account", "add", names[1] % i, "--no-password")
        made.add_account(names[2] % i, "correct horse battery")
        made.retoken("account", "disable", names[2] % i)
    yield "login", 4 * each, {
        kind: lambda i, name=name: login(name % (i // 4))
        for kind, name in zip(("account", "without password", "disabled", "no account"), names)}


def compare(connection, title, count, kinds):
    took = {kind: [] for kind in kinds}
    for i in range(count):
        for kind in random.sample(list(kinds), len(kinds)):
            asked = kinds[kind](i)
            network = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"  # its own, so that none is slowed
            data = (fcgi.begin(fcgi.KEEP_CONNECTION) +
                    fcgi.params(fcgi.variables(asked, REMOTE_ADDR=network)) + fcgi.stdin(asked.body))
            begun = time.perf_counter_ns()
            connection.sendall(data)
            _, _, ended = fcgi.read_answer(connection)
            took[kind].append((time.perf_counter_ns() - begun) / 1000)
            assert ended
    first = statistics.median(next(iter(took.values())))
    worst = 1.0
    for kind, times in took.items():
        ratio = statistics.median(times) / first
        worst = max(worst, ratio, 1 / ratio)
        print(f"{title:24}{kind:26}n={count:<6} median {statistics.median(times):9.1f} us  "
              f"ratio {ratio:.3f}")
    return worst


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    folder, run = machine.folder("timing-data-"), machine.folder("timing-run-")
    try:
        made, secret = prepare(folder)
        server = servers.start("socket", made, run)
        try:
            connection = fcgi.connect(server.socket)
            compare(connection, "warm-up", 50, {"": lambda i: refresh(GARBAGE)})
            worst = max(compare(connection, *group) for group in groups(made, secret, count))
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, True)
        shutil.rmtree(run, True)
    print(f"largest ratio {worst:.3f}, limit {LIMIT}")
    return worst > LIMIT


if __name__ == "__main__":
    sys.exit(main())
