/* SPDX-License-Identifier: ISC */
/* nonce.c: see nonce.h. */
#include "operation/nonce.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/secret.h"

enum { SLOT_MS = 2 * CLOCK_MINUTE, NONCE_BYTES = 16 };

static bool make(const struct secrets *secrets, const char *word, struct text bytes, int64_t slot,
                 char nonce[NONCE_SIZE + 1]);

bool nonce_make(const struct secrets *secrets, const char *word, struct text bytes, int64_t now_ms,
                char nonce[NONCE_SIZE + 1])
{
    return make(secrets, word, bytes, now_ms / SLOT_MS, nonce);
}

/* The next one, too: another machine's clock may be a little ahead. */
bool nonce_is_recent(const struct secrets *secrets, const char *word, struct text bytes,
                     int64_t now_ms, struct text sent, int64_t *until_ms)
{
    int64_t slot = now_ms / SLOT_MS;
    char nonce[NONCE_SIZE + 1];

    *until_ms = 0;
    for (int64_t i = slot + 1; i >= slot - 1; i--) {
        if (!make(secrets, word, bytes, i, nonce)) {
            return false;
        } else if (sent.size == NONCE_SIZE && secret_equal(sent.data, nonce, sent.size)) {
            *until_ms = (i + 2) * SLOT_MS;
            return true;
        }
    }
    return true;
}

static bool make(const struct secrets *secrets, const char *word, struct text bytes, int64_t slot,
                 char nonce[NONCE_SIZE + 1])
{
    uint8_t hash[CRYPTO_HASH_SIZE], number[8];

    codec_put_u64(number, (uint64_t)slot);
    if (!secrets_mark_hash(secrets, word, bytes, (struct text){(const char *)number, sizeof number},
                           hash)) {
        return false;
    }
    codec_base64url_encode(hash, NONCE_BYTES, nonce);
    nonce[NONCE_SIZE] = '\0';
    return true;
}
