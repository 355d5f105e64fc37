/* SPDX-License-Identifier: ISC */
/* test_secrets.c: derived keys differ from one another and from master to master; the file is
 * private, in one format, and never overwritten. */
#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/retoken-secrets-XXXXXX";
static char path[sizeof directory + 16];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/secret", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    fixture_close(state);
    return rmdir(directory);
}

static void put_file(const char *content, size_t size, mode_t mode)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void macs_serve_one_purpose(void **state)
{
    const struct secrets *one = fixture_secrets(1);
    const struct secrets *two = fixture_secrets(2);
    uint8_t out[10][CRYPTO_HASH_SIZE];
    const struct crypto_mac *macs[] = {
        one->native, one->uuid,   one->jti,  one->client_secret, one->mark,
        two->mark,   two->native, two->uuid, two->jti,           two->client_secret};

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        assert_true(crypto_mac_compute(macs[i], "x", 1, out[i]));
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(out[i], out[j], CRYPTO_HASH_SIZE);
        }
    }
    assert_memory_not_equal(one->record, one->sealing, CRYPTO_KEY_SIZE);
    assert_memory_not_equal(one->record, one->refresh_jwt, CRYPTO_KEY_SIZE);
    assert_memory_not_equal(one->sealing, one->refresh_jwt, CRYPTO_KEY_SIZE);
    assert_memory_not_equal(one->sealing, two->sealing, CRYPTO_KEY_SIZE);
}

/* Stores and tokens out there depend on these derivations: computed once with another HKDF. */
/* Where one text ends and the other begins matters, and what they are. */
static void marks_stand_for_one_thing(void **state)
{
    static const struct {
        const char *word, *one, *other;
    } rows[] = {{"a", "bc", "d"}, {"a", "b", "cd"}, {"a", "bcd", ""}, {"ab", "c", "d"}};
    uint8_t out[6][CRYPTO_HASH_SIZE];
    size_t count = sizeof rows / sizeof rows[0];

    (void)state;
    for (size_t i = 0; i < count + 2; i++) {
        size_t row = i < count ? i : 0;

        assert_true(secrets_mark_hash(fixture_secrets(i == count ? 2 : 1), rows[row].word,
                                      text_of(rows[row].one), text_of(rows[row].other), out[i]));
        for (size_t j = 0; j < i && i <= count; j++) {
            assert_memory_not_equal(out[i], out[j], CRYPTO_HASH_SIZE);
        }
    }
    assert_memory_equal(out[0], out[count + 1], CRYPTO_HASH_SIZE);
}

static void derivations_never_change(void **state)
{
    static const uint8_t record[CRYPTO_KEY_SIZE] = {0x33, 0xf5, 0xe8, 0x02, 0x96, 0x88, 0x3f, 0xf8,
                                                    0xbc, 0xf3, 0xa3, 0x94, 0xdd, 0x98, 0xe8, 0xee,
                                                    0xb3, 0x24, 0xa0, 0xf4, 0x4f, 0xe7, 0x1c, 0x2d,
                                                    0x32, 0xc0, 0x29, 0x41, 0x95, 0xfd, 0x7f, 0xe6};
    uint8_t master[SECRETS_MASTER_SIZE];
    struct secrets secrets;

    (void)state;
    for (size_t i = 0; i < sizeof master; i++) {
        master[i] = (uint8_t)i;
    }
    assert_true(secrets_open(master, &secrets, NULL));
    assert_int_equal(secrets.key_id, 0x61);
    assert_memory_equal(secrets.record, record, sizeof record);
    secrets_close(&secrets);
}

static void closing_wipes_and_may_be_repeated(void **state)
{
    static const struct secrets empty;
    uint8_t master[SECRETS_MASTER_SIZE] = {7};
    struct secrets secrets;

    (void)state;
    assert_true(secrets_open(master, &secrets, NULL));
    secrets_close(&secrets);
    assert_memory_equal(&secrets, &empty, sizeof secrets);
    secrets_close(&secrets);
}

static void created_file_reads_back(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct fault fault = {""};
    uint8_t first[SECRETS_MASTER_SIZE];
    uint8_t again[SECRETS_MASTER_SIZE];
    struct stat stat_of;
    mode_t mask = umask(0777);

    (void)state;
    unlink(path);
    assert_true(secrets_file_create(path, &randomness, &fault));
    umask(mask);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(stat_of.st_size, 65);
    assert_true(secrets_file_read(path, false, first, &fault));

    /* never overwritten */
    assert_false(secrets_file_create(path, &randomness, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_true(secrets_file_read(path, false, again, &fault));
    assert_memory_equal(first, again, sizeof first);
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
        {"raw bytes",
         "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08"
         "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08",
         32, false},
    };
    uint8_t master[SECRETS_MASTER_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        put_file(rows[i].content, rows[i].size, 0600);
        assert_row(secrets_file_read(path, false, master, &fault) == rows[i].good, rows[i].name);
        /* names the file and what would be right, and shows nothing of the content */
        if (!rows[i].good) {
            assert_row(strstr(fault.text, path) != NULL && strstr(fault.text, "64") != NULL &&
                           strstr(fault.text, "0011") == NULL,
                       rows[i].name);
        } else {
            assert_int_equal(master[1], 0x11);
            assert_int_equal(master[31], 0xff);
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
    uint8_t master[SECRETS_MASTER_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        char name[8];
        snprintf(name, sizeof name, "%04o", (unsigned)rows[i].mode);
        put_file(DIGITS_64 "\n", 65, rows[i].mode);
        assert_row(secrets_file_read(path, false, master, &fault) == rows[i].good, name);
        assert_row(rows[i].good == (fault.text[0] == '\0'), name);
    }
}

static void other_owner_is_refused(void **state)
{
    uint8_t master[SECRETS_MASTER_SIZE];
    struct fault fault = {""};

    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can give a file away */
    }
    put_file(DIGITS_64 "\n", 65, 0600);
    assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
    assert_false(secrets_file_read(path, false, master, &fault));
    assert_non_null(strstr(fault.text, "12345"));
}

static void not_a_file(void **state)
{
    uint8_t master[SECRETS_MASTER_SIZE];
    struct fault fault = {""};

    (void)state;
    unlink(path);
    assert_false(secrets_file_read(path, false, master, &fault));
    assert_non_null(strstr(fault.text, path));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(
        secrets_file_read(path, false, master, &fault)); /* and does not wait for a writer */
    assert_false(secrets_file_read(directory, false, master, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_serve_one_purpose),
        cmocka_unit_test(marks_stand_for_one_thing),
        cmocka_unit_test(derivations_never_change),
        cmocka_unit_test(closing_wipes_and_may_be_repeated),
        cmocka_unit_test(created_file_reads_back),
        cmocka_unit_test(failed_creation_leaves_nothing),
        cmocka_unit_test(dangling_link_is_not_followed),
        cmocka_unit_test(formats),
        cmocka_unit_test(permissions),
        cmocka_unit_test(other_owner_is_refused),
        cmocka_unit_test(not_a_file),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
