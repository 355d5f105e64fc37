/* SPDX-License-Identifier: ISC */
/* oauth_device.c: see oauth_device.h. */
#include "dialect/oauth_device.h"

#include "dialect/answer.h"
#include "dialect/browser.h"
#include "dialect/oauth_client.h"
#include "dialect/oauth_target.h"
#include "http/origin.h"

/* ---- /oauth/device_authorization: RFC 8628 sections 3.1 and 3.2 ---- */

bool oauth_device_decode(struct request *request, enum outcome *refusal)
{
    const struct oauth_parameter rows[] = {{"scope", &request->input.device.scope, false}};

    request->grant = GRANT_DEVICE;
    if (oauth_credential_in_url(request)) {
        *refusal = OUTCOME_PARAMETER_IN_URL;
        return false;
    } else if (request->realm->verification_uri[0] == '\0') {
        *refusal = OUTCOME_CLIENT_UNAUTHORIZED; /* its page is not there */
        return false;
    }
    return oauth_parameters(request, rows, 1, refusal) && oauth_client_take(request, refusal) &&
           oauth_target_take(request, &request->form, refusal);
}

void oauth_device_encode(const struct request *request, enum outcome outcome,
                         struct http_response *response)
{
    const struct answer *answer = &request->answer;
    struct text page = text_of(request->realm->verification_uri);
    struct buffer complete, body;
    struct json_out out;

    (void)outcome;
    buffer_start(&complete, request->arena, page.size + 32);
    buffer_add(&complete, page);
    buffer_add_c(&complete, text_find(page, '?') < page.size ? "&" : "?");
    buffer_add_c(&complete, "user_code=");
    buffer_add(&complete, answer->user_code);
    answer_compose(request, &body);
    body.failed |= complete.failed;
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "device_code", answer->device_code);
    json_out_member(&out, "user_code", answer->user_code);
    json_out_member(&out, "verification_uri", page);
    json_out_member(&out, "verification_uri_complete", buffer_text(&complete));
    json_out_member_int(&out, "expires_in", answer->expires_in_s);
    json_out_member_int(&out, "interval", answer->interval_s);
    json_out_close(&out);
    answer_buffer(response, 200, "application/json;charset=UTF-8", &body);
}

bool oauth_device_take_uri(struct realm *realm, struct text value)
{
    if (text_is(value, "issuer")) {
        realm->verification_uri[0] = '\0';
        return true;
    }
    return http_origin_of_url(value).size > 0 && text_is_visible_ascii(value) &&
           text_find(value, '#') == value.size &&
           text_copy(value, realm->verification_uri, sizeof realm->verification_uri);
}

/* ---- /oauth/device: section 3.3 ---- */

static bool read_step(const struct form *form, struct approval_input *input, enum outcome *refusal);

/* A link may hold the code (section 3.3.1), and then the user still sees it, and sends it. What is
 * sent comes from our own page, whatever may lead to it. */
bool oauth_device_page_decode(struct request *request, enum outcome *refusal)
{
    struct approval_input *input = &request->input.approval;
    bool asks = request->http->request.method != HTTP_POST;
    const struct form *form = asks ? &request->query : &request->form;

    if (!asks && !browser_page_is_own(request)) {
        *refusal = OUTCOME_PAGE_FOREIGN;
        return false;
    } else if (!dialect_parameter(form_get(form, "user_code", &input->user_code), refusal)) {
        return false;
    }
    input->step = APPROVAL_ASK;
    return asks || (dialect_parameter(form_get(form, "form", &input->form), refusal) &&
                    read_step(form, input, refusal));
}

static bool read_step(const struct form *form, struct approval_input *input, enum outcome *refusal)
{
    struct text decision = {0};

    if (!dialect_parameter(form_get(form, "decision", &decision), refusal)) {
        return false;
    }
    input->step = decision.size == 0           ? APPROVAL_LOOK
                  : text_is(decision, "allow") ? APPROVAL_ALLOW
                                               : APPROVAL_DENY;
    *refusal = OUTCOME_MALFORMED;
    return decision.size == 0 || text_is(decision, "allow") || text_is(decision, "deny");
}

#define STYLE                                                                                      \
    "body{font:1.1em/1.5 system-ui,sans-serif;color-scheme:light dark;margin:2em auto;"            \
    "max-width:30em;padding:0 1em}label,input{display:block}input,button{font:inherit;"            \
    "padding:.5em;margin:.5em .5em 1em 0}input{text-transform:uppercase;letter-spacing:.1em}"      \
    "dd{margin:0 0 .5em;font-weight:bold;overflow-wrap:anywhere}"
/* The digest is that of STYLE (CSP 3 section 6.7.4.4): a test computes it. */
const char oauth_device_page_policy[] =
    "default-src 'none'; style-src 'sha256-snTexTMGQT3ztGHQwDHAPyb4irLv4xWDIUHw7GJaa5E='; "
    "form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

#define HEAD(title)                                                                                \
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"                              \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<title>" title "</title>\n<style>" STYLE "</style>\n<h1>" title "</h1>\n"
#define TAIL      "</html>\n"
#define HTML_TYPE "text/html;charset=UTF-8"

static void write_question(const struct request *request, struct buffer *body);
static void write_choice(const struct request *request, struct buffer *body);
static void add_hidden(struct buffer *body, const char *name, struct text value);
static void add_escaped(struct buffer *body, struct text t);

void oauth_device_page_encode(const struct request *request, enum outcome outcome,
                              struct http_response *response)
{
    struct buffer body;

    (void)outcome;
    buffer_start(&body, request->arena, 2048);
    switch (request->input.approval.step) {
    case APPROVAL_ASK:
        write_question(request, &body);
        break;
    case APPROVAL_LOOK:
        write_choice(request, &body);
        break;
    case APPROVAL_ALLOW:
        buffer_add_c(&body, HEAD("Device connected") "<p>Go back to the device: it goes on within "
                                                     "a few seconds.\n" TAIL);
        break;
    case APPROVAL_DENY:
        buffer_add_c(&body, HEAD("Device not connected") "<p>The device was told that you did not "
                                                         "allow it.\n" TAIL);
        break;
    }
    answer_buffer(response, 200, HTML_TYPE, &body);
}

static void write_question(const struct request *request, struct buffer *body)
{
    buffer_add_c(body, HEAD("Connect a device") "<p>You are logged in as <strong>");
    add_escaped(body, request->answer.username);
    buffer_add_c(body, "</strong>.\n<form method=\"post\" action=\"?\">\n");
    add_hidden(body, "form", request->answer.form);
    buffer_add_c(body, "<label for=\"code\">The code that the device shows</label>\n"
                       "<input id=\"code\" name=\"user_code\" value=\"");
    add_escaped(body, request->answer.user_code);
    buffer_add_c(body, "\" autocomplete=\"off\" spellcheck=\"false\" maxlength=\"64\" size=\"12\" "
                       "required autofocus>\n<button>Continue</button>\n</form>\n" TAIL);
}

/* Section 5.4: who was sent a link must be able to tell that it is not about a device of theirs. */
static void write_choice(const struct request *request, struct buffer *body)
{
    const struct answer *answer = &request->answer;

    buffer_add_c(body, HEAD("Connect this device?") "<dl>\n<dt>It runs</dt><dd>");
    add_escaped(body, answer->client);
    buffer_add_c(body, "</dd>\n<dt>It will act as</dt><dd>");
    add_escaped(body, answer->username);
    if (answer->scope.size > 0) {
        buffer_add_c(body, "</dd>\n<dt>It may use</dt><dd>");
        add_escaped(body, answer->scope);
    }
    buffer_add_c(body, "</dd>\n<dt>It shows</dt><dd>");
    add_escaped(body, answer->user_code);
    buffer_add_c(body, "</dd>\n</dl>\n<p>Allow this only if you started it yourself just now and "
                       "see that code on your own device.\n<form method=\"post\" action=\"?\">\n");
    add_hidden(body, "form", answer->form);
    add_hidden(body, "user_code", answer->user_code);
    buffer_add_c(body, "<button name=\"decision\" value=\"allow\">Allow</button>\n"
                       "<button name=\"decision\" value=\"deny\">Deny</button>\n</form>\n" TAIL);
}

static void add_hidden(struct buffer *body, const char *name, struct text value)
{
    buffer_addf(body, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    add_escaped(body, value);
    buffer_add_c(body, "\">\n");
}

/* As text, and as an attribute's value between quotes. */
static void add_escaped(struct buffer *body, struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        switch (t.data[i]) {
        case '&':
            buffer_add_c(body, "&amp;");
            break;
        case '<':
            buffer_add_c(body, "&lt;");
            break;
        case '>':
            buffer_add_c(body, "&gt;");
            break;
        case '"':
            buffer_add_c(body, "&quot;");
            break;
        case '\'':
            buffer_add_c(body, "&#39;");
            break;
        default:
            buffer_add_char(body, t.data[i]);
        }
    }
}

#define PAGE(status_code, title, words)                                                            \
    .status = (status_code), .media_type = HTML_TYPE,                                              \
    .body = HEAD(title) "<p>" words "\n<p><a href=\"?\">Start again</a>\n" TAIL
#define NO_LOGIN "You are not logged in"
#define NOT_DONE "That did not work"

const struct wording oauth_device_page_words[] = {
    {OUTCOME_METHOD_NOT_ALLOWED, PAGE(405, NOT_DONE, "This page cannot be asked in this way.")},
    {OUTCOME_PAGE_FOREIGN, PAGE(403, NOT_DONE, "Another site may not send this form.")},
    {OUTCOME_FORM_INVALID,
     PAGE(403, NOT_DONE, "The form is too old, or was made for somebody else.")},
    {OUTCOME_BODY_TOO_LARGE, PAGE(413, NOT_DONE, "The form cannot be understood.")},
    {WORDS_CLASS(REQUEST), PAGE(400, NOT_DONE, "The form cannot be understood.")},
    {OUTCOME_REMOTE_USER_ABSENT,
     PAGE(
         403, NO_LOGIN,
         "This web server does not ask for a login here. Its administrator finds the reason in the "
         "log.")},
    {OUTCOME_REMOTE_USER_UNCHECKED,
     PAGE(403, NO_LOGIN,
          "This web server does not check logins here. Its administrator finds the reason in the "
          "log.")},
    {OUTCOME_SLOWED,
     PAGE(429, "Please wait", "Too many wrong codes were typed. Try again in a while.")},
    {WORDS_CLASS(CLIENT), PAGE(403, NO_LOGIN, "You have no account here.")},
    {OUTCOME_USER_CODE_WRONG,
     PAGE(400, "Wrong code", "No device waits with this code. It may have expired.")},
    {WORDS_CLASS(TOKEN), PAGE(403, NO_LOGIN, "Your account cannot be used.")},
    {WORDS_CLASS(HERE), PAGE(503, "Please try again", "Something broke here.")},
    {0},
};
