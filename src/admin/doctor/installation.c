/* SPDX-License-Identifier: ISC */
/* installation.c: what an installation is made of: configuration, log, folder, disk, secret. Knows
 * the file system; does not know what is in the store. */
#include "admin/doctor/doctor.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log_socket.h"
#include "base/secret.h"
#include "process/confine.h"

static void check_log(struct examination *e, const char *target);
static void check_confinement(struct examination *e);
static bool check_data(struct examination *e, const char *path);
static void check_owner(struct examination *e, const char *path);
static const char *user_name(uid_t uid, char room[64]);
static void check_file_system(struct examination *e, const char *path);
static void check_space(struct examination *e, const char *path);
static void check_metrics(struct examination *e, const struct config *config);
static bool check_secret(struct examination *e, const struct config *config);

void doctor_settings_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;

    doctor_config_file_examine(e);
    check_log(e, config->log_target);
    check_confinement(e);
}

void doctor_config_file_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;

    if (config->file[0] == '\0') {
        doctor_report(e, "configuration", HEALTH_WARN,
                      "no file, all defaults; `retoken init` writes one to edit");
    } else {
        doctor_report(e, "configuration", HEALTH_OK, "%s, %zu mounts", config->file,
                      config->mount_count);
    }
}

bool doctor_files_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;
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

    return data && secret;
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
