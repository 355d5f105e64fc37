/* SPDX-License-Identifier: ISC */
/* oauth_client.c: see oauth_client.h. */
#include "dialect/oauth_client.h"

#include "dialect/assertion.h"
#include "dialect/browser.h"
#include "dialect/described.h"

/* What the body says of the client. */
struct body_proof {
    struct text id;
    struct text secret;
    struct text assertion;
    struct text assertion_type;
};

static enum form_find find(const struct request *request, const char *name, struct text *value);
static bool take_basic(struct request *request, const struct body_proof *body,
                       struct http_basic_pair decoded, struct http_basic_pair raw,
                       enum outcome *refusal);
static bool take_body(struct request *request, const struct body_proof *body,
                      enum outcome *refusal);

bool oauth_parameters(const struct request *request, const struct oauth_parameter *rows,
                      size_t count, enum outcome *refusal)
{
    for (size_t i = 0; i < count; i++) {
        *rows[i].value = (struct text){0};
        if (!dialect_parameter(find(request, rows[i].name, rows[i].value), refusal)) {
            return false;
        } else if (!rows[i].exact) {
            *rows[i].value = text_strip(*rows[i].value);
        }
    }
    return true;
}

/* JSON comes to endpoints only that tables describe. */
static enum form_find find(const struct request *request, const char *name, struct text *value)
{
    const char *const path[] = {name, NULL};
    const struct described_place member = {.source = DESCRIBED_JSON, .name = "", .path = path};
    enum described_state state;

    if (request->json == NULL) {
        return form_get(&request->form, name, value);
    }
    state = described_look(request, &member, value);
    return state == DESCRIBED_ABSENT || state == DESCRIBED_NULL ? FORM_ABSENT
           : state == DESCRIBED_GOOD                            ? FORM_ONE
                                                                : FORM_BAD;
}

bool oauth_credential_in_url(const struct request *request)
{
    static const char *const names[] = {"refresh_token", "client_secret", "client_assertion",
                                        "password",      "code",          "device_code",
                                        "token"};
    struct text value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (form_get(&request->query, names[i], &value) != FORM_ABSENT) {
            return true;
        }
    }
    return false;
}

bool oauth_client_take(struct request *request, enum outcome *refusal)
{
    struct body_proof body;
    const struct oauth_parameter rows[] = {
        {"client_id", &body.id, true},
        {"client_secret", &body.secret, true},
        {"client_assertion", &body.assertion, false},
        {"client_assertion_type", &body.assertion_type, false},
    };
    struct http_basic_pair decoded;
    struct http_basic_pair raw;

    if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    }
    switch (http_basic(request->arena, &request->http->request, &decoded, &raw)) {
    case HTTP_BASIC_OK:
        return take_basic(request, &body, decoded, raw, refusal);
    case HTTP_BASIC_ABSENT:
        return take_body(request, &body, refusal);
    case HTTP_BASIC_MALFORMED:
        break;
    }
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    request->answer.refusal = CLIENT_REFUSED_HEADER;
    return false;
}

/* A client_id in the body may repeat the name, nothing may prove it a second time. */
static bool take_basic(struct request *request, const struct body_proof *body,
                       struct http_basic_pair decoded, struct http_basic_pair raw,
                       enum outcome *refusal)
{
    struct client_proof *client = &request->client;

    decoded.given = decoded.given && (body->id.size == 0 || text_equal(body->id, decoded.user));
    raw.given = raw.given && (body->id.size == 0 || text_equal(body->id, raw.user));
    if (body->secret.size > 0 || body->assertion.size > 0 || (!decoded.given && !raw.given)) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    }
    client->kind = CLIENT_PROOF_BASIC;
    client->id = decoded.given ? decoded.user : raw.user;
    client->secret = decoded.given ? decoded.password : raw.password;
    if (decoded.given && raw.given) {
        client->raw_given = true;
        client->raw_id = raw.user;
        client->raw_secret = raw.password;
    }
    return true;
}

static bool take_body(struct request *request, const struct body_proof *body, enum outcome *refusal)
{
    bool secret = body->secret.size > 0;

    request->client.id = body->id;
    if (secret && body->assertion.size > 0) {
        *refusal = OUTCOME_CLIENT_AUTH_REPEATED;
        return false;
    } else if (secret && body->id.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    } else if (secret) {
        request->client.kind = CLIENT_PROOF_BODY;
        request->client.secret = body->secret;
        return true;
    }
    return assertion_take(request, body->assertion, body->assertion_type, refusal);
}

bool oauth_client_tried_basic(const struct request *request)
{
    struct text credentials;

    return http_authorization(&request->http->request, "Basic", &credentials) != HTTP_ABSENT &&
           !browser_asks(request);
}
