/* SPDX-License-Identifier: ISC */
/* dialect_tell.c: see dialect_tell.h. */
#include "admin/dialect_tell.h"

#include "process/config.h"

static void tell_endpoint(const struct endpoint *endpoint, const struct endpoint *before,
                          struct buffer *out);
static void tell_request(const struct described_request *request, struct buffer *out);
static void tell_values(const struct described_request *request, struct buffer *out);
static void tell_answer(const struct described_answer *answer, struct buffer *out);
static void tell_refusals(const struct wording *words, struct buffer *out);
static void tell_tokens(const struct policy *policy, struct buffer *out);
static void tell_policy(const struct policy *policy, struct buffer *out);
static void tell_template(const struct template *template, struct buffer *out);

void dialect_tell(const struct dialect *dialect, struct buffer *out)
{
    buffer_addf(out, "%s%s%s\n", dialect->name, dialect->summary[0] != '\0' ? ": " : "",
                dialect->summary);
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        tell_endpoint(&dialect->endpoints[i], i > 0 ? &dialect->endpoints[i - 1] : NULL, out);
    }
    buffer_add_c(out, "\n");
    tell_tokens(&dialect->policy, out);
    tell_policy(&dialect->policy, out);
    if (dialect->issuer != NULL) {
        buffer_addf(out, "Its issuer is %s unless the realm has another.\n", dialect->issuer);
    }
    if (dialect->audience != NULL) {
        buffer_addf(out, "Its audience is %s unless the realm has another.\n", dialect->audience);
    }
}

/* ---- requests ---- */

const char *dialect_tell_role(enum described_role role)
{
    switch (role) {
    case DESCRIBED_REFRESH_TOKEN:
        return "the refresh token";
    case DESCRIBED_ACCESS_TOKEN:
        return "the access token";
    case DESCRIBED_USERNAME:
        return "the user name";
    case DESCRIBED_PASSWORD:
        return "the password";
    case DESCRIBED_SCOPE:
        return "the scope";
    case DESCRIBED_CLIENT_ID:
        return "the client's id";
    case DESCRIBED_CLIENT_SECRET:
        return "the client's secret";
    case DESCRIBED_APPLICATION_KEY:
        return "the application's key";
    }
    return "a value";
}

bool dialect_tell_is_secret(enum described_role role)
{
    return role != DESCRIBED_USERNAME && role != DESCRIBED_SCOPE && role != DESCRIBED_CLIENT_ID;
}

void dialect_tell_place(const struct described_place *place, struct buffer *out)
{
    switch (place->source) {
    case DESCRIBED_FORM:
        buffer_addf(out, "the field %s of the form", place->name);
        break;
    case DESCRIBED_QUERY:
        buffer_addf(out, "the parameter %s of the URL", place->name);
        break;
    case DESCRIBED_JSON:
        buffer_add_c(out, "the member ");
        for (size_t i = 0; place->path[i] != NULL; i++) {
            buffer_addf(out, "%s%s", i > 0 ? "/" : "", place->path[i]);
        }
        buffer_add_c(out, " of the JSON body");
        break;
    case DESCRIBED_HEADER:
        buffer_addf(out, "the header %s", place->name);
        break;
    case DESCRIBED_AUTHORIZATION:
        buffer_addf(out, "Authorization: %s", place->name);
        break;
    case DESCRIBED_COOKIE:
        buffer_add_c(out, "its cookie");
        break;
    case DESCRIBED_METHOD:
        buffer_add_c(out, "the method");
        break;
    }
}

static bool same_words(const struct wording *a, const struct wording *b)
{
    for (; a->status != 0 && b->status != 0; a++, b++) {
        if (a->about != b->about || a->behaviour != b->behaviour || a->body != b->body ||
            a->template != b->template || a->status != b->status) {
            return false;
        }
    }
    return a->status == b->status;
}

static void tell_endpoint(const struct endpoint *endpoint, const struct endpoint *before,
                          struct buffer *out)
{
    const struct described *described = endpoint->described;
    const struct described *last = before != NULL ? before->described : NULL;
    const struct wording *words = last != NULL ? last->requests[last->count - 1].words : NULL;
    struct text methods = {0};

    (void)dialect_methods(out->arena, endpoint->methods, &methods);
    buffer_addf(out, "\n%s: %.*s %s%s\n", endpoint->name, TEXT_ARGS(methods), endpoint->path,
                endpoint->path_loose ? ", with or without further slashes" : "");
    buffer_addf(out, "  %s.\n",
                endpoint->body == ENDPOINT_BODY_IGNORED ? "The body is not read"
                : endpoint->body == ENDPOINT_BODY_FORM  ? "The body is a form"
                : endpoint->body == ENDPOINT_BODY_JSON  ? "The body is JSON"
                                                        : "The body is JSON or a form");
    for (size_t i = 0; i < described->count; i++) {
        tell_request(&described->requests[i], out);
        if (words != NULL && same_words(words, described->requests[i].words)) {
            buffer_add_c(out, "  Refusals are answered as those before.\n");
        } else {
            tell_refusals(described->requests[i].words, out);
        }
        words = described->requests[i].words;
    }
}

static void tell_request(const struct described_request *request, struct buffer *out)
{
    bool login = request->operation == &operation_login;

    if (request->condition_count > 0) {
        buffer_addf(out, "  %s: where ", request->name);
        for (size_t i = 0; i < request->condition_count; i++) {
            const struct described_condition *condition = &request->conditions[i];

            buffer_add_c(out, i > 0 ? " and " : "");
            dialect_tell_place(&condition->place, out);
            for (size_t j = 0; j < condition->choice_count; j++) {
                buffer_addf(out, "%s%.*s", j > 0 ? " or " : " is ",
                            TEXT_ARGS(condition->choices[j]));
            }
            buffer_add_c(out, condition->optional            ? " or not there"
                              : condition->choice_count == 0 ? " is there"
                                                             : "");
        }
        buffer_add_c(out, "\n");
    }
    buffer_addf(out, "  %s\n",
                login                                      ? "A user logs in, and a session begins."
                : request->operation == &operation_refresh ? "A session is renewed."
                : request->everywhere                     ? "All sessions of the account are ended."
                : request->operation == &operation_logout ? "A session is ended."
                                                          : "A token is looked at.");
    if (request->silent) {
        buffer_add_c(out, "  A token of no live session is answered alike.\n");
    }
    tell_values(request, out);
    tell_answer(&request->answer, out);
}

static void tell_values(const struct described_request *request, struct buffer *out)
{
    for (size_t i = 0; i < request->value_count; i++) {
        const struct described_value *value = &request->values[i];

        buffer_addf(out, "  It reads %s from ", dialect_tell_role(value->role));
        for (size_t j = 0; j < value->place_count; j++) {
            buffer_add_c(out, j > 0 ? ", or else " : "");
            dialect_tell_place(&value->places[j], out);
        }
        buffer_add_c(out, value->optional ? ", if it is there.\n" : ".\n");
    }
    if (request->oauth_client) {
        buffer_add_c(out, "  The client proves itself as in RFC 6749.\n");
    }
    if (request->only_members) {
        buffer_add_c(out, "  Other members of the JSON body are refused.\n");
    }
    for (const char *const *name = request->not_in_url; name != NULL && *name != NULL; name++) {
        buffer_addf(out, "  %s in the URL is refused.\n", *name);
    }
}

/* ---- answers ---- */

/* What the names of templates mean; those of tokens are among them. */
static const char *meaning_of(struct text name)
{
    static const struct {
        const char *name;
        const char *meaning;
    } rows[] = {
        {"access_token", "the access token"},
        {"refresh_token", "the refresh token to use next"},
        {"new_refresh_token", "the next refresh token, where it is another one"},
        {"expires_in", "how long the access token is good, in seconds"},
        {"expires_in.ms", "how long the access token is good, in milliseconds"},
        {"expires_at", "when it expires, in seconds since 1970"},
        {"expires_at.ms", "when it expires, in milliseconds since 1970"},
        {"expires_at.iso", "when it expires, as 2026-11-26T18:00:00Z"},
        {"session_expires_in", "how long the session lasts, in seconds"},
        {"session_expires_at", "when the session expires, in seconds since 1970"},
        {"session_expires_at.ms", "when the session expires, in milliseconds since 1970"},
        {"session_expires_at.iso", "when the session expires, as 2026-11-26T18:00:00Z"},
        {"now", "now, in seconds since 1970"},
        {"now.ms", "now, in milliseconds since 1970"},
        {"now.iso", "now, as 2026-11-26T18:00:00Z"},
        {"now.date", "now, as 2026-11-26 18:00:00"},
        {"request_id", "the id of the request, which the log has"},
        {"issued_at", "when it was issued, in seconds since 1970"},
        {"issued_at.ms", "when it was issued, in milliseconds since 1970"},
        {"scope", "the scope, in words"},
        {"scope.list", "the scope, as an array"},
        {"roles", "the account's roles, in words"},
        {"roles.list", "the account's roles, as an array"},
        {"username", "the account's name"},
        {"subject", "the account's subject, else its name"},
        {"user_number", "the account's number"},
        {"issuer", "the realm's issuer"},
        {"audience", "the realm's audience"},
        {"client", "the client's id"},
        {"session", "the session's id, a UUID"},
        {"session.hex", "the session's id, without hyphens"},
        {"jti", "the token's own id, a UUID"},
        {"jti.hex", "the token's own id, without hyphens"},
        {"last_login", "the login before, in seconds since 1970"},
        {"last_login.iso", "the login before, as 2026-11-26T18:00:00Z"},
        {"last_login.date", "the login before, as 2026-11-26 18:00:00"},
        {"alg", "the key's algorithm"},
        {"kid", "the key's name"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (text_is(name, rows[i].name)) {
            return rows[i].meaning;
        }
    }
    return NULL;
}

static void tell_name(struct text name, struct buffer *out)
{
    struct text account = TEXT("account.");
    const char *meaning = meaning_of(name);

    if (meaning != NULL) {
        buffer_add_c(out, meaning);
    } else if (text_is(name, "account.*")) {
        buffer_add_c(out, "all other claims of the account");
    } else if (text_starts(name, account)) {
        buffer_addf(out, "the account's claim %.*s", TEXT_ARGS(text_from(name, account.size)));
    } else {
        buffer_addf(out, "%.*s", TEXT_ARGS(name));
    }
}

static void tell_leaf(const json_t *value, struct buffer *out)
{
    struct text text = text_of(json_string_value(value));
    struct json_out json = json_out_start(out, JSON_STYLE_PLAIN);

    if (text_starts(text, TEXT("${")) && text_find(text, '}') == text.size - 1) {
        tell_name(text_from(text_cut(text, text.size - 1), 2), out);
        return;
    }
    buffer_add_c(out, "always ");
    json_out_value(&json, value);
}

/* Each member on a line, those of inner objects by their path. */
static void tell_members(const json_t *object, struct text above, struct buffer *out)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        struct buffer path;
        struct text whole = {0};

        buffer_start(&path, out->arena, 64);
        buffer_add(&path, above);
        buffer_addf(&path, "%s%s", above.size > 0 ? "/" : "", name);
        (void)buffer_finish(&path, &whole);
        if (text_is(whole, "${account.*}")) {
            buffer_add_c(out, "    and all other claims of the account\n");
        } else if (json_object_size(value) > 0) {
            tell_members(value, whole, out);
        } else {
            buffer_addf(out, "    %.*s: ", TEXT_ARGS(whole));
            tell_leaf(value, out);
            buffer_add_c(out, "\n");
        }
    }
}

/* What its values mean stands where they would. */
static void tell_text(struct text source, struct buffer *out)
{
    for (size_t i = 0; i < source.size; i++) {
        struct text rest = text_from(source, i);
        size_t end = text_starts(rest, TEXT("${")) ? text_find(rest, '}') : rest.size;

        if (end == rest.size) {
            buffer_add_char(out, source.data[i]);
            continue;
        }
        buffer_add_c(out, "(");
        tell_name(text_from(text_cut(rest, end), 2), out);
        buffer_add_c(out, ")");
        i += end;
    }
}

static void tell_template(const struct template *template, struct buffer *out)
{
    const json_t *outline = template_outline(template);

    if (json_object_size(outline) > 0) {
        tell_members(outline, (struct text){0}, out);
    } else {
        buffer_add_c(out, "    ");
        tell_text(template_source(template), out);
        buffer_add_c(out, "\n");
    }
}

static void tell_cookie(const struct described_answer *answer, const char *name, struct buffer *out)
{
    if (name != NULL) {
        buffer_addf(out, "    and the cookie %s is %s\n", name,
                    answer->cookies == DESCRIBED_COOKIES_SET ? "set" : "cleared");
    }
}

static void tell_answer(const struct described_answer *answer, struct buffer *out)
{
    buffer_addf(out, "  It answers %d%s%s%s\n", answer->status, answer->body != NULL ? ", " : "",
                answer->body != NULL ? answer->media_type : "",
                answer->body != NULL ? ":" : ", without a body.");
    if (answer->body != NULL) {
        tell_template(answer->body, out);
    }
    tell_cookie(answer, answer->cookie_names.access, out);
    tell_cookie(answer, answer->cookie_names.refresh, out);
    for (size_t i = 0; i < answer->header_count; i++) {
        buffer_addf(out, "    header %s: ", answer->headers[i].name);
        tell_text(template_source(answer->headers[i].value), out);
        buffer_add_c(out, "\n");
    }
}

static const char *about_words(int about)
{
    static const char *const classes[OUTCOME_CLASSES] = {
        [OUTCOME_CLASS_REQUEST] = "the request cannot be understood",
        [OUTCOME_CLASS_CLIENT] = "it is not known who asks",
        [OUTCOME_CLASS_TOKEN] = "token, session or account are not good",
        [OUTCOME_CLASS_HERE] = "something broke here",
    };

    return about >= OUTCOME_COUNT ? classes[about - (int)OUTCOME_COUNT]
                                  : outcome_meaning((enum outcome)about);
}

/* Is there a row before it that always counts first? */
static bool is_hidden(const struct wording *words, const struct wording *row)
{
    for (const struct wording *first = words; first < row; first++) {
        if (first->about == row->about &&
            (first->behaviour == WORDS_ALWAYS || first->behaviour == row->behaviour)) {
            return true;
        }
    }
    return false;
}

/* In the order in which they count: single outcomes before their class. */
static void tell_refusals(const struct wording *words, struct buffer *out)
{
    buffer_add_c(out, "  Refusals, of which the first that fits counts:\n");
    for (const struct wording *row = words; row->status != 0; row++) {
        struct text body =
            row->template != NULL ? template_source(row->template) : text_of(row->body);
        bool outcome = row->about < OUTCOME_COUNT;

        if (is_hidden(words, row)) {
            continue;
        }
        buffer_addf(out, "    %s%s%s%s: %d%s%.*s\n",
                    outcome ? outcome_word((enum outcome)row->about) : "", outcome ? ", " : "",
                    about_words(row->about),
                    row->behaviour == WORDS_DOCUMENTED ? " (behaviour = documented)"
                    : row->behaviour == WORDS_DEPLOYED ? " (behaviour = deployed)"
                                                       : "",
                    row->status, body.size > 0 ? " " : ", without a body", TEXT_ARGS(body));
        if (row->header != NULL) {
            buffer_addf(out, "      with %s: %s\n", row->header, row->value);
        }
    }
}

/* ---- tokens and policy ---- */

static void tell_tokens(const struct policy *policy, struct buffer *out)
{
    const struct layout *layout = policy->layout;
    char spelled[32];

    config_duration_format(policy->access_lifetime_ms, spelled);
    buffer_addf(out, "Access tokens are JWTs signed with %s, good for %s. Their header:\n",
                signing_algorithm_name(policy->algorithm), spelled);
    for (size_t i = 0; i < LAYOUT_HEADER_MAX && layout->header[i].name != NULL; i++) {
        buffer_addf(out, "    %s: %s%s\n", layout->header[i].name,
                    layout->header[i].value != NULL ? "always " : "",
                    layout->header[i].value != NULL ? layout->header[i].value
                                                    : meaning_of(text_of(layout->header[i].name)));
    }
    buffer_add_c(out, "  and their payload:\n");
    tell_template(layout->access_template, out);
    if (layout->refresh_template != NULL && policy->format == REFRESH_FORMAT_JWT) {
        buffer_add_c(out, "Refresh tokens are JWTs, too, with the payload:\n");
        tell_template(layout->refresh_template, out);
    } else if (policy->by_access_token) {
        buffer_add_c(out, "An access token renews its session; there are no refresh tokens.\n");
    } else {
        buffer_addf(out, "Refresh tokens are %s.\n",
                    policy->format == REFRESH_FORMAT_UUID ? "UUIDs" : "opaque texts");
    }
}

static void tell_policy(const struct policy *policy, struct buffer *out)
{
    char window[32], idle[32], absolute[32];

    config_duration_format(policy->concurrency_window_ms, window);
    config_duration_format(policy->idle_lifetime_ms, idle);
    config_duration_format(policy->absolute_lifetime_ms, absolute);
    if (policy->by_access_token) {
        buffer_add_c(out, "An access token stays good when its session is renewed.\n");
    } else if (policy->rotate) {
        buffer_addf(out,
                    "Each refresh replaces the refresh token; the old one gets the same answer for "
                    "%s more, and %s after that.\n",
                    window, policy->report_only ? "is reported" : "ends its session");
    } else {
        buffer_add_c(out, "A session keeps its refresh token.\n");
    }
    if (policy->idle_lifetime_ms > 0) {
        buffer_addf(out, "A session ends %s after its last refresh.\n", idle);
    }
    if (policy->absolute_lifetime_ms > 0) {
        buffer_addf(out, "A session ends %s after it began.\n", absolute);
    }
}
