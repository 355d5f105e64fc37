/* accounts.c: the verbs about accounts. Records stand under numbers, which are never used twice;
 * a table of names leads to them. */
#include <string.h>

#include "store/store_private.h"

/* ---- find ---- */

static enum store_result find(struct rows *rows, const char *name, struct account *account,
                              struct fault *fault)
{
    uint64_t number;
    enum store_result result = rows_name_get(rows, name, &number, fault);

    return result == STORE_OK ? rows_account_get(rows, number, account, fault) : result;
}

enum store_result store_account_find(struct store *store, const char *name, struct account *account,
                                     struct fault *fault)
{
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = find(&rows, name, account, fault);
        store_private_read_end(&rows);
    }
    return result;
}

enum store_result store_account_get(struct store *store, uint64_t number, struct account *account,
                                    struct fault *fault)
{
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = rows_account_get(&rows, number, account, fault);
        store_private_read_end(&rows);
    }
    return result;
}

/* ---- change ---- */

static enum store_result apply_add(struct rows *rows, void *what, struct fault *fault)
{
    struct account *account = what;
    struct record_counters counters;
    uint64_t number;
    enum store_result result;

    if (!rows_have_room(rows, fault)) {
        return STORE_FAULT;
    }
    result = rows_name_get(rows, account->name, &number, fault);
    if (result != STORE_ABSENT) {
        return result == STORE_OK ? STORE_EXISTS : result;
    } else if (rows_counters_get(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    account->number = counters.next_account++;
    if (rows_name_put(rows, account->name, account->number, fault) != STORE_OK ||
        rows_account_put(rows, account, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_counters_put(rows, &counters, fault);
}

enum store_result store_account_add(struct store *store, struct account *account,
                                    struct fault *fault)
{
    if (account->name[0] == '\0') {
        fault_set(fault, "an account needs a name");
        return STORE_FAULT;
    }
    return store_private_write(store, apply_add, account, account->created_ms, fault);
}

struct update {
    const struct account *before; /* NULL = any */
    const struct account *after;
};

static bool is_same(const struct account *a, const struct account *b)
{
    return a->enabled == b->enabled && a->created_ms == b->created_ms &&
           strcmp(a->name, b->name) == 0 && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->roles, b->roles) == 0 && strcmp(a->claims, b->claims) == 0 &&
           strcmp(a->password, b->password) == 0;
}

static enum store_result apply_update(struct rows *rows, void *what, struct fault *fault)
{
    const struct update *update = what;
    struct account account;
    struct account updated = *update->after;
    enum store_result result = rows_account_get(rows, updated.number, &account, fault);

    if (result != STORE_OK) {
        return result;
    } else if (update->before != NULL && !is_same(update->before, &account)) {
        return STORE_STALE;
    }
    memcpy(updated.name, account.name, sizeof(updated.name));
    return rows_account_put(rows, &updated, fault);
}

enum store_result store_account_update(struct store *store, const struct account *before,
                                       const struct account *account, struct fault *fault)
{
    struct update update = {before, account};

    return store_private_write(store, apply_update, &update, 0, fault);
}

static enum store_result apply_remove(struct rows *rows, void *what, struct fault *fault)
{
    const char *const *name = what;
    uint64_t number;
    enum store_result result = rows_name_get(rows, *name, &number, fault);

    if (result != STORE_OK) {
        return result;
    } else if (rows_account_remove(rows, number, fault) == STORE_FAULT) {
        return STORE_FAULT;
    }
    return rows_name_remove(rows, *name, fault);
}

enum store_result store_account_remove(struct store *store, const char *name, struct fault *fault)
{
    return store_private_write(store, apply_remove, &name, 0, fault);
}

/* ---- list ---- */

static enum store_result list(struct rows *rows, const char *after, struct account *found,
                              size_t room, size_t *count, struct fault *fault)
{
    struct rows_key position = rows_key_first();
    enum engine_seek seek = ENGINE_FROM;
    enum store_result result = STORE_OK;

    if (after != NULL) {
        position.size = strnlen(after, ACCOUNT_NAME_MAX);
        memcpy(position.bytes, after, position.size);
        seek = ENGINE_AFTER;
    }
    while (*count < room) {
        char name[ACCOUNT_NAME_MAX + 1];

        result = rows_next(rows, TABLE_NAMES, seek, &position, fault);
        if (result != STORE_OK) {
            return result;
        }
        memcpy(name, position.bytes, position.size);
        name[position.size] = '\0';
        result = find(rows, name, &found[*count], fault);
        if (result == STORE_FAULT) {
            return result;
        }
        *count += result == STORE_OK ? 1 : 0;
        seek = ENGINE_AFTER;
    }
    return STORE_OK;
}

enum store_result store_account_list(struct store *store, const char *after, struct account *rows,
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
