/* place.c: mint and locate. */
#include "refresh/place.h"

#include <string.h>

#include "token/jws.h"
#include "token/refresh_token.h"

/* Absent from the alias index: did we once issue it? Only a JWT's signature can still tell. */
static enum place_result absent_alias(const struct authority *authority, struct text token,
                                      struct arena *arena)
{
    if (refresh_token_shape(token) == REFRESH_SHAPE_JWT &&
        jws_open(arena, token, authority->refresh_jwt) != NULL) {
        return PLACE_UNKNOWN;
    }
    return PLACE_INVALID;
}

static enum place_result locate_alias(struct authority *authority, struct text token,
                                      struct arena *arena, struct place *place, struct fault *fault)
{
    uint8_t alias[SESSION_HASH_SIZE];

    if (!refresh_token_alias(token, alias)) {
        fault_set(fault, "SHA-256 failed");
        return PLACE_FAULT;
    }
    switch (store_alias_find(authority->store, alias, place->session, &place->generation, fault)) {
    case STORE_OK:
        return PLACE_FOUND;
    case STORE_ABSENT:
        return absent_alias(authority, token, arena);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return PLACE_FAULT;
}

enum place_result place_locate(struct authority *authority, struct text token, struct arena *arena,
                               struct place *place, struct fault *fault)
{
    if (!text_is_visible_ascii(token) || token.size > REFRESH_TOKEN_MAX) {
        return PLACE_INVALID;
    }
    if (refresh_token_native_open(authority->secrets, token, place->session, &place->generation)) {
        return PLACE_FOUND;
    }
    return locate_alias(authority, token, arena, place, fault);
}

bool place_mint(const struct authority *authority, enum refresh_format format,
                const uint8_t session[SESSION_ID_SIZE], uint32_t generation, struct arena *arena,
                struct text *token, struct fault *fault)
{
    char spelled[REFRESH_TOKEN_NATIVE_SIZE + 1];
    bool made = format == REFRESH_FORMAT_UUID
                    ? refresh_token_uuid(authority->secrets, session, generation, spelled)
                    : refresh_token_native(authority->secrets, session, generation, spelled);

    if (!made || !arena_copy(arena, text_of(spelled), token)) {
        fault_set(fault, "cannot make a refresh token: out of memory or libcrypto failed");
        return false;
    }
    return true;
}
