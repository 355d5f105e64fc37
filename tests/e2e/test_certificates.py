# SPDX-License-Identifier: ISC
"""Certificates of TLS clients (RFC 8705) through every kind of web server: what each passes on, that no
header says the same, and that only its certificate renews a bound session."""

import base64
import hashlib
import json
import shutil
import ssl
import urllib.parse

import pytest

from conftest import PASSWORD
from lab import machine
from lab.http import Request
from test_check import lines_for
from test_dpop import bound_to, proof, thumbprint, KEY

PATH = "/oauth/token"
SETTINGS = (f"[realm {PATH}]\ndialect = oauth\nissuer = https://login.example\n"
            "grants = refresh password client\n")
ON = SETTINGS + "client-certificates = on\n"
KINDS = ("apache", "apache-proxy", "apache-cgi", "lighttpd", "lighttpd-socket", "lighttpd-cgi", "nginx")
NAME = "bank.example"


@pytest.fixture(scope="module")
def folder():
    """The server's certificate, one signed by a CA that it knows ("bank"), and two by nobody; "eve" has
    bank's name in it."""
    folder = machine.folder("retoken-certificates-")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    def openssl(*words):
        done = machine.run(["openssl", *words])
        assert done.returncode == 0, done.stderr

    def make(name, *more):
        openssl("req", "-x509", *new_key, "-subj", f"/CN={name}", "-days", "3", "-keyout", folder / f"{name}.key",
                "-out", folder / f"{name}.crt", *more)
        join(name)

    def join(name):
        (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text())

    for name in ("server", "ca", "self"):
        make(name)
    make("eve", "-addext", f"subjectAltName=DNS:{NAME}")
    (folder / "extensions").write_text(f"subjectAltName=DNS:{NAME}\n")
    openssl("req", *new_key, "-subj", "/CN=Bank", "-keyout", folder / "bank.key", "-out", folder / "bank.csr")
    openssl("x509", "-req", "-in", folder / "bank.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", "3", "-extfile", folder / "extensions", "-out", folder / "bank.crt")
    join("bank")
    (folder / "clients.pem").write_text((folder / "ca.crt").read_text() + (folder / "self.crt").read_text())
    yield machine.own(folder)
    shutil.rmtree(folder, ignore_errors=True)


def context_of(folder, name):
    """Of a client with this certificate; "" = with none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if name:
        context.load_cert_chain(folder / f"{name}.pem")
    return context


def x5t(folder, name):
    der = ssl.PEM_cert_to_DER_cert((folder / f"{name}.crt").read_text())
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def posting(headers=(), **fields):
    return Request("POST", PATH, [("Content-Type", "application/x-www-form-urlencoded"), *headers],
                   urllib.parse.urlencode(fields).encode())


def login(headers=(), client="phone"):
    return posting(headers, grant_type="password", username="ada", password=PASSWORD, client_id=client)


def renewal(token, headers=(), client="phone"):
    return posting(headers, grant_type="refresh_token", refresh_token=token, client_id=client)


def granted(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def refused(answer, error):
    assert (answer.status, json.loads(answer.body)["error"]) == (401 if error == "invalid_client" else 400, error), \
        answer.body


def claims(folder, name):
    """What a client may send to seem to have a certificate."""
    pem = (folder / f"{name}.crt").read_text()
    lines = "".join(pem.splitlines()[1:-1])
    return [("SSL-Client-Cert", urllib.parse.quote(pem)), ("SSL_CLIENT_CERT", pem.replace("\n", " ")),
            ("X-SSL-Client-Cert", urllib.parse.quote(pem)), ("X-Client-Cert", lines), ("X-SSL-Cert", lines),
            ("Client-Cert", f":{lines}:"), ("X-Forwarded-Client-Cert", f'Cert="{urllib.parse.quote(pem)}"'),
            ("SSL-Client-Verify", "SUCCESS"), ("X-SSL-Client-Verify", "SUCCESS"), ("Proxy-SSL-Client-Cert", lines)]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_connection_has_a_certificate(small_world, folder, kind):
    world = small_world(ON)
    world.installed.retoken("client", "add", "self", "--certificate", str(folder / "self.crt"))
    world.installed.retoken("client", "add", "bank", "--certificate-name", f"dns:{NAME}")
    server = world.serve(kind, tls=folder)

    def send(name, request):
        return server.send_tls(request, context_of(folder, name))

    # a public client's session is bound to what it had
    first = granted(send("self", login()))
    assert first["token_type"] == "bearer"
    assert bound_to(first["access_token"]) == {"x5t#S256": x5t(folder, "self")}
    spoofs = claims(folder, "self")
    for answer in (send("", renewal(first["refresh_token"])), send("bank", renewal(first["refresh_token"])),
                   send("", renewal(first["refresh_token"], spoofs)),
                   server.send(renewal(first["refresh_token"], spoofs))):
        refused(answer, "invalid_grant")
    second = granted(send("self", renewal(first["refresh_token"])))
    assert bound_to(second["access_token"]) == {"x5t#S256": x5t(folder, "self")}
    # a header binds nothing, and proves no client
    for answer in (send("", login(spoofs)), server.send(login(spoofs))):
        assert bound_to(granted(answer)["access_token"]) is None
    refused(send("", login(spoofs, "self")), "invalid_client")
    refused(server.send(login(claims(folder, "bank"), "bank")), "invalid_client")
    # its certificate proves a client; a name, only where the web server knows who vouches for it
    granted(send("self", login(client="self")))
    refused(send("eve", login(client="self")), "invalid_client")
    granted(send("bank", login(client="bank")))
    refused(send("eve", login(client="bank")), "invalid_client")
    refused(send("self", login(client="bank")), "invalid_client")
    document = json.loads(server.send(Request("GET", "/.well-known/oauth-authorization-server")).body)
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(document["token_endpoint_auth_methods_supported"])


@pytest.mark.parametrize("kind", ["apache", "lighttpd", "nginx"])
def test_a_page_wants_the_certificate(small_world, folder, kind):
    world = small_world(ON)
    server = world.serve(kind, checked=True, extra=lines_for(kind, world), tls=folder)
    token = granted(server.send_tls(login(), context_of(folder, "self")))["access_token"]

    def look(name, headers=()):
        request = Request("GET", "/members/index.html", [("Authorization", f"Bearer {token}"), *headers])
        return server.send_tls(request, context_of(folder, name)).status

    assert look("self") == 200, server.log_text()
    assert [look(""), look("eve"), look("", claims(folder, "self"))] == [401] * 3


def test_off_unless_it_is_said(small_world, folder):
    world = small_world(SETTINGS)
    world.installed.retoken("client", "add", "self", "--certificate", str(folder / "self.crt"))
    server = world.serve("socket")
    pem = (folder / "self.crt").read_text()

    def send(request, certificate=pem):
        return server.send(request, SSL_CLIENT_CERT=certificate, SSL_CLIENT_VERIFY="SUCCESS")

    assert bound_to(granted(send(login()))["access_token"]) is None
    refused(send(login(client="self")), "invalid_client")
    rows = world.installed.run("doctor").stdout.decode()
    assert "client self proves itself by one, and no realm looks at them" in rows, rows


def test_a_certificate_beside_a_proof(small_world, folder):
    """Both are in the token; the session is the proof's key's."""
    server = small_world(ON).serve("socket")
    pem = (folder / "self.crt").read_text()

    def send(request, certificate=pem):
        return server.send(request, SSL_CLIENT_CERT=certificate, SSL_CLIENT_VERIFY="NONE")

    first = granted(send(login([("DPoP", proof())])))
    assert first["token_type"] == "DPoP"
    assert bound_to(first["access_token"]) == {"jkt": thumbprint(KEY), "x5t#S256": x5t(folder, "self")}
    refused(send(renewal(first["refresh_token"])), "invalid_grant")
    second = granted(send(renewal(first["refresh_token"], [("DPoP", proof())]), ""))
    assert bound_to(second["access_token"]) == {"jkt": thumbprint(KEY)}


def test_what_cannot_be_read(small_world, folder):
    """A web server that passes something else is told of in the log, and nothing is granted by it."""
    world = small_world(ON + "certificate = required\n")
    server = world.serve("socket")
    pem = (folder / "self.crt").read_text()
    for wrong in ("(null)", "-----BEGIN CERTIFICATE-----\n", pem.replace("MII", "M!I"), pem * 40):
        refused(server.send(login(), SSL_CLIENT_CERT=wrong), "invalid_client")
        assert "reason=certificate-malformed" in server.log_text()
    refused(server.send(login()), "invalid_client")
    assert "reason=no-certificate" in server.log_text()
    granted(server.send(login(), SSL_CLIENT_CERT=pem))
    rows = world.installed.run("doctor").stdout.decode()
    assert "does the web server ask for one, and pass SSL_CLIENT_CERT?" in rows, rows
