/* SPDX-License-Identifier: ISC */
/* check.c: `retoken store check`: reads everything in one snapshot and tells what does not fit.
 * Knows how the tables refer to each other; repairs nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "store/verbs/verbs.h"
#include "store/verbs/outbox.h"

struct checking {
    struct rows rows;
    struct fault words; /* of the last error in rows */
    const struct store_check *report;
    uint64_t owned, of_owners;     /* marks that have an owner, and those that owners count */
    bool marks_unread;             /* some of them */
    uint64_t waiting, of_outboxes; /* rows of the outbox, and those that subscriptions count */
    bool outbox_unread;            /* some of it */
    uint64_t findings, done, total;
};

enum { PROGRESS_EVERY = 1000 };

typedef void row_check(struct checking *checking, const struct rows_key *key);
static row_check check_meta, check_session, check_alias, check_account, check_name, check_client,
    check_signing_key, check_owner, check_end, check_event, check_mark, check_mark_end,
    check_repeat, check_outbox, check_delivery;

static row_check *const checks[TABLES] = {
    [TABLE_META] = check_meta,          [TABLE_SESSIONS] = check_session,
    [TABLE_ALIASES] = check_alias,      [TABLE_ACCOUNTS] = check_account,
    [TABLE_NAMES] = check_name,         [TABLE_CLIENTS] = check_client,
    [TABLE_KEYS] = check_signing_key,   [TABLE_OWNERS] = check_owner,
    [TABLE_ENDS] = check_end,           [TABLE_EVENTS] = check_event,
    [TABLE_MARKS] = check_mark,         [TABLE_MARK_ENDS] = check_mark_end,
    [TABLE_REPEATS] = check_repeat,     [TABLE_OUTBOX] = check_outbox,
    [TABLE_DELIVERIES] = check_delivery};

static void found(struct checking *checking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void count_row(struct checking *checking);

/* ---- all ---- */

static void check_table(struct checking *checking, enum table table)
{
    struct rows_key key = rows_key_first();
    enum txn_seek seek = TXN_FROM;

    for (; rows_next(&checking->rows, table, seek, &key); seek = TXN_AFTER) {
        checks[table](checking, &key);
        checking->rows.failed = false; /* a finding, or another row's */
        count_row(checking);
    }
}

static void check_owned(struct checking *checking)
{
    if (!checking->marks_unread && checking->owned != checking->of_owners) {
        found(checking, "%llu marks have an owner, but owners count %llu",
              (unsigned long long)checking->owned, (unsigned long long)checking->of_owners);
    }
}

static void check_waiting(struct checking *checking)
{
    if (!checking->outbox_unread && checking->waiting != checking->of_outboxes) {
        found(checking, "%llu events wait in the outbox, but subscriptions count %llu",
              (unsigned long long)checking->waiting, (unsigned long long)checking->of_outboxes);
    }
}

enum store_result check_all(struct store *store, const struct store_check *check,
                            uint64_t *findings, struct fault *fault)
{
    struct checking checking = {.report = check};
    uint64_t entries;

    *findings = 0;
    if (!verbs_read_begin(store, &checking.rows, fault)) {
        return STORE_FAULT;
    }
    checking.rows.fault = &checking.words;
    for (size_t i = 0; i < TABLES && !checking.rows.failed; i++) {
        checking.rows.failed = checking.rows.txn.kind->count(&checking.rows.txn, (enum table)i,
                                                             &entries, &checking.words) != TXN_OK;
        checking.total += checking.rows.failed ? 0 : entries;
    }
    for (size_t i = 0; i < TABLES && !checking.rows.failed; i++) {
        check_table(&checking, (enum table)i);
    }
    check_owned(&checking);
    check_waiting(&checking);
    if (verbs_of(store)->check != NULL) {
        verbs_of(store)->check(store, check, &checking.findings);
    }
    *findings = checking.findings;
    if (checking.rows.failed) {
        fault_set(fault, "%s", checking.words.text);
    }
    return verbs_read_end(&checking.rows, true);
}

static void found(struct checking *checking, const char *format, ...)
{
    char line[400];
    va_list arguments;

    checking->findings++;
    if (checking->report->found != NULL) {
        va_start(arguments, format);
        vsnprintf(line, sizeof line, format, arguments);
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

/* A record that cannot be read: its own words are the finding. */
static bool readable(struct checking *checking, bool was_found)
{
    if (checking->rows.failed) {
        found(checking, "%s", checking->words.text);
        checking->rows.failed = false;
    }
    return was_found;
}

/* Not there, and not merely damaged, which is reported where those records are read. */
static bool is_absent(struct checking *checking, bool was_found)
{
    bool failed = checking->rows.failed;

    checking->rows.failed = false;
    return !was_found && !failed;
}

/* ---- one row of each table ---- */

static bool is_ours(struct checking *checking, enum table table, const struct rows_key *key,
                    bool ours)
{
    if (!ours) {
        found(checking, "a key of %zu bytes in %s: none of ours", key->size, table_name(table));
    }
    return ours;
}

static void check_index_of_session(struct checking *checking, const struct record_session *stored,
                                   const char *name)
{
    const struct session *session = &stored->session;
    struct rows_key owner = rows_owner_key(session->account, session->id);
    struct rows_key end = rows_end_key(stored->entry_ms, session->id);

    bool listed = rows_index_get(&checking->rows, TABLE_OWNERS, &owner);

    if (listed != (session->pending == SESSION_BEGUN)) {
        found(checking, "session %s: %s its account %llu", name,
              listed ? "pending, but listed under" : "not listed under",
              (unsigned long long)session->account);
    }
    if (stored->entry_ms != 0 && !rows_index_get(&checking->rows, TABLE_ENDS, &end)) {
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

    if (is_absent(checking, rows_alias_get(&checking->rows, session->alias, &alias))) {
        found(checking, "session %s: the alias of its first token is missing", name);
    }
}

static void check_session(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    char name[37];

    if (!is_ours(checking, TABLE_SESSIONS, key, key->size == SESSION_ID_SIZE) ||
        !readable(checking, rows_session_get(&checking->rows, key->bytes, &stored))) {
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
    char name[37];
    bool there;

    if (!is_ours(checking, TABLE_ALIASES, key, key->size == SESSION_HASH_SIZE) ||
        !readable(checking, rows_alias_get(&checking->rows, key->bytes, &alias))) {
        return;
    }
    codec_uuid_format(alias.id, name);
    there = rows_session_get(&checking->rows, alias.id, &stored);
    if (is_absent(checking, there)) {
        found(checking, "an alias leads to session %s, which is not there", name);
    } else if (there && alias.generation > stored.session.generation) {
        found(checking, "an alias leads to generation %u of session %s, which is at %u",
              (unsigned)alias.generation, name, (unsigned)stored.session.generation);
    }
}

static void check_account(struct checking *checking, const struct rows_key *key)
{
    struct account account;
    uint64_t number;
    bool there;

    if (!is_ours(checking, TABLE_ACCOUNTS, key, key->size == 8) ||
        !readable(checking,
                  rows_account_get(&checking->rows, codec_get_u64(key->bytes), &account))) {
        return;
    }
    there = rows_name_get(&checking->rows, account.name, &number);
    if (there ? number != account.number : is_absent(checking, there)) {
        found(checking, "account %s: its name does not lead to it", account.name);
    }
}

static void check_name(struct checking *checking, const struct rows_key *key)
{
    struct account account;
    char name[TABLE_KEY_MAX + 1];
    uint64_t number;

    rows_key_read_text(key, name);
    if (!readable(checking, rows_name_get(&checking->rows, name, &number))) {
        return;
    }
    if (is_absent(checking, rows_account_get(&checking->rows, number, &account))) {
        found(checking, "account name %s leads to number %llu, which is not there", name,
              (unsigned long long)number);
    }
}

static void check_client(struct checking *checking, const struct rows_key *key)
{
    struct client client;
    char id[TABLE_KEY_MAX + 1];
    bool there;

    rows_key_read_text(key, id);
    there = rows_client_get(&checking->rows, id, &client);
    if (!there && !checking->rows.failed) {
        found(checking, "a client's id is none of ours");
    }
    readable(checking, there);
}

static void check_signing_key(struct checking *checking, const struct rows_key *key)
{
    struct signing_row row;

    if (is_ours(checking, TABLE_KEYS, key, key->size == 4)) {
        readable(checking, rows_signing_get(&checking->rows, codec_get_u32(key->bytes), &row));
    }
}

static void check_owner(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    uint8_t id[SESSION_ID_SIZE];
    char name[37];
    uint64_t account;
    bool there;

    if (!is_ours(checking, TABLE_OWNERS, key, rows_owner_split(key, &account, id))) {
        return;
    }
    codec_uuid_format(id, name);
    there = rows_session_get(&checking->rows, id, &stored);
    if (there ? stored.session.account != account : is_absent(checking, there)) {
        found(checking, "account %llu lists session %s, which is not its own",
              (unsigned long long)account, name);
    }
}

static void check_end(struct checking *checking, const struct rows_key *key)
{
    struct record_session stored;
    uint8_t id[SESSION_ID_SIZE];
    char name[37];
    int64_t at_ms;
    bool there;

    if (!is_ours(checking, TABLE_ENDS, key, rows_end_split(key, &at_ms, id))) {
        return;
    }
    codec_uuid_format(id, name);
    there = rows_session_get(&checking->rows, id, &stored);
    if (is_absent(checking, there)) {
        found(checking, "an entry in ends leads to session %s, which is not there", name);
    } else if (there && stored.entry_ms != at_ms) {
        found(checking, "session %s has an entry in ends that it does not know", name);
    }
}

static void check_event(struct checking *checking, const struct rows_key *key)
{
    enum event_class of;
    struct event event;
    struct rows_key repeat;
    uint64_t number;

    if (!is_ours(checking, TABLE_EVENTS, key, rows_event_split(key, &of, &number)) ||
        !readable(checking, rows_event_get(&checking->rows, key, &event))) {
        return;
    }
    repeat = rows_repeat_key(&event, key);
    if (events_is_counted(&event) &&
        is_absent(checking, rows_index_get(&checking->rows, TABLE_REPEATS, &repeat))) {
        found(checking, "event %llu is not found when it is told again",
              (unsigned long long)number);
    }
}

static void check_repeat(struct checking *checking, const struct rows_key *key)
{
    struct rows_key event_key, repeat;
    struct event event;
    bool there;

    if (!is_ours(checking, TABLE_REPEATS, key, rows_repeat_split(key, &event_key))) {
        return;
    }
    there = rows_event_get(&checking->rows, &event_key, &event);
    repeat = rows_repeat_key(&event, &event_key);
    if (there ? memcmp(repeat.bytes, key->bytes, key->size) != 0 : is_absent(checking, there)) {
        found(checking, "an entry in repeats leads to another event, or to none");
    }
}

static void check_mark(struct checking *checking, const struct rows_key *key)
{
    struct mark mark;
    struct rows_key end;
    enum mark_kind kind;
    uint8_t hash[MARK_HASH_SIZE];

    if (!is_ours(checking, TABLE_MARKS, key, rows_mark_split(key, &kind, hash)) ||
        !readable(checking, rows_mark_get(&checking->rows, kind, hash, &mark))) {
        checking->marks_unread = true;
        return;
    }
    if (kind == MARK_OWNER) {
        checking->of_owners += mark.count;
        return;
    }
    checking->owned += mark_has_owner(mark.owner) ? 1 : 0;
    end = rows_mark_end_key(kind, mark.until_ms, hash);
    if (!rows_index_get(&checking->rows, TABLE_MARK_ENDS, &end)) {
        found(checking, "a mark has no entry in mark_ends; it would never be removed");
    }
}

static void check_mark_end(struct checking *checking, const struct rows_key *key)
{
    struct mark mark;
    enum mark_kind kind;
    int64_t until_ms;
    uint8_t hash[MARK_HASH_SIZE];
    bool there;

    if (!is_ours(checking, TABLE_MARK_ENDS, key,
                 rows_mark_end_split(key, &kind, &until_ms, hash))) {
        return;
    }
    there = rows_mark_get(&checking->rows, kind, hash, &mark);
    if (is_absent(checking, there) || (there && mark.until_ms != until_ms)) {
        found(checking, "an entry in mark_ends leads to a mark that is not there");
    }
}

static void check_row(struct checking *checking, const char *subscription,
                      const struct record_delivery *row);

static void check_outbox(struct checking *checking, const struct rows_key *key)
{
    char subscription[TABLE_KEY_MAX + 1];
    struct rows_delivery_place place;
    struct record_outbox counts;
    struct record_delivery row;

    rows_key_read_text(key, subscription);
    if (rows_delivery_split(key, subscription, &place)) {
        if (readable(checking, rows_delivery_get(&checking->rows, subscription, place.part,
                                                 place.of, place.number, &row))) {
            check_row(checking, subscription, &row);
        } else {
            checking->outbox_unread = true;
        }
        return;
    }
    rows_outbox_get(&checking->rows, subscription, &counts);
    checking->outbox_unread |= checking->rows.failed;
    if (is_ours(checking, TABLE_OUTBOX, key, key->size == strlen(subscription) + 1) &&
        readable(checking, !checking->rows.failed)) {
        for (size_t i = 0; i < DELIVERY_STATES; i++) {
            checking->of_outboxes += counts.rows[i];
        }
    }
}

/* With the entries of its state. */
static void check_row(struct checking *checking, const char *subscription,
                      const struct record_delivery *row)
{
    struct rows_key entries[OUTBOX_ENTRIES_MOST];
    size_t count = outbox_entries(subscription, row, entries);

    checking->waiting++;
    for (size_t i = 0; i < count; i++) {
        if (!rows_index_get(&checking->rows, TABLE_DELIVERIES, &entries[i])) {
            found(checking, "event %llu is never delivered to %s: it has no entry in deliveries",
                  (unsigned long long)row->event.number, subscription);
            return;
        }
    }
}

static bool is_entry_of(const struct rows_key *key, const char *subscription,
                        const struct record_delivery *row);

static void check_delivery(struct checking *checking, const struct rows_key *key)
{
    char subscription[TABLE_KEY_MAX + 1];
    struct record_delivery row;
    struct rows_waiting place;
    bool there;

    rows_key_read_text(key, subscription);
    if (!is_ours(checking, TABLE_DELIVERIES, key,
                 strlen(subscription) <= STORE_SUBSCRIPTION_MAX &&
                     rows_entry_split(key, subscription, &place))) {
        return;
    }
    there = rows_delivery_get_waiting(&checking->rows, subscription, &place, &row);
    if (is_absent(checking, there) || (there && !is_entry_of(key, subscription, &row))) {
        found(checking, "an entry in deliveries leads to another event of %s, or to none",
              subscription);
    }
}

static bool is_entry_of(const struct rows_key *key, const char *subscription,
                        const struct record_delivery *row)
{
    struct rows_key entries[OUTBOX_ENTRIES_MOST];
    size_t count = outbox_entries(subscription, row, entries);

    for (size_t i = 0; i < count; i++) {
        if (key->size == entries[i].size && memcmp(key->bytes, entries[i].bytes, key->size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_key(const struct rows_key *key, const char *name)
{
    return key->size == strlen(name) && memcmp(key->bytes, name, key->size) == 0;
}

static void check_meta(struct checking *checking, const struct rows_key *key)
{
    struct record_counters counters;
    struct record_chains chains;
    struct record_epochs epochs;
    struct record_time time;

    if (is_key(key, "counters")) {
        readable(checking, rows_counters_get(&checking->rows, &counters));
    } else if (is_key(key, "chains")) {
        rows_chains_get(&checking->rows, &chains);
        readable(checking, !checking->rows.failed);
    } else if (is_key(key, "epochs")) {
        rows_epochs_get(&checking->rows, &epochs);
        readable(checking, !checking->rows.failed);
    } else if (is_key(key, "time")) {
        readable(checking, rows_time_get(&checking->rows, &time));
    } else if (!is_key(key, "format") && !is_key(key, "ended")) {
        found(checking, "a key of %zu bytes in meta: none of ours", key->size);
    }
}
