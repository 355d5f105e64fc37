/* SPDX-License-Identifier: ISC */
/* test_serve.c: request in, response and one log line out, over a store in memory and a clock that
 * is set; and a process whose service cannot be opened, until it can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/codec.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "base/log.h"
#include "operation/world.h"
#include "responder/serve.h"

static char directory[SCRATCH_PATH_MAX];
static char log_file[128];
static struct world world;
static struct service service;
static struct serve *serve;
static struct http_response response;

/* ---- requests ---- */

static struct http_request make(enum http_method method, const char *path)
{
    static const char *const names[] = {"GET",    "HEAD",  "POST",    "PUT",
                                        "DELETE", "PATCH", "OPTIONS", "BREW"};
    return (struct http_request){
        .method = method, .method_name = text_of(names[method]), .script_name = text_of(path)};
}

static struct http_request form(const char *path, const char *body)
{
    struct http_request request = make(HTTP_POST, path);

    request.content_type = TEXT("application/x-www-form-urlencoded");
    request.body = text_of(body);
    return request;
}

/* A body with a token in it, in the world's arena. */
static const char *with_token(struct text token)
{
    static char body[4096];

    snprintf(body, sizeof body, "grant_type=refresh_token&refresh_token=%.*s", TEXT_ARGS(token));
    return body;
}

static int answers;

static void count_answer(struct http_exchange *exchange)
{
    answers++;
    response = exchange->response;
}

static int ask(struct http_request request)
{
    const struct server_handler handler = serve_handler(serve);
    struct http_exchange exchange = {
        .arena = world.arena, .request = request, .answered = count_answer};

    answers = 0;
    memset(&exchange.response, 0xee, sizeof exchange.response); /* nothing is left to chance */
    handler.handle(handler.self, &exchange);
    /* answered at once, or when what it writes is durable: once */
    assert_int_equal(answers, handler.pending(handler.self) == SERVER_NOTHING ? 1 : 0);
    handler.flush(handler.self);
    assert_int_equal(answers, 1);
    assert_int_equal(handler.pending(handler.self), SERVER_NOTHING);
    return response.status;
}

static bool must_end(void)
{
    const struct server_handler handler = serve_handler(serve);

    return handler.must_end(handler.self) != NULL;
}

static const char *header(const char *name)
{
    static char value[256];

    for (size_t i = 0; i < response.header_count; i++) {
        if (text_is(response.headers[i].name, name)) {
            snprintf(value, sizeof value, "%.*s", TEXT_ARGS(response.headers[i].value));
            return value;
        }
    }
    return "";
}

static void expect_body(const char *body)
{
    if (!text_is(response.body, body)) {
        fail_msg("%.*s", TEXT_ARGS(response.body));
    }
}

/* ---- the log ---- */

static void open_log(enum log_level level)
{
    struct fault fault;

    snprintf(log_file, sizeof log_file, "%s/log", directory);
    assert_true(log_open(log_file, level, &fault));
}

static void clear_log(void)
{
    assert_int_equal(truncate(log_file, 0), 0);
}

/* The only line, without its time and process id. */
static const char *only_line(void)
{
    static char text[8192];
    FILE *in = fopen(log_file, "r");

    assert_non_null(in);
    size_t size = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[size] = '\0';
    char *end = strchr(text, '\n');
    if (end == NULL || end[1] != '\0') {
        fail_msg("not one line: %s", text);
    }
    *end = '\0';
    return strstr(text, "Z ") + 2;
}

/* "notice [123] refresh … ms=0.1" against a line without pid and with ms=N. */
static void expect_line(const char *expected)
{
    char line[8192];
    const char *rest = only_line();
    const char *after = strstr(rest, "] ");
    const char *ms = strstr(rest, " ms=");

    assert_non_null(after);
    size_t size = (size_t)snprintf(line, sizeof line, "%.*s", (int)strcspn(rest, " "), rest);
    if (ms == NULL) {
        snprintf(line + size, sizeof line - size, " %s", after + 2);
    } else {
        snprintf(line + size, sizeof line - size, " %.*s ms=N%s", (int)(ms - after - 2), after + 2,
                 ms + 4 + strspn(ms + 4, "0123456789."));
    }
    assert_string_equal(line, expected);
}

/* ---- a world with four mounts ---- */

static struct realm *add_mount(const struct dialect *dialect, size_t endpoint)
{
    struct realm *realm = &service.config.realms[service.config.realm_count++];
    struct mount *mount = &service.config.mounts[service.config.mount_count++];

    strcpy(mount->path, dialect->endpoints[endpoint].path);
    mount->endpoint = &dialect->endpoints[endpoint];
    mount->realm = realm;
    realm->dialect = dialect;
    realm->policy = dialect->policy;
    return realm;
}

static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    world_add_key(&world, SIGNING_ES256, "es");
    world.realm.dialect = &oauth_dialect;
    world.mount.endpoint = &oauth_dialect.endpoints[0];
    memset(&service, 0, sizeof service);
    service.store = world.store;
    service.issuer = world.issuer;
    service.config.mounts[service.config.mount_count++] = world.mount;
    struct realm *duktig = add_mount(dialects_find(TEXT("duktig")), 0);
    strcpy(duktig->name, "/auth/refresh_token");
    add_mount(&wellknown_dialect, 0);
    add_mount(&wellknown_dialect, 1);
    serve = serve_over(&service);
    open_log(LOG_LEVEL_INFO);
    clear_log();
    return serve != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    serve_close(serve);
    world_close(&world);
    return 0;
}

/* ---- what is tested ---- */

static void session_text(const char *token_line, char out[37])
{
    const char *at = strstr(token_line, "session=");
    assert_non_null(at);
    memcpy(out, at + strlen("session="), 36);
    out[36] = '\0';
}

static void test_refresh_to_answer_and_line(void **state)
{
    struct text first = world_session(&world, "", NULL);
    char session[37];
    char expected[512];

    (void)state;
    assert_int_equal(ask(form("/oauth/token", with_token(first))), 200);
    assert_string_equal(header("Content-Type"), "application/json;charset=UTF-8");
    assert_string_equal(header("Cache-Control"), "no-store");
    json_t *answer = json_in_object(world.arena, response.body, &world.fault);
    assert_non_null(answer);
    struct text second;
    assert_int_equal(json_in_text(answer, "refresh_token", &second), JSON_IN_TEXT);
    assert_false(text_equal(first, second));

    session_text(only_line(), session);
    snprintf(expected, sizeof expected,
             "notice refresh addr=- auth=- method=POST mount=/oauth/token outcome=rotated "
             "status=200 session=%s "
             "generation=0 client=- ms=N",
             session);
    expect_line(expected);

    /* the same again: the same answer */
    clear_log();
    struct text body = response.body;
    assert_int_equal(ask(form("/oauth/token", with_token(first))), 200);
    assert_true(text_equal(response.body, body));
    snprintf(expected, sizeof expected,
             "notice refresh addr=- auth=- method=POST mount=/oauth/token outcome=replayed "
             "status=200 session=%s "
             "generation=0 client=- ms=N",
             session);
    expect_line(expected);

    /* a minute and a bit later: reuse, and the successor dies with it */
    clear_log();
    world.now_ms += 61 * CLOCK_SECOND;
    assert_int_equal(ask(form("/oauth/token", with_token(first))), 400);
    snprintf(expected, sizeof expected,
             "notice refresh addr=- auth=- method=POST mount=/oauth/token outcome=reused "
             "status=400 session=%s "
             "generation=0 client=- ms=N",
             session);
    expect_line(expected);
    clear_log();
    assert_int_equal(ask(form("/oauth/token", with_token(second))), 400);
    snprintf(expected, sizeof expected,
             "notice refresh addr=- auth=- method=POST mount=/oauth/token outcome=revoked "
             "status=400 session=%s "
             "generation=1 client=- ms=N",
             session);
    expect_line(expected);
}

/* fail2ban reads the address where it stands, so nothing that is sent may look like another line or
 * come before it. */
static void test_wrong_client_names_its_address(void **state)
{
    char body[5000];

    (void)state;
    snprintf(body, sizeof body, "%s&client_id=x%%0arefresh+addr=192.0.2.1+auth=refused",
             with_token(world_session(&world, "", NULL)));
    struct http_request request = form("/oauth/token", body);
    request.remote_address = TEXT("2001:db8::7\n");
    assert_int_equal(ask(request), 401);
    expect_line("notice refresh addr=2001:db8::7\\x0a auth=refused method=POST mount=/oauth/token "
                "outcome=client-auth status=401 session=- generation=- client=- ms=N "
                "reason=unknown-client");
}

static void test_no_token_in_any_line(void **state)
{
    struct text token = world_session(&world, "", NULL);
    char path[512];
    FILE *in;
    static char text[65536];

    (void)state;
    open_log(LOG_LEVEL_DEBUG);
    ask(form("/oauth/token", with_token(token)));
    ask(form("/oauth/token", with_token(text_cut(token, token.size - 1))));
    ask(form("/oauth/tokenx", with_token(token)));
    struct http_request request = make(HTTP_GET, "/oauth/token");
    snprintf(path, sizeof path, "/%.*s/x", TEXT_ARGS(token));
    request.path_info = text_of(path);
    ask(request);
    request = form("/oauth/token", with_token(token));
    request.query = (struct text){with_token(token), strlen(with_token(token))};
    ask(request);
    request.method_name = token;
    request.method = HTTP_OTHER;
    ask(request);

    in = fopen(log_file, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    assert_non_null(strstr(text, "outcome=rotated"));
    for (size_t i = 0; i + 32 <= token.size; i++) {
        char part[33];
        memcpy(part, token.data + i, 32);
        part[32] = '\0';
        if (strstr(text, part) != NULL) {
            fail_msg("32 characters of a token stand in the log: %s", text);
        }
    }
}

static void test_unknown_paths(void **state)
{
    (void)state;
    assert_int_equal(ask(make(HTTP_POST, "/oauth/tokens")), 404);
    assert_string_equal(header("Content-Type"), "text/plain; charset=utf-8");
    expect_body("Not Found\n");
    expect_line("notice no-mount addr=- method=POST script=/oauth/tokens info= status=404");

    clear_log();
    struct http_request request = make(HTTP_GET, "/a\r\nb");
    request.path_info = TEXT("/eyJhbGciOiJIUzI1NiJ9.eyJ9.abc/x");
    assert_int_equal(ask(request), 404);
    expect_line(
        "notice no-mount addr=- method=GET script=/a\\x0d\\x0ab info=/eyJhbGci.../x status=404");
}

static void test_keys(void **state)
{
    (void)state;
    assert_int_equal(ask(make(HTTP_GET, "/.well-known/jwks.json")), 200);
    assert_string_equal(header("Content-Type"), "application/json");
    assert_string_equal(header("Cache-Control"), "public, max-age=300");
    json_t *answer = json_in_object(world.arena, response.body, &world.fault);
    assert_non_null(answer);
    const json_t *keys = json_object_get(answer, "keys");
    assert_int_equal(json_array_size(keys), 1); /* the symmetric one is nobody's business */
    assert_string_equal(json_string_value(json_object_get(json_array_get(keys, 0), "kid")), "es");
    expect_line(
        "info jwks addr=- auth=- method=GET mount=/.well-known/jwks.json outcome=served status=200 "
        "session=- generation=- client=- ms=N");
    assert_int_equal(ask(make(HTTP_HEAD, "/.well-known/jwks.json")), 200);

    /* a key that is added shows without a restart */
    world_add_key(&world, SIGNING_EDDSA, "ed");
    assert_int_equal(ask(make(HTTP_GET, "/.well-known/jwks.json")), 200);
    answer = json_in_object(world.arena, response.body, &world.fault);
    assert_int_equal(json_array_size(json_object_get(answer, "keys")), 2);
}

static void test_health(void **state)
{
    (void)state;
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 200);
    assert_string_equal(header("Content-Type"), "application/json");
    assert_string_equal(header("Cache-Control"), "no-store");
    expect_body("{\"status\":\"ok\"}");
    expect_line(
        "info health addr=- auth=- method=GET mount=/healthz outcome=served status=200 session=- "
        "generation=- client=- ms=N");
    assert_false(must_end());
}

static void test_methods_of_keys_and_health(void **state)
{
    static const char *const paths[] = {"/.well-known/jwks.json", "/healthz"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (int method = HTTP_GET; method <= HTTP_OTHER; method++) {
            bool read = method == HTTP_GET || method == HTTP_HEAD;
            assert_int_equal(ask(make((enum http_method)method, paths[i])), read ? 200 : 405);
            assert_string_equal(header("Allow"), read ? "" : "GET, HEAD");
        }
    }
}

static void test_dialects_are_never_mixed(void **state)
{
    (void)state;
    assert_int_equal(ask(form("/oauth/token", "")), 400);
    expect_body("{\"error\":\"invalid_request\",\"error_description\":\"grant_type is missing.\"}");
    assert_int_equal(ask(make(HTTP_POST, "/auth//refresh_token/")), 401);
    expect_body("{\"status\":\"error\",\"message\":\"Unauthorized\"}");
}

/* ---- a service that cannot be opened ---- */

static char config_file[128];
static char secret_file[128];

static void write_config(const char *more)
{
    FILE *out = fopen(config_file, "w");

    assert_non_null(out);
    fprintf(out, "[retoken]\nstore = store\nlog = log\nlog-level = info\nthreads = 3\n%s", more);
    assert_int_equal(fclose(out), 0);
}

static int set_up_closed(void **state)
{
    (void)state;
    world.arena = arena_open(1 << 20);
    open_log(LOG_LEVEL_INFO);
    clear_log();
    snprintf(config_file, sizeof config_file, "%s/retoken.conf", directory);
    snprintf(secret_file, sizeof secret_file, "%s/secret", directory);
    write_config("");
    return world.arena != NULL ? 0 : -1;
}

static int tear_down_closed(void **state)
{
    (void)state;
    serve_close(serve);
    unlink(config_file);
    unlink(secret_file);
    arena_close(world.arena);
    return 0;
}

static void test_secret_is_missing(void **state)
{
    char expected[512];

    (void)state;
    serve = serve_open(config_file, false);
    assert_non_null(serve);
    assert_int_equal(serve_threads(serve), 3);
    assert_false(must_end());
    assert_non_null(strstr(only_line(), "cannot serve, answering with faults: "));
    assert_non_null(strstr(only_line(), "there is no installation in "));

    /* the dialects' own words; what they would refuse anyhow they refuse */
    assert_int_equal(ask(form("/oauth/token", "grant_type=refresh_token&refresh_token=x")), 503);
    expect_body("{\"error\":\"temporarily_unavailable\",\"error_description\":\"Something broke "
                "here; the refresh token is still good.\"}");
    assert_int_equal(ask(make(HTTP_GET, "/oauth/token")), 405);
    assert_int_equal(ask(make(HTTP_POST, "/auth/refresh_token")), 401);
    struct http_request request = make(HTTP_POST, "/auth/refresh_token");
    struct http_header token = {TEXT("refresh-token"), TEXT("x.y.z")};
    request.headers = &token;
    request.header_count = 1;
    assert_int_equal(ask(request), 500);
    expect_body("{\"status\":\"error\",\"message\":\"Internal Server Error\"}");
    assert_int_equal(ask(make(HTTP_GET, "/.well-known/jwks.json")), 503);
    assert_int_equal(ask(make(HTTP_GET, "/none")), 404);

    clear_log();
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 503);
    expect_body("{\"status\":\"fault\"}");
    snprintf(expected, sizeof expected,
             "health addr=- auth=- method=GET mount=/healthz outcome=fault status=503 ");
    assert_non_null(strstr(only_line(), expected));
    assert_non_null(strstr(only_line(), " fault="));
    assert_non_null(strstr(only_line(), "there is no installation in "));
}

static void test_configuration_is_wrong(void **state)
{
    (void)state;
    write_config("[mount /oauth/token]\nrotation = maybe\n");
    serve = serve_open(config_file, false);
    assert_non_null(serve);
    assert_int_equal(serve_threads(serve), 64);
    assert_non_null(strstr(only_line(), "retoken.conf:7: rotation = maybe: write on or off"));
    assert_int_equal(ask(form("/oauth/token", "grant_type=refresh_token&refresh_token=x")), 503);
    assert_string_equal(header("Content-Type"), "text/plain; charset=utf-8");
    assert_string_equal(header("Retry-After"), "1");
    expect_body("Service Unavailable\n");
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 503);
}

/* Asks until the status comes: the next attempt to open is due within a second. */
static bool comes_to(int status)
{
    for (int i = 0; i < 1000; i++) {
        if (ask(make(HTTP_GET, "/healthz")) == status) {
            return true;
        }
        arena_reset(world.arena);
        usleep(10000);
    }
    return false;
}

static void make_store(void)
{
    struct service made = {0};

    if (!config_load(config_file, &made.config, &world.fault) ||
        !service_open(&made, true, false, &world.fault)) {
        fail_msg("%s", world.fault.text);
    }
    service_close(&made);
}

static void test_mending_heals(void **state)
{
    struct randomness randomness = randomness_system();

    (void)state;
    write_config("nonsense = 1\n");
    serve = serve_open(config_file, false);
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 503);
    write_config("");
    assert_true(secrets_file_create(secret_file, &randomness, &world.fault));
    make_store();
    clear_log();
    if (!comes_to(200)) {
        fail_msg("%s", only_line());
    }
    assert_int_equal(ask(form("/oauth/token", "grant_type=refresh_token&refresh_token=x")), 400);
    expect_body("{\"error\":\"invalid_grant\",\"error_description\":\"The refresh token is "
                "invalid, expired or revoked, or belongs to another client.\"}");
    unlink(secret_file); /* no longer needed */
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 200);
}

/* ---- another configuration ---- */

static void reload(void)
{
    const struct server_handler handler = serve_handler(serve);

    clear_log();
    handler.reload(handler.self);
}

static void open_with(const char *more)
{
    struct randomness randomness = randomness_system();

    scratch_remove(directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    open_log(LOG_LEVEL_INFO);
    write_config(more);
    assert_true(secrets_file_create(secret_file, &randomness, &world.fault));
    make_store();
    serve = serve_open(config_file, false);
    assert_int_equal(ask(make(HTTP_GET, "/healthz")), 200);
}

#define OLD "[mount /old]\ndialect = oauth\n"
#define NEW "[mount /new]\ndialect = oauth\n"

static void test_reload(void **state)
{
    (void)state;
    open_with(OLD);
    assert_int_equal(ask(make(HTTP_GET, "/old")), 405);
    assert_int_equal(ask(make(HTTP_GET, "/new")), 404);
    for (int i = 0; i < 3; i++) {
        write_config(NEW);
        reload();
        assert_non_null(strstr(only_line(), "reloaded: "));
        assert_non_null(strstr(only_line(), config_file));
        assert_int_equal(ask(make(HTTP_GET, "/old")), 404);
        assert_int_equal(ask(make(HTTP_GET, "/new")), 405);
        assert_int_equal(ask(make(HTTP_GET, "/healthz")), 200);
        write_config(OLD);
        reload();
        assert_int_equal(ask(make(HTTP_GET, "/old")), 405);
        assert_int_equal(ask(make(HTTP_GET, "/new")), 404);
    }
}

static void test_reload_counts(void **state)
{
    (void)state;
    open_with("metrics = on\n" OLD);
    write_config("metrics = on\n" NEW);
    reload();
    assert_int_equal(ask(make(HTTP_GET, "/new")), 405);
    assert_int_equal(ask(make(HTTP_GET, "/metrics")), 200);
    assert_non_null(memmem(response.body.data, response.body.size, "\"/new\"", 6));
}

/* It is answered as the configuration said when it came, whose words are still there. */
static void test_reload_while_a_request_waits(void **state)
{
    struct http_exchange exchange = {.answered = count_answer};

    (void)state;
    open_with(OLD);
    write_config(OLD "allow-origins = https://page.example\n");
    reload();
    const struct server_handler handler = serve_handler(serve);
    struct http_header origin = {TEXT("origin"), TEXT("https://page.example")};
    exchange.arena = world.arena;
    exchange.request =
        form("/old", "grant_type=client_credentials&client_id=none&client_secret=wrong");
    exchange.request.headers = &origin;
    exchange.request.header_count = 1;
    answers = 0;
    handler.handle(handler.self, &exchange);
    assert_int_equal(answers, 0); /* the event is not written yet */
    for (int i = 0; i < 3; i++) {
        write_config(NEW);
        reload();
    }
    handler.flush(handler.self);
    assert_int_equal(answers, 1);
    assert_int_equal(response.status, 401);
    assert_string_equal(header("Access-Control-Allow-Origin"), "https://page.example");
    assert_int_equal(ask(make(HTTP_GET, "/new")), 405);
}

/* Nothing that cannot be used takes effect, nor a part of it. */
static void test_reload_that_is_refused(void **state)
{
    static const struct {
        const char *more, *said;
    } rows[] = {
        {NEW "rotation = maybe\n", "rotation = maybe: write on or off"},
        {"keep-ended = 1d\n" NEW, "keep-ended has changed, which only a new process takes over"},
        {"data = elsewhere\n" NEW, "data has changed, "},
        {"secret-file = elsewhere\n" NEW, "secret-file has changed, "},
        {"writer-wait = 9s\n" NEW, "writer-wait has changed, "},
        {"store-limit = 1g\n" NEW, "store-limit has changed, "},
        {"body-limit = 8k\n" NEW, "body-limit has changed, "},
        {"sessions-per-account = 3\n" NEW, "sessions-per-account has changed, "},
        {"metrics = on\n" NEW, "metrics has changed, "},
        {"[webhook w]\nurl = https://a.example/\nevents = all\nsecret-file = w\n" NEW,
         "[webhook] has changed, "},
        {"[hook h]\nurl = http://127.0.0.1:9/\ncalls = 1\n" NEW "hook = h\n",
         "[hook] has changed, "},
    };

    (void)state;
    open_with(OLD);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_config(rows[i].more);
        reload();
        if (strstr(only_line(), "error") == NULL || strstr(only_line(), rows[i].said) == NULL) {
            fail_msg("%s: %s", rows[i].said, only_line());
        }
        assert_non_null(strstr(only_line(), "cannot reload, going on as before: "));
        assert_int_equal(ask(make(HTTP_GET, "/old")), 405);
        assert_int_equal(ask(make(HTTP_GET, "/new")), 404);
    }
    unlink(config_file);
    reload();
    assert_non_null(strstr(only_line(), "there is no such file"));
    write_config(NEW);
    reload();
    assert_int_equal(ask(make(HTTP_GET, "/new")), 405);
}

static int enter(void **state)
{
    (void)state;
    return scratch_make(directory) ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    scratch_remove(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refresh_to_answer_and_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_client_names_its_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_token_in_any_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_health, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_methods_of_keys_and_health, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dialects_are_never_mixed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_secret_is_missing, set_up_closed, tear_down_closed),
        cmocka_unit_test_setup_teardown(test_configuration_is_wrong, set_up_closed,
                                        tear_down_closed),
        cmocka_unit_test_setup_teardown(test_mending_heals, set_up_closed, tear_down_closed),
        cmocka_unit_test_setup_teardown(test_reload, set_up_closed, tear_down_closed),
        cmocka_unit_test_setup_teardown(test_reload_counts, set_up_closed, tear_down_closed),
        cmocka_unit_test_setup_teardown(test_reload_while_a_request_waits, set_up_closed,
                                        tear_down_closed),
        cmocka_unit_test_setup_teardown(test_reload_that_is_refused, set_up_closed,
                                        tear_down_closed),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
