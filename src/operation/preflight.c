/* SPDX-License-Identifier: ISC */
/* preflight.c: the operation behind a browser's question what a page of another origin may send
 * here. It needs nothing of the store: which pages may ask was seen before. */
#include "operation/operation.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);

const struct operation operation_preflight = {
    .word = "preflight", .routine = true, .begin = begin, .step = step};

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
