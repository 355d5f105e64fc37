/* SPDX-License-Identifier: ISC */
/* request_event.h: the events of requests: where a request came in, from which address, and what it
 * was about. Knows requests and sessions; does not know who wants to be told. */
#ifndef RETOKEN_OPERATION_REQUEST_EVENT_H
#define RETOKEN_OPERATION_REQUEST_EVENT_H

#include "model/event.h"
#include "operation/request.h"

/* An event of now_ms with the request's realm, mount and address; and its session, generation and
 * client, as far as request->answer has them by now. */
void request_event(struct event *event, enum event_kind kind, const struct request *request,
                   int64_t now_ms);
/* The same of `session`, of which `presented` is the generation that was presented. */
void request_event_of_session(struct event *event, enum event_kind kind,
                              const struct request *request, const struct session *session,
                              uint32_t presented, int64_t now_ms);

#endif
