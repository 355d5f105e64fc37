/* SPDX-License-Identifier: ISC */
/* postgresql_facts.c: see postgresql_facts.h. Knows what a server tells about itself. */
#include "store/postgresql/postgresql_facts.h"

#include <stdio.h>
#include <string.h>

#include "store/postgresql/postgresql_store.h"

static const struct {
    const char *name;
    enum table table;
} counted[] = {{"sessions", TABLE_SESSIONS}, {"aliases", TABLE_ALIASES},
               {"accounts", TABLE_ACCOUNTS}, {"clients", TABLE_CLIENTS},
               {"keys", TABLE_KEYS},         {"events", TABLE_EVENTS},
               {"marks", TABLE_MARK_ENDS}};

enum store_result postgresql_facts_list(struct store *store,
                                        struct store_fact facts[STORE_FACTS_MAX], size_t *count,
                                        struct fault *fault)
{
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
    version = rows.failed ? 0 : connection_server_version(tables_connection(&rows.txn));
    snprintf(facts[0].text, sizeof facts[0].text, "PostgreSQL %d.%d", version / 10000,
             version % 10000);
    return verbs_read_end(&rows, true);
}

/* ---- remarks ---- */

static const struct statement settings_of = {"settings_of",
                                             "SELECT current_setting('synchronous_commit')::text,"
                                             " current_setting('synchronous_standby_names')::text,"
                                             " current_setting('fsync')::text"};

enum store_result postgresql_facts_remarks(struct store *store,
                                           struct store_remark remarks[STORE_REMARKS_MAX],
                                           size_t *count, struct fault *fault)
{
    struct postgresql_store *postgresql = postgresql_store_of(store);
    struct writer *writer = writer_open(&postgresql->server);
    int64_t until_us = clock_stopwatch_us() + postgresql->wait_us;
    enum connection_outcome outcome = CONNECTION_FAULT;
    struct connection *connection;
    const void *texts[3] = {NULL};
    size_t sizes[3] = {0};

    *count = 0;
    if (writer == NULL) {
        fault_set(fault, "out of memory");
        return STORE_FAULT;
    }
    connection = writer_connection(writer);
    outcome = writer_ready(writer, until_us, fault);
    if (outcome == CONNECTION_OK) {
        connection_send(connection, &settings_of, NULL);
        outcome = connection_wait(connection, until_us, fault);
    }
    if (outcome == CONNECTION_OK) {
        int version = connection_server_version(connection);

        for (size_t i = 0; i < 3; i++) {
            connection_bytes(connection, 0, 0, i, &texts[i], &sizes[i]);
        }
        remarks[0] = (struct store_remark){.subject = "server"};
        snprintf(remarks[0].text, sizeof remarks[0].text,
                 "PostgreSQL %d.%d, fsync %.*s, synchronous_commit %.*s, standbys \"%.*s\"",
                 version / 10000, version % 10000, (int)sizes[2], (const char *)texts[2],
                 (int)sizes[0], (const char *)texts[0], (int)sizes[1], (const char *)texts[1]);
        *count = 1;
    }
    writer_close(writer);
    return outcome == CONNECTION_OK ? STORE_OK : STORE_FAULT;
}
