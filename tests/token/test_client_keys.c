/* SPDX-License-Identifier: ISC */
/* test_client_keys.c: JWK Sets and PEM keys of clients become what the store keeps, and what is no
 * public key that verifies signatures does not. Reads single JWKs (signing_jwk.c) through sets. */
#include "token/fixture.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "model/client.h"
#include "token/client_keys.h"
#include "token/signing_jwk.h"

/* RFC 7517 appendix A.1, and RFC 8037 appendix A.2. */
#define RFC_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"      \
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"     \
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"            \
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define RSA    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\""
#define P256_X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define P256_Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define P256   "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""
#define OKP                                                                                        \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define RFC_RSA_THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" /* RFC 7638, 3.1 */
#define RFC_OKP_THUMBPRINT "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" /* RFC 8037, A.3 */

static bool from_set(struct arena *arena, const char *members, struct text *keys,
                     struct fault *fault)
{
    struct buffer buffer;

    *fault = (struct fault){""};
    *keys = (struct text){0};
    buffer_start(&buffer, arena, 1024);
    buffer_addf(&buffer, "{\"keys\":[%s]}", members);
    return client_keys_from_set(arena, buffer_text(&buffer), keys, fault);
}

/* Whatever is not needed to verify is left behind. */
static void sets_are_kept_in_one_form(void **state)
{
    static const struct {
        const char *given, *kept;
    } rows[] = {
        {RSA ",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
         "{\"alg\":\"RS256\",\"e\":\"AQAB\",\"kid\":\"2011-04-29\",\"kty\":\"RSA\",\"n\":\"" RFC_N
         "\",\"use\":\"sig\"}"},
        {RSA ",\"x5c\":[\"MIIB\"],\"x5t\":\"AA\",\"ext\":true}",
         "{\"e\":\"AQAB\",\"kid\":\"" RFC_RSA_THUMBPRINT "\",\"kty\":\"RSA\",\"n\":\"" RFC_N
         "\",\"use\":\"sig\"}"},
        {P256 ",\"use\":\"enc\",\"kid\":\"1\"}," P256 ",\"use\":\"sig\",\"kid\":\"https://a/#1\"}",
         "{\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":\"https://a/#1\",\"kty\":\"EC\","
         "\"use\":\"sig\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}"},
        {RSA ",\"key_ops\":[\"encrypt\"]}," OKP ",\"alg\":\"Ed25519\",\"key_ops\":[\"verify\"]}",
         "{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\",\"kid\":\"" RFC_OKP_THUMBPRINT
         "\",\"kty\":\"OKP\",\"use\":\"sig\","
         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct fault fault;
        struct text keys, again;
        char kept[1024];

        snprintf(kept, sizeof kept, "{\"keys\":[%s]}", rows[i].kept);
        assert_row(from_set(arena, rows[i].given, &keys, &fault), fault.text);
        assert_string_equal(arena_c_string(arena, keys), kept);
        assert_true(client_keys_from_set(arena, keys, &again, &fault));
        assert_true(text_equal(again, keys));
    }
}

static void what_is_no_key_is_refused(void **state)
{
    static const struct {
        const char *members, *complaint;
    } rows[] = {
        {"", "no key"},
        {P256 ",\"use\":\"enc\"}", "no key"},
        {P256 ",\"use\":7}", "no key"},
        {P256 ",\"key_ops\":\"verify\"}", "no key"},
        {"7", "key 1 of the JWK Set"},
        {"[]", "key 1 of the JWK Set"},
        {"{}", "kty"},
        {P256 "}," OKP "},{\"kty\":7}", "key 3 of the JWK Set"},
        /* secrets, also beside a use that we pass over */
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "k is secret"},
        {"{\"kty\":\"oct\"}", "\"oct\""},
        {RSA ",\"d\":\"AAAA\"}", "d is secret"},
        {RSA ",\"use\":\"enc\",\"p\":\"AAAA\"}", "p is secret"},
        {RSA ",\"oth\":[]}", "oth is secret"},
        {OKP ",\"d\":null}", "d is secret"},
        /* kinds of keys and algorithms that we do not have */
        {"{\"kty\":\"rsa\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\"}", "\"rsa\""},
        {"{\"kty\":\"EC\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}", "66"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", "secp256k1"},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", "X25519"},
        {P256 ",\"alg\":\"ES384\"}", "ES384"},
        {P256 ",\"alg\":\"\"}", "alg"},
        {P256 ",\"alg\":7}", "alg"},
        {P256 ",\"alg\":\"none\"}", "none"},
        {RSA ",\"alg\":\"HS256\"}", "HS256"},
        {RSA ",\"alg\":\"RSA-OAEP\"}", "RSA-OAEP"},
        {OKP ",\"alg\":\"ES256\"}", "ES256"},
        {RSA ",\"alg\":\"Ed25519\"}", "Ed25519"},
        /* names */
        {P256 ",\"kid\":\"\"}", "kid"},
        {P256 ",\"kid\":7}", "kid"},
        {P256 ",\"kid\":\"two words\"}", "kid"},
        {P256 ",\"kid\":\"\\u00e9\"}", "kid"},
        /* numbers */
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "n must"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\"}", "e must"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":65537}", "e must"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "=\",\"e\":\"AQAB\"}", "n must"},
        {"{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", "zero byte"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AAEAAQ\"}", "zero byte"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"Aw\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAC\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAAAAAAAAAB\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"wQ\",\"e\":\"AQAB\"}", "8 bits"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\"}", "y must"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"AAAA\"}", "y has 3"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\"}", "48"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_Y "\",\"y\":\"" P256_X "\"}", "P-256"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault;
        struct text keys;

        assert_row(!from_set(fixture_arena(), rows[i].members, &keys, &fault), rows[i].members);
        if (strstr(fault.text, rows[i].complaint) == NULL) {
            fail_msg("%s: %s", rows[i].members, fault.text);
        }
    }
}

static void texts_that_are_no_set_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"keys\":{}}",
        P256 "}",
        "{\"keys\":[]} x",
        "{\"keys\":[" P256 ",\"x\":\"AA\"}]}",
        "{\"keys\":[],\"keys\":[" P256 "}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fault fault = {""};
        struct text keys;

        assert_row(!client_keys_from_set(fixture_arena(), T(texts[i]), &keys, &fault), texts[i]);
        assert_true(fault.text[0] != '\0');
        assert_null(client_keys_open(fixture_arena(), T(texts[i])));
    }
}

/* As many RSA keys of 4096 bits with the longest kids as a set may hold fit a client. */
static void sizes_are_bounded(void **state)
{
    struct arena *arena = fixture_arena();
    struct buffer buffer;
    struct fault fault;
    struct text keys;
    char n[684], kid[SIGNING_JWK_KID_MAX + 2];

    (void)state;
    memset(n, 'w', 683);
    n[682] = 'Q';
    n[683] = '\0';
    memset(kid, 'k', sizeof kid - 1);
    kid[SIGNING_JWK_KID_MAX + 1] = '\0';
    buffer_start(&buffer, arena, 8192);
    for (int i = 0; i < CLIENT_KEYS_COUNT; i++) {
        buffer_addf(&buffer, "%s{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"%s\",\"e\":\"AQAB\"",
                    i > 0 ? "," : "", n);
        buffer_addf(&buffer, ",\"kid\":\"%s\"}", kid + 1);
    }
    assert_row(from_set(arena, arena_c_string(arena, buffer_text(&buffer)), &keys, &fault),
               fault.text);
    assert_true(keys.size <= CLIENT_KEYS_MAX);
    buffer_add_c(&buffer, "," P256 "}");
    assert_false(from_set(arena, arena_c_string(arena, buffer_text(&buffer)), &keys, &fault));
    assert_non_null(strstr(fault.text, "key 9"));

    buffer_start(&buffer, arena, 1024);
    buffer_addf(&buffer, P256 ",\"kid\":\"%s\"}", kid);
    assert_false(from_set(arena, arena_c_string(arena, buffer_text(&buffer)), &keys, &fault));
    buffer_start(&buffer, arena, 1024); /* 513 bytes */
    buffer_addf(&buffer, "{\"kty\":\"RSA\",\"n\":\"%.682sww\",\"e\":\"AQAB\"}", n);
    assert_false(from_set(arena, arena_c_string(arena, buffer_text(&buffer)), &keys, &fault));

    arena = fixture_arena();
    char *large = arena_alloc(arena, CLIENT_KEYS_INPUT_MAX + 1);
    memset(large, ' ', CLIENT_KEYS_INPUT_MAX + 1);
    memcpy(large, "{\"keys\":[" P256 "}]}", strlen("{\"keys\":[" P256 "}]}"));
    struct text spaced = {large, CLIENT_KEYS_INPUT_MAX};
    assert_true(client_keys_from_set(arena, spaced, &keys, &fault));
    spaced.size++;
    assert_false(client_keys_from_set(arena, spaced, &keys, &fault));
    assert_non_null(strstr(fault.text, "too large"));
}

static void pem_keys_become_sets(void **state)
{
    static const struct {
        const char *kind;
        enum signing_algorithm algorithm;
        const char *complaint; /* NULL: taken */
    } rows[] = {
        {"RSA", SIGNING_RS256, NULL},          {"RSA", SIGNING_PS256, NULL},
        {"P-256", SIGNING_ES256, NULL},        {"P-384", SIGNING_ES384, NULL},
        {"ED25519", SIGNING_EDDSA, NULL},      {"RSA-1024", SIGNING_RS256, "1024 bits"},
        {"RSA e=3", SIGNING_RS512, "odd"},     {"P-384", SIGNING_ES256, "P-256"},
        {"P-521", SIGNING_ES384, "P-384"},     {"P-521", SIGNING_ES512, NULL},
        {"secp256k1", SIGNING_ES256, "P-256"}, {"P-256", SIGNING_RS256, "RSA"},
        {"RSA", SIGNING_ES256, "P-256"},       {"X25519", SIGNING_EDDSA, "Ed25519"},
        {"RSA", SIGNING_HS256, "secret"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct fault fault = {""};
        struct text pem = fixture_public_pem(rows[i].kind);
        struct text keys, again;
        bool taken = client_keys_from_pem(arena, pem, rows[i].algorithm, &keys, &fault);

        assert_row(taken == (rows[i].complaint == NULL), rows[i].kind);
        if (taken) {
            const char *name = signing_algorithm_name(rows[i].algorithm);
            struct signing_key *key = signing_key_from_pem(
                rows[i].algorithm, fixture_private_pem(rows[i].kind), NULL, NULL);
            struct client_keys *opened = client_keys_open(arena, keys);

            assert_non_null(strstr(arena_c_string(arena, keys), name));
            assert_true(text_is(client_keys_kid(opened, 0), signing_key_kid(key)));
            assert_int_equal(client_keys_kid(opened, 1).size, 0);
            assert_true(client_keys_from_set(arena, keys, &again, &fault));
            assert_true(text_equal(again, keys));
            signing_key_close(key);
        } else if (strstr(fault.text, rows[i].complaint) == NULL) {
            fail_msg("%s: %s", rows[i].kind, fault.text);
        }
        assert_false(client_keys_from_pem(arena, fixture_private_pem(rows[i].kind),
                                          rows[i].algorithm, &keys, &fault));
    }
}

static void keys_are_chosen_by_kid_and_algorithm(void **state)
{
    static const char set[] = "{\"keys\":[" P256 ",\"kid\":\"a\"}," RSA ",\"kid\":\"a\"}," RSA
                              ",\"kid\":\"b\",\"alg\":\"PS256\"}]}";
    static const struct {
        enum signing_algorithm algorithm;
        const char *kid;
        size_t found;
    } rows[] = {
        {SIGNING_ES256, "", 1},  {SIGNING_RS256, "", 1},  {SIGNING_PS256, "", 2},
        {SIGNING_PS256, "a", 1}, {SIGNING_PS256, "b", 1}, {SIGNING_RS256, "b", 0},
        {SIGNING_PS256, "c", 2}, {SIGNING_ES384, "", 0},  {SIGNING_HS256, "", 0},
        {SIGNING_EDDSA, "a", 0},
    };
    const struct client_keys *keys = client_keys_open(fixture_arena(), T(set));

    (void)state;
    assert_non_null(keys);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EVP_PKEY *key;
        size_t at = 0, found = 0;
        bool failed = false;

        while ((key = client_keys_next(keys, rows[i].algorithm, T(rows[i].kid), &at, &failed)) !=
               NULL) {
            found++;
            EVP_PKEY_free(key);
        }
        print_message("row %zu\n", i);
        assert_int_equal(found, rows[i].found);
        assert_false(failed);
    }
}

static void without_memory_there_is_no_set(void **state)
{
    struct text set = TEXT("{\"keys\":[" RSA "}]}"), keys;
    bool made = false;

    (void)state;
    for (size_t limit = 0; limit <= 65536; limit += 512) {
        struct fault fault = {""};
        struct arena *arena = arena_open(limit);

        made = client_keys_from_set(arena, set, &keys, &fault);
        assert_true(made || fault.text[0] != '\0');
        arena_close(arena);
    }
    assert_true(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_kept_in_one_form),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(texts_that_are_no_set_are_refused),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(pem_keys_become_sets),
        cmocka_unit_test(keys_are_chosen_by_kid_and_algorithm),
        cmocka_unit_test(without_memory_there_is_no_set),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
