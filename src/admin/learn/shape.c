/* SPDX-License-Identifier: ISC */
/* shape.c: the body of a refusal of which none was recorded, made like those that were: a client
 * reads the same members of each. Knows nothing of which refusals a file wants. */
#include <stdio.h>

#include "admin/learn/side.h"

/* The recorded refusals, each an object with the same members. */
struct shape {
    const struct learn_refusal *refusals[LEARN_REFUSALS_MAX];
    const struct learn_values *values[LEARN_REFUSALS_MAX];
    size_t count;
};

static bool find_shape(const struct learning *learning, struct shape *shape);
static void write_value(struct learning *learning, const struct shape *shape, size_t row,
                        int status, const char *error, struct buffer *out);
static bool says_what(const struct shape *shape, size_t row);

const struct learn_refusal *learn_shape(struct learning *learning, int status, const char *error,
                                        struct text *body)
{
    struct shape shape = {.count = 0};
    struct text made = {0};
    struct buffer buffer;
    size_t at = 0;

    if (!find_shape(learning, &shape)) {
        return NULL;
    }
    struct text source = shape.values[0]->source;

    buffer_start(&buffer, learning->arena, source.size + 64);
    for (size_t i = 0; i < shape.values[0]->count; i++) {
        const struct learn_value *value = &shape.values[0]->rows[i];

        buffer_add(&buffer, text_from(text_cut(source, value->start), at));
        write_value(learning, &shape, i, status, error, &buffer);
        at = value->end;
    }
    buffer_add(&buffer, text_from(source, at));
    return buffer_finish(&buffer, &made) && learn_template_escape(learning->arena, made, body) &&
                   learn_can_be_set(*body)
               ? shape.refusals[0]
               : NULL;
}

static bool has_same_members(const struct learn_values *one, const struct learn_values *other)
{
    bool same = one->count == other->count;

    for (size_t i = 0; i < one->count && same; i++) {
        same = text_equal(one->rows[i].path, other->rows[i].path) &&
               one->rows[i].kind == other->rows[i].kind;
    }
    return same;
}

/* False: none was recorded, or they differ. */
static bool find_shape(const struct learning *learning, struct shape *shape)
{
    const struct learn_input *input = learning->input;

    for (size_t i = 0; i < input->refusal_count; i++) {
        const struct learn_refusal *refusal = &input->refusals[i];
        struct learn_values *values = arena_alloc(learning->arena, sizeof *values);

        if (learning->sides[refusal->what] == NULL) {
            continue; /* it is in no section */
        } else if (values == NULL ||
                   !learn_values_read(learning->arena, refusal->exchange->answer.is.body, values,
                                      NULL) ||
                   (shape->count > 0 && !has_same_members(shape->values[0], values))) {
            return false;
        }
        shape->refusals[shape->count] = refusal;
        shape->values[shape->count++] = values;
    }
    return shape->count > 0 && shape->values[0]->count > 0;
}

/* A status is the line's, a text that says what was refused says the error, and of the rest nothing
 * is left that may be of one request. */
static void write_value(struct learning *learning, const struct shape *shape, size_t row,
                        int status, const char *error, struct buffer *out)
{
    const struct learn_value *value = &shape->values[0]->rows[row];
    struct text source = shape->values[0]->source;
    bool text = value->kind == LEARN_STRING;
    char recorded[16];

    (void)snprintf(recorded, sizeof recorded, "%d", shape->refusals[0]->exchange->answer.status);
    if (value->kind != LEARN_OTHER && text_is(value->text, recorded)) {
        buffer_addf(out, text ? "\"%d\"" : "%d", status);
    } else if (text && says_what(shape, row)) {
        bool word = text_find(value->text, ' ') == value->text.size;

        buffer_add_c(out, "\"");
        for (const char *c = error; *c != '\0'; c++) {
            buffer_add_char(out, *c == '_' && !word ? ' ' : *c);
        }
        buffer_add_c(out, "\"");
    } else if (learn_is_of_one_refusal(learning, shape->refusals[0], value)) {
        buffer_add_c(out, text ? "\"\"" : value->kind == LEARN_WORDS ? "[]" : "0");
    } else {
        buffer_add(out, text_from(text_cut(source, value->end), value->start));
    }
}

/* ---- which texts say what was refused ---- */

/* Has another refusal another one there? Of a single refusal that is not known: then all may, but
 * for those that say only that it is one. */
static bool varies(const struct shape *shape, size_t row)
{
    static const char *const words[] = {"status", "result", "success", "type", "level", "version"};
    const struct learn_value *value = &shape->values[0]->rows[row];
    bool other = shape->count == 1 && value->text.size > 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0] && shape->count == 1; i++) {
        other = other && !learn_name_is(value->name, words[i]);
    }
    for (size_t i = 1; i < shape->count; i++) {
        other = other || !text_equal(value->text, shape->values[i]->rows[row].text);
    }
    return other && value->kind == LEARN_STRING;
}

/* Where none varies, it is the last text. */
static bool says_what(const struct shape *shape, size_t row)
{
    size_t last = shape->values[0]->count;
    bool any = false;

    for (size_t i = 0; i < shape->values[0]->count; i++) {
        any = any || varies(shape, i);
        last = shape->values[0]->rows[i].kind == LEARN_STRING ? i : last;
    }
    return any ? varies(shape, row) : row == last;
}
