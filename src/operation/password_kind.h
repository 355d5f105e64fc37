/* SPDX-License-Identifier: ISC */
/* password_kind.h: the kinds of password hashes, by what their strings look like (crypt(5)): which
 * are accepted, what each costs, and which are made. Knows spellings; computes no hash. */
#ifndef RETOKEN_OPERATION_PASSWORD_KIND_H
#define RETOKEN_OPERATION_PASSWORD_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum password_kind {
    PASSWORD_YESCRYPT, /* $y$ */
    PASSWORD_BCRYPT,   /* $2b$, $2a$, $2y$ */
    PASSWORD_SHA512,   /* $6$ */
    /* accepted, never made: */
    PASSWORD_SHA256,        /* $5$ */
    PASSWORD_SCRYPT,        /* $7$ */
    PASSWORD_GOST_YESCRYPT, /* $gy$ */
    PASSWORD_APACHE_MD5,    /* $apr1$ */
    PASSWORD_MD5            /* $1$ */
};

/* How a new hash is made. All zero: yescrypt at its usual cost. */
struct password_method {
    enum password_kind kind;
    uint32_t cost; /* as `count` of crypt_gensalt(3); 0 = the kind's usual one */
};

/* "yescrypt", "yescrypt:N" (1 to 7), "bcrypt:N" (10 to 15), "sha512crypt:N" (5,000 to 2,000,000
 * rounds), each also without a cost. False: none of these, and *method is unchanged. */
bool password_method_parse(struct text value, struct password_method *method);
/* The setting's prefix and `count` for crypt_gensalt(3). */
const char *password_method_prefix(const struct password_method *method);
uint32_t password_method_cost(const struct password_method *method);
/* Is the hash of that kind, and does it cost as much or more? */
bool password_method_suffices(const struct password_method *method, const char *hash);

/* Is it a whole hash of an accepted kind, at a cost that a login may have: 64 MiB, bcrypt's 15,
 * 2,000,000 rounds? NULL: it is. Otherwise what is wrong and what to do, for a person. */
const char *password_kind_refuse(struct text hash);

/* Overwrites the checksum, so that computing it costs the same and nothing is equal to it. For an
 * accepted hash. */
void password_kind_blank(char *hash);

#endif
