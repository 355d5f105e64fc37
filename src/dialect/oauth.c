/* SPDX-License-Identifier: ISC */
/* oauth.c: POST /oauth/token of RFC 6749: its answers and its error codes. Grants, client
 * authentication and the other endpoints are in oauth_grants.c, oauth_client.c and so on. Does not
 * know whether a client is right. */
#include "dialect/answer.h"

#include "dialect/at_jwt.h"
#include "dialect/dialect.h"
#include "dialect/oauth_authorize.h"
#include "dialect/oauth_check.h"
#include "dialect/oauth_client.h"
#include "dialect/oauth_device.h"
#include "dialect/oauth_dpop.h"
#include "dialect/oauth_expiration.h"
#include "dialect/oauth_grants.h"
#include "dialect/oauth_target.h"
#include "dialect/oauth_metadata.h"
#include "dialect/oauth_sessions.h"
#include "dialect/oauth_token_query.h"

#define JSON_TYPE "application/json;charset=UTF-8"

/* ---- request ---- */

static bool decode(struct request *request, enum outcome *refusal)
{
    if (oauth_credential_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    }
    return oauth_grants_take(request, refusal) && oauth_client_take(request, refusal) &&
           oauth_target_take(request, &request->form, refusal) && oauth_dpop_take(request, refusal);
}

/* ---- answer ---- */

/* The document's four keys say `expires`, which few clients read: RFC 6749 section 5.1 says
 * `expires_in`, and `scope` when it is less than was granted. `expires-in = off`: the four alone.
 */
static void encode(const struct request *request, enum outcome outcome,
                   struct http_response *response)
{
    const struct answer *answer = &request->answer;
    bool deployed = request->realm->behaviour == BEHAVIOUR_DEPLOYED;
    struct buffer body;
    struct json_out out;

    (void)outcome;
    answer_compose(request, &body);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "access_token", answer->access_token);
    if (answer->refresh_token.size > 0) {
        json_out_member(&out, "refresh_token", answer->refresh_token);
    }
    json_out_member(&out, "token_type", answer->bound ? TEXT("DPoP") : TEXT("bearer"));
    if (!deployed) {
        json_out_member_int(&out, "expires", answer->expires_in_s);
    }
    if (deployed || !request->realm->expires_in_omitted) {
        json_out_member_int(&out, "expires_in", answer->expires_in_s);
    }
    if (answer->scope_narrowed && (deployed || !request->realm->expires_in_omitted)) {
        json_out_member(&out, "scope", answer->scope);
    }
    if (answer->refresh_token.size > 0) {
        oauth_expiration_add(&out, request);
    }
    json_out_close(&out);
    answer_buffer(response, 200, JSON_TYPE, &body);
}

/* Only who has a token of the session gets as far as its scope. */
static struct text granted(const struct request *request)
{
    return request->answer.granted;
}

static bool has_scope(const struct request *request)
{
    return granted(request).size > 0;
}

static bool refreshes(const struct request *request)
{
    return request->operation == &operation_refresh;
}

static bool starts_device(const struct request *request)
{
    return request->operation == &operation_device;
}

static bool logs_in(const struct request *request)
{
    return request->operation == &operation_login;
}

static bool revokes(const struct request *request)
{
    return request->operation == &operation_logout;
}

/* At the endpoints whose parameter is called that. */
static bool asks_for_token(const struct request *request)
{
    return revokes(request) || request->operation == &operation_introspect;
}

#define BAD_GRANT "The refresh token is invalid, expired or revoked, or belongs to another client."
/* The same for every account that may not log in, whether there is one or not. */
#define BAD_LOGIN "The user name or password is wrong, or the account is disabled."
#define ERROR(code, description)                                                                   \
    "{\"error\":\"" code "\",\"error_description\":\"" description "\"}"
#define SAYS(status_code, code, description)                                                       \
    .status = (status_code), .media_type = JSON_TYPE, .body = ERROR(code, description)

/* Which token error it was is the operator's business alone: one answer for all of them. Section
 * 5.2 has no code for a fault; section 4.1.2.1 names it after the status. */
static const struct wording words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, SAYS(405, "invalid_request", "Use POST.")},
    {OUTCOME_PAGE_FOREIGN, SAYS(403, "invalid_request", "Pages of this origin may not ask here.")},
    {OUTCOME_BODY_TOO_LARGE, SAYS(413, "invalid_request", "The body is too large.")},
    {OUTCOME_BODY_INCOMPLETE,
     SAYS(400, "invalid_request", "The body is not as long as announced.")},
    {OUTCOME_LENGTH_REQUIRED, SAYS(411, "invalid_request", "Content-Length is required.")},
    {OUTCOME_UNSUPPORTED_MEDIA,
     SAYS(400, "invalid_request", "The body must be application/x-www-form-urlencoded in UTF-8.")},
    {OUTCOME_UNSUPPORTED_CODING, SAYS(415, "invalid_request", "The body must not be compressed."),
     DIALECT_NO_CODING},
    {OUTCOME_PARAMETER_REPEATED,
     SAYS(400, "invalid_request", "A parameter is given more than once.")},
    {OUTCOME_PARAMETER_IN_URL, SAYS(400, "invalid_request", "Credentials belong in the body.")},
    {OUTCOME_GRANT_TYPE_MISSING, SAYS(400, "invalid_request", "grant_type is missing.")},
    {OUTCOME_GRANT_TYPE_UNSUPPORTED,
     SAYS(400, "unsupported_grant_type", "This endpoint does not take that grant_type.")},
    {OUTCOME_TARGET_INVALID,
     SAYS(400, "invalid_target", "No tokens for that resource or audience can be had here.")},
    {OUTCOME_TOKEN_MISSING, SAYS(400, "invalid_request", "token is missing."),
     .when = asks_for_token},
    {OUTCOME_TOKEN_MISSING, SAYS(400, "invalid_request", "refresh_token is missing.")},
    {OUTCOME_FIELD_MISSING, SAYS(400, "invalid_request", "A required parameter is missing.")},
    {WORDS_CLASS(REQUEST), SAYS(400, "invalid_request", "The request cannot be parsed.")},
    {OUTCOME_CLIENT_AUTH_REPEATED,
     SAYS(400, "invalid_request", "The client must authenticate in one way only.")},
    {OUTCOME_CLIENT_UNAUTHORIZED,
     SAYS(400, "unauthorized_client", "The client may not use this grant.")},
    {OUTCOME_DPOP_INVALID, SAYS(400, "invalid_dpop_proof",
                                "A DPoP proof is missing, malformed or not for this request.")},
    {OUTCOME_DPOP_NONCE,
     SAYS(400, "use_dpop_nonce", "Make the DPoP proof with the nonce of the DPoP-Nonce header.")},
    {OUTCOME_CREDENTIALS_WRONG, SAYS(400, "invalid_grant", BAD_LOGIN), .when = logs_in},
    {OUTCOME_CREDENTIALS_WRONG, SAYS(400, "invalid_grant", BAD_GRANT)},
    {OUTCOME_REMOTE_USER_UNKNOWN, SAYS(403, "access_denied", "The user has no account here.")},
    {OUTCOME_REMOTE_USER_ABSENT,
     SAYS(403, "access_denied", "The web server asks for no login here.")},
    {OUTCOME_REMOTE_USER_UNCHECKED,
     SAYS(403, "access_denied", "The web server checks no logins here.")},
    {OUTCOME_SLOWED,
     SAYS(429, "temporarily_unavailable",
          "Too many wrong secrets or passwords were sent; wait before the next try.")},
    {WORDS_CLASS(CLIENT), SAYS(401, "invalid_client", "The client could not be authenticated."),
     .when = oauth_client_tried_basic, .header = "WWW-Authenticate",
     .value = "Basic realm=\"retoken\""},
    {WORDS_CLASS(CLIENT), SAYS(401, "invalid_client", "The client could not be authenticated.")},
    {OUTCOME_SCOPE_INVALID,
     SAYS(400, "invalid_scope", "The scope goes beyond what was granted: %s."), .when = has_scope,
     .quote = granted},
    {OUTCOME_SCOPE_INVALID,
     SAYS(400, "invalid_scope", "The session was granted no scope, so it can ask for none."),
     .when = refreshes},
    {OUTCOME_SCOPE_INVALID, SAYS(400, "invalid_scope", "The scope is malformed or too long.")},
    {WORDS_CLASS(TOKEN), SAYS(400, "invalid_grant", BAD_LOGIN), .when = logs_in},
    {OUTCOME_TOKEN_ALONE, /* RFC 7009 section 2.2.1 */
     SAYS(400, "unsupported_token_type",
          "A client's own access token cannot be revoked: it ends when it expires.")},
    {WORDS_CLASS(TOKEN), SAYS(400, "invalid_grant", "The token belongs to another client."),
     .when = revokes},
    {OUTCOME_DEVICE_PENDING,
     SAYS(400, "authorization_pending", "No user has approved the device yet.")},
    {OUTCOME_DEVICE_TOO_SOON,
     SAYS(429, "slow_down", "Too many devices of this network wait for a user; try again later."),
     .when = starts_device},
    {OUTCOME_DEVICE_TOO_SOON, SAYS(400, "slow_down", "Wait 5 seconds longer between requests.")},
    {OUTCOME_DEVICE_DENIED, SAYS(400, "access_denied", "The user has denied the device.")},
    {OUTCOME_DEVICE_EXPIRED, SAYS(400, "expired_token", "No user approved the device in time.")},
    {WORDS_CLASS(TOKEN), SAYS(400, "invalid_grant", BAD_GRANT)},
    {OUTCOME_BUSY,
     SAYS(503, "temporarily_unavailable",
          "Too much is being checked; the refresh token is still good."),
     .when = refreshes},
    {OUTCOME_BUSY, SAYS(503, "temporarily_unavailable", "Too much is being checked; try again.")},
    {WORDS_CLASS(HERE),
     SAYS(503, "temporarily_unavailable", "Something broke here; the refresh token is still good."),
     .when = refreshes},
    {WORDS_CLASS(HERE),
     SAYS(503, "temporarily_unavailable", "Something broke here; the token is not revoked yet."),
     .when = revokes},
    {WORDS_CLASS(HERE), SAYS(503, "temporarily_unavailable", "Something broke here; try again.")},
    {0},
};

static bool take_expires_in(struct realm *realm, struct text value)
{
    realm->expires_in_omitted = text_is(value, "off");
    return realm->expires_in_omitted || text_is(value, "on");
}

static const struct dialect_setting settings[] = {
    {"expires-in", take_expires_in, "write on or off", "on"},
    {"refresh-token-expiration", oauth_expiration_take, "write on or off", "off"},
    {"check-cookie", oauth_check_take_cookie, "not a cookie's name", "none"},
    {"verification-uri", oauth_device_take_uri, "write a URL, or issuer", "issuer"},
    {"mtls-origin", oauth_metadata_take_mtls_origin,
     "write an origin as https://mtls.example.org, or none", "none"},
    {0},
};

static const char *check(const struct realm *realm)
{
    return realm->mtls_origin[0] != '\0' && !realm->client_certificates
               ? "mtls-origin: no certificate is looked at here; add client-certificates = on"
               : NULL;
}

static const char *advise(const struct mount *mount)
{
    if (!mount->realm->policy.rotate) {
        return "without rotation a public client's stolen token is never noticed (RFC 9700): set "
               "rotation = on";
    }
    return NULL;
}

static const struct endpoint endpoints[] = {
    {.name = "token",
     .path = "/oauth/token",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .operation = &operation_refresh,
     .decode = decode,
     .encode = encode,
     .words = words},
    {.name = "revoke",
     .path = "/oauth/revoke",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .operation = &operation_logout,
     .decode = oauth_token_query_decode,
     .encode = oauth_token_query_encode_revoked,
     .words = words},
    {.name = "introspect",
     .path = "/oauth/introspect",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .operation = &operation_introspect,
     .decode = oauth_token_query_decode_introspection,
     .encode = oauth_token_query_encode_state,
     .words = words},
    {.name = "sessions",
     .path = "/oauth/sessions",
     .methods = ENDPOINT_GET | ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .operation = &operation_own_sessions,
     .decode = oauth_sessions_decode,
     .encode = oauth_sessions_encode,
     .words = oauth_sessions_words},
    {.name = "check",
     .path = "/oauth/check",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .checks = true,
     .operation = &operation_check,
     .decode = oauth_check_decode,
     .encode = oauth_check_encode,
     .words = oauth_check_words},
    {.name = "authorize",
     .path = "/oauth/authorize",
     .methods = ENDPOINT_GET | ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .needs_remote_user = true,
     .navigated = true,
     .operation = &operation_authorize,
     .decode = oauth_authorize_decode,
     .encode = oauth_authorize_encode,
     .refuse = oauth_authorize_refuse,
     .words = oauth_authorize_words},
    {.name = "session",
     .path = "/oauth/session",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .needs_remote_user = true,
     .operation = &operation_session,
     .decode = oauth_session_decode,
     .encode = encode,
     .words = words},
    {.name = "device-authorization",
     .path = "/oauth/device_authorization",
     .methods = ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .client_bound = true,
     .with_remote_user = true,
     .operation = &operation_device,
     .decode = oauth_device_decode,
     .encode = oauth_device_encode,
     .words = words},
    {.name = "device",
     .path = "/oauth/device",
     .methods = ENDPOINT_GET | ENDPOINT_POST,
     .body = ENDPOINT_BODY_FORM,
     .needs_remote_user = true,
     .approves_devices = true,
     .navigated = true,
     .content_policy = oauth_device_page_policy,
     .operation = &operation_device_approval,
     .decode = oauth_device_page_decode,
     .encode = oauth_device_page_encode,
     .words = oauth_device_page_words},
    {.name = "metadata",
     .path = "/.well-known/oauth-authorization-server",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .is_public = true,
     .document = DOCUMENT_BEFORE_PATH,
     .operation = &operation_metadata,
     .encode = oauth_metadata_encode,
     .words = dialect_plain_words},
    {.name = "openid-configuration",
     .path = "/.well-known/openid-configuration",
     .methods = ENDPOINT_GET | ENDPOINT_HEAD,
     .body = ENDPOINT_BODY_IGNORED,
     .is_public = true,
     .document = DOCUMENT_BEHIND_PATH,
     .operation = &operation_metadata,
     .encode = oauth_metadata_encode_openid,
     .words = dialect_plain_words},
};

const struct dialect oauth_dialect = {
    .name = "oauth",
    .summary = "RFC 6749 token endpoint with client authentication",
    .endpoints = endpoints,
    .endpoint_count = sizeof endpoints / sizeof endpoints[0],
    .realm = "/oauth/token",
    .proves_clients = true,
    .policy = {.rotate = true,
               .concurrency_window_ms = CLOCK_MINUTE,
               .idle_lifetime_ms = INT64_C(30) * CLOCK_DAY,
               .absolute_lifetime_ms = INT64_C(365) * CLOCK_DAY,
               .access_lifetime_ms = CLOCK_HOUR,
               .format = REFRESH_FORMAT_NATIVE,
               .layout = &at_jwt_layout,
               .algorithm = SIGNING_RS256,
               .scope_rule = SCOPE_SUBSET},
    .settings = settings,
    .check = check,
    .advise = advise,
};
