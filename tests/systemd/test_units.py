# SPDX-License-Identifier: ISC
"""What systemd, logrotate and AppArmor make of the files that we ship for them. Nothing here runs as a service."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from lab import machine

UNITS = machine.ROOT / "systemd"
PROFILE = machine.ROOT / "apparmor" / "usr.bin.retoken.fcgi"
# At most so exposed, of 100.
EXPOSURE = {"retoken.service": 10, "retoken-notify.service": 20}


def tool(name):
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command, level="warning"):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False,
                          env=dict(os.environ, SYSTEMD_LOG_LEVEL=level, SYSTEMD_PAGER="cat"))
    return done.returncode, done.stdout + done.stderr


def test_units_are_understood(tmp_path):
    """With the programs where the build has them."""
    analyze = tool("systemd-analyze")
    units = sorted([*UNITS.glob("*.service"), *UNITS.glob("*.socket")])
    for unit in units:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/usr/bin/retoken", f"{machine.BUILD}/retoken"))
    assert run(analyze, "--man=no", "verify", *[tmp_path / unit.name for unit in units]) == (0, "")


def test_drop_in_is_understood(tmp_path):
    analyze = tool("systemd-analyze")
    for unit in ("retoken.service", "retoken.socket"):
        (tmp_path / unit).write_text((UNITS / unit).read_text()
                                     .replace("/usr/bin/retoken", f"{machine.BUILD}/retoken"))
    (tmp_path / "retoken.service.d").mkdir()
    shutil.copy(UNITS / "network.conf", tmp_path / "retoken.service.d")
    assert run(analyze, "--man=no", "verify", tmp_path / "retoken.service") == (0, "")


@pytest.mark.parametrize("unit", EXPOSURE)
def test_exposure(unit, capsys):
    status, said = run(tool("systemd-analyze"), "security", "--offline=true", f"--threshold={EXPOSURE[unit]}",
                       UNITS / unit)
    with capsys.disabled():
        print(f"\n{said.strip().splitlines()[-1].strip('→ ')}")
    assert status == 0, said


def test_user_is_understood(tmp_path):
    status, said = run(tool("systemd-sysusers"), "--dry-run", f"--root={tmp_path}", UNITS / "retoken.sysusers",
                       level="info")
    assert status == 0, said
    assert "Creating user 'retoken' (Retoken, refresh tokens)" in said


def test_folders_are_made(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root gives folders to others")
    user = machine.user()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(f"root:x:0:0::/:\nretoken:x:{user.pw_uid}:{user.pw_gid}::/:\n")
    (tmp_path / "etc/group").write_text(f"root:x:0:\nretoken:x:{user.pw_gid}:\n")
    assert run(tool("systemd-tmpfiles"), f"--root={tmp_path}", "--create", UNITS / "retoken.tmpfiles") == (0, "")
    data, place = (tmp_path / "var/lib/retoken").stat(), (tmp_path / "run/retoken").stat()
    assert (data.st_mode & 0o7777, data.st_uid) == (0o700, user.pw_uid)
    assert (place.st_mode & 0o7777, place.st_uid) == (0o755, 0)


def test_log_is_rotated():
    """As often as it is asked to, without making the new file, which the responder does."""
    rotate = tool("logrotate")
    folder = machine.folder("retoken-logrotate-")
    log = folder / "retoken.log"
    settings = (UNITS / "retoken.logrotate").read_text().replace("/var/log/retoken", str(folder))
    user = machine.user()
    # only root acts as another user
    settings = settings.replace("    su retoken retoken\n",
                                f"    su {user.pw_name} {user.pw_gid}\n" if os.getuid() == 0 else "")
    (folder / "conf").write_text(settings)
    (folder / "conf").chmod(0o644)
    try:
        for number in range(3):
            log.write_text(f"{number}\n")
            machine.own(log)
            status, said = run(rotate, "--force", "--state", folder / "state", folder / "conf")
            assert status == 0, said
            assert not log.exists()
            assert (folder / "retoken.log.1").read_text() == f"{number}\n"
        assert (folder / "retoken.log.2.gz").exists()
    finally:
        shutil.rmtree(folder)


def test_profile_is_understood():
    """By the parser, which does not load it (-Q)."""
    status, said = run(tool("apparmor_parser"), "-Q", "-K", "--warn=all", PROFILE)
    assert status == 0, said
    assert "error" not in said.lower(), said
