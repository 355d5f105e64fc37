/* SPDX-License-Identifier: ISC */
/* oauth_revocation.c: see oauth_revocation.h. */
#include "dialect/oauth_revocation.h"

#include "dialect/answer.h"
#include "dialect/oauth_client.h"

/* A token says what it is: token_type_hint is only checked for being sent once. */
bool oauth_revocation_decode(struct request *request, enum outcome *refusal)
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
void oauth_revocation_encode(const struct request *request, enum outcome outcome,
                             struct http_response *response)
{
    (void)request;
    (void)outcome;
    answer_body(response, 200, NULL, (struct text){0});
}
