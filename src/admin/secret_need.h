/* SPDX-License-Identifier: ISC */
/* secret_need.h: the master secrets of this installation, and how many sessions need each. Knows
 * the file and the store; does not know who asks. */
#ifndef RETOKEN_ADMIN_SECRET_NEED_H
#define RETOKEN_ADMIN_SECRET_NEED_H

#include "admin/call.h"

enum { SECRET_NUMBERS = UINT8_MAX + 1 };

struct secret_need {
    struct secrets_line lines[SECRETS_MOST]; /* master is wiped */
    size_t count;
    uint8_t current;                   /* the number of the one that tokens are made under */
    uint64_t sessions[SECRET_NUMBERS]; /* by number: live, or waiting for their code */
};

/* Reads the file and every session. False with *fault. */
bool secret_need_read(struct call *call, struct secret_need *need, struct fault *fault);
/* The number of line i (session.secret). */
uint8_t secret_need_number(const struct secret_need *need, size_t i);
/* Is there a line of that number? */
bool secret_need_has(const struct secret_need *need, uint8_t number);
/* "current", "accepted", "published", "retired"; one that another came before is accepted. */
const char *secret_need_state(const struct secret_need *need, size_t i, int64_t now_ms);

#endif
