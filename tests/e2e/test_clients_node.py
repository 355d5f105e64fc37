# SPDX-License-Identifier: ISC
"""Unmodified clients for Node.js, as npm gives them (tests/clients, `scripts/prepare clients`). A script
beside the packages makes the calls and prints what the client made of our answers."""

import json
import subprocess

import pytest

from lab import dialects, machine

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
    login = shared_world.login(dialects.mount_at("/api/jwt/refresh"))
    first, second, foreign, none = node("fusionauth", release, server.url, login.refresh_token)
    assert first["status"] == second["status"] == 200
    assert list(first["response"]) == ["refreshToken", "token"]
    assert first["response"]["refreshToken"] != second["response"]["refreshToken"]
    assert foreign == {"status": 401, "response": None, "exception": None}
    assert none["status"] == 400
    assert none["exception"]["fieldErrors"]["refreshToken"][0]["code"] == "[blank]refreshToken"
