/* SPDX-License-Identifier: ISC */
/* issuer.h: what operations need for the life of a process: store, derived keys,
 * keyring, clock, randomness. Knows how the keyring is kept current; does not know requests. */
#ifndef RETOKEN_OPERATION_ISSUER_H
#define RETOKEN_OPERATION_ISSUER_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "model/webhook.h"
#include "operation/password_kind.h"
#include "store/store.h"
#include "token/keyring.h"
#include "token/secrets.h"

enum { ISSUER_REFUSALS = 256 };

struct issuer {
    struct store *store;           /* borrowed */
    const struct secrets *secrets; /* borrowed */
    struct clock clock;
    struct randomness randomness;
    struct password_gate *gate;       /* every hash that a request asks for goes through it */
    struct device_polls *polls;       /* when devices last asked whether they are approved */
    struct issuer_keyrings *keyrings; /* issuer.c's own: the current one and earlier ones */

    _Atomic uint32_t refused_s[ISSUER_REFUSALS]; /* refusal.c's: when one was written last */

    struct password_method password_method; /* of new hashes; set after opening */
    struct metrics *metrics;                /* borrowed; the same; NULL: nothing is counted */
    const struct webhook *webhooks;         /* borrowed; the same: whose outbox is told of */
    size_t webhook_count;
    struct hooks *hooks; /* borrowed; set after opening; NULL = none */
};

/* Reads the keyring. False with *fault: the store or a sealed key cannot be read. */
bool issuer_open(struct issuer *issuer, struct store *store, const struct secrets *secrets,
                 struct clock clock, struct randomness randomness, struct fault *fault);
void issuer_close(struct issuer *issuer);

/* The keyring of at least this store version (as store_session_view gives it), reloaded when the
 * current one is older or the date of a key has come. Lives until issuer_close, so no thread loses
 * it while it signs. NULL with *fault. */
const struct keyring *issuer_keyring(struct issuer *issuer, uint64_t version, struct fault *fault);
/* The same after asking the store for its version. */
const struct keyring *issuer_keyring_now(struct issuer *issuer, struct fault *fault);

#endif
