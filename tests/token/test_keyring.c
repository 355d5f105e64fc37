/* SPDX-License-Identifier: ISC */
/* test_keyring.c: which key signs and which may verify, by state, realm, algorithm and age. */
#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/jws.h"
#include "token/keyring.h"

static const struct clock_moment now = {.wall_ms = 1};

/* A row as the store would give it. One key pair serves all rows of an algorithm; the kid tells
 * them apart. */
static struct signing_row row_of(uint32_t number, enum signing_algorithm algorithm,
                                 enum signing_state state, const char *realm, const char *kid)
{
    static const char secret[] = "a secret that is at least 32 bytes long";
    static struct text pem;
    static char pem_room[4096];
    struct randomness randomness = fixture_randomness();
    struct signing_row row = {.number = number, .state = state};

    if (pem.data == NULL) {
        pem = fixture_private_pem("P-256");
        memcpy(pem_room, pem.data, pem.size);
        pem.data = pem_room;
    }
    struct signing_key *key = algorithm == SIGNING_HS256
                                  ? signing_key_from_secret(SIGNING_HS256, T(secret), kid, NULL)
                                  : signing_key_from_pem(algorithm, pem, kid, NULL);
    assert_non_null(key);
    assert_true(signing_key_seal(key, fixture_secrets(1), &randomness, &row, NULL));
    assert_true(text_copy(T(realm), row.realm, sizeof row.realm));
    signing_key_close(key);
    return row;
}

static struct keyring *open_rows(const struct signing_row *rows, size_t count)
{
    struct fault fault = {""};
    struct keyring *keyring = keyring_open(rows, count, 42, &now, fixture_secrets(1), &fault);

    if (keyring == NULL) {
        fail_msg("%s", fault.text);
    }
    return keyring;
}

static void assert_signer(const struct keyring *keyring, enum signing_algorithm algorithm,
                          const char *realm, const char *kid)
{
    const struct signing_key *key = keyring_signer(keyring, algorithm, realm);

    if (kid == NULL) {
        assert_null(key);
    } else {
        assert_non_null(key);
        assert_string_equal(signing_key_kid(key), kid);
    }
}

static void the_signer(void **state)
{
    const struct signing_row rows[] = {
        row_of(3, SIGNING_ES256, SIGNING_ACTIVE, "", "general-old"),
        row_of(9, SIGNING_ES256, SIGNING_PUBLISHED, "", "general-coming"),
        row_of(5, SIGNING_ES256, SIGNING_ACTIVE, "", "general"),
        row_of(1, SIGNING_ES256, SIGNING_ACTIVE, "/a", "a-old"),
        row_of(2, SIGNING_ES256, SIGNING_ACTIVE, "/a", "a"),
        row_of(7, SIGNING_ES256, SIGNING_RETIRED, "/a", "a-retired"),
        row_of(8, SIGNING_ES256, SIGNING_PUBLISHED, "/b", "b-coming"),
        row_of(4, SIGNING_HS256, SIGNING_ACTIVE, "/b", "b-secret"),
    };
    struct keyring *keyring = open_rows(rows, sizeof rows / sizeof rows[0]);

    (void)state;
    assert_int_equal(keyring_version(keyring), 42);
    assert_signer(keyring, SIGNING_ES256, "/a", "a"); /* its own before a newer general one */
    assert_signer(keyring, SIGNING_ES256, "/b", "general");
    assert_signer(keyring, SIGNING_ES256, "/c", "general");
    assert_signer(keyring, SIGNING_ES256, "", "general");
    assert_signer(keyring, SIGNING_HS256, "/b", "b-secret");
    assert_signer(keyring, SIGNING_HS256, "/a", NULL); /* never another realm's */
    assert_signer(keyring, SIGNING_HS256, "", NULL);
    assert_signer(keyring, SIGNING_RS256, "/a", NULL);
    keyring_close(keyring);
}

static void the_verifiers(void **state)
{
    const struct signing_row rows[] = {
        row_of(1, SIGNING_ES256, SIGNING_ACTIVE, "", "general"),
        row_of(2, SIGNING_ES256, SIGNING_PUBLISHED, "/a", "a"),
        row_of(3, SIGNING_HS256, SIGNING_ACTIVE, "/b", "b"),
        row_of(4, SIGNING_ES256, SIGNING_RETIRED, "", "retired"),
    };
    static const struct {
        const char *realm;
        const char *kids[3];
    } expected[] = {{"/a", {"a", "general", NULL}},
                    {"/b", {"b", "general", NULL}},
                    {"/c", {"general", NULL, NULL}},
                    {"", {"general", NULL, NULL}}};
    struct keyring *keyring = open_rows(rows, 4);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t at = 0; at < 3; at++) {
            const struct signing_key *key = keyring_verifier(keyring, expected[i].realm, at);
            const char *kid = expected[i].kids[at];
            assert_row((key != NULL) == (kid != NULL), expected[i].realm);
            assert_row(key == NULL || strcmp(signing_key_kid(key), kid) == 0, expected[i].realm);
        }
        assert_null(keyring_verifier(keyring, expected[i].realm, SIZE_MAX));
    }
    keyring_close(keyring);
}

static void the_jwks(void **state)
{
    const struct signing_row rows[] = {
        row_of(1, SIGNING_ES256, SIGNING_ACTIVE, "", "one"),
        row_of(2, SIGNING_ES256, SIGNING_PUBLISHED, "/a", "two"),
        row_of(3, SIGNING_HS256, SIGNING_ACTIVE, "", "secret"),
        row_of(4, SIGNING_ES256, SIGNING_RETIRED, "", "retired"),
    };
    struct keyring *keyring = open_rows(rows, 4);
    struct arena *arena = fixture_arena();
    struct buffer buffer;
    struct text json;

    (void)state;
    buffer_start(&buffer, arena, 64);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    keyring_jwks(keyring, &out);
    assert_true(buffer_finish(&buffer, &json));
    json_t *keys = json_object_get(json_in_object(arena, json, NULL), "keys");
    assert_int_equal(json_array_size(keys), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *key = json_array_get(keys, i);
        assert_string_equal(json_string_value(json_object_get(key, "kid")), i == 0 ? "two" : "one");
        assert_int_equal(json_object_size(key), 7);
        assert_null(json_object_get(key, "d"));
        assert_null(json_object_get(key, "k"));
    }
    keyring_close(keyring);
}

static void no_keys(void **state)
{
    struct keyring *keyring = open_rows(NULL, 0);
    struct buffer buffer;
    struct text json;

    (void)state;
    buffer_start(&buffer, fixture_arena(), 64);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    keyring_jwks(keyring, &out);
    assert_true(buffer_finish(&buffer, &json));
    assert_true(text_is(json, "{\"keys\":[]}"));
    assert_signer(keyring, SIGNING_ES256, "", NULL);
    keyring_close(keyring);
    keyring_close(NULL);
}

static void one_bad_row_fails_all(void **state)
{
    struct signing_row rows[] = {
        row_of(1, SIGNING_ES256, SIGNING_ACTIVE, "", "good"),
        row_of(2, SIGNING_ES256, SIGNING_ACTIVE, "", "damaged"),
    };
    struct fault fault = {""};

    (void)state;
    rows[1].sealed[20] ^= 1;
    assert_null(keyring_open(rows, 2, 1, &now, fixture_secrets(1), &fault));
    assert_non_null(strstr(fault.text, "damaged"));
    assert_null(
        keyring_open(rows, 1, 1, &now, fixture_secrets(2), &fault)); /* another master secret */
    rows[1].state = SIGNING_RETIRED;                                 /* not opened */
    keyring_close(open_rows(rows, 2));
}

/* Sealed as it should be, around numbers that are no key: the point is not on the curve. */
static struct signing_row hollow_row(uint32_t number, const char *kid)
{
    static const uint8_t nonce[12];
    static const uint8_t numbers[3 * 32] = {7};
    struct signing_row row = {
        .number = number, .algorithm = SIGNING_ES256, .state = SIGNING_ACTIVE};
    char about[128];

    snprintf(about, sizeof about, "retoken 2 signing key ES256 %s", kid);
    assert_true(text_copy(T(kid), row.kid, sizeof row.kid));
    assert_true(crypto_seal(fixture_secrets(1)->sealing, nonce, T(about), numbers, sizeof numbers,
                            row.sealed));
    row.sealed_size = sizeof numbers + CRYPTO_SEAL_EXTRA;
    return row;
}

static bool signs(const struct signing_key *key)
{
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;

    return signing_key_sign(key, TEXT("text"), signature, &size) &&
           signing_key_verify(key, TEXT("text"), signature, size);
}

/* {"alg":"ES256","kid":"hollow"} and "good", with a signature of three bytes */
#define BY_HOLLOW "eyJhbGciOiJFUzI1NiIsImtpZCI6ImhvbGxvdyJ9.e30.AAAA"
#define BY_GOOD   "eyJhbGciOiJFUzI1NiIsImtpZCI6Imdvb2QifQ.e30.AAAA"

/* The key cannot be used, which says nothing about the token. */
static void a_hollow_key_is_a_fault_when_verifying(void **state)
{
    const struct signing_row rows[] = {
        hollow_row(3, "hollow"),
        row_of(2, SIGNING_ES256, SIGNING_PUBLISHED, "", "good"),
    };
    struct keyring *keyring = open_rows(rows, 2);
    struct fault fault = {""};

    (void)state;
    assert_null(jws_open_any(fixture_arena(), TEXT(BY_GOOD), keyring, "", &fault));
    assert_string_equal(fault.text, "");
    assert_null(jws_open_any(fixture_arena(), TEXT(BY_HOLLOW), keyring, "", &fault));
    assert_non_null(strstr(fault.text, "hollow"));
    keyring_close(keyring);
}

static void a_hollow_key_fails_alone(void **state)
{
    const struct signing_row rows[] = {
        hollow_row(3, "hollow"),
        row_of(2, SIGNING_ES256, SIGNING_PUBLISHED, "", "good"),
        row_of(1, SIGNING_HS256, SIGNING_ACTIVE, "", "secret"),
    };
    struct keyring *keyring = open_rows(rows, 3);

    (void)state;
    assert_signer(keyring, SIGNING_ES256, "", "hollow"); /* never quietly another one */
    assert_false(signs(keyring_signer(keyring, SIGNING_ES256, "")));
    assert_false(signs(keyring_signer(keyring, SIGNING_ES256, "")));
    assert_true(signs(keyring_signer(keyring, SIGNING_HS256, "")));
    assert_true(signs(keyring_verifier(keyring, "", 1)));
    assert_false(keyring_warm(keyring));
    assert_false(crypto_is_broken()); /* other keys sign */
    keyring_close(keyring);
}

static void keys_are_warmed(void **state)
{
    const struct signing_row rows[] = {
        hollow_row(3, "hollow"),
        row_of(2, SIGNING_ES256, SIGNING_ACTIVE, "", "pair"),
        row_of(1, SIGNING_HS256, SIGNING_ACTIVE, "", "secret"),
    };
    struct signing_row published[] = {rows[0], rows[1], rows[2]};
    struct keyring *keyring;

    (void)state;
    published[0].state = SIGNING_PUBLISHED;
    keyring = open_rows(published, 3);
    assert_true(keyring_warm(keyring));
    keyring_close(keyring);
    keyring = open_rows(rows, 3);
    assert_false(keyring_warm(keyring));
    keyring_close(keyring);
}

static void only_so_many(void **state)
{
    struct signing_row one = row_of(1, SIGNING_HS256, SIGNING_ACTIVE, "", "k");
    struct signing_row *rows = calloc(KEYRING_MAX + 2, sizeof *rows);
    struct fault fault = {""};

    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < KEYRING_MAX + 2; i++) {
        rows[i] = one;
        rows[i].number = (uint32_t)i;
    }
    rows[3].state = SIGNING_RETIRED; /* does not count */
    keyring_close(open_rows(rows, KEYRING_MAX + 1));
    assert_null(keyring_open(rows, KEYRING_MAX + 2, 1, &now, fixture_secrets(1), &fault));
    assert_non_null(strstr(fault.text, "64"));
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signer),
        cmocka_unit_test(the_verifiers),
        cmocka_unit_test(the_jwks),
        cmocka_unit_test(no_keys),
        cmocka_unit_test(one_bad_row_fails_all),
        cmocka_unit_test(a_hollow_key_fails_alone),
        cmocka_unit_test(a_hollow_key_is_a_fault_when_verifying),
        cmocka_unit_test(keys_are_warmed),
        cmocka_unit_test(only_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
