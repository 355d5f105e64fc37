/* SPDX-License-Identifier: ISC */
/* dialect_tokens.c: the sections [access-token] and [refresh-token] of a dialect's file: the header
 * and the payload of its JWTs. Knows what a layout is made of; what a payload can hold is
 * token/layout_names.h. */
#include "process/dialect_reader.h"

#include "token/layout_names.h"

static bool take_header(struct dialect_reader *reader, const struct config_line *line);
static const struct template *take_payload(struct dialect_reader *reader, unsigned number,
                                           struct text source);

#define USUAL_HEADER "{\"alg\":\"${alg}\",\"typ\":\"JWT\",\"kid\":\"${kid}\"}"
#define USUAL_PAYLOAD                                                                              \
    "{\"sub\":\"${subject}\",\"iss\":\"${issuer?}\",\"aud\":\"${audience?}\",\"iat\":${issued_at}" \
    ","                                                                                            \
    "\"exp\":${expires_at?},\"jti\":\"${jti}\",\"sid\":\"${session}\"}"

bool dialect_take_token(struct dialect_reader *reader, const struct config_section *section)
{
    bool access = text_is(section->word, "access-token");
    struct layout *layout = reader->layout;
    const struct template **payload = access ? &layout->access_template : &layout->refresh_template;

    if (*payload != NULL || (access && layout->header[0].name != NULL)) {
        return config_complain(&reader->lines, section->line, "[%.*s] is there already",
                               TEXT_ARGS(section->word));
    }
    for (size_t i = 0; i < section->count; i++) {
        const struct config_line *line = &section->lines[i];

        if (!dialect_is_single(reader, section, line)) {
            return false;
        } else if (access && text_is(line->name, "header")) {
            if (!take_header(reader, line)) {
                return false;
            }
        } else if (access && text_is(line->name, "json-style")) {
            if (!dialect_take_style(reader, line, &layout->style)) {
                return false;
            }
        } else if (!text_is(line->name, "payload")) {
            return config_complain(&reader->lines, line->number,
                                   "%.*s: unknown setting in [%.*s]; header and json-style of "
                                   "[access-token] hold for both kinds of token",
                                   TEXT_ARGS(text_cut(line->name, 80)), TEXT_ARGS(section->word));
        }
    }
    const struct config_line *line = config_line_find(section, "payload");
    if (line == NULL && !access) {
        return config_complain(&reader->lines, section->line,
                               "[refresh-token]: no payload; without this section refresh tokens "
                               "are no JWTs");
    }
    *payload = take_payload(reader, line != NULL ? line->number : section->line,
                            line != NULL ? line->value : TEXT(USUAL_PAYLOAD));
    return *payload != NULL;
}

/* Members that are texts: each as it is, or what the key says. */
static bool take_header(struct dialect_reader *reader, const struct config_line *line)
{
    const json_t *header = json_in_object(reader->scratch, line->value, NULL);
    struct layout *layout = reader->layout;
    const char *name;
    json_t *value;
    size_t count = 0;
    bool alg = false;

    json_object_foreach((json_t *)(uintptr_t)header, name, value)
    {
        struct text text = text_of(json_string_value(value));
        bool own = text_is(text, "${alg}") || text_is(text, "${kid}");

        if (count == LAYOUT_HEADER_MAX || !json_is_string(value) ||
            (own && !text_equal(text_from(text_cut(text, text.size - 1), 2), text_of(name)))) {
            header = NULL;
            break;
        }
        layout->header[count].name = dialect_keep(reader, text_of(name));
        layout->header[count].value = own ? NULL : dialect_keep(reader, text);
        alg = alg || text_is(text, "${alg}");
        count++;
    }
    return (header != NULL && alg) ||
           config_complain_value(&reader->lines, line,
                                 "not a header; write a JSON object of at most 4 texts, for "
                                 "example " USUAL_HEADER);
}

/* NULL: a complaint. */
static const struct template *take_payload(struct dialect_reader *reader, unsigned number,
                                           struct text source)
{
    struct fault fault;
    const struct template *payload = template_compile(
        reader->arena, source, TEMPLATE_JSON, reader->layout->style, &layout_claim_names, &fault);

    if (payload == NULL) {
        (void)config_complain(&reader->lines, number, "payload: %s", fault.text);
    } else if (!json_is_object(template_outline(payload))) {
        (void)config_complain(&reader->lines, number, "payload: not a JSON object");
        return NULL;
    }
    return payload;
}

bool dialect_finish_tokens(struct dialect_reader *reader)
{
    struct layout *layout = reader->layout;
    const struct config_line line = {.value = TEXT(USUAL_HEADER)};

    if ((layout->access_template == NULL &&
         (layout->access_template = take_payload(reader, 0, TEXT(USUAL_PAYLOAD))) == NULL) ||
        (layout->header[0].name == NULL && !take_header(reader, &line))) {
        return false;
    }
    const struct template *access = layout->access_template;
    layout->session_claim = template_member(access, "session");
    layout->says_scope = template_has(access, "scope") || template_has(access, "scope.list");
    layout->says_audience = template_has(access, "audience");
    return true;
}
