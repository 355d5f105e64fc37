/* SPDX-License-Identifier: ISC */
/* password_apr1.h: the hashes that Apache's htpasswd makes unless told otherwise. Knows how they
 * are computed; does not know which hashes are accepted. */
#ifndef RETOKEN_OPERATION_PASSWORD_APR1_H
#define RETOKEN_OPERATION_PASSWORD_APR1_H

#include "operation/password.h"

#define PASSWORD_APR1 "$apr1$"

/* As crypt(3) for the other kinds: the hash of `password` with the salt of `setting`, which is a
 * hash of this kind or the part of it before the checksum. False when `setting` is of another kind
 * or libcrypto fails. */
bool password_apr1(struct text password, const char *setting, char hash[PASSWORD_HASH_MAX + 1]);

#endif
