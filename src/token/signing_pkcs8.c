/* signing_pkcs8.c: reads the three kinds of keys that we store in the one form that libcrypto
 * writes them in, and leaves any other form to libcrypto's decoder. Knows the elements that such a
 * key is made of, and libcrypto's names of key parameters. Does not know algorithms, sealing or the
 * store.
 *
 * By hand: the decoder tries every key format that any provider knows, and costs a process that
 * signs once more than its signature does. */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "base/secret.h"

#include "token/der.h"
#include "token/signing_pkcs8.h"

enum { NUMBERS_MAX = 8, ROOM = SIGNING_SEALED_MAX };

static bool take_version(struct der *from, uint8_t version)
{
    struct der number;

    return der_take(from, DER_INTEGER, &number) && number.left == 1 && number.at[0] == version;
}

/* ---- libcrypto's parameters ---- */

struct parameters {
    OSSL_PARAM list[NUMBERS_MAX + 1];
    size_t count;
    uint8_t room[ROOM];
    size_t used;
};

/* OSSL_PARAM's numbers are in the byte order of the machine, ASN.1's have the largest byte first.
 */
static bool add_number(struct parameters *parameters, const char *name, struct der number)
{
    uint8_t *to = parameters->room + parameters->used;

    if (number.left == 0 || number.left > sizeof parameters->room - parameters->used) {
        return false;
    }
    for (size_t i = 0; i < number.left; i++) {
        to[i] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? number.at[number.left - 1 - i]
                                                          : number.at[i];
    }
    parameters->used += number.left;
    parameters->list[parameters->count++] = OSSL_PARAM_construct_BN(name, to, number.left);
    return true;
}

/* A copy: OSSL_PARAM has no const, though libcrypto only reads what we pass. */
static void *copy_of(struct parameters *parameters, const void *bytes, size_t size)
{
    uint8_t *to = parameters->room + parameters->used;

    if (size > sizeof parameters->room - parameters->used) {
        return NULL;
    }
    memcpy(to, bytes, size);
    parameters->used += size;
    return to;
}

static bool add_bytes(struct parameters *parameters, const char *name, struct der bytes)
{
    void *copy = copy_of(parameters, bytes.at, bytes.left);

    if (copy != NULL) {
        parameters->list[parameters->count++] =
            OSSL_PARAM_construct_octet_string(name, copy, bytes.left);
    }
    return copy != NULL;
}

static bool add_word(struct parameters *parameters, const char *name, const char *word)
{
    char *copy = copy_of(parameters, word, strlen(word) + 1);

    if (copy != NULL) {
        parameters->list[parameters->count++] = OSSL_PARAM_construct_utf8_string(name, copy, 0);
    }
    return copy != NULL;
}

static EVP_PKEY *make_pair(const char *type, struct parameters *parameters)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    parameters->list[parameters->count] = OSSL_PARAM_construct_end();
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, parameters->list) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

/* ---- the three kinds ---- */

/* RSAPrivateKey of two primes (RFC 8017 A.1.2). */
static bool read_rsa(struct der key, struct parameters *parameters)
{
    static const char *const names[NUMBERS_MAX] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    struct der fields, number;

    if (!der_take(&key, DER_SEQUENCE, &fields) || key.left != 0 || !take_version(&fields, 0)) {
        return false;
    }
    for (size_t i = 0; i < NUMBERS_MAX; i++) {
        if (!der_take(&fields, DER_INTEGER, &number) || !add_number(parameters, names[i], number)) {
            return false;
        }
    }
    return fields.left == 0;
}

/* ECPrivateKey with its public key and without a second name of the curve (RFC 5915). */
static bool read_ec(const char *group, struct der key, struct parameters *parameters)
{
    struct der fields, number, tagged, point;

    if (!der_take(&key, DER_SEQUENCE, &fields) || key.left != 0 || !take_version(&fields, 1) ||
        !der_take(&fields, DER_OCTET_STRING, &number) ||
        !der_take(&fields, DER_CONTEXT_1, &tagged) || fields.left != 0 ||
        !der_take(&tagged, DER_BIT_STRING, &point) || tagged.left != 0 || point.left < 2 ||
        point.at[0] != 0) {
        return false;
    }
    point = (struct der){point.at + 1, point.left - 1}; /* behind the number of unused bits */
    return add_word(parameters, OSSL_PKEY_PARAM_GROUP_NAME, group) &&
           add_number(parameters, OSSL_PKEY_PARAM_PRIV_KEY, number) &&
           add_bytes(parameters, OSSL_PKEY_PARAM_PUB_KEY, point);
}

static bool is_on(const char *group, const X509_ALGOR *algorithm)
{
    int type;
    const void *curve;

    X509_ALGOR_get0(NULL, &type, &curve, algorithm);
    return type == V_ASN1_OBJECT && OBJ_obj2nid(curve) == OBJ_sn2nid(group);
}

/* CurvePrivateKey: 32 bytes in one more string (RFC 8410). */
static EVP_PKEY *make_ed25519(struct der key)
{
    struct der bytes;

    if (!der_take(&key, DER_OCTET_STRING, &bytes) || key.left != 0) {
        return NULL;
    }
    return EVP_PKEY_new_raw_private_key_ex(NULL, SN_ED25519, NULL, bytes.at, bytes.left);
}

/* NULL when the key is not in its usual form; then libcrypto's decoder shall judge it. */
static EVP_PKEY *read_usual(const struct signing_profile *profile, const PKCS8_PRIV_KEY_INFO *info)
{
    const ASN1_OBJECT *type;
    const X509_ALGOR *algorithm;
    struct der key;
    int size;
    struct parameters parameters = {.count = 0};
    EVP_PKEY *pkey = NULL;

    if (PKCS8_pkey_get0(&type, &key.at, &size, &algorithm, info) != 1 || size <= 0) {
        return NULL;
    }
    key.left = (size_t)size;
    switch (OBJ_obj2nid(type)) {
    case NID_rsaEncryption:
        pkey = read_rsa(key, &parameters) ? make_pair("RSA", &parameters) : NULL;
        break;
    case NID_X9_62_id_ecPublicKey:
        if (profile->group != NULL && is_on(profile->group, algorithm) &&
            read_ec(profile->group, key, &parameters)) {
            pkey = make_pair("EC", &parameters);
        }
        break;
    case NID_ED25519:
        pkey = make_ed25519(key);
        break;
    default:
        break;
    }
    secret_wipe(parameters.room, parameters.used);
    return pkey;
}

/* ---- */

EVP_PKEY *signing_pkcs8_read(const struct signing_profile *profile, const uint8_t *bytes,
                             size_t size)
{
    const uint8_t *at = bytes;
    EVP_PKEY *pkey = NULL;

    crypto_start();
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)size);
    if (info != NULL && at == bytes + size) {
        pkey = read_usual(profile, info);
        pkey = pkey != NULL ? pkey : EVP_PKCS82PKEY(info);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return pkey;
}

size_t signing_pkcs8_write(const EVP_PKEY *pkey, uint8_t **bytes)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    int size;

    *bytes = NULL;
    size = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, bytes) : 0;
    PKCS8_PRIV_KEY_INFO_free(info);
    return size > 0 ? (size_t)size : 0;
}
