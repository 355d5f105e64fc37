/* SPDX-License-Identifier: ISC */
/* test_origin.c: how browsers spell an origin, and whose host it is. */
#include "base/expect.h"
#include "http/origin.h"

static void test_plain(void **state)
{
    static const char *const plain[] = {
        "https://app.example.org", "http://127.0.0.1:8080", "http://[::1]:3000",
        "https://a.example:8443",  "capacitor://localhost", "chrome-extension://abcdefgh",
        "http://a.example:443",    "moz-extension://0a-1b",
    };
    static const char *const others[] = {
        "",
        "*",
        "null",
        "https://",
        "https:/a.example",
        "app.example.org",
        "//app.example.org",
        "https://app.example.org/",
        "https://app.example.org/path",
        "https://App.example.org",
        "HTTPS://app.example.org",
        "https://app.example.org:443",
        "http://app.example.org:80",
        "https://app.example.org:",
        "https://:8443",
        "https://user@app.example.org",
        "https://a.example?x",
        "https://*.example.org",
        "1http://a.example",
        "https://a.example,https://b.example",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(plain); i++) {
        assert_true(http_origin_is_plain(text_of(plain[i])));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(http_origin_is_plain(text_of(others[i])));
    }
}

static void test_of_url(void **state)
{
    (void)state;
    expect_text(http_origin_of_url(TEXT("https://a.example/path/x")), "https://a.example");
    expect_text(http_origin_of_url(TEXT("http://a.example:81")), "http://a.example:81");
    expect_text(http_origin_of_url(TEXT("localhost:3030")), "");
    expect_text(http_origin_of_url(TEXT("urn:x://y")), "");
    expect_text(http_origin_of_url(TEXT("https:///path")), "");
    expect_text(http_origin_of_url(TEXT("")), "");
}

static void test_has_host(void **state)
{
    static const struct {
        const char *origin, *host;
        bool same;
    } rows[] = {
        {"https://a.example", "a.example", true},
        {"https://a.example", "A.Example:443", true},
        {"http://a.example", "a.example:80", true},
        {"https://a.example", "a.example:80", false},
        {"http://a.example:8080", "a.example:8080", true},
        {"http://a.example:8080", "a.example", false},
        {"http://a.example", "a.example.net", false},
        {"http://b.a.example", "a.example", false},
        {"http://a.example", "", false},
        {"null", "", false},
        {"null", "null", false},
        {"http://", "", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(http_origin_has_host(text_of(rows[i].origin), text_of(rows[i].host)),
                         rows[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_of_url),
        cmocka_unit_test(test_has_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
