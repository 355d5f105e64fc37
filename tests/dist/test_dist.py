# SPDX-License-Identifier: ISC
"""What people expect of autotools: the archive of a release is whole, builds without git in its own folder,
installs below DESTDIR and leaves nothing behind; and configure says which package is lacking."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from lab import machine  # noqa: E402

# What git has and a release does not, and the reverse.
OF_GIT = {".ci/run", ".gitignore"}
OF_AUTOTOOLS = {"Makefile.in", "aclocal.m4", "config.h.in", "configure",
                *(f"build-aux/{name}" for name in ("ar-lib", "compile", "depcomp", "install-sh", "missing",
                                                   "test-driver"))}
JOBS = f"-j{os.cpu_count()}"
PACKAGES = {"libcrypto": "libssl-dev", "lmdb": "liblmdb-dev", "jansson": "libjansson-dev",
            "libjwt": "libjwt-dev", "libxcrypt": "libcrypt-dev", "zlib": "zlib1g-dev", "libpq": "libpq-dev"}


def run(*command, cwd, status=0):
    done = subprocess.run([*map(str, command)], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert done.returncode == status, done.stdout[-3000:]
    return done.stdout


def archive_of(folder):
    """Makes it, and runs no tests for that."""
    said = run("make", "-s", "dist", cwd=folder)
    assert "Testsuite summary" not in said
    archive, = folder.glob("retoken-*.tar.xz")
    return archive


def files_of(archive):
    with tarfile.open(archive) as tar:
        return {member.name.partition("/")[2] for member in tar if not member.isdir()}


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Of the build folder that has the tests' programs in it, too."""
    made = archive_of(machine.BUILD)
    kept = tmp_path_factory.mktemp("archive") / made.name
    made.rename(kept)
    return kept


@pytest.fixture
def release(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path)
    return tmp_path / archive.name.removesuffix(".tar.xz")


def test_archive(archive):
    if not (ROOT / ".git").exists():
        pytest.skip("no git to compare with")
    tracked = set(run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).split("\n")) - {""}
    assert files_of(archive) == tracked - OF_GIT | OF_AUTOTOOLS


def test_built_in_its_own_folder(archive, release):
    """Without git; the archive made there is the same again, whatever was built."""
    assert not (release / ".git").exists()
    run("./configure", "-q", "--enable-werror", "--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
        cwd=release)
    run("make", "-s", JOBS, "all", cwd=release)
    run("make", "-s", JOBS, "check", "TESTS=tests/base/test_text", cwd=release)
    assert files_of(archive_of(release)) == files_of(archive)

    root = release.parent / "root"
    run("make", "-s", "install", f"DESTDIR={root}", cwd=release)
    installed = files_below(root)
    assert {"usr/bin/retoken", "usr/bin/retoken.fcgi", "usr/share/man/man1/retoken.1",
            "usr/share/man/man5/retoken.conf.5", "usr/share/man/man5/retoken-dialect.5",
            "usr/share/retoken/dialects/wirecash.dialect", "usr/share/man/man8/retoken.fcgi.8",
            "usr/share/retoken/www/index.html", "usr/share/retoken/nginx-conf/retoken.conf"} <= installed
    assert all(name.startswith("usr/") for name in installed)
    assert {"usr/bin/retoken.cgi", "usr/bin/retoken-static"} <= installed
    assert run_by_samples(root) == {"/usr/bin/retoken.cgi"}
    assert "retoken 0" in run(root / "usr/bin/retoken", "--version", cwd="/")
    assert os.access(root / "usr/share/retoken/hook/claims.py", os.X_OK)
    run("make", "-s", "uninstall", f"DESTDIR={root}", cwd=release)
    assert files_below(root) == set()


def run_by_samples(root):
    """What samples run as a CGI script."""
    samples = [root / "usr/share/retoken" / name for name in ("apache-conf/mod_cgid.conf", "lighttpd-conf/settings.conf")]
    return {re.search(r"(?i)\bretoken_cgi (?:= )?\"?(/[^\"\s]+)", sample.read_text())[1] for sample in samples}


def test_without_static_libraries(release):
    """Samples name what there is, unless static programs were asked for."""
    lacking = "STATIC_LIBS=-lnone"
    said = run("./configure", "-q", "--prefix=/usr", lacking, cwd=release)
    assert "without static libraries CGI samples run retoken.fcgi" in said
    root = release.parent / "root"
    run("make", "-s", "install-nobase_dist_pkgdataDATA", "install-man", "install-data-hook", f"DESTDIR={root}",
        cwd=release)
    assert run_by_samples(root) == {"/usr/bin/retoken.fcgi"}
    assert "needs the static libraries" in run("./configure", "-q", "--enable-static", lacking, cwd=release, status=1)


def test_distcheck(release):
    """Out of tree, with read-only sources, another prefix, and nothing left by `distclean`. The tests are built
    there and run by the other stages."""
    build = release.parent / "elsewhere"
    build.mkdir()
    run(release / "configure", "-q", cwd=build)
    assert "archives ready for distribution" in run("make", "-s", JOBS, "distcheck", "TESTS=", cwd=build)


def without(release, module):
    """A pkg-config that does not know this module."""
    program = release.parent / "pkg-config"
    program.write_text(f'#!/bin/sh\ncase " $* " in *" {module} "*) exit 1 ;; esac\nexec pkg-config "$@"\n')
    program.chmod(0o755)
    return f"PKG_CONFIG={program}"


@pytest.mark.parametrize("module", PACKAGES)
def test_lacking_package(release, module):
    said = run("./configure", "-q", without(release, module), cwd=release, status=1)
    assert re.search(rf"error: {module}\b.* not found: install {PACKAGES[module]} ", said), said


@pytest.mark.parametrize("words, said", [
    (["PKG_CONFIG="], "install pkg-config"),
    (["ac_cv_header_curl_curl_h=no"], "install libcurl4-openssl-dev"),
    (["ac_cv_header_fcgiapp_h=no"], "install libfcgi-dev"),
    (["CPPFLAGS=-D__SIZE_TYPE__=unsigned"], "64 bits"),
    (["--with-client-jwt=none"], "--with-client-jwt takes libjwt or own"),
    (["--enable-static", "--enable-sanitize"], "do not go together"),
])
def test_refusals(release, words, said):
    assert said in run("./configure", "-q", *words, cwd=release, status=1)


def test_without_cmocka(release):
    """make check says what it lacks, and does not pass for want of tests."""
    assert "install libcmocka-dev" in run("./configure", "-q", without(release, "cmocka"), cwd=release)
    assert "make check needs cmocka" in run("make", "-s", "check-local", cwd=release, status=2)
