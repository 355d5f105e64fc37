/* SPDX-License-Identifier: ISC */
/* tokens.js: reads tokens without trusting them: JWTs, Retoken's native refresh tokens, UUIDs. Checks
 * signatures with WebCrypto where the algorithm has a public key. Does not know the page or the dialects. */

/* Canonical base64url without padding -> bytes, or null. */
export function base64url_bytes(text) {
    if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1)
        return null;
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function json_object(bytes) {
    try {
        const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
        return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
    } catch {
        return null;
    }
}

function read_jwt(token) {
    const parts = token.split(".");
    if (parts.length !== 3)
        return null;
    const [head, body, signature] = parts.map(base64url_bytes);
    const header = head && json_object(head);
    const payload = body && json_object(body);
    if (!header || !payload || !signature)
        return null;
    return { shape: "jwt", header, payload, signature, signed: new TextEncoder().encode(`${parts[0]}.${parts[1]}`) };
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/* Layout: 1 byte version, 1 byte key id, 16 bytes session id, 4 bytes generation (big-endian), 32 bytes MAC. */
const NATIVE = { characters: 72, session: 2, generation: 18, mac: 22 };

function read_native(token) {
    const bytes = token.length === NATIVE.characters ? base64url_bytes(token) : null;
    if (!bytes)
        return null;
    const id = hex(bytes.subarray(NATIVE.session, NATIVE.generation));
    /* A session id is a UUIDv7: its first 48 bits are the time in milliseconds (RFC 9562 section 5.7). */
    return {
        shape: "native",
        version: bytes[0],
        key: bytes[1],
        session: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join("-"),
        begun_s: id[12] === "7" ? parseInt(id.slice(0, 12), 16) / 1000 : null,
        generation: new DataView(bytes.buffer).getUint32(NATIVE.generation),
        mac: hex(bytes.subarray(NATIVE.mac)),
    };
}

/* {shape: "jwt" | "native" | "uuid" | "opaque" | "none", …} */
export function read_token(token) {
    if (!token)
        return { shape: "none" };
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(token))
        return { shape: "uuid" };
    return read_jwt(token) ?? read_native(token) ?? { shape: "opaque" };
}

/* The algorithms a browser can check: how the key is imported, and how a signature is verified. */
const RSA = (hash) => ({ name: "RSASSA-PKCS1-v1_5", hash });
const ALGORITHMS = {
    RS256: { kty: "RSA", key: RSA("SHA-256"), check: RSA("SHA-256") },
    RS384: { kty: "RSA", key: RSA("SHA-384"), check: RSA("SHA-384") },
    RS512: { kty: "RSA", key: RSA("SHA-512"), check: RSA("SHA-512") },
    PS256: { kty: "RSA", key: { name: "RSA-PSS", hash: "SHA-256" }, check: { name: "RSA-PSS", saltLength: 32 } },
    ES256: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-256" }, check: { name: "ECDSA", hash: "SHA-256" } },
    ES384: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-384" }, check: { name: "ECDSA", hash: "SHA-384" } },
    EdDSA: { kty: "OKP", key: { name: "Ed25519" }, check: { name: "Ed25519" } },
};

/* Only what makes the key: its `alg` and `use` have been looked at, and WebCrypto would refuse some. */
const public_part = ({ kty, n, e, crv, x, y }) => JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));

/* Whether the signature of a JWT (from read_token) is right under one of the keys of a JWKS.
 * {state: "good" | "bad" | "unknown", says}; never throws. */
export async function check_signature(jwt, keys) {
    const name = jwt.header.alg;
    const algorithm = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : null;
    if (typeof name === "string" && name.startsWith("HS"))
        return { state: "unknown", says: `${name}: the key is a secret of the server, so only the server can check it.` };
    if (!algorithm)
        return { state: "bad", says: `No browser check for the algorithm “${name}”.` };
    if (!globalThis.crypto?.subtle)
        return { state: "unknown", says: "Browsers check signatures only on https or localhost." };
    if (!keys)
        return { state: "unknown", says: "The key set /.well-known/jwks.json could not be read." };

    const fitting = keys.filter(
        (key) =>
            key?.kty === algorithm.kty &&
            (key.alg === undefined || key.alg === name) &&
            (jwt.header.kid === undefined || key.kid === jwt.header.kid),
    );
    if (!fitting.length)
        return { state: "bad", says: `The key set has no ${name} key “${jwt.header.kid ?? "without kid"}”.` };
    try {
        for (const key of fitting) {
            const imported = await crypto.subtle.importKey("jwk", public_part(key), algorithm.key, false, ["verify"]);
            if (await crypto.subtle.verify(algorithm.check, imported, jwt.signature, jwt.signed))
                return { state: "good", says: `Signature is right: ${name}, key ${key.kid ?? "without kid"} of the published set.` };
        }
    } catch {
        return { state: "unknown", says: `This browser cannot check ${name}.` };
    }
    return { state: "bad", says: `Signature is wrong under the published ${name} key.` };
}

/* Whether two access tokens say the same: equal strings, or JWTs whose signed parts are equal (ES256, ES384 and
 * PS256 sign with fresh randomness, so their signatures differ). */
export function same_claims(one, other) {
    const signed = (token) => token.slice(0, token.lastIndexOf("."));
    return one === other || (read_token(one).shape === "jwt" && signed(one) === signed(other));
}
