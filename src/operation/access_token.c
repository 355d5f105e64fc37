/* SPDX-License-Identifier: ISC */
/* access_token.c: see access_token.h. */
#include "operation/access_token.h"

#include "base/codec.h"
#include "token/jws.h"
#include "token/layout.h"

static bool is_of_realm(const struct request *request, struct text token, const json_t *payload);
static bool names_session(const struct request *request, const json_t *payload);
static bool is_for_realm(const struct realm *realm, const json_t *payload);
static bool names_target(const struct realm *realm, const json_t *audience);
static bool is_absent_or(const json_t *payload, const char *claim, const char *value);

json_t *access_token_open(struct request *request, struct text token, enum outcome *refusal)
{
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    struct fault unready = {""};
    json_t *payload;

    *refusal = OUTCOME_FAULT;
    if (keyring == NULL) {
        return NULL;
    }
    payload = jws_open_any(request->arena, token, keyring, request->realm->name, &unready);
    if (payload == NULL && unready.text[0] != '\0') {
        request->fault = unready;
        return NULL;
    }
    *refusal = OUTCOME_TOKEN_INVALID;
    return payload != NULL && is_of_realm(request, token, payload) ? payload : NULL;
}

json_t *access_token_locate(struct request *request, struct text token, int64_t now_ms,
                            uint8_t session[SESSION_ID_SIZE], enum outcome *refusal)
{
    json_t *payload = access_token_open(request, token, refusal);

    if (payload == NULL) {
        return NULL;
    } else if (!access_token_is_in_time(payload, now_ms)) {
        *refusal = OUTCOME_TOKEN_EXPIRED;
        return NULL;
    }
    *refusal = OUTCOME_TOKEN_ALONE;
    return access_token_session(request, payload, session) ? payload : NULL;
}

bool access_token_session(const struct request *request, const json_t *payload,
                          uint8_t session[SESSION_ID_SIZE])
{
    const char *claim = request->realm->policy.layout->session_claim;
    struct text id;

    return claim != NULL && json_in_text(payload, claim, &id) == JSON_IN_TEXT &&
           codec_uuid_parse(id, session);
}

bool access_token_is_in_time(const json_t *payload, int64_t now_ms)
{
    const json_t *exp = json_object_get(payload, "exp");

    /* of another server's it may have a fraction (RFC 7519 section 2) */
    return json_is_number(exp) && json_number_value(exp) > (double)(now_ms / CLOCK_SECOND);
}

/* A key may sign for several realms: the token must be laid out as those of this one are, and not
 * say that it is from or for another place. */
static bool is_of_realm(const struct request *request, struct text token, const json_t *payload)
{
    const struct realm *realm = request->realm;
    struct jws jws;

    return jws_gate(request->arena, token, &jws) &&
           layout_has_header(realm->policy.layout, realm->issuer[0] != '\0', jws.header) &&
           is_absent_or(payload, "iss", realm->issuer) &&
           (names_session(request, payload) || is_for_realm(realm, payload));
}

/* Its record says of which realm it is: for whom the token is may be anyone's choice. */
static bool names_session(const struct request *request, const json_t *payload)
{
    uint8_t session[SESSION_ID_SIZE];

    return access_token_session(request, payload, session);
}

static bool is_for_realm(const struct realm *realm, const json_t *payload)
{
    return access_token_is_for_us(realm, payload) ||
           names_target(realm, json_object_get(payload, "aud"));
}

/* Layouts that need an audience name the issuer where there is none. */
bool access_token_is_for_us(const struct realm *realm, const json_t *payload)
{
    const json_t *audience = json_object_get(payload, "aud");

    return audience == NULL || json_in_names(audience, realm->audience) ||
           (realm->audience[0] == '\0' && json_in_names(audience, realm->issuer));
}

/* One that may be asked for. */
static bool names_target(const struct realm *realm, const json_t *audience)
{
    struct text rest = text_of(realm->targets);
    struct text target;
    char name[REALM_TARGETS_MAX + 1];

    while ((target = text_word(&rest)).size > 0) {
        if (text_copy(target, name, sizeof name) && json_in_names(audience, name)) {
            return true;
        }
    }
    return false;
}

static bool is_absent_or(const json_t *payload, const char *claim, const char *value)
{
    struct text text = {0};

    return json_object_get(payload, claim) == NULL ||
           (json_in_text(payload, claim, &text) == JSON_IN_TEXT && text_is(text, value));
}
