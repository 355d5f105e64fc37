/* SPDX-License-Identifier: ISC */
/* password.h: hashes of account passwords (crypt(5) by libxcrypt, and Apache's own) and of client
 * secrets. The only file that includes crypt.h. */
#ifndef RETOKEN_OPERATION_PASSWORD_H
#define RETOKEN_OPERATION_PASSWORD_H

#include "base/crypto.h"
#include "base/fault.h"
#include "base/text.h"
#include "operation/password_kind.h"
#include "token/secrets.h"

enum { PASSWORD_MAX = 256, PASSWORD_HASH_MAX = 384 };

/* False with *fault (also for an empty, overlong or NUL-holding password, and one that bcrypt would
 * cut off). */
bool password_hash(struct text password, const struct password_method *method,
                   const struct randomness *randomness, char hash[PASSWORD_HASH_MAX + 1],
                   struct fault *fault);
/* Constant-time comparison of the result; for a hash that password_kind_refuse accepts. hash "" or
 * NULL: does the same work and says no, so that an unknown account takes as long as a known one.
 * Takes 16 MiB and tens of milliseconds: what strangers may ask for goes through a password_gate,
 * which alone gives PASSWORD_BUSY. PASSWORD_FAULT: no memory for it. */
enum password_check { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_BUSY, PASSWORD_FAULT };
enum password_check password_verify(struct text password, const char *hash);

/* Client secrets. A generated one has 256 bits, so an HMAC under a key derived from the master
 * secret is enough and costs a microsecond per request; one chosen by a human gets yescrypt. */
bool client_secret_generate(const struct randomness *randomness, char secret[44]);
bool client_secret_hash(struct text secret, bool generated, const struct secrets *secrets,
                        const struct randomness *randomness, char hash[PASSWORD_HASH_MAX + 1],
                        struct fault *fault);
bool client_secret_is_generated(const char *hash);
/* Of a generated one; another one's is a password's hash. */
enum password_check client_secret_verify(struct text secret, const char *hash,
                                         const struct secrets *secrets);

#endif
