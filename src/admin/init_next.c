/* SPDX-License-Identifier: ISC */
/* init_next.c: how `retoken init` ends: with the commands to type next, as this machine has them.
 * Knows where packages, `make install` and the static archive put things; does not know what they
 * do. */
#include "admin/init_next.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/program.h"

static bool has_account(struct call *call);
static void say_server(struct call *call);

/* The program as it was called, with -c where that is needed to find this installation. */
static const char *program(struct call *call, const char *path, char room[2 * CONFIG_PATH_MAX])
{
    bool named = options_has(&call->options, OPTION_CONFIG);

    snprintf(room, 2 * CONFIG_PATH_MAX, "%s%s%s", program_invocation_name, named ? " -c " : "",
             named ? path : "");
    return room;
}

void init_next(struct call *call, const char *path)
{
    const char *issuer = "https://…";
    char words[2 * CONFIG_PATH_MAX];
    char folder[PATH_MAX];

    for (size_t i = 0; i < call->service.config.mount_count; i++) {
        if (call->service.config.mounts[i].realm->issuer_is_own) {
            issuer = call->service.config.mounts[i].realm->issuer;
        }
    }
    output_say(&call->output, "\nnext:");
    if (strcmp(path, "retoken-data/retoken.conf") == 0 && getcwd(folder, sizeof folder) != NULL) {
        output_say(&call->output, "  export RETOKEN_HOME=%s/retoken-data", folder);
    }
    program(call, path, words);
    if (!has_account(call)) {
        output_say(&call->output, "  %s account add NAME", words);
    }
    say_server(call);
    output_say(&call->output, "  %s doctor --url %s", words, issuer);
}

static bool has_account(struct call *call)
{
    struct account first;
    struct fault unheard;
    size_t count = 0;

    return store_account_list(call->service.store, NULL, &first, 1, &count, &unheard) == STORE_OK &&
           count > 0;
}

/* By the files that each way of installing leaves. */
static void say_server(struct call *call)
{
    static const struct {
        const char *sample, *program, *command;
    } packaged[] = {
        {"/etc/apache2/conf-available/retoken.conf", "/usr/sbin/a2enconf",
         "a2enmod proxy_fcgi env && a2enconf retoken && systemctl reload apache2"},
        {"/etc/lighttpd/conf-available/50-retoken.conf", "/usr/sbin/lighty-enable-mod",
         "lighty-enable-mod retoken && systemctl reload lighttpd"},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof packaged / sizeof packaged[0]; i++) {
        if (access(packaged[i].sample, F_OK) == 0 && access(packaged[i].program, F_OK) == 0) {
            output_say(&call->output, "  %s", packaged[i].command);
            return;
        }
    }
    if (program_beside("apache-conf/shared-host/.htaccess", path)) {
        output_say(&call->output, "  (put apache-conf/shared-host/retoken.fcgi and .htaccess, both "
                                  "beside this program, into the folder of your site)");
    } else if (access(PKGDATADIR "/apache-conf/mounts.conf", F_OK) == 0) {
        output_say(&call->output, "  (include a sample of " PKGDATADIR
                                  "/apache-conf, nginx-conf or lighttpd-conf in the web server)");
    }
}
