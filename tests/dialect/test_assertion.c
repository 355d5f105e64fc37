/* SPDX-License-Identifier: ISC */
/* test_assertion.c: which pairs of client_assertion and client_assertion_type are taken, and where
 * they came to. */
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
        assert_int_equal(request.answer.refusal == CLIENT_REFUSED_ASSERTION_TYPE,
                         rows[i].refusal == OUTCOME_CLIENT_AUTH_FAILED);
        assert_int_equal(request.client.kind == CLIENT_PROOF_ASSERTION,
                         rows[i].taken && rows[i].assertion.size > 0);
    }
}

static void test_path(void **state)
{
    const char *const variables[] = {"REQUEST_METHOD=POST", "HTTP_HOST=evil.example.org",
                                     "SCRIPT_NAME=/auth", "PATH_INFO=/token", NULL};
    struct http_exchange http = {0};
    struct request request = {.http = &http, .arena = arena};
    enum outcome refusal = OUTCOME_FAULT;

    (void)state;
    assert_true(http_request_from_cgi(arena, variables, &http.request));
    assert_true(assertion_take(&request, TEXT("a.b.c"), URN, &refusal));
    assert_true(text_is(request.client.assertion, "a.b.c"));
    assert_true(text_is(request.client.endpoint_path, "/auth/token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_path),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
