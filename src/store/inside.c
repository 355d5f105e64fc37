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

/* ---- prepared writes ---- */

void inside_prepare(struct store_write *write,
                    enum store_result (*apply)(struct rows *rows, void *what, struct fault *fault),
                    int64_t now_ms)
{
    write->store = NULL;
    write->change = (struct store_change){.apply = apply, .what = write, .now_ms = now_ms};
}

enum store_result store_write(struct store *store, struct store_write *write, struct fault *fault)
{
    if (!inside_may_write(store, fault)) {
        return STORE_FAULT;
    }
    write->store = store;
    write->change.fault = fault;
    return group_commit(store->group, &write->change);
}

void store_submit(struct store *store, struct store_write *write, struct fault *fault,
                  void (*done)(void *self, enum store_result result), void *self)
{
    if (!inside_may_write(store, fault)) {
        done(self, STORE_FAULT);
        return;
    }
    write->store = store;
    write->change.fault = fault;
    write->change.done = done;
    write->change.self = self;
    group_submit(store->group, &write->change);
}

enum store_pending store_pending(struct store *store)
{
    return store->group != NULL ? group_pending(store->group) : STORE_NOTHING;
}

void store_settle(struct store *store)
{
    if (store->group != NULL) {
        group_settle(store->group);
    }
}
