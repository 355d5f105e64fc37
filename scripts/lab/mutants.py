# SPDX-License-Identifier: ISC
"""Seeded bugs (tests/mutants): puts each into a copy of the tree, builds what it changes, and runs
the test that is expected to notice it. Knows how a mutant is written, copies and builds; does not
know what the tests do."""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "mutants"
COPIES = ROOT / "build-mutants"

# A test that takes this much longer than without a bug hangs, and has noticed it.
PATIENCE_S, PATIENCE_TIMES = 20, 10
BUILD_S = 900

PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
          "--color=no", "-o", "addopts="]

# Where to look when the named test does not notice: the floors from low to high, then real servers.
FLOORS = ("base", "http", "model", "token", "store", "operation", "decision", "dialect", "process",
          "server", "responder", "admin")
BROADER = ("tests/responder/test_start.py", "tests/decision/test_reference.py",
           "tests/admin/test_admin.py", "tests/guards/test_guards.py", "tests/e2e/test_faults.py",
           "tests/e2e/test_race.py", "tests/e2e/test_peers.py", "tests/e2e/test_kill.py",
           "tests/e2e/test_hostile.py")


class MutantError(Exception):
    """A mutant that cannot be read, or whose lines are no longer there."""


@dataclasses.dataclass
class Hunk:
    file: str
    old: str
    new: str


@dataclasses.dataclass
class Mutant:
    name: str
    what: str
    tests: list
    equivalent: str
    hunks: list


# ---- how a mutant is written: tests/mutants/README ----

def load(folder=FOLDER):
    found = [read(path) for path in sorted(folder.glob("*.mutant"))]
    if not found:
        raise MutantError(f"no mutants in {folder}")
    return found


def read(path):
    head, *hunks = re.split(r"^--- (?=\S+$)", path.read_text(), flags=re.M)
    what, *fields = head.rstrip("\n").split("\n")
    known = dict(field.split(": ", 1) for field in fields if ": " in field)
    if not what or not hunks or len(known) != len(fields) or set(known) - {"row", "test", "equivalent"}:
        raise MutantError(f"{path.name}: not written as README says")
    return Mutant(path.stem, what, known.get("test", "").split(), known.get("equivalent", ""),
                  [read_hunk(path, text) for text in hunks])


def read_hunk(path, text):
    file, _, rest = text.partition("\n")
    old, mark, new = rest.partition("+++\n")
    if not old.strip() or not mark or old.split() == new.split():
        raise MutantError(f"{path.name}: {file}: old lines, a line +++, new lines")
    return Hunk(file, old.strip(), new.strip())


def changed(mutant, root):
    """{path: text with the bug in it}. White space does not matter to where it goes."""
    texts = {}
    for hunk in mutant.hunks:
        path = root / hunk.file
        text = texts.get(path) or (path.read_text() if path.exists() else "")
        places = list(re.finditer(r"\s+".join(map(re.escape, hunk.old.split())), text))
        if len(places) != 1:
            raise MutantError(f"{mutant.name}: {hunk.file} has these lines {len(places)} times, "
                              f"and should once: {hunk.old.splitlines()[0]}")
        texts[path] = text[:places[0].start()] + hunk.new + text[places[0].end():]
    return texts


# ---- a copy of the tree, with a build of its own ----

class Copy:
    """build-mutants/N. It stays, so that the next run builds only what has changed."""

    def __init__(self, number, note):
        self.root, self.note = COPIES / str(number), note
        self.build = self.root / "build"
        self.usual = {}  # seconds that a test takes without a bug
        self.env = {**os.environ, "RETOKEN_BUILD": str(self.build), "CCACHE_NOHASHDIR": "1",
                    "CCACHE_BASEDIR": str(self.root)}

    def prepare(self):
        self.sync()
        self.must(self.root / "scripts/prepare", "build", "build")
        self.must("cc", "-shared", "-fPIC", "-o", self.build / "filter.so",
                  self.root / "tests/mutants/filter.c", "-lcmocka")

    def sync(self):
        """Only what differs is written, so that `make` sees only that."""
        manifest = self.build / "copied"
        before = set(manifest.read_text().split("\n")) if manifest.exists() else set()
        files = tree()
        for name in before - set(files):
            (self.root / name).unlink(missing_ok=True)
        for name in files:
            here, there = ROOT / name, self.root / name
            if not there.exists() or there.read_bytes() != here.read_bytes():
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, there)
        self.build.mkdir(exist_ok=True)
        manifest.write_text("\n".join(files))

    def run(self, words, seconds, env=None):
        """(exit status, output), in the build folder. A status of None: it took longer."""
        said = self.build / "said"
        with said.open("wb") as output:
            process = subprocess.Popen([str(word) for word in words], cwd=self.build,
                                       env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, start_new_session=True)
            status = wait(process, seconds)
        text = said.read_text(errors="replace")
        self.note(f"---- {self.root.name}: {' '.join(map(str, words))}: {status}\n{text[-3000:]}")
        return status, text

    def must(self, *words):
        status, output = self.run(words, BUILD_S)
        if status != 0:
            raise MutantError(f"{' '.join(map(str, words))} failed:\n{output[-1500:]}")

    def make(self, program):
        targets = [program]
        if program.endswith(".py"):
            targets = ["all", "tests/decision/decide"]
        self.must("make", "-s", *targets)

    def test(self, test, seconds):
        """What noticed something, or ""."""
        program, _, only = test.partition("::")
        self.make(program)
        if program.endswith(".py"):
            status, output = self.run([*PYTEST, f"--rootdir={self.root}", self.root / test],
                                      seconds)
        else:
            alone = {"ONLY_TEST": f"*{only}", "LD_PRELOAD": "./filter.so"} if only else {}
            status, output = self.run([f"./{program}"], seconds, alone)
        if status == 0:
            return ""
        return name_of_failure(program, output, test) + ("" if status is not None else " (hangs)")

    def usually(self, test):
        """Seconds. That it passes without a bug is what makes it a witness."""
        if test not in self.usual:
            self.make(test.partition("::")[0])
            began = time.monotonic()
            if self.test(test, BUILD_S):
                raise MutantError(f"{test} fails without any bug")
            self.usual[test] = time.monotonic() - began
        return self.usual[test]

    def first_to_notice(self, mutant):
        """The named tests, then broader ones. "": the mutant survives."""
        self.note(f"==== {mutant.name}: {mutant.what}")
        for test in (*mutant.tests, *self.broader(mutant)):
            seconds = PATIENCE_S + PATIENCE_TIMES * self.usually(test)
            with broken(mutant, self.root):
                noticed = self.test(test, seconds)
            if noticed:
                return noticed
        return ""

    def broader(self, mutant):
        folders = {pathlib.Path(hunk.file).parts[1] for hunk in mutant.hunks} & set(FLOORS)
        for floor in FLOORS[min(map(FLOORS.index, folders), default=0):]:
            for path in sorted((self.root / "tests" / floor).glob("test_*.c")):
                yield str(path.relative_to(self.root).with_suffix(""))
        yield from (test for test in BROADER if (self.root / test).exists())


def wait(process, seconds):
    """Nothing of its session outlives it; pytest ends its servers when it is interrupted."""
    for end in (signal.SIGINT, signal.SIGKILL):
        try:
            status = process.wait(seconds)
            return status if end == signal.SIGINT else None
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, end)
            seconds = 20
    process.wait()
    return None


@contextlib.contextmanager
def broken(mutant, root):
    texts = changed(mutant, root)
    right = {path: path.read_text() for path in texts}
    try:
        for path, text in texts.items():
            path.write_text(text)
        yield
    finally:
        for path, text in right.items():
            path.write_text(text)


def name_of_failure(program, output, test):
    """The first test that failed, as the output names it; the one that ran when it names none."""
    found = re.search(r"^FAILED \S+?::(\S+)|^\[  FAILED  \] (?:\w+: )?(\w+)$", output, re.M)
    return f"{program}::{found[1] or found[2]}" if found else test


def tree():
    """The files of the project, uncommitted ones too; in an unpacked release, those outside of build
    folders."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout.split("\n")
    else:
        built = {COPIES, *(path.parent for path in ROOT.rglob("config.status"))}
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if not built & set(path.parents)]
    return sorted(name for name in names if name and (ROOT / name).is_file())


# ---- the run ----

def run(note, names=()):
    """Tries every mutant, or those named, on as many copies as there are processors, two at most;
    prints a line for each. Returns (how many were noticed, how many were not)."""
    mutants = [one for one in load() if not names or one.name in names]
    if len(mutants) < len(names):
        raise MutantError(f"not all of {' '.join(names)} are in {FOLDER}")
    for mutant in mutants:
        changed(mutant, ROOT)  # all of them, before anything is built
    mutants = sorted((one for one in mutants if not one.equivalent),
                     key=lambda one: (one.hunks[0].file, one.name))
    lanes = min(2, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        tried = [pool.submit(work, Copy(lane, note), mutants[lane::lanes]) for lane in range(lanes)]
        results = [result for lane in tried for result in lane.result()]
    missed = [line for noticed, line in results if not noticed]
    note("\n".join(missed))
    return len(results) - len(missed), len(missed)


def work(copy, mutants):
    copy.prepare()
    for test in dict.fromkeys(test for mutant in mutants for test in mutant.tests):
        with contextlib.suppress(MutantError):  # its mutants say so
            copy.usually(test)
    results = []
    for mutant in mutants:
        results.append(try_one(copy, mutant))
        print(results[-1][1], flush=True)
    return results


def try_one(copy, mutant):
    """(whether it was noticed, the line that says so)"""
    began = time.monotonic()
    try:
        by = copy.first_to_notice(mutant)
        how = f"noticed by {by}" if by else f"SURVIVES: {mutant.what}"
    except MutantError as error:
        by, how = "", f"cannot be tried: {error}"
    seconds = time.monotonic() - began
    return bool(by), f"  {'✓' if by else '✗'} {mutant.name:30} {seconds:6.1f} s  {how}"
