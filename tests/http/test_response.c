/* SPDX-License-Identifier: ISC */
/* test_response.c: the bytes that leave, and everything that must not leave. */
#include "base/expect.h"
#include "http/response.h"

enum { LIMIT = 4 << 20 };

static int open_arena(void **state)
{
    *state = arena_open(LIMIT);
    return *state == NULL;
}

static int close_arena(void **state)
{
    arena_close(*state);
    return 0;
}

static void expect_written(struct arena *arena, const struct http_response *response,
                           struct text expected)
{
    struct buffer buffer;
    struct text t = {NULL, 0};

    buffer_start(&buffer, arena, 0);
    assert_true(http_response_write(response, &buffer));
    assert_true(buffer_finish(&buffer, &t));
    expect_same_text(t, expected);
}

static void test_whole_answer(void **state)
{
    struct http_response response;

    http_response_start(&response, 200);
    http_response_no_store(&response);
    http_response_header_c(&response, "Content-Type", "application/json;charset=UTF-8");
    response.body = TEXT("{\"a\":\"b\0c\"}\n");
    expect_written(*state, &response,
                   TEXT("Status: 200 OK\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "Cache-Control: no-store\r\n"
                        "Pragma: no-cache\r\n"
                        "Content-Type: application/json;charset=UTF-8\r\n"
                        "Content-Length: 12\r\n"
                        "\r\n"
                        "{\"a\":\"b\0c\"}\n"));
}

static void test_empty_answer(void **state)
{
    struct http_response response;

    http_response_start(&response, 403);
    expect_written(*state, &response,
                   TEXT("Status: 403 Forbidden\r\nX-Content-Type-Options: nosniff\r\n"
                        "Content-Length: 0\r\n\r\n"));
    http_response_start(&response, 799);
    expect_written(*state, &response,
                   TEXT("Status: 799 Unknown\r\nX-Content-Type-Options: nosniff\r\n"
                        "Content-Length: 0\r\n\r\n"));
}

static void test_what_stood_there_stays(void **state)
{
    struct http_response response;
    struct buffer buffer;

    http_response_start(&response, 401);
    buffer_start(&buffer, *state, 0);
    buffer_add_c(&buffer, "before|");
    assert_true(http_response_write(&response, &buffer));
    expect_text(buffer_text(&buffer),
                "before|Status: 401 Unauthorized\r\nX-Content-Type-Options: nosniff\r\n"
                "Content-Length: 0\r\n\r\n");
}

static void expect_failed(struct arena *arena, const struct http_response *response)
{
    struct buffer buffer;

    assert_true(response->failed);
    buffer_start(&buffer, arena, 0);
    assert_false(http_response_write(response, &buffer));
    assert_int_equal(buffer_text(&buffer).size, 0);
    assert_false(buffer.failed); /* the 503 goes there instead */
}

static void set_cookie(struct http_response *response, struct arena *memory, const char *name,
                       struct text value, int64_t max_age_s, int64_t now_ms, bool secure)
{
    struct http_cookie cookie = {.name = text_of(name),
                                 .value = value,
                                 .same_site = "Lax",
                                 .max_age_s = max_age_s,
                                 .now_ms = now_ms,
                                 .secure = secure};

    http_response_cookie(response, memory, &cookie);
}

static void test_every_byte_in_a_value(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        char value[] = {'a', (char)byte, 'b'};
        struct http_response response;
        http_response_start(&response, 200);
        http_response_header(&response, "X-Value", (struct text){value, sizeof value});
        assert_int_equal(response.failed, byte < 0x20 || byte == 0x7f);
        if (response.failed) {
            expect_failed(*state, &response);
        }
    }
}

static void test_every_byte_in_a_name(void **state)
{
    static const char others[] = "!#$%&'*+-.^_`|~"; /* tchar besides letters and digits */
    (void)state;

    for (int byte = 1; byte < 256; byte++) {
        char name[] = {'X', (char)byte, '\0'};
        struct http_response response;
        bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || strchr(others, byte) != NULL;
        http_response_start(&response, 200);
        http_response_header_c(&response, name, "v");
        assert_int_equal(response.failed, !good);
        http_response_start(&response, 200);
        set_cookie(&response, *state, name, TEXT("v"), -1, 0, false);
        assert_int_equal(response.failed, !good);
    }
    struct http_response response;
    http_response_start(&response, 200);
    http_response_header_c(&response, "", "v");
    expect_failed(*state, &response);
}

static void test_injection(void **state)
{
    static const char *const values[] = {
        "x\r\nSet-Cookie: a=b", "x\nX: y", "x\r", "\r\n\r\n<html>", "a\x1b[31m",
    };

    for (size_t i = 0; i < COUNT(values); i++) {
        struct http_response response;
        http_response_start(&response, 200);
        http_response_header_c(&response, "X-Value", values[i]);
        http_response_header_c(&response, "X-Good", "but too late");
        expect_failed(*state, &response);
        http_response_start(&response, 200);
        set_cookie(&response, *state, "a", text_of(values[i]), 5, 0, false);
        expect_failed(*state, &response);
    }
}

static void test_number_of_headers(void **state)
{
    struct http_response response;

    http_response_start(&response, 200);
    for (int i = 0; i < HTTP_RESPONSE_HEADERS_MAX; i++) {
        http_response_header_c(&response, "X", "y");
        assert_false(response.failed);
    }
    http_response_header_c(&response, "X", "y");
    expect_failed(*state, &response);
    http_response_start(&response, 200);
    assert_false(response.failed);
    assert_int_equal(response.header_count, 0);
}

static void test_size_of_head(void **state)
{
    static char value[HTTP_RESPONSE_HEAD_MAX];
    struct text rest = TEXT(
        "Status: 200 OK\r\nX-Content-Type-Options: nosniff\r\nX: \r\nContent-Length: 4\r\n\r\n");
    size_t most = HTTP_RESPONSE_HEAD_MAX - rest.size;

    memset(value, 'v', sizeof value);
    for (size_t over = 0; over <= 1; over++) {
        struct http_response response;
        struct buffer buffer;
        http_response_start(&response, 200);
        http_response_header(&response, "X", (struct text){value, most + over});
        response.body = TEXT("body");
        buffer_start(&buffer, *state, 0);
        assert_int_equal(http_response_write(&response, &buffer), over == 0);
        assert_int_equal(buffer_text(&buffer).size, over == 0 ? HTTP_RESPONSE_HEAD_MAX + 4 : 0);
    }
}

static void test_cookie(void **state)
{
    static const struct row {
        const char *value;
        int64_t max_age_s, now_ms;
        bool secure;
        const char *header;
    } rows[] = {
        {"tok", -1, 0, false, "c=tok; Path=/; HttpOnly; SameSite=Lax"},
        {"tok", -1, 0, true, "c=tok; Path=/; HttpOnly; SameSite=Lax; Secure"},
        {"a+b/c=.~-_", -1, 0, false, "c=a+b/c=.~-_; Path=/; HttpOnly; SameSite=Lax"},
        {"tok", 2592000, 1594043585999, false,
         "c=tok; Max-Age=2592000; Expires=Wed, 05-Aug-2020 13:53:05 GMT; Path=/; HttpOnly; "
         "SameSite=Lax"},
        {"tok", 1, 951782399000, true, /* into a leap day */
         "c=tok; Max-Age=1; Expires=Tue, 29-Feb-2000 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax; "
         "Secure"},
        {"", 0, 1594043585999, false,
         "c=; Max-Age=0; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_response response;
        http_response_start(&response, 200);
        set_cookie(&response, *state, "c", text_of(rows[i].value), rows[i].max_age_s,
                   rows[i].now_ms, rows[i].secure);
        assert_false(response.failed);
        expect_text(response.headers[0].name, "Set-Cookie");
        expect_text(response.headers[0].value, rows[i].header);
    }
}

static void test_every_byte_in_a_cookie(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        char value[] = {'a', (char)byte};
        struct http_response response;
        bool good =
            byte > 0x20 && byte < 0x7f && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
        http_response_start(&response, 200);
        set_cookie(&response, *state, "c", (struct text){value, sizeof value}, 1, 0, false);
        assert_int_equal(response.failed, !good);
    }
}

static void test_cookie_out_of_time_or_memory(void **state)
{
    struct http_response response;
    struct arena *small = arena_open(64);

    http_response_start(&response, 200);
    set_cookie(&response, *state, "c", TEXT("v"), INT64_MAX, 1594043585999, false);
    expect_failed(*state, &response);
    http_response_start(&response, 200);
    set_cookie(&response, *state, "c", TEXT("v"), INT64_MAX, -5000, false);
    expect_failed(*state, &response);
    http_response_start(&response, 200);
    set_cookie(&response, small, "c", TEXT("v"), 1, 0, false);
    expect_failed(*state, &response);
    arena_close(small);
}

static void test_buffer_runs_out(void **state)
{
    struct arena *small = arena_open(100);
    struct http_response response;
    struct buffer buffer;
    struct text t = TEXT("untouched");
    char body[200] = {0};
    (void)state;

    http_response_start(&response, 200);
    response.body = (struct text){body, sizeof body};
    buffer_start(&buffer, small, 0);
    assert_false(http_response_write(&response, &buffer));
    assert_false(buffer_finish(&buffer, &t));
    expect_text(t, "untouched");
    arena_close(small);
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(405), "Method Not Allowed");
    assert_string_equal(http_reason(503), "Service Unavailable");
    for (int status = -1; status < 1000; status++) {
        assert_true(strlen(http_reason(status)) > 0 && strlen(http_reason(status)) < 50);
        assert_false(text_has_control(text_of(http_reason(status))));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_answer),
        cmocka_unit_test(test_empty_answer),
        cmocka_unit_test(test_what_stood_there_stays),
        cmocka_unit_test(test_every_byte_in_a_value),
        cmocka_unit_test(test_every_byte_in_a_name),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_number_of_headers),
        cmocka_unit_test(test_size_of_head),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_every_byte_in_a_cookie),
        cmocka_unit_test(test_cookie_out_of_time_or_memory),
        cmocka_unit_test(test_buffer_runs_out),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
