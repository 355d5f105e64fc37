/* SPDX-License-Identifier: ISC */
/* account.c: see account.h. */
#include "model/account.h"

#include <string.h>

bool account_name_is_good(struct text name)
{
    return name.size > 0 && name.size <= ACCOUNT_NAME_MAX && text_is_utf8(name) &&
           !text_has_control(name);
}

bool account_is_same(const struct account *a, const struct account *b)
{
    return a->enabled == b->enabled && a->created_ms == b->created_ms &&
           a->keep_on_password_change == b->keep_on_password_change &&
           a->session_limit == b->session_limit && strcmp(a->name, b->name) == 0 &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->roles, b->roles) == 0 &&
           strcmp(a->claims, b->claims) == 0 && strcmp(a->password, b->password) == 0;
}

bool account_is_rehashed(const struct account *account)
{
    static const uint8_t none[CRYPTO_HASH_SIZE];

    return memcmp(account->rehashed, none, sizeof none) != 0;
}

bool account_has_hash(const struct account *account, const char *hash)
{
    uint8_t digest[CRYPTO_HASH_SIZE];

    return strcmp(account->password, hash) == 0 ||
           (account_is_rehashed(account) && crypto_sha256(hash, strlen(hash), digest) &&
            memcmp(account->rehashed, digest, sizeof digest) == 0);
}

bool account_same_password(const struct account *a, const struct account *b)
{
    return account_has_hash(a, b->password) || account_has_hash(b, a->password) ||
           (account_is_rehashed(a) && memcmp(a->rehashed, b->rehashed, sizeof a->rehashed) == 0);
}
