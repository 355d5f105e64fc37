/* SPDX-License-Identifier: ISC */
/* signing_profile.c: the table of algorithms. Knows what RFC 7518, RFC 8037 and RFC 8725 require of
 * a key. Does not know where keys come from or what they sign. */
#include "token/signing_profile.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#define RSA_WANTED                                                                                 \
    "an RSA key of 2048 to 4096 bits with two primes and an exponent of at least 65537"

#define SECRET_WANTED "a secret of at least 32 bytes"

static const struct signing_profile profiles[SIGNING_ALGORITHMS] = {
    [SIGNING_HS256] = {.kty = "oct", .mac = 32, .wanted = SECRET_WANTED},
    [SIGNING_HS384] = {.kty = "oct", .mac = 48, .wanted = SECRET_WANTED},
    [SIGNING_HS512] = {.kty = "oct", .mac = 64, .wanted = SECRET_WANTED},
    [SIGNING_RS256] = {.type = "RSA", .digest = "SHA256", .kty = "RSA", .wanted = RSA_WANTED},
    [SIGNING_RS384] = {.type = "RSA", .digest = "SHA384", .kty = "RSA", .wanted = RSA_WANTED},
    [SIGNING_RS512] = {.type = "RSA", .digest = "SHA512", .kty = "RSA", .wanted = RSA_WANTED},
    [SIGNING_PS256] =
        {.type = "RSA", .digest = "SHA256", .kty = "RSA", .pss = true, .wanted = RSA_WANTED},
    [SIGNING_ES256] = {.type = "EC",
                       .digest = "SHA256",
                       .group = "prime256v1",
                       .curve = "P-256",
                       .kty = "EC",
                       .half = 32,
                       .wanted = "an EC key on P-256"},
    [SIGNING_ES384] = {.type = "EC",
                       .digest = "SHA384",
                       .group = "secp384r1",
                       .curve = "P-384",
                       .kty = "EC",
                       .half = 48,
                       .wanted = "an EC key on P-384"},
    [SIGNING_ES512] = {.type = "EC",
                       .digest = "SHA512",
                       .group = "secp521r1",
                       .curve = "P-521",
                       .kty = "EC",
                       .half = 66,
                       .wanted = "an EC key on P-521"},
    [SIGNING_EDDSA] = {.type = "ED25519",
                       .curve = "Ed25519",
                       .kty = "OKP",
                       .wanted = "an Ed25519 key"},
};

const struct signing_profile *signing_profile(enum signing_algorithm algorithm)
{
    return &profiles[algorithm];
}

static bool exponent_fits(const EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    /* odd and of 17 bits or more: 65537 or larger; a huge one only makes verifying slow */
    bool fits = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) == 1 &&
                BN_num_bits(e) >= 17 && BN_num_bits(e) <= SIGNING_RSA_EXPONENT_BITS_MAX;

    BN_free(e);
    return fits;
}

static bool rsa_fits(const EVP_PKEY *pkey, struct fault *fault)
{
    int bits = EVP_PKEY_get_bits(pkey);

    if (bits < SIGNING_RSA_BITS_MIN || bits > SIGNING_RSA_BITS_MAX) {
        fault_set(fault, "the RSA key has %d bits; it must have %d to %d", bits,
                  (int)SIGNING_RSA_BITS_MIN, (int)SIGNING_RSA_BITS_MAX);
    } else if (!exponent_fits(pkey)) {
        fault_set(fault,
                  "the RSA key's exponent must be odd, at least 65537 and of at most %d bits",
                  (int)SIGNING_RSA_EXPONENT_BITS_MAX);
    } else {
        return true;
    }
    return false;
}

static bool group_fits(const struct signing_profile *profile, const EVP_PKEY *pkey,
                       struct fault *fault)
{
    char group[64] = "";

    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1) {
        fault_set(fault, "the EC key is not on a named curve; it must be on %s", profile->curve);
    } else if (!text_is(text_of(group), profile->group)) {
        fault_set(fault, "the EC key is on the curve %s; it must be on %s", group, profile->curve);
    } else {
        return true;
    }
    return false;
}

bool signing_profile_fits(const struct signing_profile *profile, const EVP_PKEY *pkey,
                          struct fault *fault)
{
    if (profile->type == NULL || EVP_PKEY_is_a(pkey, profile->type) != 1) {
        const char *type = EVP_PKEY_get0_type_name(pkey);
        fault_set(fault, "the key is of type %s; what is needed is %s",
                  type != NULL ? type : "unknown", profile->wanted);
        return false;
    } else if (profile->group != NULL) {
        return group_fits(profile, pkey, fault);
    } else if (profile->digest != NULL) {
        return rsa_fits(pkey, fault);
    }
    return true;
}

EVP_PKEY *signing_profile_generate(const struct signing_profile *profile)
{
    if (profile->group != NULL) {
        return EVP_EC_gen(profile->group);
    } else if (profile->digest != NULL) {
        return EVP_RSA_gen(SIGNING_RSA_BITS_MIN);
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, profile->type);
}
