/* SPDX-License-Identifier: ISC */
/* explain.h: what the two halves of `retoken explain` share: explain.c finds out what a token is
 * and explains refresh tokens, access.c explains access tokens. */
#ifndef RETOKEN_ADMIN_EXPLAIN_EXPLAIN_H
#define RETOKEN_ADMIN_EXPLAIN_EXPLAIN_H

#include "admin/call.h"
#include "token/jws.h"

enum { EXPLAIN_SENTENCE_MAX = 512 };

/* What was pasted: the token, and what was odd about it ("inside quotation marks"; "" = nothing).
 */
struct explained {
    struct text token;
    struct text oddity;
};

/* Begins what is printed: an open JSON object with kind and oddity, or a line that says the oddity.
 */
void explain_begin(struct call *call, const struct explained *it, const char *kind);

/* A JWT that passed the gate and is no refresh token: prints what it is. CALL_REFUSED: no key of
 * this store signed it. */
enum call_end explain_access(struct call *call, const struct explained *it, const struct jws *jws);

/* Does a client say in it that it is about itself (RFC 7523 section 3)? Then what it is good for.
 * Gives CALL_REFUSED: it is no token. */
bool explain_is_assertion(struct call *call, const struct jws *jws);
enum call_end explain_assertion(struct call *call, const struct explained *it,
                                const struct jws *jws);

/* Is it a refresh JWT of another server that a mount would adopt (operation/adopt.h), or would but
 * for its time or its account? Then it is said, mount by mount, with *end: CALL_DONE when one would
 * adopt it, or CALL_FAULT. */
bool explain_adoptable(struct call *call, const struct explained *it, enum call_end *end);
/* What a mount would answer: a member of the open "mounts" array, or a line. */
void explain_mount(struct call *call, const struct mount *mount, enum outcome outcome,
                   int64_t window_left_ms, struct text says);

/* Adds "2026-11-25T19:28:04Z, 5 min ago". */
void explain_at(struct buffer *b, int64_t at_ms, int64_t now_ms);
/* Adds "12 s ago" or "in 29 d". */
void explain_ago(struct buffer *b, int64_t at_ms, int64_t now_ms);
/* Adds "for 48 s more", of a window that is open at least until the next second. */
void explain_left(struct buffer *b, int64_t left_ms);

/* Prints the session's story (story.h) and its events: members of the open JSON object, or
 * lines and a table. */
enum call_end explain_session(struct call *call, const struct session_view *view);
/* Prints one sentence, where no more than that is known of a token. Gives CALL_REFUSED. */
enum call_end explain_only(struct call *call, const struct explained *it, const char *kind,
                           const char *outcome, struct text says);

#endif
