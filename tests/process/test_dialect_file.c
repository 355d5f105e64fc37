/* SPDX-License-Identifier: ISC */
/* test_dialect_file.c: what the file of a dialect means, by what is read from requests and
 * answered, and the words for every kind of mistake in one. The shipped files have golden files
 * (tests/dialect). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dialect/known_issuer.h"
#include "process/dialect_file.h"
#include "process/dialects.h"

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(16 << 20);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

#define REFUSALS                                                                                   \
    "[refusals]\n"                                                                                 \
    "request = 400 {\"error\":\"request\"}\n"                                                      \
    "client = 401 {\"error\":\"client\"}\n"                                                        \
    "token = 401 {\"error\":\"token\"}\n"                                                          \
    "here = 503\n"
#define REFRESH                                                                                    \
    "[endpoint refresh]\n"                                                                         \
    "path = /refresh\n"                                                                            \
    "operation = refresh\n"                                                                        \
    "refresh-token = json token\n"
#define ANSWER "answer = 200 {\"a\":\"${access_token}\",\"r\":\"${refresh_token}\"}\n"
#define WHOLE  "[dialect]\n" REFRESH ANSWER REFUSALS

static const struct dialect *read_file(const char *contents)
{
    struct fault fault = {0};
    const struct dialect *dialect =
        dialect_file_read(TEXT("acme"), "acme.dialect", text_of(contents), arena, &fault);

    if (dialect == NULL) {
        fail_msg("%s", fault.text);
    }
    return dialect;
}

/* ---- requests ---- */

struct exchange {
    struct http_exchange http;
    struct realm realm;
    struct mount mount;
    struct request request;
    bool understood;
    enum outcome outcome;
};

/* `lines`: CGI variables, each ended by a line break; POST unless they name a method. What is
 * understood is granted, or else ends as `outcome`. */
static struct exchange *ask(const struct dialect *dialect, const char *endpoint, const char *lines,
                            const char *body, enum outcome outcome)
{
    struct exchange *exchange = arena_alloc(arena, sizeof *exchange);
    struct text rest = text_of(lines);
    const char *variables[16] = {"REQUEST_METHOD=POST"};
    size_t count = text_starts(rest, TEXT("REQUEST_METHOD=")) ? 0 : 1;

    assert_non_null(exchange);
    while (rest.size > 0) {
        assert_true(count < 15);
        variables[count++] = arena_c_string(arena, text_split(&rest, '\n'));
    }
    exchange->realm = (struct realm){.dialect = dialect, .policy = dialect->policy};
    exchange->mount = (struct mount){.endpoint = dialect_endpoint(dialect, text_of(endpoint)),
                                     .realm = &exchange->realm};
    assert_non_null(exchange->mount.endpoint);
    assert_true(http_request_from_cgi(arena, variables, &exchange->http.request));
    exchange->http.request.body = text_of(body);
    exchange->request = (struct request){.http = &exchange->http,
                                         .arena = arena,
                                         .issuer = &known_issuer,
                                         .mount = &exchange->mount,
                                         .realm = &exchange->realm};
    exchange->understood = dialect_decode(&exchange->request, &exchange->outcome);
    if (exchange->understood) {
        exchange->outcome = outcome;
    }
    exchange->request.answer.access_token = TEXT("access");
    exchange->request.answer.refresh_token = TEXT("next");
    exchange->request.answer.now_ms = exchange->understood ? known_moment(NULL) : 0;
    exchange->request.answer.expires_in_s = 60;
    exchange->request.answer.expires_at_s = 1500000060;
    exchange->request.answer.session_expires_ms = INT64_C(1500000090000);
    exchange->request.answer.scope = TEXT("read write");
    exchange->request.answer.roles = TEXT("a b");
    exchange->request.answer.username = TEXT("ada");
    exchange->request.answer.claims =
        json_in_object(arena, TEXT("{\"id\":7,\"x\":{\"y\":[1]}}"), NULL);
    dialect_respond(&exchange->request, exchange->outcome);
    assert_false(exchange->http.response.failed);
    return exchange;
}

#define JSON "CONTENT_TYPE=application/json\n"
#define FORM "CONTENT_TYPE=application/x-www-form-urlencoded\n"

static void expect(const struct exchange *exchange, int status, const char *body)
{
    struct text said = exchange->http.response.body;

    if (exchange->http.response.status != status || !text_is(said, body)) {
        fail_msg("%d %.*s\n(%s) instead of %d %s", exchange->http.response.status, TEXT_ARGS(said),
                 outcome_word(exchange->outcome), status, body);
    }
}

static const char *header_of(const struct exchange *exchange, const char *name)
{
    const struct http_response *response = &exchange->http.response;

    for (size_t i = 0; i < response->header_count; i++) {
        if (text_is(response->headers[i].name, name)) {
            return arena_c_string(arena, response->headers[i].value);
        }
    }
    return "";
}

static void smallest_file(void **state)
{
    const struct dialect *dialect = read_file(WHOLE);
    const struct exchange *exchange =
        ask(dialect, "refresh", JSON, "{\"token\":\" t \"}", OUTCOME_ROTATED);

    (void)state;
    assert_true(text_is(exchange->request.input.refresh.refresh_token, "t"));
    expect(exchange, 200, "{\"a\":\"access\",\"r\":\"next\"}");
    expect(ask(dialect, "refresh", JSON, "{}", OUTCOME_ROTATED), 400, "{\"error\":\"request\"}");
    expect(ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_TOKEN_REVOKED), 401,
           "{\"error\":\"token\"}");
    expect(ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_FAULT), 503, "");
    assert_string_equal(dialect->name, "acme");
    assert_string_equal(dialect->realm, "/refresh");
    assert_true(dialect->policy.rotate && dialect->policy.format == REFRESH_FORMAT_NATIVE);
    assert_string_equal(dialect->policy.layout->session_claim, "sid");
    assert_true(!dialect->policy.layout->says_scope && dialect->policy.layout->says_audience);
}

/* ---- where values are ---- */

static void places(void **state)
{
    static const struct {
        const char *place, *lines, *body;
        const char *found; /* NULL: refused */
        enum outcome refusal;
    } rows[] = {
        {"json token", JSON, "{\"token\":\"t\"}", "t", 0},
        {"json token", JSON, "{\"token\":null}", NULL, OUTCOME_TOKEN_MISSING},
        {"json token", JSON, "{\"token\":7}", NULL, OUTCOME_TOKEN_MISSING},
        {"json token", JSON, "", NULL, OUTCOME_TOKEN_MISSING},
        {"json /a/b", JSON, "{\"a\":{\"b\":\"t\"}}", "t", 0},
        {"json /a~1b/~0", JSON, "{\"a/b\":{\"~\":\"t\"}}", "t", 0},
        {"json /a/b", JSON, "{\"a\":\"t\"}", NULL, OUTCOME_TOKEN_MISSING},
        {"json a, json /b/c", JSON, "{\"b\":{\"c\":\"t\"}}", "t", 0},
        {"json a, json b", JSON, "{\"a\":\"\",\"b\":\"t\"}", NULL, OUTCOME_TOKEN_MISSING},
        {"form t, json t", FORM, "t=x%20y", "x y", 0},
        {"form t, json t", JSON, "{\"t\":\"z\"}", "z", 0},
        {"form t, json t", FORM, "t=1&t=2", NULL, OUTCOME_PARAMETER_REPEATED},
        {"query t", "QUERY_STRING=t=q\n", "", "q", 0},
        {"header X-Token", "HTTP_X_TOKEN= t\n", "", "t", 0},
        {"header X-A, header X-B", "HTTP_X_B=t\n", "", "t", 0},
        {"header X-A", "HTTP_X_A=t\nHTTP_X_A=u\n", "", NULL, OUTCOME_PARAMETER_REPEATED},
        {"bearer", "HTTP_AUTHORIZATION=Bearer t\n", "", "t", 0},
        {"bearer", "HTTP_AUTHORIZATION=Basic t\n", "", NULL, OUTCOME_TOKEN_MISSING},
        {"authorization JWT", "HTTP_AUTHORIZATION=jwt t\n", "", "t", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024];
        const struct exchange *exchange;

        (void)snprintf(file, sizeof file,
                       "[dialect]\n[endpoint refresh]\npath = /r\nbody = form json\n"
                       "operation = refresh\nrefresh-token = %s\n" ANSWER REFUSALS,
                       rows[i].place);
        exchange = ask(read_file(file), "refresh", rows[i].lines, rows[i].body, OUTCOME_ROTATED);
        if (exchange->understood != (rows[i].found != NULL) ||
            (rows[i].found != NULL
                 ? !text_is(exchange->request.input.refresh.refresh_token, rows[i].found)
                 : exchange->outcome != rows[i].refusal)) {
            fail_msg("%s: %s: %s", rows[i].place, rows[i].body, outcome_word(exchange->outcome));
        }
    }
}

static void values_of_each_role(void **state)
{
    const struct dialect *dialect = read_file(
        "[dialect]\n" REFRESH
        "access-token = bearer\nusername = optional json user\npassword = optional json pass\n"
        "scope = json scope\nclient-id = json id\nclient-secret = optional json secret\n" ANSWER
        "[endpoint login]\npath = /login\noperation = login\nusername = json user\n"
        "password = json pass\nscope = json scope\n" ANSWER
        "[endpoint logout]\npath = /logout\noperation = logout\naccess-token = bearer\n"
        "answer = 204\n" REFUSALS);
    const struct exchange *exchange =
        ask(dialect, "refresh", JSON "HTTP_AUTHORIZATION=Bearer a\n",
            "{\"token\":\"t\",\"user\":\"u\",\"pass\":\"p\",\"scope\":\"s\",\"id\":\"i\","
            "\"secret\":\"x\"}",
            OUTCOME_ROTATED);
    const struct refresh_input *input = &exchange->request.input.refresh;

    (void)state;
    assert_true(exchange->understood && dialect->proves_clients);
    assert_true(input->access_token_given && text_is(input->access_token, "a"));
    assert_true(input->username_given && text_is(input->username, "u"));
    assert_true(input->password_given && text_is(input->password, "p"));
    assert_true(input->scope_given && text_is(input->scope, "s"));
    assert_int_equal(exchange->request.client.kind, CLIENT_PROOF_BODY);
    assert_true(text_is(exchange->request.client.id, "i"));
    assert_true(text_is(exchange->request.client.secret, "x"));

    exchange = ask(dialect, "refresh", JSON "HTTP_AUTHORIZATION=Bearer a\n",
                   "{\"token\":\"t\",\"id\":\"i\"}", OUTCOME_ROTATED);
    input = &exchange->request.input.refresh;
    assert_true(exchange->understood && !input->username_given && !input->scope_given);
    assert_int_equal(exchange->request.client.kind, CLIENT_PROOF_NONE);
    exchange = ask(dialect, "refresh", JSON "HTTP_AUTHORIZATION=Bearer a\n",
                   "{\"token\":\"t\",\"id\":\"i\",\"user\":7}", OUTCOME_ROTATED);
    assert_int_equal(exchange->outcome, OUTCOME_FIELD_MISSING);

    exchange = ask(dialect, "login", JSON, "{\"user\":\"u\",\"pass\":\" p\",\"scope\":\"s\"}",
                   OUTCOME_ROTATED);
    assert_true(text_is(exchange->request.input.login.username, "u"));
    assert_true(text_is(exchange->request.input.login.password, " p"));
    assert_true(exchange->request.input.login.scope_given);

    exchange = ask(dialect, "logout", "HTTP_AUTHORIZATION=Bearer a\n", "", OUTCOME_ENDED);
    assert_true(exchange->request.input.refresh.by_access_token);
    assert_true(text_is(exchange->request.input.refresh.refresh_token, "a"));
    expect(exchange, 204, "");
}

/* Several kinds of request at one path. */
static void conditions(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\n[endpoint token]\npath = /token\n"
                  "[request token refresh]\nwhen = query grant_type is refresh_token or renew , "
                  "optional json "
                  "mode is json\noperation = refresh\n"
                  "refresh-token = json token\n" ANSWER
                  "[request token password]\nwhen = query grant_type is password, header X-V is 2\n"
                  "operation = login\nusername = json user\npassword = json pass\n"
                  "answer = 201 {\"login\":\"${access_token}\",\"r\":\"${refresh_token}\"}\n"
                  "[refusals password]\nclient = 400 {\"error\":\"wrong\"}\n" REFUSALS);

    (void)state;
    expect(ask(dialect, "token", JSON "QUERY_STRING=grant_type=refresh_token\n",
               "{\"token\":\"t\"}", OUTCOME_ROTATED),
           200, "{\"a\":\"access\",\"r\":\"next\"}");
    expect(ask(dialect, "token", JSON "QUERY_STRING=grant_type=renew\n",
               "{\"token\":\"t\",\"mode\":\"json\"}", OUTCOME_ROTATED),
           200, "{\"a\":\"access\",\"r\":\"next\"}");
    assert_int_equal(ask(dialect, "token", JSON "QUERY_STRING=grant_type=renew\n",
                         "{\"token\":\"t\",\"mode\":\"cookie\"}", OUTCOME_ROTATED)
                         ->outcome,
                     OUTCOME_GRANT_TYPE_UNSUPPORTED);
    assert_int_equal(ask(dialect, "token",
                         JSON "QUERY_STRING=grant_type=refresh_token%20or%20renew\n",
                         "{\"token\":\"t\"}", OUTCOME_ROTATED)
                         ->outcome,
                     OUTCOME_GRANT_TYPE_UNSUPPORTED);
    expect(ask(dialect, "token", JSON "QUERY_STRING=grant_type=password\nHTTP_X_V=2\n",
               "{\"user\":\"u\",\"pass\":\"p\"}", OUTCOME_ROTATED),
           201, "{\"login\":\"access\",\"r\":\"next\"}");
    expect(ask(dialect, "token", JSON "QUERY_STRING=grant_type=password\nHTTP_X_V=2\n",
               "{\"user\":\"u\",\"pass\":\"p\"}", OUTCOME_CREDENTIALS_WRONG),
           400, "{\"error\":\"wrong\"}");
    assert_int_equal(
        ask(dialect, "token", JSON "QUERY_STRING=grant_type=password\n", "{}", OUTCOME_ROTATED)
            ->outcome,
        OUTCOME_GRANT_TYPE_UNSUPPORTED);
    assert_int_equal(ask(dialect, "token", JSON, "{}", OUTCOME_ROTATED)->outcome,
                     OUTCOME_GRANT_TYPE_MISSING);
}

/* Where nothing else tells requests at one path apart, the method does; HEAD is GET. */
static void methods_as_conditions(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\n[endpoint session]\npath = /session\nmethods = POST GET DELETE\n"
                  "[request session refresh]\nwhen = method is POST\noperation = refresh\n"
                  "refresh-token = json token\n" ANSWER
                  "[request session logout]\nwhen = method is DELETE\noperation = logout\n"
                  "access-token = bearer\nanswer = 204\n"
                  "[request session user]\nwhen = method is GET, header X-V is 2\n"
                  "operation = validate\nrefresh-token = bearer\n"
                  "answer = 200 {\"id\":\"${token.sub}\"}\n" REFUSALS);
    const struct exchange *exchange =
        ask(dialect, "session", JSON, "{\"token\":\"t\"}", OUTCOME_ROTATED);

    (void)state;
    expect(exchange, 200, "{\"a\":\"access\",\"r\":\"next\"}");
    exchange = ask(dialect, "session", "REQUEST_METHOD=DELETE\nHTTP_AUTHORIZATION=Bearer a\n", "",
                   OUTCOME_ENDED);
    expect(exchange, 204, "");
    exchange =
        ask(dialect, "session", "REQUEST_METHOD=HEAD\nHTTP_AUTHORIZATION=Bearer a\nHTTP_X_V=2\n",
            "", OUTCOME_SERVED);
    assert_ptr_equal(exchange->request.operation, &operation_validate);
    assert_int_equal(ask(dialect, "session",
                         "REQUEST_METHOD=GET\nHTTP_AUTHORIZATION=Bearer a\nHTTP_X_V=1\n", "",
                         OUTCOME_SERVED)
                         ->outcome,
                     OUTCOME_GRANT_TYPE_UNSUPPORTED);
    assert_int_equal(ask(dialect, "session", "REQUEST_METHOD=GET\n", "", OUTCOME_SERVED)->outcome,
                     OUTCOME_GRANT_TYPE_MISSING);
}

/* In whichever body there is, the client too; and what a scope that is asked for means. */
static void either_body(void **state)
{
    const struct dialect *dialect = read_file(
        "[dialect]\nscope-rule = subset\n[endpoint token]\npath = /token\nbody = form json\n"
        "[request token refresh]\nwhen = body grant_type is refresh_token\noperation = refresh\n"
        "client = oauth\nrefresh-token = body token\nscope = body scope\n" ANSWER
        "[request token password]\nwhen = body grant_type is password\noperation = login\n"
        "client = oauth\nusername = body user\npassword = body pass\n" ANSWER REFUSALS);
    const char *const bodies[][2] = {
        {FORM, "grant_type=refresh_token&token=t&scope=s&client_id=i&client_secret=x"},
        {JSON, "{\"grant_type\":\"refresh_token\",\"token\":\"t\",\"scope\":\"s\","
               "\"client_id\":\"i\",\"client_secret\":\"x\"}"}};

    (void)state;
    assert_int_equal(dialect->policy.scope_rule, SCOPE_SUBSET);
    assert_true(policy_allows(&dialect->policy, NULL, GRANT_PASSWORD) &&
                policy_allows(&dialect->policy, NULL, GRANT_REFRESH));
    for (size_t i = 0; i < 2; i++) {
        const struct exchange *exchange =
            ask(dialect, "token", bodies[i][0], bodies[i][1], OUTCOME_ROTATED);

        expect(exchange, 200, "{\"a\":\"access\",\"r\":\"next\"}");
        assert_true(text_is(exchange->request.input.refresh.refresh_token, "t"));
        assert_true(text_is(exchange->request.input.refresh.scope, "s"));
        assert_int_equal(exchange->request.client.kind, CLIENT_PROOF_BODY);
        assert_true(text_is(exchange->request.client.id, "i"));
        assert_true(text_is(exchange->request.client.secret, "x"));
        assert_true(text_is(exchange->request.client.beside, "t"));
        assert_int_equal(exchange->request.grant, GRANT_REFRESH);
    }
    assert_int_equal(ask(dialect, "token", FORM, "grant_type=password&user=u&pass=p&client_id=i",
                         OUTCOME_ROTATED)
                         ->request.grant,
                     GRANT_PASSWORD);
    assert_int_equal(ask(dialect, "token", JSON,
                         "{\"grant_type\":\"refresh_token\",\"token\":\"t\",\"client_id\":7}",
                         OUTCOME_ROTATED)
                         ->outcome,
                     OUTCOME_MALFORMED);
    assert_true(text_is(
        ask(read_file("[dialect]\nnumbers = read\n" REFRESH "client = oauth\n" ANSWER REFUSALS),
            "refresh", JSON, "{\"token\":\"t\",\"client_id\":7}", OUTCOME_ROTATED)
            ->request.client.id,
        "7"));
    assert_int_equal(
        ask(dialect, "token", JSON, "{\"grant_type\":[],\"token\":\"t\"}", OUTCOME_ROTATED)
            ->outcome,
        OUTCOME_GRANT_TYPE_UNSUPPORTED);
}

/* Where no client proves itself, a scope means nothing, and nothing is said of grants. */
static void usual_policy(void **state)
{
    const struct dialect *dialect = read_file(WHOLE);

    (void)state;
    assert_int_equal(dialect->policy.scope_rule, SCOPE_IGNORED);
    assert_int_equal(dialect->policy.grants, 0);
    assert_int_equal(
        read_file("[dialect]\nscope-rule = exact\n" REFRESH ANSWER REFUSALS)->policy.scope_rule,
        SCOPE_EXACT);
    dialect = read_file("[dialect]\ngrants = refresh\n[endpoint login]\npath = /login\n"
                        "operation = login\nclient = oauth\nbody = form\nusername = form u\n"
                        "password = form p\n" ANSWER REFUSALS);
    assert_false(policy_allows(&dialect->policy, NULL, GRANT_PASSWORD));
}

/* A JSON body with other members than those that are looked at is refused; a form has none. */
static void only_members(void **state)
{
    const struct dialect *dialect = read_file(
        "[dialect]\n[endpoint refresh]\npath = /r\nbody = both\n[request refresh renewal]\n"
        "when = optional json kind is renewal\noperation = refresh\nmembers = only\n"
        "refresh-token = json /data/token, form token\n"
        "username = optional json /data/user\n" ANSWER REFUSALS);
    const struct {
        const char *type, *body;
        bool understood;
    } rows[] = {
        {JSON, "{\"data\":{\"token\":\"t\"}}", true},
        {JSON, "{\"kind\":\"renewal\",\"data\":{\"token\":\"t\",\"user\":\"u\"}}", true},
        {JSON, "{\"data\":{\"token\":\"t\"},\"x\":1}", false},
        {JSON, "{\"data\":{\"token\":\"t\"},\"token\":\"t\"}", false},
        {JSON, "{\"token\":\"t\"}", false},
        {FORM, "token=t&x=1", true},
        {FORM, "x=1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct exchange *exchange =
            ask(dialect, "refresh", rows[i].type, rows[i].body, OUTCOME_ROTATED);

        if (exchange->understood != rows[i].understood) {
            fail_msg("%s: %s", rows[i].body, outcome_word(exchange->outcome));
        }
    }
}

/* A logout of all sessions, or of none, and what else is asked with whichever token. */
static void logouts(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\n[endpoint logout]\npath = /logout\noperation = logout\n"
                  "refresh-token = json token\nanswer = 204\n"
                  "[endpoint everywhere]\nlike = logout\npath = /everywhere\nsessions = all\n"
                  "unknown-token = grant\n"
                  "[endpoint user]\npath = /user\nmethods = GET POST\nbody = none\n"
                  "operation = validate\nrefresh-token = bearer\n"
                  "answer = 200 {\"id\":\"${token.sub}\"}\n" REFUSALS);
    const struct exchange *exchange =
        ask(dialect, "logout", JSON, "{\"token\":\"t\"}", OUTCOME_ENDED);

    (void)state;
    assert_false(exchange->request.input.refresh.everywhere);
    assert_false(exchange->request.input.refresh.silent);
    exchange = ask(dialect, "everywhere", JSON, "{\"token\":\"t\"}", OUTCOME_NONE_ENDED);
    assert_true(exchange->request.input.refresh.everywhere);
    assert_true(exchange->request.input.refresh.silent);
    expect(exchange, 204, "");
    exchange = ask(dialect, "user", "HTTP_AUTHORIZATION=Bearer a\n", "", OUTCOME_SERVED);
    assert_ptr_equal(exchange->request.operation, &operation_validate);
    assert_true(text_is(exchange->request.input.refresh.refresh_token, "a"));
}

#define ONE_TOKEN                                                                                  \
    "[endpoint renew]\npath = /renew\nbody = none\noperation = refresh\n"                          \
    "access-token = bearer, header Authorization\nanswer = 200 {\"a\":\"${access_token}\"}\n"
#define LOGIN                                                                                      \
    "[endpoint login]\npath = /login\noperation = login\nusername = json u\npassword = json p\n"   \
    "answer = 200 {\"a\":\"${access_token}\"}\n"

/* One token is both: what renews is asked for by access-token, and nothing rotates. */
static void renewal_by_access_token(void **state)
{
    const struct dialect *dialect = read_file("[dialect]\n" ONE_TOKEN LOGIN REFUSALS);
    static const char *const headers[] = {"Bearer a", "bearer a", "a"};
    const struct exchange *exchange;

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char lines[64];

        snprintf(lines, sizeof lines, "HTTP_AUTHORIZATION=%s\n", headers[i]);
        exchange = ask(dialect, "renew", lines, "", OUTCOME_RENEWED);
        assert_true(exchange->request.input.refresh.by_access_token);
        assert_false(exchange->request.input.refresh.access_token_given);
        assert_true(text_is(exchange->request.input.refresh.refresh_token, "a"));
        expect(exchange, 200, "{\"a\":\"access\"}");
    }
    assert_int_equal(ask(dialect, "renew", "", "", OUTCOME_RENEWED)->outcome,
                     OUTCOME_TOKEN_MISSING);
    assert_true(dialect->policy.by_access_token && dialect->policy.keeps_token);
    assert_false(dialect->policy.rotate);
    assert_false(read_file(WHOLE)->policy.by_access_token);
}

/* Names of JSON that clients give it besides its own. */
static void media_types(void **state)
{
    const struct dialect *dialect = read_file(
        "[dialect]\ntype = application/x-amz-json-1.1\n" REFRESH
        "body = json application/x-amz-json-1.1 application/acme+json required\n" ANSWER REFUSALS);
    const struct exchange *exchange =
        ask(dialect, "refresh", "CONTENT_TYPE=application/x-amz-json-1.1\n", "{\"token\":\"t\"}",
            OUTCOME_ROTATED);

    (void)state;
    expect(exchange, 200, "{\"a\":\"access\",\"r\":\"next\"}");
    assert_string_equal(header_of(exchange, "Content-Type"), "application/x-amz-json-1.1");
    assert_true(ask(dialect, "refresh", "CONTENT_TYPE=application/acme+json; charset=utf-8\n",
                    "{\"token\":\"t\"}", OUTCOME_ROTATED)
                    ->understood);
    assert_true(ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_ROTATED)->understood);
    assert_int_equal(ask(dialect, "refresh", "CONTENT_TYPE=application/x-amz-json-1.0\n",
                         "{\"token\":\"t\"}", OUTCOME_ROTATED)
                         ->outcome,
                     OUTCOME_UNSUPPORTED_MEDIA);
    assert_int_equal(ask(read_file(WHOLE), "refresh", "CONTENT_TYPE=application/x-amz-json-1.1\n",
                         "{\"token\":\"t\"}", OUTCOME_ROTATED)
                         ->outcome,
                     OUTCOME_UNSUPPORTED_MEDIA);
}

/* ---- answers ---- */

static void what_answers_are_made_of(void **state)
{
    const struct exchange *exchange =
        ask(read_file("[dialect]\njson-style = slash\n" REFRESH "answer = 201 {\n"
                      "answer = '  \"at\": \"${access_token}\", \"in\": \"${expires_in}\",'\n"
                      "answer = '  \"t\": [${expires_in.ms}, ${expires_at}, ${expires_at.ms}, "
                      "${expires_at.iso}, ${expires_at.iso.ms}],'\n"
                      "answer = '  \"s\": [${session_expires_in}, ${session_expires_at.iso}, "
                      "${now.ms}, ${session}, ${now.iso.ms}],'\n"
                      "answer = '  \"scope\": ${scope.list}, \"roles\": \"${roles}\",'\n"
                      "answer = '  \"u\": {\"id\": ${account.id}, \"x\": ${account.x}, \"n\": "
                      "${account.none?}}'\n"
                      "answer = }\n"
                      "answer = ''\n"
                      "answer.type = application/vnd.acme+json\n"
                      "answer.header.X-Scope = scope=${scope}\n" REFUSALS),
            "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_ROTATED);

    (void)state;
    expect(exchange, 201,
           "{\n"
           "  \"at\": \"access\", \"in\": \"60\",\n"
           "  \"t\": [60000, 1500000060, 1500000060000, \"2017-07-14T02:41:00Z\", "
           "\"2017-07-14T02:41:00.000Z\"],\n"
           "  \"s\": [90, \"2017-07-14T02:41:30Z\", 1500000000000, null, "
           "\"2017-07-14T02:40:00.000Z\"],\n"
           "  \"scope\": [\"read\",\"write\"], \"roles\": \"a b\",\n"
           "  \"u\": {\"id\": 7, \"x\": {\"y\":[1]}}\n"
           "}\n");
    assert_string_equal(header_of(exchange, "Content-Type"), "application/vnd.acme+json");
    assert_string_equal(header_of(exchange, "X-Scope"), "scope=read write");
    assert_string_equal(header_of(exchange, "Cache-Control"), "no-store");
}

static void refusals_from_the_narrowest(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\n" REFRESH ANSWER
                  "[endpoint logout]\nlike = refresh\npath = /logout\noperation = logout\n"
                  "answer = 200\n" REFUSALS "revoked = 403 {\"error\":\"revoked\"}\n"
                  "revoked.header.X-Why = revoked\n"
                  "expired = 403 gone $${x}\n"
                  "expired.type = text/plain\n"
                  "[refusals deployed]\ntoken = 418 {\"error\":\"deployed\"}\n"
                  "[refusals logout]\ntoken = 410 {\"error\":\"logout\"}\n");
    struct exchange *exchange =
        ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_TOKEN_REVOKED);

    (void)state;
    expect(exchange, 403, "{\"error\":\"revoked\"}");
    assert_string_equal(header_of(exchange, "X-Why"), "revoked");
    exchange = ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_TOKEN_EXPIRED);
    expect(exchange, 403, "gone ${x}");
    assert_string_equal(header_of(exchange, "Content-Type"), "text/plain");
    expect(ask(dialect, "logout", JSON, "{\"token\":\"t\"}", OUTCOME_TOKEN_REVOKED), 410,
           "{\"error\":\"logout\"}");
    exchange->realm.behaviour = BEHAVIOUR_DEPLOYED;
    dialect_respond(&exchange->request, OUTCOME_TOKEN_INVALID);
    expect(exchange, 418, "{\"error\":\"deployed\"}");
}

/* The cookies that an answer sets or clears, each up to what the realm says of it. */
static const char *cookies_of(const struct exchange *exchange)
{
    const struct http_response *response = &exchange->http.response;
    struct buffer buffer;
    struct text all = {0};

    buffer_start(&buffer, arena, 64);
    for (size_t i = 0; i < response->header_count; i++) {
        struct text value = response->headers[i].value;

        if (text_is(response->headers[i].name, "Set-Cookie")) {
            buffer_addf(&buffer, "%.*s\n", TEXT_ARGS(text_cut(value, text_find(value, 'P'))));
        }
    }
    assert_true(buffer_finish(&buffer, &all));
    return all.data;
}

/* Which tokens go into cookies is each answer's own. */
static void cookies_of_each_answer(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\nrefresh-cookie = rt\naccess-cookie = at\n"
                  "[endpoint refresh]\npath = /refresh\n"
                  "[request refresh body]\nwhen = json token\noperation = refresh\n"
                  "refresh-token = json token\n" ANSWER
                  "[request refresh session]\nwhen = json mode is session\noperation = refresh\n"
                  "refresh-token = cookie\nanswer = 200 {}\nanswer.cookies = set\n"
                  "[request refresh page]\nwhen = json mode is page\noperation = refresh\n"
                  "refresh-token = cookie\nanswer = 200 {\"r\":\"${refresh_token}\"}\n"
                  "answer.cookies = set access\n"
                  "[request refresh cookie]\noperation = refresh\nrefresh-token = cookie\n"
                  "answer = 200 {\"a\":\"${access_token}\"}\nanswer.cookies = set refresh\n"
                  "[endpoint logout]\npath = /logout\noperation = logout\n"
                  "refresh-token = cookie\nanswer = 204\nanswer.cookies = clear\n" REFUSALS);
#define COOKIE_RT "HTTP_COOKIE=rt=t\n"
    const struct exchange *exchange =
        ask(dialect, "refresh", JSON COOKIE_RT, "{\"token\":\"v\"}", OUTCOME_ROTATED);

    (void)state;
    expect(exchange, 200, "{\"a\":\"access\",\"r\":\"next\"}");
    assert_string_equal(cookies_of(exchange), "");
    exchange = ask(dialect, "refresh", JSON COOKIE_RT, "{\"token\":\"\",\"mode\":\"session\"}",
                   OUTCOME_ROTATED);
    expect(exchange, 200, "{}");
    assert_non_null(strstr(cookies_of(exchange), "at=access; Max-Age=60; "));
    assert_non_null(strstr(cookies_of(exchange), "rt=next; Max-Age=90; "));
    exchange = ask(dialect, "refresh", JSON COOKIE_RT, "{\"token\":null,\"mode\":\"page\"}",
                   OUTCOME_ROTATED);
    expect(exchange, 200, "{\"r\":\"next\"}");
    assert_non_null(strstr(cookies_of(exchange), "at=access; "));
    assert_null(strstr(cookies_of(exchange), "rt="));
    exchange = ask(dialect, "refresh", COOKIE_RT, "", OUTCOME_ROTATED);
    expect(exchange, 200, "{\"a\":\"access\"}");
    assert_non_null(strstr(cookies_of(exchange), "rt=next; "));
    assert_null(strstr(cookies_of(exchange), "at="));
    exchange = ask(dialect, "refresh", JSON COOKIE_RT, "{\"token\":7}", OUTCOME_ROTATED);
    assert_int_equal(exchange->outcome, OUTCOME_TOKEN_MISSING);
    exchange = ask(dialect, "logout", COOKIE_RT, "", OUTCOME_ENDED);
    assert_non_null(strstr(cookies_of(exchange), "at=; Max-Age=0; "));
    assert_non_null(strstr(cookies_of(exchange), "rt=; Max-Age=0; "));
}

/* When, and of which request; an id only where it is told. */
static void refusals_with_date_and_id(void **state)
{
    const struct dialect *dialect = read_file(
        "[dialect]\n" REFRESH ANSWER REFUSALS
        "invalid = 400 {\"at\":${now},\"day\":\"${now.date}Z\",\"id\":\"${request_id}\"}\n"
        "no-token = 400 {\"at\":\"${now.iso}\"}\n");
    const struct exchange *exchange =
        ask(dialect, "refresh", JSON, "{\"token\":\"t\"}", OUTCOME_TOKEN_INVALID);

    (void)state;
    expect(exchange, 400,
           "{\"at\":1500000000,\"day\":\"2017-07-14 02:40:00Z\","
           "\"id\":\"015d3ef7-9800-7a5a-9a5a-5a5a5a5a5a5a\"}");
    assert_string_equal(exchange->request.id, "015d3ef7-9800-7a5a-9a5a-5a5a5a5a5a5a");
    exchange = ask(dialect, "refresh", JSON, "{}", OUTCOME_ROTATED);
    expect(exchange, 400, "{\"at\":\"2017-07-14T02:40:00Z\"}");
    assert_string_equal(exchange->request.id, "");
}

static void cookies(void **state)
{
    const struct dialect *dialect =
        read_file("[dialect]\nrefresh-cookie = rt\n[endpoint refresh]\npath = /refresh\n"
                  "operation = refresh\nrefresh-token = cookie, json token\n"
                  "answer = 200 {\"a\":\"${access_token}\"}\nanswer.cookies = set\n"
                  "[endpoint logout]\npath = /logout\noperation = logout\n"
                  "refresh-token = cookie\nanswer = 204\nanswer.cookies = clear\n" REFUSALS);
    const struct exchange *exchange =
        ask(dialect, "refresh", "HTTP_COOKIE=x=1; rt=t; rt=u\n", "", OUTCOME_ROTATED);

    (void)state;
    assert_true(dialect->policy.rotate && dialect->endpoints[0].cookies);
    assert_true(text_is(exchange->request.input.refresh.refresh_token, "t"));
    assert_int_equal(exchange->request.input.refresh.candidate_count, 2);
    expect(exchange, 200, "{\"a\":\"access\"}");
    assert_non_null(strstr(header_of(exchange, "Set-Cookie"), "rt=next; "));
    exchange = ask(dialect, "refresh", JSON, "{\"token\":\"v\"}", OUTCOME_TOKEN_INVALID);
    assert_true(text_is(exchange->request.input.refresh.refresh_token, "v"));
    assert_string_equal(header_of(exchange, "Set-Cookie"), "");
    exchange = ask(dialect, "logout", "HTTP_COOKIE=rt=t\n", "", OUTCOME_ENDED);
    assert_non_null(strstr(header_of(exchange, "Set-Cookie"), "rt=; "));
}

/* ---- policy ---- */

static void policies(void **state)
{
    const struct dialect *kept =
        read_file("[dialect]\n" REFRESH "answer = 200 {\"a\":\"${access_token}\"}\n" REFUSALS);
    const struct dialect *jwt =
        read_file(WHOLE "[refresh-token]\npayload = {\"sid\":\"${session}\"}\n[access-token]\n"
                        "header = {\"kid\":\"${kid}\",\"alg\":\"${alg}\",\"typ\":\"at\"}\n"
                        "payload = {\"scp\":${scope.list}}\n");
    const struct dialect *set =
        read_file("[dialect]\nidle-lifetime = 2h\nalgorithm = ES256\naudience = x\n"
                  "issuer = https://a.example\n" REFRESH ANSWER REFUSALS);

    (void)state;
    assert_true(kept->policy.keeps_token && !kept->policy.rotate);
    assert_true(jwt->policy.format == REFRESH_FORMAT_JWT && !jwt->policy.rotate);
    assert_true(jwt->policy.layout->says_scope && !jwt->policy.layout->says_audience);
    assert_null(jwt->policy.layout->session_claim);
    assert_string_equal(jwt->policy.layout->header[0].name, "kid");
    assert_string_equal(jwt->policy.layout->header[2].value, "at");
    assert_true(set->policy.idle_lifetime_ms == 2 * CLOCK_HOUR);
    assert_true(set->policy.algorithm == SIGNING_ES256);
    assert_string_equal(set->audience, "x");
    assert_string_equal(set->issuer, "https://a.example");
}

/* ---- mistakes ---- */

#define AT "acme.dialect:"

static void mistakes(void **state)
{
    static const struct {
        const char *contents, *complaint;
    } rows[] = {
        {"", AT "1: no section [dialect]; write it first"},
        {"[dialect]\n", AT "1: no endpoint; write [endpoint NAME]"},
        {"[dialect]\n[dialect]\n", AT "2: one section [dialect], without a name"},
        {"[dialect acme]\n", AT "1: one section [dialect], without a name"},
        {"[dialect]\n[other]\n", AT "2: [other]: unknown section; write [dialect], [endpoint"},
        {"[dialect]\n[endpoint]\n", AT "2: [endpoint]: unknown section"},
        {"[dialect]\n[access-token x]\n", AT "2: [access-token x]: unknown section"},
        {"[dialect]\ncolour = red\n", AT "2: colour: unknown setting in [dialect]"},
        {"[dialect]\nhook = x\n", AT "2: hook: unknown setting in [dialect]"},
        {"[dialect]\njson-style = x\n", AT "2: json-style = x: unknown; write plain, slash"},
        {"[dialect]\nidle-lifetime = 1\n", AT "2: idle-lifetime = 1: not a duration"},
        {"[dialect]\nsummary = a\nsummary = b\n", AT "3: summary is already set on line 2"},
        {"[dialect]\n[endpoint a/b]\n", AT "2: [endpoint a/b]: not a name"},
        {"[dialect]\n[endpoint a]\n", AT "2: [endpoint a]: no path; write path = /PATH"},
        {"[dialect]\n[endpoint a]\npath = a\n", AT "3: path = a: not a path"},
        {"[dialect]\n[endpoint a]\npath = /a\ncolour = red\n",
         AT "4: colour: unknown setting in [endpoint]"},
        {"[dialect]\n[endpoint a]\npath = /a\nmethods = PUT\n", AT "4: methods = PUT: unknown"},
        {"[dialect]\n[endpoint a]\npath = /a\nbody = xml\n", AT "4: body = xml: unknown"},
        {"[dialect]\n[endpoint a]\npath = /a\nbody = text/json\n",
         AT "4: body = text/json: unknown"},
        {"[dialect]\n[endpoint a]\npath = /a\nbody = application/jsonp\n",
         AT "4: body = application/jsonp: unknown"},
        {"[dialect]\n[endpoint a]\npath = /a\noperation = dance\n",
         AT "4: operation = dance: unknown; write refresh, login, logout, verify or validate"},
        {"[dialect]\n[endpoint a]\npath = /a\nlike = b\n", AT "4: like = b: no such endpoint"},
        {"[dialect]\n[endpoint a]\npath = /a\nrefresh-token = token\n",
         AT "4: refresh-token = token: unknown place"},
        {"[dialect]\n[endpoint a]\npath = /a\nrefresh-token = json /a~2\n",
         AT "4: refresh-token = json /a~2: not a JSON pointer"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = {}\n",
         AT "4: answer = {}: begins with a status"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 302\n", AT "4: answer = 302: begins with"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 401\n",
         AT "4: answer = 401: a grant's status is from 200 to 299"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {\n", AT "4: answer: not JSON"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {\"a\":${secret}}\n",
         AT "4: answer: ${secret}: unknown; write one of access_token, refresh_token, "},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 <a>${access_token}</a>\n"
         "answer.type = text/html\n",
         AT "4: answer: values have places in JSON and text/plain only, not in text/html"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.header.Location = /x\n",
         AT "5: answer.header.Location: a header that Retoken sets itself"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\n"
         "answer.header.x-accel-redirect = ${username}\n",
         AT "5: answer.header.x-accel-redirect: a header that Retoken sets itself, or that web"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\n"
         "answer.header.X-Sendfile2 = ${username}\n",
         AT "5: answer.header.X-Sendfile2: a header that Retoken sets itself, or that web"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.header.Refresh = 0\n",
         AT "5: answer.header.Refresh: a header that"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 ${username}\n"
         "answer.type = text/plain, text/html\n",
         AT "5: answer.type = text/plain, text/html: not a media type"},
        {"[dialect]\ntype = json\n", AT "2: type = json: not a media type"},
        {"[dialect]\ntype = application/json;, text/html\n",
         AT "2: type = application/json;, text/html: not a media type"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.header.A b = /x\n",
         AT "5: answer.header.A b: not the name of a header"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.header.X = 'a\tb'\n",
         AT "5: answer.header.X: a tab or another control character"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.colour = red\n",
         AT "5: answer.colour: unknown; write answer, answer.type"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer.type = x/y\n",
         AT "4: answer.type without answer"},
        {"[dialect]\nrefresh-cookie = a b\n", AT "2: refresh-cookie = a b: not a cookie's name"},
        {"[dialect]\n[endpoint a]\npath = /a\nrefresh-token = cookie\n",
         AT "4: refresh-token = cookie: a cookie is a place for the refresh token only, and"},
        {"[dialect]\nrefresh-cookie = rt\n[endpoint a]\npath = /a\nanswer = 200 {}\n"
         "answer.cookies = set access\n",
         AT "6: answer.cookies = set access: there is none; name it in [dialect]"},
        {"[dialect]\n[endpoint a]\npath = /a\nanswer = 200 {}\nanswer.cookies = set\n",
         AT "5: answer.cookies = set: there is none; name it in [dialect]"},
        {"[dialect]\n[request a b]\n", AT "2: [request a b]: no such endpoint"},
        {"[dialect]\n[endpoint a]\npath = /a\n[request a]\n", AT "4: [request a]: no name"},
        {"[dialect]\n[endpoint a]\npath = /a\n[request a b]\n",
         AT "4: [request a b]: no operation"},
        {"[dialect]\n[endpoint a]\npath = /a\n[request a b]\nwhen = optional form x\n",
         AT "5: when = optional form x: write at most 4 conditions"},
        {"[dialect]\n[endpoint a]\npath = /a\n[request a b]\nwhen = form x is a or b or c or d or "
         "e\n",
         AT "5: when = form x is a or b or c or d or e: write at most 4 conditions"},
        {WHOLE "[endpoint b]\nlike = refresh\npath = /b\nsessions = all\n",
         AT "12: [endpoint b]: sessions and unknown-token are about a logout"},
        {"[dialect]\n[endpoint a]\npath = /a\nbody = both\n[request a b]\noperation = refresh\n"
         "when = optional body mode is json\n",
         AT "5: [request a b]: optional body; write one request for json and one for form"},
        {"[dialect]\nscope-rule = some\n",
         AT "2: scope-rule = some: unknown; write ignored, subset or exact"},
        {"[dialect]\n[endpoint a]\npath = /a\nsessions = some\n",
         AT "4: sessions = some: unknown; write one or all"},
        {"[dialect]\n[endpoint a]\npath = /a\n[endpoint b]\npath = /a/\n",
         AT "5: path = /a/: another endpoint is there"},
        {"[dialect]\n" REFRESH REFUSALS, AT "2: [endpoint refresh]: no answer"},
        {"[dialect]\n" REFRESH "answer = 200 {}\n" REFUSALS,
         AT "2: [endpoint refresh]: its answer has no ${access_token}"},
        {"[dialect]\n[endpoint a]\npath = /a\noperation = refresh\n" ANSWER REFUSALS,
         AT "2: [endpoint a]: no refresh-token; write where it is"},
        {"[dialect]\n[endpoint a]\npath = /a\noperation = login\nusername = json u\n"
         "password = json p\nanswer = 200 {\"a\":\"${access_token}\"}\n" REFUSALS,
         AT "2: [endpoint a]: its answer has no ${refresh_token}"},
        {"[dialect]\n" REFRESH "answer = 200 {\"a\":\"${access_token}\","
         "\"r\":{\"t\":[\"rt_${refresh_token}\"]}}\n" REFUSALS,
         AT "2: [endpoint refresh]: its answer has text beside ${refresh_token}"},
        {"[dialect]\n" ONE_TOKEN REFRESH "answer = 200 {\"a\":\"${access_token}\"}\n" REFUSALS,
         AT "8: [endpoint refresh]: sessions are renewed with the access token elsewhere"},
        {"[dialect]\n" ONE_TOKEN "answer.header.X = ${new_refresh_token}\n" REFUSALS,
         AT "2: [endpoint renew]: its answer has a refresh token, and sessions are renewed with"},
        {"[dialect]\n" LOGIN "answer.header.X = ${refresh_token}\n" ONE_TOKEN REFUSALS,
         AT "2: [endpoint login]: its answer has a refresh token, and sessions are renewed with"},
        {"[dialect]\n" ONE_TOKEN "scope = query scope\n" REFUSALS,
         AT "2: [endpoint renew]: an access token renews its session with all of its scope"},
        {"[dialect]\n" ONE_TOKEN REFUSALS "[access-token]\npayload = {\"sub\":\"${subject}\"}\n",
         AT "13: [access-token]: sessions are renewed with it, and no member of its payload"},
        {"[dialect]\n" ONE_TOKEN REFUSALS
         "[access-token]\npayload = {\"sid\":\"${session}\",\"ends\":${expires_at}}\n",
         AT "13: [access-token]: sessions are renewed with it until it expires; write \"exp\":"},
        {"[dialect]\n" ONE_TOKEN REFUSALS "[refresh-token]\npayload = {\"sub\":\"${subject}\"}\n",
         AT "13: [refresh-token]: sessions are renewed with the access token; remove"},
        {"[dialect]\nrotation = on\n" ONE_TOKEN REFUSALS,
         AT "2: rotation = on: no answer to a refresh has a place for ${refresh_token}"},
        {"[dialect]\n" REFRESH ANSWER, AT "2: no answer for refusals of the class `request`"},
        {"[dialect]\n[endpoint a]\npath = /a\n" ANSWER REFUSALS,
         AT "2: [endpoint a]: no operation"},
        {"[dialect]\nrotation = on\n" REFRESH "answer = 200 {\"a\":\"${access_token}\"}\n" REFUSALS,
         AT "2: rotation = on: no answer to a refresh has a place for ${refresh_token}"},
        {"[dialect]\nformat = jwt\n" REFRESH ANSWER REFUSALS,
         AT "2: format = jwt: write the payload"},
        {WHOLE "[refusals nobody]\n",
         AT "12: [refusals nobody]: no endpoint, request or operation"},
        {WHOLE "colour = 400\n", AT "12: colour: neither a class (request, client, token, here)"},
        {WHOLE "expired = 200 {\"a\":1}\n",
         AT "2: a refusal with status 200: no client could tell it from a grant"},
        {WHOLE "expired = 200\n", AT "2: a refusal with status 200"},
        {WHOLE "expired = 401 {\"a\":\"${access_token}\"}\n",
         AT "12: expired: ${access_token}: unknown; write one of now, now.ms, now.iso, now.date, "
            "request_id, complaints, method, content_type"},
        {WHOLE "expired = 401\nexpired.colour = x\n",
         AT "13: expired.colour: unknown; write expired.type or expired.header.NAME"},
        {WHOLE "expired.header.X = y\n",
         AT "12: expired.header.X without expired; write expired = STATUS BODY"},
        {WHOLE "fault = 401\n", AT "2: a fault of the server is answered with 401"},
        {WHOLE "[access-token]\nheader = {\"alg\":\"none\"}\n", AT "13: header = {"},
        {WHOLE "[access-token]\npayload = {\"a\":${access_token}}\n",
         AT "13: payload: ${access_token}: unknown; write one of issuer, audience, "},
        {WHOLE "[access-token]\npayload = []\n", AT "13: payload: not a JSON object"},
        {WHOLE "[access-token]\ncolour = x\n", AT "13: colour: unknown setting in [access-token]"},
        {WHOLE "[refresh-token]\n", AT "12: [refresh-token]: no payload"},
        {WHOLE "[complaints]\nany = x\n", AT "13: any = x: not JSON"},
        {WHOLE "[complaints nobody]\nany = 1\n", AT "12: [complaints nobody]: no endpoint"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {0};

        if (dialect_file_read(TEXT("acme"), "acme.dialect", text_of(rows[i].contents), arena,
                              &fault) != NULL) {
            fail_msg("taken: %s", rows[i].contents);
        } else if (strncmp(fault.text, rows[i].complaint, strlen(rows[i].complaint)) != 0) {
            fail_msg("%s\ninstead of\n%s", fault.text, rows[i].complaint);
        }
    }
}

/* ---- the program's own ---- */

static void shipped_files(void **state)
{
    (void)state;
    assert_true(dialects_file_count >= 3);
    for (size_t i = 0; i < dialects_file_count; i++) {
        struct text name = text_of(dialects_files[i].name);
        const struct dialect *dialect;
        struct fault fault = {0};

        dialect =
            dialect_file_read(name, dialects_files[i].name, dialects_files[i].text, arena, &fault);
        assert_string_equal(fault.text, "");
        assert_true(dialect_file_is_name(name) && dialect->summary[0] != '\0');
        assert_ptr_equal(dialects_find(name), dialects_find(name));
    }
    assert_null(dialects_find(TEXT("acme")));
}

static void one_of_each_text(void **state)
{
    struct fault fault;
    const struct dialect *first = dialect_file_take(TEXT("acme"), "a.dialect", TEXT(WHOLE), &fault);

    (void)state;
    assert_non_null(first);
    assert_ptr_equal(dialect_file_take(TEXT("acme"), "b.dialect", TEXT(WHOLE), &fault), first);
    assert_ptr_not_equal(dialect_file_take(TEXT("other"), "a.dialect", TEXT(WHOLE), &fault), first);
    assert_ptr_not_equal(dialect_file_take(TEXT("acme"), "a.dialect", TEXT(WHOLE "\n"), &fault),
                         first);
}

/* Wherever memory ends there is a complaint, and never half a dialect. */
static void memory(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t limit = 0; good < 3 && limit < 256 * 1024; limit += 32 + limit / 16) {
        struct arena *small = arena_open(limit);
        struct fault fault = {0};
        const struct dialect *dialect;

        assert_non_null(small);
        dialect = dialect_file_read(TEXT("acme"), "acme", TEXT(WHOLE), small, &fault);
        assert_true((dialect != NULL) == (fault.text[0] == '\0'));
        good += dialect != NULL;
        arena_close(small);
    }
    assert_int_equal(good, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_file),
        cmocka_unit_test(places),
        cmocka_unit_test(values_of_each_role),
        cmocka_unit_test(conditions),
        cmocka_unit_test(only_members),
        cmocka_unit_test(methods_as_conditions),
        cmocka_unit_test(either_body),
        cmocka_unit_test(usual_policy),
        cmocka_unit_test(logouts),
        cmocka_unit_test(renewal_by_access_token),
        cmocka_unit_test(media_types),
        cmocka_unit_test(what_answers_are_made_of),
        cmocka_unit_test(refusals_from_the_narrowest),
        cmocka_unit_test(cookies_of_each_answer),
        cmocka_unit_test(refusals_with_date_and_id),
        cmocka_unit_test(cookies),
        cmocka_unit_test(policies),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(shipped_files),
        cmocka_unit_test(one_of_each_text),
        cmocka_unit_test(memory),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
