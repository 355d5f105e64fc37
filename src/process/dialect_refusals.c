/* SPDX-License-Identifier: ISC */
/* dialect_refusals.c: the sections [refusals] and [complaints] of a dialect's file. Knows which row
 * counts first; what a row answers with is dialect_answers.c. */
#include "process/dialect_reader.h"

static bool take_refusal(struct dialect_reader *reader, const struct config_section *section,
                         const struct config_line *line, struct text scope, int behaviour);
static bool take_body(struct dialect_reader *reader, const struct config_section *section,
                      const struct config_line *line, struct wording *wording);
static bool take_headers(struct dialect_reader *reader, const struct config_section *section,
                         const struct config_line *line, struct wording *wording);

static const char *const class_words[OUTCOME_CLASSES] = {
    [OUTCOME_CLASS_REQUEST] = "request",
    [OUTCOME_CLASS_CLIENT] = "client",
    [OUTCOME_CLASS_TOKEN] = "token",
    [OUTCOME_CLASS_HERE] = "here",
};

/* What struct wording.about is for a word; -1: none. */
static int about_of(struct text word)
{
    enum outcome outcome;

    for (int i = 0; i < OUTCOME_CLASSES; i++) {
        if (class_words[i] != NULL && text_is(word, class_words[i])) {
            return (int)OUTCOME_COUNT + i;
        }
    }
    return outcome_parse(word, &outcome) && !outcome_is_grant(outcome) ? (int)outcome : -1;
}

static bool is_about_class(int about)
{
    return about >= OUTCOME_COUNT;
}

static int class_of(int about)
{
    return is_about_class(about) ? about - (int)OUTCOME_COUNT
                                 : (int)outcome_class((enum outcome)about);
}

/* "[refusals]", "[refusals login]", "[refusals deployed]", "[refusals login deployed]". */
bool dialect_take_refusals(struct dialect_reader *reader, const struct config_section *section)
{
    struct text scope = section->argument;
    int behaviour = WORDS_ALWAYS;
    bool about = false;

    for (int i = 0; i < 2; i++) {
        struct text word = i == 0 ? TEXT("documented") : TEXT("deployed");

        if (text_ends(scope, word) &&
            (scope.size == word.size || scope.data[scope.size - word.size - 1] == ' ')) {
            scope = text_trim(text_cut(scope, scope.size - word.size));
            behaviour = i == 0 ? WORDS_DOCUMENTED : WORDS_DEPLOYED;
            break;
        }
    }
    for (size_t i = 0; i < reader->request_count; i++) {
        about = about || dialect_is_about(reader, &reader->requests[i], scope);
    }
    if (!about && scope.size > 0) {
        return config_complain(&reader->lines, section->line,
                               "[refusals %.*s]: no endpoint, request or operation of that name",
                               TEXT_ARGS(text_cut(section->argument, 80)));
    }
    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];
        struct text word = text_cut(line->name, text_find(line->name, '.'));
        bool detail = word.size < line->name.size;

        if (!dialect_is_single(reader, section, line)) {
            return false;
        } else if (detail && config_line_find_text(section, word) == NULL) {
            return config_complain(
                &reader->lines, line->number, "%.*s without %.*s; write %.*s = STATUS BODY",
                TEXT_ARGS(text_cut(line->name, 80)), TEXT_ARGS(word), TEXT_ARGS(word));
        } else if (!detail && !take_refusal(reader, section, line, scope, behaviour)) {
            return false;
        }
    }
    return true;
}

/* One word and what belongs to it. */
static bool take_refusal(struct dialect_reader *reader, const struct config_section *section,
                         const struct config_line *line, struct text scope, int behaviour)
{
    struct dialect_refusal *made = &reader->refusals[reader->refusal_count];
    int about = about_of(line->name);

    if (config_line_find_text(section, line->name) != line) {
        return true; /* a further line of the same body */
    } else if (about < 0) {
        return config_complain(&reader->lines, line->number,
                               "%.*s: neither a class (request, client, token, here) nor an "
                               "outcome; retoken-dialect(5) lists them",
                               TEXT_ARGS(text_cut(line->name, 80)));
    } else if (reader->refusal_count == DIALECT_ROWS_MAX) {
        return config_complain(&reader->lines, line->number, "more than %d refusals",
                               DIALECT_ROWS_MAX);
    }
    *made = (struct dialect_refusal){.scope = scope, .wording = {.about = about}};
    made->wording.behaviour = behaviour == WORDS_DOCUMENTED ? WORDS_DOCUMENTED
                              : behaviour == WORDS_DEPLOYED ? WORDS_DEPLOYED
                                                            : WORDS_ALWAYS;
    reader->refusal_count++;
    return take_body(reader, section, line, &made->wording) &&
           take_headers(reader, section, line, &made->wording);
}

/* A body without places needs no template. */
static bool take_body(struct dialect_reader *reader, const struct config_section *section,
                      const struct config_line *line, struct wording *wording)
{
    const struct template *template;
    struct buffer filled;
    struct text whole;

    if (!dialect_gather(reader, section, line->name, &whole) ||
        !dialect_take_status(reader, line, &whole, &wording->status) ||
        !dialect_take_type(reader, dialect_find_detail(section, line->name, "type"),
                           &wording->media_type)) {
        return false;
    } else if (whole.size == 0) {
        return true;
    }
    template = dialect_compile(reader, line, reader->scratch, whole, text_of(wording->media_type),
                               reader->style, &described_refusal_names);
    if (template == NULL) {
        return false;
    } else if (template_has_places(template)) {
        wording->template =
            dialect_compile(reader, line, reader->arena, whole, text_of(wording->media_type),
                            reader->style, &described_refusal_names);
        return wording->template != NULL;
    }
    buffer_start(&filled, reader->scratch, whole.size + 1);
    template_fill(template, NULL, &filled); /* $${ is ${ */
    wording->body = buffer_finish(&filled, &whole) ? dialect_keep(reader, whole) : NULL;
    return wording->body != NULL || dialect_no_memory(reader);
}

static bool take_headers(struct dialect_reader *reader, const struct config_section *section,
                         const struct config_line *line, struct wording *wording)
{
    if (wording->about == OUTCOME_UNSUPPORTED_CODING && wording->status == 415) {
        wording->header = "Accept-Encoding";
        wording->value = "identity";
    }
    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *beside = &section->lines[i];
        struct text header = TEXT("header.");
        struct text detail;

        if (!dialect_split_name(beside->name, line->name, &detail) || detail.size == 0 ||
            text_is(detail, "type")) {
            continue;
        } else if (!text_starts(detail, header)) {
            return config_complain(&reader->lines, beside->number,
                                   "%.*s: unknown; write %.*s.type or %.*s.header.NAME",
                                   TEXT_ARGS(text_cut(beside->name, 80)), TEXT_ARGS(line->name),
                                   TEXT_ARGS(line->name));
        } else if (wording->header != NULL) {
            return config_complain(&reader->lines, beside->number,
                                   "%.*s: a refusal has one header, and this one has it already",
                                   TEXT_ARGS(text_cut(beside->name, 80)));
        }
        wording->value = dialect_keep(reader, beside->value);
        if (wording->value == NULL ||
            !dialect_take_header(reader, beside, text_from(detail, header.size),
                                 &wording->header)) {
            return false;
        }
    }
    return true;
}

bool dialect_is_about(const struct dialect_reader *reader, const struct dialect_request *request,
                      struct text scope)
{
    return text_equal(scope, request->name) ||
           text_is(scope, reader->endpoints[request->endpoint].endpoint.name) ||
           text_is(scope, request->request.operation->word);
}

/* Those of the request come before those of all; then single outcomes before their class; then
 * those of one behaviour. */
static size_t add_words(const struct dialect_reader *reader, const struct dialect_request *request,
                        bool own, struct wording *words)
{
    size_t count = 0;

    for (int pass = 0; pass < 4; pass++) {
        bool classes = pass >= 2;
        bool always = pass % 2 != 0;

        for (size_t i = 0; i < reader->refusal_count; i++) {
            const struct dialect_refusal *row = &reader->refusals[i];
            bool is_own = row->scope.size > 0 && dialect_is_about(reader, request, row->scope);

            if ((own ? is_own : row->scope.size == 0) &&
                is_about_class(row->wording.about) == classes &&
                (row->wording.behaviour == WORDS_ALWAYS) == always) {
                words[count++] = row->wording;
            }
        }
    }
    return count;
}

const struct wording *dialect_words(struct dialect_reader *reader,
                                    const struct dialect_request *request)
{
    struct wording *words = arena_alloc(reader->scratch, 2 * reader->refusal_count * sizeof *words);
    struct wording *kept = NULL;
    size_t count = 0;

    if (words != NULL) {
        count = add_words(reader, request, true, words);
        count += add_words(reader, request, false, words + count);
        kept = arena_alloc(reader->arena, (count + 1) * sizeof *kept);
    }
    if (kept == NULL) {
        (void)dialect_no_memory(reader);
        return NULL;
    }
    memcpy(kept, words, count * sizeof *kept);
    for (int class = OUTCOME_CLASS_REQUEST; class <= OUTCOME_CLASS_HERE; class ++) {
        size_t i = 0;

        while (i < count &&
               (kept[i].about != (int)OUTCOME_COUNT + class || kept[i].behaviour != WORDS_ALWAYS)) {
            i++;
        }
        if (i == count) {
            (void)config_complain(&reader->lines, request->section->line,
                                  "no answer for refusals of the class `%s`; write %s = STATUS "
                                  "BODY in [refusals]",
                                  class_words[class], class_words[class]);
            return NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (class_of(kept[i].about) == OUTCOME_CLASS_HERE && kept[i].status < 500 &&
            kept[i].status != 429) {
            (void)config_complain(&reader->lines, request->section->line,
                                  "a fault of the server is answered with %d: clients would take "
                                  "it for a refused token; write 500 to 599",
                                  kept[i].status);
            return NULL;
        }
    }
    return kept;
}

/* ---- complaints about fields ---- */

static bool take_complaint(struct dialect_reader *reader, const struct config_line *line,
                           struct described_complaint *row)
{
    static const struct {
        const char *word;
        enum described_state state;
    } states[] = {{"absent", DESCRIBED_ABSENT},
                  {"null", DESCRIBED_NULL},
                  {"empty", DESCRIBED_EMPTY},
                  {"other", DESCRIBED_OTHER},
                  {"members", DESCRIBED_MEMBERS}};
    struct text label = line->name;

    *row = (struct described_complaint){.state = DESCRIBED_ANY_STATE};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct text word = text_of(states[i].word);

        if (text_ends(label, word) && label.size > word.size + 1 &&
            label.data[label.size - word.size - 1] == '.') {
            label.size -= word.size + 1;
            row->state = states[i].state;
            break;
        }
    }
    if (!text_is(label, "any")) {
        row->label = dialect_keep(reader, label);
    }
    if (template_compile(reader->scratch, line->value, TEMPLATE_JSON, 0, &described_refusal_names,
                         NULL) == NULL ||
        text_find(line->value, '$') < line->value.size) {
        return config_complain_value(&reader->lines, line,
                                     "not JSON; write for example [\"This field is required.\"]");
    }
    row->json = dialect_keep(reader, line->value);
    return row->json != NULL && (row->label != NULL || text_is(label, "any"));
}

bool dialect_take_complaints(struct dialect_reader *reader, const struct config_section *section)
{
    struct described_complaint *rows =
        arena_alloc(reader->arena, (section->count + 1) * sizeof *rows);
    bool about = false;

    if (rows == NULL) {
        return dialect_no_memory(reader);
    }
    for (size_t i = 0; i < section->count; i++) {
        if (!dialect_is_single(reader, section, &section->lines[i]) ||
            !take_complaint(reader, &section->lines[i], &rows[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < reader->request_count; i++) {
        struct dialect_request *request = &reader->requests[i];

        if (section->argument.size == 0 ? request->request.complaints == NULL
                                        : dialect_is_about(reader, request, section->argument)) {
            request->request.complaints = rows;
            about = true;
        }
    }
    return about || config_complain(&reader->lines, section->line,
                                    "[complaints %.*s]: no endpoint, request or operation of that "
                                    "name",
                                    TEXT_ARGS(text_cut(section->argument, 80)));
}
