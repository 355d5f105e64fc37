/* SPDX-License-Identifier: ISC */
/* test_dpop_jwt.c: JWTs that bring their key open under that key alone, and nothing else that calls
 * itself a DPoP proof does. */
#include "token/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "token/dpop_jwt.h"
#include "token/forge.h"

#define PAYLOAD "{\"jti\":\"1\"}"

/* Its JWK without the last brace, so that members can be added. */
static struct text jwk_of(struct arena *arena, const struct fixture_pair *pair)
{
    static const struct text head = {"{\"keys\":[", 9}, tail = {"}]}", 3};
    struct text set = fixture_key_set(arena, pair);

    return text_cut(text_from(set, head.size), set.size - head.size - tail.size);
}

/* A header of this typ and alg with that JWK, and `more` members of the JWK; signed with `key`. */
static struct text proof_of(struct arena *arena, const struct signing_key *key, const char *alg,
                            const char *typ, struct text jwk, const char *more)
{
    char header[4096];

    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"%s\",\"jwk\":%.*s%s}}", alg, typ,
             TEXT_ARGS(jwk), more);
    return forge_signed(arena, key, header, PAYLOAD);
}

static enum dpop_jwt_result open(struct arena *arena, struct text token)
{
    json_t *payload;
    uint8_t thumbprint[CRYPTO_HASH_SIZE];
    enum dpop_jwt_result result = dpop_jwt_open(arena, token, &payload, thumbprint);

    assert_int_equal(payload != NULL, result == DPOP_JWT_OPEN);
    return result;
}

static void every_algorithm_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        struct arena *arena = fixture_arena();
        struct signing_key *key = fixture_pair_key(&fixture_pairs[i]);
        struct text jwk = jwk_of(arena, &fixture_pairs[i]);
        uint8_t thumbprint[CRYPTO_HASH_SIZE];
        char spelled[64] = "";
        char kid[80];
        json_t *payload;
        struct text token = proof_of(arena, key, signing_algorithm_name(fixture_pairs[i].algorithm),
                                     "dpop+jwt", jwk, "");

        assert_row(dpop_jwt_open(arena, token, &payload, thumbprint) == DPOP_JWT_OPEN,
                   signing_algorithm_name(fixture_pairs[i].algorithm));
        assert_string_equal(json_string_value(json_object_get(payload, "jti")), "1");
        /* the kid that a set of keys gives a key is its thumbprint */
        codec_base64url_encode(thumbprint, sizeof thumbprint, spelled);
        snprintf(kid, sizeof kid, "\"kid\":\"%s\"", spelled);
        assert_non_null(memmem(jwk.data, jwk.size, kid, strlen(kid)));
        signing_key_close(key);
    }
}

static void types(void **state)
{
    static const struct {
        const char *typ;
        enum dpop_jwt_result result;
    } rows[] = {{"dpop+jwt", DPOP_JWT_OPEN}, {"DPoP+JWT", DPOP_JWT_OPEN},
                {"JWT", DPOP_JWT_TYPE},      {"at+jwt", DPOP_JWT_TYPE},
                {"", DPOP_JWT_TYPE},         {"dpop+jwt ", DPOP_JWT_TYPE},
                {"dpop", DPOP_JWT_TYPE}};
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct text jwk = jwk_of(arena, fixture_es256);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(open(arena, proof_of(arena, key, "ES256", rows[i].typ, jwk, "")) ==
                       rows[i].result,
                   rows[i].typ);
    }
    assert_int_equal(open(arena, forge_signed(arena, key, "{\"alg\":\"ES256\"}", PAYLOAD)),
                     DPOP_JWT_TYPE);
    signing_key_close(key);
}

static void algorithms(void **state)
{
    static const struct {
        const char *alg;
        enum dpop_jwt_result result;
    } rows[] = {{"none", DPOP_JWT_ALGORITHM},  {"HS256", DPOP_JWT_ALGORITHM},
                {"HS512", DPOP_JWT_ALGORITHM}, {"fixture_es256", DPOP_JWT_ALGORITHM},
                {"", DPOP_JWT_ALGORITHM},      {"ES256K", DPOP_JWT_ALGORITHM},
                {"ES384", DPOP_JWT_KEY},       {"RS256", DPOP_JWT_KEY}};
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct text jwk = jwk_of(arena, fixture_es256);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_row(open(arena, proof_of(arena, key, rows[i].alg, "dpop+jwt", jwk, "")) ==
                       rows[i].result,
                   rows[i].alg);
    }
    signing_key_close(key);
}

/* A coordinate of what is on no curve. */
#define ZERO "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""

static const char *const no_keys[] = {
    "1",
    "[]",
    "\"x\"",
    "{}",
    "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" ZERO ",\"y\":" ZERO "}"};
enum { NO_KEYS = sizeof no_keys / sizeof no_keys[0] };

static void keys(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct text jwk = jwk_of(arena, fixture_es256);
    char header[512];

    (void)state;
    for (size_t i = 0; i < NO_KEYS; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"jwk\":%s}",
                 no_keys[i]);
        assert_row(open(arena, forge_signed(arena, key, header, PAYLOAD)) == DPOP_JWT_KEY,
                   no_keys[i]);
    }
    assert_int_equal(
        open(arena, forge_signed(arena, key, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}", PAYLOAD)),
        DPOP_JWT_KEY);
    /* a private member is no secret any more, whose proof it is */
    assert_int_equal(open(arena, proof_of(arena, key, "ES256", "dpop+jwt", jwk, ",\"d\":\"AA\"")),
                     DPOP_JWT_KEY);
    assert_int_equal(open(arena, proof_of(arena, key, "ES256", "dpop+jwt", jwk, ",\"k\":\"AA\"")),
                     DPOP_JWT_KEY);
    signing_key_close(key);
}

static void signatures(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct signing_key *other = fixture_pair_key(&fixture_pairs[0]);
    struct text jwk = jwk_of(arena, fixture_es256);
    struct text token = proof_of(arena, key, "ES256", "dpop+jwt", jwk, "");
    char forged[8193];

    (void)state;
    assert_true(text_copy(token, forged, sizeof forged));
    forged[token.size - 8] = forged[token.size - 8] == 'A' ? 'B' : 'A';
    assert_int_equal(open(arena, text_of(forged)), DPOP_JWT_SIGNATURE);
    assert_int_equal(open(arena, proof_of(arena, other, "ES256", "dpop+jwt", jwk, "")),
                     DPOP_JWT_SIGNATURE);
    assert_int_equal(open(arena, text_cut(token, token.size - 1)), DPOP_JWT_MALFORMED);
    assert_int_equal(open(arena, (struct text){0}), DPOP_JWT_MALFORMED);
    /* two headers, as Apache and lighttpd join them */
    snprintf(forged, sizeof forged, "%.*s, %.*s", TEXT_ARGS(token), TEXT_ARGS(token));
    assert_int_equal(open(arena, text_of(forged)), DPOP_JWT_MALFORMED);
    signing_key_close(key);
    signing_key_close(other);
}

/* ---- a browser's ---- */

static enum dpop_jwt_result open_first(struct arena *arena, struct text token,
                                       uint8_t point[DPOP_JWT_POINT_SIZE])
{
    json_t *payload;
    enum dpop_jwt_result result = dpop_jwt_open_first(arena, token, &payload, point);

    assert_int_equal(payload != NULL, result == DPOP_JWT_OPEN);
    return result;
}

static enum dpop_jwt_result open_known(struct arena *arena, struct text token,
                                       const uint8_t point[DPOP_JWT_POINT_SIZE])
{
    json_t *payload;
    enum dpop_jwt_result result = dpop_jwt_open_known(arena, token, point, &payload);

    assert_int_equal(payload != NULL, result == DPOP_JWT_OPEN);
    return result;
}

#define LATER "{\"alg\":\"ES256\",\"typ\":\"dbsc+jwt\"}"

/* The key of the first proof is that of all later ones, which do not bring it again. */
static void browsers(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct text jwk = jwk_of(arena, fixture_es256);
    struct text first = proof_of(arena, key, "ES256", "dbsc+jwt", jwk, "");
    struct text later = forge_signed(arena, key, LATER, PAYLOAD);
    uint8_t point[DPOP_JWT_POINT_SIZE], off[DPOP_JWT_POINT_SIZE] = {0};
    char spelled[64] = "", x[80];

    (void)state;
    assert_int_equal(open_first(arena, first, point), DPOP_JWT_OPEN);
    codec_base64url_encode(point, sizeof point / 2, spelled);
    snprintf(x, sizeof x, "\"x\":\"%s\"", spelled);
    assert_non_null(memmem(jwk.data, jwk.size, x, strlen(x)));
    assert_int_equal(open_known(arena, later, point), DPOP_JWT_OPEN);
    assert_int_equal(open_known(arena, first, point), DPOP_JWT_KEY);
    assert_int_equal(open_first(arena, later, off), DPOP_JWT_KEY);
    assert_int_equal(open_known(arena, later, off),
                     DPOP_JWT_FAULT); /* what we have kept is broken */
    assert_int_equal(open(arena, first), DPOP_JWT_TYPE);
    assert_int_equal(
        open_known(arena, forge_signed(arena, key, "{\"alg\":\"ES256\"}", PAYLOAD), point),
        DPOP_JWT_TYPE);
    assert_int_equal(open_known(arena, text_cut(later, later.size - 1), point), DPOP_JWT_MALFORMED);
    assert_int_equal(
        open_first(arena, proof_of(arena, key, "ES256", "dbsc+jwt", jwk, ",\"d\":\"AA\""), off),
        DPOP_JWT_KEY);
    signing_key_close(key);
}

static bool read_point(struct arena *arena, const char *jwk, uint8_t point[DPOP_JWT_POINT_SIZE])
{
    char object[1024];

    snprintf(object, sizeof object, "{\"jwk\":%s}", jwk);
    return dpop_jwt_read_point(
        arena, json_object_get(json_in_object(arena, text_of(object), NULL), "jwk"), point);
}

/* As written down, it is the one that a proof brings. */
static void points(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    struct text jwk = jwk_of(arena, fixture_es256);
    uint8_t brought[DPOP_JWT_POINT_SIZE], read[DPOP_JWT_POINT_SIZE];
    char spelled[1024];

    (void)state;
    assert_int_equal(open_first(arena, proof_of(arena, key, "ES256", "dbsc+jwt", jwk, ""), brought),
                     DPOP_JWT_OPEN);
    snprintf(spelled, sizeof spelled, "%.*s}", TEXT_ARGS(jwk));
    assert_true(read_point(arena, spelled, read));
    assert_memory_equal(read, brought, sizeof read);
    snprintf(spelled, sizeof spelled, "%.*s,\"d\":\"AA\"}", TEXT_ARGS(jwk));
    assert_false(read_point(arena, spelled, read));
    for (size_t i = 0; i < NO_KEYS; i++) {
        assert_row(!read_point(arena, no_keys[i], read), no_keys[i]);
    }
    assert_false(dpop_jwt_read_point(arena, NULL, read));
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        snprintf(spelled, sizeof spelled, "%.*s}", TEXT_ARGS(jwk_of(arena, &fixture_pairs[i])));
        assert_row(read_point(arena, spelled, read) == (&fixture_pairs[i] == fixture_es256),
                   signing_algorithm_name(fixture_pairs[i].algorithm));
    }
    signing_key_close(key);
}

/* ES256 is what they were asked for. */
static void algorithms_of_browsers(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(fixture_es256);
    uint8_t point[DPOP_JWT_POINT_SIZE];
    char header[64];

    (void)state;
    assert_int_equal(
        open_first(arena,
                   proof_of(arena, key, "ES256", "dbsc+jwt", jwk_of(arena, fixture_es256), ""),
                   point),
        DPOP_JWT_OPEN);
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        struct signing_key *other = fixture_pair_key(&fixture_pairs[i]);
        const char *name = signing_algorithm_name(fixture_pairs[i].algorithm);
        uint8_t unused[DPOP_JWT_POINT_SIZE];

        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"dbsc+jwt\"}", name);
        if (&fixture_pairs[i] != fixture_es256) {
            assert_row(open_first(arena,
                                  proof_of(arena, other, name, "dbsc+jwt",
                                           jwk_of(arena, &fixture_pairs[i]), ""),
                                  unused) == DPOP_JWT_ALGORITHM,
                       name);
            assert_row(open_known(arena, forge_signed(arena, other, header, PAYLOAD), point) ==
                           DPOP_JWT_ALGORITHM,
                       name);
        }
        signing_key_close(other);
    }
    assert_int_equal(
        open_known(arena,
                   forge_signed(arena, key, "{\"alg\":\"none\",\"typ\":\"dbsc+jwt\"}", PAYLOAD),
                   point),
        DPOP_JWT_ALGORITHM);
    signing_key_close(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_opens),
        cmocka_unit_test(types),
        cmocka_unit_test(algorithms),
        cmocka_unit_test(keys),
        cmocka_unit_test(signatures),
        cmocka_unit_test(browsers),
        cmocka_unit_test(points),
        cmocka_unit_test(algorithms_of_browsers),
    };
    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
