/* SPDX-License-Identifier: ISC */
/* starts.c: how long it takes from starting a program to its first answer: a responder of its own
 * socket, a CGI script, or a program that does nothing (the floor of both). One after the other,
 * and the median. Knows FastCGI and CGI as far as one refresh needs; knows nothing of Retoken's
 * code.
 *
 *   starts nothing N PROGRAM
 *   starts cgi     N PROGRAM PATH TOKENS_FILE          a token per start; must answer 200
 *   starts fcgi    N PROGRAM PATH TOKENS_FILE SOCKET   PROGRAM --listen SOCKET; likewise
 * Prints one JSON object. The environment goes to the program as it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { STARTS_MAX = 10000, TOKEN_MAX = 512, ANSWER_MAX = 16384, PATIENCE_S = 10 };

static void die(const char *what)
{
    fprintf(stderr, "starts: %s: %s\n", what, strerror(errno));
    exit(3);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t start(char *const *arguments, int input, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (input >= 0) {
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    }
    errno = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
    if (errno != 0) {
        die(arguments[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void read_answer(int fd, char answer[ANSWER_MAX])
{
    size_t size = 0;
    ssize_t got;

    while ((got = read(fd, answer + size, ANSWER_MAX - 1 - size)) > 0) {
        size += (size_t)got;
    }
    for (size_t i = 0; i < size; i++) { /* FastCGI's record heads are no text */
        answer[i] = answer[i] == '\0' ? ' ' : answer[i];
    }
    answer[size] = '\0';
}

static void demand_good(const char *answer)
{
    if (strstr(answer, "Status: 200") == NULL || strstr(answer, "refresh_token") == NULL) {
        fprintf(stderr, "starts: not a good answer: %.300s\n", answer);
        exit(1);
    }
}

/* ---- nothing ---- */

static double start_nothing(char *program)
{
    char *arguments[] = {program, NULL};
    double from = now_s();
    int status;

    waitpid(start(arguments, -1, -1), &status, 0);
    return now_s() - from;
}

/* ---- CGI ---- */

static int make_body(char body[TOKEN_MAX + 64], const char *token)
{
    return snprintf(body, TOKEN_MAX + 64, "grant_type=refresh_token&refresh_token=%s", token);
}

static double start_cgi(char *program, const char *path, const char *token)
{
    char *arguments[] = {program, NULL};
    char body[TOKEN_MAX + 64], length[16], answer[ANSWER_MAX];
    int to[2], from[2], size = make_body(body, token);
    double begun;
    int status;
    pid_t pid;

    snprintf(length, sizeof length, "%d", size);
    setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
    setenv("REQUEST_METHOD", "POST", 1);
    setenv("SCRIPT_NAME", path, 1);
    setenv("CONTENT_TYPE", "application/x-www-form-urlencoded", 1);
    setenv("CONTENT_LENGTH", length, 1);
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        die("pipe");
    }
    begun = now_s();
    pid = start(arguments, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    if (write(to[1], body, (size_t)size) != size) {
        die("writing to the script");
    }
    close(to[1]);
    read_answer(from[0], answer);
    waitpid(pid, &status, 0);
    begun = now_s() - begun;
    close(from[0]);
    demand_good(answer);
    return begun;
}

/* ---- FastCGI ---- */

static size_t put_record(char *out, int type, const void *content, size_t size)
{
    unsigned char head[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(size >> 8), (unsigned char)(size & 0xff), 0,
        0};

    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, content, size);
    return sizeof head + size;
}

static size_t put_param(char *out, const char *name, const char *value)
{
    out[0] = (char)strlen(name); /* both are short */
    out[1] = (char)strlen(value);
    memcpy(out + 2, name, strlen(name));
    memcpy(out + 2 + strlen(name), value, strlen(value));
    return 2 + strlen(name) + strlen(value);
}

static size_t make_request(char *out, const char *path, const char *token)
{
    char params[1024], body[TOKEN_MAX + 64], length[16];
    size_t body_size = (size_t)make_body(body, token), size = 0, at;

    snprintf(length, sizeof length, "%zu", body_size);
    size += put_param(params + size, "REQUEST_METHOD", "POST");
    size += put_param(params + size, "SCRIPT_NAME", path);
    size += put_param(params + size, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    size += put_param(params + size, "CONTENT_LENGTH", length);
    at = put_record(out, 1, "\0\1\0\0\0\0\0", 8);
    at += put_record(out + at, 4, params, size);
    at += put_record(out + at, 4, "", 0);
    at += put_record(out + at, 5, body, body_size);
    return at + put_record(out + at, 5, "", 0);
}

static int connect_soon(const char *path, double patience_until)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    while (now_s() < patience_until) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
            return fd;
        }
        close(fd);
        usleep(100);
    }
    return -1;
}

static double start_fcgi(char *program, const char *path, const char *token, char *socket_path)
{
    char *arguments[] = {program, "--listen", socket_path, NULL};
    char request[4096], answer[ANSWER_MAX];
    size_t size = make_request(request, path, token);
    double begun = now_s();
    pid_t pid = start(arguments, -1, -1);
    int status, fd = connect_soon(socket_path, begun + PATIENCE_S);

    if (fd < 0 || write(fd, request, size) != (ssize_t)size) {
        kill(pid, SIGKILL);
        die(socket_path);
    }
    read_answer(fd, answer);
    begun = now_s() - begun;
    close(fd);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    demand_good(answer);
    return begun;
}

/* ---- */

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static const char *next_token(FILE *tokens, char line[TOKEN_MAX])
{
    if (tokens == NULL || fgets(line, TOKEN_MAX, tokens) == NULL) {
        fputs("starts: not enough tokens\n", stderr);
        exit(2);
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static bool is_usage(int argc, char **argv)
{
    static const struct {
        const char *word;
        int argc;
    } forms[] = {{"nothing", 4}, {"cgi", 6}, {"fcgi", 7}};

    for (size_t i = 0; argc > 3 && i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(argv[1], forms[i].word) == 0 && argc == forms[i].argc) {
            return atoi(argv[2]) > 0 && atoi(argv[2]) <= STARTS_MAX;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static double took[STARTS_MAX];
    char line[TOKEN_MAX];
    FILE *tokens;
    int count;

    if (!is_usage(argc, argv)) {
        fputs("usage: starts nothing N PROGRAM\n"
              "       starts cgi N PROGRAM PATH TOKENS_FILE\n"
              "       starts fcgi N PROGRAM PATH TOKENS_FILE SOCKET\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    count = atoi(argv[2]);
    tokens = argc > 5 ? fopen(argv[5], "r") : NULL;
    for (int i = 0; i < count; i++) {
        took[i] = argc == 4   ? start_nothing(argv[3])
                  : argc == 6 ? start_cgi(argv[3], argv[4], next_token(tokens, line))
                              : start_fcgi(argv[3], argv[4], next_token(tokens, line), argv[6]);
    }
    qsort(took, (size_t)count, sizeof *took, compare_double);
    printf("{\"starts\":\"%s\",\"count\":%d,\"min_ms\":%.3f,\"p50_ms\":%.3f,\"max_ms\":%.3f}\n",
           argv[1], count, took[0] * 1e3, took[count / 2] * 1e3, took[count - 1] * 1e3);
    return 0;
}
