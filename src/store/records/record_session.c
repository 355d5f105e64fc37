/* SPDX-License-Identifier: ISC */
/* record_session.c: the layout of a session's record, which every refresh reads and rewrites. Knows
 * bytes; does not know when they are written. */
#include <string.h>

#include "store/records/record_pieces.h"

enum { SESSION_VERSION = 2 };

/* ---- session: key = id (16) ----
 *
 *     02                         version
 *     05                         flags, as below
 *     80                         end, enum session_end; with 20 or 40, enum session_pending; with
 *                                80 when created is not in the id, 08 when it has a secret
 *     07                         account (put_varint)
 *     00                         its epoch (put_varint)
 *     00                         derived aliases below this generation are removed (put_varint)
 *     0000002a                   generation
 *     019a9f2c3b00               created, only when it is not the time in the id (UUIDv7)
 *     019a9f2d0a11               rotated
 *     019a9f2d0a11               used
 *     019aa4523b00               expires, 0 = never
 *     019aa9783b00               time of its entry in the ends table, 0 = none
 *     00000021                   generations below this are outdated
 *     00000021 00000c34e8f0      generation 33 is watched, spent then; 0 = none is
 *     5b1d7c02a4e9f360           hash of the network that renewed it last, 0 = not known
 *     8f0c66d21b5e9a03           boot id, 0 = not known
 *     8002 00000c350a13          generation 41 spent: so long before (here after) it was rotated
 *                                (put_gap), and since boot; 0 = not known
 *     1b53 1b53                  generation 40: so much earlier, by both clocks (put_gap)
 *     05dc ffff                  generation 39: so much before the next later one that is known
 *     …                          down to generation 34
 *     019a9f2d0a13               ended, unless it is live
 *     ffffffffffff               kept until, only with 10 beside the end
 *     4f                         number of its master secret, only with 08 beside the end
 *     (32 bytes)                 the stored alias, only with flag 02
 *     01 (64 bytes)              key's kind and public key, only with flag 10
 *     (16 bytes)                 hash of the user agent, only with flag 20
 *     (64 bytes)                 challenge and hash of the redirect URI, only while pending
 *     05 70686f6e65              device "phone", only with flag 40
 *     01 03 019a9f2c4b00         events: how many, then kind and time; only with flag 80
 *     0c 2f6f617574682f746f6b656e     realm "/oauth/token"
 *     03 776562 02               client "web", and unless it is "" its number (put_varint)
 *     06 6f70656e6964            scope "openid"
 *     05 75726e3a61              audiences "urn:a", only where it is limited to some
 *     (16 bytes)                 MAC
 *
 * Nothing that a rotation changes varies in size, so a rotation rewrites the record in place; only
 * the first under another master secret adds a byte. What is small in most sessions is small here:
 * each refresh reads, hashes and writes all of it. */

enum {
    FLAG_SCOPE = 0x01, /* a scope was granted */
    FLAG_ALIAS = 0x02,
    FLAG_DERIVED = 0x04, /* it has derived aliases */
    FLAG_PROVED = 0x08,  /* its client proved itself when it began */
    FLAG_KEY = 0x10,
    FLAG_AGENT = 0x20,
    FLAG_DEVICE = 0x40,
    FLAG_EVENTS = 0x80,

    /* beside the end */
    PENDING_SHIFT = 5, /* enum session_pending */
    END_BITS = 0x07,
    SECRET = 0x08,
    KEPT = 0x10, /* until a time of its own */
    PENDING_BITS = 0x60,
    CREATED_APART = 0x80
};

_Static_assert(SESSION_ENDS <= END_BITS + 1, "an end has three bits");

static bool has_agent(const struct session *session)
{
    static const uint8_t none[SESSION_AGENT_SIZE];

    return memcmp(session->user_agent, none, sizeof none) != 0;
}

static unsigned flags_of(const struct session *session)
{
    return (session->scope_given ? (unsigned)FLAG_SCOPE : 0) |
           (session->has_alias ? (unsigned)FLAG_ALIAS : 0) |
           (session->has_derived_aliases ? (unsigned)FLAG_DERIVED : 0) |
           (session->client_proved ? (unsigned)FLAG_PROVED : 0) |
           (session->key_kind != SESSION_KEY_NONE ? (unsigned)FLAG_KEY : 0) |
           (has_agent(session) ? (unsigned)FLAG_AGENT : 0) |
           (session->device[0] != '\0' ? (unsigned)FLAG_DEVICE : 0) |
           (session->event_count > 0 ? (unsigned)FLAG_EVENTS : 0);
}

/* The times of one clock, each as the gap to the next later one that is known. */
static void put_spent(struct record *record, const struct session *session)
{
    const struct session_spent *spent = session->spent;
    int64_t wall_ms = session->rotated_ms, boot_ms = spent[0].boot_ms;

    put_u64(record, session->boot);
    put_gap(record, wall_ms, spent[0].wall_ms);
    put_time48(record, boot_ms);
    for (size_t i = 1; i < SESSION_SPENT_KEPT; i++) {
        wall_ms = spent[i - 1].wall_ms != 0 ? spent[i - 1].wall_ms : wall_ms;
        boot_ms = spent[i - 1].boot_ms != 0 ? spent[i - 1].boot_ms : boot_ms;
        put_gap(record, wall_ms, spent[i].wall_ms);
        put_gap(record, boot_ms, spent[i].boot_ms);
    }
}

static void get_spent(struct record *record, struct session *session)
{
    struct session_spent *spent = session->spent;
    int64_t wall_ms = session->rotated_ms, boot_ms;

    session->boot = get_u64(record);
    spent[0].wall_ms = get_gap(record, wall_ms);
    spent[0].boot_ms = boot_ms = get_time48(record);
    for (size_t i = 1; i < SESSION_SPENT_KEPT; i++) {
        wall_ms = spent[i - 1].wall_ms != 0 ? spent[i - 1].wall_ms : wall_ms;
        boot_ms = spent[i - 1].boot_ms != 0 ? spent[i - 1].boot_ms : boot_ms;
        spent[i].wall_ms = get_gap(record, wall_ms);
        spent[i].boot_ms = get_gap(record, boot_ms);
    }
}

static void put_events(struct record *record, const struct session *session)
{
    if (session->event_count > SESSION_EVENTS_KEPT) {
        record->failed = true;
        return;
    }
    put_u8(record, session->event_count);
    for (size_t i = 0; i < session->event_count; i++) {
        put_u8(record, session->events[i].kind);
        put_time48(record, session->events[i].at_ms);
    }
}

static void get_events(struct record *record, struct session *session)
{
    session->event_count = (uint8_t)get_choice(record, SESSION_EVENTS_KEPT);
    for (size_t i = 0; i < session->event_count; i++) {
        session->events[i].kind = (uint8_t)get_u8(record);
        session->events[i].at_ms = get_time48(record);
    }
}

/* What few sessions have. */
static void put_extras(struct record *record, const struct session *session, unsigned flags)
{
    if ((flags & FLAG_ALIAS) != 0) {
        put_bytes(record, session->alias, sizeof session->alias);
    }
    if ((flags & FLAG_KEY) != 0) {
        put_u8(record, session->key_kind);
        put_bytes(record, session->key, sizeof session->key);
    }
    if ((flags & FLAG_AGENT) != 0) {
        put_bytes(record, session->user_agent, sizeof session->user_agent);
    }
    if (session->pending != SESSION_BEGUN) {
        put_bytes(record, session->challenge, sizeof session->challenge);
        put_bytes(record, session->redirect, sizeof session->redirect);
    }
    if ((flags & FLAG_DEVICE) != 0) {
        put_short_text(record, session->device, sizeof session->device);
    }
    if ((flags & FLAG_EVENTS) != 0) {
        put_events(record, session);
    }
}

static void get_extras(struct record *record, struct session *session, unsigned flags)
{
    if ((flags & FLAG_ALIAS) != 0) {
        get_into(record, session->alias, sizeof session->alias);
    }
    if ((flags & FLAG_KEY) != 0) {
        session->key_kind = (enum session_key_kind)get_choice(record, SESSION_KEY_CERTIFICATE);
        get_into(record, session->key, sizeof session->key);
    }
    if ((flags & FLAG_AGENT) != 0) {
        get_into(record, session->user_agent, sizeof session->user_agent);
    }
    if (session->pending != SESSION_BEGUN) {
        get_into(record, session->challenge, sizeof session->challenge);
        get_into(record, session->redirect, sizeof session->redirect);
    }
    if ((flags & FLAG_DEVICE) != 0) {
        get_short_text(record, session->device, sizeof session->device);
    }
    if ((flags & FLAG_EVENTS) != 0) {
        get_events(record, session);
    }
}

/* The record's key is the session's id. */
static int64_t time_in_key(const struct record *record)
{
    return (int64_t)(codec_get_u64(record->bytes + record->prefix - SESSION_ID_SIZE) >> 16);
}

void record_put_session(struct record *record, const struct record_session *stored)
{
    const struct session *session = &stored->session;
    unsigned flags = flags_of(session);
    bool created_apart = session->created_ms != time_in_key(record);

    put_u8(record, SESSION_VERSION);
    put_u8(record, flags);
    put_u8(record, session->end | (unsigned)session->pending << PENDING_SHIFT |
                       (session->kept_until_ms != 0 ? (unsigned)KEPT : 0) |
                       (session->secret != 0 ? (unsigned)SECRET : 0) |
                       (created_apart ? (unsigned)CREATED_APART : 0));
    put_varint(record, session->account);
    put_varint(record, session->epoch);
    put_varint(record, stored->swept);
    put_u32(record, session->generation);
    if (created_apart) {
        put_time48(record, session->created_ms);
    }
    put_time48(record, session->rotated_ms);
    put_time48(record, session->used_ms);
    put_time48(record, session->expires_ms);
    put_time48(record, stored->entry_ms);
    put_u32(record, session->outdated);
    put_u32(record, session->watched);
    put_time48(record, session->watched_ms);
    put_bytes(record, session->network, sizeof session->network);
    put_spent(record, session);
    if (session->end != SESSION_LIVE) {
        put_time48(record, session->ended_ms);
    }
    if (session->kept_until_ms != 0) {
        put_time48(record, session->kept_until_ms);
    }
    if (session->secret != 0) {
        put_u8(record, session->secret);
    }
    put_extras(record, session, flags);
    put_short_text(record, session->realm, sizeof session->realm);
    put_short_text(record, session->client, sizeof session->client);
    if (session->client[0] != '\0') {
        put_varint(record, session->client_number);
    }
    put_long_text(record, session->scope, sizeof session->scope);
    if (session->targets[0] != '\0') {
        put_long_text(record, session->targets, sizeof session->targets);
    }
}

bool record_get_session(struct record *record, struct record_session *stored)
{
    struct session *session = &stored->session;
    unsigned flags, end;

    memset(stored, 0, sizeof *stored);
    record->failed |= get_u8(record) != SESSION_VERSION;
    flags = get_u8(record);
    session->scope_given = (flags & FLAG_SCOPE) != 0;
    session->has_alias = (flags & FLAG_ALIAS) != 0;
    session->has_derived_aliases = (flags & FLAG_DERIVED) != 0;
    session->client_proved = (flags & FLAG_PROVED) != 0;
    end = get_u8(record);
    session->end = (enum session_end)(end & END_BITS);
    session->pending = (enum session_pending)((end & PENDING_BITS) >> PENDING_SHIFT);
    record->failed |=
        (int)session->end >= SESSION_ENDS || session->pending > SESSION_PENDING_DEVICE;
    session->account = get_varint(record);
    session->epoch = get_varint32(record);
    stored->swept = get_varint32(record);
    session->generation = get_u32(record);
    session->created_ms = time_in_key(record);
    if ((end & CREATED_APART) != 0) {
        int64_t created_ms = get_time48(record);

        record->failed |= created_ms == session->created_ms;
        session->created_ms = created_ms;
    }
    session->rotated_ms = get_time48(record);
    session->used_ms = get_time48(record);
    session->expires_ms = get_time48(record);
    stored->entry_ms = get_time48(record);
    session->outdated = get_u32(record);
    session->watched = get_u32(record);
    session->watched_ms = get_time48(record);
    get_into(record, session->network, sizeof session->network);
    get_spent(record, session);
    if (session->end != SESSION_LIVE) {
        session->ended_ms = get_time48(record);
    }
    if ((end & KEPT) != 0) {
        session->kept_until_ms = get_time48(record);
        record->failed |= session->kept_until_ms == 0;
    }
    if ((end & SECRET) != 0) {
        session->secret = (uint8_t)get_u8(record);
        record->failed |= session->secret == 0;
    }
    get_extras(record, session, flags);
    get_short_text(record, session->realm, sizeof session->realm);
    get_short_text(record, session->client, sizeof session->client);
    if (session->client[0] != '\0') {
        session->client_number = get_varint(record);
    }
    get_long_text(record, session->scope, sizeof session->scope);
    if (!record->failed && record->at < record->size) {
        get_long_text(record, session->targets, sizeof session->targets);
        record->failed |= session->targets[0] == '\0';
    }
    record->failed |= flags_of(session) != flags;
    return ended(record);
}
