# SPDX-License-Identifier: ISC
"""One of four processes on a store is stopped (SIGSTOP) at a random moment of load, and goes on. When it
holds up the others, it stays so for up to twelve seconds. Its clients give up after a while and ask
elsewhere, so what they had asked is performed late, after they have gone on. No one is refused; those of
the other processes are told within the bound that they must wait; and reading waits for no one. Knows
what a stopped process holds up."""

import os
import random
import shutil
import signal
import subprocess
import time

from lab import machine

from . import Violation, kills, load

LONGEST_S, GIVEN_UP_S = 12.0, 8.0
READ_S = 5.0  # within which `retoken session list` must be done
WINDOWS = dict.fromkeys(load.WINDOWS, 60.0)


def run(budget_s, seed):
    # On a disk, where most of the time someone waits for a commit.
    folder, chance = machine.folder("retoken-stops-"), random.Random(seed)
    installed = load.furnish(folder, 8, WINDOWS)
    server = kills.Kept(installed, folder, 4)
    figures = {"stops": 0, "held_up": 0, "reads": 0, "slowest_read_s": 0.0}
    try:
        clients = load.Load(installed, lambda request: server.send(request, timeout=GIVEN_UP_S), seed,
                            windows=WINDOWS, patience=60, thieves=False)
        clients.start()
        end = time.monotonic() + budget_s
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.02, 0.4))
            stop_one(chance.choice(sorted(kills.children(server.process.pid))),
                     chance, installed, clients, figures)
        clients.finish()
    finally:
        server.stop()
    figures |= clients.figures()
    if clients.violations:
        raise Violation(clients.violations, figures, [folder])
    shutil.rmtree(folder)
    return figures


def stop_one(pid, chance, installed, clients, figures):
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        time.sleep(chance.uniform(0.05, 0.3))
        answers = clients.counts["answers"]
        time.sleep(0.3)
        if clients.counts["answers"] == answers:
            figures["held_up"] += 1
            figures["reads"] += 1
            read(installed, clients, figures)
            time.sleep(max(0.0, began + chance.uniform(1, LONGEST_S) - time.monotonic()))
    finally:
        os.kill(pid, signal.SIGCONT)
    figures["stops"] += 1


def read(installed, clients, figures):
    began = time.monotonic()
    try:
        done = installed.run("session", "list", "--account", "user0", timeout=READ_S)
        if done.returncode != 0:
            clients.violate(f"`session list` while a process was stopped: {done.stderr[-200:]}")
    except subprocess.TimeoutExpired:
        clients.violate(f"`session list` waited for {READ_S:g} s for a process that was stopped")
    figures["slowest_read_s"] = round(max(figures["slowest_read_s"], time.monotonic() - began), 2)
