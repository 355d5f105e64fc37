/* SPDX-License-Identifier: ISC */
/* keyring.c: the signing keys at one version of the store, opened together and then only read.
 * Knows states, realms and which key is the newest. Does not know where rows come from or when to
 * reload. */
#include "token/keyring.h"

#include <stdlib.h>
#include <string.h>

enum { DATES_MAX = 2 * KEYRING_MAX };

/* A date that a row has, one of a retired key too: a clock that is set right takes it back. */
struct date {
    struct clock_moment planned;
    int64_t at_ms;
    bool was_due;
};

struct entry {
    uint32_t number;
    enum signing_state state;
    char realm[SIGNING_REALM_MAX + 1];
    struct signing_key *key; /* NULL: it is verify-only, and … */
    struct signing_row *row; /* … this is how it is kept */
};

struct keyring {
    uint64_t version;
    size_t date_count;
    struct date dates[DATES_MAX];
    size_t count;
    struct entry entries[KEYRING_MAX]; /* newest first */
};

static bool add(struct keyring *keyring, const struct signing_row *row,
                const struct secrets *secrets, struct fault *fault);
static void note_dates(struct keyring *keyring, const struct signing_row *row,
                       const struct clock_moment *now);
static int newest_first(const void *a, const void *b);
static const struct signing_key *newest_signer(const struct keyring *keyring,
                                               enum signing_algorithm algorithm, const char *realm);
static const struct entry *nth(const struct keyring *keyring, const char *realm, bool adopts,
                               size_t i);

struct keyring *keyring_open(const struct signing_row *rows, size_t count, uint64_t version,
                             const struct clock_moment *now, const struct secrets *secrets,
                             struct fault *fault)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);

    if (keyring == NULL) {
        fault_set(fault, "out of memory for the keyring");
        return NULL;
    }
    keyring->version = version;
    for (size_t i = 0; i < count; i++) {
        note_dates(keyring, &rows[i], now);
        if (!signing_state_is_retired(rows[i].state) && !add(keyring, &rows[i], secrets, fault)) {
            keyring_close(keyring);
            return NULL;
        }
    }
    qsort(keyring->entries, keyring->count, sizeof keyring->entries[0], newest_first);
    return keyring;
}

static bool add(struct keyring *keyring, const struct signing_row *row,
                const struct secrets *secrets, struct fault *fault)
{
    struct entry *entry = &keyring->entries[keyring->count];

    if (keyring->count == KEYRING_MAX) {
        fault_set(fault, "more than %d signing keys are in use; retire some", (int)KEYRING_MAX);
        return false;
    }
    if (row->state == SIGNING_VERIFY_ONLY) {
        entry->row = malloc(sizeof *row);
        if (entry->row == NULL) {
            fault_set(fault, "out of memory for the keyring");
            return false;
        }
        *entry->row = *row;
    } else if ((entry->key = signing_key_unseal(row, secrets, fault)) == NULL) {
        return false;
    }
    entry->number = row->number;
    entry->state = row->state;
    memcpy(entry->realm, row->realm, sizeof entry->realm);
    keyring->count++;
    return true;
}

static void note_dates(struct keyring *keyring, const struct signing_row *row,
                       const struct clock_moment *now)
{
    const int64_t dates[] = {row->activates_ms, row->retires_ms};

    for (size_t i = 0; i < 2 && row->planned.wall_ms != 0; i++) {
        if (dates[i] != 0 && keyring->date_count < DATES_MAX) {
            keyring->dates[keyring->date_count++] =
                (struct date){row->planned, dates[i], signing_is_due(&row->planned, dates[i], now)};
        }
    }
}

static int newest_first(const void *a, const void *b)
{
    uint32_t left = ((const struct entry *)a)->number;
    uint32_t right = ((const struct entry *)b)->number;

    return (left < right) - (left > right);
}

void keyring_close(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < keyring->count; i++) {
        signing_key_close(keyring->entries[i].key);
        free(keyring->entries[i].row);
    }
    free(keyring);
}

uint64_t keyring_version(const struct keyring *keyring)
{
    return keyring->version;
}

bool keyring_has_dates(const struct keyring *keyring)
{
    return keyring->date_count > 0;
}

bool keyring_is_of(const struct keyring *keyring, const struct clock_moment *now)
{
    for (size_t i = 0; i < keyring->date_count; i++) {
        const struct date *date = &keyring->dates[i];

        if (signing_is_due(&date->planned, date->at_ms, now) != date->was_due) {
            return false;
        }
    }
    return true;
}

bool keyring_warm(const struct keyring *keyring)
{
    struct text sample = TEXT("retoken");
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    bool good = true;

    for (size_t i = 0; i < keyring->count; i++) {
        const struct entry *entry = &keyring->entries[i];
        size_t size = sizeof signature;
        if (entry->state == SIGNING_ACTIVE) {
            good = signing_key_sign(entry->key, sample, signature, &size) && good;
        }
    }
    return good;
}

const struct signing_key *keyring_signer(const struct keyring *keyring,
                                         enum signing_algorithm algorithm, const char *realm)
{
    const struct signing_key *bound = newest_signer(keyring, algorithm, realm);

    return bound != NULL ? bound : newest_signer(keyring, algorithm, "");
}

static const struct signing_key *newest_signer(const struct keyring *keyring,
                                               enum signing_algorithm algorithm, const char *realm)
{
    for (size_t i = 0; i < keyring->count; i++) {
        const struct entry *entry = &keyring->entries[i];
        if (entry->state == SIGNING_ACTIVE && signing_key_algorithm(entry->key) == algorithm &&
            text_is(text_of(entry->realm), realm)) {
            return entry->key;
        }
    }
    return NULL;
}

const struct signing_key *keyring_verifier(const struct keyring *keyring, const char *realm,
                                           size_t i)
{
    const struct entry *entry = nth(keyring, realm, false, i);

    return entry != NULL ? entry->key : NULL;
}

const struct signing_row *keyring_adopter(const struct keyring *keyring, const char *realm,
                                          size_t i)
{
    const struct entry *entry = nth(keyring, realm, true, i);

    return entry != NULL ? entry->row : NULL;
}

static const struct entry *nth(const struct keyring *keyring, const char *realm, bool adopts,
                               size_t i)
{
    for (size_t at = 0; at < keyring->count; at++) {
        const struct entry *entry = &keyring->entries[at];
        if ((entry->realm[0] == '\0' || text_is(text_of(entry->realm), realm)) &&
            (entry->row != NULL) == adopts && i-- == 0) {
            return entry;
        }
    }
    return NULL;
}

void keyring_jwks(const struct keyring *keyring, struct json_out *out)
{
    json_out_open(out);
    json_out_key(out, "keys");
    json_out_array_open(out);
    for (size_t i = 0; i < keyring->count; i++) {
        if (keyring->entries[i].key != NULL) {
            signing_key_jwk(keyring->entries[i].key, out);
        }
    }
    json_out_array_close(out);
    json_out_close(out);
}
