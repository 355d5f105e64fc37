/* SPDX-License-Identifier: ISC */
/* fixture.c: see fixture.h. */
#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "store/server.h"

static bool derive(void *self, uint8_t secret, const uint8_t session[SESSION_ID_SIZE],
                   uint32_t generation, uint8_t alias[SESSION_HASH_SIZE])
{
    (void)self;
    memset(alias, 0xda, SESSION_HASH_SIZE);
    memcpy(alias, session, SESSION_ID_SIZE);
    codec_put_u32(alias + SESSION_ID_SIZE, generation);
    alias[SESSION_HASH_SIZE - 1] ^= secret;
    return true;
}

static void take_over(struct fixture *fixture);

static struct fixture *make(void)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    char path[sizeof fixture->directory];

    fixture->settings = (struct store_settings){.url = fixture->url,
                                                .create = true,
                                                .keep_ended_ms = FIXTURE_KEEP,
                                                .now_ms = FIXTURE_NOW,
                                                .derived_alias = derive};
    memset(fixture->settings.record_key, 0x5a, sizeof fixture->settings.record_key);
    assert_true(scratch_make(fixture->root));
    snprintf(path, sizeof path, "%s/counts", fixture->root);
    fixture->settings.metrics = metrics_open(path, 0, NULL, 0, &fixture->answers, &fixture->fault);
    assert_non_null(fixture->settings.metrics);
    return fixture;
}

int fixture_lmdb_closed(void **state)
{
    struct fixture *fixture = make();

    snprintf(fixture->directory, sizeof fixture->directory, "%s/store", fixture->root);
    snprintf(fixture->url, sizeof fixture->url, "lmdb:%s", fixture->directory);
    *state = fixture;
    return 0;
}

int fixture_lmdb(void **state)
{
    fixture_lmdb_closed(state);
    fixture_open(*state);
    return 0;
}

int fixture_postgresql(void **state)
{
    struct fixture *fixture = make();

    server_fresh(fixture->url, sizeof fixture->url);
    fixture->settings.writer_wait_ms = CLOCK_MINUTE; /* the contract is not about time */
    *state = fixture;
    fixture_open(fixture);
    return 0;
}

int fixture_remove(void **state)
{
    struct fixture *fixture = *state;

    fixture_close(fixture);
    metrics_close(fixture->settings.metrics);
    scratch_remove(fixture->root);
    test_free(fixture);
    return 0;
}

void fixture_open(struct fixture *fixture)
{
    fixture->store = store_open(&fixture->settings, &fixture->fault);
    if (fixture->store == NULL) {
        fail_msg("store_open: %s", fixture->fault.text);
    }
    take_over(fixture);
}

static int64_t tell_wall(void *self)
{
    return ((const struct fixture *)self)->now.wall_ms;
}

static void tell_boot(void *self, struct clock_moment *moment)
{
    const struct fixture *fixture = self;

    moment->boot = fixture->now.boot;
    moment->boot_ms = fixture->now.boot_ms;
}

void fixture_open_with_clock(struct fixture *fixture, struct clock_moment now)
{
    fixture->now = now;
    fixture->settings.clock =
        (struct clock){.now_ms = tell_wall, .self = fixture, .boot = tell_boot};
    fixture_close(fixture);
    fixture_open(fixture);
}

void fixture_close(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

void fixture_open_fails(struct fixture *fixture, const char *words)
{
    fixture->fault.text[0] = '\0';
    fixture->store = store_open(&fixture->settings, &fixture->fault);
    assert_null(fixture->store);
    if (strstr(fixture->fault.text, words) == NULL) {
        fail_msg("the fault should say \"%s\": %s", words, fixture->fault.text);
    }
}

uint64_t fixture_account(struct fixture *fixture, const char *name)
{
    struct account account = {.enabled = true, .created_ms = FIXTURE_NOW};

    snprintf(account.name, sizeof account.name, "%s", name);
    assert_store(STORE_OK, store_account_add(fixture->store, &account, &fixture->fault));
    return account.number;
}

static void id_of(uint32_t n, uint8_t id[SESSION_ID_SIZE])
{
    memcpy(id, "\x01\x8b\xcf\xe5\x68\x00\x70\x00\x80\x00\x00\x00", 12);
    codec_put_u32(id + 2, n); /* UUIDv7: the time first */
    codec_put_u32(id + 12, n * 2654435761u);
}

struct session fixture_session(uint32_t n)
{
    struct session session = {.account = 1,
                              .scope_given = true,
                              .created_ms = FIXTURE_NOW,
                              .rotated_ms = FIXTURE_NOW,
                              .used_ms = FIXTURE_NOW,
                              .expires_ms = FIXTURE_NOW + 10000,
                              .realm = "/oauth/token",
                              .client = "web",
                              .scope = "openid profile"};

    id_of(n, session.id);
    return session;
}

void fixture_add_session(struct fixture *fixture, uint32_t n)
{
    struct session session = fixture_session(n);
    enum store_result result =
        store_session_create(fixture->store, &session, NULL, &fixture->fault);

    if (result != STORE_OK) {
        fail_msg("store_session_create: %d, %s", result, fixture->fault.text);
    }
}

struct store_rotation fixture_rotation(uint32_t n, uint32_t from, int64_t now_ms)
{
    struct store_rotation rotation = {
        .from = from, .to = from + 1, .now_ms = now_ms, .expires_ms = FIXTURE_NOW + 10000};

    id_of(n, rotation.id);
    return rotation;
}

struct session fixture_find(struct fixture *fixture, uint32_t n)
{
    struct session_view grant;
    uint8_t id[SESSION_ID_SIZE];
    enum store_result result;

    id_of(n, id);
    result = store_session_view(fixture->store, id, &grant, &fixture->fault);
    if (result != STORE_OK) {
        fail_msg("store_session_view: %d, %s", result, fixture->fault.text);
    }
    return grant.session;
}

void fixture_derived(uint32_t n, uint32_t generation, uint8_t alias[SESSION_HASH_SIZE])
{
    uint8_t id[SESSION_ID_SIZE];

    id_of(n, id);
    derive(NULL, 0, id, generation, alias);
}

uint64_t fixture_findings(struct fixture *fixture)
{
    static const struct store_check silent;
    uint64_t findings;

    assert_store(STORE_OK, store_check(fixture->store, &silent, &findings, &fixture->fault));
    return findings;
}

void fixture_write_something(struct fixture *fixture, int64_t now_ms)
{
    struct event event = {.at_ms = now_ms, .kind = EVENT_ACCOUNT};

    assert_store(STORE_OK, store_event_add(fixture->store, &event, &fixture->fault));
}

size_t fixture_prune(struct fixture *fixture, int64_t now_ms, size_t most, bool more_expected)
{
    size_t removed = 99;
    bool more = !more_expected;

    assert_store(STORE_OK, store_prune(fixture->store, now_ms, false, most, &removed, &more,
                                       &fixture->fault));
    assert_int_equal(more, more_expected);
    return removed;
}

void fixture_assert_fact(struct fixture *fixture, const char *name, uint64_t expected)
{
    struct store_fact facts[STORE_FACTS_MAX];
    size_t count;

    assert_store(STORE_OK, store_facts(fixture->store, facts, &count, &fixture->fault));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(facts[i].name, name) == 0) {
            assert_int_equal(facts[i].number, expected);
            return;
        }
    }
    fail_msg("there is no fact \"%s\"", name);
}

/* ---- behind the seam ---- */

uint64_t fixture_entries(struct fixture *fixture, enum table table)
{
    struct rows rows;
    uint64_t entries;

    fixture_read_begin(fixture, &rows);
    assert_int_equal(TXN_OK, rows.txn.kind->count(&rows.txn, table, &entries, &fixture->fault));
    fixture_read_end(&rows);
    return entries;
}

void fixture_entries_all(struct fixture *fixture, uint64_t entries[TABLES])
{
    for (size_t table = 0; table < TABLES; table++) {
        entries[table] = fixture_entries(fixture, (enum table)table);
    }
}

uint64_t fixture_sessions(struct fixture *fixture)
{
    return fixture_entries(fixture, TABLE_SESSIONS);
}

uint64_t fixture_commits(struct fixture *fixture)
{
    return metrics_value(fixture->settings.metrics, METRIC_COMMITS);
}

void fixture_read_begin(struct fixture *fixture, struct rows *rows)
{
    if (!verbs_read_begin(fixture->store, rows, &fixture->fault)) {
        fail_msg("verbs_read_begin: %s", fixture->fault.text);
    }
}

void fixture_read_end(struct rows *rows)
{
    verbs_read_end(rows, true);
}

/* The kind of a write that is the test's own; of.account_remove leads to one of these. */
enum { OWN_KIND = 1000 };
struct own_write {
    fixture_apply *apply;
    void *what;
};

static enum store_result apply(const struct verbs *verbs, struct rows *rows,
                               struct store_write *write)
{
    const struct own_write *own = (const void *)write->of.account_remove;

    return (int)write->kind == OWN_KIND ? own->apply(rows, own->what)
                                        : verbs_apply(verbs, rows, write);
}

static void take_over(struct fixture *fixture)
{
    verbs_of(fixture->store)->apply = apply;
}

enum store_result fixture_write(struct fixture *fixture, fixture_apply *apply_own, void *what,
                                struct fault *fault)
{
    struct own_write own = {apply_own, what};
    struct store_write write = {.kind = (enum store_write_kind)OWN_KIND,
                                .of.account_remove = (const void *)&own};

    return store_write(fixture->store, &write, fault);
}

static enum store_result apply_events(struct rows *rows, void *what)
{
    struct event event = {.kind = EVENT_KEY};

    for (int i = 1; i <= *(const int *)what; i++) {
        event.at_ms = i;
        events_append(rows, &event);
    }
    return STORE_OK;
}

enum store_result fixture_add_events(struct fixture *fixture, int count)
{
    return fixture_write(fixture, apply_events, &count, &fixture->fault);
}

void fixture_damage_first(struct fixture *fixture, enum table table, size_t at)
{
    struct rows_key key = rows_key_first();
    struct txn_bytes name, value;
    uint8_t copy[RECORD_SIZE_MAX];
    struct rows rows;

    fixture_read_begin(fixture, &rows);
    assert_true(rows_next(&rows, table, TXN_FROM, &key));
    name = (struct txn_bytes){key.bytes, key.size};
    assert_int_equal(rows.txn.kind->get(&rows.txn, table, name, &value, &fixture->fault), TXN_OK);
    memcpy(copy, value.data, value.size);
    copy[at % value.size] ^= 1;
    value.data = copy;
    fixture_read_end(&rows);
    fixture_put_raw(fixture, table, name, value);
}

/* What a hand with an editor does. */
struct raw {
    enum table table;
    struct txn_bytes key, value;
    bool removes;
};

static enum store_result apply_raw(struct rows *rows, void *what)
{
    const struct raw *raw = what;
    const struct txn_kind *kind = rows->txn.kind;

    assert_int_equal(TXN_OK,
                     raw->removes
                         ? kind->remove(&rows->txn, raw->table, raw->key, rows->fault)
                         : kind->put(&rows->txn, raw->table, raw->key, raw->value, rows->fault));
    rows->changes++;
    return STORE_OK;
}

void fixture_put_raw(struct fixture *fixture, enum table table, struct txn_bytes key,
                     struct txn_bytes value)
{
    struct raw raw = {table, key, value, false};

    assert_store(STORE_OK, fixture_write(fixture, apply_raw, &raw, &fixture->fault));
}

void fixture_remove_raw(struct fixture *fixture, enum table table, struct txn_bytes key)
{
    struct raw raw = {table, key, {NULL, 0}, true};

    assert_store(STORE_OK, fixture_write(fixture, apply_raw, &raw, &fixture->fault));
}

/* ---- of "lmdb" only ---- */

struct env_stat fixture_stat(struct fixture *fixture)
{
    struct env_stat stat;
    struct rows rows;

    fixture_read_begin(fixture, &rows);
    assert_int_equal(env_stat(&rows.txn, &stat, &fixture->fault), TXN_OK);
    fixture_read_end(&rows);
    return stat;
}

struct env *fixture_env(struct fixture *fixture)
{
    return lmdb_store_of(fixture->store)->env;
}

struct group_commit *fixture_group(struct fixture *fixture)
{
    return lmdb_store_of(fixture->store)->group;
}
