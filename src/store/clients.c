/* clients.c: the verbs about registered clients. */
#include <string.h>

#include "store/store_private.h"

static enum store_result apply_add(struct rows *rows, void *what, struct fault *fault)
{
    const struct client *const *client = what;
    struct client other;
    enum store_result result;

    if (!rows_have_room(rows, fault)) {
        return STORE_FAULT;
    }
    result = rows_client_get(rows, (*client)->id, &other, fault);
    if (result != STORE_ABSENT) {
        return result == STORE_OK ? STORE_EXISTS : result;
    }
    return rows_client_put(rows, *client, fault);
}

enum store_result store_client_add(struct store *store, const struct client *client,
                                   struct fault *fault)
{
    if (client->id[0] == '\0') {
        fault_set(fault, "a client needs an id");
        return STORE_FAULT;
    }
    return store_private_write(store, apply_add, &client, client->created_ms, fault);
}

enum store_result store_client_find(struct store *store, const char *id, struct client *client,
                                    struct fault *fault)
{
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = rows_client_get(&rows, id, client, fault);
        store_private_read_end(&rows);
    }
    return result;
}

struct update {
    const struct client *before;
    const struct client *after;
};

/* Both were zeroed before they were read, so their bytes can be compared. */
static enum store_result apply_update(struct rows *rows, void *what, struct fault *fault)
{
    const struct update *update = what;
    struct client client;
    enum store_result result;

    memset(&client, 0, sizeof client);
    result = rows_client_get(rows, update->after->id, &client, fault);
    if (result != STORE_OK) {
        return result;
    }
    return memcmp(update->before, &client, sizeof client) != 0
               ? STORE_STALE
               : rows_client_put(rows, update->after, fault);
}

enum store_result store_client_update(struct store *store, const struct client *before,
                                      const struct client *client, struct fault *fault)
{
    struct update update = {before, client};

    return store_private_write(store, apply_update, &update, 0, fault);
}

static enum store_result apply_remove(struct rows *rows, void *what, struct fault *fault)
{
    const char *const *id = what;

    return rows_client_remove(rows, *id, fault);
}

enum store_result store_client_remove(struct store *store, const char *id, struct fault *fault)
{
    return store_private_write(store, apply_remove, &id, 0, fault);
}

static enum store_result list(struct rows *rows, const char *after, struct client *found,
                              size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_first();
    enum engine_seek seek = ENGINE_FROM;

    if (after != NULL) {
        position.size = strnlen(after, CLIENT_ID_MAX);
        memcpy(position.bytes, after, position.size);
        seek = ENGINE_AFTER;
    }
    while (*count < room) {
        char id[ENGINE_KEY_MAX + 1];
        enum store_result result = rows_next(rows, TABLE_CLIENTS, seek, &position, fault);

        if (result != STORE_OK) {
            return result;
        }
        memcpy(id, position.bytes, position.size);
        id[position.size] = '\0';
        result = rows_client_get(rows, id, &found[*count], fault);
        if (result == STORE_FAULT) {
            return result;
        }
        *count += result == STORE_OK ? 1 : 0;
        seek = ENGINE_AFTER;
    }
    return STORE_OK;
}

enum store_result store_client_list(struct store *store, const char *after, struct client *rows,
                                    size_t room, size_t *count, struct fault *fault)
{
    struct rows snapshot;
    enum store_result result = store_private_read_begin(store, &snapshot, fault);

    *count = 0;
    if (result == STORE_OK) {
        result = list(&snapshot, after, rows, room, count, fault);
        store_private_read_end(&snapshot);
    }
    return result == STORE_ABSENT ? STORE_OK : result;
}
