/* SPDX-License-Identifier: ISC */
/* config_checks.c: what does not go together in a realm, and what has no effect there. Knows which
 * setting needs which; does not know any dialect by name. */
#include "process/config_reader.h"

#include "dialect/described.h"
#include "store/store.h"

static bool check_issuer(struct config_reader *reader, size_t realm);
static bool check_format(struct config_reader *reader, size_t realm);
static bool check_company(struct config_reader *reader, size_t realm);
static bool check_pages(struct config_reader *reader, size_t realm);
static bool check_idle(struct config_reader *reader, size_t realm, size_t row);
static bool never_rotates(const struct realm *realm);
static bool has_no_recovery(const struct realm *realm);
static bool has_no_evidence(const struct realm *realm);
static bool recovers_nothing_more(const struct realm *realm);
static bool ends_before_idle(const struct realm *realm);
static bool says_no_audience(const struct realm *realm);
static bool says_no_targets(const struct realm *realm);
static bool says_no_key(const struct realm *realm);
static bool looks_at_no_certificate(const struct realm *realm);
static bool has_at_jwt(const struct realm *realm);
static bool loses_no_scope(const struct realm *realm);
static bool takes_no_bearer(const struct realm *realm);
static bool adopts_nothing(const struct realm *realm);
static bool asks_for_no_user(const struct realm *realm);
static bool gives_no_grants(const struct realm *realm);
static bool check_remote_user(struct config_reader *reader, size_t realm);

#define ADOPT_ADVICE "nothing is adopted here; add adopt = on, or remove the line"

/* Settings that may have no effect, and what to do then. */
static const struct {
    const char *name;
    bool (*is_idle)(const struct realm *realm);
    const char *advice;
} idle_settings[] = {
    {"concurrency-window", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"recovery-window", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"recovery-window", has_no_evidence,
     "clients cannot prove themselves here; add recovery-evidence = none, or remove the line"},
    {"recovery-window", recovers_nothing_more,
     "the concurrency window is as long; write more than that, or 0"},
    {"reuse", never_rotates, "refresh tokens do not rotate here; remove the line"},
    {"recovery-evidence", has_no_recovery,
     "there is no recovery window; set recovery-window or remove the line"},
    {"recovery-generations", has_no_recovery,
     "there is no recovery window; set recovery-window or remove the line"},
    {"idle-lifetime", ends_before_idle,
     "sessions end before, by absolute-lifetime; write less than that, or 0"},
    {"audience", says_no_audience, "access tokens here name no audience; remove the line"},
    {"resources", says_no_targets, "no request here asks for one; remove the line"},
    {"dpop-nonce", says_no_key, "no request here proves a key; remove the line"},
    {"dpop", says_no_key, "no request here proves a key; remove the line"},
    {"client-certificates", says_no_key, "no request here proves a key; remove the line"},
    {"certificate", looks_at_no_certificate,
     "no certificate is looked at here; add client-certificates = on, or remove the line"},
    {"access-token", has_at_jwt, "access tokens here are of that type anyway; remove the line"},
    {"bearer-max-age", takes_no_bearer,
     "no one logs in with an access token here; remove the line"},
    {"remote-user", asks_for_no_user,
     "nothing here asks for a user of the web server; remove the line"},
    {"grants", gives_no_grants, "clients ask for no grants here; remove the line"},
    {"adopt-accounts", adopts_nothing, ADOPT_ADVICE},
    {"adopt-until", adopts_nothing, ADOPT_ADVICE},
    {"adopt-issuer", adopts_nothing, ADOPT_ADVICE},
    {"adopt-audience", adopts_nothing, ADOPT_ADVICE},
    {"adopt-claim", adopts_nothing, ADOPT_ADVICE},
    {"scope-loss", loses_no_scope, "access tokens here say their scope; remove the line"},
};

enum { IDLE_SETTINGS = sizeof idle_settings / sizeof idle_settings[0] };

bool config_check_realm(struct config_reader *reader, size_t realm)
{
    if (!check_issuer(reader, realm) || !check_format(reader, realm) ||
        !check_company(reader, realm) || !check_pages(reader, realm) ||
        !check_remote_user(reader, realm)) {
        return false;
    }
    for (size_t i = 0; i < IDLE_SETTINGS; i++) {
        if (!check_idle(reader, realm, i)) {
            return false;
        }
    }
    return true;
}

bool config_check_store(struct config_reader *reader)
{
    static const struct {
        const char *name;
        bool of_directory;
        const char *advice;
    } rows[] = {
        {"store-size", true, "the store is behind a server; remove the line"},
        {"store-limit", true, "the store is behind a server; remove the line"},
        {"store-password-file", false, "the store is a directory; remove the line"},
        {"rotation-durability", false, "the store is a directory; remove the line"},
    };
    bool is_directory = store_url_directory(reader->config->store) != NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned line = config_general_line(reader, rows[i].name);

        if (line != 0 && rows[i].of_directory != is_directory) {
            return config_complain(reader, line, "%s has no effect: %s", rows[i].name,
                                   rows[i].advice);
        }
    }
    return true;
}

/* RFC 9068 section 2.2, RFC 8414 section 2: verifiers look for the keys under it. */
static bool check_issuer(struct config_reader *reader, size_t i)
{
    const struct realm *realm = &reader->config->realms[i];
    unsigned own = config_realm_line(reader, i, "issuer");

    return realm->issuer[0] == '\0' || !layout_needs_issuer(realm->policy.layout) ||
           config_is_issuer_url(text_of(realm->issuer)) ||
           config_complain(reader, own != 0 ? own : config_general_line(reader, "issuer"),
                           "issuer = %.80s: not a URL; write for example "
                           "https://login.example.org",
                           realm->issuer);
}

bool config_is_issuer_url(struct text value)
{
    struct text rest = text_starts(value, TEXT("https://"))  ? text_from(value, 8)
                       : text_starts(value, TEXT("http://")) ? text_from(value, 7)
                                                             : (struct text){0};

    return rest.size > 0 && text_find(TEXT("/@:"), rest.data[0]) == 3 &&
           text_find(rest, '?') == rest.size && text_find(rest, '#') == rest.size &&
           text_is_visible_ascii(value);
}

static bool check_format(struct config_reader *reader, size_t i)
{
    const struct realm *realm = &reader->config->realms[i];
    const struct policy *policy = &realm->policy;
    unsigned format = config_realm_line(reader, i, "format");
    unsigned rotation = config_realm_line(reader, i, "rotation");

    if (policy->format == REFRESH_FORMAT_JWT && format == 0 && realm->at_jwt) {
        return config_complain(reader, config_realm_line(reader, i, "access-token"),
                               "access-token = at+jwt: refresh tokens of format jwt are laid out "
                               "as the dialect's own access tokens; add format = native");
    } else if (policy->format == REFRESH_FORMAT_JWT && !layout_has_refresh(policy->layout)) {
        return config_complain(reader, format,
                               "format = jwt: %s has no such refresh tokens; write native or uuid",
                               realm->dialect->name);
    } else if (policy->rotate && policy->keeps_token) {
        return config_complain(reader, rotation,
                               "rotation = on: the answers of %s have no place for the next "
                               "refresh token; write off",
                               realm->dialect->name);
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT && format != 0) {
        return config_complain(reader, format,
                               "format = jwt: such tokens do not rotate; write native or uuid, or "
                               "rotation = off");
    } else if (policy->rotate && policy->format == REFRESH_FORMAT_JWT) {
        return config_complain(reader, rotation,
                               "rotation = on: tokens of format jwt do not rotate; write off, or "
                               "format = native");
    }
    return true;
}

/* Does no access token come of what is asked here? */
static bool issues_nothing(const struct operation *operation)
{
    static const struct operation *const others[] = {
        &operation_logout,     &operation_verify,       &operation_validate, &operation_introspect,
        &operation_check,      &operation_own_sessions, &operation_revoke,   &operation_key_set,
        &operation_public_key, &operation_metadata};
    bool found = false;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        found = found || operation == others[i];
    }
    return found;
}

static bool may_issue(const struct endpoint *endpoint)
{
    const struct described *described = endpoint->described;
    bool issues = described == NULL && !issues_nothing(endpoint->operation);

    for (size_t i = 0; described != NULL && i < described->count; i++) {
        issues = issues || !issues_nothing(described->requests[i].operation);
    }
    return issues;
}

/* Where access tokens renew their sessions, those of another dialect, which are good for minutes,
 * would be good for as long as that. */
static bool check_company(struct config_reader *reader, size_t i)
{
    const struct config *config = reader->config;
    const struct realm *realm = &config->realms[i];

    for (size_t j = 0; j < config->mount_count && realm->policy.by_access_token; j++) {
        const struct mount *mount = &config->mounts[j];

        if (mount->realm->dialect != realm->dialect && may_issue(mount->endpoint) &&
            text_equal(text_of(mount->realm->name), text_of(realm->name))) {
            return config_complain(reader, reader->mounts[j],
                                   "%s: it issues access tokens in the realm %s, where %s renews "
                                   "sessions with theirs; give it a realm of its own",
                                   mount->path, realm->name, realm->dialect->name);
        }
    }
    return true;
}

/* What pages may ask, and with which cookies. */
static bool check_pages(struct config_reader *reader, size_t i)
{
    const struct realm *realm = &reader->config->realms[i];
    const struct dialect *dialect = realm->dialect;
    const char *wrong = dialect->check != NULL ? dialect->check(realm) : NULL;
    unsigned line = config_realm_line(reader, i, "allow-origins");
    bool cookies = false;

    for (size_t j = 0; j < dialect->endpoint_count; j++) {
        cookies = cookies || dialect->endpoints[j].cookies;
    }
    if (wrong != NULL) {
        return config_complain(reader, reader->realms[i].section, "%s", wrong);
    }
    return !cookies || !text_is(text_of(realm->origins), "*") ||
           config_complain(
               reader, line != 0 ? line : config_general_line(reader, "allow-origins"),
               "allow-origins = *: %s sets cookies, which any page could then use; name "
               "the origins",
               dialect->name);
}

/* RFC 9207: an authorization answer says whose it is, or a client with several servers may be led
 * to send one's code to another. */
static bool check_remote_user(struct config_reader *reader, size_t i)
{
    const struct realm *realm = &reader->config->realms[i];

    return realm->remote_user == REMOTE_USER_OFF || asks_for_no_user(realm) ||
           config_is_issuer_url(text_of(realm->issuer)) ||
           config_complain(reader, config_realm_line(reader, i, "remote-user"),
                           "remote-user: its answers name this server, so it needs a URL; add "
                           "issuer = https://HOST");
}

/* A line may be for several dialects: it is enough that it has an effect on one. */
static bool check_idle(struct config_reader *reader, size_t realm, size_t row)
{
    const struct config *config = reader->config;
    const char *name = idle_settings[row].name;
    unsigned line = config_realm_line(reader, realm, name);
    bool idle = line != 0;

    for (size_t i = 0; i < config->realm_count && idle; i++) {
        idle = config_realm_line(reader, i, name) != line ||
               idle_settings[row].is_idle(&config->realms[i]);
    }
    return !idle ||
           config_complain(reader, line, "%s has no effect: %s", name, idle_settings[row].advice);
}

/* Not even for a client with a policy of its own. */
static bool never_rotates(const struct realm *realm)
{
    return !policy_can_rotate(&realm->policy);
}

static bool has_no_recovery(const struct realm *realm)
{
    return never_rotates(realm) || realm->policy.recovery_window_ms == 0;
}

static bool has_no_evidence(const struct realm *realm)
{
    return realm->policy.recovery_window_ms != 0 &&
           realm->policy.recovery_evidence == RECOVERY_EVIDENCE_CLIENT &&
           !realm->dialect->proves_clients;
}

static bool recovers_nothing_more(const struct realm *realm)
{
    return realm->policy.recovery_window_ms != 0 &&
           realm->policy.recovery_window_ms <= realm->policy.concurrency_window_ms;
}

static bool ends_before_idle(const struct realm *realm)
{
    return realm->policy.absolute_lifetime_ms != 0 &&
           realm->policy.idle_lifetime_ms >= realm->policy.absolute_lifetime_ms;
}

static bool says_no_audience(const struct realm *realm)
{
    return !realm->policy.layout->says_audience;
}

/* Those whose own tokens can say several are those that are asked for them. */
static bool says_no_targets(const struct realm *realm)
{
    return !realm->dialect->policy.layout->says_targets || !realm->dialect->proves_clients;
}

static bool says_no_key(const struct realm *realm)
{
    return !realm->dialect->policy.layout->says_key || !realm->dialect->proves_clients;
}

static bool looks_at_no_certificate(const struct realm *realm)
{
    return !realm->client_certificates;
}

static bool has_at_jwt(const struct realm *realm)
{
    return layout_needs_issuer(realm->dialect->policy.layout);
}

static bool loses_no_scope(const struct realm *realm)
{
    return realm->policy.layout->says_scope;
}

static bool adopts_nothing(const struct realm *realm)
{
    return !realm->adoption.on;
}

static bool takes_no_bearer(const struct realm *realm)
{
    return realm->dialect->policy.bearer_max_age_ms == 0;
}

static bool asks_for_no_user(const struct realm *realm)
{
    const struct dialect *dialect = realm->dialect;
    bool asks = false;

    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        asks = asks || dialect->endpoints[i].needs_remote_user;
    }
    return !asks;
}

static bool gives_no_grants(const struct realm *realm)
{
    return !realm->dialect->proves_clients;
}
