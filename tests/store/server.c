/* SPDX-License-Identifier: ISC */
/* server.c: see server.h. A keeper process starts the server, starts it again when it ends, and
 * ends it and itself when the test program is gone, which closes a pipe. */
#include "store/server.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/scratch.h"
#include "store/postgresql/connection.h"

enum { START_LIMIT_US = 60 * 1000000, NAP_MS = 20, ROLE_MAX = 32 };

static struct {
    bool started;
    char programs[256]; /* where initdb and postgres are */
    char root[SCRATCH_PATH_MAX];
    char data[SCRATCH_PATH_MAX + 8];
    char log[SCRATCH_PATH_MAX + 8];
    char url[SCRATCH_PATH_MAX + 64];
    pid_t test, keeper;
    int pipe; /* its other end is the keeper's */
    struct connection *connection;
    unsigned schemas;
} server;

static void start(void);
static bool find_programs(void);
static bool make_data(void);
static bool run_initdb(void);
static bool copy(const char *from, const char *to);
static void keep(int pipe);
static bool has_succeeded(pid_t pid);
static pid_t start_postgres(void);
static void become_user(void);
static void stop(void);
static void connect_until(int64_t until_us);
static pid_t postmaster(void);
static void nap(void);

const char *server_url(void)
{
    if (!server.started) {
        start();
    }
    return server.url;
}

void server_fresh(char *url, size_t size)
{
    char create[64];

    snprintf(create, sizeof create, "CREATE SCHEMA s%u", ++server.schemas);
    server_run(create);
    assert_true((size_t)snprintf(url, size, "%s&options=-csearch_path%%3Ds%u", server_url(),
                                 server.schemas) < size);
}

void server_run(const char *sql)
{
    struct statement statement = {NULL, sql};
    struct fault fault = {""};

    (void)server_url();
    connect_until(clock_stopwatch_us() + START_LIMIT_US);
    connection_send(server.connection, &statement, NULL);
    if (connection_wait(server.connection, clock_stopwatch_us() + START_LIMIT_US, &fault) !=
        CONNECTION_OK) {
        fail_msg("%s: %s", sql, fault.text);
    }
}

void server_kill(void)
{
    pid_t pid = postmaster();

    assert_true(pid > 0);
    assert_int_equal(0, kill(pid, SIGKILL));
    connection_drop(server.connection);
    connect_until(clock_stopwatch_us() + START_LIMIT_US);
}

/* ---- start ---- */

static void start(void)
{
    struct passwd *user = getpwnam("postgres");
    int ends[2];

    if (!find_programs()) {
        fail_msg("PostgreSQL's initdb and postgres were not found: apt-get install postgresql");
    }
    assert_true(scratch_make(server.root));
    if (geteuid() == 0) { /* as whom it does not run */
        assert_non_null(user);
        assert_int_equal(0, chown(server.root, user->pw_uid, user->pw_gid));
    }
    snprintf(server.data, sizeof server.data, "%s/data", server.root);
    snprintf(server.log, sizeof server.log, "%s/log", server.root);
    snprintf(server.url, sizeof server.url, "postgresql://retoken@/postgres?host=%s", server.root);
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    server.test = getpid();
    server.pipe = ends[1];
    server.keeper = fork();
    assert_true(server.keeper >= 0);
    if (server.keeper == 0) {
        close(ends[1]);
        keep(ends[0]);
        execl("/bin/true", "true", (char *)NULL); /* not through what looks for leaks */
        _exit(1);
    }
    close(ends[0]);
    atexit(stop);
    server.started = true;
    connect_until(clock_stopwatch_us() + START_LIMIT_US);
}

/* The newest of Debian's, or those in $PATH. */
static bool find_programs(void)
{
    static const char *const patterns[] = {"/usr/lib/postgresql/*/bin/initdb",
                                           "/usr/local/pgsql/bin/initdb", "/usr/bin/initdb"};
    glob_t found = {0};

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found) == 0) {
            snprintf(server.programs, sizeof server.programs, "%s",
                     found.gl_pathv[found.gl_pathc - 1]);
            *strrchr(server.programs, '/') = '\0';
            break;
        }
    }
    globfree(&found);
    return server.programs[0] != '\0';
}

/* ---- the keeper ---- */

/* Returns when the other end of the pipe has been closed, or with a server that cannot start. */
static void keep(int end)
{
    setsid(); /* a terminal's interrupt is not for us */
    if (!make_data()) {
        return;
    }
    struct pollfd gone = {.fd = end, .events = POLLIN};
    pid_t pid = start_postgres();
    while (poll(&gone, 1, NAP_MS) <= 0) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            pid = start_postgres();
        }
    }
    kill(pid, SIGQUIT); /* at once, without a checkpoint */
    waitpid(pid, NULL, 0);
    scratch_remove(server.root);
}

/* initdb takes a second or two. In a build folder what it made is kept for other programs. */
static bool make_data(void)
{
    char kept[64], part[64 + 8];
    int version = 0;
    int lock = open("tests/store/server.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool keeps = sscanf(server.programs, "/usr/lib/postgresql/%d", &version) == 1 && lock >= 0 &&
                 flock(lock, LOCK_EX) == 0;

    snprintf(kept, sizeof kept, "tests/store/postgresql-%d", version);
    snprintf(part, sizeof part, "%s.part", kept);
    bool good = keeps && access(kept, F_OK) == 0 && copy(kept, server.data);
    if (!good) {
        scratch_remove(server.data);
        good = run_initdb();
        if (good && keeps) {
            scratch_remove(part);
            keeps = copy(server.data, part) && rename(part, kept) == 0; /* or the next one tries */
        }
    }
    if (lock >= 0) {
        close(lock);
    }
    return good;
}

/* One role must show a password. */
static bool run_initdb(void)
{
    char program[300], hba[SCRATCH_PATH_MAX + 32];
    pid_t pid = fork();

    if (pid == 0) {
        become_user();
        snprintf(program, sizeof program, "%s/initdb", server.programs);
        execl(program, program, "-D", server.data, "-U", "retoken", "-A", "trust", "-E", "UTF8",
              "--locale=C", "--no-sync", "--no-instructions", (char *)NULL);
        _exit(127);
    }
    if (!has_succeeded(pid)) {
        return false;
    }
    snprintf(hba, sizeof hba, "%s/pg_hba.conf", server.data);
    FILE *file = fopen(hba, "w");
    return file != NULL &&
           fputs("local all secretive scram-sha-256\nlocal all all trust\n", file) >= 0 &&
           fclose(file) == 0;
}

/* A folder, with owners. */
static bool copy(const char *from, const char *to)
{
    pid_t pid = fork();

    if (pid == 0) {
        execlp("cp", "cp", "-a", from, to, (char *)NULL);
        _exit(127);
    }
    return has_succeeded(pid);
}

static bool has_succeeded(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static pid_t start_postgres(void)
{
    char program[300];
    pid_t pid = fork();

    if (pid == 0) {
        become_user();
        prctl(PR_SET_PDEATHSIG, SIGQUIT);
        snprintf(program, sizeof program, "%s/postgres", server.programs);
        execl(program, program, "-D", server.data, "-k", server.root, "-c",
              "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c",
              "shared_buffers=16MB", "-c", "max_connections=60", "-c", "autovacuum=off", "-c",
              "dynamic_shared_memory_type=mmap", (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* PostgreSQL refuses to run as root. What it says goes to the log. */
static void become_user(void)
{
    int log = open(server.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    struct passwd *user = getpwnam("postgres");

    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (geteuid() == 0 && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        _exit(127);
    }
    if (chdir("/") != 0) {
        _exit(127);
    }
    unsetenv("LD_PRELOAD"); /* valgrind, sanitizers */
}

/* ---- */

static void connect_until(int64_t until_us)
{
    const struct connection_settings settings = {.url = server.url, .application = "test"};
    struct fault fault = {""};

    if (server.connection == NULL) {
        server.connection = connection_open(&settings);
        assert_non_null(server.connection);
    }
    while (connection_ready(server.connection, until_us, &fault) != CONNECTION_OK) {
        if (clock_stopwatch_us() > until_us || waitpid(server.keeper, NULL, WNOHANG) != 0) {
            fail_msg("PostgreSQL does not start: %s; see %s", fault.text, server.log);
        }
        nap();
    }
}

/* At the exit of the test program, not of its children. */
static void stop(void)
{
    if (getpid() == server.test) {
        connection_close(server.connection);
        close(server.pipe);
        waitpid(server.keeper, NULL, 0);
    }
}

static pid_t postmaster(void)
{
    char path[SCRATCH_PATH_MAX + 32];
    int pid = 0;

    snprintf(path, sizeof path, "%s/postmaster.pid", server.data);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        pid = fscanf(file, "%d", &pid) == 1 ? pid : 0;
        fclose(file);
    }
    return pid;
}

static void nap(void)
{
    poll(NULL, 0, NAP_MS);
}
