/* SPDX-License-Identifier: ISC */
/* test_options.c: the one way command lines are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin/options.h"

enum { WORDS_MAX = 80 };

/* Reads "retoken" and the words, a NULL-terminated list. */
static bool read_words(const char *const *words, struct options *options, struct fault *fault)
{
    static char *argv[WORDS_MAX] = {(char *)(uintptr_t) "retoken"};
    int argc = 1;
    for (; words[argc - 1] != NULL && argc < WORDS_MAX - 1; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    *fault = (struct fault){0};
    return options_read(argc, argv, options, fault);
}

static void test_order_does_not_matter(void **state)
{
    static const char *const lines[][9] = {
        {"-c", "F", "account", "add", "ada", "--role", "x"},
        {"account", "-cF", "add", "--role=x", "ada"},
        {"account", "add", "ada", "--role", "x", "--config=F"},
        {"--role", "x", "--config", "F", "account", "add", "--", "ada"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct options options;
        struct fault fault;
        assert_true(read_words(lines[i], &options, &fault));
        assert_int_equal(options.argument_count, 3);
        assert_string_equal(options.arguments[0], "account");
        assert_string_equal(options.arguments[1], "add");
        assert_string_equal(options.arguments[2], "ada");
        assert_string_equal(options_value(&options, OPTION_CONFIG), "F");
        assert_string_equal(options_value(&options, OPTION_ROLE), "x");
        assert_false(options_has(&options, OPTION_JSON));
    }
}

static void test_wrong_lines(void **state)
{
    static const struct {
        const char *words[4];
        const char *said;
    } rows[] = {
        {{"--nonsense"}, "--nonsense"},
        {{"--nonsense=s3cret"}, "--nonsense"},
        {{"--=s3cret"}, "--"},
        {{"-x"}, "-x"},
        {{"-xs3cret"}, "-x"},
        {{"-hx"}, "-x"},
        {{"--jso"}, "unknown option --jso"}, /* names are not cut short: a later option would change
                                                a script */
        {{"--conf=F"}, "unknown option --conf"},
        {{"--config "}, "unknown option --config "},
        {{"--config"}, "FILE"},
        {{"-c"}, "FILE"},
        {{"--json=1"}, "--json"},
        {{"--json", "--json"}, "twice"},
        {{"-cA", "--config=B"}, "twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct options options;
        struct fault fault;
        assert_false(read_words(rows[i].words, &options, &fault));
        assert_non_null(strstr(fault.text, rows[i].said));
        assert_null(strstr(fault.text, "s3cret"));
    }
}

static void test_values_that_look_like_options(void **state)
{
    static const char *const words[] = {"--subject", "--json", "--password-file", "-", "-", "--",
                                        "-c",        NULL};
    struct options options;
    struct fault fault;
    (void)state;
    assert_true(read_words(words, &options, &fault));
    assert_string_equal(options_value(&options, OPTION_SUBJECT), "--json");
    assert_string_equal(options_value(&options, OPTION_PASSWORD_FILE), "-");
    assert_false(options_has(&options, OPTION_JSON));
    assert_int_equal(options.argument_count, 2);
    assert_string_equal(options.arguments[0], "-");
    assert_string_equal(options.arguments[1], "-c");
}

static void test_empty_value_is_a_value(void **state)
{
    static const char *const words[] = {"--scope=", "--subject", "", NULL};
    struct options options;
    struct fault fault;
    (void)state;
    assert_true(read_words(words, &options, &fault));
    assert_string_equal(options_value(&options, OPTION_SCOPE), "");
    assert_string_equal(options_value(&options, OPTION_SUBJECT), "");
}

static void test_repeated_in_order(void **state)
{
    static const char *const words[] = {"--role", "a", "--claim", "x=1", "--role", "b", NULL};
    struct options options;
    struct fault fault;
    size_t at = 0;
    (void)state;
    assert_true(read_words(words, &options, &fault));
    assert_string_equal(options_next(&options, OPTION_ROLE, &at), "a");
    assert_string_equal(options_next(&options, OPTION_ROLE, &at), "b");
    assert_null(options_next(&options, OPTION_ROLE, &at));
    assert_null(options_next(&options, OPTION_ROLE, &at));
}

static void test_bounds(void **state)
{
    const char *words[WORDS_MAX] = {0};
    struct options options;
    struct fault fault;
    (void)state;
    for (size_t i = 0; i < OPTIONS_MAX; i++) {
        words[i] = "--role=r";
    }
    assert_true(read_words(words, &options, &fault));
    words[OPTIONS_MAX] = "--role=r";
    assert_false(read_words(words, &options, &fault));
}

static void test_outside(void **state)
{
    static const char *const words[] = {"--json", "--account", "ada", NULL};
    struct options options;
    struct fault fault;
    (void)state;
    assert_true(read_words(words, &options, &fault));
    assert_null(options_outside(&options, OPTION_BIT(JSON) | OPTION_BIT(ACCOUNT)));
    assert_string_equal(options_outside(&options, OPTION_BIT(ACCOUNT))->word, "json");
    assert_string_equal(options_outside(&options, 0)->word, "json");
}

/* Every row is read by its word and by its letter. Two of one name or letter would hide each other.
 */
static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *a = options_row((enum option_id)i);
        assert_true(strlen(a->word) > 1 && strlen(a->help) > 0);
        for (int by_letter = 0; by_letter <= (a->letter != 0 ? 1 : 0); by_letter++) {
            char word[64];
            const char *const words[] = {word, a->value[0] != '\0' ? "v" : NULL, NULL};
            struct options options;
            struct fault fault;

            snprintf(word, sizeof word, "--%s", a->word);
            if (by_letter) {
                snprintf(word, sizeof word, "-%c", a->letter);
            }
            assert_true(read_words(words, &options, &fault));
            assert_int_equal(options.given_count, 1);
            assert_string_equal(options_value(&options, (enum option_id)i), words[1] ? "v" : "");
        }
        for (int k = 0; k < i; k++) {
            const struct option_row *b = options_row((enum option_id)k);
            assert_string_not_equal(a->word, b->word);
            assert_true(a->letter == 0 || a->letter != b->letter);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_values_that_look_like_options),
        cmocka_unit_test(test_empty_value_is_a_value),
        cmocka_unit_test(test_repeated_in_order),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
