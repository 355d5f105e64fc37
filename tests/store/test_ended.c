/* SPDX-License-Identifier: ISC */
/* test_ended.c: the journal of ends as a file: numbers, MACs, and that it does not grow for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "store/lmdb/ended.h"

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
    }
    assert_true(ended_append(directory, mac, &list, first, &fault));
    ended_list_free(&list);
}

static void entries_come_back_in_order(void **state)
{
    struct ended session = session_entry(1, 5000);
    struct ended account = {
        .what = ENDED_ACCOUNT, .account = 7, .epoch = 3, .end = SESSION_ENDED_ADMIN, .at_ms = 2000};
    struct ended_list list = {0};

    (void)state;
    assert_int_equal(ended_last(directory, mac), 0);
    assert_true(ended_read(directory, mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 0);
    append(&session, 1, 1);
    assert_string_equal(synced, "ed"); /* before what ends is committed */
    append(&account, 1, 2);
    assert_string_equal(synced, "ede");
    assert_int_equal(ended_last(directory, mac), 2);
    assert_true(ended_read(directory, mac, 0, 10, &list, &fault));
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
    assert_true(ended_read(directory, mac, 1, 10, &list, &fault));
    assert_int_equal(list.count, 1);
    ended_list_free(&list);
    assert_true(ended_read(directory, mac, 0, 1, &list, &fault));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].number, 1);
    ended_list_free(&list);
}

/* Under another key every entry is a damaged one. */
static void another_stores_journal_says_nothing(void **state)
{
    struct ended_list list = {0};

    (void)state;
    assert_int_equal(ended_last(directory, other_mac), 0);
    assert_true(ended_read(directory, other_mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 0);
    assert_int_equal(ended_damaged(directory, other_mac), 2);
    assert_int_equal(ended_damaged(directory, mac), 0);
}

static off_t file_size(void)
{
    char path[SCRATCH_PATH_MAX + 16];
    struct stat about;

    snprintf(path, sizeof path, "%s/ended.log", directory);
    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
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
    assert_int_equal(ended_last(directory, mac), ENDED_COMPACT_EVERY + 1);
    assert_true(ended_read(directory, mac, 0, 10, &list, &fault));
    assert_int_equal(list.count, 5);
    assert_int_equal(list.entries[1].what, ENDED_ACCOUNT);
    assert_int_equal(list.entries[2].number, ENDED_COMPACT_EVERY - 1);
    ended_list_free(&list);
    append(&kept, 1, ENDED_COMPACT_EVERY + 2);
    assert_int_equal(ended_last(directory, mac), ENDED_COMPACT_EVERY + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_in_order),
        cmocka_unit_test(another_stores_journal_says_nothing),
        cmocka_unit_test(what_has_expired_is_dropped),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
