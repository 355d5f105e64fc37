/* SPDX-License-Identifier: ISC */
/* settled.c: the operations that need nothing of the store, because the configuration has settled
 * what is told: a browser's question what a page of another origin may send here, and documents
 * about an issuer. */
#include "operation/operation.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);

const struct operation operation_preflight = {
    .word = "preflight", .routine = true, .begin = begin, .step = step};
const struct operation operation_metadata = {
    .word = "metadata", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    (void)request;
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    (void)request;
    *outcome = OUTCOME_SERVED;
    return NULL;
}
