/* SPDX-License-Identifier: ISC */
/* dbsc_register.c: the operation that begins the session of a browser, which brings the code and a
 * proof of the key that the session is bound to from then on. A code of one key is taken once; with
 * the same key again it is the same browser, whose answer was lost. Knows sessions; does not know
 * HTTP. */
#include "base/secret.h"
#include "operation/dbsc.h"
#include "operation/exchange.h"
#include "operation/operation.h"
#include "token/refresh_token.h"

static bool begin(struct request *request);
static bool refuse(struct request *request, enum outcome refusal);
static struct store_write *step(struct request *request, enum outcome *outcome);
static bool is_its_own(const struct request *request, const struct exchange *exchange);

const struct operation operation_dbsc_register = {.word = "dbsc-register",
                                                  .finds_client = true,
                                                  .begin = begin,
                                                  .step = step,
                                                  .written = exchange_written};

/* All that can be said without the store comes first. */
static bool begin(struct request *request)
{
    struct text code = {0};
    enum outcome refusal;
    struct exchange *exchange;

    if (!dbsc_open_first(request, &code, &refusal)) {
        return refuse(request, refusal);
    } else if (!exchange_begin(request, refresh_token_code_open, code, OUTCOME_ROTATED)) {
        return false;
    }
    exchange = request->state;
    if (!exchange->decided && !dbsc_signs_challenge(request, exchange->ref.session, &refusal)) {
        exchange_decide(request, exchange, refusal);
    }
    return true;
}

static bool refuse(struct request *request, enum outcome refusal)
{
    struct exchange *exchange = exchange_open_state(request);

    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    if (exchange != NULL) {
        exchange_decide(request, exchange, refusal);
    }
    return exchange != NULL;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct exchange *exchange = request->state;

    if (!exchange->decided) {
        enum outcome verdict = exchange_find(request, exchange, OUTCOME_TOKEN_UNKNOWN);

        if (verdict == OUTCOME_ROTATED && is_its_own(request, exchange)) {
            *outcome = OUTCOME_FAULT;
            return exchange_ask_again(request, exchange, 1)
                       ? request->operation->step(request, outcome)
                       : NULL;
        }
        exchange_decide(request, exchange,
                        verdict == OUTCOME_ROTATED ? exchange_judge_code(request, exchange)
                                                   : verdict);
        if (exchange->outcome == OUTCOME_TOKEN_REUSED) {
            exchange_punish(request, exchange);
        }
    }
    *outcome = exchange->outcome;
    return exchange->writes ? &exchange->write : NULL;
}

/* Has it begun under this very key? */
static bool is_its_own(const struct request *request, const struct exchange *exchange)
{
    const struct session *session = &exchange->view.session;

    return session->pending == SESSION_BEGUN && session->key_kind == SESSION_KEY_BROWSER &&
           secret_equal(session->key, request->possession.browser_key, sizeof session->key);
}
