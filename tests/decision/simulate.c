/* SPDX-License-Identifier: ISC */
/* simulate.c: what the windows cost and what they buy: how many users a lost answer logs out, and
 * how long a thief with a copied token stays unnoticed, for each policy; or, with --failovers, what
 * rotation-durability does. Knows the policies and the tables; does not know what happens in a life
 * (life.c). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decision/population.h"
#include "decision/simulate_failovers.h"

/* ---- what is compared ---- */

struct named_terms {
    const char *name;
    struct terms terms;
};

static const struct named_terms all_terms[] = {
    {"window 0", {.policy = {ROTATING(0)}}},
    {"window 10s", {.policy = {ROTATING(10 * CLOCK_SECOND)}}},
    {"window 1m", {.policy = {ROTATING(MINUTES(1))}}},
    {"window 5m", {.policy = {ROTATING(MINUTES(5))}}},
    {"window 1h", {.policy = {ROTATING(HOURS(1))}}},
    {"window 24h", {.policy = {ROTATING(HOURS(24))}}},
    {"1m, recovery 24h, client, without proof",
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 1, CLIENT)}}},
    {"1m, recovery 24h, client, with proof",
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 1, CLIENT)}, .proves = true}},
    {"1m, recovery 1h, none", {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(1), 1, NONE)}}},
    {"1m, recovery 24h, none", {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 1, NONE)}}},
    {"1m, recovery 7d, none", {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(168), 1, NONE)}}},
    {"1m, recovery 24h, none, 3 generations",
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 3, NONE)}}},
    {"1m, recovery 24h, none, 8 generations",
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(24), 8, NONE)}}},
    {"1m, recovery 7d, none, 8 generations",
     {.policy = {ROTATING(MINUTES(1)), RECOVERING(HOURS(168), 8, NONE)}}},
    {"rotation off", {.policy = {.rotate = false, .access_lifetime_ms = MINUTES(15)}}},
};

struct named_thief {
    const char *name, *title;
    struct thief thief;
};

static const struct named_thief thieves[] = {
    {"early-once", "uses it at once, and never again", {.late = false}},
    {"late-once",
     "uses it 1 s to 24 h after the owner, and never again",
     {.late = true, .waits = true}},
    {"early-on", "uses it at once and goes on every 15 min", {.every_ms = LIFE_NEVER}},
    {"late-on",
     "uses it 1 s to 24 h after the owner and goes on every 15 min",
     {.late = true, .waits = true, .every_ms = LIFE_NEVER}},
    {"early-fast", "uses it at once and goes on every 5 s", {.every_ms = 5 * CLOCK_SECOND}},
};

static const struct failovers never;

/* ---- the run ---- */

static struct options read_options(int argc, char **argv);
static uint64_t number_of(const char *text);
static void simulate_logouts(const struct options *options);
static void simulate_thefts(const struct options *options, const struct named_thief *thief);

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);

    if (options.json) {
        printf("{\"seed\":%" PRIu64 ",\"weeks\":%d,\"rows\":[", options.seed, options.weeks);
    } else {
        printf("%" PRIu64 " users, %" PRIu64 " thieves, %d weeks, seed %" PRIu64 "\n\n",
               options.users, options.thieves, options.weeks, options.seed);
    }
    if (options.failovers) {
        simulate_failovers(&options);
    } else {
        simulate_logouts(&options);
        for (size_t i = 0; i < COUNT(thieves); i++) {
            simulate_thefts(&options, &thieves[i]);
        }
    }
    if (options.json) {
        puts("\n]}");
    }
    return 0;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"failovers", no_argument, NULL, 'f'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"users", required_argument, NULL, 'u'},
                                          {"thieves", required_argument, NULL, 't'},
                                          {"weeks", required_argument, NULL, 'w'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .users = 100000, .thieves = 10000, .weeks = 4};
    int found;

    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'j':
            options.json = true;
            break;
        case 'f':
            options.failovers = true;
            break;
        case 's':
            options.seed = number_of(optarg);
            break;
        case 'u':
            options.users = number_of(optarg);
            break;
        case 't':
            options.thieves = number_of(optarg);
            break;
        case 'w':
            options.weeks = (int)number_of(optarg);
            break;
        default:
            fprintf(stderr, "usage: simulate [--failovers] [--json] [--seed N] [--users N] "
                            "[--thieves N] [--weeks N]\n");
            exit(2);
        }
    }
    return options;
}

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || number == 0 || number > 100000000) {
        fprintf(stderr, "simulate: %s is not a number from 1 to 100000000\n", text);
        exit(2);
    }
    return number;
}

/* ---- logouts ---- */

static void simulate_logouts(const struct options *options)
{
    if (!options->json) {
        printf("Logged out at least once, %% of the users: in a day, in a week\n%-40s", "");
        for (size_t k = 0; k < KINDS; k++) {
            printf("  %17s", population_kinds[k].name);
        }
        putchar('\n');
    }
    for (size_t i = 0; i < COUNT(all_terms); i++) {
        if (!options->json) {
            printf("%-40s", all_terms[i].name);
        }
        for (size_t k = 0; k < KINDS; k++) {
            struct logouts sum =
                population_logouts(options, &all_terms[i].terms, &population_kinds[k], &never);

            if (options->json) {
                population_next_row();
                printf("{\"policy\":\"%s\",\"client\":\"%s\",\"users\":%" PRIu64
                       ",\"spent\":%" PRId64 ",\"logouts\":%" PRId64 ",\"day\":%.4f,\"week\":%.4f}",
                       all_terms[i].name, population_kinds[k].name,
                       population_users(options, &population_kinds[k]), sum.spent, sum.times,
                       population_percent(sum.days_hit, sum.days),
                       population_percent(sum.weeks_hit, sum.weeks));
            } else {
                printf("  %8.2f %8.2f", population_percent(sum.days_hit, sum.days),
                       population_percent(sum.weeks_hit, sum.weeks));
            }
            fflush(stdout);
        }
        if (!options->json) {
            putchar('\n');
        }
    }
}

/* ---- thefts ---- */

static void simulate_thefts(const struct options *options, const struct named_thief *thief)
{
    if (!options->json) {
        printf("\nA thief copies a phone's token and %s\n%-40s  %9s  %8s  %8s  %9s  %9s\n",
               thief->title, "", "let in, %", "median", "95 %", "never, %", "owner out");
    }
    for (size_t i = 0; i < COUNT(all_terms); i++) {
        struct thefts sum = population_thefts(options, &all_terms[i].terms, &never, &thief->thief);
        char median[16];
        char late[16];

        if (options->json) {
            population_next_row();
            printf("{\"policy\":\"%s\",\"thief\":\"%s\",", all_terms[i].name, thief->name);
            population_print_thefts(options, &sum);
            putchar('}');
        } else {
            printf("%-40s  %9.2f  %8s  %8s  %9.2f  %9.2f\n", all_terms[i].name,
                   population_percent((int64_t)sum.let_in, (int64_t)options->thieves),
                   population_duration(sum.median_ms, median),
                   population_duration(sum.late_ms, late),
                   population_percent((int64_t)sum.never, (int64_t)sum.let_in),
                   population_percent((int64_t)sum.shut_out, (int64_t)sum.let_in));
        }
        fflush(stdout);
    }
}
