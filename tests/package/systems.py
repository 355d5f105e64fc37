# SPDX-License-Identifier: ISC
"""Fresh Debian systems in folders, as root. Knows how they are made, entered and booted; does not know what is
tested in them."""

import os
import pathlib
import pty
import shlex
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("RETOKEN_CHROOTS", ROOT / "build" / "chroots"))
ENVIRONMENT = ("env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
               "TERM=dumb")

sys.path.insert(0, str(ROOT / "scripts"))
from lab import machine  # noqa: E402


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", **more)
    assert done.returncode == 0, f"{shlex.join(map(str, words))}\n{done.stdout[-6000:]}"
    return done.stdout


class System:
    """A fresh system in a folder."""

    INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install -qq"

    def __init__(self, release, name):
        archive = CACHE / f"{release}.tar"
        self.root = CACHE / f"{release}-{name}"
        shutil.rmtree(self.root, ignore_errors=True)
        if not archive.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", release, self.root)
            run("tar", "-C", self.root, "-cf", archive, ".")
        else:
            self.root.mkdir()
            run("tar", "-C", self.root, "-xf", archive)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\n")
        # Packages start no service: there is nothing that could stop it.
        self.program("/usr/sbin/policy-rc.d", "exit 101")

    def program(self, path, script):
        target = self.root / path.lstrip("/")
        target.write_text(f"#!/bin/sh\n{script}\n")
        target.chmod(0o755)

    def words(self, script, network):
        """A shell in it, with processes and /run of its own, which end with it."""
        inside = (f"mount -t proc proc {self.root}/proc && mount -t tmpfs tmpfs {self.root}/run && "
                  f"mkdir -m 1777 {self.root}/run/lock && "
                  f"mount --rbind /dev {self.root}/dev && {'true' if network else 'ip link set lo up'} && "
                  f"exec chroot {self.root} {shlex.join(ENVIRONMENT)} sh -ec {shlex.quote(script)}")
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"]), "sh", "-ec",
                inside]

    def run(self, script, network=False):
        return run(*self.words(script, network))

    def install(self, *names):
        self.run(f"apt-get update -qq && {self.INSTALL} {' '.join(names)}", network=True)

    def typed(self, script, answers):
        """Runs it on a terminal, and answers what it asks: answers are prompt and text. What it wrote."""
        shown = bytearray()

        def read(fd):
            data = os.read(fd, 4096)
            shown.extend(data)
            if answers and answers[0][0] in shown[read.seen:]:
                read.seen = len(shown)
                os.write(fd, answers.pop(0)[1] + b"\n")
            return data
        read.seen = 0
        status = pty.spawn(self.words(script, False), read, lambda fd: b"")
        text = shown.decode(errors="replace")
        assert os.waitstatus_to_exitcode(status) == 0 and not answers, text
        return text


class CannotBoot(Exception):
    """This machine lets no system boot in a folder; the text says what happened."""


class Booted(System):
    """A system whose systemd runs, as systemd-nspawn boots it, in a network without other machines."""

    PATIENCE = 120.0
    # A hierarchy of control groups as systemd wants it, whatever this machine has; nothing of it stays.
    NSPAWN = ("mount -t cgroup2 cgroup2 /sys/fs/cgroup; mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; "
              'status=0; systemd-nspawn --directory="$1" --boot --register=no --keep-unit --private-network '
              "--console=read-only || status=$?; "
              "cd /sys/fs/cgroup; find payload supervisor -depth -type d -exec rmdir {} +; exit $status")

    def boot(self):
        if shutil.which("systemd-nspawn") is None:
            raise CannotBoot("no systemd-nspawn: install systemd-container")
        (self.root / "usr/sbin/policy-rc.d").unlink()
        log = self.root.with_suffix(".log")
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--cgroup", "--fork", "--kill-child", "sh", "-ec", self.NSPAWN, "sh", self.root],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            machine.wait_until(self.is_up, self.PATIENCE, "systemd")
        except machine.LabError as error:
            machine.stop(self.process)
            raise CannotBoot(f"{error}: {log.read_text(errors='replace')[-1000:]}") from error

    def is_up(self):
        if self.process.poll() is not None:
            raise machine.LabError(f"systemd-nspawn ended with status {self.process.returncode}")
        below = machine.children(self.process.pid)
        self.init = next((pid for pid in below if machine.program_of(pid) == "systemd"), None)
        return self.init is not None and subprocess.run(
            self.inside("systemctl is-system-running --wait"), stdin=subprocess.DEVNULL, capture_output=True,
            text=True).stdout.strip() in ("running", "degraded")

    def inside(self, script):
        """The words of a shell among what it booted."""
        return ["nsenter", f"--target={self.init}", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root",
                "--wd", *ENVIRONMENT, "sh", "-ec", script]

    def do(self, script):
        return run(*self.inside(script))

    def halt(self):
        """Orderly, as at the push of a power button."""
        try:
            os.kill(self.init, signal.SIGRTMIN + 4)
            assert self.process.wait(self.PATIENCE) == 0
        finally:
            machine.stop(self.process)
