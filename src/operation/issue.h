/* SPDX-License-Identifier: ISC */
/* issue.h: beginning a session and making its tokens. The one place that turns (session, account,
 * realm) into an access token, for the first issue and for every refresh. Knows accounts, sessions
 * and keys; does not know who asked or how. */
#ifndef RETOKEN_OPERATION_ISSUE_H
#define RETOKEN_OPERATION_ISSUE_H

#include "operation/client_auth.h"

/* What an access token says. */
struct access_token {
    const struct policy *policy; /* in force for the client */
    const struct session *session;
    const struct account *account; /* NULL = none: the client is its own subject */
    uint64_t keyring_version;      /* at least this one signs it */
    uint32_t generation;
    int64_t issued_at_s;
    struct text scope; /* that it carries */
    bool refreshed;    /* by a refresh, not by a login */
    bool alone;        /* nothing of its session is stored: it names none */
};

/* Signs an access token of request->realm, with what its hook has said (hook_ask), and fills
 * request->answer: access_token, expires_*, scope and the account. Needs answer.now_ms. False with
 * request->fault. */
bool issue_access_token(struct request *request, const struct access_token *token);

/* How long the access token of that generation is good for, in seconds: the policy's time, or where
 * it is jittered up to a tenth less. The same again for the same session and generation. False with
 * request->fault. */
bool issue_access_lifetime(struct request *request, const struct policy *policy,
                           const struct session *session, uint32_t generation, int64_t *lifetime_s);

/* What is granted to a client (NULL = none): see client_scope. But where a realm wants the scope
 * repeated exactly, or its tokens cannot say one, who asks for none gets none. *scope is in `room`,
 * which has SESSION_SCOPE_MAX bytes. False as there. */
bool issue_scope(const struct client *client, const struct policy *policy, bool *given,
                 struct text *scope, char *room);

/* What a session begins with. */
struct issue_ask {
    const struct account *account; /* NULL = none: it is the client's own */
    struct text client;            /* "" = none */
    bool client_proved;     /* it proved itself, and has to whenever the session is renewed */
    uint32_t client_secret; /* the number of the secret that proved it; 0 = none */
    bool scope_given;
    struct text scope;
    struct text targets;  /* the only audiences that its access tokens may ever be for, at most
                             SESSION_TARGETS_MAX bytes; "" = it is not limited */
    struct text imported; /* a refresh token another server issued, honoured as generation 0; "" =
                             none */
    const uint8_t *imported_hash;   /* or its SHA-256; NULL = none */
    enum session_key_kind key_kind; /* what it was bound to there; NONE: to the key that is shown */
    uint8_t key[SESSION_KEY_SIZE];
    int64_t created_ms; /* there; 0 = now */
    int64_t expires_ms; /* there, if before the policy's end; 0 = not known */
    bool has_event;
    enum event_kind event; /* as which its beginning is noted … */
    const char *cause;     /* … with how it began */
    /* What proved the client, once, is used up in the same commit; NULL = nothing. Who gives it
     * asks client_auth_is_fresh when the write gives STORE_EXISTS, before issue_written. */
    const struct client_identity *proved_by;
};

/* A session on its way into the store; in memory that lives until issue_written has said that it is
 * decided. */
struct issue {
    struct request *request;
    struct issue_ask ask;
    struct policy policy;          /* in force for the client */
    struct client client;          /* where ask.client names one */
    char scope[SESSION_SCOPE_MAX]; /* where ask.scope is, in its canonical form */
    struct session session;
    int64_t first_s; /* the `iat` of a JWT-shaped refresh token that was tried first … */
    int64_t tried;   /* … and how many seconds have been tried */
    struct store_write write;
};

/* Makes both tokens and the write; keeps ask->account until it is written. Fills request->answer.
 * OUTCOME_ROTATED: write issue->write, then call issue_written. OUTCOME_TOKEN_INVALID: `imported`
 * is unusable. OUTCOME_SCOPE_INVALID: see issue_scope; answer.granted is what the client may have.
 * OUTCOME_ACCOUNT_REFUSED, OUTCOME_BUSY: see hook_ask. OUTCOME_DPOP_INVALID,
 * OUTCOME_CLIENT_AUTH_FAILED: see possession_suffices. OUTCOME_FAULT. */
enum outcome issue_begin(struct issue *issue, struct request *request, const struct issue_ask *ask);
/* The same for a session of another server, whose token its holder has: signs nothing, and leaves
 * no more of request->answer than the time. OUTCOME_TOKEN_EXPIRED: it is over. */
enum outcome issue_import(struct issue *issue, struct request *request,
                          const struct issue_ask *ask);
/* Takes what came of the write. True: issue->write is to be written once more, with another token.
 * False: *outcome is OUTCOME_ROTATED, OUTCOME_TOKEN_INVALID (`imported` is taken),
 * OUTCOME_CLIENT_UNAUTHORIZED (a client whose own session it is was removed or disabled meanwhile)
 * or OUTCOME_FAULT. */
bool issue_written(struct issue *issue, enum store_result result, enum outcome *outcome);

/* All of it, waiting for the write. For `retoken` and tests. */
enum outcome issue_session(struct request *request, const struct issue_ask *ask);

#endif
