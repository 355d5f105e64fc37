/* SPDX-License-Identifier: ISC */
/* arena.h: memory for one request. Allocations are not freed one by one; a reset takes all of them
 * back and wipes them, because they held tokens. Bounded, so that no client can make it grow. */
#ifndef RETOKEN_BASE_ARENA_H
#define RETOKEN_BASE_ARENA_H

#include <stddef.h>

#include "base/text.h"

struct arena;

/* An arena that allocates at most `limit` bytes between two resets. NULL: out of memory. */
struct arena *arena_open(size_t limit);
/* Wipes and frees everything. NULL is harmless. */
void arena_close(struct arena *arena);
/* Wipes what was used; keeps the first block for the next request. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type; NULL past the limit or out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* Gives the end of what was allocated last, `size` bytes at `piece`, back: all but the first
 * `kept`, which are at least one. Nothing may have been written there. After another allocation
 * nothing happens. */
void arena_shrink(struct arena *arena, const void *piece, size_t size, size_t kept);
/* A NUL-terminated copy; NULL past the limit. */
char *arena_c_string(struct arena *arena, struct text t);
/* A copy, with a NUL after its end. False past the limit, and *copy is unchanged. */
bool arena_copy(struct arena *arena, struct text t, struct text *copy);
/* Bytes in use now. For tests. */
size_t arena_used(const struct arena *arena);

#endif
