# SPDX-License-Identifier: ISC
"""./check: the stages of the whole test run, one line each. Knows how to build, run and count;
does not know what is tested."""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no",
          "-o", "addopts="]
VALGRIND_OPTIONS = ("--quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite "
                    "--errors-for-leak-kinds=definite --trace-children=no")
# valgrind lets no signal end a wait for an open-file-description lock. Without pending signals there is
# no timer, and the wait looks again and again instead (store/lmdb/process_lock.c).
UNDER_VALGRIND = f"--sigpending=0 valgrind {VALGRIND_OPTIONS}"
# Without AES-NI and carry-less multiplication libcrypto takes code that valgrind emulates faster.
VALGRIND_ENVIRONMENT = {"OPENSSL_ia32cap": "~0x200000200000000"}
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


@dataclasses.dataclass
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    log: pathlib.Path = None
    figures: str = ""


class Stage:
    """One line of the run: runs commands with their output in a log of its own."""

    def __init__(self, name, what, work, only_by_name=False):
        self.name, self.what, self.work, self.only_by_name = name, what, work, only_by_name
        self.log = LOGS / f"{name}.log"

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
            return subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  env={**os.environ, **(env or {})}, check=False).returncode


def build(folder, *arguments, targets=("check", "TESTS=")):
    """Configures and builds programs and tests, every warning an error."""
    def work(stage):
        jobs = f"-j{os.cpu_count()}"
        good = (stage.command("scripts/prepare", "build", folder, "--enable-werror", *arguments) == 0
                and stage.command("make", "-k", "-s", jobs, "-C", folder, *targets) == 0)
        return Result(passed=1) if good else Result(failed=1)
    return work


BUILD = Stage("build", "gcc -Werror", build("build", targets=("check", "TESTS=", "campaign-programs")))


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


def unit(folder, *make_arguments, env=None):
    def work(stage):
        programs = test_programs(folder)
        stage.command("make", "-k", "-s", f"-j{os.cpu_count()}", "-C", folder, "check",
                      f"TESTS={UNIT_TESTS}", *make_arguments, env=env)
        total, telling = Result(), []
        for program in programs:
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
        if not programs:
            stage.note("no unit tests found")
            total.failed = 1
        return total
    return work


def pytest(folder, *arguments, build_folder="build"):
    def work(stage):
        report = stage.log.with_suffix(".xml")
        report.unlink(missing_ok=True)
        env = {"RETOKEN_BUILD": str(ROOT / build_folder), **SANITIZER_OPTIONS}
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


# A search of 10 s with a fixed seed judges a change. FUZZ_SECONDS asks for a longer and random one.
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
FUZZ_SEED = 0 if "FUZZ_SECONDS" in os.environ else 1
FINDINGS = ROOT / "build" / "fuzz"


def fuzz(target, seconds=FUZZ_SECONDS, seed=FUZZ_SEED):
    """Lets libFuzzer search from the seeds and from what earlier runs found to be new."""
    program = ROOT / "build-fuzz" / "tests" / "fuzz" / f"fuzz_{target}"

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


def try_mutants(stage):
    """MUTANTS="NAME NAME" in the environment: only these."""
    return Result(*mutants.run(stage.note, os.environ.get("MUTANTS", "").split()))


def fuzz_targets():
    return sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


FUZZ_BUILD = Stage("fuzz", "fuzz targets with libFuzzer, ASan and UBSan",
                   build("build-fuzz", "CC=clang", "--enable-sanitize=fuzzer",
                         targets=("fuzz-programs",)))

# Part of the campaign -> seconds in a run of everything, seconds in `./check campaign`, what it is.
CAMPAIGN = {
    "kills": (8, 1500, "kill -9 of whatever runs"),
    "powercuts": (6, 400, "what a power cut may leave of a store"),
    "faults": (6, 600, "one call of the system fails"),
    "clocks": (4, 150, "the wall clock jumps"),
    "stops": (4, 150, "processes are stopped and go on"),
    "disks": (3, 60, "the disk is full and has room again"),
    "restores": (4, 120, "backups are put back under load"),
    "soak": (3, 300, "many expired sessions, no cron"),
    "lmdb": (0, 200, "kills and power cuts with Debian 13's LMDB"),
}
FUZZ_LONG_SECONDS = 60


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
    return [Stage(f"campaign-{part}", what, campaign(part, seconds or row[long], *options))
            for part, (*row, what) in CAMPAIGN.items() if row[long] > 0]


def plan_of_campaign(options):
    """The parts named after `campaign`, all unless some are: kills beside the others."""
    chosen = options.stage[1:]
    words = [f"--seed={options.seed}"] if options.seed is not None else []
    words += [f"--lmdb={options.lmdb}"] if options.lmdb else []
    stages = [stage for stage in campaign_stages(1, *words, seconds=options.seconds)
              if not chosen or stage.name.removeprefix("campaign-") in chosen]
    kills = [stage for stage in stages if stage.name == "campaign-kills"]
    others = [stage for stage in stages if stage not in kills]
    if not chosen or "fuzz" in chosen:
        others += [FUZZ_BUILD, *[Stage(f"fuzz-{target}", f"libFuzzer on {target}",
                                       fuzz(target, options.seconds or FUZZ_LONG_SECONDS, options.seed or 0))
                                 for target in fuzz_targets()]]
    return [[BUILD], (kills, others)]


def folders_with_tests():
    """Folders of tests/ that hold pytest files, other than the end-to-end ones."""
    return sorted({path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")} - {"e2e"})


def plan():
    """[lane, lane, …]: the lanes run after one another, the stages of a lane too; a lane may be a
    tuple of lanes that run side by side."""
    others = [Stage(name, f"pytest tests/{name}", pytest(f"tests/{name}"))
              for name in folders_with_tests()]
    first = [
        BUILD,
        Stage("unit", "unit tests and fuzz seeds", unit("build")),
    ]
    left = [
        *others,
        Stage("e2e", "real web servers, races, kills, faults", pytest("tests/e2e")),
        *campaign_stages(0),
    ]
    right = [
        Stage("clang", "clang -Werror, programs and tests", build("build-clang", "CC=clang")),
        Stage("static", "retoken.cgi without shared libraries",
              build("build-static", "--enable-static-cgi")),
        Stage("static-cgi", "plain CGI by it", pytest("tests/responder", "-k", "cgi",
                                                      build_folder="build-static")),
        Stage("asan", "ASan and UBSan", build("build-asan", "--enable-sanitize=address")),
        Stage("asan-unit", "unit tests under ASan and UBSan",
              unit("build-asan", env=SANITIZER_OPTIONS)),
        Stage("tsan", "TSan", build("build-tsan", "--enable-sanitize=thread")),
        Stage("tsan-unit", "unit tests under TSan", unit("build-tsan", env=SANITIZER_OPTIONS)),
        Stage("valgrind", "unit tests under valgrind",
              unit("build", "LOG_COMPILER=prlimit", f"LOG_FLAGS={UNDER_VALGRIND}",
                   env=VALGRIND_ENVIRONMENT)),
    ]
    fuzzing = [
        FUZZ_BUILD,
        *[Stage(f"fuzz-{target}", f"libFuzzer on {target}, {FUZZ_SECONDS} s", fuzz(target))
          for target in fuzz_targets()],
    ]
    last = [
        Stage("asan-e2e", "mounts and hostile requests under ASan and UBSan",
              pytest("tests/e2e", "-m", "sanitized", build_folder="build-asan")),
        Stage("tsan-e2e", "the race under TSan",
              pytest("tests/e2e", "-m", "threaded", build_folder="build-tsan")),
    ]
    seeded = [Stage("mutants", "seeded bugs, which the tests must notice", try_mutants,
                    only_by_name=True)]
    return [first, (left, right + fuzzing), last, seeded]


def coloured(text, code):
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[{code}m{text}\033[0m"


def is_chosen(stage, chosen):
    """`fuzz` chooses fuzz-form, too: what is built and what is run with it belong together."""
    return any(stage.name == one or stage.name.startswith(f"{one}-")
               for one in chosen) if chosen else not stage.only_by_name


class Report:
    """Prints a line per finished stage and keeps the sums."""

    def __init__(self, chosen):
        self.chosen, self.passed, self.failed, self.skipped = chosen, 0, 0, 0
        self.stopped = False

    def run(self, stages):
        for stage in stages:
            if self.stopped:
                return
            if not is_chosen(stage, self.chosen):
                continue
            began = time.monotonic()
            result = stage.run()
            self.line(stage, result, time.monotonic() - began)

    def line(self, stage, result, seconds):
        self.passed += result.passed
        self.failed += result.failed
        self.skipped += result.skipped
        mark = coloured("✗", 31) if result.failed else coloured("✓", 32)
        count = f"{result.passed} passed"
        if result.failed:
            count += f", {result.failed} failed"
        if result.skipped:
            count += f", {result.skipped} skipped"
        text = f"{mark} {stage.name:18} {stage.what:46} {count:24} {seconds:6.1f} s"
        if result.failed:
            tail = result.log.read_text(errors="replace").splitlines()[-60:]
            text += "".join(f"\n    {line}" for line in tail) + f"\n    all of it: {result.log}"
        if result.figures:
            text += f"\n    {result.figures}"
        print(text, flush=True)

    def close(self):
        if self.skipped:
            print(f"({self.skipped} skipped: something this machine lacks; see build/logs)")
        line = f"{self.passed} passed, {self.failed} failed"
        print(coloured(line, 31 if self.failed else 32))
        return 1 if self.failed or not self.passed else 0


def run_side_by_side(report, lanes):
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(report.run, lane) for lane in lanes]
        try:
            for lane in running:
                lane.result()
        finally:
            report.stopped = any(not lane.done() for lane in running)


def main():
    parser = argparse.ArgumentParser(prog="./check", description="Builds and runs every test.")
    parser.add_argument("stage", nargs="*", help="only these stages, and those named STAGE-…")
    parser.add_argument("--list", action="store_true", help="name the stages")
    long = parser.add_argument_group("campaign [PART...]", "the campaign in full, or parts of it")
    long.add_argument("--seconds", type=int, help="for each part")
    long.add_argument("--seed", type=int)
    long.add_argument("--lmdb", metavar="DIR", help="with the liblmdb.so.0 of this folder")
    options = parser.parse_args()
    is_campaign = options.stage[:1] == ["campaign"]
    lanes = plan_of_campaign(options) if is_campaign else plan()
    stages = [stage for lane in lanes for part in (lane if isinstance(lane, tuple) else (lane,))
              for stage in part]
    if options.list:
        for stage in stages:
            print(f"{stage.name:18} {stage.what}{' (only by name)' if stage.only_by_name else ''}")
        return 0
    names = {*CAMPAIGN, "campaign", "fuzz"} if is_campaign else {stage.name for stage in stages}
    unknown = set(options.stage) - names
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}; ./check --list names them")
    report = Report(set() if is_campaign else set(options.stage))
    try:
        for lane in lanes:
            if isinstance(lane, tuple):
                run_side_by_side(report, lane)
            else:
                report.run(lane)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
