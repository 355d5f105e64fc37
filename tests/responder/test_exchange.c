/* test_exchange.c: when a body is whole, too large, cut short or of no known length, over a stream
 * that behaves as FastCGI's and CGI's do; and the bytes of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "responder/exchange.h"

enum { LIMIT = 64 };

/* Gives `size` bytes 'a', at most `step` at a time, then ends or breaks. */
struct stream {
    size_t size, step, given, calls;
    bool breaks;
};

static size_t read_stream(void *self, char *out, size_t room)
{
    struct stream *stream = self;
    size_t left = stream->size - stream->given;
    size_t got = room < left ? room : left;

    stream->calls++;
    got = got < stream->step ? got : stream->step;
    memset(out, 'a', got);
    stream->given += got;
    return got;
}

static bool stream_is_broken(void *self)
{
    const struct stream *stream = self;
    return stream->breaks && stream->given == stream->size;
}

static struct arena *arena;
static struct http_request request;

static int set_up(void **state)
{
    (void)state;
    arena = exchange_arena_open();
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

/* Reads a request; `length` NULL: without CONTENT_LENGTH. */
static void read_request(struct stream *stream, const char *method, const char *length, bool cgi)
{
    char method_variable[64];
    char length_variable[64];
    const char *variables[] = {method_variable, NULL, NULL};
    struct exchange_body body = {read_stream, stream_is_broken, stream, cgi};

    snprintf(method_variable, sizeof method_variable, "REQUEST_METHOD=%s", method);
    if (length != NULL) {
        snprintf(length_variable, sizeof length_variable, "CONTENT_LENGTH=%s", length);
        variables[1] = length_variable;
    }
    arena_reset(arena);
    assert_true(exchange_read(arena, variables, &body, LIMIT, &request));
    if (request.body_state != HTTP_BODY_WHOLE) {
        assert_int_equal(request.body.size, 0); /* half a body is nobody's business */
    }
}

static void test_states(void **state)
{
    static const struct row {
        const char *method, *length;
        bool cgi, breaks;
        size_t size;
        enum http_body body;
        size_t kept, given;
    } rows[] = {
        /* FastCGI: all is read, CONTENT_LENGTH must agree where there is one */
        {"GET", NULL, false, false, 0, HTTP_BODY_WHOLE, 0, 0},
        {"GET", "", false, false, 0, HTTP_BODY_WHOLE, 0, 0},
        {"POST", "0", false, false, 0, HTTP_BODY_WHOLE, 0, 0},
        {"POST", "20", false, false, 20, HTTP_BODY_WHOLE, 20, 20},
        {"POST", NULL, false, false, 20, HTTP_BODY_WHOLE, 20, 20},
        {"POST", "64", false, false, LIMIT, HTTP_BODY_WHOLE, LIMIT, LIMIT},
        {"POST", "65", false, false, LIMIT + 1, HTTP_BODY_TOO_LARGE, 0, LIMIT + 1},
        {"POST", NULL, false, false, 100000, HTTP_BODY_TOO_LARGE, 0, 100000},
        {"POST", "20", false, false, 100000, HTTP_BODY_TOO_LARGE, 0, 100000},
        {"POST", "20", false, false, 19, HTTP_BODY_CUT_SHORT, 0, 19},
        {"POST", "20", false, false, 21, HTTP_BODY_CUT_SHORT, 0, 21},
        {"POST", "20", false, false, 0, HTTP_BODY_CUT_SHORT, 0, 0},
        {"POST", "0", false, false, 1, HTTP_BODY_CUT_SHORT, 0, 1},
        {"POST", "20", false, true, 20, HTTP_BODY_CUT_SHORT, 0, 20},
        {"POST", NULL, false, true, 20, HTTP_BODY_CUT_SHORT, 0, 20},
        {"POST", "2147483647", false, false, 5, HTTP_BODY_CUT_SHORT, 0, 5},
        {"POST", "-20", false, false, 20, HTTP_BODY_CUT_SHORT, 0, 20},
        {"POST", "20 ", false, false, 20, HTTP_BODY_CUT_SHORT, 0, 20},
        {"POST", "0x14", false, false, 20, HTTP_BODY_CUT_SHORT, 0, 20},
        {"POST", "99999999999999999999", false, false, 20, HTTP_BODY_CUT_SHORT, 0, 20},

        /* CGI: CONTENT_LENGTH bytes are read and not one more */
        {"GET", NULL, true, false, 20, HTTP_BODY_WHOLE, 0, 0},
        {"HEAD", NULL, true, false, 20, HTTP_BODY_WHOLE, 0, 0},
        {"POST", "20", true, false, 20, HTTP_BODY_WHOLE, 20, 20},
        {"POST", "20", true, false, 100000, HTTP_BODY_WHOLE, 20, 20},
        {"POST", "20", true, false, 19, HTTP_BODY_CUT_SHORT, 0, 19},
        {"POST", "20", true, true, 19, HTTP_BODY_CUT_SHORT, 0, 19},
        {"POST", "65", true, false, 100000, HTTP_BODY_TOO_LARGE, 0, 65},
        {"POST", "-1", true, false, 20, HTTP_BODY_CUT_SHORT, 0, 0},
        {"POST", NULL, true, false, 20, HTTP_BODY_NO_LENGTH, 0, 0},
        {"POST", "", true, false, 20, HTTP_BODY_NO_LENGTH, 0, 0},
        {"post", NULL, true, false, 20, HTTP_BODY_NO_LENGTH, 0, 0},
        {"PUT", NULL, true, false, 20, HTTP_BODY_NO_LENGTH, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 100000; step *= 7) {
            struct stream stream = {.size = rows[i].size, .step = step, .breaks = rows[i].breaks};
            read_request(&stream, rows[i].method, rows[i].length, rows[i].cgi);
            if (request.body_state != rows[i].body || request.body.size != rows[i].kept ||
                stream.given != rows[i].given) {
                fail_msg("row %zu, step %zu: state %d, %zu kept, %zu read", i, step,
                         (int)request.body_state, request.body.size, stream.given);
            }
        }
    }
}

/* Whoever announces or sends without end costs neither memory nor for ever. */
static void test_endless(void **state)
{
    struct stream stream = {.size = SIZE_MAX, .step = SIZE_MAX};

    (void)state;
    read_request(&stream, "POST", NULL, false);
    assert_int_equal(request.body_state, HTTP_BODY_TOO_LARGE);
    assert_int_equal(stream.given, LIMIT + 16 * 1024 * 1024);
    assert_true(arena_used(arena) < 8192);

    stream = (struct stream){.size = SIZE_MAX, .step = SIZE_MAX};
    read_request(&stream, "POST", "2147483647", true);
    assert_int_equal(request.body_state, HTTP_BODY_TOO_LARGE);
    assert_int_equal(stream.given, LIMIT + 16 * 1024 * 1024);

    stream = (struct stream){.size = 3, .step = 3};
    read_request(&stream, "POST", "2147483647", true);
    assert_int_equal(request.body_state, HTTP_BODY_CUT_SHORT);
    assert_true(arena_used(arena) < 8192);
}

static void test_two_lengths(void **state)
{
    const char *variables[] = {"REQUEST_METHOD=POST", "CONTENT_LENGTH=2", "CONTENT_LENGTH=2", NULL};
    struct stream stream = {.size = 2, .step = 2};
    struct exchange_body body = {read_stream, stream_is_broken, &stream, false};

    (void)state;
    assert_true(exchange_read(arena, variables, &body, LIMIT, &request));
    assert_true(request.malformed);
    assert_int_not_equal(request.body_state, HTTP_BODY_WHOLE);
}

static void test_no_memory(void **state)
{
    const char *variables[] = {"REQUEST_METHOD=POST", NULL};
    struct stream stream = {.size = LIMIT, .step = LIMIT};
    struct exchange_body body = {read_stream, stream_is_broken, &stream, false};
    struct arena *small = arena_open(16);

    (void)state;
    assert_false(exchange_read(small, variables, &body, LIMIT, &request));
    arena_close(small);
}

/* ---- the answer; a service without mounts answers 404 to everything ---- */

static void keep_answer(void *self, struct text text)
{
    struct text *out = self;
    *out = text;
}

static struct text answer_of(struct serve *serve, struct arena *from, enum http_method method)
{
    struct text answer = {0};
    struct exchange exchange = {.serve = serve,
                                .arena = from,
                                .request = {.method = method, .script_name = TEXT("/x")},
                                .answered = keep_answer,
                                .self = &answer};

    exchange_answer(&exchange);
    return answer;
}

static void test_answer(void **state)
{
    static struct service service;
    struct serve *serve = serve_over(&service);
    static const char headers[] = "Status: 404 Not Found\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Pragma: no-cache\r\n"
                                  "Content-Length: 10\r\n"
                                  "\r\n";
    char expected[512];

    (void)state;
    struct text answer = answer_of(serve, arena, HTTP_GET);
    snprintf(expected, sizeof expected, "%sNot Found\n", headers);
    assert_int_equal(answer.size, strlen(expected));
    assert_memory_equal(answer.data, expected, answer.size);

    answer = answer_of(serve, arena, HTTP_HEAD);
    assert_int_equal(answer.size, strlen(headers));
    assert_memory_equal(answer.data, headers, answer.size);

    struct arena *small = arena_open(16);
    answer = answer_of(serve, small, HTTP_GET);
    assert_true(text_starts(answer, TEXT("Status: 503 Service Unavailable\r\n")));
    assert_true(text_ends(answer, TEXT("Content-Length: 20\r\n\r\nService Unavailable\n")));
    arena_close(small);
    serve_close(serve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
