/* prune.c: sweeping on request, in batches that let other writers through. */
#include "store/store_private.h"

enum { PRUNE_SESSIONS = 100, PRUNE_ENTRIES = 500, PRUNE_ALIASES = 1000 };

struct pruning {
    const struct sweep *sweep;
    int64_t now_ms;
    size_t most;
    /* what this batch came to */
    size_t removed;
    bool more;
};

static enum store_result apply_prune(struct rows *rows, void *what, struct fault *fault)
{
    struct pruning *pruning = what;
    struct sweep_budget budget = {PRUNE_SESSIONS, PRUNE_ENTRIES, PRUNE_ALIASES};

    if (pruning->most < budget.sessions) {
        budget.sessions = pruning->most;
    }
    pruning->removed = 0;
    return sweep_run(rows, pruning->sweep, pruning->now_ms, &budget, &pruning->removed,
                     &pruning->more, fault);
}

enum store_result store_prune(struct store *store, int64_t now_ms, size_t most, size_t *removed,
                              bool *more, struct fault *fault)
{
    struct pruning pruning = {.sweep = &store->sweep, .now_ms = now_ms, .most = most, .more = true};
    enum store_result result = STORE_OK;

    *removed = 0;
    while (result == STORE_OK && pruning.more && pruning.most > 0) {
        /* Tells the group no time, or the group would sweep beyond `most`. */
        result = store_private_write(store, apply_prune, &pruning, 0, fault);
        if (result == STORE_OK) {
            *removed += pruning.removed;
            pruning.most -= pruning.removed;
        }
    }
    *more = pruning.more;
    return result;
}
