/* SPDX-License-Identifier: ISC */
/* remote_user.h: the account of the user whom the web server has checked (RFC 3875, 4.1.11). Knows
 * accounts and the realm's remote-user; does not know how that user proved anything. */
#ifndef RETOKEN_OPERATION_REMOTE_USER_H
#define RETOKEN_OPERATION_REMOTE_USER_H

#include "operation/request.h"

/* The account of request->remote_user, or a new one. */
struct remote_user {
    struct account account;
    bool adds; /* `write` adds it: to be made before anything is done in its name */
    struct store_write write;
};

/* OUTCOME_ROTATED: user->account is it, once the write is made if there is one.
 * OUTCOME_REMOTE_USER_UNKNOWN, OUTCOME_ACCOUNT_DISABLED, OUTCOME_FAULT with request->fault. */
enum outcome remote_user_find(struct request *request, int64_t now_ms, struct remote_user *user);
/* Takes what came of the write. As remote_user_find; user->adds is false. */
enum outcome remote_user_added(struct request *request, enum store_result result,
                               struct remote_user *user);

#endif
