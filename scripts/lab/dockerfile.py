# SPDX-License-Identifier: ISC
"""What a Dockerfile says: its stages and their steps, as far as ours use the language. Knows the language; runs
nothing."""

import dataclasses
import json
import re
import shlex


class Unknown(Exception):
    """An instruction, or a form of one, that this does not know."""


@dataclasses.dataclass
class Stage:
    base: str
    name: str
    steps: list  # of (instruction, argument)

    def last(self, instruction):
        """The argument of the last step of that kind, or None."""
        return next((argument for word, argument in reversed(self.steps) if word == instruction), None)


STEPS = {"RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "CMD"}


def parse(text):
    """The stages, in order."""
    stages = []
    for line in _lines(text):
        word, _, argument = line.partition(" ")
        argument = argument.strip()
        if word == "FROM":
            found = re.fullmatch(r"(\S+) AS ([a-z]+)", argument)
            if found is None:
                raise Unknown(line)
            stages.append(Stage(found[1], found[2], []))
        elif word not in STEPS or not stages:
            raise Unknown(line)
        else:
            stages[-1].steps.append((word, argument))
    return stages


def _lines(text):
    """Without comments, and continued lines in one."""
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [line.strip() for line in re.sub(r"\\\n\s*", "", kept).splitlines() if line.strip()]


def words(argument):
    """The words of an exec form."""
    try:
        found = json.loads(argument)
    except ValueError as error:
        raise Unknown(argument) from error
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Unknown(argument)
    return found


def copy(argument):
    """(stage or None, source, target)."""
    parts = shlex.split(argument)
    stage = parts.pop(0).removeprefix("--from=") if parts[0].startswith("--from=") else None
    if len(parts) != 2 or any(part.startswith("--") for part in parts):
        raise Unknown(argument)
    return stage, *parts


def variables(argument):
    """Of ENV."""
    return dict(part.split("=", 1) for part in shlex.split(argument))
