# SPDX-License-Identifier: ISC
"""The hostile bodies and methods of test_hostile at every dialect that a file describes, through a web server:
those of the library and a stranger's. Requests are made of what `retoken dialects --page` says of the file, so a new
one is among them at once; the long lists are in tests/responder/test_hostile.c."""

import dataclasses
import json

from lab import dialects, machine
from lab.http import Request
from test_described import FILE
from test_hostile import members_of, unreadable

CLIENT = "phone"
# Each below a folder of its own, because their paths may be those of others.
BASE = "/hostile/"


def described(world):
    """A mount of each, in a world that has a realm for it."""
    names = [row["dialect"] for row in world.installed.json("dialects") if row["origin"] == "library"]
    stranger = world.installed.folder / "stranger.dialect"
    stranger.write_text(FILE)
    machine.own(stranger)
    realms = "".join(f"[realm {name}]\ndialect = {name}\nbase = {BASE}{name}\nalgorithm = ES256\n"
                     for name in [*names, "stranger"])
    world.installed.replace_settings("[retoken]\npassword-hash = yescrypt:1\n"
                                     f"[dialect stranger]\nfile = stranger.dialect\n{realms}")
    world.installed.run("key", "add", "--algorithm", "ES256", "--activate")
    known = world.installed.json("dialects", "--page")
    return [dialects.Mount(path, dialects.Dialect(name, data))
            for name, data in known.items() for path in data["paths"]]


def check(name, answer):
    """A refusal that its client can read, and nothing else."""
    assert 400 <= answer.status < 500, (name, answer)
    assert answer.header("location") is None and answer.header("set-cookie") is None, (name, answer)
    assert "access_token" not in answer.body.decode("utf-8", "replace").lower(), (name, answer)
    if "json" in (answer.header("content-type") or ""):
        json.loads(answer.body)


def test_described_dialects(world):
    mounts = described(world)
    assert len(mounts) >= 6 and any("stranger" in mount.path for mount in mounts)
    server = world.serve("nginx", paths=[f"{BASE}[A-Za-z0-9/:.-]+"])
    for mount in mounts:
        asks_client = any("client_id" in form["fields"] for form in mount.dialect.data["forms"])

        def begin(mount=mount, client=CLIENT if asks_client else ""):
            return world.installed.login(mount.path, "ada", client=client)

        login = begin()
        for form in mount.dialect.data["forms"]:
            request = mount.dialect.request(mount.path, login, form["id"])
            if login.refresh_token.encode() not in request.body:
                continue  # what is wrong with the body is no matter there
            kept = [row for row in request.headers if row[0] != "Content-Type"]
            for name, (headers, body) in unreadable(members_of(request), members_of(request)).items():
                check((mount.path, name), server.send(dataclasses.replace(
                    request, headers=kept + headers, body=body)))
            for method in ("PUT", "PATCH", "DELETE"):
                check((mount.path, method), server.send(dataclasses.replace(request, method=method)))
            in_url = f"{request.path}{'&' if '?' in request.path else '?'}refresh_token={login.refresh_token}"
            check((mount.path, "URL"), server.send(Request("POST", in_url, kept + [dialects.JSON], b"{}")))
        assert world.installed.session(login.session)["generation"] == 0
        for form in mount.dialect.data["forms"]:
            answer = server.send(mount.dialect.request(mount.path, begin(), form["id"]))
            assert answer.status in (200, 201), (mount.path, form, answer)
            assert mount.dialect.tokens(answer, form["id"])[1].count(".") == 2, (mount.path, form, answer)
        answer = server.send(mount.dialect.request(mount.path, login))
        assert answer.status in (200, 201), (mount.path, answer)
        assert login.refresh_token not in server.log_text() and login.access_token not in server.log_text()
