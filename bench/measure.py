# SPDX-License-Identifier: ISC
"""What ./bench/run and ./bench/peers share: the tools of this folder run as an ordinary user, an
installation to be loaded, nginx in front of it, rounds, tables and charts. Knows how to measure;
does not know what is to be compared."""

import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from lab import installation, machine, postgresql, preload, servers  # noqa: E402

RESULTS = ROOT / "build" / "bench"
PROGRAMS = ("loadgen", "limits", "nothing", "noop", "starts", "populate")
CORES = len(os.sched_getaffinity(0))  # that we may use

# The sample configuration of nginx names the paths, so the mounts of all algorithms stand at some of
# them. One realm: every session may be refreshed at every mount.
PATHS = {"RS256": "/oauth/token", "ES256": "/oauth2/token", "HS256": "/auth/refresh_token",
         "EdDSA": "/api/jwt/refresh"}
MOUNTS = "".join(f"""
[mount {path}]
dialect = oauth
realm = bench
algorithm = {algorithm}
concurrency-window = 1h
""" for algorithm, path in PATHS.items())
LOGIN_PATH = "/login"
MOUNTS += f"""
[mount {LOGIN_PATH}]
dialect = kopong
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line on a terminal that is written over; a line per step elsewhere."""

    def __init__(self, steps):
        self.steps, self.done, self.begun = steps, 0, time.monotonic()
        self.terminal = sys.stderr.isatty()

    def show(self, text):
        seconds = time.monotonic() - self.begun
        line = f"[{self.done:3}/{self.steps}] {seconds:4.0f} s  {text}"
        if self.terminal:
            print(f"\r{line:<100.100}", end="", file=sys.stderr, flush=True)
        else:
            say(line)

    def step(self, text):
        self.done += 1
        self.show(text)

    def end(self):
        if self.terminal:
            print(f"\r{'':100}\r", end="", file=sys.stderr, flush=True)


# ---- packages and programs ----

_INSTALL = """
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends "$@" || { apt-get update -qq && apt-get install -y -qq \\
    --no-install-recommends "$@"; }
"""


def packages(*names):
    """Installs what is lacking, without starting any service. False: they cannot be had."""
    lacking = [name for name in names if subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", name], capture_output=True,
        check=False).stdout[1:2] != b"i"]
    if not lacking:
        return True
    say(f"packages  installing {' '.join(lacking)}")
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    try:
        return subprocess.run([*as_root, "sh", "-c", _INSTALL, "install", *lacking], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def build():
    """The programs of Retoken and of this folder, in build/ (or $RETOKEN_BUILD)."""
    if machine.BUILD == ROOT / "build":
        subprocess.run([ROOT / "scripts" / "prepare"], check=True)
    made = subprocess.run(["make", "-s", f"-j{CORES}", "-C", machine.BUILD, "all-am", "bench-programs"],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise machine.LabError(f"make failed in {machine.BUILD}:\n{made.stderr[-2000:]}")


def on_a_disk():
    """Temporary folders shall lie on a disk: in memory a commit costs nothing."""
    for place in (tempfile.gettempdir(), "/var/tmp", str(RESULTS)):
        kind = subprocess.run(["stat", "-f", "-c", "%T", place], capture_output=True, text=True,
                              check=False).stdout.strip()
        if kind not in ("", "tmpfs", "ramfs"):
            tempfile.tempdir = place
            return
    raise machine.LabError("no folder on a disk; set TMPDIR to one")


class Tools:
    """The programs of this folder, where the user can run them."""

    def __init__(self, run):
        self.folder = machine.own(tempfile.mkdtemp(prefix="tools-", dir=run))
        for name in PROGRAMS:
            machine.copy_for_user(machine.BUILD / "bench" / name, self.folder / name)

    def __getitem__(self, name):
        return self.folder / name

    def json(self, name, *arguments, timeout=900, env=None):
        result = machine.run([self[name], *arguments], timeout=timeout, env=env)
        try:
            return json.loads(result.stdout)
        except ValueError:
            raise machine.LabError(f"{name} {' '.join(map(str, arguments))}: exit status "
                                   f"{result.returncode}: {result.stderr.decode()[-500:]}") from None

    def load(self, address, tokens, *, clients, seconds, path, http=True, keep=False, work="rotate",
             pids=(), fronts=(), authorization=None, extra="", warmup=0.3, patience=30, lenient=False):
        """What the load generator measured; LabError when any answer was wrong, unless lenient."""
        words = ["--tokens", tokens, "--clients", clients, "--seconds", seconds, "--warmup", warmup,
                 "--path", path, "--work", work, "--patience", patience]
        words += ["--http"] if http else []
        words += ["--authorization", authorization] if authorization else []
        words += ["--extra", extra] if extra else []
        words += ["--keep"] if keep else []
        words += [word for pid in pids for word in ("--pid", pid)]
        words += [word for pid in fronts for word in ("--front-pid", pid)]
        figures = self.json("loadgen", *words, address)
        if not lenient and (figures["errors"] or not figures["done"]):
            raise machine.LabError(f"{figures['errors']} wrong answers from {address}{path}: "
                                   f"{figures.get('first_error', 'none at all')[:600]}")
        return figures

    def sign(self, algorithm, seconds):
        """On all cores."""
        return self.json("limits", "sign", algorithm, CORES, seconds)["rate"]

    def store(self, folder, records, batch, seconds):
        """rate, and cpu_us of one update."""
        return self.json("limits", "store", folder, records, batch, seconds)

    def both(self, folder, records, algorithm, seconds):
        return self.json("limits", "both", folder, records, algorithm, seconds)["p50_ms"]

    def commits(self, store):
        """How many transactions this LMDB environment has seen committed."""
        return self.json("limits", "commits", store)["commits"]


# ---- what is loaded ----

class Loaded:
    """An installation with one account and keys of every algorithm. Sessions are added by `fill`."""

    def __init__(self, run, tools, settings):
        self.run, self.tools = run, tools
        self.folder = machine.own(tempfile.mkdtemp(prefix="home-", dir=run))
        self.installed = installation.Installation(self.folder, installation.programs_for_user())
        self.installed.replace_settings(f"[retoken]\ndata = .\nsessions-per-account = 0\n{settings}\n{MOUNTS}")
        self.installed.init()
        self.installed.add_account("ada", "a password of the bench")
        held = {key["algorithm"] for key in self.installed.json("key", "list")
                if key["state"] == "active"}
        for algorithm in set(PATHS) - held:
            self.installed.retoken("key", "add", "--algorithm", algorithm, "--activate")

    def fill(self, count, name, progress=None):
        """A file with the refresh tokens of `count` new sessions."""
        tokens = self.folder / f"tokens-{name}"
        log = self.folder / "populate.log"
        process = machine.start([self.tools["populate"], self.installed.config, PATHS["RS256"],
                                 "ada", count, tokens], log=log)
        begun = time.monotonic()
        while process.poll() is None:
            if progress is not None and progress.terminal:
                progress.show(f"filling in {count:,} sessions, {time.monotonic() - begun:.0f} s")
            time.sleep(0.05)
        if process.returncode != 0:
            raise machine.LabError(f"populate: {log.read_text()[-500:]}")
        return tokens

    def stat(self):
        return self.installed.json("store", "stat")


def postgresql_server(folder, **settings):
    """One that runs, as a package installs it but for its memory: what is committed is on the disk."""
    if not packages("postgresql"):
        raise machine.LabError("postgresql cannot be installed")
    usual = {"fsync": "on", "shared_buffers": "128MB", "max_wal_size": "4GB", "max_connections": "100"}
    return postgresql.Server(folder, "postgresql", **(usual | settings)).make().start()


class Served:
    """A responder on a socket, and nginx with the sample configuration in front of it. `processes`:
    that many of them share the socket."""

    def __init__(self, run, installed, processes=None):
        self.folder = machine.own(tempfile.mkdtemp(prefix="run-", dir=run))
        self.bare = servers.Bare("socket", installed, self.folder, processes=processes)
        self.front = None
        try:
            self.front = _Front("nginx", installed, self.folder)
        except BaseException:
            self.stop()
            raise

    @property
    def socket(self):
        return f"unix:{self.bare.socket}"

    @property
    def address(self):
        return f"127.0.0.1:{self.front.port}"

    def pids(self):
        return [process.pid for process in self.bare.processes]

    def behind_pids(self):
        """Of what the responder asks."""
        return []

    def front_pids(self):
        pid = self.front.process.pid
        return [pid, *machine.children(pid)]

    def stop(self):
        if self.front is not None:
            self.front.stop()
        self.bare.stop()


class _Front(servers.Nginx):
    stands_alone = False

    def config(self):
        text = super().config().replace("nginx-error.log info;", "nginx-error.log warn;")
        return text.replace(f"access_log {self.run}/nginx-access.log;", "access_log off;")


@contextlib.contextmanager
def behind(kind, run, installed, warm):
    """The address of a web server with the sample configuration, and behind it what it starts, or one
    process at its socket. Warm: load of that kind has been there, and the server has started as many as it needs."""
    folder = machine.own(tempfile.mkdtemp(prefix="web-", dir=run))
    server = servers.start(kind, installed, folder)
    try:
        address = f"127.0.0.1:{server.port}"
        warm(address)
        yield address
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def slow(installed, run, ms):
    """The same with a disk whose sync takes that many milliseconds longer: an interposed fdatasync, which is
    linked into what runs as a CGI script."""
    folder = machine.own(tempfile.mkdtemp(prefix="slow-", dir=run))
    slowed = preload.preloaded(installed, folder, "bench/slow_disk.c", SLOW_DISK_MS=str(ms))
    if installed.script != installed.responder:
        machine.copy_for_user(machine.BUILD / "bench" / "slow.cgi", slowed.programs / installed.script.name)
    return slowed


def without_queue(installed):
    """From now on each process commits by itself: where the file of the queue belongs, there is a folder."""
    queue = installed.folder / "store" / "commit.queue"
    queue.unlink(missing_ok=True)
    queue.mkdir()
    machine.own(queue)


def nothing(tools):
    """As an installation: a responder that does nothing."""
    return types.SimpleNamespace(responder=tools["nothing"], script=tools["nothing"], config="", folder=tools.folder, variables={},
                                 words=[])


def private_dirty_mb(pid):
    """Memory that is this process's alone; pages of the store's file are the page cache's."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def threads_of(pid):
    """How many are there now, the main thread among them."""
    return len(os.listdir(f"/proc/{pid}/task"))


def first_lines(source, target, skip, count):
    """A file of its own with some of another's lines."""
    with open(source) as lines, open(target, "w") as out:
        for number, line in enumerate(lines):
            if number >= skip + count:
                break
            if number >= skip:
                out.write(line)
    return machine.own(target)


@contextlib.contextmanager
def workplace():
    """A folder that the user owns and that goes away; on a disk."""
    on_a_disk()
    run = machine.folder("retoken-bench-")
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)


# ---- figures ----

class Row:
    """One line of a table: a ratio with what it was made of, once per round."""

    def __init__(self, name, what, at_least=None, at_most=None, unit="", limit_name=""):
        self.name, self.what, self.unit, self.limit_name = name, what, unit, limit_name
        self.at_least, self.at_most = at_least, at_most
        self.ratios, self.ours, self.limits = [], [], []
        self.skipped = ""
        self.failures = []  # why rounds gave no figure
        self.details = []

    def add(self, ours, limit=1.0, detail=None):
        self.ratios.append(ours / limit)
        self.ours.append(ours)
        self.limits.append(limit)
        if detail:
            self.details.append(detail)

    @property
    def median(self):
        return statistics.median(self.ratios)

    @property
    def reached(self):
        if self.failures:
            return False
        if self.skipped or not self.ratios:
            return None
        if self.at_least is not None:
            return self.median >= self.at_least
        return self.median <= self.at_most if self.at_most is not None else None

    @property
    def target(self):
        if self.at_least is None and self.at_most is None:
            return ""
        word, value = ("at least", self.at_least) if self.at_least is not None else ("at most", self.at_most)
        return f"{word} {self.shown(value)}"

    def shown(self, value):
        if self.unit == "%":
            return f"{value * 100:.0f} %"
        return f"{value:.3g} {self.unit}".strip()

    def line(self):
        if not self.ratios:
            return (self.what, "", "no figure, see below", self.target, "FAILED" if self.failures else "")
        spread = " / ".join(self.shown(value)
                            for value in (min(self.ratios), self.median, max(self.ratios)))
        made_of = ""
        if self.limit_name:
            made_of = f"{_figure(statistics.median(self.ours))} of {_figure(statistics.median(self.limits))} {self.limit_name}"
        mark = {True: "ok", False: "MISSED", None: ""}[self.reached]
        if self.failures:
            mark = f"FAILED in {len(self.failures)} rounds"
        return (self.what, made_of, spread, self.target, mark)

    def as_json(self):
        return {"name": self.name, "what": self.what, "unit": self.unit, "at_least": self.at_least,
                "at_most": self.at_most, "reached": self.reached, "skipped": self.skipped, "failures": self.failures,
                "median": self.median if self.ratios else None, "ratios": self.ratios,
                "ours": self.ours, "limit": self.limits, "limit_name": self.limit_name,
                "details": self.details}


def _figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows):
    rows = list(rows)
    head = ("", "ours of limit (medians)", "min / median / max", "target", "")
    lines = [head, *(row.line() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    notes = [f"{row.what}: {row.failures[0]}" for row in rows if row.failures]
    notes += [f"{row.what}: skipped: {row.skipped or 'not measured'}" for row in rows
              if not row.ratios and not row.failures]
    return "\n".join(["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                      for line in lines] + [""] * bool(notes) + notes)


def costs(rows):
    """The same loads as seen by a client, and who had the CPU for how long; medians of the rounds."""
    lines = [("", "p50 ms", "p99 ms", "p99.9 ms", "CPU us each: server", "nginx, PostgreSQL", "generator")]
    for row in rows:
        if row.details:
            lines.append((row.what, *(
                f"{statistics.median(one.get(key, 0) for one in row.details):.{digits}f}"
                for key, digits in (("p50_ms", 2), ("p99_ms", 2), ("p999_ms", 2), ("server_cpu_us", 0),
                                    ("front_cpu_us", 0), ("generator_cpu_us", 0)))))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *(
        cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]) for line in lines)


def machine_facts():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown")
    return {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpu": model,
            "cores": CORES, "kernel": os.uname().release,
            "load_before": os.getloadavg()[0]}


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


# ---- what is published ----

DOCUMENTS = ROOT / "docs" / "bench"
_RESULTS_HEAD = """# Measured

Written by the two commands below with `--publish`; what the rows mean: [bench/README.md](../../bench/README.md).
"""


def command_line(name):
    """How it was called, without what does not change the figures."""
    return " ".join([f"./bench/{name}", *(word for word in sys.argv[1:] if word != "--publish")])


def publish(name, facts, text):
    """Writes this command's section of docs/bench/results.md; the other's stays."""
    target = DOCUMENTS / "results.md"
    kept = target.read_text() if target.exists() else _RESULTS_HEAD
    head, *sections = kept.split("\n## ")
    sections = [section.rstrip("\n") for section in sections if not section.startswith(f"`./bench/{name}")]
    sections.append(f"`{command_line(name)}`\n\n{facts['when'][:10]}, {facts['cores']} cores, {facts['cpu']}, "
                    f"Linux {facts['kernel']}, load before {facts['load_before']:.1f}\n\n```\n{text}\n```")
    DOCUMENTS.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n## ".join([head.rstrip("\n"), *sorted(sections, reverse=True)]) + "\n")


# Explicit white, for pages that are dark around the picture.
_STYLE = """
set terminal svg size {width},{height} font "Helvetica,Arial,sans-serif,14" background "#ffffff"
set output "{output}"
set encoding utf8
set title "{{/=18 {title}}}\\n{{/=13 {how}}}" textcolor rgb "#222222" offset 0,0.3
set border 3 lc rgb "#888888"
set grid y lc rgb "#dddddd" lt 1
set style fill solid 1.0 noborder
set boxwidth 0.62
set tics nomirror textcolor rgb "#222222"
set xtics scale 0
set ylabel textcolor rgb "#222222"
set key below center horizontal textcolor rgb "#222222" samplen 1.5
set lmargin 9
set rmargin 3
set bmargin 7
"""


def chart(output, title, how, script, data, width=900, height=460):
    """Draws with gnuplot; says so where it cannot be had."""
    if shutil.which("gnuplot") is None and not packages("gnuplot-nox"):
        say(f"{output.name}: skipped, gnuplot cannot be installed")
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = _STYLE.format(width=width, height=height, output=output, title=title, how=how)
    lines += "$data << END\n" + "".join(line + "\n" for line in data) + "END\n" + script
    drawn = subprocess.run(["gnuplot"], input=lines, text=True, capture_output=True, check=False)
    if drawn.returncode != 0:
        say(f"{output.name}: gnuplot: {drawn.stderr.strip()[-300:]}")
