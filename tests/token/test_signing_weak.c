/* SPDX-License-Identifier: ISC */
/* test_signing_weak.c: secrets that are published or can be guessed are told from random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "token/fixture.h"
#include "token/signing_weak.h"

static void weak(struct text secret, const char *part)
{
    struct fault fault = {""};

    assert_true(signing_weak_secret(secret, &fault));
    if (strstr(fault.text, part) == NULL) {
        fail_msg("it says: %s", fault.text);
    }
}

static void published_secrets_are_known(void **state)
{
    (void)state;
    weak(TEXT("qrD6h8K6S9503Q06Y6Rfk21TErImPYqa"), "grails-spring-security-rest");
    weak(TEXT("~s!d8f7s#d9@f9d8%_sf9D3378Rds79#"), "PHP microservice");
    weak(TEXT("a-string-secret-at-least-256-bits-long"), "jwt.io");
    weak(TEXT("404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970"), "Spring");
}

static void guessable_secrets_are_weak(void **state)
{
    (void)state;
    weak(TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "1 different");
    weak(TEXT("abcdefghiabcdefghiabcdefghiabcdefghi"), "9 different");
    weak(TEXT("0123456789abcdef0123456789abcdef012"), "repeats itself");
}

/* Bytes, and the shortest in hexadecimal digits. */
static void random_secrets_are_not(void **state)
{
    struct randomness randomness = fixture_randomness();
    uint8_t bytes[32];
    char hex[sizeof bytes * 2 + 1];
    struct fault fault;

    (void)state;
    for (int i = 0; i < 200; i++) {
        randomness_fill(&randomness, bytes, sizeof bytes);
        codec_hex_encode(bytes, sizeof bytes, hex);
        assert_false(signing_weak_secret((struct text){(char *)bytes, sizeof bytes}, &fault));
        assert_false(signing_weak_secret(text_of(hex), &fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_secrets_are_known),
        cmocka_unit_test(guessable_secrets_are_weak),
        cmocka_unit_test(random_secrets_are_not),
    };
    return cmocka_run_group_tests_name("token/signing_weak", tests, NULL, NULL);
}
