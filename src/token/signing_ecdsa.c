/* signing_ecdsa.c: one signature, two spellings. Knows DER's SEQUENCE of two INTEGERs (X.690) and
 * takes exactly one spelling of it. Does not know keys, curves or what was signed.
 *
 * By hand: libcrypto would make and free five objects for each signature. */
#include <string.h>

#include "token/signing_ecdsa.h"

enum {
    TAG_INTEGER = 0x02,
    TAG_SEQUENCE = 0x30,
    LENGTH_IN_NEXT_BYTE = 0x81, /* for lengths from 0x80 */
    TOP_BIT = 0x80,             /* of an INTEGER's first byte: it is negative */
    HALF_MAX = 66               /* P-521 */
};

_Static_assert(3 + 2 * (2 + 1 + HALF_MAX) <= SIGNING_ECDSA_DER_MAX, "room for the longest");

/* ---- from ASN.1 ---- */

/* What is still to be read. */
struct der {
    const uint8_t *at;
    size_t left;
};

/* Tag and length. False unless at least that many bytes follow. */
static bool take_head(struct der *der, uint8_t tag, size_t *size)
{
    size_t head = 2;

    if (der->left < head || der->at[0] != tag) {
        return false;
    }
    *size = der->at[1];
    if (*size == LENGTH_IN_NEXT_BYTE && der->left > head && der->at[head] >= 0x80) {
        *size = der->at[head++];
    } else if (*size >= 0x80) {
        return false;
    }
    der->at += head;
    der->left -= head;
    return *size <= der->left;
}

/* A number that is not negative, spelled as shortly as possible, into `half` bytes. */
static bool take_integer(struct der *der, size_t half, uint8_t *out)
{
    size_t size;

    if (!take_head(der, TAG_INTEGER, &size) || size == 0 || (der->at[0] & TOP_BIT) != 0) {
        return false;
    }
    const uint8_t *digits = der->at;
    der->at += size;
    der->left -= size;
    if (digits[0] == 0 && size > 1) {
        digits++;
        size--;
        if ((digits[0] & TOP_BIT) == 0) {
            return false; /* the zero was not needed */
        }
    }
    if (size > half) {
        return false;
    }
    memset(out, 0, half - size);
    memcpy(out + half - size, digits, size);
    return true;
}

bool signing_ecdsa_to_raw(const uint8_t *der, size_t der_size, size_t half, uint8_t *raw)
{
    struct der rest = {der, der_size};
    size_t size;

    return take_head(&rest, TAG_SEQUENCE, &size) && size == rest.left &&
           take_integer(&rest, half, raw) && take_integer(&rest, half, raw + half) &&
           rest.left == 0;
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
    *out++ = TAG_INTEGER;
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
    *out++ = TAG_SEQUENCE;
    if (size >= 0x80) {
        *out++ = LENGTH_IN_NEXT_BYTE;
    }
    *out++ = (uint8_t)size;
    memcpy(out, pair, size);
    return (size_t)(out - der) + size;
}
