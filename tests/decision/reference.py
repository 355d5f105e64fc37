# SPDX-License-Identifier: ISC
"""The decision table of docs/design.md section 4, written a second time, from its prose. Knows the
rules; does not know decision.c, with which test_reference.py compares it point by point."""

import collections

SPENT_KEPT = 8

# What a decision depends on. Times and windows in ms; `spent` is a tuple of SPENT_KEPT pairs
# (wall, boot), newest first; 0 = not known, never or none, as in the record.
Point = collections.namedtuple("Point", """
    rotate report window recovery_window recovery_generations needs_client client_proved
    idle absolute created rotated used expires
    end session_epoch account_epoch has_account account_enabled
    realm_grants has_client client_grants client_enabled client_number session_client
    session_account pending
    n c outdated session_boot now_boot now_wall now_since_boot spent""")
REFRESH = 1
KEY = 2  # client_proved: not the client, but the key that the session is bound to


def decide(p):
    if p.end or (p.has_account and p.session_epoch < p.account_epoch) or client_is_gone(p):
        return "revoked"
    if p.now_wall >= end_of_life(p):
        return "expired"
    if p.pending:
        return "unknown"
    if not p.has_account and not is_clients_own(p):
        return "account-gone"
    if p.has_account and not p.account_enabled:
        return "account-disabled"
    if any(grants and not grants & REFRESH
           for grants in (p.realm_grants, p.client_grants if p.has_client else 0)):
        return "client-grant"
    if p.has_client and not p.client_enabled:
        return "client-grant"
    if p.c > p.n:
        return "rolled-forward"
    if p.c == p.n:
        return "rotated" if p.rotate else "renewed"
    back = p.n - p.c
    if p.client_proved == KEY and back <= p.recovery_generations:
        return "replayed" if is_replayed(p, back) else "recovered"
    if back <= SPENT_KEPT and p.spent[back - 1][0]:
        return decide_dated(p, back)
    return decide_undated(p, back)


def client_is_gone(p):
    """The session began with a client (0 = none), and that is not the one of its id now."""
    return p.session_client and not (p.has_client and p.client_number == p.session_client)


def is_clients_own(p):
    """The session began for a client and no account."""
    return p.session_account == 0 and p.session_client


NEVER = float("inf")


def end_of_life(p):
    """What the record says, or earlier where the policy became stricter since."""
    return min(p.expires or NEVER, lifetime_from(p, max(p.used, p.rotated)))


def next_end_of_life(p):
    """What a renewal writes: from now, but a clock that was set back does not bring it nearer."""
    return lifetime_from(p, last_use(p))


def last_use(p):
    return max(p.now_wall, p.created, p.used, p.rotated)


def lifetime_from(p, used):
    """The absolute lifetime or the idle one, whichever ends first. Where nothing rotates, uses are
    noted to a sixteenth of the idle lifetime, which is granted on top."""
    return min(p.created + p.absolute if p.absolute else NEVER,
               used + p.idle + (0 if p.rotate else p.idle // 16) if p.idle else NEVER)


def use_is_noted(p):
    return bool(p.idle) and p.now_wall - p.used > p.idle // 16


def is_replayed(p, back):
    """It is known to have been spent inside the window, or no clock can tell that it was not."""
    known = [age for age in ages(p, p.spent[back - 1]) if age is not None]
    return p.spent[back - 1][0] and (not known or min(known) <= p.window)


def decide_dated(p, back):
    """The record says when it was spent."""
    wall, boot = ages(p, p.spent[back - 1])
    known = [age for age in (wall, boot) if age is not None]
    if is_replayed(p, back):
        return "replayed"
    evidence = (p.client_proved and p.session_client) or not p.needs_client
    if back <= p.recovery_generations and evidence and min(known) <= p.recovery_window:
        return "recovered"
    return "spent" if wall is None else "reused"


def window_left(p, said):
    """For how long the same answer is still given: by the clock that grants more, or until the wall
    clock has caught up with the record where no clock can tell."""
    if said == "recovered" and p.client_proved == KEY:
        return 0
    window = {"replayed": p.window, "recovered": p.recovery_window}[said]
    spending = p.spent[p.n - p.c - 1]
    known = [age for age in ages(p, spending) if age is not None]
    return window - min(known, default=p.now_wall - spending[0])


def decide_undated(p, back):
    """The record knows some to have been spent longer ago than the window; and it was spent before the
    next newer generation whose spending is known."""
    if p.c < p.outdated:
        return "reused"
    newer = [spending for spending in p.spent[:back - 1] if spending[0]]
    if not newer:
        return "spent"
    wall, boot = ages(p, newer[-1])
    if wall is None:
        return "spent"
    return "reused" if wall > p.window and (boot is None or boot > p.window) else "spent"


def ages(p, spending):
    """How long ago by the wall clock and by the time since boot; None: that clock cannot tell,
    because it runs in another boot or the spending lies ahead of it by more than the window."""
    wall = p.now_wall - spending[0]
    same_boot = p.now_boot and p.now_boot == p.session_boot and spending[1]
    boot = p.now_since_boot - spending[1] if same_boot else None
    return (wall if wall >= -p.window else None,
            boot if boot is not None and boot >= -p.window else None)
