/* SPDX-License-Identifier: ISC */
/* doctor.c: `retoken doctor`: everything that has to be right, one line each, with what would be
 * right. Goes on after a FAIL as far as the rest can be checked. Changes nothing. */
#include "admin/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "admin/adopted.h"
#include "admin/client_key.h"
#include "admin/key_need.h"
#include "admin/notify_secrets.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "base/log_socket.h"
#include "base/secret.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "http/client.h"
#include "model/client_refusal.h"
#include "operation/jwt_claims.h"
#include "operation/operation.h"
#include "process/confine.h"
#include "token/signing_key.h"

static const struct column columns[] = {
    {"check", "check", COLUMN_TEXT, false},
    {"state", "state", COLUMN_TEXT, false},
    {"detail", "detail", COLUMN_TEXT, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], DETAIL_MAX = 1600 };

static void examine(struct examination *e);
static void examine_site(struct examination *e, const char *url);
static void check_open_store(struct examination *e);
static void check_confinement(struct examination *e);
static void check_config_file(struct examination *e, const struct config *config);
static void check_log(struct examination *e, const char *target);
static void check_mounts(struct examination *e);
static bool is_first_of_realm(const struct config *config, size_t mount);
static void check_unmounted(struct examination *e);
static bool is_mounted(const struct config *config, const struct endpoint *endpoint);
static bool needs_a_setting(const struct endpoint *endpoint);
static const char *remark_on(const struct config *config, const struct mount *mount);
static bool is_described_as_another(const struct config *config, const struct realm *realm);
static bool is_renewed(const struct config *config, const struct realm *realm);
static bool check_data(struct examination *e, const char *path);
static bool check_secret(struct examination *e, const struct config *config);
static void check_owner(struct examination *e, const char *path);
static const char *user_name(uid_t uid, char room[64]);
static void check_file_system(struct examination *e, const char *path);
static void check_space(struct examination *e, const char *path);
static void check_metrics(struct examination *e, const struct config *config);
static void check_remarks(struct examination *e);
static void check_keys(struct examination *e);
static void check_adoptions(struct examination *e);
static void check_adoption(struct examination *e, const struct realm *realm,
                           const struct signing_row *key);
static void check_assertions(struct examination *e);
static void check_certificates(struct examination *e);
static void report_signer(struct examination *e, const char *check, const struct key_need *need,
                          const struct signing_row *rows, size_t count,
                          const struct signing_row *signer);
static void check_secret_key(struct examination *e, const struct signing_row *row);
static void check_dates(struct examination *e, const struct signing_row *row,
                        const struct signing_row *rows, size_t count);
static void check_clients(struct examination *e);
static struct text not_rotating(struct call *call, const struct client *client);
static void check_history(struct examination *e);
static void check_webhooks(struct examination *e);
static void check_webhook(struct examination *e, const struct webhook *webhook);
static void check_clock(struct examination *e, bool has_store);
static bool newest_record(struct call *call, int64_t *at_ms, struct fault *fault);

enum call_end doctor_run(struct call *call)
{
    const char *url = options_value(&call->options, OPTION_URL);
    struct examination e = {.call = call};

    if (url == NULL && options_has(&call->options, OPTION_CA_FILE)) {
        return call_wrong(call, "--ca-file goes with --url");
    }
    output_table_start(&call->output, columns, COLUMNS);
    if (url != NULL) {
        examine_site(&e, url);
    } else {
        examine(&e);
    }
    output_table_end(&call->output, "");
    return e.worst == HEALTH_FAIL ? CALL_FAULT : CALL_DONE;
}

/* The responder's, which runs on the same kernel. */
static void check_confinement(struct examination *e)
{
    const char *wish = getenv("RETOKEN_CONFINE");
    struct confinement offer = confine_offer();

    if (wish != NULL && wish[0] != '\0') {
        doctor_report(e, "confinement", HEALTH_WARN,
                      "RETOKEN_CONFINE=%.20s: a responder does less than it could", wish);
    } else if (!offer.calls || !offer.files) {
        doctor_report(e, "confinement", HEALTH_OK,
                      "%s; a newer kernel confines the responder to system calls and files",
                      confine_words(offer));
    } else {
        doctor_report(e, "confinement", HEALTH_OK, "%s", confine_words(offer));
    }
}

/* From any machine: without a configuration the mounts are those that there are without one. */
static void examine_site(struct examination *e, const char *url)
{
    struct config *config = &e->call->service.config;
    struct fault fault = {0};

    if (!config_load(options_value(&e->call->options, OPTION_CONFIG), config, &fault)) {
        doctor_report(e, "configuration", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    check_config_file(e, config);
    doctor_site_examine(e, url);
}

static void examine(struct examination *e)
{
    struct call *call = e->call;
    struct config *config = &call->service.config;
    struct fault fault = {0};

    if (!config_load(options_value(&call->options, OPTION_CONFIG), config, &fault)) {
        doctor_report(e, "configuration", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    check_config_file(e, config);
    check_log(e, config->log_target);
    check_confinement(e);
    doctor_processes_examine(e);
    check_mounts(e);
    if (!service_is_installed(config, &fault)) {
        doctor_report(e, "installation", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    bool data = check_data(e, config->data);
    if (access(config->data, F_OK) == 0) {
        check_owner(e, config->data);
        if (store_url_directory(config->store) != NULL) {
            check_file_system(e, config->data);
            check_space(e, config->data);
        }
        check_metrics(e, config);
    }
    bool secret = check_secret(e, config);
    if (data && secret) {
        check_open_store(e);
    } else {
        doctor_report(e, "store", HEALTH_FAIL, "not checked until the above is right");
    }
}

static void check_open_store(struct examination *e)
{
    struct call *call = e->call;
    struct fault fault = {0};

    if (service_look(&call->service.config, &fault) != STORE_OK ||
        !service_open(&call->service, false, true, &fault)) {
        doctor_report(e, "store", HEALTH_FAIL, "%s", fault.text);
        check_clock(e, false);
        return;
    }
    call->opened = true;
    doctor_report(e, "store", HEALTH_OK, "%s opens with this secret", call->service.config.store);
    check_remarks(e);
    doctor_secret_examine(e);
    doctor_ended_examine(e);
    check_keys(e);
    check_adoptions(e);
    check_assertions(e);
    check_certificates(e);
    check_clients(e);
    check_history(e);
    check_webhooks(e);
    check_clock(e, true);
}

enum health doctor_report(struct examination *e, const char *check, enum health health,
                          const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    char detail[DETAIL_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    const struct cell cells[COLUMNS] = {
        CELL_TEXT(text_of(check)), CELL_TEXT(text_of(words[health])), CELL_TEXT(text_of(detail))};
    output_row(&e->call->output, cells);
    e->worst = health > e->worst ? health : e->worst;
    return health;
}

/* ---- configuration and files ---- */

static void check_config_file(struct examination *e, const struct config *config)
{
    if (config->file[0] == '\0') {
        doctor_report(e, "configuration", HEALTH_WARN,
                      "no file, all defaults; `retoken init` writes one to edit");
    } else {
        doctor_report(e, "configuration", HEALTH_OK, "%s, %zu mounts", config->file,
                      config->mount_count);
    }
}

/* A file is the responder's, which may be another user. */
static void check_log(struct examination *e, const char *target)
{
    const char *error;

    if (log_socket_is_one(text_of(target))) {
        error = log_socket_answers(text_of(target)) ? NULL : strerror(errno);
        doctor_report(e, "log", error != NULL ? HEALTH_WARN : HEALTH_OK, "%s%s%s", target,
                      error != NULL ? ": no daemon listens there, so lines go to standard error: "
                                    : "",
                      error != NULL ? error : "");
    }
}

static void check_mounts(struct examination *e)
{
    const struct config *config = &e->call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        const char *remark = remark_on(config, mount);
        const char *kind =
            realm_issues(mount->realm) ? mount->realm->dialect->name : mount->endpoint->name;

        if (is_first_of_realm(config, i) && realm_issues(mount->realm) &&
            mount->realm->issuer[0] == '\0' && layout_needs_issuer(mount->realm->policy.layout)) {
            doctor_report(
                e, "mount", HEALTH_FAIL,
                "%s: %s; its access tokens name no issuer, and verifiers refuse them: set issuer "
                "to this site's URL",
                mount->path, kind);
            continue;
        }
        doctor_report(e, "mount", remark != NULL ? HEALTH_WARN : HEALTH_OK, "%s: %s%s%s",
                      mount->path, kind, remark != NULL ? "; " : "", remark != NULL ? remark : "");
    }
    check_unmounted(e);
}

/* What is to be said of a realm's issuer is said at the first of its mounts that has it. */
static bool is_first_of_realm(const struct config *config, size_t mount)
{
    const struct realm *realm = config->mounts[mount].realm;

    for (size_t i = 0; i < mount; i++) {
        const struct realm *before = config->mounts[i].realm;

        if (strcmp(before->name, realm->name) == 0 && strcmp(before->issuer, realm->issuer) == 0) {
            return false;
        }
    }
    return true;
}

/* One [realm] or [mount] section is enough, and all others are gone. */
static void check_unmounted(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct buffer b;
    struct text paths;

    buffer_start(&b, e->call->arena, 256);
    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *dialect = dialects_at(i);

        for (size_t j = 0; dialect != NULL && j < dialect->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialect->endpoints[j];

            if (!is_mounted(config, endpoint) && !needs_a_setting(endpoint)) {
                buffer_addf(&b, "%s%s", b.size > 0 ? ", " : "", endpoint->path);
            }
        }
    }
    if (b.size > 0 && buffer_finish(&b, &paths)) {
        doctor_report(e, "not mounted", HEALTH_OK,
                      "%.*s: with a [realm] or [mount] section only what sections name is served",
                      TEXT_ARGS(paths));
    }
}

static bool is_mounted(const struct config *config, const struct endpoint *endpoint)
{
    size_t i = 0;

    while (i < config->mount_count && config->mounts[i].endpoint != endpoint) {
        i++;
    }
    return i < config->mount_count;
}

/* Is it missing for another reason than sections? */
static bool needs_a_setting(const struct endpoint *endpoint)
{
    return endpoint->needs_remote_user || endpoint->with_remote_user || endpoint->with_metrics ||
           endpoint->document != DOCUMENT_NONE;
}

/* What is allowed but seldom intended; NULL: nothing. */
static const char *remark_on(const struct config *config, const struct mount *mount)
{
    const struct policy *policy = &mount->realm->policy;

    if (!realm_issues(mount->realm)) {
        return NULL;
    } else if (policy->rotate && policy->concurrency_window_ms < 30 * CLOCK_SECOND) {
        return "clients that repeat a lost request are logged out: raise concurrency-window above "
               "30s";
    } else if (mount->endpoint->operation == &operation_login &&
               !is_renewed(config, mount->realm)) {
        return "no mount renews the sessions that begin here: give it the realm of a refresh";
    } else if (mount->endpoint->operation == &operation_refresh &&
               is_described_as_another(config, mount->realm)) {
        return "clients that look its issuer up find another realm: give it an issuer of its own";
    }
    return mount->realm->dialect->advise != NULL ? mount->realm->dialect->advise(mount) : NULL;
}

/* Are there documents of its issuer, and are they of another realm of its dialect? */
static bool is_described_as_another(const struct config *config, const struct realm *realm)
{
    bool described = false;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *other = config->mounts[i].realm;

        if (config->mounts[i].endpoint->document == DOCUMENT_NONE ||
            other->dialect != realm->dialect || strcmp(other->issuer, realm->issuer) != 0) {
            continue;
        } else if (strcmp(other->name, realm->name) == 0) {
            return false;
        }
        described = true;
    }
    return described;
}

static bool is_renewed(const struct config *config, const struct realm *realm)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        if (config->mounts[i].endpoint->operation == &operation_refresh &&
            strcmp(config->mounts[i].realm->name, realm->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Owner and mode of the directory, which is for this user alone. */
static bool check_data(struct examination *e, const char *path)
{
    struct stat st;
    char owner[64];
    char self[64];

    if (stat(path, &st) != 0) {
        doctor_report(e, "data", HEALTH_FAIL, "%s: %s", path, strerror(errno));
    } else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        doctor_report(e, "data", HEALTH_FAIL, "%s is open to others (mode %04o): chmod 0700 %s",
                      path, (unsigned)(st.st_mode & 07777), path);
    } else if (st.st_uid != geteuid()) {
        doctor_report(
            e, "data", HEALTH_FAIL, "%s belongs to %s, and this is %s: run `retoken` as %s", path,
            user_name(st.st_uid, owner), user_name(geteuid(), self), user_name(st.st_uid, owner));
    } else {
        doctor_report(e, "data", HEALTH_OK, "%s, mode %04o", path, (unsigned)(st.st_mode & 07777));
        return true;
    }
    return false;
}

/* By the rules of the responder, which follows a symbolic link: containers mount secrets as such.
 */
static bool check_secret(struct examination *e, const struct config *config)
{
    struct secrets_file file;
    struct fault fault;
    bool good = secrets_file_read(config->secret_file, config->secret_passed, &file, &fault);

    secret_wipe(&file, sizeof file);
    doctor_report(e, "secret", good ? HEALTH_OK : HEALTH_FAIL, "%s",
                  good ? config->secret_file : fault.text);
    return good;
}

/* The responder runs as the web server's user and must own what it writes. */
static void check_owner(struct examination *e, const char *path)
{
    struct stat st;
    char owner[64];

    if (stat(path, &st) != 0) {
        return;
    }
    user_name(st.st_uid, owner);
    if (st.st_uid == 0) {
        doctor_report(e, "owner", HEALTH_WARN,
                      "%s belongs to root: right only if the responder runs as root; else "
                      "chown -R www-data %s (or the web server's user)",
                      path, path);
        return;
    }
    doctor_report(e, "owner", HEALTH_OK, "%s; the web server must run the responder as this user",
                  owner);
}

static const char *user_name(uid_t uid, char room[64])
{
    const struct passwd *user = getpwuid(uid);

    snprintf(room, 64, "%s", user != NULL ? user->pw_name : "?");
    if (user == NULL) {
        snprintf(room, 64, "user %u", (unsigned)uid);
    }
    return room;
}

/* ---- where the store is ---- */

static void check_file_system(struct examination *e, const char *path)
{
    /* linux/magic.h has no single list of what is remote; these are statfs(2)'s */
    static const struct {
        unsigned long magic;
        const char *name;
    } remote[] = {{0x6969, "NFS"},      {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
                  {0x517b, "SMB"},      {0x01021997, "9p"},   {0x5346414f, "AFS"},
                  {0x65735546, "FUSE"}, {0x00c36400, "Ceph"}, {0x73757245, "Coda"}};
    struct statfs fs;
    if (statfs(path, &fs) != 0) {
        doctor_report(e, "file system", HEALTH_FAIL, "%s: %s", path, strerror(errno));
        return;
    }
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
        if (((unsigned long)fs.f_type & 0xffffffffUL) == remote[i].magic) {
            doctor_report(
                e, "file system", HEALTH_FAIL,
                "%s is on %s, where locks between machines cannot be relied on: move `data` to "
                "a local disk",
                path, remote[i].name);
            return;
        }
    }
    doctor_report(e, "file system", HEALTH_OK, "local");
}

static void check_space(struct examination *e, const char *path)
{
    enum { LOW = 64 * 1024 * 1024, TOO_LOW = 8 * 1024 * 1024 };
    struct statvfs fs;
    char room[OUTPUT_TIME_SIZE];
    if (statvfs(path, &fs) != 0) {
        doctor_report(e, "disk space", HEALTH_FAIL, "%s: %s", path, strerror(errno));
        return;
    }
    uint64_t room_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    output_size(room_bytes > INT64_MAX ? INT64_MAX : (int64_t)room_bytes, room);
    if ((fs.f_flag & ST_RDONLY) != 0) {
        doctor_report(e, "disk space", HEALTH_FAIL, "%s is mounted read-only", path);
    } else if (room_bytes < TOO_LOW) {
        doctor_report(e, "disk space", HEALTH_FAIL, "%s free: make room, or refreshes fail", room);
    } else if (room_bytes < LOW) {
        doctor_report(e, "disk space", HEALTH_WARN, "%s free; 64 MiB let the store grow", room);
    } else {
        doctor_report(e, "disk space", HEALTH_OK, "%s free", room);
    }
}

/* ---- what is in the store ---- */

static void check_metrics(struct examination *e, const struct config *config)
{
    char path[CONFIG_PATH_MAX];
    struct fault fault = {0};

    if (!config->metrics) {
        return;
    } else if (!service_metrics_path(config, path) || !metrics_look(path, &fault)) {
        doctor_report(e, "metrics", HEALTH_WARN, "%s: each process counts by itself",
                      fault.text[0] != '\0' ? fault.text : "the path is too long");
    } else {
        doctor_report(e, "metrics", HEALTH_OK, "counted in %s", path);
    }
}

static void check_remarks(struct examination *e)
{
    struct store_remark remarks[STORE_REMARKS_MAX];
    struct fault fault = {0};
    size_t count = 0;

    if (store_remarks(e->call->service.store, remarks, &count, &fault) != STORE_OK) {
        doctor_report(e, "store", HEALTH_FAIL, "%s", fault.text);
    }
    for (size_t i = 0; i < count; i++) {
        doctor_report(e, remarks[i].subject, remarks[i].warn ? HEALTH_WARN : HEALTH_OK, "%s",
                      remarks[i].text);
    }
}

/* RFC 9700 section 4.14: the tokens of a client that proves nothing rotate, or are bound. */
static void check_clients(struct examination *e)
{
    struct call *call = e->call;
    struct client *client = arena_alloc(call->arena, sizeof *client);
    struct fault fault = {"out of memory"};
    char after[CLIENT_ID_MAX + 1] = "";
    enum store_result result = client != NULL ? STORE_OK : STORE_FAULT;
    size_t count = 1;

    while (result == STORE_OK && count == 1) {
        result = store_client_list(call->service.store, after[0] != '\0' ? after : NULL, client, 1,
                                   &count, &fault);
        if (result == STORE_OK && count == 1) {
            struct text paths = not_rotating(call, client);

            if (client->enabled && !client_is_confidential(client) && paths.size > 0) {
                doctor_report(e, "client", HEALTH_WARN,
                              "%s is public, and a stolen token of its is never noticed where none "
                              "rotates (%.*s): give it a secret or a key, or its sessions an "
                              "absolute-lifetime",
                              client->id, TEXT_ARGS(paths));
            }
            memcpy(after, client->id, sizeof after);
        }
    }
    if (result != STORE_OK) {
        doctor_report(e, "client", HEALTH_FAIL, "%s", fault.text);
    }
}

/* The mounts where this client's tokens live for ever and stay the same. */
static struct text not_rotating(struct call *call, const struct client *client)
{
    const struct config *config = &call->service.config;
    struct policy policy;
    struct buffer b;

    buffer_start(&b, call->arena, 256);
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        policy_effective(&mount->realm->policy, client, &policy);
        if (realm_issues(mount->realm) && !policy.rotate && policy.absolute_lifetime_ms == 0) {
            buffer_addf(&b, "%s%s", buffer_text(&b).size > 0 ? " " : "", mount->path);
        }
    }
    return buffer_text(&b);
}

static void check_keys(struct examination *e)
{
    struct call *call = e->call;
    struct key_need needs[CONFIG_MOUNTS_MAX];
    size_t need_count = key_need_list(&call->service.config, needs);
    struct signing_row *rows = arena_alloc(call->arena, KEY_NEED_ROWS_MAX * sizeof *rows);
    struct fault fault = {"out of memory"};
    size_t count = 0;

    if (rows == NULL || store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, &count,
                                       &fault) != STORE_OK) {
        doctor_report(e, "keys", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    for (size_t i = 0; i < need_count; i++) {
        const char *algorithm = signing_algorithm_name(needs[i].algorithm);
        const struct signing_row *signer =
            key_need_signer(rows, count, needs[i].algorithm, needs[i].realm, NULL);
        char check[32];

        snprintf(check, sizeof check, "key %s", algorithm);
        if (signer == NULL) {
            doctor_report(e, check, HEALTH_FAIL, "%s has no active key: `retoken init` makes one",
                          needs[i].path);
        } else {
            report_signer(e, check, &needs[i], rows, count, signer);
        }
    }
    for (size_t i = 0; i < count; i++) {
        check_secret_key(e, &rows[i]);
        check_dates(e, &rows[i], rows, count);
    }
}

/* Lifetimes may have grown since its end was planned, or the next one may sign later than that. */
static void check_dates(struct examination *e, const struct signing_row *row,
                        const struct signing_row *rows, size_t count)
{
    const struct signing_row *next = NULL;
    char check[32], at[OUTPUT_TIME_SIZE], until[OUTPUT_TIME_SIZE];
    struct fault fault = {0};
    int64_t keep_ms = 0;

    for (size_t i = 0; i < count && row->state == SIGNING_ACTIVE && row->retires_ms != 0; i++) {
        if (rows[i].number > row->number && signing_is_in_place_of(&rows[i], row) &&
            !signing_state_is_retired(rows[i].state) && next == NULL) {
            next = &rows[i];
        }
    }
    snprintf(check, sizeof check, "key %s", signing_algorithm_name(row->algorithm));
    if (next == NULL) {
        return;
    } else if (!verbs_key_keep_ms(e->call, row, &keep_ms, &fault)) {
        doctor_report(e, check, HEALTH_FAIL, "%s: %s", row->kid, fault.text);
        return;
    }
    output_time(next->activates_ms, at);
    output_time(row->retires_ms, until);
    if (next->activates_ms == 0 || row->retires_ms - next->activates_ms < keep_ms) {
        doctor_report(
            e, check, HEALTH_WARN,
            "%s goes out of use at %s, and tokens that it signs may live longer: `retoken "
            "key activate %s` takes the date away; retire it later",
            row->kid, until, row->kid);
        return;
    }
    doctor_report(e, check, HEALTH_OK, "%s takes the place of %s at %s, which verifies until %s",
                  next->kid, row->kid, at, until);
}

/* Until caches of the key set have it, its tokens are refused where the key before it was known. */
static void report_signer(struct examination *e, const char *check, const struct key_need *need,
                          const struct signing_row *rows, size_t count,
                          const struct signing_row *signer)
{
    int64_t ready_ms = signer->created_ms + SIGNING_KEY_SET_MAX_AGE * (int64_t)CLOCK_SECOND;
    char at[OUTPUT_TIME_SIZE];

    if (e->call->now_ms < ready_ms && signer->algorithm != SIGNING_HS256 &&
        key_need_signer(rows, count, need->algorithm, need->realm, signer->kid) != NULL) {
        output_time(ready_ms, at);
        doctor_report(e, check, HEALTH_WARN,
                      "%s: %s signs already, and caches may keep the key set without it until %s",
                      need->path, signer->kid, at);
        return;
    }
    doctor_report(e, check, HEALTH_OK, "%s: %s", need->path, signer->kid);
}

static void check_secret_key(struct examination *e, const struct signing_row *row)
{
    struct fault fault = {0};

    if (row->algorithm != SIGNING_HS256 || row->state == SIGNING_RETIRED ||
        signing_state_is_foreign(row->state)) {
        return;
    }
    struct signing_key *key = signing_key_unseal(row, &e->call->service.secrets, &fault);
    if (key == NULL) {
        doctor_report(e, "key HS256", HEALTH_FAIL, "%s: %s", row->kid, fault.text);
    } else if (signing_key_is_weak(key, &fault)) {
        doctor_report(
            e, "key HS256", HEALTH_FAIL,
            "%s: %s: `retoken key add --algorithm HS256 --activate`, then `retoken key retire "
            "%s`",
            row->kid, fault.text, row->kid);
    }
    signing_key_close(key);
}

/* Who knows such a key can log in as anyone, so it goes when it has done its work. */
static void check_adoptions(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {0};
    const struct keyring *keyring = issuer_keyring_now(&e->call->service.issuer, &fault);

    for (size_t i = 0; i < config->realm_count && keyring != NULL; i++) {
        if (config->realms[i].adoption.on) {
            check_adoption(e, &config->realms[i],
                           keyring_adopter(keyring, config->realms[i].name, 0));
        }
    }
    if (keyring == NULL) {
        doctor_report(e, "adopting", HEALTH_FAIL, "%s", fault.text);
    }
}

/* `key`: the first of the keys of other servers that it verifies with; NULL = none. */
static void check_adoption(struct examination *e, const struct realm *realm,
                           const struct signing_row *key)
{
    int64_t until_ms = realm->adoption.until_ms;
    char until[OUTPUT_TIME_SIZE], last[OUTPUT_TIME_SIZE];
    char so_far[128] = "no session so far";
    struct adopted adopted;
    struct fault fault = {0};

    output_time(until_ms, until);
    if (!adopted_count(e->call, realm->name, &adopted, &fault)) {
        doctor_report(e, "adopting", HEALTH_FAIL, "%s: %s", realm->name, fault.text);
        return;
    } else if (adopted.count > 0) {
        output_time(adopted.last_ms, last);
        snprintf(so_far, sizeof so_far, "%" PRIu64 " session%s so far, the last at %s",
                 adopted.count, adopted.count == 1 ? "" : "s", last);
    }
    if (until_ms != 0 && until_ms <= e->call->now_ms && key == NULL) {
        doctor_report(e, "adopting", HEALTH_OK, "%s: over since %s; %s", realm->name, until,
                      so_far);
    } else if (until_ms != 0 && until_ms <= e->call->now_ms) {
        doctor_report(e, "adopting", HEALTH_WARN, "%s: over since %s: `retoken key retire %s`",
                      realm->name, until, key->kid);
    } else if (key == NULL) {
        doctor_report(e, "adopting", HEALTH_WARN,
                      "%s: nothing, without a key: `retoken key import --verify-only`",
                      realm->name);
    } else if (until_ms == 0) {
        doctor_report(
            e, "adopting", HEALTH_WARN,
            "%s: with %s for ever; %s: set adopt-until to when the last old token expires",
            realm->name, key->kid, so_far);
    } else {
        doctor_report(e, "adopting", HEALTH_OK, "%s: with %s until %s; %s", realm->name, key->kid,
                      until, so_far);
    }
}

/* A client that has something of `what`, in `id`; "" = none. */
static bool find_client(struct call *call,
                        struct text (*what)(struct arena *arena, const struct client *client),
                        char id[CLIENT_ID_MAX + 1], struct fault *fault)
{
    enum { PAGE = 16, ROW_LIMIT = 1 << 20 };
    struct client *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct arena *of_row = arena_open(ROW_LIMIT);
    bool found = false;
    size_t count = PAGE;

    id[0] = '\0';
    while (rows != NULL && of_row != NULL && count == PAGE && !found) {
        if (store_client_list(call->service.store, id[0] != '\0' ? id : NULL, rows, PAGE, &count,
                              fault) != STORE_OK) {
            break;
        }
        for (size_t i = 0; i < count && !found; i++) {
            memcpy(id, rows[i].id, sizeof rows[i].id);
            found = what(of_row, &rows[i]).size > 0;
            arena_reset(of_row);
        }
    }
    arena_close(of_row);
    return found;
}

/* A client that signs assertions needs a mount with a name that they can be for. */
static void check_assertions(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {""};
    char id[CLIENT_ID_MAX + 1];

    if (!find_client(e->call, client_key_ids, id, &fault)) {
        return;
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *realm = config->mounts[i].realm;

        if (is_first_of_realm(config, i) && realm_issues(realm) && realm->dialect->proves_clients &&
            !jwt_claims_has_issuer(realm)) {
            doctor_report(e, "assertions", HEALTH_WARN,
                          "%s takes none, and client %s signs them: set issuer to this site's URL",
                          config->mounts[i].path, id);
        }
    }
}

/* A client that proves itself by a certificate needs a realm that looks at those. */
static void check_certificates(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {""};
    char id[CLIENT_ID_MAX + 1];
    bool looked_at = false;

    for (size_t i = 0; i < config->mount_count; i++) {
        looked_at = looked_at || config->mounts[i].realm->client_certificates;
    }
    if (!looked_at && (find_client(e->call, client_key_thumbprints, id, &fault) ||
                       find_client(e->call, client_key_certificate_name, id, &fault))) {
        doctor_report(e, "certificates", HEALTH_WARN,
                      "client %s proves itself by one, and no realm looks at them: set "
                      "client-certificates = on",
                      id);
    }
}

static bool wants_certificate(const struct event *event)
{
    return strcmp(event->cause, client_refusal_word(CLIENT_REFUSED_NO_CERTIFICATE)) == 0 ||
           strcmp(event->cause, client_refusal_word(CLIENT_REFUSED_CERTIFICATE_MALFORMED)) == 0;
}

/* Tokens newer than their sessions, which only a store that has lost history sees. */
static void check_history(struct examination *e)
{
    enum { EVENTS = 1000 };
    struct call *call = e->call;
    struct event *rows = arena_alloc(call->arena, EVENTS * sizeof *rows);
    int64_t since_ms = call->now_ms - 7 * (int64_t)CLOCK_DAY;
    struct fault fault = {"out of memory"};
    size_t count = 0;
    size_t rolled = 0, restored = 0, guessed = 0, untold = 0;

    if (rows == NULL ||
        store_event_list(call->service.store, NULL, 0, rows, EVENTS, &count, &fault) != STORE_OK) {
        doctor_report(e, "history", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        rolled += rows[i].kind == EVENT_ROLLED_FORWARD && rows[i].at_ms >= since_ms;
        restored += rows[i].kind == EVENT_RESTORED && rows[i].at_ms >= since_ms;
        if ((rows[i].kind == EVENT_GUESSED || rows[i].kind == EVENT_LOCKED) &&
            (rows[i].at_ms >= since_ms || rows[i].last_ms >= since_ms)) {
            guessed += 1 + rows[i].repeats;
        }
        if (rows[i].kind == EVENT_CLIENT_REFUSED && wants_certificate(&rows[i]) &&
            (rows[i].at_ms >= since_ms || rows[i].last_ms >= since_ms)) {
            untold += 1 + rows[i].repeats;
        }
    }
    if (untold > 0) {
        doctor_report(e, "certificates", HEALTH_WARN,
                      "%zu times in the last 7 days a client was refused because no certificate of "
                      "its connection came, or none that can be read (`retoken events`): does the "
                      "web server ask for one, and pass SSL_CLIENT_CERT?",
                      untold);
    }
    if (guessed > 0) {
        doctor_report(
            e, "guesses", HEALTH_WARN,
            "passwords or secrets were guessed at: %zu times five wrong ones in a row, or a "
            "hundred in a day, in the last 7 days (`retoken events`); `retoken account unlock` "
            "and `retoken client unlock` let the next try pass",
            guessed);
    }
    if (rolled > 0) {
        doctor_report(
            e, "history", HEALTH_WARN,
            "the store had lost renewals: %zu sessions were rolled forward in the last 7 days "
            "(`retoken events`)%s",
            rolled,
            restored > 0 ? ", after an older copy was put back"
                         : "; was a backup restored, or does the disk lose what it has "
                           "confirmed?");
    } else if (restored > 0) {
        doctor_report(e, "history", HEALTH_OK, "an older copy was put back in the last 7 days");
    } else {
        doctor_report(e, "history", HEALTH_OK, "no session was rolled forward in the last 7 days");
    }
}

/* ---- webhooks ---- */

static void check_webhooks(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct http_client *client = NULL;
    struct fault fault;

    if (config->webhook_count == 0) {
        return;
    }
    client = http_client_open(0, &fault);
    if (client == NULL) {
        doctor_report(e, "webhooks", HEALTH_FAIL, "%s", fault.text);
    }
    http_client_close(client);
    for (size_t i = 0; i < config->webhook_count; i++) {
        check_webhook(e, &config->webhooks[i]);
    }
}

static void check_webhook(struct examination *e, const struct webhook *webhook)
{
    struct store_delivery_stat stat;
    struct notify_secrets secrets = {0};
    int64_t now_ms = e->call->now_ms;
    char oldest[OUTPUT_TIME_SIZE];
    struct fault fault;

    if (webhook->secret_file[0] != '\0' &&
        !notify_secrets_read(webhook->secret_file, &secrets, &fault)) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s: nothing is sent: %s", webhook->name,
                      fault.text);
    }
    secret_wipe(&secrets, sizeof secrets);
    if (webhook->ca_file[0] != '\0' && access(webhook->ca_file, R_OK) != 0) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s: ca-file %s: %s", webhook->name,
                      webhook->ca_file, strerror(errno));
    }
    if (store_delivery_stat(e->call->service.store, webhook->name, &stat, &fault) != STORE_OK) {
        doctor_report(e, "webhook", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    uint64_t waiting = stat.waiting + stat.leased + stat.delayed;
    output_span(stat.oldest_ms > 0 ? now_ms - stat.oldest_ms : 0, oldest);
    if (stat.dropped > 0) {
        doctor_report(e, "webhook", HEALTH_WARN,
                      "%s: %" PRIu64 " events were dropped, because more than %" PRIu64
                      " waited (outbox-size): is `retoken notify` running?",
                      webhook->name, stat.dropped, stat.most);
    }
    if (stat.dead > 0) {
        doctor_report(e, "webhook", HEALTH_WARN,
                      "%s: %" PRIu64 " were not taken for three days: `retoken events dead`",
                      webhook->name, stat.dead);
    }
    doctor_report(e, "webhook",
                  waiting > 0 && now_ms - stat.oldest_ms > CLOCK_HOUR ? HEALTH_WARN : HEALTH_OK,
                  "%s: %" PRIu64 " wait%s%s%s", webhook->name, waiting,
                  waiting > 0 ? ", the oldest for " : "", waiting > 0 ? oldest : "",
                  waiting > 0 && now_ms - stat.oldest_ms > CLOCK_HOUR
                      ? ": is `retoken notify` running, and does the receiver answer?"
                      : "");
}

static void check_clock(struct examination *e, bool has_store)
{
    struct call *call = e->call;
    struct fault fault = {0};
    int64_t newest = 0;
    char now[OUTPUT_TIME_SIZE];
    char then[OUTPUT_TIME_SIZE];

    output_time(call->now_ms, now);
    if (has_store && !newest_record(call, &newest, &fault)) {
        doctor_report(e, "clock", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    output_time(newest, then);
    if (call->now_ms < SERVICE_WRITTEN_MS) {
        doctor_report(e, "clock", HEALTH_FAIL,
                      "%s is before this program was written: set the clock", now);
    } else if (newest > call->now_ms + CLOCK_MINUTE) {
        doctor_report(e, "clock", HEALTH_FAIL,
                      "%s, but the store has a record of %s: set the clock", now, then);
    } else {
        doctor_report(e, "clock", HEALTH_OK, "%s", now);
    }
}

/* The newest time the store has seen, as far as two cheap looks tell. */
static bool newest_record(struct call *call, int64_t *at_ms, struct fault *fault)
{
    struct event event;
    struct session session;
    uint8_t now_id[SESSION_ID_SIZE];
    uint8_t ms[8];
    size_t count = 0;

    *at_ms = 0;
    if (store_event_list(call->service.store, NULL, 0, &event, 1, &count, fault) != STORE_OK) {
        return false;
    }
    if (count == 1) {
        *at_ms = event.at_ms;
    }
    /* ids begin with their time, so a session after the id of now comes from the future */
    codec_put_u64(ms, (uint64_t)call->now_ms + CLOCK_MINUTE);
    memset(now_id, 0xff, sizeof now_id);
    memcpy(now_id, ms + 2, 6);
    if (store_session_list(call->service.store, 0, now_id, &session, 1, &count, fault) !=
        STORE_OK) {
        return false;
    }
    if (count == 1 && session.created_ms > *at_ms) {
        *at_ms = session.created_ms;
    }
    return true;
}
