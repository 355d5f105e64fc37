/* SPDX-License-Identifier: ISC */
/* client_auth.c: checks what a client proves itself with. Knows secrets and assertions; does not
 * know sessions. */
#include "operation/client_auth.h"

#include <string.h>

#include "operation/secret_proof.h"
#include "token/client_jwt.h"
#include "token/jws.h"

/* RFC 7523 section 3: clocks may differ a little; an assertion that lives for days is no proof. */
enum { ASSERTION_SKEW_S = 60, ASSERTION_LIFETIME_S = 3600 };

static bool check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                  struct client_identity *identity, enum outcome *refusal);
static bool claimed_id(const struct request *request, struct text *id);
static bool prove(struct request *request, const struct client *client, const struct token_ref *ref,
                  int64_t now_ms, bool *proved, enum outcome *refusal);
static bool assertion_proves(struct request *request, const struct client *client, int64_t now_ms,
                             enum outcome *refusal);
static bool names_this_endpoint(const json_t *payload, const struct request *request);
static bool in_time(const json_t *payload, int64_t now_s);

bool client_auth_check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                       struct client_identity *identity, enum outcome *refusal)
{
    struct client_proof *proof = &request->client;

    if (check(request, ref, now_ms, identity, refusal)) {
        return true;
    } else if (!proof->raw_given ||
               (*refusal != OUTCOME_CLIENT_AUTH_FAILED && *refusal != OUTCOME_SLOWED)) {
        return false;
    }
    proof->id = proof->raw_id;
    proof->secret = proof->raw_secret;
    proof->raw_given = false;
    return check(request, ref, now_ms, identity, refusal);
}

/* One reading of what the client proves itself with. */
static bool check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                  struct client_identity *identity, enum outcome *refusal)
{
    struct text id;
    struct client client;

    memset(identity, 0, sizeof *identity);
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    if (!claimed_id(request, &id)) {
        return false;
    } else if (id.size == 0 && request->client.kind == CLIENT_PROOF_NONE) {
        return true;
    } else if (id.size == 0 || !text_copy(id, identity->id, sizeof identity->id)) {
        return false;
    }
    switch (store_client_find(request->issuer->store, identity->id, &client, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return false;
    case STORE_FAULT:
        *refusal = OUTCOME_FAULT;
        return false;
    }
    if (!prove(request, &client, ref, now_ms, &identity->proved, refusal)) {
        return false;
    } else if (!client.enabled) {
        *refusal = OUTCOME_CLIENT_UNAUTHORIZED;
        return false;
    }
    identity->named = true;
    return true;
}

/* The client that the request says it comes from, before anything is proved; an assertion says so
 * itself. False: it contradicts itself, or the assertion cannot be read. */
static bool claimed_id(const struct request *request, struct text *id)
{
    struct text stated = request->client.id;
    struct jws jws;
    json_t *payload;

    *id = stated;
    if (request->client.kind != CLIENT_PROOF_ASSERTION) {
        return true;
    } else if (!jws_gate(request->arena, request->client.assertion, &jws)) {
        return false;
    }
    payload = json_in_object(request->arena, jws.payload_json, NULL);
    return payload != NULL && json_in_text(payload, "iss", id) == JSON_IN_TEXT &&
           (stated.size == 0 || text_equal(stated, *id));
}

/* Is the proof right for this client? */
static bool prove(struct request *request, const struct client *client, const struct token_ref *ref,
                  int64_t now_ms, bool *proved, enum outcome *refusal)
{
    bool confidential = client_is_confidential(client);

    switch (request->client.kind) {
    case CLIENT_PROOF_NONE:
        return !confidential;
    case CLIENT_PROOF_BASIC:
    case CLIENT_PROOF_BODY:
        /* some libraries send an empty password for a client that has none */
        if (!confidential && request->client.secret.size == 0) {
            return true;
        }
        *proved = secret_proof_check(request, client, ref, now_ms, refusal);
        break;
    case CLIENT_PROOF_ASSERTION:
        *proved = assertion_proves(request, client, now_ms, refusal);
        break;
    }
    return *proved;
}

static bool assertion_proves(struct request *request, const struct client *client, int64_t now_ms,
                             enum outcome *refusal)
{
    struct text subject;
    json_t *payload;

    if (client_jwt_open(request->arena, request->client.assertion, text_of(client->keys),
                        &payload) == CLIENT_JWT_FAULT) {
        fault_set(&request->fault, "an assertion of client %s could not be checked: out of memory?",
                  client->id);
        *refusal = OUTCOME_FAULT;
        return false;
    }
    return payload != NULL && json_in_text(payload, "sub", &subject) == JSON_IN_TEXT &&
           text_is(subject, client->id) && names_this_endpoint(payload, request) &&
           in_time(payload, now_ms / CLOCK_SECOND);
}

/* `aud`: one string or an array of strings that holds one of the names of this endpoint. */
static bool names_this_endpoint(const json_t *payload, const struct request *request)
{
    const json_t *aud = json_object_get(payload, "aud");
    size_t count = json_is_array(aud) ? json_array_size(aud) : 1;

    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(aud) ? json_array_get(aud, i) : aud;
        struct text name = text_of(json_string_value(one));

        if (name.size > 0 && (text_equal(name, request->client.endpoint_url) ||
                              text_equal(name, text_of(request->realm->issuer)))) {
            return true;
        }
    }
    return false;
}

static bool in_time(const json_t *payload, int64_t now_s)
{
    const json_t *exp = json_object_get(payload, "exp");
    const json_t *nbf = json_object_get(payload, "nbf");

    return json_is_integer(exp) && json_integer_value(exp) > now_s - ASSERTION_SKEW_S &&
           json_integer_value(exp) <= now_s + ASSERTION_LIFETIME_S + ASSERTION_SKEW_S &&
           (nbf == NULL ||
            (json_is_integer(nbf) && json_integer_value(nbf) <= now_s + ASSERTION_SKEW_S));
}
