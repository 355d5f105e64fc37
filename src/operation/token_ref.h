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
 * known, or its master secret is retired. */
enum token_ref_result { TOKEN_REF_FOUND, TOKEN_REF_INVALID, TOKEN_REF_UNKNOWN, TOKEN_REF_FAULT };

/* A native token is opened by its MAC alone; any other string is looked up in the alias index. */
enum token_ref_result token_ref_locate(struct issuer *issuer, struct text token,
                                       struct arena *arena, struct token_ref *ref,
                                       struct fault *fault);

/* Is this a refresh token, or a code, of a session whose tokens are under a master secret that this
 * process has not read? Then it must not be refused as if it were none. True with *fault, which
 * says what to copy, or that the store cannot be read. */
bool token_ref_lacks_secret(const struct issuer *issuer, struct text token, struct fault *fault);
/* Is it a JWT-shaped refresh token that was issued here? */
bool token_ref_is_own_jwt(const struct issuer *issuer, struct text token, struct arena *arena);

/* The number of the master secret that a session's next token is under. UUIDs are removed by
 * deriving them again, so a session that has some stays with the one that it began with. */
uint8_t token_ref_next_secret(const struct issuer *issuer, enum refresh_format format,
                              const struct session *session, int64_t now_ms);
/* The token that a reference names, native or UUID, under the master secret of that number.
 * (JWT-shaped ones are made once, by issue.c, and echoed.) False with *fault. */
bool token_ref_mint(const struct issuer *issuer, enum refresh_format format, uint8_t secret,
                    const uint8_t session[SESSION_ID_SIZE], uint32_t generation,
                    struct arena *arena, struct text *token, struct fault *fault);

#endif
