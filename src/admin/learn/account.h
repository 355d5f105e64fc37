/* SPDX-License-Identifier: ISC */
/* account.h: whether a recorded value is a claim of the account, or the same for everyone.
 * Knows how backends name such things, and that what stands beside the account's name is the
 * account's. Private to learn*.c. */
#ifndef RETOKEN_ADMIN_LEARN_ACCOUNT_H
#define RETOKEN_ADMIN_LEARN_ACCOUNT_H

#include "admin/learn/meaning.h"

/* What a value is that is no token and no time. */
struct learn_meaning learn_account(const struct learn_value *value,
                                   const struct learn_facts *facts);
/* Is the value so named the name that the account logs in with? */
bool learn_account_is_name(struct text name);
/* Is it a claim that facts->answer has of the account? */
bool learn_account_is_told(const struct learn_value *value, const struct learn_facts *facts);

#endif
