/* SPDX-License-Identifier: ISC */
/* token_ref.c: mint and locate. */
#include "operation/token_ref.h"

#include <string.h>

#include "token/jws.h"
#include "token/refresh_token.h"

static enum token_ref_result locate_alias(struct issuer *issuer, struct text token,
                                          struct arena *arena, struct token_ref *ref,
                                          struct fault *fault);
static enum token_ref_result absent_alias(const struct issuer *issuer, struct text token,
                                          struct arena *arena, struct fault *fault);
static enum token_ref_result found_alias(struct issuer *issuer, const struct token_ref *ref,
                                         struct fault *fault);
static void fault_missing(uint8_t secret, struct fault *fault);

enum token_ref_result token_ref_locate(struct issuer *issuer, struct text token,
                                       struct arena *arena, struct token_ref *ref,
                                       struct fault *fault)
{
    uint8_t secret;

    if (!text_is_visible_ascii(token) || token.size > REFRESH_TOKEN_MAX) {
        return TOKEN_REF_INVALID;
    }
    if (refresh_token_native_open(issuer->secrets, token, ref->session, &ref->generation,
                                  &secret)) {
        return secrets_is_retired(issuer->secrets, secret) ? TOKEN_REF_UNKNOWN : TOKEN_REF_FOUND;
    }
    return locate_alias(issuer, token, arena, ref, fault);
}

static enum token_ref_result locate_alias(struct issuer *issuer, struct text token,
                                          struct arena *arena, struct token_ref *ref,
                                          struct fault *fault)
{
    uint8_t alias[SESSION_HASH_SIZE];

    if (!refresh_token_alias(issuer->secrets, token, alias)) {
        fault_set(fault, "HMAC failed");
        return TOKEN_REF_FAULT;
    }
    switch (store_alias_find(issuer->store, alias, ref->session, &ref->generation, fault)) {
    case STORE_OK:
        return found_alias(issuer, ref, fault);
    case STORE_ABSENT:
        return absent_alias(issuer, token, arena, fault);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return TOKEN_REF_FAULT;
}

/* A UUID or a JWT does not say under which master secret it is; its session does. */
static enum token_ref_result found_alias(struct issuer *issuer, const struct token_ref *ref,
                                         struct fault *fault)
{
    struct session_view view;

    if (!secrets_has_retired(issuer->secrets)) {
        return TOKEN_REF_FOUND;
    }
    switch (store_session_view(issuer->store, ref->session, &view, fault)) {
    case STORE_OK:
        return secrets_is_retired(issuer->secrets, view.session.secret) ? TOKEN_REF_UNKNOWN
                                                                        : TOKEN_REF_FOUND;
    case STORE_ABSENT:
        return TOKEN_REF_FOUND; /* and its session is not */
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return TOKEN_REF_FAULT;
}

/* Did we once issue it? Only a JWT's signature can still tell. */
static enum token_ref_result absent_alias(const struct issuer *issuer, struct text token,
                                          struct arena *arena, struct fault *fault)
{
    if (token_ref_lacks_secret(issuer, token, fault)) {
        return TOKEN_REF_FAULT;
    }
    return token_ref_is_own_jwt(issuer, token, arena) ? TOKEN_REF_UNKNOWN : TOKEN_REF_INVALID;
}

bool token_ref_lacks_secret(const struct issuer *issuer, struct text token, struct fault *fault)
{
    uint8_t id[SESSION_ID_SIZE];
    struct session_view view;
    uint8_t secret;

    if (!refresh_token_native_claims(issuer->secrets, token, id, &secret)) {
        return false;
    }
    switch (store_session_view(issuer->store, id, &view, fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return false;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return true;
    }
    if (view.session.secret != secret) {
        return false;
    }
    fault_missing(secret, fault);
    return true;
}

static void fault_missing(uint8_t secret, struct fault *fault)
{
    fault_set(fault,
              "a session's tokens are under the master secret %02x, which is not there: copy the "
              "file of the master secrets from the machine whose `retoken secret list` shows it",
              secret);
}

bool token_ref_is_own_jwt(const struct issuer *issuer, struct text token, struct arena *arena)
{
    const struct secrets_keys *keys;

    if (refresh_token_shape(token) != REFRESH_SHAPE_JWT) {
        return false;
    }
    for (size_t i = 0; (keys = secrets_at(issuer->secrets, i)) != NULL; i++) {
        if (jws_open(arena, token, keys->refresh_jwt) != NULL) {
            return true;
        }
    }
    return false;
}

uint8_t token_ref_next_secret(const struct issuer *issuer, enum refresh_format format,
                              const struct session *session, int64_t now_ms)
{
    return format == REFRESH_FORMAT_UUID || session->has_derived_aliases
               ? session->secret
               : secrets_current(issuer->secrets, now_ms);
}

bool token_ref_mint(const struct issuer *issuer, enum refresh_format format, uint8_t secret,
                    const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                    struct arena *arena, struct text *token, struct fault *fault)
{
    char spelled[REFRESH_TOKEN_NATIVE_SIZE + 1];
    bool made = format == REFRESH_FORMAT_UUID
                    ? refresh_token_uuid(issuer->secrets, secret, session, generation, spelled)
                    : refresh_token_native(issuer->secrets, secret, session, generation, spelled);

    if (!made && secrets_find(issuer->secrets, secret) == NULL) {
        fault_missing(secret, fault);
        return false;
    } else if (!made || !arena_copy(arena, text_of(spelled), token)) {
        fault_set(fault, "cannot make a refresh token: out of memory or libcrypto failed");
        return false;
    }
    return true;
}
