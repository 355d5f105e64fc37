# SPDX-License-Identifier: ISC
"""The disk is full, again and again: a file system of three mebibytes in memory is filled to the last
block and freed, during load. Clients are told to wait, and no one is refused; with room everybody goes
on. A process that a full disk leaves unsure ends, and the next goes on. Mounting needs root."""

import random
import shutil
import subprocess
import time

from lab import machine

from . import Unavailable, Violation, kills, load, memory_folder

SIZE = "3m"
WINDOWS = dict.fromkeys(load.WINDOWS, 60.0)


def run(budget_s, seed):
    folder, chance = memory_folder("retoken-disks-"), random.Random(seed)
    home = folder / "home"
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "none", home],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        shutil.rmtree(folder)
        raise Unavailable(f"no small file system: {mounted.stderr.decode().strip()}")
    try:
        figures, violations = on_small_disk(home, folder, budget_s, seed, chance)
    finally:
        subprocess.run(["umount", "-l", home], check=True)
    if violations:
        raise Violation(violations, figures)
    shutil.rmtree(folder)
    return figures


def on_small_disk(home, folder, budget_s, seed, chance):
    machine.own(home)
    installed = load.furnish(home, 6, WINDOWS, store_size="1m")
    server = kills.Kept(installed, folder, 2)
    fills = 0
    try:
        clients = load.Load(installed, server.send, seed, range(6), WINDOWS, thieves=False)
        clients.start()
        end = time.monotonic() + budget_s
        while time.monotonic() < end and not clients.violations:
            fill(home / "filler")
            time.sleep(chance.uniform(0.05, 1.0))
            (home / "filler").unlink()
            fills += 1
            answers = clients.counts["answers"]
            try:
                machine.wait_until(lambda: clients.counts["answers"] > answers + 20, patience=20)
            except machine.LabError:
                clients.violate("no answers within 20 s although there is room again")
        clients.finish()
    finally:
        server.stop()
    return {"fills": fills, **clients.figures()}, clients.violations


def fill(path):
    with path.open("wb", buffering=0) as filler:
        for size in (65536, 4096):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                continue
