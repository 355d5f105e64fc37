/* SPDX-License-Identifier: ISC */
/* test_refresh_token.c: every (session, generation) has its own token in each format, each token
 * has one spelling, and nothing but it opens. */
#include "token/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "token/refresh_token.h"

static const uint8_t session[SESSION_ID_SIZE] = {0x01, 0x93, 0x4b, 0x2c, 0x5e, 0x70, 0x7c, 0x11,
                                                 0x9a, 0x3f, 0x52, 0xe8, 0x0d, 0x64, 0xb1, 0x07};

static uint8_t secret; /* that a token was under */

static struct text native(const struct secrets *secrets, uint32_t generation)
{
    static char token[REFRESH_TOKEN_NATIVE_SIZE + 1];

    assert_true(refresh_token_native(secrets, 0, session, generation, token));
    assert_int_equal(strlen(token), REFRESH_TOKEN_NATIVE_SIZE);
    return T(token);
}

static void native_round_trip(void **state)
{
    static const uint32_t generations[] = {0, 1, 255, 256, 0x7fffffff, 0xffffffff};
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;

    (void)state;
    for (size_t i = 0; i < sizeof generations / sizeof generations[0]; i++) {
        struct text token = native(fixture_secrets(1), generations[i]);
        memset(id, 0, sizeof id);
        generation = ~generations[i];
        assert_true(refresh_token_native_open(fixture_secrets(1), token, id, &generation, &secret));
        assert_memory_equal(id, session, sizeof id);
        assert_int_equal(generation, generations[i]);
        assert_int_equal(refresh_token_shape(token), REFRESH_SHAPE_NATIVE);
    }
}

/* For people who look at a cut token. */
static void native_beginnings(void **state)
{
    struct text token = native(fixture_secrets(1), 7);

    (void)state;
    for (size_t size = 4; size <= token.size; size++) {
        assert_true(refresh_token_native_begins(fixture_secrets(1), text_cut(token, size)));
        assert_false(refresh_token_native_begins(fixture_secrets(2), text_cut(token, size)));
    }
    assert_false(refresh_token_native_begins(fixture_secrets(1), text_cut(token, 3)));
    assert_false(refresh_token_native_begins(fixture_secrets(1), TEXT("")));
}

static void native_flipped_bits_are_refused(void **state)
{
    char token[REFRESH_TOKEN_NATIVE_SIZE + 1];
    uint8_t id[SESSION_ID_SIZE] = {0xee};
    uint32_t generation = 77;

    (void)state;
    assert_true(refresh_token_native(fixture_secrets(1), 0, session, 5, token));
    for (size_t bit = 0; bit < REFRESH_TOKEN_NATIVE_SIZE * 8; bit++) {
        token[bit / 8] = (char)(token[bit / 8] ^ (1 << bit % 8));
        assert_false(refresh_token_native_open(fixture_secrets(1),
                                               (struct text){token, REFRESH_TOKEN_NATIVE_SIZE}, id,
                                               &generation, &secret));
        token[bit / 8] = (char)(token[bit / 8] ^ (1 << bit % 8));
    }
    /* a refusal hands nothing out */
    assert_int_equal(id[0], 0xee);
    assert_int_equal(generation, 77);
    assert_true(refresh_token_native_open(fixture_secrets(1), T(token), id, &generation, &secret));
}

static void codes_and_refresh_tokens_are_not_each_other(void **state)
{
    char code[REFRESH_TOKEN_NATIVE_SIZE + 1];
    uint8_t id[SESSION_ID_SIZE] = {0};
    uint32_t generation;

    (void)state;
    assert_true(refresh_token_code(fixture_secrets(1), 0, session, code));
    assert_true(refresh_token_code_open(fixture_secrets(1), T(code), id));
    assert_memory_equal(id, session, sizeof id);
    assert_false(refresh_token_code_open(fixture_secrets(2), T(code), id));
    assert_false(refresh_token_native_open(fixture_secrets(1), T(code), id, &generation, &secret));
    assert_false(refresh_token_code_open(fixture_secrets(1), native(fixture_secrets(1), 0), id));
    assert_false(refresh_token_device_code_open(fixture_secrets(1), T(code), id));
    assert_true(refresh_token_device_code(fixture_secrets(1), 0, session, code));
    assert_true(refresh_token_device_code_open(fixture_secrets(1), T(code), id));
    assert_memory_equal(id, session, sizeof id);
    assert_false(refresh_token_code_open(fixture_secrets(1), T(code), id));
    assert_false(refresh_token_native_open(fixture_secrets(1), T(code), id, &generation, &secret));
}

static void native_other_secret_is_refused(void **state)
{
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;

    (void)state;
    assert_false(refresh_token_native_open(fixture_secrets(2), native(fixture_secrets(1), 0), id,
                                           &generation, &secret));
}

/* With a right MAC: a later layout, or one of another master secret, is not ours to open. */
static void native_other_version_or_key_is_refused(void **state)
{
    const struct secrets *secrets = fixture_secrets(1);
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;

    (void)state;
    for (int change = 0; change < 3; change++) {
        uint8_t bytes[54];
        char token[REFRESH_TOKEN_NATIVE_SIZE];
        memset(bytes, 7, sizeof bytes);
        bytes[0] = change == 1 ? 2 : 1;
        bytes[1] = (uint8_t)(secrets_find(secrets, 0)->key_id + (change == 2));
        assert_true(crypto_mac_compute(secrets_find(secrets, 0)->native, bytes, 22, bytes + 22));
        codec_base64url_encode(bytes, sizeof bytes, token);
        assert_int_equal(refresh_token_native_open(secrets, (struct text){token, sizeof token}, id,
                                                   &generation, &secret),
                         change == 0);
    }
}

static void native_other_sizes_are_refused(void **state)
{
    char longer[REFRESH_TOKEN_NATIVE_SIZE + 4];
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    struct text token = native(fixture_secrets(1), 0);

    (void)state;
    for (size_t size = 0; size < token.size; size++) {
        assert_false(refresh_token_native_open(fixture_secrets(1), text_cut(token, size), id,
                                               &generation, &secret));
    }
    assert_false(
        refresh_token_native_open(fixture_secrets(1), (struct text){0}, id, &generation, &secret));
    memset(longer, 'A', sizeof longer);
    memcpy(longer, token.data, token.size);
    assert_false(refresh_token_native_open(
        fixture_secrets(1), (struct text){longer, token.size + 1}, id, &generation, &secret));
    longer[token.size] = '\n';
    assert_false(refresh_token_native_open(
        fixture_secrets(1), (struct text){longer, token.size + 1}, id, &generation, &secret));
    assert_false(refresh_token_native_open(
        fixture_secrets(1), (struct text){longer, token.size + 4}, id, &generation, &secret));
}

static void assert_uuid(const char *uuid, char version)
{
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], version);
    assert_non_null(strchr("89ab", uuid[19]));
    assert_null(strpbrk(uuid, "ABCDEF"));
}

static void uuid_shape(void **state)
{
    char token[REFRESH_TOKEN_UUID_SIZE + 1];
    char again[REFRESH_TOKEN_UUID_SIZE + 1];

    (void)state;
    for (uint32_t generation = 0; generation < 1000; generation++) {
        assert_true(refresh_token_uuid(fixture_secrets(1), 0, session, generation, token));
        assert_uuid(token, '4');
        assert_int_equal(refresh_token_shape(T(token)), REFRESH_SHAPE_UUID);
    }
    assert_true(refresh_token_uuid(fixture_secrets(1), 0, session, 999, again));
    assert_string_equal(token, again);
    assert_true(refresh_token_uuid(fixture_secrets(2), 0, session, 999, again));
    assert_string_not_equal(token, again);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void many_tokens_are_distinct(void **state)
{
    enum { SESSIONS = 250, GENERATIONS = 200, COUNT = 2 * SESSIONS * GENERATIONS, ROOM = 80 };
    struct randomness randomness = fixture_randomness();
    char(*tokens)[ROOM] = calloc(COUNT, ROOM);
    uint8_t id[SESSION_ID_SIZE];
    size_t count = 0;

    (void)state;
    assert_non_null(tokens);
    for (int s = 0; s < SESSIONS; s++) {
        assert_true(session_id_make(&randomness, 1700000000000 + s / 50, id));
        for (uint32_t generation = 0; generation < GENERATIONS; generation++) {
            assert_true(
                refresh_token_native(fixture_secrets(1), 0, id, generation, tokens[count++]));
            assert_true(refresh_token_uuid(fixture_secrets(1), 0, id, generation, tokens[count++]));
        }
    }
    assert_int_equal(count, COUNT);
    qsort(tokens, COUNT, ROOM, compare_strings);
    for (size_t i = 1; i < COUNT; i++) {
        assert_string_not_equal(tokens[i - 1], tokens[i]);
    }
    free(tokens);
}

static void jti_says_the_same_for_the_same(void **state)
{
    char first[37];
    char other[37];
    uint8_t another[SESSION_ID_SIZE] = {1};

    (void)state;
    assert_true(refresh_token_jti(fixture_secrets(1), session, 3, 1700000000, NULL, first));
    assert_uuid(first, '4');
    assert_true(refresh_token_jti(fixture_secrets(1), session, 3, 1700000000, NULL, other));
    assert_string_equal(first, other);
    assert_true(refresh_token_jti(fixture_secrets(1), session, 4, 1700000000, NULL, other));
    assert_string_not_equal(first, other);
    assert_true(refresh_token_jti(fixture_secrets(1), session, 3, 1700000001, NULL, other));
    assert_string_not_equal(first, other);
    assert_true(refresh_token_jti(fixture_secrets(1), another, 3, 1700000000, NULL, other));
    assert_string_not_equal(first, other);
    assert_true(refresh_token_jti(fixture_secrets(2), session, 3, 1700000000, NULL, other));
    assert_string_not_equal(first, other);
    /* it is in access tokens, so it must not be the refresh token */
    assert_true(refresh_token_uuid(fixture_secrets(1), 0, session, 3, other));
    assert_string_not_equal(first, other);
}

static void session_ids_are_uuid_v7(void **state)
{
    static const struct {
        int64_t now_ms;
        const char *start;
    } rows[] = {{0, "00000000-0000-7"},
                {1700000000000, "018bcfe5-6800-7"},
                {0xffffffffffff, "ffffffff-ffff-7"}};
    struct randomness randomness = fixture_randomness();
    struct randomness none = fixture_no_randomness();
    uint8_t id[SESSION_ID_SIZE];
    char spelled[37];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(session_id_make(&randomness, rows[i].now_ms, id));
        codec_uuid_format(id, spelled);
        assert_uuid(spelled, '7');
        assert_row(strncmp(spelled, rows[i].start, strlen(rows[i].start)) == 0, rows[i].start);
    }
    assert_false(session_id_make(&none, 0, id));
    assert_false(session_id_make(&randomness, -1, id));
}

static void aliases(void **state)
{
    struct secrets *secrets = (struct secrets *)(uintptr_t)fixture_secrets(1);
    uint8_t lower[SESSION_HASH_SIZE];
    uint8_t other[SESSION_HASH_SIZE];

    (void)state;
    assert_true(refresh_token_alias(secrets, TEXT("abc"), lower));
    assert_true(crypto_sha256("abc", 3, other)); /* who has the index alone confirms no guess */
    assert_memory_not_equal(lower, other, sizeof other);
    assert_true(refresh_token_alias(fixture_secrets(2), TEXT("abc"), other));
    assert_memory_not_equal(lower, other, sizeof other);
    /* only a UUID's case is without meaning */
    assert_true(refresh_token_alias(secrets, TEXT("ABC"), other));
    assert_memory_not_equal(lower, other, sizeof other);
    assert_true(refresh_token_alias(secrets, TEXT("89d970e4-5048-4310-b6f8-c5bc83f92e11"), lower));
    assert_true(refresh_token_alias(secrets, TEXT("89D970E4-5048-4310-B6F8-C5BC83F92E11"), other));
    assert_memory_equal(lower, other, sizeof lower);

    /* that of a UUID token, from what it was derived from */
    char uuid[REFRESH_TOKEN_UUID_SIZE + 1];
    assert_true(refresh_token_uuid(secrets, 0, session, 7, uuid));
    assert_true(refresh_token_alias(secrets, T(uuid), lower));
    assert_true(refresh_token_uuid_alias(secrets, 0, session, 7, other));
    assert_memory_equal(lower, other, sizeof lower);
    assert_true(refresh_token_derived_alias(secrets, 0, session, 7, other));
    assert_memory_equal(lower, other, sizeof lower);
    assert_true(refresh_token_uuid_alias(secrets, 0, session, 8, other));
    assert_memory_not_equal(lower, other, sizeof lower);
}

static void guessable(void **state)
{
    static const struct {
        const char *token;
        bool guessable;
    } rows[] = {
        {"", true},
        {"aaaaaaaaaaaaaaaa", true},
        {"abababababababababababababababababababab", true},
        {"an-old-server-issued", true},                     /* 20 characters: 120 bits */
        {"an-old-server-issued-1", false},                  /* 22 */
        {"89d970e450484310b6f8c5bc83f92e1", true},          /* 31 hexadecimal digits */
        {"89d970e450484310b6f8c5bc83f92e11", false},        /* 32 */
        {"89d970e4-5048-4310-b6f8-c5bc83f92e11", false},    /* a UUID */
        {"12345678901234567890123456789012345678", true},   /* 38 digits */
        {"123456789012345678901234567890123456789", false}, /* 39 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(refresh_token_is_guessable(T(rows[i].token)) == rows[i].guessable,
                   rows[i].token);
    }
}

static void shapes(void **state)
{
    static char large[REFRESH_TOKEN_MAX + 1];
    static const struct {
        const char *token;
        enum refresh_shape shape;
    } rows[] = {
        {"", REFRESH_SHAPE_NONE},
        {"x", REFRESH_SHAPE_NONE},
        {"A0czpESaoeGxQdfanF3aFYzfo-AnsnKaqhjlHpzcROcRD91j7rgVBw", REFRESH_SHAPE_NONE},
        {"89d970e4-5048-4310-b6f8-c5bc83f92e11", REFRESH_SHAPE_UUID},
        {"89D970E4-5048-4310-B6F8-C5BC83F92E11", REFRESH_SHAPE_UUID},
        {"89d970e4-5048-4310-b6f8-c5bc83f92e1g", REFRESH_SHAPE_NONE},
        {"89d970e4-5048-4310-b6f8c-5bc83f92e11", REFRESH_SHAPE_NONE},
        {"a.b.c", REFRESH_SHAPE_JWT},
        {"..", REFRESH_SHAPE_NONE},
        {".e30.", REFRESH_SHAPE_NONE},
        {"a.b.", REFRESH_SHAPE_NONE},
        {"a.b", REFRESH_SHAPE_NONE},
        {"a.b.c.d", REFRESH_SHAPE_NONE},
        {"a.b.c=", REFRESH_SHAPE_NONE},
        {"a.b.c\n", REFRESH_SHAPE_NONE},
        {"a.b+.c", REFRESH_SHAPE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(refresh_token_shape(T(rows[i].token)) == rows[i].shape, rows[i].token);
    }
    memset(large, 'a', sizeof large);
    large[1] = large[3] = '.';
    assert_int_equal(refresh_token_shape((struct text){large, REFRESH_TOKEN_MAX}),
                     REFRESH_SHAPE_JWT);
    assert_int_equal(refresh_token_shape((struct text){large, REFRESH_TOKEN_MAX + 1}),
                     REFRESH_SHAPE_NONE);
    assert_int_equal(refresh_token_shape((struct text){0}), REFRESH_SHAPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_round_trip),
        cmocka_unit_test(native_beginnings),
        cmocka_unit_test(native_flipped_bits_are_refused),
        cmocka_unit_test(codes_and_refresh_tokens_are_not_each_other),
        cmocka_unit_test(native_other_secret_is_refused),
        cmocka_unit_test(native_other_version_or_key_is_refused),
        cmocka_unit_test(native_other_sizes_are_refused),
        cmocka_unit_test(uuid_shape),
        cmocka_unit_test(many_tokens_are_distinct),
        cmocka_unit_test(jti_says_the_same_for_the_same),
        cmocka_unit_test(session_ids_are_uuid_v7),
        cmocka_unit_test(aliases),
        cmocka_unit_test(guessable),
        cmocka_unit_test(shapes),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
