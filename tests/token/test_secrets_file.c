/* SPDX-License-Identifier: ISC */
/* test_secrets_file.c: the file of the master secrets is private, in one format, never overwritten
 * by a new one, and whole after each change. */
#include "token/secret_file.h"

#include <string.h>

#include "token/secrets_file.h"

static void created_file_reads_back(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct fault fault = {""};
    struct secrets_file first, again;
    struct stat stat_of;
    mode_t mask = umask(0777);

    (void)state;
    unlink(path);
    assert_true(secrets_file_create(path, &randomness, &fault));
    umask(mask);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(stat_of.st_size, 65);
    assert_true(secrets_file_read(path, false, &first, &fault));

    /* never overwritten */
    assert_false(secrets_file_create(path, &randomness, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_true(secrets_file_read(path, false, &again, &fault));
    assert_int_equal(first.count, 1);
    assert_memory_equal(&first, &again, sizeof first);
}

static void failed_creation_leaves_nothing(void **state)
{
    struct randomness none = fixture_no_randomness();
    struct fault fault = {""};

    (void)state;
    unlink(path);
    assert_false(secrets_file_create(path, &none, &fault));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_non_null(strstr(fault.text, "randomness"));
}

static void dangling_link_is_not_followed(void **state)
{
    struct randomness randomness = fixture_randomness();

    (void)state;
    unlink(path);
    assert_int_equal(symlink("/nonexistent/elsewhere", path), 0);
    assert_false(secrets_file_create(path, &randomness, NULL));
}

#define DIGITS_64 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void formats(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        size_t size;
        bool good;
    } rows[] = {
        {"as created", DIGITS_64 "\n", 65, true},
        {"no newline", DIGITS_64, 64, false},
        {"two newlines", DIGITS_64 "\n\n", 66, false},
        {"CRLF", DIGITS_64 "\r\n", 66, false},
        {"empty", "", 0, false},
        {"short", DIGITS_64, 63, false},
        {"no digit", "g" DIGITS_64 "\n", 65, false},
        {"leading space", " " DIGITS_64 "\n", 66, false},
        {"NUL", "\0" DIGITS_64, 65, false},
        {"long", DIGITS_64 DIGITS_64 "\n", 129, false},
        {"a date at the first", DIGITS_64 " 2026-11-28T10:00:00Z\n", 86, false},
        {"raw bytes",
         "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08"
         "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08",
         32, false},
    };
    struct secrets_file file;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        put_file(rows[i].content, rows[i].size, 0600);
        assert_row(secrets_file_read(path, false, &file, &fault) == rows[i].good, rows[i].name);
        /* names the file and what would be right, and shows nothing of the content */
        if (!rows[i].good) {
            assert_row(strstr(fault.text, path) != NULL && strstr(fault.text, "64") != NULL &&
                           strstr(fault.text, "0011") == NULL,
                       rows[i].name);
        } else {
            assert_int_equal(file.lines[0].master[1], 0x11);
            assert_int_equal(file.lines[0].master[31], 0xff);
        }
    }
}

static void permissions(void **state)
{
    static const struct {
        mode_t mode;
        bool good;
    } rows[] = {{0600, true},  {0400, true},  {0640, false}, {0604, false},  {0660, false},
                {0644, false}, {0700, false}, {0200, false}, {04600, false}, {0000, false}};
    struct secrets_file file;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        char name[8];
        snprintf(name, sizeof name, "%04o", (unsigned)rows[i].mode);
        put_file(DIGITS_64 "\n", 65, rows[i].mode);
        assert_row(secrets_file_read(path, false, &file, &fault) == rows[i].good, name);
        assert_row(rows[i].good == (fault.text[0] == '\0'), name);
    }
}

static void other_owner_is_refused(void **state)
{
    struct secrets_file file;
    struct fault fault = {""};

    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can give a file away */
    }
    put_file(DIGITS_64 "\n", 65, 0600);
    assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
    assert_false(secrets_file_read(path, false, &file, &fault));
    assert_non_null(strstr(fault.text, "12345"));
}

static void not_a_file(void **state)
{
    struct secrets_file file;
    struct fault fault = {""};

    (void)state;
    unlink(path);
    assert_false(secrets_file_read(path, false, &file, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(
        secrets_file_read(path, false, &file, &fault)); /* and does not wait for a writer */
    assert_false(secrets_file_read(directory, false, &file, &fault));
}

#define OTHER_64 "a0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool read_text(const char *content, struct secrets_file *file, struct fault *fault)
{
    fault->text[0] = '\0';
    put_file(content, strlen(content), 0600);
    return secrets_file_read(path, false, file, fault);
}

static void further_lines(void **state)
{
    static const struct {
        const char *behind; /* the second line's digits */
        bool good;
        int64_t from_ms;
        bool retired;
    } rows[] = {
        {"\n", true, 0, false},
        {" 2026-11-28T10:00:00Z\n", true, INT64_C(1795860000000), false},
        {" 2026-11-28T10:00:00Z retired\n", true, INT64_C(1795860000000), true},
        {" retired\n", true, 0, true},
        {"", false, 0, false},
        {" \n", false, 0, false},
        {"  2026-11-28T10:00:00Z\n", false, 0, false},
        {" 2026-11-28T10:00:00Z \n", false, 0, false},
        {" 2026-11-28T10:00:00Z retire\n", false, 0, false},
        {" 2026-11-28T10:00:00Z retired \n", false, 0, false},
        {" retired 2026-11-28T10:00:00Z\n", false, 0, false},
        {" 2026-13-28T10:00:00Z\n", false, 0, false},
        {" soon\n", false, 0, false},
        {"\r\n", false, 0, false},
        {"\n\n", false, 0, false},
    };
    char content[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct secrets_file file;
        struct fault fault;

        snprintf(content, sizeof content, "%s\n%s%s", DIGITS_64, OTHER_64, rows[i].behind);
        assert_row(read_text(content, &file, &fault) == rows[i].good, rows[i].behind);
        if (rows[i].good) {
            assert_int_equal(file.count, 2);
            assert_true(file.lines[1].from_ms == rows[i].from_ms);
            assert_int_equal(file.lines[1].retired, rows[i].retired);
            assert_false(file.lines[0].retired);
        } else { /* file, line and what would be right, and nothing of the content */
            assert_row(strstr(fault.text, path) != NULL && strstr(fault.text, "line ") != NULL &&
                           strstr(fault.text, "64") != NULL && strstr(fault.text, "0011") == NULL,
                       rows[i].behind);
            assert_row(strstr(fault.text, rows[i].behind[0] == '\n' ? "line 3" : "line 2") != NULL,
                       rows[i].behind);
            assert_int_equal(file.count, 0);
        }
    }
}

static void something_is_in_force(void **state)
{
    struct secrets_file file;
    struct fault fault;

    (void)state;
    assert_false(read_text(DIGITS_64 " retired\n", &file, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_non_null(strstr(fault.text, "take `retired` away"));
}

/* Tokens name a master secret by one byte. */
static void two_of_one_key_id_are_refused(void **state)
{
    struct secrets_file file;
    struct fault fault;

    (void)state;
    assert_false(read_text(DIGITS_64 "\n" DIGITS_64 "\n", &file, &fault));
    assert_non_null(strstr(fault.text, "line 2"));
    assert_non_null(strstr(fault.text, "line 1"));
}

static void added_lines_come_last(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct secrets_file before, file;
    struct fault fault;
    struct stat status;
    uint8_t ids[SECRETS_MOST];

    (void)state;
    assert_true(read_text(DIGITS_64 "\n", &before, &fault));
    assert_int_equal(chmod(path, 0400), 0);
    for (size_t i = 1; i < SECRETS_MOST; i++) {
        assert_true(secrets_file_add(path, (int64_t)i * 1000, &randomness, &ids[i], &fault));
    }
    assert_false(secrets_file_add(path, 0, &randomness, &ids[0], &fault));
    assert_non_null(strstr(fault.text, "64"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_true(secrets_file_read(path, false, &file, &fault));
    assert_int_equal(file.count, SECRETS_MOST);
    assert_memory_equal(&file.lines[0], &before.lines[0], sizeof file.lines[0]);
    for (size_t i = 1; i < SECRETS_MOST; i++) {
        assert_int_equal(file.lines[i].name[0], ids[i]);
        assert_int_not_equal(ids[i], 0);
        assert_true(file.lines[i].from_ms == (int64_t)i * 1000);
    }
}

static void failed_addition_leaves_the_file(void **state)
{
    struct randomness none = fixture_no_randomness();
    struct secrets_file before, file;
    struct fault fault;
    uint8_t id;

    (void)state;
    assert_true(read_text(DIGITS_64 "\n" OTHER_64 "\n", &before, &fault));
    assert_false(secrets_file_add(path, 0, &none, &id, &fault));
    assert_non_null(strstr(fault.text, "randomness"));
    assert_true(secrets_file_read(path, false, &file, &fault));
    assert_memory_equal(&file, &before, sizeof file);
    put_file("damaged\n", 8, 0600);
    assert_false(secrets_file_add(path, 0, &none, &id, &fault));
    assert_non_null(strstr(fault.text, "line 1"));
    unlink(path);
    assert_false(secrets_file_add(path, 0, &none, &id, &fault));
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Containers mount a secret as a link. */
static void what_a_link_leads_to_is_changed(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct secrets_file file;
    struct fault fault;
    struct stat status;
    char real[sizeof path + 8];
    uint8_t id;

    (void)state;
    snprintf(real, sizeof real, "%s.real", path);
    assert_true(read_text(DIGITS_64 "\n", &file, &fault));
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
    assert_true(secrets_file_add(path, 0, &randomness, &id, &fault));
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(secrets_file_read(real, false, &file, &fault));
    assert_int_equal(file.count, 2);
    assert_int_equal(unlink(real), 0);
}

static void retired_lines_stay(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct secrets_file file;
    struct fault fault;
    uint8_t first, second, third;

    (void)state;
    assert_true(read_text(DIGITS_64 "\n", &file, &fault));
    first = file.lines[0].name[0];
    assert_false(secrets_file_retire(path, first, 0, &fault)); /* the only one */
    assert_true(secrets_file_add(path, 1000, &randomness, &second, &fault));
    assert_false(secrets_file_retire(path, first, 999, &fault)); /* the only one in force */
    assert_true(secrets_file_add(path, 2000, &randomness, &third, &fault));
    assert_true(secrets_file_retire(path, first, 1000, &fault));
    assert_false(secrets_file_retire(path, second, 1000, &fault));
    assert_true(secrets_file_retire(path, second, 2000, &fault));
    assert_false(secrets_file_retire(path, 0, 2000, &fault));
    assert_true(secrets_file_read(path, false, &file, &fault));
    assert_int_equal(file.count, 3);
    assert_true(file.lines[0].retired && file.lines[1].retired && !file.lines[2].retired);
    assert_true(file.lines[1].from_ms == 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_file_reads_back),
        cmocka_unit_test(failed_creation_leaves_nothing),
        cmocka_unit_test(dangling_link_is_not_followed),
        cmocka_unit_test(formats),
        cmocka_unit_test(permissions),
        cmocka_unit_test(other_owner_is_refused),
        cmocka_unit_test(not_a_file),
        cmocka_unit_test(further_lines),
        cmocka_unit_test(something_is_in_force),
        cmocka_unit_test(two_of_one_key_id_are_refused),
        cmocka_unit_test(added_lines_come_last),
        cmocka_unit_test(failed_addition_leaves_the_file),
        cmocka_unit_test(what_a_link_leads_to_is_changed),
        cmocka_unit_test(retired_lines_stay),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
