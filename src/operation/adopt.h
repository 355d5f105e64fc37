/* SPDX-License-Identifier: ISC */
/* adopt.h: a refresh JWT of another server, correctly signed and not yet known here, becomes a
 * session at its first use, where the realm says so (adopt = on). Knows what such a token says;
 * does not know what is asked for with it. */
#ifndef RETOKEN_OPERATION_ADOPT_H
#define RETOKEN_OPERATION_ADOPT_H

#include "operation/client_auth.h"

struct adoption;

/* Might this realm adopt the token, which token_ref_locate does not know, by its looks? */
bool adopt_considers(const struct request *request, struct text token);
/* Looks at the token. NULL with *refusal: OUTCOME_TOKEN_INVALID where it is none of the other
 * server's refresh tokens, OUTCOME_TOKEN_EXPIRED, OUTCOME_ACCOUNT_GONE, OUTCOME_ACCOUNT_DISABLED,
 * or OUTCOME_FAULT with request->fault. Otherwise it begins: its steps are to be made. */
struct adoption *adopt_begin(struct request *request, struct text token, enum outcome *refusal);
/* May the client that client_auth_check found begin it? Asked before the steps, so that what is
 * refused leaves nothing behind. False: *refusal is WRONG_CLIENT, CLIENT_AUTH_FAILED or
 * PAGE_FOREIGN. */
bool adopt_belongs(struct adoption *adoption, const struct client_identity *client,
                   enum outcome *refusal);
/* The name of the account whose session it begins. */
const char *adopt_account(const struct adoption *adoption);
/* The next write, or NULL with *outcome: OUTCOME_ROTATED, its session can be located now, by this
 * request or by another one, or a refusal as above. */
struct store_write *adopt_step(struct adoption *adoption, enum outcome *outcome);
/* Takes what came of it. */
void adopt_written(struct adoption *adoption, enum store_result result);

#endif
