/* SPDX-License-Identifier: ISC */
/* tell_answer.c: what a described dialect answers, in sentences: grants, refusals and
 * complaints. Knows what the names of templates mean. */
#include "admin/dialect/tell_parts.h"

#include <string.h>

/* What the names of templates mean; those of tokens are among them. */
const char *dialect_tell_meaning(struct text name)
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
        {"expires_at.iso.ms", "when it expires, as 2026-11-26T18:00:00.000Z"},
        {"session_expires_in", "how long the session lasts, in seconds"},
        {"session_expires_at", "when the session expires, in seconds since 1970"},
        {"session_expires_at.ms", "when the session expires, in milliseconds since 1970"},
        {"session_expires_at.iso", "when the session expires, as 2026-11-26T18:00:00Z"},
        {"session_expires_at.iso.ms", "when the session expires, as 2026-11-26T18:00:00.000Z"},
        {"now", "now, in seconds since 1970"},
        {"now.ms", "now, in milliseconds since 1970"},
        {"now.iso", "now, as 2026-11-26T18:00:00Z"},
        {"now.date", "now, as 2026-11-26 18:00:00"},
        {"request_id", "the id of the request, which the log has"},
        {"now.iso.ms", "now, as 2026-11-26T18:00:00.000Z"},
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
        {"last_login.iso.ms", "the login before, as 2026-11-26T18:00:00.000Z"},
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
    struct text account = TEXT("account."), token = TEXT("token.");
    const char *meaning = dialect_tell_meaning(name);

    if (meaning != NULL) {
        buffer_add_c(out, meaning);
    } else if (text_is(name, "account.*")) {
        buffer_add_c(out, "all other claims of the account");
    } else if (text_starts(name, account)) {
        buffer_addf(out, "the account's claim %.*s", TEXT_ARGS(text_from(name, account.size)));
    } else {
        buffer_addf(out, "the claim %.*s of the token that is shown",
                    TEXT_ARGS(text_from(name, token.size)));
    }
}

static void tell_text(struct text source, struct buffer *out);

static void tell_leaf(const json_t *value, struct buffer *out)
{
    struct text text = text_of(json_string_value(value));
    struct json_out json = json_out_start(out, JSON_STYLE_PLAIN);

    if (text_starts(text, TEXT("${")) && text_find(text, '}') == text.size - 1) {
        tell_name(text_from(text_cut(text, text.size - 1), 2), out);
    } else if (json_is_string(value) && strstr(text.data, "${") != NULL) {
        tell_text(text, out);
    } else {
        buffer_add_c(out, "always ");
        json_out_value(&json, value);
    }
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

void dialect_tell_template(const struct template *template, struct buffer *out)
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

void dialect_tell_style(unsigned style, struct buffer *out)
{
    if (style != JSON_STYLE_PLAIN) {
        buffer_addf(out, "    in which %s%s%s\n",
                    (style & JSON_STYLE_ESCAPE_SLASH) != 0 ? "a slash is \\/" : "",
                    style == (JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII) ? ", and " : "",
                    (style & JSON_STYLE_ASCII) != 0 ? "what is not ASCII is \\u and its number"
                                                    : "");
    }
}

static void tell_cookie(const struct described_answer *answer, const char *name, struct buffer *out)
{
    if (name != NULL) {
        buffer_addf(out, "    and the cookie %s is %s\n", name,
                    answer->cookies == DESCRIBED_COOKIES_SET ? "set" : "cleared");
    }
}

void dialect_tell_answer(const struct described_answer *answer, struct buffer *out)
{
    buffer_addf(out, "  It answers %d%s%s%s\n", answer->status, answer->body != NULL ? ", " : "",
                answer->body != NULL ? answer->media_type : "",
                answer->body != NULL ? ":" : ", without a body.");
    if (answer->body != NULL) {
        dialect_tell_template(answer->body, out);
        dialect_tell_style(template_style(answer->body), out);
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
void dialect_tell_refusals(const struct wording *words, struct buffer *out)
{
    buffer_add_c(out, "  Refusals, of which the first that fits counts:\n");
    for (const struct wording *row = words; row->status != 0; row++) {
        struct text body =
            row->template != NULL ? template_source(row->template) : text_of(row->body);
        bool outcome = row->about < OUTCOME_COUNT;

        if (is_hidden(words, row)) {
            continue;
        }
        buffer_addf(out, "    %s%s%s%s: %d%s%.*s%s%s\n",
                    outcome ? outcome_word((enum outcome)row->about) : "", outcome ? ", " : "",
                    about_words(row->about),
                    row->behaviour == WORDS_DOCUMENTED ? " (behaviour = documented)"
                    : row->behaviour == WORDS_DEPLOYED ? " (behaviour = deployed)"
                                                       : "",
                    row->status, body.size > 0 ? " " : ", without a body", TEXT_ARGS(body),
                    body.size > 0 && !http_media_is(text_of(row->media_type), "application/json")
                        ? " as "
                        : "",
                    body.size > 0 && !http_media_is(text_of(row->media_type), "application/json")
                        ? row->media_type
                        : "");
        if (row->header != NULL) {
            buffer_addf(out, "      with %s: %s\n", row->header, row->value);
        }
    }
}

/* ---- complaints ---- */

void dialect_tell_complaints(const struct described_complaint *rows, struct buffer *out)
{
    static const char *const states[] = {
        [DESCRIBED_GOOD] = "",
        [DESCRIBED_ABSENT] = " that is not there",
        [DESCRIBED_NULL] = " that is null",
        [DESCRIBED_EMPTY] = " that is empty",
        [DESCRIBED_OTHER] = " of another type",
        [DESCRIBED_REPEATED] = " that is there twice",
        [DESCRIBED_MEMBERS] = ", where other members are there",
        [DESCRIBED_ANY_STATE] = " that is not good",
    };

    for (; rows != NULL && rows->json != NULL; rows++) {
        buffer_addf(out, "  ${complaints} says of %s%s: %s\n",
                    rows->label != NULL ? rows->label : "any value", states[rows->state],
                    rows->json);
    }
}
