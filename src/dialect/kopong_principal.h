/* SPDX-License-Identifier: ISC */
/* kopong_principal.h: the `principal` claim of kopong's tokens. Knows Java's serialization of one
 * class; does not know tokens. */
#ifndef RETOKEN_DIALECT_KOPONG_PRINCIPAL_H
#define RETOKEN_DIALECT_KOPONG_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* Writes base64(gzip(Java-serialized GrailsUser)) into the arena, byte-identical to the plugin's
 * (docs/dialects.md section 1). `roles` are space-separated. False: the arena is exhausted, or a
 * name or role is too long for the stream. */
bool kopong_principal(struct text username, struct text roles, uint64_t user_number,
                      struct arena *arena, struct text *principal);

#endif
