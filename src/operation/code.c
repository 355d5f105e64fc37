/* SPDX-License-Identifier: ISC */
/* code.c: the operation that exchanges an authorization code for the first tokens of its session
 * (RFC 6749 section 4.1.3, RFC 7636 section 4.6). Whoever is not the right client, or does not know
 * the verifier, spends nothing: the code is as good as before. Of the right client a code is taken
 * once; when it comes again, its session ends. Knows sessions and clients; does not know HTTP. */
#include "operation/code.h"

#include <string.h>

#include "base/secret.h"
#include "operation/exchange.h"
#include "operation/operation.h"
#include "token/refresh_token.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static enum outcome judge(struct request *request, const struct exchange *exchange);
static enum outcome judge_proof(struct request *request, const struct session *session);

const struct operation operation_code = {.word = "code",
                                         .finds_client = true,
                                         .begin = begin,
                                         .step = step,
                                         .written = exchange_written};

static bool begin(struct request *request)
{
    return exchange_begin(request, refresh_token_code_open, request->input.code.code,
                          OUTCOME_FIELD_MISSING);
}

/* Who loses the race for the code reads that it is spent. */
static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct exchange *exchange = request->state;

    if (!exchange->decided) {
        enum outcome verdict = exchange_find(request, exchange, OUTCOME_TOKEN_UNKNOWN);

        exchange_decide(request, exchange,
                        verdict == OUTCOME_ROTATED ? judge(request, exchange) : verdict);
        if (exchange->outcome == OUTCOME_TOKEN_REUSED) {
            exchange_punish(request, exchange);
        }
    }
    *outcome = exchange->outcome;
    return exchange->writes ? &exchange->write : NULL;
}

/* ---- what is to be said to the code ---- */

/* OUTCOME_ROTATED: the session may begin. */
static enum outcome judge(struct request *request, const struct exchange *exchange)
{
    enum outcome outcome = exchange_judge_code(request, exchange);

    return outcome == OUTCOME_ROTATED ? judge_proof(request, &exchange->view.session) : outcome;
}

/* The redirect URI, where one was sent to begin with, and the source of the challenge. */
static enum outcome judge_proof(struct request *request, const struct session *session)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    const struct code_input *input = &request->input.code;
    uint8_t redirect[SESSION_HASH_SIZE] = {0};
    uint8_t challenge[SESSION_CHALLENGE_SIZE];
    bool sent = !secret_equal(session->redirect, none, sizeof none);

    if ((input->redirect_uri.size > 0 &&
         !code_redirect_hash(request->issuer->secrets, input->redirect_uri, redirect)) ||
        !crypto_sha256(input->verifier.data, input->verifier.size, challenge)) {
        fault_set(&request->fault, "cannot hash a redirect URI or a verifier: libcrypto failed");
        return OUTCOME_FAULT;
    } else if (sent && !secret_equal(redirect, session->redirect, sizeof redirect)) {
        return OUTCOME_WRONG_REDIRECT;
    } else if (!secret_equal(challenge, session->challenge, sizeof challenge)) {
        return OUTCOME_WRONG_VERIFIER;
    }
    return OUTCOME_ROTATED;
}

bool code_redirect_hash(const struct secrets *secrets, struct text uri,
                        uint8_t hash[SESSION_HASH_SIZE])
{
    return secrets_mark_hash(secrets, "redirect URI", uri, (struct text){0}, hash);
}
