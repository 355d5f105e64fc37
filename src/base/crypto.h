/* SPDX-License-Identifier: ISC */
/* crypto.h: the hash, MAC, key derivation, sealing and randomness that tokens and store both need.
 * Keys are prepared once and used from many threads. Knows libcrypto; knows no token layout. */
#ifndef RETOKEN_BASE_CRYPTO_H
#define RETOKEN_BASE_CRYPTO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { CRYPTO_HASH_SIZE = 32, CRYPTO_KEY_SIZE = 32 };

/* To be called before libcrypto is used outside this file, any number of times. Sets up no more of
 * libcrypto than we need, unless the environment's OPENSSL_CONF names a configuration. False: it
 * could not be started, and would crash when it is used. */
bool crypto_start(void);

/* The same for a library that speaks TLS by libcrypto: certificates are verified by digests that
 * are looked up in a way for which crypto_start sets up nothing. */
bool crypto_start_tls(void);

/* What libcrypto sets up once stays broken for the life of the process when memory is short at that
 * moment. So each use that only a lack of memory or libcrypto itself can make fail tells how it
 * went, and when one fails twice in a row, libcrypto is broken: only a new process can start it
 * again. Safe to use from several threads. */
struct crypto_use {
    atomic_uint failures; /* in a row */
};
/* True: this one failed, for the second time in a row. */
bool crypto_fails_again(struct crypto_use *use, bool good);
void crypto_break(void);
bool crypto_is_broken(void);

/* libcrypto's name, version and date, as it says them: "OpenSSL 3.0.19 27 Jan 2026". */
const char *crypto_library(void);

/* SHA-256 (FIPS 180-4). False only when libcrypto fails. */
bool crypto_sha256(const void *data, size_t size, uint8_t out[CRYPTO_HASH_SIZE]);

/* MD5 (RFC 1321), for the hashes that Apache's htpasswd makes, and for nothing new. The same. */
enum { CRYPTO_MD5_SIZE = 16 };
bool crypto_md5(const void *data, size_t size, uint8_t out[CRYPTO_MD5_SIZE]);

/* A prepared HMAC-SHA-256 key (RFC 2104). Safe to use from several threads at once. */
struct crypto_mac;
struct crypto_mac *crypto_mac_open(const void *key, size_t size); /* NULL: libcrypto failed */
void crypto_mac_close(struct crypto_mac *mac);                    /* NULL is harmless */
bool crypto_mac_compute(const struct crypto_mac *mac, const void *data, size_t size,
                        uint8_t out[CRYPTO_HASH_SIZE]);

/* HMAC with a longer hash: `hash_size` is 48 for SHA-384 or 64 for SHA-512, and that many bytes of
 * `out` are written. Slower, because nothing is prepared. False: memory was short. */
enum { CRYPTO_LONG_HASH_MAX = 64 };
bool crypto_long_mac(size_t hash_size, const void *key, size_t key_size, const void *data,
                     size_t size, uint8_t out[CRYPTO_LONG_HASH_MAX]);

/* HKDF-SHA-256 (RFC 5869) without salt; `label` names the purpose, so that no key serves two. */
bool crypto_derive(const uint8_t secret[CRYPTO_KEY_SIZE], const char *label,
                   uint8_t out[CRYPTO_KEY_SIZE]);

/* AES-256-GCM (SP 800-38D). sealed = 12-byte nonce, ciphertext, 16-byte tag: size + 28 bytes.
 * `about` is authenticated, not encrypted. The nonce comes from `nonce`. */
enum { CRYPTO_SEAL_EXTRA = 28 };
bool crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], const uint8_t nonce[12], struct text about,
                 const void *plain, size_t size, uint8_t *sealed);
/* False unless it was sealed with this key for this `about`. plain has room for size - 28. */
bool crypto_open_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct text about, const void *sealed,
                      size_t size, uint8_t *plain);

/* A source of randomness: handed in, so that a test can choose it. */
struct randomness {
    bool (*fill)(void *self, void *out, size_t size); /* false: it has none */
    void *self;
};
struct randomness randomness_system(void); /* libcrypto's generator */
bool randomness_fill(const struct randomness *randomness, void *out, size_t size);

#endif
