/* SPDX-License-Identifier: ISC */
/* session.h: one login of one account on one client (what others call a token family or grant).
 * Plain values of bounded size; the record that a rotation overwrites. */
#ifndef RETOKEN_MODEL_SESSION_H
#define RETOKEN_MODEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/client.h"

enum {
    SESSION_ID_SIZE = 16,        /* UUIDv7: time-ordered, so new sessions share pages */
    SESSION_REALM_MAX = 64,      /* the realm's name */
    SESSION_SCOPE_MAX = 512,     /* as granted, space-separated */
    SESSION_TARGETS_MAX = 512,   /* likewise */
    SESSION_HASH_SIZE = 32,      /* keyed hash of an aliased token */
    SESSION_SPENT_KEPT = 8,      /* generations whose spending times are kept */
    SESSION_EVENTS_KEPT = 8,     /* events that are kept in short */
    SESSION_KEY_SIZE = 64,       /* a public key: x and y of a P-256 point */
    SESSION_DEVICE_MAX = 64,     /* the device's name, as the client or the user gave it */
    SESSION_CHALLENGE_SIZE = 32, /* a code_challenge of method S256 (RFC 7636), decoded */
    SESSION_NETWORK_SIZE = 8,    /* keyed hash of the network that a request came from */
    SESSION_AGENT_SIZE = 16      /* keyed hash of a user agent */
};

#define SESSION_FOR_EVER INT64_C(0xffffffffffff)

/* When a generation was spent, that is, when its successor was durable; up to a second earlier, as
 * a commit takes. */
struct session_spent {
    int64_t wall_ms; /* 0 = not known */
    int64_t boot_ms; /* CLOCK_BOOTTIME of the boot session.boot; 0 = not known */
};

/* Which public key a session is bound to (RFC 9449, browser-bound sessions, RFC 8705). Stored:
 * numbers never change. */
enum session_key_kind {
    SESSION_KEY_NONE,
    SESSION_KEY_DPOP,
    SESSION_KEY_BROWSER,
    SESSION_KEY_CERTIFICATE
};

/* An event of this session in short; the event table has the whole. */
struct session_event {
    int64_t at_ms;
    uint8_t kind; /* enum event_kind */
};

/* What a session waits for before it begins. Until then it has no refresh token, is not among the
 * sessions of its account, and is found by its code alone. */
enum session_pending {
    SESSION_BEGUN = 0,
    SESSION_PENDING_CODE = 1,  /* for its authorization code (RFC 6749 section 4.1) */
    SESSION_PENDING_DEVICE = 2 /* for a user's approval, and then its device code (RFC 8628) */
};

/* Why a session ended. */
enum session_end {
    SESSION_LIVE = 0,
    SESSION_ENDED_REUSE = 1, /* a spent token came back */
    SESSION_ENDED_ADMIN = 2, /* `retoken session revoke`, or a server with the application's key */
    SESSION_ENDED_ACCOUNT = 3, /* its account was disabled or removed, or its password changed */
    SESSION_ENDED_CLIENT = 4,  /* its client was removed */
    SESSION_ENDED_LIMIT = 5,   /* its account has too many sessions, and began another one */
    SESSION_ENDED_DENIED = 6,  /* a user did not approve the device that it was for */
    SESSION_ENDED_LOGOUT = 7   /* its user logged out */
};
enum { SESSION_ENDS = SESSION_ENDED_LOGOUT + 1 };

struct session {
    uint8_t id[SESSION_ID_SIZE];
    uint64_t account; /* account.number; 0 = none: pending and not approved, or its client's own */
    uint32_t generation;
    enum session_end end;
    enum session_pending pending;              /* unless it is SESSION_BEGUN: */
    uint8_t challenge[SESSION_CHALLENGE_SIZE]; /* what the code's bearer must know the source of */
    uint8_t redirect[SESSION_HASH_SIZE];       /* keyed hash of the redirect URI that was sent; all
                                                  zero = none was */
    bool scope_given; /* the grant carried a scope, possibly an empty one */
    int64_t created_ms;
    int64_t rotated_ms;  /* when this generation was made; = created_ms at generation 0 */
    int64_t used_ms;     /* last renewal where the mount does not rotate (kept coarsely) */
    int64_t expires_ms;  /* 0 = never; recomputed at each rotation, used by the sweeper too */
    int64_t ended_ms;    /* 0 while live */
    bool ended_unmarked; /* it ended with others at once, and its record does not say so yet: as it
                            is shown (store/verbs/sessions.c), never in a record */
    bool has_alias;      /* generation 0 is found through a stored alias: */
    uint8_t alias[SESSION_HASH_SIZE]; /* of its JWT-shaped or imported token */
    int64_t kept_until_ms; /* that token could be adopted again until then, so the record stays;
                              SESSION_FOR_EVER = without end; 0 = it is swept as others are */
    /* spent[k]: when generation - 1 - k was spent. The windows in which a spent token is answered
     * again run from these times, and replays never extend them. */
    struct session_spent spent[SESSION_SPENT_KEPT];
    uint64_t boot; /* the boot (clock_moment) that every spent[].boot_ms belongs to */
    /* What is older than spent[]: every generation below `outdated` was spent longer ago than the
     * concurrency window. The next to be so is `watched`, spent at watched_ms by the time since
     * boot, or by the wall clock where boot is 0; 0 = none is watched. */
    uint32_t outdated, watched;
    int64_t watched_ms;
    uint8_t secret;     /* number of the master secret that its tokens are under; 0 = the first */
    uint32_t epoch;     /* when it began, of account, realm and all in sum; an older one is as good
                           as ended, and so it is shown (store/verbs/epochs.h) */
    bool client_proved; /* its client proved itself when it began: nothing less will do later */
    enum session_key_kind key_kind;
    uint8_t key[SESSION_KEY_SIZE];                    /* unless key_kind is SESSION_KEY_NONE */
    uint8_t network[SESSION_NETWORK_SIZE];            /* that renewed it last, or began it; all zero
                                                         = not known */
    uint8_t user_agent[SESSION_AGENT_SIZE];           /* all zero = not known */
    char device[SESSION_DEVICE_MAX + 1];              /* "" = not known */
    struct session_event events[SESSION_EVENTS_KEPT]; /* newest first */
    uint8_t event_count;
    bool has_derived_aliases; /* some generations were spelled as UUID; their aliases are
                                 computed again when the session is swept */
    char realm[SESSION_REALM_MAX + 1];
    char client[CLIENT_ID_MAX + 1]; /* "" = no client */
    uint64_t client_number;         /* client.number; 0 = no client */
    char scope[SESSION_SCOPE_MAX + 1];
    char targets[SESSION_TARGETS_MAX + 1]; /* the audiences that its access tokens may be for (RFC
                                              8707), space-separated; "" = any of its realm's */
};

/* What the key is proved by: "dpop", "browser", "certificate"; "" = the session is bound to none.
 */
const char *session_key_name(enum session_key_kind kind);
/* A browser's key as a JWK, with the members that its thumbprint covers (RFC 7638 section 3). */
enum { SESSION_JWK_SIZE = 126 };
void session_key_jwk(const struct session *session, char out[SESSION_JWK_SIZE + 1]);
/* The key's SHA-256 thumbprint in base64url, as its holder computes it too (RFC 7638; of a
 * certificate x5t#S256); "" where
 * there is none. False: libcrypto failed. */
enum { SESSION_THUMBPRINT_SIZE = 43 };
bool session_key_thumbprint(const struct session *session, char out[SESSION_THUMBPRINT_SIZE + 1]);

/* Did a client begin it for itself, without any account (RFC 6749 section 4.4)? */
bool session_is_clients_own(const struct session *session);

/* By its own record: has it begun, and neither ended nor expired? It may have ended with others
 * nevertheless (session_client_is_gone, epochs). */
bool session_lives(const struct session *session, int64_t now_ms);

/* Is the client that it began with no longer there? `client`: who has that id now; NULL = none. */
bool session_client_is_gone(const struct session *session, const struct client *client);

/* What a renewal at now_ms does to the record: it was in use. A clock that was set back does not
 * make the last use earlier, or the session would end before its time. */
void session_note_use(struct session *session, int64_t now_ms);

/* What a rotation at now_ms does besides: `to`, which is above its generation, becomes the current
 * one, and to - 1 is spent at `spent`. When those between were spent is not known. window_ms: the
 * concurrency window, which tells what is outdated. The session's end is the caller's to set. */
void session_note_rotation(struct session *session, uint32_t to, int64_t now_ms,
                           const struct clock_moment *spent, int64_t window_ms);

/* What was pending begins, and is no longer found by a code for people. `client_proved`: its client
 * proves itself as it does. */
void session_begin(struct session *session, bool client_proved);

/* The generation before the current one was spent at `spent`, and not when that was noted. */
void session_correct_spent(struct session *session, const struct clock_moment *spent);

/* An event of this session in short, which pushes out the oldest. `kind`: enum event_kind. */
void session_note_event(struct session *session, unsigned kind, int64_t at_ms);

/* "live" once it has begun; "pending: …" */
const char *session_pending_meaning(enum session_pending pending);

/* "reused", "revoked by an administrator", … */
const char *session_end_meaning(enum session_end end);

#endif
