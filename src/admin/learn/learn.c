/* SPDX-License-Identifier: ISC */
/* learn.c: see learn.h. First the tokens are found in answer and request (side.c), then each
 * section is written from them. */
#include "admin/learn/learn.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/dialect/replay.h"
#include "admin/learn/flow.h"
#include "admin/learn/side.h"
#include "model/signing.h"
#include "process/config.h"

static void write_dialect(struct learning *learning);
static bool write_tokens(struct learning *learning);
static void write_claims(struct learning *learning);

bool learn_dialect(struct learn_input *input, struct arena *arena, struct buffer *out,
                   struct fault *fault)
{
    struct learning learning = {.arena = arena, .fault = fault, .input = input, .out = out};
    struct text unsaid = buffer_text(&input->unsaid);

    learning.names = &input->names;
    if (input->granted[LEARN_REFRESH]->entry == 0) {
        learn_flow_alone(input->granted[LEARN_REFRESH], arena, &input->names);
    }
    for (enum learn_what i = LEARN_REFRESH; i < LEARN_WHATS; i++) {
        if (input->granted[i] == NULL) {
            continue;
        } else if (!learn_side_read(&learning, input->granted[i], i, &learning.sides[i])) {
            return false;
        }
        if (learning.refresh_cookie == NULL) {
            learning.refresh_cookie = learn_side_cookie(&learning, learning.sides[i], true);
        }
        if (learning.access_cookie == NULL) {
            learning.access_cookie = learn_side_cookie(&learning, learning.sides[i], false);
        }
    }
    learn_side_facts(&learning);
    buffer_add_c(out,
                 "# Proposed by `retoken dialect learn`. What is marked as guessed wants to be "
                 "looked at.\n");
    while (unsaid.size > 0) {
        struct text line = text_split(&unsaid, '\n');

        buffer_addf(out, "# cannot be said: %.*s\n", TEXT_ARGS(line));
    }
    buffer_add_c(out, "\n");
    write_dialect(&learning);
    if (!write_tokens(&learning) || !learn_endpoints(&learning) || !learn_refusals(&learning)) {
        return false;
    }
    write_claims(&learning);
    return !out->failed;
}

/* Those that the templates name, once each. */
static void write_claims(struct learning *learning)
{
    struct text place = TEXT("${account."), rest = buffer_text(learning->out), said = {0};
    struct buffer names;

    buffer_start(&names, learning->arena, 128);
    for (; rest.size > 0; rest = text_from(rest, 1)) {
        struct text name = text_from(rest, place.size);

        if (!text_starts(rest, place)) {
            continue;
        }
        name = text_cut(name, text_find(name, '}'));
        name.size -= text_ends(name, TEXT("?"));
        if (!text_has_word(buffer_text(&names), name)) {
            buffer_addf(&names, "%s%.*s", names.size > 0 ? " " : "", TEXT_ARGS(name));
        }
    }
    if (buffer_finish(&names, &said) && said.size > 0) {
        buffer_addf(
            learning->out,
            "\n# Claims that accounts want (retoken account add --claim, or import): %.*s\n",
            TEXT_ARGS(said));
    }
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
    const struct learn_values *values = &learning->sides[LEARN_REFRESH]->values;

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
    const struct learn_input *input = learning->input;
    struct text token = learning->sides[LEARN_REFRESH]->refresh->value;
    size_t hyphens = 0;

    for (size_t i = 0; i < token.size; i++) {
        hyphens += token.data[i] == '-';
    }
    if (learning->refresh_payload.size > 0 && learning->rotates) {
        learn_cannot_say(learning, input->granted[LEARN_REFRESH],
                         "refresh tokens are JWTs that are replaced; a session gets one that is a "
                         "JWT, so here they are opaque");
    } else if (learning->refresh_payload.size > 0) {
        buffer_add_c(learning->out, "format = jwt\n");
    } else if (token.size == 36 && hyphens == 4) {
        buffer_add_c(learning->out, "format = uuid\n");
    }
    if (input->refreshes > 1) {
        buffer_addf(learning->out,
                    "# recorded: %zu refreshes, of which %zu brought another refresh "
                    "token\n",
                    input->refreshes, input->rotations);
    } else if (!learning->rotates) {
        learn_guess(learning->out, "the refresh token stays, because the answer has no other one");
    }
    buffer_addf(learning->out, "rotation = %s\n", learning->rotates ? "on" : "off");
}

/* What the realm's settings of cookies have to be for them to be made alike. */
static void write_attributes(struct learning *learning, struct text attributes)
{
    static const char *const rows[][2] = {
        {"path", "cookie-path"}, {"domain", "cookie-domain"}, {"samesite", "cookie-same-site"}};
    struct buffer *out = learning->out;

    while (attributes.size > 0) {
        struct text value = text_trim(text_split(&attributes, ';'));
        struct text name = text_split(&value, '=');

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            if (text_equal_ignore_case(name, text_of(rows[i][0])) && text_is_visible_ascii(value) &&
                !learn_has_own_path(value)) {
                buffer_addf(out, "# for the realm: %s = ", rows[i][1]);
                for (size_t j = 0; j < value.size; j++) {
                    buffer_add_char(out, i > 0 ? (char)tolower((unsigned char)value.data[j])
                                               : value.data[j]);
                }
                buffer_add_c(out, "\n");
            }
        }
    }
}

/* `name` NULL: there is none. */
static void write_cookie(struct learning *learning, const char *line, const char *name)
{
    struct text shown = text_of(name), host = TEXT("__Host-");
    bool prefixed = text_starts(shown, host);
    bool written = name == NULL;

    learn_setting(learning, line, prefixed ? text_from(shown, host.size) : shown);
    if (prefixed) {
        buffer_add_c(learning->out, "# for the realm: cookie-prefix = host\n");
    }
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        const struct learn_side *side = learning->sides[i];

        for (size_t j = 0; side != NULL && !written && j < side->exchange->answer.is.header_count;
             j++) {
            struct http_set_cookie cookie;

            if (http_recording_cookie(&side->exchange->answer.is.headers[j], &cookie) &&
                text_equal(cookie.name, shown)) {
                write_attributes(learning, cookie.attributes);
                written = true;
            }
        }
    }
}

static void write_type(struct learning *learning)
{
    const struct http_request *answer = &learning->sides[LEARN_REFRESH]->exchange->answer.is;
    struct text type = answer->content_type;

    if (answer->body.size > 0 && type.size > 0 && !http_media_is_json(type) &&
        learning->sides[LEARN_REFRESH]->is_object) {
        learn_cannot_say(learning, learning->input->granted[LEARN_REFRESH],
                         "the answer is JSON of another media type, but values have places in JSON "
                         "and text/plain only; here it is application/json");
    } else if (type.size > 0 && !text_is(type, "application/json")) {
        learn_setting(learning, "type", type);
    }
}

static void write_dialect(struct learning *learning)
{
    struct buffer *out = learning->out;
    const struct learn_exchange *exchange = learning->sides[LEARN_REFRESH]->exchange;
    struct text host = exchange->request.authority;
    const char *style = learn_template_style(exchange->answer.is.body);

    buffer_add_c(out, "[dialect]\n");
    if (host.size == 0) {
        (void)http_header(&exchange->request.is, "host", &host);
    }
    buffer_addf(out, "summary = %s%.*s\n", host.size > 0 ? "as " : "learnt from a recording",
                TEXT_ARGS(text_is_visible_ascii(host) ? text_cut(host, 120) : (struct text){0}));
    if (style != NULL) {
        buffer_addf(out, "json-style = %s\n", style);
    }
    write_type(learning);
    if (learning->facts.issuer.size > 0) {
        buffer_add_c(out, "# for the realm as well, where [retoken] has another issuer:\n");
    }
    learn_setting(learning, "issuer", learning->facts.issuer);
    learn_setting(learning, "audience", learning->facts.audience);
    write_cookie(learning, "refresh-cookie", learning->refresh_cookie);
    write_cookie(learning, "access-cookie", learning->access_cookie);
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

    return value.size > 0 && (trimmed.size < value.size || marked ||
                              memmem(value.data, value.size, " ;", 2) != NULL ||
                              memmem(value.data, value.size, "\t;", 2) != NULL);
}

static const char *quote_of(struct text line)
{
    return !wants_quotes(line) ? "" : text_find(line, '\'') == line.size ? "'" : "\"";
}

bool learn_can_be_set(struct text value)
{
    enum { LONG = 16 * 1024 };
    bool whole = value.size <= LONG && text_find(value, '\r') == value.size;

    while (value.size > 0) {
        struct text line = text_split(&value, '\n');

        whole = whole && text_is_printable(line) &&
                (quote_of(line)[0] != '"' || text_find(line, '"') == line.size);
    }
    return whole;
}

/* One line for each of the value's; nothing for an empty one. */
void learn_setting(struct learning *learning, const char *name, struct text value)
{
    bool more = value.size > 0;

    if (!learn_can_be_set(value)) {
        fault_set(
            learning->fault,
            "%s: it is too long, or has control characters or quotation marks of both kinds in a "
            "line, and cannot be written down",
            name);
        learning->out->failed = true;
    }
    while (more) {
        size_t end = text_find(value, '\n');
        struct text line = text_cut(value, end);
        const char *quote = quote_of(line);

        buffer_addf(learning->out, "%s = %s%.*s%s\n", name, quote, TEXT_ARGS(line), quote);
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

/* That of another access token: of the login, or of the refresh before. NULL: there is none. */
static const struct learn_values *other_payload(struct learning *learning)
{
    const struct learn_input *input = learning->input;
    struct learn_values *values = arena_alloc(learning->arena, sizeof *values);
    struct learn_side *side = learning->sides[LEARN_LOGIN];
    struct text header, payload;

    if (side == NULL && input->earlier != NULL) {
        (void)learn_side_look(learning, input->earlier, LEARN_REFRESH, &side);
    }
    bool found = side != NULL && values != NULL &&
                 !text_equal(side->access.value, learning->facts.access) &&
                 dialect_replay_jwt(side->access.value, learning->arena, &header, &payload) &&
                 learn_values_read(learning->arena, payload, values, NULL);
    return found ? values : NULL;
}

static bool write_payload(struct learning *learning, struct text payload, bool refresh)
{
    struct learn_values *values = arena_alloc(learning->arena, sizeof *values);
    struct learn_facts facts = learning->facts;
    struct learn_said said;
    struct text template = {0}, guesses = {0}, unsaid = {0};
    const json_t *claims = json_in_object(learning->arena, payload, NULL);

    facts.other = refresh ? NULL : other_payload(learning);
    if (refresh) {
        facts.issued_at_s = learn_integer(claims, "iat");
        facts.expires_at_s = learn_integer(claims, "exp");
    }
    if (values == NULL || !learn_values_read(learning->arena, payload, values, learning->fault) ||
        !learn_template_payload(values, &facts, refresh, learning->arena, &said, &template) ||
        !buffer_finish(&said.guesses, &guesses) || !buffer_finish(&said.unsaid, &unsaid)) {
        fault_prefix(learning->fault, "the payload of a JWT");
        return false;
    }
    buffer_add(learning->out, guesses);
    learn_setting(learning, "payload", template);
    if (!refresh) {
        learning->facts.names_session =
            memmem(template.data, template.size, "\"${session}\"", 12) != NULL;
    }
    return true;
}

static bool write_tokens(struct learning *learning)
{
    struct buffer *out = learning->out;
    const char *style = learn_template_style(learning->payload);

    learning->facts.names_session = true; /* the usual ones do */
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
