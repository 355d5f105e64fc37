/* SPDX-License-Identifier: ISC */
/* signing.h: names of the signature algorithms (RFC 7518, RFC 8037), a signing key's states, and by
 * which dates they change. */
#ifndef RETOKEN_MODEL_SIGNING_H
#define RETOKEN_MODEL_SIGNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

enum signing_algorithm {
    SIGNING_HS256,
    SIGNING_RS256,
    SIGNING_RS384,
    SIGNING_RS512,
    SIGNING_PS256,
    SIGNING_ES256,
    SIGNING_ES384,
    SIGNING_EDDSA, /* Ed25519 */
    /* those of others: verified, and never signed with */
    SIGNING_HS384,
    SIGNING_HS512,
    SIGNING_ES512
};

/* Stored: numbers never change. */
enum { SIGNING_ALGORITHMS = SIGNING_ES512 + 1 };

/* "RS256" … */
const char *signing_algorithm_name(enum signing_algorithm algorithm);
/* Exact, case-sensitive. "Ed25519" (RFC 9864) is read as EdDSA, which has no other curve here. */
bool signing_algorithm_parse(struct text name, enum signing_algorithm *algorithm);
/* Is its key a secret that both sides know (HMAC)? */
bool signing_algorithm_is_secret(enum signing_algorithm algorithm);
/* May keys of our own have it? */
bool signing_algorithm_is_ours(enum signing_algorithm algorithm);

/* published: verifies and is in the JWKS, does not sign yet; active: signs too; retired: neither,
 * kept so that the operator can see it. verify-only: a key of another server, whose refresh tokens
 * are adopted; it verifies nothing else, and is in no JWKS. Stored: numbers never change. */
enum signing_state {
    SIGNING_PUBLISHED = 1,
    SIGNING_ACTIVE = 2,
    SIGNING_RETIRED = 3,
    SIGNING_VERIFY_ONLY = 4,
    SIGNING_VERIFY_RETIRED = 5
};
enum { SIGNING_STATES = SIGNING_VERIFY_RETIRED + 1 };
/* Is it out of use? */
bool signing_state_is_retired(enum signing_state state);
/* Is it, or was it, a key of another server (adoption_key.h)? */
bool signing_state_is_foreign(enum signing_state state);
const char *signing_state_name(enum signing_state state);

/* How long caches may keep the key set, in seconds: a key that signs earlier is not known there. */
#define SIGNING_KEY_SET_MAX_AGE 300
/* How long a key that takes another one's place is published before it signs. Many verifiers keep a
 * key set for an hour whatever Cache-Control says (mod_auth_openidc does); the rest is margin. */
static const int64_t SIGNING_KEY_SET_KEPT_MS =
    CLOCK_HOUR + 2 * SIGNING_KEY_SET_MAX_AGE * (int64_t)CLOCK_SECOND;

enum {
    SIGNING_KID_MAX = 64, /* [A-Za-z0-9._-]{1,64} */
    SIGNING_REALM_MAX = 64,
    SIGNING_SEALED_MAX = 4096 /* sealed private key */
};

/* A key as the store keeps it: the private part sealed, so the file alone signs nothing. */
struct signing_row {
    uint32_t number; /* given by the store; a later key has a greater one */
    enum signing_algorithm algorithm;
    enum signing_state state;
    int64_t created_ms;   /* published since */
    int64_t activates_ms; /* when it begins to sign, or began; 0 = not told */
    int64_t retires_ms;   /* when it goes out of use, or went; 0 = not told */
    /* When these dates were planned, and they count from there. wall_ms 0: nothing is planned, and
     * the dates only tell what was. */
    struct clock_moment planned;
    char kid[SIGNING_KID_MAX + 1];
    char realm[SIGNING_REALM_MAX + 1]; /* signs for this realm only; "" = for all */
    uint16_t sealed_size;
    uint8_t sealed[SIGNING_SEALED_MAX];
};

/* Has this date of a plan come? What has passed since the plan was made decides: within one boot
 * the time since boot, whatever the wall clock was set to meanwhile; after another boot the wall
 * clock alone. False for a date of 0, and where nothing is planned. */
bool signing_is_due(const struct clock_moment *planned, int64_t at_ms,
                    const struct clock_moment *now);
/* Are they of one algorithm and realm, so that one can sign instead of the other? */
bool signing_is_in_place_of(const struct signing_row *row, const struct signing_row *other);
/* Does `row` sign instead of `other`, which is older? */
bool signing_follows(const struct signing_row *row, const struct signing_row *other);
/* The states of a store's own rows as of now: what is planned and due has happened. A key whose
 * time is over goes on where no other has taken its place, since then nothing would sign. */
void signing_rows_at(struct signing_row *rows, size_t count, const struct clock_moment *now);

#endif
