/* check.c: `retoken store check`: reads everything in one snapshot and tells what does not fit.
 * Knows how the tables refer to each other; repairs nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "store/store_private.h"

struct checking {
    struct rows rows;
    const struct store_check *report;
    uint64_t findings, done, total;
    struct fault *fault;
};

enum { PROGRESS_EVERY = 1000 };

static void found(struct checking *checking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void found(struct checking *checking, const char *format, ...)
{
    char line[400];
    va_list arguments;

    checking->findings++;
    if (checking->report->found != NULL) {
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        checking->report->found(checking->report->self, line);
    }
}

static void count_row(struct checking *checking)
{
    checking->done++;
    if (checking->report->progress != NULL && checking->done % PROGRESS_EVERY == 0) {
        checking->report->progress(checking->report->self, checking->done, checking->total);
    }
}

/* A record that a typed get did not like: its own words are the finding. */
static bool readable(struct checking *checking, enum store_result result, const struct fault *fault)
{
    if (result == STORE_FAULT) {
        found(checking, "%s", fault->text);
    }
    return result == STORE_OK;
}

/* ---- one row of each table ---- */

static void check_key_size(struct checking *checking, enum engine_table table,
                           const struct rows_key *key, size_t right)
{
    if (key->size != right) {
        found(checking, "a key of %zu bytes in %s: none of ours", key->size,
              engine_table_name(table));
    }
}

static void check_index_of_session(struct checking *checking, const struct record_session *stored,
                                   const char *name)
{
    const struct session *session = &stored->session;
    struct rows_key owner = rows_owner_key(session->account, session->id);
    struct rows_key end = rows_end_key(stored->entry_ms, session->id);
    struct fault fault = {""};

    if (rows_index_get(&checking->rows, TABLE_OWNERS, &owner, &fault) != STORE_OK) {
        found(checking, "session %s: not listed under its account %llu", name,
              (unsigned long long)session->account);
    }
    if (stored->entry_ms != 0 &&
        rows_index_get(&checking->rows, TABLE_ENDS, &end, &fault) != STORE_OK) {
        found(checking, "session %s: no entry in ends; it would never be removed", name);
    } else if (stored->entry_ms == 0 &&
               (session->expires_ms != 0 || session->end != SESSION_LIVE)) {
        found(checking, "session %s: ends, but has no entry in ends", name);
    }
}

static void check_alias_of_session(struct checking *checking, const struct session *session,
                                   const char *name)
{
    struct record_alias alias;
    struct fault fault = {""};

    /* A damaged alias is reported where the aliases are read. */
    if (rows_alias_get(&checking->rows, session->alias, &alias, &fault) == STORE_ABSENT) {
        found(checking, "session %s: the alias of its first token is missing", name);
    }
}

static void check_session(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    struct fault fault = {""};
    char name[37];

    check_key_size(checking, TABLE_SESSIONS, key, SESSION_ID_SIZE);
    if (key->size != SESSION_ID_SIZE ||
        !readable(checking, rows_session_get(&checking->rows, key->bytes, &stored, &fault),
                  &fault)) {
        return;
    }
    codec_uuid_format(key->bytes, name);
    check_index_of_session(checking, &stored, name);
    if (stored.session.has_alias) {
        check_alias_of_session(checking, &stored.session, name);
    }
}

static void check_alias(struct checking *checking, const struct rows_key *key)
{
    struct record_alias alias;
    struct record_session stored;
    struct fault fault = {""};
    char name[37];
    enum store_result result;

    check_key_size(checking, TABLE_ALIASES, key, SESSION_HASH_SIZE);
    if (key->size != SESSION_HASH_SIZE ||
        !readable(checking, rows_alias_get(&checking->rows, key->bytes, &alias, &fault), &fault)) {
        return;
    }
    codec_uuid_format(alias.id, name);
    result = rows_session_get(&checking->rows, alias.id, &stored, &fault);
    if (result == STORE_ABSENT) {
        found(checking, "an alias leads to session %s, which is not there", name);
    } else if (result == STORE_OK && alias.generation > stored.session.generation) {
        found(checking, "an alias leads to generation %u of session %s, which is at %u",
              (unsigned)alias.generation, name, (unsigned)stored.session.generation);
    }
}

static void check_account(struct checking *checking, const struct rows_key *key)
{
    struct account account;
    struct fault fault = {""};
    uint64_t number;

    check_key_size(checking, TABLE_ACCOUNTS, key, 8);
    if (key->size != 8 ||
        !readable(checking,
                  rows_account_get(&checking->rows, codec_get_u64(key->bytes), &account, &fault),
                  &fault)) {
        return;
    }
    if (rows_name_get(&checking->rows, account.name, &number, &fault) == STORE_ABSENT ||
        number != account.number) {
        found(checking, "account %s: its name does not lead to it", account.name);
    }
}

static void check_name(struct checking *checking, const struct rows_key *key)
{
    struct account account;
    struct fault fault = {""};
    char name[ENGINE_KEY_MAX + 1];
    uint64_t number;

    memcpy(name, key->bytes, key->size);
    name[key->size] = '\0';
    if (!readable(checking, rows_name_get(&checking->rows, name, &number, &fault), &fault)) {
        return;
    }
    if (rows_account_get(&checking->rows, number, &account, &fault) == STORE_ABSENT) {
        found(checking, "account name %s leads to number %llu, which is not there", name,
              (unsigned long long)number);
    }
}

static void check_client(struct checking *checking, const struct rows_key *key)
{
    struct client client;
    struct fault fault = {""};
    char id[ENGINE_KEY_MAX + 1];

    memcpy(id, key->bytes, key->size);
    id[key->size] = '\0';
    if (rows_client_get(&checking->rows, id, &client, &fault) != STORE_OK) {
        found(checking, "%s", fault.text[0] != '\0' ? fault.text : "a client's id is none of ours");
    }
}

static void check_signing_key(struct checking *checking, const struct rows_key *key)
{
    struct signing_row row;
    struct fault fault = {""};

    check_key_size(checking, TABLE_KEYS, key, 4);
    if (key->size == 4) {
        readable(checking, rows_key_get(&checking->rows, codec_get_u32(key->bytes), &row, &fault),
                 &fault);
    }
}

static void check_owner(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    struct fault fault = {""};
    uint8_t id[SESSION_ID_SIZE];
    char name[37];
    uint64_t account;
    enum store_result result;

    check_key_size(checking, TABLE_OWNERS, key, 8 + SESSION_ID_SIZE);
    if (!rows_owner_split(key, &account, id)) {
        return;
    }
    codec_uuid_format(id, name);
    result = rows_session_get(&checking->rows, id, &stored, &fault);
    if (result == STORE_ABSENT || (result == STORE_OK && stored.session.account != account)) {
        found(checking, "account %llu lists session %s, which is not its own",
              (unsigned long long)account, name);
    }
}

static void check_end(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    struct fault fault = {""};
    uint8_t id[SESSION_ID_SIZE];
    char name[37];
    int64_t at_ms;
    enum store_result result;

    check_key_size(checking, TABLE_ENDS, key, 8 + SESSION_ID_SIZE);
    if (!rows_end_split(key, &at_ms, id)) {
        return;
    }
    codec_uuid_format(id, name);
    result = rows_session_get(&checking->rows, id, &stored, &fault);
    if (result == STORE_ABSENT) {
        found(checking, "an entry in ends leads to session %s, which is not there", name);
    } else if (result == STORE_OK && stored.entry_ms != at_ms) {
        found(checking, "session %s has an entry in ends that it does not know", name);
    }
}

static void check_event(struct checking *checking, const struct rows_key *key)
{
    struct event event;
    struct fault fault = {""};

    check_key_size(checking, TABLE_EVENTS, key, 8);
    if (key->size == 8) {
        readable(checking,
                 rows_event_get(&checking->rows, codec_get_u64(key->bytes), &event, &fault),
                 &fault);
    }
}

static void check_meta(struct checking *checking, const struct rows_key *key)
{
    struct record_counters counters;
    struct fault fault = {""};

    if (key->size == strlen("counters") && memcmp(key->bytes, "counters", key->size) == 0) {
        readable(checking, rows_counters_get(&checking->rows, &counters, &fault), &fault);
    } else if (key->size != strlen("format") || memcmp(key->bytes, "format", key->size) != 0) {
        found(checking, "a key of %zu bytes in meta: none of ours", key->size);
    }
}

/* ---- all ---- */

static void (*const checks[ENGINE_TABLES])(struct checking *, const struct rows_key *) = {
    [TABLE_META] = check_meta,        [TABLE_SESSIONS] = check_session,
    [TABLE_ALIASES] = check_alias,    [TABLE_ACCOUNTS] = check_account,
    [TABLE_NAMES] = check_name,       [TABLE_CLIENTS] = check_client,
    [TABLE_KEYS] = check_signing_key, [TABLE_OWNERS] = check_owner,
    [TABLE_ENDS] = check_end,         [TABLE_EVENTS] = check_event};

static enum store_result check_table(struct checking *checking, enum engine_table table)
{
    struct rows_key key = rows_key_first();
    enum store_result result =
        rows_next(&checking->rows, table, ENGINE_FROM, &key, checking->fault);

    while (result == STORE_OK) {
        checks[table](checking, &key);
        count_row(checking);
        result = rows_next(&checking->rows, table, ENGINE_AFTER, &key, checking->fault);
    }
    return result == STORE_ABSENT ? STORE_OK : result;
}

static enum store_result check_all(struct checking *checking)
{
    struct engine_stat stat;
    enum store_result result = STORE_OK;

    if (checking->rows.kind->stat(&checking->rows.txn, &stat, checking->fault) != ENGINE_OK) {
        return STORE_FAULT;
    }
    for (size_t table = 0; table < ENGINE_TABLES; table++) {
        checking->total += stat.entries[table];
    }
    for (size_t table = 0; table < ENGINE_TABLES && result == STORE_OK; table++) {
        result = check_table(checking, (enum engine_table)table);
    }
    return result;
}

enum store_result store_check(struct store *store, const struct store_check *check,
                              uint64_t *findings, struct fault *fault)
{
    struct checking checking = {.report = check, .fault = fault};
    enum store_result result = store_private_read_begin(store, &checking.rows, fault);

    *findings = 0;
    if (result == STORE_OK) {
        result = check_all(&checking);
        *findings = checking.findings;
        store_private_read_end(&checking.rows);
    }
    return result;
}
