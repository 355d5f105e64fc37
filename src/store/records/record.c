/* SPDX-License-Identifier: ISC */
/* record.c: the MAC of records, and the layouts of all but sessions. Every value starts with its
 * layout's version. Knows bytes; does not know which table a record is in beyond its MAC. */
#include "store/records/record.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "store/records/record_pieces.h"

/* A layout that changes gets a new version. */
enum {
    ACCOUNT_VERSION = 2,
    CLIENT_VERSION = 2,
    KEY_VERSION = 2,
    OTHER_VERSION = 1,
    LINK_VERSION = 255
};

/* ---- the MAC ---- */

void record_start(struct record *record, enum table table, struct txn_bytes key)
{
    record->failed = key.size > TABLE_KEY_MAX;
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

bool record_seal(struct record *record, const struct crypto_mac *mac, struct txn_bytes *stored)
{
    uint8_t full[CRYPTO_HASH_SIZE];

    if (record->failed || record->size + RECORD_MAC_SIZE > record->room ||
        !crypto_mac_compute(mac, record->bytes, record->size, full)) {
        return false;
    }
    memcpy(record->bytes + record->size, full, RECORD_MAC_SIZE);
    record->size += RECORD_MAC_SIZE;
    *stored = (struct txn_bytes){record->bytes + record->prefix, record->size - record->prefix};
    return true;
}

bool record_open(struct record *record, const struct crypto_mac *mac, struct txn_bytes stored)
{
    uint8_t full[CRYPTO_HASH_SIZE];

    if (record->failed || stored.size < RECORD_MAC_SIZE ||
        stored.size > record->room - RECORD_PREFIX_MAX) {
        return false;
    }
    /* A copy first: the map behind `stored` is shared memory, and the MAC wants one run. */
    memcpy(record->bytes + record->prefix, stored.data, stored.size);
    record->size = record->prefix + stored.size - RECORD_MAC_SIZE;
    return crypto_mac_compute(mac, record->bytes, record->size, full) &&
           secret_equal(full, record->bytes + record->size, RECORD_MAC_SIZE);
}

/* ---- alias: key = keyed hash of the token (32) ----
 *
 *     0190a5b0c3d47e8f9a1b2c3d4e5f6071   session id
 *     0000002a                   generation
 *     (16 bytes)                 MAC
 *
 * Without a version: a UUID mount writes one per refresh, and there is nothing to add. */

void record_put_alias(struct record *record, const struct record_alias *alias)
{
    put_bytes(record, alias->id, sizeof alias->id);
    put_u32(record, alias->generation);
}

bool record_get_alias(struct record *record, struct record_alias *alias)
{
    memcpy(alias->id, get_bytes(record, sizeof alias->id), sizeof alias->id);
    alias->generation = get_u32(record);
    return ended(record);
}

/* ---- account: key = number (8) ----
 *
 *     02                         version
 *     01                         flags: 01 enabled, 02 sessions outlive a change of the password,
 *                                04 rehashed
 *     0000019a9f2c3b00           created
 *     0000000000000000           last login, 0 = never
 *     00000000                   epoch
 *     00000000                   most live sessions, 0 = any number
 *     0003 616461                name "ada"
 *     0000                       subject
 *     0005 61646d696e            roles "admin"
 *     0000                       claims
 *     001f 24792424…             password, a crypt(5) string
 *     (32 bytes)                 SHA-256 of the hash it was made from; only when rehashed
 *     (16 bytes)                 MAC */

void record_put_account(struct record *record, const struct account *account)
{
    bool rehashed = account_is_rehashed(account);

    put_u8(record, ACCOUNT_VERSION);
    put_u8(record, (account->enabled ? 1U : 0) | (account->keep_on_password_change ? 2U : 0) |
                       (rehashed ? 4U : 0));
    put_time(record, account->created_ms);
    put_time(record, account->last_login_ms);
    put_u32(record, account->epoch);
    put_u32(record, account->session_limit);
    put_text(record, account->name, sizeof account->name);
    put_text(record, account->subject, sizeof account->subject);
    put_text(record, account->roles, sizeof account->roles);
    put_text(record, account->claims, sizeof account->claims);
    put_text(record, account->password, sizeof account->password);
    if (rehashed) {
        put_bytes(record, account->rehashed, sizeof account->rehashed);
    }
}

bool record_get_account(struct record *record, struct account *account)
{
    unsigned flags;

    record->failed |= get_u8(record) != ACCOUNT_VERSION;
    flags = get_choice(record, 7);
    account->enabled = (flags & 1) != 0;
    account->keep_on_password_change = (flags & 2) != 0;
    account->created_ms = get_time(record);
    account->last_login_ms = get_time(record);
    account->epoch = get_u32(record);
    account->session_limit = get_u32(record);
    get_text(record, account->name, sizeof account->name);
    get_text(record, account->subject, sizeof account->subject);
    get_text(record, account->roles, sizeof account->roles);
    get_text(record, account->claims, sizeof account->claims);
    get_text(record, account->password, sizeof account->password);
    memset(account->rehashed, 0, sizeof account->rehashed);
    if ((flags & 4) != 0) {
        get_into(record, account->rehashed, sizeof account->rehashed);
        record->failed |= !account_is_rehashed(account);
    }
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
 *     0000000000000002           number
 *     01                         enabled
 *     0000019a9f2c3b00           created
 *     0000000000000000           last used, 0 = never
 *     00000000                   grants, 0 = as the realm says
 *     0045 68323a…               first secret's hash
 *     0000000000000000           accepted from
 *     0000000000000000           and before this, 0 = without end
 *     0000000000000000           when it was last used, 0 = never
 *     00000001                   number
 *     0000 …                     second secret, the same way
 *     00000000                   what is overridden; only when that is not 0:
 *         01 00 00000001 00      rotate, report only, recovery generations, evidence
 *         (5 times 8 bytes)      concurrency and recovery window, idle, absolute, access lifetime
 *     0000                       redirect URIs
 *     0000                       origins
 *     0000                       keys, a JWK Set
 *     0006 6f70656e6964          scope
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
    put_u64(record, client->number);
    put_u8(record, client->enabled ? 1 : 0);
    put_time(record, client->created_ms);
    put_time(record, client->used_ms);
    put_u32(record, client->grants);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        put_text(record, client->secrets[i].hash, sizeof client->secrets[i].hash);
        put_time(record, client->secrets[i].from_ms);
        put_time(record, client->secrets[i].until_ms);
        put_time(record, client->secrets[i].used_ms);
        put_u32(record, client->secrets[i].number);
    }
    put_override(record, &client->override);
    put_text(record, client->redirect_uris, sizeof client->redirect_uris);
    put_text(record, client->origins, sizeof client->origins);
    put_text(record, client->keys, sizeof client->keys);
    put_text(record, client->scope, sizeof client->scope);
}

/* Sets every field, and of a text no more than its bytes: a client is large, and is read by every
 * refresh that names one. */
bool record_get_client(struct record *record, struct client *client)
{
    record->failed |= get_u8(record) != CLIENT_VERSION;
    client->number = get_u64(record);
    client->enabled = get_choice(record, 1) == 1;
    client->created_ms = get_time(record);
    client->used_ms = get_time(record);
    client->grants = get_u32(record);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        get_text(record, client->secrets[i].hash, sizeof client->secrets[i].hash);
        client->secrets[i].from_ms = get_time(record);
        client->secrets[i].until_ms = get_time(record);
        client->secrets[i].used_ms = get_time(record);
        client->secrets[i].number = get_u32(record);
    }
    get_override(record, &client->override);
    get_text(record, client->redirect_uris, sizeof client->redirect_uris);
    get_text(record, client->origins, sizeof client->origins);
    get_text(record, client->keys, sizeof client->keys);
    get_text(record, client->scope, sizeof client->scope);
    return ended(record);
}

/* ---- signing key: key = number (4) ----
 *
 *     02                         version; 01: without the five lines after "created"
 *     01                         algorithm, enum signing_algorithm
 *     02                         state, enum signing_state
 *     0000019a9f2c3b00           created
 *     0000019a9f6caa00           when it signs, 0 = not told
 *     0000019aa0a7a600           when it goes out of use, 0 = not told
 *     0000019a9f2c3b00           when these were planned, 0 = nothing is planned
 *     9f3b5c0d77e1a204           in which boot, 0 = not known
 *     00000000004c4b40           since boot
 *     0009 323032352d31312d61    kid
 *     0000                       realm, "" = all
 *     04d8 (1240 bytes)          private key, sealed
 *     (16 bytes)                 MAC */

void record_put_key(struct record *record, const struct signing_row *row)
{
    put_u8(record, KEY_VERSION);
    put_u8(record, row->algorithm);
    put_u8(record, row->state);
    put_time(record, row->created_ms);
    put_time(record, row->activates_ms);
    put_time(record, row->retires_ms);
    put_time(record, row->planned.wall_ms);
    put_u64(record, row->planned.boot);
    put_time(record, row->planned.boot_ms);
    put_text(record, row->kid, sizeof row->kid);
    put_text(record, row->realm, sizeof row->realm);
    if (row->sealed_size > sizeof row->sealed) {
        record->failed = true;
        return;
    }
    put_u16(record, row->sealed_size);
    put_bytes(record, row->sealed, row->sealed_size);
}

static void get_dates(struct record *record, struct signing_row *row);

bool record_get_key(struct record *record, struct signing_row *row)
{
    unsigned version = get_u8(record);

    memset(row, 0, sizeof *row);
    record->failed |= version != KEY_VERSION && version != OTHER_VERSION;
    row->algorithm = (enum signing_algorithm)get_choice(record, SIGNING_ALGORITHMS - 1);
    row->state = (enum signing_state)get_choice(record, SIGNING_STATES - 1);
    row->created_ms = get_time(record);
    if (version == KEY_VERSION) {
        get_dates(record, row);
    }
    get_text(record, row->kid, sizeof row->kid);
    get_text(record, row->realm, sizeof row->realm);
    row->sealed_size = (uint16_t)get_u16(record);
    if (row->sealed_size > sizeof row->sealed || row->state == 0) {
        record->failed = true;
    } else if (row->sealed_size <= record->size - record->at) {
        memcpy(row->sealed, get_bytes(record, row->sealed_size), row->sealed_size);
    } else {
        record->failed = true;
    }
    return ended(record);
}

static void get_dates(struct record *record, struct signing_row *row)
{
    row->activates_ms = get_time(record);
    row->retires_ms = get_time(record);
    row->planned.wall_ms = get_time(record);
    row->planned.boot = get_u64(record);
    row->planned.boot_ms = get_time(record);
    record->failed |= row->activates_ms < 0 || row->retires_ms < 0 || row->planned.wall_ms < 0 ||
                      row->planned.boot_ms < 0;
}

/* ---- event: key = class (1), number (7), ascending ----
 *
 *     01                         version
 *     00                         kind, enum event_kind
 *     0000019a9f2c3b00           when
 *     00000000                   how often it was told again
 *     0000000000000000           when last, 0 = never
 *     0190a5b0c3d47e8f9a1b2c3d4e5f6071   session, zero = none
 *     0000000000000007           account, 0 = none
 *     00000029                   generation presented
 *     000000000003a980           spent so long before, 0 = not known
 *     02                         enum event_network
 *     04 6d61696e                realm
 *     0c 2f6f617574682f746f6b656e   mount, "" = none
 *     03 776562                  client
 *     0b 3139322e302e322e3235    address, "" = not known
 *     05 7265757365              cause
 *     00                         note
 *     (16 bytes)                 link: a MAC of all this but what counts repeats, and of the link
 *                                of the one before it; zero where the class has no chain
 *     (16 bytes)                 MAC */

void record_put_event(struct record *record, const struct event *event)
{
    put_version(record);
    put_u8(record, event->kind);
    put_time(record, event->at_ms);
    put_u32(record, event->repeats);
    put_time(record, event->last_ms);
    put_bytes(record, event->session, sizeof event->session);
    put_u64(record, event->account);
    put_u32(record, event->generation);
    put_time(record, event->spent_ago_ms);
    put_u8(record, event->network);
    put_short_text(record, event->realm, sizeof event->realm);
    put_short_text(record, event->mount, sizeof event->mount);
    put_short_text(record, event->client, sizeof event->client);
    put_short_text(record, event->address, sizeof event->address);
    put_short_text(record, event->cause, sizeof event->cause);
    put_short_text(record, event->note, sizeof event->note);
    put_bytes(record, event->link, sizeof event->link);
}

bool record_get_event(struct record *record, struct event *event)
{
    memset(event, 0, sizeof *event);
    get_version(record);
    event->kind = (enum event_kind)get_choice(record, EVENT_KINDS - 1);
    event->at_ms = get_time(record);
    event->repeats = get_u32(record);
    event->last_ms = get_time(record);
    memcpy(event->session, get_bytes(record, sizeof event->session), sizeof event->session);
    event->account = get_u64(record);
    event->generation = get_u32(record);
    event->spent_ago_ms = get_time(record);
    event->network = (enum event_network)get_choice(record, EVENT_NETWORKS - 1);
    get_short_text(record, event->realm, sizeof event->realm);
    get_short_text(record, event->mount, sizeof event->mount);
    get_short_text(record, event->client, sizeof event->client);
    get_short_text(record, event->address, sizeof event->address);
    get_short_text(record, event->cause, sizeof event->cause);
    get_short_text(record, event->note, sizeof event->note);
    get_into(record, event->link, sizeof event->link);
    return ended(record);
}

/* No record's value begins like this one. */
bool record_event_link(struct record *record, const struct crypto_mac *mac,
                       const struct event *event, const uint8_t before[EVENT_LINK_SIZE],
                       uint8_t link[EVENT_LINK_SIZE])
{
    struct event told_once = *event;
    uint8_t full[CRYPTO_HASH_SIZE];

    told_once.repeats = 0;
    told_once.last_ms = 0;
    memset(told_once.link, 0, sizeof told_once.link);
    put_u8(record, LINK_VERSION);
    put_bytes(record, before, EVENT_LINK_SIZE);
    record_put_event(record, &told_once);
    if (record->failed || !crypto_mac_compute(mac, record->bytes, record->size, full)) {
        return false;
    }
    memcpy(link, full, EVENT_LINK_SIZE);
    return true;
}

void record_event_id(const struct crypto_mac *mac, const struct event *event,
                     uint8_t id[STORE_DELIVERY_ID_SIZE])
{
    static const char label[] = "retoken event id";
    uint8_t text[sizeof label + 8 + 8 + 1 + SESSION_ID_SIZE] = {0};
    uint8_t full[CRYPTO_HASH_SIZE] = {0};

    memcpy(text, label, sizeof label);
    codec_put_u64(text + sizeof label, event->number);
    codec_put_u64(text + sizeof label + 8, (uint64_t)event->at_ms);
    text[sizeof label + 16] = (uint8_t)event->kind;
    memcpy(text + sizeof label + 17, event->session, SESSION_ID_SIZE);
    (void)crypto_mac_compute(mac, text, sizeof text, full);
    memcpy(id, full, STORE_DELIVERY_ID_SIZE);
}

/* ---- delivery: key = subscription, 00, part (1), class (1), number (7) ----
 *
 * The part is 6e of new rows, 74 of those taken up and 64 of dead ones.
 *
 *     01                         version
 *     00                         state, enum delivery_state
 *     00000000                   how often it was leased
 *     0000019a9f2c3b00           when it began to wait
 *     0000000000000000           until when it is leased or put off
 *     00                         why it was not delivered the last time
 *     01 00 …                    the event, as its record has it, its link zero
 *     (16 bytes)                 MAC */

void record_put_delivery(struct record *record, const struct record_delivery *row)
{
    put_version(record);
    put_u8(record, row->state);
    put_u32(record, row->tries);
    put_time(record, row->first_ms);
    put_time(record, row->next_ms);
    put_short_text(record, row->why, sizeof row->why);
    record_put_event(record, &row->event);
}

bool record_get_delivery(struct record *record, struct record_delivery *row)
{
    memset(row->why, 0, sizeof row->why);
    get_version(record);
    row->state = (enum delivery_state)get_choice(record, DELIVERY_DEAD);
    row->tries = get_u32(record);
    row->first_ms = get_time(record);
    row->next_ms = get_time(record);
    record->failed |= row->next_ms < 0;
    get_short_text(record, row->why, sizeof row->why);
    return record_get_event(record, &row->event);
}

/* ---- outbox: key = subscription, 00 ----
 *
 *     01                         version
 *     00000001 00000000 …        rows, by state
 *     0000000000000000           delivered
 *     0000000000000000           dropped, because there were too many
 *     (16 bytes)                 MAC */

void record_put_outbox(struct record *record, const struct record_outbox *counts)
{
    put_version(record);
    for (size_t i = 0; i < DELIVERY_STATES; i++) {
        put_u32(record, counts->rows[i]);
    }
    put_u64(record, counts->delivered);
    put_u64(record, counts->dropped);
}

bool record_get_outbox(struct record *record, struct record_outbox *counts)
{
    get_version(record);
    for (size_t i = 0; i < DELIVERY_STATES; i++) {
        counts->rows[i] = get_u32(record);
    }
    counts->delivered = get_u64(record);
    counts->dropped = get_u64(record);
    return ended(record);
}

/* ---- mark: key = kind (1), hash (32) ----
 *
 *     01                         version
 *     0000019a9f2c3b00           when it was made or last counted
 *     0000019a9f2d2560           when it is over
 *     00000001                   count
 *     (32 bytes)                 owner, zero = none
 *     (32 bytes)                 note
 *     (16 bytes)                 MAC */

void record_put_mark(struct record *record, const struct mark *mark)
{
    put_version(record);
    put_time(record, mark->at_ms);
    put_time(record, mark->until_ms);
    put_u32(record, mark->count);
    put_bytes(record, mark->owner, sizeof mark->owner);
    put_bytes(record, mark->note, sizeof mark->note);
}

bool record_get_mark(struct record *record, struct mark *mark)
{
    get_version(record);
    mark->at_ms = get_time(record);
    mark->until_ms = get_time(record);
    mark->count = get_u32(record);
    get_into(record, mark->owner, sizeof mark->owner);
    get_into(record, mark->note, sizeof mark->note);
    return ended(record);
}

/* ---- counters: table meta, key "counters" ----
 *
 *     01                         version
 *     0000000000000008           next account number
 *     0000000000000003           next client number
 *     0000000000000001           next event number
 *     0000000000000003           keyring version
 *     0000000000000000           last entry of the journal of ends that is known
 *     00000002                   next key number
 *     00000001 00000000 …        events that are kept, by class
 *     (16 bytes)                 MAC */

void record_put_counters(struct record *record, const struct record_counters *counters)
{
    put_version(record);
    put_u64(record, counters->next_account);
    put_u64(record, counters->next_client);
    put_u64(record, counters->next_event);
    put_u64(record, counters->keyring_version);
    put_u64(record, counters->ended);
    put_u32(record, counters->next_key);
    for (size_t i = 0; i < EVENT_CLASSES; i++) {
        put_u32(record, counters->events[i]);
    }
}

bool record_get_counters(struct record *record, struct record_counters *counters)
{
    get_version(record);
    counters->next_account = get_u64(record);
    counters->next_client = get_u64(record);
    counters->next_event = get_u64(record);
    counters->keyring_version = get_u64(record);
    counters->ended = get_u64(record);
    counters->next_key = get_u32(record);
    for (size_t i = 0; i < EVENT_CLASSES; i++) {
        counters->events[i] = get_u32(record);
    }
    return ended(record);
}

/* ---- chains: table meta, key "chains" ----
 *
 *     01                         version
 *     (16 bytes)                 security: the link of the last event that is no longer kept
 *     (16 bytes)                 and of the last
 *     (16 bytes)                 administration: the same
 *     (16 bytes)
 *     (16 bytes)                 MAC */

void record_put_chains(struct record *record, const struct record_chains *chains)
{
    put_version(record);
    put_bytes(record, chains->security.base, EVENT_LINK_SIZE);
    put_bytes(record, chains->security.head, EVENT_LINK_SIZE);
    put_bytes(record, chains->administration.base, EVENT_LINK_SIZE);
    put_bytes(record, chains->administration.head, EVENT_LINK_SIZE);
}

bool record_get_chains(struct record *record, struct record_chains *chains)
{
    get_version(record);
    get_into(record, chains->security.base, EVENT_LINK_SIZE);
    get_into(record, chains->security.head, EVENT_LINK_SIZE);
    get_into(record, chains->administration.base, EVENT_LINK_SIZE);
    get_into(record, chains->administration.head, EVENT_LINK_SIZE);
    return ended(record);
}

/* ---- epochs: table meta, key "epochs" ----
 *
 *     01                         version
 *     0002                       how many
 *     (16 bytes)                 what stands for the realm, zero = every realm
 *     00000001                   its epoch
 *     0000019a9f2c3b00           when it was raised last
 *     …
 *     (16 bytes)                 MAC */

void record_put_epochs(struct record *record, const struct record_epochs *epochs)
{
    put_version(record);
    put_u16(record, epochs->count);
    for (size_t i = 0; i < epochs->count; i++) {
        put_bytes(record, epochs->rows[i].realm, sizeof epochs->rows[i].realm);
        put_u32(record, epochs->rows[i].epoch);
        put_time(record, epochs->rows[i].at_ms);
    }
}

bool record_get_epochs(struct record *record, struct record_epochs *epochs)
{
    get_version(record);
    epochs->count = get_u16(record);
    record->failed |= epochs->count > RECORD_EPOCHS_MAX;
    for (size_t i = 0; i < epochs->count && !record->failed; i++) {
        get_into(record, epochs->rows[i].realm, sizeof epochs->rows[i].realm);
        epochs->rows[i].epoch = get_u32(record);
        epochs->rows[i].at_ms = get_time(record);
    }
    return ended(record);
}

/* ---- time: table meta, key "time" ----
 *
 *     01                         version
 *     0000019a9f2c3b00           the time by which sessions are removed
 *     0000019a9f2c3b00           the wall clock at that time
 *     9f3b5c0d77e1a204           which boot, 0 = not known
 *     00000000004c4b40           since boot
 *     0000000005265c00           what it may gain on the time since boot
 *     00                         01: the wall clock is too far ahead
 *     (16 bytes)                 MAC */

void record_put_time(struct record *record, const struct record_time *time)
{
    put_version(record);
    put_time(record, time->trusted_ms);
    put_time(record, time->wall_ms);
    put_u64(record, time->boot);
    put_time(record, time->boot_ms);
    put_time(record, time->catch_up_ms);
    put_u8(record, time->ahead ? 1 : 0);
}

bool record_get_time(struct record *record, struct record_time *time)
{
    get_version(record);
    time->trusted_ms = get_time(record);
    time->wall_ms = get_time(record);
    time->boot = get_u64(record);
    time->boot_ms = get_time(record);
    time->catch_up_ms = get_time(record);
    time->ahead = get_choice(record, 1) == 1;
    record->failed |= time->trusted_ms <= 0 || time->trusted_ms > RECORD_TIME_MAX ||
                      time->wall_ms < 0 || time->wall_ms > RECORD_TIME_MAX || time->boot_ms < 0 ||
                      time->catch_up_ms < 0 || time->catch_up_ms > RECORD_TIME_MAX;
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

bool record_format_decode(struct txn_bytes stored, struct record_format *format)
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
