/* SPDX-License-Identifier: ISC */
/* test_assertion.c: which pairs of client_assertion and client_assertion_type are taken, and what
 * this endpoint calls itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "dialect/assertion.h"

#define URN TEXT("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(1024 * 1024);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static void take(const char *const *variables, const char *issuer, struct request *out)
{
    static struct http_exchange http;
    static struct realm realm;
    static struct mount mount;
    enum outcome refusal = OUTCOME_FAULT;

    arena_reset(arena);
    assert_true(http_request_from_cgi(arena, variables, &http.request));
    realm = (struct realm){.dialect = &oauth_dialect};
    mount = (struct mount){.realm = &realm};
    assert_true(text_copy(text_of(issuer), realm.issuer, sizeof realm.issuer));
    *out = (struct request){.http = &http, .mount = &mount, .realm = &realm, .arena = arena};
    assert_true(assertion_take(out, TEXT("a.b.c"), URN, &refusal));
    assert_int_equal(out->client.kind, CLIENT_PROOF_ASSERTION);
    assert_true(text_is(out->client.assertion, "a.b.c"));
}

static void test_pairs(void **state)
{
    const struct {
        struct text assertion;
        struct text type;
        bool taken;
        enum outcome refusal;
    } rows[] = {
        {TEXT(""), TEXT(""), true, OUTCOME_FAULT},
        {TEXT("a.b.c"), URN, true, OUTCOME_FAULT},
        {TEXT("a.b.c"), TEXT(""), false, OUTCOME_FIELD_MISSING},
        {TEXT(""), URN, false, OUTCOME_FIELD_MISSING},
        {TEXT("a.b.c"), TEXT("jwt-bearer"), false, OUTCOME_CLIENT_AUTH_FAILED},
        {TEXT("a.b.c"), TEXT("urn:ietf:params:oauth:client-assertion-type:jwt-bearer "), false,
         OUTCOME_CLIENT_AUTH_FAILED},
        {TEXT("a.b.c"), TEXT("URN:ietf:params:oauth:client-assertion-type:jwt-bearer"), false,
         OUTCOME_CLIENT_AUTH_FAILED},
    };
    struct http_exchange http = {0};
    struct realm realm = {.dialect = &oauth_dialect};
    struct mount mount = {.realm = &realm};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = {.http = &http, .mount = &mount, .realm = &realm, .arena = arena};
        enum outcome refusal = OUTCOME_FAULT;

        assert_int_equal(assertion_take(&request, rows[i].assertion, rows[i].type, &refusal),
                         rows[i].taken);
        assert_int_equal(refusal, rows[i].refusal);
        assert_int_equal(request.client.kind == CLIENT_PROOF_ASSERTION,
                         rows[i].taken && rows[i].assertion.size > 0);
    }
}

/* The issuer's origin where there is one: then no Host header changes what this endpoint is called.
 */
static void test_endpoint_url_from_issuer(void **state)
{
    const char *const variables[] = {"REQUEST_METHOD=POST", "HTTP_HOST=evil.example.org",
                                     "SCRIPT_NAME=/auth", "PATH_INFO=/token", NULL};
    const struct {
        const char *issuer;
        const char *url;
    } rows[] = {
        {"https://a.example", "https://a.example/auth/token"},
        {"https://a.example/", "https://a.example/auth/token"},
        {"https://a.example:8443/tenant/x", "https://a.example:8443/auth/token"},
        {"http://127.0.0.1:8080/", "http://127.0.0.1:8080/auth/token"},
        {"Duktig.io.iss", "http://evil.example.org/auth/token"},
        {"https://", "http://evil.example.org/auth/token"},
        {"https:///path", "http://evil.example.org/auth/token"},
        {"ftp://a.example/", "http://evil.example.org/auth/token"},
        {"", "http://evil.example.org/auth/token"},
    };
    struct request request;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        take(variables, rows[i].issuer, &request);
        assert_true(text_is(request.client.endpoint_url, rows[i].url));
    }
}

static void test_endpoint_url_from_host(void **state)
{
    static char long_host[400];
    const struct {
        const char *host;
        const char *https;
        const char *url; /* "" = none can be built */
    } rows[] = {
        {"HTTP_HOST=a.example", "HTTPS=on", "https://a.example/oauth/token"},
        {"HTTP_HOST=a.example:8443", "HTTPS=on", "https://a.example:8443/oauth/token"},
        {"HTTP_HOST=[::1]:80", "X=", "http://[::1]:80/oauth/token"},
        {"HTTP_HOST=a.example/x?", "X=", ""},
        {"HTTP_HOST=a.example?x", "X=", ""},
        {"HTTP_HOST=a.example#x", "X=", ""},
        {"HTTP_HOST=user@a.example", "X=", ""},
        {"HTTP_HOST=a.example\\x", "X=", ""},
        {"HTTP_HOST=a example", "X=", ""},
        {"HTTP_HOST=b\xc3\xbc", "X=", ""},
        {"HTTP_HOST=a\tb", "X=", ""},
        {"HTTP_HOST=", "X=", ""},
        {long_host, "X=", ""},
    };
    struct request request;

    (void)state;
    memset(long_host, 'a', sizeof long_host - 1);
    memcpy(long_host, "HTTP_HOST=", strlen("HTTP_HOST="));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const variables[] = {"REQUEST_METHOD=POST", "SCRIPT_NAME=/oauth/token",
                                         rows[i].host, rows[i].https, NULL};

        take(variables, "", &request);
        assert_true(text_is(request.client.endpoint_url, rows[i].url));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_endpoint_url_from_issuer),
        cmocka_unit_test(test_endpoint_url_from_host),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
