/* SPDX-License-Identifier: ISC */
/* client_keys.h: the public keys of a client as a JWK Set (RFC 7517 section 5): from what an
 * operator has to what the store keeps, and from there to the key that a signature names. Knows
 * which key may have signed what; does not know clients or tokens. */
#ifndef RETOKEN_TOKEN_CLIENT_KEYS_H
#define RETOKEN_TOKEN_CLIENT_KEYS_H

#include "base/arena.h"
#include "base/fault.h"
#include "model/signing.h"

enum {
    CLIENT_KEYS_COUNT = 8,        /* keys in a set, at most */
    CLIENT_KEYS_INPUT_MAX = 65536 /* bytes of a set from elsewhere: some hold certificates too */
};

/* Makes what the store keeps from a JWK Set of a client: {"keys":[...]} with the public members of
 * each key that verifies signatures. A key without kid gets its thumbprint (RFC 7638) for one; keys
 * for encryption are left out. The result is in the arena. False with *fault, which says which key
 * is wrong and what would be right: any other key that we cannot use, too many, or none left. */
bool client_keys_from_set(struct arena *arena, struct text set, struct text *keys,
                          struct fault *fault);
/* The same from a public key in PEM, used with this algorithm alone; its kid is its thumbprint. */
bool client_keys_from_pem(struct arena *arena, struct text pem, enum signing_algorithm algorithm,
                          struct text *keys, struct fault *fault);

/* A set that the two above made, opened in the arena. NULL: it is not one, or the arena is full. */
struct client_keys *client_keys_open(struct arena *arena, struct text keys);
/* The kid of a key, by its place in the set; empty past the last. */
struct text client_keys_kid(const struct client_keys *keys, size_t index);
/* The next public key (libcrypto's EVP_PKEY, to be freed with EVP_PKEY_free) that may have signed
 * with this algorithm, from place *at on, which it moves; NULL past the last. When the set has
 * keys of this kid, only those; `kid` is empty when the signature names none. The algorithm
 * must be one that the key is for: its `alg`, or what its type allows. *failed becomes true when
 * such a key is passed over because it could not be made. */
struct evp_pkey_st *client_keys_next(const struct client_keys *keys,
                                     enum signing_algorithm algorithm, struct text kid, size_t *at,
                                     bool *failed);

#endif
