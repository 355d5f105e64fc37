/* client_auth.c: does the client prove itself? See client_auth.h. */
#include "operation/client_auth.h"

#include <string.h>

#include "operation/password.h"
#include "token/client_jwt.h"
#include "token/jws.h"

/* RFC 7523 section 3: clocks may differ a little; an assertion that lives for days is no proof. */
enum { ASSERTION_SKEW_S = 60, ASSERTION_LIFETIME_S = 3600 };

/* `aud`: one string or an array of strings that holds one of the names of this endpoint. */
static bool names_this_endpoint(const json_t *payload, const struct refresh_ask *ask)
{
    const json_t *aud = json_object_get(payload, "aud");
    size_t count = json_is_array(aud) ? json_array_size(aud) : 1;

    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(aud) ? json_array_get(aud, i) : aud;
        struct text name = text_of(json_string_value(one));

        if (name.size > 0 && (text_equal(name, ask->endpoint_url) ||
                              text_equal(name, text_of(ask->mount->realm->issuer)))) {
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

/* The client an assertion claims to come from, before its signature is checked. */
static bool assertion_client(struct arena *arena, struct text assertion, struct text *client)
{
    struct jws jws;
    json_t *payload;

    if (!jws_gate(arena, assertion, &jws)) {
        return false;
    }
    payload = json_in_object(arena, jws.payload_json, NULL);
    return payload != NULL && json_in_text(payload, "iss", client) == JSON_IN_TEXT;
}

static bool assertion_proves(const struct refresh_ask *ask, const struct client *client,
                             int64_t now_ms, struct arena *arena)
{
    enum signing_algorithm algorithm;
    struct text subject;
    json_t *payload;

    if (client->key[0] == '\0' ||
        !signing_algorithm_parse(text_of(client->key_algorithm), &algorithm)) {
        return false;
    }
    payload = client_jwt_open(arena, ask->client_assertion, algorithm, text_of(client->key));
    return payload != NULL && json_in_text(payload, "sub", &subject) == JSON_IN_TEXT &&
           text_is(subject, client->id) && names_this_endpoint(payload, ask) &&
           in_time(payload, now_ms / CLOCK_SECOND);
}

/* Every secret that holds is compared, whichever is right, so that time does not tell which. */
static enum client_check judge_secret(const struct issuer *issuer,
                                      const struct refresh_ask *ask, const struct client *client,
                                      int64_t now_ms, bool *proved, struct fault *fault)
{
    const struct secrets *secrets = issuer->secrets;
    bool failed = false;

    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        bool holds = client_secret_holds(&client->secrets[i], now_ms);

        if (!holds && i > 0) {
            continue; /* the first is compared even if it is none, as one that is wrong */
        }
        switch (client_secret_verify(ask->client_secret, holds ? client->secrets[i].hash : "",
                                     secrets)) {
        case PASSWORD_RIGHT:
            *proved = true;
            break;
        case PASSWORD_WRONG:
            break;
        case PASSWORD_FAULT:
            failed = true;
            break;
        }
    }
    if (!*proved && failed) {
        fault_set(fault, "the secret of client %s could not be checked: out of memory?",
                  client->id);
        return CLIENT_FAULT;
    }
    return *proved ? CLIENT_ACCEPTED : CLIENT_REFUSED;
}

/* With everything in hand: is this proof right for this client? */
static enum client_check judge(const struct issuer *issuer, const struct refresh_ask *ask,
                               const struct client *client, int64_t now_ms, struct arena *arena,
                               bool *proved, struct fault *fault)
{
    bool confidential = client_is_confidential(client);

    *proved = false;
    switch (ask->client_proof) {
    case CLIENT_PROOF_NONE:
        return confidential ? CLIENT_REFUSED : CLIENT_ACCEPTED;
    case CLIENT_PROOF_BASIC:
    case CLIENT_PROOF_BODY:
        /* some libraries send an empty password for a client that has none */
        if (!confidential && ask->client_secret.size == 0) {
            return CLIENT_ACCEPTED;
        }
        return judge_secret(issuer, ask, client, now_ms, proved, fault);
    case CLIENT_PROOF_ASSERTION:
        *proved = assertion_proves(ask, client, now_ms, arena);
        break;
    }
    return *proved ? CLIENT_ACCEPTED : CLIENT_REFUSED;
}

enum client_check client_auth_check(struct issuer *issuer, const struct refresh_ask *ask,
                                    int64_t now_ms, struct arena *arena,
                                    struct client_identity *identity, struct fault *fault)
{
    struct text id = ask->client_id;
    struct client client;
    enum client_check check = CLIENT_REFUSED;

    memset(identity, 0, sizeof *identity);
    if (ask->client_proof == CLIENT_PROOF_ASSERTION) {
        struct text claimed = {0};

        if (!assertion_client(arena, ask->client_assertion, &claimed) ||
            (id.size > 0 && !text_equal(id, claimed))) {
            return CLIENT_REFUSED;
        }
        id = claimed;
    }
    if (id.size == 0 && ask->client_proof == CLIENT_PROOF_NONE) {
        return CLIENT_ACCEPTED;
    }
    if (!text_copy(id, identity->id, sizeof identity->id) || id.size == 0) {
        return CLIENT_REFUSED;
    }
    switch (store_client_find(issuer->store, identity->id, &client, fault)) {
    case STORE_OK:
        check = judge(issuer, ask, &client, now_ms, arena, &identity->proved, fault);
        if (check == CLIENT_ACCEPTED && !client.enabled) {
            check = CLIENT_DISABLED;
        }
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        break;
    case STORE_FAULT:
        check = CLIENT_FAULT;
        break;
    }
    identity->named = check == CLIENT_ACCEPTED;
    return check;
}
