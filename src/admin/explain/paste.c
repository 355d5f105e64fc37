/* SPDX-License-Identifier: ISC */
/* paste.c: see paste.h. Each layer has a row: how it is taken off, and what is said
 * of it. The order matters where one layer may look like another. */
#include "admin/explain/paste.h"

#include "base/form.h"
#include "base/json.h"

typedef bool peel(struct arena *arena, struct text *token);

static peel peel_json, peel_entities, peel_escapes, peel_quotes, peel_braces, peel_angles,
    peel_header, peel_scheme, peel_name, peel_percent, peel_unseen, peel_space, peel_mark;

static const struct {
    peel *take;
    const char *says;
} layers[] = {
    {peel_json, "inside JSON"},
    {peel_entities, "with entities of HTML"},
    {peel_escapes, "with line breaks written as \\n"},
    {peel_quotes, "inside quotation marks"},
    {peel_braces, "in braces"},
    {peel_angles, "in angle brackets"},
    {peel_header, "with a header's name in front"},
    {peel_scheme, "with the word Bearer in front"},
    {peel_name, "with a parameter's name in front"},
    {peel_percent, "percent-encoded"},
    {peel_unseen, "with characters that cannot be seen"},
    {peel_space, "with white space inside"},
    {peel_mark, "with a punctuation mark after it"},
};

struct text explain_paste_trim(struct text t)
{
    while (t.size > 0 && (unsigned char)t.data[0] <= ' ') {
        t = text_from(t, 1);
    }
    while (t.size > 0 && (unsigned char)t.data[t.size - 1] <= ' ') {
        t.size--;
    }
    return t;
}

const char *explain_paste_peel(struct arena *arena, struct text *token)
{
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        struct text inner = *token;

        if (layers[i].take(arena, &inner)) {
            inner = explain_paste_trim(inner);
            if (inner.size > 0 && inner.size < token->size) {
                *token = inner;
                return layers[i].says;
            }
        }
    }
    return NULL;
}

/* The names a token has in forms, cookies and answers; the refresh token first, because a whole
 * answer has both. */
static const char *const names[] = {
    "refresh_token", "refreshToken", "refresh-token",    "refresh", "access_token",
    "accessToken",   "access",       "id_token",         "token",   "jwt",
    "assertion",     "device_code",  "client_assertion", "code"};

static bool find_member(json_t *value, int depth, struct text *token);

static bool peel_json(struct arena *arena, struct text *token)
{
    json_t *object = token->data[0] == '{' ? json_in_object(arena, *token, NULL) : NULL;

    return object != NULL && find_member(object, 0, token);
}

/* Of this object, or else of one inside it. */
static bool find_member(json_t *value, int depth, struct text *token)
{
    enum { DEPTH_MAX = 4 };
    const char *name;
    json_t *member;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_in_text(value, names[i], token) == JSON_IN_TEXT) {
            return true;
        }
    }
    json_object_foreach(value, name, member)
    {
        if (json_is_object(member) && depth < DEPTH_MAX && find_member(member, depth + 1, token)) {
            return true;
        }
    }
    return false;
}

/* Puts `to` in the place of every `from`. False: there is none. */
static bool replace(struct arena *arena, struct text *token, const char *from, char to)
{
    struct text word = text_of(from);
    struct buffer b;

    buffer_start(&b, arena, token->size + 1);
    for (size_t i = 0; i < token->size; i++) {
        bool found = text_starts(text_from(*token, i), word);

        if (!found) {
            buffer_add_char(&b, token->data[i]);
        } else if (to != '\0') {
            buffer_add_char(&b, to);
        }
        i += found ? word.size - 1 : 0;
    }
    return b.size < token->size && buffer_finish(&b, token);
}

struct replacement {
    const char *from;
    char to; /* 0 = nothing */
};

static bool replace_all(struct arena *arena, struct text *token, const struct replacement *rows,
                        size_t count)
{
    bool taken = false;

    for (size_t i = 0; i < count; i++) {
        taken = replace(arena, token, rows[i].from, rows[i].to) || taken;
    }
    return taken;
}

/* As a page of the web shows its source. */
static bool peel_entities(struct arena *arena, struct text *token)
{
    static const struct replacement rows[] = {{"&quot;", '"'},  {"&#34;", '"'},  {"&#x22;", '"'},
                                              {"&apos;", '\''}, {"&#39;", '\''}, {"&#x27;", '\''},
                                              {"&lt;", '<'},    {"&gt;", '>'},   {"&#x3D;", '='},
                                              {"&#61;", '='},   {"&amp;", '&'}};

    return replace_all(arena, token, rows, sizeof rows / sizeof rows[0]);
}

/* As logs write them. */
static bool peel_escapes(struct arena *arena, struct text *token)
{
    static const struct replacement rows[] = {{"\\r", ' '}, {"\\n", ' '}, {"\\t", ' '}};

    return replace_all(arena, token, rows, sizeof rows / sizeof rows[0]);
}

/* What chats and text processors put in: spaces of no width, a soft hyphen, a byte order mark, the
 * space that does not break. */
static bool peel_unseen(struct arena *arena, struct text *token)
{
    static const struct replacement rows[] = {
        {"\xe2\x80\x8b", 0}, {"\xe2\x80\x8c", 0}, {"\xe2\x80\x8d", 0}, {"\xe2\x81\xa0", 0},
        {"\xc2\xad", 0},     {"\xef\xbb\xbf", 0}, {"\xc2\xa0", ' '}};

    return replace_all(arena, token, rows, sizeof rows / sizeof rows[0]);
}

/* "…", '…', `…`, those of text processors, and \"…\" as out of a log. */
static bool peel_quotes(struct arena *arena, struct text *token)
{
    static const char *const marks[] = {
        "\\\"",         "\"",           "'",           "`", "\xe2\x80\x9c", "\xe2\x80\x9d",
        "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9e"};
    bool taken = false;

    (void)arena;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        struct text mark = text_of(marks[i]);

        if (token->size > mark.size && text_starts(*token, mark)) {
            *token = text_from(*token, mark.size);
            taken = true;
        }
        if (token->size > mark.size && text_ends(*token, mark)) {
            token->size -= mark.size;
            taken = true;
        }
    }
    return taken;
}

static bool between(struct text *token, char open, char close)
{
    if (token->size < 2 || token->data[0] != open || token->data[token->size - 1] != close) {
        return false;
    }
    *token = text_from(text_cut(*token, token->size - 1), 1);
    return true;
}

/* A UUID as registries write it. */
static bool peel_braces(struct arena *arena, struct text *token)
{
    (void)arena;
    return between(token, '{', '}');
}

static bool peel_angles(struct arena *arena, struct text *token)
{
    (void)arena;
    return between(token, '<', '>');
}

/* Cuts off a prefix in any case. */
static bool cut_prefix(struct text *token, struct text prefix)
{
    if (!text_equal_ignore_case(text_cut(*token, prefix.size), prefix)) {
        return false;
    }
    *token = text_from(*token, prefix.size);
    return true;
}

static bool peel_header(struct arena *arena, struct text *token)
{
    (void)arena;
    return cut_prefix(token, TEXT("authorization:")) || cut_prefix(token, TEXT("cookie:")) ||
           cut_prefix(token, TEXT("set-cookie:")) || cut_prefix(token, TEXT("urn:uuid:"));
}

static size_t is_quote(struct text t, size_t at)
{
    return at < t.size && (t.data[at] == '"' || t.data[at] == '\'') ? 1 : 0;
}

static bool begins_bearer(struct text *token)
{
    return cut_prefix(token, TEXT("bearer ")) || cut_prefix(token, TEXT("bearer\t")) ||
           cut_prefix(token, TEXT("bearer\n")) || cut_prefix(token, TEXT("bearer%20")) ||
           cut_prefix(token, TEXT("bearer+"));
}

/* Up to white space or a quotation mark. */
static struct text first_word(struct text t)
{
    size_t size = 0;

    while (size < t.size && (unsigned char)t.data[size] > ' ' && is_quote(t, size) == 0) {
        size++;
    }
    return text_cut(t, size);
}

/* In front, or in the middle as in a command of curl. */
static bool peel_scheme(struct arena *arena, struct text *token)
{
    (void)arena;
    for (size_t i = 0; i < token->size; i++) {
        struct text rest = text_from(*token, i);

        if ((i == 0 || (unsigned char)token->data[i - 1] <= ' ') && begins_bearer(&rest)) {
            *token = i > 0 ? first_word(explain_paste_trim(rest)) : rest;
            return true;
        }
    }
    return false;
}

static bool ends_value(char c)
{
    return c == '&' || c == ';' || c == ',' || c == '#' || (unsigned char)c <= ' ';
}

/* NAME=VALUE, NAME: VALUE or "NAME": VALUE at the start or after a separator; VALUE ends before the
 * next one. */
static bool find_named(struct text t, const char *name, struct text *value)
{
    size_t size = text_of(name).size;

    for (size_t i = 0; i + size < t.size; i++) {
        bool starts = i == 0 || ends_value(t.data[i - 1]) || t.data[i - 1] == '?' ||
                      t.data[i - 1] == '"' || t.data[i - 1] == '\'' || t.data[i - 1] == '_';
        struct text rest = text_from(t, i);

        if (!starts || !text_starts(rest, text_of(name))) {
            continue;
        }
        rest = explain_paste_trim(text_from(rest, size + is_quote(t, i + size)));
        if (rest.size == 0 || (rest.data[0] != '=' && rest.data[0] != ':')) {
            continue;
        }
        *value = explain_paste_trim(text_from(rest, 1));
        size_t end = 0;
        while (end < value->size && !ends_value(value->data[end])) {
            end++;
        }
        value->size = end;
        return value->size > 0;
    }
    return false;
}

static bool peel_name(struct arena *arena, struct text *token)
{
    struct text value;

    (void)arena;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (find_named(*token, names[i], &value)) {
            *token = value;
            return true;
        }
    }
    return false;
}

/* No token of ours has a percent sign. */
static bool peel_percent(struct arena *arena, struct text *token)
{
    return text_find(*token, '%') < token->size && form_decode(arena, *token, token);
}

/* A line that was broken on its way. */
static bool peel_space(struct arena *arena, struct text *token)
{
    struct buffer b;

    buffer_start(&b, arena, token->size + 1);
    for (size_t i = 0; i < token->size; i++) {
        if ((unsigned char)token->data[i] > ' ') {
            buffer_add_char(&b, token->data[i]);
        }
    }
    return b.size < token->size && buffer_finish(&b, token);
}

static bool peel_mark(struct arena *arena, struct text *token)
{
    (void)arena;
    char last = token->data[token->size - 1];

    if (last != ',' && last != ';' && last != '.' && last != ')') {
        return false;
    }
    token->size--;
    return true;
}
