/* SPDX-License-Identifier: ISC */
/* fixture.h: what the token tests share: an arena, secrets of a fixed master, randomness that
 * repeats, and keys of every algorithm. Tests include it first. */
#ifndef RETOKEN_TESTS_TOKEN_FIXTURE_H
#define RETOKEN_TESTS_TOKEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "token/secrets.h"
#include "token/signing_key.h"
#include "token/signing_profile.h"

/* A fresh arena of a request's size; the last one is closed. */
struct arena *fixture_arena(void);
/* Secrets derived from 32 bytes of `seed`; opened once per seed (0 to 3). */
const struct secrets *fixture_secrets(uint8_t seed);
/* The same bytes in the same order in every run. */
struct randomness fixture_randomness(void);
struct randomness fixture_no_randomness(void); /* always fails */
/* A key, the same object for every call with this algorithm. */
const struct signing_key *fixture_key(enum signing_algorithm algorithm);
/* PEM of a key pair of this kind, the same pair for every call: "RSA", "RSA other", "RSA-1024",
 * "RSA e=3", "RSA-4096", "P-256" and other curves, "ED25519", "X25519" … In static, NUL-terminated
 * memory until the next call of the same function. */
struct text fixture_private_pem(const char *kind);
struct text fixture_public_pem(const char *kind);
/* A pair for these algorithms, which the caller frees. RSA pairs are not new: two of them take
 * turns. */
EVP_PKEY *fixture_new_pair(const struct signing_profile *profile);
/* A pair as a client may have it, and the algorithm that it is for: of every one that clients sign
 * in. */
struct fixture_pair {
    const char *kind;
    enum signing_algorithm algorithm;
};
enum { FIXTURE_PAIRS = 8 };
extern const struct fixture_pair fixture_pairs[FIXTURE_PAIRS];
extern const struct fixture_pair *const fixture_es256; /* one of them */
/* Its private key, which the caller closes. */
struct signing_key *fixture_pair_key(const struct fixture_pair *pair);
/* Its public key, as a client is registered with it: a set of one. */
struct text fixture_key_set(struct arena *in, const struct fixture_pair *pair);
/* Closes all that the above opened: a group teardown. */
int fixture_close(void **state);

/* A string as text. */
#define T(c_string) text_of(c_string)
/* assert_true that says which row failed. */
#define assert_row(condition, row)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("row %.*s\n", TEXT_ARGS(text_of(row)));                                    \
            assert_true(condition);                                                                \
        }                                                                                          \
    } while (0)

#endif
