#!/usr/bin/python3 -B
# SPDX-License-Identifier: ISC
"""Instructions of one refresh, counted by callgrind in the real retoken.fcgi; compared with the figures
recorded beside this file for each release of a distribution, so that nothing grows by more than a tenth
unnoticed.

    tests/speed/instructions.py             count, print beside the record; exit status 1: too many
    tests/speed/instructions.py --record    count and write the record
    tests/speed/instructions.py --keep DIR  count and leave callgrind's files in DIR

RETOKEN_BUILD names the build (build/ unless set). Every kind of request is counted in a process of its
own: one responder with one thread answers the same warm-up requests, then N more of that kind; the
difference to a process that had only the warm-up, divided by N, is one request. So start, first use
and end fall out. The processor's extensions are switched off in libcrypto and libc, so that every
x86-64 host counts the same code. What libcrypto does counts apart: a signature of millions of
instructions would hide all that we add around it.

Knows the figures; how the responder is started and spoken to is scripts/lab's."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from lab import fcgi, http, installation, machine  # noqa: E402

RELEASE = platform.freedesktop_os_release()
RECORD = HERE / f"recorded-{RELEASE['ID']}-{RELEASE.get('VERSION_ID', 'unstable')}.txt"
LIMIT = 1.10
CALLS_LIMIT = 1.5  # how often threads meet depends on the host's speed
WARM_UP = 2
# Many, where random numbers in the warm-up's signatures would be felt; for RSA as many signatures
# as libcrypto takes until it makes the blinding anew.
COUNTS = {"HS256": 400, **dict.fromkeys(("RS256", "RS384", "RS512", "PS256"), 32)}
COUNT = 64
STARTS = ("RS256", "ES256")
ALGORITHMS = ("HS256", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
PACKAGES = ("libssl3", "libssl3t64", "liblmdb0", "libc6", "libjansson4", "libfcgi0ldbl", "libfcgi0t64", "zlib1g",
            "valgrind")
EVENTS = ("Ir", "sysCount")
HOST_INDEPENDENT = {
    "OPENSSL_ia32cap": "0:0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-BMI1,-BMI2,-LZCNT,-MOVBE,-POPCNT,"
                      "-SSE4_2,-SSE4_1,-SSSE3,-RTM,-ERMS,-FSRM,-XSAVE,-XSAVEC,"
                      "-AVX_Fast_Unaligned_Load,-Fast_Unaligned_Copy,-Fast_Copy_Backward:"
                      # glibc 2.41 repeats STOSB though ERMS is off, and callgrind counts every turn
                      "glibc.cpu.x86_rep_stosb_threshold=1073741824:"
                      "glibc.cpu.x86_rep_movsb_threshold=1073741824",
}


class Cannot(Exception):
    """Why nothing can be counted here."""


# ---- what callgrind wrote ----

def by_object(text):
    """{object: [instructions, system calls]} of a callgrind file: costs of its own, not of what it
    called. Reading the clock counts as a system call only under valgrind, which has no vDSO."""
    events, found, current, skip, clock = None, {}, None, False, False
    for line in text.splitlines():
        if line.startswith("events:"):
            events = line.split()[1:]
        elif line.startswith("ob="):
            current = found.setdefault(pathlib.PurePath(line[3:]).name, [0] * len(EVENTS))
        elif line.startswith("fn="):
            clock = line.startswith("fn=clock_gettime")
        elif line.startswith("calls="):
            skip = True  # the next line is the inclusive cost of that call
        elif line[:1].isdigit():
            if not skip:
                costs = dict(zip(events, map(int, line.split()[1:])))
                if clock:
                    costs["sysCount"] = 0
                for number, event in enumerate(EVENTS):
                    current[number] += costs.get(event, 0)
            skip = False
    return found


class Figures:
    """One row: instructions in all and beside libcrypto, and system calls."""

    def __init__(self, total, beside, calls):
        self.total, self.beside, self.calls = total, beside, calls

    def pairs(self, recorded):
        """(what, is, was, limit)"""
        return (("instructions in all", self.total, recorded.total, recorded.total * LIMIT),
                ("instructions beside libcrypto", self.beside, recorded.beside,
                 recorded.beside * LIMIT),
                ("system calls", self.calls, recorded.calls, recorded.calls * CALLS_LIMIT))


def figures(objects):
    beside = sum(cost[0] for name, cost in objects.items() if not name.startswith("libcrypto"))
    return Figures(sum(cost[0] for cost in objects.values()), beside,
                   sum(cost[1] for cost in objects.values()))


def difference(objects, base, count):
    """What one of `count` requests more cost, by object."""
    return {name: [(cost - less) / count
                   for cost, less in zip(objects[name], base.get(name, [0] * len(EVENTS)))]
            for name in objects}


def too_many(row, now, recorded):
    """A sentence for each figure that has grown beyond its limit."""
    return [f"{row}: {what}: {is_:,.1f}, recorded {was:,.1f} ({is_ / was - 1:+.1%}), limit {most:,.1f}"
            for what, is_, was, most in now.pairs(recorded) if is_ > most]


# ---- the responder under callgrind ----

def variables(path, body):
    return fcgi.variables(http.Request("POST", path, [("Content-Type",
                          "application/x-www-form-urlencoded")], body))


class Connection:
    """Requests one after the other on one connection, which the responder keeps."""

    def __init__(self, path):
        self.socket = fcgi.connect(path, 120)

    def ask(self, data):
        self.socket.sendall(data)
        out, _, ended = fcgi.read_answer(self.socket)
        if not ended:
            raise machine.LabError(f"no whole answer: {out[:300]!r}")
        return fcgi.parse(out)

    def close(self):
        self.socket.close()


class Chain:
    """A session whose newest refresh token is known."""

    def __init__(self, path, token):
        self.path, self.token = path, token

    def ask(self, connection, token, status=200):
        """The refresh token of the answer; None unless `status` is 200."""
        body = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
        data = (fcgi.begin(fcgi.KEEP_CONNECTION) + fcgi.params(variables(self.path, body)) +
                fcgi.stdin(body))
        answer = connection.ask(data)
        if answer.status != status:
            raise machine.LabError(f"{self.path}: {answer.status} {answer.body[:300]!r}")
        return json.loads(answer.body)["refresh_token"] if status == 200 else None

    def refresh(self, connection):
        self.token = self.ask(connection, self.token)

    def replay(self, connection):
        """The first token of the chain, spent once: always the same successor."""
        if not hasattr(self, "spent"):
            self.spent = self.token
            self.refresh(connection)
        successor = self.ask(connection, self.spent)
        if successor != self.token:
            raise machine.LabError("a replay was answered with another successor")

    def refuse(self, connection):
        self.ask(connection, "A" * 72, 400)


class Bench:
    """An installation with a key and a mount of every algorithm. Each process has a copy of it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.programs = installation.programs_for_user()
        self.template = installation.Installation(self.folder / "template", self.programs)
        self.template.folder.mkdir()
        machine.own(self.template.folder)
        self.template.replace_settings("[retoken]\ndata = .\nlog = log\n" + "".join(
            f"\n[mount {self.path(name)}]\ndialect = oauth\nrealm = speed\nalgorithm = {name}\n"
            "concurrency-window = 1h\n" for name in ALGORITHMS))
        self.template.init()
        self.template.add_account("ada", "a password of the count")
        held = {key["algorithm"] for key in self.template.json("key", "list")}
        for name in ALGORITHMS:
            if name not in held:
                self.template.retoken("key", "add", "--algorithm", name, "--activate")
        self.tokens = {row: self.template.login(self.path(self.algorithm(row)), "ada").refresh_token
                       for row in self.rows()}

    @staticmethod
    def path(algorithm):
        return f"/speed/{algorithm.lower()}"

    @staticmethod
    def rows():
        """Names of what is counted per request."""
        return [f"refresh {name}" for name in ALGORITHMS] + ["replay HS256", "refuse HS256"]

    @staticmethod
    def algorithm(row):
        return row.split()[1]

    @staticmethod
    def count(row):
        """Requests counted."""
        return COUNTS.get(Bench.algorithm(row), COUNT)

    def copy(self, name):
        folder = self.folder / name.replace(" ", "-")
        shutil.copytree(self.template.folder, folder)
        machine.own(folder)
        return installation.Installation(folder, self.programs)

    def command(self, installed, *arguments):
        return ["valgrind", "--tool=callgrind", "--quiet", "--vgdb=no", "--collect-systime=yes",
                "--compress-strings=no", "--compress-pos=no",
                f"--callgrind-out-file={installed.folder}/callgrind.out", installed.responder, *arguments]

    @staticmethod
    def environment(installed, **more):
        return machine.environment(RETOKEN_CONFIG=str(installed.config), LC_ALL="C",
                                   **HOST_INDEPENDENT, **more)

    @staticmethod
    def counted(installed):
        text = (installed.folder / "callgrind.out").read_text()
        objects = by_object(text)
        if not objects:
            raise machine.LabError("callgrind counted nothing")
        return objects

    def serve(self, row):
        """{object: costs} of a process that answered the warm-up, and count(row) requests of `row`;
        row None: the warm-up only."""
        installed = self.copy(row or "warm-up")
        socket = installed.folder / "s"
        process = machine.start(self.command(installed, "--listen", socket, "--threads", "1"),
                                log=installed.folder / "stderr", cwd=installed.folder,
                                env=self.environment(installed))
        try:
            machine.wait_until(lambda: process.poll() is not None or machine.listens_at(socket), 60,
                               "the responder under callgrind")
            if process.poll() is not None:
                raise machine.LabError((installed.folder / "stderr").read_text()[-500:])
            self._ask(Connection(socket), row)
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                machine.stop(process)
        return self.counted(installed)

    def _ask(self, connection, row):
        chains = {name: Chain(self.path(self.algorithm(name)), token)
                  for name, token in self.tokens.items()}
        for name, chain in chains.items():
            for _ in range(WARM_UP):
                getattr(chain, name.split()[0])(connection)
        for _ in range(self.count(row) if row else 0):
            getattr(chains[row], row.split()[0])(connection)
        connection.close()

    def start(self, algorithm):
        """{object: costs} of a plain CGI process, from exec to its end, with one refresh."""
        installed = self.copy(f"cgi {algorithm}")
        token = self.tokens[f"refresh {algorithm}"]
        body = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
        done = machine.run(self.command(installed), stdin=body, cwd=installed.folder,
                           env=self.environment(installed, **dict(variables(self.path(algorithm), body))))
        if b"Status: 200" not in done.stdout:
            raise machine.LabError(f"CGI: {done.stdout[:300]!r} {done.stderr[:300]!r}")
        return self.counted(installed)

    def measure(self):
        """{row: {object: costs of one}}"""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            base = pool.submit(self.serve, None)
            served = {row: pool.submit(self.serve, row) for row in self.rows()}
            started = {f"start CGI {name}": pool.submit(self.start, name) for name in STARTS}
            rows = {row: difference(served[row].result(), base.result(), self.count(row))
                    for row in self.rows()}
            rows.update({row: one.result() for row, one in started.items()})
        return rows


# ---- the record ----

def versions():
    """What the counts depend on, one line each."""
    compiler = subprocess.run(["readelf", "-p", ".comment", machine.BUILD / "retoken.fcgi"],
                              capture_output=True, text=True, check=False).stdout
    found = re.findall(r"\]\s+(.*\S)", compiler)
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES],
                           capture_output=True, text=True, check=False).stdout
    return [f"compiler {', '.join(sorted(set(found))) or 'unknown'}", *re.findall(r"^\S+ \S+$", shown, re.M)]


def write_record(rows):
    lines = ["# Instructions and system calls of one request, counted under callgrind by instructions.py, which",
             "# also writes this file: tests/speed/instructions.py --record", "#",
             *(f"# {line}" for line in versions()), "#",
             f"# {'':15} {'instructions':>13} {'beside libcrypto':>17} {'system calls':>13}"]
    for row, objects in rows.items():
        one = figures(objects)
        lines.append(f"{row:17} {one.total:13.0f} {one.beside:17.0f} {one.calls:13.1f}")
    RECORD.write_text("\n".join(lines) + "\n")


def read_record(record):
    """({row: Figures}, the versions it was recorded with)"""
    found, noted = {}, []
    for line in record.read_text().splitlines():
        if line.startswith("#"):
            noted.append(line[2:])
        elif line:
            row, *costs = re.split(r"\s{2,}", line.strip())
            found[row] = Figures(*map(float, costs))
    return found, [line for line in noted if line.split(" ")[0] in ("compiler", *PACKAGES)]


def other_versions():
    """How this machine differs from the one of the record; [] when it does not."""
    there, here = read_record(RECORD)[1], versions()
    return [f"recorded with {line}" for line in there if line not in here] + \
           [f"here          {line}" for line in here if line not in there]


def why_not():
    """Why the recorded figures mean nothing here, or None."""
    if platform.machine() != "x86_64":
        return f"the records are of x86_64, this is {platform.machine()}"
    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    return None


def shares(objects):
    parts = sorted(objects.items(), key=lambda item: -item[1][0])
    return ", ".join(f"{name} {cost[0]:,.0f}" for name, cost in parts[:7] if cost[0] >= 1)


def advice():
    lines = ["Where they are spent: tests/speed/instructions.py --keep DIR, then",
             "callgrind_annotate --inclusive=yes DIR/refresh-HS256/callgrind.out (and the same without the change).",
             "Meant so? Then tests/speed/instructions.py --record, and say why in the commit."]
    differing = other_versions()
    if differing:
        lines += ["The record is of other versions, which may be all there is to it:", *differing]
    return "\n".join(lines)


def measured(keep=None):
    """Counts everything; {row: {object: costs}}."""
    if why_not():
        raise Cannot(why_not())
    folder = machine.folder("retoken-speed-")
    try:
        rows = Bench(folder).measure()
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True,
                            ignore=lambda _, names: [name for name in names if name in ("s", "secret")])
        return rows
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    parser.add_argument("--keep", metavar="DIR", help="leave callgrind's files there")
    options = parser.parse_args()
    rows = measured(options.keep)
    recorded = read_record(RECORD)[0] if RECORD.exists() else {}
    wrong = []
    for row, objects in rows.items():
        one, was = figures(objects), recorded.get(row)
        change = f" {one.total / was.total - 1:+7.1%} {one.beside / was.beside - 1:+7.1%}" if was else ""
        print(f"{row:17} {one.total:13,.0f} {one.beside:11,.0f} {one.calls:7.1f}{change}   {shares(objects)}")
        wrong += too_many(row, one, was) if was else []
    if options.record:
        write_record(rows)
        return 0
    if wrong:
        print("\n".join(["", *wrong, advice()]))
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Cannot, machine.LabError) as error:
        print(f"instructions.py: {error}", file=sys.stderr)
        sys.exit(3)
