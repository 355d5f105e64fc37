# SPDX-License-Identifier: ISC
"""Compares decision.c with reference.py over a grid of every edge of everything that a decision
depends on. Knows the edges; does not know the rules."""

import itertools
import os
import pathlib
import subprocess

import reference
from reference import Point

ROOT = pathlib.Path(__file__).resolve().parents[2]
DECIDE = pathlib.Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")) / "tests/decision/decide"

NOW, SINCE_BOOT, BOOT = 1_800_000_000_000, 900_000_000, 7
WINDOW, RECOVERY = 60_000, 400_000
HOUR, DAY = 3_600_000, 86_400_000

USUAL = Point(rotate=1, report=0, window=WINDOW, recovery_window=0, recovery_generations=1, needs_client=1,
              client_proved=0, idle=0, absolute=0, created=NOW - DAY, rotated=NOW - HOUR,
              used=NOW - HOUR, expires=0, end=0, session_epoch=0, account_epoch=0, has_account=1,
              account_enabled=1, realm_grants=0, has_client=1, client_grants=0, client_enabled=1,
              client_number=3, session_client=3, session_account=7, pending=0, n=5, c=5,
              outdated=0, session_boot=BOOT, now_boot=BOOT, now_wall=NOW, now_since_boot=SINCE_BOOT,
              spent=((NOW - HOUR, SINCE_BOOT - HOUR),) * reference.SPENT_KEPT)

LAST = 2**32 - 1
SPENT = [(1, 0), *((10, c) for c in range(10)), (LAST, LAST - 3), (LAST, 0)]
NOT_SPENT = [(0, 0), (10, 10), (LAST, LAST), (0, 1), (10, 11), (10, 12), (3, LAST)]

POLICIES = [dict(zip(("window", "recovery_window", "recovery_generations", "needs_client",
                      "client_proved"), values)) for values in (
    (0, 0, 1, 1, 0), (WINDOW, 0, 1, 0, 0), (WINDOW, RECOVERY, 0, 0, 1), (WINDOW, RECOVERY, 1, 1, 0),
    (WINDOW, RECOVERY, 1, 1, 1), (WINDOW, RECOVERY, 1, 0, 0), (WINDOW, RECOVERY, 3, 1, 1),
    (0, RECOVERY, 3, 0, 0), (0, RECOVERY, 8, 1, 1), (RECOVERY, WINDOW, 2, 1, 1),
    (WINDOW, 0, 1, 1, 2), (WINDOW, RECOVERY, 3, 1, 2))]

EDGES = sorted({edge + by for edge in (-RECOVERY, -WINDOW, 0, WINDOW, RECOVERY) for by in (-1, 0, 1)})
WALL_AGES = [-DAY, *EDGES, HOUR]
BOOT_AGES = [None, *EDGES, HOUR]  # None: not known
STEPS = (0, 7_000)  # from one spending to the next older one
KNOWN = ("11111111", "00000000", "10000000", "11000000", "10101010", "01111111", "11111110")
BOOTS = ((BOOT, BOOT), (BOOT, BOOT + 1), (0, BOOT), (BOOT, 0), (0, 0))


YEARS = 10 * 365 * DAY
# Every policy that differs in what a spent token gets.
ALL_POLICIES = [dict(zip(("window", "recovery_window", "recovery_generations", "needs_client",
                          "client_proved", "report", "session_client"), values))
                for values in itertools.product((0, WINDOW, RECOVERY), (0, WINDOW, RECOVERY),
                                                (0, 1, 3, 8), (0, 1), (0, 1, 2), (0, 1), (0, 3))]


def spendings(known, wall_age, boot_age, step):
    return tuple((NOW - wall_age - i * step if known[i] == "1" else 0,
                  SINCE_BOOT - boot_age - i * step if boot_age is not None else 0)
                 for i in range(reference.SPENT_KEPT))


def histories():
    """When the last generations were spent, and what the clocks can say of it."""
    for known, wall_age, step in itertools.product(KNOWN, WALL_AGES, STEPS):
        yield dict(spent=spendings(known, wall_age, HOUR, step), now_boot=0)
    for wall_age, boot_age in itertools.product(WALL_AGES, BOOT_AGES):
        yield dict(spent=spendings("11111111", wall_age, boot_age, 0))
        yield dict(spent=spendings("01101110", wall_age, boot_age, 7_000))
    for (session_boot, now_boot), wall_age in itertools.product(BOOTS, WALL_AGES):
        yield dict(spent=spendings("11111111", wall_age, 0, 0), session_boot=session_boot,
                   now_boot=now_boot)


def generations():
    for history, policy, (n, c) in itertools.product(histories(), POLICIES, SPENT):
        yield USUAL._replace(n=n, c=c, **policy, **history)
    for policy, (n, c), rotate in itertools.product(POLICIES, NOT_SPENT, (0, 1)):
        yield USUAL._replace(n=n, c=c, rotate=rotate, **policy)


def policies():
    """Every policy, where rotation is on and where it was switched off, at the edges of windows."""
    for policy, rotate, wall_age, c in itertools.product(ALL_POLICIES, (0, 1), EDGES,
                                                         (9, 8, 7, 5, 2, 1)):
        yield USUAL._replace(rotate=rotate, n=10, c=c, spent=spendings("11111111", wall_age, None, 0),
                             **policy)


def records():
    """Every pattern of what the record knows; and every small n and c."""
    for known, c, wall_age, policy in itertools.product(
            itertools.product("01", repeat=reference.SPENT_KEPT), range(10), (WINDOW, WINDOW + 1),
            (POLICIES[0], POLICIES[6])):
        yield USUAL._replace(n=10, c=c, spent=spendings(known, wall_age, None, 0), **policy)
    for n, c, wall_age, policy in itertools.product(range(11), range(12), (0, WINDOW + 1, RECOVERY + 1),
                                                    POLICIES):
        known = "1" * min(n, reference.SPENT_KEPT)
        yield USUAL._replace(n=n, c=c, spent=spendings(known.ljust(reference.SPENT_KEPT, "0"),
                                                       wall_age, wall_age, 0), **policy)


def outdated():
    """Whatever the record says of the last generations, and whatever the time is."""
    for history, n, by in itertools.product(histories(), (10, 20, LAST), (-1, 0, 1)):
        for c in (n - 10, n - 9, n - 3):
            yield USUAL._replace(n=n, c=c, outdated=max(c + by, 0), **POLICIES[6], **history)


def clocks():
    """A wall clock that jumped by anything, either way, after the token was spent so long ago by the
    time since boot; and a restart, before which the last `since` generations were not yet spent."""
    jumps = [0, *(sign * by for sign in (1, -1) for by in (WINDOW + 1, HOUR, DAY, YEARS))]
    for jump, age, since, policy, c, boots in itertools.product(
            jumps, (0, WINDOW, WINDOW + 1, RECOVERY + 1), (0, 1, 2, reference.SPENT_KEPT), POLICIES,
            (9, 8, 7, 2, 1), ((BOOT, BOOT), (BOOT, BOOT + 1))):
        spent = spendings("11111111", age + jump, age, 0)
        spent = tuple((wall, boot if i < since else 0) for i, (wall, boot) in enumerate(spent))
        yield USUAL._replace(n=10, c=c, spent=spent, session_boot=boots[0], now_boot=boots[1], **policy)


LIVES = [dict(), dict(expires=NOW - 1), dict(expires=NOW), dict(expires=NOW + 1),
         *(dict(absolute=DAY + by) for by in (-1, 0, 1)),
         *(dict(idle=HOUR + by, expires=NOW + DAY) for by in (-1, 0, 1)),
         *(dict(idle=HOUR, rotated=NOW - 2 * HOUR, used=NOW - HOUR + by) for by in (-1, 0, 1)),
         *(dict(idle=HOUR, used=NOW - 2 * HOUR, rotated=NOW - HOUR + by) for by in (-1, 0, 1)),
         *(dict(idle=16_000, used=NOW - age, rotated=NOW - HOUR) for age in (16_999, 17_000, 17_001)),
         dict(idle=HOUR + 1, absolute=DAY - 1), dict(idle=HOUR, absolute=2 * DAY),
         *(dict(idle=HOUR, used=NOW - age) for age in (224_999, 225_000, 225_001)),
         *(dict(idle=HOUR, absolute=DAY, **{name: NOW + by})  # set back since
           for name in ("created", "rotated", "used") for by in (1, DAY, YEARS))]
EPOCHS = [dict(session_epoch=s, account_epoch=a) for s, a in ((0, 0), (0, 1), (1, 1), (2, 1))]
ACCOUNTS = [dict(), dict(account_enabled=0), dict(has_account=0, account_enabled=0)]
NO_CLIENT = dict(has_client=0, client_number=0)
GRANTS = [dict(), dict(client_grants=2), dict(client_grants=3), dict(realm_grants=2),
          dict(realm_grants=3), dict(client_enabled=0), dict(session_client=0, **NO_CLIENT),
          dict(session_client=0, client_grants=2, **NO_CLIENT)]
GONE = [NO_CLIENT, dict(client_number=4), dict(client_number=2), dict(client_enabled=0, client_number=4)]


def ends():
    for end, epochs, account, life, grants in itertools.product((0, 1, 2), EPOCHS, ACCOUNTS, LIVES,
                                                                GRANTS):
        for rotate, (n, c) in itertools.product((0, 1), ((5, 5), (5, 6), (5, 4), (20, 5))):
            yield USUAL._replace(end=end, rotate=rotate, n=n, c=c, **epochs, **account, **life,
                                 **grants)


def gone():
    """Its client was removed, and perhaps another one has its id now."""
    for client, rotate, life, (n, c) in itertools.product(
            GONE, (0, 1), LIVES, ((5, 5), (5, 6), (5, 4), (20, 5))):
        yield USUAL._replace(rotate=rotate, n=n, c=c, **client, **life)


def own():
    """Of a client alone, or of an account that is gone; and those that wait for their code."""
    for account, pending, there, client, end, rotate, life, (n, c) in itertools.product(
            (0, 7), (0, 1, 2), ACCOUNTS, [*GRANTS, *GONE], (0, 1), (0, 1), LIVES, ((5, 5), (5, 6), (0, 0))):
        yield USUAL._replace(session_account=account, pending=pending, end=end, rotate=rotate, n=n, c=c,
                             **there, **client, **life)


def as_line(point):
    return " ".join(map(str, point[:-1] + sum(point.spent, ())))


def wanted(point):
    """What decide prints, by the reference."""
    said = reference.decide(point)
    left = reference.window_left(point, said) if said in ("replayed", "recovered") else 0
    ends = [end(point) for end in (reference.end_of_life, reference.next_end_of_life)]
    return [said, left, *(0 if end == reference.NEVER else end for end in ends),
            reference.last_use(point), int(not point.rotate and reference.use_is_noted(point))]


def broken_promise(point, said, left, end, next_end, last_use):
    """What holds whatever the table says in detail; None: it does."""
    if next_end and next_end < (end or next_end + 1):
        return "a renewal never brings the end nearer"
    if left < 0 or last_use < point.now_wall:
        return "a window that grants has not passed, and a use is not before now"
    ended = (point.end or (point.has_account and point.session_epoch < point.account_epoch)
             or reference.client_is_gone(point))
    if bool(ended) != (said == "revoked"):
        return "an ended session is revoked, and no other is"
    back = point.n - point.c
    if 1 <= back <= reference.SPENT_KEPT and said in ("reused", "spent"):
        wall, boot = point.spent[back - 1]
        by_wall = wall and abs(point.now_wall - wall) <= point.window
        by_boot = (wall and boot and point.now_boot == point.session_boot != 0
                   and abs(point.now_since_boot - boot) <= point.window)
        if by_wall or by_boot:
            return "spent less than a window ago by either clock is never refused"
    if back > reference.SPENT_KEPT and said == "reused" and point.c >= point.outdated:
        wall, boot = point.spent[-1]
        if wall and abs(point.now_wall - wall) <= point.window:
            return "what may have been spent less than a window ago never ends a session"
    return None


def describe(point):
    return ", ".join(f"{name} {value}" for name, value in point._asdict().items())


def test_every_point_agrees():
    points = [*generations(), *policies(), *records(), *outdated(), *clocks(), *ends(), *gone(),
              *own()]
    run = subprocess.run([DECIDE], input="\n".join(map(as_line, points)) + "\n",
                         capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == len(points) > 280_000
    words = set()
    for point, line in zip(points, lines):
        word, *numbers = line.split()
        answer = [word, *map(int, numbers)]
        promise = broken_promise(point, *answer[:5])
        assert answer == wanted(point) and not promise, (
            f"{answer} instead of {wanted(point)}; {promise or 'they differ'} at {describe(point)}")
        words.add(word)
    assert words == {
        "rotated", "renewed", "replayed", "recovered", "rolled-forward", "revoked", "expired",
        "account-gone", "account-disabled", "client-grant", "reused", "spent", "unknown"}
