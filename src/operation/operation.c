/* SPDX-License-Identifier: ISC */
/* operation.c: what all operations share. Knows their steps; does not know any of them. */
#include "operation/operation.h"

#include <string.h>

#include "operation/hook.h"

void *operation_state(struct request *request, size_t size, size_t zeroed)
{
    request->state = arena_alloc(request->arena, size);
    if (request->state == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return NULL;
    }
    return memset(request->state, 0, zeroed);
}

void operation_tell_session(struct request *request, const struct session *session,
                            uint32_t presented)
{
    struct answer *answer = &request->answer;

    answer->session_known = true;
    memcpy(answer->session, session->id, sizeof answer->session);
    answer->generation = presented;
    if (!arena_copy(request->arena, text_of(session->client), &answer->client)) {
        answer->client = (struct text){0};
    }
}

enum outcome operation_find_session(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                                    struct session_view *view)
{
    switch (store_session_view(request->issuer->store, id, view, &request->fault)) {
    case STORE_OK:
        return OUTCOME_SERVED;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_TOKEN_UNKNOWN;
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

enum outcome operation_view_session(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                                    struct session_view **view)
{
    struct session_view *room = arena_alloc(request->arena, sizeof *room);
    enum outcome outcome = OUTCOME_FAULT;

    if (room == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
    } else if ((outcome = operation_find_session(request, id, room)) == OUTCOME_SERVED) {
        arena_shrink(request->arena, room, sizeof *room, store_session_view_size(room));
        *view = room;
    }
    return outcome;
}

bool operation_network(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                       uint8_t network[SESSION_NETWORK_SIZE])
{
    memset(network, 0, SESSION_NETWORK_SIZE);
    if (!request->network.known ||
        secrets_network_hash(request->issuer->secrets, id, request->network.prefix, network)) {
        return true;
    }
    fault_set(&request->fault, "HMAC failed");
    return false;
}

struct store_write *operation_step(struct request *request, enum outcome *outcome)
{
    struct guess *guess = &request->guess;
    struct store_write *write = NULL;

    if (!guess->settled) {
        write = request->operation->step(request, outcome);
        if (write == NULL) {
            write = guess_settle(request, *outcome);
        }
    }
    if (guess->settled) {
        *outcome = guess->outcome;
    }
    return write != NULL ? write : hook_settle(request);
}

void operation_written(struct request *request, enum store_result result)
{
    if (request->hook_event.under_way) {
        hook_settled(request);
    } else if (request->guess.settled) {
        guess_settled(request, result);
    } else {
        request->operation->written(request, result);
    }
}

enum outcome operation_run(struct request *request)
{
    struct store_write *write;
    enum outcome outcome = OUTCOME_FAULT;

    if (!request->operation->begin(request)) {
        return OUTCOME_FAULT;
    }
    while ((write = operation_step(request, &outcome)) != NULL) {
        operation_written(request, store_write(request->issuer->store, write, &request->fault));
    }
    return outcome;
}
