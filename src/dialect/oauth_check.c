/* SPDX-License-Identifier: ISC */
/* oauth_check.c: see oauth_check.h. Knows how an access token is sent to a page (RFC 6750) and what
 * each web server takes from the answer; does not know what a token is good for. */
#include "dialect/oauth_check.h"

#include "dialect/answer.h"
#include "dialect/cookies.h"
#include "dialect/oauth_dpop.h"

enum { COOKIES_MAX = 8 };

/* Not in the query or the body: those are the page's. */
bool oauth_check_decode(struct request *request, enum outcome *refusal)
{
    const struct http_request *http = &request->http->request;
    struct refresh_input *input = &request->input.refresh;
    struct text *cookies;

    input->scope = text_strip(http->check_scope);
    input->scope_given = input->scope.size > 0;
    if (http_authorization(http, "Bearer", &input->refresh_token) == HTTP_ONE) {
        return true;
    } else if (http->authorizes &&
               http_authorization(http, "DPoP", &input->refresh_token) == HTTP_ONE) {
        return oauth_dpop_take(request, refusal);
    }
    *refusal = OUTCOME_TOKEN_MISSING;
    if (request->realm->check_cookie[0] == '\0') {
        return false;
    }
    cookies = arena_alloc(request->arena, COOKIES_MAX * sizeof *cookies);
    if (cookies == NULL) {
        *refusal = OUTCOME_FAULT;
        return false;
    }
    input->candidates = cookies;
    input->candidate_count = http_cookies(http, request->realm->check_cookie, cookies, COOKIES_MAX);
    return input->candidate_count > 0;
}

/* An authorizer's variables are those of the page's own program; auth_request reads headers. */
void oauth_check_encode(const struct request *request, enum outcome outcome,
                        struct http_response *response)
{
    const struct answer *answer = &request->answer;
    const struct {
        const char *header, *variable;
        struct text value;
    } rows[] = {
        {"Remote-User", "Variable-REMOTE_USER", answer->username},
        {"Remote-Roles", "Variable-RETOKEN_ROLES", answer->roles},
        {"Remote-Scope", "Variable-RETOKEN_SCOPE", answer->scope},
        {"Remote-Client", "Variable-RETOKEN_CLIENT", answer->client},
        {NULL, "Variable-AUTH_TYPE", request->possession.proved ? TEXT("DPoP") : TEXT("Bearer")},
    };

    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = request->http->request.authorizes ? rows[i].variable : rows[i].header;

        if (name != NULL && rows[i].value.size > 0) {
            http_response_header(response, name, rows[i].value);
        }
    }
}

#define REALM "Bearer realm=\"retoken\""
#define SAYS_BY(scheme, status_code, code)                                                         \
    .status = (status_code), .media_type = "application/json;charset=UTF-8",                       \
    .body = "{\"error\":\"" code "\"}", .header = "WWW-Authenticate",                              \
    .value = scheme ", error=\"" code "\""
#define SAYS(status_code, code) SAYS_BY(REALM, status_code, code)
#define SAYS_OF_DPOP(code)      SAYS_BY("DPoP realm=\"retoken\"", 401, code) /* RFC 9449 section 7.1 */

/* RFC 6750 section 3.1, but for 400, which auth_request takes for a fault. Who sends no token is
 * told no error. */
const struct wording oauth_check_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, .status = 405},
    {OUTCOME_TOKEN_MISSING, .status = 401, .header = "WWW-Authenticate", .value = REALM},
    {WORDS_CLASS(REQUEST), SAYS(401, "invalid_request")},
    {OUTCOME_DPOP_INVALID, SAYS_OF_DPOP("invalid_dpop_proof")},
    {OUTCOME_DPOP_NONCE, SAYS_OF_DPOP("use_dpop_nonce")},
    {WORDS_CLASS(CLIENT), SAYS(401, "invalid_token")},
    {OUTCOME_TOKEN_ALONE, SAYS(403, "insufficient_scope")},
    {OUTCOME_WRONG_USER, SAYS(403, "insufficient_scope")},
    {OUTCOME_SCOPE_INVALID, SAYS(403, "insufficient_scope")},
    {WORDS_CLASS(TOKEN), SAYS(401, "invalid_token")},
    {WORDS_CLASS(HERE), .status = 503},
    {0},
};

bool oauth_check_take_cookie(struct realm *realm, struct text value)
{
    struct text name = text_is(value, "none") ? TEXT("") : value;

    return (name.size == 0 || cookies_is_name(name)) &&
           text_copy(name, realm->check_cookie, sizeof realm->check_cookie);
}
