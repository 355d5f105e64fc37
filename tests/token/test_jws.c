/* SPDX-License-Identifier: ISC */
/* test_jws.c: the gate and the opening against everything an attacker can write: algorithms, key
 * ids, extensions, spellings, sizes. */
#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/forge.h"
#include "token/jws.h"
#include "token/keyring.h"

#define PAYLOAD "{\"sub\":\"ada\"}"

static const struct clock_moment now = {.wall_ms = 1};

static bool opens(struct text token, enum signing_algorithm algorithm)
{
    return jws_open(fixture_arena(), token, fixture_key(algorithm)) != NULL;
}

/* Tokens outlive the arena of the opening. */
static struct text keep(struct text token)
{
    static char room[2 * JWS_MAX];

    assert_true(token.size < sizeof room);
    memcpy(room, token.data, token.size);
    return (struct text){room, token.size};
}

static struct text good_token(enum signing_algorithm algorithm)
{
    struct arena *arena = fixture_arena();
    char header[128];
    struct text token;

    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
             signing_algorithm_name(algorithm), signing_key_kid(fixture_key(algorithm)));
    assert_true(jws_sign(fixture_key(algorithm), T(header), TEXT(PAYLOAD), arena, &token));
    return keep(token);
}

static void round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        enum signing_algorithm algorithm = (enum signing_algorithm)i;
        struct text token = good_token(algorithm);
        struct arena *arena = fixture_arena();
        struct jws jws;
        assert_true(jws_gate(arena, token, &jws));
        assert_true(text_is(jws.payload_json, PAYLOAD));
        assert_true(text_is(jws.algorithm, signing_algorithm_name(algorithm)));
        assert_true(text_is(jws.kid, signing_key_kid(fixture_key(algorithm))));
        assert_true(text_is(jws.type, "at+jwt"));
        json_t *payload = jws_open(arena, token, fixture_key(algorithm));
        assert_string_equal(json_string_value(json_object_get(payload, "sub")), "ada");
    }
}

/* J-01: whatever the header says, a key opens its own algorithm's signature only. */
static void only_the_diagonal_opens(void **state)
{
    static const char *const names[] = {"HS256", "RS256",  "RS384",  "RS512",        "PS256",
                                        "ES256", "ES384",  "EdDSA",  "none",         "None",
                                        "nOnE",  "NONE",   "HS384",  "HS512",        "PS384",
                                        "ES512", "ES256K", "hs256",  "rs256",        "Ed25519",
                                        "",      " RS256", "RS256 ", "RS256\\u0000", "RS25\\u0036"};

    (void)state;
    for (int signer = 0; signer < SIGNING_ALGORITHMS; signer++) {
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            char header[64];
            snprintf(header, sizeof header, "{\"alg\":\"%s\"}", names[n]);
            struct text token = keep(forge_signed(
                fixture_arena(), fixture_key((enum signing_algorithm)signer), header, PAYLOAD));
            for (int opener = 0; opener < SIGNING_ALGORITHMS; opener++) {
                const char *own = signing_algorithm_name((enum signing_algorithm)opener);
                /* an escaped letter in a JSON string is the same string */
                bool named = strcmp(names[n], own) == 0 ||
                             (strcmp(names[n], "RS25\\u0036") == 0 && opener == SIGNING_RS256);
                assert_row(opens(token, (enum signing_algorithm)opener) ==
                               (signer == opener && named),
                           header);
            }
        }
    }
}

static void strange_headers(void **state)
{
    static const struct {
        const char *header;
        bool good;
    } rows[] = {
        {"{\"alg\":\"HS256\"}", true},
        {" {\"alg\" : \"HS256\"} ", true},
        {"{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1:1/\",\"jwk\":{},\"x5u\":\"x\",\"x5c\":[]}",
         true}, /* not looked at */
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"cty\":\"JWT\"}", true},
        {"{\"alg\":\"HS256\",\"kid\":\"unknown\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"../../etc/passwd\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"|id\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"x\\u0000\"}", false},
        {"{\"alg\":\"HS256\",\"kid\":42}", false},
        {"{\"alg\":\"HS256\",\"kid\":null}", false},
        {"{\"alg\":\"HS256\",\"kid\":[\"x\"]}", false},
        {"{\"alg\":null}", false},
        {"{\"alg\":42}", false},
        {"{\"alg\":[\"HS256\"]}", false},
        {"{\"alg\":{\"HS256\":1}}", false},
        {"{}", false},
        {"{\"typ\":\"JWT\"}", false},
        {"{\"Alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":1}", false},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", false},
        {"{\"alg\":\"HS256\",\"crit\":[]}", false},
        {"{\"alg\":\"HS256\",\"crit\":null}", false},
        {"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", false},
        {"{\"alg\":\"HS256\",\"b64\":false}", false},
        {"{\"alg\":\"HS256\",\"b64\":true}", false},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", false},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"none\",\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"x\":1,\"x\":2}", false},
        {"{\"alg\":\"HS256\"}x", false},
        {"{\"alg\":\"HS256\"", false},
        {"[{\"alg\":\"HS256\"}]", false},
        {"\"HS256\"", false},
        {"null", false},
        {"\xef\xbb\xbf{\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"x\":\"\xc0\xaf\"}", false},
        {"{\"alg\":\"HS256\",\"x\":\"\\ud800\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text token = keep(
            forge_signed(fixture_arena(), fixture_key(SIGNING_HS256), rows[i].header, PAYLOAD));
        assert_row(opens(token, SIGNING_HS256) == rows[i].good, rows[i].header);
    }
}

static void strange_payloads(void **state)
{
    static const struct {
        const char *payload;
        bool good;
    } rows[] = {
        {"{}", true},
        {"{\"sub\":\"a\"}", true},
        {"{\"sub\":\"a\",\"sub\":\"b\"}", false},
        {"{\"a\":{\"x\":1,\"x\":2}}", false},
        {"[]", false},
        {"\"a\"", false},
        {"null", false},
        {"{", false},
        {"{}{}", false},
        {"\xef\xbb\xbf{}", false},
        {"{\"sub\":\"\xff\"}", false},
        {"{\"sub\":\"a\\u0000b\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text token = keep(forge_signed(fixture_arena(), fixture_key(SIGNING_HS256),
                                              "{\"alg\":\"HS256\"}", rows[i].payload));
        assert_row(opens(token, SIGNING_HS256) == rows[i].good, rows[i].payload);
    }
}

/* J-02: HMAC "signed" with what everybody knows. */
static void public_keys_are_no_secrets(void **state)
{
    static const char *const formats[] = {"%s", " %s", "%s\n", "\n%s"};
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    struct text private_pem = fixture_private_pem("RSA");
    struct signing_key *key = signing_key_from_pem(SIGNING_RS256, private_pem, NULL, NULL);
    struct text public_pem = fixture_public_pem("RSA");
    char spelled[4096];
    size_t size = 0;

    (void)state;
    assert_non_null(key);
    for (size_t i = 0; i < 4; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(spelled, sizeof spelled, formats[i], public_pem.data);
#pragma GCC diagnostic pop
        struct arena *arena = fixture_arena();
        assert_null(jws_open(arena, forge_mac(arena, T(spelled), header, PAYLOAD), key));
    }
    for (size_t i = 0; i < public_pem.size; i++) { /* CRLF */
        if (public_pem.data[i] == '\n') {
            spelled[size++] = '\r';
        }
        spelled[size++] = public_pem.data[i];
    }
    struct arena *arena = fixture_arena();
    assert_null(
        jws_open(arena, forge_mac(arena, (struct text){spelled, size}, header, PAYLOAD), key));
    /* and with no key at all, against a key pair and a secret */
    assert_null(jws_open(arena, forge_mac(arena, (struct text){0}, header, PAYLOAD), key));
    assert_null(jws_open(arena, forge_mac(arena, (struct text){0}, header, PAYLOAD),
                         fixture_key(SIGNING_HS256)));
    signing_key_close(key);
}

/* J-09: an accepted token has one spelling. */
static void one_spelling(void **state)
{
    static const struct {
        const char *name;
        enum signing_algorithm algorithm;
    } rows[] = {{"EdDSA", SIGNING_EDDSA}, {"HS256", SIGNING_HS256}};
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct text token = good_token(rows[i].algorithm);
        char changed[JWS_MAX];
        memcpy(changed, token.data, token.size);
        /* every bit, and every character in the place where trailing bits are */
        for (size_t bit = 0; bit < token.size * 8; bit++) {
            changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
            assert_row(!opens((struct text){changed, token.size}, rows[i].algorithm), rows[i].name);
            changed[bit / 8] = token.data[bit / 8];
        }
        for (const char *c = alphabet; *c != '\0'; c++) {
            changed[token.size - 1] = *c;
            assert_row(opens((struct text){changed, token.size}, rows[i].algorithm) ==
                           (*c == token.data[token.size - 1]),
                       rows[i].name);
        }
        static const char *const tails[] = {"=", "==", "\n", " ", ".", ".AA", "A", "\0"};
        changed[token.size - 1] = token.data[token.size - 1];
        for (size_t t = 0; t < sizeof tails / sizeof tails[0]; t++) {
            size_t size = tails[t][0] == '\0' ? 1 : strlen(tails[t]);
            memcpy(changed + token.size, tails[t], size);
            assert_row(!opens((struct text){changed, token.size + size}, rows[i].algorithm),
                       tails[t]);
        }
        memmove(changed + 1, token.data, token.size);
        changed[0] = ' ';
        assert_row(!opens((struct text){changed, token.size + 1}, rows[i].algorithm), "space");
        for (size_t size = 0; size < token.size; size++) {
            assert_false(opens(text_cut(token, size), rows[i].algorithm));
        }
    }
}

static void empty_parts(void **state)
{
    static const char *const tokens[] = {"",
                                         ".",
                                         "..",
                                         "...",
                                         ".e30.",
                                         "e30.",
                                         "e30.e30",
                                         "e30.e30.",
                                         ".e30.e30",
                                         "e30..e30",
                                         "e30",
                                         "e30.e30.e30.e30.e30",
                                         "e30.e30.e30."};
    struct jws jws;

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        assert_row(!jws_gate(fixture_arena(), T(tokens[i]), &jws), tokens[i]);
    }
    assert_false(jws_gate(fixture_arena(), (struct text){0}, &jws));
}

/* Refused by its size: nothing of it is read, so the arena stays empty. */
static void nine_megabytes_of_dots(void **state)
{
    size_t size = (size_t)9 << 20;
    char *dots = malloc(size);
    struct arena *arena = fixture_arena();
    size_t used = arena_used(arena);
    struct jws jws;

    (void)state;
    assert_non_null(dots);
    memset(dots, '.', size);
    assert_false(jws_gate(arena, (struct text){dots, size}, &jws));
    memset(dots, 'A', size);
    dots[10] = dots[20] = '.';
    assert_false(jws_gate(arena, (struct text){dots, size}, &jws));
    assert_int_equal(arena_used(arena), used);
    free(dots);
}

static void the_bound_is_8192(void **state)
{
    static char payload[JWS_MAX];

    (void)state;
    for (size_t filler = 6000; filler < 6200; filler++) {
        memset(payload, 'x', sizeof payload);
        memcpy(payload, "{\"x\":\"", 6);
        memcpy(payload + 6 + filler, "\"}", 3);
        struct text token = keep(forge_signed(fixture_arena(), fixture_key(SIGNING_HS256),
                                              "{\"alg\":\"HS256\"}", payload));
        assert_int_equal(opens(token, SIGNING_HS256), token.size <= JWS_MAX);
    }
}

static void oversized_signature(void **state)
{
    static char signature[SIGNING_SIGNATURE_MAX + 1];
    struct arena *arena = fixture_arena();
    struct jws jws;

    (void)state;
    assert_true(jws_gate(arena,
                         forge_with(arena, TEXT("{\"alg\":\"HS256\"}"), TEXT("{}"),
                                    (struct text){signature, SIGNING_SIGNATURE_MAX}),
                         &jws));
    assert_false(jws_gate(arena,
                          forge_with(arena, TEXT("{\"alg\":\"HS256\"}"), TEXT("{}"),
                                     (struct text){signature, SIGNING_SIGNATURE_MAX + 1}),
                          &jws));
}

static void deep_headers(void **state)
{
    static char header[6000];

    (void)state;
    for (size_t depth = 10; depth < 2900; depth += 480) {
        size_t at = (size_t)snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"x\":");
        memset(header + at, '[', depth);
        memset(header + at + depth, ']', depth);
        memcpy(header + at + 2 * depth, "}", 2);
        struct text token =
            keep(forge_signed(fixture_arena(), fixture_key(SIGNING_HS256), header, "{}"));
        (void)opens(token, SIGNING_HS256); /* either way; it must come back */
    }
}

/* ---- over a keyring ---- */

static struct signing_row seal(enum signing_algorithm algorithm, const char *realm, uint32_t number)
{
    struct randomness randomness = fixture_randomness();
    struct signing_row row = {.number = number, .state = SIGNING_ACTIVE};

    assert_true(
        signing_key_seal(fixture_key(algorithm), fixture_secrets(1), &randomness, &row, NULL));
    assert_true(text_copy(T(realm), row.realm, sizeof row.realm));
    return row;
}

static void any_key_of_the_realm(void **state)
{
    const struct signing_row rows[] = {seal(SIGNING_ES256, "", 1), seal(SIGNING_HS256, "/a", 2),
                                       seal(SIGNING_EDDSA, "/b", 3)};
    static const struct {
        enum signing_algorithm algorithm;
        const char *realm;
        bool opens;
    } expected[] = {
        {SIGNING_ES256, "/a", true},  {SIGNING_ES256, "/b", true},  {SIGNING_HS256, "/a", true},
        {SIGNING_HS256, "/b", false}, {SIGNING_EDDSA, "/a", false}, {SIGNING_EDDSA, "/b", true},
        {SIGNING_RS256, "/a", false}, {SIGNING_ES256, "", true},
    };
    struct keyring *keyring = keyring_open(rows, 3, 1, &now, fixture_secrets(1), NULL);

    (void)state;
    assert_non_null(keyring);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct signing_key *key = fixture_key(expected[i].algorithm);
        char header[64];
        struct text token = good_token(expected[i].algorithm);
        assert_int_equal(jws_open_any(fixture_arena(), token, keyring, expected[i].realm, NULL) !=
                             NULL,
                         expected[i].opens);
        /* without a kid every key of the algorithm is tried; with a strange one none */
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
                 signing_algorithm_name(expected[i].algorithm));
        token = keep(forge_signed(fixture_arena(), key, header, PAYLOAD));
        assert_int_equal(jws_open_any(fixture_arena(), token, keyring, expected[i].realm, NULL) !=
                             NULL,
                         expected[i].opens);
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"other\"}",
                 signing_algorithm_name(expected[i].algorithm));
        token = keep(forge_signed(fixture_arena(), key, header, PAYLOAD));
        assert_null(jws_open_any(fixture_arena(), token, keyring, expected[i].realm, NULL));
    }
    assert_null(jws_open_any(fixture_arena(), TEXT(".."), keyring, "/a", NULL));
    keyring_close(keyring);
}

/* Retired keys, and keys of any realm: this is no acceptance. */
static void the_row_that_signed(void **state)
{
    struct signing_row rows[] = {seal(SIGNING_ES256, "/a", 1), seal(SIGNING_HS256, "", 2),
                                 seal(SIGNING_EDDSA, "/b", 3)};
    struct fault fault = {0};
    struct jws jws;

    (void)state;
    rows[2].state = SIGNING_RETIRED;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text token = good_token(rows[i].algorithm);
        assert_true(jws_gate(fixture_arena(), token, &jws));
        assert_ptr_equal(jws_signer(&jws, rows, 3, fixture_secrets(1), &fault), &rows[i]);
        assert_null(jws_signer(&jws, rows, i, fixture_secrets(1), &fault));
    }
    assert_string_equal(fault.text, "");
    assert_null(jws_signer(&jws, rows, 3, fixture_secrets(2), &fault)); /* cannot be unsealed */
    assert_string_not_equal(fault.text, "");
}

static void small_arena_fails_cleanly(void **state)
{
    struct text good = good_token(SIGNING_HS256);
    size_t opened = 0;

    (void)state;
    for (size_t limit = 0; limit < 6000; limit += 16) {
        struct arena *arena = arena_open(limit);
        struct text token = TEXT("untouched");
        if (arena != NULL) {
            bool made = jws_sign(fixture_key(SIGNING_HS256), TEXT("{\"alg\":\"HS256\"}"),
                                 TEXT(PAYLOAD), arena, &token);
            assert_int_equal(text_is(token, "untouched"), !made);
            arena_reset(arena);
            bool open = jws_open(arena, good, fixture_key(SIGNING_HS256)) != NULL;
            assert_true(open || opened == 0); /* more room never makes it fail again */
            opened += open;
            arena_close(arena);
        }
    }
    assert_true(opened > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(only_the_diagonal_opens),
        cmocka_unit_test(strange_headers),
        cmocka_unit_test(strange_payloads),
        cmocka_unit_test(public_keys_are_no_secrets),
        cmocka_unit_test(one_spelling),
        cmocka_unit_test(empty_parts),
        cmocka_unit_test(nine_megabytes_of_dots),
        cmocka_unit_test(the_bound_is_8192),
        cmocka_unit_test(oversized_signature),
        cmocka_unit_test(deep_headers),
        cmocka_unit_test(any_key_of_the_realm),
        cmocka_unit_test(the_row_that_signed),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
