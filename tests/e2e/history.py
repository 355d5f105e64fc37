"""An independent judge of what clients saw: given every presented token and every answer, was each
session one chain? Knows only the histories; shares no code with the server."""

import collections
import dataclasses
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
        """What was wrong; nothing when every token had at most one successor, no token has two
        parents, and no chain comes back to where it was."""
        found = []
        successors, parents = collections.defaultdict(set), collections.defaultdict(set)
        for call in self.calls:
            if call.successor is not None:
                successors[call.presented].add(call.successor)
                parents[call.successor].add(call.presented)
        found += [f"a token has {len(those)} successors" for those in successors.values()
                  if len(those) > 1]
        found += [f"a token has {len(those)} parents" for those in parents.values() if len(those) > 1]
        for start in successors:
            seen, at = set(), start
            while at in successors and at not in seen:
                seen.add(at)
                at = next(iter(successors[at]))
            if at in seen:
                found.append("a chain of tokens is a ring")
                break
        return found
