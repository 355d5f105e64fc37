/* SPDX-License-Identifier: ISC */
/* issuer.c: the process-lived state under the operation; see issuer.h. */
#include "operation/issuer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/processors.h"
#include "operation/device_polls.h"
#include "operation/password_gate.h"

/* Keyrings change when an operator adds or retires a key, and when the date of one comes. The last
 * 256 are kept instead of being counted: a thread signs for milliseconds, and the 256th change of
 * keys after that comes later. */
enum { KEYRINGS_KEPT = 256 };

struct issuer_keyrings {
    pthread_mutex_t reload; /* one thread reloads, the others take what it brings */
    _Atomic(struct keyring *) current;
    struct keyring *kept[KEYRINGS_KEPT];
    size_t oldest;
};

static struct keyring *load(const struct issuer *issuer, struct fault *fault)
{
    struct keyring *keyring = NULL;
    struct clock_moment now = clock_moment(&issuer->clock); /* a date that comes now is seen next */
    uint64_t version;
    size_t count;
    struct signing_row *rows = calloc(KEYRING_MAX, sizeof *rows);

    if (rows == NULL) {
        fault_set(fault, "out of memory for the keyring");
        return NULL;
    }
    /* the version first: a key added in between makes the next request reload, never miss it */
    if (store_keyring_version(issuer->store, &version, fault) == STORE_OK &&
        store_key_list(issuer->store, false, rows, KEYRING_MAX, &count, fault) == STORE_OK) {
        keyring = keyring_open(rows, count, version, &now, issuer->secrets, fault);
    }
    free(rows);
    return keyring;
}

bool issuer_open(struct issuer *issuer, struct store *store, const struct secrets *secrets,
                 struct clock clock, struct randomness randomness, struct fault *fault)
{
    memset(issuer, 0, sizeof *issuer);
    issuer->store = store;
    issuer->secrets = secrets;
    issuer->clock = clock;
    issuer->randomness = randomness;
    issuer->gate = password_gate_open(processors_count(), &issuer->randomness);
    if (issuer->gate == NULL) {
        fault_set(fault, "out of memory for checking passwords");
        goto fail;
    }
    issuer->polls = device_polls_open();
    if (issuer->polls == NULL) {
        fault_set(fault, "out of memory for the polls of devices");
        goto fail_gate;
    }
    issuer->keyrings = calloc(1, sizeof *issuer->keyrings);
    if (issuer->keyrings == NULL) {
        fault_set(fault, "out of memory for the keyring");
        goto fail_polls;
    }
    pthread_mutex_init(&issuer->keyrings->reload, NULL);
    if (issuer_keyring(issuer, 0, fault) == NULL) {
        goto fail_keyrings;
    }
    return true;

fail_keyrings:
    pthread_mutex_destroy(&issuer->keyrings->reload);
    free(issuer->keyrings);
fail_polls:
    device_polls_close(issuer->polls);
fail_gate:
    password_gate_close(issuer->gate);
fail:
    memset(issuer, 0, sizeof *issuer);
    return false;
}

void issuer_close(struct issuer *issuer)
{
    struct issuer_keyrings *keyrings = issuer->keyrings;

    if (keyrings != NULL) {
        for (size_t i = 0; i < KEYRINGS_KEPT; i++) {
            keyring_close(keyrings->kept[i]);
        }
        pthread_mutex_destroy(&keyrings->reload);
        free(keyrings);
    }
    device_polls_close(issuer->polls);
    password_gate_close(issuer->gate);
    memset(issuer, 0, sizeof *issuer);
}

static bool fresh_enough(const struct issuer *issuer, const struct keyring *keyring,
                         uint64_t version)
{
    if (keyring == NULL || keyring_version(keyring) < version) {
        return false;
    } else if (!keyring_has_dates(keyring)) {
        return true;
    }
    const struct clock_moment now = clock_moment(&issuer->clock);

    return keyring_is_of(keyring, &now);
}

const struct keyring *issuer_keyring(struct issuer *issuer, uint64_t version, struct fault *fault)
{
    struct issuer_keyrings *keyrings = issuer->keyrings;
    struct keyring *current = atomic_load(&keyrings->current);

    if (fresh_enough(issuer, current, version)) {
        return current;
    }
    pthread_mutex_lock(&keyrings->reload);
    current = atomic_load(&keyrings->current);
    if (!fresh_enough(issuer, current, version)) {
        current = load(issuer, fault);
        if (current != NULL) {
            keyring_close(keyrings->kept[keyrings->oldest]);
            keyrings->kept[keyrings->oldest] = current;
            keyrings->oldest = (keyrings->oldest + 1) % KEYRINGS_KEPT;
            atomic_store(&keyrings->current, current);
        }
    }
    pthread_mutex_unlock(&keyrings->reload);
    return current;
}

const struct keyring *issuer_keyring_now(struct issuer *issuer, struct fault *fault)
{
    uint64_t version;

    if (store_keyring_version(issuer->store, &version, fault) != STORE_OK) {
        return NULL;
    }
    return issuer_keyring(issuer, version, fault);
}
