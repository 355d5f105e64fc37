/* SPDX-License-Identifier: ISC */
/* decoy.h: what a password is compared with where an account has none, or where there is no such
 * account. Hashes of several kinds differ in time, so time would tell which names exist if all
 * others took the time of one kind. Knows which kinds the accounts have; checks no password. */
#ifndef RETOKEN_OPERATION_DECOY_H
#define RETOKEN_OPERATION_DECOY_H

#include "operation/issuer.h"
#include "operation/password.h"

/* A hash that no password has, and that costs as much as that of an account which a keyed hash of
 * `name` chooses: a name keeps its cost, and the costs of all names are spread as those of the
 * accounts are. "" where hardly any account has a password (password_verify knows what to do).
 * False with *fault. */
bool decoy_hash(const struct issuer *issuer, struct text name, char hash[PASSWORD_HASH_MAX + 1],
                struct fault *fault);

#endif
