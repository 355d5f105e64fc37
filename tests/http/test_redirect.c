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

static void test_registrable(void **state)
{
    static const struct {
        const char *uri;
        bool good;
    } rows[] = {
        {"https://app.example/done", true},
        {"https://app.example", true},
        {"https://app.example:8443/done?x=1", true},
        {"http://127.0.0.1/cb", true},
        {"http://[::1]:8000/cb", true},
        {"http://localhost:3000/cb", true},
        {"com.example.app:/cb", true},
        {"com.example.app://cb", true},
        {"", false},
        {"/done", false},
        {"https:", false},
        {"https:/done", false},
        {"https:///done", false},
        {"https://:443/done", false},
        {"https://app.example/done#here", false},
        {"https://*.example/done", false},
        {"https://app.example/*", false},
        {"https://app.example@evil.example/done", false},
        {"https://evil.example\\@app.example/done", false},
        {"https://app.example/ done", false},
        {"HTTPS://app.example/done", false},
        {"http://app.example/done", false},
        {"http://127.0.0.1.evil.example/cb", false},
        {"http://localhost@evil.example/cb", false},
        {"app:/cb", false},
        {"javascript:alert(1)", false},
        {"data:text/html,x", false},
        {".app:/cb", false},
        {"app.:/cb", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (http_redirect_is_registrable(text_of(rows[i].uri)) != rows[i].good) {
            fail_msg("%s is %s", rows[i].uri, rows[i].good ? "refused" : "taken");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_registrable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
