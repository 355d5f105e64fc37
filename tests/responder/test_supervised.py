# SPDX-License-Identifier: ISC
"""retoken.fcgi under a supervisor that speaks systemd's protocols, which the test is: it passes the socket, hears
how the process is, and has the configuration read again while requests are in progress."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from lab import dialects, fcgi, installation, machine

HEALTH = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/healthz"}
MOUNT = dialects.mount_at("/oauth/token")
LONG = 60.0

# What systemd does between fork and exec: the socket becomes descriptor 3, whose variables name this process.
PASS_SOCKET = """
import os, sys
os.dup2(0, 3)
os.dup2(os.open("/dev/null", os.O_RDWR), 0)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], sys.argv[1:])
"""


class Supervisor:
    """The responder behind a socket at `path`, and what it has told."""

    def __init__(self, installed, run, notify, watchdog_s):
        self.installed, self.path, self.log = installed, run / "s", run / "log"
        self.heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.heard.settimeout(LONG)
        self.heard.bind("\0" + notify[1:] if notify.startswith("@") else notify)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen(128)
            machine.own(run)
            self.process = machine.start(
                ["/usr/bin/python3", "-c", PASS_SOCKET, installed.responder], log=self.log, stdin=listener,
                env=machine.environment(RETOKEN_HOME=str(installed.folder), NOTIFY_SOCKET=notify,
                                        WATCHDOG_USEC=str(watchdog_s * 1000000)))

    def hear(self):
        """The next message but for the watchdog's, as a dict."""
        while (message := self.hear_any()) == {"WATCHDOG": "1"}:
            pass
        return message

    def hear_any(self):
        return dict(line.split("=", 1) for line in self.heard.recv(4096).decode().splitlines())

    def reload(self):
        """Has the configuration read again; gives what the status is then."""
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.process.send_signal(signal.SIGHUP)
        message = self.hear()
        assert message.pop("RELOADING") == "1"
        assert before <= int(message.pop("MONOTONIC_USEC")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        message = self.hear()
        assert message.pop("READY") == "1"
        return message["STATUS"]

    def ask(self, variables=HEALTH):
        return fcgi.parse(fcgi.raw(self.path, fcgi.begin() + fcgi.params(variables) + fcgi.stdin(b""))[0])


@pytest.fixture(scope="module")
def programs():
    return installation.programs_for_user()


@pytest.fixture
def installed(programs):
    folder = machine.folder("retoken-supervised-")
    found = installation.Installation(folder, programs)
    found.init()
    yield found
    subprocess.run(["rm", "-rf", folder], check=True)


@contextlib.contextmanager
def supervised(installed, notify=None, watchdog_s=0):
    run = machine.folder("retoken-supervised-run-")
    supervisor = Supervisor(installed, run, notify or f"{run}/notify", watchdog_s)
    try:
        yield supervisor
    finally:
        machine.stop(supervisor.process)
        supervisor.heard.close()
        subprocess.run(["rm", "-rf", run], check=True)


@pytest.mark.parametrize("notify", [None, f"@retoken-test-{os.getpid()}"])
def test_says_when_it_serves_and_when_it_ends(installed, notify):
    with supervised(installed, notify) as supervisor:
        assert supervisor.hear() == {"READY": "1", "STATUS": "Serving requests"}
        assert supervisor.ask().status == 200
        supervisor.process.terminate()
        assert supervisor.hear() == {"STOPPING": "1"}
        assert supervisor.process.wait(LONG) == 0
        assert supervisor.path.exists()  # whoever made it removes it


def test_says_that_it_answers_with_faults(installed):
    settings = installed.settings()
    installed.set_retoken(nonsense="on")
    with supervised(installed) as supervisor:
        assert supervisor.hear()["STATUS"] == "Answering with faults; the log says why"
        assert supervisor.ask().status == 503
        installed.replace_settings(settings)
        # it tries again at most once a second
        machine.wait_until(lambda: supervisor.reload() == "Serving requests", LONG, "a good configuration")
        assert supervisor.ask().status == 200


def add_mount(installed, path):
    installed.replace_settings(installed.settings() + "".join(
        f"[mount {each}]\ndialect = oauth\n" for each in (MOUNT.path, path)))


def test_reload(installed):
    """As far as the process is confined, and without a word about what it is not allowed."""
    with supervised(installed) as supervisor:
        supervisor.hear()
        shop = dict(HEALTH, SCRIPT_NAME="/shop")
        assert supervisor.ask(shop).status == 404
        settings = installed.settings()
        add_mount(installed, "/shop")
        assert supervisor.reload() == "Serving requests"
        assert supervisor.ask(shop).status == 405
        installed.replace_settings("nonsense\n")
        assert supervisor.reload() == "Serving requests by the former configuration; the log says why"
        assert supervisor.ask(shop).status == 405
        installed.replace_settings(settings)
        assert supervisor.reload() == "Serving requests"
        assert supervisor.ask(shop).status == 404
        log = supervisor.log.read_text()
        assert log.count("reloaded: ") == 2 and log.count("cannot reload, going on as before: ") == 1
        assert "confined: the process tried" not in log


class Follower(threading.Thread):
    """Follows a session, refresh by refresh, over one connection that is kept."""

    def __init__(self, path, login, until):
        super().__init__()
        self.path, self.login, self.until, self.made, self.complaints = path, login, until, 0, []

    def run(self):
        with fcgi.connect(self.path, LONG) as connection:
            while not self.until.is_set() and not self.complaints:
                request = MOUNT.dialect.request(MOUNT.path, self.login)
                connection.sendall(fcgi.begin(fcgi.KEEP_CONNECTION) + fcgi.params(fcgi.variables(request))
                                   + fcgi.stdin(request.body))
                out, _, ended = fcgi.read_answer(connection)
                if not ended:
                    self.complaints = ["the connection was closed"]
                    return
                answer = fcgi.parse(out)
                self.complaints = MOUNT.dialect.complaints(self.login, answer)
                if not self.complaints:
                    self.login = self.login.after(*MOUNT.dialect.tokens(answer))
                    self.made += 1


def test_reload_loses_no_request(installed):
    """Kept connections stay, and each refresh is answered, while the configuration changes all the time. A request
    whose first half came before the change is answered, too."""
    installed.add_account("ada", "correct horse")
    logins = [installed.login(MOUNT.path, "ada") for _ in range(8)]
    settings = installed.settings()
    with supervised(installed) as supervisor:
        supervisor.hear()
        enough = threading.Event()
        followers = [Follower(supervisor.path, login, enough) for login in logins]
        for follower in followers:
            follower.start()
        for number in range(20):
            installed.replace_settings(settings)
            if number % 3 == 0:
                add_mount(installed, f"/extra{number}")
            elif number % 3 == 1:
                installed.set_retoken(nonsense="on")
            with fcgi.connect(supervisor.path) as half:
                half.sendall(fcgi.begin())
                supervisor.reload()
                half.sendall(fcgi.params(HEALTH) + fcgi.stdin(b""))
                assert fcgi.parse(fcgi.read_answer(half)[0]).status == 200
            made = [follower.made for follower in followers]
            machine.wait_until(lambda: all(follower.made > before or follower.complaints
                                           for follower, before in zip(followers, made)), LONG, "refreshes")
        enough.set()
        for follower in followers:
            follower.join(LONG)
        assert [follower.complaints for follower in followers] == [[]] * len(followers)
        log = supervisor.log.read_text()
        assert log.count("reloaded: ") == 13 and log.count("cannot reload") == 7


def test_watchdog_hears_nothing_of_a_process_that_is_stopped(installed):
    with supervised(installed, watchdog_s=4) as supervisor:
        supervisor.hear()
        for _ in range(2):
            assert supervisor.hear_any() == {"WATCHDOG": "1"}
        machine.freeze(supervisor.process.pid)
        supervisor.heard.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                supervisor.heard.recv(4096)
        supervisor.heard.settimeout(4)
        with pytest.raises(TimeoutError):
            supervisor.heard.recv(4096)
        supervisor.process.send_signal(signal.SIGCONT)
        supervisor.heard.settimeout(LONG)
        assert supervisor.hear_any() == {"WATCHDOG": "1"}
