/* SPDX-License-Identifier: ISC */
/* fusionauth_revoke.c: see fusionauth_revoke.h. */
#include "dialect/fusionauth_revoke.h"

#include "dialect/answer.h"
#include "dialect/auth_key.h"
#include "dialect/fusionauth_sent.h"

static bool take_authorization(struct request *request, enum outcome *refusal);
static bool take(const struct request *request, const char *name, struct text *value,
                 enum outcome *refusal);

/* Whoever may not ask is not told what was wrong with the rest. */
bool fusionauth_revoke_decode(struct request *request, enum outcome *refusal)
{
    struct revoke_input *input = &request->input.revoke;

    request->operation = &operation_revoke;
    if (!take_authorization(request, refusal) ||
        !take(request, "token", &input->refresh_token, refusal) ||
        !take(request, "userId", &input->user, refusal) ||
        !take(request, "applicationId", &input->client, refusal)) {
        return false;
    }
    if (dialect_session_in_path(request, &input->session)) {
        *refusal = OUTCOME_PARAMETER_REPEATED;
        return input->refresh_token.size == 0;
    }
    *refusal = OUTCOME_TOKEN_MISSING;
    return input->refresh_token.size > 0 || input->user.size > 0 || input->client.size > 0;
}

/* An API key, which has no scheme, else an access token. Of several cookies nothing tells which is
 * the user's. */
static bool take_authorization(struct request *request, enum outcome *refusal)
{
    struct revoke_input *input = &request->input.revoke;
    struct text *cookies;
    struct text key;
    size_t count;

    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    if (fusionauth_bearer(request, &input->access_token)) {
        return true;
    }
    switch (http_header(&request->http->request, "authorization", &key)) {
    case HTTP_ONE:
        input->any = auth_key_check(request->realm, key, refusal);
        return input->any;
    case HTTP_REPEATED:
        return false;
    case HTTP_ABSENT:
        break;
    }
    cookies = fusionauth_access_cookies(request, &count);
    if (cookies == NULL) {
        *refusal = OUTCOME_FAULT;
    } else if (count == 1) {
        input->access_token = cookies[0];
    }
    return cookies != NULL && count == 1;
}

/* A value of the URL, of JSON or of a form: in one of them, and once. */
static bool take(const struct request *request, const char *name, struct text *value,
                 enum outcome *refusal)
{
    struct text sent[3] = {{0}};
    int given = 0;

    if (!dialect_parameter(form_get(&request->query, name, &sent[0]), refusal) ||
        !dialect_parameter(form_get(&request->form, name, &sent[1]), refusal)) {
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    if (request->json != NULL && json_in_text(request->json, name, &sent[2]) == JSON_IN_OTHER) {
        return false;
    }
    *value = (struct text){0};
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        struct text one = text_strip(sent[i]);

        if (!fusionauth_is_absent(one)) {
            *value = one;
            given++;
        }
    }
    *refusal = OUTCOME_PARAMETER_REPEATED;
    return given <= 1;
}
