/* SPDX-License-Identifier: ISC */
/* signing_pem.h: keys read from PEM texts, and written. Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_PEM_H
#define RETOKEN_TOKEN_SIGNING_PEM_H

#include <openssl/evp.h>

#include "base/buffer.h"
#include "base/fault.h"
#include "base/text.h"

enum { SIGNING_PEM_MAX = 16384 };

/* The private key in the text (PKCS#8 or traditional), to be freed with EVP_PKEY_free; never asks
 * for a pass phrase. NULL with *fault saying what the text is instead. */
EVP_PKEY *signing_pem_private(struct text pem, struct fault *fault);
/* The public key (SubjectPublicKeyInfo) in the text. */
EVP_PKEY *signing_pem_public(struct text pem, struct fault *fault);

/* Appends the pair (PKCS#8, not encrypted), or its public part (SubjectPublicKeyInfo). False:
 * libcrypto failed. */
bool signing_pem_write(const EVP_PKEY *pkey, bool with_private, struct buffer *out);

#endif
