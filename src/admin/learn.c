/* SPDX-License-Identifier: ISC */
/* learn.c: see learn.h. First the tokens are found in answer and request (learn_side.c), then each
 * section is written from them. */
#include "admin/learn.h"

#include <stdarg.h>
#include <stdio.h>

#include "admin/learn_side.h"
#include "model/signing.h"
#include "process/config.h"

static void write_dialect(struct learning *learning);
static bool write_tokens(struct learning *learning);
static bool write_refusals(struct learning *learning);

bool learn_dialect(const struct learn_input *input, struct arena *arena, struct buffer *out,
                   struct fault *fault)
{
    struct learning learning = {.arena = arena, .fault = fault, .input = input, .out = out};

    if (!learn_side_read(&learning, input->refresh, false, &learning.refresh) ||
        (input->login != NULL &&
         !learn_side_read(&learning, input->login, true, &learning.login))) {
        return false;
    }
    learn_side_facts(&learning);
    buffer_add_c(out,
                 "# Proposed by `retoken dialect learn`. What is marked as guessed wants to be "
                 "looked at.\n\n");
    write_dialect(&learning);
    return write_tokens(&learning) && learn_endpoints(&learning) && write_refusals(&learning) &&
           !out->failed;
}

/* ---- [dialect] ---- */

void learn_guess(struct buffer *out, const char *format, ...)
{
    char line[300];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_addf(out, "# guessed: %s\n", line);
}

/* The number that tells how long an access token lasts, where it is no JWT. */
static int64_t told_lifetime_ms(const struct learning *learning)
{
    const struct learn_values *values = &learning->refresh->values;

    for (size_t i = 0; i < values->count; i++) {
        const struct learn_value *value = &values->rows[i];
        uint64_t number = 0;

        if (learn_name_has(value->name, "expir") && !learn_name_has(value->name, "refresh") &&
            text_to_u64(value->text, 1000 * 1000 * 1000, &number) && number > 0) {
            return (int64_t)number >= 1000 * 1000 && number % 1000 == 0 ? (int64_t)number
                                                                        : (int64_t)number * 1000;
        }
    }
    return 0;
}

static void write_lifetime(struct learning *learning)
{
    const struct learn_facts *facts = &learning->facts;
    bool jwt = facts->issued_at_s > 0 && facts->expires_at_s > facts->issued_at_s;
    int64_t ms =
        jwt ? (facts->expires_at_s - facts->issued_at_s) * 1000 : told_lifetime_ms(learning);
    char spelled[32];

    if (ms > 0) {
        config_duration_format(ms, spelled);
        buffer_addf(learning->out, "access-lifetime = %s\n", spelled);
    } else {
        learn_guess(learning->out, "the recording does not tell how long access tokens last");
        buffer_add_c(learning->out, "access-lifetime = 1h\n");
    }
}

static void write_algorithm(struct learning *learning)
{
    const json_t *header = json_in_object(learning->arena, learning->header, NULL);
    enum signing_algorithm algorithm = SIGNING_RS256;
    struct text name = {0};

    (void)json_in_text(header, "alg", &name);
    if (signing_algorithm_parse(name, &algorithm) && signing_algorithm_is_ours(algorithm)) {
        buffer_addf(learning->out, "algorithm = %s\n", signing_algorithm_name(algorithm));
    } else {
        learn_guess(learning->out,
                    "access tokens were no JWTs of an algorithm that Retoken signs with");
        buffer_add_c(learning->out, "algorithm = RS256\n");
    }
}

/* A JWT that goes on is one; one that changes is not, because a session gets one. */
static void write_format(struct learning *learning)
{
    struct text token = learning->refresh->refresh->value;
    size_t hyphens = 0;

    for (size_t i = 0; i < token.size; i++) {
        hyphens += token.data[i] == '-';
    }
    if (learning->refresh_payload.size > 0 && learning->rotates) {
        learn_guess(learning->out,
                    "refresh tokens were JWTs; those that are replaced are opaque here");
    } else if (learning->refresh_payload.size > 0) {
        buffer_add_c(learning->out, "format = jwt\n");
    } else if (token.size == 36 && hyphens == 4) {
        buffer_add_c(learning->out, "format = uuid\n");
    }
    if (learning->rotates) {
        buffer_add_c(learning->out, "rotation = on\n");
    } else {
        learn_guess(learning->out, "the refresh token stays, because the answer has no other one");
        buffer_add_c(learning->out, "rotation = off\n");
    }
}

static void write_dialect(struct learning *learning)
{
    struct buffer *out = learning->out;
    const struct learn_exchange *exchange = learning->refresh->exchange;
    struct text type = exchange->answer.is.content_type;
    struct text host = {0};
    const char *style = learn_template_style(exchange->answer.is.body);
    const struct learn_side *side = learning->refresh;

    buffer_add_c(out, "[dialect]\n");
    host = exchange->request.authority;
    if (host.size == 0) {
        (void)http_header(&exchange->request.is, "host", &host);
    }
    buffer_addf(out, "summary = %s%.*s\n", host.size > 0 ? "as " : "learnt from a recording",
                TEXT_ARGS(text_is_visible_ascii(host) ? text_cut(host, 120) : (struct text){0}));
    if (style != NULL) {
        buffer_addf(out, "json-style = %s\n", style);
    }
    struct text media = text_trim(text_cut(type, text_find(type, ';')));
    if (exchange->answer.is.body.size > 0 && media.size > 0 &&
        !text_equal_ignore_case(media, TEXT("application/json")) &&
        !text_ends(media, TEXT("+json"))) {
        learn_guess(out, "answers were %.*s; with values in them they are application/json here",
                    TEXT_ARGS(text_cut(type, 80)));
    } else if (type.size > 0 && !text_is(type, "application/json")) {
        learn_setting(learning, "type", type);
    }
    learn_setting(learning, "issuer", learning->facts.issuer);
    learn_setting(learning, "audience", learning->facts.audience);
    if (side->refresh->source == DESCRIBED_COOKIE) {
        learn_setting(learning, "refresh-cookie", side->refresh->name);
    } else if (side->next.where == FOUND_COOKIE) {
        learn_setting(learning, "refresh-cookie", side->next.name);
    }
    if (side->access.where == FOUND_COOKIE) {
        learn_setting(learning, "access-cookie", side->access.name);
    }
    write_format(learning);
    write_lifetime(learning);
    learn_guess(out, "how long sessions last is in no recording");
    buffer_add_c(out, "idle-lifetime = 30d\nabsolute-lifetime = 365d\n");
    write_algorithm(learning);
}

/* ---- lines ---- */

static bool wants_quotes(struct text value)
{
    struct text trimmed = text_trim(value);
    bool marked = value.size > 0 && (memchr("\"'(", value.data[0], 3) != NULL ||
                                     text_ends(value, TEXT("\"")) || text_ends(value, TEXT("'")));

    return trimmed.size < value.size || marked || memmem(value.data, value.size, " ;", 2) != NULL ||
           memmem(value.data, value.size, "\t;", 2) != NULL;
}

/* One line for each of the value's; nothing for an empty one. */
void learn_setting(struct learning *learning, const char *name, struct text value)
{
    struct buffer *out = learning->out;
    bool more = value.size > 0;

    while (more) {
        size_t end = text_find(value, '\n');
        struct text line = text_cut(value, end);
        const char *quote = !wants_quotes(line)                  ? ""
                            : text_find(line, '\'') == line.size ? "'"
                                                                 : "\"";

        if (quote[0] == '"' && text_find(line, '"') < line.size) {
            fault_set(learning->fault,
                      "%s: a line with quotation marks of both kinds cannot be written down", name);
            out->failed = true;
        }
        buffer_addf(out, "%s = %s%.*s%s\n", name, quote, TEXT_ARGS(line), quote);
        more = end < value.size;
        value = text_from(value, end + 1);
    }
}

/* ---- tokens ---- */

static bool write_header(struct learning *learning)
{
    const json_t *header = json_in_object(learning->arena, learning->header, NULL);
    struct buffer line;
    struct json_out out = json_out_start(&line, JSON_STYLE_PLAIN);
    struct text whole = {0};
    const char *name;
    json_t *value;
    bool fits = json_object_size(header) <= LAYOUT_HEADER_MAX;

    buffer_start(&line, learning->arena, 128);
    json_out_open(&out);
    json_object_foreach((json_t *)(uintptr_t)header, name, value)
    {
        bool alg = text_is(TEXT("alg"), name), kid = text_is(TEXT("kid"), name);

        fits = fits && json_is_string(value);
        json_out_member(&out, name,
                        alg   ? TEXT("${alg}")
                        : kid ? TEXT("${kid}")
                              : text_of(json_string_value(value)));
    }
    json_out_close(&out);
    if (!fits) {
        learn_guess(learning->out,
                    "the header of the JWT had more than %d members, or others than texts",
                    LAYOUT_HEADER_MAX);
    } else if (buffer_finish(&line, &whole)) {
        learn_setting(learning, "header", whole);
    }
    return true;
}

static bool write_payload(struct learning *learning, struct text payload, bool refresh)
{
    struct learn_values *values = arena_alloc(learning->arena, sizeof *values);
    struct learn_facts facts = learning->facts;
    struct buffer guesses;
    struct text template = {0}, said = {0};
    const json_t *claims = json_in_object(learning->arena, payload, NULL);

    buffer_start(&guesses, learning->arena, 256);
    if (refresh) {
        facts.issued_at_s = learn_integer(claims, "iat");
        facts.expires_at_s = learn_integer(claims, "exp");
    }
    if (values == NULL || !learn_values_read(learning->arena, payload, values, learning->fault) ||
        !learn_template_payload(values, &facts, refresh, learning->arena, &guesses, &template) ||
        !buffer_finish(&guesses, &said)) {
        fault_prefix(learning->fault, "the payload of a JWT");
        return false;
    }
    buffer_add(learning->out, said);
    learn_setting(learning, "payload", template);
    return true;
}

static bool write_tokens(struct learning *learning)
{
    struct buffer *out = learning->out;
    const char *style = learn_template_style(learning->payload);

    if (learning->payload.size > 0) {
        buffer_add_c(out, "\n[access-token]\n");
        if (style != NULL) {
            buffer_addf(out, "json-style = %s\n", style);
        }
        if (!write_header(learning) || !write_payload(learning, learning->payload, false)) {
            return false;
        }
    }
    if (learning->refresh_payload.size > 0 && !learning->rotates) {
        buffer_add_c(out, "\n[refresh-token]\n");
        return write_payload(learning, learning->refresh_payload, true);
    }
    return true;
}

/* ---- refusals ---- */

static bool write_refusals(struct learning *learning)
{
    static const struct {
        const char *word;
        int status;
        const char *error;
    } rows[] = {{"request", 400, "invalid_request"},
                {"client", 401, "unauthorized"},
                {"token", 401, "invalid_grant"},
                {"here", 503, "unavailable"}};
    const struct http_recording *refusal = learning->input->refusal;
    struct buffer *out = learning->out;

    buffer_add_c(out, "\n[refusals]\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i == 2 && refusal != NULL) {
            struct text body = {0}, challenge = {0}, whole = {0};
            struct text type = refusal->is.content_type;
            struct buffer line;

            buffer_start(&line, learning->arena, 256);
            (void)learn_template_escape(learning->arena, refusal->is.body, &body);
            buffer_addf(&line, "%d%s%.*s", refusal->status, body.size > 0 ? " " : "",
                        TEXT_ARGS(body));
            (void)buffer_finish(&line, &whole);
            learn_setting(learning, "token", whole);
            if (type.size > 0 &&
                !text_equal(type, learning->refresh->exchange->answer.is.content_type)) {
                learn_setting(learning, "token.type", type);
            }
            if (http_header(&refusal->is, "www-authenticate", &challenge) == HTTP_ONE) {
                learn_setting(learning, "token.header.WWW-Authenticate", challenge);
            }
            continue;
        }
        learn_guess(out, "no refusal of this kind was recorded");
        buffer_addf(out, "%s = %d {\"error\":\"%s\"}\n", rows[i].word, rows[i].status,
                    rows[i].error);
    }
    return true;
}
