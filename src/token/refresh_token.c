/* SPDX-License-Identifier: ISC */
/* refresh_token.c: the spellings of (session, generation) and the MACs in them. Knows bytes, their
 * order and libcrypto's HMAC through base/crypto.h. Does not know the store, lifetimes, or whether
 * a session exists.
 *
 * A native token, before base64url:
 *
 *     01                                               version
 *     a7                                               key id (which master secret)
 *     01 93 4b 2c 5e 70 7c 11 9a 3f 52 e8 0d 64 b1 07  session id
 *     00 00 00 02                                      generation, big-endian
 *     .. 32 bytes ..                                   HMAC-SHA-256 over the 22 bytes above
 *
 * 54 bytes are 72 characters without a spare bit, so a token has exactly one spelling. */
#include "token/refresh_token.h"

#include <limits.h>
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"

enum {
    NATIVE_VERSION = 1,
    BEGINNING = 3, /* bytes in four characters */
    SESSION_AT = 2,
    GENERATION_AT = SESSION_AT + SESSION_ID_SIZE,
    MAC_AT = GENERATION_AT + 4,
    NATIVE_BYTES = MAC_AT + CRYPTO_HASH_SIZE,
    UUID_BYTES = 16
};

_Static_assert(NATIVE_BYTES * 4 == REFRESH_TOKEN_NATIVE_SIZE * 3,
               "native tokens have no spare bit");

static bool read_beginning(struct text token, uint8_t bytes[BEGINNING]);
static const struct secrets_keys *keys_of_id(const struct secrets *secrets, uint8_t key_id);

/* ---- shapes ---- */

static bool is_base64url(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        char c = t.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_')) {
            return false;
        }
    }
    return t.size > 0;
}

static bool is_compact_jws(struct text token)
{
    struct text rest = token;
    struct text header = text_split(&rest, '.');
    struct text payload = text_split(&rest, '.');

    return is_base64url(header) && is_base64url(payload) && is_base64url(rest);
}

enum refresh_shape refresh_token_shape(struct text token)
{
    uint8_t uuid[UUID_BYTES];

    if (token.size > REFRESH_TOKEN_MAX) {
        return REFRESH_SHAPE_NONE;
    } else if (token.size == REFRESH_TOKEN_NATIVE_SIZE && is_base64url(token)) {
        return REFRESH_SHAPE_NATIVE;
    } else if (token.size == REFRESH_TOKEN_UUID_SIZE && codec_uuid_parse(token, uuid)) {
        return REFRESH_SHAPE_UUID;
    } else if (is_compact_jws(token)) {
        return REFRESH_SHAPE_JWT;
    }
    return REFRESH_SHAPE_NONE;
}

bool refresh_token_native_begins(const struct secrets *secrets, struct text token)
{
    uint8_t bytes[BEGINNING];

    return is_base64url(token) && read_beginning(token, bytes) &&
           keys_of_id(secrets, bytes[1]) != NULL;
}

/* Version, key id and a byte of the session id. False: of another version, or shorter. */
static bool read_beginning(struct text token, uint8_t bytes[BEGINNING])
{
    size_t size = 0;

    return codec_base64url_decode(text_cut(token, 4), bytes, BEGINNING, &size) &&
           size == BEGINNING && bytes[0] == NATIVE_VERSION;
}

static const struct secrets_keys *keys_of_id(const struct secrets *secrets, uint8_t key_id)
{
    const struct secrets_keys *keys;

    for (size_t i = 0; (keys = secrets_at(secrets, i)) != NULL; i++) {
        if (keys->key_id == key_id) {
            return keys;
        }
    }
    return NULL;
}

/* ---- minting ---- */

/* Which of the keys of a master secret a spelling is under. */
enum purpose { PURPOSE_NATIVE, PURPOSE_CODE, PURPOSE_DEVICE_CODE };

static const struct crypto_mac *mac_for(const struct secrets_keys *keys, enum purpose purpose)
{
    switch (purpose) {
    case PURPOSE_NATIVE:
        break;
    case PURPOSE_CODE:
        return keys->code;
    case PURPOSE_DEVICE_CODE:
        return keys->device_code;
    }
    return keys->native;
}

static bool spell(const struct secrets *secrets, enum purpose purpose, uint8_t secret,
                  const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                  char out[REFRESH_TOKEN_NATIVE_SIZE + 1])
{
    const struct secrets_keys *keys = secrets_find(secrets, secret);
    uint8_t bytes[NATIVE_BYTES];

    if (keys == NULL) {
        return false;
    }
    bytes[0] = NATIVE_VERSION;
    bytes[1] = keys->key_id;
    memcpy(bytes + SESSION_AT, session, SESSION_ID_SIZE);
    codec_put_u32(bytes + GENERATION_AT, generation);
    if (!crypto_mac_compute(mac_for(keys, purpose), bytes, MAC_AT, bytes + MAC_AT)) {
        return false;
    }
    codec_base64url_encode(bytes, sizeof bytes, out);
    out[REFRESH_TOKEN_NATIVE_SIZE] = '\0';
    secret_wipe(bytes, sizeof bytes);
    return true;
}

bool refresh_token_native(const struct secrets *secrets, uint8_t secret,
                          const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                          char out[REFRESH_TOKEN_NATIVE_SIZE + 1])
{
    return spell(secrets, PURPOSE_NATIVE, secret, session, generation, out);
}

bool refresh_token_code(const struct secrets *secrets, uint8_t secret,
                        const uint8_t session[SESSION_ID_SIZE],
                        char out[REFRESH_TOKEN_NATIVE_SIZE + 1])
{
    return spell(secrets, PURPOSE_CODE, secret, session, 0, out);
}

bool refresh_token_device_code(const struct secrets *secrets, uint8_t secret,
                               const uint8_t session[SESSION_ID_SIZE],
                               char out[REFRESH_TOKEN_NATIVE_SIZE + 1])
{
    return spell(secrets, PURPOSE_DEVICE_CODE, secret, session, 0, out);
}

/* Sets the version and variant bits of RFC 9562 section 4. */
static void shape_uuid(uint8_t uuid[UUID_BYTES], uint8_t version)
{
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | (version << 4));
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* 122 bits of the MAC over `message` in the shape of a UUIDv4. */
static bool mac_uuid(const struct crypto_mac *mac, const uint8_t *message, size_t size,
                     char out[37])
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    if (!crypto_mac_compute(mac, message, size, hash)) {
        return false;
    }
    shape_uuid(hash, 4);
    codec_uuid_format(hash, out);
    secret_wipe(hash, sizeof hash);
    return true;
}

bool refresh_token_uuid(const struct secrets *secrets, uint8_t secret,
                        const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                        char out[REFRESH_TOKEN_UUID_SIZE + 1])
{
    const struct secrets_keys *keys = secrets_find(secrets, secret);
    uint8_t message[SESSION_ID_SIZE + 4];

    memcpy(message, session, SESSION_ID_SIZE);
    codec_put_u32(message + SESSION_ID_SIZE, generation);
    return keys != NULL && mac_uuid(keys->uuid, message, sizeof message, out);
}

bool refresh_token_jti(const struct secrets *secrets, const uint8_t session[SESSION_ID_SIZE],
                       uint32_t generation, int64_t issued_at_s, const uint8_t *further,
                       char out[37])
{
    uint8_t message[SESSION_ID_SIZE + 4 + 8 + CRYPTO_HASH_SIZE];
    size_t size = sizeof message - (further == NULL ? CRYPTO_HASH_SIZE : 0);

    memcpy(message, session, SESSION_ID_SIZE);
    codec_put_u32(message + SESSION_ID_SIZE, generation);
    codec_put_u64(message + SESSION_ID_SIZE + 4, (uint64_t)issued_at_s);
    if (further != NULL) {
        memcpy(message + SESSION_ID_SIZE + 4 + 8, further, CRYPTO_HASH_SIZE);
    }
    return mac_uuid(secrets->jti, message, size, out);
}

bool session_id_make(const struct randomness *randomness, int64_t now_ms,
                     uint8_t id[SESSION_ID_SIZE])
{
    uint8_t time[8];

    if (now_ms < 0 || !randomness_fill(randomness, id, SESSION_ID_SIZE)) {
        return false;
    }
    codec_put_u64(time, (uint64_t)now_ms);
    memcpy(id, time + 2, 6); /* 48 bits of milliseconds */
    shape_uuid(id, 7);
    return true;
}

/* ---- reading ---- */

static bool read_bytes(struct text token, uint8_t bytes[NATIVE_BYTES]);

static bool open_spelled(const struct secrets *secrets, enum purpose purpose, struct text token,
                         uint8_t session[SESSION_ID_SIZE], uint32_t *generation, uint8_t *secret)
{
    const struct secrets_keys *keys = NULL;
    uint8_t bytes[NATIVE_BYTES];
    uint8_t mac[CRYPTO_HASH_SIZE];
    bool good = read_bytes(token, bytes) && (keys = keys_of_id(secrets, bytes[1])) != NULL &&
                crypto_mac_compute(mac_for(keys, purpose), bytes, MAC_AT, mac) &&
                secret_equal(mac, bytes + MAC_AT, sizeof mac);

    if (good) {
        memcpy(session, bytes + SESSION_AT, SESSION_ID_SIZE);
        *generation = codec_get_u32(bytes + GENERATION_AT);
        *secret = keys->number;
    }
    secret_wipe(mac, sizeof mac);
    secret_wipe(bytes, sizeof bytes);
    return good;
}

/* Without the MAC. Its beginning first: most of what is not ours ends there. */
static bool read_bytes(struct text token, uint8_t bytes[NATIVE_BYTES])
{
    size_t size = 0;

    return token.size == REFRESH_TOKEN_NATIVE_SIZE && read_beginning(token, bytes) &&
           codec_base64url_decode(token, bytes, NATIVE_BYTES, &size) && size == NATIVE_BYTES;
}

bool refresh_token_native_open(const struct secrets *secrets, struct text token,
                               uint8_t session[SESSION_ID_SIZE], uint32_t *generation,
                               uint8_t *secret)
{
    return open_spelled(secrets, PURPOSE_NATIVE, token, session, generation, secret);
}

/* No master secret has the key id 0: in records that is the number of the first. */
bool refresh_token_native_claims(const struct secrets *secrets, struct text token,
                                 uint8_t session[SESSION_ID_SIZE], uint8_t *secret)
{
    uint8_t bytes[NATIVE_BYTES];

    if (!read_bytes(token, bytes) || bytes[1] == 0 || keys_of_id(secrets, bytes[1]) != NULL) {
        return false;
    }
    memcpy(session, bytes + SESSION_AT, SESSION_ID_SIZE);
    *secret = bytes[1];
    return true;
}

bool refresh_token_code_open(const struct secrets *secrets, struct text code,
                             uint8_t session[SESSION_ID_SIZE])
{
    uint32_t generation;
    uint8_t secret;

    return open_spelled(secrets, PURPOSE_CODE, code, session, &generation, &secret) &&
           !secrets_is_retired(secrets, secret);
}

bool refresh_token_device_code_open(const struct secrets *secrets, struct text code,
                                    uint8_t session[SESSION_ID_SIZE])
{
    uint32_t generation;
    uint8_t secret;

    return open_spelled(secrets, PURPOSE_DEVICE_CODE, code, session, &generation, &secret) &&
           !secrets_is_retired(secrets, secret);
}

bool refresh_token_is_guessable(struct text token)
{
    enum { DISTINCT_LEAST = 8, TENTHS_OF_BITS_LEAST = 1280 };
    bool seen[UCHAR_MAX + 1] = {false};
    size_t distinct = 0;
    size_t each = 33; /* tenths of bits in a digit */

    for (size_t i = 0; i < token.size; i++) {
        unsigned char c = (unsigned char)token.data[i];
        bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

        distinct += seen[c] ? 0 : 1;
        seen[c] = true;
        if ((c < '0' || c > '9') && c != '-') {
            each = hex && each <= 40 ? 40 : 60;
        }
    }
    return distinct < DISTINCT_LEAST || token.size * each < TENTHS_OF_BITS_LEAST;
}

bool refresh_token_alias(const struct secrets *secrets, struct text token,
                         uint8_t alias[SESSION_HASH_SIZE])
{
    uint8_t uuid[UUID_BYTES];
    char lower[REFRESH_TOKEN_UUID_SIZE + 1];

    /* UUIDs are compared without regard to case (RFC 9562 section 4), so both cases find one row.
     */
    if (token.size == REFRESH_TOKEN_UUID_SIZE && codec_uuid_parse(token, uuid)) {
        codec_uuid_format(uuid, lower);
        token.data = lower;
    }
    return secrets_mark_hash(secrets, "alias", token, (struct text){0}, alias);
}

bool refresh_token_alias_of_hash(const struct secrets *secrets,
                                 const uint8_t hash[CRYPTO_HASH_SIZE],
                                 uint8_t alias[SESSION_HASH_SIZE])
{
    return secrets_mark_rehash(secrets, "alias", hash, alias);
}

bool refresh_token_importable(const struct secrets *secrets, struct text token, struct fault *fault)
{
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    uint8_t secret;

    for (size_t i = 0; i < token.size; i++) {
        unsigned char c = (unsigned char)token.data[i];

        if (c <= ' ' || c > '~' || strchr("\",;\\", c) != NULL) {
            fault_set(fault,
                      "character %zu of it is none that a cookie can carry (visible ASCII without "
                      "\" , ; and \\)",
                      i + 1);
            return false;
        }
    }
    if (token.size < REFRESH_TOKEN_IMPORT_LEAST || token.size > REFRESH_TOKEN_MAX) {
        fault_set(fault, "it has %zu characters; %d to %d can be", token.size,
                  REFRESH_TOKEN_IMPORT_LEAST, REFRESH_TOKEN_MAX);
        return false;
    } else if (refresh_token_native_open(secrets, token, id, &generation, &secret)) {
        fault_set(fault, "it is one of Retoken's own");
        return false;
    }
    return true;
}

bool refresh_token_uuid_alias(const struct secrets *secrets, uint8_t secret,
                              const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                              uint8_t alias[SESSION_HASH_SIZE])
{
    char token[REFRESH_TOKEN_UUID_SIZE + 1];

    return refresh_token_uuid(secrets, secret, session, generation, token) &&
           refresh_token_alias(secrets, text_of(token), alias);
}

bool refresh_token_derived_alias(void *secrets, uint8_t secret,
                                 const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                                 uint8_t alias[SESSION_HASH_SIZE])
{
    return refresh_token_uuid_alias(secrets, secret, session, generation, alias);
}
