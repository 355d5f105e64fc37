# SPDX-License-Identifier: ISC
"""The golden files of the dialects (tests/dialect/golden) as answers that a real server's can be
compared with. Knows how these files are written; does not know what a dialect is."""

import dataclasses
import functools
import re

from . import machine

FOLDER = machine.ROOT / "tests" / "dialect" / "golden"
# Compared even where the golden answer has none.
ALWAYS = ("Content-Type", "WWW-Authenticate", "Set-Cookie")


@dataclasses.dataclass(frozen=True)
class Golden:
    status: int
    headers: tuple  # (name, value), without Content-Length
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def quoting(self, method):
        """The same to a request with another method, where the words quote it."""
        return dataclasses.replace(self, body=self.body.replace(b'\\"POST\\"',
                                                                f'\\"{method}\\"'.encode()))

    def allowing(self, methods):
        """The same at an endpoint that takes these methods, where the answer names them."""
        return dataclasses.replace(self, headers=tuple(
            (name, ", ".join(methods) if name == "Allow" else value) for name, value in self.headers))

    def complaints(self, answer, same=lambda expected, actual: expected == actual):
        """How an answer differs; `same` compares header values and bodies (as text)."""
        found = []
        if answer.status != self.status:
            found.append(f"status {answer.status} instead of {self.status}")
        for name in dict.fromkeys([*ALWAYS, *(key for key, _ in self.headers)]):
            expected, actual = self.all(name), answer.all(name)
            if len(expected) != len(actual) or not all(map(same, expected, actual)):
                found.append(f"{name} is {actual} instead of {expected}")
        if answer.all("Content-Length") != [str(len(answer.body))]:
            found.append(f"Content-Length is {answer.all('Content-Length')} of {len(answer.body)} bytes")
        if not same(self.body.decode(), answer.body.decode("utf-8", "replace")):
            found.append(f"body {answer.body!r} instead of {self.body!r}")
        return found


def _parsed(shown):
    """An answer as golden files show it: CRLF as plain line ends, \\n and \\xNN in the body."""
    head, _, body = shown.partition("\n\n")
    (_, status), *headers = [line.split(": ", 1) for line in head.split("\n")]
    length = next((int(value) for name, value in headers if name == "Content-Length"), 0)  # 204
    if len(body.encode()) != length:
        body = re.sub(r"\\(?:n|x([0-9a-f]{2}))",
                      lambda found: chr(int(found[1], 16)) if found[1] else "\n", body)
    if len(body.encode()) != length:
        raise machine.LabError(f"a golden answer is not as long as it says: {shown}")
    return Golden(int(status.split()[0]), tuple((name, value) for name, value in headers
                                                if name != "Content-Length"), body.encode())


@functools.cache
def outcomes(dialect, behaviour, operation=""):
    """outcome word -> Golden, of the dialect's first operation unless another one is named"""
    name = f"outcomes-{operation}" if operation else "outcomes"
    return _outcomes_of(FOLDER / dialect / f"{name}.{behaviour}")


def _outcomes_of(path):
    found = {}
    text = path.read_text()
    for block in re.split(r"^@ ", text, flags=re.M)[1:]:
        words, shown = block.split("\n", 1)
        found |= dict.fromkeys(words.split(), _parsed(shown.removesuffix("\n\n")))
    return found


@functools.cache
def case(dialect, name):
    """The answer of NAME.answer."""
    text = (FOLDER / dialect / f"{name}.answer").read_text()
    return _parsed(text.split("\n\n", 1)[1].removesuffix("\n"))


def is_refusal(dialect, body):
    """Is it the body of something that a dialect says with 4xx, whatever it quotes?"""
    return _unquoted(body) in _refusals(dialect)


def _unquoted(body):
    return re.sub(rb'\\".*\\"', b"", body)


@functools.cache
def _refusals(dialect):
    answers = [golden for path in (FOLDER / dialect).glob("outcomes*")
               for golden in _outcomes_of(path).values()]
    answers += [case(dialect, path.stem) for path in (FOLDER / dialect).glob("*.answer")]
    return {_unquoted(golden.body) for golden in answers if 400 <= golden.status < 500}
