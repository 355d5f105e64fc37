/* SPDX-License-Identifier: ISC */
/* token_ref.h: the pair of functions at which all spellings of refresh tokens meet (design.md
 * section 3): mint (session, generation) -> string, and locate string -> (session, generation). */
#ifndef RETOKEN_OPERATION_TOKEN_REF_H
#define RETOKEN_OPERATION_TOKEN_REF_H

#include "base/arena.h"
#include "operation/issuer.h"

struct token_ref {
    uint8_t session[SESSION_ID_SIZE];
    uint32_t generation;
};

/* TOKEN_REF_INVALID: not issued here. TOKEN_REF_UNKNOWN: issued here, but its session is no longer
 * known. */
enum token_ref_result { TOKEN_REF_FOUND, TOKEN_REF_INVALID, TOKEN_REF_UNKNOWN, TOKEN_REF_FAULT };

/* A native token is opened by its MAC alone; any other string is looked up in the alias index. */
enum token_ref_result token_ref_locate(struct issuer *issuer, struct text token,
                                       struct arena *arena, struct token_ref *ref,
                                       struct fault *fault);

/* The token that a reference names, native or UUID. (JWT-shaped ones are made once, by issue.c, and
 * echoed.) False with *fault. */
bool token_ref_mint(const struct issuer *issuer, enum refresh_format format,
                    const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                    struct arena *arena, struct text *token, struct fault *fault);

#endif
