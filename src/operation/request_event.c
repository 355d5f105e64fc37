/* SPDX-License-Identifier: ISC */
/* request_event.c: see request_event.h. */
#include "operation/request_event.h"

#include <string.h>

static void add_origin(struct event *event, const struct request *request);
static void copy(struct text text, char *field, size_t room);

void request_event(struct event *event, enum event_kind kind, const struct request *request,
                   int64_t now_ms)
{
    const struct answer *answer = &request->answer;

    memset(event, 0, sizeof *event);
    event->at_ms = now_ms;
    event->kind = kind;
    memcpy(event->realm, request->realm->name, sizeof event->realm);
    if (answer->session_known) {
        memcpy(event->session, answer->session, sizeof event->session);
        event->generation = answer->generation;
    }
    copy(answer->client, event->client, sizeof event->client);
    add_origin(event, request);
}

void request_event_of_session(struct event *event, enum event_kind kind,
                              const struct request *request, const struct session *session,
                              uint32_t presented, int64_t now_ms)
{
    event_of_session(event, kind, session, presented, now_ms);
    add_origin(event, request);
}

static void add_origin(struct event *event, const struct request *request)
{
    if (request->mount != NULL) {
        copy(text_of(request->mount->path), event->mount, sizeof event->mount);
    }
    if (request->http != NULL && request->network.known) {
        copy(request->http->request.remote_address, event->address, sizeof event->address);
    }
}

/* Cut to fit. */
static void copy(struct text text, char *field, size_t room)
{
    (void)text_copy(text_cut(text, room - 1), field, room);
}
