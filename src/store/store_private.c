/* store_private.c: see store_private.h. */
#include "store/store_private.h"

#include <unistd.h>

bool store_private_is_ours(const struct store *store, struct fault *fault)
{
    if (getpid() == store->process) {
        return true;
    }
    fault_set(fault, "the store was opened before a fork: LMDB must be opened after it");
    return false;
}

enum store_result store_private_read_begin(struct store *store, struct rows *rows,
                                           struct fault *fault)
{
    if (!store_private_is_ours(store, fault)) {
        return STORE_FAULT;
    }
    *rows = (struct rows){.kind = store->engine->kind, .mac = store->mac};
    return rows->kind->read_begin(store->engine, &rows->txn, fault) == ENGINE_OK ? STORE_OK
                                                                                 : STORE_FAULT;
}

void store_private_read_end(struct rows *rows)
{
    rows->kind->read_end(&rows->txn);
}

bool store_private_may_write(const struct store *store, struct fault *fault)
{
    if (!store_private_is_ours(store, fault)) {
        return false;
    } else if (store->group == NULL) {
        fault_set(fault, "the store was opened for reading only");
        return false;
    }
    return true;
}

enum store_result store_private_write(struct store *store,
                                      enum store_result (*apply)(struct rows *rows, void *what,
                                                                 struct fault *fault),
                                      void *what, int64_t now_ms, struct fault *fault)
{
    struct store_change change = {.apply = apply, .what = what, .now_ms = now_ms, .fault = fault};

    return store_private_may_write(store, fault) ? group_commit_write(store->group, &change)
                                                 : STORE_FAULT;
}
