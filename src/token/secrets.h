/* SPDX-License-Identifier: ISC */
/* secrets.h: the keys derived from the master secrets, one per purpose (HKDF labels in secrets.c).
 * The first master secret is the store's, and stays. What tokens are made of is there for each, so
 * that the master secret can roll: sessions say by number which one theirs are under. Knows the
 * master secrets only while reading them; does not know what the keys protect. */
#ifndef RETOKEN_TOKEN_SECRETS_H
#define RETOKEN_TOKEN_SECRETS_H

#include "base/crypto.h"
#include "base/fault.h"
#include "http/network.h"
#include "model/session.h"
#include "token/secrets_file.h"

/* Keys of tokens, under one master secret. */
struct secrets_keys {
    uint8_t number;                  /* session.secret: its key id, or 0 for the first */
    uint8_t key_id;                  /* names the master secret inside native tokens */
    struct crypto_mac *native;       /* MAC of native refresh tokens */
    struct crypto_mac *uuid;         /* UUID-shaped refresh tokens */
    struct crypto_mac *code;         /* codes of sessions that are pending */
    struct crypto_mac *device_code;  /* the same, of those of devices */
    struct signing_key *refresh_jwt; /* signs JWT-shaped refresh tokens, and nothing else */
};

struct secrets {
    struct crypto_mac *jti;           /* identifiers inside access tokens (jti, nonce) */
    struct crypto_mac *client_secret; /* hashes of generated client secrets */
    struct crypto_mac *mark;          /* what marks stand for (model/mark.h) */
    uint8_t record[CRYPTO_KEY_SIZE];  /* record MACs of the store */
    uint8_t sealing[CRYPTO_KEY_SIZE]; /* sealing of signing keys */
    struct secrets_ring *ring;        /* secrets.c's own: struct secrets_keys of each */
};

/* Of one master secret. False with *fault when libcrypto or memory fails. The caller wipes
 * `master`. */
bool secrets_open(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets,
                  struct fault *fault);
/* Of those in a file; `passed` as for secrets_file_read. False with *fault. */
bool secrets_open_file(const char *path, bool passed, struct secrets *secrets, struct fault *fault);
/* Wipes. Harmless on a zeroed struct. */
void secrets_close(struct secrets *secrets);

/* Has the file changed since it was looked at last? Then it is read again; what was read before
 * stays, but what is no longer there makes no more tokens. From any thread, while others use
 * *secrets. SECRETS_UNREADABLE, with *fault: nothing has changed here; said once for each change of
 * the file. */
enum secrets_news { SECRETS_SAME, SECRETS_CHANGED, SECRETS_UNREADABLE };
enum secrets_news secrets_follow(const struct secrets *secrets, struct fault *fault);

/* The number of the one that new tokens are made under at now_ms: the last whose time has come. */
uint8_t secrets_current(const struct secrets *secrets, int64_t now_ms);
/* The keys of that number; NULL: this process has not read that master secret. Valid until
 * secrets_close. */
const struct secrets_keys *secrets_find(const struct secrets *secrets, uint8_t number);
/* The i-th, from the oldest on; NULL after the last. */
const struct secrets_keys *secrets_at(const struct secrets *secrets, size_t i);
/* Are its tokens refused? */
bool secrets_is_retired(const struct secrets *secrets, uint8_t number);
/* Is any of them? */
bool secrets_has_retired(const struct secrets *secrets);

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

#endif
