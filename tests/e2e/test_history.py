# SPDX-License-Identifier: ISC
"""The judge of the race and kill tests can condemn."""

from history import History


def judged(*calls):
    history = History()
    for presented, successor in calls:
        history.add("client", presented, successor, 200 if successor else 400)
    return history.verdict()


def test_a_chain_is_right():
    assert judged(("a", "b"), ("b", "c"), ("b", "c"), ("x", "y"), ("a", None)) == []


def test_a_spent_token_is_answered_with_the_newest():
    assert judged(("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d"), ("b", "d")) == []


def test_a_fork_is_wrong():
    assert judged(("a", "b"), ("a", "c")) == ["a token has 2 successors"]


def test_two_parents_are_wrong():
    assert judged(("a", "c"), ("b", "c")) == ["a token has 2 parents"]


def test_a_ring_is_wrong():
    assert judged(("a", "b"), ("b", "a")) == ["a chain of tokens is a ring"]
