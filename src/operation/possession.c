/* SPDX-License-Identifier: ISC */
/* possession.c: see possession.h. */
#include "operation/possession.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "operation/dbsc.h"
#include "operation/dpop.h"

static bool is_bound_to(const json_t *confirmation, const char *member,
                        const uint8_t thumbprint[CRYPTO_HASH_SIZE]);
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

/* Once: each try at a request asks again. */
bool possession_take_certificate(struct request *request, enum outcome *refusal)
{
    struct possession *possession = &request->possession;
    struct text pem = possession->pem;

    if (pem.size == 0 || possession->certificate.der.size > 0) {
        return true;
    }
    switch (certificate_read(request->arena, &pem, &possession->certificate)) {
    case CERTIFICATE_READ:
        return true;
    case CERTIFICATE_MALFORMED:
        request->answer.refusal = CLIENT_REFUSED_CERTIFICATE_MALFORMED;
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        return false;
    case CERTIFICATE_FAULT:
        break;
    }
    fault_set(&request->fault, "cannot read a certificate: out of memory or libcrypto failed");
    *refusal = OUTCOME_FAULT;
    return false;
}

bool possession_has_certificate(const struct request *request)
{
    return request->possession.certificate.der.size > 0;
}

/* A proof comes with a token that is bound to its key and with no other (section 7.1); a
 * certificate, with whatever goes over its connection. */
bool possession_of_token(struct request *request, struct text token, const json_t *payload,
                         int64_t now_ms, enum outcome *refusal)
{
    const struct possession *possession = &request->possession;
    const json_t *confirmation = json_object_get(payload, "cnf");
    bool by_proof = json_object_get(confirmation, "jkt") != NULL;
    bool by_certificate = json_object_get(confirmation, "x5t#S256") != NULL;
    struct dpop_proof proof;

    if (confirmation == NULL && possession->dpop.size == 0) {
        return true;
    }
    *refusal = OUTCOME_WRONG_KEY;
    if (by_proof != (possession->dpop.size > 0) || (!by_proof && !by_certificate)) {
        return false;
    } else if (by_certificate) {
        if (!possession_take_certificate(request, refusal)) {
            return false;
        }
        *refusal = OUTCOME_WRONG_KEY;
        if (!possession_has_certificate(request) ||
            !is_bound_to(confirmation, "x5t#S256", possession->certificate.thumbprint)) {
            return false;
        }
    }
    if (!by_proof) {
        return true;
    } else if (!check_proof(request, token, now_ms, &proof, refusal)) {
        return false;
    }
    *refusal = OUTCOME_WRONG_KEY;
    return is_bound_to(confirmation, "jkt", possession->key);
}

static bool is_bound_to(const json_t *confirmation, const char *member,
                        const uint8_t thumbprint[CRYPTO_HASH_SIZE])
{
    char spelled[DPOP_THUMBPRINT_SIZE + 1] = "";
    struct text bound;

    codec_base64url_encode(thumbprint, CRYPTO_HASH_SIZE, spelled);
    return json_in_text(confirmation, member, &bound) == JSON_IN_TEXT && text_is(bound, spelled);
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
    char nonce[NONCE_SIZE + 1];

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
    if (request->possession.by_browser) {
        return true; /* by the key that its session has: the rest is asked of clients */
    } else if (policy->dpop_required && !request->possession.proved) {
        request->answer.refusal = CLIENT_REFUSED_DPOP_ABSENT;
        *refusal = OUTCOME_DPOP_INVALID;
        return false;
    } else if (policy->certificate_required && !possession_has_certificate(request)) {
        request->answer.refusal = CLIENT_REFUSED_NO_CERTIFICATE;
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        return false;
    }
    return true;
}

bool possession_matches(struct request *request, const struct session *session,
                        enum outcome *refusal)
{
    const struct possession *possession = &request->possession;

    if (possession->by_browser) {
        return dbsc_matches(request, session, refusal);
    }
    switch (session->key_kind) {
    case SESSION_KEY_NONE:
        return true;
    case SESSION_KEY_DPOP:
        if (possession->proved &&
            secret_equal(session->key, possession->key, sizeof possession->key)) {
            return true;
        }
        break;
    case SESSION_KEY_CERTIFICATE:
        if (possession_has_certificate(request) &&
            secret_equal(session->key, possession->certificate.thumbprint,
                         sizeof possession->certificate.thumbprint)) {
            return true;
        }
        break;
    case SESSION_KEY_BROWSER:
        break;
    }
    *refusal = OUTCOME_WRONG_KEY;
    return false;
}

/* A proof was made for this very request; a certificate may be there for another reason. */
void possession_bind(const struct request *request, bool client_proved, enum session_key_kind *kind,
                     uint8_t key[SESSION_KEY_SIZE])
{
    const struct possession *possession = &request->possession;

    *kind = SESSION_KEY_NONE;
    memset(key, 0, SESSION_KEY_SIZE);
    if (client_proved) {
        return;
    } else if (possession->browser_proved) {
        *kind = SESSION_KEY_BROWSER;
        memcpy(key, possession->browser_key, sizeof possession->browser_key);
    } else if (possession->proved) {
        *kind = SESSION_KEY_DPOP;
        memcpy(key, possession->key, sizeof possession->key);
    } else if (possession_has_certificate(request)) {
        *kind = SESSION_KEY_CERTIFICATE;
        memcpy(key, possession->certificate.thumbprint, sizeof possession->certificate.thumbprint);
    }
}
