/* SPDX-License-Identifier: ISC */
/* layout.h: how a JWT is laid out: the members of its header and of its payload, their order and
 * their escaping. A dialect has a const struct layout in its own file; what several of them write
 * is here. Knows claims; does not know any dialect, sessions or policies. */
#ifndef RETOKEN_TOKEN_LAYOUT_H
#define RETOKEN_TOKEN_LAYOUT_H

#include "base/arena.h"
#include "base/json.h"
#include "base/template.h"
#include "token/signing_key.h"

struct layout_claims {
    struct text issuer;
    struct text audience;
    struct text targets;  /* audiences that were asked for instead, space-separated; "" = none */
    struct text subject;  /* of the account, else its name */
    struct text username; /* the account's name */
    uint64_t user_number; /* account claims' "userId" when it is a number, else account.number */
    struct text roles;    /* space-separated */
    struct text scope;
    bool scope_given;
    struct text client; /* client id; "" = none */
    char session[37];   /* session id as UUID */
    char jti[37];
    int64_t issued_at_s;
    int64_t expires_at_s; /* 0: no `exp` */
    const json_t
        *account;        /* account.claims as parsed, with what a hook has put over them; or NULL */
    const json_t *given; /* what a hook has put over them; a null is no claim. NULL = nothing */
    bool refreshed;      /* issued by a refresh, not by a login */
    const uint8_t *key;  /* SHA-256 thumbprint of the key that its bearer must prove; NULL = none */
    const uint8_t *certificate; /* … of the certificate that its bearer must show; NULL = none */
};

/* Writes the members of a payload; the braces are written already. */
typedef void layout_writer(struct json_out *out, const struct layout_claims *claims);

enum { LAYOUT_HEADER_MAX = 4 };

struct layout {
    unsigned style; /* enum json_style, of header and payload */
    struct {
        const char *name;
        const char *value; /* NULL: the key's own `alg` or `kid` */
    } header[LAYOUT_HEADER_MAX];
    layout_writer *access;
    layout_writer *refresh; /* NULL: refresh tokens of this layout are not JWTs */
    /* or the whole payload, with layout_claim_names, instead of each */
    const struct template *access_template;
    const struct template *refresh_template;
    const char *session_claim; /* the member of an access token that names its session ("sid"), or
                                  NULL */
    bool says_scope;           /* access tokens carry the scope */
    bool says_audience;        /* access tokens carry `aud` */
    bool says_targets;         /* … which may be several that were asked for */
    bool says_key;             /* and the key that they are bound to */
    bool refresh_has_no_exp;   /* in the original, a token with `exp` is an access token */
};

/* Are its tokens of type at+jwt, which are none without `iss` (RFC 9068 section 2.2)? Without an
 * issuer they are of type JWT. */
bool layout_needs_issuer(const struct layout *layout);

/* Has it refresh tokens? */
static inline bool layout_has_refresh(const struct layout *layout)
{
    return layout->refresh != NULL || layout->refresh_template != NULL;
}

/* Builds and signs an access token. False: arena or libcrypto. */
bool layout_access_token(const struct layout *layout, const struct signing_key *key,
                         const struct layout_claims *claims, struct arena *arena,
                         struct text *token);
/* Builds and signs a JWT-shaped refresh token; false also where the layout has none, and when the
 * token would be longer than REFRESH_TOKEN_MAX. */
bool layout_refresh_token(const struct layout *layout, const struct signing_key *key,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *token);

/* The header of its tokens, for a key of that algorithm and name, in a realm with an issuer or
 * without. False: the arena. */
bool layout_header(const struct layout *layout, const char *algorithm, const char *kid,
                   bool has_issuer, struct arena *arena, struct text *header);

/* Is this the header of an access token of the layout, in a realm with an issuer or without: its
 * members and no others, with their values? */
bool layout_has_header(const struct layout *layout, bool has_issuer, const json_t *header);

/* ---- members that several layouts share ---- */

/* A member whose value is the array of the space-separated words. */
void layout_add_words(struct json_out *out, const char *key, struct text words);
/* `exp`, unless the token has no end. */
void layout_add_expiry(struct json_out *out, const struct layout_claims *claims);
/* A claim of the account as it is, when the account has it. */
void layout_add_account_claim(struct json_out *out, const struct layout_claims *claims,
                              const char *key);
/* What a hook has given, for layouts that may carry any claim. */
void layout_add_given(struct json_out *out, const struct layout_claims *claims);
/* `cnf` with the thumbprints of its bearer's key (RFC 9449 section 6.1) and certificate (RFC 8705
 * section 3.1), as far as it is bound to them. */
void layout_add_key(struct json_out *out, const struct layout_claims *claims);
/* `aud`: what was asked for, or else the usual one, unless that is empty. One is a string, several
 * are an array (RFC 7519 section 4.1.3). */
void layout_add_audience(struct json_out *out, const struct layout_claims *claims,
                         struct text usual);
/* A member, unless its value is empty. */
void layout_add_named(struct json_out *out, const char *key, struct text value);

#endif
