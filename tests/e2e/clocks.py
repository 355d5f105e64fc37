# SPDX-License-Identifier: ISC
"""Clocks that a test sets, and a disk that stalls, for programs that it starts: the side of the test.
clocks.c is the side of the program."""

import os

from lab import machine, preload


class Clocks:
    """The folder that clocks.c reads."""

    def __init__(self, folder):
        self.folder = folder
        self.set(0)

    def _write(self, name, text):
        part = self.folder / "part"
        part.write_text(text)
        os.chmod(part, 0o644)
        os.replace(part, self.folder / name)

    def variables(self):
        """Of the environment of a program that is to have these clocks."""
        return preload.variables("e2e/clocks.c", CLOCKS=str(self.folder))

    def set(self, wall_s, boot_s=0):
        """So far ahead of the real clocks."""
        self._write("shift", f"{wall_s * 1000} {boot_s * 1000}\n")

    def stall(self, count):
        self._write("stall", f"{count}\n")

    def wait_for_stall(self, number):
        machine.wait_until((self.folder / f"stalled.{number}").exists, patience=60, what=f"stall {number}")

    def go(self, number):
        self._write(f"go.{number}", "")
