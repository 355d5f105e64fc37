/* SPDX-License-Identifier: ISC */
/* chance.c: see chance.h. The generator is SplitMix64 (Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", 2014). */
#include "decision/chance.h"

#include <math.h>

static uint64_t next(struct chance *chance)
{
    uint64_t word = chance->state += 0x9e3779b97f4a7c15;

    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

struct chance chance_of(uint64_t seed, uint64_t number)
{
    struct chance chance = {.state = seed};

    chance.state = next(&chance) ^ number;
    chance.state = next(&chance);
    return chance;
}

double chance_unit(struct chance *chance)
{
    return (double)(next(chance) >> 11) * 0x1p-53;
}

bool chance_happens(struct chance *chance, double share)
{
    return chance_unit(chance) < share;
}

int64_t chance_below_ms(struct chance *chance, int64_t below_ms)
{
    return (int64_t)(chance_unit(chance) * (double)below_ms);
}

int64_t chance_around_ms(struct chance *chance, int64_t mean_ms)
{
    return (int64_t)(-log(1 - chance_unit(chance)) * (double)mean_ms);
}

int64_t chance_between_ms(struct chance *chance, int64_t least_ms, int64_t most_ms)
{
    return (int64_t)((double)least_ms *
                     pow((double)most_ms / (double)least_ms, chance_unit(chance)));
}
