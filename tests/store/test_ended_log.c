/* SPDX-License-Identifier: ISC */
/* test_ended.c: the journal of ends as a file: numbers, MACs, and that it does not grow for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <sys/syscall.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "store/lmdb/ended_log.h"

static char directory[SCRATCH_PATH_MAX];
static struct crypto_mac *mac, *other_mac;
static struct fault fault;

/* What was synced so far: entries 'e', the folder 'd'. */
static char synced[64];

static int note_sync(int file, long call, char what)
{
    size_t count = strlen(synced);

    if (count + 1 < sizeof synced) {
        synced[count] = what;
    }
    return (int)syscall(call, file);
}

int fdatasync(int file)
{
    return note_sync(file, SYS_fdatasync, 'e');
}

int fsync(int file)
{
    struct stat about;

    assert_int_equal(fstat(file, &about), 0);
    return note_sync(file, SYS_fsync, S_ISDIR(about.st_mode) ? 'd' : 'e');
}

/* Stands before libc's. */
static size_t reads;

ssize_t pread(int file, void *bytes, size_t size, off_t at)
{
    reads++;
    return syscall(SYS_pread64, file, bytes, size, at);
}

static int set_up(void **state)
{
    (void)state;
    mac = crypto_mac_open("0123456789abcdef0123456789abcdef", 32);
    other_mac = crypto_mac_open("0123456789abcdef0123456789abcdeg", 32);
    return scratch_make(directory) && mac != NULL && other_mac != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(directory);
    crypto_mac_close(mac);
    crypto_mac_close(other_mac);
    return 0;
}

static struct ended session_entry(uint8_t n, int64_t until_ms)
{
    return (struct ended){.what = ENDED_SESSION,
                          .id = {n},
                          .end = SESSION_ENDED_REUSE,
                          .at_ms = 1000 + n,
                          .until_ms = until_ms};
}

static void append(const struct ended *entry, size_t times, uint64_t first)
{
    struct ended_list list = {0};

    for (size_t i = 0; i < times; i++) {
        assert_true(ended_list_add(&list, entry));
        list.entries[i].number = first + i;
    }
    assert_true(ended_log_prepare(directory, times, &fault));
    assert_true(ended_log_append(directory, mac, &list, &fault));
    ended_list_free(&list);
}

static void entries_come_back_in_order(void **state)
{
    struct ended session = session_entry(1, 5000);
    struct ended account = {
        .what = ENDED_ACCOUNT, .account = 7, .epoch = 3, .end = SESSION_ENDED_ADMIN, .at_ms = 2000};
    struct ended_list list = {0};

    (void)state;
    assert_int_equal(ended_log_last(directory, mac), 0);
    assert_true(ended_log_read(directory, mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 0);
    append(&session, 1, 1);
    assert_string_equal(synced, "ed"); /* before what ends is committed */
    append(&account, 1, 2);
    assert_string_equal(synced, "ede");
    assert_int_equal(ended_log_last(directory, mac), 2);
    assert_true(ended_log_read(directory, mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.entries[0].number, 1);
    assert_memory_equal(list.entries[0].id, session.id, sizeof session.id);
    assert_int_equal(list.entries[0].end, SESSION_ENDED_REUSE);
    assert_int_equal(list.entries[0].until_ms, 5000);
    assert_int_equal(list.entries[1].what, ENDED_ACCOUNT);
    assert_int_equal(list.entries[1].account, 7);
    assert_int_equal(list.entries[1].epoch, 3);
    assert_int_equal(list.entries[1].at_ms, 2000);
    ended_list_free(&list);
    assert_true(ended_log_read(directory, mac, 1, 10, &list, &fault));
    assert_int_equal(list.count, 1);
    ended_list_free(&list);
    assert_true(ended_log_read(directory, mac, 0, 1, &list, &fault));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].number, 1);
    ended_list_free(&list);
}

/* Under another key every entry is a damaged one. */
static void another_stores_journal_says_nothing(void **state)
{
    struct ended_list list = {0};
    struct ended_log_state seen;

    (void)state;
    assert_int_equal(ended_log_last(directory, other_mac), 0);
    assert_true(ended_log_read(directory, other_mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 0);
    ended_log_look(directory, other_mac, 0, &seen);
    assert_int_equal(seen.damaged, 2);
    assert_int_equal(seen.last, 0);
    ended_log_look(directory, mac, 1, &seen);
    assert_true(seen.exists);
    assert_false(seen.torn);
    assert_int_equal(seen.damaged, 0);
    assert_int_equal(seen.entries, 2);
    assert_int_equal(seen.last, 2);
    assert_int_equal(seen.newer, 1);
}

static const char *journal_path(void)
{
    static char path[SCRATCH_PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/ended.log", directory);
    return path;
}

static off_t file_size(void)
{
    struct stat about;

    assert_int_equal(stat(journal_path(), &about), 0);
    return about.st_size;
}

static void add_bytes(size_t count, int byte)
{
    FILE *file = fopen(journal_path(), "a");

    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fputc(byte, file), byte);
    }
    assert_int_equal(fclose(file), 0);
}

/* A killed process's entries are appended by the next, perhaps twice. */
static void what_is_there_is_not_appended_again(void **state)
{
    struct ended account = {
        .what = ENDED_ACCOUNT, .account = 7, .epoch = 3, .end = SESSION_ENDED_ADMIN, .at_ms = 2000};

    (void)state;
    append(&account, 2, 1);
    assert_int_equal(file_size(), 2 * ENDED_ENTRY_SIZE);
    assert_int_equal(ended_log_last(directory, mac), 2);
}

static void what_a_power_cut_left_at_the_end_is_cut_off(void **state)
{
    struct ended session = session_entry(1, 5000);
    struct ended_log_state seen;

    (void)state;
    add_bytes(ENDED_ENTRY_SIZE + 5, 0);
    ended_log_look(directory, mac, 0, &seen);
    assert_true(seen.torn);
    assert_int_equal(seen.damaged, 0);
    assert_int_equal(ended_log_last(directory, mac), 2);
    append(&session, 1, 3);
    assert_int_equal(file_size(), 3 * ENDED_ENTRY_SIZE);
    assert_int_equal(truncate(journal_path(), 2 * ENDED_ENTRY_SIZE), 0);
}

static void entries_survive_packing(void **state)
{
    struct ended entry = session_entry(9, 77);
    struct ended_list list = {0}, again = {0};
    uint8_t *bytes;
    size_t size;

    (void)state;
    assert_true(ended_list_add(&list, &entry));
    entry = (struct ended){
        .number = 5, .what = ENDED_CLIENT_REMOVED, .end = SESSION_ENDED_CLIENT, .at_ms = 4};
    assert_true(ended_name_id("web", entry.id));
    assert_true(ended_list_add(&list, &entry));
    assert_true(ended_log_pack(&list, mac, &bytes, &size));
    assert_int_equal(size, 2 * ENDED_ENTRY_SIZE);
    assert_true(ended_log_unpack(bytes, size, mac, &again));
    assert_int_equal(again.count, 2);
    assert_int_equal(again.entries[0].until_ms, 77);
    assert_int_equal(again.entries[1].what, ENDED_CLIENT_REMOVED);
    assert_memory_equal(again.entries[1].id, entry.id, sizeof entry.id);
    free(bytes);
    ended_list_free(&list);
    ended_list_free(&again);
}

static void what_has_expired_is_dropped(void **state)
{
    struct ended expired = session_entry(2, 900), kept = session_entry(3, 0);
    struct ended_list list = {0};

    (void)state;
    append(&expired, ENDED_COMPACT_EVERY - 4, 3);
    assert_int_equal(file_size(), (ENDED_COMPACT_EVERY - 2) * ENDED_ENTRY_SIZE);
    append(&kept, 3, ENDED_COMPACT_EVERY - 1);
    assert_int_equal(file_size(), 5 * ENDED_ENTRY_SIZE);
    assert_int_equal(ended_log_last(directory, mac), ENDED_COMPACT_EVERY + 1);
    assert_true(ended_log_read(directory, mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 5);
    assert_int_equal(list.entries[1].what, ENDED_ACCOUNT);
    assert_int_equal(list.entries[2].number, ENDED_COMPACT_EVERY - 1);
    ended_list_free(&list);
    append(&kept, 1, ENDED_COMPACT_EVERY + 2);
    assert_int_equal(ended_log_last(directory, mac), ENDED_COMPACT_EVERY + 2);
}

/* A clock that is ahead while one session ends does not decide for the others. */
static void a_clock_that_was_ahead_drops_nothing(void **state)
{
    struct ended needed = session_entry(4, 1000000), ahead = session_entry(5, 0);
    off_t before;

    (void)state;
    append(&needed, ENDED_COMPACT_EVERY - 8, ENDED_COMPACT_EVERY + 3);
    before = file_size();
    ahead.at_ms = 2000000;
    append(&ahead, 3, 2 * ENDED_COMPACT_EVERY - 5);
    assert_int_equal(file_size(), before + 3 * ENDED_ENTRY_SIZE);
}

/* Ending again after a restore goes on from where it was: reading costs what is read. */
static void reading_begins_where_it_shall(void **state)
{
    struct ended_list list = {0};
    uint64_t last = ended_log_last(directory, mac);

    (void)state;
    assert_true(last > ENDED_COMPACT_EVERY);
    reads = 0;
    assert_true(ended_log_read(directory, mac, last - 100, 1000, &list, &fault));
    assert_int_equal(list.count, 100);
    assert_int_equal(list.entries[0].number, last - 99);
    assert_in_range(reads, 1, 40);
    ended_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_in_order),
        cmocka_unit_test(another_stores_journal_says_nothing),
        cmocka_unit_test(what_is_there_is_not_appended_again),
        cmocka_unit_test(what_a_power_cut_left_at_the_end_is_cut_off),
        cmocka_unit_test(entries_survive_packing),
        cmocka_unit_test(what_has_expired_is_dropped),
        cmocka_unit_test(a_clock_that_was_ahead_drops_nothing),
        cmocka_unit_test(reading_begins_where_it_shall),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
