/* SPDX-License-Identifier: ISC */
/* test_private_file.c: which files are read, and what is said about the others. */
#include "base/private_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/expect.h"
#include "base/scratch.h"

enum { ROOM = 8 };

struct place {
    char folder[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 8];
    char room[ROOM];
    struct fault fault;
};

static int make_place(void **state)
{
    struct place *place = test_calloc(1, sizeof *place);

    *state = place;
    assert_true(scratch_make(place->folder));
    snprintf(place->path, sizeof place->path, "%s/file", place->folder);
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    scratch_remove(place->folder);
    test_free(place);
    return 0;
}

static void write_file(struct place *place, const char *content, mode_t mode)
{
    unlink(place->path);
    int file = open(place->path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(file >= 0);
    assert_int_equal(strlen(content), write(file, content, strlen(content)));
    assert_int_equal(0, close(file));
    assert_int_equal(0, chmod(place->path, mode));
}

static ssize_t read_place(struct place *place)
{
    place->fault.text[0] = '\0';
    return private_file_read(place->path, "the secret", place->room, ROOM, &place->fault);
}

static void assert_refused(struct place *place, const char *words)
{
    assert_int_equal(-1, read_place(place));
    if (strstr(place->fault.text, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, place->fault.text);
    }
    assert_non_null(strstr(place->fault.text, place->path));
}

static void test_sizes(void **state)
{
    struct place *place = *state;
    static const char *const contents[] = {"", "1234567", "12345678"};

    for (size_t i = 0; i < COUNT(contents); i++) {
        write_file(place, contents[i], 0600);
        assert_int_equal(strlen(contents[i]), read_place(place));
        assert_memory_equal(contents[i], place->room, strlen(contents[i]));
    }
    write_file(place, "123456789", 0600);
    assert_refused(place, "the secret is larger than 8 bytes");
}

static void test_modes(void **state)
{
    static const mode_t wrong[] = {0640, 0604, 0620, 0602, 0610, 0601, 0700, 0200, 0, 04600};
    struct place *place = *state;

    write_file(place, "1", 0400);
    assert_int_equal(1, read_place(place));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        write_file(place, "1", wrong[i]);
        if (geteuid() == 0 || (wrong[i] & S_IRUSR) != 0) {
            assert_refused(place, "the secret must be 0600 or 0400 (chmod 600)");
        } else {
            assert_refused(place, "cannot open the secret: Permission denied");
        }
    }
}

static void test_kinds(void **state)
{
    struct place *place = *state;

    assert_refused(place, "cannot open the secret: No such file or directory");
    assert_int_equal(0, mkfifo(place->path, 0600)); /* is not waited for */
    assert_refused(place, "the secret is not a regular file");
    assert_int_equal(0, unlink(place->path));
    assert_int_equal(0, mkdir(place->path, 0700));
    assert_refused(place, "the secret is not a regular file");
}

static void test_owner(void **state)
{
    struct place *place = *state;

    if (geteuid() != 0) {
        skip();
    }
    write_file(place, "1", 0600);
    assert_int_equal(0, chown(place->path, 65534, 65534));
    assert_refused(place, "belongs to user id 65534, but this process runs as 0");
}

/* By systemd, which gives this user access by a list: root's, and the group seems to read it. */
static void test_passed(void **state)
{
    static const mode_t wrong[] = {0444, 0460, 0640, 0441, 0540};
    struct place *place = *state;

    for (int i = 0; i < 2; i++) {
        write_file(place, "1", i == 0 ? 0440 : 0400);
        assert_int_equal(1, private_file_read_passed(place->path, "the secret", place->room, ROOM,
                                                     &place->fault));
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        write_file(place, "1", wrong[i]);
        assert_int_equal(-1, private_file_read_passed(place->path, "the secret", place->room, ROOM,
                                                      &place->fault));
    }
}

#define PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {PLACE(test_sizes), PLACE(test_modes), PLACE(test_kinds),
                                       PLACE(test_owner), PLACE(test_passed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
