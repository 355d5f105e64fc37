/* SPDX-License-Identifier: ISC */
/* codec.h: base64url, base64, hexadecimal and UUIDs. Encoders that append to a buffer are in
 * buffer.h. Does not know what the values mean. */
#ifndef RETOKEN_BASE_CODEC_H
#define RETOKEN_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The characters that `size` bytes take, without padding and NUL. */
size_t codec_base64url_size(size_t size);
/* Writes codec_base64url_size(size) characters, no NUL. */
void codec_base64url_encode(const void *data, size_t size, char *out);
/* The same with padding. Writes codec_base64_size(size) characters, no NUL. */
size_t codec_base64_size(size_t size);
void codec_base64_encode(const void *data, size_t size, char *out);
/* RFC 4648 section 5, canonical only: no padding, no white space, no `+` or `/`, unused bits zero.
 * False when malformed or larger than `room`, and *size is unchanged. */
bool codec_base64url_decode(struct text t, void *out, size_t room, size_t *size);
/* RFC 4648 section 4 with padding, canonical only (HTTP Basic, PEM-like values). */
bool codec_base64_decode(struct text t, void *out, size_t room, size_t *size);
/* Exactly 2 * size hexadecimal digits of either case. */
bool codec_hex_decode(struct text t, void *out, size_t size);
void codec_hex_encode(const void *data, size_t size, char *out); /* 2*size characters + NUL */
/* RFC 9562 text form, lower case, 36 characters + NUL. */
void codec_uuid_format(const uint8_t uuid[16], char out[37]);
/* 36 characters with hyphens in place, digits of either case. */
bool codec_uuid_parse(struct text t, uint8_t uuid[16]);

/* Big-endian integers in keys and tokens: their byte order is their sort order. Inline: compilers
 * make one instruction of each. */
static inline void codec_put_u32(uint8_t out[4], uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

static inline void codec_put_u64(uint8_t out[8], uint64_t value)
{
    codec_put_u32(out, (uint32_t)(value >> 32));
    codec_put_u32(out + 4, (uint32_t)value);
}

static inline uint32_t codec_get_u32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static inline uint64_t codec_get_u64(const uint8_t in[8])
{
    return (uint64_t)codec_get_u32(in) << 32 | codec_get_u32(in + 4);
}

/* The same in as few bytes as it takes, 1 to 9: as many ones as more bytes follow, a zero, and the
 * number. Each number has one spelling. Returns the bytes written, or read: 0 when `size` bytes do
 * not begin with one. */
enum { CODEC_VARINT_MAX = 9 };
size_t codec_put_varint(uint8_t out[CODEC_VARINT_MAX], uint64_t value);
size_t codec_get_varint(const uint8_t *in, size_t size, uint64_t *value);

#endif
