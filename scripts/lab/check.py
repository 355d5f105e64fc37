# SPDX-License-Identifier: ISC
"""./check: the stages of the test run, one line each. `./check` is every test once, `./check all` also those
that look a second time, by slower means. Knows how to build, run and count; does not know what is tested."""

import argparse
import dataclasses
import enum
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no",
          "-o", "addopts="]
VALGRIND_OPTIONS = ("--quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite "
                    "--errors-for-leak-kinds=definite --trace-children=no "
                    f"--suppressions={ROOT}/tests/valgrind.supp")
# valgrind lets no signal end a wait for an open-file-description lock. Without pending signals there is
# no timer, and the wait looks again and again instead (store/lmdb/process_lock.c).
UNDER_VALGRIND = f"--sigpending=0 valgrind {VALGRIND_OPTIONS}"
# Without AES-NI and carry-less multiplication libcrypto takes code that valgrind emulates faster.
VALGRIND_ENVIRONMENT = {"OPENSSL_ia32cap": "~0x200000200000000"}
SANITIZER_OPTIONS = {
    # libjwt asks for -1 bytes where libcrypto has failed
    "ASAN_OPTIONS": "allocator_may_return_null=1:detect_stack_use_after_return=1:"
                    "strict_string_checks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    # a forbidden call is logged from its signal, which comes from within that very call (confine.c)
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:report_signal_unsafe=0",
}


@dataclasses.dataclass
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    log: pathlib.Path = None
    figures: str = ""


class When(enum.Enum):
    """What runs a stage, beside its name; the value says it in --list."""
    ALWAYS = ""
    AGAIN = "(./check all)"
    BY_NAME = "(only by name)"


class Stage:
    """One line of the run: runs commands with their output in a log of its own. needs: the names of
    the stages that build what it runs."""

    def __init__(self, name, what, work, needs=(), when=When.ALWAYS):
        self.name, self.what, self.work = name, what, work
        self.needs, self.when = set(needs), when
        self.log = LOGS / f"{name}.log"
        self.cpu_seconds = 0.0

    def run(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        try:
            result = self.work(self)
        except Exception as error:  # a stage that breaks is a failure, never the end of the run
            self.note(f"{type(error).__name__}: {error}")
            result = Result(failed=1)
        result.log = self.log
        return result

    def note(self, text):
        with self.log.open("a") as log:
            print(text, file=log)

    def command(self, *words, env=None):
        """Exit status; output goes to the log."""
        self.note("$ " + " ".join(map(str, words)))
        with self.log.open("ab") as log:
            process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env={**os.environ, **(env or {})})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds += usage.ru_utime + usage.ru_stime
        return process.returncode


def build(folder, *arguments, targets=("check", "TESTS="), more=()):
    """Configures and builds programs and tests, every warning an error; then more targets that use the
    tests' libraries, which `check` makes in a make of its own."""
    def work(stage):
        make = ["make", "-k", "-s", f"-j{os.cpu_count()}", "-C", folder]
        good = (stage.command("scripts/prepare", "build", folder, "--enable-werror", *arguments) == 0
                and stage.command(*make, *targets) == 0
                and (not more or stage.command(*make, *more) == 0))
        return Result(passed=1) if good else Result(failed=1)
    return work


def threaded_tests():
    """The unit tests that start threads: TSan finds nothing in the others. Its runtime does not survive
    being confined."""
    return [str(path.relative_to(ROOT).with_suffix(""))
            for path in sorted((ROOT / "tests").glob("*/test_*.c"))
            if re.search(r"\bpthread_create\(|\bworkers_run\(", path.read_text())
            and path.stem != "test_confine"]


# Sanitizers: line numbers and -O1 do, and compile faster; tests are compiled for one run, so that -O0 is
# faster still. lld links their runtime in half the time.
BUILD = Stage("build", "gcc -Werror, static programs too",
              build("build", "--enable-static", more=["campaign-programs"]))
CLANG = Stage("clang", "clang -Werror, ASan, UBSan, libFuzzer",
              build("build-clang", "CC=clang", "CFLAGS=-O1 -gline-tables-only", "LDFLAGS=-fuse-ld=lld",
                    "--enable-sanitize=fuzzer", targets=("check", "TESTS=", "CFLAGS=-O0 -gline-tables-only"),
                    more=["fuzz-programs"]), needs=["build"])
TSAN = Stage("tsan", "gcc -Werror, TSan",
             build("build-tsan", "CFLAGS=-O1 -g1", "--enable-sanitize=thread", targets=threaded_tests()),
             needs=["build"], when=When.AGAIN)


# `make check` runs some Python tests, too; here they are stages of their own.
UNIT_TESTS = "$(check_PROGRAMS)"


def test_programs(folder):
    """The unit tests of a build folder, as its makefile names them."""
    names = f"include Makefile\nretoken-print-tests:\n\t@echo {UNIT_TESTS}\n"
    shown = subprocess.run(["make", "-s", "--no-print-directory", "-f", "-", "retoken-print-tests"],
                           cwd=ROOT / folder, input=names, capture_output=True, text=True,
                           check=True)
    return shown.stdout.split()


def count_unit(log, passed):
    """What a cmocka program said it did; a program of another kind counts as one."""
    text = log.read_text(errors="replace") if log.exists() else ""
    good = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M)))
    bad = sum(map(int, re.findall(r"^\[  FAILED  \] (\d+) test", text, re.M)))
    if passed:
        return Result(passed=good or 1)
    return Result(passed=good, failed=bad or 1)


# The lines of a test program's output that tell what went wrong.
TELLING = re.compile(r"\[  (ERROR|FAILED) |\[   LINE |Sanitizer|^==\d+==|: error:")


def unit(folder, *make_arguments, programs=None, env=None):
    """Runs these unit tests, or all that there are."""
    def work(stage):
        chosen = programs or test_programs(folder)
        stage.command("make", "-k", "-s", f"-j{os.cpu_count()}", "-C", folder, "check-TESTS",
                      # or it would build those that are not run, too
                      "check_PROGRAMS=", "check_LIBRARIES=", "check_DATA=",
                      f"TESTS={' '.join(chosen)}", *make_arguments, env=env)
        total, telling = Result(), []
        for program in chosen:
            base = ROOT / folder / program
            record = base.with_name(base.name + ".trs")
            passed = record.exists() and ":test-result: PASS" in record.read_text()
            one = count_unit(base.with_name(base.name + ".log"), passed)
            total.passed += one.passed
            total.failed += one.failed
            if not passed:
                log = base.with_name(base.name + ".log")
                text = log.read_text(errors="replace") if log.exists() else "it did not run"
                stage.note(f"---- {program}\n{text}")
                telling += [f"---- {program}",
                            *[line for line in text.splitlines() if TELLING.search(line)][:30]]
        stage.note("\n".join(telling))
        if not chosen:
            stage.note("no unit tests found")
            total.failed = 1
        return total
    return work


def pytest(folder, *arguments, build_folder="build", **variables):
    def work(stage):
        report = stage.log.with_suffix(".xml")
        report.unlink(missing_ok=True)
        env = {"RETOKEN_BUILD": str(ROOT / build_folder), **SANITIZER_OPTIONS, **variables}
        status = stage.command(*PYTEST, f"--junitxml={report}", f"--rootdir={ROOT}", *arguments,
                               folder, env=env)
        if not report.exists():
            return Result(failed=1)
        suites = xml.etree.ElementTree.parse(report).getroot().iter("testsuite")
        tests = failures = skipped = 0
        for suite in suites:
            tests += int(suite.get("tests"))
            failures += int(suite.get("failures")) + int(suite.get("errors"))
            skipped += int(suite.get("skipped"))
        if status != 0 and failures == 0:
            failures = 1
        return Result(max(tests - failures - skipped, 0), failures, skipped)
    return work


# A search of 5 s with a fixed seed judges a change. FUZZ_SECONDS asks for a longer and random one.
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "5"))
FUZZ_SEED = 0 if "FUZZ_SECONDS" in os.environ else 1
FINDINGS = ROOT / "build" / "fuzz"


def fuzz(target, seconds, seed):
    """Lets libFuzzer search from the seeds and from what earlier runs found to be new."""
    program = ROOT / "build-clang" / "tests" / "fuzz" / f"fuzz_{target}"

    def work(stage):
        corpus = FINDINGS / "corpus" / target
        corpus.mkdir(parents=True, exist_ok=True)
        if stage.command(program, f"-max_total_time={seconds}", f"-seed={seed}",
                         "-timeout=10",
                         f"-artifact_prefix={FINDINGS}/{target}-", corpus,
                         ROOT / "tests" / "fuzz" / "seeds" / target, env=SANITIZER_OPTIONS) == 0:
            return Result(passed=1)
        for found in re.findall(r"Test unit written to (\S+)", stage.log.read_text(errors="replace")):
            stage.note(f"to reproduce: {program.relative_to(ROOT)} {found}")
        return Result(failed=1)
    return work


def build_container(stage):
    status = stage.command("/usr/bin/python3", "-B", "-m", "lab.container", env={"PYTHONPATH": str(ROOT / "scripts")})
    return Result(passed=int(status == 0), failed=int(status not in (0, 77)), skipped=int(status == 77))


def try_mutants(stage):
    """MUTANTS="NAME NAME" in the environment: only these."""
    return Result(*mutants.run(stage.note, os.environ.get("MUTANTS", "").split()))


def fuzz_stages(seconds=FUZZ_SECONDS, seed=FUZZ_SEED):
    targets = sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))
    return [Stage(f"fuzz-{target}", f"libFuzzer on {target}, {seconds} s", fuzz(target, seconds, seed),
                  needs=["clang"])
            for target in targets]


# Part of the campaign -> seconds in a run of everything, seconds in `./check campaign`, what it is.
CAMPAIGN = {
    "kills": (8, 1500, "kill -9 of whatever runs"),
    "powercuts": (6, 400, "what a power cut may leave of a store"),
    "faults": (6, 600, "one call of the system fails"),
    "clocks": (4, 150, "the wall clock jumps"),
    "stops": (4, 150, "processes are stopped and go on"),
    "disks": (3, 60, "the disk is full and has room again"),
    "restores": (4, 120, "backups are put back under load"),
    "webhooks": (6, 120, "every refresh is told, through kills on both sides"),
    "soak": (3, 300, "many expired sessions, no cron"),
    "failovers": (25, 600, "the primary of three PostgreSQL servers is killed"),
    "updates": (0, 150, "what 100,000 refreshes leave of tables in PostgreSQL"),
    "lmdb": (0, 200, "kills and power cuts with Debian 13's LMDB"),
}
FUZZ_LONG_SECONDS = 60
PATRONI_SECONDS = 240


def campaign(part, seconds, *options):
    """A part of scripts/lab/campaign; its last line is its figures."""
    def work(stage):
        status = stage.command(
            "/usr/bin/python3", "-B", "-m", "lab.campaign", part, "--seconds", str(seconds), *options,
            env={"PYTHONPATH": str(ROOT / "scripts"), "RETOKEN_BUILD": str(ROOT / "build")})
        lines = stage.log.read_text(errors="replace").splitlines()
        return Result(passed=int(status == 0), failed=int(status not in (0, 77)), skipped=int(status == 77),
                      figures=lines[-1] if status == 0 else "")
    return work


def campaign_stages(long, *options, seconds=None):
    return [Stage(f"campaign-{part}", what, campaign(part, seconds or row[long], *options), needs=["build"])
            for part, (*row, what) in CAMPAIGN.items() if row[long] > 0]


def plan_of_campaign(options):
    """The parts named after `campaign`, all unless some are. kills, the longest, comes first."""
    chosen = options.stage[1:]
    words = [f"--seed={options.seed}"] if options.seed is not None else []
    words += [f"--lmdb={options.lmdb}"] if options.lmdb else []
    stages = [stage for stage in campaign_stages(1, *words, seconds=options.seconds)
              if not chosen or stage.name.removeprefix("campaign-") in chosen]
    if not chosen or "fuzz" in chosen:
        stages += [CLANG, *fuzz_stages(options.seconds or FUZZ_LONG_SECONDS, options.seed or 0)]
    return [BUILD, *stages]


# The files of tests/e2e that send one request after another: half of the folder's time, a lane of its own.
REQUEST_TESTS = "test_mounts or test_hostile or test_field"


def folders_with_tests():
    """Folders of tests/ that hold pytest files, other than those with stages of their own."""
    return sorted({path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")} - {"dist", "e2e", "package"})


def plan():
    """The stages. What takes long and what others need comes first, so that all lanes end together."""
    pytests = [Stage(name, f"pytest tests/{name}", pytest(f"tests/{name}"), needs=["build"])
               for name in folders_with_tests()]
    return [
        BUILD,
        Stage("unit", "unit tests and fuzz seeds", unit("build"), needs=["build"]),
        CLANG,
        Stage("e2e-requests", "requests of all kinds, real web servers", pytest("tests/e2e", "-k", REQUEST_TESTS),
              needs=["build"]),
        Stage("e2e-mishaps", "races, kills, faults, clients, whole sites",
              pytest("tests/e2e", "-k", f"not ({REQUEST_TESTS}) and not test_postgresql"), needs=["build"]),
        Stage("e2e-postgresql", "what PostgreSQL does", pytest("tests/e2e", "-k", "test_postgresql"), needs=["build"]),
        Stage("races-postgresql", "races and kills on PostgreSQL",
              pytest("tests/e2e", "-k", "test_race or test_kill", RETOKEN_STORE="postgresql"),
              needs=["build"], when=When.AGAIN),
        Stage("asan-unit", "unit tests under ASan and UBSan", unit("build-clang", env=SANITIZER_OPTIONS),
              needs=["clang"]),
        TSAN,
        Stage("asan-e2e", "mounts and hostile requests under ASan and UBSan",
              pytest("tests/e2e", "-m", "sanitized", build_folder="build-clang"), needs=["clang"],
              when=When.AGAIN),
        *pytests,
        Stage("valgrind", "unit tests under valgrind",
              unit("build", "LOG_COMPILER=prlimit", f"LOG_FLAGS={UNDER_VALGRIND}",
                   env=VALGRIND_ENVIRONMENT), needs=["build", "unit"], when=When.AGAIN),
        *campaign_stages(0),
        Stage("tsan-unit", "unit tests with threads under TSan",
              unit("build-tsan", programs=threaded_tests(), env=SANITIZER_OPTIONS), needs=["tsan"], when=When.AGAIN),
        Stage("tsan-e2e", "the race under TSan",
              pytest("tests/e2e", "-m", "threaded", build_folder="build-tsan"), needs=["tsan"], when=When.AGAIN),
        *fuzz_stages(),
        Stage("patroni", "failovers by Patroni and etcd",
              campaign("failovers", PATRONI_SECONDS, "--set=manager=patroni"), needs=["build"], when=When.BY_NAME),
        Stage("container", "the Dockerfile's steps, and a refresh through its nginx", build_container,
              when=When.BY_NAME),
        Stage("dist", "make distcheck, install; what configure refuses", pytest("tests/dist"), needs=["build"],
              when=When.BY_NAME),
        Stage("package", "packages in fresh Debian 12 and 13, booted too", pytest("tests/package"), when=When.BY_NAME),
        Stage("mutants", "seeded bugs, which the tests must notice", try_mutants, when=When.BY_NAME),
    ]


def coloured(text, code):
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[{code}m{text}\033[0m"


ALL = "all"


def choose(stages, names):
    """The stages named, with what they need. `fuzz` chooses fuzz-form, too."""
    runs = {When.ALWAYS} if not names else {When.ALWAYS, When.AGAIN} if ALL in names else set()
    chosen = {stage.name for stage in stages
              if stage.when in runs or any(stage.name == name or stage.name.startswith(f"{name}-") for name in names)}
    for stage in reversed(stages):  # what is needed comes before what needs it
        if stage.name in chosen:
            chosen |= stage.needs
    return [stage for stage in stages if stage.name in chosen]


class Report:
    """Prints a line per finished stage and keeps the sums."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.cpu_seconds, self.began = 0.0, time.monotonic()

    def line(self, stage, result, seconds):
        self.passed += result.passed
        self.failed += result.failed
        self.skipped += result.skipped
        self.cpu_seconds += stage.cpu_seconds
        mark = coloured("✗", 31) if result.failed else coloured("✓", 32)
        count = f"{result.passed} passed"
        if result.failed:
            count += f", {result.failed} failed"
        if result.skipped:
            count += f", {result.skipped} skipped"
        text = (f"{mark} {stage.name:18} {stage.what:46} {count:24} {seconds:6.1f} s"
                f"{stage.cpu_seconds:8.1f} s of CPU")
        if result.failed:
            tail = result.log.read_text(errors="replace").splitlines()[-60:]
            text += "".join(f"\n    {line}" for line in tail) + f"\n    all of it: {result.log}"
        if result.figures:
            text += f"\n    {result.figures}"
        print(text, flush=True)

    def close(self):
        if self.skipped:
            print(f"({self.skipped} skipped: something this machine lacks; see build/logs)")
        print(f"{time.monotonic() - self.began:.0f} s, {self.cpu_seconds:.0f} s of CPU")
        line = f"{self.passed} passed, {self.failed} failed"
        print(coloured(line, 31 if self.failed else 32))
        return 1 if self.failed or not self.passed else 0


class Runner:
    """Runs stages in the order given, one more at a time than there are processors, because servers and
    browsers wait: the first whose needs are done is next."""

    SIDE_BY_SIDE = os.cpu_count() + 1

    def __init__(self, stages, report):
        self.waiting, self.report = list(stages), report
        self.undone = {stage.name for stage in stages}
        self.changed = threading.Condition()

    def run(self):
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(self.SIDE_BY_SIDE)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def work(self):
        while stage := self.next():
            began = time.monotonic()
            result = stage.run()
            with self.changed:
                self.report.line(stage, result, time.monotonic() - began)
                self.undone.remove(stage.name)
                self.changed.notify_all()

    def next(self):
        """None: none is left."""
        with self.changed:
            while self.waiting:
                for stage in self.waiting:
                    if not stage.needs & self.undone:
                        self.waiting.remove(stage)
                        return stage
                self.changed.wait()
        return None


def main():
    parser = argparse.ArgumentParser(prog="./check", description="Builds, and runs every test.")
    parser.add_argument("stage", nargs="*",
                        help=f"only these stages, and those named STAGE-…; `{ALL}`: what looks a second time, too")
    parser.add_argument("--list", action="store_true", help="name the stages")
    long = parser.add_argument_group("campaign [PART...]", "the campaign in full, or parts of it")
    long.add_argument("--seconds", type=int, help="for each part")
    long.add_argument("--seed", type=int)
    long.add_argument("--lmdb", metavar="DIR", help="with the liblmdb.so.0 of this folder")
    options = parser.parse_args()
    is_campaign = options.stage[:1] == ["campaign"]
    stages = plan_of_campaign(options) if is_campaign else plan()
    if options.list:
        for stage in stages:
            print(f"{stage.name:18} {stage.what:46} {stage.when.value}")
        return 0
    names = ({*CAMPAIGN, "campaign", "fuzz"} if is_campaign
             else {ALL, *(name for stage in stages for name in (stage.name, stage.name.partition("-")[0]))})
    unknown = set(options.stage) - names
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}; ./check --list names them")
    report = Report()
    try:
        Runner(choose(stages, [] if is_campaign else options.stage), report).run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
