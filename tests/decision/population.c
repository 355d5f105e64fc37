/* SPDX-License-Identifier: ISC */
/* population.c: see population.h. */
#include "decision/population.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ON_A_PHONE                                                                                 \
    .holders = 1, .nights = true, .use_ms = MINUTES(10), .pause_ms = MINUTES(90),                  \
    .retry_most_ms = HOURS(24)

const struct client_kind population_kinds[KINDS] = {
    {"phone, 5 % lost", 1, {ON_A_PHONE, .lost = 0.05}},
    {"phone, 0.5 % lost", 10, {ON_A_PHONE, .lost = 0.005}},
    {"tabs",
     10,
     {.holders = 3,
      .nights = true,
      .use_ms = HOURS(1),
      .pause_ms = HOURS(2),
      .jitter_ms = 2 * CLOCK_SECOND,
      .lost = 0.01,
      .retry_most_ms = MINUTES(10)}},
    {"processes",
     10,
     {.holders = 3,
      .apart = true,
      .nights = true,
      .use_ms = HOURS(2),
      .pause_ms = MINUTES(30),
      .at_start = true,
      .lost = 0.01,
      .retry_most_ms = MINUTES(10)}},
    {"servers",
     100,
     {.holders = 8,
      .use_ms = LIFE_NEVER,
      .learn_ms = 30 * CLOCK_SECOND,
      .jitter_ms = 5 * CLOCK_SECOND,
      .lost = 0.001,
      .retry_most_ms = 30 * CLOCK_SECOND}},
};

static int compare(const void *a, const void *b);

uint64_t population_users(const struct options *options, const struct client_kind *kind)
{
    uint64_t users = options->users / (uint64_t)kind->fewer;

    return users > 0 ? users : 1;
}

struct logouts population_logouts(const struct options *options, const struct terms *terms,
                                  const struct client_kind *kind, const struct failovers *failovers)
{
    struct logouts sum = {0};

    for (uint64_t user = 0; user < population_users(options, kind); user++) {
        life_logouts(terms, &kind->habits, failovers, options->seed, user, options->weeks, &sum);
    }
    return sum;
}

struct thefts population_thefts(const struct options *options, const struct terms *terms,
                                const struct failovers *failovers, const struct thief *thief)
{
    const struct habits *habits = &population_kinds[KIND_PHONE].habits;
    struct thefts sum = {.median_ms = -1, .late_ms = -1};
    int64_t *noticed = calloc(options->thieves, sizeof *noticed);

    if (noticed == NULL) {
        fputs("simulate: out of memory\n", stderr);
        exit(1);
    }
    for (uint64_t user = 0; user < options->thieves; user++) {
        struct theft theft = life_theft(terms, habits, failovers, thief, options->seed, user);

        if (theft.let_in) {
            noticed[sum.let_in++] = theft.noticed_ms;
            sum.never += theft.noticed_ms == LIFE_NEVER;
            sum.shut_out += theft.shut_out;
        }
    }
    if (sum.let_in > 0) {
        qsort(noticed, sum.let_in, sizeof *noticed, compare);
        sum.median_ms = noticed[sum.let_in / 2];
        sum.late_ms = noticed[sum.let_in * 95 / 100];
    }
    free(noticed);
    return sum;
}

static int compare(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;

    return (first > second) - (first < second);
}

/* ---- figures ---- */

void population_next_row(void)
{
    static const char *between = "\n";

    fputs(between, stdout);
    between = ",\n";
}

void population_print_thefts(const struct options *options, const struct thefts *thefts)
{
    printf("\"thieves\":%" PRIu64 ",\"let_in\":%" PRIu64 ",\"never\":%" PRIu64
           ",\"shut_out\":%" PRIu64 ",\"median_ms\":%" PRId64 ",\"p95_ms\":%" PRId64,
           options->thieves, thefts->let_in, thefts->never, thefts->shut_out,
           thefts->median_ms == LIFE_NEVER ? -1 : thefts->median_ms,
           thefts->late_ms == LIFE_NEVER ? -1 : thefts->late_ms);
}

double population_percent(int64_t part, int64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

const char *population_duration(int64_t ms, char room[16])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{HOURS(24), "d"}, {CLOCK_HOUR, "h"}, {CLOCK_MINUTE, "min"}};

    if (ms == LIFE_NEVER || ms < 0) {
        return ms < 0 ? "-" : "never";
    }
    for (size_t i = 0; i < COUNT(units); i++) {
        if (ms >= units[i].ms) {
            snprintf(room, 16, "%.1f %s", (double)ms / (double)units[i].ms, units[i].unit);
            return room;
        }
    }
    snprintf(room, 16, "%.1f s", (double)ms / (double)CLOCK_SECOND);
    return room;
}
