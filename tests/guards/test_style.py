# SPDX-License-Identifier: ISC
"""Style guards: how every source file begins, and spellings on which clang-format has no opinion."""

import re

from test_guards import ROOMS, ROOT, sources, tracked

LICENCE = "SPDX-License-Identifier: ISC"
C_LIKE = {".c", ".h", ".js", ".cjs", ".mjs"}
SCRIPTS = {".py", ".sh"}


def code_files():
    """(path, lines after `#!`, how a comment begins) of every file of code."""
    for path in tracked():
        if not path.is_file():
            continue
        if path.suffix not in C_LIKE | SCRIPTS | {""}:
            continue
        lines = path.read_text(errors="replace").split("\n")
        shebang = lines[0].startswith("#!")
        if path.suffix in C_LIKE:
            yield path, lines, "/* "
        elif path.suffix in SCRIPTS or shebang:
            yield path, lines[1:] if shebang else lines, "# "


def test_files_carry_their_licence():
    found = list(code_files())
    assert len(found) > 200, len(found)
    wrong = [str(path.relative_to(ROOT)) for path, lines, comment in found
             if lines[0] not in (f"{comment}{LICENCE}", f"{comment}{LICENCE} */")]
    assert not wrong, f"the first line, after any `#!`, is {LICENCE!r}: {wrong}"


def test_files_of_code_begin_with_a_comment():
    """What the file is for: in Python a docstring."""
    for path, lines, comment in code_files():
        python = path.suffix == ".py" or path.read_text().startswith("#!/usr/bin/python3")
        assert lines[1].startswith('"""' if python else comment), (
            f"{path.relative_to(ROOT)}: {lines[1]!r} does not say what the file is for")


# What may stand between the parentheses of sizeof: a type.
TYPE = re.compile(r"(const\s+)?(struct|union|enum|unsigned|signed|char|short|int|long|double|float|"
                  r"void|bool|json_t|[a-z0-9_]+_t|[A-Z][A-Z_]*_[A-Z]+|type)\b[\w\s]*\**$")


def test_sanitizers_are_known_by_every_compilers_name():
    """clang does not define __SANITIZE_ADDRESS__; these headers know what it has instead."""
    knowing = {"src/process/harden.h", "tests/base/sanitized.h"}
    found = {str(path.relative_to(ROOT)) for path, lines, _ in code_files()
             if path.suffix in {".c", ".h"} and "__SANITIZE_ADDRESS__" in "\n".join(lines)}
    assert found == knowing


def test_sizeof_of_an_expression_has_no_parentheses():
    """Except in macros, and where the expression itself begins with them."""
    wrong = []
    for path, lines, _ in code_files():
        text = "\n".join(lines) if path.suffix in {".c", ".h"} else ""
        text = re.sub(r"^\s*#define (.*\\\n)*.*$", "", text, flags=re.M)
        for inside in re.findall(r"\bsizeof\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)", text):
            if not TYPE.match(inside.strip()) and not inside.startswith("("):
                wrong.append(f"{path.relative_to(ROOT)}: sizeof({inside})")
    assert not wrong, wrong


FOREIGN = re.compile(r"(%s|openssl/.*|cmocka\.h)$" % "|".join(map(re.escape, ROOMS)))


def kinds_of(path, headers):
    """For each `#include` line: own, system, foreign or project. A file without a header of its name
    may share one of its folder with others; that one comes first and alone."""
    folder = "/".join(path.parent.relative_to(ROOT).parts[1:])
    own = f'"{folder}/{path.stem}.h"'
    first = f'"{folder}/'
    shared = (path.suffix == ".c" and not path.with_suffix(".h").exists()
              and headers[0].startswith(f"#include {first}"))
    for i, line in enumerate(headers):
        header = line.removeprefix("#include ")
        if path.suffix == ".c" and (header == own or (shared and i == 0)):
            yield "own"
        elif header[0] == '"':
            yield "project"
        else:
            yield "foreign" if FOREIGN.match(header[1:-1]) else "system"


def include_groups(path):
    """The kinds of the `#include` lines at the head of a file, a set for each run of lines."""
    text = path.read_text().replace("#include <config.h>", "") # of the build, before all others
    head = re.search(r"(?:^#include .*\n+)+", text, re.M)
    runs = [run.split("\n") for run in re.split(r"\n\n+", head.group(0).strip())] if head else []
    kinds = list(kinds_of(path, [line for run in runs for line in run]))
    return [{kinds.pop(0) for _ in run} for run in runs]


def groups_are_right(path):
    groups = include_groups(path)
    kinds = [kind for group in groups for kind in group]
    order = ["own", "system", "foreign", "project"]
    return len(groups) == len(kinds) and kinds == sorted(set(kinds), key=order.index)


def test_includes_come_in_groups():
    """Own header, system, foreign libraries, project; an empty line between groups."""
    wrong = [str(path.relative_to(ROOT)) for path in sources()
             if not groups_are_right(path)]
    assert not wrong, wrong
