# SPDX-License-Identifier: ISC
"""./check releases: the demonstration and ./check on other releases of Debian and Ubuntu, each in a folder
of its own. Knows how such a system is made and entered; does not know what is tested. The machine itself
stays as it is: what runs there has its own processes, mounts and, once the packages are there, no network."""

import argparse
import dataclasses
import fcntl
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
CHECKOUT = "srv/retoken"  # in the system of a release
SCRIPTS = pathlib.Path("/usr/share/debootstrap/scripts")
UBUNTU_KEYS = "usr/share/keyrings/ubuntu-archive-keyring.gpg"
SETS = ("build", "lighttpd", "apache", "nginx", "test")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
# A stage of ./check that ended; the last line of ./check.
STAGE_LINE, SUM = re.compile(r"^[✓✗] "), re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


@dataclasses.dataclass
class Release:
    name: str
    mirror: str
    sources: tuple
    usual: bool = True  # without --release
    script: str = "sid"  # of debootstrap, when it does not know the release yet


def debian(name, *more, usual=True):
    mirror = "http://deb.debian.org/debian"
    return Release(name, mirror, (f"{mirror} {name} main", *more), usual)


RELEASES = {release.name: release for release in (
    debian("bookworm", "http://deb.debian.org/debian-security bookworm-security main", usual=False),
    debian("trixie", "http://deb.debian.org/debian-security trixie-security main"),
    debian("forky", usual=False),
    Release("noble", "http://archive.ubuntu.com/ubuntu",
            tuple(f"http://archive.ubuntu.com/ubuntu {suite} main universe"
                  for suite in ("noble", "noble-updates", "noble-security")), script="gutsy"))}


class Failure(Exception):
    """A step failed; its output is in its log."""


class System:
    """A release, unpacked in a folder."""

    def __init__(self, release, folder):
        self.release, self.root = release, folder / release.name
        self.made = folder / f"{release.name}.made"

    def run(self, step, *command, network=False):
        """Runs the command in the checkout there and prints what stages of ./check say; returns the log."""
        name = f"{self.release.name}-{step}"
        log = LOGS / f"releases-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        rooms = ["--mount", "--pid", "--ipc", "--uts", *([] if network else ["--net"])]
        process = subprocess.Popen(
            ["unshare", *rooms, "--fork", "--kill-child", "--propagation=private", sys.executable, "-B",
             __file__, "--inside", self.root, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        with log.open("w") as file:
            for line in process.stdout:
                file.write(line)
                file.flush()
                if STAGE_LINE.match(line):
                    print(f"  {self.release.name:8} {line}", end="", flush=True)
        good = process.wait() == 0
        print(f"{'✓' if good else '✗'} {name:18} {time.monotonic() - began:6.0f} s  {' '.join(command)}",
              flush=True)
        text = log.read_text()
        if not good and not SUM.search(text):
            print("".join(f"    {line}\n" for line in text.splitlines()[-30:]) + f"    all of it: {log}")
            raise Failure
        return text

    def make(self, keyring):
        """Unpacks the system, once."""
        if self.made.exists():
            return
        print(f"  {self.release.name:8} debootstrap", flush=True)
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.parent.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"releases-{self.release.name}-debootstrap.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        script = SCRIPTS / self.release.name
        with log.open("w") as file:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", "--include=ca-certificates,git",
                 *([f"--keyring={keyring}"] if keyring else []), self.release.name, self.root,
                 self.release.mirror, script if script.exists() else SCRIPTS / self.release.script],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
        if done.returncode != 0:
            print(f"✗ debootstrap {self.release.name} failed; its output: {log}")
            raise Failure
        (self.root / "etc/apt/sources.list").write_text(
            "".join(f"deb {line}\n" for line in self.release.sources))
        (self.root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")  # it can be made again
        self.made.touch()

    def take_checkout(self):
        """The files of this checkout as they are now; what was built there before stays."""
        target = self.root / CHECKOUT
        target.mkdir(parents=True, exist_ok=True)
        listed = self.made.with_suffix(".files")
        before = set(listed.read_text().split("\0")) if listed.exists() else set()
        names = set(subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True,
                                   capture_output=True, text=True).stdout.split("\0")) - {""}
        names = {name for name in names if os.path.lexists(ROOT / name)}
        for name in before - names:
            (target / name).unlink(missing_ok=True)
        for name in names:
            source, copy = ROOT / name, target / name
            if not os.path.lexists(copy) or copy.lstat().st_mtime_ns != source.lstat().st_mtime_ns:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                shutil.copy2(source, copy, follow_symlinks=False)
        listed.write_text("\0".join(sorted(names)))
        # tests ask git which files are ours
        subprocess.run(["git", "init", "--quiet", target], check=True)


def keyring_of(release, folder):
    """What signs the release, where it is not debootstrap's own: Ubuntu's keys, as Debian packages them."""
    if "ubuntu" not in release.mirror:
        return None
    if (here := pathlib.Path("/", UBUNTU_KEYS)).exists():
        return here
    debian_system = System(RELEASES["trixie"], folder)
    keys = debian_system.root / UBUNTU_KEYS
    if not keys.exists():
        debian_system.make(None)
        debian_system.take_checkout()
        debian_system.run("keyring", "sh", "-c", "apt-get update && apt-get install -y ubuntu-keyring", network=True)
    return keys


def examine(release, folder, stages):
    """(passed, failed)."""
    system = System(release, folder)
    try:
        system.make(keyring_of(release, folder))
        system.take_checkout()
        system.run("packages", "scripts/prepare", "packages", *SETS, network=True)
        system.run("clients", "scripts/prepare", "clients", network=True)
        system.run("demo", "./demo", "--once", "--port", "0")
        passed, failed = map(int, SUM.findall(system.run("check", "./check", *stages))[-1])
    except Failure:
        return 0, 1
    return passed + 1, failed


def inside(root, command):
    """In namespaces of its own, as process 1: makes the room complete, runs the command there and buries
    whatever it leaves behind."""
    try:
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
    except PermissionError:
        pass  # the machine's own network, which is up
    # tests make mount namespaces of their own, whose root has to be a mount
    subprocess.run(["mount", "--bind", root, root], check=True)
    for kind, place, options in (("proc", "proc", ""), ("sysfs", "sys", "ro"), ("tmpfs", "tmp", "mode=1777"),
                                 ("tmpfs", "run", "mode=755")):
        subprocess.run(["mount", "-t", kind, *(["-o", options] if options else []), kind, f"{root}/{place}"],
                       check=True)
    subprocess.run(["mount", "--rbind", "/dev", f"{root}/dev"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{root}/dev/shm"], check=True)
    shutil.copyfile("/etc/resolv.conf", f"{root}/etc/resolv.conf")
    pathlib.Path(root, "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    # npm trusts them, too, where a machine's way out has an authority of its own
    shutil.copyfile(AUTHORITIES, f"{root}/run/authorities.crt")
    socket.sethostname(pathlib.Path(root).name)
    os.chroot(root)
    os.chdir(f"/{CHECKOUT}")
    child = subprocess.Popen(command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                                           "LANG": "C.UTF-8",
                                           "NODE_EXTRA_CA_CERTS": "/run/authorities.crt"}).pid
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(prog="./check releases", description="Demonstration and ./check on other "
                                     "releases. Takes as long as ./check for each, and 4 GB.")
    parser.add_argument("--release", action="append", choices=RELEASES,
                        help=f"without it: {', '.join(r.name for r in RELEASES.values() if r.usual)}")
    parser.add_argument("--stage", action="append", default=[], help="only this stage of ./check; may be repeated")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "releases",
                        help="where the systems are kept (build/releases)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("this makes chroots, which takes root: sudo ./check releases")
    names = options.release or [release.name for release in RELEASES.values() if release.usual]
    sums = [examine(RELEASES[name], options.folder.resolve(), options.stage) for name in names]
    for name, (passed, failed) in zip(names, sums):
        print(f"{name}: {passed} passed, {failed} failed")
    passed, failed = map(sum, zip(*sums))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
