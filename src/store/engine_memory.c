/* engine_memory.c: tables in memory, for tests and dry runs; gone when the process ends.
 * Each table is a treap whose nodes are never changed once made: a writer copies the path it
 * changes, so a snapshot is a reference to a root, a commit replaces the roots, and an abort drops
 * the new ones. Readers never wait for a writer. Knows bytes in order; nothing else. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/engine.h"

/* ---- pairs and nodes, counted by reference ---- */

struct pair {
    atomic_size_t references;
    size_t key_size, value_size;
    uint8_t bytes[]; /* key, value */
};

struct node {
    atomic_size_t references;
    uint32_t priority; /* above those of its children; made from the key, so always the same */
    struct pair *pair;
    struct node *left, *right;
};

static struct pair *pair_make(struct engine_bytes key, struct engine_bytes value)
{
    struct pair *pair = malloc(sizeof(*pair) + key.size + value.size);

    if (pair != NULL) {
        atomic_init(&pair->references, 1);
        pair->key_size = key.size;
        pair->value_size = value.size;
        memcpy(pair->bytes, key.data, key.size);
        memcpy(pair->bytes + key.size, value.data, value.size);
    }
    return pair;
}

static void pair_release(struct pair *pair)
{
    if (atomic_fetch_sub(&pair->references, 1) == 1) {
        free(pair);
    }
}

static struct engine_bytes pair_key(const struct pair *pair)
{
    return (struct engine_bytes){pair->bytes, pair->key_size};
}

static int compare(struct engine_bytes a, struct engine_bytes b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static uint32_t priority_of(struct engine_bytes key)
{
    const uint8_t *bytes = key.data;
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, then stirred */

    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    return (uint32_t)(hash >> 32);
}

static struct node *retain(struct node *node)
{
    if (node != NULL) {
        atomic_fetch_add(&node->references, 1);
    }
    return node;
}

static void release(struct node *node)
{
    if (node != NULL && atomic_fetch_sub(&node->references, 1) == 1) {
        release(node->left);
        release(node->right);
        pair_release(node->pair);
        free(node);
    }
}

/* Below, every struct node * argument named `tree` is borrowed and every result is the caller's.
 * *failed is set when memory ran out; the results are then to be released and not used. */

/* Takes left and right over; shares the pair. */
static struct node *node_make(struct pair *pair, struct node *left, struct node *right,
                              bool *failed)
{
    struct node *node = malloc(sizeof(*node));

    if (node == NULL) {
        release(left);
        release(right);
        *failed = true;
        return NULL;
    }
    atomic_init(&node->references, 1);
    atomic_fetch_add(&pair->references, 1);
    node->priority = priority_of(pair_key(pair));
    node->pair = pair;
    node->left = left;
    node->right = right;
    return node;
}

/* *below: the keys below `key`, *above: the others. */
static void split(struct node *tree, struct engine_bytes key, struct node **below,
                  struct node **above, bool *failed)
{
    struct node *middle;

    if (tree == NULL) {
        *below = NULL;
        *above = NULL;
    } else if (compare(pair_key(tree->pair), key) < 0) {
        split(tree->right, key, &middle, above, failed);
        *below = node_make(tree->pair, retain(tree->left), middle, failed);
    } else {
        split(tree->left, key, below, &middle, failed);
        *above = node_make(tree->pair, middle, retain(tree->right), failed);
    }
}

/* All keys of `tree` are below all of `other`, which is borrowed too. */
static struct node *merge(struct node *tree, struct node *other, bool *failed)
{
    if (tree == NULL || other == NULL) {
        return retain(tree != NULL ? tree : other);
    } else if (tree->priority > other->priority) {
        return node_make(tree->pair, retain(tree->left), merge(tree->right, other, failed), failed);
    }
    return node_make(other->pair, merge(tree, other->left, failed), retain(other->right), failed);
}

static struct node *with(struct node *tree, struct pair *pair, bool *failed)
{
    struct engine_bytes key = pair_key(pair);
    struct node *below, *above;
    int order = tree == NULL ? 0 : compare(key, pair_key(tree->pair));

    if (tree == NULL) {
        return node_make(pair, NULL, NULL, failed);
    } else if (order == 0) {
        return node_make(pair, retain(tree->left), retain(tree->right), failed);
    } else if (priority_of(key) > tree->priority) {
        split(tree, key, &below, &above, failed);
        return node_make(pair, below, above, failed);
    } else if (order < 0) {
        return node_make(tree->pair, with(tree->left, pair, failed), retain(tree->right), failed);
    }
    return node_make(tree->pair, retain(tree->left), with(tree->right, pair, failed), failed);
}

/* The key is in the tree. */
static struct node *without(struct node *tree, struct engine_bytes key, bool *failed)
{
    int order = compare(key, pair_key(tree->pair));

    if (order == 0) {
        return merge(tree->left, tree->right, failed);
    } else if (order < 0) {
        return node_make(tree->pair, without(tree->left, key, failed), retain(tree->right), failed);
    }
    return node_make(tree->pair, retain(tree->left), without(tree->right, key, failed), failed);
}

/* ---- snapshots ---- */

struct snapshot {
    size_t references; /* under the engine's lock */
    struct node *roots[ENGINE_TABLES];
    uint64_t entries[ENGINE_TABLES];
};

struct memory {
    struct engine engine;
    pthread_mutex_t writing; /* held for a write transaction */
    pthread_mutex_t lock;    /* over `current`, references and `commits` */
    struct snapshot *current;
    uint64_t commits;
};

static struct memory *memory_of(struct engine *engine)
{
    return (struct memory *)engine;
}

static void drop_snapshot(struct memory *memory, struct snapshot *snapshot)
{
    size_t left;

    pthread_mutex_lock(&memory->lock);
    left = --snapshot->references;
    pthread_mutex_unlock(&memory->lock);
    if (left == 0) {
        for (size_t table = 0; table < ENGINE_TABLES; table++) {
            release(snapshot->roots[table]);
        }
        free(snapshot);
    }
}

static struct snapshot *take_snapshot(struct memory *memory)
{
    struct snapshot *snapshot;

    pthread_mutex_lock(&memory->lock);
    snapshot = memory->current;
    snapshot->references++;
    pthread_mutex_unlock(&memory->lock);
    return snapshot;
}

static enum engine_result no_memory(struct fault *fault)
{
    fault_set(fault, "out of memory in a memory store");
    return ENGINE_FAULT;
}

static enum engine_result memory_read_begin(struct engine *engine, struct engine_txn *txn,
                                            struct fault *fault)
{
    (void)fault;
    *txn = (struct engine_txn){engine, take_snapshot(memory_of(engine))};
    return ENGINE_OK;
}

static void memory_read_end(struct engine_txn *txn)
{
    drop_snapshot(memory_of(txn->engine), txn->handle);
}

static enum engine_result memory_write_begin(struct engine *engine, struct engine_txn *txn,
                                             struct fault *fault)
{
    struct memory *memory = memory_of(engine);
    struct snapshot *draft = malloc(sizeof(*draft));

    if (draft == NULL) {
        return no_memory(fault);
    }
    pthread_mutex_lock(&memory->writing);
    pthread_mutex_lock(&memory->lock);
    *draft = *memory->current; /* only the holder of `writing` replaces it */
    pthread_mutex_unlock(&memory->lock);
    draft->references = 1;
    for (size_t table = 0; table < ENGINE_TABLES; table++) {
        retain(draft->roots[table]);
    }
    *txn = (struct engine_txn){engine, draft};
    return ENGINE_OK;
}

static enum engine_result memory_commit(struct engine_txn *txn, struct fault *fault)
{
    struct memory *memory = memory_of(txn->engine);
    struct snapshot *old;

    (void)fault;
    pthread_mutex_lock(&memory->lock);
    old = memory->current;
    memory->current = txn->handle;
    memory->commits++;
    pthread_mutex_unlock(&memory->lock);
    pthread_mutex_unlock(&memory->writing);
    drop_snapshot(memory, old);
    return ENGINE_OK;
}

static void memory_abort(struct engine_txn *txn)
{
    struct memory *memory = memory_of(txn->engine);

    pthread_mutex_unlock(&memory->writing);
    drop_snapshot(memory, txn->handle);
}

/* ---- rows ---- */

static enum engine_result memory_get(struct engine_txn *txn, enum engine_table table,
                                     struct engine_bytes key, struct engine_bytes *value,
                                     struct fault *fault)
{
    const struct snapshot *snapshot = txn->handle;
    const struct node *node = snapshot->roots[table];

    (void)fault;
    while (node != NULL) {
        int order = compare(key, pair_key(node->pair));

        if (order == 0) {
            *value = (struct engine_bytes){node->pair->bytes + node->pair->key_size,
                                           node->pair->value_size};
            return ENGINE_OK;
        }
        node = order < 0 ? node->left : node->right;
    }
    return ENGINE_ABSENT;
}

static enum engine_result memory_seek(struct engine_txn *txn, enum engine_table table,
                                      enum engine_seek seek, struct engine_bytes key,
                                      struct engine_bytes *found, struct fault *fault)
{
    const struct snapshot *snapshot = txn->handle;
    const struct node *node = snapshot->roots[table];
    const struct node *best = NULL;

    (void)fault;
    while (node != NULL) {
        int order = compare(pair_key(node->pair), key);
        bool fits = seek == ENGINE_BEFORE  ? order < 0
                    : seek == ENGINE_AFTER ? order > 0
                                           : order >= 0;

        best = fits ? node : best;
        /* A fit may be bettered towards the key, a miss lies on its wrong side. */
        node = fits == (seek == ENGINE_BEFORE) ? node->right : node->left;
    }
    if (best == NULL) {
        return ENGINE_ABSENT;
    }
    *found = pair_key(best->pair);
    return ENGINE_OK;
}

static enum engine_result replace_root(struct snapshot *draft, enum engine_table table,
                                       struct node *root, bool failed, struct fault *fault)
{
    if (failed) {
        release(root);
        return no_memory(fault);
    }
    release(draft->roots[table]);
    draft->roots[table] = root;
    return ENGINE_OK;
}

static enum engine_result memory_put(struct engine_txn *txn, enum engine_table table,
                                     struct engine_bytes key, struct engine_bytes value,
                                     struct fault *fault)
{
    struct snapshot *draft = txn->handle;
    struct pair *pair = pair_make(key, value);
    struct engine_bytes old;
    bool failed = false;
    enum engine_result result;

    if (pair == NULL) {
        return no_memory(fault);
    }
    draft->entries[table] += memory_get(txn, table, key, &old, fault) == ENGINE_ABSENT ? 1 : 0;
    result = replace_root(draft, table, with(draft->roots[table], pair, &failed), failed, fault);
    pair_release(pair);
    return result;
}

static enum engine_result memory_remove(struct engine_txn *txn, enum engine_table table,
                                        struct engine_bytes key, struct fault *fault)
{
    struct snapshot *draft = txn->handle;
    struct engine_bytes old;
    bool failed = false;

    if (memory_get(txn, table, key, &old, fault) == ENGINE_ABSENT) {
        return ENGINE_ABSENT;
    }
    draft->entries[table]--;
    return replace_root(draft, table, without(draft->roots[table], key, &failed), failed, fault);
}

/* ---- the engine ---- */

static struct engine *memory_open(const struct engine_settings *settings, struct fault *fault)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    struct snapshot *empty = calloc(1, sizeof(*empty));

    if (settings->place[0] != '\0') {
        fault_set(fault, "a memory store has no place: \"memory:%s\" should be \"memory:\"",
                  settings->place);
    } else if (memory == NULL || empty == NULL) {
        no_memory(fault);
    } else {
        memory->engine.kind = &engine_memory;
        empty->references = 1;
        memory->current = empty;
        pthread_mutex_init(&memory->writing, NULL);
        pthread_mutex_init(&memory->lock, NULL);
        return &memory->engine;
    }
    free(memory);
    free(empty);
    return NULL;
}

static void memory_close(struct engine *engine)
{
    struct memory *memory = memory_of(engine);

    drop_snapshot(memory, memory->current);
    pthread_mutex_destroy(&memory->writing);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static enum engine_result memory_stat(struct engine_txn *txn, struct engine_stat *stat,
                                      struct fault *fault)
{
    struct memory *memory = memory_of(txn->engine);
    const struct snapshot *snapshot = txn->handle;

    (void)fault;
    *stat = (struct engine_stat){.commits = 0};
    memcpy(stat->entries, snapshot->entries, sizeof(stat->entries));
    snprintf(stat->name, sizeof(stat->name), "memory");
    pthread_mutex_lock(&memory->lock);
    stat->commits = memory->commits;
    pthread_mutex_unlock(&memory->lock);
    return ENGINE_OK;
}

static bool memory_nearly_full(struct engine_txn *txn)
{
    (void)txn;
    return false;
}

static enum engine_result memory_grow(struct engine *engine, struct fault *fault)
{
    (void)engine;
    return no_memory(fault);
}

static void memory_tidy(struct engine *engine)
{
    (void)engine;
}

static enum engine_result memory_copy(struct engine *engine, const char *directory,
                                      struct fault *fault)
{
    (void)engine;
    (void)directory;
    fault_set(fault, "memory stores cannot be backed up");
    return ENGINE_FAULT;
}

static bool memory_is_broken(const struct engine *engine)
{
    (void)engine;
    return false;
}

const struct engine_kind engine_memory = {
    .scheme = "memory",
    .open = memory_open,
    .close = memory_close,
    .read_begin = memory_read_begin,
    .read_end = memory_read_end,
    .write_begin = memory_write_begin,
    .commit = memory_commit,
    .abort = memory_abort,
    .get = memory_get,
    .seek = memory_seek,
    .put = memory_put,
    .remove = memory_remove,
    .stat = memory_stat,
    .nearly_full = memory_nearly_full,
    .grow = memory_grow,
    .tidy = memory_tidy,
    .copy = memory_copy,
    .is_broken = memory_is_broken,
};
