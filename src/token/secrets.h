/* SPDX-License-Identifier: ISC */
/* secrets.h: the keys derived from the master secret, one per purpose (HKDF labels in secrets.c).
 * Knows the master secret only while opening; does not know what the keys protect. */
#ifndef RETOKEN_TOKEN_SECRETS_H
#define RETOKEN_TOKEN_SECRETS_H

#include "base/crypto.h"
#include "base/fault.h"
#include "http/network.h"
#include "model/session.h"

enum { SECRETS_MASTER_SIZE = 32 };

struct secrets {
    uint8_t key_id;                       /* names the master secret inside native tokens */
    struct crypto_mac *native;            /* MAC of native refresh tokens */
    struct crypto_mac *uuid;              /* UUID-shaped refresh tokens */
    struct crypto_mac *code;              /* codes of sessions that are pending */
    struct crypto_mac *device_code;       /* the same, of those of devices */
    struct crypto_mac *jti;               /* identifiers inside access tokens (jti, nonce) */
    struct crypto_mac *client_secret;     /* hashes of generated client secrets */
    struct crypto_mac *mark;              /* what marks stand for (model/mark.h) */
    uint8_t refresh_jwt[CRYPTO_KEY_SIZE]; /* HS256 key of JWT-shaped refresh tokens */
    uint8_t record[CRYPTO_KEY_SIZE];      /* record MACs of the store */
    uint8_t sealing[CRYPTO_KEY_SIZE];     /* sealing of signing keys */
};

/* False with *fault when libcrypto fails. The caller wipes `master`. */
bool secrets_open(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets,
                  struct fault *fault);
/* Wipes. Harmless on a zeroed struct. */
void secrets_close(struct secrets *secrets);

/* What a mark of the store stands for, so that a store alone tells nothing: a keyed hash of a word,
 * which says what the two texts are, and of the texts. False when libcrypto fails. */
bool secrets_mark_hash(const struct secrets *secrets, const char *word, struct text one,
                       struct text other, uint8_t out[CRYPTO_HASH_SIZE]);
/* The same from the SHA-256 of a text `one`, and no other. */
bool secrets_mark_rehash(const struct secrets *secrets, const char *word,
                         const uint8_t one[CRYPTO_HASH_SIZE], uint8_t out[CRYPTO_HASH_SIZE]);

/* The network (model/session.h) of a session's request, by the prefix of its address: says of two
 * requests of one session whether they came from one network, and nothing of other sessions. False
 * when libcrypto fails. */
bool secrets_network_hash(const struct secrets *secrets, const uint8_t session[SESSION_ID_SIZE],
                          const uint8_t prefix[HTTP_NETWORK_SIZE],
                          uint8_t out[SESSION_NETWORK_SIZE]);

/* Reads the file of the master secret: 64 hexadecimal digits and a newline, mode 0600 or 0400,
 * owned by this user; or, when it was `passed` to this process, as private_file_read_passed takes
 * it. False with *fault, which names the file and says what would be right. */
bool secrets_file_read(const char *path, bool passed, uint8_t master[SECRETS_MASTER_SIZE],
                       struct fault *fault);
/* Creates it (O_EXCL, 0600, synced). False with *fault when it exists or cannot be written. */
bool secrets_file_create(const char *path, const struct randomness *randomness,
                         struct fault *fault);

#endif
