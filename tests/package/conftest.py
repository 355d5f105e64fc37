# SPDX-License-Identifier: ISC
"""The packages, built once for a run, and once more in a chroot for each other release."""

import os
import pathlib
import re
import sys

import pytest
from systems import ROOT, System, run

sys.path.insert(0, str(ROOT / "scripts" / "lab"))
import package  # noqa: E402

RELEASES = os.environ.get("RETOKEN_RELEASES", "bookworm trixie").split()


def release_here():
    return re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M).group(1)


@pytest.fixture(scope="session")
def made():
    """build/packages, with all that belongs to a release. RETOKEN_PACKAGES=kept: as the last run left them."""
    if os.environ.get("RETOKEN_PACKAGES") != "kept":
        run(ROOT / "package", "release", cwd=ROOT)
    return ROOT / "build" / "packages"


@pytest.fixture(scope="session", params=RELEASES)
def packages(request, made):
    """The packages for a release: built in it unless it is the machine's."""
    if request.param == release_here():
        return request.param, made
    system = System(request.param, "build")
    package.copy_source(system.root / "root/retoken")
    system.run("cd /root/retoken && apt-get update -qq && ./package", network=True)
    return request.param, system.root / "root/retoken/build/packages"
