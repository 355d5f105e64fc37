# SPDX-License-Identifier: ISC
"""The manual has each kind of event, with its class, as src/model/event.h has them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r'EVENT\(\w+, (\w+), "([a-z-]+)",[\s\\]*"([^"]+)"\)')


def test_the_manual_has_every_kind():
    rows = ROW.findall((ROOT / "src/model/event.h").read_text())
    manual = (ROOT / "man/retoken.1").read_text()
    part = manual[manual.index(".Sh EVENTS"):]
    part = part[:part.index(".Sh", 3)]
    said = re.findall(r"^\.It Li (\S+)\n\((\w+)\) (.+)$", part, re.M)

    assert len(rows) > 20
    assert sorted(said) == sorted((word, of.lower(), meaning) for of, word, meaning in rows)
