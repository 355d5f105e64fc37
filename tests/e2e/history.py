# SPDX-License-Identifier: ISC
"""An independent judge of what clients saw: given every presented token and every answer, was each
session one chain? Knows only the histories; shares no code with the server."""

import collections
import dataclasses
import itertools
import threading


@dataclasses.dataclass(frozen=True)
class Call:
    """presented -> successor; successor is None for a refusal, and `status` 0 when no answer came."""

    client: str
    presented: str
    successor: str | None
    status: int


class History:
    def __init__(self):
        self._lock = threading.Lock()
        self.calls = []

    def add(self, client, presented, successor, status):
        with self._lock:
            self.calls.append(Call(client, presented, successor, status))

    def verdict(self):
        """What was wrong; nothing when the tokens of each session are one chain. A token spent a
        moment ago is answered with the newest one, so it may have several successors, and a token
        several parents, when they follow each other."""
        successors, parents = collections.defaultdict(set), collections.defaultdict(set)
        for call in self.calls:
            if call.successor is not None:
                successors[call.presented].add(call.successor)
                parents[call.successor].add(call.presented)
        found = [f"a token has {len(those)} successors" for those in successors.values()
                 if not follow_each_other(those, successors)]
        found += [f"a token has {len(those)} parents" for those in parents.values()
                  if not follow_each_other(those, successors)]
        if has_ring(successors):
            found.append("a chain of tokens is a ring")
        return found


def after(token, successors):
    """All that comes after a token."""
    seen, left = set(), [token]
    while left:
        fresh = successors.get(left.pop(), set()) - seen
        seen |= fresh
        left += fresh
    return seen


def follow_each_other(tokens, successors):
    return all(one in after(other, successors) or other in after(one, successors)
               for one, other in itertools.combinations(tokens, 2))


def has_ring(successors):
    """What is left when tokens without a successor are taken away again and again."""
    left = {token: set(those) for token, those in successors.items()}
    while ends := [token for token, those in left.items() if not those & left.keys()]:
        for token in ends:
            del left[token]
    return bool(left)
