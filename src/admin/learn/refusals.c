/* SPDX-License-Identifier: ISC */
/* refusals.c: the sections [refusals] of a proposal, from refused exchanges. Knows what a
 * refusal may repeat of its request; which line it is, sort.h does. */
#include "admin/learn/side.h"

#include <stdio.h>

#include "base/date.h"

/* The lines that are in a file, in this order: single outcomes before the class that they are of.
 * Classes must be there. */
struct line {
    const char *word;
    const char *class;     /* NULL: it is one */
    enum learn_what first; /* whose counts for all */
    int status;            /* where none was recorded */
    const char *error;
};
static const struct line lines[] = {
    {"request", NULL, LEARN_REFRESH, 400, "invalid_request"},
    {"slowed", "client", LEARN_LOGIN, 0, NULL},
    {"client", NULL, LEARN_LOGIN, 401, "unauthorized"},
    {"expired", "token", LEARN_REFRESH, 0, NULL},
    {"reused", "token", LEARN_REFRESH, 0, NULL},
    {"token", NULL, LEARN_REFRESH, 401, "invalid_grant"},
    {"busy", "here", LEARN_REFRESH, 0, NULL},
    {"here", NULL, LEARN_REFRESH, 503, "unavailable"},
};
enum { LINES = sizeof lines / sizeof lines[0] };

static const char *const operations[LEARN_WHATS] = {"refresh", "login", "logout", "validate",
                                                    "verify"};

static const struct learn_refusal *find(const struct learning *learning, const char *word,
                                        enum learn_what what);
static const struct learn_refusal *find_exactly(const struct learning *learning, const char *word,
                                                enum learn_what what);
static bool write_line(struct learning *learning, const char *word,
                       const struct learn_refusal *refusal);
static void write_answer(struct learning *learning, const char *word, int status, struct text body,
                         const struct learn_refusal *recorded);
static bool clean(struct learning *learning, const struct learn_refusal *refusal,
                  const struct learn_side *side, struct text *body);

/* Of any operation, but rather of the one that comes first. NULL: none. */
static const struct learn_refusal *find_for_all(const struct learning *learning, const char *word,
                                                enum learn_what first)
{
    const struct learn_refusal *found = find(learning, word, first);

    for (enum learn_what i = LEARN_REFRESH; i < LEARN_WHATS && found == NULL; i++) {
        found = find(learning, word, i);
    }
    return found;
}

static bool is_same(const struct learning *learning, const struct learn_refusal *a,
                    const struct learn_refusal *b)
{
    const struct http_recording *one = &a->exchange->answer;
    const struct http_recording *other = b != NULL ? &b->exchange->answer : one;
    struct text challenge[2] = {{0}};

    (void)http_header(&one->is, "www-authenticate", &challenge[0]);
    (void)http_header(&other->is, "www-authenticate", &challenge[1]);
    return b != NULL && one->status == other->status && text_equal(one->is.body, other->is.body) &&
           text_equal(one->is.content_type, other->is.content_type) &&
           text_equal(challenge[0], challenge[1]) &&
           learn_headers_alike(learning, a->exchange, b->exchange);
}

/* Like the others, if those are alike. */
static void write_unrecorded(struct learning *learning, const struct line *line)
{
    struct text body = {0};
    const struct learn_refusal *like = learn_shape(learning, line->status, line->error, &body);

    if (like == NULL) {
        learn_guess(learning->out, "no refusal of this kind was recorded");
        buffer_addf(learning->out, "%s = %d {\"error\":\"%s\"}\n", line->word, line->status,
                    line->error);
        return;
    }
    learn_guess(learning->out, "no refusal of this kind was recorded; made like the others");
    write_answer(learning, line->word, line->status, body, like);
    learn_headers(learning, like->exchange, line->word, 1, false);
}

/* What a single outcome's class answers, it need not say. */
static bool write_for_all(struct learning *learning, const struct line *line)
{
    const struct learn_refusal *refusal = find_for_all(learning, line->word, line->first);

    if (refusal == NULL && line->class == NULL) {
        write_unrecorded(learning, line);
    }
    return refusal == NULL ||
           (line->class != NULL &&
            is_same(learning, refusal, find_for_all(learning, line->class, line->first))) ||
           write_line(learning, line->word, refusal);
}

/* … nor what is so for all: unless the class is in the section too, which comes before those. */
static bool write_own(struct learning *learning, enum learn_what what, const struct line *line,
                      bool *begun)
{
    const struct learn_refusal *refusal = find(learning, line->word, what);
    const struct learn_refusal *class =
        line->class != NULL ? find(learning, line->class, what) : NULL;
    bool own_class = class != NULL &&
                     !is_same(learning, class, find_for_all(learning, line->class, line->first));

    if (refusal == NULL ||
        is_same(learning, refusal,
                own_class ? class : find_for_all(learning, line->word, line->first))) {
        return true;
    } else if (!*begun) {
        buffer_addf(learning->out, "\n[refusals %s]\n", operations[what]);
    }
    *begun = true;
    return write_line(learning, line->word, refusal);
}

bool learn_refusals(struct learning *learning)
{
    bool whole = true;

    buffer_add_c(learning->out, "\n[refusals]\n");
    for (size_t i = 0; i < LINES && whole; i++) {
        whole = write_for_all(learning, &lines[i]);
    }
    for (enum learn_what what = LEARN_REFRESH; what < LEARN_WHATS; what++) {
        bool begun = false;

        for (size_t i = 0; i < LINES && whole; i++) {
            whole = write_own(learning, what, &lines[i], &begun);
        }
    }
    return whole;
}

/* Where only a token was refused that had expired, or that was spent, that is what tokens get. */
static const struct learn_refusal *find(const struct learning *learning, const char *word,
                                        enum learn_what what)
{
    const struct learn_refusal *found = find_exactly(learning, word, what);
    bool token = strcmp(word, "token") == 0;

    found = found == NULL && token ? find_exactly(learning, "expired", what) : found;
    return found == NULL && token ? find_exactly(learning, "reused", what) : found;
}

static const struct learn_refusal *find_exactly(const struct learning *learning, const char *word,
                                                enum learn_what what)
{
    const struct learn_input *input = learning->input;

    for (size_t i = 0; i < input->refusal_count; i++) {
        if (input->refusals[i].what == what && strcmp(input->refusals[i].word, word) == 0 &&
            learning->sides[what] != NULL) {
            return &input->refusals[i];
        }
    }
    return NULL;
}

static bool write_line(struct learning *learning, const char *word,
                       const struct learn_refusal *refusal)
{
    const struct http_recording *answer = &refusal->exchange->answer;
    struct text body = {0}, challenge = {0};
    struct learn_side *side = NULL;
    size_t room = 1; /* for headers */
    char name[40];

    if (!learn_side_look(learning, refusal->exchange, refusal->what, &side) ||
        !clean(learning, refusal, side, &body)) {
        return false;
    } else if (body.size > 0 && !learn_can_be_set(body)) {
        learn_cannot_say(learning, refusal->exchange,
                         "the body of the refusal is too long or cannot be written in lines; it is "
                         "left out");
        body = (struct text){0};
    }
    write_answer(learning, word, answer->status, body, refusal);
    if (http_header(&answer->is, "www-authenticate", &challenge) == HTTP_ONE) {
        (void)snprintf(name, sizeof name, "%s.header.WWW-Authenticate", word);
        if (learn_is_of_one_request(learning, side, challenge) || !learn_can_be_set(challenge)) {
            learn_cannot_say(learning, refusal->exchange,
                             "WWW-Authenticate has something of this one request; it is left out");
        } else {
            learn_setting(learning, name, challenge);
            room = 0;
        }
    }
    learn_headers(learning, refusal->exchange, word, room, true);
    return true;
}

/* Status and body, and the media type of the recorded one where it is not the usual. */
static void write_answer(struct learning *learning, const char *word, int status, struct text body,
                         const struct learn_refusal *recorded)
{
    struct text type = recorded->exchange->answer.is.content_type, whole = {0};
    struct text usual = learning->sides[LEARN_REFRESH]->exchange->answer.is.content_type;
    struct buffer line;
    char name[40];

    buffer_start(&line, learning->arena, 256);
    buffer_addf(&line, "%d%s%.*s", status, body.size > 0 ? " " : "", TEXT_ARGS(body));
    (void)buffer_finish(&line, &whole);
    learn_setting(learning, word, whole);
    if (body.size > 0 && type.size > 0 && !text_equal(type, usual)) {
        (void)snprintf(name, sizeof name, "%s.type", word);
        learn_setting(learning, name, type);
    }
}

/* ---- what is of one request only ---- */

/* What people type who record a wrong password is a secret of nobody, and a word of refusals. */
static bool is_mere_word(struct text password)
{
    static const char *const words[] = {"wrong", "bad",   "invalid", "incorrect",
                                        "false", "error", "password"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_is(password, words[i])) {
            return true;
        }
    }
    return false;
}

bool learn_is_of_one_request(const struct learning *learning, const struct learn_side *side,
                             struct text text)
{
    enum { WORD = 6 };
    bool mere = side->password != NULL && is_mere_word(side->password->value);
    const struct learn_place *const shown[] = {side->refresh, side->access_shown, side->username,
                                               mere ? NULL : side->password};
    int64_t at_ms;

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct text value = shown[i] != NULL ? shown[i]->value : (struct text){0};

        if (value.size > 0 && (text_has_word(text, value) || text_equal(value, text) ||
                               (value.size >= WORD && text.size >= value.size &&
                                memmem(text.data, text.size, value.data, value.size) != NULL))) {
            return true;
        }
    }
    struct text subject = learning->facts.subject;
    return own_in_text(text, NULL, NULL) || (text.size > 10 && date_parse(text, &at_ms)) ||
           (subject.size > 0 && text_equal(subject, text));
}

static bool is_time(const struct learn_value *value)
{
    uint64_t number = 0;

    return value->kind == LEARN_NUMBER && text_to_u64(value->text, INT64_MAX, &number) &&
           number >= 1000 * 1000 * 1000;
}

bool learn_is_of_one_refusal(struct learning *learning, const struct learn_refusal *refusal,
                             const struct learn_value *value)
{
    struct learn_side *side = NULL;

    return !learn_side_look(learning, refusal->exchange, refusal->what, &side) || is_time(value) ||
           (value->kind != LEARN_NUMBER && learn_is_of_one_request(learning, side, value->text));
}

/* The body without what belongs to this one request. */
static bool clean(struct learning *learning, const struct learn_refusal *refusal,
                  const struct learn_side *side, struct text *body)
{
    struct text source = refusal->exchange->answer.is.body;
    struct learn_values *values = arena_alloc(learning->arena, sizeof *values);
    struct buffer buffer, names;
    struct text cleaned = {0};
    size_t at = 0;

    if (values == NULL) {
        return false;
    } else if (source.size == 0 || !learn_values_read(learning->arena, source, values, NULL)) {
        if (learn_is_of_one_request(learning, side, source)) {
            learn_cannot_say(learning, refusal->exchange,
                             "the body of the refusal has something of this one request; it is "
                             "left out");
            source = (struct text){0};
        }
        return learn_template_escape(learning->arena, source, body);
    }
    buffer_start(&buffer, learning->arena, source.size + 16);
    buffer_start(&names, learning->arena, 128);
    for (size_t i = 0; i < values->count; i++) {
        const struct learn_value *value = &values->rows[i];
        bool text =
            value->kind != LEARN_NUMBER && learn_is_of_one_request(learning, side, value->text);

        if (!text && !is_time(value)) {
            continue;
        }
        buffer_add(&buffer, text_from(text_cut(source, value->start), at));
        buffer_add_c(&buffer, value->kind == LEARN_WORDS ? "[]" : text ? "\"\"" : "0");
        at = value->end;
        buffer_addf(&names, "%s%.*s", names.size > 0 ? ", " : "",
                    TEXT_ARGS(text_cut(value->path, 80)));
    }
    buffer_add(&buffer, text_from(source, at));
    if (names.size > 0) {
        struct text said = text_cut(buffer_text(&names), 200);

        learn_cannot_say(learning, refusal->exchange,
                         "members of the refusal are of this one request, or times, and empty "
                         "here: %.*s",
                         TEXT_ARGS(said));
    }
    return buffer_finish(&buffer, &cleaned) &&
           learn_template_escape(learning->arena, cleaned, body);
}
