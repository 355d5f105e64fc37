/* SPDX-License-Identifier: ISC */
/* forge.h: compact JWSs as an attacker would put them together. */
#ifndef RETOKEN_TESTS_TOKEN_FORGE_H
#define RETOKEN_TESTS_TOKEN_FORGE_H

#include "token/signing_key.h"

/* header.payload.signature with a right signature of `key`, whatever the header says. */
struct text forge_signed(struct arena *arena, const struct signing_key *key, const char *header,
                         const char *payload);
/* The same with an HMAC-SHA-256 under any bytes, also none. */
struct text forge_mac(struct arena *arena, struct text secret, const char *header,
                      const char *payload);
/* With these bytes for a signature. */
struct text forge_with(struct arena *arena, struct text header, struct text payload,
                       struct text signature);

#endif
