/* SPDX-License-Identifier: ISC */
/* simulate_failovers.c: see simulate_failovers.h. Clients whose policy lets none of them be logged
 * out without failovers, so that whatever happens is because of them; and thieves who hold the very
 * token whose spending is forgotten. Knows the rows; does not know what happens in a life. */
#include "decision/simulate_failovers.h"

#include <inttypes.h>
#include <stdio.h>

enum { EVERY_MS = 10 * CLOCK_MINUTE, DOWN_MS = 10 * CLOCK_SECOND };

static const struct {
    const char *client, *policy;
    int kind;
    struct terms terms;
} honest[] = {
    {"phone",
     "1m, recovery 7d",
     KIND_PHONE,
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(168), 1, NONE)}}},
    {"tabs", "1m", KIND_TABS, {.policy = {ROTATING(MINUTES(1))}}},
    {"servers", "1m", KIND_SERVERS, {.policy = {ROTATING(MINUTES(1))}}},
    {"processes",
     "1m, recovery 24h, 3 generations",
     KIND_PROCESSES,
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 3, NONE)}}},
    {"processes", "1h", KIND_PROCESSES, {.policy = {ROTATING(HOURS(1))}}},
};

static const struct {
    const char *name;
    struct failovers failovers;
} kept[] = {
    {"no failover", {0}},
    {"quorum, 1 s", {EVERY_MS, CLOCK_SECOND, DOWN_MS, false}},
    {"local, 0.1 s", {EVERY_MS, CLOCK_SECOND / 10, DOWN_MS, true}},
    {"local, 1 s", {EVERY_MS, CLOCK_SECOND, DOWN_MS, true}},
    {"local, 10 s", {EVERY_MS, 10 * CLOCK_SECOND, DOWN_MS, true}},
};

static const struct {
    const char *name;
    struct terms terms;
} stolen_under[] = {
    {"1m", {.policy = {ROTATING(MINUTES(1))}}},
    {"1m, recovery 24h", {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 1, NONE)}}},
};

static const struct {
    const char *name, *title;
    struct thief thief;
} thieves[] = {
    {"soon-once", "1 s after the failover, once", {.late = true}},
    {"later-once", "1 s to 24 h after it, once", {.late = true, .waits = true}},
    {"soon-on", "1 s after it, then every 15 min", {.late = true, .every_ms = LIFE_NEVER}},
    {"later-on",
     "1 s to 24 h after it, then every 15 min",
     {.late = true, .waits = true, .every_ms = LIFE_NEVER}},
};

static void print_honest(const struct options *options, size_t row, size_t how);
static double each_failover(const struct options *options, size_t row, int64_t count);
static void print_thefts(const struct options *options, size_t row, size_t thief, bool local);

void simulate_failovers(const struct options *options)
{
    if (!options->json) {
        printf("A failover every 10 min, 10 s without answers, what is written so shortly before "
               "it is not on the standby.\nOf 10^6 sessions, for each failover:\n%-10s %-32s %-13s "
               "%12s %12s %14s %10s\n",
               "", "", "", "unanswered", "forgotten", "rolled forward", "logged out");
    }
    for (size_t row = 0; row < COUNT(honest); row++) {
        for (size_t how = 0; how < COUNT(kept); how++) {
            print_honest(options, row, how);
        }
    }
    if (!options->json) {
        printf("\nA thief holds a phone's token whose spending, up to 1 s before a failover, is "
               "kept (quorum) or forgotten (local)\n%-17s %-42s %-7s %9s %8s %8s %9s\n",
               "", "", "", "let in, %", "median", "95 %", "never, %");
    }
    for (size_t row = 0; row < COUNT(stolen_under); row++) {
        for (size_t thief = 0; thief < COUNT(thieves); thief++) {
            print_thefts(options, row, thief, false);
            print_thefts(options, row, thief, true);
        }
    }
}

static void print_honest(const struct options *options, size_t row, size_t how)
{
    const struct client_kind *kind = &population_kinds[honest[row].kind];
    struct logouts sum =
        population_logouts(options, &honest[row].terms, kind, &kept[how].failovers);

    if (options->json) {
        population_next_row();
        printf("{\"client\":\"%s\",\"policy\":\"%s\",\"failovers\":\"%s\",\"users\":%" PRIu64
               ",\"spent\":%" PRId64 ",\"unanswered\":%" PRId64 ",\"forgotten\":%" PRId64
               ",\"rolled_forward\":%" PRId64 ",\"logouts\":%" PRId64 "}",
               honest[row].client, honest[row].policy, kept[how].name,
               population_users(options, kind), sum.spent, sum.unanswered, sum.forgotten,
               sum.rolled_forward, sum.times);
    } else {
        printf("%-10s %-32s %-13s %12.2f %12.3f %14.3f %10.4f\n", honest[row].client,
               honest[row].policy, kept[how].name, each_failover(options, row, sum.unanswered),
               each_failover(options, row, sum.forgotten),
               each_failover(options, row, sum.rolled_forward),
               each_failover(options, row, sum.times));
    }
    fflush(stdout);
}

/* Without failovers: as if there were as many. */
static double each_failover(const struct options *options, size_t row, int64_t count)
{
    uint64_t users = population_users(options, &population_kinds[honest[row].kind]);
    int64_t failovers = options->weeks * 7 * (int64_t)CLOCK_DAY / EVERY_MS;

    return (double)count / (double)failovers * 1e6 / (double)users;
}

static void print_thefts(const struct options *options, size_t row, size_t thief, bool local)
{
    const struct failovers once = {.lag_ms = CLOCK_SECOND, .down_ms = DOWN_MS, .local = local};
    struct thefts sum =
        population_thefts(options, &stolen_under[row].terms, &once, &thieves[thief].thief);
    const char *durability = local ? "local" : "quorum";
    char median[16];
    char late[16];

    if (options->json) {
        population_next_row();
        printf("{\"policy\":\"%s\",\"thief\":\"%s\",\"durability\":\"%s\",", stolen_under[row].name,
               thieves[thief].name, durability);
        population_print_thefts(options, &sum);
        putchar('}');
    } else {
        printf("%-17s %-42s %-7s %9.2f %8s %8s %9.2f\n", stolen_under[row].name,
               thieves[thief].title, durability,
               population_percent((int64_t)sum.let_in, (int64_t)options->thieves),
               population_duration(sum.median_ms, median), population_duration(sum.late_ms, late),
               population_percent((int64_t)sum.never, (int64_t)sum.let_in));
    }
    fflush(stdout);
}
