/* jws.h: compact JWS (RFC 7515) with a pinned key: written by hand so that claims keep each
 * layout's order, and read back through one strict gate. The algorithm comes from the key, never
 * the token. */
#ifndef RETOKEN_TOKEN_JWS_H
#define RETOKEN_TOKEN_JWS_H

#include "base/arena.h"
#include "token/signing_key.h"

enum { JWS_MAX = 8192 };

/* header and payload are JSON texts, signed as they stand. False: arena or libcrypto. */
bool jws_sign(const struct signing_key *key, struct text header, struct text payload,
              struct arena *arena, struct text *token);

/* The gate every compact JWS passes before anything else looks at it (docs/hazards.md):
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

/* Gate, `alg` equal to the key's, `kid` absent or equal to the key's, signature; then the payload
 * parsed as one JSON object. NULL when anything is wrong. Judges no claim. */
json_t *jws_open(struct arena *arena, struct text token, const struct signing_key *key);
/* The same over all keys of the ring that may verify for `realm`. NULL with *fault set (NULL = not
 * asked): a key could not be made ready, so it cannot be told whether the token is ours. */
struct keyring;
json_t *jws_open_any(struct arena *arena, struct text token, const struct keyring *keyring,
                     const char *realm, struct fault *fault);

#endif
