# SPDX-License-Identifier: ISC
"""What comes for fail2ban, Prometheus and Grafana, by their own tools, over what a real responder logs
and tells; and Apache's sample where there is no responder."""

import dataclasses
import json
import re
import subprocess

import pytest

from conftest import OTHER_PASSWORD
from lab import dialects, machine
from lab.http import Request

FILTER = machine.ROOT / "fail2ban" / "filter.d" / "retoken.conf"
FORGED = "x\n2026-01-31T12:00:00.123Z notice [1] login addr=192.0.2.66 auth=refused method=POST"
BLANK_FREE = "addr=192.0.2.66 auth=refused method=".replace(" ", "\t")


# ---- fail2ban ----

def banned(log):
    """The addresses that fail2ban finds in the file, one for each line that counts."""
    done = subprocess.run(["fail2ban-regex", "-o", "ip", str(log), str(FILTER)], capture_output=True, text=True,
                          check=False)
    return [line for line in done.stdout.splitlines() if "192.0.2." in line or ":" in line]


def as_syslog_keeps_it(log):
    """The same lines as journald and rsyslog write them to a file."""
    for line in log.read_text().splitlines():
        _, level, process, rest = line.split(" ", 3)
        yield f"Jan 31 12:00:00 host retoken{process}: {level} {rest}\n"


def test_fail2ban_finds_who_guesses_and_nobody_else(world, tmp_path):
    log = world.installed.folder / "retoken.log"
    world.installed.set_retoken(log_level="debug", log="retoken.log")
    server = world.serve("socket")
    kopong, oauth = dialects.mount_at("/oauth/access_token"), dialects.mount_at("/oauth/token")
    session = world.login(oauth)

    def login(address, **who):
        request = kopong.dialect.login_request(kopong.path, world.who(kopong, **who))
        return server.send(request, REMOTE_ADDR=address).status

    def refresh(address, **changed):
        request = oauth.dialect.request(oauth.path, dataclasses.replace(session, **changed))
        return server.send(request, REMOTE_ADDR=address).status

    assert login("192.0.2.1", password=OTHER_PASSWORD) == 401
    assert refresh("2001:db8::2", secret=OTHER_PASSWORD) == 401
    assert refresh("192.0.2.3", client="nobody") == 401
    assert login("192.0.2.4", name=FORGED, password="x") == 401
    guessed = ["192.0.2.1", "2001:db8::2", "192.0.2.3", "192.0.2.4"]
    assert banned(log) == guessed

    assert login("192.0.2.50") == 200
    assert refresh("192.0.2.51") == refresh("192.0.2.51") == 200
    assert refresh("192.0.2.52", refresh_token="x" * 43) == 400
    for words in (FORGED, BLANK_FREE):
        refresh("192.0.2.5", client=words)
        server.send(Request("POST", oauth.path, [dialects.FORM], b"a=b"), REMOTE_ADDR="192.0.2.53", SCRIPT_NAME=words)
        server.send(Request("POST", oauth.path, [dialects.FORM], b"a=b"), REMOTE_ADDR=words)
        server.send(Request("POST", oauth.path, [dialects.FORM], b"a=b"), REMOTE_ADDR="192.0.2.54",
                    REQUEST_METHOD=words)
    assert banned(log) == [*guessed, "192.0.2.5", "192.0.2.5"]

    kept = tmp_path / "syslog"
    kept.write_text("".join(as_syslog_keeps_it(log)))
    assert banned(kept) == [*guessed, "192.0.2.5", "192.0.2.5"]


def test_fail2ban_takes_the_jail(tmp_path):
    """Every setting is one that it knows, and the filter is found."""
    for part in ("filter.d", "jail.d"):
        (tmp_path / part).symlink_to(machine.ROOT / "fail2ban" / part)
    for name, text in (("fail2ban.conf", "[Definition]\n"), ("jail.conf", "[DEFAULT]\nbackend = polling\n")):
        (tmp_path / name).write_text(text)
    done = subprocess.run(["fail2ban-client", "-c", str(tmp_path), "--dp"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert "addr=<ADDR> auth=refused method=" in done.stdout
    assert "['set', 'retoken', 'maxretry', 20]" in done.stdout


# ---- prometheus and grafana ----

RULES = machine.ROOT / "prometheus"
DASHBOARD = machine.ROOT / "grafana" / "retoken.json"


@pytest.mark.parametrize("words", [["check", "rules", "retoken.rules.yml"], ["test", "rules", "retoken.rules.test.yml"]])
def test_alert_rules(words):
    done = subprocess.run(["promtool", *words], cwd=RULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested():
    alerts = set(re.findall(r"alert: (\w+)", (RULES / "retoken.rules.yml").read_text()))
    assert alerts and alerts == set(re.findall(r'alertname="(\w+)"', (RULES / "retoken.rules.test.yml").read_text()))


def test_dashboard_asks_what_prometheus_understands(tmp_path):
    """Each expression, with Grafana's variables put in, as a rule that promtool checks."""
    board = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) > 10 and len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    expressions = [one.replace("$__rate_interval", "5m").replace("$instance", ".*") for one in asked]
    assert not [one for one in expressions if "$" in one]
    rules = [{"record": f"retoken:panel{number}", "expr": one} for number, one in enumerate(expressions)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # JSON is YAML
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_and_dashboard_ask_for_metrics_that_are_told(world):
    world.installed.set_retoken(metrics="on")
    world.installed.replace_settings(world.installed.settings() + "\n[webhook w]\nurl = http://127.0.0.1:1/\n"
                                     "events = security\nsecret-file = secret-of-w\n")
    server = world.serve("socket")
    told = set(re.findall(r"^# TYPE (\w+)", server.send(Request("GET", "/metrics")).body.decode(), re.M))
    told |= {f"{name}_{end}" for name in told for end in ("bucket", "count", "sum")}
    for path in (RULES / "retoken.rules.yml", DASHBOARD):
        asked = set(re.findall(r"\bretoken_\w+", path.read_text()))
        assert len(asked) > 8 and asked <= told, asked - told


# ---- Apache ----

def test_apache_starts_without_the_program(world, tmp_path):
    """What else it serves is served when Retoken was removed and its lines were not."""
    world.installed.programs = tmp_path
    server = world.serve("apache")
    assert server.send(Request("GET", "/index.html")).status == 200
    assert server.send(Request("POST", "/oauth/token", [dialects.FORM], b"a=b")).status >= 400
