/* SPDX-License-Identifier: ISC */
/* postgresql_server.c: what a store in PostgreSQL needs round it: a database with tables and roles,
 * the library, and files of passwords and certificates. Knows what store.h says of its settings;
 * opens no store. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/postgresql/schema.h"
#include "store/store_private.h"

enum { WAIT_MS = 10000 };

static struct connection *open_url(const struct store_settings *settings, const char *url,
                                   struct fault *fault);
static enum store_result look_at(struct connection *connection, struct fault *fault);
static void advise(struct fault *fault);
static bool role_of(const char *url, char role[SCHEMA_NAME_MAX + 1]);
static int64_t until_us(void);

/* ---- the database ---- */

static enum store_result look(const struct store_settings *settings, struct fault *fault)
{
    struct connection *connection = open_url(settings, settings->url, fault);
    enum store_result result = connection != NULL ? look_at(connection, fault) : STORE_FAULT;

    if (result == STORE_FAULT) {
        advise(fault);
    }
    connection_close(connection);
    return result;
}

/* Tables alone are no store: its first record is written last. */
static enum store_result look_at(struct connection *connection, struct fault *fault)
{
    static const struct statement statement = {NULL, "SELECT FROM meta WHERE key = 'format'"};
    enum store_result result = schema_look(connection, until_us(), fault);

    if (result != STORE_OK) {
        return result;
    }
    connection_send(connection, &statement, NULL);
    if (connection_wait(connection, until_us(), fault) != CONNECTION_OK) {
        return STORE_FAULT;
    } else if (connection_rows(connection, 0) == 0) {
        fault_set(fault, "the database has tables, but no store in them: `retoken init`");
        return STORE_ABSENT;
    }
    return STORE_OK;
}

static enum store_result make(const struct store_settings *settings, const char *owner,
                              store_told *told, void *self, struct fault *fault)
{
    struct connection *connection;
    struct schema_made made;
    char role[SCHEMA_NAME_MAX + 1];

    if (!role_of(settings->url, role)) {
        fault_set(fault, "the URL of the store names no role, or a longer one than %d bytes",
                  SCHEMA_NAME_MAX);
        return STORE_FAULT;
    }
    connection = open_url(settings, owner, fault);
    if (connection == NULL) {
        return STORE_FAULT;
    }
    enum store_result result = schema_make(connection, role, &made, until_us(), fault);
    connection_close(connection);
    if (result != STORE_OK) {
        advise(fault);
        return result;
    }
    told(self, "tables", made.tables, made.schema);
    told(self, "owner", made.owner_role, made.owner);
    told(self, "role", made.user_role, made.user);
    return STORE_OK;
}

/* Each process has connections of its own. Where there is no database, no one uses it. */
static enum store_result unused(const struct store_settings *settings, struct fault *fault)
{
    static const struct statement others = {
        NULL, "SELECT count(*), min(pid)::bigint FROM pg_stat_activity WHERE datname ="
              " current_database() AND application_name = 'retoken' AND pid <> pg_backend_pid()"};
    struct connection *connection = open_url(settings, settings->url, fault);
    enum store_result result = STORE_FAULT;

    if (connection != NULL && connection_ready(connection, until_us(), fault) == CONNECTION_OK) {
        connection_send(connection, &others, NULL);
        if (connection_wait(connection, until_us(), fault) == CONNECTION_OK) {
            int64_t count = connection_i64(connection, 0, 0, 0);

            result = count > 0 ? STORE_STALE : STORE_OK;
            if (count > 0) {
                fault_set(fault,
                          "store %s: Retoken has %" PRId64 " other connections to it, the first "
                          "in server process %" PRId64,
                          settings->url, count, connection_i64(connection, 0, 0, 1));
            }
        }
    }
    if (result == STORE_FAULT) {
        advise(fault);
    }
    connection_close(connection);
    return result;
}

/* The password file is of the store's role. */
static struct connection *open_url(const struct store_settings *settings, const char *url,
                                   struct fault *fault)
{
    const char *path = settings->password_file;
    bool has_file = url == settings->url && path != NULL && path[0] != '\0';
    const struct connection_settings wanted = {
        .url = url, .password_file = has_file ? path : NULL, .application = "retoken"};
    struct connection *connection = connection_open(&wanted);

    if (connection == NULL) {
        fault_set(fault, "out of memory");
    }
    return connection;
}

/* As libpq finds it. */
static bool role_of(const char *url, char role[SCHEMA_NAME_MAX + 1])
{
    const char *named = getenv("PGUSER");
    const struct passwd *self;

    if (store_url_user(url, role, SCHEMA_NAME_MAX + 1)) {
        return true;
    } else if (named == NULL || named[0] == '\0') {
        self = getpwuid(geteuid());
        named = self != NULL ? self->pw_name : NULL;
    }
    return named != NULL && text_copy(text_of(named), role, SCHEMA_NAME_MAX + 1);
}

/* What to do about a refusal of the server, whose classes PostgreSQL's manual lists in appendix A.
 */
static void advise(struct fault *fault)
{
    static const struct {
        const char *code, *advice;
    } rows[] = {
        {" 3D000: ", "on the database server, as postgres: createdb -O ROLE DATABASE"},
        {" 28P01: ", "is the right password in store-password-file or ~/.pgpass?"},
        {" 28000: ", "on the database server: is there such a role (createuser), and a line for "
                     "it in pg_hba.conf?"},
    };
    struct fault said = *fault;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strstr(said.text, rows[i].code) != NULL) {
            fault_set(fault, "%s; %s", said.text, rows[i].advice);
            return;
        }
    }
}

static int64_t until_us(void)
{
    return clock_stopwatch_us() + WAIT_MS * 1000;
}

/* ---- what the library needs ---- */

static bool file(const struct store_settings *settings, size_t n, char path[STORE_URL_MAX])
{
    static const char *const parameters[] = {"sslrootcert", "sslcert",   "sslkey",
                                             "sslcrl",      "sslcrldir", "passfile"};
    enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };
    static const char *const own[] = {".pgpass", ".postgresql/root.crt"};
    const char *password = settings->password_file;
    const char *home = getenv("HOME");
    const struct passwd *self = home == NULL || home[0] == '\0' ? getpwuid(geteuid()) : NULL;

    path[0] = '\0';
    home = self != NULL ? self->pw_dir : home;
    if (n < PARAMETERS) {
        (void)store_url_parameter(settings->url, parameters[n], path, STORE_URL_MAX);
    } else if (n == PARAMETERS) {
        (void)text_copy(text_of(password), path, STORE_URL_MAX);
    } else if (n == PARAMETERS + 1) {
        (void)text_copy(TEXT("/etc/resolv.conf"), path, STORE_URL_MAX); /* and hosts beside it */
    } else if (n < PARAMETERS + 2 + sizeof own / sizeof own[0]) {
        snprintf(path, STORE_URL_MAX, "%s/%s", home != NULL ? home : "", own[n - PARAMETERS - 2]);
        if (access(path, F_OK) != 0) {
            path[0] = '\0';
        }
    } else {
        return false;
    }
    return true;
}

static void prepare(void)
{
    (void)connection_load(NULL);
}

const struct store_server postgresql_server = {look, make, file, prepare, unused};
