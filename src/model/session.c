/* SPDX-License-Identifier: ISC */
/* session.c: what a renewal leaves in a session's record; why a session ended and which key it is
 * bound to, in the operator's words. Knows neither store nor tokens. */
#include "model/session.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"

static void note_outdated(struct session *session, uint32_t steps, const struct clock_moment *now,
                          int64_t window_ms);
static void note_spent(struct session *session, uint32_t steps, const struct clock_moment *now);
static uint32_t kept_after(uint32_t steps);

bool session_is_clients_own(const struct session *session)
{
    return session->account == 0 && session->client_number != 0 &&
           session->pending == SESSION_BEGUN;
}

bool session_lives(const struct session *session, int64_t now_ms)
{
    return session->end == SESSION_LIVE && session->pending == SESSION_BEGUN &&
           (session->expires_ms == 0 || session->expires_ms > now_ms);
}

bool session_client_is_gone(const struct session *session, const struct client *client)
{
    return session->client_number != 0 &&
           (client == NULL || client->number != session->client_number);
}

void session_begin(struct session *session, bool client_proved)
{
    if (session->pending == SESSION_PENDING_DEVICE) {
        session->has_alias = false;
        memset(session->alias, 0, sizeof session->alias);
    }
    session->pending = SESSION_BEGUN;
    memset(session->challenge, 0, sizeof session->challenge);
    memset(session->redirect, 0, sizeof session->redirect);
    session->client_proved = client_proved;
}

void session_note_use(struct session *session, int64_t now_ms)
{
    int64_t last_ms = now_ms > session->rotated_ms ? now_ms : session->rotated_ms;

    session->used_ms = last_ms > session->used_ms ? last_ms : session->used_ms;
}

void session_note_rotation(struct session *session, uint32_t to, int64_t now_ms,
                           const struct clock_moment *spent, int64_t window_ms)
{
    session_note_use(session, now_ms);
    note_outdated(session, to - session->generation, spent, window_ms);
    note_spent(session, to - session->generation, spent);
    session->generation = to;
    session->rotated_ms = now_ms;
}

/* spent[] is about to forget its oldest. One of those is watched until it is outdated, and then the
 * next, so that a thief who renews quickly cannot make the record forget how long ago the owner's
 * token was spent. The clock of another boot tells nothing of it. */
static void note_outdated(struct session *session, uint32_t steps, const struct clock_moment *now,
                          int64_t window_ms)
{
    uint32_t kept = kept_after(steps);
    const struct session_spent *leaves = &session->spent[kept];
    int64_t now_ms = now->boot != 0 ? now->boot_ms : now->wall_ms;
    int64_t left_ms = now->boot != 0 ? leaves->boot_ms : leaves->wall_ms;

    if (now->boot != session->boot) {
        session->watched_ms = 0;
        return;
    } else if (session->watched_ms != 0 && now_ms - session->watched_ms > window_ms) {
        session->outdated = session->watched + 1;
        session->watched_ms = 0;
    }
    if (session->watched_ms == 0 && left_ms != 0) {
        session->watched = session->generation - 1 - kept;
        session->watched_ms = left_ms;
    }
}

/* The record holds times of one boot: those of an earlier one are forgotten. */
static void note_spent(struct session *session, uint32_t steps, const struct clock_moment *now)
{
    struct session_spent *spent = session->spent;
    uint32_t kept = kept_after(steps);

    memmove(spent + SESSION_SPENT_KEPT - kept, spent, kept * sizeof *spent);
    memset(spent, 0, (SESSION_SPENT_KEPT - kept) * sizeof *spent);
    for (uint32_t i = 0; i < SESSION_SPENT_KEPT && now->boot != session->boot; i++) {
        spent[i].boot_ms = 0;
    }
    session->boot = now->boot;
    spent[0] = (struct session_spent){now->wall_ms, now->boot != 0 ? now->boot_ms : 0};
}

/* How many of spent[] stay. */
static uint32_t kept_after(uint32_t steps)
{
    return steps < SESSION_SPENT_KEPT ? SESSION_SPENT_KEPT - steps : 0;
}

void session_correct_spent(struct session *session, const struct clock_moment *spent)
{
    note_spent(session, 0, spent);
}

void session_note_event(struct session *session, unsigned kind, int64_t at_ms)
{
    struct session_event *events = session->events;

    memmove(events + 1, events, (SESSION_EVENTS_KEPT - 1) * sizeof *events);
    events[0] = (struct session_event){at_ms, (uint8_t)kind};
    if (session->event_count < SESSION_EVENTS_KEPT) {
        session->event_count++;
    }
}

const char *session_pending_meaning(enum session_pending pending)
{
    switch (pending) {
    case SESSION_BEGUN:
        return "live";
    case SESSION_PENDING_CODE:
        return "pending: its authorization code has not come";
    case SESSION_PENDING_DEVICE:
        return "pending: its device code has not come";
    }
    return "pending"; /* read from a store, so any number may come */
}

const char *session_end_meaning(enum session_end end)
{
    switch (end) {
    case SESSION_LIVE:
        return "live";
    case SESSION_ENDED_REUSE:
        return "reused: a spent refresh token or code came back";
    case SESSION_ENDED_ADMIN:
        return "revoked by an administrator";
    case SESSION_ENDED_ACCOUNT:
        return "its account was disabled, removed or given another password";
    case SESSION_ENDED_LIMIT:
        return "ended: its account began more sessions than sessions-per-account allows";
    case SESSION_ENDED_DENIED:
        return "denied: a user did not approve its device";
    case SESSION_ENDED_LOGOUT:
        return "logged out by its user";
    case SESSION_ENDED_CLIENT:
        return "its client was removed";
    }
    return "ended for a reason of a later version"; /* read from a store, so any number may come */
}

const char *session_key_name(enum session_key_kind kind)
{
    switch (kind) {
    case SESSION_KEY_NONE:
        return "";
    case SESSION_KEY_DPOP:
        return "dpop";
    case SESSION_KEY_BROWSER:
        return "browser";
    case SESSION_KEY_CERTIFICATE:
        return "certificate";
    }
    return "";
}

/* Of a browser's key the point is kept, of others the thumbprint. */
bool session_key_thumbprint(const struct session *session, char out[SESSION_THUMBPRINT_SIZE + 1])
{
    uint8_t hash[CRYPTO_HASH_SIZE];
    char jwk[SESSION_JWK_SIZE + 1];

    out[0] = out[SESSION_THUMBPRINT_SIZE] = '\0';
    if (session->key_kind == SESSION_KEY_NONE) {
        return true;
    } else if (session->key_kind == SESSION_KEY_BROWSER) {
        session_key_jwk(session, jwk);
        if (!crypto_sha256(jwk, strlen(jwk), hash)) {
            return false;
        }
    } else {
        memcpy(hash, session->key, sizeof hash);
    }
    codec_base64url_encode(hash, sizeof hash, out);
    return true;
}

void session_key_jwk(const struct session *session, char out[SESSION_JWK_SIZE + 1])
{
    enum { COORDINATE = SESSION_KEY_SIZE / 2 };
    char x[SESSION_THUMBPRINT_SIZE + 1] = "", y[sizeof x] = "";

    codec_base64url_encode(session->key, COORDINATE, x);
    codec_base64url_encode(session->key + COORDINATE, COORDINATE, y);
    snprintf(out, SESSION_JWK_SIZE + 1,
             "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
}
