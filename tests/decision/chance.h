/* SPDX-License-Identifier: ISC */
/* chance.h: random numbers that are the same in every run: SplitMix64 from a seed. Knows
 * distributions; does not know what is drawn. */
#ifndef RETOKEN_TESTS_DECISION_CHANCE_H
#define RETOKEN_TESTS_DECISION_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* A stream of its own for every pair of numbers. */
struct chance chance_of(uint64_t seed, uint64_t number);

/* At least 0, below 1. */
double chance_unit(struct chance *chance);

/* True in this share of all cases. */
bool chance_happens(struct chance *chance, double share);

/* Uniform from 0 up to, not including, below_ms. */
int64_t chance_below_ms(struct chance *chance, int64_t below_ms);

/* Exponential: how long something takes that comes to an end at any moment alike. */
int64_t chance_around_ms(struct chance *chance, int64_t mean_ms);

/* Log-uniform: from 1 s to 2 s as often as from 1 h to 2 h. */
int64_t chance_between_ms(struct chance *chance, int64_t least_ms, int64_t most_ms);

#endif
