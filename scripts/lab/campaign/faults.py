# SPDX-License-Identifier: ISC
"""One call of the system or of the allocator fails, once: the N-th of its kind, for every kind, N and error,
while a client refreshes ten times. Judged by what the client sees, then a fresh responder goes on with the
same store. Whatever fails:

    the client    is never refused and always gets its tokens, if not from this process then from the next;
                  no answer takes longer than HANG_S
    a token       never has two successors
    the process   goes on answering, or ends within END_S: by itself with status 1 or 3 and a line in the log.
                  libfcgi aborts when an allocation of its own fails (docs/hazards.md)
    the store     is clean

Knows the calls and their errors; the counting is tests/campaign/faultshim.c's."""

import errno
import random
import re
import shutil
import signal
import time

from lab import dialects, fcgi, http, installation, machine, preload

from . import Violation

SHIM = "campaign/faultshim.c"
HALF = 9999  # do half of a read or write

ERRORS = {
    "meta": [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR, HALF],
    "fdatasync": [errno.EIO, errno.ENOSPC, errno.EINTR],
    "pwrite": [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR, HALF],
    "writev": [errno.EIO, errno.ENOSPC, errno.EINTR, HALF],
    "write": [errno.EIO, errno.EPIPE, HALF],
    "fsync": [errno.EIO],
    "ftruncate": [errno.EIO, errno.ENOSPC],
    "mmap": [errno.ENOMEM],
    "open": [errno.EMFILE, errno.EIO, errno.EINTR],
    "openat": [errno.EMFILE],
    "fcntl": [errno.EINTR, errno.ENOLCK, errno.EDEADLK],
    "accept4": [errno.EMFILE, errno.ECONNABORTED, errno.ENOMEM, errno.EINTR],
    "epoll_ctl": [errno.ENOMEM, errno.ENOSPC],
    "epoll_wait": [errno.EINTR],
    "read": [errno.EIO, errno.EINTR, HALF],
    "recv": [errno.ECONNRESET, errno.EINTR, HALF],
    "eventfd": [errno.EMFILE],
    "memfd_create": [errno.EMFILE],
    "pthread_create": [errno.EAGAIN],
    "malloc": [errno.ENOMEM],
    "calloc": [errno.ENOMEM],
    "realloc": [errno.ENOMEM],
}

HANG_S = 5.0
END_S = 2.0
# A machine that does something else is slow, too: what is over END_S is counted, over this a violation.
END_MOST_S = 10.0
REFRESHES, IN_PIECES, REPLAYED = 10, 3, 6


def run(budget_s, seed, calls=None, errors=None, paths="/oauth/token,/sandbox/token"):
    """calls: names of ERRORS, joined by commas; all unless given. errors: EIO and so on, the same way.
    paths: mounts; the second verifies an access token. On each every possible fault once, in random
    order, until the time is over."""
    paths = paths.split(",")
    return {path: run_at(path, budget_s / len(paths), seed, calls, errors) for path in paths}


def run_at(path, budget_s, seed, calls, errors):
    faults = Faults(path)
    counts = faults.count()
    plan = [(call, number, error) for call in (calls.split(",") if calls else ERRORS)
            for error in ERRORS[call] if errors is None or name_of(error) in errors.split(",")
            for number in range(1, counts[call] + 1)]
    random.Random(seed).shuffle(plan)
    end = time.monotonic() + budget_s
    for call, number, error in plan:
        if time.monotonic() > end:
            break
        faults.attempt(call, number, error)
    return faults.finish(planned=len(plan))


def name_of(error):
    return errno.errorcode.get(error, "HALF")


class Faults:
    """An installation with one session, whose client never gives up."""

    def __init__(self, path="/oauth/token"):
        self.folder = machine.folder("retoken-faults-")
        self.installed = installation.Installation(self.folder, installation.programs_for_user())
        self.installed.init()
        self.installed.add_account("ada", "correct horse battery staple")
        self.installed.add_client("phone", "--public")
        self.mount = dialects.mount_at(path)
        self.socket, self.log, self.armed = self.folder / "s", self.folder / "log", self.folder / "armed"
        self.figures = {"faults": 0, "happened": 0, "answers": 0, "5xx": 0, "unanswered": 0, "ended": 0,
                        "aborted_in_libfcgi": 0, "ended_late": 0, "slowest_answer_s": 0.0,
                        "slowest_end_s": 0.0}
        self.found = []
        self.begin_session()

    def begin_session(self):
        self.login = self.installed.login(self.mount.path, "ada", client="phone",
                                          scope=self.mount.dialect.scope)
        self.previous = None
        self.successors = {}

    # ---- processes ----

    def start(self, **variables):
        """A responder, listening, or one that has ended."""
        self.socket.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        process = machine.start([self.installed.responder, "--listen", self.socket], log=self.log,
                                cwd=self.folder,
                                env=machine.environment(RETOKEN_CONFIG=str(self.installed.config), **variables))
        machine.wait_until(lambda: process.poll() is not None or machine.listens_at(self.socket),
                           what="the responder")
        return process

    def count(self):
        """How often a responder makes each call when nothing fails."""
        counts = self.folder / "counts"
        process = self.start(**preload.variables(SHIM, FAULT_COUNTS=str(counts)))
        self.refresh_ten_times(process, "no fault")
        machine.stop(process)
        return {call: int(number) for call, number in
                (line.split() for line in counts.read_text().splitlines())}

    # ---- one fault ----

    def attempt(self, call, number, error):
        name = f"{call} {number} {name_of(error)}"
        self.armed.touch()
        machine.own(self.armed)
        process = self.start(**preload.variables(
            SHIM, FAULT_CALL=call, FAULT_NUMBER=str(number), FAULT_ERROR=str(error),
            FAULT_ARMED=str(self.armed)))
        before = len(self.found)
        self.refresh_ten_times(process, name)
        self.judge_end(process, name)
        self.figures["faults"] += 1
        self.figures["happened"] += not self.armed.exists()
        if len(self.found) > before:
            self.found.append(self.log.read_text(errors="replace")[-1500:])
        self.go_on(name)

    def go_on(self, name):
        """The next process, on the same store, serves the client at once."""
        process = self.start()
        if not self.refresh(process, f"after {name}"):
            self.violate(name, "the next process did not renew")
            self.begin_session()
        machine.stop(process)

    def refresh_ten_times(self, process, name):
        """Until the process has ended."""
        for number in range(REFRESHES):
            login = self.previous if number == REPLAYED and self.previous else self.login
            if not (self.refresh(process, name, login, in_pieces=number == IN_PIECES) and
                    self.read(process, name, dialects.JWKS_PATH) and
                    self.read(process, name, dialects.HEALTH_PATH)):
                return

    def refresh(self, process, name, login=None, in_pieces=False):
        """With the newest tokens unless others are given. False: the process has ended, or a violation."""
        login = login or self.login
        answer = self.ask(process, name, self.mount.dialect.request(self.mount.path, login), in_pieces)
        if answer is None:
            return False
        after = login.after(*self.mount.dialect.tokens(answer))
        known = self.successors.setdefault(login.refresh_token, after.refresh_token)
        if known != after.refresh_token:
            self.violate(name, "a token has two successors")
        if login is self.login:
            self.previous, self.login = login, after
        return True

    def read(self, process, name, path):
        return self.ask(process, name, http.Request("GET", path)) is not None

    def ask(self, process, name, request, in_pieces=False):
        """Again and again until the answer is 200. None: the process has ended, or a violation."""
        first_fault = None
        while process.poll() is None:
            began = time.monotonic()
            try:
                answer = self.send(request, in_pieces)
            except (OSError, http.Broken):
                answer = None
            seconds = time.monotonic() - began
            self.figures["slowest_answer_s"] = round(max(self.figures["slowest_answer_s"], seconds), 2)
            if seconds > HANG_S:
                return self.violate(name, f"{request.path}: no answer for {seconds:.1f} s")
            if answer is not None and answer.status == 200:
                self.figures["answers"] += 1
                return answer
            if answer is not None and answer.status < 500:
                return self.violate(name, f"{request.path}: {answer.status} {answer.body[:200]!r}")
            self.figures["unanswered" if answer is None else "5xx"] += 1
            first_fault = first_fault or began
            if time.monotonic() - first_fault > END_MOST_S:
                return self.violate(name, f"{request.path}: faults for ever, and the process does not end")
            time.sleep(0.01)
        if first_fault is not None:
            seconds = time.monotonic() - first_fault
            self.figures["slowest_end_s"] = round(max(self.figures["slowest_end_s"], seconds), 2)
            self.figures["ended_late"] += seconds > END_S
        return None

    def send(self, request, in_pieces):
        if not in_pieces:
            return fcgi.send(self.socket, request, 2 * HANG_S)
        data = fcgi.begin() + fcgi.params(fcgi.variables(request)) + fcgi.stdin(request.body)
        with fcgi.connect(self.socket, 2 * HANG_S) as connection:
            connection.sendall(data[:50])
            time.sleep(0.005)  # more exact would be no better: either way the answer is the same
            connection.sendall(data[50:])
            return fcgi.parse(fcgi.read_answer(connection)[0])

    # ---- judging ----

    def judge_end(self, process, name):
        by_itself = process.poll() is not None
        if not by_itself:
            process.terminate()
            try:
                process.wait(END_MOST_S)
            except Exception:
                self.violate(name, "it does not end on SIGTERM")
                machine.stop(process, 0.1)
                return
        self.figures["ended"] += by_itself
        log = self.log.read_text(errors="replace")
        if process.returncode == -signal.SIGABRT and re.search(r"^faultshim: .*/libfcgi", log, re.M):
            self.figures["aborted_in_libfcgi"] += 1
        elif process.returncode not in (1, 3) and (by_itself or process.returncode != 0):
            self.violate(name, f"ended with {process.returncode}")
        elif by_itself and not re.search(r"error|cannot|retoken\.fcgi: ", log):
            self.violate(name, f"ended with {process.returncode} and no word")

    def violate(self, name, what):
        self.found.append(f"{name}: {what}")

    def finish(self, **more):
        """The figures, when all is well."""
        checked = self.installed.run("store", "check")
        if checked.returncode != 0:
            self.violate("afterwards", f"store check: {checked.stdout[-300:]} {checked.stderr[-300:]}")
        figures = {**more, **self.figures}
        if self.found:
            raise Violation(self.found, figures, [self.folder])
        shutil.rmtree(self.folder, ignore_errors=True)
        return figures
