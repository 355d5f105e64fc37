/* SPDX-License-Identifier: ISC */
/* event.h: something an operator wants to find afterwards: a reuse, a revocation, a restored store.
 */
#ifndef RETOKEN_MODEL_EVENT_H
#define RETOKEN_MODEL_EVENT_H

#include <stdint.h>

#include "model/session.h"

/* Stored: numbers never change, so new kinds come last. */
#define EVENT_ROWS                                                                                 \
    EVENT(REUSE, "reuse", "a spent refresh token or code came back; its session was revoked")      \
    EVENT(REUSE_REPORTED, "reuse-reported", "a spent refresh token came back; report only")        \
    EVENT(FUTURE, "future", "a token newer than the store: restored backup?")                      \
    EVENT(RECOVERED, "recovered", "a lost answer was given again inside the recovery window")      \
    EVENT(REVOKED, "revoked", "an administrator revoked a session")                                \
    EVENT(ACCOUNT, "account", "an account was added, changed or removed")                          \
    EVENT(CLIENT, "client", "a client was added or removed")                                       \
    EVENT(KEY, "key", "a signing key was added or changed its state")                              \
    EVENT(ROLLED_FORWARD, "rolled-forward", "the store had lost this session's last renewals")     \
    EVENT(RESTORED, "restored",                                                                    \
          "an older copy of the store was put back and ended again what has ended")                \
    EVENT(LOGIN, "login", "a session began by a password")                                         \
    EVENT(GUESSED, "guessed", "several wrong passwords or secrets in a row")                       \
    EVENT(BEGUN, "begun", "an administrator began a session for somebody")                         \
    EVENT(LOGOUT, "logout", "a user ended a session")                                              \
    EVENT(ADOPTED, "adopted", "a session began with a refresh token of another server")

enum event_kind {
#define EVENT(name, word, meaning) EVENT_##name,
    EVENT_ROWS
#undef EVENT
};

enum { EVENT_KINDS = EVENT_ADOPTED + 1, EVENT_NOTE_MAX = 128 };

/* Each class has room of its own in the store, so that what strangers can cause, however often,
 * pushes nothing else out. */
enum event_class {
    EVENT_CLASS_ROUTINE,       /* requests cause it, and it costs nobody anything */
    EVENT_CLASS_SECURITY,      /* requests cause it, and it cost somebody something */
    EVENT_CLASS_ADMINISTRATION /* an operator, or the server itself */
};
enum { EVENT_CLASSES = EVENT_CLASS_ADMINISTRATION + 1 };

enum event_class event_class(enum event_kind kind);
const char *event_word(enum event_kind kind);
const char *event_meaning(enum event_kind kind);

/* One that is told again of the same session and generation is the same event, seen again. */
struct event {
    int64_t at_ms; /* the first time */
    enum event_kind kind;
    uint32_t repeats;                 /* further times; 0 = once */
    int64_t last_ms;                  /* the last of them; 0 = none */
    uint8_t session[SESSION_ID_SIZE]; /* all zero = none */
    uint64_t account;                 /* 0 = none */
    uint32_t generation;              /* the one presented */
    char realm[SESSION_REALM_MAX + 1];
    char client[CLIENT_ID_MAX + 1];
    char note[EVENT_NOTE_MAX + 1]; /* never a token, never a secret */
};

/* An event of `session` at now_ms, of which `presented` is the generation that was presented. */
void event_of_session(struct event *event, enum event_kind kind, const struct session *session,
                      uint32_t presented, int64_t now_ms);

#endif
