# SPDX-License-Identifier: ISC
"""Proofs of possession (RFC 9449) through every kind of web server: how the DPoP header arrives, one
failing proof for each check, and that only its key renews a bound session. Proofs are made by authlib."""

import base64
import hashlib
import json
import time
import urllib.parse
import uuid

import pytest
from authlib.jose import ECKey, JsonWebSignature, OctKey, RSAKey

from conftest import PASSWORD, new_world
from lab import servers
from lab.http import Request
from test_check import lines_for

PATH = "/oauth/token"
# TLS may end in front of the web server, so the scheme and the port of `htu` do not matter.
URL = "https://login.example:8443" + PATH
SETTINGS = (f"[realm {PATH}]\ndialect = oauth\nissuer = https://login.example\n"
            "grants = refresh password client\n")


@pytest.fixture(scope="module", params=servers.KINDS)
def server(request, small_templates):
    with new_world(small_templates(SETTINGS)) as world:
        yield world.serve(request.param)


def make_key():
    """Without leading zeros, which authlib leaves out."""
    while True:
        key = ECKey.generate_key("P-256", is_private=True)
        if all(len(key.as_dict(is_private=True)[name]) == 43 for name in "xyd"):
            return key


KEY, OTHER = make_key(), make_key()
RSA = RSAKey.generate_key(2048, is_private=True)


def claims(**changed):
    said = {"jti": str(uuid.uuid4()), "htm": "POST", "htu": URL, "iat": int(time.time()), **changed}
    return {name: value for name, value in said.items() if value is not None}


def proof(key=KEY, header=None, signer=None, **changed):
    """A right one, with these claims and members of the header instead; None leaves one out."""
    members = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(is_private=False), **(header or {})}
    members = {name: value for name, value in members.items() if value is not None}
    return JsonWebSignature(["ES256", "HS256", "RS256"]).serialize_compact(
        members, json.dumps(claims(**changed)), signer or key).decode()


def unsigned():
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return (part({"typ": "dpop+jwt", "alg": "none", "jwk": KEY.as_dict(is_private=False)}) + "." + part(claims()) + "."
            + "AAAA")


def changed_signature():
    made = proof()
    return made[:-8] + ("A" if made[-8] != "A" else "B") + made[-7:]


def ask(server, *proofs, **fields):
    return server.send(Request("POST", PATH, [("Content-Type", "application/x-www-form-urlencoded"),
                                              *(("DPoP", one) for one in proofs)],
                               urllib.parse.urlencode(fields).encode()))


def log_in(server, *proofs):
    return ask(server, *proofs, grant_type="password", username="ada", password=PASSWORD, client_id="phone")


def renew(server, token, *proofs):
    return ask(server, *proofs, grant_type="refresh_token", refresh_token=token, client_id="phone")


def granted(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def refused(answer, error):
    assert (answer.status, json.loads(answer.body)["error"]) == (400, error), answer.body
    assert answer.header("Cache-Control") == "no-store"
    return answer


def thumbprint(key):
    public = key.as_dict(is_private=False)
    text = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def bound_to(access_token):
    payload = access_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("cnf")


# What each check of section 4.3 refuses. Two headers arrive as one behind Apache and lighttpd, and as two
# parameters behind nginx.
VECTORS = {
    "several headers": lambda: (proof(), proof()),
    "no JWT": lambda: ("a.b.c",),
    "no jti": lambda: (proof(jti=None),),
    "no htm": lambda: (proof(htm=None),),
    "no htu": lambda: (proof(htu=None),),
    "no iat": lambda: (proof(iat=None),),
    "another typ": lambda: (proof(header={"typ": "JWT"}),),
    "no alg": lambda: (unsigned(),),
    "a symmetric alg": lambda: (proof(header={"alg": "HS256"}, signer=OctKey.import_key(b"k" * 32)),),
    "an alg of another key": lambda: (proof(header={"alg": "RS256"}, signer=RSA),),
    "no jwk": lambda: (proof(header={"jwk": None}),),
    "another signature": lambda: (changed_signature(),),
    "signed by another": lambda: (proof(signer=OTHER),),
    "a private jwk": lambda: (proof(header={"jwk": KEY.as_dict(is_private=True)}),),
    "another htm": lambda: (proof(htm="GET"),),
    "another path in htu": lambda: (proof(htu="https://login.example/oauth/revoke"),),
    "another host in htu": lambda: (proof(htu="https://evil.example" + PATH),),
    "an old iat": lambda: (proof(iat=1_000_000_000),),
    "another nonce": lambda: (proof(nonce="AAAAAAAAAAAAAAAAAAAAAA"),),
}
BY_NONCE = ("an old iat", "another nonce")


@pytest.mark.parametrize("vector", VECTORS)
def test_each_check_refuses(server, vector):
    answer = refused(log_in(server, *VECTORS[vector]()),
                     "use_dpop_nonce" if vector in BY_NONCE else "invalid_dpop_proof")
    assert (answer.header("DPoP-Nonce") is not None) == (vector in BY_NONCE)


def test_a_bound_session_is_its_keys(server):
    first = granted(log_in(server, proof(htu=URL + "?a=b#c")))
    assert first["token_type"] == "DPoP" and bound_to(first["access_token"]) == {"jkt": thumbprint(KEY)}
    made = proof()
    refused(renew(server, first["refresh_token"]), "invalid_grant")
    refused(renew(server, first["refresh_token"], proof(OTHER)), "invalid_grant")
    second = granted(renew(server, first["refresh_token"], made))
    assert second["token_type"] == "DPoP" and bound_to(second["access_token"]) == {"jkt": thumbprint(KEY)}
    assert granted(renew(server, first["refresh_token"], made))["refresh_token"] == second["refresh_token"]
    refused(renew(server, second["refresh_token"], made), "invalid_dpop_proof")
    granted(renew(server, second["refresh_token"], proof()))


def test_who_proves_the_key_is_no_thief(small_world):
    """A lost answer is given again, without a window (docs/design.md section 4), and `explain` says so."""
    world = small_world(SETTINGS + "concurrency-window = 0\n")
    server = world.serve("socket")
    first = granted(log_in(server, proof()))
    second = granted(renew(server, first["refresh_token"], proof()))
    said = world.installed.run("explain", first["refresh_token"]).stdout.decode()
    assert "who proves the key of its session gets its successor again" in said, said
    [shown] = world.installed.json("session", "list")
    assert (shown["key"], shown["thumbprint"]) == ("dpop", thumbprint(KEY))
    refused(renew(server, first["refresh_token"]), "invalid_grant")
    assert granted(renew(server, first["refresh_token"], proof()))["refresh_token"] == second["refresh_token"]
    granted(renew(server, second["refresh_token"], proof()))


def test_a_nonce_helps_a_wrong_clock(server):
    late = int(time.time()) - 3600
    nonce = refused(log_in(server, proof(iat=late)), "use_dpop_nonce").header("DPoP-Nonce")
    answer = log_in(server, proof(iat=late, nonce=nonce))
    assert granted(answer)["token_type"] == "DPoP" and answer.header("DPoP-Nonce") is None


def test_without_a_proof_nothing_changes(server):
    first = granted(log_in(server))
    assert first["token_type"] == "bearer" and bound_to(first["access_token"]) is None
    assert granted(renew(server, first["refresh_token"]))["token_type"] == "bearer"


# ---- pages, which Apache and lighttpd ask an authorizer about ----

def page_proof(token, key=KEY, path="/members/index.html", **changed):
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    return proof(key, htm="GET", htu="https://login.example" + path, **{"ath": ath, **changed})


@pytest.mark.parametrize("kind", ["apache", "lighttpd", "nginx"])
def test_a_page_wants_the_key(small_world, kind):
    world = small_world(SETTINGS)
    server = world.serve(kind, checked=True, extra=lines_for(kind, world))
    token = granted(log_in(server, proof()))["access_token"]

    def look(scheme, *proofs):
        return server.send(Request("GET", "/members/index.html", [("Authorization", f"{scheme} {token}"),
                                                        *(("DPoP", one) for one in proofs)]))

    assert look("Bearer").status == 401
    refusals = [look("DPoP"), look("DPoP", page_proof(token, OTHER)), look("DPoP", page_proof(token, ath=None)),
                look("DPoP", page_proof(token, ath="AAAA")), look("DPoP", page_proof(token, path="/other/"))]
    assert [answer.status for answer in refusals] == [401] * 5
    answer = look("DPoP", page_proof(token))
    # nginx's auth_request does not say which page it is about
    assert answer.status == (401 if kind == "nginx" else 200), (answer, server.log_text())
