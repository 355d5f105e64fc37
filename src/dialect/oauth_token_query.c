/* SPDX-License-Identifier: ISC */
/* oauth_token_query.c: see oauth_token_query.h. */
#include "dialect/oauth_token_query.h"

#include "base/codec.h"
#include "dialect/answer.h"
#include "dialect/introspection.h"
#include "dialect/oauth_client.h"
#include "dialect/oauth_expiration.h"

#define JSON_TYPE "application/json;charset=UTF-8"

static void write_state(struct json_out *out, const struct request *request, enum outcome outcome);
static void add_access_token(struct json_out *out, const struct answer *answer);
static void add_refresh_token(struct json_out *out, const struct request *request);
static void add_named(struct json_out *out, const char *key, struct text value);

/* A token says what it is: token_type_hint is only checked for being sent once. */
bool oauth_token_query_decode(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    struct text hint;
    const struct oauth_parameter rows[] = {
        {"token", &input->refresh_token, false},
        {"token_type_hint", &hint, false},
    };

    if (oauth_credential_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    } else if (input->refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    }
    input->by_access_token = true;
    input->silent = true;
    request->client.beside = input->refresh_token;
    return oauth_client_take(request, refusal);
}

/* "The content of the response body is ignored by the client." */
void oauth_token_query_encode_revoked(const struct request *request, enum outcome outcome,
                                      struct http_response *response)
{
    (void)request;
    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
}

bool oauth_token_query_decode_introspection(struct request *request, enum outcome *refusal)
{
    introspection_choose(request);
    return oauth_token_query_decode(request, refusal);
}

void oauth_token_query_encode_state(const struct request *request, enum outcome outcome,
                                    struct http_response *response)
{
    struct buffer body;
    struct json_out out;

    buffer_start(&body, request->arena, request->input.refresh.refresh_token.size + 512);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    write_state(&out, request, outcome);
    introspection_answer(request, response, JSON_TYPE, &body, "");
}

static void write_state(struct json_out *out, const struct request *request, enum outcome outcome)
{
    json_out_open(out);
    json_out_key(out, "active");
    json_out_bool(out, outcome != OUTCOME_INACTIVE);
    if (outcome == OUTCOME_INACTIVE) {
        /* and nothing else */
    } else if (request->answer.payload != NULL) {
        add_access_token(out, &request->answer);
    } else {
        add_refresh_token(out, request);
    }
    json_out_close(out);
}

/* What it says itself, but for what is said here. */
static void add_access_token(struct json_out *out, const struct answer *answer)
{
    static const char *const ours[] = {"active", "token_type", "username"};
    const char *name;
    json_t *value;

    json_out_member(out, "token_type",
                    json_object_get(json_object_get(answer->payload, "cnf"), "jkt") != NULL
                        ? TEXT("DPoP")
                        : TEXT("Bearer"));
    add_named(out, "username", answer->username);
    json_object_foreach((json_t *)(uintptr_t)answer->payload, name, value)
    {
        bool taken = false;

        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
            taken = taken || text_is(text_of(name), ours[i]);
        }
        if (!taken) {
            json_out_key(out, name);
            json_out_value(out, value);
        }
    }
}

/* Of what type an access token got for it would be, section 5.1 of RFC 6749, is not said. */
static void add_refresh_token(struct json_out *out, const struct request *request)
{
    const struct answer *answer = &request->answer;
    char session[37];

    codec_uuid_format(answer->session, session);
    add_named(out, "username", answer->username);
    add_named(out, "sub", answer->subject);
    add_named(out, "client_id", answer->client);
    add_named(out, "scope", answer->scope);
    add_named(out, "iss", text_of(request->realm->issuer));
    if (answer->session_expires_ms != 0) {
        json_out_member_int(out, "exp", answer->session_expires_ms / CLOCK_SECOND);
    }
    json_out_member(out, "sid", text_of(session));
    oauth_expiration_add(out, request);
}

static void add_named(struct json_out *out, const char *key, struct text value)
{
    if (value.size > 0) {
        json_out_member(out, key, value);
    }
}
