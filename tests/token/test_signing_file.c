/* SPDX-License-Identifier: ISC */
/* test_signing_file.c: what is written is read as the same key, and a public part as none. */
#include "token/fixture.h"

#include <string.h>

#include "token/signing_file.h"

static struct text written(struct arena *arena, const struct signing_key *key, bool with_private)
{
    struct buffer buffer;
    struct text text;

    buffer_start(&buffer, arena, 64);
    assert_true(signing_file_write(key, with_private, &buffer));
    assert_true(buffer_finish(&buffer, &text));
    return text;
}

static void assert_same(const struct signing_key *key, const struct signing_key *other)
{
    assert_non_null(other);
    assert_string_equal(signing_key_kid(other), signing_key_kid(key));
    assert_int_equal(signing_key_algorithm(other), signing_key_algorithm(key));
    assert_true(text_equal(signing_key_bytes(other), signing_key_bytes(key)));
}

static void every_kind_of_key_comes_back(void **state)
{
    struct arena *arena = fixture_arena();
    struct fault fault = {""};

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        enum signing_algorithm algorithm = (enum signing_algorithm)i;
        const struct signing_key *key = fixture_key(algorithm);
        struct text file = written(arena, key, true);
        struct signing_key *read =
            signing_file_read(arena, algorithm, file, signing_key_kid(key), &fault);

        assert_same(key, read);
        signing_key_close(read);
    }
}

static void a_public_part_is_no_key(void **state)
{
    struct arena *arena = fixture_arena();
    struct buffer buffer;
    struct fault fault = {""};

    (void)state;
    struct text file = written(arena, fixture_key(SIGNING_ES256), false);
    assert_true(text_starts(file, TEXT("-----BEGIN PUBLIC KEY-----\n")));
    assert_null(signing_file_read(arena, SIGNING_ES256, file, NULL, &fault));
    assert_non_null(strstr(fault.text, "public key"));
    buffer_start(&buffer, arena, 64);
    assert_false(signing_file_write(fixture_key(SIGNING_HS256), false, &buffer));
    assert_int_equal(buffer_text(&buffer).size, 0);
}

/* What a secret ends with is a part of it; a line end after a file's is not. */
static void line_ends(void **state)
{
    struct arena *arena = fixture_arena();
    static const struct {
        const char *end;
        size_t dropped;
    } rows[] = {{"", 0}, {"\n", 1}, {"\r", 1}, {"\r\n", 2}, {"\n\n", 1}, {"\n\r", 1}};
    struct fault fault = {""};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[64] = "{a secret of needs 32 bytes, and its end:";

        strcat(bytes, rows[i].end);
        struct signing_key *key = signing_key_from_secret(SIGNING_HS256, T(bytes), NULL, &fault);
        struct text file = written(arena, key, true);
        struct signing_key *read = signing_file_read(arena, SIGNING_HS256, file, NULL, &fault);
        assert_same(key, read); /* its kid too, which the JWK names */
        signing_key_close(read);
        signing_key_close(key);
        read = signing_file_read(arena, SIGNING_HS256, text_from(T(bytes), 1), "k", &fault);
        assert_non_null(read);
        assert_int_equal(signing_key_bytes(read).size, strlen(bytes + 1) - rows[i].dropped);
        signing_key_close(read);
    }
}

static void what_is_no_jwk(void **state)
{
    struct arena *arena = fixture_arena();
    static const char *const rows[][2] = {
        {"{", "read as a JWK"},
        {"{\"kty\":\"RSA\",\"k\":\"AAAA\"}", "kty oct"},
        {"{\"kty\":\"oct\"}", "needs 32"},
        {"{\"kty\":\"oct\",\"k\":\"AA==\"}", "without padding"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS512\"}", "another than HS256"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};

        assert_null(signing_file_read(arena, SIGNING_HS256, T(rows[i][0]), "k", &fault));
        if (strstr(fault.text, rows[i][1]) == NULL) {
            fail_msg("%s: %s", rows[i][0], fault.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_comes_back),
        cmocka_unit_test(a_public_part_is_no_key),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(what_is_no_jwk),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
