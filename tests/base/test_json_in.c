/* SPDX-License-Identifier: ISC */
/* test_json_in.c: hostile JSON is refused with a reason that quotes nothing, memory comes from the
 * arena, and JSON built outside of a parse lives as if there were no arena. */
#include <stdio.h>
#include <stdlib.h>

#include "base/expect.h"
#include "base/json.h"
#include "base/valgrind.h"

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

static void test_takes(void **state)
{
    struct text value = TEXT("untouched");
    struct fault fault = {""};
    json_t *object =
        json_in_object(*state,
                       TEXT(" {\"t\":\"a\\u00e9\\/\\ud83d\\ude00\",\"e\":\"\",\"n\":null,\"i\":-7,"
                            "\"r\":1.5,\"b\":true,\"o\":{\"t\":1},\"a\":[{}, []]}\r\n\t "),
                       &fault);

    assert_non_null(object);
    assert_string_equal(fault.text, "");
    assert_int_equal(json_in_text(object, "x", &value), JSON_IN_ABSENT);
    assert_int_equal(json_in_text(object, "n", &value), JSON_IN_ABSENT);
    assert_int_equal(json_in_text(object, "i", &value), JSON_IN_OTHER);
    assert_int_equal(json_in_text(object, "b", &value), JSON_IN_OTHER);
    assert_int_equal(json_in_text(object, "o", &value), JSON_IN_OTHER);
    expect_text(value, "untouched");
    assert_int_equal(json_in_text(object, "e", &value), JSON_IN_TEXT);
    expect_text(value, "");
    assert_int_equal(json_in_text(object, "t", &value), JSON_IN_TEXT);
    expect_text(value, "a\xc3\xa9/\xf0\x9f\x98\x80");
    assert_int_equal(json_integer_value(json_object_get(object, "i")), -7);
    assert_int_equal(json_array_size(json_object_get(object, "a")), 2);
}

static void test_text_of_no_object(void **state)
{
    struct text value = TEXT("untouched");
    (void)state;

    assert_int_equal(json_in_text(NULL, "x", &value), JSON_IN_ABSENT);
    assert_int_equal(json_in_text(json_true(), "x", &value), JSON_IN_ABSENT);
    expect_text(value, "untouched");
}

/* SECRET stands near every error; no reason may repeat it. */
static void test_refuses(void **state)
{
    static const struct row {
        struct text text;
        const char *kind;
    } rows[] = {
        {{NULL, 0}, ""},
        {LITERAL(" "), ""},
        {LITERAL("{\"a\":\"SECRET\""), "ends too early"},
        {LITERAL("{\"a\":\"SECRET"), "ends too early"},
        {LITERAL("{\"SECRET\"}"), "not well-formed"},
        {LITERAL("{\"a\":SECRET}"), "not well-formed"},
        {LITERAL("{SECRET:1}"), "not well-formed"},
        {LITERAL("{'a':'SECRET'}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\",}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\"}{}"), "more than one value"},
        {LITERAL("{\"a\":\"SECRET\"} x"), "more than one value"},
        {LITERAL("{\"a\":\"SECRET\"}\0"), "more than one value"},
        {LITERAL("{\"a\":\"SECRET\"}//"), "more than one value"},
        {LITERAL("[\"SECRET\"]"), "not an object"},
        {LITERAL("\"SECRET\""), "not well-formed"},
        {LITERAL("null"), "not well-formed"},
        {LITERAL("1"), "not well-formed"},
        {LITERAL("{\"SECRET\":1,\"SECRET\":1}"), "duplicate key"},
        {LITERAL("{\"SECRET\":1,\"\\u0053ECRET\":2}"), "duplicate key"},
        {LITERAL("{\"o\":{\"SECRET\":1,\"SECRET\":2}}"), "duplicate key"},
        {LITERAL("{\"a\":\"SECRET\\u0000\"}"), "a NUL character"},
        {LITERAL("{\"SECRET\\u0000\":1}"), "a NUL character"},
        {LITERAL("{\"a\":\"SECRET\0\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\n\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\\x41\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\\u12\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\\ud800\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\\udc00\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\\ud800\\u0041\"}"), "not well-formed"},
        {LITERAL("{\"a\":\"SECRET\xff\"}"), "not UTF-8"},
        {LITERAL("{\"a\":\"SECRET\xc0\xaf\"}"), "not UTF-8"},
        {LITERAL("{\"a\":\"SECRET\xed\xa0\x80\"}"), "not UTF-8"},
        {LITERAL("{\"a\":\"SECRET\xf4\x90\x80\x80\"}"), "not UTF-8"},
        {LITERAL("\xef\xbb\xbf{\"a\":\"SECRET\"}"), ""}, /* a byte order mark */
        {LITERAL("{\0\"\0a\0\"\0}\0"), ""},              /* UTF-16 */
        {LITERAL("{\"SECRET\":1e999}"), "a number out of range"},
        {LITERAL("{\"SECRET\":99999999999999999999}"), "a number out of range"},
        {LITERAL("{\"SECRET\":-99999999999999999999}"), "a number out of range"},
        {LITERAL("{\"SECRET\":01}"), "not well-formed"},
        {LITERAL("{\"SECRET\":+1}"), "not well-formed"},
        {LITERAL("{\"SECRET\":.5}"), "not well-formed"},
        {LITERAL("{\"SECRET\":1.}"), "not well-formed"},
        {LITERAL("{\"SECRET\":0x1}"), "not well-formed"},
        {LITERAL("{\"SECRET\":NaN}"), "not well-formed"},
        {LITERAL("{\"SECRET\":-Infinity}"), "not well-formed"},
        {LITERAL("{\"SECRET\":tru}"), "not well-formed"},
        {LITERAL("{\"SECRET\":TRUE}"), "not well-formed"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault fault = {""};
        if (json_in_object(*state, rows[i].text, &fault) != NULL ||
            strstr(fault.text, rows[i].kind) == NULL || strstr(fault.text, "SECRET") != NULL ||
            strncmp(fault.text, "JSON", 4) != 0) {
            fail_msg("row %zu \"%.*s\": %s", i, TEXT_ARGS(rows[i].text), fault.text);
        }
        assert_null(json_in_object(*state, rows[i].text, NULL));
        arena_reset(*state);
    }
}

static void test_names_the_position(void **state)
{
    struct fault fault;

    assert_null(json_in_object(*state, TEXT("{\"a\":1,\n  \"b\":?}"), &fault));
    assert_non_null(strstr(fault.text, "line 2 column "));
}

/* {"a":{"a":…}} or {"a":[[…]]}, `depth` levels with the outermost object. */
static struct text nested(struct arena *arena, size_t depth, bool arrays)
{
    struct text t = {NULL, 0};
    struct buffer buffer;

    buffer_start(&buffer, arena, 8 * depth);
    buffer_add_c(&buffer, "{\"a\":");
    for (size_t i = 1; i < depth; i++) {
        buffer_add_c(&buffer, arrays ? "[" : "{\"a\":");
    }
    buffer_add_c(&buffer, "1");
    for (size_t i = 1; i < depth; i++) {
        buffer_add_char(&buffer, arrays ? ']' : '}');
    }
    buffer_add_char(&buffer, '}');
    assert_true(buffer_finish(&buffer, &t));
    return t;
}

static void test_depth(void **state)
{
    static const struct row {
        size_t depth;
        bool taken;
    } rows[] = {{1, true}, {2, true}, {1023, true}, {1024, false}, {10000, false}, {100000, false}};

    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct fault fault = {""};
        const struct row *row = &rows[i / 2];
        struct text t = nested(*state, row->depth, i % 2 == 0);
        assert_int_equal(json_in_object(*state, t, &fault) != NULL, row->taken);
        assert_true(row->taken || strstr(fault.text, "more than 1024 values") != NULL);
        arena_reset(*state);
    }
    for (size_t depth = 1000; depth <= 100000; depth *= 10) { /* and never closed */
        struct fault fault;
        struct text open = text_cut(nested(*state, depth, true), 5 + depth);
        assert_null(json_in_object(*state, open, &fault));
        arena_reset(*state);
    }
}

/* Every allocation fails in turn: always a refusal that says so, never half a value. (jansson runs
 * past its token buffer when that cannot grow; under a sanitizer this shows.) */
static void sweep_limits(struct text t)
{
    size_t taken = 0;
    size_t refused = 0;

    for (size_t limit = 0; taken < 5; limit += is_under_valgrind() ? 56 : 8) {
        struct arena *arena = arena_open(limit);
        struct fault fault = {""};
        json_t *object = json_in_object(arena, t, &fault);
        assert_true(arena_used(arena) <= limit);
        assert_true(taken == 0 || object != NULL);
        if (object != NULL) {
            assert_string_equal(fault.text, "");
            json_t *expected = json_loadb(t.data, t.size, 0, NULL);
            assert_true(json_equal(object, expected));
            json_decref(expected);
            taken++;
        } else {
            assert_non_null(strstr(fault.text, "too much for one request"));
            refused++;
        }
        arena_close(arena);
    }
    assert_true(refused > 10);
}

/* Where the arena ends is never taken for the end of the input. */
static void test_trailing_bytes_in_a_small_arena(void **state)
{
    const struct text t = TEXT("{\"a\":1} trailingtrailingtrailingtrailingtrailing");

    (void)state;
    for (size_t limit = 0; limit < 4096; limit += 8) {
        struct arena *arena = arena_open(limit);
        struct fault fault = {""};

        assert_null(json_in_object(arena, t, &fault));
        assert_string_not_equal(fault.text, "");
        arena_close(arena);
    }
}

static void test_arena_runs_out(void **state)
{
    struct text t = {NULL, 0};
    struct buffer buffer;

    sweep_limits(TEXT("{\"refresh_token\":\"0123456789012345678901234567890123456789\","
                      "\"list\":[1,2,3,4,5,6,7,8,9,10,11,12],\"real\":1.25,"
                      "\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"e\":{},\"f\":{},\"g\":{}}"));
    sweep_limits(
        TEXT("{\"n\":1234567890123456,\"r\":0.12345678901234567890123456789012345678901}"));
    sweep_limits(nested(*state, 60, true));
    sweep_limits(nested(*state, 60, false));
    for (int escaped = 0; escaped < 2; escaped++) { /* one long string, and one long key */
        buffer_start(&buffer, *state, 0);
        buffer_add_c(&buffer, "{\"");
        for (int i = 0; i < 1500; i++) {
            buffer_add_c(&buffer, escaped ? "\\u00e9" : "\xf0\x9f\x98\x80");
        }
        buffer_add_c(&buffer, "\":\"");
        for (int i = 0; i < 2500; i++) {
            buffer_add_char(&buffer, 'x');
        }
        buffer_add_c(&buffer, "\"}");
        assert_true(buffer_finish(&buffer, &t));
        sweep_limits(t);
    }
}

static void test_arena_bounds_a_bomb(void **state)
{
    struct arena *small = arena_open(32 * 1024);
    struct text t = {NULL, 0};
    struct buffer buffer;
    struct fault fault = {""};

    buffer_start(&buffer, *state, 70000);
    buffer_add_c(&buffer, "{\"a\":[");
    for (int i = 0; i < 500; i++) {
        buffer_add_c(&buffer, "{},");
    }
    buffer_add_c(&buffer, "1]}");
    assert_true(buffer_finish(&buffer, &t));
    assert_null(json_in_object(small, t, &fault));
    assert_non_null(strstr(fault.text, "too much for one request"));
    assert_true(arena_used(small) <= 32 * 1024);
    arena_close(small);
}

/* A value costs far more than a byte: their number is bounded, whatever is inside of strings. */
static void test_counts_values(void **state)
{
    static const char *const values[] = {"{}", "0", "[]", "\"\\\",{[\"", "\",{[,{[,{[\""};

    for (size_t i = 0; i < COUNT(values); i++) {
        size_t each = strchr("{[", values[i][0]) != NULL ? 2 : 1;
        size_t most = (JSON_IN_VALUES_MAX - 2) / each;

        for (size_t count = most - 1; count <= most + 1; count++) {
            struct fault fault = {""};
            struct text t = {NULL, 0};
            struct buffer buffer;
            json_t *object;

            buffer_start(&buffer, *state, 8192);
            buffer_add_c(&buffer, "{\"a\":[");
            for (size_t n = 0; n < count; n++) {
                buffer_add_c(&buffer, n > 0 ? "," : "");
                buffer_add_c(&buffer, values[i]);
            }
            buffer_add_c(&buffer, "]}");
            assert_true(buffer_finish(&buffer, &t));
            object = json_in_object(*state, t, &fault);
            assert_int_equal(object != NULL, count <= most);
            assert_true(object != NULL || strstr(fault.text, "more than 1024 values") != NULL);
            arena_reset(*state);
        }
    }
}

static void test_stray_decref_is_harmless(void **state)
{
    json_t *object = json_in_object(*state, TEXT("{\"a\":{\"b\":[\"c\",1,2.5]}}"), NULL);
    json_t *own = json_object();

    assert_non_null(object);
    assert_int_equal(json_object_set(own, "from the arena", json_object_get(object, "a")), 0);
    json_decref(own);
    json_decref(json_object_get(object, "a"));
    json_decref(object);
    json_decref(object);
    assert_int_equal(json_array_size(json_object_get(json_object_get(object, "a"), "b")), 3);
}

/* jansson outside of a parse is libc's malloc and free, as libjwt and tests expect. */
static void test_outside_of_a_parse(void **state)
{
    size_t used = arena_used(*state);
    json_t *built = json_pack("{s:s,s:[i,i]}", "k", "v", "l", 1, 2);
    char *dumped = json_dumps(built, JSON_COMPACT);

    assert_string_equal(dumped, "{\"k\":\"v\",\"l\":[1,2]}");
    assert_non_null(json_in_object(*state, text_of(dumped), NULL));
    assert_true(arena_used(*state) > used);
    used = arena_used(*state);
    assert_int_equal(json_object_set_new(built, "k", json_integer(7)), 0);
    json_t *copy = json_deep_copy(json_in_object(*state, TEXT("{\"a\":[\"b\"]}"), NULL));
    assert_true(arena_used(*state) > used);
    free(dumped);
    json_decref(built);
    arena_reset(*state);
    assert_string_equal(json_string_value(json_array_get(json_object_get(copy, "a"), 0)), "b");
    json_decref(copy);
    assert_int_equal(arena_used(*state), 0);
}

static void test_names(void **state)
{
    static const struct {
        const char *value;
        bool names;
    } rows[] = {{"\"a\"", true},      {"[\"b\",\"a\"]", true}, {"\"ab\"", false},
                {"[]", false},        {"[[\"a\"]]", false},    {"[1,null]", false},
                {"{\"a\":1}", false}, {"null", false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        json_t *object;

        snprintf(text, sizeof text, "{\"v\":%s,\"e\":\"\"}", rows[i].value);
        object = json_in_object(*state, text_of(text), NULL);
        assert_int_equal(json_in_names(json_object_get(object, "v"), "a"), rows[i].names);
        assert_false(json_in_names(json_object_get(object, "v"), ""));
        assert_false(json_in_names(json_object_get(object, "e"), ""));
    }
    assert_false(json_in_names(NULL, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside_of_a_parse),
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_text_of_no_object),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_names_the_position),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_arena_runs_out),
        cmocka_unit_test(test_arena_bounds_a_bomb),
        cmocka_unit_test(test_counts_values),
        cmocka_unit_test(test_trailing_bytes_in_a_small_arena),
        cmocka_unit_test(test_stray_decref_is_harmless),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
