/* SPDX-License-Identifier: ISC */
/* keyring.h: the signing keys of a process, as one immutable value that is replaced as a whole when
 * the store has a newer version, or when the date of a key has come. Knows states, dates and
 * realms; does not know the store. */
#ifndef RETOKEN_TOKEN_KEYRING_H
#define RETOKEN_TOKEN_KEYRING_H

#include "token/signing_key.h"

enum { KEYRING_MAX = 64 };

struct keyring;

/* Unseals every row that is not retired (signing_key_unseal: a key pair takes time only when it is
 * used). The rows are in the states that they had `now` (signing_rows_at). Copies; rows stay the
 * caller's. NULL with *fault. */
struct keyring *keyring_open(const struct signing_row *rows, size_t count, uint64_t version,
                             const struct clock_moment *now, const struct secrets *secrets,
                             struct fault *fault);
void keyring_close(struct keyring *keyring); /* NULL is harmless */
uint64_t keyring_version(const struct keyring *keyring);
/* Is a key in it to change its state at some time? */
bool keyring_has_dates(const struct keyring *keyring);
/* Is what was due when it was opened still all that is due, and no more? */
bool keyring_is_of(const struct keyring *keyring, const struct clock_moment *now);

/* Makes one signature with each active key, so that whatever libcrypto sets up at the first of its
 * kind is there before it matters. False: one failed. */
bool keyring_warm(const struct keyring *keyring);

/* The key that signs: the newest active one of this algorithm that is bound to `realm`, or else to
 * no realm. NULL when there is none. */
const struct signing_key *keyring_signer(const struct keyring *keyring,
                                         enum signing_algorithm algorithm, const char *realm);
/* The i-th key (published or active) that may verify for `realm`, NULL past the end. */
const struct signing_key *keyring_verifier(const struct keyring *keyring, const char *realm,
                                           size_t i);
/* The i-th verify-only key whose refresh tokens `realm` may adopt (adoption_key.h), NULL past the
 * end. */
const struct signing_row *keyring_adopter(const struct keyring *keyring, const char *realm,
                                          size_t i);
/* {"keys":[…]}: asymmetric keys, published and active. */
void keyring_jwks(const struct keyring *keyring, struct json_out *out);

#endif
