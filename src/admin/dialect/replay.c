/* SPDX-License-Identifier: ISC */
/* replay.c: see replay.h. */
#include "admin/dialect/replay.h"

#include <ctype.h>
#include <stdio.h>

#include "admin/dialect/found.h"
#include "admin/dialect/mask.h"
#include "admin/learn/headers.h"
#include "base/codec.h"

struct comparison {
    struct dialect_play *play;
    const struct http_recording *answer;
    struct arena *arena;
    struct dialect_differences *differences;
    const struct learn_places *places; /* of the request; NULL = they cannot be read */
};

static bool choose_refusal(struct comparison *comparison, struct fault *fault);
static void compare(struct comparison *comparison);
static void compare_jwt(struct comparison *comparison, bool refresh);
static void differ(struct comparison *comparison, const char *what, size_t byte,
                   struct text recorded, struct text answered);

bool dialect_replay(const struct dialect *dialect, const struct http_recording *request,
                    const struct http_recording *answer, struct arena *arena,
                    struct dialect_differences *differences, struct fault *fault)
{
    struct dialect_play *play = arena_alloc(arena, sizeof *play);
    struct learn_places *places = arena_alloc(arena, sizeof *places);
    struct comparison comparison = {play, answer, arena, differences, places};
    enum outcome outcome;

    if (play == NULL) {
        fault_set(fault, "out of memory");
        return false;
    } else if (!dialect_play_read(play, dialect, request, arena, fault)) {
        return false;
    }
    if (places == NULL || !learn_places_read(arena, request, places, NULL)) {
        comparison.places = NULL;
    }
    if (answer->status >= 400) {
        if (!choose_refusal(&comparison, fault)) {
            return false;
        }
        compare(&comparison);
        return true;
    } else if (!play->understood) {
        differ(&comparison, "the request is not understood: outcome", 0, TEXT("a grant"),
               text_of(outcome_word(play->outcome)));
        return true;
    }
    outcome = dialect_found_answer(answer, &play->request) ? OUTCOME_ROTATED : OUTCOME_RENEWED;
    if (!dialect_play_answer(play, outcome, fault)) {
        return false;
    }
    compare(&comparison);
    compare_jwt(&comparison, false);
    compare_jwt(&comparison, true);
    return true;
}

void dialect_replay_tell(const struct dialect_differences *differences, struct buffer *out)
{
    for (size_t i = 0; i < differences->count; i++) {
        const struct dialect_difference *row = &differences->rows[i];
        struct text nothing = row->byte > 0 ? TEXT("(nothing more)") : TEXT("nothing");
        struct text recorded = row->recorded.size > 0 ? row->recorded : nothing;
        struct text answered = row->answered.size > 0 ? row->answered : nothing;

        if (row->byte == 0) {
            buffer_addf(out, "  %s: %.*s, recorded was %.*s\n", row->what, TEXT_ARGS(answered),
                        TEXT_ARGS(recorded));
        } else {
            buffer_addf(out,
                        "  %s differs from byte %zu on\n    recorded: %.*s\n    answered: %.*s\n",
                        row->what, row->byte, TEXT_ARGS(recorded), TEXT_ARGS(answered));
        }
    }
    for (size_t i = 0; i < differences->unset_count; i++) {
        buffer_addf(out, "  the header %.*s: only the recording has it\n",
                    TEXT_ARGS(text_cut(differences->unset[i], 80)));
    }
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

static void differ(struct comparison *comparison, const char *what, size_t byte,
                   struct text recorded, struct text answered)
{
    struct dialect_differences *differences = comparison->differences;

    if (differences->count < DIALECT_DIFFERENCES_MAX) {
        differences->rows[differences->count++] = (struct dialect_difference){
            .what = what, .byte = byte, .recorded = recorded, .answered = answered};
    }
}

static size_t first_difference(struct text one, struct text other)
{
    size_t at = 0;

    while (at < one.size && at < other.size && one.data[at] == other.data[at]) {
        at++;
    }
    return at;
}

/* What surrounds the byte, on one line, in whole characters. */
static struct text round_of(struct comparison *comparison, struct text text, size_t at)
{
    enum { BEFORE = 24, SHOWN = 64 };
    size_t start = at > BEFORE ? at - BEFORE : 0;
    struct text shown = {0};
    struct buffer buffer;

    while (start > 0 && start < text.size && ((unsigned char)text.data[start] & 0xc0) == 0x80) {
        start--;
    }
    text = text_from(text, start);
    buffer_start(&buffer, comparison->arena, SHOWN + 16);
    while (text.size > 0 && buffer.size < SHOWN) {
        uint32_t point = 0;
        size_t size = text_utf8_first(text, &point);

        if (point == '\n') {
            buffer_add_c(&buffer, "\\n");
        } else if (!text_is_printable(text_cut(text, size > 0 ? size : 1))) {
            buffer_add_c(&buffer, "?");
        } else {
            buffer_add(&buffer, text_cut(text, size));
        }
        text = text_from(text, size > 0 ? size : 1);
    }
    (void)buffer_finish(&buffer, &shown);
    return shown;
}

static void compare_bytes(struct comparison *comparison, const char *what, struct text recorded,
                          struct text made)
{
    const struct answer *answer = &comparison->play->request.answer;

    recorded = dialect_mask(comparison->arena, answer, recorded);
    made = dialect_mask(comparison->arena, answer, made);
    if (text_equal(recorded, made)) {
        return;
    }
    size_t byte = first_difference(recorded, made) + 1;
    recorded = dialect_mask_hide(comparison->arena, comparison->places, recorded);
    made = dialect_mask_hide(comparison->arena, comparison->places, made);
    size_t at = first_difference(recorded, made);

    differ(comparison, what, byte, round_of(comparison, recorded, at),
           round_of(comparison, made, at));
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

static struct text number_text(struct comparison *comparison, int number)
{
    struct buffer buffer;
    struct text text = {0};

    buffer_start(&buffer, comparison->arena, 8);
    buffer_add_int(&buffer, number);
    (void)buffer_finish(&buffer, &text);
    return text;
}

/* What becomes of a cookie in an answer, which may take away the same one without its prefix. */
static void see_cookie(struct text name_of_header, struct text value, struct text name,
                       struct text *state)
{
    const struct http_header header = {TEXT("set-cookie"), value};
    struct http_set_cookie cookie;

    if (text_equal_ignore_case(name_of_header, header.name) &&
        http_recording_cookie(&header, &cookie) && text_equal(cookie.plain, name)) {
        *state = !cookie.clears || text_is(*state, "set") ? TEXT("set") : TEXT("cleared");
    }
}

/* Those of tokens: others no dialect sets. */
static void compare_cookies(struct comparison *comparison)
{
    const struct http_response *made = &comparison->play->http.response;
    const struct http_request *recorded = &comparison->answer->is;
    const struct described_request *described = comparison->play->request.described;
    const char *const names[] = {described != NULL ? described->cookies.refresh : NULL,
                                 described != NULL ? described->cookies.access : NULL};

    for (size_t i = 0; i < 2; i++) {
        struct text name = text_of(names[i]);
        struct text was = TEXT("not set"), is = was;

        for (size_t j = 0; j < recorded->header_count; j++) {
            see_cookie(recorded->headers[j].name, recorded->headers[j].value, name, &was);
        }
        for (size_t j = 0; j < made->header_count; j++) {
            see_cookie(made->headers[j].name, made->headers[j].value, name, &is);
        }
        if (name.size > 0 && !text_equal(was, is)) {
            differ(comparison,
                   i == 0 ? "the cookie of the refresh token" : "the cookie of the access token", 0,
                   was, is);
        }
    }
}

/* Those that no server adds by itself, so that nobody misses one unseen. */
static void find_unset(struct comparison *comparison)
{
    const struct http_request *recorded = &comparison->answer->is;
    struct dialect_differences *differences = comparison->differences;

    for (size_t i = 0; i < recorded->header_count; i++) {
        const struct http_header *header = &recorded->headers[i];

        if (learn_header_is_backends(header->name) && learn_is_plain_name(header->name) &&
            !own_is_unique(header->name) && differences->unset_count < DIALECT_UNSET_MAX &&
            header_of(&comparison->play->http.response, header->name.data).data == NULL) {
            differences->unset[differences->unset_count++] = header->name;
        }
    }
}

/* Headers are compared that the recording has and Retoken answers; a server adds others. */
static void compare(struct comparison *comparison)
{
    const struct http_response *made = &comparison->play->http.response;
    const struct http_recording *recorded = comparison->answer;
    struct text type = header_of(made, "content-type");

    if (made->status != recorded->status) {
        differ(comparison, "status", 0, number_text(comparison, recorded->status),
               number_text(comparison, made->status));
    }
    if (!text_equal_ignore_case(type, recorded->is.content_type) && type.size > 0) {
        differ(comparison, "Content-Type", 0, text_cut(recorded->is.content_type, 80),
               text_cut(type, 80));
    }
    compare_cookies(comparison);
    find_unset(comparison);
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
        compare_bytes(comparison, arena_c_string(comparison->arena, text_of(lower)), value,
                      made->headers[i].value);
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

static void compare_jwt(struct comparison *comparison, bool refresh)
{
    const struct layout *layout = comparison->play->realm.policy.layout;
    const struct answer *answer = &comparison->play->request.answer;
    const struct template *template = refresh ? layout->refresh_template : layout->access_template;
    struct arena *arena = comparison->arena;
    struct layout_claims claims;
    struct text header, payload, made = {0}, algorithm = {0}, kid = {0};
    struct buffer buffer;

    if (template == NULL ||
        !dialect_replay_jwt(refresh ? answer->refresh_token : answer->access_token, arena, &header,
                            &payload)) {
        return;
    }
    const json_t *parsed = json_in_object(arena, header, NULL);
    (void)json_in_text(parsed, "alg", &algorithm);
    (void)json_in_text(parsed, "kid", &kid);
    dialect_found_payload(template, json_in_object(arena, payload, NULL), arena, &claims);
    if (layout_header(layout, arena_c_string(arena, algorithm), arena_c_string(arena, kid), true,
                      arena, &made)) {
        compare_bytes(comparison,
                      refresh ? "the header of the refresh token"
                              : "the header of the access token",
                      header, made);
    }
    buffer_start(&buffer, arena, 512);
    template_fill(template, &claims, &buffer);
    if (buffer_finish(&buffer, &made)) {
        compare_bytes(comparison,
                      refresh ? "the payload of the refresh token"
                              : "the payload of the access token",
                      payload, made);
    }
}
