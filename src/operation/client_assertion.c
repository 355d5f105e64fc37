/* SPDX-License-Identifier: ISC */
/* client_assertion.c: see client_assertion.h. Knows JWT claims and URLs as far as an audience needs
 * them. */
#include "operation/client_assertion.h"

#include <string.h>

#include "base/clock.h"
#include "operation/jwt_claims.h"
#include "token/client_jwt.h"
#include "token/jws.h"

/* RFC 7523 section 3: an assertion that lives for days is no proof. */
enum { LIFETIME_S = 3600 };

static bool open_signed(const struct client_assertion_ask *ask, json_t **payload,
                        enum client_refusal *refusal, struct fault *fault);
static enum client_refusal judge_claims(const struct client_assertion_ask *ask,
                                        const json_t *payload, struct client_assertion *assertion);
static bool is_for(const json_t *payload, const struct realm *realm, struct text endpoint_path);
static enum client_refusal judge_end(const json_t *payload, int64_t now_ms, int64_t *expires_ms);
static bool has_begun(const json_t *payload, const char *claim, int64_t now_ms);

bool client_assertion_names(struct arena *arena, struct text assertion, struct text *id)
{
    struct jws jws;
    const json_t *payload =
        jws_gate(arena, assertion, &jws) ? json_in_object(arena, jws.payload_json, NULL) : NULL;

    return payload != NULL && json_in_text(payload, "iss", id) == JSON_IN_TEXT && id->size > 0;
}

bool client_assertion_check(const struct client_assertion_ask *ask,
                            struct client_assertion *assertion, enum client_refusal *refusal,
                            struct fault *fault)
{
    json_t *payload;

    if (!jwt_claims_has_issuer(ask->realm)) {
        *refusal = CLIENT_REFUSED_ASSERTION_NO_ISSUER;
        return false;
    } else if (!open_signed(ask, &payload, refusal, fault)) {
        return false;
    }
    *refusal = judge_claims(ask, payload, assertion);
    return *refusal == CLIENT_NOT_REFUSED;
}

static bool open_signed(const struct client_assertion_ask *ask, json_t **payload,
                        enum client_refusal *refusal, struct fault *fault)
{
    *refusal = CLIENT_NOT_REFUSED;
    switch (client_jwt_open(ask->arena, ask->assertion, text_of(ask->client->keys), payload)) {
    case CLIENT_JWT_OPEN:
        return true;
    case CLIENT_JWT_MALFORMED:
        *refusal = CLIENT_REFUSED_ASSERTION_MALFORMED;
        break;
    case CLIENT_JWT_TYPE:
        *refusal = CLIENT_REFUSED_ASSERTION_TYP;
        break;
    case CLIENT_JWT_KEY:
        *refusal = ask->client->keys[0] != '\0' ? CLIENT_REFUSED_ASSERTION_KEY
                                                : CLIENT_REFUSED_ASSERTION_NO_KEYS;
        break;
    case CLIENT_JWT_SIGNATURE:
        *refusal = CLIENT_REFUSED_ASSERTION_SIGNATURE;
        break;
    case CLIENT_JWT_FAULT:
        fault_set(fault, "an assertion of client %s could not be checked: out of memory?",
                  ask->client->id);
        break;
    }
    return false;
}

/* CLIENT_NOT_REFUSED: *assertion is filled. */
static enum client_refusal judge_claims(const struct client_assertion_ask *ask,
                                        const json_t *payload, struct client_assertion *assertion)
{
    struct text issuer, subject;
    enum json_in jti = json_in_text(payload, "jti", &assertion->id);
    enum client_refusal end = judge_end(payload, ask->now_ms, &assertion->expires_ms);

    if (json_in_text(payload, "iss", &issuer) != JSON_IN_TEXT ||
        json_in_text(payload, "sub", &subject) != JSON_IN_TEXT ||
        !text_is(issuer, ask->client->id) || !text_is(subject, ask->client->id)) {
        return CLIENT_REFUSED_ASSERTION_SUB;
    } else if (!is_for(payload, ask->realm, ask->endpoint_path)) {
        return CLIENT_REFUSED_ASSERTION_AUD;
    } else if (end != CLIENT_NOT_REFUSED) {
        return end;
    } else if (!has_begun(payload, "nbf", ask->now_ms)) {
        return CLIENT_REFUSED_ASSERTION_NBF;
    } else if (!has_begun(payload, "iat", ask->now_ms)) {
        return CLIENT_REFUSED_ASSERTION_IAT;
    } else if (jti == JSON_IN_OTHER || (jti == JSON_IN_TEXT && assertion->id.size == 0)) {
        return CLIENT_REFUSED_ASSERTION_JTI;
    }
    assertion->has_jti = jti == JSON_IN_TEXT;
    if (!assertion->has_jti) { /* not the signature: some have a second spelling */
        struct text rest = ask->assertion;
        size_t header = text_split(&rest, '.').size;

        assertion->id = text_cut(ask->assertion, header + 1 + text_find(rest, '.'));
    }
    return CLIENT_NOT_REFUSED;
}

static bool is_for(const json_t *payload, const struct realm *realm, struct text endpoint_path)
{
    const json_t *claim = json_object_get(payload, "aud");
    const json_t *one = json_array_size(claim) == 1 ? json_array_get(claim, 0) : claim;
    struct text aud = text_of(json_string_value(one)); /* empty: no text, or several */

    return aud.size > 0 &&
           (jwt_claims_is_issuer(realm, aud) || jwt_claims_is_endpoint(realm, endpoint_path, aud));
}

static enum client_refusal judge_end(const json_t *payload, int64_t now_ms, int64_t *expires_ms)
{
    const int64_t skew_ms = JWT_CLAIMS_SKEW_S * (int64_t)CLOCK_SECOND;

    if (jwt_claims_date(payload, "exp", expires_ms) != JWT_DATE_READ) {
        return CLIENT_REFUSED_ASSERTION_EXP;
    } else if (*expires_ms <= now_ms - skew_ms) {
        return CLIENT_REFUSED_ASSERTION_EXPIRED;
    }
    return *expires_ms <= now_ms + LIFETIME_S * (int64_t)CLOCK_SECOND + skew_ms
               ? CLIENT_NOT_REFUSED
               : CLIENT_REFUSED_ASSERTION_LONG;
}

static bool has_begun(const json_t *payload, const char *claim, int64_t now_ms)
{
    int64_t at_ms;

    switch (jwt_claims_date(payload, claim, &at_ms)) {
    case JWT_DATE_ABSENT:
        return true;
    case JWT_DATE_READ:
        return at_ms <= now_ms + JWT_CLAIMS_SKEW_S * (int64_t)CLOCK_SECOND;
    case JWT_DATE_WRONG:
        break;
    }
    return false;
}

/* ---- once ---- */

bool client_assertion_mark(const struct client_assertion *assertion, struct text client,
                           struct text beside, const struct secrets *secrets, int64_t now_ms,
                           struct mark *mark)
{
    const char *word = assertion->has_jti ? "assertion by jti" : "assertion as signed";

    *mark = (struct mark){.kind = MARK_ASSERTION,
                          .at_ms = now_ms,
                          .until_ms =
                              assertion->expires_ms + JWT_CLAIMS_SKEW_S * (int64_t)CLOCK_SECOND};
    return secrets_mark_hash(secrets, word, client, assertion->id, mark->hash) &&
           secrets_mark_hash(secrets, "client", client, TEXT(""), mark->owner) &&
           secrets_mark_hash(secrets, "refresh token", beside, TEXT(""), mark->note);
}
