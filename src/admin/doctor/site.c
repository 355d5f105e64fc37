/* SPDX-License-Identifier: ISC */
/* site.c: `retoken doctor --url URL`: the mounts as a client sees them, through whatever web
 * servers and proxies there are. Knows what Retoken answers to a stranger and which settings of
 * which server spoil it; does not know the store beyond the names of its keys. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "admin/doctor/doctor.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "dialect/dialect.h"
#include "http/client.h"
#include "http/origin.h"
#include "operation/operation.h"

enum { BODY_ROOM = 64 * 1024, HEAD_ROOM = 16 * 1024, PATIENCE_MS = 10000, LISTED_MAX = 600 };

/* No site has it: what allows it allows any. */
#define STRANGE_ORIGIN "https://doctor.invalid"
/* No base64, so it is refused before any client or secret is looked for. */
#define STRANGE_BASIC "Authorization: Basic *"

struct site {
    struct examination *e;
    const struct config *config;
    struct http_client *client;
    struct text origin;                 /* of the URL */
    char base[HTTP_CLIENT_URL_MAX + 1]; /* what the mounts' paths follow */
    const char *ca_file;
    struct http_call call; /* the last question and its answer */
    char url[HTTP_CLIENT_URL_MAX + 1];
    char head[HEAD_ROOM];
    char body[BODY_ROOM];
    char name[32]; /* of the web server: "nginx", "" = it does not say */
};

static bool open_site(struct site *site, const char *url);
static bool ask(struct site *site, const char *method, const char *path, const char *first,
                const char *second);
static bool ask_at(struct site *site, struct text base, const char *method, const char *path,
                   const char *const *headers, struct text body);
static bool next_header(struct text *rest, const char *name, struct text *value);
static struct text head_of(const struct site *site);
static struct text header(const struct site *site, const char *name, size_t *count);
static bool is_ours(const struct site *site);
static const char *advice(const struct site *site, const char *apache, const char *nginx,
                          const char *lighttpd);
static bool check_health(struct site *site);
static void report_unreached(struct site *site);
static void report_stranger(struct site *site);
static void check_keys(struct site *site);
static void compare_keys(struct site *site);
static void check_mounts(struct site *site);
static void list(char listed[LISTED_MAX], const char *path);
static void report_lost(struct site *site, const char *check, const char *lost, size_t asked);
static void check_documents(struct site *site);
static void check_authorization(struct site *site);
static void check_pages(struct site *site);
static void check_cookies(struct site *site);
static void check_served(struct site *site);
static bool is_served(struct site *site, const char *file, bool (*is_it)(struct text body));
static void check_plain_http(struct site *site);
static const struct mount *find_mount(const struct site *site, const char *dialect,
                                      const struct operation *operation, bool cookies);

void doctor_site_examine(struct examination *e, const char *url)
{
    struct site *site = calloc(1, sizeof *site);
    struct fault fault = {0};

    if (site == NULL) {
        doctor_report(e, "site", HEALTH_FAIL, "out of memory");
        return;
    }
    site->e = e;
    site->config = &e->call->service.config;
    site->ca_file = options_value(&e->call->options, OPTION_CA_FILE);
    site->client = http_client_open(1, &fault);
    if (site->client == NULL) {
        doctor_report(e, "site", HEALTH_FAIL, "%s", fault.text);
    } else if (open_site(site, url) && check_health(site)) {
        check_keys(site);
        check_mounts(site);
        check_documents(site);
        check_authorization(site);
        check_pages(site);
        check_cookies(site);
        check_served(site);
        check_plain_http(site);
    }
    http_client_close(site->client);
    secret_wipe(site, sizeof *site); /* what is served may have been the secret */
    free(site);
}

static bool open_site(struct site *site, const char *url)
{
    struct text given = text_of(url);
    const char *wrong;

    if (!http_client_is_url(given, HTTP_CLIENT_SITE, &wrong)) {
        doctor_report(site->e, "site", HEALTH_FAIL, "--url: %s", wrong);
        return false;
    }
    while (text_ends(given, TEXT("/"))) {
        given = text_cut(given, given.size - 1);
    }
    site->origin = http_origin_of_url(given);
    /* a prefix goes before all mounts, unless the URL has it */
    const char *prefix = site->origin.size == given.size ? site->config->prefix : "";
    if (site->origin.size == 0 || snprintf(site->base, sizeof site->base, "%.*s%s",
                                           TEXT_ARGS(given), prefix) >= (int)sizeof site->base) {
        doctor_report(site->e, "site", HEALTH_FAIL,
                      "--url: write the host in lower case, for example https://login.example.org");
        return false;
    }
    if (!text_starts(given, TEXT("https://")) &&
        !http_client_is_url(given, HTTP_CLIENT_ANYWHERE, &wrong)) {
        doctor_report(site->e, "site", HEALTH_FAIL,
                      "%s: tokens can be read on the way: serve it by https", site->base);
    } else {
        doctor_report(site->e, "site", HEALTH_OK, "%s", site->base);
    }
    return true;
}

/* ---- questions ---- */

/* Asks for a path below the site's base; `first` and `second` are header lines or NULL. */
static bool ask(struct site *site, const char *method, const char *path, const char *first,
                const char *second)
{
    const char *headers[] = {first, second, NULL};

    return ask_at(site, text_of(site->base), method, path, headers, (struct text){0});
}

static bool ask_at(struct site *site, struct text base, const char *method, const char *path,
                   const char *const *headers, struct text body)
{
    size_t count = 0;

    site->call = (struct http_call){.url = site->url,
                                    .use = HTTP_CLIENT_SITE,
                                    .method = method,
                                    .body = body,
                                    .ca_file = site->ca_file,
                                    .timeout_ms = PATIENCE_MS,
                                    .room = site->body,
                                    .room_size = sizeof site->body,
                                    .head = site->head,
                                    .head_room = sizeof site->head};
    for (; headers[count] != NULL && count < HTTP_CLIENT_HEADERS_MAX; count++) {
        site->call.headers[count] = headers[count];
    }
    if (snprintf(site->url, sizeof site->url, "%.*s%s", TEXT_ARGS(base), path) >=
        (int)sizeof site->url) {
        fault_set(&site->call.fault, "the URL is too long");
        return false;
    }
    return http_client_post(site->client, &site->call);
}

static struct text body_of(const struct site *site)
{
    return (struct text){site->body, site->call.size};
}

/* The next value of a header of the answer; start with *rest = head_of(site). */
static bool next_header(struct text *rest, const char *name, struct text *value)
{
    while (rest->size > 0) {
        *value = text_split(rest, '\n');
        if (text_equal_ignore_case(text_split(value, ':'), text_of(name))) {
            *value = text_strip(*value);
            return true;
        }
    }
    return false;
}

static struct text head_of(const struct site *site)
{
    return (struct text){site->head, site->call.head_size};
}

/* The last value of a header of the answer, and how many there are. */
static struct text header(const struct site *site, const char *name, size_t *count)
{
    struct text rest = head_of(site);
    struct text found = {0};
    struct text value;

    for (*count = 0; next_header(&rest, name, &value); (*count)++) {
        found = value;
    }
    return found;
}

static bool contains(struct text t, const char *part)
{
    return t.size > 0 && memmem(t.data, t.size, part, strlen(part)) != NULL;
}

/* Every answer of Retoken has both; a key set may be cached. */
static bool is_ours(const struct site *site)
{
    size_t count;

    return contains(header(site, "x-content-type-options", &count), "nosniff") &&
           contains(header(site, "cache-control", &count), "no-store") &&
           contains(header(site, "pragma", &count), "no-cache");
}

static const char *advice(const struct site *site, const char *apache, const char *nginx,
                          const char *lighttpd)
{
    return strcmp(site->name, "nginx") == 0      ? nginx
           : strcmp(site->name, "lighttpd") == 0 ? lighttpd
                                                 : apache;
}

/* ---- is it there? ---- */

static bool check_health(struct site *site)
{
    size_t count;

    if (!ask(site, "GET", "/healthz", NULL, NULL)) {
        report_unreached(site);
        return false;
    }
    struct text server = header(site, "server", &count);
    (void)log_safe(text_cut(server, strcspn(server.size > 0 ? server.data : "", "/ \r\n")),
                   site->name, sizeof site->name);
    if (text_starts(text_of(site->base), TEXT("https://"))) {
        doctor_report(site->e, "certificate", HEALTH_OK, "%s",
                      site->ca_file != NULL ? "valid by --ca-file"
                                            : "valid, by an authority that this machine knows");
    }
    if (site->call.status == 200 && text_is(body_of(site), "{\"status\":\"ok\"}")) {
        doctor_report(site->e, "health", HEALTH_OK, "%s answers", site->url);
        return true;
    } else if (site->call.status == 503 && contains(body_of(site), "{\"status\":\"fault\"")) {
        doctor_report(site->e, "health", HEALTH_FAIL,
                      "Retoken is reached but cannot serve: its log says why, and `retoken "
                      "doctor` without --url, run as the owner of its data");
        return false;
    }
    report_stranger(site);
    return false;
}

static void report_unreached(struct site *site)
{
    const char *why = site->call.fault.text;

    if (strstr(why, "ertificate") != NULL) {
        doctor_report(site->e, "certificate", HEALTH_FAIL,
                      "%s: clients refuse it too: renew it, for this name, and let the web server "
                      "send the authority's intermediate certificates with it",
                      why);
        return;
    }
    doctor_report(site->e, "health", HEALTH_FAIL, "%s: %s", site->url, why);
}

/* Something else answered, or the web server could not start or reach the program. */
static void report_stranger(struct site *site)
{
    struct text body = body_of(site);
    char place[160];
    size_t count;
    const char *why = "no answer of Retoken";

    if (text_starts(body, TEXT("#!")) || text_starts(body, TEXT("\177ELF"))) {
        why = advice(site,
                     "the web server sends the program instead of running it: Options "
                     "+ExecCGI, and fcgid-script or cgi-script as its handler",
                     "nginx sends the program and cannot run it: start retoken.fcgi --listen, and "
                     "include nginx-conf/retoken.conf",
                     "lighttpd sends the program instead of running it: include bin-path.conf or "
                     "cgi.conf");
    } else if (is_ours(site) && site->call.status == 404) {
        why = "Retoken is reached, but under another path: let --url end where its mounts begin, "
              "or set `prefix` in retoken.conf";
    } else if (site->call.status >= 300 && site->call.status < 400) {
        (void)log_safe(text_cut(header(site, "location", &count), 100), place, sizeof place);
        doctor_report(site->e, "health", HEALTH_FAIL,
                      "%s redirects to %s: name that URL, or except Retoken's paths from the "
                      "redirect",
                      site->url, place);
        return;
    } else if (site->call.status == 401) {
        why = "the web server asks for a login of its own there: except Retoken's paths from it";
    } else if (site->call.status == 403) {
        why = advice(site,
                     "the web server forbids it: `Require all granted` for Retoken's paths, "
                     "and for a script `Options +ExecCGI`",
                     "the web server forbids it: a `deny`, or no location of Retoken's in this "
                     "server block",
                     "the web server forbids it: url.access-deny");
    } else if (site->call.status == 500) {
        why = "the web server could not run the program; its error log says why: the program's "
              "path, who may execute it, RETOKEN_HOME, and as whom scripts run (suexec)";
    } else if (site->call.status >= 502 && site->call.status <= 504) {
        why = advice(site,
                     "the web server cannot reach the program: is it running, does it listen "
                     "at RETOKEN_SOCKET, and may the web server's user connect? (systemctl "
                     "status retoken.socket)",
                     "the web server cannot reach the program: is it running, does it listen at "
                     "the socket in upstream.conf, and may nginx's user connect? (systemctl "
                     "status retoken.socket)",
                     "the web server cannot reach or start the program: var.retoken_socket and "
                     "var.retoken_fcgi in settings.conf, and who may use them");
    } else if (site->call.status == 200 || site->call.status == 404) {
        why = advice(site,
                     "another page of the site answers: include the sample in this virtual "
                     "host, or put its lines at the top of .htaccess, above the site's own "
                     "rules",
                     "another page of the site answers: include nginx-conf/retoken.conf in this "
                     "server block",
                     "another page of the site answers: include mounts.conf and one of "
                     "bin-path.conf, socket.conf and cgi.conf");
    }
    doctor_report(site->e, "health", HEALTH_FAIL, "%s, status %d: %s", site->url, site->call.status,
                  why);
}

/* ---- keys ---- */

static void check_keys(struct site *site)
{
    size_t count;

    if (!ask(site, "GET", "/.well-known/jwks.json", NULL, NULL) || site->call.status != 200 ||
        !text_starts(body_of(site), TEXT("{\"keys\":["))) {
        doctor_report(site->e, "keys", HEALTH_FAIL,
                      "%s is not Retoken's, so verifiers cannot check access tokens: exempt this "
                      "path from the site's rules for /.well-known",
                      site->url);
        return;
    }
    (void)header(site, "access-control-allow-origin", &count);
    if (count > 1) {
        doctor_report(site->e, "keys", HEALTH_FAIL,
                      "%s has two Access-Control-Allow-Origin, which browsers refuse: take the "
                      "web server's own out",
                      site->url);
        return;
    }
    compare_keys(site);
}

/* Where the store is at hand: is it this installation that answers? */
static void compare_keys(struct site *site)
{
    struct call *call = site->e->call;
    struct signing_row rows[64];
    char named[SIGNING_KID_MAX + 16];
    struct fault fault = {0};
    size_t count = 0;

    if (!call->opened && service_is_installed(site->config, &fault) &&
        service_look(site->config, &fault) == STORE_OK) {
        call->opened = service_open(&call->service, false, true, &fault);
    }
    if (!call->opened || store_key_list(call->service.store, false, rows,
                                        sizeof rows / sizeof rows[0], &count, &fault) != STORE_OK) {
        doctor_report(site->e, "keys", HEALTH_OK,
                      "%s (not compared: no store of an installation can be read here)", site->url);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(named, sizeof named, "\"kid\":\"%s\"", rows[i].kid);
        if (rows[i].state == SIGNING_ACTIVE && rows[i].algorithm != SIGNING_HS256 &&
            !contains(body_of(site), named)) {
            doctor_report(site->e, "keys", HEALTH_FAIL,
                          "%s lacks key %s, which signs here: another installation answers, or a "
                          "cache keeps it longer than five minutes",
                          site->url, rows[i].kid);
            return;
        }
    }
    doctor_report(site->e, "keys", HEALTH_OK, "%s has the keys of this installation", site->url);
}

/* ---- mounts ---- */

/* GET is refused at nearly all, in Retoken's own words. */
static void check_mounts(struct site *site)
{
    char lost[LISTED_MAX] = "";
    char open[LISTED_MAX] = "";
    size_t asked = 0;

    for (size_t i = 0; i < site->config->mount_count; i++) {
        const struct mount *mount = &site->config->mounts[i];
        size_t count = 0;

        if (!realm_issues(mount->realm) || mount->endpoint->needs_remote_user ||
            mount->endpoint->is_public) {
            continue;
        }
        asked++;
        bool answered =
            ask(site, "GET", mount->path, "Origin: " STRANGE_ORIGIN, "Accept: application/json");
        struct text origin = header(site, "access-control-allow-origin", &count);
        if (!answered || !is_ours(site) || text_is(body_of(site), "Not Found\n")) {
            list(lost, mount->path);
        } else if (count > 0 &&
                   (count > 1 || !text_has_word(text_of(mount->realm->origins), TEXT("*")) ||
                    !text_is(origin, STRANGE_ORIGIN))) {
            list(open, mount->path);
        }
    }
    report_lost(site, "mounts", lost, asked);
    if (open[0] != '\0') {
        doctor_report(site->e, "other sites", HEALTH_FAIL,
                      "%s: the web server allows the pages of any site to read answers "
                      "(Access-Control-Allow-Origin): take that header out, and let `origins` in "
                      "retoken.conf name those that may",
                      open);
    }
}

static void list(char listed[LISTED_MAX], const char *path)
{
    size_t size = strlen(listed);

    snprintf(listed + size, LISTED_MAX - size, "%s%s", size > 0 ? ", " : "", path);
}

static void report_lost(struct site *site, const char *check, const char *lost, size_t asked)
{
    if (lost[0] != '\0') {
        doctor_report(site->e, check, HEALTH_FAIL,
                      "%s: Retoken's answer does not come from there: add the path to %s, or take "
                      "out what answers in its place or changes Cache-Control",
                      lost,
                      advice(site, "mounts.conf (in .htaccess: the RewriteRule)",
                             "the location in retoken.conf of nginx-conf", "mounts.conf"));
    } else {
        doctor_report(site->e, check, HEALTH_OK, "all %zu are reached", asked);
    }
}

/* Where clients look that know the issuer's URL and nothing else. */
static void check_documents(struct site *site)
{
    static const char *const none[] = {NULL};
    char lost[LISTED_MAX] = "";
    size_t asked = 0;

    for (size_t i = 0; i < site->config->mount_count; i++) {
        const struct mount *mount = &site->config->mounts[i];
        struct text base = mount->is_whole_path ? site->origin : text_of(site->base);

        if (mount->endpoint->document == DOCUMENT_NONE) {
            continue;
        }
        asked++;
        if (!ask_at(site, base, "GET", mount->path, none, (struct text){0}) ||
            site->call.status != 200 || !contains(body_of(site), mount->realm->issuer)) {
            list(lost, mount->path);
        }
    }
    if (asked > 0) {
        report_lost(site, "discovery", lost, asked);
    }
}

/* A realm that names origins answers the browser's question itself (Fetch, CORS-preflight). */
static void check_pages(struct site *site)
{
    for (size_t i = 0; i < site->config->mount_count; i++) {
        const struct mount *mount = &site->config->mounts[i];
        struct text origins = text_of(mount->realm->origins);
        struct text first = text_word(&origins);
        char line[REALM_ORIGINS_MAX + 16];
        size_t count;

        if (!realm_issues(mount->realm) || mount->endpoint->navigated ||
            !http_origin_is_plain(first)) {
            continue;
        }
        snprintf(line, sizeof line, "Origin: %.*s", TEXT_ARGS(first));
        bool good =
            ask(site, "OPTIONS", mount->path, line, "Access-Control-Request-Method: POST") &&
            site->call.status == 204 &&
            text_equal(header(site, "access-control-allow-origin", &count), first) && count == 1;
        doctor_report(site->e, "other sites", good ? HEALTH_OK : HEALTH_FAIL, "%s: %.*s %s",
                      mount->path, TEXT_ARGS(first),
                      good ? "may ask"
                           : "may ask, but a browser is told otherwise: let OPTIONS through to "
                             "Retoken, and take the web server's own Access-Control headers out");
        return;
    }
}

/* The first where that is done; with a dialect, of that one; with cookies, where it sets them
 * whatever is asked, which a file does not say. */
static const struct mount *find_mount(const struct site *site, const char *dialect,
                                      const struct operation *operation, bool cookies)
{
    for (size_t i = 0; i < site->config->mount_count; i++) {
        const struct mount *mount = &site->config->mounts[i];

        if (mount->endpoint->operation == operation &&
            (!cookies || (mount->endpoint->cookies && mount->endpoint->described == NULL)) &&
            (dialect == NULL || strcmp(mount->realm->dialect->name, dialect) == 0)) {
            return mount;
        }
    }
    return NULL;
}

/* ---- what the web server keeps to itself or adds ---- */

/* RFC 6749 section 5.2: who tried Authorization gets 401 with a challenge, and only they do. */
static void check_authorization(struct site *site)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          STRANGE_BASIC, NULL};
    const struct mount *mount = find_mount(site, "oauth", &operation_refresh, false);
    size_t count;

    if (mount == NULL) {
        doctor_report(site->e, "authorization", HEALTH_OK,
                      "not checked: only a mount of oauth shows whether the header arrives");
        return;
    }
    bool answered = ask_at(site, text_of(site->base), NULL, mount->path, headers,
                           TEXT("grant_type=refresh_token&refresh_token=doctor"));
    struct text challenge = header(site, "www-authenticate", &count);
    if (answered && is_ours(site) && site->call.status == 401 &&
        contains(challenge, "Basic realm=\"retoken\"")) {
        doctor_report(site->e, "authorization", HEALTH_OK, "%s gets the Authorization header",
                      mount->path);
    } else if (answered && is_ours(site) && site->call.status == 400) {
        doctor_report(site->e, "authorization", HEALTH_FAIL,
                      "%s does not get the Authorization header, so no client can prove itself by "
                      "it: %s",
                      mount->path,
                      advice(site,
                             "`CGIPassAuth On` for Retoken's paths; where a host forbids that, "
                             "RewriteRule ^ - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]",
                             "take `fastcgi_param HTTP_AUTHORIZATION` and `fastcgi_pass_request_"
                             "headers off` out of its location",
                             "take what removes it in front of lighttpd out"));
    } else if (answered && site->call.status == 401) {
        doctor_report(site->e, "authorization", HEALTH_FAIL,
                      "%s: the web server takes the Authorization header for a login of its own: "
                      "except the path from that",
                      mount->path);
    } else {
        doctor_report(site->e, "authorization", HEALTH_FAIL,
                      "%s: status %d, where Retoken refuses with 401: does something in front "
                      "refuse POST?",
                      mount->path, site->call.status);
    }
}

/* A logout without a session makes a browser drop cookies, so their attributes are seen. */
static void check_cookies(struct site *site)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct mount *mount = find_mount(site, NULL, &operation_logout, true);
    bool https = text_starts(text_of(site->base), TEXT("https://"));
    struct text rest, cookie;
    bool secure = true, whole = true;
    size_t count = 0;

    if (mount == NULL) {
        return;
    }
    bool answered = ask_at(site, text_of(site->base), NULL, mount->path, headers, TEXT("{}")) &&
                    is_ours(site) && site->call.status == 200;
    char path[COOKIE_PATH_MAX + 16];

    snprintf(path, sizeof path, "; Path=%s;",
             mount->realm->cookies.path[0] != '\0' ? mount->realm->cookies.path : "/");
    for (rest = head_of(site); next_header(&rest, "set-cookie", &cookie); count++) {
        secure = secure && contains(cookie, "; Secure");
        whole = whole && contains(cookie, "; HttpOnly") && contains(cookie, "; SameSite=") &&
                contains(cookie, path);
    }
    if (!answered || count == 0) {
        doctor_report(
            site->e, "cookies", HEALTH_FAIL,
            "%s: Set-Cookie does not come from there: take out what removes it or answers "
            "in its place",
            mount->path);
    } else if (https && mount->realm->cookies.secure != COOKIE_SECURE_NEVER && !secure) {
        doctor_report(site->e, "cookies", HEALTH_FAIL,
                      "%s: no Secure, because Retoken is not told that this is https: %s",
                      mount->path,
                      advice(site,
                             "where TLS ends in front of the web server, set issuer to the https "
                             "URL, or cookie-secure = always",
                             "pass `fastcgi_param HTTPS $https if_not_empty`; where TLS ends in "
                             "front, set issuer to the https URL, or cookie-secure = always",
                             "where TLS ends in front of the web server, set issuer to the https "
                             "URL, or cookie-secure = always"));
    } else if (!whole) {
        doctor_report(site->e, "cookies", HEALTH_FAIL,
                      "%s: the web server changes cookies, which should have HttpOnly, SameSite "
                      "and %.*s: take that rule out (Header edit Set-Cookie, proxy_cookie_path)",
                      mount->path, (int)strlen(path) - 3, path + 2);
    } else {
        doctor_report(site->e, "cookies", HEALTH_OK, "as configured%s",
                      secure ? ", for https only" : "");
    }
}

/* ---- what must not be served ---- */

static bool is_configuration(struct text body)
{
    return contains(body, "[retoken]");
}

/* 64 hexadecimal digits, and further lines (token/secrets_file.h). */
static bool is_secret(struct text body)
{
    uint8_t bytes[SECRETS_MASTER_SIZE];

    body = text_strip(text_cut(body, text_find(body, '\n')));
    struct text behind = text_from(body, 2 * sizeof bytes);
    bool is_it = codec_hex_decode(text_cut(body, 2 * sizeof bytes), bytes, sizeof bytes) &&
                 (behind.size == 0 || text_is(behind, " retired"));
    secret_wipe(bytes, sizeof bytes);
    return is_it;
}

/* LMDB's mark behind the header of its first page. */
static bool is_store(struct text body)
{
    static const uint8_t mark[] = {0xde, 0xc0, 0xef, 0xbe};

    return body.size >= 32 && memmem(body.data, 32, mark, sizeof mark) != NULL;
}

static void check_served(struct site *site)
{
    const struct config *config = site->config;
    const char *directory = store_url_directory(config->store);
    char store[PATH_MAX];

    snprintf(store, sizeof store, "%s/data.mdb", directory != NULL ? directory : "store");
    bool served = is_served(site, config->secret_file, is_secret);
    served |= is_served(site, store, is_store);
    served |= is_served(site, config->file[0] != '\0' ? config->file : "retoken-data/retoken.conf",
                        is_configuration);
    if (!served) {
        doctor_report(site->e, "served files", HEALTH_OK,
                      "neither secret nor store nor configuration is served at a URL that their "
                      "paths suggest");
    }
}

/* Tries what follows from a file's place: /secret, /data/secret, /retoken/data/secret, … */
static bool is_served(struct site *site, const char *file, bool (*is_it)(struct text body))
{
    static const char *const none[] = {NULL};
    char folder[PATH_MAX];
    char path[2 * PATH_MAX];

    if (file[0] == '/' || getcwd(folder, sizeof folder) == NULL) {
        folder[0] = '\0';
    }
    snprintf(path, sizeof path, "%s/%s", folder, file + (file[0] == '/' ? 1 : 0));
    for (char *at = strrchr(path, '/'); at != NULL; at = memrchr(path, '/', (size_t)(at - path))) {
        if (text_is_visible_ascii(text_of(at)) &&
            ask_at(site, site->origin, "GET", at, none, (struct text){0}) &&
            site->call.status == 200 && is_it(body_of(site))) {
            doctor_report(
                site->e, "served files", HEALTH_FAIL,
                "%s is served to everyone: move the data out of the folder that the web "
                "server serves (%s); who has fetched the secret can make tokens",
                site->url,
                advice(site, "below DocumentRoot", "below `root`", "below server.document-root"));
            return true;
        }
    }
    return false;
}

/* At the usual ports: a client that was given http:// by mistake must not get away with it. */
static void check_plain_http(struct site *site)
{
    static const char *const none[] = {NULL};
    const struct text secure = TEXT("https://");
    struct text host = text_from(site->origin, secure.size);
    char plain[HTTP_CLIENT_URL_MAX];
    size_t count;

    if (!text_starts(site->origin, secure) || text_find(host, ':') < host.size) {
        return;
    }
    snprintf(plain, sizeof plain, "http://%.*s", TEXT_ARGS(text_of(site->base + secure.size)));
    if (ask_at(site, text_of(plain), "GET", "/healthz", none, (struct text){0}) &&
        text_is(body_of(site), "{\"status\":\"ok\"}")) {
        doctor_report(site->e, "plain http", HEALTH_WARN,
                      "%s answers too, so a client may send tokens readable: redirect to https "
                      "there (%s)",
                      site->url,
                      advice(site, "Redirect permanent / https://…/ in the virtual host of port 80",
                             "return 301 https://$host$request_uri; in the server of port 80",
                             "url.redirect in $HTTP[\"scheme\"] == \"http\""));
    } else if (site->call.answered && site->call.status >= 300 && site->call.status < 400) {
        doctor_report(site->e, "plain http", HEALTH_OK, "%s redirects%s", site->url,
                      text_starts(header(site, "location", &count), secure) ? " to https" : "");
    } else {
        doctor_report(site->e, "plain http", HEALTH_OK, "%s is not Retoken's", site->url);
    }
}
