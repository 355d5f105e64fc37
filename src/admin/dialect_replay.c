/* SPDX-License-Identifier: ISC */
/* dialect_replay.c: see dialect_replay.h. */
#include "admin/dialect_replay.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/dialect_found.h"
#include "base/codec.h"

struct comparison {
    struct dialect_play *play;
    const struct http_recording *answer;
    struct arena *arena;
    struct buffer *out;
    size_t *count;
};

static bool choose_refusal(struct comparison *comparison, struct fault *fault);
static void compare(struct comparison *comparison);
static void compare_jwt(struct comparison *comparison);

bool dialect_replay(const struct dialect *dialect, const struct http_recording *request,
                    const struct http_recording *answer, struct arena *arena, struct buffer *out,
                    size_t *count, struct fault *fault)
{
    struct dialect_play *play = arena_alloc(arena, sizeof *play);
    struct comparison comparison = {play, answer, arena, out, count};
    enum outcome outcome;

    if (play == NULL) {
        fault_set(fault, "out of memory");
        return false;
    } else if (!dialect_play_read(play, dialect, request, arena, fault)) {
        return false;
    } else if (answer->status >= 400) {
        if (!choose_refusal(&comparison, fault)) {
            return false;
        }
        compare(&comparison);
        return true;
    } else if (!play->understood) {
        buffer_addf(out, "  the request is not understood: outcome=%s, %s\n",
                    outcome_word(play->outcome), outcome_meaning(play->outcome));
        ++*count;
        return true;
    }
    outcome = dialect_found_answer(answer, &play->request) ? OUTCOME_ROTATED : OUTCOME_RENEWED;
    if (!dialect_play_answer(play, outcome, fault)) {
        return false;
    }
    compare(&comparison);
    compare_jwt(&comparison);
    return true;
}

/* ---- comparing ---- */

/* The outcome that is answered like the recording, if there is one; else a token that is no good.
 */
static bool choose_refusal(struct comparison *comparison, struct fault *fault)
{
    struct dialect_play *play = comparison->play;

    for (int i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;

        if (outcome_is_grant(outcome)) {
            continue;
        } else if (!dialect_play_answer(play, outcome, fault)) {
            return false;
        } else if (play->http.response.status == comparison->answer->status &&
                   text_equal(play->http.response.body, comparison->answer->is.body)) {
            return true;
        }
    }
    return dialect_play_answer(play, OUTCOME_TOKEN_INVALID, fault);
}

static void __attribute__((format(printf, 2, 3)))
differ(struct comparison *comparison, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    buffer_addf(comparison->out, "  %s\n", line);
    ++*comparison->count;
}

/* How many bytes of the text are a JWT, which begins as they all do. */
static size_t jwt_size(struct text text)
{
    size_t size = 0, dots = 0;
    bool begins = text_starts(text, TEXT("eyJ"));

    while (begins && size < text.size &&
           (isalnum((unsigned char)text.data[size]) || strchr("-_.", text.data[size]) != NULL)) {
        dots += text.data[size++] == '.';
    }
    return dots >= 2 ? size : 0;
}

/* How many are a point in time since 1970, in seconds or milliseconds: a JSON number. */
static size_t time_size(struct text text, char before)
{
    size_t size = 0;

    while (size < text.size && isdigit((unsigned char)text.data[size])) {
        size++;
    }
    return (size == 10 || size == 13) && strchr(":[, ", before) != NULL && size < text.size &&
                   strchr(",]} \r\n", text.data[size]) != NULL
               ? size
               : 0;
}

/* With a word instead of each token, and of each point in time. */
static struct text mask(struct comparison *comparison, struct text text)
{
    const struct answer *answer = &comparison->play->request.answer;
    struct text masked = text;
    struct buffer buffer;
    char before = '\0';

    buffer_start(&buffer, comparison->arena, text.size + 64);
    while (text.size > 0) {
        size_t jwt = jwt_size(text), time = time_size(text, before), size = 1;

        if (jwt > 0) {
            size = jwt;
            buffer_add_c(&buffer, "JWT");
        } else if (answer->access_token.size > 0 && text_starts(text, answer->access_token)) {
            size = answer->access_token.size;
            buffer_add_c(&buffer, "ACCESS-TOKEN");
        } else if (answer->refresh_token.size > 0 && text_starts(text, answer->refresh_token)) {
            size = answer->refresh_token.size;
            buffer_add_c(&buffer, "REFRESH-TOKEN");
        } else if (time > 0) {
            size = time;
            buffer_add_c(&buffer, time == 10 ? "SECONDS" : "MILLISECONDS");
        } else {
            buffer_add_char(&buffer, text.data[0]);
        }
        before = text.data[size - 1];
        text = text_from(text, size);
    }
    (void)buffer_finish(&buffer, &masked);
    return masked;
}

/* What surrounds the byte, on one line. */
static void show_at(struct comparison *comparison, const char *who, struct text text, size_t at)
{
    enum { BEFORE = 24, SHOWN = 64 };
    struct text shown = text_cut(text_from(text, at > BEFORE ? at - BEFORE : 0), SHOWN);

    buffer_addf(comparison->out, "    %s: ", who);
    for (size_t i = 0; i < shown.size; i++) {
        char c = shown.data[i];

        if (c == '\n') {
            buffer_add_c(comparison->out, "\\n");
        } else {
            buffer_add_char(comparison->out, (unsigned char)c < 0x20 ? '?' : c);
        }
    }
    buffer_add_c(comparison->out, shown.size > 0 ? "\n" : "(nothing more)\n");
}

static void compare_bytes(struct comparison *comparison, const char *what, struct text recorded,
                          struct text made)
{
    size_t at = 0;

    recorded = mask(comparison, recorded);
    made = mask(comparison, made);
    while (at < recorded.size && at < made.size && recorded.data[at] == made.data[at]) {
        at++;
    }
    if (at < recorded.size || at < made.size) {
        differ(comparison, "%s differs from byte %zu on", what, at + 1);
        show_at(comparison, "recorded", recorded, at);
        show_at(comparison, "answered", made, at);
    }
}

static struct text header_of(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (text_equal_ignore_case(response->headers[i].name, text_of(name))) {
            return response->headers[i].value;
        }
    }
    return (struct text){0};
}

/* Headers are compared that the recording has and Retoken answers; a server adds others. */
static void compare(struct comparison *comparison)
{
    const struct http_response *made = &comparison->play->http.response;
    const struct http_recording *recorded = comparison->answer;
    struct text type = header_of(made, "content-type");

    if (made->status != recorded->status) {
        differ(comparison, "status %d, recorded was %d", made->status, recorded->status);
    }
    if (!text_equal_ignore_case(type, recorded->is.content_type) && type.size > 0) {
        differ(comparison, "Content-Type: %.*s, recorded was %.*s", TEXT_ARGS(text_cut(type, 80)),
               TEXT_ARGS(text_cut(recorded->is.content_type, 80)));
    }
    for (size_t i = 0; i < made->header_count; i++) {
        struct text name = made->headers[i].name;
        struct text value = {0};
        char lower[64];

        if (text_equal_ignore_case(name, TEXT("content-type")) ||
            text_equal_ignore_case(name, TEXT("cache-control")) ||
            text_equal_ignore_case(name, TEXT("pragma")) ||
            text_equal_ignore_case(name, TEXT("retry-after")) ||
            text_equal_ignore_case(name, TEXT("set-cookie")) ||
            text_equal_ignore_case(name, TEXT("allow")) || !text_copy(name, lower, sizeof lower)) {
            continue;
        }
        for (char *c = lower; *c != '\0'; c++) {
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        }
        (void)http_header(&recorded->is, lower, &value);
        compare_bytes(comparison, lower, value, made->headers[i].value);
    }
    compare_bytes(comparison, "the body", recorded->is.body, made->body);
}

bool dialect_replay_jwt(struct text token, struct arena *arena, struct text *header,
                        struct text *payload)
{
    struct text rest = token;
    struct text *const parts[] = {header, payload};

    for (size_t i = 0; i < 2; i++) {
        struct text part = text_split(&rest, '.');
        char *bytes = arena_alloc(arena, part.size + 1);
        size_t size = 0;

        if (bytes == NULL || part.size == 0 || rest.size == 0 ||
            !codec_base64url_decode(part, bytes, part.size, &size)) {
            return false;
        }
        *parts[i] = (struct text){bytes, size};
    }
    return text_find(rest, '.') == rest.size && json_in_object(arena, *header, NULL) != NULL &&
           json_in_object(arena, *payload, NULL) != NULL;
}

static void compare_jwt(struct comparison *comparison)
{
    const struct layout *layout = comparison->play->realm.policy.layout;
    struct arena *arena = comparison->arena;
    struct layout_claims claims;
    struct text header, payload, made = {0}, algorithm = {0}, kid = {0};
    struct buffer buffer;

    if (!dialect_replay_jwt(comparison->play->request.answer.access_token, arena, &header,
                            &payload)) {
        return;
    }
    const json_t *parsed = json_in_object(arena, header, NULL);
    (void)json_in_text(parsed, "alg", &algorithm);
    (void)json_in_text(parsed, "kid", &kid);
    dialect_found_payload(layout->access_template, json_in_object(arena, payload, NULL), arena,
                          &claims);
    if (layout_header(layout, arena_c_string(arena, algorithm), arena_c_string(arena, kid), true,
                      arena, &made)) {
        compare_bytes(comparison, "the header of the access token", header, made);
    }
    buffer_start(&buffer, arena, 512);
    template_fill(layout->access_template, &claims, &buffer);
    if (buffer_finish(&buffer, &made)) {
        compare_bytes(comparison, "the payload of the access token", payload, made);
    }
}
