/* issue.h: beginning a session and making its tokens. The one place that turns (session, account,
 * mount) into an access token, for the first issue and for every refresh. */
#ifndef RETOKEN_OPERATION_ISSUE_H
#define RETOKEN_OPERATION_ISSUE_H

#include "operation/refresh.h"

struct issue_ask {
    const struct mount *mount;
    const struct account *account;
    struct text client; /* "" = none */
    bool scope_given;
    struct text scope;
    struct text imported; /* a refresh token another server issued, to be honoured as generation 0;
                             "" = none */
};

/* OUTCOME_ROTATED with the answer filled (refresh token of generation 0) once the session is
 * durable; OUTCOME_TOKEN_INVALID: `imported` is unusable or taken already; OUTCOME_SCOPE_INVALID:
 * not a scope (RFC 6749 section 3.3) or too long; OUTCOME_FAULT. */
enum outcome issue_session(struct issuer *issuer, const struct issue_ask *ask, struct arena *arena,
                           struct refresh_answer *answer, struct fault *fault);

/* Under the policy in force for the client, signs an access token for (session, generation) at
 * issued_at_s and fills answer's access_token, expires_*, username, roles. `scope` is what the
 * token shall carry. Needs answer->now_ms. */
bool issue_access_token(struct issuer *issuer, const struct mount *mount,
                        const struct policy *policy, const struct session *session,
                        const struct account *account, uint64_t keyring_version,
                        uint32_t generation, int64_t issued_at_s, struct text scope, bool refreshed,
                        struct arena *arena, struct refresh_answer *answer, struct fault *fault);

#endif
