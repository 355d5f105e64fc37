/* SPDX-License-Identifier: ISC */
/* test_templates.c: whatever a user, a client or a stranger is called, what the templates of file
 * dialects make of it is read back equal: answers, refusals and payloads of tokens, with values of
 * any Unicode. Knows how a template is written; does not know what any file says. */
#include "base/expect.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/valgrind.h"
#include "dialect/described.h"
#include "dialect/stranger.h"
#include "process/dialect_file.h"
#include "process/dialects.h"
#include "token/layout_names.h"

enum { ROUNDS = 200, ARENA_ROOM = 8 << 20, TEXT_PIECES = 12, CLAIMS = 8 };

static struct arena *arena;
static uint64_t seed;

/* ---- values of any kind ---- */

static uint64_t below(uint64_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % limit;
}

static void add_point(struct buffer *out, uint32_t point)
{
    if (point < 0x80) {
        buffer_add_char(out, (char)point);
    } else if (point < 0x800) {
        buffer_addf(out, "%c%c", (int)(0xc0 | point >> 6), (int)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        buffer_addf(out, "%c%c%c", (int)(0xe0 | point >> 12), (int)(0x80 | (point >> 6 & 0x3f)),
                    (int)(0x80 | (point & 0x3f)));
    } else {
        buffer_addf(out, "%c%c%c%c", (int)(0xf0 | point >> 18), (int)(0x80 | (point >> 12 & 0x3f)),
                    (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)));
    }
}

/* Any code point but NUL and surrogates, and what means something to somebody. */
static struct text any_text(bool may_be_empty)
{
    static const char *const pieces[] = {"\"",
                                         "\\",
                                         "/",
                                         "\",\"exp\":1,\"x\":\"",
                                         "${access_token}",
                                         "$${",
                                         "</script>",
                                         "\r\n",
                                         "\\u0022",
                                         "a",
                                         " ",
                                         "\x7f",
                                         "\xe2\x80\xa8",
                                         "\xef\xbb\xbf",
                                         "\xef\xbf\xbf",
                                         "%s",
                                         "}",
                                         "]"};
    size_t count = below(TEXT_PIECES) + !may_be_empty;
    struct buffer buffer;

    buffer_start(&buffer, arena, 64);
    for (size_t i = 0; i < count; i++) {
        uint32_t point = (uint32_t)(1 + below(below(2) == 0 ? 0x7f : 0x10ffff));

        if (below(3) == 0) {
            buffer_add_c(&buffer, pieces[below(COUNT(pieces))]);
        } else if (point < 0xd800 || point > 0xdfff) {
            add_point(&buffer, point);
        }
    }
    return buffer_text(&buffer);
}

/* Words as they are kept: without white space in them. */
static struct text any_words(void)
{
    struct text text = any_text(true), word;
    struct buffer buffer;

    buffer_start(&buffer, arena, text.size + 1);
    while ((word = text_word(&text)).size > 0) {
        buffer_addf(&buffer, "%s%.*s", buffer.size > 0 ? " " : "", TEXT_ARGS(word));
    }
    return buffer_text(&buffer);
}

static void add_any(struct json_out *out, size_t depth)
{
    switch (below(depth > 3 ? 5 : 7)) {
    case 0:
        json_out_null(out);
        break;
    case 1:
        json_out_bool(out, below(2) == 0);
        break;
    case 2:
        json_out_int(out, (int64_t)(below(INT64_MAX) - below(INT64_MAX)));
        break;
    case 5:
        json_out_array_open(out);
        for (size_t i = below(4); i > 0; i--) {
            add_any(out, depth + 1);
        }
        json_out_array_close(out);
        break;
    case 6:
        json_out_open(out);
        if (below(2) == 0) {
            json_out_key(out, arena_c_string(arena, any_text(true)));
            add_any(out, depth + 1);
        }
        json_out_close(out);
        break;
    default:
        json_out_text(out, any_text(true));
        break;
    }
}

/* Some that files ask for, under their names, and others. */
static const json_t *any_claims(void)
{
    static const char *const names[] = {"email", "name", "id", "role", "x", "exp", "sub", "aud"};
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    const json_t *claims;

    buffer_start(&buffer, arena, 256);
    json_out_open(&out);
    for (size_t i = 0; i < COUNT(names); i++) {
        if (below(2) == 0) {
            json_out_key(&out, names[i]);
            add_any(&out, 0);
        }
    }
    json_out_key(&out, arena_c_string(arena, any_text(false)));
    add_any(&out, 0);
    json_out_close(&out);
    claims = json_in_object(arena, buffer_text(&buffer), NULL);
    return claims != NULL ? claims : any_claims(); /* one name twice */
}

/* ---- what a template's places hold ---- */

/* What a template is filled from. */
struct source {
    const struct template *template;
    const struct template_names *names;
    const void *from;
    const char *where; /* it is: for complaints */
};

static struct template_value value_of(const struct source *source, struct text name)
{
    const struct template_name *row = source->names->rows;
    struct template_value value = {.kind = TEMPLATE_ABSENT};

    for (; row->name != NULL; row++) {
        struct text known = text_of(row->name);

        if (text_equal(name, known)) {
            source->names->look(source->from, row, "", arena, &value);
            return value;
        } else if (text_ends(known, TEXT(".")) && text_starts(name, known)) {
            source->names->look(source->from, row,
                                arena_c_string(arena, text_from(name, known.size)), arena, &value);
            return value;
        }
    }
    fail_msg("%s: no value %.*s", source->where, TEXT_ARGS(name));
    return value;
}

static struct text digits_of(int64_t number)
{
    struct buffer buffer;

    buffer_start(&buffer, arena, 24);
    buffer_add_int(&buffer, number);
    return buffer_text(&buffer);
}

static struct text text_in(const json_t *json)
{
    return (struct text){json_string_value(json), json_string_length(json)};
}

/* Between quotation marks. */
static struct text characters_of(const struct template_value *value)
{
    const json_t *parsed = value->kind == TEMPLATE_PARSED ? value->parsed : NULL;

    return value->kind == TEMPLATE_TEXT || value->kind == TEMPLATE_WORDS ? value->text
           : value->kind == TEMPLATE_NUMBER                              ? digits_of(value->number)
           : json_is_string(parsed)                                      ? text_in(parsed)
           : json_is_integer(parsed) ? digits_of(json_integer_value(parsed))
                                     : (struct text){0};
}

static bool are_words(const json_t *array, struct text words)
{
    const json_t *word;
    size_t i;

    json_array_foreach(array, i, word)
    {
        if (!text_equal(text_in(word), text_word(&words))) {
            return false;
        }
    }
    return json_is_array(array) && text_word(&words).size == 0;
}

/* Without them. */
static bool is_whole(const struct template_value *value, const json_t *actual)
{
    switch (value->kind) {
    case TEMPLATE_ABSENT:
        return json_is_null(actual);
    case TEMPLATE_TEXT:
        return json_is_string(actual) && text_equal(text_in(actual), value->text);
    case TEMPLATE_WORDS:
        return are_words(actual, value->text);
    case TEMPLATE_NUMBER:
        return json_is_integer(actual) && json_integer_value(actual) == value->number;
    case TEMPLATE_PARSED:
        return value->parsed != NULL ? json_equal(actual, value->parsed) : json_is_null(actual);
    case TEMPLATE_WRITTEN:
        return json_is_object(actual);
    }
    return false;
}

static bool is_absent(const struct template_value *value)
{
    return value->kind == TEMPLATE_ABSENT ||
           (value->kind == TEMPLATE_PARSED && value->parsed == NULL);
}

/* Is the string what the outline's has, with the values for its places? *absent: one has none. */
static bool is_filled(const struct source *source, struct text outline, const json_t *actual,
                      bool *absent)
{
    struct template_value value = {.kind = TEMPLATE_ABSENT};
    struct buffer expected;
    size_t places = 0;
    bool alone = false;

    *absent = false;
    buffer_start(&expected, arena, 256);
    while (outline.size > 0) {
        size_t end = text_find(outline, '}');

        if (text_starts(outline, TEXT("${")) && end < outline.size) {
            value = value_of(source, text_from(text_cut(outline, end), 2));
            *absent = *absent || is_absent(&value);
            alone = places++ == 0 && expected.size == 0 && end + 1 == outline.size;
            buffer_add(&expected, characters_of(&value));
            outline = text_from(outline, end + 1);
        } else {
            buffer_add_char(&expected, outline.data[0]);
            outline = text_from(outline, 1);
        }
    }
    return (json_is_string(actual) && text_equal(text_in(actual), buffer_text(&expected))) ||
           (alone && is_whole(&value, actual));
}

static bool is_read_back(const struct source *source, const json_t *outline, const json_t *actual);

/* The members of ${name.*}: those that the template does not name. */
static bool are_others(const struct source *source, const json_t *outline, struct text name,
                       const json_t *actual)
{
    struct template_value all = value_of(source, text_from(text_cut(name, name.size - 1), 2));
    const char *key;
    json_t *claim;

    json_object_foreach((json_t *)(uintptr_t)(is_absent(&all) ? NULL : all.parsed), key, claim)
    {
        if (json_object_get(outline, key) == NULL &&
            !json_equal(claim, json_object_get(actual, key))) {
            return false;
        }
    }
    json_object_foreach((json_t *)(uintptr_t)actual, key, claim)
    {
        if (json_object_get(outline, key) == NULL &&
            (is_absent(&all) || json_object_get(all.parsed, key) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool are_members(const struct source *source, const json_t *outline, const json_t *actual)
{
    size_t known = 0;
    bool open = false, good = json_is_object(actual);
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)outline, name, member)
    {
        const json_t *found = json_object_get(actual, name);
        bool absent = false;

        if (text_ends(text_of(name), TEXT(".*}"))) {
            open = true;
            good = good && are_others(source, outline, text_of(name), actual);
        } else if (found == NULL) { /* left out, because it has no value */
            (void)is_filled(source, text_in(member), NULL, &absent);
            good = good && json_is_string(member) && absent;
        } else {
            known++;
            good = good && is_read_back(source, member, found);
        }
    }
    return good && (open || json_object_size(actual) == known);
}

static bool is_read_back(const struct source *source, const json_t *outline, const json_t *actual)
{
    bool good = json_array_size(outline) == json_array_size(actual), absent;
    const json_t *member;
    size_t i;

    if (json_is_string(outline)) {
        return is_filled(source, text_in(outline), actual, &absent);
    } else if (json_is_object(outline)) {
        return are_members(source, outline, actual);
    } else if (!json_is_array(outline)) {
        return json_equal(outline, actual);
    }
    json_array_foreach(outline, i, member)
    {
        good = good && is_read_back(source, member, json_array_get(actual, i));
    }
    return good;
}

static size_t checked;

/* In an object, because a template may make any value. */
static void check(const struct source *source)
{
    const json_t *outline = template_outline(source->template), *actual;
    struct buffer filled, wrapped;

    buffer_start(&filled, arena, 1024);
    template_fill(source->template, source->from, &filled);
    assert_false(filled.failed);
    checked++;
    if (outline == NULL) { /* plain: of a header, or text */
        for (struct text rest = buffer_text(&filled); rest.size > 0;) {
            struct text line = text_split(&rest, '\n');

            if (text_plain_run(line, "") != line.size) {
                fail_msg("%s: %.*s", source->where, TEXT_ARGS(line));
            }
        }
        return;
    }
    buffer_start(&wrapped, arena, filled.size + 16);
    buffer_addf(&wrapped, "{\"\":%.*s}", TEXT_ARGS(buffer_text(&filled)));
    actual = json_in_object(arena, buffer_text(&wrapped), NULL);
    if (actual == NULL || json_object_size(actual) != 1 ||
        !is_read_back(source, outline, json_object_get(actual, ""))) {
        fail_msg("%s, seed %" PRIu64 ": %.*s", source->where, seed,
                 TEXT_ARGS(buffer_text(&filled)));
    }
}

/* ---- every template of every file ---- */

static void check_tokens(const struct dialect *dialect)
{
    const struct layout *layout = dialect->policy.layout;
    const struct layout_claims claims = {
        .issuer = any_text(true),
        .audience = any_text(true),
        .subject = any_text(false),
        .username = any_text(false),
        .user_number = below(UINT32_MAX),
        .roles = any_words(),
        .scope = any_words(),
        .client = any_text(true),
        .session = "01934b2c-5e70-7c11-9a3f-52e80d64b107",
        .jti = "48529576-1be7-4cf9-81c4-dd15a2186707",
        .issued_at_s = (int64_t)below(UINT32_MAX),
        .expires_at_s = (int64_t)below(UINT32_MAX),
        .account = below(5) == 0 ? NULL : any_claims(),
    };
    struct source source = {.names = &layout_claim_names, .from = &claims, .where = dialect->name};

    if (layout == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        source.template = i == 0 ? layout->access_template : layout->refresh_template;
        if (source.template != NULL) {
            check(&source);
        }
    }
}

static void check_answers(const struct dialect *dialect, const struct described_request *described)
{
    const struct realm realm = {.dialect = dialect, .policy = dialect->policy};
    struct http_exchange http = {
        .request = {.method_name = any_text(true), .content_type = any_text(true)}};
    struct request request = {.http = &http,
                              .arena = arena,
                              .realm = &realm,
                              .operation = described->operation,
                              .described = described,
                              .answer = {.access_token = any_text(false),
                                         .refresh_token = any_text(false),
                                         .now_ms = (int64_t)below(INT32_MAX) * 1000,
                                         .expires_at_s = (int64_t)below(UINT32_MAX),
                                         .expires_in_s = (int64_t)below(UINT32_MAX),
                                         .session_expires_ms = (int64_t)below(UINT32_MAX) * 1000,
                                         .scope = any_words(),
                                         .last_login_ms = (int64_t)below(UINT32_MAX) * 1000,
                                         .username = any_text(false),
                                         .subject = any_text(false),
                                         .roles = any_words(),
                                         .claims = below(5) == 0 ? NULL : any_claims(),
                                         .payload = below(5) == 0 ? NULL : any_claims()}};
    const struct described_told told = {&request, OUTCOME_ROTATED};
    struct source source = {
        .names = &described_answer_names, .from = &told, .where = dialect->name};

    source.template = described->answer.body;
    if (source.template != NULL) {
        check(&source);
    }
    for (size_t i = 0; i < described->answer.header_count; i++) {
        source.template = described->answer.headers[i].value;
        check(&source);
    }
    source.names = &described_refusal_names;
    for (const struct wording *words = described->words; words->status != 0; words++) {
        source.template = words->template;
        if (source.template != NULL) {
            check(&source);
        }
    }
}

static void test_read_back(void **state)
{
    struct fault fault = {0};
    const struct dialect *stranger =
        dialect_file_take(TEXT("stranger"), "stranger.dialect", text_of(stranger_file), &fault);

    size_t rounds = is_under_valgrind() ? 5 : ROUNDS;

    (void)state;
    if (stranger == NULL) {
        fail_msg("%s", fault.text);
    }
    for (size_t round = 0; round < rounds * (dialects_total() + 1); round++) {
        size_t at = round / rounds;
        const struct dialect *dialect = at < dialects_total() ? dialects_at(at) : stranger;

        arena_reset(arena);
        check_tokens(dialect);
        for (size_t i = 0; i < dialect->endpoint_count; i++) {
            const struct described *described = dialect->endpoints[i].described;

            for (size_t j = 0; described != NULL && j < described->count; j++) {
                check_answers(dialect, &described->requests[j]);
            }
        }
    }
    assert_true(checked > 30 * rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_back)};
    int failed;

    arena = arena_open(ARENA_ROOM);
    failed = arena == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0;
    arena_close(arena);
    return failed;
}
