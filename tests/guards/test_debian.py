# SPDX-License-Identifier: ISC
"""debian/ and the tree say the same: versions, units, what is built and what it takes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "debian"


def text(name):
    return (ROOT / name).read_text()


def test_versions_agree():
    ours = re.search(r"AC_INIT\(\[retoken\], \[([^\]]+)\]", text("configure.ac")).group(1)
    packaged = re.match(r"retoken \(([^)]+)-\d+\) ", text("debian/changelog")).group(1)
    assert packaged == ours


def test_every_unit_is_packaged():
    """By a link in debian/ with the name that debhelper looks for. Drop-ins are samples."""
    linked = {path.resolve() for path in DEBIAN.iterdir() if path.is_symlink()}
    assert len(linked) >= 4, "the links were not found"
    assert all(path.exists() for path in linked), sorted(map(str, linked))
    missing = [path.name for path in (ROOT / "systemd").iterdir()
               if path not in linked and path.suffix != ".conf"]
    assert not missing, missing


def test_every_program_is_packaged():
    programs = set(re.findall(r"^bin_PROGRAMS \+= (.+)$", "\n".join(
        text(name) for name in ("Makefile.am", "src/responder/local.mk", "src/admin/local.mk")), re.M))
    built = {name for row in programs for name in row.split()}
    assert {"retoken", "retoken.fcgi"} <= built
    named = text("debian/retoken.install") + text("debian/rules")
    missing = [name for name in built if not re.search(rf"usr/bin/{re.escape(name)}\s", named)]
    assert not missing, missing


def test_build_dependencies_are_those_of_prepare():
    """What scripts/prepare installs to build, but for what debhelper brings."""
    prepared = set(re.search(r"\n    build\) echo (.*?) ;;", text("scripts/prepare"), re.S).group(1)
                   .replace("\\\n", " ").split())
    brought = {"autoconf", "automake", "make", "gcc", "libc6-dev", "python3", "pkg-config"}
    named = set(re.findall(r"^ ([a-z0-9.+-]+)", re.search(r"Build-Depends:(.*?)\nRules", text("debian/control"),
                                                        re.S).group(1), re.M))
    of_packages = {name for name in named if name.startswith(("debhelper-", "dh-"))}
    assert prepared - brought == named - of_packages - {"libcmocka-dev", "pkgconf", "po-debconf"}


@pytest.mark.parametrize("server,text_of", [("apache2", "debian/apache2/retoken.conf"),
                                            ("lighttpd", "debian/lighttpd/50-retoken.conf")])
def test_snippets_include_what_is_installed(server, text_of):
    named = re.findall(r"^\s*#?include \"?/usr/share/retoken/([^\"\s]+)", text(text_of), re.M | re.I)
    assert named, server
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, missing


def test_scripts_are_good_shell():
    scripts = [DEBIAN / f"retoken.{name}" for name in ("config", "postinst", "prerm", "postrm")]
    scripts.append(DEBIAN / "static-built-using")
    scripts += [path for path in (DEBIAN / "tests").iterdir() if path.name != "control"]
    assert len(scripts) >= 9, scripts
    for path in scripts:
        checked = subprocess.run(["dash", "-n", path], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
