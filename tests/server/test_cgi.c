/* SPDX-License-Identifier: ISC */
/* test_cgi.c: how much of standard input is the body, and what is read and written besides. Each
 * run is a child with the two ends of pipes as its standard input and output. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/cgi.h"

extern char **environ;

enum { LIMIT = 64 };

/* ---- the application: tells what it was given, once it is flushed ---- */

static struct http_exchange *held;

static void handle(void *self, struct http_exchange *exchange)
{
    (void)self;
    held = exchange;
}

static void flush(void *self)
{
    static const char *const words[] = {"whole", "too large", "cut short", "no length"};
    static char text[2 * LIMIT];
    const struct http_request *request = &held->request;

    (void)self;
    snprintf(text, sizeof text, "%s %.*s", words[request->body_state], TEXT_ARGS(request->body));
    http_response_start(&held->response, 200);
    held->response.body = text_of(text);
    held->answered(held);
}

static size_t body_limit(void *self)
{
    (void)self;
    return LIMIT;
}

static const char *reason_to_end; /* copied into the child */

static const char *must_end(void *self)
{
    (void)self;
    return reason_to_end;
}

static const struct server_handler handler = {
    .handle = handle, .flush = flush, .body_limit = body_limit, .must_end = must_end};

/* ---- the web server ---- */

struct run {
    int status;
    char output[1024];
    size_t left; /* bytes of the input that were not read */
};

static void run_child(char **variables, int input, int output)
{
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    environ = variables;
    _exit(cgi_run(&handler));
}

static size_t read_to_end(int fd, char *out, size_t room)
{
    size_t total = 0;
    ssize_t got;

    while ((got = read(fd, out + total, room - total)) > 0) {
        total += (size_t)got;
    }
    return total;
}

/* `length` NULL: without CONTENT_LENGTH. The input ends after its last byte. */
static struct run run_cgi(const char *method, const char *length, const char *input)
{
    char method_variable[64];
    char length_variable[64];
    char *variables[] = {method_variable, length != NULL ? length_variable : NULL, NULL};
    char rest[8192];
    int in[2];
    int out[2];
    struct run run = {0};

    snprintf(method_variable, sizeof method_variable, "REQUEST_METHOD=%s", method);
    snprintf(length_variable, sizeof length_variable, "CONTENT_LENGTH=%s", length);
    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(write(in[1], input, strlen(input)), strlen(input));
    close(in[1]);
    pid_t child = fork();
    if (child == 0) {
        run_child(variables, in[0], out[1]);
    }
    close(out[1]);
    read_to_end(out[0], run.output, sizeof run.output - 1);
    assert_int_equal(waitpid(child, &run.status, 0), child);
    run.left = read_to_end(in[0], rest, sizeof rest);
    close(in[0]);
    close(out[0]);
    return run;
}

static void expect(const struct run *run, const char *body)
{
    char expected[256];

    snprintf(expected, sizeof expected,
             "Status: 200 OK\r\nX-Content-Type-Options: nosniff\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    assert_string_equal(run->output, expected);
    assert_true(WIFEXITED(run->status));
    assert_int_equal(WEXITSTATUS(run->status), EXIT_SUCCESS);
}

static const char letters_20[] = "abcdefghijklmnopqrst";

/* CONTENT_LENGTH bytes are read, and not one more. */
static void test_whole(void **state)
{
    struct run run = run_cgi("POST", "20", letters_20);

    (void)state;
    expect(&run, "whole abcdefghijklmnopqrst");
    run = run_cgi("POST", "5", letters_20);
    expect(&run, "whole abcde");
    assert_int_equal(run.left, 15);
    run = run_cgi("POST", "0", letters_20);
    expect(&run, "whole ");
    assert_int_equal(run.left, 20);
    run = run_cgi("GET", NULL, letters_20);
    expect(&run, "whole ");
    assert_int_equal(run.left, 20);
    run = run_cgi("GET", "", "");
    expect(&run, "whole ");
}

static void test_cut_short(void **state)
{
    struct run run = run_cgi("POST", "21", letters_20);

    (void)state;
    expect(&run, "cut short ");
    run = run_cgi("POST", "2147483647", letters_20);
    expect(&run, "cut short ");
    run = run_cgi("POST", "-1", letters_20);
    expect(&run, "cut short ");
}

static void test_no_length(void **state)
{
    static const char *const methods[] = {"POST", "post", "PUT"};

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct run run = run_cgi(methods[i], NULL, letters_20);
        expect(&run, "no length ");
        assert_int_equal(run.left, 0); /* the web server could send all of it */
        run = run_cgi(methods[i], "", letters_20);
        expect(&run, "no length ");
    }
}

static void test_limit(void **state)
{
    char input[5000];
    char body[128];

    (void)state;
    memset(input, 'x', sizeof input);
    input[sizeof input - 1] = '\0';
    struct run run = run_cgi("POST", "64", input);
    snprintf(body, sizeof body, "whole %.64s", input);
    expect(&run, body);
    run = run_cgi("POST", "65", input);
    expect(&run, "too large ");
    assert_int_equal(run.left, 0);
    run = run_cgi("POST", "4999", input);
    expect(&run, "too large ");
    assert_int_equal(run.left, 0);
}

static void test_server_that_has_gone(void **state)
{
    char *variables[] = {(char[]){"REQUEST_METHOD=GET"}, NULL};
    int out[2];
    int status;

    (void)state;
    assert_int_equal(pipe(out), 0);
    close(out[0]);
    pid_t child = fork();
    if (child == 0) {
        run_child(variables, STDIN_FILENO, out[1]);
    }
    close(out[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

/* The answer is written, and the exit status tells. */
static void test_process_that_must_end(void **state)
{
    (void)state;
    reason_to_end = "the store is gone";
    struct run run = run_cgi("POST", "5", letters_20);
    reason_to_end = NULL;
    assert_non_null(strstr(run.output, "\r\n\r\nwhole abcde"));
    assert_true(WIFEXITED(run.status));
    assert_int_equal(WEXITSTATUS(run.status), EXIT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_no_length),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_server_that_has_gone),
        cmocka_unit_test(test_process_that_must_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
