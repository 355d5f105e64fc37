/* record.c: the layouts. Integers are big-endian, times are milliseconds since 1970, texts carry
 * their size. Every value starts with its layout's version.
 * Knows bytes; does not know which table a record is in beyond its MAC. */
#include "store/record.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"

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

static const uint8_t *get_bytes(struct record *record, size_t size)
{
    static const uint8_t nothing[SESSION_HASH_SIZE];
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

static void get_text(struct record *record, char *field, size_t room)
{
    size_t size = get_u16(record);

    field[0] = '\0';
    if (size >= room || size > record->size - record->at) {
        record->failed = true;
    } else if (!record->failed) {
        memcpy(field, get_bytes(record, size), size);
        field[size] = '\0';
        record->failed = memchr(field, '\0', size) != NULL; /* put_text never writes one */
    }
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
 *     01                         version
 *     05                         flags: 01 scope given, 02 alias, 04 derived aliases
 *     00                         end
 *     00                         (zero)
 *     0000000000000007           account
 *     0000002a                   generation
 *     00000000                   derived aliases below this generation are removed
 *     0000019a9f2c3b00           created
 *     0000019a9f2d0a11           rotated
 *     0000019a9f2d0a11           used
 *     0000019aa4523b00           expires, 0 = never
 *     0000000000000000           ended, 0 = live
 *     0000019a9f2d0a13           written
 *     0000019aa9783b00           time of its entry in the ends table, 0 = none
 *     (32 bytes)                 the stored alias, only with flag 02
 *     000c 2f6f617574682f746f6b656e   realm "/oauth/token"
 *     0003 776562                client "web"
 *     0006 6f70656e6964          scope "openid"
 *     (16 bytes)                 MAC
 *
 * Nothing that a rotation changes has a size, so a rotation rewrites it in place. */

enum { FLAG_SCOPE = 1, FLAG_ALIAS = 2, FLAG_DERIVED = 4, FLAGS_ALL = 7 };

void record_put_session(struct record *record, const struct record_session *stored)
{
    const struct session *session = &stored->session;

    put_version(record);
    put_u8(record, (session->scope_given ? (unsigned)FLAG_SCOPE : 0) |
                       (session->has_alias ? (unsigned)FLAG_ALIAS : 0) |
                       (session->has_derived_aliases ? (unsigned)FLAG_DERIVED : 0));
    put_u8(record, session->end);
    put_u8(record, 0);
    put_u64(record, session->account);
    put_u32(record, session->generation);
    put_u32(record, stored->swept);
    put_time(record, session->created_ms);
    put_time(record, session->rotated_ms);
    put_time(record, session->used_ms);
    put_time(record, session->expires_ms);
    put_time(record, session->ended_ms);
    put_time(record, session->written_ms);
    put_time(record, stored->entry_ms);
    if (session->has_alias) {
        put_bytes(record, session->alias, sizeof(session->alias));
    }
    put_text(record, session->realm, sizeof(session->realm));
    put_text(record, session->client, sizeof(session->client));
    put_text(record, session->scope, sizeof(session->scope));
}

bool record_get_session(struct record *record, struct record_session *stored)
{
    struct session *session = &stored->session;
    unsigned flags;

    memset(stored, 0, sizeof(*stored));
    get_version(record);
    flags = get_choice(record, FLAGS_ALL);
    session->scope_given = (flags & FLAG_SCOPE) != 0;
    session->has_alias = (flags & FLAG_ALIAS) != 0;
    session->has_derived_aliases = (flags & FLAG_DERIVED) != 0;
    session->end = (enum session_end)get_choice(record, SESSION_ENDED_CLIENT);
    get_choice(record, 0);
    session->account = get_u64(record);
    session->generation = get_u32(record);
    stored->swept = get_u32(record);
    session->created_ms = get_time(record);
    session->rotated_ms = get_time(record);
    session->used_ms = get_time(record);
    session->expires_ms = get_time(record);
    session->ended_ms = get_time(record);
    session->written_ms = get_time(record);
    stored->entry_ms = get_time(record);
    if (session->has_alias) {
        memcpy(session->alias, get_bytes(record, sizeof(session->alias)), sizeof(session->alias));
    }
    get_text(record, session->realm, sizeof(session->realm));
    get_text(record, session->client, sizeof(session->client));
    get_text(record, session->scope, sizeof(session->scope));
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
 *     01                         version
 *     01                         enabled
 *     0000019a9f2c3b00           created
 *     0003 616461                name "ada"
 *     0000                       subject
 *     0005 61646d696e            roles "admin"
 *     0000                       claims
 *     001f 24792424…             password, a crypt(5) string
 *     (16 bytes)                 MAC */

void record_put_account(struct record *record, const struct account *account)
{
    put_version(record);
    put_u8(record, account->enabled ? 1 : 0);
    put_time(record, account->created_ms);
    put_text(record, account->name, sizeof(account->name));
    put_text(record, account->subject, sizeof(account->subject));
    put_text(record, account->roles, sizeof(account->roles));
    put_text(record, account->claims, sizeof(account->claims));
    put_text(record, account->password, sizeof(account->password));
}

bool record_get_account(struct record *record, struct account *account)
{
    memset(account, 0, sizeof(*account));
    get_version(record);
    account->enabled = get_choice(record, 1) == 1;
    account->created_ms = get_time(record);
    get_text(record, account->name, sizeof(account->name));
    get_text(record, account->subject, sizeof(account->subject));
    get_text(record, account->roles, sizeof(account->roles));
    get_text(record, account->claims, sizeof(account->claims));
    get_text(record, account->password, sizeof(account->password));
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
 *     01                         version
 *     01                         enabled
 *     0000019a9f2c3b00           created
 *     0045 68323a…               secret's hash
 *     0006 6f70656e6964          scope
 *     0000                       public key, PEM
 *     0000                       its algorithm
 *     (16 bytes)                 MAC */

void record_put_client(struct record *record, const struct client *client)
{
    put_version(record);
    put_u8(record, client->enabled ? 1 : 0);
    put_time(record, client->created_ms);
    put_text(record, client->secret, sizeof(client->secret));
    put_text(record, client->scope, sizeof(client->scope));
    put_text(record, client->key, sizeof(client->key));
    put_text(record, client->key_algorithm, sizeof(client->key_algorithm));
}

bool record_get_client(struct record *record, struct client *client)
{
    memset(client, 0, sizeof(*client));
    get_version(record);
    client->enabled = get_choice(record, 1) == 1;
    client->created_ms = get_time(record);
    get_text(record, client->secret, sizeof(client->secret));
    get_text(record, client->scope, sizeof(client->scope));
    get_text(record, client->key, sizeof(client->key));
    get_text(record, client->key_algorithm, sizeof(client->key_algorithm));
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
