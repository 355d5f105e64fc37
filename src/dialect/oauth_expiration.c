/* SPDX-License-Identifier: ISC */
/* oauth_expiration.c: see oauth_expiration.h. */
#include "dialect/oauth_expiration.h"

#include "base/clock.h"
#include "dialect/metadata.h"

static void add_left(struct json_out *out, const char *key, int64_t end_ms, int64_t now_ms);

bool oauth_expiration_take(struct realm *realm, struct text value)
{
    realm->tells_expiration = text_is(value, "on");
    return realm->tells_expiration || text_is(value, "off");
}

void oauth_expiration_add(struct json_out *out, const struct request *request)
{
    const struct answer *answer = &request->answer;

    if (request->realm->tells_expiration) {
        add_left(out, "refresh_token_timeout", answer->session_expires_ms, answer->now_ms);
        add_left(out, "authorization_expires_in", answer->session_ends_ms, answer->now_ms);
    }
}

static void add_left(struct json_out *out, const char *key, int64_t end_ms, int64_t now_ms)
{
    if (end_ms != 0) {
        json_out_member_int(out, key, end_ms > now_ms ? (end_ms - now_ms) / CLOCK_SECOND : 0);
    }
}

/* A client's own lifetimes may be finite where the realm's are not, so both are named. */
void oauth_expiration_add_types(struct json_out *out, const struct request *request)
{
    if (request->realm->tells_expiration) {
        metadata_add_words(out, "refresh_token_expiration_types_supported",
                           (const char *const[]){"authorization", "token_timeout", NULL});
    }
}
