/* SPDX-License-Identifier: ISC */
/* refusal.h: telling that somebody was not believed: a client, or a user at a login. Knows which
 * refusals are events, and how often one is written; does not know how proofs are checked. */
#ifndef RETOKEN_OPERATION_REFUSAL_H
#define RETOKEN_OPERATION_REFUSAL_H

#include "operation/request.h"

/* The event that a request which ends in `outcome` has to tell. False: none. */
bool refusal_event(const struct request *request, enum outcome outcome, struct event *event);
/* Is it worth a write of its own? Anybody can be refused as often as he likes, so one of the same
 * client and cause is written once a second by each process; what comes in between is not counted.
 */
bool refusal_is_due(struct issuer *issuer, const struct event *event);

#endif
