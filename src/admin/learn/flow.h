/* SPDX-License-Identifier: ISC */
/* flow.h: what a backend calls its tokens, by the way that values go: what an answer brought
 * next to an access token and a later request shows is a refresh token, whatever its name. Knows
 * no names but those that a token never has; keeps no value, only what tells one from another. */
#ifndef RETOKEN_ADMIN_LEARN_FLOW_H
#define RETOKEN_ADMIN_LEARN_FLOW_H

#include "admin/learn/learn.h"

struct learn_flow;

/* Finds names for *names, which has to last as long. NULL: no memory. */
struct learn_flow *learn_flow_open(struct arena *arena, struct learn_names *names);

/* First each exchange of the recording is noted, then each is followed, both in their order;
 * `scratch` is for one. */
void learn_flow_note(struct learn_flow *flow, const struct learn_exchange *exchange,
                     struct arena *scratch);
void learn_flow_follow(struct learn_flow *flow, const struct learn_exchange *exchange,
                       struct arena *scratch);

/* Is the token one that was brought, and that no later exchange was granted for? */
bool learn_flow_ends(const struct learn_flow *flow, struct text token, size_t entry);

/* Names from a refresh alone: the one text of its body that could be the token, and the one of the
 * answer that is like it. None where there are more. */
void learn_flow_alone(const struct learn_exchange *exchange, struct arena *arena,
                      struct learn_names *names);

#endif
