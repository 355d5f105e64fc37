# SPDX-License-Identifier: ISC
"""./package, and its packages in fresh Debian systems: `./check package`, as root. Each system is a
chroot with its own processes, /run and network. systemd does not run in it: debian/tests/start-service
does what the units say, without their sandboxing."""

import filecmp
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("RETOKEN_CHROOTS", ROOT / "build" / "chroots"))
RELEASES = os.environ.get("RETOKEN_RELEASES", "bookworm trixie").split()
PASSWORD = "a long enough password"

sys.path.insert(0, str(ROOT / "scripts" / "lab"))
import package  # noqa: E402

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="chroots take root")


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", **more)
    assert done.returncode == 0, f"{shlex.join(map(str, words))}\n{done.stdout[-6000:]}"
    return done.stdout


def release_here():
    return re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M).group(1)


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
                  f"exec chroot {self.root} env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "
                  f"LC_ALL=C.UTF-8 TERM=dumb sh -ec {shlex.quote(script)}")
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


@pytest.fixture(scope="session")
def made():
    """build/packages, with all that belongs to a release."""
    run(ROOT / "package", "release", cwd=ROOT)
    return ROOT / "build" / "packages"


@pytest.fixture(scope="module", params=RELEASES)
def packages(request, made):
    """The packages for a release: built in it unless it is the machine's."""
    if request.param == release_here():
        return request.param, made
    system = System(request.param, "build")
    package.copy_source(system.root / "root/retoken")
    system.run("cd /root/retoken && apt-get update -qq && ./package", network=True)
    return request.param, system.root / "root/retoken/build/packages"


@pytest.fixture(scope="module")
def system(packages):
    """Another one, which has the package and Apache, and has never seen a compiler."""
    release, folder = packages
    fresh = System(release, "fresh")
    for path in folder.glob("retoken*.deb"):
        shutil.copy(path, fresh.root / "root")
    fresh.install("apache2", "curl")
    fresh.run(f"cd /root && {fresh.INSTALL} ./retoken_*.deb", network=True)
    assert not (fresh.root / "usr/bin/gcc").exists()
    shutil.copytree(ROOT / "debian" / "tests", fresh.root / "root/tests")
    return fresh


def five_lines():
    """What README has a newcomer type after the package is installed."""
    found = re.search(r"^    sudo apt install \./retoken_\S+\n\s*((?:    .+\n)+)", (ROOT / "README.md").read_text(), re.M)
    assert found, "README.md: the lines after `sudo apt install ./retoken_…` were not found"
    return [line.strip().split("   #")[0] for line in found.group(1).splitlines()]


def test_lintian_has_nothing_to_say(made):
    said = run("lintian", "--allow-root", "--info", "--pedantic", "--fail-on", "error,warning,info,pedantic",
               *made.glob("*.changes"))
    print(said)


def test_two_builds_in_different_folders_are_the_same_bytes(made, tmp_path):
    copy = tmp_path / "another folder of another length" / "tree"
    package.copy_source(copy)
    shutil.rmtree(copy / ".git", ignore_errors=True)
    run(copy / "package", "release", "--output", tmp_path / "out", cwd="/", preexec_fn=lambda: os.umask(0o077),
        env={"PATH": os.environ["PATH"], "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": "/nonexistent"})
    names = sorted(path.name for path in made.iterdir() if path.suffix in (".deb", ".xz", ".json", ".dsc"))
    assert len(names) >= 6, names
    same, other, missing = filecmp.cmpfiles(made, tmp_path / "out", names, shallow=False)
    assert not other and not missing, (other, missing)


def test_bill_of_materials_names_what_is_in_the_programs(made, tmp_path):
    bill = json.loads(next(made.glob("*.cdx.json")).read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    names = {one["name"] for one in bill["components"]}
    run("dpkg-deb", "--extract", next(made.glob("retoken_*.deb")), tmp_path)
    needed = run("readelf", "-d", tmp_path / "usr/bin/retoken.fcgi")
    for library in re.findall(r"NEEDED.*\[(.+?)\]", needed):
        owner = run("sh", "-c", f"dpkg -S '*/{library}'").split(":")[0]
        assert owner in names, (library, owner)
    known = {one["bom-ref"] for one in bill["components"]} | {"retoken"}
    assert all({row["ref"], *row["dependsOn"]} <= known for row in bill["dependencies"])


def test_five_lines_after_the_package_a_client_refreshes(system):
    lines = five_lines()
    assert len(lines) <= 5, lines
    system.program("/usr/local/bin/sudo", 'exec "$@"')
    system.program("/usr/local/bin/systemctl", '[ "$1" = reload ] && exec service "$2" restart')
    login, refresh = lines[-2:]
    script = "\n".join(["systemd-tmpfiles --create", "/root/tests/start-service", *lines[:-2],
                        f"login=$({login.replace('…', PASSWORD)})", 'echo "login: $login"',
                        "token=$(echo \"$login\" | sed -n 's/.*\"refresh_token\":\"\\([^\"]*\\)\".*/\\1/p')",
                        refresh.replace("refresh_token=…", '"refresh_token=$token"')])
    said = system.typed(script, [(b"assword", PASSWORD.encode()), (b"assword", PASSWORD.encode())])
    answer = json.loads(said[said.rindex("\n{", 0, said.rindex("}")) + 1:said.rindex("}") + 1])
    assert answer["access_token"].count(".") == 2 and answer["refresh_token"], said


@pytest.mark.parametrize("server", ["apache", "nginx", "lighttpd"])
def test_autopkgtest(system, server):
    """debian/tests, as autopkgtest would run them."""
    if server != "apache":
        system.install("nginx-light" if server == "nginx" else server)
    said = system.run(f"systemd-tmpfiles --create; /root/tests/{server}")
    assert "is good" in said, said


def test_removal_leaves_web_servers_that_start(system):
    system.run("apt-get remove -qq retoken && apache2ctl configtest && lighttpd -tt -f /etc/lighttpd/lighttpd.conf")
    system.run(f"cd /root && {system.INSTALL} ./retoken_*.deb", network=True)


def test_purge_keeps_the_data_unless_asked(system):
    store, config = system.root / "var/lib/retoken/store/data.mdb", system.root / "etc/retoken/retoken.conf"
    before = store.read_bytes()
    system.run("DEBIAN_FRONTEND=noninteractive apt-get purge -qq retoken")
    assert store.read_bytes() == before and config.exists()
    system.run(f"cd /root && {system.INSTALL} ./retoken_*.deb && retoken session list --account apache2-ada | "
               "grep -q /oauth/access_token", network=True)
    system.run("echo retoken retoken/purge-data boolean true | debconf-set-selections; "
               "DEBIAN_FRONTEND=noninteractive apt-get purge -qq retoken")
    assert not store.parent.parent.exists() and not config.parent.exists()


def test_static_programs_need_nothing(packages, made):
    """The tarball in a system without any of the libraries, as an ordinary user."""
    release, _ = packages
    bare = System(release, "bare")
    shutil.copy(next(made.glob("retoken-static-*.tar.xz")), bare.root / "tmp/static.tar.xz")
    bare.install("xz-utils")
    bare.run("useradd -m hoster; cd /home/hoster; setpriv --reuid=hoster --regid=hoster --init-groups sh -ec '"
             "export HOME=/home/hoster RETOKEN_HOME=/home/hoster/retoken/data; tar -xJf /tmp/static.tar.xz -C ~; "
             "~/retoken/retoken init --issuer https://login.example.org; "
             "echo long-enough-password | ~/retoken/retoken account add ada --password-file -; "
             "~/retoken/retoken.fcgi --version; "
             "GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET SCRIPT_NAME=/healthz ~/retoken/retoken.cgi | grep ok'")
