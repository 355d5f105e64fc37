/* signing_ecdsa.c: one signature, two spellings. Knows DER's SEQUENCE of two INTEGERs and takes
 * exactly one spelling of it. Does not know keys, curves or what was signed.
 *
 * By hand: libcrypto would make and free five objects for each signature. */
#include <string.h>

#include "token/der.h"
#include "token/signing_ecdsa.h"

enum {
    LENGTH_IN_NEXT_BYTE = 0x81, /* for lengths from 0x80 */
    TOP_BIT = 0x80,             /* of an INTEGER's first byte: it is negative */
    HALF_MAX = 66               /* P-521 */
};

_Static_assert(3 + 2 * (2 + 1 + HALF_MAX) <= SIGNING_ECDSA_DER_MAX, "room for the longest");

/* ---- from ASN.1 ---- */

/* A number that is not negative, spelled as shortly as possible, into `half` bytes. */
static bool take_integer(struct der *der, size_t half, uint8_t *out)
{
    struct der digits;

    if (!der_take(der, DER_INTEGER, &digits) || digits.left == 0 || (digits.at[0] & TOP_BIT) != 0) {
        return false;
    }
    if (digits.at[0] == 0 && digits.left > 1) {
        digits.at++;
        digits.left--;
        if ((digits.at[0] & TOP_BIT) == 0) {
            return false; /* the zero was not needed */
        }
    }
    if (digits.left > half) {
        return false;
    }
    memset(out, 0, half - digits.left);
    memcpy(out + half - digits.left, digits.at, digits.left);
    return true;
}

bool signing_ecdsa_to_raw(const uint8_t *der, size_t der_size, size_t half, uint8_t *raw)
{
    struct der whole = {der, der_size};
    struct der pair;

    return der_take(&whole, DER_SEQUENCE, &pair) && whole.left == 0 &&
           take_integer(&pair, half, raw) && take_integer(&pair, half, raw + half) &&
           pair.left == 0;
}

/* ---- to ASN.1 ---- */

/* Returns what comes behind the number. */
static uint8_t *put_integer(const uint8_t *digits, size_t size, uint8_t *out)
{
    while (size > 1 && digits[0] == 0) {
        digits++;
        size--;
    }
    bool zero_needed = (digits[0] & TOP_BIT) != 0;
    *out++ = DER_INTEGER;
    *out++ = (uint8_t)(size + zero_needed);
    if (zero_needed) {
        *out++ = 0;
    }
    memcpy(out, digits, size);
    return out + size;
}

size_t signing_ecdsa_from_raw(const uint8_t *raw, size_t half, uint8_t der[SIGNING_ECDSA_DER_MAX])
{
    uint8_t pair[SIGNING_ECDSA_DER_MAX];
    uint8_t *out = der;

    if (half == 0 || half > HALF_MAX) {
        return 0;
    }
    size_t size = (size_t)(put_integer(raw + half, half, put_integer(raw, half, pair)) - pair);
    *out++ = DER_SEQUENCE;
    if (size >= 0x80) {
        *out++ = LENGTH_IN_NEXT_BYTE;
    }
    *out++ = (uint8_t)size;
    memcpy(out, pair, size);
    return (size_t)(out - der) + size;
}
