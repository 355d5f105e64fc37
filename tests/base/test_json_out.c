/* SPDX-License-Identifier: ISC */
/* test_json_out.c: commas, escaping in every style, and what a reader of the result sees. */
#include "base/expect.h"
#include "base/json.h"

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

static void test_commas(void **state)
{
    struct buffer buffer;
    struct json_out out;

    buffer_start(&buffer, *state, 8);
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "username", TEXT("ada"));
    json_out_key(&out, "roles");
    json_out_array_open(&out);
    json_out_text(&out, TEXT("A"));
    json_out_text(&out, TEXT("B"));
    json_out_open(&out);
    json_out_close(&out);
    json_out_array_open(&out);
    json_out_array_close(&out);
    json_out_int(&out, INT64_MIN);
    json_out_bool(&out, true);
    json_out_bool(&out, false);
    json_out_null(&out);
    json_out_array_close(&out);
    json_out_key(&out, "empty");
    json_out_open(&out);
    json_out_close(&out);
    json_out_member_int(&out, "expires_in", 3600);
    json_out_close(&out);
    expect_text(buffer_text(&buffer), "{\"username\":\"ada\",\"roles\":[\"A\",\"B\",{},[],"
                                      "-9223372036854775808,true,false,null],\"empty\":{},"
                                      "\"expires_in\":3600}");
}

static struct text written(struct arena *arena, struct text value, unsigned style)
{
    struct buffer buffer;
    struct json_out out;
    struct text t = {NULL, 0};

    buffer_start(&buffer, arena, 0);
    out = json_out_start(&buffer, style);
    json_out_text(&out, value);
    assert_true(buffer_finish(&buffer, &t));
    return t;
}

static void test_styles(void **state)
{
    static const struct row {
        struct text value;
        const char *plain, *slash, *ascii;
    } rows[] = {
        {{NULL, 0}, "\"\"", "\"\"", "\"\""},
        {LITERAL("a/b"), "\"a/b\"", "\"a\\/b\"", "\"a/b\""},
        {LITERAL("\"\\"), "\"\\\"\\\\\"", "\"\\\"\\\\\"", "\"\\\"\\\\\""},
        {LITERAL("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\"",
         "\"\\b\\f\\n\\r\\t\""},
        {LITERAL("\0\x1f\x7f"), "\"\\u0000\\u001f\x7f\"", "\"\\u0000\\u001f\x7f\"",
         "\"\\u0000\\u001f\x7f\""},
        {LITERAL("caf\xc3\xa9"), "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\"", "\"caf\\u00e9\""},
        {LITERAL("\xe2\x82\xac"), "\"\xe2\x82\xac\"", "\"\xe2\x82\xac\"", "\"\\u20ac\""},
        {LITERAL("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\"",
         "\"\\ud83d\\ude00\""},
        {LITERAL("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"", "\"\xf4\x8f\xbf\xbf\"",
         "\"\\udbff\\udfff\""},
        {LITERAL("\xff!"), "\"\xef\xbf\xbd!\"", "\"\xef\xbf\xbd!\"", "\"\\ufffd!\""},
        {LITERAL("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "\"\\ufffd\\ufffd\\ufffd\""},
        {LITERAL("\xc3"), "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\"", "\"\\ufffd\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_text(written(*state, rows[i].value, JSON_STYLE_PLAIN), rows[i].plain);
        expect_text(written(*state, rows[i].value, JSON_STYLE_ESCAPE_SLASH), rows[i].slash);
        expect_text(written(*state, rows[i].value, JSON_STYLE_ASCII), rows[i].ascii);
    }
    expect_text(written(*state, TEXT("/\xc3\xa9"), JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII),
                "\"\\/\\u00e9\"");
}

/* A reader gets back what was written, whichever bytes and whichever style. */
static void test_reads_back(void **state)
{
    static const char *const samples[] = {"", "x", "\xc3\xa9", "\xf0\x9f\x98\x80", "/", "\\u0041"};

    for (unsigned style = 0; style < 4; style++) {
        for (int byte = 1; byte < 0x80; byte++) {
            for (size_t i = 0; i < COUNT(samples); i++) {
                struct text value = {NULL, 0};
                struct text read = {NULL, 0};
                struct text json = {NULL, 0};
                struct buffer buffer;
                buffer_start(&buffer, *state, 0);
                buffer_addf(&buffer, "%s%c%s", samples[i], byte, samples[COUNT(samples) - 1 - i]);
                assert_true(buffer_finish(&buffer, &value));
                buffer_start(&buffer, *state, 0);
                struct json_out out = json_out_start(&buffer, style);
                json_out_open(&out);
                json_out_member(&out, "k", value);
                json_out_close(&out);
                assert_true(buffer_finish(&buffer, &json));
                json_t *object = json_in_object(*state, json, NULL);
                assert_int_equal(json_in_text(object, "k", &read), JSON_IN_TEXT);
                expect_same_text(read, value);
            }
            arena_reset(*state);
        }
    }
}

static void test_keys_are_escaped_too(void **state)
{
    struct buffer buffer;

    buffer_start(&buffer, *state, 0);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member(&out, "a/\"\xc3\xa9", TEXT(""));
    json_out_close(&out);
    expect_text(buffer_text(&buffer), "{\"a\\/\\\"\\u00e9\":\"\"}");
}

static void test_values(void **state)
{
    /* Written as read: keys in their own order, numbers without noise. */
    static const char *const rows[] = {
        "{}",
        "{\"z\":1,\"a\":{\"y\":[],\"b\":{}},\"m\":[1,[2,[3]],{\"q\":null}]}",
        "{\"t\":true,\"f\":false,\"n\":null}",
        "{\"i\":[0,-1,9223372036854775807,-9223372036854775808]}",
        "{\"r\":[0.0,0.1,-0.5,1.5,3.14159,1e+300,1e-7,0.30000000000000004,123456789.125]}",
        "{\"s\":[\"\",\"a\",\"\\\"\",\"caf\xc3\xa9/\"]}",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer buffer;
        buffer_start(&buffer, *state, 0);
        struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
        json_out_value(&out, json_in_object(*state, text_of(rows[i]), NULL));
        assert_false(buffer.failed);
        if (i == 4) { /* spelling of exponents is the C library's; the values are not */
            json_t *again = json_in_object(*state, buffer_text(&buffer), NULL);
            assert_true(json_equal(again, json_in_object(*state, text_of(rows[i]), NULL)));
            assert_true(
                text_starts(buffer_text(&buffer), TEXT("{\"r\":[0.0,0.1,-0.5,1.5,3.14159,")));
        } else {
            expect_text(buffer_text(&buffer), rows[i]);
        }
    }
}

static void test_values_in_this_style(void **state)
{
    struct buffer buffer;

    buffer_start(&buffer, *state, 0);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII);
    json_out_open(&out);
    json_out_member_int(&out, "userId", 1);
    json_out_key(&out, "account");
    json_out_value(&out, json_in_object(*state, TEXT("{\"e\":\"\xc3\xa9/\"}"), NULL));
    json_out_key(&out, "after");
    json_out_null(&out);
    json_out_close(&out);
    expect_text(buffer_text(&buffer),
                "{\"userId\":1,\"account\":{\"e\":\"\\u00e9\\/\"},\"after\":null}");
}

static void test_failure_stays_in_the_buffer(void **state)
{
    bool written_whole = false;
    (void)state;

    for (size_t limit = 0; limit < 400; limit++) {
        struct arena *arena = arena_open(limit);
        struct buffer buffer;
        struct text t = {NULL, 0};
        buffer_start(&buffer, arena, 0);
        struct json_out out = json_out_start(&buffer, JSON_STYLE_ASCII);
        json_out_open(&out);
        json_out_member(&out, "key", TEXT("\xc3\xa9\xc3\xa9\xc3\xa9"));
        json_out_close(&out);
        if (buffer_finish(&buffer, &t)) {
            expect_text(t, "{\"key\":\"\\u00e9\\u00e9\\u00e9\"}");
            written_whole = true;
        } else {
            assert_false(written_whole);
        }
        arena_close(arena);
    }
    assert_true(written_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_reads_back),
        cmocka_unit_test(test_keys_are_escaped_too),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_in_this_style),
        cmocka_unit_test(test_failure_stays_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
