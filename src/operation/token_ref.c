/* SPDX-License-Identifier: ISC */
/* token_ref.c: mint and locate. */
#include "operation/token_ref.h"

#include <string.h>

#include "token/jws.h"
#include "token/refresh_token.h"

/* Absent from the alias index: did we once issue it? Only a JWT's signature can still tell. */
static enum token_ref_result absent_alias(const struct issuer *issuer, struct text token,
                                          struct arena *arena)
{
    if (refresh_token_shape(token) == REFRESH_SHAPE_JWT &&
        jws_open(arena, token, issuer->refresh_jwt) != NULL) {
        return TOKEN_REF_UNKNOWN;
    }
    return TOKEN_REF_INVALID;
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
        return TOKEN_REF_FOUND;
    case STORE_ABSENT:
        return absent_alias(issuer, token, arena);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return TOKEN_REF_FAULT;
}

enum token_ref_result token_ref_locate(struct issuer *issuer, struct text token,
                                       struct arena *arena, struct token_ref *ref,
                                       struct fault *fault)
{
    if (!text_is_visible_ascii(token) || token.size > REFRESH_TOKEN_MAX) {
        return TOKEN_REF_INVALID;
    }
    if (refresh_token_native_open(issuer->secrets, token, ref->session, &ref->generation)) {
        return TOKEN_REF_FOUND;
    }
    return locate_alias(issuer, token, arena, ref, fault);
}

bool token_ref_mint(const struct issuer *issuer, enum refresh_format format,
                    const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                    struct arena *arena, struct text *token, struct fault *fault)
{
    char spelled[REFRESH_TOKEN_NATIVE_SIZE + 1];
    bool made = format == REFRESH_FORMAT_UUID
                    ? refresh_token_uuid(issuer->secrets, session, generation, spelled)
                    : refresh_token_native(issuer->secrets, session, generation, spelled);

    if (!made || !arena_copy(arena, text_of(spelled), token)) {
        fault_set(fault, "cannot make a refresh token: out of memory or libcrypto failed");
        return false;
    }
    return true;
}
