/* SPDX-License-Identifier: ISC */
/* What only stores of the kind "lmdb" have: files, processes, full disks, broken disks, sudden
 * death. Processes are forked before the store is opened in them; a child answers by its exit
 * status. */
#include "store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/sanitized.h"
#include "base/valgrind.h"
#include "store/lmdb/ended_log.h"
#include "store/lmdb/env_private.h"
#include "store/lmdb/journal.h"
#include "store/records/rows_key.h"

/* ---- a disk that fails on demand: these stand before libc's for LMDB ---- */

static atomic_int failing_write, failing_meta_write, failing_sync; /* errno, 0 = works */
static atomic_int failing_sync_of_journal;
static atomic_bool stopping_in_sync; /* this process stops there, once */
static atomic_bool syncing = true;   /* false where a test writes much and kills nobody */

enum { META_SIZE = 2 * 4096 /* LMDB's two meta pages */ };

static bool fails(atomic_int *failing)
{
    int error = atomic_load(failing);

    errno = error != 0 ? error : errno;
    return error != 0;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    if (fails(at < META_SIZE ? &failing_meta_write : &failing_write)) {
        return -1;
    }
    return syscall(SYS_pwrite64, file, data, size, at);
}

ssize_t writev(int file, const struct iovec *pieces, int count)
{
    if (fails(&failing_write)) {
        return -1;
    }
    return syscall(SYS_writev, file, pieces, count);
}

static bool is_journal(int file)
{
    char link[32], path[256];
    ssize_t size;

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    size = readlink(link, path, sizeof path);
    return size > 9 && memcmp(path + size - 9, "ended.log", 9) == 0;
}

int fdatasync(int file)
{
    if (fails(&failing_sync) || (is_journal(file) && fails(&failing_sync_of_journal))) {
        return -1;
    } else if (atomic_exchange(&stopping_in_sync, false)) {
        raise(SIGSTOP);
    }
    return atomic_load(&syncing) ? (int)syscall(SYS_fdatasync, file) : 0;
}

/* LMDB writes its meta pages through a descriptor of their own, opened O_DSYNC. */
int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (!atomic_load(&syncing)) {
        flags &= ~(O_DSYNC | O_SYNC);
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- children ---- */

enum { CHILD_OK = 0, CHILD_FAILED = 1, CHILD_SKIPPED = 77 };

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "child: line %d: %s (%s)\n", __LINE__, #condition, f->fault.text);     \
            _exit(CHILD_FAILED);                                                                   \
        }                                                                                          \
    } while (0)

static pid_t spawn(struct fixture *f, void (*child)(struct fixture *f))
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        child(f);
        _exit(CHILD_OK);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_in_child(struct fixture *f, void (*child)(struct fixture *f))
{
    int status = status_of(spawn(f, child));

    if (status == CHILD_SKIPPED) {
        skip();
    }
    assert_int_equal(status, CHILD_OK);
}

static void child_open(struct fixture *f)
{
    f->store = store_open(&f->settings, &f->fault);
    must(f->store != NULL);
}

/* ---- words between processes ---- */

struct line {
    int to_child[2], to_parent[2];
};

static void line_open(struct line *line)
{
    assert_int_equal(pipe(line->to_child), 0);
    assert_int_equal(pipe(line->to_parent), 0);
}

static void line_close(struct line *line)
{
    for (int i = 0; i < 2; i++) {
        close(line->to_child[i]);
        close(line->to_parent[i]);
    }
}

static bool say(int out)
{
    return write(out, "!", 1) == 1;
}

static bool hear(int in)
{
    char c;

    return read(in, &c, 1) == 1;
}

static struct line line; /* of the test that runs now */

/* ---- opening ---- */

static void path_in(const struct fixture *f, const char *name, char path[160])
{
    snprintf(path, 160, "%s/%s", f->directory, name);
}

static mode_t mode_of(const char *path)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_mode & 07777;
}

static void a_new_store_is_private(void **state)
{
    struct fixture *f = *state;
    char path[160];
    mode_t before = umask(0);

    fixture_open(f);
    umask(before);
    assert_int_equal(mode_of(f->directory), 0700);
    path_in(f, "data.mdb", path);
    assert_int_equal(mode_of(path), 0600);
    path_in(f, "lock.mdb", path);
    assert_int_equal(mode_of(path), 0600);
}

static void what_was_written_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_close(f);
    f->settings.create = false;
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).generation, 1);
    assert_int_equal(fixture_account(f, "bob"), 2);
    assert_int_equal(fixture_findings(f), 0);
}

static void strange_urls_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *url, *words;
    } rows[] = {
        {"", "unknown kind"},
        {"lmdb", "unknown kind"},
        {"LMDB:/x", "unknown kind"},
        {"redis://x", "unknown"},
        {"lmd:/x", "unknown kind"},
        {":/x", "unknown kind"},
        {"lmdb:", "names no directory"},
        {"memory:", "unknown kind"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f->settings.url = rows[i].url;
        fixture_open_fails(f, rows[i].words);
    }
}

static void absent_stores_are_made_only_on_request(void **state)
{
    struct fixture *f = *state;
    struct stat about;

    f->settings.create = false;
    fixture_open_fails(f, "No such file");
    f->settings.create = true;
    f->settings.read_only = true;
    fixture_open_fails(f, "No such file");
    assert_int_equal(stat(f->directory, &about), -1);
    assert_int_equal(mkdir(f->directory, 0700), 0);
    fixture_open_fails(f, "there is no store in");
    f->settings.read_only = false;
    snprintf(f->url, sizeof f->url, "lmdb:%s/no/such", f->root);
    fixture_open_fails(f, "cannot be made: No such file");
}

static void directories_of_others_are_refused(void **state)
{
    struct fixture *f = *state;
    static const mode_t modes[] = {0755, 0750, 0701, 0710, 0770, 0702};

    fixture_open(f);
    fixture_close(f);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(f->directory, modes[i]), 0);
        fixture_open_fails(f, "chmod 0700");
    }
    assert_int_equal(chmod(f->directory, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(f->directory, 65534, 65534), 0);
        fixture_open_fails(f, "belongs to user 65534");
        assert_int_equal(chown(f->directory, 0, 0), 0);
    }
    fixture_open(f);
}

static void a_file_is_no_directory(void **state)
{
    struct fixture *f = *state;
    int file = open(f->directory, O_CREAT | O_WRONLY, 0600);

    assert_true(file >= 0);
    close(file);
    fixture_open_fails(f, "Not a directory");
}

static void another_master_secret_is_refused(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_close(f);
    f->settings.record_key[31] ^= 1;
    fixture_open_fails(f, "another master secret");
    f->settings.read_only = true;
    fixture_open_fails(f, "another master secret");
    f->settings.record_key[31] ^= 1;
    fixture_open(f);
}

static void write_format_version(struct fixture *f, uint32_t version)
{
    struct record_format format;
    uint8_t bytes[RECORD_FORMAT_SIZE];
    struct rows rows;

    fixture_open(f);
    fixture_read_begin(f, &rows);
    assert_true(rows_format_get(&rows, &format));
    fixture_read_end(&rows);
    assert_int_equal(format.created_ms, FIXTURE_NOW);
    format.version = version;
    record_format_encode(&format, bytes);
    fixture_put_raw(f, TABLE_META, (struct txn_bytes){"format", 6},
                    (struct txn_bytes){bytes, sizeof bytes});
    fixture_close(f);
}

static void format_1_is_refused_with_what_to_do(void **state)
{
    struct fixture *f = *state;

    write_format_version(f, 1);
    fixture_open_fails(f, "it is of format 1 (Retoken 0.1); this version reads format 2: go on "
                          "using it with Retoken 0.1, or make a new store in another directory "
                          "with `retoken init`");
}

static void another_format_version_is_refused(void **state)
{
    struct fixture *f = *state;

    write_format_version(f, 9);
    fixture_open_fails(f, "of format 9; this version reads format 2");
}

static void open_and_write(struct fixture *f)
{
    struct event event = {.at_ms = FIXTURE_NOW, .kind = EVENT_KEY};

    must(hear(line.to_child[0]));
    child_open(f);
    must(store_event_add(f->store, &event, &f->fault) == STORE_OK);
}

static void processes_may_make_the_same_store_at_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 8 };
    pid_t pids[PROCESSES];

    line_open(&line);
    for (size_t i = 0; i < PROCESSES; i++) {
        pids[i] = spawn(f, open_and_write);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        assert_true(say(line.to_child[1]));
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        assert_int_equal(status_of(pids[i]), CHILD_OK);
    }
    line_close(&line);
    fixture_open(f);
    assert_int_equal(fixture_stat(f).entries[TABLE_EVENTS], PROCESSES);
    assert_int_equal(fixture_findings(f), 0);
}

static void use_after_fork(struct fixture *f)
{
    static struct session_view grant;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    must(store_session_view(f->store, rotation.id, &grant, &f->fault) == STORE_FAULT);
    must(strstr(f->fault.text, "before a fork") != NULL);
    must(store_session_rotate(f->store, &rotation, &f->fault) == STORE_FAULT);
    must(store_backup(f->store, "/nowhere", &f->fault) == STORE_FAULT);
    must(strstr(f->fault.text, "before a fork") != NULL);
}

static void a_store_does_not_survive_fork(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    run_in_child(f, use_after_fork);
    assert_int_equal(fixture_find(f, 1).generation, 0);
}

/* ---- read only ---- */

static void read_only_stores_are_read_and_not_written(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(2);
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    struct account account = {.name = "bob", .number = 1};
    struct client client = {.id = "web"};
    struct event event = {.at_ms = FIXTURE_NOW};
    static struct signing_row row = {.state = SIGNING_ACTIVE, .kid = "k"};
    size_t count;
    bool more;

    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    fixture_close(f);
    f->settings.read_only = true;
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).generation, 0);
    assert_int_equal(fixture_findings(f), 0);

    assert_store(STORE_FAULT, store_session_create(f->store, &session, NULL, &f->fault));
    assert_non_null(strstr(f->fault.text, "reading only"));
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_FAULT, store_session_touch(f->store, rotation.id, 0, 1, 1, &f->fault));
    assert_store(STORE_FAULT,
                 store_session_end(f->store, rotation.id, SESSION_ENDED_ADMIN, 1, NULL, &f->fault));
    assert_store(STORE_FAULT, store_account_sessions_end(f->store, 1, SESSION_ENDED_ADMIN, 1,
                                                         &count, &f->fault));
    assert_store(STORE_FAULT, store_account_add(f->store, &account, &f->fault));
    assert_store(STORE_FAULT, store_account_update(f->store, NULL, &account, &f->fault));
    assert_store(STORE_FAULT, store_account_remove(f->store, "ada", &f->fault));
    assert_store(STORE_FAULT, store_client_add(f->store, &client, &f->fault));
    assert_store(STORE_FAULT, store_client_remove(f->store, "web", &f->fault));
    assert_store(STORE_FAULT, store_key_add(f->store, &row, &f->fault));
    assert_store(STORE_FAULT, store_key_set_state(f->store, "k", SIGNING_ACTIVE, &f->fault));
    assert_store(STORE_FAULT, store_event_add(f->store, &event, &f->fault));
    assert_store(STORE_FAULT, store_prune(f->store, 1, false, 1, &count, &more, &f->fault));
}

/* ---- damaged files ---- */

static off_t size_of(const char *path)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
}

static void make_store_with_sessions(struct fixture *f, uint32_t count)
{
    fixture_open(f);
    fixture_account(f, "ada");
    for (uint32_t n = 0; n < count; n++) {
        fixture_add_session(f, n);
    }
    fixture_close(f);
}

/* In a child, so that a crash is an answer too. */
static void open_damaged(struct fixture *f)
{
    f->settings.create = false;
    f->store = store_open(&f->settings, &f->fault);
    must(f->store == NULL);
    must(f->fault.text[0] != '\0');
    f->settings.read_only = true;
    f->store = store_open(&f->settings, &f->fault);
    must(f->store == NULL);
}

static void a_file_that_was_cut_off_is_a_fault(void **state)
{
    struct fixture *f = *state;
    char path[160];
    off_t whole;

    make_store_with_sessions(f, 200);
    path_in(f, "data.mdb", path);
    whole = size_of(path);
    for (off_t size = whole * 2 / 3; size > 0; size = size * 2 / 3) {
        assert_int_equal(truncate(path, size), 0);
        run_in_child(f, open_damaged);
        assert_int_equal(size_of(path), size); /* and is left as it was */
    }
    assert_int_equal(truncate(path, 0), 0);
    run_in_child(f, open_damaged);
}

static void garbage_is_a_fault(void **state)
{
    struct fixture *f = *state;
    char path[160];
    uint8_t noise[16384];
    uint32_t random = 7;
    FILE *file;

    make_store_with_sessions(f, 1);
    for (size_t i = 0; i < sizeof noise; i++) {
        random = random * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(random >> 24);
    }
    path_in(f, "data.mdb", path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(noise, 1, sizeof noise, file), sizeof noise);
    fclose(file);
    run_in_child(f, open_damaged);
    fixture_open_fails(f, "restore a backup");
}

/* Puts other bytes wherever those of the key are. */
static void replace_key(const char *path, const struct rows_key *key, const struct rows_key *by)
{
    size_t size = (size_t)size_of(path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    size_t replaced = 0;

    assert_ptr_not_equal(bytes, MAP_FAILED);
    for (size_t at = 0; at + key->size <= size; at++) {
        if (memcmp(bytes + at, key->bytes, key->size) == 0) {
            memcpy(bytes + at, by->bytes, by->size);
            replaced++;
        }
    }
    assert_true(replaced > 0);
    munmap(bytes, size);
    close(file);
}

/* In a child, so that a walk without end is the child's. */
static void check_out_of_order(struct fixture *f)
{
    static const struct store_check silent;
    uint64_t findings;

    alarm(60);
    child_open(f);
    must(store_check(f->store, &silent, &findings, &f->fault) == STORE_FAULT);
    must(strstr(f->fault.text, "out of order") != NULL);
}

/* The last key of a page becomes less than the first: looking for what comes after it would find
 * the first again. */
static void a_walk_never_goes_in_a_circle(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(2);
    struct rows_key last = rows_owner_key(1, session.id), first = rows_owner_key(0, session.id);
    char path[160];

    make_store_with_sessions(f, 3);
    path_in(f, "data.mdb", path);
    replace_key(path, &last, &first);
    run_in_child(f, check_out_of_order);
}

/* Opens the store without its file's last page, and puts that back if it was needed. */
static bool opens_without_last_page(struct fixture *f)
{
    char path[160];
    uint8_t page[4096];
    int file;
    off_t rest;

    path_in(f, "data.mdb", path);
    rest = size_of(path) - (off_t)sizeof page;
    file = open(path, O_RDWR);
    assert_int_equal(pread(file, page, sizeof page, rest), sizeof page);
    assert_int_equal(ftruncate(file, rest), 0);
    f->settings.read_only = true;
    fixture_open_fails(f, "cut off");
    f->settings.read_only = false;
    f->store = store_open(&f->settings, &f->fault);
    if (f->store == NULL) {
        assert_int_equal(pwrite(file, page, sizeof page, rest), sizeof page);
    } else {
        assert_int_equal(size_of(path), rest + (off_t)sizeof page);
    }
    close(file);
    return f->store != NULL;
}

/* LMDB may leave pages unwritten that one transaction took and gave back: such a file is short, and
 * healthy. Which page is last, and when it is free, is LMDB's choice: so try until it is. */
static void a_file_that_lacks_only_free_pages_is_filled_up(void **state)
{
    struct fixture *f = *state;
    uint32_t tries = 0;

    make_store_with_sessions(f, 200);
    do {
        size_t removed;
        bool more;

        assert_true(tries < 100);
        fixture_open(f);
        for (uint32_t n = 0; n < 10 + tries; n++) {
            fixture_add_session(f, 1000 * (tries + 1) + n);
        }
        assert_store(STORE_OK, store_prune(f->store, FIXTURE_NOW + 90000, false, 1000, &removed,
                                           &more, &f->fault));
        fixture_close(f);
        tries++;
    } while (!opens_without_last_page(f));
    assert_int_equal(fixture_findings(f), 0);
    fixture_add_session(f, 1);
    assert_int_equal(fixture_findings(f), 0);
}

/* ---- full ---- */

/* More than any store or disk of these tests has room for: what takes more does not tell the truth.
 */
enum { FILL_MOST = 50000 };

/* Adds sessions from *n on until the store refuses. */
static void fill(struct fixture *f, uint32_t *n)
{
    struct session session;

    do {
        session = fixture_session((*n)++);
        session.expires_ms = 0;
    } while (store_session_create(f->store, &session, NULL, &f->fault) == STORE_OK &&
             *n < FILL_MOST);
    (*n)--;
}

static void a_full_store_still_rotates_ends_and_recovers(void **state)
{
    struct fixture *f = *state;
    uint32_t n = 0, more_n;
    size_t removed;
    bool more;

    f->settings.map_size = 256 * 1024;
    f->settings.map_limit = 2 * 1024 * 1024;
    atomic_store(&syncing, false);
    fixture_open(f);
    fixture_account(f, "ada");
    fill(f, &n);
    assert_true(n > 500);
    assert_non_null(strstr(f->fault.text, "store is full"));
    assert_false(store_is_broken(f->store));

    for (uint32_t i = 0; i < n; i++) {
        struct store_rotation rotation = fixture_rotation(i, 0, FIXTURE_NOW + 1);

        rotation.expires_ms = 0;
        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
    for (uint32_t i = 0; i < n / 2; i++) {
        struct session session = fixture_session(i);

        assert_store(STORE_OK, store_session_end(f->store, session.id, SESSION_ENDED_ADMIN,
                                                 FIXTURE_NOW + 2, NULL, &f->fault));
    }
    assert_store(STORE_OK,
                 store_prune(f->store, FIXTURE_NOW + 90000, false, n, &removed, &more, &f->fault));
    assert_int_equal(removed, n / 2);
    more_n = n;
    fill(f, &more_n);
    assert_true(more_n > n + n / 4);
    assert_int_equal(fixture_findings(f), 0);

    fixture_close(f);
    f->settings.map_limit = 4 * 1024 * 1024;
    fixture_open(f);
    fixture_add_session(f, more_n);
}

/* Beyond the reserve too, down to LMDB's own MAP_FULL: aliases are written by rotations. */
static void a_store_that_is_full_to_the_brim_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation;
    uint32_t generation = 0;

    f->settings.map_size = f->settings.map_limit = 256 * 1024;
    atomic_store(&syncing, false);
    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    do {
        rotation = fixture_rotation(1, generation, FIXTURE_NOW);
        rotation.has_alias = true;
        fixture_derived(1, generation + 1, rotation.alias);
        memset(rotation.alias, (int)(generation * 37 & 0xff), 8); /* spread over the pages */
        generation++;
    } while (store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK &&
             generation < FILL_MOST);
    assert_non_null(strstr(f->fault.text, "store is full"));
    assert_non_null(strstr(f->fault.text, "map limit of 262144 bytes"));
    assert_false(store_is_broken(f->store));
    assert_int_equal(fixture_find(f, 1).generation, generation - 1);
    assert_int_equal(fixture_findings(f), 0);
    fixture_close(f);
    f->settings.map_limit = 0;
    fixture_open(f);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_find(f, 1).generation, generation);
}

static void a_store_without_limit_grows(void **state)
{
    struct fixture *f = *state;

    f->settings.map_size = 256 * 1024;
    atomic_store(&syncing, false);
    fixture_open(f);
    for (uint32_t n = 0; n < 3000; n++) {
        fixture_add_session(f, n);
    }
    assert_true(fixture_stat(f).map_size >= 1024 * 1024);
    fixture_close(f);
    f->settings.map_size = 0;
    fixture_open(f); /* the store knows its size */
    fixture_find(f, 2999);
    assert_int_equal(fixture_findings(f), 0);
}

#ifndef SANITIZED
static size_t address_space_now(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (file != NULL) {
        if (fscanf(file, "%lu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void fill_address_space(struct fixture *f)
{
    struct rlimit limit;
    uint32_t n = 0;
    struct store_rotation rotation = fixture_rotation(0, 0, FIXTURE_NOW + 1);
    static struct session_view grant;

    child_open(f);
    limit.rlim_cur = limit.rlim_max = address_space_now() + 300 * 1024;
    must(setrlimit(RLIMIT_AS, &limit) == 0);
    fill(f, &n);
    must(strstr(f->fault.text, "ulimit -v") != NULL);
    must(!store_is_broken(f->store));
    must(store_session_view(f->store, rotation.id, &grant, &f->fault) == STORE_OK);
    must(store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK);
}

static void no_address_space_is_a_fault_not_a_crash(void **state)
{
    struct fixture *f = *state;

    f->settings.map_size = 256 * 1024;
    fixture_open(f);
    fixture_account(f, "ada");
    fixture_close(f);
    run_in_child(f, fill_address_space);
}

static void make_the_map_larger(struct fixture *f)
{
    must(hear(line.to_child[0]));
    child_open(f);
    for (uint32_t n = 0; n < 3000; n++) {
        struct session session = fixture_session(n);

        must(store_session_create(f->store, &session, NULL, &f->fault) == STORE_OK);
    }
}

static void read_without_room_for_the_map(struct fixture *f)
{
    static struct session_view grant;
    struct session session = fixture_session(0);
    struct rlimit limit;
    pid_t other = spawn(f, make_the_map_larger);

    child_open(f);
    must(say(line.to_child[1]) && status_of(other) == CHILD_OK);
    limit.rlim_cur = limit.rlim_max = address_space_now();
    must(setrlimit(RLIMIT_AS, &limit) == 0);
    must(store_session_view(f->store, session.id, &grant, &f->fault) == STORE_FAULT);
    must(store_is_broken(f->store));
    must(store_session_view(f->store, session.id, &grant, &f->fault) == STORE_FAULT);
}

static void a_reader_that_loses_the_map_breaks_the_store_for_this_process(void **state)
{
    struct fixture *f = *state;

    f->settings.map_size = 256 * 1024;
    atomic_store(&syncing, false);
    fixture_open(f);
    fixture_close(f);
    line_open(&line);
    run_in_child(f, read_without_room_for_the_map);
    line_close(&line);
}
#endif

/* A disk of our own: 1 MiB. */
static void fill_disk(struct fixture *f)
{
    static struct session_view grant;
    struct store_rotation rotation = fixture_rotation(0, 0, FIXTURE_NOW + 1);
    uint32_t n = 0;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", f->root, "tmpfs", 0, "size=1m,mode=0700") != 0) {
        _exit(CHILD_SKIPPED);
    }
    child_open(f);
    {
        struct account account = {.name = "ada", .enabled = true};

        must(store_account_add(f->store, &account, &f->fault) == STORE_OK);
    }
    fill(f, &n);
    must(n > 500);
    must(strstr(f->fault.text, "no space left") != NULL);
    must(!store_is_broken(f->store));
    for (uint32_t i = 0; i < n; i++) { /* all that was acknowledged is there */
        must(store_session_view(f->store, fixture_session(i).id, &grant, &f->fault) == STORE_OK);
    }
    must(mount("tmpfs", f->root, "tmpfs", MS_REMOUNT, "size=4m") == 0);
    must(store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK);
    fill(f, &n);
    must(n > 2000);
    must(fixture_findings(f) == 0);
}

static void a_full_disk_is_a_fault_and_passes(void **state)
{
    run_in_child(*state, fill_disk);
}

/* ---- a disk that fails ---- */

static void setup_one_session(struct fixture *f)
{
    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
}

static enum store_readiness readiness(struct fixture *f)
{
    enum store_readiness readiness = STORE_READY;

    assert_store(STORE_OK, store_readiness(f->store, &readiness, &f->fault));
    return readiness;
}

static void no_space_in_a_commit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    setup_one_session(f);
    atomic_store(&failing_write, ENOSPC);
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    assert_non_null(strstr(f->fault.text, "no space left"));
    atomic_store(&failing_write, 0);
    assert_false(store_is_broken(f->store));
    assert_int_equal(readiness(f), STORE_FULL);
    assert_int_equal(fixture_find(f, 1).generation, 0);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(readiness(f), STORE_READY);
    assert_int_equal(fixture_findings(f), 0);
}

/* LMDB itself does not know then which of the two meta pages counts. */
static void a_failed_meta_page_breaks_the_store_for_this_process(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    setup_one_session(f);
    atomic_store(&failing_meta_write, ENOSPC);
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    atomic_store(&failing_meta_write, 0);
    assert_true(store_is_broken(f->store));
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_findings(f), 0);
    rotation.from = fixture_find(f, 1).generation;
    rotation.to = rotation.from + 1;
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void an_error_of_the_disk_breaks_the_store_for_this_process(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    setup_one_session(f);
    assert_false(store_is_broken(f->store));
    atomic_store(&failing_sync, EIO);
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    atomic_store(&failing_sync, 0);
    assert_true(store_is_broken(f->store));
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    assert_non_null(strstr(f->fault.text, "restart the program"));
    fixture_close(f);
    fixture_open(f); /* the next process reads the truth */
    assert_false(store_is_broken(f->store));
    assert_int_equal(fixture_find(f, 1).generation, 0);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

/* ---- several processes ---- */

enum { GROWN = 2000 };

static void grow_elsewhere(struct fixture *f)
{
    must(hear(line.to_child[0]));
    atomic_store(&syncing, false);
    child_open(f);
    for (uint32_t n = 0; n < GROWN; n++) {
        struct session session = fixture_session(n);

        must(store_session_create(f->store, &session, NULL, &f->fault) == STORE_OK);
    }
    must(say(line.to_parent[1]));
    must(hear(line.to_child[0]));
}

/* Opens here, lets another process grow the map, goes on here with `next`. */
static void grow_under(struct fixture *f, void (*next)(struct fixture *f))
{
    uint64_t before;
    pid_t child;

    f->settings.map_size = 256 * 1024;
    line_open(&line);
    child = spawn(f, grow_elsewhere);
    fixture_open(f);
    fixture_account(f, "ada");
    before = fixture_stat(f).map_size;
    assert_true(say(line.to_child[1]));
    assert_true(hear(line.to_parent[0]));
    next(f);
    assert_true(fixture_stat(f).map_size > before);
    assert_true(say(line.to_child[1]));
    assert_int_equal(status_of(child), CHILD_OK);
    line_close(&line);
    assert_int_equal(fixture_findings(f), 0);
}

static void read_first(struct fixture *f)
{
    assert_int_equal(fixture_find(f, GROWN - 1).generation, 0);
}

static void write_first(struct fixture *f)
{
    struct store_rotation rotation = fixture_rotation(GROWN - 1, 0, FIXTURE_NOW + 1);

    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
}

static void *read_until_told(void *argument)
{
    struct fixture *f = argument;
    struct store_fact facts[STORE_FACTS_MAX];
    struct fault fault;
    size_t count;

    do {
        if (store_facts(f->store, facts, &count, &fault) != STORE_OK) {
            return argument;
        }
        assert_string_equal(facts[2].name, "sessions");
    } while (facts[2].number < GROWN + 1);
    return NULL;
}

/* Readers and writers of this process are in the middle of it when the map changes. */
static void everybody_at_once(struct fixture *f)
{
    struct session session = fixture_session(GROWN + 5);
    pthread_t readers[4];
    void *failed = NULL;

    for (size_t i = 0; i < 4; i++) {
        pthread_create(&readers[i], NULL, read_until_told, f);
    }
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    for (size_t i = 0; i < 4; i++) {
        void *answer;

        pthread_join(readers[i], &answer);
        failed = answer != NULL ? answer : failed;
    }
    assert_null(failed);
}

static void a_map_grown_elsewhere_is_adopted_by_a_read(void **state)
{
    grow_under(*state, read_first);
}

static void a_map_grown_elsewhere_is_adopted_by_a_write(void **state)
{
    grow_under(*state, write_first);
}

static void a_map_grown_elsewhere_is_adopted_by_many(void **state)
{
    grow_under(*state, everybody_at_once);
}

static void read_and_stay(struct fixture *f)
{
    struct rows rows;

    must(hear(line.to_child[0]));
    child_open(f);
    must(verbs_read_begin(f->store, &rows, &f->fault));
    must(say(line.to_parent[1]));
    must(hear(line.to_child[0]));
}

/* Rotates until the store is full; false when it can go on without end. */
static bool rotate_until_full(struct fixture *f, uint32_t *generation)
{
    for (int i = 0; i < 3000; i++) {
        struct store_rotation rotation = fixture_rotation(1, *generation, FIXTURE_NOW);

        if (store_session_rotate(f->store, &rotation, &f->fault) != STORE_OK) {
            return true;
        }
        (*generation)++;
    }
    return false;
}

static void a_dead_reader_is_cleared(void **state)
{
    struct fixture *f = *state;
    uint32_t generation = 0;
    pid_t child;

    f->settings.map_size = f->settings.map_limit = 256 * 1024;
    atomic_store(&syncing, false);
    line_open(&line);
    child = spawn(f, read_and_stay);
    setup_one_session(f);
    assert_true(say(line.to_child[1]));
    assert_true(hear(line.to_parent[0]));
    /* While it lives it keeps every page it can see: that fills the store. */
    assert_true(rotate_until_full(f, &generation));
    assert_non_null(strstr(f->fault.text, "store is full"));
    kill(child, SIGKILL);
    assert_int_equal(status_of(child), 128 + SIGKILL);
    assert_false(rotate_until_full(f, &generation));
    line_close(&line);
    assert_int_equal(fixture_find(f, 1).generation, generation);
}

/* ---- a writer that is stopped ---- */

static void rotate_and_stop(struct fixture *f)
{
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);

    child_open(f);
    atomic_store(&stopping_in_sync, true);
    must(store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK);
}

/* Of session 1; returns the child that stopped in the middle of its commit. */
static pid_t stop_in_commit(struct fixture *f)
{
    int status;
    pid_t child;

    setup_one_session(f);
    fixture_close(f);
    child = spawn(f, rotate_and_stop);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    f->settings.writer_wait_ms = 20;
    return child;
}

static void let_go_on(pid_t child)
{
    kill(child, SIGCONT);
    assert_int_equal(status_of(child), CHILD_OK);
}

/* A write waits as long as it was told to, names who holds it up, and was not made. */
static void a_stopped_writer_holds_writers_up_for_a_while(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 2);
    pid_t child = stop_in_commit(f);
    char words[64];

    fixture_open(f);
    assert_store(STORE_FAULT, store_session_rotate(f->store, &rotation, &f->fault));
    snprintf(words, sizeof words, "to write behind process %d;", (int)child);
    assert_non_null(strstr(f->fault.text, words));
    assert_false(store_is_broken(f->store));
    assert_int_equal(readiness(f), STORE_COMMIT_WAITS);
    assert_non_null(strstr(f->fault.text, words));
    let_go_on(child);
    assert_int_equal(readiness(f), STORE_READY);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(1, 1, FIXTURE_NOW + 2);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(fixture_findings(f), 0);
}

/* Who writes nothing finds out by looking twice. */
static void a_stopped_writer_is_seen_without_writing(void **state)
{
    struct fixture *f = *state;
    pid_t child = stop_in_commit(f);

    f->settings.read_only = true;
    fixture_open(f);
    assert_int_equal(readiness(f), STORE_READY);
    while (readiness(f) == STORE_READY) {
        sched_yield();
    }
    assert_int_equal(readiness(f), STORE_COMMIT_WAITS);
    let_go_on(child);
    assert_int_equal(readiness(f), STORE_READY);
}

/* Opening and reading go on, for which the wait of writers is made so long that the test would not
 * end. */
static void a_stopped_writer_holds_no_reader_up(void **state)
{
    struct fixture *f = *state;
    pid_t child = stop_in_commit(f);

    f->settings.writer_wait_ms = CLOCK_HOUR;
    for (int read_only = 0; read_only < 2; read_only++) {
        f->settings.read_only = read_only != 0;
        fixture_open(f);
        assert_int_equal(fixture_find(f, 1).generation, 0);
        fixture_close(f);
    }
    let_go_on(child);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).generation, 1);
}

static void hold_readers(struct fixture *f)
{
    must(hear(line.to_child[0]));
    child_open(f);
    must(env_slots_take(fixture_env(f), INT64_MAX));
    must(say(line.to_parent[1]));
    pause();
}

/* A process that was stopped as it began to read or to open. It delays those that do the same, not
 * those that have read before. */
static void a_stopped_reader_holds_readers_up_for_a_while(void **state)
{
    struct fixture *f = *state;
    struct txn second;
    struct rows rows;
    char words[64];
    pid_t child;

    setup_one_session(f);
    fixture_close(f);
    line_open(&line);
    child = spawn(f, hold_readers);
    f->settings.writer_wait_ms = 20;
    fixture_open(f);
    assert_true(say(line.to_child[1]));
    assert_true(hear(line.to_parent[0]));
    fixture_read_begin(f, &rows);
    assert_int_equal(env_read_begin(fixture_env(f), &second, &f->fault), TXN_FAULT);
    snprintf(words, sizeof words, "process %d has held its table of readers", (int)child);
    assert_non_null(strstr(f->fault.text, words));
    assert_false(store_is_broken(f->store));
    fixture_read_end(&rows);
    fixture_read_begin(f, &rows);
    fixture_read_end(&rows);
    fixture_close(f);
    fixture_open_fails(f, words);
    f->settings.read_only = true;
    fixture_open_fails(f, words);
    kill(child, SIGKILL);
    assert_int_equal(status_of(child), 128 + SIGKILL);
    line_close(&line);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).generation, 0);
}

/* ---- kill -9 ---- */

/* `./check campaign` kills for longer. */
enum { WRITERS = 4, KILLS = 60 };

static struct shared {
    atomic_uint acked[WRITERS];
} * shared;
static uint32_t writer; /* of the child that runs now */

static void rotate_for_ever(struct fixture *f)
{
    static struct session_view grant;
    struct store_rotation rotation = fixture_rotation(writer, 0, FIXTURE_NOW);
    uint32_t acked = atomic_load(&shared->acked[writer]);

    child_open(f);
    must(store_session_view(f->store, rotation.id, &grant, &f->fault) == STORE_OK);
    /* One commit may have been made and not acknowledged. */
    must(grant.session.generation == acked || grant.session.generation == acked + 1);
    for (;;) {
        enum store_result result;

        /* Seen is as good as acknowledged: the next of us may have one commit more, not two. */
        acked = rotation.from = grant.session.generation;
        rotation.to = acked + 1;
        atomic_store(&shared->acked[writer], acked);
        result = store_session_rotate(f->store, &rotation, &f->fault);
        if (result != STORE_STALE) {
            must(result == STORE_OK);
            break;
        }
        /* Who died between writing LMDB's meta page and telling readers of it: readers learn of
         * that commit from the next writer, which was us. */
        must(store_session_view(f->store, rotation.id, &grant, &f->fault) == STORE_OK);
        must(grant.session.generation == acked + 1);
    }
    for (;;) {
        atomic_store(&shared->acked[writer], ++rotation.from);
        rotation.to = rotation.from + 1;
        must(store_session_rotate(f->store, &rotation, &f->fault) == STORE_OK);
    }
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct fixture *f = *state;
    pid_t pids[WRITERS];
    uint32_t random = 20231114;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    make_store_with_sessions(f, WRITERS);
    for (writer = 0; writer < WRITERS; writer++) {
        pids[writer] = spawn(f, rotate_for_ever);
    }
    int most = is_under_valgrind() || is_sanitized() ? KILLS / 10 : KILLS;
    for (int kills = 0; kills < most; kills++) {
        unsigned goal;

        random = random * 1664525u + 1013904223u;
        writer = (random >> 24) % WRITERS;
        goal = atomic_load(&shared->acked[writer]) + (random >> 16) % 8;
        while (atomic_load(&shared->acked[writer]) < goal) {
            assert_int_equal(waitpid(pids[writer], NULL, WNOHANG), 0); /* it is alive */
            sched_yield();
        }
        kill(pids[writer], SIGKILL);
        assert_int_equal(status_of(pids[writer]), 128 + SIGKILL);
        pids[writer] = spawn(f, rotate_for_ever);
    }
    for (writer = 0; writer < WRITERS; writer++) {
        kill(pids[writer], SIGKILL);
        status_of(pids[writer]);
    }
    fixture_open(f);
    for (writer = 0; writer < WRITERS; writer++) {
        uint32_t acked = atomic_load(&shared->acked[writer]);
        uint32_t generation = fixture_find(f, writer).generation;

        assert_true(generation == acked || generation == acked + 1);
    }
    assert_int_equal(fixture_findings(f), 0);
    munmap(shared, sizeof *shared);
}

/* ---- backup ---- */

static void a_backup_is_a_store(void **state)
{
    struct fixture *f = *state;
    char copy[104], path[160];

    setup_one_session(f);
    snprintf(copy, sizeof copy, "%s/copy", f->root);
    assert_store(STORE_OK, store_backup(f->store, copy, &f->fault));
    assert_int_equal(mode_of(copy), 0700);
    snprintf(path, sizeof path, "%s/data.mdb", copy);
    assert_int_equal(mode_of(path), 0600);
    snprintf(path, sizeof path, "%s/data.mdb.part", copy);
    assert_int_equal(access(path, F_OK), -1);
    /* Never over a store, neither the copy nor itself. */
    assert_store(STORE_FAULT, store_backup(f->store, copy, &f->fault));
    assert_non_null(strstr(f->fault.text, "holds a store already"));
    assert_store(STORE_FAULT, store_backup(f->store, f->directory, &f->fault));
    assert_store(STORE_FAULT, store_backup(f->store, "/no/such/place", &f->fault));
    assert_int_equal(chmod(f->root, 0755), 0);
    assert_store(STORE_FAULT, store_backup(f->store, f->root, &f->fault));
    assert_non_null(strstr(f->fault.text, "chmod 0700"));

    fixture_add_session(f, 2); /* after the backup */
    fixture_close(f);
    snprintf(f->url, sizeof f->url, "lmdb:%s", copy);
    f->settings.create = false;
    fixture_open(f);
    assert_int_equal(fixture_stat(f).entries[TABLE_SESSIONS], 1);
    assert_int_equal(fixture_findings(f), 0);
    fixture_add_session(f, 2);
}

/* ---- ends outlive the data ---- */

/* As an operator does: the old copy of the data in the place of the new one. */
static void put_back(struct fixture *f)
{
    char from[160], to[160];

    snprintf(from, sizeof from, "%s/copy/data.mdb", f->root);
    snprintf(to, sizeof to, "%s/data.mdb", f->directory);
    assert_int_equal(rename(from, to), 0);
}

static void back_up(struct fixture *f)
{
    char copy[104];

    snprintf(copy, sizeof copy, "%s/copy", f->root);
    assert_store(STORE_OK, store_backup(f->store, copy, &f->fault));
}

/* Session 1 ends alone, session 2 with all of account 2, session 3 with account 3, which goes;
 * session 4 lives. */
static void end_after_a_backup(struct fixture *f)
{
    static const char *const names[] = {"ada", "bob", "carl"};
    static const uint64_t owners[] = {1, 2, 3, 1};
    struct session session;
    size_t count;

    fixture_open(f);
    for (size_t i = 0; i < 3; i++) {
        fixture_account(f, names[i]);
    }
    for (uint32_t n = 1; n <= 4; n++) {
        session = fixture_session(n);
        session.account = owners[n - 1];
        assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    }
    back_up(f);
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(1).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 7, NULL, &f->fault));
    assert_store(STORE_OK, store_account_sessions_end(f->store, 2, SESSION_ENDED_ACCOUNT,
                                                      FIXTURE_NOW + 8, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_store(STORE_OK, store_account_remove(f->store, "carl", &f->fault));
    fixture_close(f);
}

static void assert_ended_again(struct fixture *f)
{
    struct store_rotation rotation = fixture_rotation(2, 0, FIXTURE_NOW + 9);
    struct account account;
    struct event events[4];
    size_t count;

    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 1).ended_ms, FIXTURE_NOW + 7);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ACCOUNT);
    assert_store(STORE_ABSENT, store_account_find(f->store, "carl", &account, &f->fault));
    assert_int_equal(fixture_find(f, 4).end, SESSION_LIVE);
    assert_int_equal(fixture_find(f, 1).events[0].kind, EVENT_RESTORED);
    assert_store(STORE_STALE, store_session_rotate(f->store, &rotation, &f->fault));
    rotation = fixture_rotation(4, fixture_find(f, 4).generation, FIXTURE_NOW + 9);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_store(STORE_OK, store_event_list(f->store, NULL, 0, events, 4, &count, &f->fault));
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_RESTORED);
    assert_string_equal(events[0].note, "3 ends");
    assert_int_equal(fixture_findings(f), 0);
}

static void ends_outlive_an_older_copy_of_the_data(void **state)
{
    struct fixture *f = *state;

    end_after_a_backup(f);
    put_back(f);
    fixture_open(f);
    assert_ended_again(f);
    fixture_close(f);
    fixture_open(f); /* nothing more to do */
    assert_ended_again(f);
}

/* What began after the copy was put back is a matter of its own, whatever number it has. */
static void an_older_copy_goes_on_from_where_it_was(void **state)
{
    struct fixture *f = *state;
    struct session session = fixture_session(9);
    size_t count;

    end_after_a_backup(f);
    put_back(f);
    fixture_open(f);
    session.account = 2;
    assert_store(STORE_OK, store_session_create(f->store, &session, NULL, &f->fault));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 9).end, SESSION_LIVE);
    back_up(f);
    assert_store(STORE_OK, store_account_sessions_end(f->store, 2, SESSION_ENDED_ADMIN,
                                                      FIXTURE_NOW + 20, &count, &f->fault));
    assert_int_equal(count, 2); /* and that of before, whose own record said nothing yet */
    fixture_close(f);
    put_back(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 9).end, SESSION_ENDED_ACCOUNT);
}

static void set_enabled(struct fixture *f, const char *name, bool enabled)
{
    struct account account;

    assert_store(STORE_OK, store_account_find(f->store, name, &account, &f->fault));
    account.enabled = enabled;
    assert_store(STORE_OK, store_account_update(f->store, NULL, &account, &f->fault));
}

static bool is_enabled(struct fixture *f, const char *name)
{
    struct account account;

    assert_store(STORE_OK, store_account_find(f->store, name, &account, &f->fault));
    return account.enabled;
}

/* Nothing that was switched off comes back on its own. */
static void accounts_and_clients_stay_as_they_were_switched(void **state)
{
    static const char *const names[] = {"ada", "bert", "carl"};
    struct fixture *f = *state;
    struct client client = {.id = "web"}, on;
    struct store_write write;
    uint64_t desk;

    fixture_open(f);
    for (size_t i = 0; i < 3; i++) {
        fixture_account(f, names[i]);
    }
    set_enabled(f, "carl", false);
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    snprintf(client.id, sizeof client.id, "phone");
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    snprintf(client.id, sizeof client.id, "tv");
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    snprintf(client.id, sizeof client.id, "desk");
    assert_store(STORE_OK, store_client_add(f->store, &client, &f->fault));
    desk = client.number;
    snprintf(client.id, sizeof client.id, "tv");
    assert_store(STORE_OK, store_client_find(f->store, "tv", &client, &f->fault));
    back_up(f);
    store_prepare_end_client(&write, "desk", SESSION_ENDED_ADMIN, FIXTURE_NOW);
    assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
    on = client;
    on.enabled = true;
    assert_store(STORE_OK, store_client_update(f->store, &client, &on, &f->fault));
    set_enabled(f, "ada", false);
    set_enabled(f, "bert", false);
    set_enabled(f, "bert", true);
    set_enabled(f, "carl", true);
    assert_store(STORE_OK, store_client_remove(f->store, "web", &f->fault));
    fixture_close(f);
    put_back(f);
    fixture_open(f);
    assert_false(is_enabled(f, "ada"));
    assert_true(is_enabled(f, "bert"));
    assert_true(is_enabled(f, "carl"));
    assert_store(STORE_ABSENT, store_client_find(f->store, "web", &client, &f->fault));
    assert_store(STORE_OK, store_client_find(f->store, "phone", &client, &f->fault));
    assert_false(client.enabled);
    assert_store(STORE_OK, store_client_find(f->store, "tv", &client, &f->fault));
    assert_true(client.enabled);
    assert_store(STORE_OK, store_client_find(f->store, "desk", &client, &f->fault));
    assert_int_not_equal(client.number, desk);
    assert_int_equal(fixture_findings(f), 0);
}

/* One write ended them, and one entry ends them again. */
static void realms_end_again(void **state)
{
    struct fixture *f = *state;
    struct session other = fixture_session(2);
    struct store_write write;

    fixture_open(f);
    fixture_account(f, "ada");
    fixture_add_session(f, 1);
    (void)text_copy(TEXT("bank"), other.realm, sizeof other.realm);
    assert_store(STORE_OK, store_session_create(f->store, &other, NULL, &f->fault));
    for (int all = 0; all <= 1; all++) {
        back_up(f);
        store_prepare_end_realm(&write, all ? NULL : "/oauth/token", SESSION_ENDED_ADMIN,
                                FIXTURE_NOW);
        assert_store(STORE_OK, store_write(f->store, &write, &f->fault));
        fixture_close(f);
        put_back(f);
        fixture_open(f);
        assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
        assert_int_equal(fixture_find(f, 2).end, all ? SESSION_ENDED_ADMIN : SESSION_LIVE);
        other = fixture_session(3 + (uint32_t)all);
        assert_store(STORE_OK, store_session_create(f->store, &other, NULL, &f->fault));
        assert_int_equal(fixture_find(f, 3 + (uint32_t)all).end, SESSION_LIVE);
    }
    assert_int_equal(fixture_findings(f), 0);
}

static enum store_result end_one(struct fixture *f, uint32_t n)
{
    return store_session_end(f->store, fixture_session(n).id, SESSION_ENDED_ADMIN, FIXTURE_NOW + 7,
                             NULL, &f->fault);
}

/* What the data do not have the journal does not have either. */
static void a_failed_commit_ends_nothing_later(void **state)
{
    struct fixture *f = *state;

    setup_one_session(f);
    back_up(f);
    atomic_store(&failing_meta_write, EIO);
    assert_store(STORE_FAULT, end_one(f, 1));
    atomic_store(&failing_meta_write, 0);
    assert_true(store_is_broken(f->store));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    fixture_close(f);
    put_back(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
}

static void cut_journal(struct fixture *f, off_t entries)
{
    char path[160];

    snprintf(path, sizeof path, "%s/ended.log", f->directory);
    assert_int_equal(truncate(path, entries * ENDED_ENTRY_SIZE), 0);
}

/* Killed between the commit and the journal: the next to open, or to end anything, appends it. */
static void what_the_journal_lacks_is_in_the_data(void **state)
{
    struct fixture *f = *state;
    const struct crypto_mac *mac;

    setup_one_session(f);
    fixture_add_session(f, 2);
    fixture_add_session(f, 3);
    back_up(f);
    mac = verbs_of(f->store)->mac;
    assert_store(STORE_OK, end_one(f, 1));
    cut_journal(f, 0);
    assert_store(STORE_OK, end_one(f, 2));
    assert_int_equal(ended_log_last(f->directory, mac), 2);
    cut_journal(f, 1);
    fixture_close(f);
    fixture_open(f);
    mac = verbs_of(f->store)->mac;
    assert_int_equal(ended_log_last(f->directory, mac), 2);
    fixture_close(f);
    put_back(f);
    fixture_open(f);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 2).end, SESSION_ENDED_ADMIN);
    assert_int_equal(fixture_find(f, 3).end, SESSION_LIVE);
}

/* The disk fails between the two: the caller must not take it for done. */
static void an_end_that_the_journal_lacks_is_a_fault(void **state)
{
    struct fixture *f = *state;

    setup_one_session(f);
    atomic_store(&failing_sync_of_journal, EIO);
    assert_store(STORE_FAULT, end_one(f, 1));
    atomic_store(&failing_sync_of_journal, 0);
    assert_non_null(strstr(f->fault.text, "an older copy of the store would bring it back"));
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
}

static void append_to_journal(struct fixture *f, const char *bytes, size_t size);

/* As `doctor` shows it. */
static void assert_journal_remark(struct fixture *f, bool warn, const char *words)
{
    struct store_remark remarks[STORE_REMARKS_MAX];
    size_t count;

    assert_store(STORE_OK, store_remarks(f->store, remarks, &count, &f->fault));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(remarks[i].subject, "ended.log") == 0) {
            assert_int_equal(remarks[i].warn, warn);
            assert_non_null(strstr(remarks[i].text, words));
            return;
        }
    }
    fail_msg("no remark on ended.log");
}

static void the_state_of_the_journal_is_remarked_on(void **state)
{
    static const char damaged[ENDED_ENTRY_SIZE] = "not an entry";
    struct fixture *f = *state;

    setup_one_session(f);
    fixture_add_session(f, 2);
    assert_journal_remark(f, false, "0 entries");
    back_up(f);
    assert_store(STORE_OK, end_one(f, 1));
    assert_store(STORE_OK, end_one(f, 2));
    append_to_journal(f, "half", 4);
    assert_journal_remark(f, false, "2 entries");
    cut_journal(f, 1);
    assert_journal_remark(f, true, "its last entries are missing");
    append_to_journal(f, damaged, sizeof damaged);
    assert_journal_remark(f, true, "1 of 2 entries are damaged");
    cut_journal(f, 0);
    assert_journal_remark(f, true, "it is missing or empty");
    assert_int_equal(journal_catch_up(lmdb_store_of(f->store), 0, &f->fault), true);
    assert_journal_remark(f, false, "1 entries");
    fixture_close(f);
    put_back(f);
    f->settings.read_only = true;
    fixture_open(f);
    assert_journal_remark(f, true, "1 ends are made again");
    f->settings.read_only = false;
}

static void append_to_journal(struct fixture *f, const char *bytes, size_t size)
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/ended.log", f->directory);
    file = fopen(path, "a");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void a_torn_entry_of_the_journal_is_passed_over(void **state)
{
    static const char whole[ENDED_ENTRY_SIZE] = "not an entry";
    struct fixture *f = *state;

    end_after_a_backup(f);
    append_to_journal(f, whole, sizeof whole);
    append_to_journal(f, "half", 4);
    put_back(f);
    fixture_open(f);
    assert_int_equal(fixture_findings(f), 1);
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(4).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW + 30, NULL, &f->fault));
    assert_int_equal(ended_log_last(f->directory, verbs_of(f->store)->mac), 4);
    assert_int_equal(fixture_findings(f), 1);
    assert_int_equal(fixture_find(f, 1).end, SESSION_ENDED_ADMIN);
}

/* Ended is reported only when the journal has it. */
static void what_the_journal_cannot_take_does_not_end(void **state)
{
    struct fixture *f = *state;
    struct store_rotation rotation = fixture_rotation(1, 0, FIXTURE_NOW + 1);
    char path[160];

    setup_one_session(f);
    snprintf(path, sizeof path, "%s/ended.log", f->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_store(STORE_FAULT, store_session_end(f->store, fixture_session(1).id,
                                                SESSION_ENDED_ADMIN, FIXTURE_NOW, NULL, &f->fault));
    assert_non_null(strstr(f->fault.text, "ended.log"));
    assert_int_equal(fixture_find(f, 1).end, SESSION_LIVE);
    assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    assert_int_equal(rmdir(path), 0);
    assert_store(STORE_OK, store_session_end(f->store, fixture_session(1).id, SESSION_ENDED_ADMIN,
                                             FIXTURE_NOW, NULL, &f->fault));
}

/* ---- size ---- */

enum { MANY = 20000, BYTES_PER_SESSION = 400 };

static void rotate_times(struct fixture *f, uint32_t n, uint32_t from, uint32_t until)
{
    for (; from < until; from++) {
        struct store_rotation rotation = fixture_rotation(n, from, FIXTURE_NOW + from);

        assert_store(STORE_OK, store_session_rotate(f->store, &rotation, &f->fault));
    }
}

static void a_session_takes_400_bytes_however_often_it_rotates(void **state)
{
    struct fixture *f = *state;
    struct env_stat once, often;
    uint64_t tables;

    if (is_under_valgrind() || is_sanitized()) {
        skip(); /* the bytes are the same, and the verbs are those of other tests */
    }
    atomic_store(&syncing, false);
    fixture_open(f);
    fixture_account(f, "ada");
    for (uint32_t n = 0; n < MANY; n++) {
        fixture_add_session(f, n);
    }
    rotate_times(f, MANY / 2, 0, 1);
    once = fixture_stat(f);
    rotate_times(f, MANY / 2, 1, 1000);
    often = fixture_stat(f);
    assert_memory_equal(once.entries, often.entries, sizeof once.entries);
    assert_memory_equal(once.pages, often.pages, sizeof once.pages);
    assert_int_equal(once.file_bytes, often.file_bytes);
    tables = often.pages[TABLE_SESSIONS] + often.pages[TABLE_OWNERS] + often.pages[TABLE_ENDS];
    print_message("bytes per session: %llu in tables, %llu of file\n",
                  (unsigned long long)(tables * 4096 / MANY),
                  (unsigned long long)(often.file_bytes / MANY));
    assert_true(often.file_bytes <= (uint64_t)MANY * BYTES_PER_SESSION);
}

/* ---- all ---- */

static int teardown(void **state)
{
    atomic_store(&failing_write, 0);
    atomic_store(&failing_meta_write, 0);
    atomic_store(&failing_sync, 0);
    atomic_store(&failing_sync_of_journal, 0);
    atomic_store(&syncing, true);
    return fixture_remove(state);
}

#define ON_LMDB(test) cmocka_unit_test_setup_teardown(test, fixture_lmdb_closed, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LMDB(a_new_store_is_private),
        ON_LMDB(what_was_written_is_there_after_reopening),
        ON_LMDB(strange_urls_are_refused),
        ON_LMDB(absent_stores_are_made_only_on_request),
        ON_LMDB(directories_of_others_are_refused),
        ON_LMDB(a_file_is_no_directory),
        ON_LMDB(another_master_secret_is_refused),
        ON_LMDB(format_1_is_refused_with_what_to_do),
        ON_LMDB(another_format_version_is_refused),
        ON_LMDB(processes_may_make_the_same_store_at_once),
        ON_LMDB(a_store_does_not_survive_fork),
        ON_LMDB(read_only_stores_are_read_and_not_written),
        ON_LMDB(a_file_that_was_cut_off_is_a_fault),
        ON_LMDB(garbage_is_a_fault),
        ON_LMDB(a_walk_never_goes_in_a_circle),
        ON_LMDB(a_file_that_lacks_only_free_pages_is_filled_up),
        ON_LMDB(a_full_store_still_rotates_ends_and_recovers),
        ON_LMDB(a_store_that_is_full_to_the_brim_loses_nothing),
        ON_LMDB(a_store_without_limit_grows),
#ifndef SANITIZED
        ON_LMDB(no_address_space_is_a_fault_not_a_crash),
        ON_LMDB(a_reader_that_loses_the_map_breaks_the_store_for_this_process),
#endif
        ON_LMDB(a_full_disk_is_a_fault_and_passes),
        ON_LMDB(no_space_in_a_commit_changes_nothing),
        ON_LMDB(a_failed_meta_page_breaks_the_store_for_this_process),
        ON_LMDB(an_error_of_the_disk_breaks_the_store_for_this_process),
        ON_LMDB(a_map_grown_elsewhere_is_adopted_by_a_read),
        ON_LMDB(a_map_grown_elsewhere_is_adopted_by_a_write),
        ON_LMDB(a_map_grown_elsewhere_is_adopted_by_many),
        ON_LMDB(a_dead_reader_is_cleared),
        ON_LMDB(a_stopped_writer_holds_writers_up_for_a_while),
        ON_LMDB(a_stopped_writer_is_seen_without_writing),
        ON_LMDB(a_stopped_writer_holds_no_reader_up),
        ON_LMDB(a_stopped_reader_holds_readers_up_for_a_while),
        ON_LMDB(what_was_acknowledged_survives_kill_9),
        ON_LMDB(a_backup_is_a_store),
        ON_LMDB(ends_outlive_an_older_copy_of_the_data),
        ON_LMDB(an_older_copy_goes_on_from_where_it_was),
        ON_LMDB(accounts_and_clients_stay_as_they_were_switched),
        ON_LMDB(realms_end_again),
        ON_LMDB(a_failed_commit_ends_nothing_later),
        ON_LMDB(what_the_journal_lacks_is_in_the_data),
        ON_LMDB(an_end_that_the_journal_lacks_is_a_fault),
        ON_LMDB(the_state_of_the_journal_is_remarked_on),
        ON_LMDB(a_torn_entry_of_the_journal_is_passed_over),
        ON_LMDB(what_the_journal_cannot_take_does_not_end),
        ON_LMDB(a_session_takes_400_bytes_however_often_it_rotates),
    };

    alarm(600); /* a test that hangs has failed */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
