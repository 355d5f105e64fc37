/* SPDX-License-Identifier: ISC */
/* oauth_grants.c: see oauth_grants.h. */
#include "dialect/oauth_grants.h"

#include "dialect/metadata.h"
#include "dialect/oauth_client.h"

static bool take_refresh(struct request *request, enum outcome *refusal);
static bool take_code(struct request *request, enum outcome *refusal);
static bool take_password(struct request *request, enum outcome *refusal);
static bool take_client(struct request *request, enum outcome *refusal);
static bool take_device(struct request *request, enum outcome *refusal);

static const struct oauth_grant grants[] = {
    {"refresh_token", GRANT_REFRESH, &operation_refresh, NULL, take_refresh},
    {"authorization_code", GRANT_CODE, &operation_code, &operation_authorize, take_code},
    {"password", GRANT_PASSWORD, &operation_login, NULL, take_password},
    {"client_credentials", GRANT_CLIENT, &operation_client, NULL, take_client},
    {"urn:ietf:params:oauth:grant-type:device_code", GRANT_DEVICE, &operation_device_grant,
     &operation_device, take_device},
};

bool oauth_grants_take(struct request *request, enum outcome *refusal)
{
    struct text type;
    const struct oauth_parameter rows[] = {{"grant_type", &type, false}};

    if (!oauth_parameters(request, rows, 1, refusal)) {
        return false;
    }
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
        if (text_is(type, grants[i].type)) {
            request->operation = grants[i].operation;
            request->grant = grants[i].bit;
            return grants[i].decode(request, refusal);
        }
    }
    *refusal = type.size == 0 ? OUTCOME_GRANT_TYPE_MISSING : OUTCOME_GRANT_TYPE_UNSUPPORTED;
    return false;
}

/* A code comes from the endpoint that gives it, or not at all. */
void oauth_grants_add(struct json_out *out, const struct request *request)
{
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
        if (policy_offers(&request->realm->policy, grants[i].bit) &&
            (grants[i].from == NULL || metadata_mount(request, grants[i].from) != NULL)) {
            json_out_text(out, text_of(grants[i].type));
        }
    }
}

/* Section 6. */
static bool take_refresh(struct request *request, enum outcome *refusal)
{
    struct refresh_input *input = &request->input.refresh;
    const struct oauth_parameter rows[] = {
        {"refresh_token", &input->refresh_token, false},
        {"scope", &input->scope, false},
    };

    if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    } else if (input->refresh_token.size == 0) {
        *refusal = OUTCOME_TOKEN_MISSING;
        return false;
    }
    input->scope_given = input->scope.size > 0;
    request->client.beside = input->refresh_token;
    return true;
}

/* Section 4.1.3, and RFC 7636 section 4.1. */
static bool take_code(struct request *request, enum outcome *refusal)
{
    struct code_input *input = &request->input.code;
    const struct oauth_parameter rows[] = {
        {"code", &input->code, false},
        {"redirect_uri", &input->redirect_uri, true},
        {"code_verifier", &input->verifier, false},
    };

    if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    } else if (input->code.size == 0 || input->verifier.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    }
    request->client.beside = input->code;
    return true;
}

/* Section 4.3. */
static bool take_password(struct request *request, enum outcome *refusal)
{
    struct login_input *input = &request->input.login;
    const struct oauth_parameter rows[] = {
        {"username", &input->username, true},
        {"password", &input->password, true},
        {"scope", &input->scope, false},
    };

    if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    } else if (input->username.size == 0 || input->password.size == 0) {
        *refusal = OUTCOME_FIELD_MISSING;
        return false;
    }
    input->scope_given = input->scope.size > 0;
    return true;
}

/* Section 4.4, without a refresh token (section 4.4.3). */
static bool take_client(struct request *request, enum outcome *refusal)
{
    struct client_input *input = &request->input.client;
    const struct oauth_parameter rows[] = {{"scope", &input->scope, false}};

    if (!oauth_parameters(request, rows, 1, refusal)) {
        return false;
    }
    input->scope_given = input->scope.size > 0;
    return true;
}

/* RFC 8628 section 3.4. */
static bool take_device(struct request *request, enum outcome *refusal)
{
    struct text *code = &request->input.device.device_code;
    const struct oauth_parameter rows[] = {{"device_code", code, false}};

    if (!oauth_parameters(request, rows, 1, refusal)) {
        return false;
    }
    request->client.beside = *code;
    *refusal = OUTCOME_FIELD_MISSING;
    return code->size > 0;
}
