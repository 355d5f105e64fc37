# SPDX-License-Identifier: ISC
"""What decision.c means to users and thieves, by small runs of `simulate`: where theory says how
often something happens, it happens as often. Knows what the windows and rotation-durability promise;
does not know the table."""

import json
import math
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIMULATE = pathlib.Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")) / "tests/decision/simulate"

WINDOWS = {"window 0": 0, "window 10s": 10, "window 1m": 60, "window 5m": 300, "window 1h": 3600,
           "window 24h": 86_400}  # in seconds
GROWING = ["window 1m", "1m, recovery 1h, none", "1m, recovery 24h, none", "1m, recovery 7d, none"]
GENERATIONS = ["1m, recovery 24h, none", "1m, recovery 24h, none, 3 generations",
               "1m, recovery 24h, none, 8 generations"]
NO_PROOF, PROOF = (f"1m, recovery 24h, client, {what} proof" for what in ("without", "with"))
PHONE, LOST = "phone, 5 % lost", 0.05


def simulate(*options):
    run = subprocess.run([SIMULATE, "--json", *options], capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture(scope="module")
def rows():
    return json.loads(simulate("--users", "1000", "--thieves", "400"))["rows"]


@pytest.fixture(scope="module")
def users(rows):
    return {(row["policy"], row["client"]): row for row in rows if "client" in row}


@pytest.fixture(scope="module")
def thieves(rows):
    return {(row["policy"], row["thief"]): row for row in rows if "thief" in row}


def soon_enough(window):
    """The share of retries that come inside a window: they are log-uniform from 1 s to 24 h."""
    return math.log(window) / math.log(86_400) if window else 0


def test_same_seed_same_figures():
    small = ["--users", "100", "--thieves", "20"]
    assert simulate(*small) == simulate(*small) != simulate(*small, "--seed", "2")


@pytest.mark.parametrize("policy", WINDOWS)
def test_logouts_are_as_many_as_theory_says(users, policy):
    """Whoever retries after the window is logged out; and some whose retry was lost as well."""
    row = users[policy, PHONE]
    late = LOST * (1 - soon_enough(WINDOWS[policy])) * row["spent"]
    twice = LOST**2 / (1 - LOST) * row["spent"] if WINDOWS[policy] else 0
    assert row["spent"] > 100_000
    assert late - 4 * math.sqrt(late) <= row["logouts"] <= late + twice + 4 * math.sqrt(late + twice)


@pytest.mark.parametrize("order", [[*WINDOWS], GROWING, GENERATIONS], ids=" < ".join)
@pytest.mark.parametrize("client", [PHONE, "phone, 0.5 % lost", "tabs", "processes", "servers"])
def test_more_window_is_fewer_logouts(users, order, client):
    figures = [users[policy, client]["logouts"] for policy in order]
    assert figures == sorted(figures, reverse=True)


@pytest.mark.parametrize("policy, client", [
    ("1m, recovery 7d, none", PHONE), ("window 10s", "tabs"), ("window 1m", "servers"),
    ("window 1h", "processes"), ("1m, recovery 24h, none, 3 generations", "processes"),
    *(("rotation off", client) for client in (PHONE, "tabs", "processes", "servers"))])
def test_no_one_is_logged_out(users, policy, client):
    assert users[policy, client]["logouts"] == 0


@pytest.mark.parametrize("policy, client", [
    ("window 0", "tabs"), ("window 10s", "servers"), ("1m, recovery 24h, none", "processes")])
def test_a_window_less_is_too_little(users, policy, client):
    assert users[policy, client]["logouts"] > 0


def test_evidence(users):
    """Without it there is no recovery window; with it, the same as where none is asked for."""
    for client in (PHONE, "processes"):
        for told, same in ((NO_PROOF, "window 1m"), (PROOF, "1m, recovery 24h, none")):
            assert users[told, client]["logouts"] == users[same, client]["logouts"]


@pytest.mark.parametrize("policy", WINDOWS)
def test_a_late_thief_is_let_in_by_the_window_only(thieves, policy):
    row = thieves[policy, "late-once"]
    wanted = soon_enough(WINDOWS[policy]) * row["thieves"]
    lost = 2 * LOST * row["thieves"]  # the owner was logged out before the thief came
    assert wanted - lost - 4 * math.sqrt(wanted) <= row["let_in"] <= wanted + 4 * math.sqrt(wanted)


@pytest.mark.parametrize("thief", ["early-once", "early-on", "late-on", "early-fast"])
def test_a_thief_is_noticed_sooner_with_less_window(thieves, thief):
    """Also one who renews so often that the record forgets when the owner's token was spent, unless
    the owner comes back within two windows."""
    medians = [thieves[policy, thief]["median_ms"] for policy in WINDOWS]
    hour, day = [math.inf if median == -1 else median for median in medians[-2:]]
    assert day == math.inf >= hour > 1.5 * medians[-3]
    for policy in ("window 0", "window 10s", "window 1m", "window 5m"):
        row = thieves[policy, thief]
        early = 0.02 * row["let_in"] if thief == "early-fast" else 0
        assert row["never"] == row["shut_out"] <= early and row["median_ms"] < 2 * 3_600_000


def test_no_thief_is_noticed_without_rotation(thieves):
    for thief in ("early-once", "late-once", "early-on", "late-on", "early-fast"):
        row = thieves["rotation off", thief]
        assert row["let_in"] == row["never"] == row["thieves"]


# ---- failovers ----

USERS, FAILOVERS = 4000, 7 * 24 * 6  # one every 10 min of a week
NONE, QUORUM, *LOCAL = "no failover", "quorum, 1 s", "local, 0.1 s", "local, 1 s", "local, 10 s"


@pytest.fixture(scope="module")
def failover_rows():
    return json.loads(simulate("--failovers", "--weeks", "1", "--users", str(USERS),
                               "--thieves", "1000"))["rows"]


@pytest.fixture(scope="module")
def honest(failover_rows):
    return {(row["client"], row["policy"], row["failovers"]): row
            for row in failover_rows if "client" in row}


@pytest.fixture(scope="module")
def let_in(failover_rows):
    return {(row["policy"], row["thief"], row["durability"]): row
            for row in failover_rows if "thief" in row}


CLIENTS = [("phone", "1m, recovery 7d"), ("servers", "1m"), ("processes", "1h"),
           ("processes", "1m, recovery 24h, 3 generations")]


@pytest.mark.parametrize("client", CLIENTS, ids=": ".join)
def test_no_one_is_logged_out_by_a_failover(honest, client):
    for failovers in (NONE, QUORUM, *LOCAL):
        assert honest[*client, failovers]["logouts"] == 0


@pytest.mark.parametrize("client", CLIENTS, ids=": ".join)
def test_only_local_forgets(honest, client):
    assert honest[*client, NONE]["unanswered"] == 0 < honest[*client, QUORUM]["unanswered"]
    for failovers in (NONE, QUORUM):
        assert honest[*client, failovers]["forgotten"] == 0
        assert honest[*client, failovers]["rolled_forward"] == 0
    assert 0 < honest[*client, LOCAL[-1]]["rolled_forward"] <= honest[*client, LOCAL[-1]]["forgotten"]


@pytest.mark.parametrize("failovers, lag", zip(LOCAL, (0.1, 1, 10)))
def test_as_many_are_forgotten_as_theory_says(honest, failovers, lag):
    """Those of so many seconds before each failover."""
    row = honest["phone", "1m, recovery 7d", failovers]
    wanted = row["spent"] * FAILOVERS * lag / (7 * 86_400)
    assert abs(row["forgotten"] - wanted) <= 5 * math.sqrt(wanted) + 0.1 * wanted


def test_what_local_gives_a_thief(let_in):
    """A token whose spending is forgotten is good until its owner comes; found out as any other."""
    for policy in ("1m", "1m, recovery 24h"):
        for thief in ("soon-on", "later-on"):
            quorum, local = (let_in[policy, thief, how] for how in ("quorum", "local"))
            assert local["let_in"] >= quorum["let_in"] > 0
            assert local["never"] == 0 < local["median_ms"] < 3 * 3_600_000
    quorum, local = (let_in["1m", "later-once", how]["let_in"] for how in ("quorum", "local"))
    assert 1.5 * quorum < local < 1000
