/* SPDX-License-Identifier: ISC */
/* decoy.c: see decoy.h. */
#include "operation/decoy.h"

#include "base/codec.h"
#include "base/secret.h"

bool decoy_hash(const struct issuer *issuer, struct text name, char hash[PASSWORD_HASH_MAX + 1],
                struct fault *fault)
{
    uint8_t drawn[CRYPTO_HASH_SIZE];
    struct account account;

    hash[0] = '\0';
    if (!secrets_mark_hash(issuer->secrets, "decoy", name, (struct text){0}, drawn)) {
        fault_set(fault, "HMAC failed");
        return false;
    }
    switch (store_account_draw(issuer->store, codec_get_u64(drawn), &account, fault)) {
    case STORE_OK:
        if (password_kind_refuse(text_of(account.password)) == NULL &&
            text_copy(text_of(account.password), hash, PASSWORD_HASH_MAX + 1)) {
            password_kind_blank(hash);
        }
        secret_wipe(&account, sizeof account);
        return true;
    case STORE_ABSENT:
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return false;
}
