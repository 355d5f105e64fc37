# SPDX-License-Identifier: ISC
"""/metrics: what is counted by threads, mod_fcgid processes and CGI scripts at once is what was sent;
kill -9 loses no answer and invents none; Prometheus' own checker reads it; and no sample lets another
machine ask."""

import collections
import http.client
import json
import re
import shutil
import subprocess
import threading

import pytest

from lab import dialects, http as lab_http, machine
from lab.http import Request

OAUTH = dialects.mount_at("/oauth/token")
SCRAPE = Request("GET", "/metrics")
KEYS = Request("GET", dialects.JWKS_PATH)
NOWHERE = Request("GET", dialects.HEALTH_PATH + "/x")
LINE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OTHER_ADDRESS = "127.0.0.2"  # of the loopback interface, too, but not the one that samples allow


def read(text):
    """{(name, labels): value}; labels as a sorted tuple of pairs."""
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = LINE.match(line).groups()
            key = name, tuple(sorted(LABEL.findall(labels or "")))
            assert key not in values, f"{key} is told twice"
            values[key] = float(value)
    return values


def answers(values, **wanted):
    """Of all mounts and outcomes that fit."""
    return sum(value for (name, labels), value in values.items()
               if name == "retoken_answers_total" and wanted.items() <= dict(labels).items())


def scrape(server):
    answer = server.send(SCRAPE)
    assert answer.status == 200, answer
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    return answer.body.decode()


def check(text):
    """As Prometheus itself reads it, with its advice on names."""
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True,
                              check=False, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, b""), done.stderr.decode()


@pytest.fixture
def counting(world):
    world.installed.set_retoken(metrics="on")
    return world


class Client(threading.Thread):
    """Sends rounds of a key set, a path without mount, a renewal, and a token that is none."""

    def __init__(self, server, login, rounds):
        super().__init__(daemon=True)
        self.server, self.login, self.rounds, self.error = server, login, rounds, None

    def run(self):
        try:
            for _ in range(self.rounds):
                assert self.server.send(KEYS).status == 200
                if self.server.kind == "socket":  # a web server hands on only what is a mount
                    assert self.server.send(NOWHERE).status == 404
                answer = self.server.send(OAUTH.dialect.request(OAUTH.path, self.login))
                assert OAUTH.dialect.complaints(self.login, answer) == []
                self.login = self.login.after(*OAUTH.dialect.tokens(answer))
                wrong = self.login.after("x" * 40, "")
                assert self.server.send(OAUTH.dialect.request(OAUTH.path, wrong)).status == 400
        except BaseException as error:
            self.error = error


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not there: apt install prometheus")
def test_threads_processes_and_scripts_count_together(counting):
    rounds = {"socket": 40, "apache": 25, "apache-cgi": 6}
    servers = {kind: counting.serve(kind) for kind in rounds}
    clients = [Client(servers[kind], counting.login(OAUTH), count)
               for kind, count in rounds.items() for _ in range(2)]
    scrapes = collections.Counter()
    before = {}
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        for kind, server in servers.items():
            text = scrape(server)
            scrapes[kind] += 1
            now = read(text)
            falling = [key for key in before if "_total" in key[0] and now.get(key, 0) < before[key]]
            assert falling == [], "whichever process tells, no count goes back"
            before = now
        check(text)
    for client in clients:
        client.join()
        assert client.error is None, client.error
    sent = 2 * sum(rounds.values())
    text = scrape(servers["apache-cgi"])
    check(text)
    values = read(text)
    assert answers(values, mount="/oauth/token", dialect="oauth", outcome="rotated") == sent
    assert answers(values, mount="/oauth/token") == 2 * sent
    assert answers(values, mount=dialects.JWKS_PATH, outcome="served") == sent
    assert answers(values, mount="", outcome="no-mount") == 2 * rounds["socket"]
    assert answers(values, mount="/metrics") == sum(scrapes.values())
    for path in ("/oauth/token", dialects.JWKS_PATH, ""):
        count = next(value for (name, labels), value in values.items()
                     if name == "retoken_answer_seconds_count" and ("mount", path) in labels)
        assert count == answers(values, mount=path)
    assert values["retoken_store_batch_writes_sum", ()] >= sent
    assert values["retoken_store_batch_writes_count", ()] <= values["retoken_store_commits_total", ()]
    assert values["retoken_store_write_seconds_count", ()] >= sent
    assert values["retoken_store_sync_seconds_sum", ()] > 0
    assert values["retoken_sessions", ()] >= len(clients)
    assert values["retoken_store_ready", ()] == 1
    assert 0 < values["retoken_store_used_bytes", ()] < values["retoken_store_limit_bytes", ()]
    assert values["retoken_store_disk_free_bytes", ()] > 0
    ages = {dict(labels)["kid"] for name, labels in values if name == "retoken_key_age_seconds"}
    assert ages == {key["kid"] for key in counting.installed.json("key", "list")}


def test_kills_lose_no_answer_and_invent_none(counting):
    server = counting.serve("socket", processes=2, respawn=True)
    tally, lock, ending = collections.Counter(), threading.Lock(), threading.Event()

    def ask():
        while not ending.is_set():
            with lock:
                tally["sent"] += 1
            try:
                server.send(KEYS)
                with lock:
                    tally["answered"] += 1
            except lab_http.Broken:
                pass

    clients = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for client in clients:
        client.start()
    for _ in range(10):
        wanted = tally["answered"] + 50
        machine.wait_until(lambda: tally["answered"] >= wanted, patience=60, what="answers")
        server.kill(server.responders()[0])
    ending.set()
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    values = read(server.send_until(lambda answer: answer.status == 200, SCRAPE).body.decode())
    counted = answers(values, mount=dialects.JWKS_PATH)
    assert tally["answered"] <= counted <= tally["sent"]
    assert tally["answered"] >= 500


@pytest.mark.parametrize("kind", ["lighttpd", "apache", "apache-proxy", "apache-cgi", "nginx"])
def test_no_sample_lets_others_ask(counting, kind):
    server = counting.serve(kind)

    def status(path, source):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30, source_address=(source, 0))
        connection.request("GET", path)
        answer = connection.getresponse()
        assert b"retoken_" not in answer.read() or answer.status == 200
        connection.close()
        return answer.status

    for path in ("/metrics", "/metrics/", "/metrics?x=1", "//metrics", "/./metrics", "/%6detrics"):
        assert status(path, OTHER_ADDRESS) in (403, 404), path
    assert status("/metrics", "127.0.0.1") == 200
    assert status(dialects.HEALTH_PATH, OTHER_ADDRESS) == 200


def test_nothing_is_told_unless_it_is_asked_for(world):
    server = world.serve("socket")
    assert server.send(SCRAPE).status == 404
    assert not (world.installed.folder / "metrics").exists()


def test_open_metrics(counting):
    server = counting.serve("socket")
    server.send(KEYS)
    answer = server.send(Request("GET", "/metrics", [
        ("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3")]))
    assert answer.header("content-type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    lines = answer.body.decode().splitlines()
    assert lines[-1] == "# EOF" and lines.count("# EOF") == 1
    family = kind = None
    for line in lines[:-1]:
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert not family.endswith("_total"), line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family
        elif line.startswith("# UNIT "):
            _, _, name, unit = line.split(" ")
            assert name == family and family.endswith("_" + unit)
        else:
            endings = {"counter": "_total", "histogram": "_(bucket|sum|count)", "gauge": ""}
            assert re.match(rf"{family}{endings[kind]}[ {{]", line), line
    assert read(answer.body.decode()).keys() <= read(scrape(server)).keys()


def test_a_file_that_cannot_be_used_is_said_and_costs_no_answer(counting):
    (counting.installed.folder / "metrics").mkdir()
    server = counting.serve("socket")
    assert server.send(KEYS).status == 200
    assert answers(read(scrape(server)), mount=dialects.JWKS_PATH) == 1
    assert server.log_text().count("this process counts by itself") == 1
    rows = json.loads(counting.installed.run("doctor", "--json").stdout)
    assert [row["state"] for row in rows if row["check"] == "metrics"] == ["warn"]


def test_the_file_is_the_owners_alone_and_no_backup_has_it(counting):
    server = counting.serve("socket")
    server.send(KEYS)
    assert (counting.installed.folder / "metrics").stat().st_mode & 0o7777 == 0o600
    counting.installed.retoken("store", "backup", counting.installed.folder / "backup")
    assert not list((counting.installed.folder / "backup").rglob("metrics"))
