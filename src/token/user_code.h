/* SPDX-License-Identifier: ISC */
/* user_code.h: the codes that people type to approve a device (RFC 8628 section 6.1): 8 letters
 * without vowels, so that they make no words, shown as "WDJB-MJHT". 34.5 bits, which is enough for
 * ten minutes only where wrong ones are counted. Knows their spelling; does not know the store. */
#ifndef RETOKEN_TOKEN_USER_CODE_H
#define RETOKEN_TOKEN_USER_CODE_H

#include "base/text.h"
#include "model/session.h"
#include "token/secrets.h"

enum { USER_CODE_SIZE = 8, USER_CODE_SHOWN_SIZE = USER_CODE_SIZE + 1 };

/* A new code and a NUL. False: no randomness. */
bool user_code_make(const struct randomness *randomness, char code[USER_CODE_SIZE + 1]);

/* The code that somebody typed: in either case, with spaces and dashes anywhere. Writes it and a
 * NUL; false when it is none. */
bool user_code_read(struct text typed, char code[USER_CODE_SIZE + 1]);

/* As people are shown it, with a dash in the middle, and a NUL. */
void user_code_show(const char code[USER_CODE_SIZE + 1], char shown[USER_CODE_SHOWN_SIZE + 1]);

/* The alias under which a pending session is found by its code; no token has it. False: libcrypto
 * failed. */
bool user_code_alias(const struct secrets *secrets, const char code[USER_CODE_SIZE + 1],
                     uint8_t alias[SESSION_HASH_SIZE]);

#endif
