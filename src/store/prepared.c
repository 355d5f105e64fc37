/* prepared.c: prepared writes, made at once or handed in; see store.h, "what one request writes",
 * and prepared.h. */
#include "store/prepared.h"

void prepared_start(struct store_write *write,
                    enum store_result (*apply)(struct rows *rows, void *what, struct fault *fault),
                    int64_t now_ms)
{
    write->store = NULL;
    write->change = (struct store_change){.apply = apply, .what = write, .now_ms = now_ms};
}

enum store_result store_write(struct store *store, struct store_write *write, struct fault *fault)
{
    if (!store_private_may_write(store, fault)) {
        return STORE_FAULT;
    }
    write->store = store;
    write->change.fault = fault;
    return group_commit_write(store->group, &write->change);
}

void store_submit(struct store *store, struct store_write *write, struct fault *fault,
                  void (*done)(void *self, enum store_result result), void *self)
{
    if (!store_private_may_write(store, fault)) {
        done(self, STORE_FAULT);
        return;
    }
    write->store = store;
    write->change.fault = fault;
    write->change.done = done;
    write->change.self = self;
    group_commit_submit(store->group, &write->change);
}

enum store_pending store_pending(struct store *store)
{
    return store->group != NULL ? group_commit_pending(store->group) : STORE_NOTHING;
}

void store_flush(struct store *store)
{
    if (store->group != NULL) {
        group_commit_flush(store->group);
    }
}
