# SPDX-License-Identifier: ISC
"""Kills and power cuts with a second LMDB: Debian 13's, built from its source package, because its binary
wants a newer libc. Kept in the build folder, so the network is needed once. Knows apt and a compiler."""

import os
import shutil
import subprocess

from lab import machine

from . import Unavailable, kills, powercuts, use_lmdb

RELEASE = "trixie"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
FOLDER = machine.BUILD / f"lmdb-{RELEASE}"


def run(budget_s, seed):
    version = use_lmdb(fetched())
    return {"lmdb": version, **kills.run(budget_s * 0.7, seed, ways="socket-4,cgi"),
            "powercuts": powercuts.run(budget_s * 0.3, seed)}


def fetched():
    """The folder with its liblmdb.so.0."""
    if not (FOLDER / "liblmdb.so.0").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        try:
            _build(_source())
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            raise Unavailable(f"no LMDB of Debian {RELEASE}: {error}") from error
    return FOLDER


def _source():
    """The folder of LMDB's source, unpacked and patched."""
    for name in ("lists/partial", "cache/archives/partial"):
        (FOLDER / name).mkdir(parents=True)
    sources = FOLDER / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYS}] http://deb.debian.org/debian {RELEASE} main\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=-",
           "-o", f"Dir::State::lists={FOLDER}/lists", "-o", f"Dir::Cache={FOLDER}/cache"]
    if os.getuid() == 0:
        apt += ["-o", "APT::Sandbox::User=root"]
    for words in (["update"], ["source", "--only-source", "lmdb"]):
        subprocess.run([*apt, *words], cwd=FOLDER, check=True, timeout=120, stdout=subprocess.DEVNULL)
    return next(path.parent for path in FOLDER.rglob("mdb.c"))


def _build(source):
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-pthread", "-Wl,-soname,liblmdb.so.0",
                    "-o", FOLDER / "new", source / "mdb.c", source / "midl.c"], check=True)
    (FOLDER / "new").rename(FOLDER / "liblmdb.so.0")
