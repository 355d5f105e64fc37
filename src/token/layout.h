/* layout.h: the JWTs of the five documents, each in its own order of keys and its own escaping
 * (dialects.md section 1). One row per layout. Knows claims; does not know sessions or policies. */
#ifndef RETOKEN_TOKEN_LAYOUT_H
#define RETOKEN_TOKEN_LAYOUT_H

#include "base/arena.h"
#include "base/json.h"
#include "model/mount.h"
#include "token/signing_key.h"

struct layout_claims {
    struct text issuer;
    struct text audience;
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
    int64_t expires_at_s;  /* 0: no `exp` (kopong's refresh token) */
    const json_t *account; /* account.claims as parsed, or NULL */
    bool principal;        /* kopong: with `principal` */
    bool refreshed;        /* FusionAuth: authenticationType REFRESH_TOKEN instead of PASSWORD */
};

/* Builds and signs an access token. False: arena or libcrypto. */
bool layout_access_token(enum token_layout layout, const struct signing_key *key,
                         const struct layout_claims *claims, struct arena *arena,
                         struct text *token);
/* The JWT-shaped refresh token of kopong and Duktig; false also for every other layout. */
bool layout_refresh_token(enum token_layout layout, const struct signing_key *key,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *token);
/* Which member of an access token's payload names its session ("sid"), or NULL where the layout
 * carries none (kopong, Duktig, Koppeltaal). */
const char *layout_session_claim(enum token_layout layout);

/* kopong's `principal`: base64(gzip(Java-serialized GrailsUser)), byte-identical to the plugin's
 * (dialects.md section 1). */
bool layout_principal(struct text username, struct text roles, uint64_t user_number,
                      struct arena *arena, struct text *principal);

#endif
