/* SPDX-License-Identifier: ISC */
/* jws.h: compact JWS (RFC 7515) with a pinned key: our own, so that claims keep each layout's
 * order, and read through one strict gate. The algorithm comes from the key, never from the token.
 * Knows header members; does not know claims. */
#ifndef RETOKEN_TOKEN_JWS_H
#define RETOKEN_TOKEN_JWS_H

#include "base/arena.h"
#include "token/signing_key.h"

enum { JWS_MAX = 8192 };

/* header and payload are JSON texts, signed as they are. False: out of memory, or
 * libcrypto failed. */
bool jws_sign(const struct signing_key *key, struct text header, struct text payload,
              struct arena *arena, struct text *token);

/* The same with a header of alg, typ and kid. */
bool jws_sign_as(const struct signing_key *key, const char *type, struct text payload,
                 struct arena *arena, struct text *token);

/* The gate that every compact JWS passes before anything else reads it (docs/hazards.md):
 * three non-empty parts of canonical base64url, at most JWS_MAX characters, header one JSON object
 * without duplicates, `alg` a string, no `crit`, no `b64`, no `zip`. */
struct jws {
    struct text header_json; /* decoded, in the arena */
    struct text payload_json;
    struct text signing_input;
    uint8_t signature[SIGNING_SIGNATURE_MAX];
    size_t signature_size;
    struct text algorithm; /* as the header names it */
    struct text kid;       /* empty when absent or not [A-Za-z0-9._-]{1,64} */
    struct text type;      /* `typ`, empty when absent */
    json_t *header;
};
bool jws_gate(struct arena *arena, struct text token, struct jws *jws);

/* Checks the gate, `alg` equal to the key's, `kid` absent or equal to the key's, and the signature,
 * then parses the payload as one JSON object. NULL when anything is wrong. Judges no claim. */
json_t *jws_open(struct arena *arena, struct text token, const struct signing_key *key);
/* The same with all keys of the ring that may verify for `realm`. NULL with *fault set (fault may
 * be NULL): a key could not be made ready, so whether the token is ours is not known. */
struct keyring;
json_t *jws_open_any(struct arena *arena, struct text token, const struct keyring *keyring,
                     const char *realm, struct fault *fault);
/* The row whose key signed it, of all rows given but those of other servers, retired ones too: for
 * finding out about a token, never for accepting one. NULL: none of them did; with *fault set, a
 * key could not be made ready, so whether one of them did is not known. */
const struct signing_row *jws_signer(const struct jws *jws, const struct signing_row *rows,
                                     size_t count, const struct secrets *secrets,
                                     struct fault *fault);

#endif
