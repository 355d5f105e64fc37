/* refresh.h: the one operation (design.md section 4). Takes what a dialect understood, gives an
 * outcome and, for a grant, what a dialect needs to answer. Knows sessions, policies and keys; does
 * not know HTTP, JSON bodies or any dialect's words. */
#ifndef RETOKEN_OPERATION_REFRESH_H
#define RETOKEN_OPERATION_REFRESH_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text.h"
#include "model/mount.h"
#include "model/outcome.h"
#include "operation/issuer.h"

/* How the client proved who it is (RFC 6749 section 2.3, RFC 7523 section 2.2). */
enum client_proof {
    CLIENT_PROOF_NONE,
    CLIENT_PROOF_BASIC,
    CLIENT_PROOF_BODY,
    CLIENT_PROOF_ASSERTION
};

/* What a dialect understood. Texts live in the request's arena. Empty text = not given, unless a
 * flag beside it says otherwise. */
struct refresh_ask {
    const struct mount *mount;
    struct text refresh_token;

    /* client_id may be given without proof (a public client names itself) */
    bool client_bound; /* this dialect's clients identify themselves: a session of a confidential
                          client needs its proof, a session of any client accepts no other */
    enum client_proof client_proof;
    struct text client_id;
    struct text client_secret;    /* CLIENT_PROOF_BASIC and _BODY */
    struct text client_assertion; /* CLIENT_PROOF_ASSERTION */
    struct text endpoint_url; /* what an assertion's `aud` must name besides mount->realm->issuer */

    bool scope_given;
    struct text scope;

    /* WireCash: the user the token was issued to, and the access token that came with it */
    bool username_given;
    struct text username;
    bool access_token_given;
    struct text access_token; /* signature, user and session must match; expiry ignored */

    /* kopong's documented form: user name and password, both checked; the bearer string in
     * refresh_token may then also be an access token whose signature is right, which buys a new
     * session (dialects.md section 2, decision 2). */
    bool password_given;
    struct text password;
};

/* What the dialect answers with; on a refusal only the last part, as far as it is known. */
struct refresh_answer {
    struct text access_token;
    struct text refresh_token; /* the next one; the presented one where the mount does not rotate */
    int64_t now_ms;
    int64_t expires_at_s;       /* the access token's `exp` */
    int64_t expires_in_s;       /* what is left of it */
    int64_t session_expires_ms; /* 0 = never; a cookie's Max-Age comes from it */
    struct text username;
    struct text roles;   /* space-separated */
    struct text scope;   /* what this access token carries */
    bool scope_narrowed; /* less than was granted */

    /* for the log line and the explanation */
    bool session_known;
    uint8_t session[SESSION_ID_SIZE];
    uint32_t generation; /* the one presented */
    struct text client;
};

/* The table of design.md section 4, in steps, so that no thread sleeps while the disk works (but
 * for kopong's login by password, whose new session refresh_begin makes durable itself):
 *
 *     refresh_begin -> refresh_step -> NULL: *outcome holds
 *                          ^        -> a write: hand it to the store, then
 *                          +-- refresh_written(what came of it)
 *
 * A write that lost a race makes the next step decide anew. On OUTCOME_FAULT *fault says what
 * broke, and the presented token is as good as before. All that is given lives until the end of the
 * request; the steps of one request may run in different threads, one after the other. */
struct refresh;

/* NULL: the arena is exhausted, *fault says so. */
struct refresh *refresh_begin(struct issuer *issuer, const struct refresh_ask *ask,
                              struct arena *arena, struct refresh_answer *answer,
                              struct fault *fault);
struct store_write *refresh_step(struct refresh *refresh, enum outcome *outcome);
void refresh_written(struct refresh *refresh, enum store_result result);

/* All of it, waiting for the write. For tests. */
enum outcome refresh_run(struct issuer *issuer, const struct refresh_ask *ask, struct arena *arena,
                         struct refresh_answer *answer, struct fault *fault);

#endif
