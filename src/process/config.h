/* SPDX-License-Identifier: ISC */
/* config.h: the settings of a process, from a file or from none. Every wrong line is a fault that
 * names file, line and what would be right. Knows the dialects' tables; does not know what any
 * dialect does. */
#ifndef RETOKEN_PROCESS_CONFIG_H
#define RETOKEN_PROCESS_CONFIG_H

#include "base/fault.h"
#include "base/log.h"
#include "model/mount.h"
#include "model/webhook.h"
#include "operation/password_kind.h"

enum {
    CONFIG_REALMS_MAX = WEBHOOK_REALMS_MAX,
    CONFIG_MOUNTS_MAX = 64,
    CONFIG_WEBHOOKS_MAX = 16,
    CONFIG_HOOKS_MAX = 8,
    CONFIG_DIALECTS_MAX = 16
};
enum { CONFIG_PATH_MAX = 1024, CONFIG_THREADS_MAX = 256 };

/* Defaults that also hold while no configuration can be read. */
enum {
    CONFIG_THREADS = 64,
    CONFIG_BODY_LIMIT = 16 * 1024 /* the largest assertion, the largest refresh token and a scope */
};

/* Where the configuration of a program of the system is, as packages install it. */
#define CONFIG_SYSTEM_FOLDER "/etc/retoken"
#define CONFIG_SYSTEM        CONFIG_SYSTEM_FOLDER "/retoken.conf"

/* Where systemd keeps what it passes to our service. */
#define CONFIG_CREDENTIALS "/run/credentials/retoken.service"

/* What to do where nothing is: most likely it is in another place. */
#define CONFIG_ELSEWHERE                                                                           \
    "set RETOKEN_HOME or name the configuration with -c (a new one: `retoken init`)"

struct config {
    char file[CONFIG_PATH_MAX];                /* "" = no file, all defaults */
    char data[CONFIG_PATH_MAX];                /* directory of the store and the secret */
    char secret_file[CONFIG_PATH_MAX];         /* DATA/secret */
    bool secret_passed;                        /* by the supervisor, and not an ordinary file */
    char store[CONFIG_PATH_MAX];               /* a URL of store/store.h */
    char store_password_file[CONFIG_PATH_MAX]; /* "" = none */
    bool rotation_local;                       /* rotations of derived tokens wait for no standby */
    uint64_t store_size;                       /* first map size, bytes */
    uint64_t store_limit;                      /* 8 GiB; 0 = none */
    int64_t keep_ended_ms;                     /* 30 days */
    uint64_t session_limit;                    /* 10,000 of an account; 0 = none */
    int64_t writer_wait_ms;                    /* 5 s */
    char log_target[CONFIG_PATH_MAX];          /* of log_open */
    enum log_level log_level;
    bool metrics;                    /* count, and serve /metrics */
    char prefix[MOUNT_PATH_MAX + 1]; /* stripped from the URL path before mounts are matched */
    bool https;                      /* clients come by https, whatever the web server sees */
    bool trailing_slash;  /* one slash more or less at a path's end names the same mount */
    uint64_t threads;     /* at most, of a FastCGI responder, however started */
    uint64_t body_limit;  /* 16 KiB */
    uint64_t outbox_size; /* events that wait for one webhook, at most; 100,000 */
    struct password_method password_method; /* of new hashes; yescrypt */
    struct mounts all_mounts;               /* `mounts`, as realms see them */
    size_t hook_count, dialect_count, realm_count, mount_count, webhook_count;

    /* 400 KB; only what the counts say is set. */
    struct hook_settings hooks[CONFIG_HOOKS_MAX];        /* realms point into it */
    const struct dialect *dialects[CONFIG_DIALECTS_MAX]; /* of its own files */
    struct realm realms[CONFIG_REALMS_MAX]; /* mounts point into it: a config is not copied */
    struct mount mounts[CONFIG_MOUNTS_MAX];
    struct webhook webhooks[CONFIG_WEBHOOKS_MAX];
};

/* Which file: `file` when not NULL; else $RETOKEN_CONFIG; else $RETOKEN_HOME/retoken.conf, where
 * RETOKEN_HOME defaults to ./retoken-data; the last one may be absent, then defaults hold with data
 * in that directory. Without RETOKEN_HOME and that directory: CONFIG_SYSTEM, if its folder is
 * there. Relative paths inside a file start at its folder. A file that others can write to, or that
 * belongs to another user, is refused. False with *fault. */
bool config_load(const char *file, struct config *config, struct fault *fault);

/* What holds where a file says nothing, with data in the current directory; the environment is not
 * asked. False with *fault. */
bool config_defaults(struct config *config, struct fault *fault);

/* The path of that file when none is named: as config_load finds it. False: too long. */
bool config_usual_file(char path[CONFIG_PATH_MAX]);

/* The mount with exactly this path, or NULL. */
const struct mount *config_mount(const struct config *config, const char *path);

/* Is it an absolute http or https URL, without query and fragment (RFC 8414 section 2)? */
bool config_is_issuer_url(struct text value);

/* Durations: a number and ms, s, m, h, d, w; or 0. Sizes: a number and k, m, g. For tests. */
bool config_duration_parse(struct text t, int64_t *ms);
bool config_size_parse(struct text t, uint64_t *bytes);
/* "30d", "90s": the largest unit that divides it. */
void config_duration_format(int64_t ms, char out[32]);

#endif
