# SPDX-License-Identifier: ISC
"""The campaign: what time, crashes, stalls and broken disks do to users, tried for long and judged by
what clients saw. Each part is a module of this folder with

    run(budget_s, seed, **choice) -> figures, a dict; raises Violation

and is run by `./check campaign [PART…]`, or alone by `python3 -m lab.campaign PART` in scripts/. Random
choices come from the seed; threads and the kernel add theirs. docs/reliability.md has the figures."""

import atexit
import ctypes
import os
import pathlib
import shlex
import shutil
import sys

from lab import machine

PROGRAMS = machine.BUILD / "tests" / "campaign"


class Violation(Exception):
    """A promise to users was broken: what clients saw, and where the evidence is kept."""

    def __init__(self, found, figures, evidence=()):
        self.found, self.figures = list(found), figures
        kept = "".join(f"\nkept: {path}" for path in evidence)
        super().__init__("\n".join(self.found[:12]) + f"\n{len(self.found)} violations" + kept)


class Unavailable(machine.LabError):
    """This machine lacks what a part needs; the part is skipped."""


def again(part, budget_s, seed, choice):
    """The command that tries the same once more."""
    words = [sys.executable, "-B", "-m", "lab.campaign", part, "--seconds", f"{budget_s:g}",
             "--seed", str(seed)]
    words += [f"--set={name}={value}" for name, value in choice.items() if value is not None]
    kept = [f"{name}={os.environ[name]}" for name in ("RETOKEN_BUILD", "LD_LIBRARY_PATH")
            if name in os.environ]
    return shlex.join(["env", f"PYTHONPATH={machine.ROOT / 'scripts'}", *kept, *words])


def memory_folder(prefix):
    """A folder in memory where there is one: what is judged here are processes, not disks."""
    shared = pathlib.Path("/dev/shm")
    return machine.folder(prefix, shared if shared.is_dir() else None)


def use_lmdb(folder):
    """Everything started from now on is run with the liblmdb.so.0 of this folder; its version."""
    copy = machine.folder("retoken-lmdb-")
    machine.copy_for_user(pathlib.Path(folder) / "liblmdb.so.0", copy / "liblmdb.so.0")
    os.environ["LD_LIBRARY_PATH"] = str(copy)
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    version = ctypes.CDLL(copy / "liblmdb.so.0").mdb_version
    version.restype = ctypes.c_char_p
    return version(None, None, None).decode()
