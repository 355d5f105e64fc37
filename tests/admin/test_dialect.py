# SPDX-License-Identifier: ISC
"""`retoken dialects`, as people and scripts read it. No test waits, and none needs a network."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve()
RETOKEN = BUILD / "retoken"
DONE, REFUSED, USAGE, FAULT = 0, 1, 2, 3
FILES = sorted((ROOT / "dialects").glob("*.dialect"))

ACME = """[dialect]
summary = Acme: JSON with camel case

[endpoint refresh]
path          = /auth/refresh
operation     = refresh
refresh-token = json /data/refreshToken, header X-Refresh
username      = optional json user
answer        = 200 {"accessToken":"${access_token}","refreshToken":"${refresh_token}","kind":"Bearer"}

[refusals]
request = 400 {"error":"bad_request"}
client  = 401 {"error":"unauthorized"}
token   = 401 {"error":"invalid_refresh_token"}
reused  = 403 {"error":"stolen"}
here    = 503 {"error":"unavailable"}
"""


@pytest.fixture
def run(tmp_path):
    """Runs retoken in a folder of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}

    def one(*words, status=DONE, stdin=""):
        done = subprocess.run([RETOKEN, *map(str, words)], input=stdin, capture_output=True, text=True,
                              env=env, cwd=tmp_path, timeout=120)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert (done.stderr == "") == (status == DONE) or words[:2] == ("dialect", "test")
        return done

    one.folder = tmp_path
    return one


def put(run, name, text):
    path = run.folder / name
    path.write_bytes(text.encode())
    path.chmod(0o600)
    return path


# ---- list ----

def test_dialects_lists_each_on_a_line(run):
    printed = json.loads(run("dialects", "--json").stdout)
    title, *lines = run("dialects").stdout.splitlines()
    assert title.split() == ["dialect", "from", "what", "it", "is"]
    assert [line.split()[:2] for line in lines] == [[row["dialect"], row["origin"]] for row in printed]
    assert all(row["summary"] in line for row, line in zip(printed, lines))
    assert {path.stem for path in FILES} <= {row["dialect"] for row in printed}
    assert {"kopong", "oauth"} <= {row["dialect"] for row in printed if row["origin"] == "program"}
    title, *lines = run("dialects", "duktig").stdout.splitlines()
    assert title.split() == ["path", "methods", "operation", "format", "algorithm"]
    assert [line.split() for line in lines] == [["/auth/refresh_token", "POST", "refresh", "jwt", "HS256"],
                                                ["/auth/token", "POST", "login", "jwt", "HS256"]]
    assert len(json.loads(run("dialects", "duktig", "--json").stdout)) == 1
    assert "nonsense" in run("dialects", "nonsense", status=REFUSED).stderr


def test_dialects_lists_those_of_the_configuration(run):
    put(run, "acme.dialect", ACME)
    conf = put(run, "retoken.conf", "[retoken]\ndata = .\n[dialect acme]\nfile = acme.dialect\n")
    rows = json.loads(run("-c", conf, "dialects", "--json").stdout)
    assert [row["dialect"] for row in rows if row["origin"] == "configuration"] == ["acme"]
    assert "Acme: JSON with camel case" in run("-c", conf, "dialects").stdout
