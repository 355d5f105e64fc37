/* SPDX-License-Identifier: ISC */
/* answer.c: the lines `answer` of a proposal: status, body, media type, cookies and the
 * headers that have tokens. What a JSON body becomes, template.h does. */
#include "admin/learn/side.h"

#include "admin/dialect/replay.h"

static bool write_body(struct learning *learning, const struct learn_side *side, struct text *body);
static void write_cookies(struct learning *learning, const struct learn_side *side);
static size_t write_headers(struct learning *learning, const struct learn_side *side);

bool learn_answer(struct learning *learning, const struct learn_side *side)
{
    const struct http_recording *answer = &side->exchange->answer;
    const struct http_recording *usual = &learning->sides[LEARN_REFRESH]->exchange->answer;
    bool issues = side->what == LEARN_REFRESH || side->what == LEARN_LOGIN;
    struct text body = {0}, whole = {0}, type = answer->is.content_type;
    struct buffer line;

    if (!write_body(learning, side, &body)) {
        return false;
    }
    if (issues && !learn_name_has(side->access.name, "access") &&
        !text_is(side->access.name, "authorization")) {
        learn_guess(learning->out, "%.*s is the access token",
                    TEXT_ARGS(text_cut(side->access.name, 80)));
    }
    buffer_start(&line, learning->arena, 1024);
    buffer_addf(&line, "%d%s%.*s", answer->status, body.size > 0 ? " " : "", TEXT_ARGS(body));
    if (!buffer_finish(&line, &whole)) {
        return false;
    }
    learn_setting(learning, "answer", whole);
    if (body.size > 0 && type.size > 0 && !text_equal(type, usual->is.content_type) &&
        (!side->is_object || http_media_is_json(type))) {
        learn_setting(learning, "answer.type", type);
    }
    write_cookies(learning, side);
    size_t room = DESCRIBED_HEADERS_MAX - (issues ? write_headers(learning, side) : 0);

    learn_headers(learning, side->exchange, "answer", room, true);
    return true;
}

/* What the facts are of this exchange. */
static struct learn_facts facts_of(struct learning *learning, const struct learn_side *side)
{
    struct learn_facts facts = learning->facts;
    bool issues = side->what == LEARN_REFRESH || side->what == LEARN_LOGIN;
    struct text token = issues                       ? side->access.value
                        : side->access_shown != NULL ? side->access_shown->value
                                                     : (struct text){0};
    struct text header, payload;

    facts.answer = &side->values;
    facts.access = side->access.value;
    facts.next = side->next.value;
    if (side->what != LEARN_REFRESH) {
        facts.issued_at_s = facts.expires_at_s = 0;
        if (dialect_replay_jwt(token, learning->arena, &header, &payload)) {
            const json_t *claims = json_in_object(learning->arena, payload, NULL);

            facts.issued_at_s = learn_integer(claims, "iat");
            facts.expires_at_s = learn_integer(claims, "exp");
            facts.shown = issues ? NULL : claims;
        }
    }
    if (side->what == LEARN_REFRESH && learning->input->earlier != NULL) {
        struct learn_values *other = arena_alloc(learning->arena, sizeof *other);

        facts.other = other != NULL && learn_values_read(learning->arena,
                                                         learning->input->earlier->answer.is.body,
                                                         other, NULL)
                          ? other
                          : NULL;
    }
    return facts;
}

/* A body that is no JSON object stays as it is, unless it may have something of one user. */
static bool write_text(struct learning *learning, const struct learn_side *side, struct text *body)
{
    struct text text = side->exchange->answer.is.body;

    if (own_in_text(text, NULL, NULL)) {
        learn_cannot_say(learning, side->exchange,
                         "the body of the answer is no JSON object and has something of one user; "
                         "it is left out");
        return true;
    }
    if (!learn_can_be_set(text)) {
        learn_cannot_say(learning, side->exchange,
                         "the body of the answer cannot be written in lines; it is left out");
        return true;
    }
    return learn_template_escape(learning->arena, text, body);
}

/* One sentence for each reason, with its members. */
static void write_unsaid(struct learning *learning, const struct learn_side *side,
                         struct text unsaid)
{
    for (struct text rest = unsaid; rest.size > 0;) {
        size_t before = unsaid.size - rest.size;
        struct text path = text_split(&rest, '\n');
        struct text reason = text_split(&path, '\t');
        struct text again = rest, said = {0};
        struct buffer paths;

        if (memmem(unsaid.data, before, reason.data, reason.size) != NULL) {
            continue; /* with the first of them */
        }
        buffer_start(&paths, learning->arena, 128);
        buffer_add(&paths, path);
        while (again.size > 0) {
            struct text other = text_split(&again, '\n');

            if (text_equal(text_split(&other, '\t'), reason)) {
                buffer_addf(&paths, ", %.*s", TEXT_ARGS(other));
            }
        }
        if (buffer_finish(&paths, &said)) {
            learn_cannot_say(learning, side->exchange, "%.*s: %.*s", TEXT_ARGS(reason),
                             TEXT_ARGS(text_cut(said, 160)));
        }
    }
}

static bool write_body(struct learning *learning, const struct learn_side *side, struct text *body)
{
    struct learn_facts facts = facts_of(learning, side);
    struct learn_said said;
    struct text guesses = {0}, unsaid = {0};

    if (!side->is_object) {
        return write_text(learning, side, body);
    } else if (!learn_template_answer(&side->values, &facts, learning->arena, &said, body) ||
               !buffer_finish(&said.guesses, &guesses) || !buffer_finish(&said.unsaid, &unsaid)) {
        fault_set(learning->fault, "out of memory");
        return false;
    }
    buffer_add(learning->out, guesses);
    write_unsaid(learning, side, unsaid);
    return true;
}

/* ---- cookies and headers ---- */

/* Each that is no token's is said, because Retoken sets no other. */
static void write_cookies(struct learning *learning, const struct learn_side *side)
{
    const struct http_request *answer = &side->exchange->answer.is;
    bool set = false, clear = false;

    for (size_t i = 0; i < answer->header_count; i++) {
        struct http_set_cookie cookie;
        bool is_one = http_recording_cookie(&answer->headers[i], &cookie);
        struct text name = cookie.name;
        bool ours = (learning->refresh_cookie != NULL && text_is(name, learning->refresh_cookie)) ||
                    (learning->access_cookie != NULL && text_is(name, learning->access_cookie));

        if (!is_one) {
            continue;
        } else if (ours) {
            *(cookie.clears ? &clear : &set) = true;
        } else if (learn_is_plain_name(name) && !own_is_unique(name)) {
            learn_cannot_say(learning, side->exchange,
                             "it sets the cookie %.*s, and a dialect sets those of its tokens only",
                             TEXT_ARGS(name));
        } else {
            learn_cannot_say(learning, side->exchange,
                             "it sets another cookie, and a dialect sets those of its tokens only");
        }
    }
    if (set || clear) {
        buffer_addf(learning->out, "answer.cookies = %s\n", set ? "set" : "clear");
    }
}

/* The word before a token in a header, as "Bearer " is. */
static struct text scheme_of(const struct learn_side *side, const struct learn_found *found)
{
    const struct http_request *answer = &side->exchange->answer.is;

    for (size_t i = 0; i < answer->header_count; i++) {
        struct text value = answer->headers[i].value;

        if (text_equal(answer->headers[i].name, found->name) && text_ends(value, found->value)) {
            return text_cut(value, value.size - found->value.size);
        }
    }
    return (struct text){0};
}

/* How many they are. */
static size_t write_headers(struct learning *learning, const struct learn_side *side)
{
    const struct learn_found *const found[] = {&side->access, &side->next};
    size_t count = 0;

    for (size_t i = 0; i < 2; i++) {
        if (found[i]->where == FOUND_HEADER) {
            buffer_addf(learning->out, "answer.header.%.*s = %.*s${%s}\n",
                        TEXT_ARGS(found[i]->name), TEXT_ARGS(scheme_of(side, found[i])),
                        i == 0 ? "access_token" : "refresh_token");
            count++;
        }
    }
    return count;
}
