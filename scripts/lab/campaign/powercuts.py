# SPDX-License-Identifier: ISC
"""The power fails, between any two calls that change a file of the store. A responder and `retoken` work
under load while tests/campaign/recorder logs what they do to the files and clients note what they were
promised; then tests/campaign/replay opens what each cut may have left. Knows how the recording is made;
what a disk may lose, and how it is judged, is replay.c's."""

import json
import random
import shutil
import threading
import time

from lab import dialects, machine, preload, servers

from . import PROGRAMS, Violation, load, memory_folder

RECORDING_SHARE, RECORDING_MOST_S = 0.15, 20


def run(budget_s, seed, images=1_000_000_000):
    """images: enough."""
    folder = memory_folder("retoken-powercuts-")
    began = time.monotonic()
    clients = record(folder, min(budget_s * RECORDING_SHARE, RECORDING_MOST_S), seed)
    recorded = clients.figures()
    if clients.violations:
        raise Violation(clients.violations, recorded, [folder])
    left = max(3.0, budget_s - (time.monotonic() - began))
    replayed = machine.run([PROGRAMS / "replay", folder, seed, f"{left:.0f}", images], timeout=left + 600)
    figures = json.loads(replayed.stdout or b"{}")
    figures["answers"] = recorded["answers"]
    figures["seconds"] = round(time.monotonic() - began, 1)
    if replayed.returncode != 0 or not figures.get("images"):
        raise Violation(replayed.stderr.decode("utf-8", "replace").splitlines() or ["no images"], figures, [folder])
    shutil.rmtree(folder)
    return figures


def record(folder, seconds, seed):
    """Fills the folder as replay.c wants it."""
    home = folder / "home"
    home.mkdir()
    machine.own(home)
    installed = load.furnish(home, 8, {"/oauth/token": 1.0}, store_size="1m")
    machine.copy_for_user(PROGRAMS / "replay", folder / "replay")
    begin_with(installed, folder)
    installed.variables = preload.variables("campaign/recorder.c", RECORD_LOG=str(folder / "log"),
                                            RECORD_STORE=str(home / "store"))
    run_folder = folder / "run"
    run_folder.mkdir()
    machine.own(run_folder)
    server = servers.start("socket", installed, run_folder)
    try:
        clients = Noting(installed, server.send, seed, range(6), {"/oauth/token": 1.0})
        clients.start()
        administrator = random.Random(f"{seed}/administrator")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            end_some(installed, clients, administrator)
            clients.ending.wait(0.2)
        clients.finish()
    finally:
        server.stop()
    promises = folder / "promises"
    promises.write_text("".join(f"{when} {word} {session} {generation}\n"
                                for when, word, session, generation in sorted(clients.noted)))
    machine.own(folder)
    return clients


def begin_with(installed, folder):
    store, base = installed.folder / "store", folder / "base"
    base.mkdir()
    files = [path for path in store.iterdir() if path.name not in ("lock.mdb", "process.lock")]
    for path in files:
        shutil.copy2(path, base)
    (folder / "inodes").write_text("".join(f"{path.name} {path.stat().st_ino}\n" for path in files))
    shutil.copy2(installed.folder / "secret", folder)


def end_some(installed, clients, chance):
    """The administrator ends a session of user 6, or all of user 7."""
    mount = dialects.mount_at(chance.choice(list(load.WINDOWS)))
    number = chance.choice((6, 7))
    begun = [load.login(installed, mount, number).session for _ in range(1 if number == 6 else 2)]
    for session in begun:
        clients.note("made", session)
    for session in begun:
        clients.note("end-asked", session)
    installed.retoken("session", "revoke", *(begun if number == 6 else ("--account", "user7")))
    for session in begun:
        clients.note("ended", session)


class Noting(load.Load):
    """A load that keeps what its clients may count on, with CLOCK_MONOTONIC in ns."""

    def __init__(self, *arguments):
        self.noted, self.noting = [], threading.Lock()
        super().__init__(*arguments)

    def note(self, word, session, generation=0, when=None):
        when_ns = time.monotonic_ns() if when is None else int(when * 1e9)
        with self.noting:
            self.noted.append((when_ns, word, session, generation))
