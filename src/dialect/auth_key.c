/* SPDX-License-Identifier: ISC */
/* auth_key.c: see auth_key.h. */
#include "dialect/auth_key.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "base/secret.h"

bool auth_key_take(struct realm *realm, struct text value)
{
    realm->has_auth_key = !text_is(value, "off");
    return !realm->has_auth_key || codec_hex_decode(value, realm->auth_key, sizeof realm->auth_key);
}

bool auth_key_check(const struct realm *realm, struct text shown, enum outcome *refusal)
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    if (!crypto_sha256(shown.data, shown.size, hash)) {
        *refusal = OUTCOME_FAULT;
        return false;
    }
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    return realm->has_auth_key && secret_equal(hash, realm->auth_key, sizeof hash);
}
