/* SPDX-License-Identifier: ISC */
/* population.h: many lives together: kinds of clients, what happens to so many of them, and how
 * figures are printed. Knows how a row is counted; does not know which rows there are. */
#ifndef RETOKEN_TESTS_DECISION_POPULATION_H
#define RETOKEN_TESTS_DECISION_POPULATION_H

#include "base/clock.h"
#include "decision/life.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MINUTES(n)   ((int64_t)(n)*CLOCK_MINUTE)
#define HOURS(n)     ((int64_t)(n)*CLOCK_HOUR)

#define ROTATING(window_ms)                                                                        \
    .rotate = true, .concurrency_window_ms = (window_ms), .access_lifetime_ms = MINUTES(15)
#define RECOVERING(window_ms, generations, evidence)                                               \
    .recovery_window_ms = (window_ms), .recovery_generations = (generations),                      \
    .recovery_evidence = RECOVERY_EVIDENCE_##evidence

struct options {
    uint64_t seed, users, thieves;
    int weeks;
    bool json, failovers;
};

struct client_kind {
    const char *name;
    int fewer; /* so many times fewer users than phones: they renew more often */
    struct habits habits;
};

enum { KIND_PHONE, KIND_GOOD_PHONE, KIND_TABS, KIND_PROCESSES, KIND_SERVERS, KINDS };
extern const struct client_kind population_kinds[KINDS];

uint64_t population_users(const struct options *options, const struct client_kind *kind);

struct logouts population_logouts(const struct options *options, const struct terms *terms,
                                  const struct client_kind *kind,
                                  const struct failovers *failovers);

struct thefts {
    uint64_t let_in, never, shut_out;
    int64_t median_ms, late_ms; /* of those let in: a half, and 95 %, are noticed by then */
};

/* Of phones that lose 5 % of the answers. */
struct thefts population_thefts(const struct options *options, const struct terms *terms,
                                const struct failovers *failovers, const struct thief *thief);

/* Separates rows of JSON; before each. */
void population_next_row(void);

/* Names and values of `thefts` as members of a JSON object. */
void population_print_thefts(const struct options *options, const struct thefts *thefts);

double population_percent(int64_t part, int64_t whole);
const char *population_duration(int64_t ms, char room[16]);

#endif
