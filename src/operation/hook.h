/* SPDX-License-Identifier: ISC */
/* hook.h: asks where the users live what an access token says of an account. Knows when a hook is
 * asked, how many calls there are at a time, and what holds where it does not answer; does not know
 * how bytes get there and back, or who presents which token. */
#ifndef RETOKEN_OPERATION_HOOK_H
#define RETOKEN_OPERATION_HOOK_H

#include "model/hook.h"
#include "model/outcome.h"
#include "model/session.h"
#include "operation/request.h"

/* Sends `body`, JSON, to the hook, and waits for its answer, at most hook->timeout_ms and
 * HOOK_ANSWER_MAX bytes. False with *fault. From several threads at once. */
typedef bool hook_post(void *self, const struct hook_settings *hook, struct text body,
                       struct arena *arena, struct text *answer, struct fault *fault);

struct hooks;
/* `settings`, `count` of them, and `self` are borrowed. NULL: no memory. */
struct hooks *hook_open(const struct hook_settings *settings, size_t count,
                        const struct randomness *randomness, hook_post *post, void *self);
void hook_close(struct hooks *hooks); /* NULL is harmless */

/* What a token is to say, of whom. */
struct hook_question {
    const struct session *session; /* client and realm are in it */
    const struct account *account; /* NULL: none, and nothing is asked */
    struct text scope;
    uint32_t generation; /* of the token */
    int64_t again_ms;    /* for so long every token of this generation says the same; 0: it does not
                            matter, because it is another token each time */
};

/* Asks the realm's hook, if it has one, and puts what it says into request->hook, where
 * issue_access_token finds it. Before any write is prepared, as the calling thread may wait: what
 * waits in the store is written first. A request asks once: after a lost race it has its answer.
 * False with *outcome: OUTCOME_ACCOUNT_REFUSED; OUTCOME_BUSY where too many calls are under way and
 * OUTCOME_FAULT where it cannot be asked, with request->fault. True with request->fault where an
 * earlier answer took the place of the one that did not come. Needs answer.now_ms. */
bool hook_ask(struct request *request, const struct hook_question *question, enum outcome *outcome);

/* The write of an event about the hook, in the request's arena, after all others; NULL: there is
 * none. Then hook_settled, whatever comes of it. */
struct store_write *hook_settle(struct request *request);
void hook_settled(struct request *request);

/* Could a further step of the request wait for a hook? Then it is no step for a thread that has
 * others to tell what came of their writes. */
bool hook_may_wait(const struct request *request);

#endif
