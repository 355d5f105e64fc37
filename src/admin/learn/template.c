/* SPDX-License-Identifier: ISC */
/* template.c: see template.h. */
#include "admin/learn/template.h"

#include <ctype.h>

#include "admin/learn/meaning.h"

static void put(const struct learn_values *values, size_t index,
                const struct learn_meaning *meaning, struct text *claims, struct buffer *out,
                struct learn_said *said);

static void add_escaped(struct buffer *out, struct text text)
{
    while (text.size > 0) {
        if (text_starts(text, TEXT("${"))) {
            buffer_add_char(out, '$');
        }
        buffer_add_char(out, text.data[0]);
        text = text_from(text, 1);
    }
}

bool learn_template_escape(struct arena *arena, struct text text, struct text *escaped)
{
    struct buffer out;

    buffer_start(&out, arena, text.size + 16);
    add_escaped(&out, text);
    return buffer_finish(&out, escaped);
}

static bool make(const struct learn_values *values, const struct learn_facts *facts, bool payload,
                 bool refresh, struct arena *arena, struct learn_said *said, struct text *template)
{
    struct text claims[LEARN_VALUES_MAX] = {{0}};
    struct buffer out;
    size_t at = 0;

    buffer_start(&out, arena, values->source.size + 256);
    buffer_start(&said->guesses, arena, 256);
    buffer_start(&said->unsaid, arena, 256);
    for (size_t i = 0; i < values->count; i++) {
        const struct learn_value *value = &values->rows[i];
        struct learn_meaning meaning = payload ? learn_meaning_in_payload(value, facts, refresh)
                                               : learn_meaning_in_answer(value, facts, arena);

        add_escaped(&out, text_from(text_cut(values->source, value->start), at));
        put(values, i, &meaning, claims, &out, said);
        at = value->end;
    }
    add_escaped(&out, text_from(values->source, at));
    return buffer_finish(&out, template);
}

bool learn_template_answer(const struct learn_values *values, const struct learn_facts *facts,
                           struct arena *arena, struct learn_said *said, struct text *template)
{
    return make(values, facts, false, false, arena, said, template);
}

bool learn_template_payload(const struct learn_values *values, const struct learn_facts *facts,
                            bool refresh, struct arena *arena, struct learn_said *said,
                            struct text *template)
{
    return make(values, facts, true, refresh, arena, said, template);
}

/* A name for the claim: the value's own, or its path where another value has that, or a number. */
static struct text name_claim(const struct learn_values *values, size_t index,
                              const struct text *claims, struct arena *arena)
{
    const struct learn_value *value = &values->rows[index];
    struct text name = {0};

    for (int attempt = 0; attempt < 3; attempt++) {
        struct text from = attempt == 0 ? value->name : value->path;
        struct buffer buffer;
        bool is_free = true;

        buffer_start(&buffer, arena, from.size + 8);
        for (size_t i = 0; i < from.size; i++) {
            char c = from.data[i];

            buffer_add_char(&buffer, isalnum((unsigned char)c) || c == '-' ? c : '_');
        }
        if (attempt == 2) {
            buffer_addf(&buffer, "_%zu", index);
        }
        if (!buffer_finish(&buffer, &name)) {
            break;
        }
        for (size_t i = 0; i < index; i++) {
            is_free = is_free && (!text_equal(claims[i], name) ||
                                  (text_equal(values->rows[i].text, value->text) &&
                                   values->rows[i].kind == value->kind));
        }
        if (is_free && name.size > 0) {
            break;
        }
    }
    return name;
}

static void put(const struct learn_values *values, size_t index,
                const struct learn_meaning *meaning, struct text *claims, struct buffer *out,
                struct learn_said *said)
{
    const struct learn_value *value = &values->rows[index];
    struct text spelled = text_from(text_cut(values->source, value->end), value->start);
    const char *quote = value->kind == LEARN_STRING && !meaning->bare ? "\"" : "";

    if (meaning->why != NULL) {
        buffer_addf(&said->guesses, "# guessed: %.*s: %s\n", TEXT_ARGS(text_cut(value->path, 80)),
                    meaning->why);
    }
    if (value->kind == LEARN_WORDS && memchr(spelled.data, ' ', spelled.size) != NULL) {
        buffer_addf(&said->unsaid, "an array is written without the spaces that it has\t%.*s\n",
                    TEXT_ARGS(text_cut(value->path, 80)));
    }
    if (meaning->unsaid != NULL) {
        buffer_addf(&said->unsaid, "%s\t%.*s\n", meaning->unsaid,
                    TEXT_ARGS(text_cut(value->path, 80)));
    }
    if (meaning->account) {
        claims[index] = meaning->name != NULL ? text_of(meaning->name)
                                              : name_claim(values, index, claims, out->arena);
        buffer_addf(out, "${account.%.*s%s}", TEXT_ARGS(claims[index]), value->in_array ? "" : "?");
    } else if (meaning->name != NULL) {
        buffer_addf(out, "%s${%s}%s", quote, meaning->name, quote);
    } else {
        add_escaped(out, spelled);
    }
}

/* ---- escaping ---- */

const char *learn_template_style(struct text json)
{
    bool slash = json.size > 0 && memmem(json.data, json.size, "\\/", 2) != NULL;
    bool plain = false, ascii = false;

    for (size_t i = 0; i < json.size; i++) {
        plain = plain || (unsigned char)json.data[i] >= 0x80;
        if (json.data[i] == '\\' && i + 1 < json.size) {
            struct text escape = text_from(json, ++i);

            ascii = ascii ||
                    (escape.data[0] == 'u' && escape.size > 3 &&
                     (escape.data[1] != '0' || escape.data[2] != '0' || escape.data[3] >= '8'));
        }
    }
    ascii = ascii && !plain;
    return slash && ascii ? "php" : slash ? "slash" : ascii ? "ascii" : plain ? "plain" : NULL;
}
