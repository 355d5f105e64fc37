/* SPDX-License-Identifier: ISC */
/* secret_proof.h: does a client's secret prove it? Knows which secrets cost a hash and when one is
 * worth that; does not know assertions. */
#ifndef RETOKEN_OPERATION_SECRET_PROOF_H
#define RETOKEN_OPERATION_SECRET_PROOF_H

#include "operation/request.h"
#include "operation/token_ref.h"

/* Compares request->client.secret with those of `client` that hold at now_ms. A generated one is
 * always compared. One that a human chose costs a hash, and is a guess (guess.h): of a user beside
 * a token of ours (`ref`), of a stranger where none came along (NULL). True: *number is that of the
 * secret. False: *refusal is CLIENT_AUTH_FAILED, SLOWED, BUSY or FAULT. */
bool secret_proof_check(struct request *request, const struct client *client,
                        const struct token_ref *ref, int64_t now_ms, uint32_t *number,
                        enum outcome *refusal);

#endif
