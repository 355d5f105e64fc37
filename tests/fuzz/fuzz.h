/* SPDX-License-Identifier: ISC */
/* fuzz.h: what the fuzz targets share. Each target is one function that takes any bytes and asserts
 * properties of what the code under test makes of them. Knows no format.
 *
 * A target has three lives: `make check` replays its seeds and some mutations of them (replay.c),
 * `./check fuzz` lets libFuzzer search, and the input of every fixed bug becomes a seed. */
#ifndef RETOKEN_TESTS_FUZZ_FUZZ_H
#define RETOKEN_TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

/* The target; libFuzzer's name for it. Returns 0. A property that does not hold ends the program.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

static inline _Noreturn void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: property does not hold: %s\n", file, line, condition);
    abort();
}

/* An empty arena with this limit, the same for every call with it; emptied by the next call. */
static inline struct arena *fuzz_arena(size_t limit)
{
    static struct arena *arena;
    static size_t arena_limit;

    if (arena == NULL || arena_limit != limit) {
        arena_close(arena);
        arena = arena_open(limit);
        arena_limit = limit;
    }
    FUZZ_ASSERT(arena != NULL);
    arena_reset(arena);
    return arena;
}

static inline struct text fuzz_text(const uint8_t *data, size_t size)
{
    return (struct text){(const char *)data, size};
}

/* Does `part` lie inside `whole`? The empty text lies anywhere. */
static inline bool fuzz_inside(struct text part, struct text whole)
{
    return part.size == 0 || (part.data >= whole.data && part.size <= whole.size &&
                              part.data + part.size <= whole.data + whole.size);
}

/* Is it "FILE:12: …", with a line that the file has, or 0 for none in particular? */
static inline void fuzz_check_fault(struct text fault, const char *name, struct text file)
{
    size_t lines = 1;
    uint64_t line = 0;

    for (size_t i = 0; i < file.size; i++) {
        lines += file.data[i] == '\n';
    }
    FUZZ_ASSERT(!text_has_control(fault));
    FUZZ_ASSERT(text_starts(fault, text_of(name)));
    fault = text_from(fault, strlen(name) + 1);
    FUZZ_ASSERT(text_to_u64(text_split(&fault, ':'), lines, &line));
    FUZZ_ASSERT(fault.size > 1);
}

/* Numbers that depend on the input alone, so that a run can be repeated: start with the state
 * fuzz_hash gives. The result is below `bound`, which is not 0. (FNV-1a; xorshift64*.) */
static inline uint64_t fuzz_hash(struct text t)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < t.size; i++) {
        hash = (hash ^ (uint8_t)t.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash | 1;
}

static inline size_t fuzz_random(uint64_t *state, size_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (size_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % bound;
}

#endif
