/* signing_ecdsa.h: ECDSA signatures between JWS's form (R and S side by side at full length, RFC
 * 7518 section 3.4) and libcrypto's (ASN.1). Private to token/. */
#ifndef RETOKEN_TOKEN_SIGNING_ECDSA_H
#define RETOKEN_TOKEN_SIGNING_ECDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNING_ECDSA_DER_MAX = 160 };

/* Writes 2 * half bytes. False, with raw in any state, unless der is DER to the last byte and both
 * numbers fit. */
bool signing_ecdsa_to_raw(const uint8_t *der, size_t der_size, size_t half, uint8_t *raw);
/* From 2 * half bytes; the size of the ASN.1 form, 0 on failure. That R and S lie in [1, n-1] is
 * libcrypto's to check. */
size_t signing_ecdsa_from_raw(const uint8_t *raw, size_t half, uint8_t der[SIGNING_ECDSA_DER_MAX]);

#endif
