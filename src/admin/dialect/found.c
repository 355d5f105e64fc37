/* SPDX-License-Identifier: ISC */
/* found.c: see found.h. The outline of a template and a recorded JSON are walked
 * side by side; what stands at a place is put where its name says. */
#include "admin/dialect/found.h"

#include "base/codec.h"
#include "base/date.h"

/* A moment for recordings that tell none: 2017-07-14 02:40:00 UTC. */
#define NO_TIME_MS INT64_C(1500000000000)

/* What of a recording goes where. */
struct finder {
    struct arena *arena;
    void (*found)(struct finder *finder, struct text name, const json_t *value);
    struct answer *answer;          /* of answers */
    struct layout_claims *claims;   /* of payloads */
    struct json_out account, token; /* claims as they are found, without the last brace */
    struct buffer account_text, token_text;
    bool has_next; /* there is a new refresh token */
};

static void found_in_answer(struct finder *finder, struct text name, const json_t *value);
static void found_in_payload(struct finder *finder, struct text name, const json_t *value);
static void walk(struct finder *finder, const json_t *outline, const json_t *value);

static void start_finder(struct finder *finder)
{
    buffer_start(&finder->account_text, finder->arena, 256);
    buffer_start(&finder->token_text, finder->arena, 256);
    finder->account = json_out_start(&finder->account_text, JSON_STYLE_PLAIN);
    finder->token = json_out_start(&finder->token_text, JSON_STYLE_PLAIN);
    json_out_open(&finder->account);
    json_out_open(&finder->token);
}

static const json_t *finish_claims(struct finder *finder, struct json_out *claims,
                                   struct buffer *buffer)
{
    struct text text = {0};

    json_out_close(claims);
    (void)buffer_finish(buffer, &text);
    return json_in_object(finder->arena, text, NULL);
}

/* Those that the dialect sets. */
static void find_in_cookies(const struct http_recording *recorded, const struct request *request,
                            struct finder *finder)
{
    const struct cookie_names *names = &request->described->cookies;

    for (size_t i = 0; i < recorded->is.header_count; i++) {
        struct http_set_cookie cookie;

        if (!http_recording_cookie(&recorded->is.headers[i], &cookie) || cookie.clears) {
            continue;
        } else if (names->refresh != NULL && text_is(cookie.plain, names->refresh)) {
            finder->answer->refresh_token = cookie.value;
            finder->has_next = true;
        } else if (names->access != NULL && text_is(cookie.plain, names->access)) {
            finder->answer->access_token = cookie.value;
        }
    }
}

/* Headers too: their templates are texts. Points in time come first, because durations count from
 * now. */
bool dialect_found_answer(const struct http_recording *recorded, struct request *request)
{
    const struct described_answer *answer = &request->described->answer;
    struct arena *arena = request->arena;
    struct finder found = {.arena = arena, .found = found_in_answer, .answer = &request->answer};
    struct finder *finder = &found;
    const json_t *body = json_in_object(arena, recorded->is.body, NULL);

    finder->answer->now_ms = NO_TIME_MS;
    for (int pass = 0; pass < 2; pass++) {
        finder->answer->access_token = (struct text){0};
        start_finder(finder);
        if (answer->body != NULL && body != NULL) {
            walk(finder, template_outline(answer->body), body);
        }
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        struct text name = {0}, value = {0};
        struct buffer lower;

        buffer_start(&lower, arena, 32);
        for (const char *c = answer->headers[i].name; *c != '\0'; c++) {
            buffer_add_char(&lower, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
        }
        if (buffer_finish(&lower, &name) &&
            http_header(&recorded->is, name.data, &value) == HTTP_ONE) {
            struct buffer quoted;
            struct json_out out = json_out_start(&quoted, JSON_STYLE_PLAIN);
            struct text both = {0};

            buffer_start(&quoted, arena, 256);
            json_out_open(&out);
            json_out_member(&out, "outline", template_source(answer->headers[i].value));
            json_out_member(&out, "value", value);
            json_out_close(&out);
            (void)buffer_finish(&quoted, &both);
            walk(finder, json_object_get(json_in_object(arena, both, NULL), "outline"),
                 json_object_get(json_in_object(arena, both, NULL), "value"));
        }
    }
    find_in_cookies(recorded, request, finder);
    finder->answer->claims = finish_claims(finder, &finder->account, &finder->account_text);
    finder->answer->payload = finish_claims(finder, &finder->token, &finder->token_text);
    return finder->has_next;
}

void dialect_found_payload(const struct template *template, const json_t *payload,
                           struct arena *arena, struct layout_claims *claims)
{
    struct finder finder = {.arena = arena, .found = found_in_payload, .claims = claims};

    *claims = (struct layout_claims){.scope_given = true};
    start_finder(&finder);
    walk(&finder, template_outline(template), payload);
    claims->account = finish_claims(&finder, &finder.account, &finder.account_text);
}

/* Where the outline has one place in a text, what stands there in the recording. */
static void walk_text(struct finder *finder, struct text outline, const json_t *value)
{
    struct text before = outline;
    size_t at = 0;

    while (at + 1 < outline.size && !text_starts(text_from(outline, at), TEXT("${"))) {
        at++;
    }
    if (at + 1 >= outline.size) {
        return;
    }
    struct text name = text_from(outline, at + 2);
    size_t end = text_find(name, '}');
    struct text after = text_from(name, end + 1);
    struct text text = text_of(json_string_value(value));

    before = text_cut(outline, at);
    name = text_cut(name, end);
    name.size -= text_ends(name, TEXT("?"));
    if (before.size == 0 && after.size == 0) {
        finder->found(finder, name, value);
    } else if (json_is_string(value) && text_starts(text, before) && text_ends(text, after) &&
               text.size >= before.size + after.size) {
        struct text inner = text_from(text_cut(text, text.size - after.size), before.size);
        struct buffer buffer;
        struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
        struct text whole = {0};

        buffer_start(&buffer, finder->arena, 256);
        json_out_open(&out);
        json_out_member(&out, "value", inner);
        json_out_close(&out);
        (void)buffer_finish(&buffer, &whole);
        finder->found(finder, name,
                      json_object_get(json_in_object(finder->arena, whole, NULL), "value"));
    }
}

static void walk(struct finder *finder, const json_t *outline, const json_t *value)
{
    const char *name;
    json_t *member;

    if (json_is_object(outline) && json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)outline, name, member)
        {
            const json_t *other = json_object_get(value, name);

            if (other != NULL) {
                walk(finder, member, other);
            }
        }
        if (json_object_get(outline, "${account.*}") != NULL) {
            json_object_foreach((json_t *)(uintptr_t)value, name, member)
            {
                if (json_object_get(outline, name) == NULL) {
                    json_out_key(&finder->account, name);
                    json_out_value(&finder->account, member);
                }
            }
        }
    } else if (json_is_array(outline) && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(outline) && i < json_array_size(value); i++) {
            walk(finder, json_array_get(outline, i), json_array_get(value, i));
        }
    } else if (json_is_string(outline)) {
        walk_text(finder, text_of(json_string_value(outline)), value);
    }
}

/* A number, or the digits of one; 0 where that is no time, in whichever unit. */
static int64_t number_of(const json_t *value)
{
    int64_t number = json_integer_value(value);
    uint64_t digits = 0;

    if (json_is_string(value)) {
        (void)text_to_u64(text_of(json_string_value(value)), DIALECT_TIME_MAX, &digits);
        number = (int64_t)digits;
    }
    return number >= 0 && number <= DIALECT_TIME_MAX ? number : 0;
}

static int64_t date_of(const json_t *value)
{
    int64_t ms = 0;

    (void)date_parse(text_of(json_string_value(value)), &ms);
    return ms;
}

/* A text, or an array of words. */
static struct text words_of(struct arena *arena, const json_t *value)
{
    struct text words = text_of(json_string_value(value));
    struct buffer buffer;

    buffer_start(&buffer, arena, 64);
    for (size_t i = 0; i < json_array_size(value); i++) {
        buffer_add_c(&buffer, i > 0 ? " " : "");
        buffer_add(&buffer, text_of(json_string_value(json_array_get(value, i))));
    }
    if (json_is_array(value)) {
        (void)buffer_finish(&buffer, &words);
    }
    return words;
}

static void add_claim(struct json_out *claims, struct text name, const json_t *value,
                      struct arena *arena)
{
    struct text so_far = buffer_text(claims->buffer);
    struct buffer key;
    struct text spelled = {0};

    buffer_start(&key, arena, 64);
    buffer_addf(&key, "\"%.*s\":", TEXT_ARGS(name));
    if (!buffer_finish(&key, &spelled) ||
        memmem(so_far.data, so_far.size, spelled.data, spelled.size) != NULL) {
        return; /* the same claim in two places */
    }
    json_out_key(claims, arena_c_string(arena, name));
    json_out_value(claims, value);
}

static void found_in_answer(struct finder *finder, struct text name, const json_t *value)
{
    struct answer *answer = finder->answer;
    struct text text = text_of(json_string_value(value));
    struct text account = TEXT("account."), token = TEXT("token.");
    int64_t number = number_of(value);

    if (text_is(name, "access_token")) {
        /* another JWT for which it stands comes later */
        answer->access_token = answer->access_token.size > 0 ? answer->access_token : text;
    } else if (text_is(name, "refresh_token") || text_is(name, "new_refresh_token")) {
        answer->refresh_token = text;
        finder->has_next = true;
    } else if (text_is(name, "expires_in")) {
        answer->expires_in_s = number;
    } else if (text_is(name, "expires_in.ms")) {
        answer->expires_in_s = number / 1000;
    } else if (text_is(name, "expires_at")) {
        answer->expires_at_s = number;
    } else if (text_is(name, "expires_at.ms")) {
        answer->expires_at_s = number / 1000;
    } else if (text_is(name, "expires_at.iso") || text_is(name, "expires_at.iso.ms")) {
        answer->expires_at_s = date_of(value) / 1000;
    } else if (text_is(name, "session")) {
        answer->session_known = codec_uuid_parse(text, answer->session);
    } else if (text_is(name, "session_expires_in")) {
        answer->session_expires_ms = answer->now_ms + number * 1000;
    } else if (text_is(name, "session_expires_at")) {
        answer->session_expires_ms = number * 1000;
    } else if (text_is(name, "session_expires_at.ms")) {
        answer->session_expires_ms = number;
    } else if (text_is(name, "session_expires_at.iso") ||
               text_is(name, "session_expires_at.iso.ms")) {
        answer->session_expires_ms = date_of(value);
    } else if (text_is(name, "now")) {
        answer->now_ms = number * 1000;
    } else if (text_is(name, "now.ms")) {
        answer->now_ms = number;
    } else if (text_is(name, "now.iso") || text_is(name, "now.iso.ms") ||
               text_is(name, "now.date")) {
        answer->now_ms = date_of(value);
    } else if (text_is(name, "last_login")) {
        answer->last_login_ms = number * 1000;
    } else if (text_is(name, "last_login.iso") || text_is(name, "last_login.iso.ms") ||
               text_is(name, "last_login.date")) {
        answer->last_login_ms = date_of(value);
    } else if (text_is(name, "scope") || text_is(name, "scope.list")) {
        answer->scope = words_of(finder->arena, value);
    } else if (text_is(name, "roles") || text_is(name, "roles.list")) {
        answer->roles = words_of(finder->arena, value);
    } else if (text_is(name, "username")) {
        answer->username = text;
    } else if (text_is(name, "subject")) {
        answer->subject = text;
    } else if (text_starts(name, account)) {
        add_claim(&finder->account, text_from(name, account.size), value, finder->arena);
    } else if (text_starts(name, token)) {
        add_claim(&finder->token, text_from(name, token.size), value, finder->arena);
    }
}

/* A UUID with or without its hyphens; anything else as far as it fits. */
static void put_uuid(const json_t *value, char out[37])
{
    struct text text = text_of(json_string_value(value));
    uint8_t bytes[16];

    if (codec_hex_decode(text, bytes, sizeof bytes)) {
        codec_uuid_format(bytes, out);
    } else {
        (void)text_copy(text_cut(text, 36), out, 37);
    }
}

static void found_in_payload(struct finder *finder, struct text name, const json_t *value)
{
    struct layout_claims *claims = finder->claims;
    struct text text = text_of(json_string_value(value));
    struct text account = TEXT("account.");
    int64_t number = number_of(value);

    if (text_is(name, "issuer")) {
        claims->issuer = text;
    } else if (text_is(name, "audience")) {
        claims->audience = text;
    } else if (text_is(name, "subject")) {
        claims->subject = text;
    } else if (text_is(name, "username")) {
        claims->username = text;
    } else if (text_is(name, "user_number")) {
        claims->user_number = (uint64_t)number;
    } else if (text_is(name, "roles") || text_is(name, "roles.list")) {
        claims->roles = words_of(finder->arena, value);
    } else if (text_is(name, "scope") || text_is(name, "scope.list")) {
        claims->scope = words_of(finder->arena, value);
    } else if (text_is(name, "client")) {
        claims->client = text;
    } else if (text_is(name, "session") || text_is(name, "session.hex")) {
        put_uuid(value, claims->session);
    } else if (text_is(name, "jti") || text_is(name, "jti.hex")) {
        put_uuid(value, claims->jti);
    } else if (text_is(name, "issued_at")) {
        claims->issued_at_s = number;
    } else if (text_is(name, "issued_at.ms")) {
        claims->issued_at_s = number / 1000;
    } else if (text_is(name, "expires_at")) {
        claims->expires_at_s = number;
    } else if (text_is(name, "expires_at.ms")) {
        claims->expires_at_s = number / 1000;
    } else if (text_starts(name, account)) {
        add_claim(&finder->account, text_from(name, account.size), value, finder->arena);
    }
}
