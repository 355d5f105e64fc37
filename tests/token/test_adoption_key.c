/* SPDX-License-Identifier: ISC */
/* test_adoption_key.c: keys of other servers are kept sealed, and verify what was signed with them
 * by their own algorithm and nothing else. */
#include "token/fixture.h"

#include <stdio.h>
#include <string.h>

#include "token/adoption_key.h"
#include "token/forge.h"

#define PAYLOAD "{\"sub\":\"ada\"}"

static const char secret[] = "a secret of an old server, which has more than 32 bytes";

static struct signing_row sealed(enum signing_algorithm algorithm, struct text data,
                                 const char *kid)
{
    struct signing_row row = {.state = SIGNING_VERIFY_ONLY};
    struct randomness randomness = fixture_randomness();
    struct fault fault = {0};

    if (!adoption_key_seal(fixture_arena(), algorithm, data, kid, fixture_secrets(0), &randomness,
                           &row, &fault)) {
        print_error("%s\n", fault.text);
        fail();
    }
    assert_int_equal(row.algorithm, algorithm);
    return row;
}

static enum client_jwt_result open_with(const struct signing_row *row, uint8_t seed,
                                        struct text token, json_t **payload)
{
    static struct fault fault;
    enum client_jwt_result result =
        adoption_key_open(fixture_arena(), token, row, fixture_secrets(seed), payload, &fault);

    assert_int_equal(*payload != NULL, result == CLIENT_JWT_OPEN);
    return result;
}

/* A token outlives the arena that it is opened in. */
static struct text kept(struct text token)
{
    static char room[2048];

    assert_true(text_copy(token, room, sizeof room));
    return text_of(room);
}

static struct text mac(const char *key, const char *header)
{
    return kept(forge_mac(fixture_arena(), T(key), header, PAYLOAD));
}

static void a_secret_verifies(void **state)
{
    struct signing_row row = sealed(SIGNING_HS256, T(secret), "old");
    static const struct {
        const char *header;
        enum client_jwt_result result;
    } rows[] = {
        {"{\"alg\":\"HS256\"}", CLIENT_JWT_OPEN},
        {"{\"alg\":\"HS256\",\"typ\":\"jwt\"}", CLIENT_JWT_OPEN},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", CLIENT_JWT_TYPE},
        {"{\"alg\":\"HS256\",\"typ\":7}", CLIENT_JWT_MALFORMED},
        {"{\"alg\":\"RS256\"}", CLIENT_JWT_KEY},
        {"{\"alg\":\"HS512\"}", CLIENT_JWT_KEY},
        {"{\"alg\":\"none\"}", CLIENT_JWT_KEY},
        {"{}", CLIENT_JWT_MALFORMED},
    };
    json_t *payload;

    (void)state;
    assert_string_equal(row.kid, "old");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum client_jwt_result result = open_with(&row, 0, mac(secret, rows[i].header), &payload);

        assert_row(result == rows[i].result, rows[i].header);
    }
    assert_int_equal(open_with(&row, 0, mac(secret, rows[0].header), &payload), CLIENT_JWT_OPEN);
    assert_string_equal(json_string_value(json_object_get(payload, "sub")), "ada");
    assert_int_equal(open_with(&row, 0,
                               mac("another secret, of more than 32 bytes too", "{\"alg\":"
                                                                                "\"HS256\"}"),
                               &payload),
                     CLIENT_JWT_SIGNATURE);
    assert_int_equal(open_with(&row, 0, mac("", rows[0].header), &payload), CLIENT_JWT_SIGNATURE);
    assert_int_equal(open_with(&row, 0, T("no.token.at all"), &payload), CLIENT_JWT_MALFORMED);
}

/* As they are: the row is of one algorithm, and a token's kid is the other server's affair. */
static void longer_macs_verify(void **state)
{
    static const enum signing_algorithm algorithms[] = {SIGNING_HS256, SIGNING_HS384,
                                                        SIGNING_HS512};
    static const char *const kids[] = {"", ",\"kid\":\"old\"", ",\"kid\":\"another\"",
                                       ",\"kid\":7"};
    enum { COUNT = sizeof algorithms / sizeof algorithms[0] };
    json_t *payload;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = signing_algorithm_name(algorithms[i]);
        struct signing_key *key = signing_key_from_secret(algorithms[i], T(secret), "signer", NULL);

        assert_non_null(key);
        for (size_t j = 0; j < COUNT * (sizeof kids / sizeof kids[0]); j++) {
            struct signing_row row = sealed(algorithms[j % COUNT], T(secret), "old");
            char header[64];

            snprintf(header, sizeof header, "{\"alg\":\"%s\"%s}", name, kids[j / COUNT]);
            struct text token = kept(forge_signed(fixture_arena(), key, header, PAYLOAD));
            assert_row(open_with(&row, 0, token, &payload) ==
                           (i == j % COUNT ? CLIENT_JWT_OPEN : CLIENT_JWT_KEY),
                       header);
            /* the right name over the MAC of another hash */
            snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
                     signing_algorithm_name(algorithms[j % COUNT]));
            token = kept(forge_signed(fixture_arena(), key, header, PAYLOAD));
            assert_row(open_with(&row, 0, token, &payload) ==
                           (i == j % COUNT ? CLIENT_JWT_OPEN : CLIENT_JWT_SIGNATURE),
                       header);
        }
        signing_key_close(key);
    }
}

/* RFC 7515, appendix A.1: the secret as it is printed there. */
static void a_secret_comes_as_a_jwk(void **state)
{
#define RFC_K                                                                                      \
    "\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"                                        \
    "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\""
    struct signing_row row =
        sealed(SIGNING_HS256, TEXT(" {\"kty\":\"oct\"," RFC_K ",\"kid\":\"a-1\"}\n"), NULL);
    struct signing_row other =
        sealed(SIGNING_HS512, TEXT("{\"kty\":\"oct\",\"alg\":\"HS512\"," RFC_K "}"), "mine");
    json_t *payload;

    (void)state;
    assert_string_equal(row.kid, "a-1");
    assert_string_equal(other.kid, "mine");
    assert_int_equal(
        open_with(
            &row, 0,
            TEXT("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                 "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p"
                 "c19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            &payload),
        CLIENT_JWT_OPEN);
    assert_string_equal(json_string_value(json_object_get(payload, "iss")), "joe");
}

static void a_public_key_verifies(void **state)
{
    static const struct {
        const char *kind;
        enum signing_algorithm algorithm;
    } rows[] = {{"RSA", SIGNING_RS256},
                {"RSA", SIGNING_PS256},
                {"P-256", SIGNING_ES256},
                {"P-521", SIGNING_ES512},
                {"ED25519", SIGNING_EDDSA}};
    json_t *payload;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signing_row row = sealed(rows[i].algorithm, fixture_public_pem(rows[i].kind), NULL);
        struct signing_key *key =
            signing_key_from_pem(rows[i].algorithm, fixture_private_pem(rows[i].kind), "k", NULL);
        char header[64], pem[1024];

        assert_non_null(key);
        assert_true(row.kid[0] != '\0');
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
                 signing_algorithm_name(rows[i].algorithm));
        struct text token = kept(forge_signed(fixture_arena(), key, header, PAYLOAD));
        assert_int_equal(open_with(&row, 0, token, &payload), CLIENT_JWT_OPEN);
        /* that algorithm, and not another one of the same key, or of its bytes as a secret */
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++) {
            struct signing_row other =
                sealed(rows[j].algorithm, fixture_public_pem(rows[j].kind), NULL);

            assert_int_equal(open_with(&other, 0, token, &payload) == CLIENT_JWT_OPEN, i == j);
        }
        assert_true(text_copy(fixture_public_pem(rows[i].kind), pem, sizeof pem));
        assert_int_equal(open_with(&row, 0, mac(pem, "{\"alg\":\"HS256\"}"), &payload),
                         CLIENT_JWT_KEY);
        assert_int_equal(open_with(&row, 0, mac(pem, header), &payload), CLIENT_JWT_SIGNATURE);
        signing_key_close(key);
    }
}

static void a_set_names_its_key(void **state)
{
    struct signing_row row =
        sealed(SIGNING_EDDSA,
               TEXT("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed-1\",\"x\":"
                    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"),
               NULL);

    (void)state;
    assert_string_equal(row.kid, "ed-1");
}

static void it_is_sealed(void **state)
{
    struct signing_row row = sealed(SIGNING_HS256, T(secret), "old");
    struct signing_row pem = sealed(SIGNING_RS256, fixture_public_pem("RSA"), "rsa");
    json_t *payload;

    (void)state;
    for (size_t i = 0; i + 8 <= row.sealed_size; i++) {
        assert_int_not_equal(memcmp(row.sealed + i, secret, 8), 0);
    }
    struct text token = mac(secret, "{\"alg\":\"HS256\"}");
    assert_int_equal(open_with(&row, 1, token, &payload), CLIENT_JWT_FAULT);
    strcpy(row.kid, "new");
    assert_int_equal(open_with(&row, 0, token, &payload), CLIENT_JWT_FAULT);
    token = kept(
        forge_signed(fixture_arena(), fixture_key(SIGNING_RS256), "{\"alg\":\"RS256\"}", PAYLOAD));
    assert_int_equal(open_with(&pem, 1, token, &payload), CLIENT_JWT_FAULT);
    pem.sealed_size = 3;
    assert_int_equal(open_with(&pem, 0, token, &payload), CLIENT_JWT_FAULT);
}

static void what_is_no_key_is_refused(void **state)
{
    static const struct {
        enum signing_algorithm algorithm;
        const char *data, *kid, *says;
    } rows[] = {
        {SIGNING_HS256, "too short", NULL, "32"},
        {SIGNING_HS256, secret, "a b", "key id"},
        {SIGNING_RS256, "no PEM", NULL, "PEM"},
        {SIGNING_RS256, "{\"keys\":[]}", NULL, ""},
        {SIGNING_RS256, "{\"keys\":", NULL, ""},
        {SIGNING_HS512, "too short", NULL, "HS512 needs 32"},
        {SIGNING_HS512, "{\"kty\":\"oct\"", NULL, "read as a JWK"},
        {SIGNING_HS512, "{\"kty\":\"oct\"}", NULL, "HS512 needs 32"},
        {SIGNING_HS512, "{\"kty\":\"oct\",\"k\":\"+/==\"}", NULL, "base64url"},
        {SIGNING_HS512, "{\"kty\":\"RSA\",\"k\":\"AAAA\"}", NULL, "kty oct"},
        {SIGNING_HS512, "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}", NULL,
         "another than HS512"},
    };
    struct randomness randomness = fixture_randomness(), none = fixture_no_randomness();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signing_row row = {0};
        struct fault fault = {0};

        assert_row(!adoption_key_seal(fixture_arena(), rows[i].algorithm, T(rows[i].data),
                                      rows[i].kid, fixture_secrets(0), &randomness, &row, &fault),
                   rows[i].data);
        if (strstr(fault.text, rows[i].says) == NULL || fault.text[0] == '\0') {
            print_error("%s\n", fault.text);
        }
        assert_row(fault.text[0] != '\0' && strstr(fault.text, rows[i].says) != NULL, rows[i].data);
        assert_null(strstr(fault.text, secret));
    }
    struct signing_row row = {0};
    struct fault fault = {0};
    assert_false(adoption_key_seal(fixture_arena(), SIGNING_RS256, fixture_public_pem("RSA"), NULL,
                                   fixture_secrets(0), &none, &row, &fault));
    assert_false(adoption_key_seal(fixture_arena(), SIGNING_HS256, T(secret), NULL,
                                   fixture_secrets(0), &none, &row, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_verifies),         cmocka_unit_test(longer_macs_verify),
        cmocka_unit_test(a_secret_comes_as_a_jwk),   cmocka_unit_test(a_public_key_verifies),
        cmocka_unit_test(a_set_names_its_key),       cmocka_unit_test(it_is_sealed),
        cmocka_unit_test(what_is_no_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
