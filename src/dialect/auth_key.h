/* SPDX-License-Identifier: ISC */
/* auth_key.h: the key that a dialect's application or servers show, one for a realm. Knows the
 * setting and its hash; does not know in which header it comes, or what it is good for. */
#ifndef RETOKEN_DIALECT_AUTH_KEY_H
#define RETOKEN_DIALECT_AUTH_KEY_H

#include "dialect/dialect.h"

/* A row of a dialect's `settings`. Its name is "auth-key-sha256" where the key only lets an
 * application log its users in: one that may do more has another, so that no line of a section with
 * two dialects gives the one what is the other's. */
#define AUTH_KEY_SETTING(name)                                                                     \
    {                                                                                              \
        name, auth_key_take, "write off, or the SHA-256 of the key as 64 hexadecimal digits",      \
            "off"                                                                                  \
    }
bool auth_key_take(struct realm *realm, struct text value);

/* Is it the realm's, which has one? False: *refusal is CLIENT_AUTH_FAILED or FAULT. */
bool auth_key_check(const struct realm *realm, struct text shown, enum outcome *refusal);

#endif
