# SPDX-License-Identifier: ISC
"""./demo as a newcomer uses it: what it prints can be tried, and nothing is left when it ends."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from lab import dialects, machine

COMMAND = ["/usr/bin/python3", "-B", str(machine.ROOT / "scripts" / "lab" / "demo.py")]


def run(*options):
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False,
                          timeout=300)


@pytest.mark.parametrize("server", ["lighttpd", "apache", "nginx"])
def test_once(server):
    done = run("--once", "--port", "0", "--server", server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"all {len(dialects.PATHS)} mounts answered as they should" in done.stdout
    assert "Generation 0 came back" in done.stdout and "✓ that is why; the webhook's signature is right" in done.stdout
    for path in dialects.PATHS:
        assert path in done.stdout
    assert "\033" not in done.stdout  # plain in a pipe


def test_failover():
    done = run("--once", "--port", "0", "--store", "postgresql")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kill -9 s0, the primary" in done.stdout and "nobody was logged out: all 24 sessions are live" in done.stdout
    assert "s0 is back, as a standby of s1" in done.stdout or "s0 is back, as a standby of s2" in done.stdout


@pytest.fixture
def serving():
    """A demo that serves; gives (its process, what it printed)."""
    process = subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Serving on"):
                break
        yield process, lines
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def test_what_it_says_to_try_works(serving):
    _, lines = serving
    curls = [line.strip() for line in lines if line.strip().startswith("curl ")]
    assert len(curls) == len({mount.dialect.name for mount in dialects.MOUNTS})
    for line in curls * 2:  # the second time within the window: the same answer
        done = subprocess.run(f"{line} -sS -o /dev/null -w '%{{http_code}}'", shell=True,
                              capture_output=True, text=True, check=True)
        assert done.stdout.endswith("200"), line
    listing = next(line.strip() for line in lines if line.strip().endswith("session list"))
    done = subprocess.run(listing, shell=True, capture_output=True, text=True, check=True)
    assert "ada" in done.stdout


def test_page_and_its_sessions_are_served(serving):
    _, lines = serving
    page = next(line.strip() for line in lines if line.strip().endswith("/retoken/"))
    with urllib.request.urlopen(page) as answer:
        assert answer.status == 200 and "html" in answer.headers["Content-Type"]
    with urllib.request.urlopen(page + "demo.json") as answer:
        assert b"refresh_token" in answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_everything(serving, number):
    process, lines = serving
    below = machine.children(process.pid)
    port = int(re.search(r":(\d+)", lines[0])[1])
    run_folder = pathlib.Path(re.search(r"/\S*retoken-demo-\w+", "\n".join(lines))[0])
    assert below and machine.listens(port)
    process.send_signal(number)
    assert process.wait(30) == 0
    machine.wait_until(lambda: not any(machine.program_of(pid) in ("lighttpd", "retoken.fcgi")
                                       for pid in below), what="its servers to end")
    assert not machine.listens(port) and not run_folder.exists()


def test_data_can_be_used_again():
    folder = machine.folder("retoken-demo-data-")
    try:
        for _ in range(2):
            done = run("--once", "--port", "0", "--data", str(folder))
            assert done.returncode == 0, done.stdout + done.stderr
        assert {"retoken.conf", "store", "secret"} <= set(os.listdir(folder))
    finally:
        machine.run(["rm", "-rf", folder])


def test_port_in_use_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--once", "--port", str(port))
    assert done.returncode == 3 and f"port {port} is in use" in done.stderr
    assert "--port" in done.stderr and "Traceback" not in done.stderr
