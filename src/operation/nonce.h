/* SPDX-License-Identifier: ISC */
/* nonce.h: what who holds a key shall sign, to show that they hold it now. Nonces are derived from
 * a time, so all processes know them, nothing is stored and none is lost. Knows time and the master
 * secret; does not know who signs what. */
#ifndef RETOKEN_OPERATION_NONCE_H
#define RETOKEN_OPERATION_NONCE_H

#include "token/secrets.h"

enum { NONCE_SIZE = 22 /* characters */ };

/* The nonce of this time under `word`, for these bytes and no others: the same in every process,
 * and after a restart. False: libcrypto failed. */
bool nonce_make(const struct secrets *secrets, const char *word, struct text bytes, int64_t now_ms,
                char nonce[NONCE_SIZE + 1]);

/* Is `sent` one of the last two to four minutes? Then *until_ms is when it will not be any more;
 * otherwise it is 0. False: libcrypto failed. */
bool nonce_is_recent(const struct secrets *secrets, const char *word, struct text bytes,
                     int64_t now_ms, struct text sent, int64_t *until_ms);

#endif
