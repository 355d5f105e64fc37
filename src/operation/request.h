/* SPDX-License-Identifier: ISC */
/* request.h: one request on its way through: what arrived, what the dialect read, what the
 * operation found, and the one response. Made by the responder (or by `retoken`, without HTTP),
 * filled by a dialect, answered by an operation. Values only.
 *
 * An operation reads `client`, its own member of `input`, and `realm`; it never looks at `http`,
 * `query`, `form` or `json`, which are the dialect's. */
#ifndef RETOKEN_OPERATION_REQUEST_H
#define RETOKEN_OPERATION_REQUEST_H

#include "base/form.h"
#include "base/json.h"
#include "http/exchange.h"
#include "model/client_refusal.h"
#include "model/mount.h"
#include "model/outcome.h"
#include "operation/guess.h"
#include "operation/hook_answer.h"
#include "operation/issuer.h"
#include "token/certificate.h"

/* How the client proved who it is (RFC 6749 section 2.3, RFC 7523 section 2.2). */
enum client_proof_kind {
    CLIENT_PROOF_NONE,
    CLIENT_PROOF_BASIC,
    CLIENT_PROOF_BODY,
    CLIENT_PROOF_ASSERTION
};

/* What a request says of its client. Empty text = not given. */
struct client_proof {
    bool bound; /* this dialect's clients identify themselves: a session of a confidential client
                   needs its proof, a session of any client accepts no other */
    enum client_proof_kind kind;
    struct text id;     /* may be given without proof: a public client names itself */
    struct text secret; /* CLIENT_PROOF_BASIC and _BODY */
    bool raw_given;     /* CLIENT_PROOF_BASIC: tried where id and secret are refused */
    struct text raw_id; /* … because the client may not have form-urlencoded them */
    struct text raw_secret;
    struct text assertion;     /* CLIENT_PROOF_ASSERTION */
    struct text endpoint_path; /* of the URL that it came to */
    struct text beside; /* the refresh token or code that the proof is used with; "" = none */
};

/* Which key the sender holds. */
struct possession {
    struct text dpop;               /* a proof of it, as sent (RFC 9449); "" = none */
    struct text method;             /* of the request that it came with */
    struct text path;               /* of its URL */
    bool proved;                    /* the proof is right: */
    uint8_t key[CRYPTO_HASH_SIZE];  /* the key's thumbprint (RFC 7638) */
    struct text pem;                /* the certificate of its connection, where those are looked at;
                                       "" = none */
    bool verified;                  /* … for which somebody vouches whom the web server trusts */
    struct certificate certificate; /* as it was read */

    bool by_browser;              /* the session must be bound to a browser's key: */
    struct text response;         /* its proof, as sent (dbsc.h); "" = none */
    struct text signed_challenge; /* what that one has signed */
    bool browser_proved;          /* it has brought its key, and has signed with it: */
    uint8_t browser_key[SESSION_KEY_SIZE];
};

enum { REFRESH_CANDIDATES_MAX = 64 };

struct refresh_input {
    struct text refresh_token;
    /* Where several were sent and the client cannot know which is good, as cookies of one name:
     * refresh.c chooses refresh_token among them. */
    const struct text *candidates;
    size_t candidate_count; /* 0: refresh_token is the one */
    size_t preferred_count; /* the first so many: the others only where none of these is good */
    bool scope_given;
    struct text scope;
    bool username_given; /* the token must belong to this user */
    struct text username;
    bool password_given; /* and this must be the user's password */
    struct text password;
    bool everywhere;         /* a logout: ends all sessions of the account */
    bool silent;             /* a logout: a token of no live session is granted, too */
    bool signed_answer;      /* an introspection: the answer shall be signed */
    bool by_access_token;    /* refresh_token of a logout may be an access token as well; of a
                                refresh it is one, of here or of the server before */
    bool access_token_given; /* signature, user and session must match; expiry is ignored */
    struct text access_token;
};

struct login_input {
    struct text username;
    struct text password;
    bool bearer_given;  /* … and then the password alone does not do */
    struct text bearer; /* a token of this user's: a refresh token, which is renewed, or an access
                           token, expired or not, which gives a new session */
    bool scope_given;
    struct text scope;
};

/* An authorization request (RFC 6749 section 4.1.1). */
struct authorize_input {
    struct text client_id;
    struct text redirect_uri; /* "" = the client's only one */
    struct text scope;        /* "" = the client's */
    struct text state;        /* the dialect's own */
    uint8_t challenge[SESSION_CHALLENGE_SIZE];
    bool has_key; /* its code is good only for who holds this one (RFC 9449 section 10): */
    uint8_t key[CRYPTO_HASH_SIZE];
    bool refused; /* for a reason that the client may be told, once it is known to be one: */
    enum outcome refusal;
};

struct code_input {
    struct text code;
    struct text redirect_uri; /* "" = none was sent */
    struct text verifier;
};

/* A session for request->remote_user. */
struct session_input {
    struct text scope; /* "" = the client's */
};

/* A client for itself (RFC 6749 section 4.4). */
struct client_input {
    bool begins_session; /* with a refresh token; otherwise nothing is stored of what is granted */
    bool scope_given;
    struct text scope;
};

/* A device authorization request (RFC 8628 section 3.1), or a poll. */
struct device_input {
    struct text scope;       /* "" = the client's */
    struct text device_code; /* of a poll */
};

/* One request of the page on which a user approves a device. */
struct approval_input {
    enum { APPROVAL_ASK, APPROVAL_LOOK, APPROVAL_ALLOW, APPROVAL_DENY } step;
    struct text user_code; /* as typed */
    struct text form;      /* what the form carried: answer.form of the step before */
};

/* What a user asks of sessions of their own (operation/own_sessions.c). */
struct own_sessions_input {
    struct text access_token;
    bool ends; /* this one: */
    struct text session;
};

/* Whose sessions shall end (operation/revoke.c), on whose word. What is given of the rest must hold
 * of each of them; of one session where that is named, else of all. */
struct revoke_input {
    bool any;                  /* who asks has shown the key of the application; else: */
    struct text access_token;  /* … that their user has, */
    struct text refresh_token; /* the session of this token, */
    struct text session;       /* … or this one */
    struct text user;          /* the account's subject */
    struct text client;
};

/* A scrape (operation/metrics.c). */
struct metrics_input {
    bool open_metrics; /* as OpenMetrics, not as Prometheus text */
};

/* A session as its user sees it: no token is told. */
enum { OWN_SESSIONS_MAX = 100 };
struct own_session {
    char id[37];
    struct text client;
    struct text device; /* "" = not known */
    struct text scope;
    int64_t created_ms;
    int64_t used_ms;
    int64_t expires_ms; /* 0 = never */
    bool current;       /* the access token is of this one */
};

/* Public keys of a realm. */
struct public_key_input {
    struct text kid; /* the key of that name; "" = of any */
    bool signer;     /* without a kid: the one that signs; false: all */
};

/* What a dialect answers with. On a refusal only the last part, as far as it is known. */
struct answer {
    struct text access_token;
    bool bound;                /* … to the key that the sender has proved */
    struct text refresh_token; /* the next one; the presented one where the realm does not rotate */
    int64_t now_ms;
    int64_t expires_at_s;       /* the access token's `exp` */
    int64_t expires_in_s;       /* what is left of it */
    int64_t session_expires_ms; /* 0 = never; a cookie's Max-Age comes from it */
    int64_t session_ends_ms;    /* at the latest, however often it is renewed; 0 = never */
    struct text scope;          /* what this access token carries */
    bool scope_narrowed;        /* less than was granted, or not what was asked for */
    struct text granted;      /* on OUTCOME_SCOPE_INVALID: the session's scope, which its holder may
                                 know */
    int64_t retry_after_s;    /* on OUTCOME_SLOWED, and DEVICE_TOO_SOON of a first request */
    int64_t last_login_ms;    /* the account's last login before this one; 0 = none, and on other
                                 operations */
    struct text challenge;    /* for a browser's key to sign; "" = none */
    struct text dpop_nonce;   /* for the sender's next proof; "" = none */
    struct text key_set;      /* a JWK Set (RFC 7517) */
    struct text public_keys;  /* {"KID":"PEM",…} */
    struct text public_key;   /* PEM; of several the last */
    struct text metrics;      /* what is counted */
    struct text redirect_uri; /* of an authorization request: it is the client's; "" = not known to
                                 be */
    struct text code;         /* on OUTCOME_AUTHORIZED */
    struct text device_code;
    struct text user_code; /* "WDJB-MJHT" */
    int64_t interval_s;    /* between the polls of a device */
    struct text form;      /* what the next form has to carry */
    enum store_readiness readiness;

    /* the account as it is now */
    struct text username;
    struct text subject;
    struct text roles;    /* space-separated */
    const json_t *claims; /* NULL = none */

    const json_t *payload; /* of the access token that was asked about */
    const struct own_session *own_sessions;
    size_t own_session_count;

    /* for the log line and the explanation */
    bool session_known;
    uint8_t session[SESSION_ID_SIZE];
    uint32_t generation; /* the one presented */
    struct text client;
    enum client_refusal refusal; /* why the client was not believed */
};

struct operation;
struct described_request; /* dialect/described.h; opaque down here */

/* Whose page makes a browser send this request: none, or one of our own origin; one that may read
 * the answer; one that may if the session's client has its origin; the same, which may read
 * refusals until the session is found, because it is a page of the client that it names; one that
 * may not.
 */
enum page { PAGE_OWN, PAGE_ALLOWED, PAGE_OF_CLIENT, PAGE_OF_NAMED_CLIENT, PAGE_FOREIGN };

struct request {
    struct http_exchange *http; /* NULL where no HTTP request is behind it */
    struct arena *arena;        /* every text here lives in it, or in http */
    struct issuer *issuer;
    const struct mount *mount; /* NULL where no HTTP request is behind it */
    const struct realm *realm;
    int64_t begun_us;                /* by clock_stopwatch_us */
    int64_t took_us;                 /* until there was an answer */
    struct metrics_answers *answers; /* which this answer is one of; NULL = it is not counted */
    struct http_network network;     /* where it comes from, for guess.h */

    /* the dialect's reading */
    struct form query; /* decoded query string */
    struct form form;  /* decoded form body; empty when there is none */
    json_t *json;      /* parsed JSON body; NULL when there is none */
    enum page page;
    struct text origin;      /* but of PAGE_OWN and PAGE_FOREIGN */
    struct text remote_user; /* whom the web server has checked, where the endpoint needs that */
    const struct described_request *described; /* which of the endpoint's requests this is, where
                                                  tables describe them; the dialect's */

    /* what is asked */
    const struct operation *operation;
    enum grant_bit grant; /* that the client must be allowed to use; 0 = it uses none of them */
    struct client_proof client;
    struct possession possession;
    struct text targets; /* the audiences that the access token shall be for, space-separated: some
                            of the realm's, at most SESSION_TARGETS_MAX bytes; "" = those that its
                            session is limited to, or the realm's usual one */
    union {
        struct refresh_input refresh;
        struct login_input login;
        struct authorize_input authorize;
        struct code_input code;
        struct session_input session;
        struct client_input client;
        struct device_input device;
        struct approval_input approval;
        struct metrics_input metrics;
        struct own_sessions_input own_sessions;
        struct revoke_input revoke;
        struct public_key_input public_key;
    } input;

    /* what came of it */
    struct answer answer;
    char id[37];             /* by which a refusal names this request; "" = by none */
    struct hook_answer hook; /* what the realm's hook says of the account */
    struct hook_event hook_event;
    struct guess guess; /* at a password or secret, for operation_step to count */
    struct fault fault; /* what broke, where the outcome is OUTCOME_FAULT */
    void *state;        /* the operation's own, in the arena */
};

#endif
