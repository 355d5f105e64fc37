/* SPDX-License-Identifier: ISC */
/* spelled.c: see spelled.h. */
#include "base/expect.h"

#include <ctype.h>

#include "responder/spelled.h"

enum { MEMBERS_MAX = DESCRIBED_VALUES_MAX + DESCRIBED_CONDITIONS_MAX, VARIABLES_MAX = 32 };

/* A value of the JSON body, and the members on the way to it. */
struct member {
    const char *const *path;
    struct text json;
};

struct writer {
    struct arena *arena;
    const struct spelled *spelled;
    struct text method;
    struct member members[MEMBERS_MAX];
    size_t member_count;
    struct buffer form, query, cookie;
    const char *variables[VARIABLES_MAX];
    size_t variable_count;
};

static void put(struct writer *writer, const struct described_place *place, struct text text,
                enum spelling spelling);
static void put_pair(struct buffer *pairs, const char *name, struct text text,
                     enum spelling spelling);
static void put_variable(struct writer *writer, const char *name, struct text value);
static void put_header(struct writer *writer, const char *name, struct text value);
static void write_object(struct writer *writer, struct buffer *out, const char *const *prefix,
                         size_t depth);

const struct described_place *spelled_place(const struct spelled *spelled,
                                            const struct described_value *value)
{
    size_t last = value->place_count - 1;

    return &value->places[spelled->variation < last ? spelled->variation : last];
}

static void put_values(struct writer *writer)
{
    const struct described_request *described = writer->spelled->described;

    for (size_t i = 0; i < described->condition_count; i++) {
        const struct described_condition *condition = &described->conditions[i];

        if (condition->choice_count > 0) {
            put(writer, &condition->place,
                writer->spelled->condition.data != NULL ? writer->spelled->condition
                                                        : condition->choices[0],
                SPELLED_TEXT);
        }
    }
    for (size_t i = 0; i < described->value_count; i++) {
        const struct described_value *value = &described->values[i];
        struct text text = writer->spelled->values[value->role].text;
        enum spelling spelling = writer->spelled->values[value->role].spelling;

        if (text.data != NULL && writer->spelled->values[value->role].in_url) {
            put_pair(&writer->query, value->label, text, spelling);
        } else if (text.data != NULL) {
            put(writer, spelled_place(writer->spelled, value), text, spelling);
        }
    }
}

/* As RFC 6749 has it: in the form, or else by Basic. */
static void put_client(struct writer *writer)
{
    struct text id = writer->spelled->values[DESCRIBED_CLIENT_ID].text;
    struct buffer pair, basic;

    if (!writer->spelled->described->oauth_client || id.data == NULL) {
        return;
    } else if (writer->form.size > 0) {
        put_pair(&writer->form, "client_id", id, SPELLED_TEXT);
        return;
    }
    buffer_start(&pair, writer->arena, id.size + 1);
    buffer_addf(&pair, "%.*s:", TEXT_ARGS(id));
    buffer_start(&basic, writer->arena, 2 * id.size + 16);
    buffer_add_c(&basic, "Basic ");
    buffer_add_base64(&basic, pair.data, pair.size);
    put_header(writer, "authorization", buffer_text(&basic));
}

static const char *method_of(const struct endpoint *endpoint)
{
    return (endpoint->methods & ENDPOINT_POST) != 0  ? "POST"
           : (endpoint->methods & ENDPOINT_GET) != 0 ? "GET"
                                                     : "DELETE";
}

bool spelled_request(const struct spelled *spelled, struct arena *arena,
                     struct http_request *request)
{
    struct writer writer = {
        .arena = arena, .spelled = spelled, .method = text_of(method_of(spelled->endpoint))};
    struct buffer body;

    buffer_start(&writer.form, arena, 256);
    buffer_start(&writer.query, arena, 256);
    buffer_start(&writer.cookie, arena, 256);
    buffer_start(&body, arena, 256);
    put_values(&writer);
    put_client(&writer);
    if (writer.member_count > 0 && writer.form.size > 0) {
        return false;
    } else if (writer.member_count > 0 || spelled->described->needs_json) {
        write_object(&writer, &body, NULL, 0);
        put_variable(&writer, "CONTENT_TYPE", TEXT("application/json"));
    } else if (writer.form.size > 0) {
        buffer_add(&body, buffer_text(&writer.form));
        put_variable(&writer, "CONTENT_TYPE", TEXT("application/x-www-form-urlencoded"));
    }
    put_variable(&writer, "REQUEST_METHOD", writer.method);
    put_variable(&writer, "SCRIPT_NAME", text_of(spelled->endpoint->path));
    put_variable(&writer, "QUERY_STRING", buffer_text(&writer.query));
    if (writer.cookie.size > 0) {
        put_header(&writer, "cookie", buffer_text(&writer.cookie));
    }
    assert_true(http_request_from_cgi(arena, writer.variables, request));
    request->body = buffer_text(&body);
    return true;
}

/* ---- places ---- */

static struct text json_of(struct arena *arena, struct text text, enum spelling spelling)
{
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);

    if (spelling == SPELLED_RAW) {
        return text;
    }
    buffer_start(&buffer, arena, text.size + 16);
    if (text_is_utf8(text)) {
        json_out_text(&out, text);
    } else { /* as a client without care would */
        buffer_add_char(&buffer, '"');
        buffer_add(&buffer, text);
        buffer_add_char(&buffer, '"');
    }
    return buffer_text(&buffer);
}

static void put(struct writer *writer, const struct described_place *place, struct text text,
                enum spelling spelling)
{
    struct buffer buffer;

    buffer_start(&buffer, writer->arena, text.size + 64);
    switch (place->source) {
    case DESCRIBED_JSON:
        assert_true(writer->member_count < MEMBERS_MAX);
        writer->members[writer->member_count++] =
            (struct member){place->path, json_of(writer->arena, text, spelling)};
        break;
    case DESCRIBED_FORM:
        put_pair(&writer->form, place->name, text, spelling);
        break;
    case DESCRIBED_QUERY:
        put_pair(&writer->query, place->name, text, spelling);
        break;
    case DESCRIBED_HEADER:
        put_header(writer, place->name, text);
        break;
    case DESCRIBED_AUTHORIZATION:
        buffer_addf(&buffer, "%s %.*s", place->name, TEXT_ARGS(text));
        put_header(writer, "authorization", buffer_text(&buffer));
        break;
    case DESCRIBED_COOKIE:
        buffer_addf(&writer->cookie, "%s=%.*s", writer->spelled->described->cookies.refresh,
                    TEXT_ARGS(text));
        break;
    case DESCRIBED_METHOD:
        writer->method = text;
        break;
    }
}

static void put_pair(struct buffer *pairs, const char *name, struct text text,
                     enum spelling spelling)
{
    buffer_addf(pairs, "%s%s=", pairs->size > 0 ? "&" : "", name);
    for (size_t i = 0; i < text.size; i++) {
        if (spelling == SPELLED_RAW || isalnum((unsigned char)text.data[i])) {
            buffer_add_char(pairs, text.data[i]);
        } else {
            buffer_addf(pairs, "%%%02x", (unsigned char)text.data[i]);
        }
    }
}

static void put_variable(struct writer *writer, const char *name, struct text value)
{
    struct buffer buffer;

    assert_true(writer->variable_count + 1 < VARIABLES_MAX);
    buffer_start(&buffer, writer->arena, value.size + 64);
    buffer_addf(&buffer, "%s=%.*s", name, TEXT_ARGS(value));
    writer->variables[writer->variable_count++] =
        arena_c_string(writer->arena, buffer_text(&buffer));
}

static void put_header(struct writer *writer, const char *name, struct text value)
{
    char variable[128] = "HTTP_";
    size_t size = strlen(variable);

    for (; *name != '\0' && size + 1 < sizeof variable; name++) {
        variable[size++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    }
    variable[size] = '\0';
    put_variable(writer, variable, value);
}

/* ---- JSON ---- */

static bool begins_with(const char *const *path, const char *const *prefix, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        if (path[i] == NULL || strcmp(path[i], prefix[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Is the member one of the object at `prefix`, and the first of its name there? */
static bool opens(const struct writer *writer, size_t index, const char *const *prefix,
                  size_t depth)
{
    const char *const *path = writer->members[index].path;

    for (size_t i = 0; i < index; i++) {
        if (begins_with(writer->members[i].path, path, depth + 1)) {
            return false;
        }
    }
    return begins_with(path, prefix, depth);
}

static void write_object(struct writer *writer, struct buffer *out, const char *const *prefix,
                         size_t depth)
{
    struct json_out json = json_out_start(out, JSON_STYLE_PLAIN);

    json_out_open(&json);
    for (size_t i = 0; i < writer->member_count; i++) {
        const struct member *member = &writer->members[i];

        if (opens(writer, i, prefix, depth)) {
            json_out_key(&json, member->path[depth]);
            if (member->path[depth + 1] == NULL) {
                buffer_add(out, member->json);
            } else {
                write_object(writer, out, member->path, depth + 1);
            }
            json.comma = true;
        }
    }
    json_out_close(&json);
}
