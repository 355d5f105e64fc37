/* SPDX-License-Identifier: ISC */
/* event.h: what happened to a session, an account, a client or the server, for an operator who
 * looks for it afterwards and for programs that want to be told. One list gives the kinds, their
 * classes, their words and their sentences.
 */
#ifndef RETOKEN_MODEL_EVENT_H
#define RETOKEN_MODEL_EVENT_H

#include <stdint.h>

#include "base/text.h"
#include "model/session.h"

/* EVENT(NAME, CLASS, word, what happened). Stored: numbers never change, so new kinds come last. */
#define EVENT_ROWS                                                                                 \
    EVENT(REUSE, SECURITY, "reuse",                                                                \
          "a spent refresh token or code came back; its session was revoked")                      \
    EVENT(REUSE_REPORTED, ROUTINE, "reuse-reported",                                               \
          "a spent refresh token came back; report only")                                          \
    EVENT(FUTURE, ROUTINE, "future", "a token newer than the store: restored backup?")             \
    EVENT(RECOVERED, ROUTINE, "recovered",                                                         \
          "a lost answer was given again inside the recovery window")                              \
    EVENT(REVOKED, ADMINISTRATION, "revoked", "a session was revoked")                             \
    EVENT(ACCOUNT, ADMINISTRATION, "account", "an account was added, changed or removed")          \
    EVENT(CLIENT, ADMINISTRATION, "client", "a client was added, changed or removed")              \
    EVENT(KEY, ADMINISTRATION, "key", "a signing key was added or changed its state")              \
    EVENT(ROLLED_FORWARD, ROUTINE, "rolled-forward",                                               \
          "the store had lost this session's last renewals")                                       \
    EVENT(RESTORED, ADMINISTRATION, "restored",                                                    \
          "an older copy of the store was put back and ended again what has ended")                \
    EVENT(LOGIN, ROUTINE, "login", "a session began")                                              \
    EVENT(GUESSED, STRANGERS, "guessed", "several wrong passwords or secrets in a row")            \
    EVENT(BEGUN, ADMINISTRATION, "begun", "an administrator began a session for somebody")         \
    EVENT(LOGOUT, ROUTINE, "logout", "a user ended a session")                                     \
    EVENT(ADOPTED, ROUTINE, "adopted", "a session began with a refresh token of another server")   \
    EVENT(REFRESHED, FLOW, "refreshed", "a session was refreshed")                                 \
    EVENT(REPLAYED, FLOW, "replayed", "an answer was given again inside the concurrency window")   \
    EVENT(EXPIRED, FLOW, "expired", "a session expired")                                           \
    EVENT(LOGIN_FAILED, STRANGERS, "login-failed", "a login was refused")                          \
    EVENT(LOCKED, STRANGERS, "locked", "so many wrong passwords or secrets that more must wait")   \
    EVENT(CLIENT_REFUSED, STRANGERS, "client-refused", "a client was not believed")                \
    EVENT(HOOK_FAULT, ROUTINE, "hook-fault", "a hook gave no usable answer")                       \
    EVENT(SESSION_LIMIT, ROUTINE, "session-limit",                                                 \
          "a session ended because its account had too many")                                      \
    EVENT(HOOK_REFUSED, SECURITY, "hook-refused", "a hook refused an account its tokens")

enum event_kind {
#define EVENT(name, of, word, meaning) EVENT_##name,
    EVENT_ROWS
#undef EVENT
};

/* A cause is one word: how a session began (password, code, device, remote-user, client,
 * adopted, admin), what ended it (reuse, admin, key, user, limit, password-change, disabled,
 * removed), why a login failed, or why a client was refused (client_refusal_word). */
enum {
    EVENT_KINDS = EVENT_HOOK_REFUSED + 1,
    EVENT_NOTE_MAX = 128,
    EVENT_MOUNT_MAX = 64,
    EVENT_ADDRESS_MAX = 45, /* an IPv6 address as text, the longest way */
    EVENT_CAUSE_MAX = 31,
    EVENT_LINK_SIZE = 16
};

/* Each class but the last has room of its own in the list of events, so that what one can cause,
 * however often, pushes no other out. CLASS(NAME, word) */
#define EVENT_CLASS_ROWS                                                                           \
    CLASS(ROUTINE, "routine")               /* requests cause it, and it costs its user nothing */ \
    CLASS(SECURITY, "security")             /* requests cause it, and it cost a user something */  \
    CLASS(ADMINISTRATION, "administration") /* an operator, or the server itself */                \
    CLASS(STRANGERS, "strangers")           /* requests cause it that prove nothing */             \
    CLASS(FLOW, "flow") /* what works as it should, many a second: told to subscribers only */

enum event_class {
#define CLASS(name, word) EVENT_CLASS_##name,
    EVENT_CLASS_ROWS
#undef CLASS
};
enum { EVENT_CLASSES = EVENT_CLASS_FLOW }; /* that are listed */

/* A kind in a set of kinds. */
static inline uint64_t event_bit(enum event_kind kind)
{
    return UINT64_C(1) << (unsigned)kind;
}

enum event_class event_class(enum event_kind kind);
const char *event_word(enum event_kind kind);
const char *event_meaning(enum event_kind kind);
const char *event_class_word(enum event_class of);
/* The set that a word means: a kind's or a class's word, or "all". False: no such word. */
bool event_kinds_of(struct text word, uint64_t *kinds);

/* Where a token came from that was presented, against where its session was renewed last. */
enum event_network {
    EVENT_NETWORK_UNKNOWN,
    EVENT_NETWORK_SAME, /* an IPv4 address, or an IPv6 /64 */
    EVENT_NETWORK_OTHER
};
enum { EVENT_NETWORKS = EVENT_NETWORK_OTHER + 1 };

/* One that is told again of the same session and generation is the same event, seen again. So is
 * one of EVENT_CLASS_STRANGERS with the same realm, client, account and cause. */
struct event {
    uint64_t number; /* its place among all events, from 1 on; 0 = not stored */
    int64_t at_ms;   /* the first time */
    enum event_kind kind;
    uint32_t repeats;                 /* further times; 0 = once */
    int64_t last_ms;                  /* the last of them; 0 = none */
    uint8_t session[SESSION_ID_SIZE]; /* all zero = none */
    uint64_t account;                 /* 0 = none */
    uint32_t generation;              /* the one presented */
    int64_t spent_ago_ms; /* if it was spent: so long before, at least; 0 = that is not known */
    enum event_network network; /* if it was spent */
    char realm[SESSION_REALM_MAX + 1];
    char mount[EVENT_MOUNT_MAX + 1]; /* path of the endpoint, cut; "" = none */
    char client[CLIENT_ID_MAX + 1];
    char address[EVENT_ADDRESS_MAX + 1]; /* of whoever asked, as the web server says; "" = none */
    char cause[EVENT_CAUSE_MAX + 1];     /* one word; "" = the kind says it all */
    char note[EVENT_NOTE_MAX + 1];       /* never a token, never a secret */
    uint8_t link[EVENT_LINK_SIZE];       /* the store's own: what chains it to the one before it */
};

/* An event of `session` at now_ms, of which `presented` is the generation that was presented. */
void event_of_session(struct event *event, enum event_kind kind, const struct session *session,
                      uint32_t presented, int64_t now_ms);
/* Is it of the beginning of a session? */
bool event_begins_session(enum event_kind kind);
/* Does it name a session? */
bool event_has_session(const struct event *event);
/* Sets the cause, cut to fit. */
void event_set_cause(struct event *event, const char *cause);

#endif
