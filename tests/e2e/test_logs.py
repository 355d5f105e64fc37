# SPDX-License-Identifier: ISC
"""No token, password or secret is ever written down where it should not be: not in a log at any
level, not in an argument list or environment, not in the store."""

import concurrent.futures
import dataclasses
import os
import pathlib
import signal
import threading

import pytest

from conftest import OTHER_PASSWORD, PASSWORD
from lab import dialects, http, machine
from lab.http import Request
from refusals import refusals


class Watch(threading.Thread):
    """Reads the argument lists (and environments) of all processes of our user, over and over."""

    def __init__(self, files):
        super().__init__(daemon=True)
        self.files, self.seen, self.ending = files, set(), threading.Event()

    def run(self):
        while not self.ending.is_set():
            for entry in pathlib.Path("/proc").glob("[0-9]*"):
                for name in self.files:
                    try:
                        if entry.stat().st_uid == machine.user().pw_uid:
                            self.seen.add((entry / name).read_bytes())
                    except OSError:
                        pass
            self.ending.wait(0.005)

    def stop(self):
        self.ending.set()
        self.join()
        return b"\n".join(self.seen)


def use_everything(world, server):
    """Logins, success, repetition, reuse and every refusal at every mount; gives the secrets that went by."""
    spoken = set()
    for mount in dialects.MOUNTS:
        login = world.login(mount)
        held = [login]
        for one in (login, login):
            answer = server.send(mount.dialect.request(mount.path, one))
            held.append(login.after(*mount.dialect.tokens(answer)))
        for one in (held[-1], login, held[-1]):
            server.send(mount.dialect.request(mount.path, one))
        fresh = world.login(mount)
        for row in refusals(mount, "documented"):
            try:
                server.send(row.request(mount.path, fresh))
            except http.Broken:
                pass
        if mount.login_path:
            for who in (world.who(mount, password=OTHER_PASSWORD), world.who(mount)):
                answer = server.send(mount.dialect.login_request(mount.path, who))
            held.append(mount.dialect.begun(who, answer))
        for one in (*held, fresh):
            spoken |= {one.refresh_token, one.access_token}
    return spoken


def traces(text, words):
    """Which secrets stand in the text, whole or in the part that tells them apart: the end of a
    token is its MAC or signature. (The rest of a JWT says the same in many of them.)"""
    return {word[:12] for word in words if word[-32:].encode() in text}


@pytest.mark.parametrize("kind", ["socket", "lighttpd", "lighttpd-cgi", "apache", "apache-proxy",
                                  "apache-cgi", "nginx"])
def test_no_secret_is_written_down(world, kind):
    world.installed.set_retoken(log_level="debug", log="retoken.log")
    # A CGI script gets the request's headers as its environment; that is what CGI is.
    watch = Watch(["cmdline"] if kind.endswith("cgi") else ["cmdline", "environ"])
    watch.start()
    server = world.serve(kind)
    spoken = use_everything(world, server)
    made = world.installed.add_client(f"client-{kind}")
    told = world.installed.run("explain", stdin=next(iter(spoken)).encode())
    assert told.returncode in (0, 1)
    processes = watch.stop()
    server.stop()
    master = (world.installed.folder / "secret").read_text().strip()
    words = {*spoken, PASSWORD, OTHER_PASSWORD, master, made, *world.secrets.values()}
    assert all(len(word) > 8 for word in words)
    log = (world.installed.folder / "retoken.log").read_bytes()
    assert log.count(b"\n") > len(dialects.MOUNTS) * 5  # there was something to look through
    assert traces(log, words) == set()
    assert traces(server.log_text().encode(), words) == set()
    assert traces(processes, words) == set()
    assert traces(told.stdout + told.stderr, words) == set()
    store = b"".join(path.read_bytes() for path in (world.installed.folder / "store").iterdir())
    assert traces(store, words) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of a process that holds secrets")
def test_no_secret_is_left_in_memory(world):
    """What libfcgi and the like have freed, too: a read past the end of a buffer is a fault of its own."""
    server = world.serve("socket")
    spoken = use_everything(world, server)
    kept = world.login(dialects.mount_at("/oauth/token"))
    for credentials in (("web", world.secrets["web"]), ("web", OTHER_PASSWORD)):
        server.send(Request("POST", "/oauth/token", [dialects.FORM, dialects.basic(*credentials)],
                            b"grant_type=refresh_token&refresh_token=" + kept.refresh_token.encode()))
    basic = dialects.basic("web", world.secrets["web"])[1].removeprefix("Basic ")
    words = {*spoken, kept.refresh_token, basic, PASSWORD, OTHER_PASSWORD, *world.secrets.values(),
             (world.installed.folder / "secret").read_text().strip()}
    [pid] = server.responders()
    assert b"/oauth/token" in b"\n".join(read_memory(pid))
    # a thread may have sent its answer and not have been given the time to clean up, and what is on
    # its stack is overwritten by its next request
    def is_clean():
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(server.send, [Request("POST", "/oauth/token", [dialects.FORM], b"grant_type=x")] * 32))
        return traces(b"\n".join(read_memory(pid)), words) == set()

    machine.wait_until(is_clean, patience=60, what="a clean memory")


def read_memory(pid):
    """What the process can write to, piece by piece."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw"):
                try:
                    memory.seek(start)
                    yield memory.read(end - start)
                except OSError:  # the end of the store's map
                    pass


def test_control_bytes_do_not_forge_log_lines(world):
    world.installed.set_retoken(log_level="debug", log="retoken.log")
    server = world.serve("socket")
    mount = dialects.mount_at("/oauth/token")
    login = world.login(mount)
    forged = "x\nrefresh outcome=rotated session=forged"
    server.send(mount.dialect.request(mount.path, dataclasses.replace(login, client=forged)))
    server.send(Request("POST", "/nowhere"), SCRIPT_NAME="/nowhere\nrefresh outcome=forged")
    server.send(Request("POST", mount.path, [dialects.FORM], b"a=b"), REMOTE_ADDR="1\nforged")
    lines = (world.installed.folder / "retoken.log").read_text().splitlines()
    assert not any(line.startswith("refresh outcome") or line.startswith("forged") for line in lines)


@pytest.mark.parametrize("kind", ["lighttpd", "apache"])
def test_sighup_opens_the_log_again_below_a_web_server(world, kind):
    """Servers leave the processes that they start a mask of signals of their own."""
    world.installed.set_retoken(log_level="info", log="retoken.log")
    log = world.installed.folder / "retoken.log"
    server = world.serve(kind)
    health = Request("GET", dialects.HEALTH_PATH)
    server.send_until(lambda answer: answer.status == 200, health)
    machine.wait_until(log.exists, what="the log")
    log.rename(log.with_suffix(".1"))
    before = server.responders()
    for pid in before:
        os.kill(pid, signal.SIGHUP)
    machine.wait_until(log.exists, what="the new log")

    def is_logged():
        """Each time by one of them, which may have opened the log yet or not."""
        return server.send(health).status == 200 and "mount=/healthz" in log.read_text()

    machine.wait_until(is_logged, 60, what="a line in the new log")
    assert server.responders() == before


def test_traces_can_be_found():
    secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
    assert traces(b"x" + secret.encode() + b"y", {secret}) == {secret[:12]}
    assert traces(b"x" + secret.encode()[-32:] + b"y", {secret}) == {secret[:12]}
    assert traces(b"nothing", {secret, PASSWORD}) == set()
