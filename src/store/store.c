/* store.c: opening and closing, and the verbs about the store as a whole. Knows the format record
 * and the record key; does not know what the records are for. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "store/store_private.h"

/* ---- the record key ----
 * Each store has its own: a record of one store means nothing in another one, even under the same
 * master secret. */

static struct crypto_mac *mac_of_store(const uint8_t record_key[32],
                                       const uint8_t store_id[RECORD_STORE_ID_SIZE])
{
    static const char label[] = "retoken store records";
    uint8_t message[sizeof(label) + RECORD_STORE_ID_SIZE];
    uint8_t key[CRYPTO_HASH_SIZE];
    struct crypto_mac *outer = crypto_mac_open(record_key, 32);
    struct crypto_mac *mac = NULL;

    memcpy(message, label, sizeof(label));
    memcpy(message + sizeof(label), store_id, RECORD_STORE_ID_SIZE);
    if (outer != NULL && crypto_mac_compute(outer, message, sizeof(message), key)) {
        mac = crypto_mac_open(key, sizeof(key));
    }
    secret_wipe(key, sizeof(key));
    crypto_mac_close(outer);
    return mac;
}

/* What shows later that a record key is the right one. */
static bool proof_of(const struct crypto_mac *mac, uint8_t proof[RECORD_MAC_SIZE])
{
    static const char text[] = "retoken store proof";
    uint8_t full[CRYPTO_HASH_SIZE];

    if (!crypto_mac_compute(mac, text, sizeof(text), full)) {
        return false;
    }
    memcpy(proof, full, RECORD_MAC_SIZE);
    return true;
}

/* ---- the first records ---- */

/* Retoken 0.1 was not released, so nothing upgrades its stores. */
static void refuse_format(uint32_t version, struct fault *fault)
{
    if (version == 1) {
        fault_set(fault,
                  "it is of format 1 (Retoken 0.1); this version reads format %d: go on using it "
                  "with Retoken 0.1, or make a new store in another directory with `retoken init`",
                  RECORD_FORMAT_VERSION);
    } else {
        fault_set(fault, "it is of format %u; this version reads format %d: use a later version",
                  (unsigned)version, RECORD_FORMAT_VERSION);
    }
}

static bool accept_format(struct store *store, const struct store_settings *settings,
                          const struct record_format *format, struct fault *fault)
{
    uint8_t proof[RECORD_MAC_SIZE];

    if (format->version != RECORD_FORMAT_VERSION) {
        refuse_format(format->version, fault);
        return false;
    }
    store->format_version = format->version;
    store->mac = mac_of_store(settings->record_key, format->store_id);
    if (store->mac == NULL || !proof_of(store->mac, proof)) {
        fault_set(fault, "libcrypto failed, or memory ran out");
        return false;
    } else if (!secret_equal(proof, format->proof, RECORD_MAC_SIZE)) {
        fault_set(fault, "it was made under another master secret; name the right secret's file");
        return false;
    }
    return true;
}

static enum store_result put_first_records(struct rows *rows, const struct store_settings *settings,
                                           struct fault *fault)
{
    struct record_format format = {.version = RECORD_FORMAT_VERSION,
                                   .created_ms = settings->now_ms};
    struct record_counters counters = {.next_account = 1, .next_event = 1, .next_key = 1};
    struct randomness randomness = randomness_system();
    struct crypto_mac *mac = NULL;
    enum store_result result = STORE_FAULT;

    if (randomness_fill(&randomness, format.store_id, sizeof(format.store_id))) {
        mac = mac_of_store(settings->record_key, format.store_id);
    }
    if (mac == NULL || !proof_of(mac, format.proof)) {
        fault_set(fault, "libcrypto failed, or memory ran out");
    } else if (rows_format_put(rows, &format, fault) == STORE_OK) {
        rows->mac = mac;
        result = rows_counters_put(rows, &counters, fault);
    }
    crypto_mac_close(mac);
    return result;
}

/* Another process may have been quicker: looks again inside the write transaction. */
static bool establish(struct engine *engine, const struct store_settings *settings,
                      struct fault *fault)
{
    struct rows rows = {.kind = engine->kind};
    struct record_format format;
    enum store_result result;

    if (engine->kind->write_begin(engine, &rows.txn, fault) != ENGINE_OK) {
        return false;
    }
    result = rows_format_get(&rows, &format, fault);
    if (result == STORE_ABSENT) {
        result = put_first_records(&rows, settings, fault);
        if (result == STORE_OK) {
            return engine->kind->commit(&rows.txn, fault) == ENGINE_OK;
        }
    }
    engine->kind->abort(&rows.txn);
    return result == STORE_OK;
}

static enum store_result read_format(struct engine *engine, struct record_format *format,
                                     struct fault *fault)
{
    struct rows rows = {.kind = engine->kind};
    enum store_result result = STORE_FAULT;

    if (engine->kind->read_begin(engine, &rows.txn, fault) == ENGINE_OK) {
        result = rows_format_get(&rows, format, fault);
        engine->kind->read_end(&rows.txn);
    }
    return result;
}

static bool read_or_establish(struct store *store, const struct store_settings *settings,
                              struct fault *fault)
{
    struct record_format format;
    enum store_result result = read_format(store->engine, &format, fault);

    if (result == STORE_ABSENT && settings->create && !settings->read_only) {
        result = establish(store->engine, settings, fault)
                     ? read_format(store->engine, &format, fault)
                     : STORE_FAULT;
    }
    if (result == STORE_ABSENT) {
        fault_set(fault, "there is no store in it; `retoken init` makes one");
    }
    return result == STORE_OK && accept_format(store, settings, &format, fault);
}

/* ---- open, close ---- */

struct store *store_open(const struct store_settings *settings, struct fault *fault)
{
    struct engine_settings engine = {.map_size = settings->map_size,
                                     .map_limit = settings->map_limit,
                                     .create = settings->create,
                                     .read_only = settings->read_only};
    struct store *store = calloc(1, sizeof(*store));

    if (store == NULL) {
        fault_set(fault, "out of memory while opening the store");
        return NULL;
    }
    store->process = getpid();
    store->sweep = (struct sweep){.keep_ended_ms = settings->keep_ended_ms,
                                  .derived_alias = settings->derived_alias,
                                  .self = settings->derived_alias_self};
    store->engine = engine_open(settings->url, engine, fault);
    if (store->engine == NULL) {
        goto failed;
    }
    if (!read_or_establish(store, settings, fault)) {
        fault_prefix(fault, "store %s", settings->url);
        goto failed;
    }
    if (!settings->read_only) {
        store->group = group_commit_open(store->engine, store->mac, &store->sweep);
        if (store->group == NULL) {
            fault_set(fault, "out of memory while opening the store");
            goto failed;
        }
    }
    return store;

failed:
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    group_commit_close(store->group);
    crypto_mac_close(store->mac);
    if (store->engine != NULL) {
        store->engine->kind->close(store->engine);
    }
    free(store);
}

bool store_is_broken(const struct store *store)
{
    return store->engine->kind->is_broken(store->engine);
}

/* ---- the store as a whole ---- */

enum store_result store_stat(struct store *store, struct store_stat *stat, struct fault *fault)
{
    struct engine_stat engine;
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result != STORE_OK) {
        return result;
    }
    if (rows.kind->stat(&rows.txn, &engine, fault) == ENGINE_OK) {
        *stat = (struct store_stat){.sessions = engine.entries[TABLE_SESSIONS],
                                    .aliases = engine.entries[TABLE_ALIASES],
                                    .accounts = engine.entries[TABLE_ACCOUNTS],
                                    .clients = engine.entries[TABLE_CLIENTS],
                                    .keys = engine.entries[TABLE_KEYS],
                                    .events = engine.entries[TABLE_EVENTS],
                                    .map_size = engine.map_size,
                                    .used_bytes = engine.used_bytes,
                                    .file_bytes = engine.file_bytes,
                                    .readers = engine.readers,
                                    .readers_max = engine.readers_max,
                                    .format_version = store->format_version};
        memcpy(stat->engine, engine.name, sizeof(stat->engine));
    } else {
        result = STORE_FAULT;
    }
    store_private_read_end(&rows);
    return result;
}

enum store_result store_backup(struct store *store, const char *directory, struct fault *fault)
{
    if (!store_private_is_ours(store, fault)) {
        return STORE_FAULT;
    }
    return store->engine->kind->copy(store->engine, directory, fault) == ENGINE_OK ? STORE_OK
                                                                                   : STORE_FAULT;
}
