/* SPDX-License-Identifier: ISC */
/* test_log.c: what a line contains and what it never does, whatever is logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static void test_safe(void **state)
{
    char out[64];
    char tiny[6];

    (void)state;
    assert_string_equal(log_safe(TEXT("web-1"), out, sizeof out), "web-1");
    assert_string_equal(log_safe(TEXT(""), out, sizeof out), "");
    assert_string_equal(log_safe((struct text){0}, out, sizeof out), "");
    assert_string_equal(log_safe(TEXT("a b"), out, sizeof out), "a\\x20b");
    assert_string_equal(log_safe(TEXT("a\r\nerror fake=1"), out, sizeof out),
                        "a\\x0d\\x0aerror\\x20fake=1");
    assert_string_equal(log_safe(TEXT("\0\x1b[2J\x7f\xff"), out, sizeof out),
                        "\\x00\\x1b[2J\\x7f\\xff");
    assert_string_equal(log_safe(TEXT("~!"), out, sizeof out), "~!");

    /* cut to fit, never in the middle of an escape */
    assert_string_equal(log_safe(TEXT("abcdefgh"), tiny, sizeof tiny), "abcde");
    assert_string_equal(log_safe(TEXT("ab\ncd"), tiny, sizeof tiny), "ab");
    assert_string_equal(log_safe(TEXT("a\ncd"), tiny, sizeof tiny), "a\\x0a");
    assert_string_equal(log_safe(TEXT("abc"), tiny, 1), "");
    assert_string_equal(log_safe(TEXT("abc"), tiny, 0), "");
}

/* Logs into a file and reads it back. */
static char directory[] = "/tmp/retoken-log.XXXXXX";
static char file[64];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/log", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(directory);
}

static void open_log(enum log_level level)
{
    struct fault fault;

    unlink(file);
    assert_true(log_open(file, level, &fault));
}

static char *contents(void)
{
    static char text[16384];
    FILE *in = fopen(file, "r");

    assert_non_null(in);
    size_t size = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[size] = '\0';
    return text;
}

static void test_line(void **state)
{
    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_NOTICE, "refresh mount=%s", "/oauth/token");
    char *line = contents();
    /* 2026-01-31T12:00:00.123Z notice [4711] refresh mount=/oauth/token */
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[23], 'Z');
    char expected[64];
    snprintf(expected, sizeof expected, " notice [%ld] refresh mount=/oauth/token\n",
             (long)getpid());
    assert_string_equal(line + 24, expected);
}

static void test_controls_cannot_forge_a_line(void **state)
{
    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_ERROR, "%s", "what\r\nerror [1] fake\x1b[0m\xc3\xa9 \\");
    assert_non_null(strstr(contents(), "] what\\x0d\\x0aerror [1] fake\\x1b[0m\\xc3\\xa9 \\\n"));
}

static void test_long_lines_are_cut(void **state)
{
    static char text[10000];

    (void)state;
    memset(text, '\n', sizeof text - 1);
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_ERROR, "%s", text);
    log_line(LOG_LEVEL_ERROR, "next");
    char *line = contents();
    char *end = strchr(line, '\n');
    assert_true(end - line < 2200);
    assert_memory_equal(end - 4, "\\x0a", 4);
    assert_non_null(strstr(end, "] next\n"));
}

/* What follows "2026-01-31T12:00:00.123Z" in the last line. */
static const char *last_line(void)
{
    char *text = contents();
    char *end = strrchr(text, '\n');

    assert_non_null(end);
    *end = '\0';
    char *before = strrchr(text, '\n');
    return (before != NULL ? before + 1 : text) + 24;
}

/* The prefix is kept between lines; a child has another one from its first line on, and its child
 * again. */
static void test_each_process_names_itself(void **state)
{
    char expected[64];
    int status;

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_NOTICE, "parent");
    pid_t child = fork();
    if (child == 0) {
        log_line(LOG_LEVEL_NOTICE, "child");
        _exit(EXIT_SUCCESS);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    snprintf(expected, sizeof expected, " notice [%ld] child", (long)child);
    assert_string_equal(last_line(), expected);
    log_line(LOG_LEVEL_ERROR, "parent");
    snprintf(expected, sizeof expected, " error [%ld] parent", (long)getpid());
    assert_string_equal(last_line(), expected);
}

/* Seconds by the clock that lines go by: time() may be a tick behind it. */
static time_t now(void)
{
    struct timespec time;

    timespec_get(&time, TIME_UTC);
    return time.tv_sec;
}

static void assert_dated(const char *line, time_t from, time_t to)
{
    char first[32];
    char last[32];

    strftime(first, sizeof first, "%Y-%m-%dT%H:%M:%S", gmtime(&from));
    strftime(last, sizeof last, "%Y-%m-%dT%H:%M:%S", gmtime(&to));
    assert_true(strncmp(line, first, 19) >= 0 && strncmp(line, last, 19) <= 0);
}

/* The prefix is kept between lines, for no longer than a second. */
static void test_the_time_is_now(void **state)
{
    static const struct timespec pause = {.tv_nsec = 5000000};

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    for (int i = 0; i < 2; i++) {
        time_t from = now();
        log_line(LOG_LEVEL_NOTICE, "x");
        time_t to = now();
        assert_dated(last_line() - 24, from, to);
        while (i == 0 && now() == to) {
            nanosleep(&pause, NULL);
        }
    }
}

static void test_levels(void **state)
{
    static const char *const words[] = {"error", "notice", "info", "debug"};

    (void)state;
    for (int threshold = LOG_LEVEL_ERROR; threshold <= LOG_LEVEL_DEBUG; threshold++) {
        open_log((enum log_level)threshold);
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
            log_line((enum log_level)level, "x");
        }
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
            assert_int_equal(strstr(contents(), words[level]) != NULL, level <= threshold);
        }
    }
}

static void test_file_is_private_and_appended_to(void **state)
{
    struct stat status;
    struct fault fault;
    char nowhere[80];

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_NOTICE, "one");
    assert_true(log_open(file, LOG_LEVEL_NOTICE, &fault));
    log_line(LOG_LEVEL_NOTICE, "two");
    assert_non_null(strstr(contents(), "one"));
    assert_non_null(strstr(contents(), "two"));
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    snprintf(nowhere, sizeof nowhere, "%s/none/log", directory);
    assert_false(log_open(nowhere, LOG_LEVEL_NOTICE, &fault));
    char expected[128];
    snprintf(expected, sizeof expected, "log %s/none/log: No such file or directory", directory);
    assert_string_equal(fault.text, expected);
    log_line(LOG_LEVEL_NOTICE, "three"); /* still where it went before */
    assert_non_null(strstr(contents(), "three"));
}

/* ---- rotation ---- */

static void rename_file(char older[80])
{
    snprintf(older, 80, "%s.1", file);
    assert_int_equal(rename(file, older), 0);
}

static void test_reopens_when_told(void **state)
{
    char older[80];

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    log_line(LOG_LEVEL_NOTICE, "before");
    rename_file(older);
    log_reopen();
    log_line(LOG_LEVEL_NOTICE, "after");
    assert_null(strstr(contents(), "before"));
    assert_non_null(strstr(contents(), "after"));
    assert_int_equal(unlink(older), 0);
}

static void test_notices_that_it_was_renamed(void **state)
{
    static const struct timespec pause = {.tv_nsec = 5000000};
    char older[80];

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    rename_file(older);
    for (time_t from = now(); access(file, F_OK) != 0 && now() < from + 60;) {
        log_line(LOG_LEVEL_NOTICE, "x");
        nanosleep(&pause, NULL);
    }
    assert_non_null(strstr(contents(), "] x\n"));
    assert_int_equal(unlink(older), 0);
}

static void test_goes_on_where_it_cannot_reopen(void **state)
{
    char older[80];

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    rename_file(older);
    assert_int_equal(mkdir(file, 0700), 0);
    log_reopen();
    log_reopen();
    log_line(LOG_LEVEL_NOTICE, "after");
    assert_int_equal(rmdir(file), 0);
    assert_int_equal(rename(older, file), 0);
    char *said = strstr(contents(), "cannot be opened again");
    assert_non_null(said);
    assert_null(strstr(said + 1, "cannot be opened again"));
    assert_non_null(strstr(contents(), "after"));
}

/* ---- files of others ---- */

static void test_symbolic_link_is_refused(void **state)
{
    char target[80];
    struct fault fault;

    (void)state;
    unlink(file);
    snprintf(target, sizeof target, "%s/precious", directory);
    assert_int_equal(symlink(target, file), 0);
    assert_false(log_open(file, LOG_LEVEL_NOTICE, &fault));
    assert_non_null(strstr(fault.text, "it is a symbolic link"));
    assert_int_not_equal(access(target, F_OK), 0);
}

static void test_file_of_another_is_refused(void **state)
{
    struct fault fault;

    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can give a file away */
    }
    open_log(LOG_LEVEL_NOTICE);
    assert_int_equal(chown(file, 1, 1), 0);
    assert_false(log_open(file, LOG_LEVEL_NOTICE, &fault));
    assert_non_null(strstr(fault.text, "it belongs to another user"));
}

static void test_fifo_holds_nothing_up(void **state)
{
    struct fault fault;

    (void)state;
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_false(log_open(file, LOG_LEVEL_NOTICE, &fault));
}

/* ---- what strangers cause ---- */

/* How often this word is in the log. */
static size_t count_words(const char *word)
{
    size_t count = 0;

    for (const char *at = contents(); (at = strstr(at, word)) != NULL; at += strlen(word)) {
        count++;
    }
    return count;
}

static void test_only_so_many_in_a_second(void **state)
{
    enum { LINES = 10000 };
    size_t admitted = 0;
    size_t counted = 0;

    (void)state;
    open_log(LOG_LEVEL_NOTICE);
    time_t from = now();
    for (int i = 0; i < LINES; i++) {
        admitted += log_admits();
    }
    time_t to = now();
    assert_true(admitted >= LOG_LIMIT);
    assert_true(admitted <= LOG_LIMIT * (size_t)(to - from + 1));
    for (; now() == to;) {
    }
    log_settle();
    log_settle();
    for (const char *at = contents(); (at = strstr(at, "many: ")) != NULL; at++) {
        counted += strtoul(at + strlen("many: "), NULL, 10);
    }
    assert_true(counted <= LINES && counted + LOG_LIMIT >= LINES);
    assert_true(count_words("many: ") >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_controls_cannot_forge_a_line),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_each_process_names_itself),
        cmocka_unit_test(test_the_time_is_now),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_file_is_private_and_appended_to),
        cmocka_unit_test(test_reopens_when_told),
        cmocka_unit_test(test_notices_that_it_was_renamed),
        cmocka_unit_test(test_goes_on_where_it_cannot_reopen),
        cmocka_unit_test(test_symbolic_link_is_refused),
        cmocka_unit_test(test_file_of_another_is_refused),
        cmocka_unit_test(test_fifo_holds_nothing_up),
        cmocka_unit_test(test_only_so_many_in_a_second),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
