/* SPDX-License-Identifier: ISC */
/* The store's contract on the store itself: facts, remarks, snapshots, and the ordered table below.
 * CONTRACT runs each test on every kind of store. */
#include "store/fixture.h"

#include "base/codec.h"

static void facts_and_remarks_tell_of_the_store(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(1);
    struct client web = {.id = "web"};
    static struct signing_row row = {.state = SIGNING_ACTIVE, .kid = "k"};
    struct store_fact facts[STORE_FACTS_MAX];
    struct store_remark remarks[STORE_REMARKS_MAX];
    size_t count;

    fixture_account(f, "ada");
    session.has_alias = true;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    assert_store(STORE_OK, store_client_add(f->store, &web, &f->fault));
    assert_store(STORE_OK, store_key_add(f->store, &row, &f->fault));
    fixture_write_something(f, FIXTURE_NOW);
    fixture_write_something(f, FIXTURE_NOW);
    fixture_assert_fact(f, "sessions", 1);
    fixture_assert_fact(f, "aliases", 1);
    fixture_assert_fact(f, "accounts", 1);
    fixture_assert_fact(f, "clients", 1);
    fixture_assert_fact(f, "keys", 1);
    fixture_assert_fact(f, "events", 2);
    fixture_assert_fact(f, "format_version", 2);
    assert_store(STORE_OK, store_facts(f->store, facts, &count, &f->fault));
    assert_string_equal(facts[0].name, "engine");
    assert_true(facts[0].text[0] != '\0');
    assert_store(STORE_OK, store_remarks(f->store, remarks, &count, &f->fault));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(remarks[i].text[0] != '\0');
    }
    assert_false(store_is_broken(f->store));
}

static void faults_may_go_unheard(void **state)
{
    struct fixture *f = *state;
    struct account nameless = {.enabled = true};
    static struct session_view grant;

    fixture_add_session(f, 1);
    fixture_damage_first(f, TABLE_SESSIONS, 0);
    assert_store(STORE_FAULT, store_session_view(f->store, fixture_session(1).id, &grant, NULL));
    assert_store(STORE_FAULT, store_account_add(f->store, &nameless, NULL));
}

/* A kind may begin it only with the first step of a walk. */
static void a_snapshot_does_not_see_later_writes(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct rows_key key = rows_key_first();
    struct record_session found;
    struct rows rows;

    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    fixture_read_begin(f, &rows);
    assert_true(rows_next(&rows, TABLE_SESSIONS, TXN_FROM, &key));
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_add_session(f, 2);
    assert_true(rows_session_get(&rows, fixture_session(1).id, &found));
    assert_int_equal(found.session.generation, 0);
    assert_false(rows_session_get(&rows, fixture_session(2).id, &found));
    assert_false(rows.failed);
    fixture_read_end(&rows);
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

/* The ordered table itself, against a plain array. */
static enum store_result apply_random(struct rows *rows, void *what)
{
    bool *there = what;
    uint32_t random = 1;

    for (int i = 0; i < 4000; i++) {
        struct rows_key key = {.size = 8};
        uint32_t n;

        random = random * 1664525u + 1013904223u;
        n = random >> 16 & 0xff;
        codec_put_u64(key.bytes, n + 1);
        if ((random >> 30) != 0) {
            rows_index_put(rows, TABLE_OWNERS, &key);
            there[n] = true;
        } else {
            if (rows_index_remove(rows, TABLE_OWNERS, &key) != there[n]) {
                rows_fail(rows, "key %u", (unsigned)n);
            }
            there[n] = false;
        }
    }
    return STORE_OK;
}

static void tables_are_ordered(void **state)
{
    struct fixture *f = *state;
    bool there[256] = {false};
    struct rows rows;
    struct rows_key key = rows_key_first(), back = rows_key_last();
    uint64_t count = 0;

    assert_store(STORE_OK, fixture_write(f, apply_random, there, &f->fault));
    fixture_read_begin(f, &rows);
    for (size_t n = 0; n < 256; n++) {
        if (there[n]) {
            assert_true(rows_next(&rows, TABLE_OWNERS, TXN_AFTER, &key));
            assert_int_equal(codec_get_u64(key.bytes), n + 1);
            assert_true(rows_next(&rows, TABLE_OWNERS, TXN_FROM, &key));
            assert_int_equal(codec_get_u64(key.bytes), n + 1);
            count++;
        }
    }
    assert_false(rows_next(&rows, TABLE_OWNERS, TXN_AFTER, &key));
    for (size_t n = 256; n-- > 0;) {
        if (there[n]) {
            assert_true(rows_next(&rows, TABLE_OWNERS, TXN_BEFORE, &back));
            assert_int_equal(codec_get_u64(back.bytes), n + 1);
        }
    }
    assert_false(rows_next(&rows, TABLE_OWNERS, TXN_BEFORE, &back));
    fixture_read_end(&rows);
    assert_int_equal(fixture_entries(f, TABLE_OWNERS), count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT(facts_and_remarks_tell_of_the_store),
        CONTRACT(faults_may_go_unheard),
        CONTRACT(a_snapshot_does_not_see_later_writes),
        CONTRACT(tables_are_ordered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
