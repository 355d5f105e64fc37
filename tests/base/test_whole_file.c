/* SPDX-License-Identifier: ISC */
/* test_whole_file.c: a file has its name with all its bytes or not at all, who wins, and what an
 * interrupted writer leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "base/whole_file.h"

static char directory[SCRATCH_PATH_MAX];
static char path[SCRATCH_PATH_MAX + 16], part[SCRATCH_PATH_MAX + 16];
static struct fault fault;

/* What was synced so far: a file 'f', or 'n' when it has its name already; a folder 'd'. */
static char synced[16];

int fsync(int file)
{
    size_t count = strlen(synced);
    struct stat about;

    if (count + 1 < sizeof synced && fstat(file, &about) == 0) {
        synced[count] = S_ISDIR(about.st_mode) ? 'd' : access(path, F_OK) == 0 ? 'n' : 'f';
    }
    return (int)syscall(SYS_fsync, file);
}

static int set_up(void **state)
{
    (void)state;
    fault = (struct fault){0};
    memset(synced, 0, sizeof synced);
    if (!scratch_make(directory)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/file", directory);
    snprintf(part, sizeof part, "%s/file.part", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(directory);
    return 0;
}

static void assert_content(const char *expected)
{
    char content[64] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    assert_true(read(file, content, sizeof content - 1) >= 0);
    close(file);
    assert_string_equal(content, expected);
}

static void it_has_its_name_when_it_is_whole(void **state)
{
    struct whole_file whole;
    struct stat about;

    (void)state;
    assert_true(whole_file_open(&whole, path, 0640, &fault));
    assert_true(whole_file_put(&whole, "one", 3));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(part, F_OK), 0);
    assert_int_equal(whole_file_finish(&whole, false, &fault), WHOLE_FILE_DONE);
    assert_content("one");
    assert_int_not_equal(access(part, F_OK), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0640);
    assert_int_equal(about.st_nlink, 1);
}

/* A power cut leaves the file whole or leaves none (fsync(2)). */
static void it_is_on_the_disk_before_its_name_is(void **state)
{
    (void)state;
    assert_int_equal(whole_file_create(path, TEXT("one"), 0600, &fault), WHOLE_FILE_DONE);
    assert_string_equal(synced, "fd");
}

static void an_existing_file_wins_or_is_replaced(void **state)
{
    struct whole_file whole;

    (void)state;
    assert_int_equal(whole_file_create(path, TEXT("one"), 0600, &fault), WHOLE_FILE_DONE);
    assert_int_equal(whole_file_create(path, TEXT("two"), 0600, &fault), WHOLE_FILE_EXISTS);
    assert_content("one");
    assert_true(whole_file_open(&whole, path, 0600, &fault));
    assert_true(whole_file_put(&whole, "three", 5));
    assert_int_equal(whole_file_finish(&whole, true, &fault), WHOLE_FILE_DONE);
    assert_content("three");
    assert_int_not_equal(access(part, F_OK), 0);
}

static void dropped_it_leaves_nothing(void **state)
{
    struct whole_file whole;

    (void)state;
    assert_true(whole_file_open(&whole, path, 0600, &fault));
    assert_true(whole_file_put(&whole, "one", 3));
    whole_file_drop(&whole);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void what_an_interrupted_writer_left_is_overwritten(void **state)
{
    int file = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);

    (void)state;
    assert_true(file >= 0);
    assert_int_equal(write(file, "a longer text", 13), 13);
    close(file);
    assert_int_equal(whole_file_create(path, TEXT("one"), 0600, &fault), WHOLE_FILE_DONE);
    assert_content("one");
    assert_int_not_equal(access(part, F_OK), 0);
}

static void one_writer_at_a_time(void **state)
{
    struct whole_file whole;
    int folder;

    (void)state;
    assert_true(whole_file_open(&whole, path, 0600, &fault));
    folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    assert_int_equal(flock(folder, LOCK_EX | LOCK_NB), -1);
    whole_file_drop(&whole);
    assert_int_equal(flock(folder, LOCK_EX | LOCK_NB), 0);
    close(folder);
}

static void what_cannot_be_written_is_a_fault(void **state)
{
    char nowhere[SCRATCH_PATH_MAX + 16], name[300];
    struct whole_file whole;

    (void)state;
    snprintf(nowhere, sizeof nowhere, "%s/none/file", directory);
    assert_false(whole_file_open(&whole, nowhere, 0600, &fault));
    assert_non_null(strstr(fault.text, "none/file: No such file"));
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(whole_file_open(&whole, name, 0600, &fault));
    assert_int_equal(whole_file_create(directory, TEXT(""), 0600, &fault), WHOLE_FILE_EXISTS);
}

static void folders_are_made_with_those_above(void **state)
{
    char deep[SCRATCH_PATH_MAX + 32];
    struct stat about;

    (void)state;
    snprintf(deep, sizeof deep, "%s/a/b/c", directory);
    assert_true(whole_file_folder(deep, &fault));
    assert_true(whole_file_folder(deep, &fault));
    assert_int_equal(stat(deep, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    assert_int_equal(whole_file_create(path, TEXT("one"), 0600, &fault), WHOLE_FILE_DONE);
    snprintf(deep, sizeof deep, "%s/file/a", directory);
    assert_false(whole_file_folder(deep, &fault));
    assert_non_null(strstr(fault.text, "file/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_has_its_name_when_it_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_on_the_disk_before_its_name_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_existing_file_wins_or_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropped_it_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_interrupted_writer_left_is_overwritten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_writer_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_a_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_with_those_above, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
