/* SPDX-License-Identifier: ISC */
/* signing_pair.h: a key pair that signs and verifies. libcrypto's key is made from the raw numbers
 * at the first use: most processes use one key of many, and a CGI script signs once. Private to
 * token/. */
#ifndef RETOKEN_TOKEN_SIGNING_PAIR_H
#define RETOKEN_TOKEN_SIGNING_PAIR_H

#include <openssl/evp.h>

#include "base/text.h"
#include "token/signing_numbers.h"
#include "token/signing_profile.h"

struct signing_pair; /* safe to use from several threads, its first use too */

/* From what signing_numbers_write wrote; copied. NULL with *fault: out of memory, or the bytes are
 * no numbers of such a key. */
struct signing_pair *signing_pair_open(const struct signing_profile *profile, struct text bytes,
                                       struct fault *fault);
void signing_pair_close(struct signing_pair *pair); /* wipes; NULL is harmless */

/* Borrowed: the bytes it was opened from, and the numbers in them. */
struct text signing_pair_bytes(const struct signing_pair *pair);
const struct signing_numbers *signing_pair_numbers(const struct signing_pair *pair);

/* Has libcrypto's key been made, or can it be made now? False: libcrypto failed, or the numbers are
 * no key after all. The two below then give false; the next call tries again. */
bool signing_pair_ready(struct signing_pair *pair);
/* As signing_key_sign and signing_key_verify. */
bool signing_pair_sign(struct signing_pair *pair, struct text input, uint8_t *signature,
                       size_t *size);
bool signing_pair_verify(struct signing_pair *pair, struct text input, const uint8_t *signature,
                         size_t size);
/* As signing_key_check. */
bool signing_pair_check(struct signing_pair *pair, struct text input, const uint8_t *signature,
                        size_t size, bool *failed);

/* Verifies once under a public key of others, which fits the profile. False with *failed: memory
 * was short or libcrypto failed. */
bool signing_pair_verify_with(const struct signing_profile *profile, EVP_PKEY *pkey,
                              struct text input, const uint8_t *signature, size_t size,
                              bool *failed);

#endif
