# SPDX-License-Identifier: ISC
"""The package in a Debian that systemd has booted: the units as they are, with their sandboxing, behind Apache.
The tests follow each other."""

import os
import re
import shutil
import subprocess

import pytest
from systems import ROOT, Booted, CannotBoot, machine

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="to boot takes root")

PATIENCE = 120.0
SETTINGS = "etc/retoken/retoken.conf"
REFRESH = "http://127.0.0.1/oauth/access_token"


@pytest.fixture(scope="module")
def booted(packages):
    release, folder = packages
    system = Booted(release, "booted")
    for path in folder.glob("retoken_*.deb"):
        shutil.copy(path, system.root / "root")
    shutil.copytree(ROOT / "debian" / "tests", system.root / "root/tests")
    system.install("systemd", "systemd-sysv", "apache2", "curl")
    system.run(f"{system.INSTALL} --download-only /root/retoken_*.deb", network=True)
    try:
        system.boot()
    except CannotBoot as error:
        pytest.skip(str(error))
    yield system
    system.halt()


@pytest.fixture(scope="module")
def body(booted):
    """The path in there of a refresh request that can be sent again and again: its mount does not rotate."""
    booted.do(f"{booted.INSTALL} /root/retoken_*.deb")
    assert booted.do("systemctl is-active retoken.socket retoken.service || true").split() == ["active", "inactive"]
    booted.do("/root/tests/apache")
    token = booted.do("retoken session create --mount /oauth/access_token --account apache2-ada --json | "
                      "sed -n 's/.*\"refresh_token\": *\"\\([^\"]*\\)\".*/\\1/p'").strip()
    (booted.root / "root/body").write_text(f"grant_type=refresh_token&refresh_token={token}")
    return "/root/body"


def show(booted, name):
    return booted.do(f"systemctl show --value --property={name} retoken.service").strip()


def refresh(booted, body):
    """The status, and the lifetime of the access token."""
    said = booted.do(f"curl -sS -w ' %{{http_code}}' -d @{body} {REFRESH}")
    lifetime = re.search(r'"expires_in":(\d+)', said)
    return int(said[-3:]), lifetime and int(lifetime[1])


def said_in_journal(booted, words):
    """How often."""
    return int(booted.do(f"journalctl --sync; journalctl --unit=retoken | grep -c '{words}' || true"))


def with_mount(booted, lifetime):
    """Leaves only this mount, whose access tokens live so many minutes, and has the service read that."""
    before, settings = said_in_journal(booted, " reloaded: "), booted.root / SETTINGS
    general = settings.read_text().partition("\n[mount")[0]
    settings.write_text(f"{general}\n[mount /oauth/access_token]\ndialect = kopong\naccess-lifetime = {lifetime}m\n")
    booted.do("systemctl reload retoken")
    machine.wait_until(lambda: said_in_journal(booted, " reloaded: ") > before, PATIENCE, "the configuration to be read")


def test_sandbox(booted, body):
    assert refresh(booted, body) == (200, 3600)
    process = show(booted, "MainPID")
    status = dict(re.findall(r"^(\w+):\s+(.*)$", booted.do(f"cat /proc/{process}/status"), re.M))
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapBnd"], 16)) == ("1", "2", 0), status
    networks = booted.do(f"readlink /proc/1/ns/net /proc/{process}/ns/net").split()
    assert len(set(networks)) == 2, networks
    assert show(booted, "StatusText") == "Serving requests"
    print(booted.do("systemd-analyze security --no-pager retoken.service | tail -n 1"))


def test_reload_and_restart_lose_nothing(booted, body):
    """Under the load of as many refreshes as there is time for."""
    load = subprocess.Popen(
        booted.inside("echo $$ >/root/load; exec ab -q -l -c 8 -n 2000000 -T application/x-www-form-urlencoded "
                      f"-p {body} {REFRESH}"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        machine.wait_until((booted.root / "root/load").exists, PATIENCE, "ab")
        for lifetime in range(11, 16):
            with_mount(booted, lifetime)
            assert refresh(booted, body) == (200, lifetime * 60)
        process = show(booted, "MainPID")
        booted.do("systemctl restart retoken.service")
        assert show(booted, "MainPID") != process
        assert refresh(booted, body)[0] == 200
        assert load.poll() is None, load.stdout.read()
        booted.do("kill -INT $(cat /root/load)")
        said, _ = load.communicate(timeout=PATIENCE)
    finally:
        load.kill()
    assert int(re.search(r"^Complete requests: +(\d+)", said, re.M)[1]) > 100, said
    assert re.search(r"^Failed requests: +0$", said, re.M) and "Non-2xx" not in said, said


def test_secret_as_a_credential(booted, body):
    """As retoken.fcgi(8) says, word by word."""
    steps = re.findall(r"^# (.*(?:credstore|restart retoken).*)$", (ROOT / "man/retoken.fcgi.8").read_text(), re.M)
    assert len(steps) == 4, steps
    booted.do(f"sed -i 's/^# secret-file = .*/secret-file = credential:retoken-secret/' /{SETTINGS}")
    booted.do("\n".join(steps))
    assert not (booted.root / "var/lib/retoken/secret").exists()
    assert refresh(booted, body)[0] == 200
    assert "credential" in booted.do("retoken doctor | grep ^secret")


def test_watchdog_ends_what_hangs(booted, body):
    """A client that comes meanwhile waits in the socket's queue, and the next process serves it."""
    process = show(booted, "MainPID")
    booted.do(f"kill -STOP {process}")
    assert refresh(booted, body)[0] == 200
    assert show(booted, "MainPID") not in (process, "0")
    assert (said_in_journal(booted, "Failed with result .watchdog."), show(booted, "NRestarts")) == (1, "1")


def test_stop_and_start(booted, body):
    booted.do("systemctl stop retoken.service")
    assert (show(booted, "Result"), show(booted, "ExecMainStatus")) == ("success", "0")
    assert refresh(booted, body)[0] == 200
    booted.do("systemctl stop retoken.socket retoken.service; test ! -e /run/retoken/retoken.sock")
    assert refresh(booted, body)[0] == 503
    booted.do("systemctl start retoken.socket")
    assert refresh(booted, body)[0] == 200


def test_removal(booted, body):
    """Of a package whose service runs."""
    process = show(booted, "MainPID")
    booted.do(f"apt-get remove -qq retoken; test ! -e /proc/{process}; systemctl is-active apache2")
    assert not booted.do("systemctl list-units --state=active --no-legend 'retoken*'").strip()
    assert (booted.root / "var/lib/retoken/store/data.mdb").exists()
