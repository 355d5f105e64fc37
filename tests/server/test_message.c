/* SPDX-License-Identifier: ISC */
/* test_message.c: when a body is complete, too large or cut short; and the bytes of a response. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/message.h"

enum { LIMIT = 64 };

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = message_arena_open();
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

/* ---- bodies ---- */

static void test_bodies(void **state)
{
    static const struct row {
        const char *length; /* CONTENT_LENGTH; NULL: absent */
        size_t size;        /* of what arrived */
        bool broken;
        enum http_body body;
    } rows[] = {
        {NULL, 0, false, HTTP_BODY_WHOLE},
        {"", 0, false, HTTP_BODY_WHOLE},
        {"0", 0, false, HTTP_BODY_WHOLE},
        {"20", 20, false, HTTP_BODY_WHOLE},
        {NULL, 20, false, HTTP_BODY_WHOLE},
        {"64", LIMIT, false, HTTP_BODY_WHOLE},
        {"65", LIMIT + 1, false, HTTP_BODY_TOO_LARGE},
        {NULL, LIMIT + 1, false, HTTP_BODY_TOO_LARGE},
        {"20", LIMIT + 1, false, HTTP_BODY_TOO_LARGE},
        {"100000", LIMIT + 1, true, HTTP_BODY_TOO_LARGE},
        {"20", 19, false, HTTP_BODY_CUT_SHORT},
        {"20", 21, false, HTTP_BODY_CUT_SHORT},
        {"20", 0, false, HTTP_BODY_CUT_SHORT},
        {"0", 1, false, HTTP_BODY_CUT_SHORT},
        {"20", 20, true, HTTP_BODY_CUT_SHORT},
        {NULL, 20, true, HTTP_BODY_CUT_SHORT},
        {"2147483647", 5, false, HTTP_BODY_CUT_SHORT},
        {"-20", 20, false, HTTP_BODY_CUT_SHORT},
        {"20 ", 20, false, HTTP_BODY_CUT_SHORT},
        {"0x14", 20, false, HTTP_BODY_CUT_SHORT},
        {"99999999999999999999", 20, false, HTTP_BODY_CUT_SHORT},
    };
    static const char bytes[LIMIT + 1] = "a body";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char length[64];
        const char *variables[] = {"REQUEST_METHOD=POST", NULL, NULL};
        struct http_request request;

        if (rows[i].length != NULL) {
            snprintf(length, sizeof length, "CONTENT_LENGTH=%s", rows[i].length);
            variables[1] = length;
        }
        assert_true(http_request_from_cgi(arena, variables, &request));
        message_set_body(&request, (struct text){bytes, rows[i].size}, LIMIT, rows[i].broken);
        size_t kept = rows[i].body == HTTP_BODY_WHOLE ? rows[i].size : 0;
        if (request.body_state != rows[i].body || request.body.size != kept) {
            fail_msg("row %zu: state %d, %zu bytes", i, (int)request.body_state, request.body.size);
        }
    }
}

static void test_two_lengths(void **state)
{
    const char *variables[] = {"REQUEST_METHOD=POST", "CONTENT_LENGTH=2", "CONTENT_LENGTH=2", NULL};
    struct http_request request;

    (void)state;
    assert_true(http_request_from_cgi(arena, variables, &request));
    message_set_body(&request, TEXT("ab"), LIMIT, false);
    assert_true(request.malformed);
    assert_int_equal(request.body_state, HTTP_BODY_CUT_SHORT);
}

/* ---- responses ---- */

static const char head[] = "Status: 404 Not Found\r\n"
                           "X-Content-Type-Options: nosniff\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Cache-Control: no-store\r\n"
                           "Pragma: no-cache\r\n"
                           "Content-Length: 10\r\n"
                           "\r\n";
static const char unavailable[] = "Status: 503 Service Unavailable\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Retry-After: 1\r\n"
                                  "Content-Length: 20\r\n"
                                  "\r\n"
                                  "Service Unavailable\n";

static struct http_exchange not_found(enum http_method method)
{
    struct http_exchange exchange = {.arena = arena, .request = {.method = method}};

    http_response_start(&exchange.response, 404);
    http_response_header_c(&exchange.response, "Content-Type", "text/plain; charset=utf-8");
    http_response_no_store(&exchange.response);
    exchange.response.body = TEXT("Not Found\n");
    return exchange;
}

static void expect(struct http_exchange *exchange, const char *expected)
{
    struct text spelled = message_spell(exchange);

    if (!text_is(spelled, expected)) {
        fail_msg("%.*s", TEXT_ARGS(spelled));
    }
}

static void test_response(void **state)
{
    struct http_exchange exchange = not_found(HTTP_GET);
    char expected[512];

    (void)state;
    snprintf(expected, sizeof expected, "%sNot Found\n", head);
    expect(&exchange, expected);
}

static void test_head(void **state)
{
    struct http_exchange exchange = not_found(HTTP_HEAD);

    (void)state;
    expect(&exchange, head);
}

static void test_unfit(void **state)
{
    struct http_exchange exchange = not_found(HTTP_HEAD);

    (void)state;
    http_response_header_c(&exchange.response, "X-Split", "a\r\nb");
    expect(&exchange, unavailable);

    exchange = not_found(HTTP_GET);
    exchange.arena = arena_open(16);
    expect(&exchange, unavailable);
    arena_close(exchange.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_response, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_head, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unfit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
