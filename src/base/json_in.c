/* SPDX-License-Identifier: ISC */
/* json_in.c: the gate in front of jansson. Knows which JSON is accepted and where its memory comes
 * from; does not know what it says. */
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

#include "base/json.h"

/* One parse: where its memory comes from and what is left to read.
 *
 * The spill exists because jansson's lexer ignores a failure to grow its token buffer, and then
 * writes past its end. So the first allocation that the arena refuses is made from the spill, which
 * always has room for that buffer, and the input ends there. It is passed on byte by byte, so that
 * no further byte reaches the lexer. Every other allocation may fail. */
struct parse {
    struct arena *arena;
    char *spill;
    size_t spill_left;
    bool exhausted;
    struct text rest;
};

/* jansson has one allocator for the whole program, without an argument. So this is the parse that
 * the thread is in, and NULL outside of one. */
static _Thread_local struct parse *parsing;

/* jansson's token buffer doubles, and holds at most the whole input and one more character. */
static size_t spill_size(size_t input)
{
    return 2 * input + 64;
}

static void *allocate_from_spill(struct parse *parse, size_t size)
{
    size_t aligned =
        size + (alignof(max_align_t) - size % alignof(max_align_t)) % alignof(max_align_t);

    parse->exhausted = true;
    if (aligned < size || aligned > parse->spill_left) {
        return NULL;
    }
    parse->spill_left -= aligned;
    return parse->spill + parse->spill_left;
}

static void *allocate(size_t size)
{
    if (parsing == NULL) {
        return malloc(size);
    }
    void *memory = parsing->exhausted ? NULL : arena_alloc(parsing->arena, size);
    return memory != NULL ? memory : allocate_from_spill(parsing, size);
}

/* During a parse jansson frees only what the same parse has allocated, and the arena keeps that.
 * Outside of one it frees what malloc gave: values in the arena do not get here, because their
 * count makes them permanent. */
static void release(void *pointer)
{
    if (parsing == NULL) {
        free(pointer);
    }
}

static size_t next_byte(void *out, size_t room, void *argument)
{
    struct parse *parse = argument;

    if (parse->exhausted || parse->rest.size == 0 || room == 0) {
        return 0;
    }
    *(char *)out = parse->rest.data[0];
    parse->rest = text_from(parse->rest, 1);
    return 1;
}

static void prepare_jansson(void)
{
    json_set_alloc_funcs(allocate, release);
    json_object_seed(0); /* random, so that no client knows which keys collide */
}

/* A count of (size_t)-1, as jansson's own true, false and null have, is never changed. So a stray
 * json_decref frees nothing in the arena. */
static void live_for_ever(json_t *value)
{
    const char *key;
    json_t *member;
    size_t index;

    value->refcount = (size_t)-1;
    if (json_is_object(value)) {
        json_object_foreach(value, key, member)
        {
            live_for_ever(member);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, member)
        {
            live_for_ever(member);
        }
    }
}

/* Not in jansson's words, which quote the text near the error: that may be a token. */
static const char *kind_of(enum json_error_code code)
{
    switch (code) {
    case json_error_out_of_memory:
        return "too much for one request";
    case json_error_stack_overflow:
        return "nested too deeply";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_end_of_input_expected:
        return "more than one value";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL character";
    case json_error_duplicate_key:
        return "duplicate key";
    case json_error_numeric_overflow:
        return "a number out of range";
    case json_error_unknown:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "not well-formed";
}

/* At least as many as there are: each begins the text or follows one of these. Counts up to `most`
 * and one more. */
static size_t count_values(struct text t, size_t most)
{
    size_t count = 1;
    bool in_string = false;

    for (size_t i = 0; i < t.size && count <= most; i++) {
        char c = t.data[i];

        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else {
            in_string = c == '"';
            count += c == ',' || c == '{' || c == '[';
        }
    }
    return count;
}

static json_t *parse_into(struct arena *arena, struct text t, struct fault *fault)
{
    struct parse parse = {.arena = arena, .rest = t};
    json_error_t error = {0};

    if (count_values(t, JSON_IN_VALUES_MAX) > JSON_IN_VALUES_MAX) {
        fault_set(fault, "JSON: more than %d values", JSON_IN_VALUES_MAX);
        return NULL;
    }
    if (t.size <= SIZE_MAX / 4) {
        parse.spill_left = spill_size(t.size) / alignof(max_align_t) * alignof(max_align_t);
        parse.spill = arena_alloc(arena, parse.spill_left);
    }
    if (parse.spill == NULL) {
        fault_set(fault, "JSON: %s", kind_of(json_error_out_of_memory));
        return NULL;
    }
    parsing = &parse;
    json_t *value = json_load_callback(next_byte, &parse, JSON_REJECT_DUPLICATES, &error);
    parsing = NULL;
    if (value == NULL || parse.exhausted) { /* then what was not read could be anything */
        fault_set(fault, "JSON, line %d column %d: %s", error.line, error.column,
                  kind_of(parse.exhausted ? json_error_out_of_memory : json_error_code(&error)));
        return NULL;
    }
    return value;
}

json_t *json_in_object(struct arena *arena, struct text t, struct fault *fault)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, prepare_jansson) != 0) {
        fault_set(fault, "JSON: jansson could not be prepared");
        return NULL;
    }
    json_t *value = parse_into(arena, t, fault);
    if (value == NULL) {
        return NULL;
    }
    live_for_ever(value);
    if (!json_is_object(value)) {
        fault_set(fault, "JSON: not an object");
        return NULL;
    }
    return value;
}

enum json_in json_in_text(const json_t *object, const char *key, struct text *value)
{
    const json_t *member = json_object_get(object, key);

    if (member == NULL || json_is_null(member)) {
        return JSON_IN_ABSENT;
    }
    if (!json_is_string(member)) {
        return JSON_IN_OTHER;
    }
    *value = (struct text){json_string_value(member), json_string_length(member)};
    return JSON_IN_TEXT;
}

bool json_in_names(const json_t *value, const char *text)
{
    bool found = json_is_string(value) && text_is(text_of(json_string_value(value)), text);

    for (size_t i = 0; !found && i < json_array_size(value); i++) {
        const json_t *member = json_array_get(value, i);

        found = json_is_string(member) && text_is(text_of(json_string_value(member)), text);
    }
    return found && text[0] != '\0';
}
