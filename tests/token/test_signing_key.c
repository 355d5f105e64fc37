/* SPDX-License-Identifier: ISC */
/* test_signing_key.c: what a key takes, gives and refuses: vectors of the RFCs, imports, sealing,
 * the matrix of algorithms and keys, malformed signatures, many threads. */
#include "token/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include "base/codec.h"
#include "base/valgrind.h"
#include "token/signing_jwk.h"
#include "token/signing_pem.h"

static const struct text input = TEXT("eyJhbGciOiJub25lIn0.e30");

static struct text sign(const struct signing_key *key, struct text data)
{
    static uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t size = sizeof signature;

    assert_true(signing_key_sign(key, data, signature, &size));
    return (struct text){(const char *)signature, size};
}

static bool verify(const struct signing_key *key, struct text data, struct text signature)
{
    return signing_key_verify(key, data, (const uint8_t *)signature.data, signature.size);
}

static struct text jwk(const struct signing_key *key, struct arena *arena)
{
    struct buffer buffer;
    struct text json = {0};

    buffer_start(&buffer, arena, 1024);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    if (signing_key_jwk(key, &out)) {
        assert_true(buffer_finish(&buffer, &json));
    }
    return json;
}

/* ---- vectors ---- */

#define RFC8037_PEM                                                                                \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                           \
    "-----END PRIVATE KEY-----\n"

/* RFC 8037 appendix A: signature, JWK and thumbprint. */
static void ed25519_vector(void **state)
{
    struct signing_key *key = signing_key_from_pem(SIGNING_EDDSA, TEXT(RFC8037_PEM), NULL, NULL);
    uint8_t wanted[64];
    size_t size;

    (void)state;
    assert_non_null(key);
    assert_true(
        codec_base64url_decode(TEXT("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki"
                                    "4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
                               wanted, sizeof wanted, &size));
    struct text signature =
        sign(key, TEXT("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"));
    assert_int_equal(signature.size, 64);
    assert_memory_equal(signature.data, wanted, 64);
    assert_string_equal(signing_key_kid(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_true(text_is(jwk(key, fixture_arena()),
                        "{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\","
                        "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"kty\":\"OKP\","
                        "\"use\":\"sig\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"));
    signing_key_close(key);
}

#define RFC7515_A3_PEM                                                                             \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"                           \
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"                           \
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"                                   \
    "-----END PRIVATE KEY-----\n"

/* RFC 7515 appendix A.3: another's signature verifies; the JWK has x and y at full length. */
static void es256_vector(void **state)
{
    struct signing_key *key = signing_key_from_pem(SIGNING_ES256, TEXT(RFC7515_A3_PEM), "k", NULL);
    uint8_t signature[64];
    size_t size;

    (void)state;
    assert_non_null(key);
    assert_true(
        codec_base64url_decode(TEXT("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5dj"
                                    "xLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
                               signature, sizeof signature, &size));
    assert_true(signing_key_verify(
        key,
        TEXT("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
             "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"),
        signature, size));
    assert_true(text_is(jwk(key, fixture_arena()),
                        "{\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":\"k\",\"kty\":\"EC\","
                        "\"use\":\"sig\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"));
    signing_key_close(key);
}

/* RFC 7515 appendix A.1. */
static void hs256_vector(void **state)
{
    uint8_t secret[64];
    uint8_t wanted[32];
    size_t size;

    (void)state;
    assert_true(
        codec_base64url_decode(TEXT("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75a"
                                    "KtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"),
                               secret, sizeof secret, &size));
    struct signing_key *key = signing_key_from_secret(
        SIGNING_HS256, (struct text){(const char *)secret, size}, "k", NULL);
    assert_non_null(key);
    assert_true(codec_base64url_decode(TEXT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), wanted,
                                       sizeof wanted, &size));
    struct text signature = sign(
        key,
        TEXT("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkz"
             "ODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"));
    assert_int_equal(signature.size, 32);
    assert_memory_equal(signature.data, wanted, 32);
    signing_key_close(key);
}

/* RFC 7638 section 3.1 gives a public key only. */
static void rsa_thumbprint_vector(void **state)
{
    static const char n[] =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
        "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
        "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6"
        "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    uint8_t bytes[256];
    size_t size;
    struct signing_numbers numbers = {0};
    char thumbprint[SIGNING_THUMBPRINT_SIZE + 1];

    (void)state;
    assert_true(codec_base64url_decode(T(n), bytes, sizeof bytes, &size));
    numbers.of[SIGNING_N] = (struct text){(const char *)bytes, size};
    numbers.of[SIGNING_E] = TEXT("\x01\x00\x01");
    assert_true(signing_jwk_thumbprint(signing_profile(SIGNING_RS256), &numbers, thumbprint));
    assert_string_equal(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/* ---- the matrix ---- */

static void only_the_diagonal_verifies(void **state)
{
    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        struct text signature = sign(fixture_key((enum signing_algorithm)i), input);
        for (int j = 0; j < SIGNING_ALGORITHMS; j++) {
            assert_row(verify(fixture_key((enum signing_algorithm)j), input, signature) == (i == j),
                       signing_algorithm_name((enum signing_algorithm)j));
        }
    }
}

/* One RSA key under four algorithms: digest and padding are the algorithm's, not the key's. */
static void one_rsa_key_has_one_algorithm(void **state)
{
    static const enum signing_algorithm algorithms[] = {SIGNING_RS256, SIGNING_RS384, SIGNING_RS512,
                                                        SIGNING_PS256};
    struct signing_key *keys[4];
    struct text pem = fixture_private_pem("RSA");

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        keys[i] = signing_key_from_pem(algorithms[i], pem, NULL, NULL);
        assert_non_null(keys[i]);
        assert_string_equal(signing_key_kid(keys[i]), signing_key_kid(keys[0]));
    }
    for (size_t i = 0; i < 4; i++) {
        struct text signature = sign(keys[i], input);
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(verify(keys[j], input, signature), i == j);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        signing_key_close(keys[i]);
    }
}

static void signatures_have_their_size(void **state)
{
    static const size_t sizes[SIGNING_ALGORITHMS] = {
        [SIGNING_HS256] = 32,  [SIGNING_RS256] = 256, [SIGNING_RS384] = 256, [SIGNING_RS512] = 256,
        [SIGNING_PS256] = 256, [SIGNING_ES256] = 64,  [SIGNING_ES384] = 96,  [SIGNING_EDDSA] = 64,
        [SIGNING_HS384] = 48,  [SIGNING_HS512] = 64,  [SIGNING_ES512] = 132};
    uint8_t signature[SIGNING_SIGNATURE_MAX];

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        const struct signing_key *key = fixture_key((enum signing_algorithm)i);
        const char *name = signing_algorithm_name((enum signing_algorithm)i);
        size_t size = sizes[i];
        assert_row(signing_key_sign(key, input, signature, &size) && size == sizes[i], name);
        size = sizes[i] - 1; /* no room */
        assert_row(!signing_key_sign(key, input, signature, &size), name);
        assert_row(sign(key, (struct text){0}).size == sizes[i], name); /* nothing to sign */
    }
}

static void changed_signatures_are_refused(void **state)
{
    uint8_t changed[SIGNING_SIGNATURE_MAX + 1];

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        const struct signing_key *key = fixture_key((enum signing_algorithm)i);
        const char *name = signing_algorithm_name((enum signing_algorithm)i);
        struct text signature = sign(key, input);
        size_t size = signature.size;
        memcpy(changed, signature.data, size);
        assert_row(signing_key_verify(key, input, changed, size), name);
        for (size_t bit = 0; bit < size * 8; bit += 7) {
            changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_row(!signing_key_verify(key, input, changed, size), name);
            changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        changed[size] = 0;
        assert_row(!signing_key_verify(key, input, changed, size + 1), name);
        assert_row(!signing_key_verify(key, input, changed, size - 1), name);
        assert_row(!signing_key_verify(key, input, changed, 1), name);
        assert_row(!signing_key_verify(key, input, changed, 0), name);
        assert_row(!signing_key_verify(key, text_cut(input, input.size - 1), changed, size), name);
    }
}

/* ---- ECDSA ---- */

static void order_of(int group_name, uint8_t *bytes, size_t half)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(group_name);

    assert_int_equal(BN_bn2binpad(EC_GROUP_get0_order(group), bytes, (int)half), (int)half);
    EC_GROUP_free(group);
}

/* CVE-2022-21449 and its relatives: r and s must lie in [1, n-1], at exactly full length, raw. */
static void ecdsa_range_and_form(void **state)
{
    static const struct {
        enum signing_algorithm algorithm;
        size_t half;
        int group;
    } rows[] = {{SIGNING_ES256, 32, NID_X9_62_prime256v1},
                {SIGNING_ES384, 48, NID_secp384r1},
                {SIGNING_ES512, 66, NID_secp521r1}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct signing_key *key = fixture_key(rows[i].algorithm);
        size_t half = rows[i].half;
        uint8_t n[48];
        uint8_t good[96];
        uint8_t bad[160] = {0};
        memcpy(good, sign(key, input).data, 2 * half);
        order_of(rows[i].group, n, half);

        assert_false(signing_key_verify(key, input, bad, 2 * half)); /* r = s = 0 */
        for (int part = 0; part < 2; part++) {
            size_t at = part == 0 ? 0 : half;
            memcpy(bad, good, 2 * half);
            memset(bad + at, 0, half);
            assert_false(signing_key_verify(key, input, bad, 2 * half)); /* 0 */
            memcpy(bad + at, n, half);
            assert_false(signing_key_verify(key, input, bad, 2 * half)); /* n */
            memset(bad + at, 0xff, half);
            assert_false(signing_key_verify(key, input, bad, 2 * half)); /* above n */
        }

        /* the same signature in ASN.1, and with a leading zero in front of each half */
        ECDSA_SIG *pair = ECDSA_SIG_new();
        uint8_t *der = bad;
        assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(good, (int)half, NULL),
                                        BN_bin2bn(good + half, (int)half, NULL)),
                         1);
        int size = i2d_ECDSA_SIG(pair, &der);
        assert_true(size > 0);
        assert_false(signing_key_verify(key, input, bad, (size_t)size));
        ECDSA_SIG_free(pair);
        memset(bad, 0, sizeof bad);
        memcpy(bad + 1, good, half);
        memcpy(bad + half + 2, good + half, half);
        assert_false(signing_key_verify(key, input, bad, 2 * half + 2));
    }
}

/* r or s below 2^248 comes once in 128 signatures or so; it must be padded, not shortened. */
static void short_numbers_are_padded(void **state)
{
    const struct signing_key *key = fixture_key(SIGNING_ES256);
    size_t short_ones = 0;

    (void)state;
    for (int i = 0; i < 4000 && short_ones < 3; i++) {
        struct text signature = sign(key, input);
        assert_int_equal(signature.size, 64);
        if (signature.data[0] == 0 || signature.data[32] == 0) {
            short_ones++;
            assert_true(verify(key, input, signature));
        }
    }
    assert_int_equal(short_ones, 3); /* 4000 without three: 10^-10 */
}

/* ---- imports ---- */

static void imports(void **state)
{
    static const struct {
        const char *kind;
        enum signing_algorithm algorithm;
        const char *complaint; /* NULL: taken */
    } rows[] = {
        {"RSA", SIGNING_RS256, NULL},         {"RSA", SIGNING_RS384, NULL},
        {"RSA", SIGNING_RS512, NULL},         {"RSA", SIGNING_PS256, NULL},
        {"P-256", SIGNING_ES256, NULL},       {"P-384", SIGNING_ES384, NULL},
        {"ED25519", SIGNING_EDDSA, NULL},     {"RSA-1024", SIGNING_RS256, "1024 bits"},
        {"RSA-1024", SIGNING_PS256, "2048"},  {"RSA e=3", SIGNING_RS512, "exponent"},
        {"P-384", SIGNING_ES256, "P-256"},    {"P-256", SIGNING_ES384, "P-384"},
        {"P-521", SIGNING_ES384, "P-384"},    {"P-521", SIGNING_ES512, NULL},
        {"P-384", SIGNING_ES512, "P-521"},    {"secp256k1", SIGNING_ES256, "P-256"},
        {"P-256", SIGNING_RS256, "RSA"},      {"P-256", SIGNING_EDDSA, "Ed25519"},
        {"RSA", SIGNING_ES256, "P-256"},      {"RSA", SIGNING_EDDSA, "Ed25519"},
        {"ED25519", SIGNING_ES256, "P-256"},  {"ED25519", SIGNING_RS256, "RSA"},
        {"X25519", SIGNING_EDDSA, "Ed25519"}, {"ED448", SIGNING_EDDSA, "Ed25519"},
        {"RSA", SIGNING_HS256, "secret"},     {"RSA", SIGNING_HS512, "secret"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        struct text pem = fixture_private_pem(rows[i].kind);
        struct signing_key *key = signing_key_from_pem(rows[i].algorithm, pem, NULL, &fault);
        assert_row((key != NULL) == (rows[i].complaint == NULL), rows[i].kind);
        if (key != NULL) {
            assert_int_equal(signing_key_algorithm(key), rows[i].algorithm);
            assert_int_equal(strlen(signing_key_kid(key)), 43);
        } else if (strstr(fault.text, rows[i].complaint) == NULL) {
            fail_msg("%s: %s", rows[i].kind, fault.text);
        }
        signing_key_close(key);

        /* the public half is no signing key */
        assert_null(signing_key_from_pem(rows[i].algorithm, fixture_public_pem(rows[i].kind), NULL,
                                         &fault));
    }
}

#define ENCRYPTED_PEM                                                                              \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" ENCRYPTED_BODY "-----END ENCRYPTED PRIVATE "         \
    "KEY-----\n"
#define ENCRYPTED_BODY                                                                             \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgqIKYfpNSUlwICCAAw\n"                           \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEEWEPh9560o+dnnK1YaU7Y0EgZBa\n"                           \
    "UVHqtRN3+9lvPcLsUO1SbIa7zHmnHGkhXGrRCO6D6mcCfbqW9W1lFTqUstj566d5\n"                           \
    "/PzOtiRk87Lk/U615zxsQaP2bdgsN1pjvP+lA5qtH0nt+5vB+7mkG6+vIzNykv4y\n"                           \
    "6l1r6QBtd3P9cAh4FN3dALEc9s08BZVlK7+tMRV6nw3ZHY6y87HtScHr4UtGqkY=\n"
#define TRADITIONAL_ENCRYPTED_PEM                                                                  \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "Proc-Type: 4,ENCRYPTED\n"                                                                     \
    "DEK-Info: AES-128-CBC,30B82209B875881F6A77C080267C15E5\n"                                     \
    "\n"                                                                                           \
    "w5+Y+GMiy6BT3nwAqi/slxp9F0GYxUXh1XTR+hFyNeXPo6QgKMvBJgag8HhEtV8E\n"                           \
    "Y4LW6ZU+mFo+Oels/QoUZOdoTixpRxIhisQ2cdEW6tPTEfXOiv9fZIvrOj6EXioc\n"                           \
    "pb1UnXIyt84/nz3N6n0KdN//GQ64w7P7Q9Br0gfdl6M=\n"                                               \
    "-----END EC PRIVATE KEY-----\n"
#define WITH_PARAMETERS_PEM                                                                        \
    "-----BEGIN EC PARAMETERS-----\n"                                                              \
    "BggqhkjOPQMBBw==\n"                                                                           \
    "-----END EC PARAMETERS-----\n"                                                                \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MHcCAQEEILgZ08khNr/DgtqCiSMqO8aprJQrE4VMxyU5uK6Dwn4zoAoGCCqGSM49\n"                           \
    "AwEHoUQDQgAEvsICxMatheJnOvV30qwOflyZ4uMV+SLu+922F5mtFkYUY8ybE2fx\n"                           \
    "FaqzbW3JPT0u7VFmAsy4DvFsliK9xQrkhA==\n"                                                       \
    "-----END EC PRIVATE KEY-----\n"
#define EXPLICIT_CURVE_PEM                                                                         \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MIIBaAIBAQQguBnTySE2v8OC2oKJIyo7xqmslCsThUzHJTm4roPCfjOggfowgfcC\n"                           \
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"                           \
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"                           \
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"                           \
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"                           \
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"                           \
    "YyVRAgEBoUQDQgAEvsICxMatheJnOvV30qwOflyZ4uMV+SLu+922F5mtFkYUY8yb\n"                           \
    "E2fxFaqzbW3JPT0u7VFmAsy4DvFsliK9xQrkhA==\n"                                                   \
    "-----END EC PRIVATE KEY-----\n"
#define MIXED_PAIR_PEM                                                                             \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg93+g0m5r/S7jiutK\n"                           \
    "zI9K2+NLHjQVZifMgZMbYucyZ9ehRANCAAQ5YMaz2IzrUOepN8BKPpiVR0iqW1zn\n"                           \
    "MiCGXGKYK73P3GTpXxRqe4N4B3wN3uIGXUnyukhe0Z6y32H/ylhoLjx5\n"                                   \
    "-----END PRIVATE KEY-----\n"

static void pem_forms(void **state)
{
    static const struct {
        const char *name;
        const char *pem;
        const char *complaint; /* NULL: taken */
    } rows[] = {
        {"PKCS#8", RFC7515_A3_PEM, NULL},
        {"text around it", "a comment\n" RFC7515_A3_PEM "and more\n", NULL},
        {"SEC 1 with parameters", WITH_PARAMETERS_PEM, NULL},
        {"encrypted", ENCRYPTED_PEM, "encrypted"},
        {"encrypted, traditional", TRADITIONAL_ENCRYPTED_PEM, "encrypted"},
        {"P-256 spelled out", EXPLICIT_CURVE_PEM, NULL},
        {"mixed pair", MIXED_PAIR_PEM, "belong"},
        {"empty", "", "empty"},
        {"no PEM", "secret", "PEM"},
        {"certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         "certificate"},
        {"damaged", "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n",
         "damaged"},
        {"cut", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n", "damaged"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {""};
        struct signing_key *key = signing_key_from_pem(SIGNING_ES256, T(rows[i].pem), NULL, &fault);
        assert_row((key != NULL) == (rows[i].complaint == NULL), rows[i].name);
        if (key == NULL && strstr(fault.text, rows[i].complaint) == NULL) {
            fail_msg("%s: %s", rows[i].name, fault.text);
        }
        signing_key_close(key);
    }
}

static void huge_pem_is_refused(void **state)
{
    static char huge[SIGNING_PEM_MAX + 1];

    (void)state;
    memset(huge, '\n', sizeof huge);
    memcpy(huge, RFC8037_PEM, sizeof RFC8037_PEM - 1);
    struct signing_key *key =
        signing_key_from_pem(SIGNING_EDDSA, (struct text){huge, SIGNING_PEM_MAX}, NULL, NULL);
    assert_non_null(key);
    signing_key_close(key);
    assert_null(
        signing_key_from_pem(SIGNING_EDDSA, (struct text){huge, SIGNING_PEM_MAX + 1}, NULL, NULL));
}

static void secrets_need_32_bytes(void **state)
{
    static char bytes[513];

    (void)state;
    memset(bytes, 's', sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct fault fault = {""};
        struct signing_key *key =
            signing_key_from_secret(SIGNING_HS256, (struct text){bytes, size}, NULL, &fault);
        assert_int_equal(key != NULL, size >= 32 && size <= 512);
        assert_null(strstr(fault.text, "ss"
                                       "ss")); /* never shown */
        signing_key_close(key);
    }
}

static void kids(void **state)
{
    static const struct {
        const char *kid;
        bool good;
    } rows[] = {
        {"k", true},
        {"2024-10_A.b", true},
        {"0123456789012345678901234567890123456789012345678901234567890123", true},
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
        {"../../etc/passwd", false},
        {"|id", false},
        {"a b", false},
        {"a\n", false},
        {"\xc3\xa4", false},
        {"' or 1=1 --", false},
    };
    static const char with_nul[] = "a\0b";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signing_key *key =
            signing_key_from_pem(SIGNING_EDDSA, TEXT(RFC8037_PEM), rows[i].kid, NULL);
        assert_row((key != NULL) == rows[i].good, rows[i].kid);
        assert_row(key == NULL || strcmp(signing_key_kid(key), rows[i].kid) == 0, rows[i].kid);
        assert_row(signing_key_kid_valid(T(rows[i].kid)) == rows[i].good, rows[i].kid);
        signing_key_close(key);
    }
    assert_false(signing_key_kid_valid((struct text){0}));
    assert_false(signing_key_kid_valid(((struct text){with_nul, 3})));
}

static void default_kid_of_a_secret(void **state)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    struct signing_key *key = signing_key_from_secret(SIGNING_HS256, T(secret), NULL, NULL);
    struct signing_key *again = signing_key_from_secret(SIGNING_HS256, T(secret), "", NULL);
    uint8_t hash[CRYPTO_HASH_SIZE];
    char spelled[44];

    (void)state;
    assert_int_equal(strlen(signing_key_kid(key)), 22);
    assert_string_equal(signing_key_kid(key), signing_key_kid(again));
    /* not the RFC 7638 thumbprint, which would be a hash of the secret to guess against */
    static const char oct[] =
        "{\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\",\"kty\":\"oct\"}";
    assert_true(crypto_sha256(oct, sizeof oct - 1, hash));
    codec_base64url_encode(hash, sizeof hash, spelled);
    assert_memory_not_equal(spelled, signing_key_kid(key), 22);
    assert_int_equal(jwk(key, fixture_arena()).size, 0); /* and no JWK */
    signing_key_close(key);
    signing_key_close(again);
}

static void generation_needs_randomness(void **state)
{
    struct randomness none = fixture_no_randomness();
    struct fault fault = {""};

    (void)state;
    assert_null(signing_key_generate(SIGNING_HS256, NULL, &none, &fault));
    assert_non_null(strstr(fault.text, "randomness"));
    signing_key_close(NULL);
}

/* It would be an option to `retoken key activate`. One in 64 would. */
static void no_kid_begins_with_a_dash(void **state)
{
    const struct randomness randomness = randomness_system();

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        struct signing_key *key = signing_key_generate(SIGNING_HS256, NULL, &randomness, NULL);

        assert_non_null(key);
        assert_int_not_equal(signing_key_kid(key)[0], '-');
        signing_key_close(key);
    }
}

static void generated_keys_can_be_used(void **state)
{
    static const enum signing_algorithm algorithms[] = {
        SIGNING_HS256, SIGNING_RS256, SIGNING_PS256, SIGNING_ES256, SIGNING_ES384, SIGNING_EDDSA};
    struct randomness randomness = fixture_randomness();

    (void)state;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        struct signing_key *key = signing_key_generate(algorithms[i], NULL, &randomness, NULL);
        assert_true(verify(key, input, sign(key, input)));
        assert_false(verify(fixture_key(algorithms[i]), input, sign(key, input)));
        signing_key_close(key);
    }
}

/* ---- sealing ---- */

static void sealed_keys_come_back(void **state)
{
    struct randomness randomness = fixture_randomness();

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        const struct signing_key *key = fixture_key((enum signing_algorithm)i);
        struct signing_row row = {.number = 7, .state = SIGNING_ACTIVE, .realm = "r"};
        struct signing_row again = row;
        struct fault fault = {""};
        assert_true(signing_key_seal(key, fixture_secrets(1), &randomness, &row, &fault));
        assert_true(signing_key_seal(key, fixture_secrets(1), &randomness, &again, &fault));
        assert_memory_not_equal(row.sealed, again.sealed, 12); /* AES-GCM: a nonce is used once */
        assert_string_equal(row.kid, signing_key_kid(key));
        assert_int_equal(row.algorithm, i);
        assert_int_equal(row.number, 7); /* the caller's part is left alone */
        assert_string_equal(row.realm, "r");

        struct signing_key *back = signing_key_unseal(&row, fixture_secrets(1), &fault);
        assert_non_null(back);
        assert_string_equal(signing_key_kid(back), signing_key_kid(key));
        assert_true(verify(key, input, sign(back, input)));
        assert_true(verify(back, input, sign(key, input)));
        signing_key_close(back);
    }
}

static void largest_rsa_key_can_be_sealed(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct signing_row row = {0};
    struct signing_key *key =
        signing_key_from_pem(SIGNING_RS256, fixture_private_pem("RSA-4096"), NULL, NULL);

    (void)state;
    assert_non_null(key);
    assert_true(signing_key_seal(key, fixture_secrets(1), &randomness, &row, NULL));
    assert_int_equal(sign(key, input).size, 512);
    signing_key_close(key);
}

static void sealed_keys_are_bound(void **state)
{
    struct randomness randomness = fixture_randomness();
    struct signing_row row = {0};
    struct signing_row other;
    struct fault fault = {""};

    (void)state;
    assert_true(
        signing_key_seal(fixture_key(SIGNING_RS256), fixture_secrets(1), &randomness, &row, NULL));
    assert_null(signing_key_unseal(&row, fixture_secrets(2), &fault)); /* another master secret */
    assert_non_null(strstr(fault.text, row.kid));

    other = row;
    other.kid[0] = other.kid[0] == 'x' ? 'y' : 'x'; /* another id */
    assert_null(signing_key_unseal(&other, fixture_secrets(1), &fault));
    other = row;
    other.algorithm = SIGNING_RS512; /* another algorithm that the key would do for */
    assert_null(signing_key_unseal(&other, fixture_secrets(1), &fault));
    other = row;
    other.algorithm = SIGNING_HS256; /* the private key as a secret */
    assert_null(signing_key_unseal(&other, fixture_secrets(1), &fault));
    for (size_t bit = 0; bit < (size_t)row.sealed_size * 8; bit += 61) {
        other = row;
        other.sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_null(signing_key_unseal(&other, fixture_secrets(1), NULL));
    }
    static const uint16_t sizes[] = {0, 1, 27, 28, 29, SIGNING_SEALED_MAX, UINT16_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        other = row;
        other.sealed_size = sizes[i];
        assert_null(signing_key_unseal(&other, fixture_secrets(1), NULL));
    }
    other = row;
    other.sealed_size--;
    assert_null(signing_key_unseal(&other, fixture_secrets(1), NULL));
    memset(other.kid, 'k', sizeof other.kid - 1);
    other.kid[3] = '/';
    assert_null(signing_key_unseal(&other, fixture_secrets(1), &fault));
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 8 };

static atomic_int failures;

static void *work(void *unused)
{
    uint8_t signature[SIGNING_SIGNATURE_MAX];

    for (int round = 0; round < (is_under_valgrind() ? 1 : ROUNDS); round++) {
        for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
            const struct signing_key *key = fixture_key((enum signing_algorithm)i);
            size_t size = sizeof signature;
            if (!signing_key_sign(key, input, signature, &size) ||
                !signing_key_verify(key, input, signature, size)) {
                atomic_fetch_add(&failures, 1);
            }
        }
    }
    return unused;
}

static void eight_threads_at_once(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        fixture_key((enum signing_algorithm)i); /* made before they are shared */
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&failures), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_kid_begins_with_a_dash),
        cmocka_unit_test(ed25519_vector),
        cmocka_unit_test(es256_vector),
        cmocka_unit_test(hs256_vector),
        cmocka_unit_test(rsa_thumbprint_vector),
        cmocka_unit_test(only_the_diagonal_verifies),
        cmocka_unit_test(one_rsa_key_has_one_algorithm),
        cmocka_unit_test(signatures_have_their_size),
        cmocka_unit_test(changed_signatures_are_refused),
        cmocka_unit_test(ecdsa_range_and_form),
        cmocka_unit_test(short_numbers_are_padded),
        cmocka_unit_test(imports),
        cmocka_unit_test(pem_forms),
        cmocka_unit_test(huge_pem_is_refused),
        cmocka_unit_test(secrets_need_32_bytes),
        cmocka_unit_test(kids),
        cmocka_unit_test(default_kid_of_a_secret),
        cmocka_unit_test(generation_needs_randomness),
        cmocka_unit_test(generated_keys_can_be_used),
        cmocka_unit_test(sealed_keys_come_back),
        cmocka_unit_test(largest_rsa_key_can_be_sealed),
        cmocka_unit_test(sealed_keys_are_bound),
        cmocka_unit_test(eight_threads_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
