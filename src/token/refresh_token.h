/* SPDX-License-Identifier: ISC */
/* refresh_token.h: refresh tokens derived from (session, generation), so none is stored (design.md
 * section 3). Native: version, key id, session id, generation, full HMAC-SHA-256, in base64url.
 * UUID: 122 bits of an HMAC, shaped as UUIDv4. Knows spellings and MACs; does not know the store.
 */
#ifndef RETOKEN_TOKEN_REFRESH_TOKEN_H
#define RETOKEN_TOKEN_REFRESH_TOKEN_H

#include "base/text.h"
#include "model/session.h"
#include "token/secrets.h"

enum {
    REFRESH_TOKEN_NATIVE_SIZE = 72, /* characters */
    REFRESH_TOKEN_UUID_SIZE = 36,
    REFRESH_TOKEN_MAX = 4096,       /* a JWT-shaped one */
    REFRESH_TOKEN_IMPORT_LEAST = 12 /* of another server; one so short asks for --force */
};

/* What a string looks like, before anything is checked. */
enum refresh_shape {
    REFRESH_SHAPE_NONE,
    REFRESH_SHAPE_NATIVE,
    REFRESH_SHAPE_UUID,
    REFRESH_SHAPE_JWT
};
/* NONE also for anything over REFRESH_TOKEN_MAX. */
enum refresh_shape refresh_token_shape(struct text token);

/* Writes the token and a NUL. `secret`: the number of a master secret (secrets_current). False only
 * when libcrypto fails or that master secret is not there. */
bool refresh_token_native(const struct secrets *secrets, uint8_t secret,
                          const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                          char out[REFRESH_TOKEN_NATIVE_SIZE + 1]);
bool refresh_token_uuid(const struct secrets *secrets, uint8_t secret,
                        const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                        char out[REFRESH_TOKEN_UUID_SIZE + 1]);

/* Opens a native token: false when its MAC, version or spelling is wrong, or its master secret is
 * not there. *secret: its number. Constant time in the MAC. */
bool refresh_token_native_open(const struct secrets *secrets, struct text token,
                               uint8_t session[SESSION_ID_SIZE], uint32_t *generation,
                               uint8_t *secret);
/* Is it spelled as a native token, or a code, of a master secret that is not there? Which session
 * and secret it claims to be of; nothing proves that. */
bool refresh_token_native_claims(const struct secrets *secrets, struct text token,
                                 uint8_t session[SESSION_ID_SIZE], uint8_t *secret);

/* Does it begin as a native token of these secrets does (version and key id), cut or not? For
 * finding out about a token, never for accepting one. */
bool refresh_token_native_begins(const struct secrets *secrets, struct text token);

/* The code of a session that is pending (model/session.h): spelled as a native token of generation
 * 0, under a key of its own, so that neither opens as the other. As the functions above; but one
 * under a secret that is retired does not open. */
bool refresh_token_code(const struct secrets *secrets, uint8_t secret,
                        const uint8_t session[SESSION_ID_SIZE],
                        char out[REFRESH_TOKEN_NATIVE_SIZE + 1]);
bool refresh_token_code_open(const struct secrets *secrets, struct text code,
                             uint8_t session[SESSION_ID_SIZE]);
/* The same for a device code, so that it is no authorization code either. */
bool refresh_token_device_code(const struct secrets *secrets, uint8_t secret,
                               const uint8_t session[SESSION_ID_SIZE],
                               char out[REFRESH_TOKEN_NATIVE_SIZE + 1]);
bool refresh_token_device_code_open(const struct secrets *secrets, struct text code,
                                    uint8_t session[SESSION_ID_SIZE]);

/* The key of the alias index: a keyed hash of the token (a UUID first put into lower case), so that
 * the index alone confirms no guess. False: libcrypto failed. */
bool refresh_token_alias(const struct secrets *secrets, struct text token,
                         uint8_t alias[SESSION_HASH_SIZE]);
/* The same from the token's SHA-256, as other servers store it; of a UUID's lower case. */
bool refresh_token_alias_of_hash(const struct secrets *secrets,
                                 const uint8_t hash[CRYPTO_HASH_SIZE],
                                 uint8_t alias[SESSION_HASH_SIZE]);
/* May sessions be found by this token, which another server made? It goes wherever ours go (a
 * cookie has the narrowest set of bytes, RFC 6265 section 4.1.1) and is none of ours. False with
 * *fault. */
bool refresh_token_importable(const struct secrets *secrets, struct text token,
                              struct fault *fault);
/* Could a token that another server made be guessed, by its looks? Short for the characters that it
 * is made of (128 bits; a UUID has enough), or a few characters repeated. */
bool refresh_token_is_guessable(struct text token);
/* The alias of (session, generation) spelled as UUID. False: libcrypto failed. */
bool refresh_token_uuid_alias(const struct secrets *secrets, uint8_t secret,
                              const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                              uint8_t alias[SESSION_HASH_SIZE]);
/* The same as store_settings.derived_alias: `secrets` is a const struct secrets *. */
bool refresh_token_derived_alias(void *secrets, uint8_t secret,
                                 const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                                 uint8_t alias[SESSION_HASH_SIZE]);

/* A new session id, UUIDv7 (RFC 9562 section 5.7). */
bool session_id_make(const struct randomness *randomness, int64_t now_ms,
                     uint8_t id[SESSION_ID_SIZE]);

/* A UUIDv4-shaped identifier that says the same for the same (session, generation, iat): the access
 * token's jti or nonce, so that a replay carries the same claims. `further`: CRYPTO_HASH_SIZE bytes
 * on which those depend, too; NULL = nothing. */
bool refresh_token_jti(const struct secrets *secrets, const uint8_t session[SESSION_ID_SIZE],
                       uint32_t generation, int64_t issued_at_s, const uint8_t *further,
                       char out[37]);

#endif
