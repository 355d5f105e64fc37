/* SPDX-License-Identifier: ISC */
/* signing.c: names of signature algorithms and of key states. Knows no key and no libcrypto. */
#include "model/signing.h"

static const char *const algorithm_names[SIGNING_ALGORITHMS] = {
    [SIGNING_HS256] = "HS256", [SIGNING_RS256] = "RS256", [SIGNING_RS384] = "RS384",
    [SIGNING_RS512] = "RS512", [SIGNING_PS256] = "PS256", [SIGNING_ES256] = "ES256",
    [SIGNING_ES384] = "ES384", [SIGNING_EDDSA] = "EdDSA", [SIGNING_HS384] = "HS384",
    [SIGNING_HS512] = "HS512", [SIGNING_ES512] = "ES512",
};

const char *signing_algorithm_name(enum signing_algorithm algorithm)
{
    return (unsigned)algorithm < SIGNING_ALGORITHMS ? algorithm_names[algorithm] : "unknown";
}

bool signing_algorithm_parse(struct text name, enum signing_algorithm *algorithm)
{
    for (unsigned i = 0; i < SIGNING_ALGORITHMS; i++) {
        if (text_is(name, algorithm_names[i])) {
            *algorithm = (enum signing_algorithm)i;
            return true;
        }
    }
    if (text_is(name, "Ed25519")) {
        *algorithm = SIGNING_EDDSA;
        return true;
    }
    return false;
}

bool signing_algorithm_is_secret(enum signing_algorithm algorithm)
{
    return algorithm == SIGNING_HS256 || algorithm == SIGNING_HS384 || algorithm == SIGNING_HS512;
}

bool signing_algorithm_is_ours(enum signing_algorithm algorithm)
{
    return algorithm <= SIGNING_EDDSA;
}

const char *signing_state_name(enum signing_state state)
{
    switch (state) {
    case SIGNING_PUBLISHED:
        return "published";
    case SIGNING_ACTIVE:
        return "active";
    case SIGNING_RETIRED:
    case SIGNING_VERIFY_RETIRED:
        return "retired";
    case SIGNING_VERIFY_ONLY:
        return "verify-only";
    }
    return "unknown"; /* read from a store, so any number may come */
}

bool signing_state_is_retired(enum signing_state state)
{
    return state == SIGNING_RETIRED || state == SIGNING_VERIFY_RETIRED;
}

bool signing_state_is_foreign(enum signing_state state)
{
    return state == SIGNING_VERIFY_ONLY || state == SIGNING_VERIFY_RETIRED;
}
