/* SPDX-License-Identifier: ISC */
/* oauth_authorize.c: see oauth_authorize.h. RFC 6749 section 4.1, RFC 7636 (S256 only), RFC 9207.
 */
#include "dialect/oauth_authorize.h"

#include "base/codec.h"
#include "dialect/answer.h"
#include "dialect/oauth_client.h"
#include "dialect/oauth_dpop.h"
#include "dialect/oauth_target.h"

enum {
    STATE_MAX = 1024,   /* bytes; three times as many when it is sent back */
    CHALLENGE_SIZE = 43 /* base64url of 32 bytes (RFC 7636 section 4.2) */
};

/* ---- request ---- */

struct parameters {
    struct text response_type, response_mode, state, scope, prompt;
    struct text challenge, challenge_method;
    struct text dpop_jkt;
    struct text request, request_uri;
};

static const struct form *form_of(const struct request *request);
static bool read_parameters(struct request *request, struct parameters *parameters,
                            enum outcome *refusal);
static enum outcome judge(const struct parameters *parameters, struct authorize_input *input);
static bool asks_to_log_in(struct text prompt);

bool oauth_authorize_decode(struct request *request, enum outcome *refusal)
{
    struct authorize_input *input = &request->input.authorize;
    const struct form *form = form_of(request);
    struct parameters parameters = {0};
    enum outcome told;

    if (!dialect_parameter(form_get(form, "client_id", &input->client_id), refusal) ||
        !dialect_parameter(form_get(form, "redirect_uri", &input->redirect_uri), refusal)) {
        return false;
    }
    told = read_parameters(request, &parameters, &input->refusal) &&
                   oauth_target_take(request, form, &input->refusal)
               ? judge(&parameters, input)
               : input->refusal;
    input->refused = !outcome_is_grant(told);
    input->refusal = told;
    return true;
}

static const struct form *form_of(const struct request *request)
{
    return request->http->request.method == HTTP_POST ? &request->form : &request->query;
}

/* The state first, which comes back with whatever is wrong with the others. */
static bool read_parameters(struct request *request, struct parameters *parameters,
                            enum outcome *refusal)
{
    const struct {
        const char *name;
        struct text *value;
    } rows[] = {
        {"state", &parameters->state},
        {"response_type", &parameters->response_type},
        {"response_mode", &parameters->response_mode},
        {"scope", &parameters->scope},
        {"prompt", &parameters->prompt},
        {"code_challenge", &parameters->challenge},
        {"code_challenge_method", &parameters->challenge_method},
        {"dpop_jkt", &parameters->dpop_jkt},
        {"request", &parameters->request},
        {"request_uri", &parameters->request_uri},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!dialect_parameter(form_get(form_of(request), rows[i].name, rows[i].value), refusal)) {
            return false;
        } else if (i == 0 && parameters->state.size > STATE_MAX) {
            *refusal = OUTCOME_MALFORMED;
            return false;
        }
        request->input.authorize.state = parameters->state;
    }
    return true;
}

/* OUTCOME_SERVED: nothing is wrong. */
static enum outcome judge(const struct parameters *parameters, struct authorize_input *input)
{
    size_t size = 0;

    input->scope = text_strip(parameters->scope);
    if (parameters->request.size > 0) {
        return OUTCOME_REQUEST_OBJECT;
    } else if (parameters->request_uri.size > 0) {
        return OUTCOME_REQUEST_URI;
    } else if (parameters->response_type.size == 0) {
        return OUTCOME_FIELD_MISSING;
    } else if (!text_is(parameters->response_type, "code")) {
        return OUTCOME_RESPONSE_TYPE;
    } else if (parameters->response_mode.size > 0 && !text_is(parameters->response_mode, "query")) {
        return OUTCOME_RESPONSE_MODE;
    } else if (!text_is(parameters->challenge_method, "S256") ||
               parameters->challenge.size != CHALLENGE_SIZE ||
               !codec_base64url_decode(parameters->challenge, input->challenge,
                                       sizeof input->challenge, &size) ||
               size != sizeof input->challenge) {
        return OUTCOME_CHALLENGE;
    }
    input->has_key = parameters->dpop_jkt.size > 0;
    if (input->has_key &&
        (!codec_base64url_decode(parameters->dpop_jkt, input->key, sizeof input->key, &size) ||
         size != sizeof input->key)) {
        return OUTCOME_MALFORMED;
    }
    return asks_to_log_in(parameters->prompt) ? OUTCOME_INTERACTION : OUTCOME_SERVED;
}

/* The web server has checked the user, and nothing here can make it check again. To consent there
 * is nothing: who registers a client has. */
static bool asks_to_log_in(struct text prompt)
{
    return text_has_word(prompt, TEXT("login")) || text_has_word(prompt, TEXT("select_account"));
}

/* ---- answer ---- */

static bool redirect(const struct request *request, const char *error, const char *description,
                     struct http_response *response);
static void add_parameter(struct buffer *uri, const char *name, struct text value);

void oauth_authorize_encode(const struct request *request, enum outcome outcome,
                            struct http_response *response)
{
    (void)outcome;
    response->failed = !redirect(request, NULL, NULL, response);
}

/* What is told to the client: RFC 6749 section 4.1.2.1, and OpenID Connect Core 3.1.2.6. */
static const struct {
    enum outcome outcome;
    const char *error;
    const char *description;
} errors[] = {
    {OUTCOME_PARAMETER_REPEATED, "invalid_request", "A parameter is given more than once."},
    {OUTCOME_MALFORMED, "invalid_request", "A parameter cannot be decoded or is too long."},
    {OUTCOME_FIELD_MISSING, "invalid_request", "response_type is missing."},
    {OUTCOME_TARGET_INVALID, "invalid_target",
     "No tokens for that resource or audience can be had here."},
    {OUTCOME_RESPONSE_MODE, "invalid_request", "The response_mode must be query."},
    {OUTCOME_CHALLENGE, "invalid_request",
     "A code_challenge with the code_challenge_method S256 is required."},
    {OUTCOME_RESPONSE_TYPE, "unsupported_response_type", "The response_type must be code."},
    {OUTCOME_REQUEST_OBJECT, "request_not_supported", "Request objects are not taken."},
    {OUTCOME_REQUEST_URI, "request_uri_not_supported", "Request objects are not taken."},
    {OUTCOME_INTERACTION, "interaction_required",
     "The login is the web server's and cannot be asked for once more."},
    {OUTCOME_CLIENT_UNAUTHORIZED, "unauthorized_client", "The client may not use this grant."},
    {OUTCOME_SCOPE_INVALID, "invalid_scope", "The scope goes beyond what the client may ask for."},
    {OUTCOME_REMOTE_USER_UNKNOWN, "access_denied", "The user has no account here."},
    {OUTCOME_ACCOUNT_DISABLED, "access_denied", "The account of the user is disabled."},
    {OUTCOME_FAULT, "server_error", "Something broke here."},
};

/* To the redirect URI, once it is known to be the client's; else it stays a page. */
bool oauth_authorize_refuse(const struct request *request, enum outcome outcome,
                            struct http_response *response)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (request->answer.redirect_uri.size > 0 && errors[i].outcome == outcome) {
            return redirect(request, errors[i].error, errors[i].description, response);
        }
    }
    return false;
}

/* The code, or an error. 303, so that a browser that came with POST goes on with GET (RFC 9700
 * section 4.12). */
static bool redirect(const struct request *request, const char *error, const char *description,
                     struct http_response *response)
{
    struct text uri = request->answer.redirect_uri;
    struct text location;
    struct buffer buffer;

    buffer_start(&buffer, request->arena, 1024);
    buffer_add(&buffer, uri);
    buffer_add_c(&buffer, text_find(uri, '?') < uri.size ? "&" : "?");
    add_parameter(&buffer, error != NULL ? "error=" : "code=",
                  error != NULL ? text_of(error) : request->answer.code);
    if (description != NULL) {
        add_parameter(&buffer, "&error_description=", text_of(description));
    }
    if (request->input.authorize.state.size > 0) {
        add_parameter(&buffer, "&state=", request->input.authorize.state);
    }
    add_parameter(&buffer, "&iss=", text_of(request->realm->issuer));
    if (!buffer_finish(&buffer, &location)) {
        return false;
    }
    answer_body(response, 303, NULL, (struct text){0});
    http_response_header(response, "Location", location);
    return true;
}

/* Percent-encoded but for what RFC 3986 section 2.3 never encodes. */
static void add_parameter(struct buffer *uri, const char *name, struct text value)
{
    static const char digits[] = "0123456789ABCDEF";

    buffer_add_c(uri, name);
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';

        buffer_add(uri, plain ? (struct text){value.data + i, 1} : (struct text){encoded, 3});
    }
}

/* Pages for people, of words that are always the same. */
#define PAGE(status_code, title, words_of_it)                                                      \
    .status = (status_code), .media_type = "text/html;charset=UTF-8",                              \
    .body = "<!DOCTYPE html>\n<html lang=\"en\">\n<title>" title "</title>\n<h1>" title            \
            "</h1>\n<p>" words_of_it "</p>\n</html>\n"
#define NO_LOGIN  "Login failed"
#define BAD_LINK  "This link does not work"
#define TRY_AGAIN "Please try again"

const struct wording oauth_authorize_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, PAGE(405, BAD_LINK, "It cannot be asked in this way.")},
    {OUTCOME_PAGE_FOREIGN, PAGE(403, BAD_LINK, "A script of another site may not ask here.")},
    {OUTCOME_REDIRECT_INVALID,
     PAGE(400, BAD_LINK,
          "The app asked for an answer at an address that it is not registered with here.")},
    {WORDS_CLASS(REQUEST), PAGE(400, BAD_LINK, "The app's request cannot be understood.")},
    {OUTCOME_REMOTE_USER_ABSENT,
     PAGE(403, NO_LOGIN,
          "This web server does not ask for a login here. Its administrator finds the reason in "
          "the log.")},
    {OUTCOME_REMOTE_USER_UNCHECKED,
     PAGE(403, NO_LOGIN,
          "This web server does not check logins here. Its administrator finds the reason in the "
          "log.")},
    {WORDS_CLASS(CLIENT), PAGE(400, BAD_LINK, "The app is not registered here.")},
    {WORDS_CLASS(TOKEN), PAGE(400, NO_LOGIN, "The account cannot be used.")},
    {WORDS_CLASS(HERE), PAGE(503, TRY_AGAIN, "Something broke here.")},
    {0},
};

/* ---- /oauth/session ---- */

bool oauth_session_decode(struct request *request, enum outcome *refusal)
{
    struct client_proof *client = &request->client;
    struct session_input *input = &request->input.session;
    const struct oauth_parameter rows[] = {{"client_id", &client->id, true},
                                           {"client_secret", &client->secret, true},
                                           {"scope", &input->scope, false}};

    if (oauth_credential_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (!oauth_parameters(request, rows, sizeof rows / sizeof rows[0], refusal)) {
        return false;
    }
    *refusal = OUTCOME_FIELD_MISSING;
    client->kind = client->secret.size > 0 ? CLIENT_PROOF_BODY : CLIENT_PROOF_NONE;
    return (client->secret.size == 0 || client->id.size > 0) &&
           oauth_target_take(request, &request->form, refusal) && oauth_dpop_take(request, refusal);
}
