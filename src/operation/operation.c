/* SPDX-License-Identifier: ISC */
/* operation.c: what all operations share. Knows their steps; does not know any of them. */
#include "operation/operation.h"

#include <string.h>

void *operation_state(struct request *request, size_t size, size_t zeroed)
{
    request->state = arena_alloc(request->arena, size);
    if (request->state == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return NULL;
    }
    return memset(request->state, 0, zeroed);
}

enum outcome operation_run(struct request *request)
{
    struct store_write *write;
    enum outcome outcome = OUTCOME_FAULT;

    if (!request->operation->begin(request)) {
        return OUTCOME_FAULT;
    }
    while ((write = request->operation->step(request, &outcome)) != NULL) {
        request->operation->written(request,
                                    store_write(request->issuer->store, write, &request->fault));
    }
    return outcome;
}
