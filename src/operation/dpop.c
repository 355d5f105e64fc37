/* SPDX-License-Identifier: ISC */
/* dpop.c: see dpop.h. */
#include "operation/dpop.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/secret.h"
#include "operation/jwt_claims.h"
#include "token/dpop_jwt.h"

enum {
    /* Beside a good nonce `iat` says nothing new (section 11.1); a client whose clock is off by a
     * time zone or by summer time gets in. */
    SKEW_WITH_NONCE_S = 26 * 60 * 60
};

static const char nonce_word[] = "DPoP nonce";

static enum client_refusal open_signed(const struct dpop_ask *ask, json_t **payload,
                                       struct dpop_proof *proof, struct fault *fault);
static enum client_refusal judge_claims(const struct dpop_ask *ask, const json_t *payload,
                                        struct dpop_proof *proof, struct fault *fault);
static enum client_refusal judge_age(const struct dpop_ask *ask, const json_t *payload,
                                     struct dpop_proof *proof, struct fault *fault);
static bool is_for(const struct dpop_ask *ask, const json_t *payload);
static bool covers_token(const struct dpop_ask *ask, const json_t *payload);

bool dpop_check(const struct dpop_ask *ask, struct dpop_proof *proof, enum client_refusal *refusal,
                struct fault *fault)
{
    struct fault broken = {""};
    json_t *payload = NULL;

    *refusal = CLIENT_REFUSED_DPOP_NO_ISSUER;
    if (jwt_claims_has_issuer(ask->realm)) {
        *refusal = open_signed(ask, &payload, proof, &broken);
    }
    if (payload != NULL) {
        *refusal = judge_claims(ask, payload, proof, &broken);
    }
    if (broken.text[0] != '\0') {
        *fault = broken;
        return false;
    }
    return *refusal == CLIENT_NOT_REFUSED;
}

/* *payload where the signature is right. CLIENT_NOT_REFUSED without: *fault. */
static enum client_refusal open_signed(const struct dpop_ask *ask, json_t **payload,
                                       struct dpop_proof *proof, struct fault *fault)
{
    switch (dpop_jwt_open(ask->arena, ask->proof, payload, proof->key)) {
    case DPOP_JWT_OPEN:
        return CLIENT_NOT_REFUSED;
    case DPOP_JWT_MALFORMED:
        return CLIENT_REFUSED_DPOP_MALFORMED;
    case DPOP_JWT_TYPE:
        return CLIENT_REFUSED_DPOP_TYP;
    case DPOP_JWT_ALGORITHM:
        return CLIENT_REFUSED_DPOP_ALG;
    case DPOP_JWT_KEY:
        return CLIENT_REFUSED_DPOP_KEY;
    case DPOP_JWT_SIGNATURE:
        return CLIENT_REFUSED_DPOP_SIGNATURE;
    case DPOP_JWT_FAULT:
        break;
    }
    fault_set(fault, "a DPoP proof could not be checked: out of memory?");
    return CLIENT_NOT_REFUSED;
}

static enum client_refusal judge_claims(const struct dpop_ask *ask, const json_t *payload,
                                        struct dpop_proof *proof, struct fault *fault)
{
    struct text method;

    if (json_in_text(payload, "jti", &proof->id) != JSON_IN_TEXT || proof->id.size == 0) {
        return CLIENT_REFUSED_DPOP_JTI;
    } else if (json_in_text(payload, "htm", &method) != JSON_IN_TEXT ||
               !text_equal(method, ask->method)) {
        return CLIENT_REFUSED_DPOP_HTM;
    } else if (!is_for(ask, payload)) {
        return CLIENT_REFUSED_DPOP_HTU;
    } else if (!covers_token(ask, payload)) {
        return CLIENT_REFUSED_DPOP_ATH;
    }
    return judge_age(ask, payload, proof, fault);
}

/* "ignoring any query and fragment parts". */
static bool is_for(const struct dpop_ask *ask, const json_t *payload)
{
    struct text url;

    if (json_in_text(payload, "htu", &url) != JSON_IN_TEXT) {
        return false;
    }
    url = text_cut(url, text_find(url, '#'));
    url = text_cut(url, text_find(url, '?'));
    return jwt_claims_is_endpoint(ask->realm, ask->path, url);
}

/* Section 4.3, check 12: a proof that was made for another token is none for this one. */
static bool covers_token(const struct dpop_ask *ask, const json_t *payload)
{
    uint8_t hash[CRYPTO_HASH_SIZE], claimed[CRYPTO_HASH_SIZE];
    struct text spelled;
    size_t size = 0;

    return ask->access_token.size == 0 ||
           (json_in_text(payload, "ath", &spelled) == JSON_IN_TEXT &&
            codec_base64url_decode(spelled, claimed, sizeof claimed, &size) &&
            size == sizeof claimed &&
            crypto_sha256(ask->access_token.data, ask->access_token.size, hash) &&
            secret_equal(claimed, hash, sizeof hash));
}

/* Was it made a moment ago? A nonce says so, or the sender's clock. */
static enum client_refusal judge_age(const struct dpop_ask *ask, const json_t *payload,
                                     struct dpop_proof *proof, struct fault *fault)
{
    struct text sent;
    enum json_in found = json_in_text(payload, "nonce", &sent);
    int64_t made_ms, off_ms;

    if (jwt_claims_date(payload, "iat", &made_ms) != JWT_DATE_READ) {
        return CLIENT_REFUSED_DPOP_IAT;
    }
    off_ms = made_ms > ask->now_ms ? made_ms - ask->now_ms : ask->now_ms - made_ms;
    if (found == JSON_IN_ABSENT && !ask->realm->dpop_nonce &&
        off_ms <= JWT_CLAIMS_SKEW_S * (int64_t)CLOCK_SECOND) {
        proof->until_ms = made_ms + JWT_CLAIMS_SKEW_S * (int64_t)CLOCK_SECOND + 1;
        return CLIENT_NOT_REFUSED;
    }
    if (found != JSON_IN_TEXT) {
        return CLIENT_REFUSED_DPOP_NONCE;
    } else if (!nonce_is_recent(ask->secrets, nonce_word, text_of(ask->realm->name), ask->now_ms,
                                sent, &proof->until_ms)) {
        fault_set(fault, "HMAC failed");
        return CLIENT_NOT_REFUSED;
    } else if (proof->until_ms == 0) {
        return CLIENT_REFUSED_DPOP_NONCE;
    }
    return off_ms <= SKEW_WITH_NONCE_S * (int64_t)CLOCK_SECOND ? CLIENT_NOT_REFUSED
                                                               : CLIENT_REFUSED_DPOP_IAT;
}

bool dpop_nonce(const struct secrets *secrets, const struct realm *realm, int64_t now_ms,
                char nonce[NONCE_SIZE + 1])
{
    return nonce_make(secrets, nonce_word, text_of(realm->name), now_ms, nonce);
}

/* Nobody is counted: who makes a mark has been granted something. */
bool dpop_mark(const struct dpop_proof *proof, struct text beside, const struct secrets *secrets,
               int64_t now_ms, struct mark *mark)
{
    struct text key = {(const char *)proof->key, sizeof proof->key};

    *mark = (struct mark){.kind = MARK_ASSERTION, .at_ms = now_ms, .until_ms = proof->until_ms};
    return secrets_mark_hash(secrets, "DPoP proof", key, proof->id, mark->hash) &&
           secrets_mark_hash(secrets, "refresh token", beside, TEXT(""), mark->note);
}
