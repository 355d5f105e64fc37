# SPDX-License-Identifier: ISC
"""Guards over the programs as they were built: what the compiler and the linker were to add is in them."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from lab import machine

X86 = platform.machine() == "x86_64"
PROGRAMS = [name for name in ("retoken", "retoken.fcgi", "retoken.cgi", "retoken-static") if (machine.BUILD / name).exists()]


def tell(tool, *arguments):
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=True).stdout


def has_sanitizers(path):
    return re.search(r" __(asan|tsan)_init", tell("nm", path)) is not None


@pytest.fixture(params=PROGRAMS)
def program(request):
    path = machine.BUILD / request.param
    if has_sanitizers(path):
        pytest.skip("a build with sanitizers is for tests")
    return path


def test_there_are_programs():
    assert {"retoken", "retoken.fcgi"} <= set(PROGRAMS)


def test_position_independent(program):
    assert re.search(r"^  Type: +DYN ", tell("readelf", "-h", program), re.M)


def test_nothing_is_both_writable_and_executable(program):
    flags = re.findall(r"^  (\w+) +(?:0x\w+ +){5}([R ][W ][E ])", tell("readelf", "-W", "-l", program), re.M)
    assert ("GNU_STACK", "RW ") in flags
    assert [each for each in flags if each[1][1:] == "WE"] == []
    assert any(kind == "GNU_RELRO" for kind, _ in flags)


def test_addresses_are_bound_at_the_start(program):
    dynamic = tell("readelf", "-W", "-d", program)
    assert program.suffix == ".cgi" or re.search(r"FLAGS.*\bBIND_NOW\b|FLAGS_1.*\bNOW\b", dynamic)
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic


def test_buffers_are_watched(program):
    names = tell("nm", program)
    assert re.search(r" __stack_chk_fail\b", names)
    assert len(re.findall(r" __\w+_chk\b", names)) >= 5, "_FORTIFY_SOURCE"


@pytest.mark.skipif(not X86, reason="the instructions of x86-64")
def test_jumps_land_where_they_may(program):
    code = tell("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", program)
    assert re.search(r"<main>:\n\s+\S+\s+endbr64", code)


@pytest.mark.skipif(not X86, reason="the instructions of x86-64")
def test_large_frames_are_probed(program):
    """log_line's frame is larger than a page's half; a probe is an `or` of nothing into the stack."""
    assert "-fstack-clash-protection" in (machine.BUILD / "Makefile").read_text()
    code = tell("objdump", "-d", "--no-show-raw-insn", program)
    assert re.search(r"\bor[lq] +\$0x0,(0x[0-9a-f]+)?\(%rsp", code)
