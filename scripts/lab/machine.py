# SPDX-License-Identifier: ISC
"""Processes, ports and folders on this machine. Knows how to run something as an ordinary user,
wait until it answers, and end it by its process id. Knows nothing of Retoken.

Nothing here needs root. When root calls (a container, sudo), everything is started as someone
else, so that what works here works in a home directory too: the caller of sudo, else www-data."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve()

# A program and its arguments behind these words see a network of their own, with nothing in it.
APART = ["unshare", "--user", "--map-current-user", "--net", "--"]

_PASSED_ON = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")


class LabError(Exception):
    """Something the person at the keyboard can mend; the text says how."""


def user():
    """The passwd entry of the user everything is run as."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    caller = int(os.environ.get("SUDO_UID", "0"))
    return pwd.getpwuid(caller) if caller else pwd.getpwnam("www-data")


def identity():
    """What subprocess needs to run something as the user."""
    if os.getuid() != 0:
        return {}
    return {"user": user().pw_uid, "group": user().pw_gid, "extra_groups": []}


def environment(**more):
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **kept, **more}


def own(path):
    """Gives a file or folder, with all that is in it, to the user."""
    if os.getuid() == 0:
        entry = user()
        for at in (path, *pathlib.Path(path).rglob("*")):
            os.chown(at, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    return pathlib.Path(path)


def folder(prefix, parent=None):
    """A new folder in `parent`, else under $TMPDIR, that only the user can enter."""
    return own(tempfile.mkdtemp(prefix=prefix, dir=parent))


def can_use(path):
    """May the user enter and change this folder?"""
    return run(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", str(path)]).returncode == 0


def copy_for_user(source, target):
    """A copy the user can read, wherever the source lies (/root is closed to www-data)."""
    if pathlib.Path(source).is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
    return own(target)


def run(command, *, stdin=b"", cwd="/", timeout=60, env=None):
    """Runs to the end as the user; gives the CompletedProcess with bytes."""
    return subprocess.run([str(part) for part in command], input=stdin, capture_output=True,
                          cwd=str(cwd), timeout=timeout, env=env or environment(), check=False,
                          **identity())


def start(command, *, log, cwd="/", env=None, stdin=subprocess.DEVNULL):
    """Starts a long-lived process as the user, in a process group of its own; its output goes to
    the file `log`."""
    with open(log, "ab") as out:
        own(log)
        return subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=out,
                                stderr=out, cwd=str(cwd), env=env or environment(),
                                start_new_session=True, **identity())


def stop(process, patience=10.0):
    """SIGTERM to the process, SIGKILL to what is left of its group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait(patience)


def wait_until(ready, patience=15.0, what="it"):
    """Polls until ready() is true; LabError when patience (seconds) runs out first."""
    end = time.monotonic() + patience
    while not ready():
        if time.monotonic() > end:
            raise LabError(f"waited {patience:g} s for {what} in vain")
        time.sleep(0.01)


def freeze(pid):
    """Stops a process. When this returns no thread of it runs any more, which the signal does not say."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(status.read_text().rpartition(")")[2].split()[0] == "T"
                           for status in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")),
               patience=60, what=f"process {pid} to stop")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_taken(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def listens_at(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def children(pid):
    """Process ids of all descendants of pid, from /proc."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


def program_of(pid):
    """The name of what runs there; "" when it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
