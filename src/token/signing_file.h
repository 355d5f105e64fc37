/* SPDX-License-Identifier: ISC */
/* signing_file.h: a key as a file holds it, which others can read: PEM of a key pair, a secret's
 * bytes or a JWK of it. Does not know where the file is. */
#ifndef RETOKEN_TOKEN_SIGNING_FILE_H
#define RETOKEN_TOKEN_SIGNING_FILE_H

#include "base/buffer.h"
#include "token/signing_key.h"

/* As signing_key_from_pem; or as signing_key_from_secret, of the bytes without one line end after
 * them or, where they begin with `{`, of a JWK (kty oct), whose kid counts when `kid` is NULL or
 * "". What it takes from a JWK stays in the arena. NULL with *fault. */
struct signing_key *signing_file_read(struct arena *arena, enum signing_algorithm algorithm,
                                      struct text data, const char *kid, struct fault *fault);

/* Appends what signing_file_read takes: PEM of the pair, or a JWK of the secret. Without
 * `with_private` PEM of the public part, which no reading takes for a key. False: a secret has no
 * public part, or libcrypto failed. */
bool signing_file_write(const struct signing_key *key, bool with_private, struct buffer *out);

#endif
