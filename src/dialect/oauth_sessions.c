/* SPDX-License-Identifier: ISC */
/* oauth_sessions.c: see oauth_sessions.h. Knows its parameters and its JSON; does not know whose a
 * session is. */
#include "dialect/oauth_sessions.h"

#include "dialect/answer.h"
#include "dialect/oauth_client.h"
#include "dialect/oauth_dpop.h"

#define JSON_TYPE "application/json;charset=UTF-8"

static void add_session(struct json_out *out, const struct own_session *session);

/* The token is in the header alone (RFC 6750 section 2.1): no page of another site can send it. */
bool oauth_sessions_decode(struct request *request, enum outcome *refusal)
{
    const struct http_request *http = &request->http->request;
    struct own_sessions_input *input = &request->input.own_sessions;
    const struct oauth_parameter rows[] = {{"session", &input->session, false}};
    bool proves_key = http_authorization(http, "DPoP", &input->access_token) == HTTP_ONE;
    struct text value;

    if (oauth_credential_in_url(request) ||
        form_get(&request->query, "access_token", &value) != FORM_ABSENT) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!proves_key &&
               http_authorization(http, "Bearer", &input->access_token) != HTTP_ONE) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    } else if (proves_key && !oauth_dpop_take(request, refusal)) {
        return false;
    }
    input->ends = http->method == HTTP_POST;
    if (input->ends && !oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    return !input->ends || input->session.size > 0;
}

void oauth_sessions_encode(const struct request *request, enum outcome outcome,
                           struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct buffer body;
    struct json_out out;

    buffer_start(&body, request->arena, 512);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    if (request->input.own_sessions.ends) {
        json_out_key(&out, "ended");
        json_out_bool(&out, outcome == OUTCOME_ENDED);
    } else {
        json_out_key(&out, "sessions");
        json_out_array_open(&out);
        for (size_t i = 0; i < answer->own_session_count; i++) {
            add_session(&out, &answer->own_sessions[i]);
        }
        json_out_array_close(&out);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

static void add_session(struct json_out *out, const struct own_session *session)
{
    json_out_open(out);
    json_out_member(out, "session", text_of(session->id));
    layout_add_named(out, "client_id", session->client);
    layout_add_named(out, "device", session->device);
    layout_add_named(out, "scope", session->scope);
    json_out_member_int(out, "first_seen", session->created_ms / CLOCK_SECOND);
    json_out_member_int(out, "last_refreshed", session->used_ms / CLOCK_SECOND);
    if (session->expires_ms != 0) {
        json_out_member_int(out, "expires_at", session->expires_ms / CLOCK_SECOND);
    }
    json_out_key(out, "current");
    json_out_bool(out, session->current);
    json_out_close(out);
}

#define REALM "Bearer realm=\"retoken\""
#define SAYS(status_code, code)                                                                    \
    .status = (status_code), .media_type = JSON_TYPE, .body = "{\"error\":\"" code "\"}"
#define SAYS_BEARER(status_code, code)                                                             \
    SAYS(status_code, code), .header = "WWW-Authenticate", .value = REALM ", error=\"" code "\""

#define SAYS_DPOP(code)                                                                            \
    SAYS(401, code), .header = "WWW-Authenticate",                                                 \
                     .value = "DPoP realm=\"retoken\", error=\"" code "\""

/* RFC 6750 section 3.1, RFC 9449 section 7.1. Who sends no token is told no error. */
const struct wording oauth_sessions_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "invalid_request")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "invalid_request")},
    {OUTCOME_BODY_TOO_LARGE, SAYS(413, "invalid_request")},
    {OUTCOME_LENGTH_REQUIRED, SAYS(411, "invalid_request")},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, "invalid_request"), DIALECT_NO_CODING},
    {OUTCOME_TOKEN_MISSING, .status = 401, .header = "WWW-Authenticate", .value = REALM},
    {WORDS_CLASS(REQUEST), SAYS_BEARER(400, "invalid_request")},
    {OUTCOME_DPOP_INVALID, SAYS_DPOP("invalid_dpop_proof")},
    {OUTCOME_DPOP_NONCE, SAYS_DPOP("use_dpop_nonce")},
    {WORDS_CLASS(CLIENT), SAYS_BEARER(401, "invalid_token")},
    {OUTCOME_TOKEN_ALONE, SAYS_BEARER(403, "insufficient_scope")},
    {OUTCOME_WRONG_USER, SAYS_BEARER(403, "insufficient_scope")},
    {WORDS_CLASS(TOKEN), SAYS_BEARER(401, "invalid_token")},
    {WORDS_CLASS(HERE), SAYS(503, "temporarily_unavailable")},
    {0},
};
