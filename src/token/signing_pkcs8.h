/* signing_pkcs8.h: private keys between PKCS#8 (RFC 5958), as they are sealed and stored, and
 * libcrypto's EVP_PKEY. Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_PKCS8_H
#define RETOKEN_TOKEN_SIGNING_PKCS8_H

#include <openssl/evp.h>

#include "token/signing_profile.h"

/* To be freed with EVP_PKEY_free. NULL unless the bytes are one private key to the last of them;
 * whether it suits the profile is signing_profile_fits' to say. */
EVP_PKEY *signing_pkcs8_read(const struct signing_profile *profile, const uint8_t *bytes,
                             size_t size);
/* The size, and *bytes to be given back with OPENSSL_clear_free; 0 on failure. */
size_t signing_pkcs8_write(const EVP_PKEY *pkey, uint8_t **bytes);

#endif
