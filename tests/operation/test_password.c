/* SPDX-License-Identifier: ISC */
/* test_password.c: password and client-secret hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "operation/password.h"

static void test_password(void **state)
{
    struct randomness randomness = randomness_system();
    const struct password_method method = {PASSWORD_YESCRYPT,
                                           1}; /* test_client_secret: the usual */
    char hash[PASSWORD_HASH_MAX + 1];
    char again[PASSWORD_HASH_MAX + 1];
    char huge[PASSWORD_MAX + 2];
    struct fault fault;

    (void)state;
    assert_true(password_hash(TEXT("pässword"), &method, &randomness, hash, &fault));
    assert_true(password_hash(TEXT("pässword"), &method, &randomness, again, &fault));
    assert_true(text_starts(text_of(hash), TEXT("$y$")));
    assert_string_not_equal(hash, again); /* salted */
    assert_int_equal(PASSWORD_RIGHT, password_verify(TEXT("pässword"), hash));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("passw"), hash));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT(""), hash));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("pässword"), ""));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("pässword"), NULL));
    assert_int_equal(PASSWORD_WRONG, password_verify(TEXT("pässword"), "*0"));
    assert_int_equal(PASSWORD_WRONG, password_verify(((struct text){"pässword\0x", 11}), hash));
    memset(huge, 'a', sizeof huge);
    assert_false(
        password_hash((struct text){huge, sizeof huge}, &method, &randomness, hash, &fault));
    assert_false(password_hash(TEXT(""), &method, &randomness, hash, &fault));
    assert_true(
        password_hash((struct text){huge, PASSWORD_MAX}, &method, &randomness, hash, &fault));
}

static void test_client_secret(void **state)
{
    struct randomness randomness = randomness_system();
    struct secrets secrets;
    struct secrets others;
    char secret[44];
    char hash[PASSWORD_HASH_MAX + 1];
    struct fault fault;

    (void)state;
    assert_true(
        secrets_open((const uint8_t *)"0123456789abcdef0123456789abcdef", &secrets, &fault));
    assert_true(secrets_open((const uint8_t *)"0123456789abcdef0123456789abcdeF", &others, &fault));
    assert_true(client_secret_generate(&randomness, secret));
    assert_int_equal(strlen(secret), 43);
    assert_true(client_secret_hash(text_of(secret), false, &secrets, &randomness, hash, &fault));
    assert_null(strstr(hash, secret));
    assert_false(client_secret_is_generated(hash));
    assert_int_equal(PASSWORD_RIGHT, password_verify(text_of(secret), hash));
    assert_true(client_secret_hash(text_of(secret), true, &secrets, &randomness, hash, &fault));
    assert_null(strstr(hash, secret));
    assert_true(client_secret_is_generated(hash));
    assert_int_equal(PASSWORD_RIGHT, client_secret_verify(text_of(secret), hash, &secrets));
    assert_int_equal(PASSWORD_WRONG, client_secret_verify(TEXT("wrong"), hash, &secrets));
    assert_int_equal(PASSWORD_WRONG, client_secret_verify(TEXT(""), hash, &secrets));
    assert_int_equal(PASSWORD_WRONG, client_secret_verify(text_of(secret), hash,
                                                          &others)); /* the hash alone is no use */
    secrets_close(&secrets);
    secrets_close(&others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_client_secret),
    };
    return cmocka_run_group_tests_name("operation/password", tests, NULL, NULL);
}
