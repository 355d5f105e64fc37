/* SPDX-License-Identifier: ISC */
/* clients.c: the verbs about registered clients. Does not know how a client proves itself. */
#include <string.h>

#include "store/verbs/verbs.h"

static void note_change(struct rows *rows, const char *id, enum ended_what what);

enum store_result clients_add(struct rows *rows, struct client *client)
{
    struct record_counters counters;
    struct client other;

    if (!rows_have_room(rows) || !rows_counters_get(rows, &counters)) {
        return STORE_FAULT;
    } else if (rows_client_get(rows, client->id, &other)) {
        return STORE_EXISTS;
    }
    client->number = counters.next_client++;
    rows_client_put(rows, client);
    rows_counters_put(rows, &counters);
    return STORE_OK;
}

static void put_unused(struct record *record, const struct client *client);

/* By their records: what lies behind the end of a text is no part of a client, and a use that was
 * noted meanwhile is no change. */
static bool is_same(const struct client *a, const struct client *b)
{
    RECORD(one, RECORD_SIZE_MAX);
    RECORD(other, RECORD_SIZE_MAX);

    record_start(&one, TABLE_CLIENTS, (struct txn_bytes){"", 0});
    record_start(&other, TABLE_CLIENTS, (struct txn_bytes){"", 0});
    put_unused(&one, a);
    put_unused(&other, b);
    return one.size == other.size && memcmp(one.bytes, other.bytes, one.size) == 0;
}

static void put_unused(struct record *record, const struct client *client)
{
    struct client unused = *client;

    unused.used_ms = 0;
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        unused.secrets[i].used_ms = 0;
    }
    record_put_client(record, &unused);
}

void clients_note_use(struct rows *rows, struct client *client, uint32_t secret, int64_t now_ms)
{
    struct client_secret *used = client_secret_find(client, secret);

    if (client_use_due(used, now_ms)) {
        used->used_ms = now_ms;
        client->used_ms = now_ms;
        rows_client_put(rows, client);
    }
}

enum store_result clients_use(struct rows *rows, const struct store_write *write)
{
    const struct client *as_read = write->of.client_use.client;
    struct client client;

    if (!rows_client_get(rows, as_read->id, &client) || client.number != as_read->number ||
        !client.enabled) {
        return STORE_STALE;
    }
    clients_note_use(rows, &client, write->of.client_use.secret, write->now_ms);
    return STORE_OK;
}

enum store_result clients_update(struct rows *rows, const struct client *before,
                                 const struct client *after)
{
    struct client client;
    bool switched;

    if (!rows_client_get(rows, after->id, &client)) {
        return STORE_ABSENT;
    } else if (!is_same(before, &client)) {
        return STORE_STALE;
    }
    switched = client.enabled != after->enabled;
    client = *after;
    client.number = before->number;
    rows_client_put(rows, &client);
    if (switched) {
        note_change(rows, client.id, client.enabled ? ENDED_CLIENT_ENABLED : ENDED_CLIENT_DISABLED);
    }
    return STORE_OK;
}

/* An older copy of the data does not undo it. */
static void note_change(struct rows *rows, const char *id, enum ended_what what)
{
    struct ended entry = {.what = what,
                          .end = SESSION_ENDED_CLIENT,
                          .at_ms = rows->clock != NULL ? clock_now_ms(rows->clock) : 0};

    if (!ended_name_id(id, entry.id)) {
        rows_fail(rows, "libcrypto failed");
    }
    ends_note(rows, &entry);
}

enum store_result clients_remove(struct rows *rows, const char *id)
{
    if (!rows_client_remove(rows, id)) {
        return STORE_ABSENT;
    }
    note_change(rows, id, ENDED_CLIENT_REMOVED);
    return STORE_OK;
}

enum store_result clients_find(struct store *store, const char *id, struct client *client,
                               struct fault *fault)
{
    struct rows rows;

    return verbs_read_begin(store, &rows, fault)
               ? verbs_read_end(&rows, rows_client_get(&rows, id, client))
               : STORE_FAULT;
}

enum store_result clients_list(struct store *store, const char *after, struct client *rows_out,
                               size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = after != NULL ? rows_key_text(after) : rows_key_first();
    enum txn_seek seek = after != NULL ? TXN_AFTER : TXN_FROM;
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (; *count < room && rows_next(&rows, TABLE_CLIENTS, seek, &position); seek = TXN_AFTER) {
        char id[TABLE_KEY_MAX + 1];

        rows_key_read_text(&position, id);
        *count += rows_client_get(&rows, id, &rows_out[*count]) ? 1 : 0;
    }
    return verbs_read_end(&rows, true);
}
