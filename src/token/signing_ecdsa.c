/* signing_ecdsa.c: one signature, two spellings. Knows libcrypto's ECDSA_SIG. Does not know keys,
 * curves or what was signed. */
#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "token/signing_ecdsa.h"

bool signing_ecdsa_to_raw(const uint8_t *der, size_t der_size, size_t half, uint8_t *raw)
{
    const uint8_t *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_size);
    bool good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)half) == (int)half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + half, (int)half) == (int)half;

    ECDSA_SIG_free(pair);
    return good;
}

size_t signing_ecdsa_from_raw(const uint8_t *raw, size_t half, uint8_t der[SIGNING_ECDSA_DER_MAX])
{
    uint8_t *at = der;
    int size = 0;
    BIGNUM *r = BN_bin2bn(raw, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(raw + half, (int)half, NULL);
    ECDSA_SIG *pair = ECDSA_SIG_new();

    if (r != NULL && s != NULL && pair != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        size = i2d_ECDSA_SIG(pair, NULL) <= SIGNING_ECDSA_DER_MAX ? i2d_ECDSA_SIG(pair, &at) : 0;
    }
    ECDSA_SIG_free(pair);
    BN_free(r);
    BN_free(s);
    return size > 0 ? (size_t)size : 0;
}
