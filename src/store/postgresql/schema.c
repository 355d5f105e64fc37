/* SPDX-License-Identifier: ISC */
/* schema.c: see schema.h. All is made in one transaction, the comment with the version last.
 *
 * Nothing is indexed but the primary keys, so that a rotation changes no index: the new version of
 * a row goes into the same page (fillfactor), and its old version leaves with the next update there
 * (heap-only tuples). */
#include "store/postgresql/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "store/records/txn.h"

enum { TRIES = 3, STATEMENTS_MAX = TABLES + 24, MEMORY = 128 * 1024 };

/* Of the comment on the schema; behind it its version. */
#define COMMENT "Retoken, tables of version "

#define WRITERS "writers"

struct making {
    struct connection *connection;
    const char *user; /* NULL: the connection's */
    int64_t until_us;
    struct arena *arena;
    struct statement statements[STATEMENTS_MAX];
    size_t count;
    bool failed; /* out of memory */
};

/* What is there now. */
struct state {
    char schema[SCHEMA_NAME_MAX + 1];
    char role[SCHEMA_NAME_MAX + 1]; /* of the connection */
    char user[SCHEMA_NAME_MAX + 1];
    char owner[SCHEMA_NAME_MAX + 1]; /* of the schema; "" = it is not there */
    char database[SCHEMA_NAME_MAX + 1];
    int64_t version; /* 0 = no tables of ours */
    bool is_superuser, makes_roles, makes_schemas, fills_schema;
    bool has_user, has_owner; /* these roles exist */
    bool is_used;             /* the user has all rights it needs */
};

static enum store_result look(struct making *making, struct state *state, struct fault *fault);
static enum store_result judge(const struct state *state, struct fault *fault);
static bool may_make(const struct state *state, struct fault *fault);
static void make(struct making *making, const struct state *state, struct fault *fault);
static void add_roles(struct making *making, const struct state *state);
static void add_tables(struct making *making, const struct state *state);
static const char *tuning_of(enum table table);
static void add(struct making *making, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *quoted(struct making *making, const char *name);
static void take_text(const struct connection *connection, size_t column,
                      char text[SCHEMA_NAME_MAX + 1]);

enum store_result schema_look(struct connection *connection, int64_t until_us, struct fault *fault)
{
    struct making making = {.connection = connection, .until_us = until_us};
    struct state state;
    enum store_result result = look(&making, &state, fault);

    return result == STORE_OK ? judge(&state, fault) : result;
}

/* Not the outcome of making counts, but what is there behind it: another program may have been
 * quicker, or the answer lost. */
enum store_result schema_make(struct connection *connection, const char *user,
                              struct schema_made *made, int64_t until_us, struct fault *fault)
{
    struct making making = {.connection = connection, .user = user, .until_us = until_us};
    struct state state, before = {0};
    struct fault why = {""};

    for (int tries = 0;; tries++) {
        enum store_result result = look(&making, &state, fault);

        if (result == STORE_OK) {
            before = before.schema[0] == '\0' ? state : before;
            result = judge(&state, fault);
            if (result == STORE_OK) {
                break;
            } else if (!may_make(&state, fault)) {
                return STORE_FAULT;
            }
        }
        if (tries == TRIES) {
            fault_set(fault, "%s", why.text[0] != '\0' ? why.text : fault->text);
            return STORE_FAULT;
        } else if (result != STORE_OK && state.schema[0] != '\0') {
            make(&making, &state, &why);
        }
    }
    if (made != NULL) {
        *made = (struct schema_made){.tables = before.version == 0,
                                     .user_role = !before.has_user,
                                     .owner_role = !before.has_owner && state.has_owner};
        memcpy(made->schema, state.schema, sizeof made->schema);
        memcpy(made->user, state.user, sizeof made->user);
        memcpy(made->owner, state.owner, sizeof made->owner);
    }
    return STORE_OK;
}

/* ---- what is there ---- */

/* $1: the user, or null; $2: the tables. */
static const struct statement state_of_schema = {
    "schema-state",
    "SELECT wanted.name, current_user::text, coalesce($1::text, current_user::text),"
    " coalesce(pg_get_userbyid(n.nspowner)::text, ''), current_database()::text,"
    " coalesce(substring(obj_description(n.oid, 'pg_namespace') from '" COMMENT
    "([0-9]{1,9})$')::bigint, 0),"
    " me.rolsuper, me.rolsuper OR me.rolcreaterole,"
    " has_database_privilege(current_database(), 'CREATE'),"
    " coalesce(has_schema_privilege(n.oid, 'CREATE'), false),"
    " r.oid IS NOT NULL, to_regrole(quote_ident(wanted.name || '_owner')) IS NOT NULL,"
    " coalesce(has_schema_privilege(r.oid, n.oid, 'USAGE'), false) AND cardinality($2::text[]) ="
    " (SELECT count(*) FROM pg_class t WHERE t.relnamespace = n.oid AND t.relkind = 'r'"
    " AND t.relname::text = ANY ($2::text[]) AND has_table_privilege(r.oid, t.oid, 'SELECT')"
    " AND has_table_privilege(r.oid, t.oid, 'INSERT')"
    " AND has_table_privilege(r.oid, t.oid, 'UPDATE')"
    " AND has_table_privilege(r.oid, t.oid, 'DELETE'))"
    " FROM (SELECT btrim(split_part(current_setting('search_path'), ',', 1), ' \"') AS name) wanted"
    " JOIN pg_roles me ON me.rolname = current_user"
    " LEFT JOIN pg_namespace n ON n.nspname::text = wanted.name"
    " LEFT JOIN pg_roles r ON r.rolname::text = coalesce($1::text, current_user::text)"};

static enum store_result look(struct making *making, struct state *state, struct fault *fault)
{
    struct connection *connection = making->connection;
    struct parameters parameters = {0};

    *state = (struct state){0};
    if (connection_ready(connection, making->until_us, fault) != CONNECTION_OK) {
        return STORE_FAULT;
    }
    if (making->user != NULL) {
        parameters_bytes(&parameters, making->user, strlen(making->user));
    } else {
        parameters_null(&parameters);
    }
    parameters_array(&parameters, PARAMETERS_TEXT);
    for (int i = 0; i < TABLES; i++) {
        const char *name = table_name((enum table)i);

        parameters_add(&parameters, name, strlen(name));
    }
    parameters_add(&parameters, WRITERS, strlen(WRITERS));
    connection_send(connection, &state_of_schema, &parameters);
    parameters_free(&parameters);
    if (connection_wait(connection, making->until_us, fault) != CONNECTION_OK) {
        return STORE_FAULT;
    }
    take_text(connection, 0, state->schema);
    take_text(connection, 1, state->role);
    take_text(connection, 2, state->user);
    take_text(connection, 3, state->owner);
    take_text(connection, 4, state->database);
    state->version = connection_i64(connection, 0, 0, 5);
    state->is_superuser = connection_i64(connection, 0, 0, 6) != 0;
    state->makes_roles = connection_i64(connection, 0, 0, 7) != 0;
    state->makes_schemas = connection_i64(connection, 0, 0, 8) != 0;
    state->fills_schema = connection_i64(connection, 0, 0, 9) != 0;
    state->has_user = connection_i64(connection, 0, 0, 10) != 0;
    state->has_owner = connection_i64(connection, 0, 0, 11) != 0;
    state->is_used = connection_i64(connection, 0, 0, 12) != 0;
    return STORE_OK;
}

static void take_text(const struct connection *connection, size_t column,
                      char text[SCHEMA_NAME_MAX + 1])
{
    const void *data = NULL;
    size_t size = 0;

    if (connection_bytes(connection, 0, 0, column, &data, &size)) {
        (void)text_copy((struct text){data, size}, text, SCHEMA_NAME_MAX + 1);
    }
}

static enum store_result judge(const struct state *state, struct fault *fault)
{
    if (state->version == 0) {
        fault_set(fault, "database %s has no tables of Retoken in schema %s: `retoken init`",
                  state->database, state->schema);
        return STORE_ABSENT;
    } else if (state->version != SCHEMA_VERSION) {
        fault_set(fault,
                  "schema %s of database %s has tables of version %" PRId64
                  ", and this program knows version %d: use the program that made them",
                  state->schema, state->database, state->version, SCHEMA_VERSION);
        return STORE_FAULT;
    } else if (!state->is_used) {
        fault_set(fault,
                  "role %s may not read and write all tables of schema %s, which belongs to %s: "
                  "`retoken init --owner URL`, as that role, grants it",
                  state->user, state->schema, state->owner);
        return STORE_FAULT;
    }
    return STORE_OK;
}

static bool may_make(const struct state *state, struct fault *fault)
{
    bool judged = state->version != 0 &&
                  (state->version != SCHEMA_VERSION || (state->has_user && !state->fills_schema));

    if (judged) {
        return false; /* and *fault says why */
    } else if (!state->has_user && !state->makes_roles) {
        fault_set(fault,
                  "role %s is not there: on the database server, as postgres, type "
                  "createuser %s",
                  state->user, state->user);
        return false;
    } else if (state->owner[0] == '\0' && !state->makes_schemas) {
        fault_set(fault,
                  "role %s may not make a schema in database %s: name somebody who may with "
                  "--owner URL, or let the database's owner type in psql: "
                  "GRANT CREATE ON DATABASE \"%s\" TO \"%s\"",
                  state->role, state->database, state->database, state->role);
        return false;
    } else if (state->owner[0] != '\0' && !state->fills_schema) {
        fault_set(fault,
                  "role %s may not make tables in schema %s, which belongs to %s: name that role "
                  "with --owner URL",
                  state->role, state->schema, state->owner);
        return false;
    }
    return true;
}

/* ---- making ---- */

static void make(struct making *making, const struct state *state, struct fault *fault)
{
    making->count = 0;
    making->failed = false;
    making->arena = arena_open(MEMORY);
    if (making->arena == NULL) {
        fault_set(fault, "out of memory");
        return;
    }
    add(making, "BEGIN");
    add_roles(making, state);
    add_tables(making, state);
    add(making, "COMMENT ON SCHEMA %s IS '" COMMENT "%d'", quoted(making, state->schema),
        SCHEMA_VERSION);
    add(making, "COMMIT");
    if (making->failed) {
        fault_set(fault, "out of memory");
    } else {
        for (size_t i = 0; i < making->count; i++) {
            connection_send(making->connection, &making->statements[i], NULL);
        }
        (void)connection_wait(making->connection, making->until_us, fault);
    }
    arena_close(making->arena);
}

/* Up to whom all belongs that follows. */
static void add_roles(struct making *making, const struct state *state)
{
    const char *schema = quoted(making, state->schema);
    bool is_own = strcmp(state->user, state->role) == 0;
    char owner[SCHEMA_NAME_MAX + sizeof "_owner"];

    if (!state->has_user) {
        add(making, "CREATE ROLE %s LOGIN", quoted(making, state->user));
    }
    if (is_own || !state->is_superuser) {
        add(making, "CREATE SCHEMA IF NOT EXISTS %s", schema);
        return;
    }
    snprintf(owner, sizeof owner, "%s", state->owner);
    if (state->owner[0] == '\0') {
        snprintf(owner, sizeof owner, "%s_owner", state->schema);
        if (!state->has_owner) {
            add(making, "CREATE ROLE %s NOLOGIN", quoted(making, owner));
        }
        add(making, "CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s", schema,
            quoted(making, owner));
    }
    add(making, "SET LOCAL ROLE %s", quoted(making, owner));
}

static void add_tables(struct making *making, const struct state *state)
{
    const char *schema = quoted(making, state->schema);
    const char *user = quoted(making, state->user);

    for (int i = 0; i < TABLES; i++) {
        if (i != TABLE_SESSIONS) {
            add(making,
                "CREATE TABLE IF NOT EXISTS %s.%s (key bytea PRIMARY KEY, value bytea NOT NULL)%s",
                schema, table_name((enum table)i), tuning_of((enum table)i));
        }
    }
    add(making,
        "CREATE TABLE IF NOT EXISTS %s.sessions (id uuid PRIMARY KEY, record bytea NOT NULL,"
        " account bigint, client text, realm text, created timestamptz, expires timestamptz,"
        " ended text) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)",
        schema);
    add(making,
        "CREATE TABLE IF NOT EXISTS %s." WRITERS " (id uuid PRIMARY KEY, batch bigint NOT NULL,"
        " confirmed bigint NOT NULL, seen timestamptz NOT NULL) WITH (fillfactor = 20)",
        schema);
    /* the key of a name is the name, and its record begins with the account's number */
    add(making,
        "CREATE OR REPLACE VIEW %s.retoken_sessions AS SELECT s.id,"
        " convert_from(n.key, 'UTF8') AS account, s.client, s.realm, s.created, s.expires, s.ended"
        " FROM %s.sessions s LEFT JOIN %s.names n"
        " ON substring(n.value FROM 1 FOR 8) = int8send(s.account)",
        schema, schema, schema);
    if (strcmp(state->user, state->role) != 0) {
        add(making, "GRANT USAGE ON SCHEMA %s TO %s", schema, user);
        add(making, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %s", schema,
            user);
    }
}

/* Counters change with every write. Entries of a queue are removed at the end where the next one is
 * looked for, so what is dead has to go soon. */
static const char *tuning_of(enum table table)
{
    switch (table) {
    case TABLE_META:
        return " WITH (fillfactor = 20)";
    case TABLE_ENDS:
    case TABLE_EVENTS:
    case TABLE_MARKS:
    case TABLE_MARK_ENDS:
    case TABLE_REPEATS:
    case TABLE_OUTBOX:
    case TABLE_DELIVERIES:
        return " WITH (autovacuum_vacuum_scale_factor = 0.02)";
    case TABLE_SESSIONS:
    case TABLE_ALIASES:
    case TABLE_ACCOUNTS:
    case TABLE_NAMES:
    case TABLE_CLIENTS:
    case TABLE_KEYS:
    case TABLE_OWNERS:
        return "";
    }
    return "";
}

static void add(struct making *making, const char *format, ...)
{
    struct statement *statement = &making->statements[making->count];
    char text[1024];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    statement->name = NULL;
    statement->sql = size < (int)sizeof text && making->count < STATEMENTS_MAX
                         ? arena_c_string(making->arena, text_of(text))
                         : NULL;
    making->failed = making->failed || statement->sql == NULL;
    making->count += statement->sql != NULL;
}

/* As an identifier: any name is one between quotation marks. */
static const char *quoted(struct making *making, const char *name)
{
    struct buffer b;
    struct text t = {"", 0};

    buffer_start(&b, making->arena, 2 * SCHEMA_NAME_MAX + 4);
    buffer_add_char(&b, '"');
    for (; *name != '\0'; name++) {
        buffer_add(&b, *name == '"' ? TEXT("\"\"") : (struct text){name, 1});
    }
    buffer_add_char(&b, '"');
    making->failed = !buffer_finish(&b, &t) || making->failed;
    return t.data;
}
