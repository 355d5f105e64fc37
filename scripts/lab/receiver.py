# SPDX-License-Identifier: ISC
"""A receiver of webhooks on loopback, over HTTPS or plain HTTP: keeps what it is sent, and answers as
a test tells it, well or badly. Knows the Standard Webhooks specification from its own reading of it,
and shares no code with the sender."""

import base64
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import secrets
import ssl
import threading
import time


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Delivery:
    """One request: what was sent, and when."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.id = headers.get("webhook-id", "")
        self.at = time.time()

    def json(self):
        return json.loads(self.body)

    def is_signed_by(self, secret):
        """Is one of its signatures made with that secret, and its timestamp of now?"""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        timestamp = self.headers.get("webhook-timestamp", "")
        mac = hmac.new(key, f"{self.id}.{timestamp}.".encode() + self.body, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(mac).decode()
        return (abs(int(timestamp) - self.at) < 60
                and wanted in self.headers.get("webhook-signature", "").split(" "))


class Receiver:
    """answer(delivery) gives a status; or bytes, which are sent as they are, and the connection is
    closed; or "hang", which never answers; or "endless", which never stops answering."""

    def __init__(self, answer=lambda delivery: 204, certificate=None):
        self.answer = answer
        self.deliveries = []
        self.ending = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # the handshake belongs to the thread of the connection, so that none delays others
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _handler(receiver):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                delivery = Delivery(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                receiver.deliveries.append(delivery)
                said = receiver.answer(delivery)
                if said == "hang":
                    receiver.ending.wait()
                    self.close_connection = True
                elif said == "endless":
                    self.close_connection = True
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                    while not receiver.ending.is_set():
                        self.wfile.write(bytes(1 << 20))
                elif isinstance(said, bytes):
                    self.wfile.write(said)
                    self.close_connection = True
                else:
                    self.send_response(said)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def handle(self):
                try:
                    super().handle()
                except (OSError, ssl.SSLError):
                    pass  # the sender has hung up

            def log_message(self, *arguments):
                pass

        return Handler

    def stop(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


class Authority:
    """A certificate authority of its own; `file` is what its clients trust."""

    def __init__(self, folder, file="ca.pem"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self.x509, self.hashes, self.serialization, self.ec = x509, hashes, serialization, ec
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of a test")])
        self.file = folder / file
        self.file.write_bytes(self._certificate(self.name, self.key, True).public_bytes(
            serialization.Encoding.PEM))

    def _certificate(self, name, key, is_authority, address="127.0.0.1"):
        x509, now = self.x509, datetime.datetime.now(datetime.timezone.utc)
        return (x509.CertificateBuilder().subject_name(name).issuer_name(self.name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=2))
                .add_extension(x509.BasicConstraints(is_authority, None), True)
                .add_extension(x509.SubjectAlternativeName(
                    [x509.IPAddress(ipaddress.ip_address(address))]), False)
                .sign(self.key, self.hashes.SHA256()))

    def issue(self, file, address="127.0.0.1"):
        """The path of a file with a certificate for that address, and its key."""
        key = self.ec.generate_private_key(self.ec.SECP256R1())
        name = self.x509.Name([self.x509.NameAttribute(self.x509.NameOID.COMMON_NAME, "receiver")])
        path = self.folder / file
        path.write_bytes(
            self._certificate(name, key, False, address).public_bytes(self.serialization.Encoding.PEM)
            + key.private_bytes(self.serialization.Encoding.PEM,
                                self.serialization.PrivateFormat.PKCS8,
                                self.serialization.NoEncryption()))
        return path
