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
#include "store/lmdb/ended_log.h"
#include "store/lmdb/journal.h"
#include "store/lmdb/restore.h"

enum { MARK_SIZE = 4096 };

static void close_store(struct store *store);
static bool read_begin(struct store *store, struct txn *txn, struct fault *fault);
static void check_journal(struct store *store, const struct store_check *check, uint64_t *findings);
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
    store->verbs.read_begin = read_begin;
    store->verbs.check = check_journal;
    if (!verbs_open(settings, &lmdb_kind, &store->verbs, fault) || !mark_as_ours(store, fault)) {
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
        store->queue = shared_queue_open(store->env, store->verbs.mac);
        store->writer = batch_writer_open(&(struct batch_settings){
            .env = store->env,
            .verbs = &store->verbs,
            .queue = store->queue,
            .metrics = settings->metrics,
        });
        store->group = store->writer == NULL
                           ? NULL
                           : group_commit_open(&batch_group_kind, store->writer,
                                               env_wait_us(store->env), settings->metrics);
        if (store->group == NULL) {
            fault_set(fault, "out of memory while opening the store");
            goto failed;
        }
    }
    return &store->verbs.store;

failed:
    close_store(&store->verbs.store);
    return NULL;
}

static void close_store(struct store *store)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    group_commit_close(lmdb->group);
    batch_writer_close(lmdb->writer);
    shared_queue_close(lmdb->queue);
    if (lmdb->env != NULL) {
        env_close(lmdb->env);
    }
    if (lmdb->ours != NULL) {
        munmap(lmdb->ours, MARK_SIZE);
    }
    verbs_close(&lmdb->verbs);
    free(lmdb);
}

static bool is_broken(const struct store *store)
{
    return env_is_broken(((const struct lmdb_store *)store)->env);
}

static bool wants(const struct store *store, enum event_kind kind, const char *realm)
{
    return outbox_wants(&((const struct lmdb_store *)store)->verbs.outbox, kind, realm);
}

static struct clock clock_of(struct store *store)
{
    return verbs_of(store)->clock;
}

/* ---- the first records ---- */

static bool read_first_records(struct lmdb_store *store, struct record_format *format, bool *there,
                               struct fault *fault);
static bool establish(struct lmdb_store *store, const struct store_settings *settings,
                      struct fault *fault);
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
    return format_accept(&store->verbs, settings, &format, fault) &&
           (settings->read_only || journal_catch_up(store, settings->now_ms, fault));
}

static bool read_first_records(struct lmdb_store *store, struct record_format *format, bool *there,
                               struct fault *fault)
{
    struct rows rows = {.fault = fault};

    if (env_read_begin(store->env, &rows.txn, fault) != TXN_OK) {
        return false;
    }
    *there = format_read(&rows, format);
    env_read_end(&rows.txn);
    return !rows.failed;
}

/* Another process may have been quicker: looks again inside the write transaction. */
static bool establish(struct lmdb_store *store, const struct store_settings *settings,
                      struct fault *fault)
{
    struct rows rows = {.fault = fault};
    struct record_format format;
    bool there;

    if (env_write_begin(store->env, &rows.txn, fault) != TXN_OK) {
        return false;
    }
    there = format_read(&rows, &format);
    if (!there) {
        format_make(&rows, settings);
    }
    if (there || rows.failed) {
        env_abort(&rows.txn);
        return !rows.failed;
    }
    return env_commit(&rows.txn, fault) == TXN_OK && sync_names(store, fault);
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

static bool read_begin(struct store *store, struct txn *txn, struct fault *fault)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    return lmdb_store_is_ours(lmdb, fault) && env_read_begin(lmdb->env, txn, fault) == TXN_OK;
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

static enum store_readiness readiness_of(struct txn *txn, struct fault *fault)
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

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    *readiness = group != NULL && group_commit_hangs(group, fault) ? STORE_COMMIT_WAITS
                                                                   : readiness_of(&rows.txn, fault);
    return verbs_read_end(&rows, true);
}

static void check_journal(struct store *store, const struct store_check *check, uint64_t *findings)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);
    struct ended_log_state state;
    struct fault line;

    ended_log_look(env_path(lmdb->env), lmdb->verbs.mac, 0, &state);
    if (state.damaged > 0) {
        ++*findings;
        fault_set(&line, "%zu entries of ended.log are damaged or were changed by hand",
                  state.damaged);
        if (check->found != NULL) {
            check->found(check->self, line.text);
        }
    }
}

static enum store_result backup(struct store *store, const char *directory, struct fault *fault)
{
    struct lmdb_store *lmdb = lmdb_store_of(store);

    return lmdb_store_is_ours(lmdb, fault) && env_copy(lmdb->env, directory, fault) == TXN_OK
               ? STORE_OK
               : STORE_FAULT;
}

const struct store_kind lmdb_kind = {
    .scheme = "lmdb",
    .open = open_store,
    .close = close_store,
    .is_broken = is_broken,
    .wants = wants,
    .clock = clock_of,
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
    .clock_ahead = sweep_clock_ahead,
    .notice = notice,
    .check = check_all,
    .backup = backup,
    .copy = copy_all,
    .unused = restore_unused,
    .restore = restore_run,
};
