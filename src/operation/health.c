/* SPDX-License-Identifier: ISC */
/* health.c: the operation that says whether this process can serve: healthy means that it can read
 * the store now. Knows the store; does not know how the answer is worded. */
#include "operation/operation.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);

const struct operation operation_health = {
    .word = "health", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    uint64_t version;

    return store_keyring_version(request->issuer->store, &version, &request->fault) == STORE_OK;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    (void)request;
    *outcome = OUTCOME_SERVED;
    return NULL;
}
