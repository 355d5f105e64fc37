/* login.h: kopong's documented form of a request, which is a login: an access token says whose, the
 * password proves it (dialects.md section 2, decision 2). Knows accounts and access tokens; does
 * not know sessions that exist already. */
#ifndef RETOKEN_OPERATION_LOGIN_H
#define RETOKEN_OPERATION_LOGIN_H

#include "operation/refresh.h"

/* ask->refresh_token is an access token of ours, expired or not, whose signature proves only whose
 * it was; user name and password are given, and a new session begins. OUTCOME_ROTATED: *answer is
 * filled as by issue_session. OUTCOME_TOKEN_INVALID: no such access token. */
enum outcome login_with_access_token(struct issuer *issuer, const struct refresh_ask *ask,
                                     struct arena *arena, struct refresh_answer *answer,
                                     struct fault *fault);

#endif
