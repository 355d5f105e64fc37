/* SPDX-License-Identifier: ISC */
/* simulate.c: what the windows cost and what they buy: how many users a lost answer logs out, and
 * how long a thief with a copied token stays unnoticed, for each policy. Knows the policies, the
 * clients and the tables; does not know what happens in a life (life.c). */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decision/life.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MINUTES(n)   ((int64_t)(n)*CLOCK_MINUTE)
#define HOURS(n)     ((int64_t)(n)*CLOCK_HOUR)

/* ---- what is compared ---- */

struct named_terms {
    const char *name;
    struct terms terms;
};

#define ROTATING(window_ms)                                                                        \
    .rotate = true, .concurrency_window_ms = (window_ms), .access_lifetime_ms = MINUTES(15)
#define RECOVERING(window_ms, generations, evidence)                                               \
    .recovery_window_ms = (window_ms), .recovery_generations = (generations),                      \
    .recovery_evidence = RECOVERY_EVIDENCE_##evidence

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

struct client_kind {
    const char *name;
    int fewer; /* so many times fewer users than phones: they renew more often */
    struct habits habits;
};

#define ON_A_PHONE                                                                                 \
    .holders = 1, .nights = true, .use_ms = MINUTES(10), .pause_ms = MINUTES(90),                  \
    .retry_most_ms = HOURS(24)

static const struct client_kind kinds[] = {
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

struct named_thief {
    const char *name, *title;
    struct thief thief;
};

static const struct named_thief thieves[] = {
    {"early-once", "uses it at once, and never again", {.late = false}},
    {"late-once", "uses it 1 s to 24 h after the owner, and never again", {.late = true}},
    {"early-on", "uses it at once and goes on every 15 min", {.every_ms = LIFE_NEVER}},
    {"late-on",
     "uses it 1 s to 24 h after the owner and goes on every 15 min",
     {.late = true, .every_ms = LIFE_NEVER}},
    {"early-fast", "uses it at once and goes on every 5 s", {.every_ms = 5 * CLOCK_SECOND}},
};

/* ---- the run ---- */

struct options {
    uint64_t seed, users, thieves;
    int weeks;
    bool json;
};

struct thefts {
    uint64_t let_in, never, shut_out;
    int64_t median_ms, late_ms; /* of those let in: a half, and 95 %, are noticed by then */
};

static struct options read_options(int argc, char **argv);
static uint64_t number_of(const char *text);
static void simulate_logouts(const struct options *options);
static struct logouts logouts_of(const struct options *options, const struct terms *terms,
                                 const struct client_kind *kind);
static uint64_t users_of(const struct options *options, const struct client_kind *kind);
static void simulate_thefts(const struct options *options, const struct named_thief *thief);
static struct thefts thefts_of(const struct options *options, const struct terms *terms,
                               const struct thief *thief);
static int compare(const void *a, const void *b);
static void next_row(void);
static double percent(int64_t part, int64_t whole);
static const char *duration(int64_t ms, char room[16]);

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);

    if (options.json) {
        printf("{\"seed\":%" PRIu64 ",\"weeks\":%d,\"rows\":[", options.seed, options.weeks);
    } else {
        printf("%" PRIu64 " users, %" PRIu64 " thieves, %d weeks, seed %" PRIu64 "\n\n",
               options.users, options.thieves, options.weeks, options.seed);
    }
    simulate_logouts(&options);
    for (size_t i = 0; i < COUNT(thieves); i++) {
        simulate_thefts(&options, &thieves[i]);
    }
    if (options.json) {
        puts("\n]}");
    }
    return 0;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'},        {"seed", required_argument, NULL, 's'},
        {"users", required_argument, NULL, 'u'}, {"thieves", required_argument, NULL, 't'},
        {"weeks", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .users = 100000, .thieves = 10000, .weeks = 4};
    int found;

    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'j':
            options.json = true;
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
            fprintf(stderr, "usage: simulate [--json] [--seed N] [--users N] [--thieves N] "
                            "[--weeks N]\n");
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
        for (size_t k = 0; k < COUNT(kinds); k++) {
            printf("  %17s", kinds[k].name);
        }
        putchar('\n');
    }
    for (size_t i = 0; i < COUNT(all_terms); i++) {
        if (!options->json) {
            printf("%-40s", all_terms[i].name);
        }
        for (size_t k = 0; k < COUNT(kinds); k++) {
            struct logouts sum = logouts_of(options, &all_terms[i].terms, &kinds[k]);

            if (options->json) {
                next_row();
                printf("{\"policy\":\"%s\",\"client\":\"%s\",\"users\":%" PRIu64
                       ",\"spent\":%" PRId64 ",\"logouts\":%" PRId64 ",\"day\":%.4f,\"week\":%.4f}",
                       all_terms[i].name, kinds[k].name, users_of(options, &kinds[k]), sum.spent,
                       sum.times, percent(sum.days_hit, sum.days),
                       percent(sum.weeks_hit, sum.weeks));
            } else {
                printf("  %8.2f %8.2f", percent(sum.days_hit, sum.days),
                       percent(sum.weeks_hit, sum.weeks));
            }
            fflush(stdout);
        }
        if (!options->json) {
            putchar('\n');
        }
    }
}

static struct logouts logouts_of(const struct options *options, const struct terms *terms,
                                 const struct client_kind *kind)
{
    struct logouts sum = {0};

    for (uint64_t user = 0; user < users_of(options, kind); user++) {
        life_logouts(terms, &kind->habits, options->seed, user, options->weeks, &sum);
    }
    return sum;
}

static uint64_t users_of(const struct options *options, const struct client_kind *kind)
{
    uint64_t users = options->users / (uint64_t)kind->fewer;

    return users > 0 ? users : 1;
}

/* ---- thefts ---- */

static void simulate_thefts(const struct options *options, const struct named_thief *thief)
{
    if (!options->json) {
        printf("\nA thief copies a phone's token and %s\n%-40s  %9s  %8s  %8s  %9s  %9s\n",
               thief->title, "", "let in, %", "median", "95 %", "never, %", "owner out");
    }
    for (size_t i = 0; i < COUNT(all_terms); i++) {
        struct thefts sum = thefts_of(options, &all_terms[i].terms, &thief->thief);
        char median[16];
        char late[16];

        if (options->json) {
            next_row();
            printf("{\"policy\":\"%s\",\"thief\":\"%s\",\"thieves\":%" PRIu64 ",\"let_in\":%" PRIu64
                   ",\"never\":%" PRIu64 ",\"shut_out\":%" PRIu64 ",\"median_ms\":%" PRId64
                   ",\"p95_ms\":%" PRId64 "}",
                   all_terms[i].name, thief->name, options->thieves, sum.let_in, sum.never,
                   sum.shut_out, sum.median_ms == LIFE_NEVER ? -1 : sum.median_ms,
                   sum.late_ms == LIFE_NEVER ? -1 : sum.late_ms);
        } else {
            printf("%-40s  %9.2f  %8s  %8s  %9.2f  %9.2f\n", all_terms[i].name,
                   percent((int64_t)sum.let_in, (int64_t)options->thieves),
                   duration(sum.median_ms, median), duration(sum.late_ms, late),
                   percent((int64_t)sum.never, (int64_t)sum.let_in),
                   percent((int64_t)sum.shut_out, (int64_t)sum.let_in));
        }
        fflush(stdout);
    }
}

static struct thefts thefts_of(const struct options *options, const struct terms *terms,
                               const struct thief *thief)
{
    struct thefts sum = {.median_ms = -1, .late_ms = -1};
    int64_t *noticed = calloc(options->thieves, sizeof *noticed);

    if (noticed == NULL) {
        fputs("simulate: out of memory\n", stderr);
        exit(1);
    }
    for (uint64_t user = 0; user < options->thieves; user++) {
        struct theft theft = life_theft(terms, &kinds[0].habits, thief, options->seed, user);

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

static void next_row(void)
{
    static const char *between = "\n";

    fputs(between, stdout);
    between = ",\n";
}

static double percent(int64_t part, int64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static const char *duration(int64_t ms, char room[16])
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
    snprintf(room, 16, "%.1f s", (double)ms / CLOCK_SECOND);
    return room;
}
