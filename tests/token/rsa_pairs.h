/* SPDX-License-Identifier: ISC */
/* rsa_pairs.h: RSA pairs that need not be made. */
#ifndef RETOKEN_TESTS_TOKEN_RSA_PAIRS_H
#define RETOKEN_TESTS_TOKEN_RSA_PAIRS_H

/* PEM (PKCS #8) of the pair: "RSA", "RSA other", one for each RSA algorithm ("RSA RS256"),
 * "RSA-1024", "RSA e=3", "RSA-4096"; NULL: there is no such pair. */
const char *rsa_pairs_pem(const char *kind);

#endif
