# SPDX-License-Identifier: ISC
"""Unmodified clients for Node.js, as npm gives them (tests/clients, `scripts/prepare clients`). A script
beside the packages makes the calls and prints what the client made of our answers."""

import json
import subprocess

import pytest

from conftest import PASSWORD
from lab import machine

CLIENTS = machine.ROOT / "tests" / "clients"


@pytest.fixture(scope="module", params=["lighttpd", "apache", "nginx"])
def server(request, shared_world):
    return shared_world.serve(request.param)


def node(script, *words):
    """Runs tests/clients/SCRIPT.js; the JSON objects that it prints."""
    assert (CLIENTS / "node_modules").is_dir(), "run: scripts/prepare clients"
    done = subprocess.run(["node", CLIENTS / f"{script}.js", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("release", ["fusionauth-client-of-2020", "@fusionauth/typescript-client"])
def test_fusionauth(shared_world, server, release):
    """From the first request to the last; "phone" is a public client, which is an application there."""
    said = {row.pop("what"): row for row in node("fusionauth", release, server.url, "phone", "ada", PASSWORD)}

    def granted(what):
        assert said[what]["status"] == 200 and said[what]["exception"] is None, said[what]
        return said[what]["response"]

    login = granted("login")
    assert list(login) == ["refreshToken", "token", "user"]
    assert login["user"] == {
        "active": True, "email": "ada@example.org", "id": "ada",
        "registrations": [{"applicationId": "phone", "roles": ["ROLE_CUSTOMER"]}], "username": "ada"}
    first, second = granted("refresh"), granted("refresh again")
    assert list(first) == ["refreshToken", "token"]
    assert len({login["refreshToken"], first["refreshToken"], second["refreshToken"]}) == 3
    for what in ("logout", "logout again", "global logout", "logout without token"):
        assert granted(what) is None
    assert "registrations" not in granted("login without application")["user"]
    granted("login once more")

    empty = {"response": None, "exception": None}
    for what in ("after the logout", "after the global logout", "foreign token"):
        assert said[what] == {"status": 401, **empty}
    assert said["wrong password"] == said["unknown user"] == {"status": 404, **empty}
    for what, field, code in (("unknown application", "applicationId", "[invalid]applicationId"),
                              ("nothing", "loginId", "[blank]loginId"),
                              ("nothing", "password", "[blank]password"),
                              ("no token", "refreshToken", "[blank]refreshToken")):
        assert said[what]["status"] == 400
        assert said[what]["exception"]["fieldErrors"][field][0]["code"] == code
