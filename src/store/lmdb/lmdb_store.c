/* SPDX-License-Identifier: ISC */
/* lmdb_store.c: the kind of store "lmdb": opening, closing, and which function applies which write.
 * Knows the format record and the record key; does not know what the records are for. */
#include "store/lmdb/lmdb_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/secret.h"
#include "base/whole_file.h"
#include "store/lmdb/restore.h"

enum { MARK_SIZE = 4096 };

static void close_store(struct store *store);
static bool mark_as_ours(struct lmdb_store *store, struct fault *fault);
static bool read_or_establish(struct lmdb_store *store, const struct store_settings *settings,
                              struct fault *fault);

/* ---- open, close ---- */

static struct store *open_store(const struct store_settings *settings, const char *place,
                                struct fault *fault)
{
    struct env_settings env = {.directory = place,
                               .map_size = settings->map_size,
                               .map_limit = settings->map_limit,
                               .wait_ms = settings->writer_wait_ms,
                               .create = settings->create,
                               .read_only = settings->read_only};
    struct lmdb_store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        fault_set(fault, "out of memory while opening the store");
        return NULL;
    }
    store->store.kind = &lmdb_kind;
    store->sweep = (struct sweep){.keep_ended_ms = settings->keep_ended_ms,
                                  .session_limit = settings->session_limit,
                                  .derived_alias = settings->derived_alias,
                                  .self = settings->derived_alias_self};
    store->clock = settings->clock;
    store->marks_most = settings->marks_most;
    if (!outbox_copy(settings, &store->outbox)) {
        fault_set(fault, "out of memory while opening the store");
        goto failed;
    } else if (!mark_as_ours(store, fault)) {
        goto failed;
    }
    store->env = env_open(&env, fault);
    if (store->env == NULL) {
        goto failed;
    }
    if (!read_or_establish(store, settings, fault)) {
        fault_prefix(fault, "store %s", place);
        goto failed;
    }
    if (!settings->read_only) {
        store->group = group_commit_open(&(struct batch_settings){
            .env = store->env,
            .mac = store->mac,
            .sweep = &store->sweep,
            .outbox = &store->outbox,
            .clock = settings->clock,
            .metrics = settings->metrics,
            .apply = lmdb_store_apply,
            .stamp = lmdb_store_stamp,
            .self = store,
        });
        if (store->group == NULL) {
            fault_set(fault, "out of memory while opening the store");
            goto failed;
        }
    }
    return &store->store;

failed:
    close_store(&store->store);
    return NULL;
}

static void close_store(struct store *store)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    group_commit_close(lmdb->group);
    crypto_mac_close(lmdb->mac);
    if (lmdb->env != NULL) {
        env_close(lmdb->env);
    }
    if (lmdb->ours != NULL) {
        munmap(lmdb->ours, MARK_SIZE);
    }
    outbox_free(&lmdb->outbox);
    free(lmdb);
}

static bool is_broken(const struct store *store)
{
    return env_is_broken(((const struct lmdb_store *)store)->env);
}

static bool wants(const struct store *store, enum event_kind kind, const char *realm)
{
    return outbox_wants(&((const struct lmdb_store *)store)->outbox, kind, realm);
}

/* ---- the first records ---- */

static bool read_first_records(struct lmdb_store *store, struct record_format *format, bool *there,
                               struct fault *fault);
static bool establish(struct lmdb_store *store, const struct store_settings *settings,
                      struct fault *fault);
static bool accept_format(struct lmdb_store *store, const struct store_settings *settings,
                          const struct record_format *format, struct fault *fault);
static bool sync_names(const struct lmdb_store *store, struct fault *fault);

static bool read_or_establish(struct lmdb_store *store, const struct store_settings *settings,
                              struct fault *fault)
{
    struct record_format format;
    bool there = false;

    if (!read_first_records(store, &format, &there, fault)) {
        return false;
    }
    if (!there && settings->create && !settings->read_only &&
        (!establish(store, settings, fault) ||
         !read_first_records(store, &format, &there, fault))) {
        return false;
    }
    if (!there) {
        fault_set(fault, "there is no store in it; put back a backup (`retoken store restore`)");
        return false;
    }
    return accept_format(store, settings, &format, fault) &&
           (settings->read_only || ends_catch_up(store, settings->now_ms, fault));
}

static bool read_first_records(struct lmdb_store *store, struct record_format *format, bool *there,
                               struct fault *fault)
{
    struct rows rows = {.fault = fault};

    if (env_read_begin(store->env, &rows.txn, fault) != ENV_OK) {
        return false;
    }
    *there = rows_format_get(&rows, format);
    env_read_end(&rows.txn);
    return !rows.failed;
}

/* ---- the record key ----
 * Each store has its own: a record of one store means nothing in another one, even under the same
 * master secret. */

static struct crypto_mac *mac_of_store(const uint8_t record_key[32],
                                       const uint8_t store_id[RECORD_STORE_ID_SIZE])
{
    static const char label[] = "retoken store records";
    uint8_t message[sizeof label + RECORD_STORE_ID_SIZE];
    uint8_t key[CRYPTO_HASH_SIZE];
    struct crypto_mac *outer = crypto_mac_open(record_key, 32);
    struct crypto_mac *mac = NULL;

    memcpy(message, label, sizeof label);
    memcpy(message + sizeof label, store_id, RECORD_STORE_ID_SIZE);
    if (outer != NULL && crypto_mac_compute(outer, message, sizeof message, key)) {
        mac = crypto_mac_open(key, sizeof key);
    }
    secret_wipe(key, sizeof key);
    crypto_mac_close(outer);
    return mac;
}

/* What shows later that a record key is the right one. */
static bool proof_of(const struct crypto_mac *mac, uint8_t proof[RECORD_MAC_SIZE])
{
    static const char text[] = "retoken store proof";
    uint8_t full[CRYPTO_HASH_SIZE];

    if (!crypto_mac_compute(mac, text, sizeof text, full)) {
        return false;
    }
    memcpy(proof, full, RECORD_MAC_SIZE);
    return true;
}

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

static bool accept_format(struct lmdb_store *store, const struct store_settings *settings,
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

static void put_first_records(struct rows *rows, const struct store_settings *settings)
{
    struct record_format format = {.version = RECORD_FORMAT_VERSION,
                                   .created_ms = settings->now_ms};
    struct record_counters counters = {
        .next_account = 1, .next_client = 1, .next_event = 1, .next_key = 1};
    struct randomness randomness = randomness_system();
    struct crypto_mac *mac = NULL;

    if (randomness_fill(&randomness, format.store_id, sizeof format.store_id)) {
        mac = mac_of_store(settings->record_key, format.store_id);
    }
    if (mac == NULL || !proof_of(mac, format.proof)) {
        rows_fail(rows, "libcrypto failed, or memory ran out");
    } else {
        rows->mac = mac;
        rows_format_put(rows, &format);
        rows_counters_put(rows, &counters);
    }
    crypto_mac_close(mac);
}

/* Another process may have been quicker: looks again inside the write transaction. */
static bool establish(struct lmdb_store *store, const struct store_settings *settings,
                      struct fault *fault)
{
    struct rows rows = {.fault = fault};
    struct record_format format;
    bool there;

    if (env_write_begin(store->env, &rows.txn, fault) != ENV_OK) {
        return false;
    }
    there = rows_format_get(&rows, &format);
    if (!there) {
        put_first_records(&rows, settings);
    }
    if (there || rows.failed) {
        env_abort(&rows.txn);
        return !rows.failed;
    }
    return env_commit(&rows.txn, fault) == ENV_OK && sync_names(store, fault);
}

/* LMDB does not. */
static bool sync_names(const struct lmdb_store *store, struct fault *fault)
{
    char path[WHOLE_FILE_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/data.mdb", env_path(store->env));

    if (length > 0 && length < (int)sizeof path && whole_file_sync_name(path)) {
        return true;
    }
    fault_set(fault, "its directory cannot be synced: %s", strerror(errno));
    return false;
}

/* ---- transactions ---- */

/* madvise(2), MADV_WIPEONFORK: tells a fork without a system call at each transaction. */
static bool mark_as_ours(struct lmdb_store *store, struct fault *fault)
{
    void *page = mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED) {
        store->ours = page;
    }
    if (page == MAP_FAILED || madvise(page, MARK_SIZE, MADV_WIPEONFORK) != 0) {
        fault_set(fault, "no memory that a fork clears: %s", strerror(errno));
        return false;
    }
    *store->ours = 1;
    return true;
}

bool lmdb_store_is_ours(const struct lmdb_store *store, struct fault *fault)
{
    if (*store->ours == 1) {
        return true;
    }
    fault_set(fault, "the store was opened before a fork: LMDB must be opened after it");
    return false;
}

bool lmdb_store_read_begin(struct store *store, struct rows *rows, struct fault *fault)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    *rows = (struct rows){.mac = lmdb->mac, .fault = fault};
    return lmdb_store_is_ours(lmdb, fault) &&
           env_read_begin(lmdb->env, &rows->txn, fault) == ENV_OK;
}

enum store_result lmdb_store_read_end(struct rows *rows, bool found)
{
    env_read_end(&rows->txn);
    if (rows->failed) {
        return STORE_FAULT;
    }
    return found ? STORE_OK : STORE_ABSENT;
}

/* ---- writing ---- */

/* False with *fault set: not after a fork, not in a store that was opened for reading only. */
static bool may_write(const struct lmdb_store *store, struct fault *fault)
{
    if (!lmdb_store_is_ours(store, fault)) {
        return false;
    } else if (store->group == NULL) {
        fault_set(fault, "the store was opened for reading only");
        return false;
    }
    return true;
}

static enum store_result write_now(struct store *store, struct store_write *write)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    return may_write(lmdb, write->fault) ? group_commit_write(lmdb->group, write) : STORE_FAULT;
}

static void submit(struct store *store, struct store_write *write)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    if (may_write(lmdb, write->fault)) {
        group_commit_submit(lmdb->group, write);
    } else {
        write->done(write->self, STORE_FAULT);
    }
}

static enum store_pending pending(struct store *store)
{
    struct group_commit *group = lmdb_store_of(store)->group;

    return group != NULL ? group_commit_pending(group) : STORE_NOTHING;
}

static int64_t expire(struct store *store)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    return (lmdb->group != NULL ? group_commit_expire(lmdb->group) : env_wait_us(lmdb->env)) / 1000;
}

static void flush(struct store *store)
{
    struct group_commit *group = lmdb_store_of(store)->group;

    if (group != NULL) {
        group_commit_flush(group);
    }
}

static bool notice(struct store *store, struct fault *out)
{
    struct group_commit *group = lmdb_store_of(store)->group;

    return group != NULL && group_commit_notice(group, out);
}

static enum store_result apply_verb(const struct sweep *sweep, struct rows *rows,
                                    struct store_write *write);

enum store_result lmdb_store_apply(void *self, struct rows *rows, struct store_write *write)
{
    const struct lmdb_store *store = self;
    enum store_result result = marks_check(rows, write, store->marks_most);

    if (result == STORE_OK) {
        result = apply_verb(&store->sweep, rows, write);
    }
    if (result == STORE_OK) {
        marks_apply(rows, write, store->marks_most);
    }
    for (size_t i = 0; write->kind == STORE_WRITE_ACCOUNT_ADD && i < write->events; i++) {
        write->event[i].account = write->of.account_add->number;
    }
    return result;
}

static enum store_result apply_verb(const struct sweep *sweep, struct rows *rows,
                                    struct store_write *write)
{
    switch (write->kind) {
    case STORE_WRITE_CREATE:
        return sessions_create(rows, sweep, write);
    case STORE_WRITE_ROTATE:
        return sessions_rotate(rows, sweep, &write->of.rotate);
    case STORE_WRITE_TOUCH:
        return sessions_touch(rows, sweep, &write->of.touch);
    case STORE_WRITE_APPROVE:
        return sessions_approve(rows, sweep, write);
    case STORE_WRITE_END:
        return ends_session(rows, sweep, write);
    case STORE_WRITE_END_ACCOUNT:
        return ends_account(rows, write);
    case STORE_WRITE_MARK_ENDED:
        return ends_mark(rows, sweep, write->of.mark_ended);
    case STORE_WRITE_ATTACHED:
        return STORE_OK;
    case STORE_WRITE_ACCOUNT_ADD:
        return accounts_add(rows, write->of.account_add);
    case STORE_WRITE_ACCOUNT_UPDATE:
        return accounts_update(rows, write);
    case STORE_WRITE_ACCOUNT_REHASH:
        return accounts_rehash(rows, write);
    case STORE_WRITE_ACCOUNT_REMOVE:
        return accounts_remove(rows, write->of.account_remove);
    case STORE_WRITE_CLIENT_ADD:
        return clients_add(rows, write->of.client_add);
    case STORE_WRITE_CLIENT_UPDATE:
        return clients_update(rows, write->of.client_update.before, write->of.client_update.after);
    case STORE_WRITE_CLIENT_REMOVE:
        return clients_remove(rows, write->of.client_remove);
    case STORE_WRITE_CLIENT_USE:
        return clients_use(rows, write);
    case STORE_WRITE_KEY_ADD:
        return keys_add(rows, write->of.key_add);
    case STORE_WRITE_KEY_STATE:
        return keys_set_state(rows, write->of.key_state.kid, write->of.key_state.state);
    case STORE_WRITE_PRUNE:
        return sweep_prune(rows, sweep, write->of.prune);
    case STORE_WRITE_LEASE:
        return outbox_lease(rows, write->of.lease);
    case STORE_WRITE_DELIVERED:
        return outbox_done(rows, write);
    case STORE_WRITE_UNDELIVERED:
        return outbox_failed(rows, write);
    case STORE_WRITE_RETRY:
        return outbox_retry(rows, write->of.retry);
    }
    rows_fail(rows, "a write of no known kind");
    return STORE_FAULT;
}

void lmdb_store_stamp(void *self, struct rows *rows, const struct store_write *write)
{
    (void)self;
    if (write->kind == STORE_WRITE_ROTATE) {
        sessions_stamp(rows, &write->of.rotate);
    }
}

static enum store_readiness readiness_of(struct env_txn *txn, struct fault *fault)
{
    switch (env_ready(txn, fault)) {
    case ENV_READY:
        break;
    case ENV_READY_STUCK:
        return STORE_COMMIT_WAITS;
    case ENV_READY_FULL:
        return STORE_FULL;
    case ENV_READY_READ_ONLY:
        return STORE_READ_ONLY;
    }
    return STORE_READY;
}

static enum store_result readiness(struct store *store, enum store_readiness *readiness,
                                   struct fault *fault)
{
    struct group_commit *group = lmdb_store_of(store)->group;
    struct rows rows;

    if (!lmdb_store_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    *readiness = group != NULL && group_commit_hangs(group, fault) ? STORE_COMMIT_WAITS
                                                                   : readiness_of(&rows.txn, fault);
    return lmdb_store_read_end(&rows, true);
}

static enum store_result backup(struct store *store, const char *directory, struct fault *fault)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    return lmdb_store_is_ours(lmdb, fault) && env_copy(lmdb->env, directory, fault) == ENV_OK
               ? STORE_OK
               : STORE_FAULT;
}

const struct store_kind lmdb_kind = {
    .scheme = "lmdb",
    .open = open_store,
    .close = close_store,
    .is_broken = is_broken,
    .wants = wants,
    .write = write_now,
    .submit = submit,
    .pending = pending,
    .expire = expire,
    .flush = flush,
    .session_view = sessions_view,
    .session_list = sessions_list,
    .alias_find = sessions_alias_find,
    .account_find = accounts_find,
    .account_get = accounts_get,
    .account_draw = accounts_draw,
    .account_list = accounts_list,
    .client_find = clients_find,
    .client_list = clients_list,
    .key_list = keys_list,
    .keyring_version = keys_version,
    .event_list = events_list,
    .event_verify = events_verify,
    .delivery_dead = outbox_dead,
    .delivery_stat = outbox_stat,
    .mark_find = marks_find,
    .readiness = readiness,
    .facts = facts_list,
    .remarks = facts_remarks,
    .clock_ahead = facts_clock_ahead,
    .notice = notice,
    .check = check_all,
    .backup = backup,
    .restore = restore_run,
};
