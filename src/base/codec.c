/* SPDX-License-Identifier: ISC */
/* codec.c: binary values and their spellings. Knows alphabets and byte order; does not know what
 * the values mean. A decoder accepts only one spelling of each value, so that the string accepted
 * is the string issued. */
#include "base/codec.h"

#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
static const char base64url_digits[] = LETTERS_AND_DIGITS "-_";
static const char base64_digits[] = LETTERS_AND_DIGITS "+/";

size_t codec_base64url_size(size_t size)
{
    return size / 3 * 4 + (size % 3 == 0 ? 0 : size % 3 + 1);
}

/* Three bytes make four digits. */
static void put_digits(const char *digits, const uint8_t in[3], char out[4])
{
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 0x3f];
    out[2] = digits[bits >> 6 & 0x3f];
    out[3] = digits[bits & 0x3f];
}

/* Without padding. Returns the end. */
static char *encode(const char *digits, const uint8_t *in, size_t size, char *out)
{
    for (; size >= 3; size -= 3, in += 3, out += 4) {
        put_digits(digits, in, out);
    }
    if (size > 0) {
        uint8_t last[3] = {in[0], size == 2 ? in[1] : 0, 0};
        char four[4];
        put_digits(digits, last, four);
        memcpy(out, four, size + 1);
        out += size + 1;
    }
    return out;
}

void codec_base64url_encode(const void *data, size_t size, char *out)
{
    encode(base64url_digits, data, size, out);
}

size_t codec_base64_size(size_t size)
{
    return size / 3 * 4 + (size % 3 == 0 ? 0 : 4);
}

void codec_base64_encode(const void *data, size_t size, char *out)
{
    char *end = encode(base64_digits, data, size, out);

    memset(end, '=', (size_t)(out + codec_base64_size(size) - end));
}

/* The two characters in which the alphabets of RFC 4648 differ. */
struct alphabet {
    char digit_62, digit_63;
};

static int digit_of(char c, const struct alphabet *alphabet)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    } else if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    } else if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    } else if (c == alphabet->digit_62) {
        return 62;
    } else if (c == alphabet->digit_63) {
        return 63;
    }
    return -1;
}

/* Without padding. One digit alone is less than a byte, so size % 4 == 1 is malformed. */
static bool decode_unpadded(struct text t, const struct alphabet *alphabet, uint8_t *out,
                            size_t room, size_t *size)
{
    size_t result = t.size / 4 * 3 + (t.size % 4 == 0 ? 0 : t.size % 4 - 1);
    uint32_t bits = 0;
    int held = 0;

    if (t.size % 4 == 1 || result > room) {
        return false;
    }
    for (size_t i = 0; i < t.size; i++) {
        int digit = digit_of(t.data[i], alphabet);
        if (digit < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1U << held) - 1)) != 0) {
        return false; /* unused bits set: a second spelling of the same bytes */
    }
    *size = result;
    return true;
}

bool codec_base64url_decode(struct text t, void *out, size_t room, size_t *size)
{
    return decode_unpadded(t, &(const struct alphabet){'-', '_'}, out, room, size);
}

bool codec_base64_decode(struct text t, void *out, size_t room, size_t *size)
{
    if (t.size % 4 != 0) {
        return false;
    }
    for (int i = 0; i < 2 && t.size > 0 && t.data[t.size - 1] == '='; i++) {
        t.size--;
    }
    return decode_unpadded(t, &(const struct alphabet){'+', '/'}, out, room, size);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    } else if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool codec_hex_decode(struct text t, void *out, size_t size)
{
    uint8_t *bytes = out;

    if (t.size % 2 != 0 || t.size / 2 != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(t.data[2 * i]);
        int low = hex_digit(t.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void codec_hex_encode(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

/* 8-4-4-4-12 digits: where each group starts in the text and in the bytes. */
enum { UUID_GROUPS = 5, UUID_TEXT_SIZE = 36 };
static const struct {
    size_t text, byte, bytes;
} uuid_groups[UUID_GROUPS] = {{0, 0, 4}, {9, 4, 2}, {14, 6, 2}, {19, 8, 2}, {24, 10, 6}};

void codec_uuid_format(const uint8_t uuid[16], char out[37])
{
    for (size_t i = 0; i < UUID_GROUPS; i++) {
        char *group = out + uuid_groups[i].text;
        if (i > 0) {
            group[-1] = '-'; /* on the NUL of the group before */
        }
        codec_hex_encode(uuid + uuid_groups[i].byte, uuid_groups[i].bytes, group);
    }
}

bool codec_uuid_parse(struct text t, uint8_t uuid[16])
{
    uint8_t parsed[16];

    if (t.size != UUID_TEXT_SIZE) {
        return false;
    }
    for (size_t i = 0; i < UUID_GROUPS; i++) {
        struct text group = text_cut(text_from(t, uuid_groups[i].text), 2 * uuid_groups[i].bytes);
        if (!codec_hex_decode(group, parsed + uuid_groups[i].byte, uuid_groups[i].bytes)) {
            return false;
        }
        if (i > 0 && t.data[uuid_groups[i].text - 1] != '-') {
            return false;
        }
    }
    memcpy(uuid, parsed, sizeof parsed);
    return true;
}

size_t codec_put_varint(uint8_t out[CODEC_VARINT_MAX], uint64_t value)
{
    size_t size = 1;

    while (size < CODEC_VARINT_MAX && value >> (7 * size) != 0) {
        size++;
    }
    for (size_t i = size; i-- > 0; value >>= 8) {
        out[i] = (uint8_t)value;
    }
    out[0] |= (uint8_t)(0xff00U >> (size - 1));
    return size;
}

size_t codec_get_varint(const uint8_t *in, size_t size, uint64_t *value)
{
    size_t own = 1;

    while (own < CODEC_VARINT_MAX && size > 0 && (in[0] & 0x100U >> own) != 0) {
        own++;
    }
    if (own > size) {
        return 0;
    }
    *value = in[0] & (0xffU >> own);
    for (size_t i = 1; i < own; i++) {
        *value = *value << 8 | in[i];
    }
    return own == 1 || *value >> (7 * (own - 1)) != 0 ? own : 0;
}
