/* SPDX-License-Identifier: ISC */
/* test_schema.c: the tables on a real PostgreSQL server: who makes them, who may use them, and what
 * is said where that is not allowed. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/expect.h"
#include "store/postgresql/schema.h"
#include "store/server.h"

enum { LIMIT_US = 60 * 1000000, URL_MAX = 512 };

static int64_t soon(void)
{
    return clock_stopwatch_us() + LIMIT_US;
}

/* As a role; schema NULL: that of the role. */
static struct connection *open_as(const char *role, const char *schema)
{
    char url[URL_MAX];
    const struct connection_settings settings = {.url = url, .application = "test"};
    struct connection *connection;

    snprintf(url, sizeof url, "postgresql://%s%s%s%s", role, strchr(server_url(), '@'),
             schema != NULL ? "&options=-csearch_path%3D" : "", schema != NULL ? schema : "");
    connection = connection_open(&settings);
    assert_non_null(connection);
    return connection;
}

/* As the superuser that made the server. */
static struct connection *open_super(const char *schema)
{
    return open_as("retoken", schema);
}

static enum connection_outcome run(struct connection *connection, const char *sql,
                                   struct fault *fault)
{
    const struct statement statement = {NULL, sql};

    assert_int_equal(CONNECTION_OK, connection_ready(connection, soon(), fault));
    connection_send(connection, &statement, NULL);
    return connection_wait(connection, soon(), fault);
}

static int64_t number(struct connection *connection, const char *sql)
{
    struct fault fault = {""};

    if (run(connection, sql, &fault) != CONNECTION_OK) {
        fail_msg("%s: %s", sql, fault.text);
    }
    return connection_i64(connection, 0, 0, 0);
}

#define assert_result(expected, result, fault)                                                     \
    do {                                                                                           \
        int actual_result = (int)(result);                                                         \
                                                                                                   \
        if (actual_result != (int)(expected)) {                                                    \
            fail_msg("result %d: %s", actual_result, (fault).text);                                \
        }                                                                                          \
    } while (0)

#define assert_says(fault, part)                                                                   \
    do {                                                                                           \
        if (strstr((fault).text, (part)) == NULL) {                                                \
            fail_msg("says: %s", (fault).text);                                                    \
        }                                                                                          \
    } while (0)

/* ---- who makes them ---- */

/* Of the schema that holds where nothing names one. */
static void the_owner_of_a_database_makes_them(void **state)
{
    struct connection *plain = open_as("plain", NULL);
    struct schema_made made;
    struct fault fault = {""};

    (void)state;
    server_run("CREATE ROLE plain LOGIN");
    server_run("GRANT CREATE ON DATABASE postgres TO plain");
    assert_result(STORE_ABSENT, schema_look(plain, soon(), &fault), fault);
    assert_says(fault, "database postgres has no tables of Retoken in schema retoken");
    assert_result(STORE_OK, schema_make(plain, NULL, &made, soon(), &fault), fault);
    assert_true(made.tables && !made.user_role && !made.owner_role);
    assert_string_equal(made.schema, "retoken");
    assert_string_equal(made.user, "plain");
    assert_string_equal(made.owner, "plain");
    assert_result(STORE_OK, schema_look(plain, soon(), &fault), fault);
    assert_int_equal(0, number(plain, "SELECT count(*) FROM retoken.sessions"));

    assert_result(STORE_OK, schema_make(plain, NULL, &made, soon(), &fault), fault);
    assert_false(made.tables);
    connection_close(plain);
}

static void a_superuser_makes_roles_as_well(void **state)
{
    struct connection *super = open_super("apart"), *user = open_as("respond%22er", "apart");
    struct schema_made made;
    struct fault fault = {""};

    (void)state;
    assert_result(STORE_OK, schema_make(super, "respond\"er", &made, soon(), &fault), fault);
    assert_true(made.tables && made.user_role && made.owner_role);
    assert_string_equal(made.owner, "apart_owner");
    assert_result(STORE_OK, schema_look(user, soon(), &fault), fault);
    assert_int_equal(CONNECTION_OK, run(user, "INSERT INTO meta VALUES ('a', 'b')", &fault));
    assert_int_equal(CONNECTION_OK, run(user, "UPDATE meta SET value = 'c'", &fault));
    assert_int_equal(CONNECTION_OK, run(user, "SELECT * FROM meta FOR UPDATE", &fault));
    assert_int_equal(CONNECTION_OK, run(user, "DELETE FROM meta", &fault));
    for (const char *const *sql =
             (const char *const[]){"TRUNCATE meta", "DROP TABLE meta", "CREATE TABLE apart.t ()",
                                   "ALTER TABLE meta ADD COLUMN c int", "CREATE SCHEMA other",
                                   "SET ROLE apart_owner", NULL};
         *sql != NULL; sql++) {
        assert_int_equal(CONNECTION_FAULT, run(user, *sql, &fault));
        assert_says(fault, "42501");
    }
    connection_close(user);
    connection_close(super);
}

/* A second machine with a role of its own. */
static void a_role_is_added_later(void **state)
{
    struct connection *super = open_super("later"), *second = open_as("second", "later");
    struct schema_made made;
    struct fault fault = {""};

    (void)state;
    assert_result(STORE_OK, schema_make(super, "first", NULL, soon(), &fault), fault);
    server_run("CREATE ROLE second LOGIN");
    assert_result(STORE_FAULT, schema_look(second, soon(), &fault), fault);
    assert_says(fault, "role second may not read and write all tables of schema later, which "
                       "belongs to later_owner");
    assert_result(STORE_OK, schema_make(super, "second", &made, soon(), &fault), fault);
    assert_true(!made.tables && !made.user_role && !made.owner_role);
    assert_result(STORE_OK, schema_look(second, soon(), &fault), fault);
    connection_close(second);
    connection_close(super);
}

/* Without a superuser: the role that names itself owner, and another one for the responder. */
static void an_owner_makes_them_for_another_role(void **state)
{
    struct connection *owner = open_as("owner", "owned"), *user = open_as("user1", "owned");
    struct schema_made made;
    struct fault fault = {""};

    (void)state;
    server_run("CREATE ROLE owner LOGIN");
    server_run("GRANT CREATE ON DATABASE postgres TO owner");
    assert_result(STORE_FAULT, schema_make(owner, "user1", NULL, soon(), &fault), fault);
    assert_says(fault, "createuser user1");
    server_run("CREATE ROLE user1 LOGIN");
    assert_result(STORE_OK, schema_make(owner, "user1", &made, soon(), &fault), fault);
    assert_string_equal(made.owner, "owner");
    assert_string_equal(made.user, "user1");
    assert_result(STORE_OK, schema_look(user, soon(), &fault), fault);
    connection_close(user);
    connection_close(owner);
}

struct maker {
    pthread_t thread;
    struct fault fault;
    enum store_result result;
};

static void *make_one(void *self)
{
    struct maker *maker = self;
    struct connection *super = open_super("many");

    maker->result = schema_make(super, "many_user", NULL, soon(), &maker->fault);
    connection_close(super);
    return NULL;
}

static void several_at_once_make_one(void **state)
{
    struct maker makers[6] = {0};
    size_t count = sizeof makers / sizeof makers[0];

    (void)state;
    (void)server_url();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(0, pthread_create(&makers[i].thread, NULL, make_one, &makers[i]));
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(0, pthread_join(makers[i].thread, NULL));
        assert_result(STORE_OK, makers[i].result, makers[i].fault);
    }
}

/* ---- what is refused ---- */

static void without_rights_it_says_what_to_type(void **state)
{
    struct connection *nobody = open_as("nobody", "none"), *other = open_as("nobody", "anothers");
    struct fault fault = {""};

    (void)state;
    server_run("CREATE ROLE nobody LOGIN");
    assert_result(STORE_FAULT, schema_make(nobody, NULL, NULL, soon(), &fault), fault);
    assert_says(fault, "GRANT CREATE ON DATABASE \"postgres\" TO \"nobody\"");
    server_run("CREATE SCHEMA anothers");
    assert_result(STORE_FAULT, schema_make(other, NULL, NULL, soon(), &fault), fault);
    assert_says(fault, "may not make tables in schema anothers, which belongs to retoken");
    connection_close(other);
    other = open_as("nobody", "made");
    server_run("CREATE SCHEMA made");
    struct connection *super = open_super("made");
    assert_result(STORE_OK, schema_make(super, NULL, NULL, soon(), &fault), fault);
    assert_result(STORE_FAULT, schema_make(other, NULL, NULL, soon(), &fault), fault);
    assert_says(fault, "role nobody may not read and write all tables of schema made");
    connection_close(super);
    connection_close(other);
    connection_close(nobody);
}

static void tables_of_another_version_are_left_alone(void **state)
{
    struct connection *super = open_super("newer");
    struct fault fault = {""};

    (void)state;
    assert_result(STORE_OK, schema_make(super, NULL, NULL, soon(), &fault), fault);
    server_run("COMMENT ON SCHEMA newer IS 'Retoken, tables of version 2'");
    assert_result(STORE_FAULT, schema_look(super, soon(), &fault), fault);
    assert_says(fault, "tables of version 2, and this program knows version 1");
    assert_result(STORE_FAULT, schema_make(super, NULL, NULL, soon(), &fault), fault);
    connection_close(super);
}

/* ---- what an operator sees ---- */

static void sessions_are_shown_by_the_name_of_their_account(void **state)
{
    struct connection *super = open_super("shown");
    struct fault fault = {""};
    const void *name;
    size_t size;

    (void)state;
    assert_result(STORE_OK, schema_make(super, NULL, NULL, soon(), &fault), fault);
    server_run(
        "INSERT INTO shown.names VALUES"
        " (convert_to('ådá', 'UTF8'), int8send(7) || '\\x00112233445566778899aabbccddeeff')");
    server_run("INSERT INTO shown.sessions (id, record, account, client)"
               " VALUES (gen_random_uuid(), '', 7, 'app'), (gen_random_uuid(), '', 0, 'own')");
    assert_int_equal(CONNECTION_OK,
                     run(super, "SELECT account FROM retoken_sessions ORDER BY client", &fault));
    assert_int_equal(2, connection_rows(super, 0));
    assert_true(connection_bytes(super, 0, 0, 0, &name, &size));
    assert_true(text_is((struct text){name, size}, "ådá"));
    assert_false(connection_bytes(super, 0, 1, 0, &name, &size));
    connection_close(super);
}

/* Nothing that a rotation changes is in an index. */
static void only_keys_are_indexed(void **state)
{
    struct connection *super = open_super("indexed");
    struct fault fault = {""};

    (void)state;
    assert_result(STORE_OK, schema_make(super, NULL, NULL, soon(), &fault), fault);
    assert_int_equal(0, number(super, "SELECT count(*) FROM pg_index i JOIN pg_class c"
                                      " ON c.oid = i.indrelid WHERE NOT i.indisprimary"
                                      " AND c.relnamespace = 'indexed'::regnamespace"));
    assert_int_equal(1, number(super, "SELECT max(i.indnatts) FROM pg_index i JOIN pg_class c"
                                      " ON c.oid = i.indrelid"
                                      " WHERE c.relnamespace = 'indexed'::regnamespace"));
    connection_close(super);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_of_a_database_makes_them),
        cmocka_unit_test(a_superuser_makes_roles_as_well),
        cmocka_unit_test(a_role_is_added_later),
        cmocka_unit_test(an_owner_makes_them_for_another_role),
        cmocka_unit_test(several_at_once_make_one),
        cmocka_unit_test(without_rights_it_says_what_to_type),
        cmocka_unit_test(tables_of_another_version_are_left_alone),
        cmocka_unit_test(sessions_are_shown_by_the_name_of_their_account),
        cmocka_unit_test(only_keys_are_indexed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
