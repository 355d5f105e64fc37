# SPDX-License-Identifier: ISC
"""A long run over a store full of expired sessions, without cron: what each commit sweeps keeps up, and
nothing grows. Judged are errors, the file, the memory of the process's own, its descriptors and threads.
Latencies are figures only: the machine does other things."""

import json
import pathlib
import shutil
import subprocess
import time

from lab import dialects, machine, servers

from . import Violation, load, memory_folder

LOOK_S = 15
EXPIRED_A_SECOND, EXPIRED_MOST, LIVE = 3000, 1_000_000, 600  # of the budget
THREADS = 6  # on a busy machine workers wait for a processor, and more are started: never more than these
MOUNT, SHORT = "/oauth/token", "/sandbox/token"


def run(budget_s, seed):
    del seed  # nothing here is random
    folder = memory_folder("retoken-soak-")
    expired = min(int(budget_s * EXPIRED_A_SECOND), EXPIRED_MOST)
    installed = load.furnish(folder, 1, keep_ended="1s", sessions_per_account="0",
                             threads=str(THREADS))
    installed.set_mount(dialects.mount_at(SHORT), idle_lifetime="2s", algorithm="ES256")
    populate(installed, SHORT, expired)
    populate(installed, MOUNT, LIVE)
    server = servers.start("socket", installed, folder)
    try:
        seen, figures = [], {"refreshes": 0, "errors": 0, "p99_ms": []}
        end = time.monotonic() + budget_s
        pressed(installed, server, min(LOOK_S, budget_s / 4), figures)  # what only the first requests need
        seen.append(look(installed, server))
        while time.monotonic() < end:
            pressed(installed, server, min(LOOK_S, budget_s / 4), figures)
            seen.append(look(installed, server))
    finally:
        server.stop()
    checked = installed.run("store", "check")
    figures |= {"expired": expired, "sessions_at_last": seen[-1]["sessions"], "first": seen[0], "last": seen[-1]}
    found = grown(seen[0], seen[-1])
    found += [f"{figures['errors']} errors"] if figures["errors"] else []
    found += ["nothing was swept"] if seen[-1]["sessions"] >= expired + LIVE else []
    found += [f"store check: {checked.stdout[-200:]}"] if checked.returncode else []
    if found:
        raise Violation(found, figures, [folder])
    shutil.rmtree(folder)
    return figures


def populate(installed, mount, count):
    made = machine.run([machine.BUILD / "bench" / "populate", installed.config, mount, "user0", count,
                        installed.folder / f"tokens{mount.replace('/', '-')}"], cwd=installed.folder,
                       timeout=600)
    if made.returncode != 0:
        raise machine.LabError(f"populate: {made.stderr[-300:]}")


def pressed(installed, server, seconds, figures):
    done = subprocess.run([machine.BUILD / "bench" / "loadgen", "--tokens",
                           installed.folder / f"tokens{MOUNT.replace('/', '-')}", "--clients", "6", "--keep",
                           "--seconds", f"{max(1, round(seconds))}", f"unix:{server.socket}"],
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise machine.LabError(f"loadgen: {done.stderr[-300:]}")
    said = json.loads(done.stdout)
    figures["refreshes"] += said["done"]
    figures["errors"] += said["errors"]
    figures["p99_ms"].append(said["p99_ms"])


def look(installed, server):
    pid = server.process.pid
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    stat = installed.json("store", "stat")
    return {"file_bytes": (installed.folder / "store" / "data.mdb").stat().st_size,
            "own_memory_kb": int(status["RssAnon"].split()[0]), "threads": int(status["Threads"]),
            "descriptors": len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())),
            "sessions": stat["sessions"]}


# Pages that a few commits of 128 writes copy while readers still look at the old ones: how many at once
# is chance. (A row for each refresh would be far more in a long run.)
COPIED = 4 * 128 * 2 * 4096


def grown(first, last):
    """What must be flat: the file to a hundredth and what commits copy, memory to a tenth and 512 kB."""
    found = []
    if last["file_bytes"] > first["file_bytes"] * 1.01 + COPIED:
        found.append(f"the file grew from {first['file_bytes']} to {last['file_bytes']} bytes")
    if last["own_memory_kb"] > first["own_memory_kb"] * 1.1 + 512:
        found.append(f"memory grew from {first['own_memory_kb']} to {last['own_memory_kb']} kB")
    if last["threads"] > THREADS + 1:  # the main thread
        found.append(f"threads: {last['threads']}, of {THREADS} workers at most")
    if last["descriptors"] > first["descriptors"] + 2:
        found.append(f"descriptors: {first['descriptors']}, then {last['descriptors']}")
    return found
