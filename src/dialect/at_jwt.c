/* SPDX-License-Identifier: ISC */
/* at_jwt.c: see at_jwt.h. RFC 9068 section 2.2; where the operator names no audience, it is this
 * server. A client's own token, of which nothing is stored, has no sid. */
#include "dialect/at_jwt.h"

static void write_access(struct json_out *out, const struct layout_claims *claims)
{
    layout_add_named(out, "iss", claims->issuer);
    json_out_member(out, "sub", claims->subject);
    layout_add_audience(out, claims, claims->audience.size > 0 ? claims->audience : claims->issuer);
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "jti", text_of(claims->jti));
    layout_add_named(out, "client_id", claims->client);
    layout_add_named(out, "scope", claims->scope); /* an empty one is none (RFC 6749 section 3.3) */
    layout_add_named(out, "sid", text_of(claims->session));
    if (claims->roles.size > 0) {
        layout_add_words(out, "roles", claims->roles);
    }
    layout_add_key(out, claims);
    layout_add_given(out, claims);
}

const struct layout at_jwt_layout = {
    .header = {{"typ", "at+jwt"}, {.name = "alg"}, {.name = "kid"}},
    .access = write_access,
    .session_claim = "sid",
    .says_scope = true,
    .says_audience = true,
    .says_targets = true,
    .says_key = true,
};
