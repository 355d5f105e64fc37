/* SPDX-License-Identifier: ISC */
/* health.c: the operations that say whether this process can serve. Healthy means that it can read
 * the store now; ready, that a write could be made, too. Knows the store; does not know how the
 * answer is worded. */
#include "operation/operation.h"

static bool begin_health(struct request *request);
static struct store_write *step_health(struct request *request, enum outcome *outcome);
static bool begin_ready(struct request *request);
static struct store_write *step_ready(struct request *request, enum outcome *outcome);

const struct operation operation_health = {
    .word = "health", .routine = true, .begin = begin_health, .step = step_health};

const struct operation operation_ready = {
    .word = "ready", .routine = true, .begin = begin_ready, .step = step_ready};

static bool begin_health(struct request *request)
{
    uint64_t version;

    return store_keyring_version(request->issuer->store, &version, &request->fault) == STORE_OK;
}

static struct store_write *step_health(struct request *request, enum outcome *outcome)
{
    (void)request;
    *outcome = OUTCOME_SERVED;
    return NULL;
}

/* Writes nothing, so that it may be asked as often as a load balancer likes. */
static bool begin_ready(struct request *request)
{
    return store_readiness(request->issuer->store, &request->answer.readiness, &request->fault) ==
           STORE_OK;
}

static struct store_write *step_ready(struct request *request, enum outcome *outcome)
{
    *outcome = request->answer.readiness == STORE_READY ? OUTCOME_SERVED : OUTCOME_FAULT;
    return NULL;
}
