/* SPDX-License-Identifier: ISC */
/* test_password_kind.c: which hashes are accepted, what each costs, and which are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/password.h"
#include "operation/password_kind.h"

#define YESCRYPT "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$wlUhTDUqAryQnsZkFoU5UZ6UStBlZ4Z8j4gtdFPQVn4"

/* Hashes of "secret" as other programs made them: htpasswd -B, -m, -2 and -5, openssl passwd, and
 * crypt(3). */
static const char *const others[] = {
    "$2y$05$7yBGUR9lQhUxsQwocyaQMee4tjdcxRQmtjKQhLJa8HwMElFnPbfmi",
    "$apr1$XrjuguDk$hC02BGf5zrsUW88SDtU0d0",
    "$5$8jIMWzkXiDuIjblQ$wzFTxs8HFqBT10K6s7YYt0jZVY2qUEbZ6h.OzBD/.O.",
    "$6$LaV0jTpfiWph8xXq$joEeC5IvC42lOA5NW2Q7pbxFqxVNmb2taRnxf1SsCuk89d5wo2ICYUFjk24RCocFNVKexv6qcl"
    "vmkvMsM1dD2/",
    "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/",
    YESCRYPT,
    "$gy$j75$k2XAnEHBqQ1Ct2aMXFKNa/$O2VXkrrbK/nrZECj6gzoetucyvBE.tkY7fQCPxGaah8",
    "$7$BU..../....k2XAnEHBqQ1Ct2aMXFKNa/$kHfmBJfFPI.rM/W7nSK4N.f7gXsq7U/kUJaT.MJMLuC",
    "$1$k2XAnEHB$rbDfQq368qWY4bas.D3Ac0",
    "$2a$04$KBCwKxOzLha2MUDgW0PjXe/hE/UCO9qF89dOydoHjSwxcHev5LRn.",
    "$2b$05$KBCwKxOzLha2MUDgW0PjXeGy8zDyKFegpVV4y0qPBUgij10WNyKY6",
    "$6$rounds=1000$k2XAnEHBqQ1Ct2aM$Kusx4StgTAJKgtQ8A1Ud4OEtpvLZ/2wzq/Tix/"
    "qeeqdrvuTHgR6KFuCyOP4TNp5lvuV.tmBxpDTp10bqrWJyv1",
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char blank[PASSWORD_HASH_MAX + 1];

        print_message("%s\n", others[i]);
        assert_null(password_kind_refuse(text_of(others[i])));
        assert_int_equal(PASSWORD_RIGHT, password_verify(TEXT("secret"), others[i]));
        assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("Secret"), others[i]));
        assert_true(text_copy(text_of(others[i]), blank, sizeof blank));
        password_kind_blank(blank);
        assert_string_not_equal(blank, others[i]);
        assert_null(password_kind_refuse(text_of(blank)));
        assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("secret"), blank));
    }
}

/* Another salt's length, and a password longer than one MD5 sum. */
static void test_apache_md5(void **state)
{
    (void)state;
    assert_int_equal(PASSWORD_RIGHT,
                     password_verify(TEXT("a longer password of more than sixteen bytes"),
                                     "$apr1$abc$CUm5qqcN2z6rMf/lVfxrt1"));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("a longer password of more than sixteen"),
                                                     "$apr1$abc$CUm5qqcN2z6rMf/lVfxrt1"));
}

static void test_refused(void **state)
{
    static const struct {
        const char *hash, *why;
    } rows[] = {
        {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"},
        {"lc1otK83hzmy2", "known kind"},
        {"secret", "known kind"},
        {"", "known kind"},
        {"$2x$05$7yBGUR9lQhUxsQwocyaQMee4tjdcxRQmtjKQhLJa8HwMElFnPbfmi", "known kind"},
        {"$y$", "not usual"},
        {"$y$j9", "not usual"},
        {"$y$jFT$k2XAnEHBqQ1Ct2aMXFKNa/$kvZD0ZjP.q/sknQMarz21lJQOssE1eVsUUG1LiageF2", "costs more"},
        {"$7$GU..../....k2XAnEHBqQ1Ct2aMXFKNa/$tS0IbNXFYurk1yyHRMZ5cI0UxgJq.c8Q16EKn3uJDrA",
         "costs more"},
        {"$7$CU..../1...k2XAnEHBqQ1Ct2aMXFKNa/$tS0IbNXFYurk1yyHRMZ5cI0UxgJq.c8Q16EKn3uJDrA",
         "not usual"},
        {"$2b$16$KBCwKxOzLha2MUDgW0PjXe1QMzZ02RArzbagofuEclBjUlwSP5qW.", "costs more"},
        {"$2b$03$KBCwKxOzLha2MUDgW0PjXe1QMzZ02RArzbagofuEclBjUlwSP5qW.", "not usual"},
        {"$2b$12$KBCwKxOzLha2MUDgW0PjXe1QMzZ02RArzbagofuEclBjUlwSP5qW", "not a whole"},
        {"$2b$12$KBCwKxOzLha2MUDgW0PjXe1QMzZ02RArzbagofuEclBjUlwSP5qW..", "not a whole"},
        {"$6$rounds=2000001$k2XAnEHBqQ1Ct2aM$", "costs more"},
        {"$6$rounds=x$k2XAnEHBqQ1Ct2aM$", "not usual"},
        {"$apr1$XrjuguDk$hC02BGf5zrsUW88SDtU0d", "not a whole"},
        {"$apr1$Xrj uDk$hC02BGf5zrsUW88SDtU0d0", "not a whole"},
        {"$apr1$hC02BGf5zrsUW88SDtU0d0", "not a whole"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = password_kind_refuse(text_of(rows[i].hash));

        print_message("%s\n", rows[i].hash);
        assert_non_null(why);
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void test_methods(void **state)
{
    struct randomness randomness = randomness_system();
    struct password_method method = {0};
    char hash[PASSWORD_HASH_MAX + 1];
    char huge[73];
    struct fault fault;

    (void)state;
    assert_int_equal(password_method_cost(&method), 5);
    for (size_t i = 0; i < 3; i++) {
        static const char *const words[] = {"yescrypt:1", "bcrypt:10", "sha512crypt:5000"};

        assert_true(password_method_parse(text_of(words[i]), &method));
        assert_true(password_hash(TEXT("secret"), &method, &randomness, hash, &fault));
        assert_true(text_starts(text_of(hash), text_of(password_method_prefix(&method))));
        assert_null(password_kind_refuse(text_of(hash)));
        assert_true(password_method_suffices(&method, hash));
        assert_int_equal(PASSWORD_RIGHT, password_verify(TEXT("secret"), hash));
        method.cost++;
        assert_false(password_method_suffices(&method, hash));
        assert_false(password_method_suffices(&method, "$apr1$XrjuguDk$hC02BGf5zrsUW88SDtU0d0"));
    }
    assert_false(password_method_suffices(&method, ""));
    assert_true(password_method_parse(TEXT("yescrypt"), &method));
    assert_int_equal(method.cost, 5);
    assert_true(password_method_suffices(&method, YESCRYPT));
    assert_true(password_method_parse(TEXT("bcrypt"), &method));
    memset(huge, 'a', sizeof huge);
    assert_false(
        password_hash((struct text){huge, sizeof huge}, &method, &randomness, hash, &fault));
    assert_non_null(strstr(fault.text, "72"));
}

static void test_methods_that_are_none(void **state)
{
    static const char *const words[] = {"",           "yescrypt:",        "yescrypt:0",
                                        "yescrypt:8", "bcrypt:9",         "bcrypt:16",
                                        "bcrypt:x",   "sha512crypt:4999", "md5",
                                        "yescrypt 5", "Yescrypt",         "sha512crypt:2000001",
                                        "bcrypt:+10"};
    struct password_method method = {PASSWORD_BCRYPT, 11};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_false(password_method_parse(text_of(words[i]), &method));
    }
    assert_int_equal(method.cost, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_apache_md5),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_methods_that_are_none),
    };
    return cmocka_run_group_tests_name("operation/password_kind", tests, NULL, NULL);
}
