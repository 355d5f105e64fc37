/* SPDX-License-Identifier: ISC */
/* test_request.c: what web servers pass, honest and hostile, becomes one request or a malformed
 * one.
 */
#include <stdio.h>

#include "base/buffer.h"
#include "base/expect.h"
#include "http/request.h"

enum { LIMIT = 4 << 20 };

static int open_arena(void **state)
{
    *state = arena_open(LIMIT);
    return *state == NULL;
}

static int close_arena(void **state)
{
    arena_close(*state);
    return 0;
}

#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct http_request request_of(struct arena *arena, const char *const *variables)
{
    struct http_request request;

    assert_true(http_request_from_cgi(arena, variables, &request));
    return request;
}

/* ---- variables ---- */

static void test_variables(void **state)
{
    struct http_request request = request_of(
        *state, VARIABLES("GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST",
                          "SCRIPT_NAME=/oauth/token", "PATH_INFO=/x=y", "QUERY_STRING=a=b&c=%20",
                          "CONTENT_TYPE=application/json;charset=UTF-8", "CONTENT_LENGTH=7",
                          "REMOTE_ADDR=127.0.0.1", "HTTPS=on", "HTTP_REFRESH_TOKEN=abc=",
                          "HTTP_X_FORWARDED_FOR_=1", "PATH=/bin", "NOTHING", "=", ""));
    struct text value;

    assert_int_equal(request.method, HTTP_POST);
    expect_text(request.method_name, "POST");
    expect_text(request.script_name, "/oauth/token");
    expect_text(request.path_info, "/x=y");
    expect_text(request.query, "a=b&c=%20");
    expect_text(request.content_type, "application/json;charset=UTF-8");
    expect_text(request.remote_address, "127.0.0.1");
    assert_true(request.https);
    assert_false(request.malformed);
    assert_int_equal(request.body_state, HTTP_BODY_WHOLE);
    assert_int_equal(request.body.size, 0);
    assert_int_equal(request.header_count, 2);
    assert_int_equal(http_header(&request, "refresh-token", &value), HTTP_ONE);
    expect_text(value, "abc=");
    assert_int_equal(http_header(&request, "x-forwarded-for-", &value), HTTP_ONE);
    assert_int_equal(http_header(&request, "Refresh-Token", &value), HTTP_ABSENT);
}

/* The server's own variable and nothing that a client can send. */
static void test_remote_user(void **state)
{
    struct http_request request = request_of(
        *state, VARIABLES("HTTP_REMOTE_USER=eve", "HTTP_X_REMOTE_USER=eve", "HTTP_AUTH_TYPE=Basic",
                          "Remote_User=eve", "remote_user=eve", "REMOTE-USER=eve",
                          "REDIRECT_REMOTE_USER=eve", "REMOTE_USER =eve", " REMOTE_USER=eve",
                          "HTTP_AUTHORIZATION=Basic ZXZlOng="));

    assert_int_equal(request.remote_user.size, 0);
    assert_int_equal(request.auth_type.size, 0);
    request = request_of(*state, VARIABLES("REMOTE_USER=ada", "AUTH_TYPE=Basic"));
    expect_text(request.remote_user, "ada");
    expect_text(request.auth_type, "Basic");
    assert_false(request.malformed);
    request = request_of(*state, VARIABLES("REMOTE_USER=ada", "REMOTE_USER=eve"));
    assert_true(request.malformed);
    request = request_of(*state, VARIABLES("AUTH_TYPE=", "AUTH_TYPE=Basic"));
    assert_true(request.malformed);
}

/* What a page needs is the server's to say. */
static void test_check_scope(void **state)
{
    struct http_request request = request_of(*state, VARIABLES("HTTP_RETOKEN_CHECK_SCOPE=read",
                                                               "REDIRECT_RETOKEN_CHECK_SCOPE=read",
                                                               "Retoken_Check_Scope=read"));

    assert_int_equal(request.check_scope.size, 0);
    request = request_of(*state, VARIABLES("RETOKEN_CHECK_SCOPE=read write"));
    expect_text(request.check_scope, "read write");
    request = request_of(*state, VARIABLES("RETOKEN_CHECK_SCOPE=", "RETOKEN_CHECK_SCOPE=read"));
    assert_true(request.malformed);
}

/* Of the connection's certificate, too. */
static void test_certificates(void **state)
{
    struct http_request request = request_of(
        *state, VARIABLES("HTTP_SSL_CLIENT_CERT=eve", "HTTP_X_SSL_CLIENT_CERT=eve",
                          "HTTP_X_CLIENT_CERT=eve", "HTTP_CLIENT_CERT=eve", "HTTP_X_SSL_CERT=eve",
                          "HTTP_SSL_CLIENT_VERIFY=SUCCESS", "REDIRECT_SSL_CLIENT_CERT=eve",
                          "Ssl_Client_Cert=eve", "ssl_client_cert=eve", "SSL-CLIENT-CERT=eve",
                          " SSL_CLIENT_CERT=eve", "SSL_CLIENT_CERT =eve"));

    assert_int_equal(request.client_certificate.size, 0);
    assert_int_equal(request.client_verified.size, 0);
    request =
        request_of(*state, VARIABLES("SSL_CLIENT_CERT=-----BEGIN\nA=\n", "SSL_CLIENT_VERIFY=NONE"));
    expect_text(request.client_certificate, "-----BEGIN\nA=\n");
    expect_text(request.client_verified, "NONE");
    assert_false(request.malformed);
    request = request_of(*state, VARIABLES("SSL_CLIENT_CERT=a", "SSL_CLIENT_CERT=a"));
    assert_true(request.malformed);
    request = request_of(*state, VARIABLES("SSL_CLIENT_VERIFY=SUCCESS", "SSL_CLIENT_VERIFY=NONE"));
    assert_true(request.malformed);
}

static void test_nothing_at_all(void **state)
{
    struct http_request request = request_of(*state, (const char *const[]){NULL});
    struct text value = TEXT("untouched");

    assert_int_equal(request.method, HTTP_OTHER);
    assert_false(request.malformed || request.https);
    assert_int_equal(request.header_count, 0);
    assert_int_equal(http_header(&request, "cookie", &value), HTTP_ABSENT);
    assert_int_equal(http_cookies(&request, "a", &value, 1), 0);
    assert_int_equal(http_authorization(&request, "Bearer", &value), HTTP_ABSENT);
    expect_text(value, "untouched");
}

static void test_methods(void **state)
{
    static const struct row {
        const char *variable;
        enum http_method method;
    } rows[] = {
        {"REQUEST_METHOD=GET", HTTP_GET},         {"REQUEST_METHOD=HEAD", HTTP_HEAD},
        {"REQUEST_METHOD=POST", HTTP_POST},       {"REQUEST_METHOD=PUT", HTTP_PUT},
        {"REQUEST_METHOD=DELETE", HTTP_DELETE},   {"REQUEST_METHOD=PATCH", HTTP_PATCH},
        {"REQUEST_METHOD=OPTIONS", HTTP_OPTIONS}, {"REQUEST_METHOD=post", HTTP_OTHER},
        {"REQUEST_METHOD=Post", HTTP_OTHER},      {"REQUEST_METHOD=POST ", HTTP_OTHER},
        {"REQUEST_METHOD=POSTS", HTTP_OTHER},     {"REQUEST_METHOD=TRACE", HTTP_OTHER},
        {"REQUEST_METHOD=", HTTP_OTHER},          {"REQUEST_METHOD", HTTP_OTHER},
        {"request_method=POST", HTTP_OTHER},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].variable));
        assert_int_equal(request.method, rows[i].method);
    }
    expect_text(request_of(*state, VARIABLES("REQUEST_METHOD=post")).method_name, "post");
}

static void test_https(void **state)
{
    static const struct row {
        const char *variable;
        bool https;
    } rows[] = {
        {"HTTPS=on", true},   {"HTTPS=ON", true},       {"HTTPS=1", true},
        {"HTTPS=off", false}, {"HTTPS=", false},        {"HTTPS=0", false},
        {"HTTPS", false},     {"HTTP_HTTPS=on", false}, {"HTTP_X_FORWARDED_PROTO=https", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(request_of(*state, VARIABLES(rows[i].variable)).https, rows[i].https);
    }
}

static void test_proxy_is_dropped(void **state)
{
    struct http_request request =
        request_of(*state, VARIABLES("HTTP_PROXY=http://evil/", "HTTP_PrOXY=http://evil/",
                                     "HTTP_COOkIE=a=b", "HTTP_PROXY_AUTHORIZATION=x"));
    struct text value;

    assert_int_equal(http_header(&request, "proxy", &value), HTTP_ABSENT);
    assert_int_equal(request.header_count, 1);
    assert_int_equal(http_header(&request, "proxy-authorization", &value), HTTP_ONE);
}

static void test_variables_that_must_be_single(void **state)
{
    static const struct row {
        const char *first, *second;
        bool malformed;
    } rows[] = {
        {"REQUEST_METHOD=GET", "REQUEST_METHOD=POST", true},
        {"REQUEST_METHOD=GET", "REQUEST_METHOD=GET", true},
        {"SCRIPT_NAME=/a", "SCRIPT_NAME=/b", true},
        {"PATH_INFO=", "PATH_INFO=/b", true},
        {"CONTENT_TYPE=a/b", "CONTENT_TYPE=a/b", true},
        {"CONTENT_LENGTH=1", "CONTENT_LENGTH=2", true},
        {"HTTP_AUTHORIZATION=Basic a", "HTTP_AUTHORIZATION=Bearer b", true},
        {"HTTP_AUTHORIZATION=", "HTTP_AUTHORIZATION=", true},
        {"HTTP_COOKIE=a=b", "HTTP_COOKIE=c=d", false},           /* RFC 6265bis section 4.2.1 */
        {"HTTP_REFRESH_TOKEN=a", "HTTP_REFRESH_TOKEN=b", false}, /* its reader sees both */
        {"HTTP_X_UNDER=a", "HTTP_X_UNDER=b", false},
        {"QUERY_STRING=a", "QUERY_STRING=b", false},
        {"HTTP_COOKIE=a=b", "HTTP_COOKIES=c=d", false},
        {"CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=c/d", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request =
            request_of(*state, VARIABLES("A=b", rows[i].first, "C=d", rows[i].second, "E=f"));
        assert_int_equal(request.malformed, rows[i].malformed);
    }
}

/* Whoever reads first does not get to see another request than whoever reads last. */
static void test_the_first_one_counts(void **state)
{
    struct http_request request =
        request_of(*state, VARIABLES("REQUEST_METHOD=GET", "SCRIPT_NAME=/a", "QUERY_STRING=q=1",
                                     "REQUEST_METHOD=POST", "SCRIPT_NAME=/b", "QUERY_STRING=q=2"));

    assert_true(request.malformed);
    assert_int_equal(request.method, HTTP_GET);
    expect_text(request.script_name, "/a");
    expect_text(request.query, "q=1");
}

/* ---- limits ---- */

static void test_number_of_headers(void **state)
{
    enum { MOST = 400 };
    static char lines[MOST][32];
    const char *variables[MOST + 1] = {NULL};
    struct text value;

    for (int i = 0; i < MOST; i++) {
        struct http_request request = request_of(*state, variables);
        assert_int_equal(request.malformed, i > HTTP_HEADERS_MAX);
        assert_int_equal(request.header_count, i < HTTP_HEADERS_MAX ? i : HTTP_HEADERS_MAX);
        snprintf(lines[i], sizeof lines[i], "HTTP_X_%d=%d", i, i);
        variables[i] = lines[i];
        arena_reset(*state);
    }
    struct http_request request = request_of(*state, variables);
    assert_int_equal(http_header(&request, "x-127", &value), HTTP_ONE);
    assert_int_equal(http_header(&request, "x-128", &value), HTTP_ABSENT);
}

static void test_size_of_headers(void **state)
{
    enum { MOST = 16 * 1024, NAME = 9 };
    static char line[MOST + 64];
    const char *const variables[] = {line, NULL};

    memset(line, 'A', sizeof line);
    memcpy(line, "HTTP_LONG=", NAME + 1);
    line[NAME + 1 + MOST] = '\0';
    assert_false(request_of(*state, variables).malformed);
    line[NAME + 1 + MOST] = 'A';
    line[NAME + 1 + MOST + 1] = '\0';
    assert_true(request_of(*state, variables).malformed);
    line[NAME] = 'X'; /* a name that never ends */
    assert_true(request_of(*state, variables).malformed);
}

static void test_arena_runs_out(void **state)
{
    bool done = false;
    (void)state;

    for (size_t limit = 0; limit < 400; limit++) {
        struct arena *arena = arena_open(limit);
        struct http_request request = {.method = HTTP_PATCH};
        bool before = done;
        done = http_request_from_cgi(
            arena, VARIABLES("REQUEST_METHOD=POST", "HTTP_A=1", "HTTP_B_C=2", "HTTP_COOKIE=a=b"),
            &request);
        assert_int_equal(request.method, done ? HTTP_POST : HTTP_PATCH);
        assert_false(before && !done);
        arena_close(arena);
    }
    assert_true(done);
}

static void test_content_length(void **state)
{
    static const struct row {
        const char *first, *second;
        enum http_length result;
        size_t length;
    } rows[] = {
        {"A=b", "C=d", HTTP_LENGTH_ABSENT, 0},
        {"CONTENT_LENGTH=", "C=d", HTTP_LENGTH_ABSENT, 0}, /* nginx on GET */
        {"CONTENT_LENGTH", "C=d", HTTP_LENGTH_ABSENT, 0},
        {"HTTP_CONTENT_LENGTH=5", "C=d", HTTP_LENGTH_ABSENT, 0},
        {"CONTENT_LENGTH=0", "C=d", HTTP_LENGTH_GIVEN, 0}, /* mod_fcgid on GET */
        {"A=b", "CONTENT_LENGTH=65536", HTTP_LENGTH_GIVEN, 65536},
        {"CONTENT_LENGTH=007", "C=d", HTTP_LENGTH_GIVEN, 7},
        {"CONTENT_LENGTH=2147483647", "C=d", HTTP_LENGTH_GIVEN, INT32_MAX},
        {"CONTENT_LENGTH=2147483648", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=4294967301", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=18446744073709551621", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=-1", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=+5", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH= 5", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5 ", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5\r", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=0x5", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5, 5", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5.0", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=1e3", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=five", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=\xd9\xa3", "C=d", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5", "CONTENT_LENGTH=5", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5", "CONTENT_LENGTH=6", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=", "CONTENT_LENGTH=6", HTTP_LENGTH_BAD, 0},
        {"CONTENT_LENGTH=5", "CONTENT_LENGTH=", HTTP_LENGTH_BAD, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].first, rows[i].second));

        if (request.length_state != rows[i].result ||
            (request.length_state == HTTP_LENGTH_GIVEN && request.length != rows[i].length)) {
            fail_msg("%s, %s", rows[i].first, rows[i].second);
        }
    }
}

/* ---- headers ---- */

static void test_header(void **state)
{
    static const struct row {
        const char *first, *second;
        enum http_find result;
        const char *value;
    } rows[] = {
        {"HTTP_X_UNDER=a", "A=b", HTTP_ONE, "a"},
        {"HTTP_X_UNDER=", "A=b", HTTP_ABSENT, ""},
        {"HTTP_X_UNDER", "A=b", HTTP_ABSENT, ""},
        {"X_UNDER=a", "HTTP_X_UNDER2=b", HTTP_ABSENT, ""},
        {"HTTP_X_UNDER=a", "HTTP_X_UNDER=b", HTTP_REPEATED, ""}, /* X_Under and X-Under */
        {"HTTP_X_UNDER=a", "HTTP_X_UNDER=a", HTTP_REPEATED, ""},
        {"HTTP_X_UNDER=", "HTTP_X_UNDER=b", HTTP_ONE, "b"},
        {"HTTP_X_UNDER= a ", "A=b", HTTP_ONE, " a "},
        {"HTTP_=a", "HTTP_X_UNDER=b", HTTP_ONE, "b"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].first, rows[i].second));
        struct text value = TEXT("untouched");
        assert_int_equal(http_header(&request, "x-under", &value), rows[i].result);
        if (rows[i].result == HTTP_ONE) {
            expect_text(value, rows[i].value);
        } else if (rows[i].result == HTTP_ABSENT) {
            expect_text(value, "untouched");
        }
    }
}

static void test_accepts(void **state)
{
    static const struct row {
        const char *accept;
        bool json;
    } rows[] = {
        {"HTTP_ACCEPT=application/json", true},
        {"HTTP_ACCEPT=text/html, Application/JSON;q=0.5", true},
        {"HTTP_ACCEPT=,,application/json,", true},
        {"HTTP_ACCEPT=*/*", false},
        {"HTTP_ACCEPT=application/*", false},
        {"HTTP_ACCEPT=application/jsonx", false},
        {"HTTP_ACCEPT=", false},
        {"HTTP_HOST=application/json", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].accept));

        if (http_accepts(&request, "application/json") != rows[i].json) {
            fail_msg("%s", rows[i].accept);
        }
    }
}

static void test_media_type(void **state)
{
    static const struct row {
        const char *content_type;
        bool json;
    } rows[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {" application/json ;charset=x", true},
        {"application/json;a=\";charset=utf-7\"", true},
        {"application/json;", true},
        {"application/json;;;", true},
        {"application/jsonx", false},
        {"application/jso", false},
        {"application/ json", false},
        {"application/json, text/html", false},
        {"text/plain", false},
        {"", false},
        {";application/json", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (http_media_is(text_of(rows[i].content_type), "application/json") != rows[i].json) {
            fail_msg("%s", rows[i].content_type);
        }
    }
    assert_false(http_media_is((struct text){NULL, 0}, "application/json"));
}

/* ---- cookies ---- */

static void test_cookies(void **state)
{
    static const struct row {
        const char *first, *second; /* headers */
        const char *values[3];
    } rows[] = {
        {"HTTP_COOKIE=r=xRxGGEpVawi+3irw+1G1h1jc", "A=", {"xRxGGEpVawi+3irw+1G1h1jc"}},
        {"HTTP_COOKIE=a=b; r=1; c=d", "A=", {"1"}},
        {"HTTP_COOKIE=a=b;r=1;c=d", "A=", {"1"}},
        {"HTTP_COOKIE= \tr = 1 ;", "A=", {"1"}},
        {"HTTP_COOKIE=r=\"quoted\"", "A=", {"quoted"}},
        {"HTTP_COOKIE=r=\"", "A=", {"\""}},
        {"HTTP_COOKIE=r=\"\"", "A=", {NULL}},
        {"HTTP_COOKIE=r=%41%zz", "A=", {"%41%zz"}},
        {"HTTP_COOKIE=r=a=b==", "A=", {"a=b=="}},
        {"HTTP_COOKIE=r=a b", "A=", {"a b"}},
        {"HTTP_COOKIE=r=", "A=", {NULL}},
        {"HTTP_COOKIE=r", "A=", {NULL}},
        {"HTTP_COOKIE=r= ; a=b", "A=", {NULL}},
        {"HTTP_COOKIE==r", "A=", {NULL}},
        {"HTTP_COOKIE=R=1", "A=", {NULL}},
        {"HTTP_COOKIE=xr=1; rx=2; r2=3", "A=", {NULL}},
        {"HTTP_COOKIE=a=r=1", "A=", {NULL}},
        {"HTTP_COOKIE=a=\"; r=1; b=\"", "A=", {"1"}}, /* RFC 6265 knows no quoting here */
        {"HTTP_COOKIE=", "A=", {NULL}},
        {"HTTP_COOKIE=;;; ;", "A=", {NULL}},
        {"HTTP_COOKIE=r=1; r=2", "A=", {"1", "2"}},
        {"HTTP_COOKIE=r=1; a=b; r=1", "A=", {"1"}},
        {"HTTP_COOKIE=r=; r=2", "A=", {"2"}},
        {"HTTP_COOKIE2=r=1", "A=", {NULL}},
        /* one header for each cookie, and the two ways in which servers join them */
        {"HTTP_COOKIE=a=b", "HTTP_COOKIE=r=1", {"1"}},
        {"HTTP_COOKIE=r=2; s=1", "HTTP_COOKIE=r=1; r=3", {"2", "1", "3"}},
        {"HTTP_COOKIE=r=1, a=b", "A=", {"1"}},
        {"HTTP_COOKIE=a=b, r=1; r=2, c=d", "A=", {"1", "2"}},
        {"HTTP_COOKIE=r=1,2,", "A=", {"1,2,"}},
        /* no more than asked for */
        {"HTTP_COOKIE=r=1; r=2; r=3; r=4", "A=", {"1", "2", "3"}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].first, rows[i].second));
        struct text values[4] = {{NULL, 0}};
        size_t wanted = 0;

        while (wanted < 3 && rows[i].values[wanted] != NULL) {
            wanted++;
        }
        print_message("%s\n", rows[i].first);
        assert_int_equal(http_cookies(&request, "r", values, 3), wanted);
        for (size_t j = 0; j < wanted; j++) {
            expect_text(values[j], rows[i].values[j]);
        }
        assert_null(values[3].data);
    }
}

static void test_hundreds_of_cookies(void **state)
{
    enum { MOST = 900 };
    static char line[16 * MOST + 64] = "HTTP_COOKIE=";
    const char *const variables[] = {line, NULL};
    size_t size = strlen(line);
    struct text value;

    for (int i = 0; i < MOST; i++) {
        size += (size_t)snprintf(line + size, sizeof line - size, "c%d=v%d; ", i, i);
    }
    assert_true(size < 16 * 1024);
    struct http_request request = request_of(*state, variables);
    assert_false(request.malformed);
    assert_int_equal(http_cookies(&request, "c0", &value, 1), 1);
    expect_text(value, "v0");
    assert_int_equal(http_cookies(&request, "c899", &value, 1), 1);
    expect_text(value, "v899");
    assert_int_equal(http_cookies(&request, "c900", &value, 1), 0);
}

/* ---- Authorization ---- */

static void test_authorization(void **state)
{
    static const struct row {
        const char *header;
        enum http_find result;
        const char *credentials;
    } rows[] = {
        {"HTTP_AUTHORIZATION=Bearer abc", HTTP_ONE, "abc"},
        {"HTTP_AUTHORIZATION=bearer abc", HTTP_ONE, "abc"},
        {"HTTP_AUTHORIZATION=BEARER    abc  ", HTTP_ONE, "abc"},
        {"HTTP_AUTHORIZATION= Bearer abc", HTTP_ONE, "abc"},
        {"HTTP_AUTHORIZATION=Bearer a b", HTTP_ONE, "a b"},
        {"HTTP_AUTHORIZATION=Bearer abc, Bearer def", HTTP_ONE, "abc, Bearer def"},
        {"HTTP_AUTHORIZATION=Bearer", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=Bearer ", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=Bearer\tabc", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=Bearerabc", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=Bearer: abc", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=Basic abc", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=abc", HTTP_ABSENT, ""},
        {"HTTP_AUTHORIZATION=", HTTP_ABSENT, ""},
        {"HTTP_PROXY_AUTHORIZATION=Bearer abc", HTTP_ABSENT, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].header));
        struct text credentials = TEXT("untouched");
        if (http_authorization(&request, "Bearer", &credentials) != rows[i].result) {
            fail_msg("%s", rows[i].header);
        }
        expect_text(credentials, rows[i].result == HTTP_ONE ? rows[i].credentials : "untouched");
    }
}

static void test_two_authorizations(void **state)
{
    struct http_request request = request_of(
        *state, VARIABLES("HTTP_AUTHORIZATION=Basic YTpi", "HTTP_AUTHORIZATION=Bearer b"));
    struct text a = TEXT("untouched");
    struct http_basic_pair decoded, raw;

    assert_true(request.malformed);
    assert_int_equal(http_authorization(&request, "Bearer", &a), HTTP_REPEATED);
    assert_int_equal(http_authorization(&request, "Digest", &a), HTTP_REPEATED);
    assert_int_equal(http_basic(*state, &request, &decoded, &raw), HTTP_BASIC_MALFORMED);
    expect_text(a, "untouched");
    assert_false(decoded.given || raw.given);
}

static void expect_pair(struct http_basic_pair pair, const char *user, const char *password)
{
    assert_int_equal(pair.given, user != NULL);
    if (pair.given) {
        expect_text(pair.user, user);
        expect_text(pair.password, password);
    }
}

static void test_basic(void **state)
{
    static const struct row {
        struct text plain;                 /* what stands in the base64 */
        const char *user, *password;       /* decoded; NULL: it cannot be */
        const char *raw_user, *raw_secret; /* where that is another pair */
    } rows[] = {
        {LITERAL("web:s3cret"), "web", "s3cret", NULL, NULL},
        {LITERAL("web:"), "web", "", NULL, NULL},
        {LITERAL(":s3cret"), "", "s3cret", NULL, NULL},
        {LITERAL(":"), "", "", NULL, NULL},
        {LITERAL("web:a:b"), "web", "a:b", NULL, NULL},
        /* RFC 6749 section 2.3.1: each encoded before they are joined */
        {LITERAL("a%3Ab:%25%2B+caf%C3%A9%20x"), "a:b", "%+ caf\xc3\xa9 x", "a%3Ab",
         "%25%2B+caf%C3%A9%20x"},
        {LITERAL("caf\xc3\xa9:+"), "caf\xc3\xa9", " ", "caf\xc3\xa9", "+"},
        {LITERAL("a+b:x"), "a b", "x", "a+b", "x"},
        {LITERAL("web:100%"), NULL, NULL, "web", "100%"},
        {LITERAL("web:%zz"), NULL, NULL, "web", "%zz"},
        {LITERAL("w%00b:x"), NULL, NULL, "w%00b", "x"},
        {LITERAL("web:%C0%AF"), NULL, NULL, "web", "%C0%AF"},
        {LITERAL("web:%0a"), "web", "\n", "web", "%0a"},
        {LITERAL("web"), NULL, NULL, NULL, NULL},
        {LITERAL("web%3As3cret"), NULL, NULL, NULL, NULL},
        {LITERAL("web:x\0y"), NULL, NULL, NULL, NULL},
        {LITERAL("w\x01:x"), NULL, NULL, NULL, NULL},
        {LITERAL("web:\xff"), NULL, NULL, NULL, NULL},
        {LITERAL("web:\xff%zz"), NULL, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer buffer;
        struct text line = {NULL, 0};
        struct http_basic_pair decoded, raw;
        bool good = rows[i].user != NULL || rows[i].raw_user != NULL;

        buffer_start(&buffer, *state, 64);
        buffer_add_c(&buffer,
                     i % 2 == 0 ? "HTTP_AUTHORIZATION=Basic " : "HTTP_AUTHORIZATION=bASIC ");
        buffer_add_base64(&buffer, rows[i].plain.data, rows[i].plain.size);
        assert_true(buffer_finish(&buffer, &line));
        struct http_request request = request_of(*state, VARIABLES(line.data));
        if (http_basic(*state, &request, &decoded, &raw) !=
            (good ? HTTP_BASIC_OK : HTTP_BASIC_MALFORMED)) {
            fail_msg("%.*s", TEXT_ARGS(rows[i].plain));
        }
        expect_pair(decoded, rows[i].user, rows[i].password);
        expect_pair(raw, rows[i].raw_user, rows[i].raw_secret);
    }
}

static void test_basic_is_canonical(void **state)
{
    static const struct row {
        const char *header;
        enum http_basic result;
    } rows[] = {
        {"HTTP_AUTHORIZATION=Basic YTpi", HTTP_BASIC_OK},
        {"HTTP_AUTHORIZATION=Basic YTo=", HTTP_BASIC_OK},
        {"HTTP_AUTHORIZATION=Basic YTo", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic YTp=", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic YTpi=", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic YT pi", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic YTpi, Basic YTpi", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic a:b", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Basic ====", HTTP_BASIC_MALFORMED},
        {"HTTP_AUTHORIZATION=Bearer YTpi", HTTP_BASIC_ABSENT},
        {"HTTP_AUTHORIZATION=", HTTP_BASIC_ABSENT},
        {"HTTP_X=Basic YTpi", HTTP_BASIC_ABSENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].header));
        struct http_basic_pair decoded, raw;
        if (http_basic(*state, &request, &decoded, &raw) != rows[i].result) {
            fail_msg("%s", rows[i].header);
        }
    }
}

static void test_structured_strings(void **state)
{
    static const struct {
        const char *field, *string; /* NULL: none */
    } rows[] = {
        {"\"a.b\"", "a.b"}, {" \"a.b\" ", "a.b"}, {"\"a\";b", "a"},       {"\"a\" ; b=\"c\"", "a"},
        {"\"\"", ""},       {"a.b", "a.b"},       {"a;b", "a;b"},         {"\"a", NULL},
        {"\"", NULL},       {"\"a\" b", NULL},    {"\"a\", \"b\"", NULL}, {"\"a\"\"b\"", NULL},
        {"", NULL},         {"a\"b\"", "a\"b\""}, {"\"a\\\"b\"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text string;
        bool found = http_structured_string(text_of(rows[i].field), &string);

        if (found != (rows[i].string != NULL) || (found && !text_is(string, rows[i].string))) {
            fail_msg("%s", rows[i].field);
        }
    }
}

static void test_none_match(void **state)
{
    static const struct row {
        const char *variable;
        bool matches;
    } rows[] = {
        {"HTTP_IF_NONE_MATCH=\"abc\"", true},
        {"HTTP_IF_NONE_MATCH=W/\"abc\"", true},
        {"HTTP_IF_NONE_MATCH=\"x\", W/\"y\" ,\t\"abc\"", true},
        {"HTTP_IF_NONE_MATCH= * ", true},
        {"HTTP_IF_NONE_MATCH=\"x\", *", false},
        {"HTTP_IF_NONE_MATCH=", false},
        {"HTTP_IF_NONE_MATCH=abc", false},
        {"HTTP_IF_NONE_MATCH=\"abc", false},
        {"HTTP_IF_NONE_MATCH=\"ABC\"", false},
        {"HTTP_IF_NONE_MATCH=w/\"abc\"", false},
        {"HTTP_IF_NONE_MATCH=\"abcd\"", false},
        {"HTTP_IF_MATCH=\"abc\"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = request_of(*state, VARIABLES(rows[i].variable));

        if (http_none_match(&request, TEXT("\"abc\"")) != rows[i].matches) {
            fail_msg("%s", rows[i].variable);
        }
    }
    struct http_request request =
        request_of(*state, VARIABLES("HTTP_IF_NONE_MATCH=\"abc\"", "HTTP_IF_NONE_MATCH=\"x\""));
    assert_false(http_none_match(&request, TEXT("\"abc\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_remote_user),
        cmocka_unit_test(test_check_scope),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_https),
        cmocka_unit_test(test_proxy_is_dropped),
        cmocka_unit_test(test_variables_that_must_be_single),
        cmocka_unit_test(test_the_first_one_counts),
        cmocka_unit_test(test_number_of_headers),
        cmocka_unit_test(test_size_of_headers),
        cmocka_unit_test(test_arena_runs_out),
        cmocka_unit_test(test_content_length),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_structured_strings),
        cmocka_unit_test(test_none_match),
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_media_type),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_hundreds_of_cookies),
        cmocka_unit_test(test_authorization),
        cmocka_unit_test(test_two_authorizations),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_basic_is_canonical),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
