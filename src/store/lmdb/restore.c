/* SPDX-License-Identifier: ISC */
/* restore.c: see restore.h. The data's file is replaced and the directory stays, so that the
 * journal of ends and the locks stay what they are for everybody. A kill leaves the old data or the
 * new, and perhaps a copy in DIRECTORY/restore.part, which the next restore removes. */
#include "store/lmdb/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/whole_file.h"
#include "store/lmdb/ended_log.h"
#include "store/lmdb/env_directory.h"
#include "store/lmdb/lmdb_store.h"
#include "store/lmdb/process_lock.h"

enum { PATH_MAX_HERE = WHOLE_FILE_PATH_MAX, WAIT_DEFAULT_MS = 5000, LOOK_EVERY_MS = 20 };

static const char part_name[] = "restore.part";

struct restoring {
    const struct store_settings *settings;
    const char *place, *from;
    char part[PATH_MAX_HERE];
    int directory;
    struct store_restored *restored;
    struct fault *fault;
};

static bool copy_backup(struct restoring *r);
static bool check_copy(struct restoring *r);
static bool survey(struct restoring *r, struct store *store);
static enum store_result swap(struct restoring *r);
static bool end_again(struct restoring *r);
static void remove_part(const struct restoring *r);

enum store_result restore_run(const struct store_settings *settings, const char *place,
                              const char *from, struct store_restored *restored,
                              struct fault *fault)
{
    struct restoring r = {settings, place, from, "", -1, restored, fault};
    enum store_result result = STORE_FAULT;

    *restored = (struct store_restored){0};
    if (snprintf(r.part, sizeof r.part, "%s/%s", place, part_name) >= (int)sizeof r.part) {
        fault_set(fault, "%s: the path is too long", place);
        return STORE_FAULT;
    }
    r.directory = env_directory_open(place, true, fault);
    if (r.directory < 0) {
        return STORE_FAULT;
    }
    remove_part(&r);
    if (copy_backup(&r) && check_copy(&r)) {
        result = swap(&r);
    }
    remove_part(&r);
    close(r.directory);
    return result == STORE_OK && !end_again(&r) ? STORE_FAULT : result;
}

/* ---- the copy, on the store's own file system ---- */

static bool copy_bytes(struct restoring *r, int from, struct whole_file *whole)
{
    static char bytes[1 << 16];
    ssize_t size;

    while ((size = read(from, bytes, sizeof bytes)) != 0) {
        if ((size < 0 && errno != EINTR) ||
            (size > 0 && !whole_file_put(whole, bytes, (size_t)size))) {
            fault_set(r->fault, "copying %s into %s: %s", r->from, r->part, strerror(errno));
            return false;
        }
    }
    return true;
}

static bool copy_file(struct restoring *r, int from, const char *to)
{
    struct whole_file whole;

    if (!whole_file_open(&whole, to, 0600, r->fault)) {
        return false;
    } else if (!copy_bytes(r, from, &whole)) {
        whole_file_drop(&whole);
        return false;
    }
    return whole_file_finish(&whole, true, r->fault) == WHOLE_FILE_DONE;
}

static bool copy_backup(struct restoring *r)
{
    char from[PATH_MAX_HERE], to[PATH_MAX_HERE + 16];
    int file;
    bool done;

    if (snprintf(from, sizeof from, "%s/data.mdb", r->from) >= (int)sizeof from) {
        fault_set(r->fault, "%s: the path is too long", r->from);
        return false;
    }
    file = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) {
        fault_set(r->fault, "%s: %s; name the directory that `retoken store backup` has made", from,
                  strerror(errno));
        return false;
    }
    snprintf(to, sizeof to, "%s/data.mdb", r->part);
    done = whole_file_folder(r->part, r->fault) && copy_file(r, file, to);
    close(file);
    return done;
}

/* Only what opens with this record key and has nothing wrong in it takes the place of anything. */
static bool check_copy(struct restoring *r)
{
    struct store_settings settings = *r->settings;
    struct store *store;
    uint64_t findings = 0;
    bool sound;

    settings.create = settings.read_only = false;
    store = lmdb_kind.open(&settings, r->part, r->fault);
    if (store == NULL) {
        fault_prefix(r->fault, "%s was not restored", r->from);
        return false;
    }
    sound = store_check(store, &(struct store_check){0}, &findings, r->fault) == STORE_OK &&
            survey(r, store);
    if (sound && findings > 0) {
        fault_set(r->fault,
                  "%s was not restored: its check has %llu findings; take an older backup", r->from,
                  (unsigned long long)findings);
    }
    store_close(store);
    return sound && findings == 0;
}

static void look_at_time(struct restoring *r, int64_t at_ms)
{
    if (at_ms > r->restored->newest_ms) {
        r->restored->newest_ms = at_ms;
    }
}

/* How many sessions live, and the latest time that the copy knows. */
static bool survey(struct restoring *r, struct store *store)
{
    enum { PAGE = 32 };
    struct session page[PAGE];
    uint8_t after[SESSION_ID_SIZE] = {0};
    struct event event;
    size_t count;

    do {
        if (store_session_list(store, 0, after, page, PAGE, &count, r->fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            bool over = page[i].end != SESSION_LIVE ||
                        (page[i].expires_ms != 0 && page[i].expires_ms <= r->settings->now_ms);

            r->restored->sessions += over ? 0 : 1;
            look_at_time(r, page[i].used_ms);
            look_at_time(r, page[i].rotated_ms);
            look_at_time(r, page[i].ended_ms);
            memcpy(after, page[i].id, sizeof after);
        }
    } while (count == PAGE);
    if (store_event_list(store, NULL, 0, &event, 1, &count, r->fault) != STORE_OK) {
        return false;
    }
    if (count == 1) {
        look_at_time(r, event.at_ms);
    }
    return true;
}

/* ---- the change ---- */

static enum store_result swap_in_turn(struct restoring *r, int64_t until_us);
static pid_t user_until(const struct restoring *r, int64_t until_us);
static bool keep_old(struct restoring *r);

static int64_t wait_until_us(const struct restoring *r)
{
    int64_t wait_ms = r->settings->writer_wait_ms;

    return clock_stopwatch_us() + (wait_ms != 0 ? wait_ms : WAIT_DEFAULT_MS) * 1000;
}

static enum store_result swap(struct restoring *r)
{
    struct process_lock lock = {.file = -1};
    enum store_result result = STORE_STALE;
    int64_t until_us = wait_until_us(r);

    if (!process_lock_open(&lock, r->directory)) {
        fault_set(r->fault, "store %s: process.lock: %s", r->place, strerror(errno));
        return STORE_FAULT;
    }
    /* with both, no process can be opening the store */
    if (!process_lock_take(&lock, PROCESS_LOCK_WRITER, until_us)) {
        fault_set(r->fault, "process %d is writing to the store; stop it first",
                  (int)process_lock_holder(&lock, PROCESS_LOCK_WRITER));
    } else if (!process_lock_take(&lock, PROCESS_LOCK_READERS, until_us)) {
        fault_set(r->fault, "process %d is opening the store; stop it first",
                  (int)process_lock_holder(&lock, PROCESS_LOCK_READERS));
    } else {
        result = swap_in_turn(r, until_us);
    }
    process_lock_close(&lock);
    return result;
}

static enum store_result swap_in_turn(struct restoring *r, int64_t until_us)
{
    char new_data[sizeof part_name + 16];
    pid_t user = user_until(r, until_us);

    if (user != 0) {
        fault_set(r->fault,
                  "process %d has the store open; stop the responder first, and what starts it "
                  "again (the web server, or systemd)",
                  (int)user);
        return STORE_STALE;
    }
    snprintf(new_data, sizeof new_data, "%s/data.mdb", part_name);
    if (!keep_old(r)) {
        return STORE_FAULT;
    } else if (renameat(r->directory, new_data, r->directory, "data.mdb") != 0 ||
               fsync(r->directory) != 0) {
        fault_set(r->fault, "store %s: putting the backup in place: %s", r->place, strerror(errno));
        return STORE_FAULT;
    }
    return STORE_OK;
}

/* LMDB keeps a shared lock on the first byte of lock.mdb for as long as a process has it open
 * (mdb.c, mdb_env_share_locks). 0: no process has. */
static pid_t user_of(int directory)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int file = openat(directory, "lock.mdb", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    pid_t user = 0;

    if (file >= 0) {
        if (fcntl(file, F_GETLK, &range) == 0 && range.l_type != F_UNLCK) {
            user = range.l_pid;
        }
        close(file);
    }
    return user;
}

enum store_result restore_unused(const char *place, struct fault *fault)
{
    int directory = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    pid_t user = directory >= 0 ? user_of(directory) : 0;

    if (directory >= 0) {
        close(directory);
    }
    if (user != 0) {
        fault_set(fault, "store %s: process %d has it open", place, (int)user);
    }
    return user != 0 ? STORE_STALE : STORE_OK;
}

/* A CGI script has it open for a moment only. */
static pid_t user_until(const struct restoring *r, int64_t until_us)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000 * 1000};
    pid_t user;

    while ((user = user_of(r->directory)) != 0 && clock_stopwatch_us() < until_us) {
        nanosleep(&pause, NULL);
    }
    return user;
}

/* Under a second name, so that there is one under the first at every moment. */
static bool keep_old(struct restoring *r)
{
    time_t now = (time_t)(r->settings->now_ms / CLOCK_SECOND);
    char date[32], *kept = r->restored->kept;
    struct tm tm;

    if (gmtime_r(&now, &tm) == NULL || strftime(date, sizeof date, "%Y%m%d-%H%M%S", &tm) == 0) {
        snprintf(date, sizeof date, "%lld", (long long)now);
    }
    for (int n = 1; n < 100; n++) {
        snprintf(kept, sizeof r->restored->kept, "data.mdb.%s%s%.0d", date, n > 1 ? "-" : "",
                 n > 1 ? n : 0);
        if (linkat(r->directory, "data.mdb", r->directory, kept, 0) == 0) {
            return true;
        } else if (errno != EEXIST) {
            break;
        }
    }
    if (errno == ENOENT) { /* there was none */
        kept[0] = '\0';
        return true;
    }
    fault_set(r->fault, "store %s: keeping what is there as %s: %s", r->place, kept,
              strerror(errno));
    return false;
}

/* ---- afterwards ---- */

/* Opening it for writing ends again what has ended since. */
static bool end_again(struct restoring *r)
{
    struct store_settings settings = *r->settings;
    struct ended_log_state state;
    struct store *store;
    char path[PATH_MAX_HERE];
    bool had_journal = snprintf(path, sizeof path, "%s/ended.log", r->place) < (int)sizeof path &&
                       access(path, F_OK) == 0;

    settings.create = settings.read_only = false;
    store = lmdb_kind.open(&settings, r->place, r->fault);
    if (store == NULL) {
        fault_prefix(r->fault, "%s is in place", r->from);
        return false;
    }
    ended_log_look(r->place, verbs_of(store)->mac, 0, &state);
    r->restored->ended_again = lmdb_store_of(store)->ended_again;
    r->restored->journal = !had_journal                              ? STORE_JOURNAL_ABSENT
                           : state.damaged > 0 && state.entries == 0 ? STORE_JOURNAL_FOREIGN
                           : state.damaged > 0                       ? STORE_JOURNAL_DAMAGED
                                                                     : STORE_JOURNAL_SOUND;
    store_close(store);
    return true;
}

static void remove_part(const struct restoring *r)
{
    static const char *const names[] = {"data.mdb",     "data.mdb.part",    "lock.mdb",
                                        "process.lock", "ended.log",        "ended.log.part",
                                        "commit.queue", "commit.queue.part"};
    int part = open(r->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (part >= 0) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            unlinkat(part, names[i], 0);
        }
        close(part);
        unlinkat(r->directory, part_name, AT_REMOVEDIR);
    }
}
