/* SPDX-License-Identifier: ISC */
/* postgresql_store.c: the kind of store "postgresql": opening, closing, and what reads and writes
 * it. Knows the first records; does not know what the others are for. */
#include "store/postgresql/postgresql_store.h"

#include <stdlib.h>

#include "store/postgresql/postgresql_facts.h"
#include "store/postgresql/schema.h"

enum { WAIT_MS = 5000 };

static void close_store(struct store *store);
static bool read_begin(struct store *store, struct txn *txn, struct fault *fault);
static bool read_or_establish(struct postgresql_store *store, const struct store_settings *settings,
                              struct fault *fault);
static bool is_system(const struct clock *clock);

/* ---- open, close ---- */

static struct store *open_store(const struct store_settings *settings, const char *place,
                                struct fault *fault)
{
    struct postgresql_store *store = calloc(1, sizeof *store);
    int64_t wait_ms = settings->writer_wait_ms != 0 ? settings->writer_wait_ms : WAIT_MS;

    if (store == NULL) {
        fault_set(fault, "out of memory while opening the store");
        return NULL;
    }
    store->wait_us = wait_ms * 1000;
    store->server.settings = (struct connection_settings){
        .url = place,
        .password_file = settings->password_file != NULL && settings->password_file[0] != '\0'
                             ? settings->password_file
                             : NULL,
        .application = "retoken"};
    store->server.clock = writers_clock_open();
    store->verbs.read_begin = read_begin;
    if (!verbs_open(settings, &postgresql_kind, &store->verbs, fault)) {
        goto failed;
    }
    store->reads = store->server.clock != NULL ? reads_open(&store->server) : NULL;
    if (store->reads == NULL) {
        fault_set(fault, "out of memory while opening the store");
        goto failed;
    }
    if (is_system(&settings->clock)) {
        store->verbs.clock = writers_clock_of(store->server.clock);
    }
    if (!read_or_establish(store, settings, fault)) {
        goto failed;
    }
    if (!settings->read_only) {
        store->committer =
            committer_open(&(struct commit_settings){.server = &store->server,
                                                     .verbs = &store->verbs,
                                                     .wait_us = store->wait_us,
                                                     .rotation_local = settings->rotation_local,
                                                     .metrics = settings->metrics});
        store->group = store->committer == NULL
                           ? NULL
                           : group_commit_open(&commit_group_kind, store->committer, store->wait_us,
                                               settings->metrics);
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
    struct postgresql_store *postgresql = postgresql_store_of(store);

    group_commit_close(postgresql->group);
    committer_close(postgresql->committer);
    reads_close(postgresql->reads);
    writers_clock_close(postgresql->server.clock);
    verbs_close(&postgresql->verbs);
    free(postgresql);
}

/* A test's own clock stays. */
static bool is_system(const struct clock *clock)
{
    return clock->now_ms == clock_system().now_ms;
}

static bool is_broken(const struct store *store)
{
    (void)store;
    return false; /* another server may take over */
}

static bool wants(const struct store *store, enum event_kind kind, const char *realm)
{
    return outbox_wants(&((const struct verbs *)store)->outbox, kind, realm);
}

static struct clock clock_of(struct store *store)
{
    return verbs_of(store)->clock;
}

/* ---- the first records ---- */

static bool read_first_records(struct postgresql_store *store, struct record_format *format,
                               bool *there, struct fault *fault);
static bool establish(struct postgresql_store *store, const struct store_settings *settings,
                      struct fault *fault);

static bool read_or_establish(struct postgresql_store *store, const struct store_settings *settings,
                              struct fault *fault)
{
    struct record_format format;
    bool there = false;

    if (settings->create && !settings->read_only && !establish(store, settings, fault)) {
        return false;
    }
    if (!read_first_records(store, &format, &there, fault)) {
        struct connection *connection = connection_open(&store->server.settings);
        struct fault why = {""};

        if (connection != NULL &&
            schema_look(connection, clock_stopwatch_us() + store->wait_us, &why) == STORE_ABSENT) {
            *fault = why;
        }
        connection_close(connection);
        return false;
    } else if (!there) {
        fault_set(fault, "there is no store in it: `retoken init`");
        return false;
    }
    return format_accept(&store->verbs, settings, &format, fault);
}

static bool read_first_records(struct postgresql_store *store, struct record_format *format,
                               bool *there, struct fault *fault)
{
    struct rows rows;
    bool read = verbs_read_begin(&store->verbs.store, &rows, fault);

    if (read) {
        *there = format_read(&rows, format);
        read = verbs_read_end(&rows, true) == STORE_OK;
    }
    return read;
}

/* There is no row yet whose lock is the turn. */
static const struct statement lock_meta = {NULL, "LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE"};

/* Another process may have been quicker: looks again inside the transaction. */
static bool establish(struct postgresql_store *store, const struct store_settings *settings,
                      struct fault *fault)
{
    struct writer *writer = writer_open(&store->server);
    struct tables tables = {0};
    struct rows rows = {.fault = fault};
    struct record_format format;
    int64_t until_us = clock_stopwatch_us() + store->wait_us;
    bool made = false;

    if (writer == NULL) {
        fault_set(fault, "out of memory while making the store");
        return false;
    }
    tables.connection = writer_connection(writer);
    if (schema_make(tables.connection, NULL, NULL, until_us, fault) == STORE_OK &&
        writer_ready(writer, until_us, fault) == CONNECTION_OK) {
        tables_write_begin(&tables, until_us, &rows.txn);
        tables_send(&tables, &lock_meta, NULL);
        made = format_read(&rows, &format);
        if (!made && !rows.failed) {
            format_make(&rows, settings);
            made = !rows.failed && tables_commit(&tables, fault) == CONNECTION_OK;
        }
        tables_abort(&tables);
    }
    tables_free(&tables);
    writer_close(writer);
    return made;
}

/* ---- reading ---- */

static bool read_begin(struct store *store, struct txn *txn, struct fault *fault)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);

    return reads_begin(postgresql->reads, postgresql->wait_us, txn, fault);
}

/* ---- writing ---- */

/* False with *fault set: not in a store that was opened for reading only. */
static bool may_write(const struct postgresql_store *store, struct fault *fault)
{
    if (store->group == NULL) {
        fault_set(fault, "the store was opened for reading only");
    }
    return store->group != NULL;
}

static enum store_result write_now(struct store *store, struct store_write *write)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);

    return may_write(postgresql, write->fault) ? group_commit_write(postgresql->group, write)
                                               : STORE_FAULT;
}

static void submit(struct store *store, struct store_write *write)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);

    if (may_write(postgresql, write->fault)) {
        group_commit_submit(postgresql->group, write);
    } else {
        write->done(write->self, STORE_FAULT);
    }
}

static enum store_pending pending(struct store *store)
{
    struct group_commit *group = postgresql_store_of(store)->group;

    return group != NULL ? group_commit_pending(group) : STORE_NOTHING;
}

static int64_t expire(struct store *store)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);

    return (postgresql->group != NULL ? group_commit_expire(postgresql->group)
                                      : postgresql->wait_us) /
           1000;
}

static void flush(struct store *store)
{
    struct group_commit *group = postgresql_store_of(store)->group;

    if (group != NULL) {
        group_commit_flush(group);
    }
}

static bool notice(struct store *store, struct fault *out)
{
    struct group_commit *group = postgresql_store_of(store)->group;

    return group != NULL && group_commit_notice(group, out);
}

static enum store_result readiness(struct store *store, enum store_readiness *readiness,
                                   struct fault *fault)
{
    struct group_commit *group = postgresql_store_of(store)->group;
    struct record_format format;
    struct rows rows;

    *readiness =
        group != NULL && group_commit_hangs(group, fault) ? STORE_COMMIT_WAITS : STORE_READY;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    format_read(&rows, &format);
    return verbs_read_end(&rows, true);
}

/* A copy in a directory, which another store of either kind can be made of. It gets the key of its
 * records with the first of them. */
static enum store_result backup(struct store *store, const char *directory, struct fault *fault)
{
    char url[STORE_URL_MAX];
    const char *wrong = NULL;
    struct store_settings settings = {.url = url, .create = true, .now_ms = 1};
    enum store_result result = STORE_FAULT;
    struct store *copy;

    if (store_url_complete(directory, url, sizeof url, &wrong) != STORE_URL_GOOD ||
        store_url_directory(url) == NULL) {
        fault_set(fault, "%s is no directory for a backup", directory);
        return STORE_FAULT;
    }
    copy = store_open(&settings, fault);
    if (copy != NULL) {
        result = copy_all(store, copy, NULL, NULL, fault);
        store_close(copy);
    }
    return result == STORE_EXISTS ? STORE_FAULT : result;
}

static enum store_result restore(const struct store_settings *settings, const char *place,
                                 const char *from, struct store_restored *restored,
                                 struct fault *fault)
{
    (void)settings;
    (void)place;
    (void)from;
    (void)restored;
    fault_set(fault, "a database is put back by its own means; or copy a backup into an empty one "
                     "with `retoken store copy`");
    return STORE_FAULT;
}

const struct store_kind postgresql_kind = {
    .scheme = "postgresql",
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
    .facts = postgresql_facts_list,
    .remarks = postgresql_facts_remarks,
    .clock_ahead = sweep_clock_ahead,
    .notice = notice,
    .check = check_all,
    .backup = backup,
    .copy = copy_all,
    .restore = restore,
};
