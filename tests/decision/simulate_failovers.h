/* SPDX-License-Identifier: ISC */
/* simulate_failovers.h: what rotation-durability means to users and thieves. */
#ifndef RETOKEN_TESTS_DECISION_SIMULATE_FAILOVERS_H
#define RETOKEN_TESTS_DECISION_SIMULATE_FAILOVERS_H

#include "decision/population.h"

/* Prints the tables, or rows of JSON. */
void simulate_failovers(const struct options *options);

#endif
