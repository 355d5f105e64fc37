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

/* ---- dates ---- */

bool signing_is_due(const struct clock_moment *planned, int64_t at_ms,
                    const struct clock_moment *now)
{
    if (at_ms == 0 || planned->wall_ms == 0) {
        return false;
    } else if (planned->boot != 0 && planned->boot == now->boot) {
        return now->boot_ms - planned->boot_ms >= at_ms - planned->wall_ms;
    }
    return now->wall_ms >= at_ms;
}

bool signing_follows(const struct signing_row *row, const struct signing_row *other)
{
    return row->state == SIGNING_ACTIVE && row->number > other->number &&
           signing_is_in_place_of(row, other);
}

bool signing_is_in_place_of(const struct signing_row *row, const struct signing_row *other)
{
    return row->algorithm == other->algorithm &&
           text_equal(text_of(row->realm), text_of(other->realm));
}

static bool is_followed(const struct signing_row *rows, size_t count, const struct signing_row *row)
{
    for (size_t i = 0; i < count; i++) {
        if (signing_follows(&rows[i], row)) {
            return true;
        }
    }
    return false;
}

void signing_rows_at(struct signing_row *rows, size_t count, const struct clock_moment *now)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state == SIGNING_PUBLISHED &&
            signing_is_due(&rows[i].planned, rows[i].activates_ms, now)) {
            rows[i].state = SIGNING_ACTIVE;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state == SIGNING_ACTIVE &&
            signing_is_due(&rows[i].planned, rows[i].retires_ms, now) &&
            is_followed(rows, count, &rows[i])) {
            rows[i].state = SIGNING_RETIRED;
        }
    }
}
