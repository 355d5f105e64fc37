/* SPDX-License-Identifier: ISC */
/* test_hostile.c: what clients, attackers and broken networks send, at every endpoint that a file
 * describes: those of the library and a stranger's. Nothing here knows a dialect: requests are made
 * from the places of its file (spelled.h). Each that is wrong gets the file's own refusal and
 * spends nothing; whatever is answered, no value leaves its place and no secret is in the log. */
#include "base/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/valgrind.h"
#include "dialect/stranger.h"
#include "operation/world.h"
#include "process/dialect_file.h"
#include "process/dialects.h"
#include "responder/serve.h"
#include "responder/spelled.h"

#define PASSWORD "correct horse"
#define CLIENT   "phone"

enum { KEPT_ROOM = 64 << 20, WINDOW = 32 /* of a token's bytes that must not be seen */ };

static char log_file[SCRATCH_PATH_MAX + 8];
static struct world world;
static struct service service;
static struct serve *serve;
static struct arena *kept; /* of tokens and requests that are sent changed */

/* A session, as its client holds it. */
struct victim {
    uint8_t session[SESSION_ID_SIZE];
    struct text refresh_token, access_token;
};

/* One kind of request of one dialect, and what is sent there. */
static struct trial {
    const struct dialect *dialect;
    const struct endpoint *endpoint;
    const struct described_request *described;
    struct spelled right;
    struct http_request request; /* of `right` */
    struct victim victim;
    const char *what; /* is wrong with it */
} trial;

/* What came of a request. */
static struct http_response response;
static enum outcome outcome;

/* ---- a world with the endpoints of one dialect ---- */

static int set_up(void **state)
{
    struct fault fault;

    (void)state;
    world_open(&world);
    world_add_client(&world, CLIENT, NULL, false);
    snprintf(log_file, sizeof log_file, "%s/log", world.scratch);
    assert_true(log_open(log_file, LOG_LEVEL_DEBUG, &fault));
    service.store = world.store;
    service.issuer = world.issuer;
    serve = serve_over(&service);
    kept = arena_open(KEPT_ROOM);
    return serve == NULL || kept == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(kept);
    serve_close(serve);
    world_close(&world);
    return 0;
}

/* In a realm of its name; what is signed with costs little. */
static void mount_dialect(const struct dialect *dialect, enum mount_behaviour behaviour)
{
    struct config *config = &service.config;
    struct realm *realm = &config->realms[0];

    config->realm_count = 1;
    config->mount_count = dialect->endpoint_count;
    *realm = (struct realm){.dialect = dialect, .policy = dialect->policy, .behaviour = behaviour};
    realm->policy.algorithm = SIGNING_HS256;
    assert_true(text_copy(text_of(dialect->name), realm->name, sizeof realm->name));
    assert_true(text_copy(text_of(dialect->issuer), realm->issuer, sizeof realm->issuer));
    assert_true(text_copy(text_of(dialect->audience), realm->audience, sizeof realm->audience));
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        config->mounts[i] = (struct mount){.endpoint = &dialect->endpoints[i], .realm = realm};
        assert_true(text_copy(text_of(dialect->endpoints[i].path), config->mounts[i].path,
                              sizeof config->mounts[i].path));
    }
    world.mount = config->mounts[0];
}

/* Texts that last as long as the trial. */
static struct text keep(struct text text)
{
    struct text copy = {0};

    assert_true(arena_copy(kept, text, &copy));
    return copy;
}

static struct victim begin_session(void)
{
    struct issue_ask ask = {.account = &world.ada, .client = TEXT(CLIENT)};
    struct answer answer;
    struct victim victim;

    assert_int_equal(world_issue(&world, &ask, &answer), OUTCOME_ROTATED);
    memcpy(victim.session, answer.session, sizeof victim.session);
    victim.refresh_token = keep(answer.refresh_token);
    victim.access_token = keep(answer.access_token);
    arena_reset(world.arena);
    return victim;
}

/* A login is about none that there is. */
static bool is_untouched(const struct victim *victim)
{
    struct session session;

    if (trial.described->operation == &operation_login) {
        return true;
    }
    session = world_record(&world, victim->session);
    return session.generation == 0 && session.end == SESSION_LIVE;
}

/* ---- one exchange ---- */

/* Every line is written, however many strangers there are. */
bool __wrap_log_admits(void);
bool __wrap_log_admits(void)
{
    return true;
}

#define WRONG(...)                                                                                 \
    do {                                                                                           \
        print_error("%s %s, %s, %s, %s: answered %d (%s) %.*s\n", trial.dialect->name,             \
                    trial.endpoint->name,                                                          \
                    trial.described->name != NULL ? trial.described->name : "",                    \
                    trial.described->operation->word, trial.what, response.status,                 \
                    outcome_word(outcome), TEXT_ARGS(text_cut(response.body, 200)));               \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static int answers;

static void take_answer(struct http_exchange *exchange)
{
    answers++;
    response = exchange->response;
}

static bool holds_part_of(struct text text, struct text secret)
{
    for (size_t i = 0; i + WINDOW <= secret.size; i++) {
        if (memmem(text.data, text.size, secret.data + i, WINDOW) != NULL) {
            return true;
        }
    }
    return secret.size < WINDOW && memmem(text.data, text.size, secret.data, secret.size) != NULL;
}

static bool holds_secret(struct text text)
{
    return text.size > 0 &&
           (holds_part_of(text, trial.victim.refresh_token) ||
            holds_part_of(text, trial.victim.access_token) || holds_part_of(text, TEXT(PASSWORD)));
}

/* What the log has of the exchange: lines of ours only, and the word of the outcome. */
static void read_log(void)
{
    static char room[256 * 1024];
    FILE *in = fopen(log_file, "r");
    struct text lines, word = {0};

    assert_non_null(in);
    lines = (struct text){room, fread(room, 1, sizeof room, in)};
    assert_int_equal(fclose(in), 0);
    assert_int_equal(truncate(log_file, 0), 0);
    if (holds_secret(lines)) {
        WRONG("the log tells a secret: %.*s", TEXT_ARGS(lines));
    }
    while (lines.size > 0) {
        struct text line = text_split(&lines, '\n');
        const char *at = memmem(line.data, line.size, " outcome=", 9);

        if (memmem(line.data, line.size, "Z ", 2) == NULL || text_has_control(line)) {
            WRONG("a line of the log is not ours: %.*s", TEXT_ARGS(line));
        } else if (at != NULL) {
            line = text_from(line, (size_t)(at - line.data) + 9);
            word = text_split(&line, ' ');
        }
    }
    if (!outcome_parse(word, &outcome)) {
        WRONG("the log has no outcome: %.*s", TEXT_ARGS(word));
    }
}

static struct text header_of(const char *name)
{
    for (size_t i = 0; i < response.header_count; i++) {
        if (text_equal_ignore_case(response.headers[i].name, text_of(name))) {
            return response.headers[i].value;
        }
    }
    return (struct text){0};
}

/* Of all answers: something that a client can read, and that is for it alone. */
static void check_answer(void)
{
    struct text type = header_of("Content-Type");
    bool json = text_ends(text_cut(type, text_find(type, ';')), TEXT("json"));
    json_t *body = NULL;

    if (json) {
        struct buffer object; /* an answer may be an array, too */

        buffer_start(&object, world.arena, response.body.size + 16);
        buffer_addf(&object, "{\"body\":%.*s}", TEXT_ARGS(response.body));
        body = json_in_object(world.arena, buffer_text(&object), NULL);
    }
    if (response.failed || response.status >= 500 ||
        (response.status >= 300 && response.status < 400)) {
        WRONG("status %d", response.status);
    } else if (json && body == NULL) {
        WRONG("not JSON");
    } else if ((type.size > 0) != (response.body.size > 0)) {
        WRONG("media type %.*s", TEXT_ARGS(type));
    } else if (!text_is(header_of("Cache-Control"), "no-store")) {
        WRONG("not Cache-Control: no-store");
    } else if ((response.status == 405) != (header_of("Allow").size > 0)) {
        WRONG("Allow is %.*s", TEXT_ARGS(header_of("Allow")));
    } else if (header_of("Location").size > 0 || header_of("Refresh").size > 0) {
        WRONG("it sends its client elsewhere");
    }
    for (size_t i = 0; i < response.header_count; i++) {
        if (text_has_control(response.headers[i].name) ||
            text_has_control(response.headers[i].value)) {
            WRONG("a header with control bytes");
        }
    }
}

/* Has `actual` no more than the outline of its template, and each text of it? "${…}" is a value. */
static bool fits(const json_t *outline, const json_t *actual)
{
    struct text text = {json_string_value(outline), json_string_length(outline)};
    const char *name;
    json_t *member;
    size_t i;

    if (json_is_string(outline) && text_starts(text, TEXT("${")) &&
        text_find(text, '}') == text.size - 1) {
        return true; /* any value */
    } else if (json_is_string(outline) && memmem(text.data, text.size, "${", 2) != NULL) {
        return json_is_string(actual);
    } else if (json_is_object(outline)) {
        json_object_foreach((json_t *)(uintptr_t)actual, name, member)
        {
            if (!fits(json_object_get(outline, name), member)) {
                return false;
            }
        }
        return json_is_object(actual);
    } else if (json_is_array(outline)) {
        json_array_foreach(outline, i, member)
        {
            if (!fits(member, json_array_get(actual, i))) {
                return false;
            }
        }
        return json_array_size(actual) == json_array_size(outline);
    }
    return outline != NULL && json_equal(outline, actual);
}

/* Is the answer what this table has for the outcome? */
static bool is_worded_by(const struct wording *words)
{
    bool deployed = service.config.realms[0].behaviour == BEHAVIOUR_DEPLOYED;
    int class = (int)OUTCOME_COUNT + (int)outcome_class(outcome);

    for (; words->status != 0; words++) {
        if ((words->about == (int)outcome || words->about == class) &&
            (words->behaviour == WORDS_ALWAYS ||
             (words->behaviour == WORDS_DEPLOYED) == deployed)) {
            break;
        }
    }
    if (words->status != response.status) {
        return false;
    } else if (words->template != NULL) {
        return fits(template_outline(words->template),
                    json_in_object(world.arena, response.body, NULL));
    }
    return text_is(response.body, words->body);
}

/* A refusal: the file's own words, and nothing else. */
static void check_refusal(void)
{
    const struct described *described = trial.endpoint->described;
    bool worded = is_worded_by(trial.endpoint->words);

    for (size_t i = 0; i < described->count && !worded; i++) {
        worded = is_worded_by(described->requests[i].words);
    }
    if (!worded) {
        WRONG("not what the file says");
    } else if (holds_secret(response.body)) {
        WRONG("a refusal tells a secret");
    } else if (header_of("Set-Cookie").size > 0) {
        WRONG("a refusal sets a cookie");
    }
}

/* A grant: what its template has, and nothing else. */
static void check_grant(void)
{
    const struct described *described = trial.endpoint->described;
    const json_t *body = json_in_object(world.arena, response.body, NULL);
    bool fitting = response.body.size == 0;

    for (size_t i = 0; i < described->count && !fitting; i++) {
        const struct described_answer *answer = &described->requests[i].answer;

        fitting =
            answer->body != NULL && (template_outline(answer->body) == NULL
                                         ? text_is(header_of("Content-Type"), answer->media_type)
                                         : fits(template_outline(answer->body), body));
    }
    if (!fitting) {
        WRONG("a value has left its place");
    }
}

static void send_request(struct http_request request)
{
    const struct server_handler handler = serve_handler(serve);
    struct http_exchange exchange = {
        .arena = world.arena, .request = request, .answered = take_answer};

    arena_reset(world.arena);
    if (trial.described->operation == &operation_login) {
        world.now_ms += CLOCK_DAY; /* who guesses too often may guess again */
    }
    answers = 0;
    outcome = OUTCOME_FAULT;
    handler.handle(handler.self, &exchange);
    handler.flush(handler.self);
    assert_int_equal(answers, 1);
    read_log();
    check_answer();
    if (outcome_is_grant(outcome)) {
        check_grant();
    } else {
        check_refusal();
    }
}

/* Sends what is wrong: refused, and nothing is spent. */
static void refuse(const char *what, struct http_request request)
{
    trial.what = what;
    send_request(request);
    if (outcome_is_grant(outcome)) {
        WRONG("granted");
    } else if (!is_untouched(&trial.victim)) {
        WRONG("its session was touched");
    }
}

static bool spell_right(void);

/* Sends what a file may grant: then another session is taken. */
static void try_out(const char *what, struct http_request request)
{
    trial.what = what;
    send_request(request);
    if (outcome_is_grant(outcome) && outcome != OUTCOME_NONE_ENDED) {
        assert_true(spell_right());
    } else if (!is_untouched(&trial.victim)) {
        WRONG("its session was touched");
    }
}

/* ---- the request that is right ---- */

static struct text right_value(enum described_role role)
{
    const struct operation *operation = trial.described->operation;

    switch (role) {
    case DESCRIBED_REFRESH_TOKEN:
        return operation == &operation_validate ? trial.victim.access_token
                                                : trial.victim.refresh_token;
    case DESCRIBED_ACCESS_TOKEN:
        return trial.victim.access_token;
    case DESCRIBED_USERNAME:
        return TEXT("ada");
    case DESCRIBED_PASSWORD:
        return TEXT(PASSWORD);
    case DESCRIBED_CLIENT_ID:
        return TEXT(CLIENT);
    case DESCRIBED_APPLICATION_KEY:
        return TEXT("key");
    case DESCRIBED_SCOPE:
    case DESCRIBED_CLIENT_SECRET:
        break;
    }
    return (struct text){0};
}

/* With a session of its own. False: there is no request of that variation. */
static bool spell_right(void)
{
    trial.victim = begin_session();
    for (int role = 0; role < DESCRIBED_ROLES; role++) {
        trial.right.values[role].text = right_value((enum described_role)role);
    }
    return spelled_request(&trial.right, kept, &trial.request);
}

/* As it was, it is granted: so nothing was spent, and what was wrong is what was refused. */
static void grant(void)
{
    trial.what = "the right request";
    send_request(trial.request);
    if (!outcome_is_grant(outcome)) {
        WRONG("refused");
    }
}

/* Every request of every file, in each of its variations and both behaviours; under valgrind in one
 * of them. */
static void of_every_request(void (*test)(void))
{
    struct fault fault = {0};
    const struct dialect *stranger =
        dialect_file_take(TEXT("stranger"), "stranger.dialect", text_of(stranger_file), &fault);
    size_t requests = 0;

    if (stranger == NULL) {
        fail_msg("%s", fault.text);
    }
    for (size_t i = 0; i <= dialects_total(); i++) {
        trial.dialect = i < dialects_total() ? dialects_at(i) : stranger;
        for (size_t j = 0; j < trial.dialect->endpoint_count; j++) {
            trial.endpoint = &trial.dialect->endpoints[j];
            for (size_t k = 0;
                 trial.endpoint->described != NULL && k < trial.endpoint->described->count; k++) {
                trial.described = &trial.endpoint->described->requests[k];
                for (size_t v = 0; v < (is_under_valgrind() ? 1 : DESCRIBED_PLACES_MAX); v++) {
                    mount_dialect(trial.dialect,
                                  v % 2 == 0 ? BEHAVIOUR_DOCUMENTED : BEHAVIOUR_DEPLOYED);
                    arena_reset(kept);
                    trial.right = (struct spelled){trial.endpoint, trial.described, .variation = v};
                    if (spell_right()) {
                        test();
                        requests++;
                    }
                }
            }
        }
    }
    assert_true(requests > 20);
}

/* ---- what is needed, and where ---- */

static bool is_in_body(const struct described_place *place)
{
    return place->source == DESCRIBED_JSON || place->source == DESCRIBED_FORM;
}

/* Without this value, or with another, the request is refused. */
static bool is_needed(const struct described_value *value)
{
    const struct operation *operation = trial.described->operation;
    bool for_client = operation == &operation_refresh || operation == &operation_login;

    return !value->optional &&
           (value->role == DESCRIBED_REFRESH_TOKEN || value->role == DESCRIBED_ACCESS_TOKEN ||
            value->role == DESCRIBED_USERNAME || value->role == DESCRIBED_PASSWORD ||
            (value->role == DESCRIBED_CLIENT_ID && for_client));
}

/* It is read from the body, and nowhere else. */
static bool is_of_body(void)
{
    bool found = trial.described->needs_json;

    for (size_t i = 0; i < trial.described->value_count; i++) {
        const struct described_value *value = &trial.described->values[i];

        found = found || (is_needed(value) && is_in_body(spelled_place(&trial.right, value)));
    }
    return found;
}

static bool is_json(void)
{
    return text_is(trial.request.content_type, "application/json");
}

/* ---- bodies ---- */

static struct text joined(struct text a, struct text b, struct text c)
{
    struct buffer buffer;

    buffer_start(&buffer, kept, a.size + b.size + c.size + 1);
    buffer_add(&buffer, a);
    buffer_add(&buffer, b);
    buffer_add(&buffer, c);
    return buffer_text(&buffer);
}

static struct text many(size_t count, const char *before, const char *middle, const char *after)
{
    struct buffer buffer;

    buffer_start(&buffer, kept, count * (strlen(before) + strlen(after)) + 64);
    for (size_t i = 0; i < count; i++) {
        buffer_add_c(&buffer, before);
    }
    buffer_add_c(&buffer, middle);
    for (size_t i = 0; i < count; i++) {
        buffer_add_c(&buffer, after);
    }
    return buffer_text(&buffer);
}

/* Two bytes for each: UTF-16 of ASCII. */
static struct text wide(struct text text)
{
    struct buffer buffer;

    buffer_start(&buffer, kept, 2 * text.size + 2);
    for (size_t i = 0; i < text.size; i++) {
        buffer_add_char(&buffer, text.data[i]);
        buffer_add_char(&buffer, '\0');
    }
    return buffer_text(&buffer);
}

static struct http_request with_body(const char *type, struct text body)
{
    struct http_request request = trial.request;

    request.content_type = type != NULL ? text_of(type) : request.content_type;
    request.body = body;
    return request;
}

static void hostile_bodies(void)
{
    void (*send)(const char *what, struct http_request request) = is_of_body() ? refuse : try_out;
    struct text whole = trial.request.body;
    struct text begun = text_cut(whole, whole.size - (is_json() && whole.size > 0));
    struct text rest = text_from(whole, 1);
    const char *form = "application/x-www-form-urlencoded", *json = "application/json";
    const struct {
        const char *what, *type;
        struct text body;
    } rows[] = {
        {"no body", NULL, {0}},
        {"no body and no type", "", {0}},
        {"text/plain", "text/plain", whole},
        {"multipart", "multipart/form-data; boundary=x", TEXT("--x--")},
        {"a bad media type", "//;;=", whole},
        {"XML", "application/xml",
         TEXT("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY y SYSTEM "
              "\"file:///etc/passwd\">]><x>&y;</x>")},
        {"empty JSON", json, TEXT("{}")},
        {"an empty form", form, TEXT("")},
        {"JSON nested 10,000 deep", json, many(10000, "[", "", "]")},
        {"objects nested 3,000 deep", json, many(3000, "{\"a\":", "1", "}")},
        {"a huge number", json, many(5000, "", "{\"a\":1", "0")},
        {"1e999", json, TEXT("{\"a\":1e999}")},
        {"bytes", json, TEXT("\x00\x01\x02\xfe\xff")},
        {"bytes in a form", form, TEXT("\x00\x01\x02\xfe\xff=\x80&\xc0\xaf=%c0%af")},
        {"a JSON array", json, joined(TEXT("["), whole, TEXT("]"))},
        {"a JSON string", json, TEXT("\"x\"")},
        {"JSON null", json, TEXT("null")},
        {"NaN", json, TEXT("{\"a\":NaN}")},
        {"a comment", json, TEXT("{/* x */}")},
        {"spaces", json, many(4000, " ", "", "")},
        {"5,000 parameters", form, many(5000, "a=b&", "", "")},
        {"separators", form, many(5000, "&=", "", "")},
    };
    const struct {
        const char *what;
        struct text body;
    } of_json[] = {
        {"in UTF-16", wide(whole)},
        {"cut short", begun},
        {"twice", joined(whole, whole, TEXT(""))},
        {"each member twice", joined(begun, TEXT(","), rest)},
        {"with byte order marks", joined(TEXT("\xef\xbb\xbf\xef\xbb\xbf"), whole, TEXT(""))},
        {"with something behind it", joined(whole, TEXT("x"), TEXT(""))},
        {"with a NUL", joined(begun, TEXT(",\"x\":\"a\\u0000b\""), TEXT("}"))},
        {"with a NUL in a name", joined(begun, TEXT(",\"x\\u0000\":\"b\""), TEXT("}"))},
        {"with a lone surrogate", joined(begun, TEXT(",\"x\":\"\\ud800\""), TEXT("}"))},
        {"of invalid UTF-8", joined(begun, TEXT(",\"x\":\"\xff\xc0\xaf\""), TEXT("}"))},
        {"of many values", joined(begun, many(2000, ",0", ",\"x\":[0", ""), TEXT("]}"))},
    };
    static const struct {
        const char *what;
        enum http_body state;
    } states[] = {{"a body over the limit", HTTP_BODY_TOO_LARGE},
                  {"a body that is cut short", HTTP_BODY_CUT_SHORT},
                  {"a body without length", HTTP_BODY_NO_LENGTH}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        send(rows[i].what, with_body(rows[i].type, rows[i].body));
    }
    for (size_t i = 0; i < COUNT(of_json) && is_json() && whole.size > 2; i++) {
        refuse(of_json[i].what, with_body(NULL, of_json[i].body));
    }
    for (size_t i = 0; i < COUNT(states); i++) {
        struct http_request request = trial.request;

        request.body_state = states[i].state;
        send(states[i].what, request);
    }
    if (!is_json() && is_of_body()) {
        refuse("each field twice", with_body(NULL, joined(whole, TEXT("&"), whole)));
    }
    grant();
}

static void test_bodies(void **state)
{
    (void)state;
    of_every_request(hostile_bodies);
}

/* ---- values ---- */

/* The right request with another value of that role. */
static bool spell(enum described_role role, struct text text, enum spelling spelling, bool in_url,
                  struct http_request *request)
{
    struct spelled wrong = trial.right;

    wrong.values[role].text = text;
    wrong.values[role].spelling = spelling;
    wrong.values[role].in_url = in_url;
    return spelled_request(&wrong, kept, request);
}

static void send_value(const struct described_value *value, const char *what, struct text text,
                       enum spelling spelling)
{
    bool silent = trial.described->silent; /* no token is wrong there */
    struct http_request request;

    assert_true(spell(value->role, text, spelling, false, &request));
    if (is_needed(value) && !silent) {
        refuse(what, request);
    } else {
        try_out(what, request);
    }
}

/* No value is any of these. */
static const struct {
    const char *what;
    struct text text;
} hostile_texts[] = {
    {"nothing", LITERAL("")},
    {"a space", LITERAL(" ")},
    {"a letter", LITERAL("a")},
    {"a place of a template", LITERAL("${access_token}")},
    {"an escaped place", LITERAL("$${refresh_token?}")},
    {"what ends a string", LITERAL("a\",\"access_token\":\"b\",\"exp\":9999999999,\"x\":\"\\")},
    {"a script", LITERAL("</script><script>alert(1)</script><!--")},
    {"another header", LITERAL("a\r\nSet-Cookie: x=y\r\n\r\n<html>")},
    {"another line of a log", LITERAL("a\n2026-11-26T00:00:00Z notice [1] refresh addr=192.0.2.1")},
    {"control bytes", LITERAL("\x01\x1b[31m\x7f")},
    {"quotes", LITERAL("\"'`\\")},
    {"SQL", LITERAL("' OR 1=1 --")},
    {"a path", LITERAL("../../../etc/passwd")},
    {"formats", LITERAL("%s%n%x%%25%00")},
    {"U+202E", LITERAL("\u202eada\u2028\ufeff")},
    {"invalid UTF-8", LITERAL("\xff\xfe\xc0\xaf\xed\xa0\x80")},
    {"dots", LITERAL("..")},
    {"a JWT of nothing", LITERAL("e30.e30.")},
    {"an unsigned JWT", LITERAL("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.")},
};

static void wrong_texts(const struct described_value *value)
{
    struct text right = trial.right.values[value->role].text;
    const struct {
        const char *what;
        struct text text;
    } rows[] = {
        {"10,000 dots", many(10000, ".", "", "")},
        {"5,000 letters", many(5000, "a", "", "")},
        {"all but one byte", text_cut(right, right.size - 1)},
        {"one byte more", joined(right, TEXT("A"), TEXT(""))},
        {"twice", joined(right, right, TEXT(""))},
        {"with a space in it", joined(right, TEXT(" "), right)},
    };

    for (size_t i = 0; i < COUNT(hostile_texts); i++) {
        send_value(value, hostile_texts[i].what, hostile_texts[i].text, SPELLED_TEXT);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        send_value(value, rows[i].what, rows[i].text, SPELLED_TEXT);
    }
}

/* JSON that is no text, and form fields that cannot be decoded. */
static void wrong_spellings(const struct described_value *value)
{
    struct text right = trial.right.values[value->role].text;
    const struct {
        const char *what;
        struct text text;
    } of_json[] = {
        {"null", TEXT("null")},
        {"true", TEXT("true")},
        {"a number", TEXT("1")},
        {"the largest number", TEXT("9223372036854775807")},
        {"a larger number", TEXT("9223372036854775808")},
        {"a fraction", TEXT("-1.5e300")},
        {"too large a number", TEXT("1e999")},
        {"an object", TEXT("{}")},
        {"an array", TEXT("[]")},
        {"in an array", joined(TEXT("[\""), right, TEXT("\"]"))},
        {"in an object", joined(TEXT("{\"x\":\""), right, TEXT("\"}"))},
        {"deep down", many(64, "[", "1", "]")},
        {"with a NUL behind it", joined(TEXT("\""), right, TEXT("\\u0000\""))},
        {"a lone surrogate", TEXT("\"\\ud800\"")},
        {"surrogates the wrong way round", TEXT("\"\\udc00\\ud800\"")},
        {"no quotation marks", right},
    };
    const struct {
        const char *what;
        struct text text;
    } of_form[] = {
        {"bad percent", joined(right, TEXT("%zz"), TEXT(""))},
        {"cut percent", joined(right, TEXT("%4"), TEXT(""))},
        {"NUL", joined(right, TEXT("%00"), TEXT(""))},
        {"raw CR LF", joined(right, TEXT("\r\nSet-Cookie: x=y\r\n\r\nx"), TEXT(""))},
        {"invalid UTF-8", joined(right, TEXT("%ff%fe"), TEXT(""))},
        {"an array of PHP", joined(right, TEXT("&"), joined(TEXT("x[]="), right, right))},
    };
    enum described_source source = spelled_place(&trial.right, value)->source;

    for (size_t i = 0; i < COUNT(of_json) && source == DESCRIBED_JSON; i++) {
        send_value(value, of_json[i].what, of_json[i].text, SPELLED_RAW);
    }
    for (size_t i = 0; i + 1 < COUNT(of_form) && source == DESCRIBED_FORM; i++) {
        send_value(value, of_form[i].what, of_form[i].text, SPELLED_RAW);
    }
}

/* Tokens of others, and this session's where they are not asked for: who verifies asks about any,
 * and a logout takes both. */
static void wrong_tokens(const struct described_value *value)
{
    bool refresh = text_equal(trial.right.values[value->role].text, trial.victim.refresh_token);
    const struct operation *operation = trial.described->operation;
    struct victim mine = trial.victim, other;

    if (operation == &operation_refresh || operation == &operation_validate) {
        send_value(value, "the other token of the session",
                   refresh ? mine.access_token : mine.refresh_token, SPELLED_TEXT);
    }
    strcpy(service.config.realms[0].name, "elsewhere");
    other = begin_session();
    strcpy(service.config.realms[0].name, trial.dialect->name);
    send_value(value, "a token of another realm",
               refresh ? other.refresh_token : other.access_token, SPELLED_TEXT);
    if (!is_untouched(&other)) {
        WRONG("a session of another realm was touched");
    }
}

static void hostile_values(void)
{
    bool needed = false;

    for (size_t i = 0; i < trial.described->value_count; i++) {
        const struct described_value *value = &trial.described->values[i];

        wrong_texts(value);
        wrong_spellings(value);
        if (value->role == DESCRIBED_REFRESH_TOKEN || value->role == DESCRIBED_ACCESS_TOKEN) {
            wrong_tokens(value);
        }
        needed = needed || is_needed(value);
    }
    assert_true(needed);
    grant();
}

static void test_values(void **state)
{
    (void)state;
    of_every_request(hostile_values);
}

/* Does each kind of request of the endpoint ask for a certain text somewhere? */
static bool are_told_apart(void)
{
    const struct described *described = trial.endpoint->described;
    size_t asking = 0;

    for (size_t i = 0; i < described->count; i++) {
        const struct described_request *one = &described->requests[i];
        size_t required = 0;

        for (size_t j = 0; j < one->condition_count; j++) {
            required += !one->conditions[j].optional && one->conditions[j].choice_count > 0;
        }
        asking += required > 0;
    }
    return asking == described->count;
}

/* What tells which kind of request it is. */
static void hostile_conditions(void)
{
    for (size_t i = 0; i < COUNT(hostile_texts) && trial.described->condition_count > 0; i++) {
        struct spelled wrong = trial.right;
        struct http_request request;

        wrong.condition = hostile_texts[i].text;
        assert_true(spelled_request(&wrong, kept, &request));
        (are_told_apart() ? refuse : try_out)(hostile_texts[i].what, request);
    }
    grant();
}

static void test_conditions(void **state)
{
    (void)state;
    of_every_request(hostile_conditions);
}

/* Clients that prove themselves as RFC 6749 has it: another one is not taken for this one. No name
 * is none, and a public client need not give one. */
static void hostile_clients(void)
{
    for (size_t i = 0; i < COUNT(hostile_texts) && trial.described->oauth_client; i++) {
        struct text id = hostile_texts[i].text;
        struct http_request request;

        assert_true(spell(DESCRIBED_CLIENT_ID, id, SPELLED_TEXT, false, &request));
        (text_strip(id).size > 0 ? refuse : try_out)(hostile_texts[i].what, request);
    }
    grant();
}

static void test_clients(void **state)
{
    (void)state;
    of_every_request(hostile_clients);
}

/* ---- round the values ---- */

static void hostile_methods(void)
{
    static const char *const names[] = {
        "GET",       "HEAD",  "POST",    "PUT",     "DELETE",
        "PATCH",     "TRACE", "CONNECT", "OPTIONS", "post",
        "POST POST", "",      "\r\n",    "\xff",    "P\"O\\ST<script>${method}"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct http_request request = trial.request;

        request.method_name = text_of(names[i]);
        request.method = http_method_of(request.method_name);
        if ((trial.endpoint->methods & ENDPOINT_METHOD(request.method)) == 0 &&
            !(trial.endpoint->method_any_case && strcmp(names[i], "post") == 0)) {
            refuse(names[i], request);
        }
    }
    grant();
}

static void test_methods(void **state)
{
    (void)state;
    of_every_request(hostile_methods);
}

/* No value is taken from the URL that the file does not look for there: URLs are logged. */
static void hostile_urls(void)
{
    for (size_t i = 0; i < trial.described->value_count; i++) {
        const struct described_value *value = &trial.described->values[i];
        struct http_request request;

        if (is_needed(value) && spelled_place(&trial.right, value)->source != DESCRIBED_QUERY) {
            assert_true(spell(value->role, trial.right.values[value->role].text, SPELLED_TEXT, true,
                              &request));
            request.content_type = trial.request.content_type;
            refuse("a value in the URL", request);
        }
    }
    grant();
}

static void test_urls(void **state)
{
    (void)state;
    of_every_request(hostile_urls);
}

static struct http_request with_header(const char *name, struct text value)
{
    struct http_header *headers = arena_alloc(kept, HTTP_HEADERS_MAX * sizeof *headers);
    struct http_request request = trial.request;
    size_t count = 0;

    assert_non_null(headers);
    for (size_t i = 0; i < request.header_count; i++) {
        headers[count++] = request.headers[i];
    }
    headers[count++] = (struct http_header){text_of(name), value};
    request.headers = headers;
    request.header_count = count;
    return request;
}

/* Odd ones change nothing; those of the dialect's own, given twice, are refused. */
static void hostile_headers(void)
{
    struct text cookies = many(10000, "refresh_token=x; a=b; ", "", "");

    refuse("another site's page", with_header("origin", TEXT("https://evil.example")));
    (is_of_body() ? refuse : try_out)("a compressed body",
                                      with_header("content-encoding", TEXT("gzip")));
    for (size_t i = 0; i < trial.described->value_count; i++) {
        const struct described_value *value = &trial.described->values[i];
        const struct described_place *place = spelled_place(&trial.right, value);

        if (is_needed(value) && place->source == DESCRIBED_HEADER) {
            refuse("a header twice", with_header(place->name, TEXT("x")));
        } else if (is_needed(value) && place->source == DESCRIBED_AUTHORIZATION) {
            refuse("Authorization twice", with_header("authorization", TEXT("Bearer x")));
        }
    }
    try_out("10,000 cookies", with_header("cookie", cookies));
    grant();
}

static void test_headers(void **state)
{
    (void)state;
    of_every_request(hostile_headers);
}

/* Is one read or set there, whichever request it is? */
static bool has_cookies(void)
{
    const struct described *described = trial.endpoint->described;
    bool found = false;

    for (size_t i = 0; i < described->count; i++) {
        const struct described_request *request = &described->requests[i];

        found = found || request->answer.cookies != DESCRIBED_COOKIES_KEPT;
        for (size_t j = 0; j < request->value_count; j++) {
            for (size_t k = 0; k < request->values[j].place_count; k++) {
                found = found || request->values[j].places[k].source == DESCRIBED_COOKIE;
            }
        }
    }
    return found;
}

/* A browser sends cookies with whatever a page of another site has it ask, so where there are some
 * no such page gets through, nor one that hides behind a body without a type. */
static void hostile_pages(void)
{
    static const struct {
        const char *what, *name, *value;
    } rows[] = {{"a sandbox", "origin", "null"},
                {"another site", "sec-fetch-site", "cross-site"},
                {"a sibling host", "sec-fetch-site", "same-site"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refuse(rows[i].what, with_header(rows[i].name, text_of(rows[i].value)));
        if (outcome != OUTCOME_PAGE_FOREIGN) {
            WRONG("not because of its page");
        }
    }
    if (has_cookies() && trial.request.body.size > 0) {
        struct http_request request = trial.request;

        request.content_type = (struct text){0};
        refuse("a body without a type", request);
        if (outcome != OUTCOME_UNSUPPORTED_MEDIA) {
            WRONG("not because of its type");
        }
    }
}

/* What a grant does to cookies: it sets or clears those that its answer has, and makes each so that
 * no script and no other site's request has it. */
static void check_cookies(void)
{
    const struct described_answer *answer = &trial.described->answer;
    const struct cookie_names *names = &answer->cookie_names;
    size_t left = (size_t)(names->refresh != NULL) + (names->access != NULL);

    for (size_t i = 0; i < response.header_count; i++) {
        struct text value = response.headers[i].value;
        struct text name = text_split(&value, '=');
        bool is_over =
            value.size > 0 && memmem(value.data, value.size, "; Max-Age=0; ", 13) != NULL;

        if (!text_is(response.headers[i].name, "Set-Cookie")) {
            continue;
        } else if (left-- == 0 ||
                   (!text_is(name, names->refresh) && !text_is(name, names->access))) {
            WRONG("the cookie %.*s is none of this answer", TEXT_ARGS(name));
        } else if (is_over != (answer->cookies == DESCRIBED_COOKIES_CLEARED) ||
                   (value.data[0] == ';') != is_over ||
                   !text_ends(value, TEXT("; Path=/; HttpOnly; SameSite=Lax"))) {
            WRONG("the cookie %.*s is %.*s", TEXT_ARGS(name), TEXT_ARGS(value));
        }
    }
    if (left > 0) {
        WRONG("a cookie is missing");
    }
}

static void every_page_and_cookie(void)
{
    hostile_pages();
    grant();
    check_cookies();
}

static void test_cookies(void **state)
{
    (void)state;
    of_every_request(every_page_and_cookie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_clients),
        cmocka_unit_test(test_methods),    cmocka_unit_test(test_urls),
        cmocka_unit_test(test_headers),    cmocka_unit_test(test_cookies),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
