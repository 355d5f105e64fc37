# SPDX-License-Identifier: ISC
"""Signatures of RS and ES tokens checked against a JWKS with nothing but integers (RFC 8017 section
8.2.2, FIPS 186-5 section 6.4.2): a second opinion that shares no code with the server."""

import base64
import dataclasses
import hashlib
import json

# DER of DigestInfo up to the digest (RFC 8017 section 9.2, note 1).
_DIGEST = {"RS256": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
           "RS384": ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
           "RS512": ("sha512", bytes.fromhex("3051300d060960864801650304020305000440"))}

# kty -> what its keys sign with.
KINDS = {"RSA": tuple(_DIGEST), "EC": ("ES256", "ES384")}


@dataclasses.dataclass(frozen=True)
class Curve:
    """y^2 = x^3 - 3x + b modulo p, of order n (SP 800-186 section 3.2.1); b follows from the key."""

    digest: str
    size: int
    p: int
    n: int
    base: tuple

    def add(self, one, other):
        """Affine points; None is the point at infinity."""
        if one is None or other is None:
            return one or other
        (x1, y1), (x2, y2) = one, other
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        slope = ((3 * x1 * x1 - 3) * pow(2 * y1, -1, self.p) if one == other
                 else (y2 - y1) * pow(x2 - x1, -1, self.p))
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def times(self, number, point):
        result = None
        for bit in bin(number)[2:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, point)
        return result


_CURVES = {
    "ES256": Curve("sha256", 32, 2**256 - 2**224 + 2**192 + 2**96 - 1,
                   0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
                   (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
                    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)),
    "ES384": Curve("sha384", 48, 2**384 - 2**128 - 2**96 + 2**32 - 1,
                   0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
                   (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
                    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f)),
}


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keys_of(body):
    return json.loads(body)["keys"]


def verifies(token, keys):
    """Is the signature right by the key that the token's kid names, or by any where it names none?"""
    signed, _, signature = token.rpartition(".")
    header = json.loads(_decoded(signed.split(".")[0]))
    return any(header["alg"] in KINDS[key["kty"]] and header.get("kid") in (None, key["kid"])
               and _CHECKS[key["kty"]](header["alg"], key, signed.encode(), _decoded(signature))
               for key in keys if key["kty"] in KINDS)


def _number(text):
    return int.from_bytes(_decoded(text), "big")


def _rsa(algorithm, key, signed, signature):
    name, prefix = _DIGEST[algorithm]
    digest = prefix + hashlib.new(name, signed).digest()
    modulus = _number(key["n"])
    size = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(signature, "big"), _number(key["e"]), modulus).to_bytes(size, "big")
    return opened == b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest


def _ec(algorithm, key, signed, signature):
    curve = _CURVES[algorithm]
    r, s = (int.from_bytes(half, "big") for half in (signature[:curve.size], signature[curve.size:]))
    if len(signature) != 2 * curve.size or not (0 < r < curve.n and 0 < s < curve.n):
        return False
    inverse = pow(s, -1, curve.n)
    digest = int.from_bytes(hashlib.new(curve.digest, signed).digest(), "big")
    point = curve.add(curve.times(digest * inverse % curve.n, curve.base),
                      curve.times(r * inverse % curve.n, (_number(key["x"]), _number(key["y"]))))
    return point is not None and point[0] % curve.n == r


_CHECKS = {"RSA": _rsa, "EC": _ec}
