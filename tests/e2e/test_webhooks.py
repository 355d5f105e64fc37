# SPDX-License-Identifier: ISC
"""Webhooks: what happens arrives at a real HTTPS receiver, signed, however badly the receiver
behaves. That none is lost, nor out of order, over thousands of kills: scripts/lab/campaign/webhooks.py."""

import json
import re
import struct
import uuid

import pytest

from lab import dialects, jwks, machine, preload
from lab.http import Request
from lab.receiver import Authority, Receiver, new_secret

MOUNT = dialects.mount_at("/oauth/token")
FLOW = "refreshed replayed reuse revoked logout"


class Hooked:
    """A world with receivers that it is configured to tell."""

    def __init__(self, world):
        self.world, self.installed = world, world.installed
        self.folder = self.installed.folder
        self.authority = Authority(self.folder)
        self.certificate = self.authority.issue("receiver.pem")
        self.authority.file.chmod(0o644)
        self.secrets = {}
        self.receivers = []
        self.started = []

    def receiver(self, answer=lambda delivery: 204, certificate=None):
        self.receivers.append(Receiver(answer, certificate or self.certificate))
        return self.receivers[-1]

    def webhook(self, name, url, **settings):
        self.secrets[name] = [new_secret()]
        self.write_secrets(name)
        self.installed._set(f"webhook {name}", {
            "url": url, "events": FLOW, "secret-file": f"{name}.secret", "ca-file": "ca.pem", **settings})

    def write_secrets(self, name):
        path = self.folder / f"{name}.secret"
        path.write_text("".join(secret + "\n" for secret in self.secrets[name]))
        path.chmod(0o600)
        machine.own(path)

    def once(self):
        done = self.installed.run("notify", "--once")
        assert done.returncode == 0, done.stderr
        return done.stderr.decode()

    def start(self):
        process = machine.start([self.installed.programs / "retoken", "-c", self.installed.config, "notify"],
                                log=self.folder / "notify.log")
        self.started.append(process)
        return process

    def refresh(self, server, login, times=1):
        for _ in range(times):
            answer = server.send(MOUNT.dialect.request(MOUNT.path, login))
            assert MOUNT.dialect.complaints(login, answer) == []
            login = login.after(*MOUNT.dialect.tokens(answer))
        return login

    def close(self):
        for process in self.started:
            machine.stop(process)
        for receiver in self.receivers:
            receiver.stop()


@pytest.fixture
def hooked(world):
    hooked = Hooked(world)
    yield hooked
    hooked.close()


def types(receiver):
    return [delivery.json()["type"] for delivery in receiver.deliveries]


# ---- what is told ----

def test_refresh_and_reuse_are_told(hooked):
    receiver = hooked.receiver()
    hooked.webhook("app", receiver.url)
    hooked.world.mount_settings(MOUNT, concurrency_window="0", recovery_window="0")
    server = hooked.world.serve("socket")
    login = hooked.world.login(MOUNT)
    after = hooked.refresh(server, login)
    assert server.send(MOUNT.dialect.request(MOUNT.path, login)).status == 400
    hooked.once()
    assert types(receiver) == ["refreshed", "reuse"]
    for delivery, generation in zip(receiver.deliveries, (0, 0)):
        assert delivery.headers["content-type"] == "application/json"
        assert delivery.is_signed_by(hooked.secrets["app"][0])
        assert not delivery.is_signed_by(new_secret())
        uuid.UUID(delivery.id)
        body = delivery.json()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timestamp"])
        data = body["data"]
        assert data["session"] == login.session and data["generation"] == generation
        assert data["account"] == "ada" and data["client"] == "web"
        assert data["endpoint"] == data["realm"] == "/oauth/token"
        for token in (login.refresh_token, after.refresh_token, after.access_token):
            assert token.encode() not in delivery.body
    hooked.once()
    assert len(receiver.deliveries) == 2


def test_acts_of_an_administrator_are_told(hooked):
    receiver = hooked.receiver()
    hooked.webhook("app", receiver.url, events="administration")
    login = hooked.world.login(MOUNT)
    hooked.installed.retoken("session", "revoke", login.session)
    hooked.once()
    assert "revoked" in types(receiver)


def test_both_secrets_sign_while_they_rotate(hooked):
    receiver = hooked.receiver()
    hooked.webhook("app", receiver.url)
    server = hooked.world.serve("socket")
    login = hooked.refresh(server, hooked.world.login(MOUNT))
    hooked.secrets["app"].append(new_secret())
    hooked.write_secrets("app")
    hooked.once()
    assert all(receiver.deliveries[0].is_signed_by(secret) for secret in hooked.secrets["app"])
    old = hooked.secrets["app"].pop(0)
    hooked.write_secrets("app")
    hooked.refresh(server, login)
    hooked.once()
    assert receiver.deliveries[1].is_signed_by(hooked.secrets["app"][0])
    assert not receiver.deliveries[1].is_signed_by(old)


def test_bodies_of_fusionauth(hooked):
    receiver = hooked.receiver()
    hooked.webhook("app", receiver.url, format="fusionauth", events="all")
    mount = dialects.mount_at("/api/jwt/refresh")
    server = hooked.world.serve("socket")
    login = hooked.world.login(mount, client="web")
    assert server.send(mount.dialect.request(mount.path, login)).status == 200
    hooked.installed.retoken("session", "revoke", login.session)
    hooked.once()
    refresh, revoke = [delivery.json()["event"] for delivery in receiver.deliveries]
    assert refresh.pop("createInstant") > 1.7e12 and revoke.pop("createInstant") > 1.7e12
    assert [refresh.pop("id"), revoke.pop("id")] == [delivery.id for delivery in receiver.deliveries]
    refresh.pop("info", None), revoke.pop("info", None)
    assert refresh == {"type": "jwt.refresh", "applicationId": "web", "userId": "ada"}
    assert revoke == {"type": "jwt.refresh-token.revoke", "applicationId": "web",
                      "applicationTimeToLiveInSeconds": {"web": 3600}, "userId": "ada",
                      "user": {"active": True, "id": "ada", "username": "ada"}}


def test_security_event_tokens(hooked):
    receiver = hooked.receiver(lambda delivery: 202)
    hooked.webhook("partner", receiver.url, format="caep", events="all", audience="https://partner.example")
    hooked.installed.set_retoken(issuer="https://login.example.org")
    server = hooked.world.serve("socket")
    login = hooked.world.login(MOUNT)
    hooked.installed.retoken("session", "revoke", login.session)
    hooked.once()
    (delivery,) = receiver.deliveries
    token = delivery.body.decode()
    assert delivery.headers["content-type"] == "application/secevent+jwt"
    assert delivery.headers["accept"] == "application/json"
    header, claims = [json.loads(part) for part in dialects.jwt_parts(token)]
    assert header["typ"] == "secevent+jwt"
    keys = jwks.keys_of(server.send(Request("GET", "/.well-known/jwks.json")).body)
    assert jwks.verifies(token, keys)
    (name, event), = claims["events"].items()
    assert name == "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    assert event["initiating_entity"] == "admin" and event["event_timestamp"] == claims["iat"]
    assert claims["aud"] == "https://partner.example" and claims["jti"] == delivery.id
    assert claims["iss"] == "https://login.example.org"
    assert claims["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": "https://login.example.org", "sub": "ada"},
        "session": {"format": "opaque", "id": login.session}}


# ---- receivers that behave badly ----

BAD = {
    "500": lambda delivery: 500,
    "redirect": lambda delivery: b"HTTP/1.1 307 Elsewhere\r\nLocation: https://127.0.0.1:1/\r\n"
                                 b"Content-Length: 0\r\nConnection: close\r\n\r\n",
    "early close": lambda delivery: b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": lambda delivery: b"",
    "no http": lambda delivery: b"220 mail.example.org ESMTP\r\n",
}


@pytest.mark.parametrize("how", BAD)
def test_bad_answers_are_tried_again(hooked, how):
    bad, good = hooked.receiver(BAD[how]), hooked.receiver()
    hooked.webhook("bad", bad.url)
    hooked.webhook("good", good.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT), 3)
    said = hooked.once()
    assert types(good) == ["refreshed"] * 3
    assert [delivery.json()["data"]["generation"] for delivery in good.deliveries] == [0, 1, 2]
    assert len(bad.deliveries) == 1, "one of the session is under way at a time"
    assert "webhook=bad" in said and "again-in-s=" in said and "webhook=good" not in said
    # after a few seconds it comes again, with the id that it had
    bad.answer = lambda delivery: 204
    hooked.start()
    machine.wait_until(lambda: len(bad.deliveries) == 4, patience=60, what="what was put off")
    assert bad.deliveries[0].id == bad.deliveries[1].id and bad.deliveries[0].body == bad.deliveries[1].body
    assert [delivery.json()["data"]["generation"] for delivery in bad.deliveries[1:]] == [0, 1, 2]


def test_one_that_hangs_delays_no_other(hooked):
    slow, good = hooked.receiver(lambda delivery: "hang"), hooked.receiver()
    hooked.webhook("slow", slow.url)
    hooked.webhook("good", good.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT), 3)
    process = hooked.start()
    machine.wait_until(lambda: len(good.deliveries) == 3, patience=30, what="the good one")
    assert len(slow.deliveries) == 1
    process.terminate()
    assert process.wait(30) == 0


def test_gigabytes_are_not_read(hooked):
    receiver = hooked.receiver(lambda delivery: "endless")
    hooked.webhook("app", receiver.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT))
    hooked.once()
    hooked.once()
    assert len(receiver.deliveries) == 1, "status 200 is an answer, whatever follows"


def test_certificate_is_verified(hooked):
    stranger = Authority(hooked.folder, "stranger.pem").issue("forged.pem")
    other_host = hooked.authority.issue("other-host.pem", "127.0.0.2")
    bad = [hooked.receiver(certificate=stranger), hooked.receiver(certificate=other_host)]
    for i, receiver in enumerate(bad):
        hooked.webhook(f"bad{i}", receiver.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT))
    said = hooked.once()
    assert bad[0].deliveries == bad[1].deliveries == []
    # libcurl 8.14 with OpenSSL 3.5 tells only the first error of a forged signature, and calls it one of TLS
    assert len(re.findall("webhook=bad[01] .*(?:certificate|SSL|TLS)", said)) == 2, said


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"])
def test_metadata_services_are_never_asked(hooked, host):
    hooked.webhook("app", f"https://{host}/latest/meta-data/")
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT))
    assert "never asked" in hooked.once()


def test_dead_events_wait_until_they_are_retried(hooked):
    """What fails after three days is dead: listed, named by doctor, and sent when an operator says so."""
    shift = hooked.folder / "shift"
    shift.write_bytes(struct.pack("q", 4 * 86400))
    machine.own(shift)
    receiver = hooked.receiver(lambda delivery: 500)
    hooked.webhook("app", receiver.url)
    login = hooked.world.login(MOUNT)
    hooked.refresh(hooked.world.serve("socket"), login)
    hooked.once()
    assert hooked.installed.json("events", "dead") == []
    hooked.installed.variables = preload.variables("campaign/clock.c", CLOCK_SHIFT=str(shift))
    hooked.once()
    hooked.installed.variables = {}
    dead, = hooked.installed.json("events", "dead")
    assert (dead["webhook"], dead["event"], dead["session"]) == ("app", "refreshed", login.session)
    examined = json.loads(hooked.installed.run("doctor", "--json").stdout)
    assert ("webhook", "warn", "app: 1 were not taken for three days: `retoken events dead`") in [
        (row["check"], row["state"], row["detail"]) for row in examined]
    receiver.answer = lambda delivery: 204
    hooked.installed.retoken("events", "retry", str(dead["number"]))
    hooked.once()
    assert hooked.installed.json("events", "dead") == []
    assert len({delivery.id for delivery in receiver.deliveries}) == 1


def test_gone_is_not_asked_again(hooked):
    receiver = hooked.receiver(lambda delivery: 410)
    hooked.webhook("app", receiver.url)
    server = hooked.world.serve("socket")
    for _ in range(3):
        hooked.refresh(server, hooked.world.login(MOUNT))
    assert "status=410" in hooked.once()
    assert 1 <= len(receiver.deliveries) <= 3


def test_secret_that_cannot_be_read(hooked):
    receiver = hooked.receiver()
    hooked.webhook("app", receiver.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT))
    secret = hooked.folder / "app.secret"
    secret.chmod(0o644)
    assert "nothing is sent" in hooked.once() and "chmod 600" in hooked.once()
    secret.chmod(0o600)
    hooked.once()
    assert types(receiver) == ["refreshed"]


# ---- kills on both sides ----

def test_kill_repeats_with_the_same_id(hooked):
    """kill -9 while a post is under way: it comes again when its lease has run out."""
    receiver = hooked.receiver(lambda delivery: "hang")
    hooked.webhook("app", receiver.url)
    hooked.refresh(hooked.world.serve("socket"), hooked.world.login(MOUNT))
    process = hooked.start()
    machine.wait_until(lambda: receiver.deliveries, patience=30, what="the first post")
    process.kill()
    process.wait()
    receiver.answer = lambda delivery: 204
    hooked.start()
    machine.wait_until(lambda: len(receiver.deliveries) > 1, patience=90, what="the second post")
    assert len({delivery.id for delivery in receiver.deliveries}) == 1
