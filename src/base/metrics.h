/* SPDX-License-Identifier: ISC */
/* metrics.h: counters and histograms in one file that all processes map, so that they count
 * together, restarts or not, and a CGI script counts as well. Knows a fixed table of numbers and a
 * row per mount; does not know what an outcome's number means, nor how metrics are told.
 *
 * Counting takes no lock and calls nothing: a relaxed addition to a word of 8 bytes. So a process
 * that is killed leaves every number whole. Each function that counts takes NULL, and counts
 * nothing. */
#ifndef RETOKEN_BASE_METRICS_H
#define RETOKEN_BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* METRIC(NAME, name without _total, what it counts) */
#define METRIC_ROWS                                                                                \
    METRIC(COMMITS, "retoken_store_commits", "Commits that were made durable.")                    \
    METRIC(COMMITS_AGAIN, "retoken_store_commits_again",                                           \
           "Transactions done once more: the map grew, or one write of the batch failed.")         \
    METRIC(WRITES_STALE, "retoken_store_writes_stale",                                             \
           "Writes that lost a race, so that their request was decided once more.")                \
    METRIC(WRITES_FAILED, "retoken_store_writes_failed",                                           \
           "Writes that were answered with a fault.")                                              \
    METRIC(LOCKS, "retoken_guess_locks", "Five wrong passwords, secrets or codes in a row.")

enum metric {
#define METRIC(name, word, help) METRIC_##name,
    METRIC_ROWS
#undef METRIC
        METRIC_COUNT
};

/* HISTOGRAM(NAME, name, bounds, what is measured) */
#define METRIC_HISTOGRAM_ROWS                                                                      \
    HISTOGRAM(BATCH, "retoken_store_batch_writes", metrics_counts, "Writes in one commit.")        \
    HISTOGRAM(SYNC, "retoken_store_sync_seconds", metrics_seconds,                                 \
              "Time that a commit took at the disk.")                                              \
    HISTOGRAM(WRITE, "retoken_store_write_seconds", metrics_seconds,                               \
              "Time from handing in a write until it was durable, or had failed.")

enum metric_histogram {
#define HISTOGRAM(name, word, bounds, help) METRIC_HISTOGRAM_##name,
    METRIC_HISTOGRAM_ROWS
#undef HISTOGRAM
        METRIC_HISTOGRAM_COUNT
};

/* The upper bounds of the buckets; there is one more bucket, without a bound. */
enum { METRICS_BOUNDS_MAX = 15 };
struct metrics_bounds {
    bool microseconds; /* are observed, and told as seconds */
    size_t count;
    uint64_t upper[METRICS_BOUNDS_MAX]; /* inclusive */
};
extern const struct metrics_bounds metrics_counts;
extern const struct metrics_bounds metrics_seconds;

/* What a histogram holds: how many values fell into each bucket, and their sum. */
struct metrics_cells {
    uint64_t buckets[METRICS_BOUNDS_MAX + 1];
    uint64_t sum;
};

enum {
    METRICS_PATH_MAX = 128,
    METRICS_WORD_MAX = 23,
    METRICS_MOUNTS_MAX = 128,  /* that the file can tell apart */
    METRICS_OUTCOMES_MAX = 96, /* numbers of outcomes: 0 to 95 */
};

/* What answers: a path and its dialect. */
struct metrics_mount {
    char path[METRICS_PATH_MAX + 1];
    char dialect[METRICS_WORD_MAX + 1];
};

struct metrics;
struct metrics_answers; /* the answers of one mount; lives as long as the metrics */

/* Maps the file, which is made (0600) when it is absent and made anew, with all numbers 0, when it
 * has another layout: that of another version, or another `meaning`. `meaning` is a hash over what
 * the caller's outcome numbers mean. answers[i] counts for mounts[i], and answers[count], one
 * more, for what no mount has answered; a mount beyond METRICS_MOUNTS_MAX shares that one.
 *
 * *fault.text is not "" when the file cannot be used; then this process counts in its own memory.
 * NULL: there is no memory either. Two processes may do this at once. Call after the last fork. */
struct metrics *metrics_open(const char *path, uint64_t meaning, const struct metrics_mount *mounts,
                             size_t count, struct metrics_answers **answers, struct fault *fault);
/* NULL is harmless. */
void metrics_close(struct metrics *metrics);
/* Could metrics_open use the file, or make it? False: *fault says why not. Changes nothing. */
bool metrics_look(const char *path, struct fault *fault);

/* A hash over words, for `meaning`: begin with 0. FNV-1a; not for what an enemy chooses. */
uint64_t metrics_hash(uint64_t hash, const char *word);

/* ---- counting ---- */

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n);
void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, uint64_t value);
/* An answer with that outcome left after so many microseconds. */
void metrics_answer(struct metrics_answers *answers, size_t outcome, uint64_t took_us);

/* ---- reading: each number is whole, and all of them need not be of one moment ---- */

const char *metrics_name(enum metric metric);
const char *metrics_help(enum metric metric);
uint64_t metrics_value(const struct metrics *metrics, enum metric metric);

const char *metrics_histogram_name(enum metric_histogram histogram);
const char *metrics_histogram_help(enum metric_histogram histogram);
const struct metrics_bounds *metrics_histogram_bounds(enum metric_histogram histogram);
void metrics_cells(const struct metrics *metrics, enum metric_histogram histogram,
                   struct metrics_cells *cells);

/* The i-th mount that has ever been counted in the file; false: there are no more. The first is
 * that without path and dialect. */
bool metrics_mount_at(const struct metrics *metrics, size_t i, struct metrics_mount *mount);
uint64_t metrics_answers_value(const struct metrics *metrics, size_t i, size_t outcome);
/* Of the i-th mount's answers, over metrics_seconds. */
void metrics_answers_cells(const struct metrics *metrics, size_t i, struct metrics_cells *cells);

#endif
