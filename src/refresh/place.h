/* place.h: the pair of functions at which all spellings of refresh tokens meet (design.md section
 * 3): mint (session, generation) -> string, and locate string -> (session, generation). */
#ifndef RETOKEN_REFRESH_PLACE_H
#define RETOKEN_REFRESH_PLACE_H

#include "base/arena.h"
#include "refresh/authority.h"

struct place {
    uint8_t session[SESSION_ID_SIZE];
    uint32_t generation;
};

/* PLACE_INVALID: nobody here issued it. PLACE_UNKNOWN: we did, but nothing is known of it any more.
 */
enum place_result { PLACE_FOUND, PLACE_INVALID, PLACE_UNKNOWN, PLACE_FAULT };

/* A native token is opened by its MAC alone; any other string is looked up in the alias index. */
enum place_result place_locate(struct authority *authority, struct text token, struct arena *arena,
                               struct place *place, struct fault *fault);

/* The token of a place, native or UUID. (JWT-shaped ones are made once, by issue.c, and echoed.)
 * False with *fault. */
bool place_mint(const struct authority *authority, enum refresh_format format,
                const uint8_t session[SESSION_ID_SIZE], uint32_t generation, struct arena *arena,
                struct text *token, struct fault *fault);

#endif
