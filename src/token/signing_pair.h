/* signing_pair.h: a key pair at work. It is made from its stored bytes when it is first needed:
 * most processes sign with one key of many, and a CGI script signs once. Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_PAIR_H
#define RETOKEN_TOKEN_SIGNING_PAIR_H

#include <openssl/evp.h>

#include "base/text.h"
#include "token/signing_profile.h"

struct signing_pair; /* safe to use from several threads, its first use too */

/* Takes pkey over when it succeeds. NULL: out of memory, or libcrypto cannot prepare this key
 * (Ed25519 is prepared at once). */
struct signing_pair *signing_pair_of(const struct signing_profile *profile, EVP_PKEY *pkey);
/* From PKCS#8 bytes that were a key of this profile when they were sealed; copied, and looked at
 * later. NULL: out of memory. */
struct signing_pair *signing_pair_of_pkcs8(const struct signing_profile *profile,
                                           const uint8_t *bytes, size_t size);
void signing_pair_close(struct signing_pair *pair); /* wipes; NULL is harmless */

/* Borrowed; made of the bytes unless that has been done. NULL: they are no such key after all, or
 * libcrypto failed. In both cases the two below give false; the next call tries again. */
const EVP_PKEY *signing_pair_pkey(struct signing_pair *pair);
/* As signing_key_sign and signing_key_verify. */
bool signing_pair_sign(struct signing_pair *pair, struct text input, uint8_t *signature,
                       size_t *size);
bool signing_pair_verify(struct signing_pair *pair, struct text input, const uint8_t *signature,
                         size_t size);

#endif
