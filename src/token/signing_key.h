/* SPDX-License-Identifier: ISC */
/* signing_key.h: a key that signs and verifies JWTs, its algorithm pinned. A key pair is kept as
 * raw numbers; libcrypto's key is made from them at the first use. Knows sealing; does not know the
 * store (the caller moves struct signing_row). */
#ifndef RETOKEN_TOKEN_SIGNING_KEY_H
#define RETOKEN_TOKEN_SIGNING_KEY_H

#include "base/fault.h"
#include "base/json.h"
#include "model/signing.h"
#include "token/secrets.h"

struct signing_key; /* safe to use from several threads */

/* Generates: RSA-2048 (e 65537), P-256, P-384, P-521, Ed25519, or a secret as long as its MAC. */
struct signing_key *signing_key_generate(enum signing_algorithm algorithm, const char *kid,
                                         const struct randomness *randomness, struct fault *fault);
/* From PEM (private key; PKCS#8 or traditional). kid NULL or "": the RFC 7638 thumbprint. Refuses
 * RSA below 2048 bits or e < 65537 or of more than two primes, the wrong curve, a public key
 * alone, an encrypted PEM. */
struct signing_key *signing_key_from_pem(enum signing_algorithm algorithm, struct text pem,
                                         const char *kid, struct fault *fault);
/* An HMAC key from the secret's bytes; at least 32 of them. For HS384 and HS512 RFC 7518
 * section 3.2 wants 48 and 64, but servers that sign with those use shorter ones, and 32 cannot be
 * guessed. */
struct signing_key *signing_key_from_secret(enum signing_algorithm algorithm, struct text secret,
                                            const char *kid, struct fault *fault);
/* Is this text a kid at all? No other is ever looked up. */
bool signing_key_kid_valid(struct text kid);
/* Is it a secret that is published or can be guessed? True: *fault says why, without the secret. */
bool signing_key_is_weak(const struct signing_key *key, struct fault *fault);
void signing_key_close(struct signing_key *key); /* wipes; NULL is harmless */

enum signing_algorithm signing_key_algorithm(const struct signing_key *key);
/* Borrowed: the secret, or the numbers of the pair (signing_numbers.h). For token/. */
struct text signing_key_bytes(const struct signing_key *key);
const char *signing_key_kid(const struct signing_key *key);

/* Seals the secret, or the numbers of the pair (signing_numbers.c), under the master secret into
 * row->sealed, and sets algorithm and kid; state, realm, number and time are the caller's. */
bool signing_key_seal(const struct signing_key *key, const struct secrets *secrets,
                      const struct randomness *randomness, struct signing_row *row,
                      struct fault *fault);
/* The seal is checked now: a changed row or another master secret is a fault here. libcrypto's key
 * is made at the first signature or verification, which fails when it cannot be made (no memory, or
 * a libcrypto without this algorithm). */
struct signing_key *signing_key_unseal(const struct signing_row *row, const struct secrets *secrets,
                                       struct fault *fault);

/* The raw signature of `input` (JWS: RFC 7518 section 3; ECDSA as R || S). *size: room in, size
 * out; SIGNING_SIGNATURE_MAX is always enough. */
enum { SIGNING_SIGNATURE_MAX = 1024 };
bool signing_key_sign(const struct signing_key *key, struct text input, uint8_t *signature,
                      size_t *size);
bool signing_key_verify(const struct signing_key *key, struct text input, const uint8_t *signature,
                        size_t size);
/* The same. False with *failed: out of memory, or libcrypto failed, which says nothing about the
 * signature. */
bool signing_key_check(const struct signing_key *key, struct text input, const uint8_t *signature,
                       size_t size, bool *failed);

/* One member of a JWKS "keys" array (RFC 7517): kty and public numbers, kid, alg, use. False, and
 * nothing is written, for a secret. */
bool signing_key_jwk(const struct signing_key *key, struct json_out *out);

#endif
