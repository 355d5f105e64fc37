# SPDX-License-Identifier: ISC
"""No refresh takes a tenth more instructions than the record of this release says. instructions.py counts,
tells how, and writes the record; this file only compares."""

import pathlib
import sys
import warnings

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import instructions

CALLGRIND = """\
events: Ir sysCount sysTime

ob=/build/retoken.fcgi
fn=serve
10 100
11 20 2 7
cob=/usr/lib/libcrypto.so.3
cfn=sign
calls=1 0
11 5000 1
12 3

ob=/usr/lib/libcrypto.so.3
fn=sign
0 5000 1

ob=/usr/lib/libc.so.6
fn=clock_gettime@@GLIBC_2.17
0 12 1
fn=read
0 9 1
"""


ROWS = instructions.Bench.rows() + [f"start CGI {name}" for name in instructions.STARTS]
RECORDS = sorted(instructions.HERE.glob("recorded-*.txt"))


@pytest.fixture(scope="module")
def recorded():
    if not instructions.RECORD.exists():
        pytest.skip(f"tests/speed/instructions.py --record has not made {instructions.RECORD.name}")
    return instructions.read_record(instructions.RECORD)[0]


@pytest.fixture(scope="module")
def counted(recorded):
    if instructions.why_not():
        pytest.skip(instructions.why_not())
    return {row: instructions.figures(objects) for row, objects in instructions.measured().items()}


def test_what_is_called_is_counted_where_it_is():
    objects = instructions.by_object(CALLGRIND)
    assert objects == {"retoken.fcgi": [123, 2], "libcrypto.so.3": [5000, 1], "libc.so.6": [21, 1]}
    found = instructions.figures(objects)
    assert (found.total, found.beside, found.calls) == (5144, 144, 4)


def test_one_request_is_the_difference_of_two_processes():
    more, base = {"a": [1000, 60], "new": [30, 0]}, {"a": [400, 30]}
    assert instructions.difference(more, base, 10) == {"a": [60, 3], "new": [3, 0]}


def test_growth_around_the_signature_is_noticed():
    recorded = instructions.Figures(10_000_000, 100_000, 20)
    assert not instructions.too_many("row", instructions.Figures(10_009_000, 109_000, 29), recorded)
    assert len(instructions.too_many("row", instructions.Figures(10_011_000, 111_000, 20), recorded)) == 1
    assert len(instructions.too_many("row", instructions.Figures(11_100_000, 100_000, 31), recorded)) == 2


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_everything_counted_is_recorded(record):
    assert list(instructions.read_record(record)[0]) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_no_more_than_a_tenth_over_the_record(row, recorded, counted):
    now, was = counted[row], recorded[row]
    wrong = instructions.too_many(row, now, was)
    if wrong:
        pytest.fail("\n".join([*wrong, instructions.advice()]), pytrace=False)
    if instructions.too_many(row, was, now):
        warnings.warn(f"{row} has become cheaper: tests/speed/instructions.py --record keeps it so")
