/* inside.c: see inside.h. */
#include "store/inside.h"

#include "base/forks.h"

bool inside_is_ours(const struct store *store, struct fault *fault)
{
    if (forks_count() == store->forks) {
        return true;
    }
    fault_set(fault, "the store was opened before a fork: LMDB must be opened after it");
    return false;
}

enum store_result inside_read_begin(struct store *store, struct rows *rows, struct fault *fault)
{
    if (!inside_is_ours(store, fault)) {
        return STORE_FAULT;
    }
    *rows = (struct rows){.kind = store->engine->kind, .mac = store->mac};
    return rows->kind->read_begin(store->engine, &rows->txn, fault) == ENGINE_OK ? STORE_OK
                                                                                 : STORE_FAULT;
}

void inside_read_end(struct rows *rows)
{
    rows->kind->read_end(&rows->txn);
}

bool inside_may_write(const struct store *store, struct fault *fault)
{
    if (!inside_is_ours(store, fault)) {
        return false;
    } else if (store->group == NULL) {
        fault_set(fault, "the store was opened for reading only");
        return false;
    }
    return true;
}

enum store_result inside_write(struct store *store,
                               enum store_result (*apply)(struct rows *rows, void *what,
                                                          struct fault *fault),
                               void *what, int64_t now_ms, struct fault *fault)
{
    struct store_change change = {.apply = apply, .what = what, .now_ms = now_ms, .fault = fault};

    return inside_may_write(store, fault) ? group_commit(store->group, &change) : STORE_FAULT;
}
