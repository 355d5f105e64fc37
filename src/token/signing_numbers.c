/* SPDX-License-Identifier: ISC */
/* signing_numbers.c: raw numbers of a key pair, out of libcrypto and into it again. Knows
 * libcrypto's names of key parameters and the order in which the numbers are stored:
 *
 *     RSA      n e d p q dp dq qi, each behind its size in two bytes
 *     EC       x y d, each at the full length of the curve
 *     Ed25519  x d, 32 bytes each
 *
 * Does not know algorithms, sealing or the store.
 *
 * EVP_PKEY_fromdata wants an array of parameters. It is filled here and not by OSSL_PARAM_BLD,
 * which leaves copies of private numbers behind on the heap. */
#include "token/signing_numbers.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "base/crypto.h"
#include "base/secret.h"

enum { SIZE_BYTES = 2, GROUP_NAME_MAX = 16 };

static const char *const rsa_names[SIGNING_RSA_NUMBERS] = {
    [SIGNING_N] = OSSL_PKEY_PARAM_RSA_N,          [SIGNING_E] = OSSL_PKEY_PARAM_RSA_E,
    [SIGNING_D] = OSSL_PKEY_PARAM_RSA_D,          [SIGNING_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [SIGNING_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,    [SIGNING_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [SIGNING_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2, [SIGNING_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static size_t write_rsa(const EVP_PKEY *pkey, uint8_t *bytes);
static size_t write_ec(const EVP_PKEY *pkey, size_t half, uint8_t *bytes);
static size_t write_ed25519(const EVP_PKEY *pkey, uint8_t *bytes);
static bool take(struct text *from, size_t size, struct text *number);
static bool take_sized(struct text *from, struct text *number);

/* What EVP_PKEY_fromdata reads, and room for copies, because OSSL_PARAM has no const. */
struct parameters {
    OSSL_PARAM list[SIGNING_RSA_NUMBERS + 1];
    size_t count;
    uint8_t room[SIGNING_NUMBERS_MAX];
    size_t used;
};
/* `what`: EVP_PKEY_KEYPAIR or EVP_PKEY_PUBLIC_KEY. */
static EVP_PKEY *make(const struct signing_profile *profile, const struct signing_numbers *numbers,
                      int what);
static EVP_PKEY *make_rsa(const struct signing_numbers *numbers, int what,
                          struct parameters *parameters);
static EVP_PKEY *make_ec(const char *group, const struct signing_numbers *numbers, int what,
                         struct parameters *parameters);
static EVP_PKEY *make_ed25519(const struct signing_numbers *numbers, int what,
                              struct parameters *parameters);

static bool is_rsa(const struct signing_profile *profile)
{
    return profile->group == NULL && profile->digest != NULL;
}

/* ---- writing ---- */

size_t signing_numbers_write(const struct signing_profile *profile, const EVP_PKEY *pkey,
                             uint8_t bytes[SIGNING_NUMBERS_MAX])
{
    size_t size = is_rsa(profile)          ? write_rsa(pkey, bytes)
                  : profile->group != NULL ? write_ec(pkey, profile->half, bytes)
                                           : write_ed25519(pkey, bytes);

    ERR_clear_error();
    return size;
}

/* A number that libcrypto names, padded to `size` bytes, or at its own length when `size` is 0.
 * Returns how many bytes were written; 0 on failure. */
static size_t write_number(const EVP_PKEY *pkey, const char *name, size_t size, uint8_t *out)
{
    BIGNUM *number = NULL;
    size_t written = 0;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
        size = size != 0 ? size : (size_t)BN_num_bytes(number);
        if (size <= SIGNING_NUMBER_MAX && BN_bn2binpad(number, out, (int)size) == (int)size) {
            written = size;
        }
    }
    BN_clear_free(number);
    return written;
}

static bool has_third_prime(const EVP_PKEY *pkey)
{
    BIGNUM *prime = NULL;
    bool has = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &prime) == 1;

    BN_clear_free(prime);
    return has;
}

static size_t write_rsa(const EVP_PKEY *pkey, uint8_t *bytes)
{
    size_t used = 0;

    if (has_third_prime(pkey)) {
        return 0;
    }
    for (size_t i = 0; i < SIGNING_RSA_NUMBERS; i++) {
        uint8_t *at = bytes + used;
        size_t size = write_number(pkey, rsa_names[i], 0, at + SIZE_BYTES);
        if (size == 0) {
            return 0;
        }
        at[0] = (uint8_t)(size >> 8);
        at[1] = (uint8_t)size;
        used += SIZE_BYTES + size;
    }
    return used;
}

static size_t write_ec(const EVP_PKEY *pkey, size_t half, uint8_t *bytes)
{
    bool good = write_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, half, bytes) != 0 &&
                write_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, half, bytes + half) != 0 &&
                write_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, half, bytes + 2 * half) != 0;

    return good ? 3 * half : 0;
}

static size_t write_ed25519(const EVP_PKEY *pkey, uint8_t *bytes)
{
    size_t x = SIGNING_ED25519_SIZE;
    size_t d = SIGNING_ED25519_SIZE;
    bool good = EVP_PKEY_get_raw_public_key(pkey, bytes, &x) == 1 &&
                EVP_PKEY_get_raw_private_key(pkey, bytes + SIGNING_ED25519_SIZE, &d) == 1;

    return good && x == SIGNING_ED25519_SIZE && d == SIGNING_ED25519_SIZE ? 2 * SIGNING_ED25519_SIZE
                                                                          : 0;
}

bool signing_numbers_read_public(const struct signing_profile *profile, const EVP_PKEY *pkey,
                                 uint8_t room[SIGNING_PUBLIC_MAX], struct signing_numbers *numbers)
{
    enum signing_number first = is_rsa(profile) ? SIGNING_N : SIGNING_X;
    enum signing_number second = is_rsa(profile) ? SIGNING_E : SIGNING_Y;
    size_t sizes[2] = {0, 0};

    if (is_rsa(profile)) {
        sizes[0] = write_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, room);
        sizes[1] = write_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, room + SIGNING_NUMBER_MAX);
    } else if (profile->group != NULL) {
        sizes[0] = write_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, profile->half, room);
        sizes[1] =
            write_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, profile->half, room + SIGNING_NUMBER_MAX);
    } else {
        sizes[0] = SIGNING_NUMBER_MAX;
        sizes[0] = EVP_PKEY_get_raw_public_key(pkey, room, &sizes[0]) == 1 ? sizes[0] : 0;
    }
    ERR_clear_error();
    *numbers = (struct signing_numbers){0};
    numbers->of[first] = (struct text){(const char *)room, sizes[0]};
    numbers->of[second] = (struct text){(const char *)room + SIGNING_NUMBER_MAX, sizes[1]};
    return sizes[0] != 0 && (sizes[1] != 0 || profile->digest == NULL);
}

/* ---- splitting ---- */

bool signing_numbers_split(const struct signing_profile *profile, struct text bytes,
                           struct signing_numbers *numbers)
{
    bool good = true;

    *numbers = (struct signing_numbers){0};
    if (is_rsa(profile)) {
        for (size_t i = 0; good && i < SIGNING_RSA_NUMBERS; i++) {
            good = take_sized(&bytes, &numbers->of[i]);
        }
    } else if (profile->group != NULL) {
        good = take(&bytes, profile->half, &numbers->of[SIGNING_X]) &&
               take(&bytes, profile->half, &numbers->of[SIGNING_Y]) &&
               take(&bytes, profile->half, &numbers->of[SIGNING_D]);
    } else {
        good = take(&bytes, SIGNING_ED25519_SIZE, &numbers->of[SIGNING_X]) &&
               take(&bytes, SIGNING_ED25519_SIZE, &numbers->of[SIGNING_D]);
    }
    return good && bytes.size == 0;
}

static bool take(struct text *from, size_t size, struct text *number)
{
    if (size == 0 || size > SIGNING_NUMBER_MAX || size > from->size) {
        return false;
    }
    *number = text_cut(*from, size);
    *from = text_from(*from, size);
    return true;
}

static bool take_sized(struct text *from, struct text *number)
{
    struct text size;

    return take(from, SIZE_BYTES, &size) &&
           take(from, (size_t)(uint8_t)size.data[0] << 8 | (uint8_t)size.data[1], number);
}

/* ---- making a key ---- */

EVP_PKEY *signing_numbers_pair(const struct signing_profile *profile,
                               const struct signing_numbers *numbers)
{
    return make(profile, numbers, EVP_PKEY_KEYPAIR);
}

EVP_PKEY *signing_numbers_public(const struct signing_profile *profile,
                                 const struct signing_numbers *numbers)
{
    return make(profile, numbers, EVP_PKEY_PUBLIC_KEY);
}

static EVP_PKEY *make(const struct signing_profile *profile, const struct signing_numbers *numbers,
                      int what)
{
    struct parameters parameters = {.count = 0};
    EVP_PKEY *pkey;

    if (!crypto_start()) {
        return NULL;
    }
    pkey = is_rsa(profile)          ? make_rsa(numbers, what, &parameters)
           : profile->group != NULL ? make_ec(profile->group, numbers, what, &parameters)
                                    : make_ed25519(numbers, what, &parameters);
    secret_wipe(parameters.room, parameters.used);
    ERR_clear_error();
    return pkey;
}

/* NULL when there is no room. */
static uint8_t *claim(struct parameters *parameters, size_t size)
{
    uint8_t *to = parameters->room + parameters->used;

    if (size > sizeof parameters->room - parameters->used) {
        return NULL;
    }
    parameters->used += size;
    return to;
}

/* Parameters have the byte order of the machine. */
static bool add_number(struct parameters *parameters, const char *name, struct text number)
{
    uint8_t *to = claim(parameters, number.size);

    if (to == NULL) {
        return false;
    }
    for (size_t i = 0; i < number.size; i++) {
        size_t from = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? number.size - 1 - i : i;
        to[i] = (uint8_t)number.data[from];
    }
    parameters->list[parameters->count++] = OSSL_PARAM_construct_BN(name, to, number.size);
    return true;
}

static bool add_octets(struct parameters *parameters, const char *name, struct text octets)
{
    uint8_t *to = claim(parameters, octets.size);

    if (to == NULL) {
        return false;
    }
    memcpy(to, octets.data, octets.size);
    parameters->list[parameters->count++] =
        OSSL_PARAM_construct_octet_string(name, to, octets.size);
    return true;
}

static EVP_PKEY *key_of(const char *type, int what, struct parameters *parameters)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    parameters->list[parameters->count] = OSSL_PARAM_construct_end();
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, what, parameters->list) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static EVP_PKEY *make_rsa(const struct signing_numbers *numbers, int what,
                          struct parameters *parameters)
{
    size_t count = what == EVP_PKEY_KEYPAIR ? SIGNING_RSA_NUMBERS : SIGNING_E + 1;

    for (size_t i = 0; i < count; i++) {
        if (!add_number(parameters, rsa_names[i], numbers->of[i])) {
            return NULL;
        }
    }
    return key_of("RSA", what, parameters);
}

/* The public point in its uncompressed form (SEC 1 section 2.3.3). */
static EVP_PKEY *make_ec(const char *group, const struct signing_numbers *numbers, int what,
                         struct parameters *parameters)
{
    char name[GROUP_NAME_MAX];
    char point[1 + 2 * SIGNING_HALF_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    struct text x = numbers->of[SIGNING_X];
    struct text y = numbers->of[SIGNING_Y];

    memcpy(point + 1, x.data, x.size);
    memcpy(point + 1 + x.size, y.data, y.size);
    if (!text_copy(text_of(group), name, sizeof name) ||
        !add_octets(parameters, OSSL_PKEY_PARAM_PUB_KEY,
                    (struct text){point, 1 + x.size + y.size}) ||
        (what == EVP_PKEY_KEYPAIR &&
         !add_number(parameters, OSSL_PKEY_PARAM_PRIV_KEY, numbers->of[SIGNING_D]))) {
        return NULL;
    }
    parameters->list[parameters->count++] =
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
    return key_of("EC", what, parameters);
}

static EVP_PKEY *make_ed25519(const struct signing_numbers *numbers, int what,
                              struct parameters *parameters)
{
    return add_octets(parameters, OSSL_PKEY_PARAM_PUB_KEY, numbers->of[SIGNING_X]) &&
                   (what == EVP_PKEY_PUBLIC_KEY ||
                    add_octets(parameters, OSSL_PKEY_PARAM_PRIV_KEY, numbers->of[SIGNING_D]))
               ? key_of("ED25519", what, parameters)
               : NULL;
}
