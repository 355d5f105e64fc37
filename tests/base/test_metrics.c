/* SPDX-License-Identifier: ISC */
/* test_metrics.c: processes count together in one file, which outlives them; what is no such file,
 * or of another layout; and counting without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "base/scratch.h"

static const struct metrics_mount mounts[] = {{"/oauth/token", "oauth"}, {"/healthz", "wellknown"}};
enum { MOUNTS = sizeof mounts / sizeof mounts[0], MEANING = 7, OUTCOME = 3, ROUNDS = 20000 };

static char directory[SCRATCH_PATH_MAX];
static char path[SCRATCH_PATH_MAX + 16];
static struct metrics_answers *answers[METRICS_MOUNTS_MAX + 8];
static struct fault fault;

/* What happens just before the next lock is taken. */
static void (*before_lock)(void);

int flock(int file, int operation)
{
    void (*happens)(void) = before_lock;

    before_lock = NULL;
    if (happens != NULL) {
        happens();
    }
    return (int)syscall(SYS_flock, file, operation);
}

static int set_up(void **state)
{
    (void)state;
    if (!scratch_make(directory)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/metrics", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(directory);
    return 0;
}

static struct metrics *open_as(uint64_t meaning)
{
    struct metrics *metrics = metrics_open(path, meaning, mounts, MOUNTS, answers, &fault);

    assert_non_null(metrics);
    return metrics;
}

static struct metrics *open_shared(void)
{
    struct metrics *metrics = open_as(MEANING);

    assert_string_equal(fault.text, "");
    return metrics;
}

static void count_one(struct metrics *metrics)
{
    metrics_add(metrics, METRIC_COMMITS, 1);
    metrics_observe(metrics, METRIC_HISTOGRAM_BATCH, 3);
    metrics_answer(answers[0], OUTCOME, 1000);
}

static void assert_counted(struct metrics *metrics, uint64_t n)
{
    struct metrics_cells cells;

    assert_int_equal(metrics_value(metrics, METRIC_COMMITS), n);
    metrics_cells(metrics, METRIC_HISTOGRAM_BATCH, &cells);
    assert_int_equal(cells.buckets[2], n); /* 2 < 3 <= 4 */
    assert_int_equal(cells.sum, 3 * n);
    assert_int_equal(metrics_answers_value(metrics, 1, OUTCOME), n);
    metrics_answers_cells(metrics, 1, &cells);
    assert_int_equal(cells.buckets[3], n); /* a bound belongs to its bucket */
    assert_int_equal(cells.sum, 1000 * n);
}

static void test_the_file_outlives_its_processes(void **state)
{
    struct metrics *metrics = open_shared();
    struct stat about;

    (void)state;
    count_one(metrics);
    metrics_close(metrics);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_true(about.st_blocks * 512 >= about.st_size); /* no page without its place */

    metrics = open_shared();
    count_one(metrics);
    assert_counted(metrics, 2);
    metrics_close(metrics);
}

static void test_mounts_keep_their_rows(void **state)
{
    static const struct metrics_mount others[] = {
        {"/new", "oauth"}, {"/oauth/token", "oauth"}, {"/oauth/token", "duktig"}};
    struct metrics *metrics = open_shared();
    struct metrics_mount mount;

    (void)state;
    count_one(metrics);
    metrics_close(metrics);

    metrics = metrics_open(path, MEANING, others, 3, answers, &fault);
    metrics_answer(answers[1], OUTCOME, 1000);
    metrics_answer(answers[2], OUTCOME, 1000);
    metrics_answer(answers[3], OUTCOME, 1000);
    assert_int_equal(metrics_answers_value(metrics, 1, OUTCOME), 2);
    assert_int_equal(metrics_answers_value(metrics, 0, OUTCOME), 1);
    assert_int_equal(metrics_answers_value(metrics, 4, OUTCOME), 1);
    assert_true(metrics_mount_at(metrics, 0, &mount));
    assert_string_equal(mount.path, "");
    assert_true(metrics_mount_at(metrics, 4, &mount));
    assert_string_equal(mount.path, "/oauth/token");
    assert_string_equal(mount.dialect, "duktig");
    assert_false(metrics_mount_at(metrics, 5, &mount));
    metrics_close(metrics);
}

static void test_mounts_beyond_the_room_share_a_row(void **state)
{
    static struct metrics_mount many[METRICS_MOUNTS_MAX + 4];
    struct metrics *metrics;

    (void)state;
    for (size_t i = 0; i < METRICS_MOUNTS_MAX + 4; i++) {
        snprintf(many[i].path, sizeof many[i].path, "/%zu", i);
    }
    metrics = metrics_open(path, MEANING, many, METRICS_MOUNTS_MAX + 4, answers, &fault);
    assert_non_null(metrics);
    assert_ptr_not_equal(answers[METRICS_MOUNTS_MAX - 2], answers[METRICS_MOUNTS_MAX + 4]);
    assert_ptr_equal(answers[METRICS_MOUNTS_MAX - 1], answers[METRICS_MOUNTS_MAX + 4]);
    assert_ptr_equal(answers[METRICS_MOUNTS_MAX + 3], answers[METRICS_MOUNTS_MAX + 4]);
    metrics_close(metrics);
}

/* ---- at once ---- */

static void *count_many(void *self)
{
    for (int i = 0; i < ROUNDS; i++) {
        count_one(self);
    }
    return NULL;
}

/* Each process opens the file for itself: all at once, so that one of them makes it. */
static void count_from_the_gate(const int gate[2])
{
    char byte;

    close(gate[1]);
    bool begun = read(gate[0], &byte, 1) == 0; /* until all have closed it */
    struct metrics *metrics = metrics_open(path, MEANING, mounts, MOUNTS, answers, &fault);
    if (metrics != NULL) {
        count_many(metrics);
    }
    _exit(begun && metrics != NULL && fault.text[0] == '\0' ? 0 : 1);
}

static void test_processes_and_threads_count_together(void **state)
{
    enum { PROCESSES = 4, THREADS = 2 };
    pthread_t threads[THREADS];
    pid_t pids[PROCESSES];
    struct metrics *metrics;
    int gate[2], status;

    (void)state;
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            count_from_the_gate(gate);
        }
        assert_true(pids[i] > 0);
    }
    close(gate[0]);
    close(gate[1]);
    metrics = open_shared();
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, metrics), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_counted(metrics, (PROCESSES + THREADS) * ROUNDS);
    metrics_close(metrics);
}

/* What is told is whole, and all of it is there but for the last. */
static void test_a_kill_leaves_whole_numbers(void **state)
{
    struct metrics *metrics = open_shared();
    struct metrics_cells cells;
    int status, told[2];
    uint64_t counted = 0, number;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        for (uint64_t n = 1;; n++) {
            count_one(metrics);
            if (write(told[1], &n, sizeof n) != sizeof n) {
                _exit(1);
            }
        }
    }
    close(told[1]);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(read(told[0], &counted, sizeof counted), sizeof counted);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    while (read(told[0], &number, sizeof number) == sizeof number) {
        counted = number;
    }
    close(told[0]);
    assert_in_range(metrics_value(metrics, METRIC_COMMITS), counted, counted + 1);
    metrics_answers_cells(metrics, 1, &cells);
    assert_in_range(cells.buckets[3], counted, counted + 1);
    assert_in_range(metrics_answers_value(metrics, 1, OUTCOME), counted, counted + 1);
    metrics_close(metrics);
}

static struct metrics *others;

static void another_makes_it(void)
{
    others = open_shared();
    count_one(others);
}

static void test_who_is_late_counts_in_the_file_of_who_made_it(void **state)
{
    struct metrics *metrics;

    (void)state;
    before_lock = another_makes_it;
    metrics = open_shared();
    assert_null(before_lock);
    count_one(metrics);
    assert_counted(metrics, 2);
    assert_counted(others, 2);
    metrics_close(others);
    metrics_close(metrics);
}

/* ---- other files ---- */

static void test_another_layout_begins_anew(void **state)
{
    struct metrics *metrics = open_shared(), *other;

    (void)state;
    count_one(metrics);
    other = open_as(MEANING + 1);
    assert_string_equal(fault.text, "");
    assert_counted(other, 0);
    count_one(other);
    assert_counted(other, 1);
    assert_counted(metrics, 1); /* goes on in the file that it has */
    metrics_close(other);
    metrics_close(metrics);
}

static void write_file(const char *content, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), (ssize_t)strlen(content));
    close(file);
}

static void test_a_file_that_was_cut_is_made_anew(void **state)
{
    struct metrics *metrics;

    (void)state;
    write_file("short", 0600);
    metrics = open_shared();
    assert_counted(metrics, 0);
    metrics_close(metrics);
}

static void assert_counts_alone(const char *why)
{
    struct metrics *metrics = open_as(MEANING);

    assert_non_null(strstr(fault.text, why));
    count_one(metrics);
    assert_counted(metrics, 1);
    metrics_close(metrics);
    metrics = open_as(MEANING);
    assert_counted(metrics, 0);
    metrics_close(metrics);
}

static void test_what_cannot_be_shared_is_counted_alone(void **state)
{
    char target[sizeof path + 16];

    (void)state;
    write_file("others can write", 0600);
    assert_int_equal(chmod(path, 0620), 0);
    assert_counts_alone("mode 0600");
    assert_false(metrics_look(path, &fault));

    assert_int_equal(unlink(path), 0);
    snprintf(target, sizeof target, "%s.target", path);
    assert_int_equal(symlink(target, path), 0);
    assert_counts_alone("links");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_counts_alone("not a file");

    assert_int_equal(unlink(path), 0);
    assert_true(metrics_look(path, &fault));
    snprintf(path, sizeof path, "%s/none/metrics", directory);
    assert_counts_alone("No such file");
}

/* A process that was stopped while it added a name. */
static void test_a_lock_that_is_kept_costs_the_name_only(void **state)
{
    struct metrics *metrics = metrics_open(path, MEANING, mounts, 1, answers, &fault);
    int file = open(path, O_RDWR | O_CLOEXEC);

    (void)state;
    assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0); /* who added a name gave it back */
    metrics_close(metrics);
    metrics = open_shared();
    assert_ptr_not_equal(answers[0], answers[MOUNTS]);
    assert_ptr_equal(answers[1], answers[MOUNTS]);
    metrics_close(metrics);
    close(file);
}

static void test_none_counts_nothing(void **state)
{
    (void)state;
    metrics_add(NULL, METRIC_COMMITS, 1);
    metrics_observe(NULL, METRIC_HISTOGRAM_BATCH, 1);
    metrics_answer(NULL, OUTCOME, 1);
    metrics_close(NULL);
}

static void test_every_value_has_a_bucket(void **state)
{
    struct metrics *metrics = open_shared();
    struct metrics_cells cells;
    uint64_t total = 0;

    (void)state;
    for (size_t i = 0; i < METRIC_HISTOGRAM_COUNT; i++) {
        const struct metrics_bounds *bounds = metrics_histogram_bounds((enum metric_histogram)i);

        assert_in_range(bounds->count, 1, METRICS_BOUNDS_MAX);
        for (size_t j = 1; j < bounds->count; j++) {
            assert_true(bounds->upper[j - 1] < bounds->upper[j]);
        }
    }
    metrics_observe(metrics, METRIC_HISTOGRAM_SYNC, 0);
    metrics_observe(metrics, METRIC_HISTOGRAM_SYNC, UINT32_MAX);
    metrics_cells(metrics, METRIC_HISTOGRAM_SYNC, &cells);
    for (size_t i = 0; i <= METRICS_BOUNDS_MAX; i++) {
        total += cells.buckets[i];
    }
    assert_int_equal(total, 2);
    assert_int_equal(cells.buckets[0], 1);
    assert_int_equal(cells.buckets[METRICS_BOUNDS_MAX], 1);
    metrics_answer(answers[0], METRICS_OUTCOMES_MAX, 1); /* no outcome has that number */
    metrics_answers_cells(metrics, 1, &cells);
    assert_int_equal(cells.sum, 0);
    metrics_close(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_file_outlives_its_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mounts_keep_their_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mounts_beyond_the_room_share_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_processes_and_threads_count_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_kill_leaves_whole_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_late_counts_in_the_file_of_who_made_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_another_layout_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_was_cut_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_shared_is_counted_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_lock_that_is_kept_costs_the_name_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_none_counts_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_value_has_a_bucket, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
