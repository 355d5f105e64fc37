# SPDX-License-Identifier: ISC
"""Guards of tests/mutants: every seeded bug can still be put in, and what must notice it is there.
Whether it does is for `./check mutants`."""

import sys

import pytest
from test_guards import ROOT, has_test

sys.path.insert(0, str(ROOT / "scripts"))

from lab import mutants  # noqa: E402

MUTANTS = mutants.load()
NAMES = [mutant.name for mutant in MUTANTS]


def test_there_are_as_many_as_were():
    assert len(MUTANTS) > 100, len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=NAMES)
def test_mutant_finds_its_lines_and_its_test(mutant):
    assert mutants.changed(mutant, ROOT)
    assert bool(mutant.tests) != bool(mutant.equivalent), "either a test or a reason why none can"
    for test in mutant.tests:
        assert has_test(test), f"{mutant.name}: there is no test {test}"
