/* SPDX-License-Identifier: ISC */
/* possession.c: see possession.h. */
#include "operation/possession.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "operation/dpop.h"

static bool check_proof(struct request *request, struct text access_token, int64_t now_ms,
                        struct dpop_proof *proof, enum outcome *refusal);
static bool tell_nonce(struct request *request, int64_t now_ms);
static bool note_use(struct request *request, const struct dpop_proof *proof, int64_t now_ms,
                     struct client_identity *identity);

bool possession_take(struct request *request, int64_t now_ms, struct client_identity *identity,
                     enum outcome *refusal)
{
    struct dpop_proof proof;

    if (request->possession.dpop.size == 0) {
        return true;
    } else if (!check_proof(request, (struct text){0}, now_ms, &proof, refusal)) {
        return false;
    }
    *refusal = OUTCOME_FAULT;
    return note_use(request, &proof, now_ms, identity);
}

/* A proof comes with a bound token and with no other (section 7.1). */
bool possession_of_token(struct request *request, struct text token, const json_t *payload,
                         int64_t now_ms, enum outcome *refusal)
{
    const struct possession *possession = &request->possession;
    const json_t *confirmation = json_object_get(payload, "cnf");
    char thumbprint[DPOP_THUMBPRINT_SIZE + 1] = "";
    struct dpop_proof proof;
    struct text bound;

    if (confirmation == NULL && possession->dpop.size == 0) {
        return true;
    }
    *refusal = OUTCOME_WRONG_KEY;
    if (json_in_text(confirmation, "jkt", &bound) != JSON_IN_TEXT || possession->dpop.size == 0 ||
        !check_proof(request, token, now_ms, &proof, refusal)) {
        return false;
    }
    codec_base64url_encode(possession->key, sizeof possession->key, thumbprint);
    *refusal = OUTCOME_WRONG_KEY;
    return text_is(bound, thumbprint);
}

/* Fills request->possession and answer.dpop_nonce. */
static bool check_proof(struct request *request, struct text access_token, int64_t now_ms,
                        struct dpop_proof *proof, enum outcome *refusal)
{
    struct possession *possession = &request->possession;
    enum client_refusal *reason = &request->answer.refusal;
    const struct dpop_ask ask = {.arena = request->arena,
                                 .secrets = request->issuer->secrets,
                                 .realm = request->realm,
                                 .proof = possession->dpop,
                                 .method = possession->method,
                                 .path = possession->path,
                                 .access_token = access_token,
                                 .now_ms = now_ms};
    bool good = dpop_check(&ask, proof, reason, &request->fault);

    *refusal = OUTCOME_FAULT;
    if ((!good && *reason == CLIENT_NOT_REFUSED) || !tell_nonce(request, now_ms)) {
        return false;
    } else if (!good) {
        *refusal = *reason == CLIENT_REFUSED_DPOP_NONCE ? OUTCOME_DPOP_NONCE : OUTCOME_DPOP_INVALID;
        return false;
    }
    possession->proved = true;
    memcpy(possession->key, proof->key, sizeof possession->key);
    return true;
}

/* Section 8.2: to whom needs one, so that the next proof has it. */
static bool tell_nonce(struct request *request, int64_t now_ms)
{
    char nonce[DPOP_NONCE_SIZE + 1];

    if (!request->realm->dpop_nonce && request->answer.refusal != CLIENT_REFUSED_DPOP_NONCE) {
        return true;
    } else if (dpop_nonce(request->issuer->secrets, request->realm, now_ms, nonce) &&
               arena_copy(request->arena, text_of(nonce), &request->answer.dpop_nonce)) {
        return true;
    }
    fault_set(&request->fault, "cannot make a nonce: out of memory or libcrypto failed");
    return false;
}

static bool note_use(struct request *request, const struct dpop_proof *proof, int64_t now_ms,
                     struct client_identity *identity)
{
    struct client_once *once = &identity->once[identity->once_count];

    if (!dpop_mark(proof, request->client.beside, request->issuer->secrets, now_ms, &once->mark)) {
        fault_set(&request->fault, "cannot hash a DPoP proof: libcrypto failed");
        return false;
    }
    once->refusal = OUTCOME_DPOP_INVALID;
    once->reason = CLIENT_REFUSED_DPOP_REPLAYED;
    identity->once_count++;
    return true;
}

bool possession_suffices(struct request *request, const struct policy *policy,
                         enum outcome *refusal)
{
    if (!policy->dpop_required || request->possession.proved) {
        return true;
    }
    request->answer.refusal = CLIENT_REFUSED_DPOP_ABSENT;
    *refusal = OUTCOME_DPOP_INVALID;
    return false;
}

bool possession_matches(const struct request *request, const struct session *session,
                        enum outcome *refusal)
{
    const struct possession *possession = &request->possession;

    if (session->key_kind == SESSION_KEY_NONE ||
        (session->key_kind == SESSION_KEY_DPOP && possession->proved &&
         secret_equal(session->key, possession->key, sizeof possession->key))) {
        return true;
    }
    *refusal = OUTCOME_WRONG_KEY;
    return false;
}

void possession_bind(const struct request *request, bool client_proved, enum session_key_kind *kind,
                     uint8_t key[SESSION_KEY_SIZE])
{
    const struct possession *possession = &request->possession;

    *kind = SESSION_KEY_NONE;
    memset(key, 0, SESSION_KEY_SIZE);
    if (possession->proved && !client_proved) {
        *kind = SESSION_KEY_DPOP;
        memcpy(key, possession->key, sizeof possession->key);
    }
}
