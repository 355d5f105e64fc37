/* SPDX-License-Identifier: ISC */
/* postgresql_facts.c: see postgresql_facts.h. Knows what a server tells about itself to any role,
 * and what of it puts sessions at risk. */
#include "store/postgresql/postgresql_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/postgresql/postgresql_store.h"

enum {
    OLDEST_TESTED = 15,
    CLOCK_APART_MS = 60 * 1000,
    DEAD_MANY = 100000,   /* rows; a queue may have some, always */
    UPDATES_MANY = 10000, /* from which a share of them says something */
    HOT_PERCENT = 90
};

static const struct {
    const char *name;
    enum table table;
} counted[] = {{"sessions", TABLE_SESSIONS}, {"aliases", TABLE_ALIASES},
               {"accounts", TABLE_ACCOUNTS}, {"clients", TABLE_CLIENTS},
               {"keys", TABLE_KEYS},         {"events", TABLE_EVENTS},
               {"marks", TABLE_MARK_ENDS}};

static const struct statement size_of_tables = {
    "size_of_tables", "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
                      " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"};

enum store_result postgresql_facts_list(struct store *store,
                                        struct store_fact facts[STORE_FACTS_MAX], size_t *count,
                                        struct fault *fault)
{
    int64_t until_us = clock_stopwatch_us() + postgresql_store_of(store)->wait_us;
    struct connection *connection;
    struct rows rows;
    uint64_t entries;
    int version;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    facts[(*count)++] = (struct store_fact){.name = "engine", .type = STORE_FACT_TEXT};
    facts[(*count)++] = (struct store_fact){.name = "format_version",
                                            .type = STORE_FACT_NUMBER,
                                            .number = verbs_of(store)->format_version};
    for (size_t i = 0; i < sizeof counted / sizeof counted[0] && !rows.failed; i++) {
        rows.failed = rows.txn.kind->count(&rows.txn, counted[i].table, &entries, fault) != TXN_OK;
        facts[(*count)++] = (struct store_fact){.name = counted[i].name,
                                                .type = STORE_FACT_NUMBER,
                                                .number = rows.failed ? 0 : entries};
    }
    if (!rows.failed) {
        connection = tables_connection(&rows.txn);
        version = connection_server_version(connection);
        snprintf(facts[0].text, sizeof facts[0].text, "PostgreSQL %d.%d", version / 10000,
                 version % 10000);
        connection_send(connection, &size_of_tables, NULL);
        rows.failed = connection_wait(connection, until_us, fault) != CONNECTION_OK;
        facts[(*count)++] = (struct store_fact){
            .name = "used_bytes",
            .type = STORE_FACT_BYTES,
            .number = rows.failed ? 0 : (uint64_t)connection_i64(connection, 0, 0, 0)};
    }
    return verbs_read_end(&rows, true);
}

/* ---- remarks ---- */

static const struct statement state_of_server = {
    "state_of_server",
    "SELECT current_database()::text, current_schema()::text, current_user::text,"
    " current_setting('synchronous_standby_names'), current_setting('fsync') = 'on',"
    " current_setting('full_page_writes') = 'on', current_setting('autovacuum') = 'on',"
    " (SELECT count(*) FROM pg_stat_replication),"
    " least(current_setting('max_connections')::bigint"
    " - current_setting('superuser_reserved_connections')::bigint,"
    " nullif(me.rolconnlimit, -1), nullif(d.datconnlimit, -1)),"
    " (SELECT count(*) FROM pg_stat_activity WHERE datid = d.oid),"
    " (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user"
    " AND application_name = 'retoken'),"
    " me.rolsuper, (SELECT pg_has_role(n.nspowner, 'USAGE') FROM pg_namespace n"
    " WHERE n.nspname = current_schema()), clock_timestamp()"
    " FROM pg_roles me JOIN pg_database d ON d.datname = current_database()"
    " WHERE me.rolname = current_user"};
enum state_column {
    STATE_DATABASE,
    STATE_SCHEMA,
    STATE_ROLE,
    STATE_STANDBYS,
    STATE_FSYNC,
    STATE_FULL_PAGES,
    STATE_AUTOVACUUM,
    STATE_SENDERS,
    STATE_CONNECTIONS_MAX,
    STATE_CONNECTIONS,
    STATE_OWN_CONNECTIONS,
    STATE_IS_SUPERUSER,
    STATE_IS_OWNER,
    STATE_NOW
};
static const struct statement state_of_rows = {
    "state_of_rows", "SELECT relname::text, n_dead_tup, n_live_tup FROM pg_stat_user_tables"
                     " WHERE schemaname = current_schema() ORDER BY n_dead_tup DESC LIMIT 1"};
static const struct statement state_of_updates = {
    "state_of_updates", "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
                        " WHERE schemaname = current_schema() AND relname = 'sessions'"};
enum { STATEMENT_SERVER, STATEMENT_ROWS, STATEMENT_UPDATES };

/* What the server has said, and what is said about it. */
struct looking {
    const struct connection *connection;
    struct store_remark *remarks;
    size_t count;
    int64_t now_ms; /* by this machine's clock, when the server said its own */
};

static enum connection_outcome ask(struct looking *looking, struct writer *writer, int64_t until_us,
                                   struct fault *fault);
static void look_at_server(struct looking *looking);
static void look_at_durability(struct looking *looking);
static void look_at_clock(struct looking *looking);
static void look_at_rights(struct looking *looking);
static void look_at_rows(struct looking *looking);
static void look_at_connections(struct looking *looking);
static void remark(struct looking *looking, const char *subject, bool warn, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static struct text text_at(const struct looking *looking, enum state_column column);
static int64_t number_at(const struct looking *looking, enum state_column column);

enum store_result postgresql_facts_remarks(struct store *store,
                                           struct store_remark remarks[STORE_REMARKS_MAX],
                                           size_t *count, struct fault *fault)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);
    struct writer *writer = writer_open(&postgresql->server);
    struct looking looking = {.remarks = remarks};

    *count = 0;
    if (writer == NULL) {
        fault_set(fault, "out of memory");
        return STORE_FAULT;
    }
    enum connection_outcome outcome =
        ask(&looking, writer, clock_stopwatch_us() + postgresql->wait_us, fault);
    if (outcome == CONNECTION_OK) {
        look_at_server(&looking);
        look_at_durability(&looking);
        look_at_clock(&looking);
        look_at_rights(&looking);
        look_at_rows(&looking);
        look_at_connections(&looking);
        *count = looking.count;
    }
    writer_close(writer);
    return outcome == CONNECTION_OK ? STORE_OK : STORE_FAULT;
}

static enum connection_outcome ask(struct looking *looking, struct writer *writer, int64_t until_us,
                                   struct fault *fault)
{
    struct connection *connection = writer_connection(writer);
    struct clock clock = clock_system();
    enum connection_outcome outcome = writer_ready(writer, until_us, fault);
    int64_t before_ms = clock_now_ms(&clock);

    looking->connection = connection;
    if (outcome == CONNECTION_OK) {
        connection_send(connection, &state_of_server, NULL);
        connection_send(connection, &state_of_rows, NULL);
        connection_send(connection, &state_of_updates, NULL);
        outcome = connection_wait(connection, until_us, fault);
    }
    looking->now_ms = before_ms + (clock_now_ms(&clock) - before_ms) / 2;
    return outcome;
}

static void look_at_server(struct looking *looking)
{
    int version = connection_server_version(looking->connection);

    remark(looking, "server", version / 10000 < OLDEST_TESTED,
           "PostgreSQL %d.%d, database %.*s, schema %.*s, as %.*s%s", version / 10000,
           version % 10000, TEXT_ARGS(text_at(looking, STATE_DATABASE)),
           TEXT_ARGS(text_at(looking, STATE_SCHEMA)), TEXT_ARGS(text_at(looking, STATE_ROLE)),
           version / 10000 < OLDEST_TESTED ? "; nothing before version 15 was tested" : "");
}

static void look_at_durability(struct looking *looking)
{
    struct text standbys = text_at(looking, STATE_STANDBYS);
    bool fsync = number_at(looking, STATE_FSYNC) != 0;
    bool full_pages = number_at(looking, STATE_FULL_PAGES) != 0;
    int64_t senders = number_at(looking, STATE_SENDERS);

    if (!fsync || !full_pages) {
        remark(looking, "durability", true, "%s is off: a loss of power may damage the database",
               fsync ? "full_page_writes" : "fsync");
    } else {
        remark(looking, "durability", false, "fsync and full_page_writes are on");
    }
    if (standbys.size == 0) {
        remark(looking, "standbys", true,
               "none has to have what is answered: set synchronous_standby_names, or a failover "
               "loses the last refreshes and revocations");
    } else if (senders == 0) {
        remark(looking, "standbys", true, "%.*s, and none is connected: every write waits for one",
               TEXT_ARGS(text_cut(standbys, 60)));
    } else {
        remark(looking, "standbys", false, "%.*s; %" PRId64 " connected",
               TEXT_ARGS(text_cut(standbys, 60)), senders);
    }
}

/* Sessions go by the server's; tokens are verified elsewhere, by clocks that are right. */
static void look_at_clock(struct looking *looking)
{
    int64_t ahead_ms = number_at(looking, STATE_NOW) - looking->now_ms;
    int64_t by_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;

    if (by_ms > CLOCK_APART_MS) {
        remark(looking, "server's clock", true,
               "%" PRId64 " s %s this machine's: set the wrong one; sessions and tokens go by the "
               "server's",
               by_ms / 1000, ahead_ms < 0 ? "behind" : "ahead of");
    } else {
        remark(looking, "server's clock", false, "within %" PRId64 " s of this machine's",
               by_ms / 1000 + 1);
    }
}

static void look_at_rights(struct looking *looking)
{
    struct text role = text_at(looking, STATE_ROLE);
    bool is_superuser = number_at(looking, STATE_IS_SUPERUSER) != 0;

    if (is_superuser || number_at(looking, STATE_IS_OWNER) != 0) {
        remark(looking, "rights", true,
               "%.*s %s: let the store name another role, and `retoken init --owner URL` give it "
               "what it needs",
               TEXT_ARGS(role), is_superuser ? "is a superuser" : "owns the tables");
    } else {
        remark(looking, "rights", false, "%.*s may read and write rows", TEXT_ARGS(role));
    }
}

static void look_at_rows(struct looking *looking)
{
    const struct connection *connection = looking->connection;
    int64_t dead = connection_i64(connection, STATEMENT_ROWS, 0, 1);
    int64_t live = connection_i64(connection, STATEMENT_ROWS, 0, 2);
    int64_t updates = connection_i64(connection, STATEMENT_UPDATES, 0, 0);
    int64_t hot = connection_i64(connection, STATEMENT_UPDATES, 0, 1);
    const void *table = "";
    size_t size = 0;

    (void)connection_bytes(connection, STATEMENT_ROWS, 0, 0, &table, &size);
    if (number_at(looking, STATE_AUTOVACUUM) == 0) {
        remark(looking, "vacuum", true, "autovacuum is off: tables grow, and refreshes get slower");
    } else if (dead > DEAD_MANY && dead > live) {
        remark(looking, "vacuum", true,
               "%.*s has %" PRId64 " dead rows and %" PRId64 " live ones: is autovacuum held up by "
               "a long transaction or a replication slot?",
               (int)size, (const char *)table, dead, live);
    } else if (updates > UPDATES_MANY && hot < updates / 100 * HOT_PERCENT) {
        remark(looking, "vacuum", true,
               "%" PRId64 " %% of the updates of sessions were heap-only: is there an index that "
               "is not ours, or a long transaction?",
               hot / (updates / 100));
    } else {
        remark(looking, "vacuum", false, "%" PRId64 " dead rows in %.*s, less elsewhere", dead,
               (int)size, (const char *)table);
    }
}

/* How a responder was started is not known here; many processes show. */
static void look_at_connections(struct looking *looking)
{
    int64_t most = number_at(looking, STATE_CONNECTIONS_MAX);
    int64_t used = number_at(looking, STATE_CONNECTIONS);
    int64_t own = number_at(looking, STATE_OWN_CONNECTIONS);

    remark(looking, "connections", used + used / 4 >= most || own * 2 > most,
           "%" PRId64 " of %" PRId64 ", %" PRId64 " of Retoken, two for each process: one "
           "listening responder for each machine is enough; for CGI and mod_fcgid put PgBouncer "
           "in session mode before the server",
           used, most, own);
}

static void remark(struct looking *looking, const char *subject, bool warn, const char *format, ...)
{
    struct store_remark *next = &looking->remarks[looking->count];
    va_list arguments;

    if (looking->count < STORE_REMARKS_MAX) {
        *next = (struct store_remark){.subject = subject, .warn = warn};
        va_start(arguments, format);
        vsnprintf(next->text, sizeof next->text, format, arguments);
        va_end(arguments);
        looking->count++;
    }
}

static struct text text_at(const struct looking *looking, enum state_column column)
{
    const void *data = "";
    size_t size = 0;

    (void)connection_bytes(looking->connection, STATEMENT_SERVER, 0, column, &data, &size);
    return text_cut((struct text){data, size}, 63);
}

static int64_t number_at(const struct looking *looking, enum state_column column)
{
    return connection_i64(looking->connection, STATEMENT_SERVER, 0, column);
}
