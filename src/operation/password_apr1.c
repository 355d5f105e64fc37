/* SPDX-License-Identifier: ISC */
/* password_apr1.c: see password_apr1.h. The scheme is the MD5 one of crypt(3) under another name,
 * which enters each hash, so crypt(3) cannot be asked. */
#include "operation/password_apr1.h"

#include <string.h>

#include "base/secret.h"

enum { SALT_MAX = 8, ROUNDS = 1000, CHECKSUM_SIZE = 22 };

/* What is hashed at a time, at the most: password, name and salt, a byte for each of the password's
 * bytes, and its length's bits. */
struct piece {
    char bytes[2 * PASSWORD_MAX + 64];
    size_t size;
};

static bool digest(struct text password, struct text salt, uint8_t out[CRYPTO_MD5_SIZE]);
static bool stretch(struct text password, struct text salt, uint8_t sum[CRYPTO_MD5_SIZE]);
static void add(struct piece *piece, struct text t);
static bool finish(struct piece *piece, uint8_t out[CRYPTO_MD5_SIZE]);
static void spell(const uint8_t sum[CRYPTO_MD5_SIZE], char out[CHECKSUM_SIZE + 1]);

bool password_apr1(struct text password, const char *setting, char hash[PASSWORD_HASH_MAX + 1])
{
    struct text rest = text_of(setting);
    uint8_t sum[CRYPTO_MD5_SIZE];
    struct text salt;
    size_t size;
    bool done;

    if (!text_starts(rest, TEXT(PASSWORD_APR1)) || password.size > PASSWORD_MAX) {
        return false;
    }
    rest = text_from(rest, strlen(PASSWORD_APR1));
    salt = text_cut(text_split(&rest, '$'), SALT_MAX);
    done = digest(password, salt, sum) && stretch(password, salt, sum);
    if (done) {
        size = strlen(PASSWORD_APR1);
        memcpy(hash, PASSWORD_APR1, size);
        memcpy(hash + size, salt.data, salt.size);
        size += salt.size;
        hash[size++] = '$';
        spell(sum, hash + size);
    }
    secret_wipe(sum, sizeof sum);
    return done;
}

/* The first sum, which mixes in another one of password, salt and password. */
static bool digest(struct text password, struct text salt, uint8_t out[CRYPTO_MD5_SIZE])
{
    struct piece piece = {.size = 0};
    uint8_t mixed[CRYPTO_MD5_SIZE];
    bool done;

    add(&piece, password);
    add(&piece, salt);
    add(&piece, password);
    done = finish(&piece, mixed);
    add(&piece, password);
    add(&piece, TEXT(PASSWORD_APR1));
    add(&piece, salt);
    for (size_t left = password.size; left > 0;) {
        size_t size = left < sizeof mixed ? left : sizeof mixed;

        add(&piece, (struct text){(const char *)mixed, size});
        left -= size;
    }
    for (size_t bits = password.size; bits > 0; bits >>= 1) {
        add(&piece, (bits & 1) != 0 ? (struct text){"", 1} : text_cut(password, 1));
    }
    done = finish(&piece, out) && done;
    secret_wipe(mixed, sizeof mixed);
    return done;
}

/* A thousand times more, in an order that changes. */
static bool stretch(struct text password, struct text salt, uint8_t sum[CRYPTO_MD5_SIZE])
{
    const struct text last = {(const char *)sum, CRYPTO_MD5_SIZE};
    struct piece piece = {.size = 0};
    bool done = true;

    for (int round = 0; round < ROUNDS && done; round++) {
        bool odd = round % 2 == 1;

        add(&piece, odd ? password : last);
        if (round % 3 != 0) {
            add(&piece, salt);
        }
        if (round % 7 != 0) {
            add(&piece, password);
        }
        add(&piece, odd ? last : password);
        done = finish(&piece, sum);
    }
    return done;
}

static void add(struct piece *piece, struct text t)
{
    if (t.size > 0) { /* struct piece has room for all that is added */
        memcpy(piece->bytes + piece->size, t.data, t.size);
        piece->size += t.size;
    }
}

static bool finish(struct piece *piece, uint8_t out[CRYPTO_MD5_SIZE])
{
    bool done = crypto_md5(piece->bytes, piece->size, out);

    secret_wipe(piece->bytes, piece->size);
    piece->size = 0;
    return done;
}

/* crypt(3)'s alphabet, the lowest six bits first, the bytes in the scheme's own order. */
static void spell(const uint8_t sum[CRYPTO_MD5_SIZE], char out[CHECKSUM_SIZE + 1])
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const uint8_t order[][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
    size_t at = 0;

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        unsigned long bits = (unsigned long)sum[order[i][0]] << 16 |
                             (unsigned long)sum[order[i][1]] << 8 | sum[order[i][2]];

        for (int j = 0; j < 4; j++, bits >>= 6) {
            out[at++] = letters[bits & 63];
        }
    }
    out[at++] = letters[sum[11] & 63];
    out[at++] = letters[sum[11] >> 6];
    out[at] = '\0';
}
