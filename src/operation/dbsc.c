/* SPDX-License-Identifier: ISC */
/* dbsc.c: see dbsc.h. A challenge is a nonce of its session, so that no browser can be made to sign
 * one for another's; a proof may come again while its challenge lasts, because answers are lost and
 * tabs race, and what it brings is a short-lived cookie. */
#include "operation/dbsc.h"

#include "base/secret.h"
#include "operation/nonce.h"
#include "token/dpop_jwt.h"

static bool is_signed_by(struct request *request, const struct session *session,
                         enum outcome *refusal);
static bool take(struct request *request, enum dpop_jwt_result opened, const json_t *payload,
                 enum outcome *refusal);
static bool refuse(struct request *request, enum client_refusal reason, enum outcome *refusal);

static struct text bytes_of(const uint8_t session[SESSION_ID_SIZE])
{
    return (struct text){(const char *)session, SESSION_ID_SIZE};
}

static const char word[] = "DBSC challenge";

bool dbsc_tell_challenge(struct request *request, const uint8_t session[SESSION_ID_SIZE])
{
    char challenge[NONCE_SIZE + 1];

    if (nonce_make(request->issuer->secrets, word, bytes_of(session), request->answer.now_ms,
                   challenge) &&
        arena_copy(request->arena, text_of(challenge), &request->answer.challenge)) {
        return true;
    }
    fault_set(&request->fault, "cannot make a challenge: out of memory or libcrypto failed");
    return false;
}

bool dbsc_open_first(struct request *request, struct text *code, enum outcome *refusal)
{
    struct possession *possession = &request->possession;
    json_t *payload;
    enum dpop_jwt_result opened = dpop_jwt_open_first(request->arena, possession->response,
                                                      &payload, possession->browser_key);

    if (!take(request, opened, payload, refusal)) {
        return false;
    }
    possession->browser_proved = true;
    return json_in_text(payload, "authorization", code) == JSON_IN_TEXT ||
           refuse(request, CLIENT_REFUSED_DBSC_AUTHORIZATION, refusal);
}

bool dbsc_matches(struct request *request, const struct session *session, enum outcome *refusal)
{
    const struct possession *possession = &request->possession;

    *refusal = OUTCOME_WRONG_KEY;
    if (session->key_kind != SESSION_KEY_BROWSER) {
        return false;
    } else if (possession->browser_proved) {
        return secret_equal(session->key, possession->browser_key, sizeof session->key);
    } else if (is_signed_by(request, session, refusal)) {
        return true;
    } else if (*refusal == OUTCOME_DPOP_NONCE && !dbsc_tell_challenge(request, session->id)) {
        *refusal = OUTCOME_FAULT;
    }
    return false;
}

static bool is_signed_by(struct request *request, const struct session *session,
                         enum outcome *refusal)
{
    json_t *payload;
    enum dpop_jwt_result opened;

    if (request->possession.response.size == 0) {
        return refuse(request, CLIENT_REFUSED_DBSC_CHALLENGE, refusal);
    }
    opened =
        dpop_jwt_open_known(request->arena, request->possession.response, session->key, &payload);
    return take(request, opened, payload, refusal) &&
           dbsc_signs_challenge(request, session->id, refusal);
}

bool dbsc_signs_challenge(struct request *request, const uint8_t session[SESSION_ID_SIZE],
                          enum outcome *refusal)
{
    int64_t until_ms = 0;

    if (!nonce_is_recent(request->issuer->secrets, word, bytes_of(session), request->answer.now_ms,
                         request->possession.signed_challenge, &until_ms)) {
        fault_set(&request->fault, "HMAC failed");
        *refusal = OUTCOME_FAULT;
        return false;
    }
    return until_ms != 0 || refuse(request, CLIENT_REFUSED_DBSC_CHALLENGE, refusal);
}

/* What came of opening a proof; possession.signed_challenge is what it has signed. */
static bool take(struct request *request, enum dpop_jwt_result opened, const json_t *payload,
                 enum outcome *refusal)
{
    switch (opened) {
    case DPOP_JWT_OPEN:
        return json_in_text(payload, "jti", &request->possession.signed_challenge) ==
                   JSON_IN_TEXT ||
               refuse(request, CLIENT_REFUSED_DBSC_MALFORMED, refusal);
    case DPOP_JWT_MALFORMED:
        return refuse(request, CLIENT_REFUSED_DBSC_MALFORMED, refusal);
    case DPOP_JWT_TYPE:
        return refuse(request, CLIENT_REFUSED_DBSC_TYP, refusal);
    case DPOP_JWT_ALGORITHM:
        return refuse(request, CLIENT_REFUSED_DBSC_ALG, refusal);
    case DPOP_JWT_KEY:
        return refuse(request, CLIENT_REFUSED_DBSC_KEY, refusal);
    case DPOP_JWT_SIGNATURE:
        return refuse(request, CLIENT_REFUSED_DBSC_SIGNATURE, refusal);
    case DPOP_JWT_FAULT:
        break;
    }
    fault_set(&request->fault, "a browser's proof could not be checked: out of memory?");
    *refusal = OUTCOME_FAULT;
    return false;
}

static bool refuse(struct request *request, enum client_refusal reason, enum outcome *refusal)
{
    request->answer.refusal = reason;
    *refusal = reason == CLIENT_REFUSED_DBSC_CHALLENGE ? OUTCOME_DPOP_NONCE : OUTCOME_DPOP_INVALID;
    return false;
}
