# SPDX-License-Identifier: ISC
"""Why a client was refused, or a token of another server not adopted: each reason comes of a real
request, is in the log and in the manual, and the answer has no trace of it."""

import base64
import json
import os
import re
import subprocess
import time
import urllib.parse

from authlib.jose import JsonWebSignature, RSAKey

from test_admin import ROOT, RESPONDER, assertion, base64url, copy_of, environment, fresh, openssl, rsa_key  # noqa: F401
from test_admin import template  # noqa: F401 (a fixture)
from test_moving import adopts, hs256

JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOUNT = "[retoken]\ndata = .\n[mount /oauth/token]\ndialect = oauth\n"


def reasons():
    """Every reason, by word, with its meaning."""
    text = (ROOT / "src/model/client_refusal.h").read_text()
    text = text[text.index("#define CLIENT_REFUSAL_ROWS"):text.index("enum client_refusal")].replace("\\\n", "")
    return {word: "".join(re.findall(r'"([^"]*)"', meaning))
            for word, meaning in re.findall(r'REFUSAL\(\s*\w+,\s*"([a-z-]+)",\s*((?:"[^"]*"\s*)+)\)', text)}


def ask(one, authorization="", path="/oauth/token", dpop="", certificate="", **fields):
    """(what the client is told, the reasons in the log) of one refresh."""
    body = urllib.parse.urlencode({"grant_type": "refresh_token", **fields})
    variables = {**environment(), "RETOKEN_CONFIG": str(one.config), "GATEWAY_INTERFACE": "CGI/1.1",
                 "REQUEST_METHOD": "POST", "SCRIPT_NAME": path, "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
                 "SERVER_NAME": "localhost", "CONTENT_TYPE": "application/x-www-form-urlencoded",
                 "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": authorization, "HTTP_DPOP": dpop,
                 "SSL_CLIENT_CERT": certificate, "SSL_CLIENT_VERIFY": "NONE"}
    done = subprocess.run([RESPONDER], input=body, capture_output=True, text=True, env=variables, timeout=60)
    return done.stdout, re.findall(r" reason=([a-z-]+)", done.stderr)


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def signed(one, key="svc", header=None, **claims):
    """An assertion of svc with these claims instead; None leaves one out."""
    now = int(time.time())
    claims = {"iss": "svc", "sub": "svc", "aud": "https://id", "exp": now + 60, "jti": os.urandom(8).hex(), **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    text = base64url(json.dumps({"alg": "RS256", **(header or {})}).encode()) + "." + \
        base64url(json.dumps(claims).encode())
    return text + "." + base64url(openssl(one.directory, "dgst", "-sha256", "-sign", f"{key}.pem", input=text.encode()))


def expect(produced, one, reason, **more):
    told, found = ask(one, **more)
    assert found == [reason], (reason, found, told)
    # what a proved client may not do, the protocol tells it: unauthorized_client
    assert "reason" not in told.lower() and (reason in ("grant", "dpop-nonce") or reason not in told.lower()), told
    error = {"adopt": "invalid_grant", "dpop": "(invalid_dpop_proof|use_dpop_nonce)"}.get(
        reason.split("-")[0], "(invalid|unauthorized)_client")
    assert re.search(f'"error":"{error}"', told), told
    produced.add(reason)


def test_every_reason_is_produced(fresh, template, tmp_path):
    produced = set()
    now = int(time.time())
    fresh.account()
    for name in ("svc", "other"):
        rsa_key(fresh.directory, name)
    secret = fresh.json("client", "add", "web")["client_secret"]
    (fresh.directory / "chosen").write_text("correct horse battery\n")
    fresh.run("client", "add", "human", "--secret-file", "chosen", "--force")
    fresh.run("client", "add", "svc", "--key", "svc.pub", "--algorithm", "RS256")
    fresh.run("client", "add", "open", "--public")
    fresh.write(MOUNT)
    token = fresh.session("/oauth/token", "ada", "--client", "web")["refresh_token"]
    expect(produced, fresh, "assertion-no-issuer", refresh_token=token, client_assertion_type=JWT,
           client_assertion=signed(fresh))
    fresh.write(MOUNT + "issuer = https://id\n")

    expect(produced, fresh, "no-client-id", refresh_token=token, client_id="x" * 100, client_secret="x")
    expect(produced, fresh, "unknown-client", refresh_token=token, client_id="stranger", client_secret="x")
    expect(produced, fresh, "no-proof", refresh_token=token, client_id="web")
    expect(produced, fresh, "no-proof", refresh_token=token)
    expect(produced, fresh, "authorization", refresh_token=token, authorization="Basic %%%")
    expect(produced, fresh, "secret", refresh_token=token, authorization=basic("web", secret + "x"))
    expect(produced, fresh, "secret", refresh_token="x", client_id="web", client_secret="x")
    expect(produced, fresh, "no-secret", refresh_token=token, client_id="open", client_secret="x")
    expect(produced, fresh, "no-secret", refresh_token=token, client_id="svc", client_secret="x")
    elsewhere = copy_of(template, tmp_path / "elsewhere")
    elsewhere.account()
    expect(produced, fresh, "secret-unseen", refresh_token=elsewhere.session()["refresh_token"],
           client_id="human", client_secret="x")
    fresh.run("client", "disable", "web")
    expect(produced, fresh, "disabled", refresh_token=token, client_id="web", client_secret=secret)
    fresh.run("client", "enable", "web")
    fresh.run("client", "set", "web", "--grant", "client")
    expect(produced, fresh, "grant", refresh_token=token, client_id="web", client_secret=secret)

    token = fresh.session("/oauth/token", "ada", "--client", "svc")["refresh_token"]
    for reason, text, more in (
            ("assertion-type", signed(fresh), {"client_assertion_type": "saml"}),
            ("assertion-malformed", "x.y.z", {}),
            ("assertion-sub", signed(fresh), {"client_id": "web"}),
            ("assertion-sub", signed(fresh, sub="web"), {}),
            ("assertion-typ", signed(fresh, header={"typ": "at+jwt"}), {}),
            ("assertion-no-keys", signed(fresh, iss="web", sub="web"), {}),
            ("assertion-key", signed(fresh, header={"alg": "RS384"}), {}),
            ("assertion-signature", signed(fresh, "other"), {}),
            ("assertion-aud", signed(fresh, aud="https://elsewhere"), {}),
            ("assertion-exp", signed(fresh, exp=None), {}),
            ("assertion-exp", signed(fresh, exp="soon"), {}),
            ("assertion-expired", signed(fresh, exp=now - 1000), {}),
            ("assertion-long", signed(fresh, exp=now + 100000), {}),
            ("assertion-nbf", signed(fresh, nbf=now + 100000), {}),
            ("assertion-iat", signed(fresh, iat=now + 100000), {}),
            ("assertion-jti", signed(fresh, jti=""), {})):
        expect(produced, fresh, reason, refresh_token=token, client_assertion=text,
               **{"client_assertion_type": JWT, **more})
    once = signed(fresh)
    told, found = ask(fresh, refresh_token=token, client_assertion=once, client_assertion_type=JWT)
    assert found == [] and "access_token" in told
    expect(produced, fresh, "assertion-replayed", client_assertion=once, client_assertion_type=JWT,
           refresh_token=json.loads(told.split("\n\n", 1)[-1].split("\r\n\r\n")[-1])["refresh_token"])

    key = RSAKey.import_key((fresh.directory / "svc.pem").read_text())

    def proof(header=None, **claims):
        said = {"jti": os.urandom(8).hex(), "htm": "POST", "htu": "https://id/oauth/token", "iat": now, **claims}
        return JsonWebSignature().serialize_compact(
            {"typ": "dpop+jwt", "alg": "RS256", "jwk": key.as_dict(is_private=False), **(header or {})},
            json.dumps(said), key).decode()

    token = fresh.session("/oauth/token", "ada")["refresh_token"]
    for reason, text in (("dpop-malformed", "x.y.z"), ("dpop-typ", proof({"typ": "JWT"})),
                         ("dpop-alg", base64url(b'{"typ":"dpop+jwt","alg":"none"}') + ".e30.AAAA"),
                         ("dpop-key", proof({"jwk": key.as_dict(is_private=True)})),
                         ("dpop-signature", proof()[:-8] + "AAAAAAAA"), ("dpop-jti", proof(jti="")),
                         ("dpop-htm", proof(htm="GET")), ("dpop-htu", proof(htu="https://elsewhere/oauth/token")),
                         ("dpop-iat", proof(iat="now")), ("dpop-nonce", proof(iat=now - 1000))):
        expect(produced, fresh, reason, refresh_token=token, dpop=text)
    once = proof()
    told, _ = ask(fresh, refresh_token=token, dpop=once)
    token = json.loads(told.split("\n\n", 1)[-1].split("\r\n\r\n")[-1])["refresh_token"]
    expect(produced, fresh, "dpop-replayed", refresh_token=token, dpop=once)
    for name in ("mine", "theirs"):
        openssl(fresh.directory, "req", "-x509", "-key", "svc.pem" if name == "mine" else "other.pem", "-subj",
                f"/CN={name}", "-out", f"{name}.crt")
    theirs = (fresh.directory / "theirs.crt").read_text()
    fresh.run("client", "add", "self", "--certificate", "mine.crt")
    fresh.run("client", "add", "bank", "--certificate-name", "dn:CN=theirs")
    fresh.write(MOUNT + "client-certificates = on\n")
    for reason, client, certificate in (("no-certificate", "self", ""), ("certificate", "self", theirs),
                                        ("certificate-unverified", "bank", theirs),
                                        ("certificate-malformed", "self", "(null)")):
        expect(produced, fresh, reason, refresh_token=token, client_id=client, certificate=certificate)
    fresh.write(MOUNT)
    expect(produced, fresh, "dpop-no-issuer", refresh_token=token, dpop=proof())
    fresh.write(MOUNT + "issuer = https://id\ndpop = required\n")
    expect(produced, fresh, "dpop-absent", refresh_token=token)

    adopts(fresh, settings="algorithm = HS256\nadopt-issuer = https://old.example\n")
    good = {"sub": "ada", "iss": "https://old.example", "iat": now, "exp": now + 5000}
    for reason, text in (("adopt-signature", hs256(good, "another secret")),
                         ("adopt-type", hs256({**good, "typ": "Bearer"})),
                         ("adopt-issuer", hs256({**good, "iss": "https://other.example"})),
                         ("adopt-time", hs256({**good, "iat": now + 100000})),
                         ("adopt-account", hs256({**good, "sub": ["ada"]})),
                         ("adopt-scope", hs256({**good, "scope": "\u0001"}))):
        expect(produced, fresh, reason, refresh_token=text)
    # Of pages, and of servers that pass a header twice, which CGI cannot: tests/e2e/test_dpop.py. Of
    # browsers: tests/operation/test_dbsc.
    assert produced == {word for word in reasons() if not word.startswith("dbsc-")} - {"dpop-ath", "dpop-repeated"}


def test_the_manual_has_every_reason():
    manual = (ROOT / "man" / "retoken.1").read_text()
    for word, meaning in reasons().items():
        assert f".It Li {word}\n" in manual, word
