/* SPDX-License-Identifier: ISC */
/* account_line.h: an account as one line of a file: JSON as `retoken account export` writes it,
 * Apache's htpasswd, or shadow(5). Knows these formats; does not know which accounts there are. */
#ifndef RETOKEN_ADMIN_ACCOUNT_LINE_H
#define RETOKEN_ADMIN_ACCOUNT_LINE_H

#include "base/json.h"
#include "model/account.h"
#include "operation/password.h"

enum account_format { ACCOUNT_JSON, ACCOUNT_HTPASSWD, ACCOUNT_SHADOW };

/* What a line says. */
struct account_line {
    struct account account; /* the fields that are given; the others are 0 */
    bool has_hash, has_enabled, has_subject, has_roles, has_claims, has_limit, has_keep,
        has_created;
    char password[PASSWORD_MAX + 1]; /* in clear, "" = not given; the caller wipes it */
};

/* ACCOUNT_LINE_NONE: a comment, or a name that nobody logs in with (shadow's `*` and `!`).
 * ACCOUNT_LINE_WRONG: *fault says what and what to do, never with a hash or password. The arena
 * holds what is read meanwhile. */
enum account_line_result { ACCOUNT_LINE_ONE, ACCOUNT_LINE_NONE, ACCOUNT_LINE_WRONG };
enum account_line_result account_line_read(struct arena *arena, enum account_format format,
                                           struct text text, int64_t now_ms,
                                           struct account_line *line, struct fault *fault);

/* The account with what the line gives put over it; password and name are left alone. */
void account_line_apply(const struct account_line *line, struct account *account);

/* Writes the account as one JSON line, with its hash if asked. */
void account_line_write(struct json_out *out, struct arena *arena, const struct account *account,
                        bool with_hash);

#endif
