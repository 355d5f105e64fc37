/* SPDX-License-Identifier: ISC */
/* test_workers.c: threads that serve, seen by a client. The server is a child process with an
 * application of this file's own, which is told through shared memory what to do. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/processors.h"
#include "base/valgrind.h"
#include "server/workers.h"

enum { MANY = 50, LOOKS = 5, PROCESSORS_MOST = 200, LIMIT_S = 120 };

/* Between the client and the application. */
struct shared {
    sem_t release;      /* lets one blocked request go on */
    atomic_int blocked; /* requests that have come so far to where they wait */
    atomic_int handled;
    atomic_int handled_at_flush;
    atomic_int looks; /* how often the server has asked since a response waits */
    atomic_bool must_end;
    atomic_uint told; /* a bit for each of the news */
    atomic_int reloads;
};

static char directory[] = "/tmp/retoken-workers.XXXXXX";
static struct shared *shared;
static struct listener listener;
static pid_t server;
static volatile sig_atomic_t late;

/* ---- the application ---- */

static struct http_exchange *_Atomic waiting; /* for a flush */

static void answer(struct http_exchange *exchange)
{
    http_response_start(&exchange->response, 200);
    exchange->response.body = TEXT("answer\n");
    exchange->answered(exchange);
}

static void handle(void *self, struct http_exchange *exchange)
{
    struct text path = exchange->request.script_name;

    (void)self;
    atomic_fetch_add(&shared->handled, 1);
    if (text_is(path, "/write")) {
        atomic_store(&waiting, exchange);
        return;
    } else if (text_is(path, "/block")) {
        atomic_fetch_add(&shared->blocked, 1);
        sem_wait(&shared->release);
    } else if (text_is(path, "/end")) {
        atomic_store(&shared->must_end, true);
    }
    answer(exchange);
}

static size_t body_limit(void *self)
{
    (void)self;
    return 1000;
}

static enum server_pending pending(void *self)
{
    (void)self;
    if (atomic_load(&waiting) == NULL) {
        return SERVER_NOTHING;
    }
    return atomic_fetch_add(&shared->looks, 1) < LOOKS ? SERVER_WAITING : SERVER_DUE;
}

static void flush(void *self)
{
    struct http_exchange *exchange = atomic_exchange(&waiting, NULL);

    (void)self;
    if (exchange != NULL) {
        atomic_store(&shared->handled_at_flush, atomic_load(&shared->handled));
        answer(exchange);
    }
}

/* Nothing waits too long here. */
static int64_t watch(void *self)
{
    (void)self;
    return INT64_MAX;
}

static void tell(void *self, enum server_news news)
{
    (void)self;
    atomic_fetch_or(&shared->told, 1U << news);
}

static void reload(void *self)
{
    (void)self;
    atomic_fetch_add(&shared->reloads, 1);
}

static const char *must_end(void *self)
{
    (void)self;
    return atomic_load(&shared->must_end) ? "the test says so" : NULL;
}

static const struct server_handler handler = {.handle = handle,
                                              .body_limit = body_limit,
                                              .pending = pending,
                                              .flush = flush,
                                              .watch = watch,
                                              .tell = tell,
                                              .reload = reload,
                                              .must_end = must_end};

/* A worker that is stuck still runs when the server ends, which TSan would call a leak. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "report_thread_leaks=0";
}

/* ---- the client ---- */

static void start(size_t threads)
{
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        workers_block_signals();
        _exit(workers_run(&listener, &handler, threads));
    }
}

/* The exit status. A server that does not end is ended by the alarm, and the test fails. */
static int end_of_server(void)
{
    int status;

    assert_int_equal(waitpid(server, &status, 0), server);
    assert_true(WIFEXITED(status));
    server = 0;
    return WEXITSTATUS(status);
}

static int terminate(void)
{
    assert_int_equal(kill(server, SIGTERM), 0);
    return end_of_server();
}

static bool is_told(enum server_news news)
{
    return (atomic_load(&shared->told) & 1U << news) != 0;
}

/* The main thread has begun another pass, so the one before has told what there was. */
static void reload_once(void)
{
    int before = atomic_load(&shared->reloads);

    assert_int_equal(kill(server, SIGHUP), 0);
    while (atomic_load(&shared->reloads) == before && !late) {
        usleep(1000);
    }
    assert_false(late);
}

static void wait_until_blocked(int count)
{
    while (atomic_load(&shared->blocked) < count && !late) {
        usleep(1000);
    }
    assert_false(late);
}

/* Until the server has so many. */
static void wait_for_threads(size_t count)
{
    char path[64];
    struct stat tasks;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)server);
    do {
        usleep(1000);
        assert_int_equal(stat(path, &tasks), 0);
    } while (tasks.st_nlink < count + 2 && !late); /* a folder each, and . and .. */
    assert_false(late);
}

/* Asks over a connection of its own. */
static int ask(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t length = strlen(path);
    unsigned char bytes[200] = {
        1, 1, 0, 1, 0, 8,
        0, 0, 0, 1, 0, 0,
        0, 0, 0, 0, /* BEGIN_REQUEST of a responder */
        1, 4, 0, 1, 0, (unsigned char)(13 + length + 19),
        0, /* PARAMS */
    };
    size_t size = 24;

    size += (size_t)sprintf((char *)bytes + size, "%c%cSCRIPT_NAME%s", 11, (char)length, path);
    size += (size_t)sprintf((char *)bytes + size, "%c%cREQUEST_METHODGET", 14, 3);
    memcpy(bytes + size, (const unsigned char[16]){1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1}, 16);
    size += 16; /* the ends of PARAMS and STDIN */
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(client, bytes, size, MSG_NOSIGNAL), size);
    return client;
}

/* Its answer has come, and the connection has ended. */
static bool is_answered(int client)
{
    char text[1000] = "";
    size_t size = 0;
    ssize_t got;

    while ((got = recv(client, text + size, sizeof text - 1 - size, 0)) > 0) {
        size += (size_t)got;
    }
    close(client);
    return size > 8 && strncmp(text + 8, "Status: 200 OK", 14) == 0;
}

/* ---- what is tested ---- */

static void test_signal(void **state)
{
    (void)state;
    start(2);
    assert_true(is_answered(ask("/plain")));
    assert_int_equal(terminate(), 0);
}

static void test_news(void **state)
{
    (void)state;
    start(2);
    assert_true(is_answered(ask("/plain"))); /* perhaps before the main thread has told anything */
    reload_once();
    assert_true(is_told(SERVER_SERVES));
    reload_once();
    assert_true(is_told(SERVER_WORKS));
    assert_false(is_told(SERVER_STOPS));
    assert_true(is_answered(ask("/plain")));
    assert_int_equal(terminate(), 0);
    assert_true(is_told(SERVER_STOPS));
}

/* Nothing is told of workers that all wait for something. */
static void test_stuck_workers_do_not_work(void **state)
{
    (void)state;
    start(1);
    int stuck = ask("/block");
    wait_until_blocked(1);
    reload_once();
    reload_once();
    atomic_store(&shared->told, 0);
    reload_once();
    reload_once();
    assert_false(is_told(SERVER_WORKS));
    sem_post(&shared->release);
    assert_true(is_answered(stuck));
    assert_true(is_answered(ask("/plain")));
    reload_once();
    reload_once();
    assert_true(is_told(SERVER_WORKS));
    assert_int_equal(terminate(), 0);
}

/* A request that writes nothing has found out that the process must end. */
static void test_must_end_after_any_request(void **state)
{
    (void)state;
    start(2);
    assert_true(is_answered(ask("/end")));
    assert_int_equal(end_of_server(), 1);
}

/* It does not hold up the end. */
static void test_must_end_while_a_worker_is_stuck(void **state)
{
    (void)state;
    if (is_under_valgrind()) {
        skip(); /* it does not end a process while a thread waits */
    }
    start(2);
    int stuck = ask("/block");
    wait_until_blocked(1);
    assert_true(is_answered(ask("/end")));
    assert_int_equal(end_of_server(), 1);
    assert_false(is_answered(stuck));
}

/* All the workers there usually are, and one more, wait for something else. */
static void test_stuck_workers_get_help(void **state)
{
    int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    int many = processors + 2;
    int stuck[PROCESSORS_MOST + 2];

    (void)state;
    assert_true(processors <= PROCESSORS_MOST);
    start((size_t)many + 1);
    for (int i = 0; i < many; i++) {
        stuck[i] = ask("/block");
    }
    assert_true(is_answered(ask("/plain")));
    wait_until_blocked(many);
    for (int i = 0; i < many; i++) {
        sem_post(&shared->release);
    }
    for (int i = 0; i < many; i++) {
        assert_true(is_answered(stuck[i]));
    }
    assert_int_equal(terminate(), 0);
}

/* Not one by one: requests that take long come together. */
static void test_help_is_as_many_again(void **state)
{
    size_t enough = processors_count() + 1;
    int stuck[PROCESSORS_MOST + 1];

    (void)state;
    assert_true(enough <= PROCESSORS_MOST + 1);
    start(2 * enough + 1);
    for (size_t i = 0; i < enough; i++) {
        stuck[i] = ask("/block");
    }
    assert_true(is_answered(ask("/plain")));
    wait_for_threads(2 * enough + 1); /* and the main thread */
    for (size_t i = 0; i < enough; i++) {
        sem_post(&shared->release);
    }
    for (size_t i = 0; i < enough; i++) {
        assert_true(is_answered(stuck[i]));
    }
    assert_int_equal(terminate(), 0);
}

/* A response that is due goes out, however many requests are ready. */
static void test_due_before_what_is_ready(void **state)
{
    int clients[MANY];

    (void)state;
    start(1);
    int first = ask("/block"); /* until all the others are ready */
    wait_until_blocked(1);
    int writer = ask("/write");
    for (int i = 0; i < MANY; i++) {
        clients[i] = ask("/plain");
    }
    sem_post(&shared->release);
    assert_true(is_answered(first));
    assert_true(is_answered(writer));
    for (int i = 0; i < MANY; i++) {
        assert_true(is_answered(clients[i]));
    }
    assert_true(atomic_load(&shared->handled_at_flush) <= 2 + LOOKS);
    assert_int_equal(terminate(), 0);
}

static int set_up(void **state)
{
    static char path[sizeof directory + 16];
    struct fault fault;

    (void)state;
    memset(shared, 0, sizeof *shared);
    late = 0;
    snprintf(path, sizeof path, "%s/socket", directory);
    alarm(LIMIT_S);
    return sem_init(&shared->release, 1, 0) == 0 && listener_open(&listener, path, 0600, &fault)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    alarm(0);
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    listener_close(&listener);
    return 0;
}

/* Too late: the server goes, and what waits for it fails. */
static void end_server(int number)
{
    (void)number;
    late = 1;
    if (server > 0) {
        kill(server, SIGKILL);
    }
}

static int enter(void **state)
{
    (void)state;
    signal(SIGALRM, end_server);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared != MAP_FAILED && mkdtemp(directory) != NULL ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return rmdir(directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signal),
        TEST(test_news),
        TEST(test_stuck_workers_do_not_work),
        TEST(test_must_end_after_any_request),
        TEST(test_must_end_while_a_worker_is_stuck),
        TEST(test_stuck_workers_get_help),
        TEST(test_help_is_as_many_again),
        TEST(test_due_before_what_is_ready),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
