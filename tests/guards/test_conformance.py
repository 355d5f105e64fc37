# SPDX-License-Identifier: ISC
"""Guards of tests/conformance.tsv: each requirement has its line, and each line its tests or the
reason why it has none."""

import re

import pytest
from test_guards import ROOT, has_test

ROWS = [line.split("\t") for line in (ROOT / "tests/conformance.tsv").read_text().splitlines()
        if line and not line.startswith("#")]

REQUIRED = [*(f"R49-{n:02}" for n in range(1, 18)), *(f"B97-{n:02}" for n in range(1, 7)), "R68-01",
            *(f"J-{n:02}" for n in range(1, 15)), *(f"D94-{n:02}" for n in range(1, 4)),
            "M87-01", "V70-01", "V70-02", "V76-01", "V84-01"]


def test_every_requirement_has_one_line():
    assert sorted(row[0] for row in ROWS) == sorted(REQUIRED)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_requirement_is_tested(row):
    assert 3 <= len(row) <= 4 and row[1], "id, requirement, tests, remark"
    if row[2] == "-":
        assert len(row) == 4 and row[3], "why is there no test?"
        return
    for test in row[2].split():
        assert has_test(test), f"there is no test {test}"


def test_what_is_promised_names_tests_that_are_there():
    """docs/security.md, last column of its table of promises."""
    named = re.findall(r"\btests/[\w/.]+(?:::\w+)?", (ROOT / "docs/security.md").read_text())
    assert len(named) > 10
    for test in named:
        assert (ROOT / test).exists() or has_test(test), f"there is no test {test}"
