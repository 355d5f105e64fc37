/* SPDX-License-Identifier: ISC */
/* test_redirect.c: which redirect URIs are those that a client is registered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/redirect.h"

static const char registered[] = "https://app.example/done?x=1 http://127.0.0.1/cb "
                                 "http://[::1]:8000/cb http://localhost com.example.app:/cb";

static void test_registered(void **state)
{
    static const char *const good[] = {
        "https://app.example/done?x=1",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]/cb",
        "http://[::1]:49152/cb",
        "http://localhost",
        "http://localhost:49152",
        "com.example.app:/cb",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!http_redirect_is_among(text_of(good[i]), text_of(registered))) {
            fail_msg("%s is refused", good[i]);
        }
    }
}

static void test_others(void **state)
{
    static const char *const bad[] = {
        "",
        "https://app.example/done",
        "https://app.example/done?x=1&y=2",
        "https://app.example/done?x=1#",
        "https://app.example/done?x=1/../..",
        "https://app.example/done?x=",
        "https://app.example/done?x=1 ",
        " https://app.example/done?x=1",
        "https://app.example/done?x=1 http://127.0.0.1/cb",
        "https://app.example:443/done?x=1",
        "https://APP.example/done?x=1",
        "http://app.example/done?x=1",
        "https://app.example.evil.example/done?x=1",
        "https://evil.example/?https://app.example/done?x=1",
        "http://127.0.0.1/cb/x",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80:90/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80.evil.example/cb",
        "http://127.0.0.2/cb",
        "https://127.0.0.1:8443/cb",
        "http://localhost:80/cb",
        "http://localhost.evil.example",
        "http://localhost#x",
        "com.example.app:/cb2",
        "com.example.app:/c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (http_redirect_is_among(text_of(bad[i]), text_of(registered))) {
            fail_msg("%s is taken", bad[i]);
        }
    }
    assert_false(http_redirect_is_among(TEXT("https://a.example\n"), TEXT("https://a.example\n")));
    assert_false(http_redirect_is_among(TEXT("https://a.example"), TEXT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
