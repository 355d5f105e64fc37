# SPDX-License-Identifier: ISC
"""./package, and its packages in fresh Debian systems: `./check package`, as root. Each system is a
chroot with its own processes, /run and network. systemd does not run in it: debian/tests/start-service
does what the units say, without their sandboxing; test_booted.py has the units."""

import filecmp
import json
import os
import re
import shutil

import package
import pytest
from systems import ROOT, System, run

PASSWORD = "a long enough password"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="chroots take root")


@pytest.fixture(scope="module")
def system(packages):
    """Another one, which has the package and Apache, and has never seen a compiler."""
    release, folder = packages
    fresh = System(release, "fresh")
    for path in folder.glob("retoken*.deb"):
        shutil.copy(path, fresh.root / "root")
    fresh.install("apache2", "curl")
    fresh.run(f"cd /root && {fresh.INSTALL} ./retoken_*.deb", network=True)
    for name in ("usr.bin.retoken.fcgi", "local/usr.bin.retoken.fcgi"):
        assert (fresh.root / "etc/apparmor.d" / name).exists(), name
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
    static = {one["name"]: one["version"] for one in bill["components"] if "arch=source" in one["purl"]}
    assert {"glibc", "jansson", "libfcgi", "libxcrypt", "lmdb", "openssl"} <= set(static), static
    assert run("dpkg-query", "-W", "-f", "${source:Version}", "libssl-dev") == static["openssl"]
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
    assert not list((system.root / "etc/apparmor.d").rglob("*retoken*"))


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
