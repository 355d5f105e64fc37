# SPDX-License-Identifier: ISC
"""The wall clock jumps, by seconds to ten years and either way, for some time, during load. While it is
wrong a client may be refused, and asks again; once it is right everybody goes on, those too who did not
ask meanwhile. Knows how the clock of the responder is set; windows and expiry are the responder's."""

import math
import mmap
import random
import shutil
import struct
import time

from lab import dialects, machine, preload, servers

from . import Violation, load, memory_folder

YEAR_S = 365 * 86400
LONGEST_S, RIGHT_S = 1.5, 0.7  # a clock is wrong for at most, and then right for
SILENT = 20  # sessions that no one uses until the end
WINDOWS = dict.fromkeys(load.WINDOWS, 60.0)


def run(budget_s, seed):
    folder, chance = memory_folder("retoken-clocks-"), random.Random(seed)
    installed = load.furnish(folder, 7, WINDOWS)
    shift = folder / "shift"
    shift.write_bytes(bytes(8))
    machine.own(folder)
    silent = [(mount, load.login(installed, mount, 6))
              for mount in map(dialects.mount_at, chance.choices(list(WINDOWS), k=SILENT))]
    installed.variables = preload.variables("campaign/clock.c", CLOCK_SHIFT=str(shift))
    server = servers.start("socket", installed, folder)
    jumps = 0
    try:
        clients = Shifted(installed, server.send, seed, range(6), WINDOWS, thieves=False)
        clients.start()
        with shift.open("r+b") as file, mmap.mmap(file.fileno(), 8) as clock:
            prove_shifted(installed, server, clock)
            end = time.monotonic() + budget_s
            while time.monotonic() < end and not clients.violations:
                seconds = int(math.exp(chance.uniform(0, math.log(10 * YEAR_S)))) * chance.choice((1, -1))
                clients.begin_wrong(seconds)
                clock[:] = struct.pack("q", seconds)
                time.sleep(chance.uniform(0.05, LONGEST_S))
                clock[:] = bytes(8)
                clients.end_wrong()
                jumps += 1
                time.sleep(RIGHT_S)
        clients.finish()
        for mount, login in silent:
            if server.send(mount.dialect.request(mount.path, login)).status != 200:
                clients.violate(f"session {login.session} was silent, and is refused")
    finally:
        server.stop()
    figures = {"jumps": jumps, **clients.figures()}
    if clients.violations:
        raise Violation(clients.violations, figures, [folder])
    shutil.rmtree(folder)
    return figures


def prove_shifted(installed, server, clock):
    """The responder's clock is the one that is set here."""
    mount = dialects.mount_at("/oauth/token")
    login = load.login(installed, mount, 6)
    clock[:] = struct.pack("q", 86400)
    answer = server.send(mount.dialect.request(mount.path, login))
    clock[:] = bytes(8)
    if dialects.jwt_claims(mount.dialect.tokens(answer)[1])["iat"] < time.time() + 80000:
        raise machine.LabError("the clock of the responder cannot be set")


class Shifted(load.Load):
    """A load that expects refusals while the clock is wrong."""

    def __init__(self, *arguments, **more):
        self.wrong = []  # [from, to) of each time, newest last
        super().__init__(*arguments, **more)

    def begin_wrong(self, seconds):
        self.shift = seconds
        self.wrong.append([time.monotonic(), math.inf])

    def end_wrong(self):
        self.wrong[-1][1] = time.monotonic()

    def excuses(self, client, first, end):
        return "again" if any(begin <= end and first <= over for begin, over in self.wrong[-3:]) else None

    def violate(self, text):
        super().violate(f"{text} (the clock was last off by {getattr(self, 'shift', 0)} s)")
