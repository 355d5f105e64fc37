/* SPDX-License-Identifier: ISC */
/* test_router.c: how web servers split a path, as measured (Debian 12: Apache 2.4, mod_fcgid 2.3.9,
 * lighttpd 1.4.69, nginx 1.22), and which mount each of them reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "responder/router.h"

static struct config config;

static void add_mount(const char *path, const struct dialect *dialect)
{
    struct realm *realm = &config.realms[config.realm_count++];
    struct mount *mount = &config.mounts[config.mount_count++];

    realm->dialect = dialect;
    mount->endpoint = &dialect->endpoints[0];
    mount->realm = realm;
    strcpy(mount->path, path);
}

static int set_up(void **state)
{
    (void)state;
    config = (struct config){0};
    add_mount("/oauth/token", &oauth_dialect);
    add_mount("/auth/refresh_token", dialects_find(TEXT("duktig"))); /* path_loose */
    add_mount("/.well-known/jwks.json", &wellknown_dialect);
    add_mount("/healthz", &wellknown_dialect);
    add_mount("/auth", &oauth_dialect);
    return 0;
}

/* The path of the mount that is found, "" when none is. */
static const char *route(struct text script_name, struct text path_info)
{
    struct http_request request = {.script_name = script_name, .path_info = path_info};
    const struct mount *mount = router_find(&config, &request);

    return mount != NULL ? mount->path : "";
}

struct row {
    const char *script_name, *path_info, *mount;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = route(text_of(rows[i].script_name), text_of(rows[i].path_info));
        if (strcmp(found, rows[i].mount) != 0) {
            fail_msg("row %zu, %s | %s: found '%s', not '%s'", i, rows[i].script_name,
                     rows[i].path_info, found, rows[i].mount);
        }
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

/* One row per configuration measured, asked for a mount and, where it can be, for what is below. */
static void test_as_servers_split(void **state)
{
    static const struct row rows[] = {
        /* Apache, ScriptAlias of a folder, cgid or mod_fcgid: /oauth/ is the folder */
        {"/oauth/token", "", "/oauth/token"},
        {"/oauth/token", "/extra", ""},
        /* Apache, ScriptAlias /oauth/token FILE */
        {"/oauth/token", "/more", ""},
        /* mod_fcgid, FcgidWrapper virtual in Location /oauth/ */
        {"/oauth", "/token", "/oauth/token"},
        {"/oauth", "/token/extra", ""},
        /* ProxyPass and ProxyPassMatch: the whole path */
        {"/oauth/token/extra", "", ""},
        /* ProxyPass with proxy-fcgi-pathinfo=1 */
        {"", "/oauth/token", "/oauth/token"},
        /* SetHandler "proxy:unix:…" in Location /oauth/ */
        {"/oauth", "/token", "/oauth/token"},
        /* lighttpd "/oauth/token", check-local disable: a prefix match */
        {"/oauth/token", "/extra", ""},
        {"/oauth/tokenXYZ", "", ""},
        /* lighttpd "/oauth/" */
        {"/oauth/token", "", "/oauth/token"},
        /* lighttpd "/oauth" with fix-root-scriptname */
        {"/oauth", "/token", "/oauth/token"},
        /* lighttpd "/" */
        {"/oauth", "/token", "/oauth/token"},
        {"/healthz", "", "/healthz"},
        /* lighttpd "/" with fix-root-scriptname */
        {"", "/healthz", "/healthz"},
        {"", "/.well-known/jwks.json", "/.well-known/jwks.json"},
        /* nginx, $fastcgi_script_name or $uri */
        {"/oauth/token", "", "/oauth/token"},
        /* nginx, fastcgi_split_path_info */
        {"/oauth", "/token", "/oauth/token"},
        /* nginx, fastcgi_index appends a file's name: the one that cannot be undone */
        {"/oauth/token/index.fcgi", "", ""},
        /* any server, any split, the same path */
        {"/o", "auth/token", "/oauth/token"},
        {"/oauth/token", "", "/oauth/token"},
        {"", "", ""},
        {"/", "", ""},
    };

    (void)state;
    CHECK(rows);
}

static void test_exact_and_case_sensitive(void **state)
{
    static const struct row rows[] = {
        {"/OAuth/token", "", ""},         {"/oauth/Token", "", ""},
        {"/oauth/token/", "", ""},        {"/oauth/toke", "", ""},
        {"/oauth/tokens", "", ""},        {"//oauth/token", "", ""},
        {"/oauth//token", "", ""},        {"/oauth", "//token", ""},
        {"/oauth/", "/token", ""},        {"/oauth/./token", "", ""},
        {"/x/../oauth/token", "", ""},    {"oauth/token", "", ""},
        {"/oauth/token;x=1", "", ""},     {"/oauth%2ftoken", "", ""},
        {"/oauth\\token", "", ""},        {"/oauth/token ", "", ""},
        {"/healthz/.", "", ""},           {"/oauth/token\r\n", "", ""},
        {"/oauth\n", "/token", ""},       {"/oauth/token\x7f", "", ""},
        {"/oauth/token\xc3\xa9", "", ""},
    };

    (void)state;
    CHECK(rows);
    assert_string_equal(route(TEXT("/oauth/token\0"), TEXT("")), "");
    assert_string_equal(route(TEXT("/oauth\0"), TEXT("/token")), "");
}

/* Clients add a slash, or leave out the one that a mount has. A mount that fits exactly wins. */
static void test_trailing_slash(void **state)
{
    static const struct row on[] = {
        {"/oauth/token/", "", "/oauth/token"},
        {"/oauth/token", "/", "/oauth/token"},
        {"/.well-known/jwks.json/", "", "/.well-known/jwks.json"},
        {"/retoken.fcgi", "/oauth/token/", "/oauth/token"},
        {"/o/token/", "", "/o/token/"},
        {"/o/token", "", "/o/token/"},
        {"/o/both/", "", "/o/both/"},
        {"/o/both", "", "/o/both"},
        {"/oauth/token//", "", ""},
        {"//oauth/token/", "", ""},
        {"/oauth/token/x/", "", ""},
        {"/oauth/token/.", "", ""},
        {"/", "", ""},
        {"", "/", ""},
    };
    static const struct row off[] = {
        {"/oauth/token/", "", ""},
        {"/o/token", "", ""},
        {"/o/token/", "", "/o/token/"},
        {"/auth/refresh_token/", "", "/auth/refresh_token"},
    };

    (void)state;
    add_mount("/o/both", &oauth_dialect);
    add_mount("/o/both/", &oauth_dialect);
    add_mount("/o/token/", &oauth_dialect);
    config.trailing_slash = true;
    CHECK(on);
    config.trailing_slash = false;
    CHECK(off);
}

static void test_loose_paths_of_duktig(void **state)
{
    static const struct row rows[] = {
        {"/auth/refresh_token", "", "/auth/refresh_token"},
        {"/auth/refresh_token/", "", "/auth/refresh_token"},
        {"//auth///refresh_token", "", "/auth/refresh_token"},
        {"/auth/", "/refresh_token/", "/auth/refresh_token"},
        {"/authrefresh_token", "", ""},
        {"/auth/refresh_tokenX", "", ""},
        {"/auth/refresh_token/x", "", ""},
        {"/auth/../auth/refresh_token", "", ""},
        {"/auth/./refresh_token", "", ""},
        {"/auth/refresh_token;x", "", ""},
        {"/Auth/refresh_token", "", ""},
        {"auth/refresh_token", "", ""},
        {"/auth/", "", ""}, /* its neighbour is strict */
        {"/auth", "", "/auth"},
    };

    (void)state;
    CHECK(rows);
}

/* A shared host: the script is a file of the site, the path behind it names the mount. */
static void test_behind_a_script(void **state)
{
    static const struct row rows[] = {
        {"/cgi-bin/retoken.fcgi", "/oauth/token", "/oauth/token"},
        {"/~ada/retoken.cgi", "/oauth/token", "/oauth/token"},
        {"/retoken.fcgi", "/.well-known/jwks.json", "/.well-known/jwks.json"},
        {"/retoken.fcgi", "/auth//refresh_token/", "/auth/refresh_token"},
        {"/retoken.fcgi", "", ""},
        {"/retoken.fcgi", "/", ""},
        {"/retoken.fcgi", "/oauth/token/more", ""},
        {"/retoken.fcgi", "//oauth/token", ""},
        {"/retoken.fcgi", "oauth/token", ""},
        {"/retoken.fcgi/", "/oauth/token", ""},
        {"/retoken.php", "/oauth/token", ""},
        {"/retoken.fcgiX", "/oauth/token", ""},
        {"/a b.fcgi", "/oauth/token", ""},
    };

    (void)state;
    CHECK(rows);
}

static void test_prefix(void **state)
{
    static const struct row rows[] = {
        {"/v1/id/oauth/token", "", "/oauth/token"},
        {"/v1", "/id/oauth/token", "/oauth/token"},
        {"/v1/id/auth/refresh_token/", "", "/auth/refresh_token"},
        {"/oauth/token", "", ""},
        {"/v1/idoauth/token", "", ""},
        {"/v1/idauth/refresh_token", "", ""},
        {"/v1/id", "", ""},
        {"/v1/id/", "", ""},
        {"/v1/id//oauth/token", "", ""},
        {"/v1/id/v1/id/oauth/token", "", ""},
        {"/x.fcgi", "/oauth/token", ""}, /* with a prefix, nothing is guessed */
    };

    (void)state;
    strcpy(config.prefix, "/v1/id");
    CHECK(rows);
    config.prefix[0] = '\0';
}

/* An issuer's document is where its URL says. */
static void test_no_prefix_comes_before_a_whole_path(void **state)
{
    static const struct row rows[] = {
        {"/.well-known/oauth-authorization-server/a", "",
         "/.well-known/oauth-authorization-server/a"},
        {"/.well-known", "/oauth-authorization-server/a/",
         "/.well-known/oauth-authorization-server/a"},
        {"/a/.well-known/oauth-authorization-server/a", "",
         "/.well-known/oauth-authorization-server/a"}, /* where a proxy adds it to all */
        {"/.well-known/oauth-authorization-server", "", ""},
        {"/oauth/token", "", ""},
        {"/a/oauth/token", "", "/oauth/token"},
    };

    (void)state;
    add_mount("/.well-known/oauth-authorization-server/a", &oauth_dialect);
    config.mounts[config.mount_count - 1].is_whole_path = true;
    config.trailing_slash = true;
    strcpy(config.prefix, "/a");
    CHECK(rows);
}

/* Where an endpoint has something to say of one session, and only of one. */
static void test_session_below(void **state)
{
#define BELOW "/0199a5b0-0000-7000-8000-000000000001"
    static const struct row rows[] = {
        {"/api/jwt/refresh", BELOW, "/api/jwt/refresh"},
        {"/api/jwt/refresh" BELOW "/", "", "/api/jwt/refresh"},
        {"/api", "/jwt/refresh" BELOW, "/api/jwt/refresh"},
        {"/cgi-bin/retoken.fcgi", "/api/jwt/refresh" BELOW, "/api/jwt/refresh"},
        {"/api/jwt/refresh" BELOW, BELOW, ""},
        {"/api/jwt/refresh/", BELOW, ""},
        {"/api/jwt/refresh/0199a5b0-0000-7000-8000-00000000000", "", ""},
        {"/api/jwt/refreshx" BELOW, "", ""},
        {BELOW, "", ""},
        {"/oauth/token" BELOW, "", ""},
        {"/healthz" BELOW, "", ""},
    };

    (void)state;
    add_mount("/api/jwt/refresh", &fusionauth_dialect);
    CHECK(rows);
}

static void test_long_paths(void **state)
{
    static char path[4096];

    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    assert_string_equal(route((struct text){path, sizeof path}, TEXT("")), "");
    assert_string_equal(route((struct text){path, 1024}, TEXT("")), "");
    assert_string_equal(route((struct text){path, 1024}, TEXT("/healthz")), "");
    assert_string_equal(route(TEXT("/x.fcgi"), (struct text){path, SIZE_MAX / 2}), "");
    /* a script whose own path is long */
    memcpy(path + 1010, "/x.fcgi", 7);
    assert_string_equal(route((struct text){path, 1017}, TEXT("/healt")), "");
    assert_string_equal(route((struct text){path + 10, 1007}, TEXT("")), "");
}

/* The path is that of the page, and chooses nothing. */
static void test_authorizer(void **state)
{
    struct http_request request = {.authorizes = true, .script_name = TEXT("/oauth/token")};
    struct mount *mount;

    (void)state;
    assert_null(router_find(&config, &request));
    add_mount("/oauth/check", &oauth_dialect);
    mount = &config.mounts[config.mount_count - 1];
    mount->endpoint = dialect_endpoint(&oauth_dialect, TEXT("check"));
    assert_ptr_equal(router_find(&config, &request), mount);
    add_mount("/shop/check", &oauth_dialect);
    mount[1].endpoint = mount->endpoint;
    assert_null(router_find(&config, &request)); /* which of the two? */
    request.check_path = TEXT("/shop/check");
    assert_ptr_equal(router_find(&config, &request), mount + 1);
    request.check_path = TEXT("/oauth/token");
    assert_null(router_find(&config, &request));
    request.authorizes = false;
    assert_string_equal(router_find(&config, &request)->path, "/oauth/token");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_servers_split),
        cmocka_unit_test(test_exact_and_case_sensitive),
        cmocka_unit_test(test_loose_paths_of_duktig),
        cmocka_unit_test(test_behind_a_script),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_trailing_slash), /* these four add mounts */
        cmocka_unit_test(test_session_below),
        cmocka_unit_test(test_authorizer),
        cmocka_unit_test(test_no_prefix_comes_before_a_whole_path),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
