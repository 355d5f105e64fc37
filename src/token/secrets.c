/* SPDX-License-Identifier: ISC */
/* secrets.c: one key per purpose, derived from the master secret by HKDF, and the file of the
 * master secret. Knows the labels and the file's format and permissions. Does not know what the
 * keys protect, the configuration or the store. */
#include "token/secrets.h"

#include <string.h>

#include "base/codec.h"
#include "base/private_file.h"
#include "base/secret.h"
#include "base/whole_file.h"

/* A label never changes its meaning: another layout of what it protects takes a new label. */
#define LABEL_KEY_ID        "retoken 1 master key id"
#define LABEL_NATIVE        "retoken 1 native refresh token"
#define LABEL_UUID          "retoken 1 uuid refresh token"
#define LABEL_CODE          "retoken 1 code of a pending session"
#define LABEL_DEVICE_CODE   "retoken 1 device code"
#define LABEL_JTI           "retoken 1 access token id"
#define LABEL_CLIENT_SECRET "retoken 1 client secret"
#define LABEL_MARK          "retoken 1 mark"
#define LABEL_REFRESH_JWT   "retoken 1 jwt refresh token"
#define LABEL_RECORD        "retoken 1 store record"
#define LABEL_SEALING       "retoken 1 sealed signing key"

enum { DIGITS = 2 * SECRETS_MASTER_SIZE, FILE_SIZE = DIGITS + 1 };

static bool derive_all(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets);

/* ---- derived keys ---- */

bool secrets_open(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets,
                  struct fault *fault)
{
    *secrets = (struct secrets){0};
    secret_keep(secrets, sizeof *secrets);
    if (derive_all(master, secrets)) {
        return true;
    }
    secrets_close(secrets);
    fault_set(fault, "libcrypto cannot derive keys from the master secret");
    return false;
}

void secrets_close(struct secrets *secrets)
{
    crypto_mac_close(secrets->native);
    crypto_mac_close(secrets->uuid);
    crypto_mac_close(secrets->code);
    crypto_mac_close(secrets->device_code);
    crypto_mac_close(secrets->jti);
    crypto_mac_close(secrets->client_secret);
    crypto_mac_close(secrets->mark);
    secret_wipe(secrets, sizeof *secrets);
}

static bool mark_hash(const struct secrets *secrets, const char *word,
                      const uint8_t one[CRYPTO_HASH_SIZE], struct text other,
                      uint8_t out[CRYPTO_HASH_SIZE]);

static struct crypto_mac *derived_mac(const uint8_t master[SECRETS_MASTER_SIZE], const char *label)
{
    uint8_t key[CRYPTO_KEY_SIZE];
    struct crypto_mac *mac = NULL;

    if (crypto_derive(master, label, key)) {
        mac = crypto_mac_open(key, sizeof key);
    }
    secret_wipe(key, sizeof key);
    return mac;
}

static bool derive_all(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets)
{
    uint8_t id[CRYPTO_KEY_SIZE];

    if (!crypto_derive(master, LABEL_KEY_ID, id)) {
        return false;
    }
    secrets->key_id = id[0];
    return (secrets->native = derived_mac(master, LABEL_NATIVE)) != NULL &&
           (secrets->uuid = derived_mac(master, LABEL_UUID)) != NULL &&
           (secrets->code = derived_mac(master, LABEL_CODE)) != NULL &&
           (secrets->device_code = derived_mac(master, LABEL_DEVICE_CODE)) != NULL &&
           (secrets->jti = derived_mac(master, LABEL_JTI)) != NULL &&
           (secrets->client_secret = derived_mac(master, LABEL_CLIENT_SECRET)) != NULL &&
           (secrets->mark = derived_mac(master, LABEL_MARK)) != NULL &&
           crypto_derive(master, LABEL_REFRESH_JWT, secrets->refresh_jwt) &&
           crypto_derive(master, LABEL_RECORD, secrets->record) &&
           crypto_derive(master, LABEL_SEALING, secrets->sealing);
}

bool secrets_mark_hash(const struct secrets *secrets, const char *word, struct text one,
                       struct text other, uint8_t out[CRYPTO_HASH_SIZE])
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    return crypto_sha256(one.data, one.size, hash) && mark_hash(secrets, word, hash, other, out);
}

bool secrets_mark_rehash(const struct secrets *secrets, const char *word,
                         const uint8_t one[CRYPTO_HASH_SIZE], uint8_t out[CRYPTO_HASH_SIZE])
{
    return mark_hash(secrets, word, one, (struct text){0}, out);
}

static bool mark_hash(const struct secrets *secrets, const char *word,
                      const uint8_t one[CRYPTO_HASH_SIZE], struct text other,
                      uint8_t out[CRYPTO_HASH_SIZE])
{
    uint8_t hashes[3 * CRYPTO_HASH_SIZE];

    memcpy(hashes + CRYPTO_HASH_SIZE, one, CRYPTO_HASH_SIZE);
    return crypto_sha256(word, strlen(word), hashes) &&
           crypto_sha256(other.data, other.size, hashes + 2 * CRYPTO_HASH_SIZE) &&
           crypto_mac_compute(secrets->mark, hashes, sizeof hashes, out);
}

/* No mark is a hash of so few bytes. */
bool secrets_network_hash(const struct secrets *secrets, const uint8_t session[SESSION_ID_SIZE],
                          const uint8_t prefix[HTTP_NETWORK_SIZE],
                          uint8_t out[SESSION_NETWORK_SIZE])
{
    uint8_t bytes[SESSION_ID_SIZE + HTTP_NETWORK_SIZE];
    uint8_t hash[CRYPTO_HASH_SIZE];

    memcpy(bytes, session, SESSION_ID_SIZE);
    memcpy(bytes + SESSION_ID_SIZE, prefix, HTTP_NETWORK_SIZE);
    if (!crypto_mac_compute(secrets->mark, bytes, sizeof bytes, hash)) {
        return false;
    }
    memcpy(out, hash, SESSION_NETWORK_SIZE);
    return true;
}

/* ---- the file ---- */

bool secrets_file_read(const char *path, bool passed, uint8_t master[SECRETS_MASTER_SIZE],
                       struct fault *fault)
{
    char content[4 * FILE_SIZE]; /* more, to notice a longer file */
    ssize_t size = (passed ? private_file_read_passed : private_file_read)(
        path, "the master secret", content, sizeof content, fault);
    bool good = size == FILE_SIZE && content[DIGITS] == '\n' &&
                codec_hex_decode((struct text){content, DIGITS}, master, SECRETS_MASTER_SIZE);

    if (size >= 0 && !good) {
        fault_set(fault, "%s: the master secret must be %d hexadecimal digits and a newline", path,
                  (int)DIGITS);
    }
    secret_wipe(content, sizeof content);
    return good;
}

bool secrets_file_create(const char *path, const struct randomness *randomness, struct fault *fault)
{
    uint8_t master[SECRETS_MASTER_SIZE];
    char content[FILE_SIZE + 1];
    enum whole_file_result result = WHOLE_FILE_FAULT;

    if (!randomness_fill(randomness, master, sizeof master)) {
        fault_set(fault, "%s: no randomness for the master secret", path);
    } else {
        codec_hex_encode(master, sizeof master, content);
        content[DIGITS] = '\n';
        result = whole_file_create(path, (struct text){content, FILE_SIZE}, 0600, fault);
        secret_wipe(content, sizeof content);
    }
    secret_wipe(master, sizeof master);
    if (result == WHOLE_FILE_EXISTS) {
        fault_set(fault, "%s: a master secret is there already", path);
    }
    return result == WHOLE_FILE_DONE;
}
