/* client_auth.h: does the client prove itself (RFC 6749 section 2.3, RFC 7523 section 3)? Knows
 * client records and proofs; does not know sessions. */
#ifndef RETOKEN_OPERATION_CLIENT_AUTH_H
#define RETOKEN_OPERATION_CLIENT_AUTH_H

#include "operation/refresh.h"

struct client_identity {
    bool named;  /* the request names a client that is registered and enabled */
    bool proved; /* … and proved it with a secret or an assertion */
    char id[CLIENT_ID_MAX + 1];
};

/* CLIENT_ACCEPTED: *identity is filled (not named when the request names nobody). CLIENT_REFUSED: a
 * confidential client without proof, a wrong proof, an unknown client. CLIENT_DISABLED: it is who
 * it says, and may not any more. */
enum client_check { CLIENT_ACCEPTED, CLIENT_REFUSED, CLIENT_DISABLED, CLIENT_FAULT };
enum client_check client_auth_check(struct issuer *issuer, const struct refresh_ask *ask,
                                    int64_t now_ms, struct arena *arena,
                                    struct client_identity *identity, struct fault *fault);

#endif
