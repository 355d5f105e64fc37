/* SPDX-License-Identifier: ISC */
/* test_client_jwt.c: assertions of clients open with their key and algorithm, and nothing of what
 * libjwt by itself lets through does. Linked once with each verifier. */
#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/client_jwt.h"
#include "token/forge.h"

#define PAYLOAD                                                                                    \
    "{\"iss\":\"client\",\"sub\":\"client\",\"exp\":1}" /* expiry is the caller's affair */

static const char secret[] = "a secret of at least thirty-two bytes";

struct pair {
    const char *kind;
    enum signing_algorithm algorithm;
    bool supported; /* by libjwt 1.10 */
};

static const struct pair pairs[] = {
    {"RSA", SIGNING_RS256, true},      {"RSA", SIGNING_RS384, true},
    {"RSA", SIGNING_RS512, true},      {"P-256", SIGNING_ES256, true},
    {"P-384", SIGNING_ES384, true},    {"RSA", SIGNING_PS256, false},
    {"ED25519", SIGNING_EDDSA, false},
};

static struct signing_key *make(const struct pair *pair)
{
    struct signing_key *key =
        signing_key_from_pem(pair->algorithm, fixture_private_pem(pair->kind), NULL, NULL);

    assert_non_null(key);
    return key;
}

static struct text token_of(struct arena *arena, const struct signing_key *key, const char *more)
{
    char header[256];

    snprintf(header, sizeof header, "{\"alg\":\"%s\"%s}",
             signing_algorithm_name(signing_key_algorithm(key)), more);
    return forge_signed(arena, key, header, PAYLOAD);
}

static void right_ones_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct signing_key *key = make(&pairs[i]);
        struct text public = fixture_public_pem(pairs[i].kind);
        struct arena *arena = fixture_arena();
        assert_int_equal(client_jwt_supports(pairs[i].algorithm), pairs[i].supported);
        json_t *payload = client_jwt_open(arena, token_of(arena, key, ",\"typ\":\"JWT\""),
                                          pairs[i].algorithm, public);
        assert_row((payload != NULL) == pairs[i].supported,
                   signing_algorithm_name(pairs[i].algorithm));
        if (payload != NULL) {
            assert_string_equal(json_string_value(json_object_get(payload, "iss")), "client");
            assert_int_equal(json_integer_value(json_object_get(payload, "exp")), 1);
        }
        /* the client's own key ids are no concern of ours */
        assert_int_equal(client_jwt_open(arena, token_of(arena, key, ",\"kid\":\"urn:x/../1\""),
                                         pairs[i].algorithm, public) != NULL,
                         pairs[i].supported);
        signing_key_close(key);
    }
}

static void shared_secrets_open(void **state)
{
    struct arena *arena = fixture_arena();
    struct text token = forge_mac(arena, T(secret), "{\"alg\":\"HS256\"}", PAYLOAD);

    (void)state;
    assert_non_null(client_jwt_open(arena, token, SIGNING_HS256, T(secret)));
    assert_null(
        client_jwt_open(arena, token, SIGNING_HS256, TEXT("another secret of 32 bytes or so")));
}

static void weak_secrets_open_nothing(void **state)
{
    struct arena *arena = fixture_arena();

    (void)state;
    for (size_t size = 0; size <= 32; size++) {
        struct text key = text_cut(T(secret), size);
        struct text token = forge_mac(arena, key, "{\"alg\":\"HS256\"}", PAYLOAD);
        assert_int_equal(client_jwt_open(arena, token, SIGNING_HS256, key) != NULL, size == 32);
    }
    assert_null(
        client_jwt_open(arena, TEXT("eyJhbGciOiJub25lIn0.e30."), SIGNING_HS256, (struct text){0}));
}

/* Every algorithm asked for against every algorithm signed with, over one key where the type
 * allows. */
static void only_the_diagonal_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct signing_key *key = make(&pairs[i]);
        struct text public = fixture_public_pem(pairs[i].kind);
        for (int asked = 0; asked < SIGNING_ALGORITHMS; asked++) {
            struct arena *arena = fixture_arena();
            struct text token = token_of(arena, key, "");
            bool right = asked == (int)pairs[i].algorithm && pairs[i].supported;
            assert_int_equal(client_jwt_open(arena, token, (enum signing_algorithm)asked, public) !=
                                 NULL,
                             right);
        }
        signing_key_close(key);
    }
}

static void public_keys_are_no_secrets(void **state)
{
    struct signing_key *key = make(&pairs[0]);
    struct text public = fixture_public_pem(pairs[0].kind);
    struct arena *arena = fixture_arena();
    static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"RS256\"}",
                                          "{\"alg\":\"none\"}", "{\"alg\":\"hs256\"}"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct text token = forge_mac(arena, public, headers[i], PAYLOAD);
        assert_row(client_jwt_open(arena, token, SIGNING_RS256, public) == NULL, headers[i]);
        /* nor does a mistake in the registration turn the public key into a secret's bytes */
        struct text with_line =
            forge_mac(arena, text_cut(public, public.size - 1), headers[i], PAYLOAD);
        assert_row(client_jwt_open(arena, with_line, SIGNING_RS256, public) == NULL, headers[i]);
    }
    signing_key_close(key);
}

static void weak_or_wrong_keys_open_nothing(void **state)
{
    static const struct {
        const char *kind;
        const char *pem_of; /* what the caller has registered */
    } rows[] = {{"P-256", "P-384"}, {"RSA", "RSA other"}, {"RSA", "P-256"}, {"RSA", "RSA-1024"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair pair = {rows[i].kind, rows[i].kind[0] == 'P' ? SIGNING_ES256 : SIGNING_RS256,
                            true};
        struct signing_key *key = make(&pair);
        struct text other = fixture_public_pem(rows[i].pem_of);
        struct arena *arena = fixture_arena();
        assert_row(client_jwt_open(arena, token_of(arena, key, ""), pair.algorithm, other) == NULL,
                   rows[i].pem_of);
        assert_null(client_jwt_open(arena, token_of(arena, key, ""), pair.algorithm,
                                    TEXT("-----BEGIN PUBLIC KEY-----")));
        assert_null(
            client_jwt_open(arena, token_of(arena, key, ""), pair.algorithm, (struct text){0}));
        signing_key_close(key);
    }
}

static void what_libjwt_lets_through(void **state)
{
    static const struct {
        const char *name;
        const char *header;
        const char *payload;
        const char *tail;
    } rows[] = {
        {"crit", "{\"alg\":\"HS256\",\"crit\":[\"x\"],\"x\":1}", "{}", ""},
        {"b64", "{\"alg\":\"HS256\",\"b64\":false}", "{}", ""},
        {"lower case", "{\"alg\":\"hs256\"}", "{}", ""},
        {"none", "{\"alg\":\"none\"}", "{}", ""},
        {"duplicate claim", "{\"alg\":\"HS256\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", ""},
        {"array", "{\"alg\":\"HS256\"}", "[]", ""},
        {"newline", "{\"alg\":\"HS256\"}", "{}", "\n"},
        {"padding", "{\"alg\":\"HS256\"}", "{}", "="},
        {"padding twice", "{\"alg\":\"HS256\"}", "{}", "=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct text token = forge_mac(arena, T(secret), rows[i].header, rows[i].payload);
        struct buffer buffer;
        buffer_start(&buffer, arena, 512);
        buffer_add(&buffer, token);
        buffer_add_c(&buffer, rows[i].tail);
        assert_row(client_jwt_open(arena, buffer_text(&buffer), SIGNING_HS256, T(secret)) == NULL,
                   rows[i].name);
    }
}

/* libjwt's rule: absent, or JWT in any case. */
static void only_plain_types_open(void **state)
{
    static const struct {
        const char *header;
        bool open;
    } rows[] = {
        {"{\"alg\":\"HS256\"}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\"}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"jwt\"}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":\"JWTs\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":\"\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":1}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct text token = forge_mac(arena, T(secret), rows[i].header, PAYLOAD);
        assert_row((client_jwt_open(arena, token, SIGNING_HS256, T(secret)) != NULL) ==
                       rows[i].open,
                   rows[i].header);
    }
}

static void hostile_strings(void **state)
{
    static const char *const tokens[] = {
        "", ".", "..", ".e30.", "e30..", "e30.e30.", "eyJhbGciOiJIUzI1NiJ9.."};
    size_t size = (size_t)9 << 20;
    char *dots = malloc(size);

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        assert_row(client_jwt_open(fixture_arena(), T(tokens[i]), SIGNING_HS256, T(secret)) == NULL,
                   tokens[i]);
    }
    assert_non_null(dots);
    memset(dots, '.', size);
    assert_null(
        client_jwt_open(fixture_arena(), (struct text){dots, size}, SIGNING_HS256, T(secret)));
    memset(dots, 'A', size);
    dots[10] = dots[20] = '.';
    assert_null(
        client_jwt_open(fixture_arena(), (struct text){dots, size}, SIGNING_HS256, T(secret)));
    free(dots);
}

static void ecdsa_zero_and_asn1(void **state)
{
    struct signing_key *key = make(&pairs[3]);
    struct text public = fixture_public_pem(pairs[3].kind);
    static const char zero[72];
    struct arena *arena = fixture_arena();

    (void)state;
    for (size_t size = 1; size <= sizeof zero; size++) {
        struct text token = forge_with(arena, TEXT("{\"alg\":\"ES256\"}"), TEXT(PAYLOAD),
                                       (struct text){zero, size});
        assert_null(client_jwt_open(arena, token, SIGNING_ES256, public));
    }
    signing_key_close(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones_open),
        cmocka_unit_test(shared_secrets_open),
        cmocka_unit_test(weak_secrets_open_nothing),
        cmocka_unit_test(only_the_diagonal_opens),
        cmocka_unit_test(public_keys_are_no_secrets),
        cmocka_unit_test(weak_or_wrong_keys_open_nothing),
        cmocka_unit_test(what_libjwt_lets_through),
        cmocka_unit_test(only_plain_types_open),
        cmocka_unit_test(hostile_strings),
        cmocka_unit_test(ecdsa_zero_and_asn1),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
