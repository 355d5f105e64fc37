/* SPDX-License-Identifier: ISC */
/* standing.h: what a session, or an access token, is good for now; asking changes nothing. Knows
 * records, policies and the decision table; does not know who asks, or what for. */
#ifndef RETOKEN_OPERATION_STANDING_H
#define RETOKEN_OPERATION_STANDING_H

#include "operation/request.h"

struct standing {
    struct clock_moment now;
    struct policy policy; /* in force for the session's client */
    bool found;           /* `view` is of a session: a client's own access token may have none */
    struct session_view view; /* large */
};

/* Finds session `id`. OUTCOME_SERVED: it is of the request's realm, and in standing->view;
 * otherwise _TOKEN_UNKNOWN, _WRONG_REALM or _FAULT. */
enum outcome standing_find(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                           struct clock_moment now, struct standing *standing);

/* Would a refresh with this generation of the session that was found be granted? OUTCOME_SERVED: it
 * would, and request->answer has whose it is, its scope and when it ends by itself; otherwise an
 * outcome of the class TOKEN, or _FAULT. */
enum outcome standing_decide(struct request *request, uint32_t generation,
                             struct standing *standing);

/* Is it an access token of the request's realm that has not expired, and whose session is live, or,
 * of a client's own without a session, whose client is? OUTCOME_SERVED: it is, and in
 * request->answer.payload, beside what standing_decide fills; otherwise an outcome of the class
 * TOKEN, or _FAULT. */
enum outcome standing_of_access_token(struct request *request, struct text token,
                                      struct clock_moment now, struct standing *standing);

/* The same, and does the token speak for the user of that session, here, where a page asks, one of
 * its client's? OUTCOME_SERVED: it does, and standing->view has session and account. Otherwise also
 * _PAGE_FOREIGN, before what is wrong with the rest is told; _TOKEN_ALONE (of no session),
 * _WRONG_USER (of a client's own session), _TOKEN_INVALID (for another resource alone), and what
 * possession_of_token says of the key that it is bound to. */
enum outcome standing_of_user(struct request *request, struct text token, struct clock_moment now,
                              struct standing *standing);

#endif
