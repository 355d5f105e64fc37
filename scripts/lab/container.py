# SPDX-License-Identifier: ISC
"""container: does what container/Dockerfile says, without an engine: each stage is a copy of a Debian that
debootstrap made, its steps run in there, and then both programs run as compose.yaml has them, and a client refreshes
through the nginx. Takes root, a network and some minutes.

What an engine does besides is not tried: namespaces of networks and processes, its own filter of system calls, and
the layers of an image."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from . import dialects, dockerfile, http, machine

FOLDER = machine.ROOT / "build" / "container-roots"  # not `container`, which make dist would take for ours
SOURCES = machine.ROOT / "container"
PORT = 8080
LONG = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOUNT = dialects.mount_at("/oauth/token")

# The folders of the kernel and those of volumes, only for this process; then the program, in its root.
ENTER = """
root=$1; shift
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
while [ "$1" != -- ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; shift 2; done
shift
exec chroot "$@"
"""


class Image:
    """A stage as far as it has been built."""

    def __init__(self, stage, images):
        self.stage, self.images = stage, images
        self.root = FOLDER / stage.name
        self.environment = {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive"}
        self.folder, self.user = "/", None

    def build(self):
        say(f"{self.stage.name}: a copy of {self.stage.base}")
        remove(self.root)
        subprocess.run(["cp", "-a", base(self.stage.base), self.root], check=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        for word, argument in self.stage.steps:
            say(f"{self.stage.name}: {word} {argument[:100]}")
            if word == "RUN":
                self.run(["/bin/sh", "-c", argument], check=True)
            elif word == "COPY":
                self.copy(*dockerfile.copy(argument))
            elif word == "WORKDIR":
                self.folder = argument
                (self.root / argument.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "ENV":
                self.environment.update(dockerfile.variables(argument))
            elif word == "USER":
                self.user = argument

    def copy(self, stage, source, target):
        into = self.root / target.lstrip("/")
        if stage is not None:
            tree = self.images[stage].root / source.lstrip("/")
            subprocess.run(["cp", "-a", f"{tree}/.", into], check=True) if tree.is_dir() else shutil.copy2(tree, into)
        elif source == ".":  # what git has, and what is new
            into.mkdir(parents=True, exist_ok=True)
            files = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                                    "--exclude-standard"],
                                   cwd=machine.ROOT, capture_output=True, check=True).stdout
            subprocess.run(["cp", "-a", "--parents", "-t", into,
                            *[name for name in files.decode().split("\0") if (machine.ROOT / name).is_file() and name]],
                           cwd=machine.ROOT, check=True)
        else:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(machine.ROOT / source, into)

    def command(self, program, volumes=()):
        """`program` in this image, with (folder here, place there) of each volume."""
        mounts = [str(part) for volume in volumes for part in volume]
        user = [f"--userspec={self.user}"] if self.user else []
        return ["unshare", "--mount", "--", "/bin/sh", "-euc", ENTER, "sh", self.root, *mounts, "--", *user,
                self.root, "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.folder, *program]

    def run(self, program, volumes=(), stdin="", check=False):
        done = subprocess.run([str(part) for part in self.command(program, volumes)], env=self.environment, input=stdin,
                              capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise machine.LabError(f"{self.stage.name}: {program}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def start(self, volumes):
        """Its CMD."""
        say(f"{self.stage.name}: {self.stage.last('CMD')}")
        with open(FOLDER / f"{self.stage.name}.log", "wb") as log:
            os.fchmod(log.fileno(), 0o666)  # an engine gives the user its output, too
            return subprocess.Popen([str(part) for part in self.command(dockerfile.words(self.stage.last("CMD")), volumes)],
                                    env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True)


def say(words):
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def remove(root):
    if root.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)


def base(name):
    """debian:SUITE-slim, made once."""
    suite = name.removeprefix("debian:").removesuffix("-slim")
    root = FOLDER / f"base-{suite}"
    if not (root / "complete").exists():
        say(f"debootstrap {suite}")
        remove(root)
        done = subprocess.run(["debootstrap", "--variant=minbase", suite, root], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise machine.LabError(f"debootstrap: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        (root / "complete").touch()
    return root


def stop(process, number):
    process.send_signal(number)
    return process.wait(LONG)


def refresh(images):
    """Begins a session by the command line, and follows it through nginx."""
    retoken, web = images["retoken"], images["web"]
    data, sockets = FOLDER / "data", FOLDER / "socket"
    for folder, place in ((data, "var/lib/retoken"), (sockets, "run/retoken")):
        remove(folder)
        subprocess.run(["cp", "-a", retoken.root / place, folder], check=True)  # as a new volume is filled
    volumes = [(data, "/var/lib/retoken"), (sockets, "/run/retoken")]
    retoken.run(["retoken", "init"], volumes, check=True)
    retoken.run(["retoken", "account", "add", "ada"], volumes, "correct horse battery\n", check=True)
    made = json.loads(retoken.run(["retoken", "session", "create", "--mount", MOUNT.path, "--account", "ada", "--json"],
                                  volumes, check=True).stdout)
    login = dialects.Login(made["session"], made["refresh_token"], made["access_token"])
    running = [(retoken.start(volumes), signal.SIGTERM)]
    try:
        machine.wait_until(lambda: machine.listens_at(sockets / "retoken.sock"), LONG, "the responder")
        running.append((web.start(volumes[1:]), signal.SIGQUIT))
        machine.wait_until(lambda: machine.listens(PORT), LONG, "nginx")
        for _ in range(3):
            answer = http.send(PORT, MOUNT.dialect.request(MOUNT.path, login))
            complaints = MOUNT.dialect.complaints(login, answer)
            if complaints:
                raise machine.LabError(f"a refresh: {complaints}")
            login = login.after(*MOUNT.dialect.tokens(answer))
        health = web.stage.last("HEALTHCHECK").partition("CMD ")[2]
        web.run(dockerfile.words(health), check=True)
        statuses = [stop(process, number) for process, number in reversed(running)]
        if statuses != [0, 0]:
            raise machine.LabError(f"exit statuses {statuses}")
        if web.run(dockerfile.words(health)).returncode == 0:
            raise machine.LabError("the health check is content with nothing")
    finally:
        for process, _ in running:
            machine.stop(process)
    say("refreshed three times through nginx")


def main():
    if os.getuid() != 0:
        say("only root can make a root to build in; not run")
        return 77
    if machine.port_is_taken(PORT):
        raise machine.LabError(f"port {PORT} is taken")
    FOLDER.mkdir(parents=True, exist_ok=True)
    images = {}
    for stage in dockerfile.parse((SOURCES / "Dockerfile").read_text()):
        images[stage.name] = Image(stage, images)
        images[stage.name].build()
    refresh(images)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except machine.LabError as error:
        say(f"failed: {error}")
        sys.exit(1)
