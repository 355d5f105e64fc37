/* record.c: the layouts. Integers are big-endian, times are milliseconds since 1970, texts carry
 * their size. Every value starts with its layout's version.
 * Knows bytes; does not know which table a record is in beyond its MAC. */
#include "store/record.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"

/* A layout that changes gets a new version. */
enum { SESSION_VERSION = 2, ACCOUNT_VERSION = 2, CLIENT_VERSION = 2 };

/* ---- the MAC ---- */

void record_start(struct record *record, enum engine_table table, struct engine_bytes key)
{
    record->failed = key.size > ENGINE_KEY_MAX;
    record->prefix = 2;
    if (!record->failed) {
        record->bytes[0] = (uint8_t)table;
        record->bytes[1] = (uint8_t)key.size;
        memcpy(record->bytes + 2, key.data, key.size);
        record->prefix += key.size;
    }
    record->size = record->prefix;
    record->at = record->prefix;
}

bool record_seal(struct record *record, const struct crypto_mac *mac, struct engine_bytes *stored)
{
    uint8_t full[CRYPTO_HASH_SIZE];

    if (record->failed || record->size + RECORD_MAC_SIZE > sizeof(record->bytes) ||
        !crypto_mac_compute(mac, record->bytes, record->size, full)) {
        return false;
    }
    memcpy(record->bytes + record->size, full, RECORD_MAC_SIZE);
    record->size += RECORD_MAC_SIZE;
    *stored = (struct engine_bytes){record->bytes + record->prefix, record->size - record->prefix};
    return true;
}

bool record_open(struct record *record, const struct crypto_mac *mac, struct engine_bytes stored)
{
    uint8_t full[CRYPTO_HASH_SIZE];

    if (record->failed || stored.size < RECORD_MAC_SIZE || stored.size > RECORD_SIZE_MAX) {
        return false;
    }
    /* A copy first: the map behind `stored` is shared memory, and the MAC wants one run. */
    memcpy(record->bytes + record->prefix, stored.data, stored.size);
    record->size = record->prefix + stored.size - RECORD_MAC_SIZE;
    return crypto_mac_compute(mac, record->bytes, record->size, full) &&
           secret_equal(full, record->bytes + record->size, RECORD_MAC_SIZE);
}

/* ---- pieces: write or read many times, check once ---- */

static void put_bytes(struct record *record, const void *data, size_t size)
{
    if (record->failed || size > sizeof(record->bytes) - RECORD_MAC_SIZE - record->size) {
        record->failed = true;
        return;
    }
    memcpy(record->bytes + record->size, data, size);
    record->size += size;
}

static void put_u8(struct record *record, unsigned value)
{
    uint8_t byte = (uint8_t)value;

    put_bytes(record, &byte, 1);
}

static void put_u16(struct record *record, size_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    put_bytes(record, bytes, sizeof(bytes));
}

static void put_u32(struct record *record, uint32_t value)
{
    uint8_t bytes[4];

    codec_put_u32(bytes, value);
    put_bytes(record, bytes, sizeof(bytes));
}

static void put_u64(struct record *record, uint64_t value)
{
    uint8_t bytes[8];

    codec_put_u64(bytes, value);
    put_bytes(record, bytes, sizeof(bytes));
}

static void put_time(struct record *record, int64_t ms)
{
    put_u64(record, (uint64_t)ms);
}

/* Milliseconds since 1970 in 48 bits, as sessions have them: until the year 10889, and what is
 * later counts as that. */
static void put_time48(struct record *record, int64_t ms)
{
    uint8_t bytes[8];

    record->failed |= ms < 0;
    codec_put_u64(bytes, ms > RECORD_TIME_MAX ? (uint64_t)RECORD_TIME_MAX : (uint64_t)ms);
    put_bytes(record, bytes + 2, 6);
}

/* How long before `latest` something was, in 32 bits: bit 31 says that it was after it (a clock was
 * set), bit 30 that the rest is in seconds and not in milliseconds. All ones: not known, which a
 * time of 0 says too. */
static const uint32_t ago_after = UINT32_C(1) << 31, ago_seconds = UINT32_C(1) << 30;
static const uint32_t ago_most = (UINT32_C(1) << 30) - 2, ago_unknown = UINT32_MAX;

static void put_ago(struct record *record, int64_t latest_ms, int64_t ms)
{
    bool after = ms > latest_ms;
    int64_t ago = after ? ms - latest_ms : latest_ms - ms;
    bool seconds = ago > ago_most;

    if (latest_ms == 0 || ms == 0) {
        put_u32(record, ago_unknown);
        return;
    }
    ago = seconds ? ago / 1000 : ago;
    put_u32(record, (after ? ago_after : 0) | (seconds ? ago_seconds : 0) |
                        (ago > ago_most ? ago_most : (uint32_t)ago));
}

/* A field of `room` bytes that must end inside them. */
static void put_text(struct record *record, const char *field, size_t room)
{
    size_t size = strnlen(field, room);

    if (size == room) {
        record->failed = true;
        return;
    }
    put_u16(record, size);
    put_bytes(record, field, size);
}

/* The same for fields of at most 255 bytes. */
static void put_short_text(struct record *record, const char *field, size_t room)
{
    size_t size = strnlen(field, room);

    if (size == room || size > UINT8_MAX) {
        record->failed = true;
        return;
    }
    put_u8(record, (unsigned)size);
    put_bytes(record, field, size);
}

static const uint8_t *get_bytes(struct record *record, size_t size)
{
    static const uint8_t nothing[SESSION_KEY_SIZE];
    const uint8_t *at = record->bytes + record->at;

    if (record->failed || size > record->size - record->at) {
        record->failed = true;
        return nothing;
    }
    record->at += size;
    return at;
}

static unsigned get_u8(struct record *record)
{
    return get_bytes(record, 1)[0];
}

static size_t get_u16(struct record *record)
{
    const uint8_t *at = get_bytes(record, 2);

    return (size_t)at[0] << 8 | at[1];
}

static uint32_t get_u32(struct record *record)
{
    return codec_get_u32(get_bytes(record, 4));
}

static uint64_t get_u64(struct record *record)
{
    return codec_get_u64(get_bytes(record, 8));
}

static int64_t get_time(struct record *record)
{
    return (int64_t)get_u64(record);
}

static int64_t get_time48(struct record *record)
{
    const uint8_t *at = get_bytes(record, 6);

    return (int64_t)((uint64_t)at[0] << 40 | (uint64_t)at[1] << 32 | codec_get_u32(at + 2));
}

/* 0 = not known. */
static int64_t get_ago(struct record *record, int64_t latest_ms)
{
    uint32_t value = get_u32(record);
    int64_t units = value & (ago_seconds - 1);
    int64_t ago = (value & ago_seconds) != 0 ? units * 1000 : units;
    int64_t ms = (value & ago_after) != 0 ? latest_ms + ago : latest_ms - ago;

    if (value == ago_unknown) {
        return 0;
    }
    /* each time has one spelling */
    record->failed |= latest_ms == 0 || ms <= 0 || units > ago_most ||
                      ((value & ago_after) != 0 && ago == 0) ||
                      ((value & ago_seconds) != 0 && ago <= ago_most);
    return ms;
}

static void get_into(struct record *record, uint8_t *field, size_t size)
{
    memcpy(field, get_bytes(record, size), size);
}

static void get_text_of(struct record *record, size_t size, char *field, size_t room)
{
    field[0] = '\0';
    if (size >= room || size > record->size - record->at) {
        record->failed = true;
    } else if (!record->failed) {
        memcpy(field, get_bytes(record, size), size);
        field[size] = '\0';
        record->failed = memchr(field, '\0', size) != NULL; /* put_text never writes one */
    }
}

static void get_text(struct record *record, char *field, size_t room)
{
    size_t size = get_u16(record);

    get_text_of(record, size, field, room);
}

static void get_short_text(struct record *record, char *field, size_t room)
{
    size_t size = get_u8(record);

    get_text_of(record, size, field, room);
}

/* An enumerator from 0 to `last`. */
static unsigned get_choice(struct record *record, unsigned last)
{
    unsigned value = get_u8(record);

    if (value > last) {
        record->failed = true;
        return 0;
    }
    return value;
}

static void put_version(struct record *record)
{
    put_u8(record, 1);
}

static void get_version(struct record *record)
{
    if (get_u8(record) != 1) {
        record->failed = true;
    }
}

/* Read to the last byte and nothing was wrong on the way. */
static bool ended(const struct record *record)
{
    return !record->failed && record->at == record->size;
}

/* ---- session: key = id (16) ----
 *
 *     02                         version
 *     0005                       flags, as below
 *     00                         end
 *     0000000000000007           account
 *     00000000                   its epoch
 *     0000002a                   generation
 *     00000000                   derived aliases below this generation are removed
 *     019a9f2c3b00               created
 *     019a9f2d0a11               rotated
 *     019a9f2d0a11               used
 *     019aa4523b00               expires, 0 = never
 *     000000000000               ended, 0 = live
 *     019aa9783b00               time of its entry in the ends table, 0 = none
 *     8f0c66d21b5e9a03           boot id, 0 = not known
 *     019a9f2d0a13 00000c350a13  generation 41 spent: wall clock, time since boot; 0 = not known
 *     0000ea60 0000ea60          generation 40 spent: so much earlier, by both clocks (put_ago)
 *     00000bb8 ffffffff          generation 39: as much before that of 41; ffffffff = not known
 *     …                          down to generation 34
 *     (32 bytes)                 the stored alias, only with flag 0002
 *     01 (64 bytes)              key's kind and public key, only with flag 0010
 *     (32 bytes)                 hashes of address and user agent, only with flag 0020
 *     05 70686f6e65              device "phone", only with flag 0040
 *     01 03 019a9f2c4b00         events: how many, then kind and time; only with flag 0080
 *     0c 2f6f617574682f746f6b656e     realm "/oauth/token"
 *     03 776562                  client "web"
 *     0006 6f70656e6964          scope "openid"
 *     (16 bytes)                 MAC
 *
 * Nothing that a rotation changes varies in size, so a rotation rewrites the record in place. */

enum {
    FLAG_SCOPE = 0x01, /* a scope was granted */
    FLAG_ALIAS = 0x02,
    FLAG_DERIVED = 0x04, /* it has derived aliases */
    FLAG_PROVED = 0x08,  /* its client proved itself when it began */
    FLAG_KEY = 0x10,
    FLAG_ORIGIN = 0x20,
    FLAG_DEVICE = 0x40,
    FLAG_EVENTS = 0x80
};

static bool has_origin(const struct session *session)
{
    static const uint8_t none[SESSION_ORIGIN_SIZE];

    return memcmp(session->address, none, sizeof none) != 0 ||
           memcmp(session->user_agent, none, sizeof none) != 0;
}

static unsigned flags_of(const struct session *session)
{
    return (session->scope_given ? (unsigned)FLAG_SCOPE : 0) |
           (session->has_alias ? (unsigned)FLAG_ALIAS : 0) |
           (session->has_derived_aliases ? (unsigned)FLAG_DERIVED : 0) |
           (session->client_proved ? (unsigned)FLAG_PROVED : 0) |
           (session->key_kind != SESSION_KEY_NONE ? (unsigned)FLAG_KEY : 0) |
           (has_origin(session) ? (unsigned)FLAG_ORIGIN : 0) |
           (session->device[0] != '\0' ? (unsigned)FLAG_DEVICE : 0) |
           (session->event_count > 0 ? (unsigned)FLAG_EVENTS : 0);
}

static void put_spent(struct record *record, const struct session *session)
{
    const struct session_spent *latest = &session->spent[0];

    put_u64(record, session->boot);
    put_time48(record, latest->wall_ms);
    put_time48(record, latest->boot_ms);
    for (size_t i = 1; i < SESSION_SPENT_KEPT; i++) {
        put_ago(record, latest->wall_ms, session->spent[i].wall_ms);
        put_ago(record, latest->boot_ms, session->spent[i].boot_ms);
    }
}

static void get_spent(struct record *record, struct session *session)
{
    struct session_spent *latest = &session->spent[0];

    session->boot = get_u64(record);
    latest->wall_ms = get_time48(record);
    latest->boot_ms = get_time48(record);
    for (size_t i = 1; i < SESSION_SPENT_KEPT; i++) {
        session->spent[i].wall_ms = get_ago(record, latest->wall_ms);
        session->spent[i].boot_ms = get_ago(record, latest->boot_ms);
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
    if ((flags & FLAG_ORIGIN) != 0) {
        put_bytes(record, session->address, sizeof session->address);
        put_bytes(record, session->user_agent, sizeof session->user_agent);
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
        session->key_kind = (enum session_key_kind)get_choice(record, SESSION_KEY_BROWSER);
        get_into(record, session->key, sizeof session->key);
    }
    if ((flags & FLAG_ORIGIN) != 0) {
        get_into(record, session->address, sizeof session->address);
        get_into(record, session->user_agent, sizeof session->user_agent);
    }
    if ((flags & FLAG_DEVICE) != 0) {
        get_short_text(record, session->device, sizeof session->device);
    }
    if ((flags & FLAG_EVENTS) != 0) {
        get_events(record, session);
    }
}

void record_put_session(struct record *record, const struct record_session *stored)
{
    const struct session *session = &stored->session;
    unsigned flags = flags_of(session);

    put_u8(record, SESSION_VERSION);
    put_u16(record, flags);
    put_u8(record, session->end);
    put_u64(record, session->account);
    put_u32(record, session->epoch);
    put_u32(record, session->generation);
    put_u32(record, stored->swept);
    put_time48(record, session->created_ms);
    put_time48(record, session->rotated_ms);
    put_time48(record, session->used_ms);
    put_time48(record, session->expires_ms);
    put_time48(record, session->ended_ms);
    put_time48(record, stored->entry_ms);
    put_spent(record, session);
    put_extras(record, session, flags);
    put_short_text(record, session->realm, sizeof session->realm);
    put_short_text(record, session->client, sizeof session->client);
    put_text(record, session->scope, sizeof session->scope);
}

bool record_get_session(struct record *record, struct record_session *stored)
{
    struct session *session = &stored->session;
    size_t flags;

    memset(stored, 0, sizeof *stored);
    record->failed |= get_u8(record) != SESSION_VERSION;
    flags = get_u16(record);
    session->scope_given = (flags & FLAG_SCOPE) != 0;
    session->has_alias = (flags & FLAG_ALIAS) != 0;
    session->has_derived_aliases = (flags & FLAG_DERIVED) != 0;
    session->client_proved = (flags & FLAG_PROVED) != 0;
    session->end = (enum session_end)get_choice(record, SESSION_ENDED_CLIENT);
    session->account = get_u64(record);
    session->epoch = get_u32(record);
    session->generation = get_u32(record);
    stored->swept = get_u32(record);
    session->created_ms = get_time48(record);
    session->rotated_ms = get_time48(record);
    session->used_ms = get_time48(record);
    session->expires_ms = get_time48(record);
    session->ended_ms = get_time48(record);
    stored->entry_ms = get_time48(record);
    get_spent(record, session);
    get_extras(record, session, (unsigned)flags);
    get_short_text(record, session->realm, sizeof session->realm);
    get_short_text(record, session->client, sizeof session->client);
    get_text(record, session->scope, sizeof session->scope);
    record->failed |= flags_of(session) != flags;
    return ended(record);
}

/* ---- alias: key = SHA-256 of the token (32) ----
 *
 *     0190a5b0c3d47e8f9a1b2c3d4e5f6071   session id
 *     0000002a                   generation
 *     (16 bytes)                 MAC
 *
 * Without a version: a UUID mount writes one per refresh, and there is nothing to add. */

void record_put_alias(struct record *record, const struct record_alias *alias)
{
    put_bytes(record, alias->id, sizeof(alias->id));
    put_u32(record, alias->generation);
}

bool record_get_alias(struct record *record, struct record_alias *alias)
{
    memcpy(alias->id, get_bytes(record, sizeof(alias->id)), sizeof(alias->id));
    alias->generation = get_u32(record);
    return ended(record);
}

/* ---- account: key = number (8) ----
 *
 *     02                         version
 *     01                         flags: 01 enabled, 02 sessions outlive a change of the password
 *     0000019a9f2c3b00           created
 *     00000000                   epoch
 *     00000000                   most live sessions, 0 = any number
 *     0003 616461                name "ada"
 *     0000                       subject
 *     0005 61646d696e            roles "admin"
 *     0000                       claims
 *     001f 24792424…             password, a crypt(5) string
 *     (16 bytes)                 MAC */

void record_put_account(struct record *record, const struct account *account)
{
    put_u8(record, ACCOUNT_VERSION);
    put_u8(record, (account->enabled ? 1U : 0) | (account->keep_on_password_change ? 2U : 0));
    put_time(record, account->created_ms);
    put_u32(record, account->epoch);
    put_u32(record, account->session_limit);
    put_text(record, account->name, sizeof account->name);
    put_text(record, account->subject, sizeof account->subject);
    put_text(record, account->roles, sizeof account->roles);
    put_text(record, account->claims, sizeof account->claims);
    put_text(record, account->password, sizeof account->password);
}

bool record_get_account(struct record *record, struct account *account)
{
    unsigned flags;

    record->failed |= get_u8(record) != ACCOUNT_VERSION;
    flags = get_choice(record, 3);
    account->enabled = (flags & 1) != 0;
    account->keep_on_password_change = (flags & 2) != 0;
    account->created_ms = get_time(record);
    account->epoch = get_u32(record);
    account->session_limit = get_u32(record);
    get_text(record, account->name, sizeof account->name);
    get_text(record, account->subject, sizeof account->subject);
    get_text(record, account->roles, sizeof account->roles);
    get_text(record, account->claims, sizeof account->claims);
    get_text(record, account->password, sizeof account->password);
    return ended(record);
}

/* ---- number of an account: key = its name ----
 *
 *     0000000000000007           number
 *     (16 bytes)                 MAC */

void record_put_number(struct record *record, uint64_t number)
{
    put_u64(record, number);
}

bool record_get_number(struct record *record, uint64_t *number)
{
    *number = get_u64(record);
    return ended(record);
}

/* ---- client: key = id ----
 *
 *     02                         version
 *     01                         enabled
 *     0000019a9f2c3b00           created
 *     0000000000000000           last used, 0 = never
 *     00000000                   grants, 0 = as the realm says
 *     0045 68323a…               first secret's hash
 *     0000000000000000           accepted from
 *     0000000000000000           and before this, 0 = without end
 *     0000 …                     second secret, the same way
 *     00000000                   what is overridden; only when that is not 0:
 *         01 00 00000001 00      rotate, report only, recovery generations, evidence
 *         (5 times 8 bytes)      concurrency and recovery window, idle, absolute, access lifetime
 *     0000                       redirect URIs
 *     0000                       origins
 *     0000                       keys, a JWK Set
 *     0006 6f70656e6964          scope
 *     0000                       public key, PEM
 *     0000                       its algorithm
 *     (16 bytes)                 MAC */

static void put_override(struct record *record, const struct policy_override *override)
{
    put_u32(record, override->set);
    if (override->set == 0) {
        return;
    }
    put_u8(record, override->rotate ? 1 : 0);
    put_u8(record, override->report_only ? 1 : 0);
    put_u32(record, override->recovery_generations);
    put_u8(record, override->recovery_evidence);
    put_time(record, override->concurrency_window_ms);
    put_time(record, override->recovery_window_ms);
    put_time(record, override->idle_lifetime_ms);
    put_time(record, override->absolute_lifetime_ms);
    put_time(record, override->access_lifetime_ms);
}

static void get_override(struct record *record, struct policy_override *override)
{
    memset(override, 0, sizeof *override);
    override->set = get_u32(record);
    if (override->set == 0) {
        return;
    }
    override->rotate = get_choice(record, 1) == 1;
    override->report_only = get_choice(record, 1) == 1;
    override->recovery_generations = get_u32(record);
    override->recovery_evidence =
        (enum recovery_evidence)get_choice(record, RECOVERY_EVIDENCE_NONE);
    override->concurrency_window_ms = get_time(record);
    override->recovery_window_ms = get_time(record);
    override->idle_lifetime_ms = get_time(record);
    override->absolute_lifetime_ms = get_time(record);
    override->access_lifetime_ms = get_time(record);
}

void record_put_client(struct record *record, const struct client *client)
{
    put_u8(record, CLIENT_VERSION);
    put_u8(record, client->enabled ? 1 : 0);
    put_time(record, client->created_ms);
    put_time(record, client->used_ms);
    put_u32(record, client->grants);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        put_text(record, client->secrets[i].hash, sizeof client->secrets[i].hash);
        put_time(record, client->secrets[i].from_ms);
        put_time(record, client->secrets[i].until_ms);
    }
    put_override(record, &client->override);
    put_text(record, client->redirect_uris, sizeof client->redirect_uris);
    put_text(record, client->origins, sizeof client->origins);
    put_text(record, client->keys, sizeof client->keys);
    put_text(record, client->scope, sizeof client->scope);
    put_text(record, client->key, sizeof client->key);
    put_text(record, client->key_algorithm, sizeof client->key_algorithm);
}

/* Sets every field, and of a text no more than its bytes: a client is large, and is read by every
 * refresh that names one. */
bool record_get_client(struct record *record, struct client *client)
{
    record->failed |= get_u8(record) != CLIENT_VERSION;
    client->enabled = get_choice(record, 1) == 1;
    client->created_ms = get_time(record);
    client->used_ms = get_time(record);
    client->grants = get_u32(record);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        get_text(record, client->secrets[i].hash, sizeof client->secrets[i].hash);
        client->secrets[i].from_ms = get_time(record);
        client->secrets[i].until_ms = get_time(record);
    }
    get_override(record, &client->override);
    get_text(record, client->redirect_uris, sizeof client->redirect_uris);
    get_text(record, client->origins, sizeof client->origins);
    get_text(record, client->keys, sizeof client->keys);
    get_text(record, client->scope, sizeof client->scope);
    get_text(record, client->key, sizeof client->key);
    get_text(record, client->key_algorithm, sizeof client->key_algorithm);
    return ended(record);
}

/* ---- signing key: key = number (4) ----
 *
 *     01                         version
 *     01                         algorithm, enum signing_algorithm
 *     02                         state, enum signing_state
 *     0000019a9f2c3b00           created
 *     0009 323032352d31312d61    kid
 *     0000                       realm, "" = all
 *     04d8 (1240 bytes)          private key, sealed
 *     (16 bytes)                 MAC */

void record_put_key(struct record *record, const struct signing_row *row)
{
    put_version(record);
    put_u8(record, row->algorithm);
    put_u8(record, row->state);
    put_time(record, row->created_ms);
    put_text(record, row->kid, sizeof(row->kid));
    put_text(record, row->realm, sizeof(row->realm));
    if (row->sealed_size > sizeof(row->sealed)) {
        record->failed = true;
        return;
    }
    put_u16(record, row->sealed_size);
    put_bytes(record, row->sealed, row->sealed_size);
}

bool record_get_key(struct record *record, struct signing_row *row)
{
    memset(row, 0, sizeof(*row));
    get_version(record);
    row->algorithm = (enum signing_algorithm)get_choice(record, SIGNING_ALGORITHMS - 1);
    row->state = (enum signing_state)get_choice(record, SIGNING_RETIRED);
    row->created_ms = get_time(record);
    get_text(record, row->kid, sizeof(row->kid));
    get_text(record, row->realm, sizeof(row->realm));
    row->sealed_size = (uint16_t)get_u16(record);
    if (row->sealed_size > sizeof(row->sealed) || row->state == 0) {
        record->failed = true;
    } else if (row->sealed_size <= record->size - record->at) {
        memcpy(row->sealed, get_bytes(record, row->sealed_size), row->sealed_size);
    } else {
        record->failed = true;
    }
    return ended(record);
}

/* ---- event: key = number (8), ascending ----
 *
 *     01                         version
 *     00                         kind, enum event_kind
 *     0000019a9f2c3b00           when
 *     0190a5b0c3d47e8f9a1b2c3d4e5f6071   session, zero = none
 *     0000000000000007           account, 0 = none
 *     00000029                   generation presented
 *     000c 2f6f617574682f746f6b656e   realm
 *     0003 776562                client
 *     0000                       note
 *     (16 bytes)                 MAC */

void record_put_event(struct record *record, const struct event *event)
{
    put_version(record);
    put_u8(record, event->kind);
    put_time(record, event->at_ms);
    put_bytes(record, event->session, sizeof(event->session));
    put_u64(record, event->account);
    put_u32(record, event->generation);
    put_text(record, event->realm, sizeof(event->realm));
    put_text(record, event->client, sizeof(event->client));
    put_text(record, event->note, sizeof(event->note));
}

bool record_get_event(struct record *record, struct event *event)
{
    memset(event, 0, sizeof(*event));
    get_version(record);
    event->kind = (enum event_kind)get_choice(record, EVENT_KINDS - 1);
    event->at_ms = get_time(record);
    memcpy(event->session, get_bytes(record, sizeof(event->session)), sizeof(event->session));
    event->account = get_u64(record);
    event->generation = get_u32(record);
    get_text(record, event->realm, sizeof(event->realm));
    get_text(record, event->client, sizeof(event->client));
    get_text(record, event->note, sizeof(event->note));
    return ended(record);
}

/* ---- counters: table meta, key "counters" ----
 *
 *     01                         version
 *     0000000000000008           next account number
 *     0000000000000001           next event number
 *     0000000000000003           keyring version
 *     00000002                   next key number
 *     (16 bytes)                 MAC */

void record_put_counters(struct record *record, const struct record_counters *counters)
{
    put_version(record);
    put_u64(record, counters->next_account);
    put_u64(record, counters->next_event);
    put_u64(record, counters->keyring_version);
    put_u32(record, counters->next_key);
}

bool record_get_counters(struct record *record, struct record_counters *counters)
{
    get_version(record);
    counters->next_account = get_u64(record);
    counters->next_event = get_u64(record);
    counters->keyring_version = get_u64(record);
    counters->next_key = get_u32(record);
    return ended(record);
}

/* ---- format: table meta, key "format" ----
 *
 *     7265746f6b656e0a           "retoken\n"
 *     00000001                   format version of the whole store
 *     (16 bytes)                 store id, random
 *     0000019a9f2c3b00           created, 0 = not told
 *     (16 bytes)                 proof of the record key */

static const uint8_t format_magic[8] = {'r', 'e', 't', 'o', 'k', 'e', 'n', '\n'};

void record_format_encode(const struct record_format *format, uint8_t out[RECORD_FORMAT_SIZE])
{
    memcpy(out, format_magic, 8);
    codec_put_u32(out + 8, format->version);
    memcpy(out + 12, format->store_id, RECORD_STORE_ID_SIZE);
    codec_put_u64(out + 28, (uint64_t)format->created_ms);
    memcpy(out + 36, format->proof, RECORD_MAC_SIZE);
}

bool record_format_decode(struct engine_bytes stored, struct record_format *format)
{
    const uint8_t *bytes = stored.data;

    if (stored.size != RECORD_FORMAT_SIZE || memcmp(bytes, format_magic, 8) != 0) {
        return false;
    }
    format->version = codec_get_u32(bytes + 8);
    memcpy(format->store_id, bytes + 12, RECORD_STORE_ID_SIZE);
    format->created_ms = (int64_t)codec_get_u64(bytes + 28);
    memcpy(format->proof, bytes + 36, RECORD_MAC_SIZE);
    return true;
}
