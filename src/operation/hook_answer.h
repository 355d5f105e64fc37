/* SPDX-License-Identifier: ISC */
/* hook_answer.h: what a hook says of an account, and what a token then says. Knows which claims are
 * not a hook's to set; does not know how it is asked. */
#ifndef RETOKEN_OPERATION_HOOK_ANSWER_H
#define RETOKEN_OPERATION_HOOK_ANSWER_H

#include "base/crypto.h"
#include "base/json.h"
#include "model/event.h"
#include "token/layout.h"

enum { HOOK_ANSWER_MAX = 64 * 1024, HOOK_REASON_MAX = 100 };

struct hook_answer {
    bool asked;           /* the rest holds */
    struct text text;     /* as it came */
    bool refused;         /* and why, for the operator: */
    struct text reason;   /* UTF-8 without control characters */
    const json_t *claims; /* over those of the account; a null takes one away. NULL = none given */
    bool has_roles;
    struct text roles;                /* instead of the account's, space-separated */
    uint8_t digest[CRYPTO_HASH_SIZE]; /* of `text` */
};

/* What an operator is to find of it, for operation_step to write. */
struct hook_event {
    bool due, under_way;
    enum event_kind kind;
    uint64_t account;
    const char *hook;
};

/* {"claims": {…}, "roles": […]}, both optional, or {"refuse": "why"}; nothing else. Keeps `text`.
 * False with what is wrong in *fault, or where libcrypto or the arena failed. */
bool hook_answer_read(struct arena *arena, struct text text, struct hook_answer *answer,
                      struct fault *fault);

/* Puts it over the account's claims. False with *fault: the arena is used up. */
bool hook_answer_apply(const struct hook_answer *answer, struct arena *arena,
                       struct layout_claims *claims, struct fault *fault);

#endif
