# SPDX-License-Identifier: ISC
"""JWTs as an attacker would make them from what is public: the JWKS and somebody's real token."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def spelled(header, claims, sign):
    """A JWT of any header and claims, signed by a function over its first two parts."""
    signed = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode())
                      for part in (header, claims))
    return f"{signed}.{encoded(sign(signed.encode()))}"


def hs256(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


def public_pem(key):
    """The PEM of an RSA member of a JWKS."""
    numbers = (int.from_bytes(decoded(key[name]), "big") for name in ("e", "n"))
    return rsa.RSAPublicNumbers(*numbers).public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forgeries(token, keys):
    """name -> a token that says what the real one says and must not be believed."""
    head, body, signature = token.split(".")
    header, claims = json.loads(decoded(head)), json.loads(decoded(body))
    some = {key: value for key, value in header.items() if key != "kid"}
    kid = next((key["kid"] for key in keys), "none")
    made = {
        "alg none, no signature": f"{encoded(json.dumps({**some, 'alg': 'none'}).encode())}.{body}.",
        "alg none": spelled({**some, "alg": "none"}, claims, lambda data: b"x"),
        "alg nOnE": spelled({**some, "alg": "nOnE"}, claims, lambda data: b"x"),
        "empty secret": spelled({**some, "alg": "HS256"}, claims, hs256(b"")),
        "unknown kid": spelled({**some, "alg": "HS256", "kid": "unknown"}, claims, hs256(b"secret")),
        "kid is a path": spelled({**some, "alg": "HS256", "kid": "../../etc/passwd"}, claims,
                                 hs256(b"secret")),
        "crit": spelled({**header, "crit": ["exp"]}, claims, hs256(b"secret")),
        "other claims": f"{head}.{encoded(json.dumps({**claims, 'sub': 'root'}).encode())}.{signature}",
        "signature flipped": f"{head}.{body}.{signature[:8]}"
                             f"{'A' if signature[8] != 'A' else 'B'}{signature[9:]}",
        "padded": token + "=",
        "with a newline": token + "\n",
        "four parts": token + ".x",
        "two parts": f"{head}.{body}",
        "empty parts": "..",
        "lower-case alg": spelled({**some, "alg": str(header["alg"]).lower()}, claims,
                                  lambda data: decoded(signature)),
    }
    for number, key in enumerate(key for key in keys if key["kty"] == "RSA"):
        pem = public_pem(key)
        for name, secret in (("PEM", pem), ("PEM without its newline", pem.strip()),
                             ("modulus", decoded(key["n"]))):
            made[f"HS256 with the public key {number} as {name}"] = spelled(
                {**some, "alg": "HS256", "kid": key["kid"]}, claims, hs256(secret))
    made["RS256 named, HS256 made"] = spelled({**some, "alg": "RS256", "kid": kid}, claims,
                                              hs256(b"secret"))
    return made
