/* SPDX-License-Identifier: ISC */
/* test_config.c: what a configuration means, and the exact words for every mistake in one. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "process/config.h"

/* In a fault's text: the names of all dialects that issue tokens. */
#define ISSUERS "{dialects}"
#define NAMES   ISSUERS ", jwks, health, metrics"
/* Those of oauth. */
#define ENDPOINTS                                                                                  \
    "token, revoke, introspect, sessions, check, authorize, session, device-authorization, "       \
    "device, "                                                                                     \
    "metadata, "                                                                                   \
    "openid-configuration"
/* Behind the name of a section. */
#define UNKNOWN_SECTION                                                                            \
    "unknown section; write [retoken], [realm NAME], [mount PATH], [dialect NAME], "               \
    "[webhook NAME] or [hook NAME]"

/* ---- a folder to write configurations in; tests run inside of it ---- */

static char directory[] = "/tmp/retoken-config.XXXXXX";
static struct config config;
static struct fault fault;

static int enter(void **state)
{
    (void)state;
    unsetenv("RETOKEN_CONFIG");
    unsetenv("RETOKEN_HOME");
    return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    unlink("retoken.conf");
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static void write_file(const char *data, size_t size)
{
    FILE *out = fopen("retoken.conf", "w");

    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static bool load(const char *text)
{
    write_file(text, strlen(text));
    return config_load("retoken.conf", &config, &fault);
}

static const struct mount *loaded(const char *text, const char *path)
{
    if (!load(text)) {
        fail_msg("%s", fault.text);
    }
    const struct mount *mount = config_mount(&config, path);
    assert_non_null(mount);
    return mount;
}

/* ---- mistakes ---- */

#define MOUNT    "[mount /oauth/token]\ndialect = oauth\n"
#define REALM    "[realm s]\ndialect = oauth\n"
#define DBSC     "[mount /dbsc/refresh]\nremote-user = any\nissuer = https://id.example\n"
#define KOPONG   "[mount /k]\ndialect = kopong\n"
#define DUKTIG   "[mount /d]\ndialect = duktig\n"
#define HOOK     "[hook users]\nurl = unix:/run/app/claims\n"
#define NO_STORE "not a store; write its directory, or postgresql://HOST/DATABASE"
#define NO_PASSWORD                                                                                \
    "holds a password, which others may see; write it into a file that store-password-file "       \
    "names, or into ~/.pgpass"
#define LONG_60 "123456789012345678901234567890123456789012345678901234567890"

#define WEBHOOK "[webhook w]\nurl = https://app.example.org/hook\n"

static const struct {
    const char *text;
    const char *fault;
} mistakes[] = {
    /* lines and sections */
    {"data = x\n", "retoken.conf:1: data comes before any section; write [retoken] first"},
    {"# c\n\n[retoken]\nnonsense\n",
     "retoken.conf:4: neither a section nor a setting; write [SECTION] or NAME = VALUE"},
    {"[retoken\n",
     "retoken.conf:1: neither a section nor a setting; write [SECTION] or NAME = VALUE"},
    {"[other]\n", "retoken.conf:1: [other]: " UNKNOWN_SECTION},
    {"[]\n", "retoken.conf:1: []: " UNKNOWN_SECTION},
    {"[mount]\n", "retoken.conf:1: [mount]: " UNKNOWN_SECTION},
    {"[Retoken]\n", "retoken.conf:1: [Retoken]: " UNKNOWN_SECTION},
    {"[retoken x]\n", "retoken.conf:1: [retoken x]: " UNKNOWN_SECTION},
    {"[retoken]\nthread = 1\n", "retoken.conf:2: thread: unknown setting in [retoken]"},
    {MOUNT "threads = 1\n", "retoken.conf:3: threads: unknown setting in [mount]"},
    {"[retoken]\n\nissuer = a\n; c\nissuer = b\n",
     "retoken.conf:5: issuer is already set on line 3"},
    {"[retoken]\nthreads = 2\n" MOUNT "[retoken]\nthreads = 3\n",
     "retoken.conf:6: threads is already set on line 2"},
    {MOUNT "dialect = oauth\n", "retoken.conf:3: dialect is already set on line 2"},
    {MOUNT MOUNT, "retoken.conf:3: [mount /oauth/token]: the path is already in use by line 1"},

    /* webhooks */
    {"[webhook]\n", "retoken.conf:1: [webhook]: " UNKNOWN_SECTION},
    {"[webhook two words]\n", "retoken.conf:1: [webhook two words]: not one word of visible ASCII"},
    {"[webhook aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n",
     "retoken.conf:1: [webhook aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]: too long"},
    {"[webhook w]\n", "retoken.conf:1: [webhook w]: no url; write for example url = "
                      "https://app.example.org/hook"},
    {"[webhook w]\nurl = http://app.example.org/\n",
     "retoken.conf:2: url = http://app.example.org/: not a URL to post to; write "
     "https://HOST/PATH; "
     "http:// is for 127.0.0.1, [::1] and localhost"},
    {"[webhook w]\nurl = unix:/run/app\n",
     "retoken.conf:2: url = unix:/run/app: not a URL to post to; write https://HOST/PATH; http:// "
     "is for 127.0.0.1, [::1] and localhost"},
    {WEBHOOK "url = https://b.example/\n", "retoken.conf:3: url is already set on line 2"},
    {WEBHOOK "retries = 3\n", "retoken.conf:3: retries: unknown setting in [webhook]"},
    {WEBHOOK, "retoken.conf:1: [webhook w]: no events; write for example events = reuse revoked "
              "logout, or all"},
    {WEBHOOK "events =\n", "retoken.conf:3: events = : not kinds or classes of events; "
                           "retoken.conf(5) lists them, and `all` is all"},
    {WEBHOOK "events = reuse reused\n",
     "retoken.conf:3: events = reuse reused: not kinds or classes of events; retoken.conf(5) lists "
     "them, and `all` is all"},
    {WEBHOOK "events = all\n",
     "retoken.conf:1: [webhook w]: no secret-file; without one a receiver "
     "cannot tell who sends"},
    {WEBHOOK "events = all\nformat = xml\n",
     "retoken.conf:4: format = xml: unknown; write retoken, caep or fusionauth"},
    {WEBHOOK "events = login\nformat = caep\n",
     "retoken.conf:3: events = login: the format has no words for any of these; see [webhook NAME] "
     "in retoken.conf(5)"},
    {WEBHOOK "events = login\nformat = fusionauth\n",
     "retoken.conf:3: events = login: the format has no words for any of these; see [webhook NAME] "
     "in retoken.conf(5)"},
    {WEBHOOK "events = all\nsecret-file = w\naudience = a\n",
     "retoken.conf:5: audience has no effect: only caep names one; remove the line"},
    {WEBHOOK "realms = nowhere\n",
     "retoken.conf:3: realms = nowhere: not names of realms of this configuration, with spaces "
     "between them"},
    {WEBHOOK "events = all\nsecret-file = w\n" WEBHOOK,
     "retoken.conf:5: [webhook w]: there is one of that name"},
    {"[retoken]\noutbox-size = 99\n",
     "retoken.conf:2: outbox-size = 99: out of range; write 100 to 10000000"},

    /* paths of mounts */
    {"[mount oauth]\n", "retoken.conf:1: [mount oauth]: not a path that a request could have; "
                        "write for example [mount /oauth/token]"},
    {"[mount /]\n", "retoken.conf:1: [mount /]: not a path that a request could have; write for "
                    "example [mount /oauth/token]"},
    {"[mount /a//]\n", "retoken.conf:1: [mount /a//]: not a path that a request could have; write "
                       "for example [mount /oauth/token]"},
    {"[mount /a/]\n", "retoken.conf:1: [mount /a/]: no dialect; write dialect = one of " NAMES},
    {"[retoken]\nhttps = on\n", "retoken.conf:2: https = on: unknown; write server or always"},
    {"[retoken]\ntrailing-slash = yes\n",
     "retoken.conf:2: trailing-slash = yes: unknown; write on or off"},
    {"[mount /a//b]\n", "retoken.conf:1: [mount /a//b]: not a path that a request could have; "
                        "write for example [mount /oauth/token]"},
    {"[mount /a/../b]\n", "retoken.conf:1: [mount /a/../b]: not a path that a request could have; "
                          "write for example [mount /oauth/token]"},
    {"[mount /a b]\n", "retoken.conf:1: [mount /a b]: not a path that a request could have; write "
                       "for example [mount /oauth/token]"},
    {"[mount /a%20b]\n", "retoken.conf:1: [mount /a%20b]: not a path that a request could have; "
                         "write for example [mount /oauth/token]"},
    {"[mount /a\\b]\n", "retoken.conf:1: [mount /a\\b]: not a path that a request could have; "
                        "write for example [mount /oauth/token]"},
    {"[mount /" LONG_60 LONG_60 "12345678]\n",
     "retoken.conf:1: [mount]: the path is longer than 128 bytes"},
    {"[mount /" LONG_60 "1234]\ndialect = oauth\n",
     "retoken.conf:1: [mount /" LONG_60 "1234]: the path is too long to be the realm's name too; "
     "write realm = NAME, at most 64 bytes"},

    /* dialects */
    {"[mount /x]\n", "retoken.conf:1: [mount /x]: no dialect; write dialect = one of " NAMES},
    {"[mount /x]\nidle-lifetime = 1d\n",
     "retoken.conf:1: [mount /x]: no dialect; write dialect = one of " NAMES},
    {"[mount /x]\n\ndialect = soap\n",
     "retoken.conf:3: dialect = soap: unknown; write one of " NAMES},
    {"[mount /x]\ndialect =\n", "retoken.conf:2: dialect = : unknown; write one of " NAMES},
    {"[mount /healthz]\nrealm = x\n", "retoken.conf:2: realm: [mount /healthz] carries no tokens; "
                                      "it takes dialect and endpoint only"},

    {"[mount /x]\ndialect = oauth\nendpoint = refresh\n",
     "retoken.conf:3: endpoint = refresh: unknown; oauth has " ENDPOINTS},

    /* realms */
    {"[realm]\n", "retoken.conf:1: [realm]: " UNKNOWN_SECTION},
    {"[realm s]\n",
     "retoken.conf:1: [realm s]: no dialect; write dialect = one or more of " ISSUERS},
    {"[realm two words]\ndialect = oauth\n",
     "retoken.conf:1: [realm two words]: not one word of visible ASCII"},
    {"[realm " LONG_60 "12345]\ndialect = oauth\n",
     "retoken.conf:1: [realm " LONG_60 "12345]: too long"},
    {"[realm s]\ndialect = oauth, soap\n",
     "retoken.conf:2: dialect = soap: unknown; write one of " ISSUERS},
    {"[realm s]\ndialect = jwks\n",
     "retoken.conf:2: dialect = jwks: unknown; write one of " ISSUERS},
    {"[realm s]\ndialect = oauth, oauth\n",
     "retoken.conf:2: [realm s] has oauth already, on line 1"},
    {REALM "\n" REALM, "retoken.conf:5: [realm s] has oauth already, on line 1"},
    {REALM "dialect = kopong\n", "retoken.conf:3: dialect is already set on line 2"},
    {REALM "threads = 1\n", "retoken.conf:3: threads: unknown setting in [realm]"},
    {REALM "principal = on\n", "retoken.conf:3: principal: a setting of kopong only"},
    {REALM "query = off\n", "retoken.conf:3: query: a setting of kopong and koppeltaal only"},
    {MOUNT "allow-origins = https://a.example/\n",
     "retoken.conf:3: allow-origins = https://a.example/: not origins; write for example "
     "https://app.example.org, in lower case and with nothing behind the host but a port"},
    {MOUNT "allow-origins = null\n",
     "retoken.conf:3: allow-origins = null: not origins; write for example "
     "https://app.example.org, in lower case and with nothing behind the host but a port"},
    {"[mount /api/jwt/refresh]\nallow-origins = *\n",
     "retoken.conf:2: allow-origins = *: fusionauth sets cookies, which any page could then use; "
     "name the origins"},
    {"[retoken]\nallow-origins = *\n",
     "retoken.conf:2: allow-origins = *: fusionauth sets cookies, which any page could then use; "
     "name the origins"},
    {"[mount /api/jwt/refresh]\ncookie-secure = yes\n",
     "retoken.conf:2: cookie-secure = yes: unknown; write auto, always or never"},
    {"[mount /api/jwt/refresh]\ncookie-name = __Host-r\n",
     "retoken.conf:2: cookie-name = __Host-r: not a cookie's name, without its prefix"},
    {"[mount /api/jwt/refresh]\ncookie-path = api\n",
     "retoken.conf:2: cookie-path = api: not a path; write for example /api"},
    {"[mount /api/jwt/refresh]\nexpire-cookie = old\n",
     "retoken.conf:2: expire-cookie = old: write NAME DOMAIN PATH, with - for no domain, and a "
     "comma before the next"},
    {"[mount /api/jwt/refresh]\ncookie-prefix = host\ncookie-domain = a.example\n",
     "retoken.conf:1: cookie-prefix: a name with __Host- goes with no cookie-domain and "
     "cookie-path = /"},
    {"[mount /api/jwt/refresh]\ncookie-prefix = host-only\ncookie-secure = never\n",
     "retoken.conf:1: cookie-secure = never: browsers take __Host- cookies over https only"},
    {"[mount /api/jwt/refresh]\ncookie-same-site = none\ncookie-secure = never\n",
     "retoken.conf:1: cookie-secure = never: browsers take cookies with SameSite=None over https "
     "only"},
    {REALM "realm = t\n", "retoken.conf:3: realm: unknown setting in [realm]"},
    {REALM "base = auth\n",
     "retoken.conf:3: base = auth: not a path prefix; write for example /auth"},
    {REALM "base = /" LONG_60 LONG_60 "\n",
     "retoken.conf:1: [realm s]: the path of token is longer than 128 bytes"},
    {REALM "path.tokn = /x\n", "retoken.conf:3: path.tokn: no such endpoint; oauth has " ENDPOINTS},
    {REALM "path.kopong.token = /x\n",
     "retoken.conf:3: path.kopong.token: no such endpoint; oauth has " ENDPOINTS},
    {REALM "issuer = https://a.example/?b\n",
     "retoken.conf:3: issuer = https://a.example/?b: not a URL; write for example "
     "https://login.example.org"},
    {REALM "path.metadata = /x\n",
     "retoken.conf:3: /x: it describes an issuer; add issuer = https://HOST"},
    {"[mount /.well-known/smart-configuration]\n",
     "retoken.conf:1: /.well-known/smart-configuration: it describes an issuer; add issuer = "
     "https://HOST"},
    {"[realm s]\ndialect = kopong, duktig\npath.refresh = /x\n",
     "retoken.conf:3: path.refresh: several dialects have such an endpoint; write "
     "path.DIALECT.refresh"},
    {REALM "path.oauth.token = /x\npath.token = /y\n",
     "retoken.conf:4: path.token: token is already moved on line 3"},
    {REALM "path.token = token\n",
     "retoken.conf:3: path.token = token: not a path that a request could have; write for example "
     "/token, or off"},
    {REALM "[realm t]\ndialect = oauth\n", "retoken.conf:3: [realm t]: /oauth/token is already in "
                                           "use by line 1; write base = /PREFIX, or "
                                           "path.token = PATH or off"},
    {MOUNT REALM, "retoken.conf:1: [mount /oauth/token]: the path is already in use by line 3"},
    {"[realm s]\ndialect = kopong, oauth\nrotation = on\n",
     "retoken.conf:3: rotation = on: tokens of format jwt do not rotate; write off, or format = "
     "native"},
    {"[realm s]\ndialect = pocketbase\nrotation = on\n",
     "retoken.conf:3: rotation = on: the answers of pocketbase have no place for the next refresh "
     "token; write off"},
    {"[realm s]\ndialect = pocketbase, oauth\n",
     "retoken.conf:1: /oauth/token: it issues access tokens in the realm s, where pocketbase "
     "renews "
     "sessions with theirs; give it a realm of its own"},
    {"[mount /oauth/token]\nrealm = s\n[realm s]\ndialect = pocketbase\n",
     "retoken.conf:1: /oauth/token: it issues access tokens in the realm s, where pocketbase "
     "renews "
     "sessions with theirs; give it a realm of its own"},
    {"[realm s]\ndialect = directus, pocketbase\n",
     "retoken.conf:1: /auth/refresh: it issues access tokens in the realm s, where pocketbase "
     "renews sessions with theirs; give it a realm of its own"},
    {"[realm s]\ndialect = kopong, duktig\nreuse = report\n",
     "retoken.conf:3: reuse has no effect: refresh tokens do not rotate here; remove the line"},

    /* quotation marks, and defaults uncommented as they are printed */
    {"[retoken]\nissuer = \"https://id.example\n",
     "retoken.conf:2: issuer = \"https://id.example: a quotation mark without its partner; write "
     "the value between two straight ones, or without"},
    {"[retoken]\nlog = syslog:log\n",
     "retoken.conf:2: log = syslog:log: not a socket; write syslog, journal, or syslog: and an "
     "absolute path of up to 107 bytes"},
    {"[retoken]\nlog = it's'\n",
     "retoken.conf:2: log = it's': a quotation mark without its partner; write the value between "
     "two straight ones, or without"},
    {"[retoken]\nlog = '\n",
     "retoken.conf:2: log = ': a quotation mark without its partner; write the value between two "
     "straight ones, or without"},
    {MOUNT "idle-lifetime = \xe2\x80\x9c"
           "4w\xe2\x80\x9d\n",
     "retoken.conf:3: idle-lifetime = \xe2\x80\x9c"
     "4w\xe2\x80\x9d: a quotation mark without its "
     "partner; write the value between two straight ones, or without"},
    {"[retoken]\nlog = \"a\" b\n",
     "retoken.conf:2: log = a: text after the closing quotation mark"},
    {"[retoken]\nlog =            (a file; standard error unless set)\n",
     "retoken.conf:2: log = (a file; standard error unless set): this describes the default and "
     "is no value; write one, or leave the line commented out"},
    {"[retoken]\nsecret-file = DATA/secret\n",
     "retoken.conf:2: secret-file = DATA/secret: this describes the default and is no value; "
     "write one, or leave the line commented out"},

    {"[retoken]\nsecret-file = credential:\n",
     "retoken.conf:2: secret-file = credential:: not the name of a credential; write for example "
     "credential:retoken-secret"},
    {"[retoken]\nsecret-file = credential:../secret\n",
     "retoken.conf:2: secret-file = credential:../secret: not the name of a credential; write for "
     "example credential:retoken-secret"},
    {"[retoken]\nsecret-file = credential:a/b\n",
     "retoken.conf:2: secret-file = credential:a/b: not the name of a credential; write for "
     "example credential:retoken-secret"},

    /* issuers */
    {MOUNT "issuer = login.example.org\n",
     "retoken.conf:3: issuer = login.example.org: not a URL; write for example "
     "https://login.example.org"},
    {"[retoken]\nissuer = https:///x\n" MOUNT,
     "retoken.conf:2: issuer = https:///x: not a URL; write for example "
     "https://login.example.org"},
    {"[retoken]\nissuer = our server\n" KOPONG,
     "retoken.conf:2: issuer = our server: not an issuer; write a URL, for example "
     "https://login.example.org"},

    /* values */
    {MOUNT "concurrency-window = 5 minutes\n",
     "retoken.conf:3: concurrency-window = 5 minutes: not a duration; write for example 60s"},
    {MOUNT "concurrency-window = 61m\n",
     "retoken.conf:3: concurrency-window = 61m: out of range; write 0 to 1h"},
    {MOUNT "recovery-window = 91d\n",
     "retoken.conf:3: recovery-window = 91d: out of range; write 0 to 90d"},
    {MOUNT "idle-lifetime = 30\n",
     "retoken.conf:3: idle-lifetime = 30: not a duration; write for example 60s"},
    {MOUNT "absolute-lifetime = -1d\n",
     "retoken.conf:3: absolute-lifetime = -1d: not a duration; write for example 60s"},
    {MOUNT "absolute-lifetime = 99999999999999999999d\n",
     "retoken.conf:3: absolute-lifetime = 99999999999999999999d: not a duration; write for "
     "example 60s"},
    {MOUNT "absolute-lifetime = 36501d\n",
     "retoken.conf:3: absolute-lifetime = 36501d: out of range; write 0 (none) to 36500d"},
    {MOUNT "access-lifetime = 0\n",
     "retoken.conf:3: access-lifetime = 0: out of range; write 1s to 365d"},
    {MOUNT "rotation = yes\n", "retoken.conf:3: rotation = yes: write on or off"},
    {MOUNT "reuse = ignore\n", "retoken.conf:3: reuse = ignore: unknown; write revoke or report"},
    {MOUNT "recovery-generations = 9\n",
     "retoken.conf:3: recovery-generations = 9: out of range; write 1 to 8"},
    {MOUNT "bearer-max-age = 1h\n",
     "retoken.conf:3: bearer-max-age has no effect: no one logs in with an access token here; "
     "remove the line"},
    {MOUNT "adopt = yes\n", "retoken.conf:3: adopt = yes: write on or off"},
    {MOUNT "adopt = on\nadopt-until = tomorrow\n",
     "retoken.conf:4: adopt-until = tomorrow: not a date; write for example 2026-06-30 or "
     "2026-06-30T12:00:00Z"},
    {MOUNT "adopt = on\nadopt-accounts = all\n",
     "retoken.conf:4: adopt-accounts = all: write known or create"},
    {MOUNT "adopt-claim = user_id\n",
     "retoken.conf:3: adopt-claim has no effect: nothing is adopted here; add adopt = on, or "
     "remove the line"},
    {MOUNT "resources = https://a.example  \xc3\xa9\n",
     "retoken.conf:3: resources = https://a.example  \xc3\xa9: not words of visible ASCII with one "
     "space between them"},
    {MOUNT "dpop = on\n", "retoken.conf:3: dpop = on: unknown; write optional or required"},
    {KOPONG "dpop = required\n",
     "retoken.conf:3: dpop has no effect: no request here proves a key; remove the line"},
    {KOPONG "dpop-nonce = on\n",
     "retoken.conf:3: dpop-nonce has no effect: no request here proves a key; remove the line"},
    {MOUNT "client-certificates = optional\n",
     "retoken.conf:3: client-certificates = optional: write on or off"},
    {MOUNT "certificate = on\n",
     "retoken.conf:3: certificate = on: unknown; write optional or required"},
    {MOUNT "certificate = required\n",
     "retoken.conf:3: certificate has no effect: no certificate is looked at here; add "
     "client-certificates = on, or remove the line"},
    {MOUNT "client-certificates = on\nmtls-origin = https://a.example/\n",
     "retoken.conf:4: mtls-origin = https://a.example/: write an origin as "
     "https://mtls.example.org, or none"},
    {MOUNT "client-certificates = on\nmtls-origin = http://a.example\n",
     "retoken.conf:4: mtls-origin = http://a.example: write an origin as "
     "https://mtls.example.org, or none"},
    {MOUNT "mtls-origin = https://a.example\n",
     "retoken.conf:1: mtls-origin: no certificate is looked at here; add client-certificates = on"},
    {KOPONG "client-certificates = on\n",
     "retoken.conf:3: client-certificates has no effect: no request here proves a key; remove the "
     "line"},
    {DBSC "dpop = required\n",
     "retoken.conf:4: dpop has no effect: no request here proves a key; remove the line"},
    {DBSC "resources = https://a.example\n",
     "retoken.conf:4: resources has no effect: no request here asks for one; remove the line"},
    {DBSC "rotation = on\n",
     "retoken.conf:4: rotation = on: the answers of dbsc have no place for the next refresh token; "
     "write off"},
    {DBSC "cookie-name = a\n", "retoken.conf:4: cookie-name: a setting of fusionauth only"},
    {"[mount /dbsc/refresh]\n",
     "retoken.conf:1: [mount /dbsc/refresh]: it answers whom the web server has checked; add "
     "remote-user = known or any"},
    {MOUNT "access-token = jwt\n",
     "retoken.conf:3: access-token = jwt: unknown; write dialect or at+jwt"},
    {MOUNT "access-jitter = 10%\n", "retoken.conf:3: access-jitter = 10%: write on or off"},
    {MOUNT "scope-loss = yes\n",
     "retoken.conf:3: scope-loss = yes: unknown; write allow or refuse"},
    {MOUNT "recovery-evidence = key\n",
     "retoken.conf:3: recovery-evidence = key: unknown; write client or none"},
    {MOUNT "behaviour = Deployed\n",
     "retoken.conf:3: behaviour = Deployed: unknown; write documented or deployed"},
    {MOUNT "format = opaque\n",
     "retoken.conf:3: format = opaque: unknown; write native, uuid or jwt"},
    {MOUNT "algorithm = none\n",
     "retoken.conf:3: algorithm = none: not an algorithm; write HS256, RS256, RS384, RS512, "
     "PS256, ES256, ES384 or EdDSA"},
    {MOUNT "algorithm = rs256\n",
     "retoken.conf:3: algorithm = rs256: not an algorithm; write HS256, RS256, RS384, RS512, "
     "PS256, ES256, ES384 or EdDSA"},
    {MOUNT "realm =\n", "retoken.conf:3: realm = : not one word of visible ASCII"},
    {MOUNT "realm = two words\n",
     "retoken.conf:3: realm = two words: not one word of visible ASCII"},
    {MOUNT "realm = " LONG_60 "12345\n", "retoken.conf:3: realm = " LONG_60 "12345: too long"},
    {MOUNT "issuer = \xff\n", "retoken.conf:3: issuer = \xff: holds bytes that are not UTF-8 text"},
    {"[retoken]\nthreads = 0\n", "retoken.conf:2: threads = 0: out of range; write 1 to 256"},
    {"[retoken]\nthreads = 257\n", "retoken.conf:2: threads = 257: out of range; write 1 to 256"},
    {"[retoken]\nthreads = many\n",
     "retoken.conf:2: threads = many: not a number; write for example 4"},
    {"[retoken]\nbody-limit = 64 k\n",
     "retoken.conf:2: body-limit = 64 k: not a size; write for example 64k"},
    {"[retoken]\nbody-limit = 1023\n",
     "retoken.conf:2: body-limit = 1023: out of range; write 1k to 1m"},
    {"[retoken]\nbody-limit = 1025k\n",
     "retoken.conf:2: body-limit = 1025k: out of range; write 1k to 1m"},
    {"[retoken]\nstore-size = 1k\n",
     "retoken.conf:2: store-size = 1k: out of range; write 1m to 1024g"},
    {"[retoken]\nstore = postgres://x\n", "retoken.conf:2: store = postgres://x: " NO_STORE},
    {"[retoken]\nstore = postgresql:x\n", "retoken.conf:2: store = postgresql:x: " NO_STORE},
    {"[retoken]\nstore = lmdb:\n", "retoken.conf:2: store = lmdb:: " NO_STORE},
    {"[retoken]\nstore = postgresql://me:hush@db/retoken\n",
     "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore = postgres://me:hush@db/retoken\n",
     "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore = postgresql://me:hu/sh@db\n", "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore = postgresql://db/r?user=me&password=hush\n",
     "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore = postgresql://db/r?p%61ssword=hush\n",
     "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore = postgresql://db/r?sslpassword=hush\n",
     "retoken.conf:2: store = …: " NO_PASSWORD},
    {"[retoken]\nstore-password-file = p\n",
     "retoken.conf:2: store-password-file has no effect: the store is a directory; remove the "
     "line"},
    {"[retoken]\nrotation-durability = local\n",
     "retoken.conf:2: rotation-durability has no effect: the store is a directory; remove the "
     "line"},
    {"[retoken]\nstore-size = 2m\nstore = postgresql://x\n",
     "retoken.conf:2: store-size has no effect: the store is behind a server; remove the line"},
    {"[retoken]\nstore = postgresql://x\nstore-limit = 4g\n",
     "retoken.conf:3: store-limit has no effect: the store is behind a server; remove the line"},
    {"[retoken]\nstore-password-file =\n",
     "retoken.conf:2: store-password-file = : empty; write a path"},
    {"[retoken]\nrotation-durability = both\n",
     "retoken.conf:2: rotation-durability = both: unknown; write quorum or local"},
    {"[retoken]\ndata =\n", "retoken.conf:2: data = : empty; write a path"},
    {"[retoken]\nlog-level = loud\n",
     "retoken.conf:2: log-level = loud: unknown; write error, notice, info or debug"},
    {"[retoken]\nmetrics = yes\n", "retoken.conf:2: metrics = yes: unknown; write on or off"},
    {"[mount /metrics]\n",
     "retoken.conf:1: [mount /metrics]: nothing is counted; add metrics = on to [retoken]"},
    {"[retoken]\nprefix = auth\n",
     "retoken.conf:2: prefix = auth: not a path prefix; write for example /auth"},
    {"[retoken]\nprefix = /auth/\n",
     "retoken.conf:2: prefix = /auth/: not a path prefix; write for example /auth"},

    /* what does not go together */
    {MOUNT "format = jwt\n",
     "retoken.conf:3: format = jwt: oauth has no such refresh tokens; write native or uuid"},
    {KOPONG "rotation = on\n",
     "retoken.conf:3: rotation = on: tokens of format jwt do not rotate; write off, or format = "
     "native"},
    {KOPONG "rotation = on\nformat = jwt\n",
     "retoken.conf:4: format = jwt: such tokens do not rotate; write native or uuid, or rotation "
     "= off"},
    {DUKTIG "format = native\nrotation = on\n",
     "retoken.conf:4: rotation = on: the answers of duktig have no place for the next refresh "
     "token; write off"},
    {MOUNT "grants = refresh passwords\n",
     "retoken.conf:3: grants = refresh passwords: unknown; write one or more of refresh, password, "
     "client, code, device and exchange"},
    {KOPONG "grants = refresh\n",
     "retoken.conf:3: grants has no effect: clients ask for no grants here; remove the line"},
    {MOUNT "remote-user = on\n",
     "retoken.conf:3: remote-user = on: unknown; write off, known or any"},
    {MOUNT "remote-user = known\n",
     "retoken.conf:3: remote-user: its answers name this server, so it needs a URL; add issuer = "
     "https://HOST"},
    {KOPONG "remote-user = known\n",
     "retoken.conf:3: remote-user has no effect: nothing here asks for a user of the web server; "
     "remove the line"},
    {"[mount /oauth/authorize]\nissuer = https://a.example\n",
     "retoken.conf:1: [mount /oauth/authorize]: it answers whom the web server has checked; add "
     "remote-user = known or any"},
    {"[realm r]\ndialect = oauth\npath.authorize = /go\n",
     "retoken.conf:3: path.authorize has no effect: add remote-user = known or any"},
    {MOUNT "principal = on\n", "retoken.conf:3: principal: a setting of kopong only"},
    {KOPONG "principal = yes\n", "retoken.conf:3: principal = yes: write on or off"},
    {DUKTIG "auth-key-sha256 = abc123756%37*53f3trR3\n",
     "retoken.conf:3: auth-key-sha256 = abc123756%37*53f3trR3: write off, or the SHA-256 of the "
     "key "
     "as 64 hexadecimal digits"},

    /* what would have no effect */
    {KOPONG "concurrency-window = 30s\n",
     "retoken.conf:3: concurrency-window has no effect: refresh tokens do not rotate here; remove "
     "the line"},
    {DUKTIG "format = native\nrecovery-window = 1d\n",
     "retoken.conf:4: recovery-window has no effect: refresh tokens do not rotate here; remove "
     "the line"},
    {KOPONG "reuse = report\n",
     "retoken.conf:3: reuse has no effect: refresh tokens do not rotate here; remove the line"},
    {MOUNT "recovery-evidence = none\n",
     "retoken.conf:3: recovery-evidence has no effect: there is no recovery window; set "
     "recovery-window or remove the line"},
    {MOUNT "recovery-window = 0\nrecovery-generations = 2\n",
     "retoken.conf:4: recovery-generations has no effect: there is no recovery window; set "
     "recovery-window or remove the line"},
    {MOUNT "absolute-lifetime = 7d\nidle-lifetime = 7d\n",
     "retoken.conf:4: idle-lifetime has no effect: sessions end before, by absolute-lifetime; "
     "write less than that, or 0"},
    {"[mount /w]\ndialect = wirecash\nrecovery-window = 7d\n",
     "retoken.conf:3: recovery-window has no effect: clients cannot prove themselves here; add "
     "recovery-evidence = none, or remove the line"},
    {MOUNT "recovery-window = 1m\n",
     "retoken.conf:3: recovery-window has no effect: the concurrency window is as long; write "
     "more than that, or 0"},
    {KOPONG "audience = api\n", "retoken.conf:3: audience has no effect: access tokens here name "
                                "no audience; remove the line"},
    {"[hook users]\n", "retoken.conf:1: [hook users]: no url; write for example url = "
                       "unix:/run/app/claims"},
    {HOOK MOUNT, "retoken.conf:1: [hook users] has no effect: write hook = users in a realm"},
    {HOOK HOOK, "retoken.conf:3: [hook users]: there is one of that name"},
    {HOOK "path = /x\n", "retoken.conf:3: path: unknown setting in [hook]"},
    {HOOK "timeout = 61s\n", "retoken.conf:3: timeout = 61s: out of range; write 1ms to 1m"},
    {HOOK "on-fault = open\n",
     "retoken.conf:3: on-fault = open: unknown; write last or refuse-503"},
    {HOOK "on-fault = refuse-503\nlast-for = 1h\n",
     "retoken.conf:4: last-for has no effect: on-fault is refuse-503; remove the line"},
    {HOOK "calls = 33\n", "retoken.conf:1: [hook users]: the calls of all hooks are 33 together, "
                          "more than half of threads = 64"},
    {"[hook users]\nurl = http://example.org/\n",
     "retoken.conf:2: url = http://example.org/: not a URL of this machine; write for example "
     "unix:/run/app/claims or http://127.0.0.1:8000/claims"},
    {MOUNT "hook = users\n",
     "retoken.conf:3: hook = users: there is no such section; add [hook NAME]"},
    {KOPONG "resources = https://a.example\n",
     "retoken.conf:3: resources has no effect: no request here asks for one; remove the line"},
    {MOUNT "access-token = at+jwt\n",
     "retoken.conf:3: access-token has no effect: access tokens here are of that type anyway; "
     "remove the line"},
    {KOPONG "access-token = at+jwt\n",
     "retoken.conf:3: access-token = at+jwt: refresh tokens of format jwt are laid out as the "
     "dialect's own access tokens; add format = native"},
    {MOUNT "scope-loss = allow\n",
     "retoken.conf:3: scope-loss has no effect: access tokens here say their scope; remove the "
     "line"},
};

/* The fault's text with the names for ISSUERS. */
static const char *expected_fault(const char *text)
{
    static char expected[1024];
    const char *names = strstr(text, ISSUERS);
    size_t size = names != NULL ? (size_t)(names - text) : strlen(text);

    assert_true(size < sizeof expected);
    memcpy(expected, text, size);
    for (size_t i = 0; i < dialects_count() && names != NULL; i++) {
        if (dialects_at(i)->policy.layout != NULL) {
            size += (size_t)snprintf(expected + size, sizeof expected - size, "%s%s",
                                     i > 0 ? ", " : "", dialects_at(i)->name);
        }
    }
    snprintf(expected + size, sizeof expected - size, "%s",
             names != NULL ? names + strlen(ISSUERS) : "");
    return expected;
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        if (load(mistakes[i].text)) {
            fail_msg("row %zu was accepted: %s", i, mistakes[i].text);
        }
        assert_string_equal(fault.text, expected_fault(mistakes[i].fault));
    }
}

static void test_bytes_that_are_no_text(void **state)
{
    static char line[3000] = "[retoken]\nissuer = ";

    (void)state;
    write_file("[retoken]\nissuer = a\0b\n", 23);
    assert_false(config_load("retoken.conf", &config, &fault));
    assert_string_equal(fault.text, "retoken.conf:2: holds a NUL byte; this is not a text file");
    memset(line + strlen(line), 'x', sizeof line - strlen(line) - 1);
    assert_false(load(line));
    assert_string_equal(fault.text, "retoken.conf:2: longer than 2048 bytes");
}

static void test_too_many_settings(void **state)
{
    static char text[4096] = "[realm s]\n";

    (void)state;
    for (int i = 0; i < 257; i++) {
        strcat(text, "x = 1\n");
    }
    assert_false(load(text));
    assert_string_equal(fault.text, "retoken.conf:258: more than 256 settings in one section");
}

static void test_too_many_mounts(void **state)
{
    static char text[16384];
    size_t size = 0;

    (void)state;
    for (int i = 0; i < CONFIG_MOUNTS_MAX + 1; i++) {
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "[mount /m%d]\ndialect = oauth\n", i);
    }
    assert_false(load(text));
    assert_string_equal(fault.text, "retoken.conf:129: more than 64 realms");
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    assert_false(config_load("none.conf", &config, &fault));
    assert_string_equal(fault.text, "none.conf: there is no such file; " CONFIG_ELSEWHERE);
    assert_false(config_load("/", &config, &fault));
    assert_string_equal(fault.text, "/: not a file");
    setenv("RETOKEN_CONFIG", "/none/retoken.conf", 1);
    assert_false(config_load(NULL, &config, &fault));
    assert_string_equal(fault.text, "/none/retoken.conf: there is no such file; " CONFIG_ELSEWHERE);
    unsetenv("RETOKEN_CONFIG");
    assert_false(config_load("none.conf", &config, NULL));
}

/* ---- what holds ---- */

static void test_without_a_file(void **state)
{
    size_t endpoints = 0;

    (void)state;
    for (size_t i = 0; i < dialects_count(); i++) {
        for (size_t j = 0; j < dialects_at(i)->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialects_at(i)->endpoints[j];

            endpoints += endpoint->needs_remote_user || endpoint->with_remote_user ||
                                 endpoint->with_metrics || endpoint->document != DOCUMENT_NONE
                             ? 0
                             : 1;
        }
    }
    assert_true(config_load(NULL, &config, &fault));
    assert_string_equal(config.file, "");
    assert_string_equal(config.data, "retoken-data");
    assert_string_equal(config.secret_file, "retoken-data/secret");
    assert_string_equal(config.store, "lmdb:retoken-data/store");
    assert_string_equal(config.store_password_file, "");
    assert_false(config.rotation_local);
    assert_string_equal(config.log_target, "");
    assert_string_equal(config.prefix, "");
    assert_int_equal(config.log_level, LOG_LEVEL_NOTICE);
    assert_false(config.https);
    assert_int_equal(config.threads, 64);
    assert_int_equal(config.body_limit, 16384);
    assert_int_equal(config.store_size, 64 << 20);
    assert_int_equal(config.store_limit, INT64_C(8) << 30);
    assert_int_equal(config.session_limit, 10000);
    assert_int_equal(config.keep_ended_ms, INT64_C(30) * CLOCK_DAY);
    assert_int_equal(config.writer_wait_ms, 5 * CLOCK_SECOND);
    assert_int_equal(config.mount_count, endpoints);
    assert_string_equal(config.mounts[0].path, "/oauth/access_token");
    assert_string_equal(config.mounts[0].realm->name, "/oauth/access_token");
    assert_string_equal(config_mount(&config, "/api/auth/refresh")->realm->name,
                        "/api/jwt/refresh");
    assert_string_equal(config_mount(&config, "/healthz")->endpoint->name, "health");
    assert_null(config_mount(&config, "/healthz/"));

    setenv("RETOKEN_HOME", "/srv/r", 1);
    assert_true(config_load(NULL, &config, &fault));
    assert_string_equal(config.secret_file, "/srv/r/secret");
    unsetenv("RETOKEN_HOME");
}

/* Whatever the environment names, and whether it can be read. */
static void test_defaults_need_no_file(void **state)
{

    (void)state;
    setenv("RETOKEN_CONFIG", "/proc/self/mem", 1);
    setenv("RETOKEN_HOME", "/dev/null", 1);
    assert_true(config_defaults(&config, &fault));
    assert_string_equal(config.file, "");
    assert_string_equal(config.data, ".");
    assert_true(config.mount_count > 0);
    unsetenv("RETOKEN_CONFIG");
    unsetenv("RETOKEN_HOME");
}

static void test_which_file(void **state)
{
    (void)state;
    write_file("[retoken]\nthreads = 3\n", 22);
    setenv("RETOKEN_HOME", directory, 1);
    assert_true(config_load(NULL, &config, &fault));
    assert_int_equal(config.threads, 3);
    assert_string_equal(config.data, directory);
    setenv("RETOKEN_HOME", "/none", 1);
    setenv("RETOKEN_CONFIG", "retoken.conf", 1);
    assert_true(config_load(NULL, &config, &fault));
    assert_int_equal(config.threads, 3);
    assert_string_equal(config.file, "retoken.conf");
    setenv("RETOKEN_CONFIG", "/none", 1);
    assert_true(config_load("retoken.conf", &config, &fault)); /* goes first */
    unsetenv("RETOKEN_CONFIG");
    unsetenv("RETOKEN_HOME");
}

static void test_every_general_setting(void **state)
{
    (void)state;
    assert_true(load("\xef\xbb\xbf# a comment\r\n"
                     "[retoken] ; another\r\n"
                     "  data = d\r\n"
                     "secret-file = /etc/retoken/secret\r\n"
                     "store=lmdb:s/t ; where\r\n"
                     "store-size = 2m\n"
                     "store-limit = 4g\n"
                     "keep-ended = 4w\n"
                     "writer-wait = 2s\n"
                     "\tlog = l/log\n"
                     "log-level = debug\n"
                     "prefix = /a.fcgi\n"
                     "threads = 64\n"
                     "body-limit = 1m\n"
                     "issuer = https://id.example/a=b:c"));
    assert_string_equal(config.data, "d");
    assert_string_equal(config.secret_file, "/etc/retoken/secret");
    assert_string_equal(config.store, "lmdb:s/t");
    assert_string_equal(store_url_directory(config.store), "s/t");
    assert_int_equal(config.store_size, 2 << 20);
    assert_int_equal(config.store_limit, INT64_C(4) << 30);
    assert_int_equal(config.keep_ended_ms, INT64_C(28) * CLOCK_DAY);
    assert_int_equal(config.writer_wait_ms, 2 * CLOCK_SECOND);
    assert_string_equal(config.log_target, "l/log");
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(config.prefix, "/a.fcgi");
    assert_int_equal(config.threads, 64);
    assert_int_equal(config.body_limit, 1 << 20);
    assert_string_equal(config_mount(&config, "/api/jwt/refresh")->realm->issuer,
                        "https://id.example/a=b:c");
}

/* What follows a host stays as it is: no path starts at the file. */
static void test_stores_behind_a_server(void **state)
{
    static const char *const urls[] = {
        "postgresql://a,b:5433/retoken?target_session_attrs=read-write&sslmode=verify-full",
        "postgresql:///retoken?host=/run/postgresql", "postgresql://me@db/retoken?passfile=/p",
        "postgresql://"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        snprintf(text, sizeof text,
                 "[retoken]\nstore-password-file = p\nstore = %s ; here\n"
                 "rotation-durability = local\n",
                 urls[i]);
        assert_true(load(text));
        assert_string_equal(config.store, urls[i]);
        assert_null(store_url_directory(config.store));
        assert_string_equal(store_url_place(config.store), urls[i]);
        assert_string_equal(config.store_password_file, "p");
        assert_true(config.rotation_local);
    }
}

static void test_quotation_marks_are_taken_off(void **state)
{
    (void)state;
    assert_true(
        load("[retoken]\nissuer = \"https://id.example\"\nlog = 'a ; b' ; c\nthreads = \"8\"\n"
             "prefix = \"\"\n[realm s]\ndialect = \"oauth\"\nidle-lifetime = '4w'\n"
             "audience = Ada's shop\n"));
    assert_string_equal(config.log_target, "a ; b");
    assert_int_equal(config.threads, 8);
    assert_string_equal(config.prefix, "");
    assert_string_equal(config.realms[0].issuer, "https://id.example");
    assert_string_equal(config.realms[0].audience, "Ada's shop");
    assert_int_equal(config.realms[0].policy.idle_lifetime_ms, INT64_C(28) * CLOCK_DAY);
}

/* A window for clients that prove themselves, and one for those that cannot. */
static void test_recovery_where_it_can_be_had(void **state)
{
    (void)state;
    loaded(MOUNT "recovery-window = 7d\n", "/oauth/token");
    loaded("[mount /w]\ndialect = wirecash\nrecovery-window = 7d\nrecovery-evidence = none\n",
           "/w");
    loaded("[realm s]\ndialect = wirecash, oauth\nrecovery-window = 7d\n", "/oauth/token");
}

/* Some servers name themselves by a word; only at+jwt asks for a URL. */
static void test_issuers_of_one_word(void **state)
{
    (void)state;
    loaded("[mount /f]\ndialect = fusionauth\nissuer = acme.com\n", "/f");
    loaded(MOUNT "issuer = http://127.0.0.1:8080/auth\n", "/oauth/token");
}

static void test_log_targets(void **state)
{
    (void)state;
    assert_true(load("[retoken]\nlog = stderr\n"));
    assert_string_equal(config.log_target, "");
    assert_true(load("[retoken]\nlog = syslog\n"));
    assert_string_equal(config.log_target, "syslog:/dev/log");
    assert_true(load("[retoken]\nlog = journal\n"));
    assert_string_equal(config.log_target, "journal:/run/systemd/journal/socket");
    assert_true(load("[retoken]\nlog = syslog:/run/log\n"));
    assert_string_equal(config.log_target, "syslog:/run/log");
    assert_true(load("[retoken]\nlog = ./syslog\n"));
    assert_string_equal(config.log_target, "./syslog");
}

static void test_paths_start_at_the_file(void **state)
{
    char path[128];

    (void)state;
    write_file("[retoken]\ndata = .\nstore = there\nlog = log\n", 43);
    snprintf(path, sizeof path, "%s/retoken.conf", directory);
    assert_true(config_load(path, &config, &fault));
    assert_string_equal(config.data, directory);
    snprintf(path, sizeof path, "%s/secret", directory);
    assert_string_equal(config.secret_file, path);
    snprintf(path, sizeof path, "%s/log", directory);
    assert_string_equal(config.log_target, path);
    snprintf(path, sizeof path, "%s/there", directory);
    assert_string_equal(store_url_directory(config.store), path);
}

static void test_metrics_are_served_where_they_are_counted(void **state)
{
    (void)state;
    loaded("[mount /oauth/token]\n", "/oauth/token");
    assert_null(config_mount(&config, "/metrics"));
    assert_false(config.metrics);
    assert_string_equal(loaded("[retoken]\nmetrics = on\n", "/metrics")->endpoint->name, "metrics");
    assert_true(config.metrics);
    loaded("[retoken]\nmetrics = on\n[mount /numbers]\ndialect = metrics\n", "/numbers");
}

static void test_every_mount_setting(void **state)
{
    const struct mount *mount;

    (void)state;
    mount = loaded("[mount   /oauth/token]\n"
                   "rotation = off\n"
                   "concurrency-window = 0\n"
                   "recovery-window = 90d\n"
                   "recovery-evidence = none\n"
                   "recovery-generations = 8\n"
                   "idle-lifetime = 1w\n"
                   "absolute-lifetime = 36500d\n"
                   "access-lifetime = 1s\n"
                   "access-jitter = on\n"
                   "reuse = report\n"
                   "format = uuid\n"
                   "algorithm = EdDSA\n"
                   "behaviour = deployed\n"
                   "realm = /shared\n"
                   "issuer =\n"
                   "audience = \xc3\xa9, two words\n"
                   "dialect = oauth\n" /* last: what stands before it holds all the same */
                   "[retoken]\nissuer = https://ignored.example\n",
                   "/oauth/token");
    assert_ptr_equal(mount->realm->dialect, &oauth_dialect);
    assert_false(mount->realm->policy.rotate);
    assert_true(mount->realm->policy.report_only);
    assert_int_equal(mount->realm->policy.concurrency_window_ms, 0);
    assert_int_equal(mount->realm->policy.recovery_window_ms, INT64_C(90) * CLOCK_DAY);
    assert_int_equal(mount->realm->policy.recovery_evidence, RECOVERY_EVIDENCE_NONE);
    assert_int_equal(mount->realm->policy.recovery_generations, 8);
    assert_int_equal(mount->realm->policy.idle_lifetime_ms, INT64_C(7) * CLOCK_DAY);
    assert_int_equal(mount->realm->policy.absolute_lifetime_ms, INT64_C(36500) * CLOCK_DAY);
    assert_int_equal(mount->realm->policy.access_lifetime_ms, CLOCK_SECOND);
    assert_true(mount->realm->policy.access_jitter);
    assert_int_equal(mount->realm->policy.format, REFRESH_FORMAT_UUID);
    assert_int_equal(mount->realm->policy.algorithm, SIGNING_EDDSA);
    assert_int_equal(mount->realm->behaviour, BEHAVIOUR_DEPLOYED);
    assert_string_equal(mount->realm->name, "/shared");
    assert_string_equal(mount->realm->issuer, ""); /* given, if empty */
    assert_string_equal(mount->realm->audience, "\xc3\xa9, two words");

    mount = loaded(KOPONG "principal = on\nrotation = on\nformat = native\n", "/k");
    assert_ptr_equal(mount->realm->policy.layout, kopong_dialect.policy.layout);
    assert_true(mount->realm->policy.rotate);
    assert_int_equal(mount->realm->policy.recovery_generations, 1);
    mount = loaded(KOPONG "access-token = at+jwt\nformat = native\n", "/k");
    assert_ptr_equal(mount->realm->policy.layout, oauth_dialect.policy.layout);
    mount = loaded(KOPONG "access-token = dialect\n", "/k");
    assert_ptr_equal(mount->realm->policy.layout, kopong_dialect.policy.layout);
    mount = loaded(MOUNT "dpop = required\ndpop-nonce = on\n", "/oauth/token");
    assert_true(mount->realm->policy.dpop_required && mount->realm->dpop_nonce);
    mount = loaded(MOUNT "client-certificates = on\ncertificate = required\n", "/oauth/token");
    assert_true(mount->realm->client_certificates && mount->realm->policy.certificate_required);
    mount = loaded(MOUNT "resources = https://a.example urn:b\n", "/oauth/token");
    assert_string_equal(mount->realm->targets, "https://a.example urn:b");
    mount = loaded(KOPONG "bearer-max-age = 1h\n", "/k");
    assert_int_equal(mount->realm->policy.bearer_max_age_ms, CLOCK_HOUR);
    mount = loaded(KOPONG "principal = off\nscope-loss = allow\n", "/k");
    assert_int_equal(mount->realm->policy.bearer_max_age_ms, INT64_C(30) * CLOCK_DAY);
    assert_ptr_not_equal(mount->realm->policy.layout, kopong_dialect.policy.layout);
    assert_true(mount->realm->policy.scope_loss);
    /* a client's own policy may turn rotation on */
    mount = loaded(MOUNT "rotation = off\nrecovery-window = 1d\n", "/oauth/token");
    assert_int_equal(mount->realm->policy.recovery_window_ms, CLOCK_DAY);
}

static void test_named_mounts_replace_the_list(void **state)
{
    (void)state;
    loaded("[mount /x]\ndialect = duktig\n", "/x");
    assert_int_equal(config.mount_count, 3);
    assert_non_null(config_mount(&config, "/.well-known/jwks.json"));
    assert_non_null(config_mount(&config, "/healthz"));
    assert_null(config_mount(&config, "/oauth/access_token"));
    assert_string_equal(config_mount(&config, "/x")->realm->issuer, "Duktig.io.iss");

    /* a path may be taken for something else, and the two may stand elsewhere too */
    loaded("[mount /healthz]\ndialect = oauth\n[mount /keys]\ndialect = jwks\n", "/keys");
    assert_int_equal(config.mount_count, 3);
    assert_string_equal(config_mount(&config, "/keys")->endpoint->name, "jwks");
    assert_ptr_equal(config_mount(&config, "/healthz")->realm->dialect, &oauth_dialect);
}

static void test_default_mount_by_its_path(void **state)
{
    (void)state;
    /* a section without any setting */
    assert_ptr_equal(loaded("[mount /auth/refresh_token]\n", "/auth/refresh_token")->realm->dialect,
                     dialects_find(TEXT("duktig")));
    const struct mount *login = loaded("[mount /login]\ndialect = kopong\n", "/login");

    assert_string_equal(login->endpoint->name, "login");
    assert_string_equal(login->realm->name, "/oauth/access_token");
    login = loaded("[mount /login]\ndialect = kopong\nendpoint = refresh\nrealm = r\n", "/login");
    assert_string_equal(login->endpoint->name, "refresh");
    assert_string_equal(login->realm->name, "r");
    assert_string_equal(loaded("[mount /api/auth/refresh]\n", "/api/auth/refresh")->realm->name,
                        "/api/jwt/refresh");
    assert_string_equal(
        loaded("[mount /api/auth/refresh]\ndialect = kopong\n", "/api/auth/refresh")->realm->name,
        "/api/auth/refresh"); /* another dialect there, another realm */
    assert_non_null(
        loaded("[mount /" LONG_60 "/token]\ndialect = oauth\nrealm = r\n", "/" LONG_60 "/token"));
}

static void test_grants(void **state)
{
    (void)state;
    assert_int_equal(
        loaded("[realm r]\ndialect = oauth\ngrants = password  refresh\n", "/oauth/token")
            ->realm->policy.grants,
        GRANT_PASSWORD | GRANT_REFRESH);
    assert_int_equal(loaded("", "/oauth/token")->realm->policy.grants, 0);
    assert_int_equal(loaded("", "/oauth2/token")->realm->policy.grants,
                     GRANT_CLIENT | GRANT_REFRESH);
}

/* What asks for a user of the web server's is there where the realm lets it. */
static void test_remote_user(void **state)
{
    const struct mount *mount;

    (void)state;
    mount = loaded("[realm r]\ndialect = oauth\nissuer = https://a.example\n"
                   "remote-user = known\npath.authorize = /go\n",
                   "/go");
    assert_string_equal(mount->endpoint->name, "authorize");
    assert_int_equal(mount->realm->remote_user, REMOTE_USER_KNOWN);
    assert_non_null(config_mount(&config, "/oauth/session"));
    loaded("[realm r]\ndialect = oauth\npath.authorize = off\n", "/oauth/token");
    assert_null(config_mount(&config, "/oauth/session"));
    assert_null(config_mount(&config, "/oauth/authorize"));
    mount = loaded("[mount /oauth/authorize]\nissuer = https://a.example\nremote-user = any\n",
                   "/oauth/authorize");
    assert_string_equal(mount->realm->name, "/oauth/token");
    loaded("", "/oauth/token");
    assert_null(config_mount(&config, "/oauth/authorize"));
    assert_null(config_mount(&config, "/oauth/device_authorization"));
}

/* The URL that devices show: of the page that has their realm's sessions. */
static void test_verification_uri(void **state)
{
    static const struct row {
        const char *text, *path, *uri;
    } rows[] = {
        {"[realm r]\ndialect = oauth\nissuer = https://a.example/r\nremote-user = known\n",
         "/oauth/device_authorization", "https://a.example/oauth/device"},
        {"[retoken]\nprefix = /sso\n[realm r]\ndialect = oauth\nissuer = https://a.example\n"
         "remote-user = known\npath.device = /go\n",
         "/oauth/device_authorization", "https://a.example/sso/go"},
        {"[realm r]\ndialect = oauth\nissuer = https://a.example\nremote-user = known\n"
         "verification-uri = https://b.example/connect\n",
         "/oauth/device_authorization", "https://b.example/connect"},
        {"[realm r]\ndialect = oauth\nissuer = https://a.example\nremote-user = known\n"
         "path.device = off\n",
         "/oauth/device_authorization", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(loaded(rows[i].text, rows[i].path)->realm->verification_uri,
                            rows[i].uri);
    }
}

/* ---- realms ---- */

static void test_realm(void **state)
{
    const struct mount *old;
    const struct mount *new;

    (void)state;
    old = loaded("[mount /other]\n"
                 "dialect = oauth\n"
                 "realm = shop\n" /* of a later line */
                 "rotation = off\n"
                 "[realm shop]\n"
                 "dialect = kopong, oauth\n"
                 "base = /v1\n"
                 "path.oauth.token = /token\n"
                 "access-lifetime = 5m\n"
                 "principal = off\n"          /* of kopong */
                 "concurrency-window = 30s\n" /* of oauth */
                 "[retoken]\nissuer = https://shop.example\n",
                 "/v1/oauth/access_token");
    new = config_mount(&config, "/token");
    assert_non_null(new);
    /* with the login, what else is asked about tokens, two documents, key set and health check */
    assert_int_equal(config.mount_count, 13);
    assert_ptr_equal(old->realm->dialect, &kopong_dialect);
    assert_ptr_equal(new->realm->dialect, &oauth_dialect);
    assert_string_equal(old->realm->name, "shop");
    assert_string_equal(new->realm->name, "shop");
    assert_int_equal(old->realm->policy.access_lifetime_ms, 5 * CLOCK_MINUTE);
    assert_int_equal(new->realm->policy.access_lifetime_ms, 5 * CLOCK_MINUTE);
    assert_ptr_not_equal(old->realm->policy.layout, kopong_dialect.policy.layout);
    assert_true(new->realm->policy.rotate);
    assert_int_equal(new->realm->policy.concurrency_window_ms, 30 * CLOCK_SECOND);
    assert_string_equal(new->realm->issuer, "https://shop.example");

    const struct mount *other = config_mount(&config, "/other");
    assert_string_equal(other->realm->name, "shop");
    assert_false(other->realm->policy.rotate);
    assert_int_equal(other->realm->policy.access_lifetime_ms, 5 * CLOCK_MINUTE);
    assert_int_equal(other->realm->policy.concurrency_window_ms, 30 * CLOCK_SECOND);
}

static void test_endpoints_of_a_realm(void **state)
{
    const struct mount *mount;

    (void)state;
    mount = loaded("[realm w]\ndialect = wirecash\npath.sandbox = off\n", "/production/token");
    assert_string_equal(mount->realm->name, "w");
    assert_int_equal(config.mount_count, 5);
    mount = loaded("[realm f]\ndialect = fusionauth\n", "/api/jwt/refresh");
    assert_ptr_equal(mount->realm, config_mount(&config, "/api/auth/refresh")->realm);
    mount = loaded("[mount /x]\ndialect = fusionauth\nendpoint = auth\n", "/x");
    assert_string_equal(mount->endpoint->name, "auth");
    assert_string_equal(mount->realm->name, "/x");
    mount = loaded("[mount /keys]\ndialect = wellknown\nendpoint = jwks\n", "/keys");
    assert_string_equal(mount->endpoint->name, "jwks");
    /* what one dialect lacks, a section of its own has */
    mount = loaded(REALM "rotation = off\n[realm s]\ndialect = kopong\n", "/oauth/access_token");
    assert_string_equal(mount->realm->name, "s");
    assert_false(config_mount(&config, "/oauth/token")->realm->policy.rotate);
}

/* Where an issuer's documents are: by its URL, whatever the paths of the realm. */
static void test_documents(void **state)
{
    static const struct row {
        const char *text, *metadata, *openid;
    } rows[] = {
        {"[retoken]\nissuer = https://a.example\n", "/.well-known/oauth-authorization-server",
         "/.well-known/openid-configuration"},
        {"[retoken]\nissuer = http://a.example:8080/\n", "/.well-known/oauth-authorization-server",
         "/.well-known/openid-configuration"},
        {"[realm r]\ndialect = oauth\nbase = /x\nissuer = https://a.example/auth\n"
         "[retoken]\nprefix = /y\n",
         "/.well-known/oauth-authorization-server/auth", "/auth/.well-known/openid-configuration"},
        {"[mount /t]\ndialect = oauth\nissuer = https://a.example/a/b/\n",
         "/.well-known/oauth-authorization-server/a/b", "/a/b/.well-known/openid-configuration"},
        {REALM "issuer = https://a.example\npath.metadata = /m\npath.openid-configuration = off\n",
         "/m", NULL},
        /* no path that a request could have */
        {REALM "issuer = https://a.example/a//b\n", NULL, NULL},
        /* another server's, and none */
        {"", NULL, NULL},
        {"[realm r]\ndialect = duktig\nissuer = https://a.example\n", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *metadata = NULL, *openid = NULL;

        assert_true(load(rows[i].text));
        for (size_t j = 0; j < config.mount_count; j++) {
            const struct mount *mount = &config.mounts[j];

            if (mount->endpoint == dialect_endpoint(&oauth_dialect, TEXT("metadata"))) {
                assert_null(metadata);
                metadata = mount->path;
                assert_int_equal(mount->is_whole_path, strcmp(mount->path, "/m") != 0);
            } else if (mount->endpoint ==
                       dialect_endpoint(&oauth_dialect, TEXT("openid-configuration"))) {
                assert_null(openid);
                openid = mount->path;
            }
        }
        assert_string_equal(metadata != NULL ? metadata : "none",
                            rows[i].metadata != NULL ? rows[i].metadata : "none");
        assert_string_equal(openid != NULL ? openid : "none",
                            rows[i].openid != NULL ? rows[i].openid : "none");
    }
}

/* Two realms of one issuer cannot both be what it says; every realm sees all mounts. */
static void test_documents_of_several_realms(void **state)
{
    const struct mount *mount;

    (void)state;
    mount = loaded("[retoken]\nissuer = https://a.example\nprefix = /p\n"
                   "[realm one]\ndialect = oauth\n"
                   "[realm two]\ndialect = oauth\nbase = /two\n"
                   "[realm three]\ndialect = oauth, koppeltaal\nbase = /three\n"
                   "issuer = https://a.example/three\n",
                   "/.well-known/oauth-authorization-server");
    assert_string_equal(mount->realm->name, "one");
    mount = config_mount(&config, "/.well-known/oauth-authorization-server/three");
    assert_string_equal(mount->realm->name, "three");
    assert_non_null(config_mount(&config, "/three/.well-known/smart-configuration"));
    assert_ptr_equal(mount->realm->mounts->all, config.mounts);
    assert_int_equal(mount->realm->mounts->count, config.mount_count);
    assert_string_equal(mount->realm->mounts->prefix, "/p");
}

/* ---- numbers with units ---- */

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1 = refused */
        const char *formatted;
    } rows[] = {
        {"0", 0, "0"},
        {"0s", 0, "0"},
        {"1s", 1000, "1s"},
        {"60s", 60000, "1m"},
        {"90s", 90000, "90s"},
        {"15m", 900000, "15m"},
        {"24h", 86400000, "1d"},
        {"30d", INT64_C(2592000000), "30d"},
        {"4w", INT64_C(2419200000), "4w"},
        {"15250284452w", INT64_C(15250284452) * 604800000, "15250284452w"},
        {"15250284453w", -1, NULL}, /* past INT64_MAX */
        {"", -1, NULL},
        {"s", -1, NULL},
        {"60", -1, NULL},
        {"1.5h", -1, NULL},
        {"+1s", -1, NULL},
        {"-1s", -1, NULL},
        {" 1s", -1, NULL},
        {"1 s", -1, NULL},
        {"1S", -1, NULL},
        {"200ms", 200, "200ms"},
        {"ms", -1, NULL},
        {"1 ms", -1, NULL},
        {"1y", -1, NULL},
        {"0x1s", -1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        char text[32];
        assert_int_equal(config_duration_parse(text_of(rows[i].text), &ms), rows[i].ms >= 0);
        assert_int_equal(ms, rows[i].ms);
        if (rows[i].ms >= 0) {
            config_duration_format(ms, text);
            assert_string_equal(text, rows[i].formatted);
        }
    }
    char text[32];
    config_duration_format(1500, text);
    assert_string_equal(text, "1500ms");
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1 = refused */
    } rows[] = {
        {"0", 0},
        {"65536", 65536},
        {"64k", 65536},
        {"1m", 1 << 20},
        {"2g", INT64_C(2) << 30},
        {"8589934591g", INT64_C(8589934591) << 30},
        {"8589934592g", -1},
        {"", -1},
        {"k", -1},
        {"64K", -1},
        {"64kb", -1},
        {"-1", -1},
        {"1.5m", -1},
        {"64 k", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t bytes = 0;
        if (config_size_parse(text_of(rows[i].text), &bytes) != (rows[i].bytes >= 0)) {
            fail_msg("%s", rows[i].text);
        }
        assert_int_equal(bytes, rows[i].bytes >= 0 ? rows[i].bytes : 0);
    }
}

static void test_webhooks(void **state)
{
    const struct webhook *webhook = &config.webhooks[0];

    (void)state;
    assert_true(load("[webhook app]\n"
                     "url = https://app.example.org/hook?tenant=1\n"
                     "events = security refreshed\n"
                     "realms = shop\n"
                     "secret-file = app.secrets\n"
                     "[realm shop]\ndialect = oauth\n"
                     "[webhook partner]\n"
                     "format = caep\nurl = http://127.0.0.1:8000/\nevents = all\n"
                     "audience = https://partner.example\nca-file = /etc/ssl/own.pem\n"
                     "[webhook old]\n"
                     "format = fusionauth\nurl = https://old.example/\nevents = flow\n"
                     "secret-file = /etc/retoken/old\n"
                     "[retoken]\noutbox-size = 500\n"));
    assert_int_equal(config.webhook_count, 3);
    assert_int_equal(config.outbox_size, 500);
    assert_string_equal(webhook->name, "app");
    assert_string_equal(webhook->url, "https://app.example.org/hook?tenant=1");
    assert_int_equal(webhook->format, WEBHOOK_FORMAT_RETOKEN);
    assert_true(webhook->kinds == (event_bit(EVENT_REUSE) | event_bit(EVENT_HOOK_REFUSED) |
                                   event_bit(EVENT_REFRESHED)));
    assert_int_equal(webhook->realm_count, 1);
    assert_string_equal(webhook->realms[0], "shop");
    assert_string_equal(webhook->secret_file, "app.secrets");
    assert_string_equal(webhook->ca_file, "");

    /* of `all`, what the format has */
    webhook = &config.webhooks[1];
    assert_int_equal(webhook->format, WEBHOOK_FORMAT_CAEP);
    assert_true(webhook->kinds == WEBHOOK_REVOCATIONS);
    assert_string_equal(webhook->audience, "https://partner.example");
    assert_string_equal(webhook->ca_file, "/etc/ssl/own.pem");
    assert_int_equal(webhook->realm_count, 0);

    webhook = &config.webhooks[2];
    assert_int_equal(webhook->format, WEBHOOK_FORMAT_DIALECT);
    assert_string_equal(webhook->dialect->name, "fusionauth");
    assert_true(webhook->kinds == event_bit(EVENT_REFRESHED));

    assert_true(load(""));
    assert_int_equal(config.webhook_count, 0);
    assert_int_equal(config.outbox_size, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhooks),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_too_many_settings),
        cmocka_unit_test(test_too_many_mounts),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_without_a_file),
        cmocka_unit_test(test_metrics_are_served_where_they_are_counted),
        cmocka_unit_test(test_defaults_need_no_file),
        cmocka_unit_test(test_which_file),
        cmocka_unit_test(test_every_general_setting),
        cmocka_unit_test(test_stores_behind_a_server),
        cmocka_unit_test(test_quotation_marks_are_taken_off),
        cmocka_unit_test(test_recovery_where_it_can_be_had),
        cmocka_unit_test(test_issuers_of_one_word),
        cmocka_unit_test(test_log_targets),
        cmocka_unit_test(test_paths_start_at_the_file),
        cmocka_unit_test(test_every_mount_setting),
        cmocka_unit_test(test_named_mounts_replace_the_list),
        cmocka_unit_test(test_default_mount_by_its_path),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_remote_user),
        cmocka_unit_test(test_verification_uri),
        cmocka_unit_test(test_realm),
        cmocka_unit_test(test_endpoints_of_a_realm),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_documents_of_several_realms),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
