/* SPDX-License-Identifier: ISC */
/* arena.c: blocks of zeroed memory, used from the front. Knows its limit; does not know what the
 * memory holds, so all that was used is wiped. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* The first block is kept between requests, and is enough for most of them. */
enum { BLOCK_SIZE = 32 * 1024, ALIGNMENT = alignof(max_align_t) };

struct block {
    struct block *older;
    size_t room; /* both multiples of ALIGNMENT */
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *newest; /* never NULL; the first block is the oldest */
    size_t limit;
    size_t used; /* in all blocks, each piece rounded up: the last one may end beyond the limit */
};

/* For alignment; size <= PTRDIFF_MAX. */
static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct block *block_open(size_t room)
{
    struct block *block = NULL;

    if (room <= PTRDIFF_MAX - sizeof *block - ALIGNMENT) {
        room = round_up(room);
        block = calloc(1, sizeof *block + room);
    }
    if (block != NULL) {
        block->room = room;
    }
    return block;
}

static void block_wipe(struct block *block)
{
    secret_wipe(block->data, block->used);
    block->used = 0;
}

struct arena *arena_open(size_t limit)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (arena == NULL) {
        return NULL;
    }
    arena->limit = limit;
    arena->newest = block_open(limit < BLOCK_SIZE ? limit : BLOCK_SIZE);
    if (arena->newest == NULL) {
        free(arena);
        return NULL;
    }
    return arena;
}

void arena_close(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    arena_reset(arena);
    free(arena->newest);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    while (arena->newest->older != NULL) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        block_wipe(block);
        free(block);
    }
    block_wipe(arena->newest);
    arena->used = 0;
}

/* Adds a block, no larger than what the limit leaves. */
static bool grow(struct arena *arena, size_t size)
{
    size_t left = arena->limit - arena->used;
    size_t room = left < BLOCK_SIZE ? left : BLOCK_SIZE;
    struct block *block = block_open(size > room ? size : room);

    if (block == NULL) {
        return false;
    }
    block->older = arena->newest;
    arena->newest = block;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->newest;
    char *data;

    if (size == 0) {
        size = 1; /* so that every result is a distinct pointer, and NULL means failure */
    }
    if (arena->used > arena->limit || size > arena->limit - arena->used) {
        return NULL;
    }
    if (size > block->room - block->used) {
        if (!grow(arena, size)) {
            return NULL;
        }
        block = arena->newest;
    }
    data = block->data + block->used;
    size = round_up(size);
    block->used += size;
    arena->used += size;
    return data;
}

void arena_shrink(struct arena *arena, const void *piece, size_t size, size_t kept)
{
    struct block *block = arena->newest;
    size_t less = round_up(size) - round_up(kept);

    if ((const char *)piece + round_up(size) == block->data + block->used) {
        block->used -= less;
        arena->used -= less;
    }
}

char *arena_c_string(struct arena *arena, struct text t)
{
    struct text copy;

    /* The copy is in the arena, so it is not const. */
    return arena_copy(arena, t, &copy) ? (char *)(uintptr_t)copy.data : NULL;
}

bool arena_copy(struct arena *arena, struct text t, struct text *copy)
{
    char *data = t.size == SIZE_MAX ? NULL : arena_alloc(arena, t.size + 1);

    if (data == NULL) {
        return false;
    }
    if (t.size > 0) {
        memcpy(data, t.data, t.size);
    }
    *copy = (struct text){data, t.size};
    return true;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used < arena->limit ? arena->used : arena->limit;
}
