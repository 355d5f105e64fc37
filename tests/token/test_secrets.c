/* SPDX-License-Identifier: ISC */
/* test_secrets.c: derived keys differ from one another and from master to master; which master
 * secret is in force, while the file changes. */
#include "token/secret_file.h"

#include <stdio.h>
#include <string.h>

static void macs_serve_one_purpose(void **state)
{
    const struct secrets *one = fixture_secrets(1);
    const struct secrets *two = fixture_secrets(2);
    uint8_t out[14][CRYPTO_HASH_SIZE];
    const struct crypto_mac *macs[] = {secrets_find(one, 0)->native,
                                       secrets_find(one, 0)->uuid,
                                       secrets_find(one, 0)->code,
                                       secrets_find(one, 0)->device_code,
                                       secrets_find(two, 0)->native,
                                       secrets_find(two, 0)->uuid,
                                       secrets_find(two, 0)->code,
                                       secrets_find(two, 0)->device_code,
                                       one->jti,
                                       one->client_secret,
                                       one->mark,
                                       two->jti,
                                       two->client_secret,
                                       two->mark};

    (void)state;
    for (size_t i = 0; i < 14; i++) {
        assert_true(crypto_mac_compute(macs[i], "x", 1, out[i]));
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(out[i], out[j], CRYPTO_HASH_SIZE);
        }
    }
    assert_memory_not_equal(one->record, one->sealing, CRYPTO_KEY_SIZE);
    assert_memory_not_equal(one->sealing, two->sealing, CRYPTO_KEY_SIZE);
}

/* Where one text ends and the other begins matters, and what they are. */
static void marks_stand_for_one_thing(void **state)
{
    static const struct {
        const char *word, *one, *other;
    } rows[] = {{"a", "bc", "d"}, {"a", "b", "cd"}, {"a", "bcd", ""}, {"ab", "c", "d"}};
    uint8_t out[6][CRYPTO_HASH_SIZE];
    size_t count = sizeof rows / sizeof rows[0];

    (void)state;
    for (size_t i = 0; i < count + 2; i++) {
        size_t row = i < count ? i : 0;

        assert_true(secrets_mark_hash(fixture_secrets(i == count ? 2 : 1), rows[row].word,
                                      text_of(rows[row].one), text_of(rows[row].other), out[i]));
        for (size_t j = 0; j < i && i <= count; j++) {
            assert_memory_not_equal(out[i], out[j], CRYPTO_HASH_SIZE);
        }
    }
    assert_memory_equal(out[0], out[count + 1], CRYPTO_HASH_SIZE);
}

/* Stores and tokens out there depend on these derivations: computed once with another HKDF. */
static void derivations_never_change(void **state)
{
    static const uint8_t record[CRYPTO_KEY_SIZE] = {0x33, 0xf5, 0xe8, 0x02, 0x96, 0x88, 0x3f, 0xf8,
                                                    0xbc, 0xf3, 0xa3, 0x94, 0xdd, 0x98, 0xe8, 0xee,
                                                    0xb3, 0x24, 0xa0, 0xf4, 0x4f, 0xe7, 0x1c, 0x2d,
                                                    0x32, 0xc0, 0x29, 0x41, 0x95, 0xfd, 0x7f, 0xe6};
    uint8_t master[SECRETS_MASTER_SIZE];
    struct secrets secrets;

    (void)state;
    for (size_t i = 0; i < sizeof master; i++) {
        master[i] = (uint8_t)i;
    }
    assert_true(secrets_open(master, &secrets, NULL));
    assert_int_equal(secrets_find(&secrets, 0)->key_id, 0x61);
    assert_memory_equal(secrets.record, record, sizeof record);
    secrets_close(&secrets);
}

static void closing_wipes_and_may_be_repeated(void **state)
{
    static const struct secrets empty;
    uint8_t master[SECRETS_MASTER_SIZE] = {7};
    struct secrets secrets;

    (void)state;
    assert_true(secrets_open(master, &secrets, NULL));
    secrets_close(&secrets);
    assert_memory_equal(&secrets, &empty, sizeof secrets);
    secrets_close(&secrets);
}

/* ---- one that rolls ---- */

static const char first_line[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

/* The file with its first line only, opened. */
static void open_first(struct secrets *secrets)
{
    struct fault fault;

    put_file(first_line, strlen(first_line), 0600);
    assert_true(secrets_open_file(path, false, secrets, &fault));
    assert_int_equal(secrets_follow(secrets, &fault), SECRETS_SAME);
}

static uint8_t add_line(int64_t from_ms)
{
    struct randomness randomness = fixture_randomness();
    struct fault fault;
    uint8_t id;

    assert_true(secrets_file_add(path, from_ms, &randomness, &id, &fault));
    return id;
}

static void the_last_in_force_is_current(void **state)
{
    struct secrets secrets;
    struct fault fault;
    uint8_t second, third;

    (void)state;
    open_first(&secrets);
    assert_int_equal(secrets_current(&secrets, 5000), 0);
    second = add_line(1000);
    assert_int_equal(secrets_current(&secrets, 5000), 0); /* not looked yet */
    assert_null(secrets_find(&secrets, second));
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_SAME);
    third = add_line(3000);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_int_equal(secrets_current(&secrets, 999), 0);
    assert_int_equal(secrets_current(&secrets, 1000), second);
    assert_int_equal(secrets_current(&secrets, 2999), second);
    assert_int_equal(secrets_current(&secrets, 3000), third);
    assert_int_equal(secrets_find(&secrets, second)->key_id, second);
    assert_int_equal(secrets_at(&secrets, 2)->number, third);
    assert_null(secrets_at(&secrets, 3));
    secrets_close(&secrets);
}

/* What the store is under does not roll, and does not depend on when it was opened. */
static void the_store_stays_under_the_first(void **state)
{
    struct secrets before, after;
    struct fault fault;

    (void)state;
    open_first(&before);
    (void)add_line(0);
    assert_true(secrets_open_file(path, false, &after, &fault));
    assert_memory_equal(before.record, after.record, sizeof before.record);
    assert_memory_equal(before.sealing, after.sealing, sizeof before.sealing);
    assert_int_equal(secrets_find(&before, 0)->key_id, secrets_find(&after, 0)->key_id);
    secrets_close(&before);
    secrets_close(&after);
}

static void retired_ones_are_known(void **state)
{
    struct secrets secrets;
    struct fault fault;
    uint8_t second;

    (void)state;
    open_first(&secrets);
    second = add_line(1000);
    assert_true(secrets_file_retire(path, secrets_find(&secrets, 0)->key_id, 1000, &fault));
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_true(secrets_is_retired(&secrets, 0));
    assert_false(secrets_is_retired(&secrets, second));
    assert_non_null(secrets_find(&secrets, 0)); /* what is spelled as UUID is still swept */
    assert_int_equal(secrets_current(&secrets, 0), second); /* by a clock that is behind */
    secrets_close(&secrets);
}

/* A file that is damaged, or gone, changes nothing, and is told once. */
static void what_was_read_stays(void **state)
{
    struct secrets secrets;
    struct fault fault;
    uint8_t second;

    (void)state;
    open_first(&secrets);
    second = add_line(0);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    put_file("damaged", 7, 0600);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_UNREADABLE);
    assert_non_null(strstr(fault.text, path));
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_SAME);
    unlink(path);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_UNREADABLE);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_SAME);
    assert_int_equal(secrets_current(&secrets, 0), second);

    /* of another store */
    put_file("a0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 65, 0600);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_UNREADABLE);
    assert_non_null(strstr(fault.text, "line 1"));

    /* a line that is gone makes no more tokens, and those it made are good here */
    put_file(first_line, strlen(first_line), 0600);
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_int_equal(secrets_current(&secrets, INT64_MAX - 1), 0);
    assert_non_null(secrets_find(&secrets, second));
    secrets_close(&secrets);
}

/* The first line, and one with this master secret from then on. */
static void put_second_line(const struct secrets_line *line, const char *date)
{
    char content[256], *end = content;

    end = stpcpy(end, first_line);
    for (size_t i = 0; i < SECRETS_MASTER_SIZE; i++) {
        end += sprintf(end, "%02x", line->master[i]);
    }
    end += sprintf(end, "%s\n", date);
    put_file(content, (size_t)(end - content), 0600);
}

/* Tokens tell master secrets apart by one byte, so one that was removed keeps its byte while the
 * process lives. */
static void no_key_id_comes_again(void **state)
{
    struct secrets_line one = {.master = {1}}, other = {.master = {2}};
    struct secrets secrets;
    struct fault fault;

    (void)state;
    assert_true(secrets_line_name(&one) && secrets_line_name(&other));
    for (unsigned draw = 0; other.name[0] != one.name[0]; draw++) {
        memcpy(other.master + 1, &draw, sizeof draw);
        assert_true(secrets_line_name(&other));
    }
    open_first(&secrets);
    put_second_line(&one, "");
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_int_equal(secrets_current(&secrets, 0), one.name[0]);
    put_second_line(&other, "");
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_UNREADABLE);
    assert_non_null(strstr(fault.text, "the id of one that was removed"));
    assert_null(secrets_at(&secrets, 2));
    secrets_close(&secrets);

    /* a process that never knew the removed one may have it */
    assert_true(secrets_open_file(path, false, &secrets, &fault));
    assert_int_equal(secrets_current(&secrets, 0), other.name[0]);
    secrets_close(&secrets);
}

/* However far behind, it chooses none that is not in the file any more. */
static void a_clock_behind_chooses_what_is_there(void **state)
{
    struct secrets_line one = {.master = {1}}, other = {.master = {2}};
    struct secrets secrets;
    struct fault fault;

    (void)state;
    assert_true(secrets_line_name(&other));
    open_first(&secrets);
    put_second_line(&one, " 2026-11-01T00:00:00Z");
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    put_second_line(&other, " 2026-11-02T00:00:00Z");
    assert_true(secrets_file_retire(path, secrets_find(&secrets, 0)->key_id, INT64_C(1900000000000),
                                    &fault));
    assert_int_equal(secrets_follow(&secrets, &fault), SECRETS_CHANGED);
    assert_int_equal(secrets_current(&secrets, 0), other.name[0]);
    secrets_close(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_serve_one_purpose),
        cmocka_unit_test(marks_stand_for_one_thing),
        cmocka_unit_test(derivations_never_change),
        cmocka_unit_test(closing_wipes_and_may_be_repeated),
        cmocka_unit_test(the_last_in_force_is_current),
        cmocka_unit_test(the_store_stays_under_the_first),
        cmocka_unit_test(retired_ones_are_known),
        cmocka_unit_test(what_was_read_stays),
        cmocka_unit_test(no_key_id_comes_again),
        cmocka_unit_test(a_clock_behind_chooses_what_is_there),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
