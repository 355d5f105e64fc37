/* SPDX-License-Identifier: ISC */
/* test_shared_queue.c: writes that are left to another process. Processes are brought into a known
 * order by the turn to write, which one of them keeps until the others wait; nothing depends on
 * luck or on the speed of the host. */
#include "store/fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/valgrind.h"
#include "store/lmdb/env_private.h"
#include "store/lmdb/shared_queue_file.h"

enum { SESSIONS = 8, STORM = 12, STORM_KILLS = 120, STORM_ROUNDS = 40 };

/* What a child says of its write. */
struct said {
    atomic_int result; /* -1: nothing yet */
    struct fault fault;
};

/* What all processes of a test see. */
struct board {
    struct said said[SESSIONS];
    atomic_bool has_turn;
    struct store *inherited;         /* by children, for whom it is no use; to valgrind not lost */
    atomic_uint acknowledged[STORM]; /* the generation that a child was told of */
};

static struct board *board;
static struct fixture *f;

/* A store that nobody has open, with an account and sessions at generation 0. */
static int set_up(void **state)
{
    fixture_lmdb(state);
    f = *state;
    f->settings.writer_wait_ms = 10 * CLOCK_MINUTE;
    fixture_account(f, "ada");
    for (uint32_t n = 0; n < STORM; n++) {
        fixture_add_session(f, n);
    }
    fixture_close(f);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(board, MAP_FAILED);
    for (int i = 0; i < SESSIONS; i++) {
        atomic_store(&board->said[i].result, -1);
    }
    return 0;
}

static int tear_down(void **state)
{
    munmap(board, sizeof *board);
    return fixture_remove(state);
}

static struct shared_queue *queue_of(void)
{
    return lmdb_store_of(f->store)->queue;
}

/* The file itself, as no process of the store sees it. */
static struct shared_file *map_queue(void)
{
    char path[sizeof f->directory + 16];
    void *file;
    int descriptor;

    snprintf(path, sizeof path, "%s/commit.queue", f->directory);
    descriptor = open(path, O_RDWR | O_CLOEXEC);
    assert_true(descriptor >= 0);
    file =
        mmap(NULL, sizeof(struct shared_file), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    assert_ptr_not_equal(file, MAP_FAILED);
    close(descriptor);
    return file;
}

static unsigned waiting(struct shared_file *file)
{
    unsigned count = 0;

    for (int seat = 0; seat < SHARED_SEATS; seat++) {
        uint32_t stage = atomic_load(&file->words[seat].now) % SHARED_STAGES;

        count += stage == SHARED_WAITS || stage == SHARED_CALLED ? 1 : 0;
    }
    return count;
}

static void wait_for_waiting(unsigned count)
{
    struct shared_file *file = map_queue();

    while (waiting(file) != count) {
        sched_yield();
    }
    munmap(file, sizeof *file);
}

/* ---- processes ---- */

/* A child with a store of its own; `work` ends it. */
static pid_t spawn(void (*work)(uint32_t n), uint32_t n)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        board->inherited = f->store;
        f->store = store_open(&f->settings, &f->fault);
        if (f->store != NULL) {
            work(n);
        }
        _exit(99);
    }
    assert_true(pid > 0);
    return pid;
}

static void reap(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static enum store_result rotate(uint32_t n, uint32_t from, struct fault *fault)
{
    struct store_rotation rotation = fixture_rotation(n, from, FIXTURE_NOW + 1);

    return store_session_rotate(f->store, &rotation, fault);
}

static void rotate_and_say(uint32_t n)
{
    atomic_store(&board->said[n].result, (int)rotate(n, 0, &board->said[n].fault));
    _exit(0);
}

/* The parent has the store open and the turn: what is begun now has to leave its write. */
static void open_with_turn(void)
{
    fixture_open(f);
    assert_non_null(queue_of());
    assert_true(env_turn_take(fixture_env(f), 0));
}

static void give_turn(void)
{
    env_turn_give(fixture_env(f));
    shared_queue_wake(queue_of());
}

static size_t last_commit(void)
{
    MDB_envinfo info;

    mdb_env_info(fixture_env(f)->mdb, &info);
    return info.me_last_txnid;
}

static void assert_said(uint32_t n, enum store_result result, const char *words)
{
    assert_int_equal(atomic_load(&board->said[n].result), result);
    if (words != NULL && strstr(board->said[n].fault.text, words) == NULL) {
        fail_msg("\"%s\" should be in: %s", words, board->said[n].fault.text);
    }
}

/* ---- who waits is taken along ---- */

static void those_that_wait_are_one_commit(void **state)
{
    pid_t children[SESSIONS];
    size_t before;

    (void)state;
    open_with_turn();
    before = last_commit();
    for (uint32_t n = 0; n < SESSIONS; n++) {
        children[n] = spawn(rotate_and_say, n);
    }
    wait_for_waiting(SESSIONS);
    give_turn();
    for (uint32_t n = 0; n < SESSIONS; n++) {
        reap(children[n]);
        assert_said(n, STORE_OK, NULL);
        assert_int_equal(fixture_find(f, n).generation, 1);
    }
    assert_int_equal(last_commit(), before + 1);
}

static void who_leads_writes_its_own_with_theirs(void **state)
{
    pid_t children[SESSIONS];
    size_t before;

    (void)state;
    open_with_turn();
    before = last_commit();
    for (uint32_t n = 1; n < SESSIONS; n++) {
        children[n] = spawn(rotate_and_say, n);
    }
    wait_for_waiting(SESSIONS - 1);
    assert_store(STORE_OK, rotate(0, 0, &f->fault)); /* this process has the turn */
    for (uint32_t n = 1; n < SESSIONS; n++) {
        reap(children[n]);
        assert_said(n, STORE_OK, NULL);
    }
    assert_int_equal(last_commit(), before + 1);
}

static void of_several_for_one_session_one_wins(void **state)
{
    pid_t children[2];
    int stale = 0, good = 0;

    (void)state;
    open_with_turn();
    children[0] = spawn(rotate_and_say, 3);
    wait_for_waiting(1);
    give_turn();
    reap(children[0]);
    assert_said(3, STORE_OK, NULL);
    assert_true(env_turn_take(fixture_env(f), 0));
    atomic_store(&board->said[3].result, -1);
    children[0] = spawn(rotate_and_say, 3); /* from generation 0, once more */
    children[1] = spawn(rotate_and_say, 4);
    wait_for_waiting(2);
    give_turn();
    for (int i = 0; i < 2; i++) {
        reap(children[i]);
        stale += atomic_load(&board->said[3 + i].result) == STORE_STALE ? 1 : 0;
        good += atomic_load(&board->said[3 + i].result) == STORE_OK ? 1 : 0;
    }
    assert_int_equal(stale, 1);
    assert_int_equal(good, 1);
}

/* ---- who takes it dies ---- */

/* The first that waits, of who has the turn for as long as that takes. */
static struct store_write *take_first(void)
{
    struct store_write *taken;

    if (!env_turn_take(fixture_env(f), 0)) {
        _exit(98);
    }
    atomic_store(&board->has_turn, true);
    while ((taken = shared_queue_take(queue_of())) == NULL) {
        sched_yield();
    }
    return taken;
}

/* Dies before it writes. */
static void take_and_die(uint32_t n)
{
    (void)take_first();
    _exit((int)n);
}

/* Writes it too, and dies before it answers. */
static void commit_and_die(uint32_t n)
{
    struct batch_writer *alone = batch_writer_open(&(struct batch_settings){
        .env = fixture_env(f), .verbs = verbs_of(f->store), .metrics = f->settings.metrics});
    struct fault notice = {""};

    batch_write(alone, take_first(), &notice);
    _exit((int)n);
}

/* The same, but of who had another master secret in force: its answer would have been another. */
static void commit_under_another_and_die(uint32_t n)
{
    struct batch_writer *alone = batch_writer_open(&(struct batch_settings){
        .env = fixture_env(f), .verbs = verbs_of(f->store), .metrics = f->settings.metrics});
    struct store_write *taken = take_first();
    struct fault notice = {""};

    taken->of.rotate.secret = 0x4f;
    batch_write(alone, taken, &notice);
    _exit((int)n);
}

static void die_in_between(void (*how)(uint32_t n), enum store_result result)
{
    pid_t leader = spawn(how, 0), follower;

    while (!atomic_load(&board->has_turn)) {
        sched_yield();
    }
    follower = spawn(rotate_and_say, 0);
    reap(leader);
    reap(follower);
    assert_said(0, result, NULL);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 0).generation, 1);
}

static void what_a_dead_process_took_is_done(void **state)
{
    (void)state;
    die_in_between(take_and_die, STORE_OK);
}

static void what_a_dead_process_wrote_is_not_stale(void **state)
{
    (void)state;
    die_in_between(commit_and_die, STORE_OK);
}

static void what_it_wrote_under_another_secret_is_decided_again(void **state)
{
    (void)state;
    die_in_between(commit_under_another_and_die, STORE_STALE);
}

/* ---- who leaves it dies, stops or has no time ---- */

static void what_a_dead_process_left_is_not_done(void **state)
{
    pid_t child;

    (void)state;
    open_with_turn();
    child = spawn(rotate_and_say, 0);
    wait_for_waiting(1);
    kill(child, SIGKILL);
    reap(child);
    assert_store(STORE_OK, rotate(1, 0, &f->fault));
    assert_int_equal(fixture_find(f, 0).generation, 0);
    assert_int_equal(fixture_find(f, 1).generation, 1);
    wait_for_waiting(0);
}

static void a_seat_of_a_dead_process_is_used_again(void **state)
{
    struct shared_file *file;

    (void)state;
    open_with_turn();
    for (int i = 0; i < 3; i++) {
        pid_t child = spawn(rotate_and_say, 0);

        wait_for_waiting(1);
        kill(child, SIGKILL);
        reap(child);
        file = map_queue();
        assert_int_equal(atomic_load(&file->seats), 1);
        munmap(file, sizeof *file);
        give_turn();
        atomic_store(&board->said[1].result, -1);
        assert_true(env_turn_take(fixture_env(f), 0));
        child = spawn(rotate_and_say, (uint32_t)i + 1);
        wait_for_waiting(1);
        give_turn();
        reap(child);
        assert_said((uint32_t)i + 1, STORE_OK, NULL);
        assert_true(env_turn_take(fixture_env(f), 0));
    }
}

static void the_others_go_on_beside_one_that_is_stopped(void **state)
{
    pid_t stopped, child;
    int status;

    (void)state;
    open_with_turn();
    stopped = spawn(rotate_and_say, 0);
    wait_for_waiting(1);
    kill(stopped, SIGSTOP);
    assert_int_equal(waitpid(stopped, &status, WUNTRACED), stopped);
    child = spawn(rotate_and_say, 1);
    wait_for_waiting(2);
    give_turn(); /* calls the one that is stopped */
    reap(child);
    assert_said(1, STORE_OK, NULL);
    assert_int_equal(fixture_find(f, 0).generation, 1); /* it was taken along */
    kill(stopped, SIGCONT);
    reap(stopped);
    assert_said(0, STORE_OK, NULL);
}

static void what_nobody_takes_in_time_is_not_done(void **state)
{
    pid_t child;

    (void)state;
    open_with_turn();
    f->settings.writer_wait_ms = 50;
    child = spawn(rotate_and_say, 0);
    reap(child);
    assert_said(0, STORE_FAULT, "to write behind process");
    give_turn();
    assert_store(STORE_OK, rotate(1, 0, &f->fault));
    assert_int_equal(fixture_find(f, 0).generation, 0);
}

/* On a slow host its time may be up before it is taken: once more, with more of it. */
static void what_is_not_answered_in_time_is_not_known(void **state)
{
    const char *known = NULL;

    (void)state;
    for (f->settings.writer_wait_ms = 200; known == NULL; f->settings.writer_wait_ms *= 2) {
        pid_t child;

        fixture_close(f);
        open_with_turn();
        child = spawn(rotate_and_say, 0);
        while (atomic_load(&board->said[0].result) == -1 && shared_queue_take(queue_of()) == NULL) {
            sched_yield();
        }
        reap(child);
        assert_said(0, STORE_FAULT, NULL);
        known = strstr(board->said[0].fault.text, "is not known");
        atomic_store(&board->said[0].result, -1);
    }
    assert_non_null(known);
}

/* ---- the file ---- */

static void spoil(const void *bytes, size_t size, off_t at, off_t length)
{
    char path[sizeof f->directory + 16];
    int file;

    snprintf(path, sizeof path, "%s/commit.queue", f->directory);
    file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, size, at), (ssize_t)size);
    assert_int_equal(ftruncate(file, length), 0);
    close(file);
}

static void assert_sound(void)
{
    char path[sizeof f->directory + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/commit.queue", f->directory);
    fixture_open(f);
    assert_non_null(queue_of());
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, sizeof(struct shared_file));
    assert_int_equal(status.st_mode & 07777, 0600);
    fixture_close(f);
}

static void a_file_that_is_not_ours_is_replaced(void **state)
{
    static const char noise[256] = "what is this";
    off_t size = (off_t)sizeof(struct shared_file);
    struct shared_file *file;

    (void)state;
    assert_sound();
    spoil(noise, 1, 0, size); /* its identity */
    assert_sound();
    file = map_queue();
    file->identity.mac[3] ^= 1; /* of another record key */
    munmap(file, sizeof *file);
    assert_sound();
    file = map_queue();
    assert_int_equal(file->identity.says[0], 'r');
    munmap(file, sizeof *file);
    spoil(noise, sizeof noise, 0, sizeof noise);
    assert_sound();
    spoil(noise, 0, 0, 0);
    assert_sound();
}

static void words_that_are_noise_harm_nobody(void **state)
{
    struct shared_file *file;

    (void)state;
    fixture_open(f);
    file = map_queue();
    atomic_store(&file->seats, UINT32_MAX);
    for (int seat = 0; seat < SHARED_SEATS; seat++) {
        atomic_store(&file->words[seat].now, 0x9e3779b9u * (uint32_t)(seat + 1));
    }
    munmap(file, sizeof *file);
    assert_store(STORE_OK, rotate(0, 0, &f->fault));
    fixture_close(f);
    fixture_open(f);
    assert_store(STORE_OK, rotate(0, 1, &f->fault));
}

static void a_write_that_was_changed_is_answered_with_a_fault(void **state)
{
    struct shared_file *file;
    pid_t child;

    (void)state;
    open_with_turn();
    child = spawn(rotate_and_say, 0);
    wait_for_waiting(1);
    file = map_queue();
    file->places[0].bytes[sizeof(struct shared_head) - 1] ^= 1;
    munmap(file, sizeof *file);
    assert_null(shared_queue_take(queue_of()));
    reap(child);
    assert_said(0, STORE_FAULT, "commit.queue was damaged");
    assert_int_equal(fixture_find(f, 0).generation, 0);
}

/* ---- all at once ---- */

/* What the one before left may be written yet: the first may be stale. */
static void rotate_for_ever(uint32_t n)
{
    uint32_t at = fixture_find(f, n).generation;
    bool first = true;

    for (;; first = false) {
        enum store_result result = rotate(n, at, &f->fault);

        if (first && result == STORE_STALE) {
            at = fixture_find(f, n).generation;
            continue;
        } else if (result != STORE_OK) {
            _exit(1);
        }
        atomic_store(&board->acknowledged[n], ++at);
    }
}

/* Kills go round; what was acknowledged is there, and at most one more. */
static void no_acknowledged_write_is_lost_in_a_storm(void **state)
{
    uint32_t kills = is_under_valgrind() ? STORM : STORM_KILLS;
    pid_t children[STORM];
    uint32_t goal[STORM];

    (void)state;
    for (uint32_t n = 0; n < STORM; n++) {
        children[n] = spawn(rotate_for_ever, n);
    }
    for (uint32_t i = 0; i < kills; i++) {
        uint32_t n = i * 7 % STORM;
        int status;

        while (atomic_load(&board->acknowledged[(n + 1) % STORM]) < i / STORM) {
            sched_yield();
        }
        kill(children[n], SIGKILL);
        assert_int_equal(waitpid(children[n], &status, 0), children[n]);
        assert_true(WIFSIGNALED(status)); /* and has not ended for another result */
        children[n] = spawn(rotate_for_ever, n);
    }
    for (uint32_t n = 0; n < STORM; n++) {
        goal[n] = atomic_load(&board->acknowledged[n]) + STORM_ROUNDS / STORM;
    }
    for (uint32_t n = 0; n < STORM; n++) {
        while (atomic_load(&board->acknowledged[n]) < goal[n]) {
            sched_yield();
        }
    }
    for (uint32_t n = 0; n < STORM; n++) {
        kill(children[n], SIGKILL);
        reap(children[n]);
    }
    fixture_open(f);
    for (uint32_t n = 0; n < STORM; n++) {
        uint32_t told = atomic_load(&board->acknowledged[n]);
        uint32_t there = fixture_find(f, n).generation;

        assert_in_range(there, told, told + 1);
    }
    assert_int_equal(fixture_findings(f), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(those_that_wait_are_one_commit),
        TEST(who_leads_writes_its_own_with_theirs),
        TEST(of_several_for_one_session_one_wins),
        TEST(what_a_dead_process_took_is_done),
        TEST(what_a_dead_process_wrote_is_not_stale),
        TEST(what_it_wrote_under_another_secret_is_decided_again),
        TEST(what_a_dead_process_left_is_not_done),
        TEST(a_seat_of_a_dead_process_is_used_again),
        TEST(the_others_go_on_beside_one_that_is_stopped),
        TEST(what_nobody_takes_in_time_is_not_done),
        TEST(what_is_not_answered_in_time_is_not_known),
        TEST(a_file_that_is_not_ours_is_replaced),
        TEST(words_that_are_noise_harm_nobody),
        TEST(a_write_that_was_changed_is_answered_with_a_fault),
        TEST(no_acknowledged_write_is_lost_in_a_storm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
