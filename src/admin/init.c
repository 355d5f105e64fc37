/* SPDX-License-Identifier: ISC */
/* init.c: `retoken init`: configuration, master secret, store and signing keys, each made only
 * where it is missing. Knows what an installation needs; the defaults that it writes are the
 * program's own. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/init_next.h"
#include "admin/key_need.h"
#include "admin/prompt.h"
#include "base/whole_file.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "process/harden.h"

enum { CONFIG_TEXT_MAX = 64 * 1024 };

static bool config_path(struct call *call, char path[CONFIG_PATH_MAX]);
static enum call_end read_issuer(struct call *call, const char *path,
                                 char issuer[REALM_VALUE_MAX + 1]);
static enum call_end read_store(struct call *call, const char *path, char store[CONFIG_PATH_MAX]);
static void say_what_is_left(struct call *call, const char *path);
static bool make_config(struct call *call, const char *path, const char *store, const char *issuer,
                        struct fault *fault);
static void add_config(struct buffer *b, const char *path, const char *store, const char *issuer,
                       const struct config *config);
static const char *data_for(const char *path);
static void add_size(struct buffer *b, const char *key, uint64_t bytes);
static void add_mount(struct buffer *b, const struct mount *mount);
static void add_duration(struct buffer *b, const char *key, int64_t ms);
static bool make_tables(struct call *call, struct fault *fault);
static bool make_secret(struct call *call, struct fault *fault);
static bool make_store(struct call *call, struct fault *fault);
static bool make_keys(struct call *call, struct fault *fault);
static bool make_key(struct call *call, const struct key_need *need, struct signing_row *row,
                     struct fault *fault);
static void say_key(struct call *call, const struct signing_row *row, bool made);

enum call_end init_run(struct call *call)
{
    struct fault fault = {0};
    char path[CONFIG_PATH_MAX];
    char issuer[REALM_VALUE_MAX + 1];
    char store[CONFIG_PATH_MAX];

    if (!config_path(call, path)) {
        return call_wrong(call, "the configuration's path is longer than %d bytes",
                          CONFIG_PATH_MAX - 1);
    }
    enum call_end end = read_store(call, path, store);
    if (end == CALL_DONE) {
        end = read_issuer(call, path, issuer);
    }
    if (end != CALL_DONE) {
        return end;
    }
    if (!make_config(call, path, store, issuer, &fault)) {
        return call_fault(call, &fault);
    }
    /* root wrote the configuration; the rest is its user's who owns the data, where packages made
     * it */
    if (!config_load(path, &call->service.config, &fault) ||
        !harden_act_as_owner(call->service.config.data, &fault) ||
        !whole_file_folder(call->service.config.data, &fault) || !make_tables(call, &fault) ||
        !make_secret(call, &fault) || !make_store(call, &fault) || !make_keys(call, &fault)) {
        return call_fault(call, &fault);
    }
    say_what_is_left(call, path);
    init_next(call, path);
    return CALL_DONE;
}

/* What is allowed, but will not do. */
static void say_what_is_left(struct call *call, const char *path)
{
    const struct config *config = &call->service.config;
    struct stat about;

    if (stat(config->data, &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        output_say(&call->output, "\n%s is open to others (mode %04o): chmod 0700 %s", config->data,
                   (unsigned)(about.st_mode & 07777), config->data);
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *realm = config->mounts[i].realm;

        if (realm_issues(realm) && realm->issuer[0] == '\0' &&
            layout_needs_issuer(realm->policy.layout)) {
            output_say(
                &call->output,
                "\nThe access tokens of %s name no issuer yet: set issuer in %s to this site's "
                "URL, for example\nissuer = https://login.example.org",
                config->mounts[i].path, path);
            break;
        }
    }
}

static void say_item(struct call *call, const char *what, bool made, const char *where)
{
    output_say(&call->output, "%-13s %-13s %s", what, made ? "made" : "there already", where);
}

/* ---- the configuration ---- */

/* The file's name, as config_load finds it. */
static bool config_path(struct call *call, char path[CONFIG_PATH_MAX])
{
    const char *given = options_value(&call->options, OPTION_CONFIG);

    if (given == NULL) {
        given = getenv("RETOKEN_CONFIG");
    }
    if (given != NULL && given[0] != '\0') {
        return text_copy(text_of(given), path, CONFIG_PATH_MAX);
    }
    return config_usual_file(path);
}

/* --issuer, or what a terminal answers; "" = none. Only a new file gets it. */
static enum call_end read_issuer(struct call *call, const char *path,
                                 char issuer[REALM_VALUE_MAX + 1])
{
    const char *given = options_value(&call->options, OPTION_ISSUER);
    bool exists = access(path, F_OK) == 0;
    struct fault fault;
    size_t size = 0;

    issuer[0] = '\0';
    if (given != NULL && exists) {
        return call_refuse(call, "%s is there already: set issuer in its section [retoken]", path);
    } else if (given != NULL && !text_copy(text_of(given), issuer, REALM_VALUE_MAX + 1)) {
        return call_wrong(call, "--issuer: at most %d characters", REALM_VALUE_MAX);
    } else if (given == NULL && !exists && prompt_is_terminal()) {
        fputs("This site's URL, which access tokens name as their issuer (for example "
              "https://login.example.org; empty: later): ",
              stderr);
        if (!prompt_line("-", issuer, REALM_VALUE_MAX + 1, &size, &fault)) {
            issuer[0] = '\0';
        }
    }
    return (given == NULL && issuer[0] == '\0') || config_is_issuer_url(text_of(issuer))
               ? CALL_DONE
               : call_wrong(call,
                            "the issuer %.80s is no URL; write for example "
                            "https://login.example.org",
                            issuer);
}

/* --store; "" = in the directory of the data. */
static enum call_end read_store(struct call *call, const char *path, char store[CONFIG_PATH_MAX])
{
    const char *given = options_value(&call->options, OPTION_STORE);
    const char *wrong;

    store[0] = '\0';
    if (given == NULL) {
        return CALL_DONE;
    } else if (access(path, F_OK) == 0) {
        return call_refuse(call, "%s is there already: set store in its section [retoken]", path);
    }
    return store_url_complete(given, store, CONFIG_PATH_MAX, &wrong) == STORE_URL_GOOD
               ? CALL_DONE
               : call_wrong(call, "--store: %s", wrong);
}

static bool make_config(struct call *call, const char *path, const char *store, const char *issuer,
                        struct fault *fault)
{
    char directory[CONFIG_PATH_MAX];
    enum whole_file_result result;
    struct buffer b;
    struct text t;

    if (access(path, F_OK) == 0) {
        say_item(call, "configuration", false, path);
        return true;
    }
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL && slash != directory) {
        *slash = '\0';
        if (!whole_file_folder(directory, fault)) {
            return false;
        }
    }
    if (!config_defaults(&call->service.config, fault)) {
        return false;
    }
    buffer_start(&b, call->arena, CONFIG_TEXT_MAX);
    add_config(&b, path, store, issuer, &call->service.config);
    if (!buffer_finish(&b, &t)) {
        fault_set(fault, "out of memory");
        return false;
    }
    /* it holds no secret, and under /etc the web server's user has to read it */
    result = whole_file_create(path, t, 0644, fault);
    if (result == WHOLE_FILE_FAULT) {
        return false;
    }
    say_item(call, "configuration", result == WHOLE_FILE_DONE, path);
    return true;
}

/* The defaults, commented out: so the file says what holds, and a later default still reaches it.
 */
static void add_config(struct buffer *b, const char *path, const char *store, const char *issuer,
                       const struct config *config)
{
    const char *data = data_for(path);
    const char *slash = strcmp(data, ".") == 0 ? "" : "/";
    const char *in_data = slash[0] != '\0' ? data : "";

    static const char *const levels[] = {"error", "notice", "info", "debug"};

    buffer_add_c(b, "# Retoken's configuration; see retoken.conf(5).\n"
                    "# A line that is commented out shows the default. Durations: 90s, 15m, 12h, "
                    "30d, 4w; 0 is never or none.\n"
                    "# Sizes: 64k, 64m, 4g. Relative paths start at this file's directory.\n\n"
                    "[retoken]\n");
    buffer_addf(b, "data = %s\n", data);
    buffer_addf(b, "# secret-file = %s%ssecret\n", in_data, slash);
    if (store[0] != '\0' && store_url_directory(store) == NULL) {
        buffer_addf(b,
                    "store = %s\n"
                    "# store-password-file =      ; mode 0600\n"
                    "# rotation-durability = quorum\n",
                    store);
    } else {
        buffer_addf(b, "%sstore = %s%s%s\n", store[0] != '\0' ? "" : "# ",
                    store[0] != '\0' ? "" : in_data, store[0] != '\0' ? "" : slash,
                    store[0] != '\0' ? store : "store");
        add_size(b, "store-size", config->store_size);
        add_size(b, "store-limit", config->store_limit);
    }
    add_duration(b, "keep-ended", config->keep_ended_ms);
    buffer_addf(b, "# sessions-per-account = %" PRIu64 "\n", config->session_limit);
    add_duration(b, "writer-wait", config->writer_wait_ms);
    buffer_addf(b,
                "# log = stderr     ; or a file, syslog or journal\n"
                "# log-level = %s\n"
                "# metrics = off    ; on: count, and serve /metrics to Prometheus\n"
                "# prefix =         ; of the URL path, dropped before mounts are matched\n"
                "# https = server\n"
                "# trailing-slash = on\n"
                "# threads = %" PRIu64 "\n",
                levels[config->log_level], config->threads);
    add_size(b, "body-limit", config->body_limit);
    buffer_addf(b, "%sissuer = %s\n", issuer[0] != '\0' ? "" : "# ",
                issuer[0] != '\0' ? issuer : "        ; this site's URL, which access tokens name");
    buffer_add_c(
        b, "\n# Without [realm] and [mount] sections every endpoint of every dialect is at its own "
           "path, as\n"
           "# shown below. With one or more, only what they name exists, and the key set and "
           "the health\n"
           "# check. Several dialects of one realm, with commas between them, share its "
           "sessions. Example:\n#\n");
    buffer_addf(b,
                "#   [realm shop]\n"
                "#   dialect = %s\n"
                "#   base = /shop\n"
                "#   access-lifetime = 15m\n",
                dialects_name(0));
    for (size_t i = 0; i < config->mount_count; i++) {
        add_mount(b, &config->mounts[i]);
    }
}

/* Where store and secret go. /etc is for what people write, and others may read it. */
static const char *data_for(const char *path)
{
    return strncmp(path, "/etc/", 5) == 0 ? "/var/lib/retoken" : ".";
}

static void add_size(struct buffer *b, const char *key, uint64_t bytes)
{
    static const char *const units[] = {"", "k", "m", "g"};
    size_t unit = 0;

    while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    buffer_addf(b, "# %s = %" PRIu64 "%s\n", key, bytes, units[unit]);
}

static void add_mount(struct buffer *b, const struct mount *mount)
{
    const struct policy *policy = &mount->realm->policy;

    buffer_addf(b, "\n# [mount %s]\n", mount->path);
    if (!realm_issues(mount->realm)) {
        buffer_addf(b, "# dialect = %s\n", mount->endpoint->name);
        return;
    }
    buffer_addf(b, "# dialect = %s\n# behaviour = %s\n# realm = %s\n", mount->realm->dialect->name,
                mount->realm->behaviour == BEHAVIOUR_DEPLOYED ? "deployed" : "documented",
                mount->realm->name);
    buffer_addf(b, "# rotation = %s\n", policy->rotate ? "on" : "off");
    if (policy->rotate) {
        add_duration(b, "concurrency-window", policy->concurrency_window_ms);
        add_duration(b, "recovery-window", policy->recovery_window_ms);
        buffer_addf(b, "# reuse = %s\n", policy->report_only ? "report" : "revoke");
    }
    add_duration(b, "idle-lifetime", policy->idle_lifetime_ms);
    add_duration(b, "absolute-lifetime", policy->absolute_lifetime_ms);
    add_duration(b, "access-lifetime", policy->access_lifetime_ms);
    buffer_addf(b, "# format = %s\n# algorithm = %s\n", policy_format_name(policy->format),
                signing_algorithm_name(policy->algorithm));
    if (mount->realm->issuer[0] != '\0') {
        buffer_addf(b, "# issuer = %s\n", mount->realm->issuer);
    }
    if (policy->layout->says_audience) {
        buffer_addf(b, "# audience =%s%s\n", mount->realm->audience[0] != '\0' ? " " : "",
                    mount->realm->audience);
    }
    if (policy->bearer_max_age_ms != 0) {
        add_duration(b, "bearer-max-age", policy->bearer_max_age_ms);
    }
    if (!policy->layout->says_scope) {
        buffer_addf(b, "# scope-loss = %s\n", policy->scope_loss ? "allow" : "refuse");
    }
    for (const struct dialect_setting *setting = mount->realm->dialect->settings;
         setting != NULL && setting->name != NULL; setting++) {
        buffer_addf(b, "# %s = %s\n", setting->name, setting->usual);
    }
}

static void add_duration(struct buffer *b, const char *key, int64_t ms)
{
    char text[32];

    config_duration_format(ms, text);
    buffer_addf(b, "# %s = %s\n", key, text);
}

/* ---- secret, store, keys ---- */

static void say_made(void *self, const char *what, bool made, const char *name)
{
    say_item(self, what, made, name);
}

/* By another role of the store's server than the responder's. */
static bool make_tables(struct call *call, struct fault *fault)
{
    const char *owner = options_value(&call->options, OPTION_OWNER);
    char url[STORE_URL_MAX];
    const char *wrong;

    if (owner == NULL) {
        return true;
    } else if (store_url_complete(owner, url, sizeof url, &wrong) != STORE_URL_GOOD) {
        fault_set(fault, "--owner: %s", wrong);
        return false;
    }
    return service_make(&call->service.config, url, say_made, call, fault) == STORE_OK;
}

static bool make_secret(struct call *call, struct fault *fault)
{
    const char *path = call->service.config.secret_file;

    if (access(path, F_OK) == 0) {
        say_item(call, "secret", false, path);
        return true;
    } else if (call->service.config.secret_passed) {
        return service_is_installed(&call->service.config, fault);
    }
    switch (service_look(&call->service.config, fault)) {
    case STORE_OK: /* under the secret that is missing */
        return service_is_installed(&call->service.config, fault);
    case STORE_ABSENT:
        break;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return false;
    }
    bool made = secrets_file_create(path, &call->randomness, fault);
    if (!made && access(path, F_OK) != 0) {
        return false;
    }
    say_item(call, "secret", made, path); /* another `retoken init` may have been quicker */
    return true;
}

static bool make_store(struct call *call, struct fault *fault)
{
    enum store_result there = service_look(&call->service.config, fault);

    if (there == STORE_FAULT || !service_open(&call->service, true, false, fault)) {
        return false;
    }
    call->opened = true;
    say_item(call, "store", there == STORE_ABSENT, store_url_place(call->service.config.store));
    return true;
}

static bool make_keys(struct call *call, struct fault *fault)
{
    struct key_need needs[CONFIG_MOUNTS_MAX];
    bool said[KEY_NEED_ROWS_MAX + CONFIG_MOUNTS_MAX] = {false};
    size_t need_count = key_need_list(&call->service.config, needs);
    struct signing_row *rows =
        arena_alloc(call->arena, (KEY_NEED_ROWS_MAX + need_count) * sizeof *rows);
    size_t count = 0;

    if (rows == NULL) {
        fault_set(fault, "out of memory");
        return false;
    }
    if (store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, &count, fault) !=
        STORE_OK) {
        return false;
    }
    for (size_t i = 0; i < need_count; i++) {
        const struct key_need *need = &needs[i];
        const struct signing_row *signer =
            key_need_signer(rows, count, need->algorithm, need->realm, NULL);
        bool made = signer == NULL;

        if (made) {
            if (!make_key(call, need, &rows[count], fault)) {
                return false;
            }
            signer = &rows[count++];
        }
        if (!said[signer - rows]) {
            said[signer - rows] = true;
            say_key(call, signer, made);
        }
    }
    return true;
}

/* Makes the key that is missing: one that signs for all realms, but a shared secret for its own. */
static bool make_key(struct call *call, const struct key_need *need, struct signing_row *row,
                     struct fault *fault)
{
    char note[EVENT_NOTE_MAX + 1];
    struct store_write write;
    struct signing_key *key = signing_key_generate(need->algorithm, NULL, &call->randomness, fault);

    *row = (struct signing_row){.state = SIGNING_ACTIVE, .created_ms = call->now_ms};
    bool made = key != NULL &&
                text_copy(text_of(need->bound ? need->realm : ""), row->realm, sizeof row->realm) &&
                signing_key_seal(key, &call->service.secrets, &call->randomness, row, fault);
    signing_key_close(key);
    snprintf(note, sizeof note, "%s added by init", row->kid);
    store_prepare_key_add(&write, row);
    call_attach(call, &write, EVENT_KEY, 0, NULL, "added", note);
    return made && store_write(call->service.store, &write, fault) == STORE_OK;
}

static void say_key(struct call *call, const struct signing_row *row, bool made)
{
    char what[32];

    snprintf(what, sizeof what, "key %s", signing_algorithm_name(row->algorithm));
    say_item(call, what, made, row->realm[0] != '\0' ? row->realm : "for all realms");
}
