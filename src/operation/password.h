/* SPDX-License-Identifier: ISC */
/* password.h: hashes of account passwords (crypt(5), yescrypt by libxcrypt) and of client secrets.
 * The only file that includes crypt.h. */
#ifndef RETOKEN_OPERATION_PASSWORD_H
#define RETOKEN_OPERATION_PASSWORD_H

#include "base/crypto.h"
#include "base/fault.h"
#include "base/text.h"
#include "model/outcome.h"
#include "token/secrets.h"

enum { PASSWORD_MAX = 256, PASSWORD_HASH_MAX = 384 };

/* yescrypt with libxcrypt's default cost. False with *fault (also for an empty, overlong or
 * NUL-holding password). */
bool password_hash(struct text password, const struct randomness *randomness,
                   char hash[PASSWORD_HASH_MAX + 1], struct fault *fault);
/* Constant-time comparison of the result. hash "" or NULL: does the same work and says no, so that
 * an unknown account takes as long as a known one. One check takes 16 MiB and tens of milliseconds,
 * so at most PASSWORD_CHECKS run at once in a process; others wait. PASSWORD_FAULT: no memory for
 * it. */
enum { PASSWORD_CHECKS = 4 };
enum password_check { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_FAULT };
enum password_check password_verify(struct text password, const char *hash);
/* The same in the operation's words. False: *refusal is OUTCOME_CREDENTIALS_WRONG, or OUTCOME_FAULT
 * with *fault. */
bool password_matches(struct text password, const char *hash, enum outcome *refusal,
                      struct fault *fault);

/* Client secrets. A generated one has 256 bits, so an HMAC under a key derived from the master
 * secret is enough and costs a microsecond per request; one chosen by a human gets yescrypt. */
bool client_secret_generate(const struct randomness *randomness, char secret[44]);
bool client_secret_hash(struct text secret, bool generated, const struct secrets *secrets,
                        const struct randomness *randomness, char hash[PASSWORD_HASH_MAX + 1],
                        struct fault *fault);
enum password_check client_secret_verify(struct text secret, const char *hash,
                                         const struct secrets *secrets);

#endif
