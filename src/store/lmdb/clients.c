/* SPDX-License-Identifier: ISC */
/* clients.c: the verbs about registered clients. Does not know how a client proves itself. */
#include <string.h>

#include "store/lmdb/lmdb_store.h"

enum store_result clients_add(struct rows *rows, const struct client *client)
{
    struct client other;

    if (!rows_have_room(rows)) {
        return STORE_FAULT;
    } else if (rows_client_get(rows, client->id, &other)) {
        return STORE_EXISTS;
    }
    rows_client_put(rows, client);
    return STORE_OK;
}

/* By their records: what lies behind the end of a text is no part of a client. */
static bool is_same(const struct client *a, const struct client *b)
{
    struct record one, other;

    record_start(&one, TABLE_CLIENTS, (struct env_bytes){"", 0});
    record_start(&other, TABLE_CLIENTS, (struct env_bytes){"", 0});
    record_put_client(&one, a);
    record_put_client(&other, b);
    return one.size == other.size && memcmp(one.bytes, other.bytes, one.size) == 0;
}

enum store_result clients_update(struct rows *rows, const struct client *before,
                                 const struct client *after)
{
    struct client client;

    if (!rows_client_get(rows, after->id, &client)) {
        return STORE_ABSENT;
    } else if (!is_same(before, &client)) {
        return STORE_STALE;
    }
    rows_client_put(rows, after);
    return STORE_OK;
}

enum store_result clients_remove(struct rows *rows, const char *id)
{
    struct ended entry = {.what = ENDED_CLIENT_REMOVED,
                          .end = SESSION_ENDED_CLIENT,
                          .at_ms = rows->clock != NULL ? clock_now_ms(rows->clock) : 0};

    if (!rows_client_remove(rows, id)) {
        return STORE_ABSENT;
    } else if (!ended_client_id(id, entry.id)) {
        rows_fail(rows, "libcrypto failed");
    }
    ends_note(rows, &entry);
    return STORE_OK;
}

enum store_result clients_find(struct store *store, const char *id, struct client *client,
                               struct fault *fault)
{
    struct rows rows;

    return lmdb_store_read_begin(store, &rows, fault)
               ? lmdb_store_read_end(&rows, rows_client_get(&rows, id, client))
               : STORE_FAULT;
}

enum store_result clients_list(struct store *store, const char *after, struct client *rows_out,
                               size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = after != NULL ? rows_key_text(after) : rows_key_first();
    enum env_seek seek = after != NULL ? ENV_AFTER : ENV_FROM;
    struct rows rows;

    *count = 0;
    if (!lmdb_store_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    for (; *count < room && rows_next(&rows, TABLE_CLIENTS, seek, &position); seek = ENV_AFTER) {
        char id[ENV_KEY_MAX + 1];

        rows_key_read_text(&position, id);
        *count += rows_client_get(&rows, id, &rows_out[*count]) ? 1 : 0;
    }
    return lmdb_store_read_end(&rows, true);
}
