# SPDX-License-Identifier: ISC
"""Recordings of backends that do not exist, in the shapes that real ones have, and `retoken` run on them. Knows HTTP
messages and JWTs; tests nothing."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve()
RETOKEN = BUILD / "retoken"
DONE, REFUSED, USAGE, FAULT = 0, 1, 2, 3
OLD = "old-refresh-token-0123456789"
NEXT = "next-refresh-token-9876543210"
IAT = 1_700_000_000


def part(value):
    text = json.dumps(value, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def jwt(payload, **header):
    return ".".join([part({"alg": "HS256", "typ": "JWT", **header}), part(payload), "c2lnbmF0dXJl"])


ACCESS = jwt({"iss": "https://acme.example", "sub": "42", "aud": "api", "iat": IAT, "exp": IAT + 900,
              "email": "ada@acme.example", "role": "member", "jti": "0a0b0c0d-0001-4002-8003-0123456789ab"})


@pytest.fixture
def run(tmp_path):
    """Runs retoken in a folder of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RETOKEN_")}

    def one(*words, status=DONE, stdin=""):
        done = subprocess.run([RETOKEN, *map(str, words)], input=stdin, capture_output=True, text=True,
                              env=env, cwd=tmp_path, timeout=120)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert (done.stderr == "") == (status == DONE) or words[:2] in (("dialect", "test"), ("dialect", "learn"))
        return done

    one.folder = tmp_path
    return one


def put(run, name, text):
    path = run.folder / name
    path.write_bytes(text.encode())
    path.chmod(0o600)
    return path


def request(body, path="/auth/refresh", media="application/json", **headers):
    lines = [f"POST {path} HTTP/1.1", "Host: api.acme.example", f"Content-Type: {media}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def answer(body, status="200 OK", media="application/json", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media}", "Server: acme",
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def compact(value):
    return json.dumps(value, separators=(",", ":"))
