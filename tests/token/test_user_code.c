/* SPDX-License-Identifier: ISC */
/* test_user_code.c: how codes for people are made, read however they are typed, and found. */
#include "token/fixture.h"

#include <string.h>

#include "token/user_code.h"

/* Hands out the bytes one after the other, and then none. */
static bool fill_from(void *self, void *out, size_t size)
{
    const uint8_t **bytes = self;

    memcpy(out, *bytes, size);
    *bytes += size;
    return true;
}

static void test_make(void **state)
{
    /* 240 and above are left out, or the first letters would come more often */
    static const uint8_t bytes[] = {0, 19, 255, 20, 239, 240, 1, 2, 3, 221};
    const uint8_t *next = bytes;
    struct randomness randomness = {fill_from, &next};
    char code[USER_CODE_SIZE + 1];

    (void)state;
    assert_true(user_code_make(&randomness, code));
    assert_string_equal(code, "BZBZCDFC");
    assert_int_equal(next - bytes, 10);
    randomness = fixture_no_randomness();
    assert_false(user_code_make(&randomness, code));
}

static void test_read(void **state)
{
    static const char *const good[] = {"WDJB-MJHT",  "wdjbmjht",    " wdjb mjht ",    "WD-JB-MJ-HT",
                                       "WdJb--mJhT", "-WDJB-MJHT-", "W D J B M J H T"};
    static const char *const bad[] = {
        "",          "-",         "WDJB-MJH",         "WDJB-MJHTW",  "WDJB-MJHA",
        "WDJB_MJHT", "WDJB-MJH1", "WDJB-MJH\xc3\x9f", "<WDJB-MJHT>", "WDJB\tMJHT"};
    char code[USER_CODE_SIZE + 1];
    char shown[USER_CODE_SHOWN_SIZE + 1];
    char many[128];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_row(user_code_read(T(good[i]), code), good[i]);
        assert_string_equal(code, "WDJBMJHT");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_row(!user_code_read(T(bad[i]), code), bad[i]);
    }
    assert_false(user_code_read((struct text){"WDJB\0MJHT", 9}, code));
    memset(many, ' ', sizeof many);
    memcpy(many, "WDJBMJHT", 8);
    assert_true(user_code_read((struct text){many, 64}, code));
    assert_false(user_code_read((struct text){many, 65}, code));
    user_code_show("WDJBMJHT", shown);
    assert_string_equal(shown, "WDJB-MJHT");
}

static void test_alias(void **state)
{
    uint8_t one[SESSION_HASH_SIZE], again[SESSION_HASH_SIZE], other[SESSION_HASH_SIZE];

    (void)state;
    assert_true(user_code_alias(fixture_secrets(1), "WDJBMJHT", one));
    assert_true(user_code_alias(fixture_secrets(1), "WDJBMJHT", again));
    assert_memory_equal(one, again, sizeof one);
    assert_true(user_code_alias(fixture_secrets(1), "WDJBMJHV", other));
    assert_memory_not_equal(one, other, sizeof one);
    assert_true(user_code_alias(fixture_secrets(2), "WDJBMJHT", other));
    assert_memory_not_equal(one, other, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_alias),
    };

    return cmocka_run_group_tests_name("token/user_code", tests, NULL, fixture_close);
}
