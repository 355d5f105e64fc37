/* SPDX-License-Identifier: ISC */
/* metrics.c: see metrics.h. The file is struct metrics as it is in memory. What it is made of is in
 * its first words; a process that finds others there puts a new file in its place, and processes
 * that map the old one go on counting there until they end. */
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/whole_file.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "other processes see every addition");

typedef _Atomic uint64_t cell;

struct histogram {
    cell buckets[METRICS_BOUNDS_MAX + 1];
    cell sum;
};

struct metrics_answers {
    cell outcomes[METRICS_OUTCOMES_MAX];
    struct histogram took_us;
};

/* Whatever the name of a mount takes is beside the numbers, so that a search touches few pages. */
struct metrics {
    uint64_t magic, layout, meaning;
    cell mount_count; /* of names that are complete; only grows, under the file's lock */
    cell counters[METRIC_COUNT];
    struct histogram histograms[METRIC_HISTOGRAM_COUNT];
    struct metrics_mount mounts[METRICS_MOUNTS_MAX]; /* the first is that without a name */
    struct metrics_answers answers[METRICS_MOUNTS_MAX];
};

#define MAGIC UINT64_C(0x31746d6e656b7472) /* "rtkenmt1" */

const struct metrics_bounds metrics_counts = {
    false, 11, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}};
const struct metrics_bounds metrics_seconds = {true,
                                               15,
                                               {100, 250, 500, 1000, 2500, 5000, 10000, 25000,
                                                50000, 100000, 250000, 500000, 1000000, 2500000,
                                                5000000}};

static const struct {
    const char *name, *help;
} counters[METRIC_COUNT] = {
#define METRIC(name, word, help) {word, help},
    METRIC_ROWS
#undef METRIC
};

static const struct {
    const char *name, *help;
    const struct metrics_bounds *bounds;
} histograms[METRIC_HISTOGRAM_COUNT] = {
#define HISTOGRAM(name, word, bounds, help) {word, help, &bounds},
    METRIC_HISTOGRAM_ROWS
#undef HISTOGRAM
};

enum look {
    LOOK_GOOD,
    LOOK_ABSENT,
    LOOK_OTHER, /* layout */
    LOOK_FAULT
};

static enum look look(const char *path, uint64_t meaning, int *file, struct metrics **metrics,
                      struct fault *fault);
static enum look map(const char *path, uint64_t meaning, int file, struct metrics **metrics,
                     struct fault *fault);
static bool make(const char *path, uint64_t meaning, struct fault *fault);
static struct metrics *map_own(uint64_t meaning);
static void find_mounts(struct metrics *metrics, int file, const struct metrics_mount *mounts,
                        size_t count, struct metrics_answers **answers);
static uint64_t layout(void);

/* ---- the file ---- */

struct metrics *metrics_open(const char *path, uint64_t meaning, const struct metrics_mount *mounts,
                             size_t count, struct metrics_answers **answers, struct fault *fault)
{
    struct metrics *metrics = NULL;
    int file = -1;
    enum look found;

    fault->text[0] = '\0';
    found = look(path, meaning, &file, &metrics, fault);
    if ((found == LOOK_ABSENT || found == LOOK_OTHER) && make(path, meaning, fault)) {
        found = look(path, meaning, &file, &metrics, fault);
    }
    if (found != LOOK_GOOD) {
        if (fault->text[0] == '\0') { /* gone again, or of another version again */
            fault_set(fault, "%s: another process replaces it", path);
        }
        metrics = map_own(meaning);
    }
    if (metrics != NULL) {
        find_mounts(metrics, file, mounts, count, answers);
    }
    if (file >= 0) {
        close(file);
    }
    return metrics;
}

void metrics_close(struct metrics *metrics)
{
    if (metrics != NULL) {
        munmap(metrics, sizeof *metrics);
    }
}

bool metrics_look(const char *path, struct fault *fault)
{
    struct metrics *metrics = NULL;
    int file = -1;
    enum look found = look(path, 0, &file, &metrics, fault);

    metrics_close(metrics);
    if (file >= 0) {
        close(file);
    }
    return found != LOOK_FAULT;
}

/* LOOK_GOOD: *metrics and *file are the caller's to release. */
static enum look look(const char *path, uint64_t meaning, int *file, struct metrics **metrics,
                      struct fault *fault)
{
    enum look found;

    *file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (*file < 0 && errno == ENOENT) {
        return LOOK_ABSENT;
    } else if (*file < 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return LOOK_FAULT;
    }
    found = map(path, meaning, *file, metrics, fault);
    if (found != LOOK_GOOD) {
        close(*file);
        *file = -1;
    }
    return found;
}

/* Who else could write to the file could cut it off, which ends each process that maps it. */
static enum look map(const char *path, uint64_t meaning, int file, struct metrics **metrics,
                     struct fault *fault)
{
    struct stat about;
    struct metrics *found;

    if (fstat(file, &about) != 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return LOOK_FAULT;
    } else if (!S_ISREG(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & 077) != 0) {
        fault_set(fault, "%s: not a file of this user's own (mode 0600); remove it", path);
        return LOOK_FAULT;
    } else if (about.st_size != (off_t)sizeof **metrics) {
        return LOOK_OTHER;
    }
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (found == MAP_FAILED) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return LOOK_FAULT;
    } else if (found->magic != MAGIC || found->layout != layout() || found->meaning != meaning) {
        munmap(found, sizeof *found);
        return LOOK_OTHER;
    }
    *metrics = found;
    return LOOK_GOOD;
}

/* With all its bytes, so that its pages have their place on the disk: one that has none when it is
 * written to ends the process. While the folder's lock is held it is looked at again, because
 * another process may have made it meanwhile, and counts there. */
static bool make(const char *path, uint64_t meaning, struct fault *fault)
{
    struct metrics *fresh = map_own(meaning);
    struct metrics *other = NULL;
    struct whole_file whole;
    bool made = false;
    int file;

    if (fresh == NULL) {
        fault_set(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    if (whole_file_open(&whole, path, 0600, fault)) {
        if (look(path, meaning, &file, &other, fault) == LOOK_GOOD) {
            metrics_close(other);
            close(file);
            whole_file_drop(&whole);
            made = true;
        } else if (!whole_file_put(&whole, fresh, sizeof *fresh)) {
            fault_set(fault, "cannot write %s: %s", path, strerror(errno));
            whole_file_drop(&whole);
        } else {
            made = whole_file_finish(&whole, true, fault) == WHOLE_FILE_DONE;
        }
    }
    metrics_close(fresh);
    return made;
}

/* All numbers 0, in this process's own memory. */
static struct metrics *map_own(uint64_t meaning)
{
    struct metrics *metrics =
        mmap(NULL, sizeof *metrics, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (metrics == MAP_FAILED) {
        return NULL;
    }
    metrics->magic = MAGIC;
    metrics->layout = layout();
    metrics->meaning = meaning;
    atomic_init(&metrics->mount_count, 1);
    return metrics;
}

/* Whatever changes what a number in the file means changes this one. */
static uint64_t layout(void)
{
    uint64_t hash = sizeof(struct metrics);

    for (size_t i = 0; i < METRIC_COUNT; i++) {
        hash = metrics_hash(hash, counters[i].name);
    }
    for (size_t i = 0; i < METRIC_HISTOGRAM_COUNT; i++) {
        hash = metrics_hash(hash, histograms[i].name);
    }
    return hash;
}

uint64_t metrics_hash(uint64_t hash, const char *word)
{
    hash ^= UINT64_C(0xcbf29ce484222325);
    do {
        hash = (hash ^ (uint8_t)*word) * UINT64_C(0x100000001b3);
    } while (*word++ != '\0');
    return hash;
}

/* ---- mounts ---- */

static size_t find(const struct metrics *metrics, const struct metrics_mount *mount);
static size_t add(struct metrics *metrics, const struct metrics_mount *mount);
static bool lock(int file);

/* Only a new name needs the lock, which is given back here: the map keeps it beyond the descriptor,
 * and only the end of the process ends it. A name that cannot be added, because
 * another process was stopped while it held the lock, counts with what has no mount. */
static void find_mounts(struct metrics *metrics, int file, const struct metrics_mount *mounts,
                        size_t count, struct metrics_answers **answers)
{
    bool asked = file < 0, may_add = asked;

    for (size_t i = 0; i < count; i++) {
        size_t at = find(metrics, &mounts[i]);

        if (at == 0 && !asked) {
            asked = true;
            may_add = lock(file);
        }
        answers[i] = &metrics->answers[at != 0 || !may_add ? at : add(metrics, &mounts[i])];
    }
    if (file >= 0 && may_add) {
        flock(file, LOCK_UN);
    }
    answers[count] = &metrics->answers[0];
}

/* Its index; 0: it is not there. */
static size_t find(const struct metrics *metrics, const struct metrics_mount *mount)
{
    uint64_t count = atomic_load_explicit(&metrics->mount_count, memory_order_acquire);

    for (size_t i = 1; i < count && i < METRICS_MOUNTS_MAX; i++) {
        if (strcmp(metrics->mounts[i].path, mount->path) == 0 &&
            strcmp(metrics->mounts[i].dialect, mount->dialect) == 0) {
            return i;
        }
    }
    return 0;
}

/* Another process may have added it before this one had the lock. A process that is killed here
 * leaves a name that does not count yet. */
static size_t add(struct metrics *metrics, const struct metrics_mount *mount)
{
    size_t at = find(metrics, mount);
    uint64_t count = atomic_load_explicit(&metrics->mount_count, memory_order_relaxed);

    if (at != 0 || count >= METRICS_MOUNTS_MAX) {
        return at;
    }
    metrics->mounts[count] = *mount;
    atomic_store_explicit(&metrics->mount_count, count + 1, memory_order_release);
    return (size_t)count;
}

static bool lock(int file)
{
    enum { TRIES = 1000, PAUSE_NS = 1000 * 1000 };

    for (int tries = 0; tries < TRIES; tries++) {
        const struct timespec pause = {.tv_nsec = PAUSE_NS};

        if (flock(file, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

/* ---- counting ---- */

static void add_to(cell *number, uint64_t n)
{
    atomic_fetch_add_explicit(number, n, memory_order_relaxed);
}

static void observe(struct histogram *histogram, const struct metrics_bounds *bounds,
                    uint64_t value)
{
    size_t i = 0;

    while (i < bounds->count && value > bounds->upper[i]) {
        i++;
    }
    add_to(&histogram->buckets[i], 1);
    add_to(&histogram->sum, value);
}

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
    if (metrics != NULL) {
        add_to(&metrics->counters[metric], n);
    }
}

void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, uint64_t value)
{
    if (metrics != NULL) {
        observe(&metrics->histograms[histogram], histograms[histogram].bounds, value);
    }
}

void metrics_answer(struct metrics_answers *answers, size_t outcome, uint64_t took_us)
{
    if (answers != NULL && outcome < METRICS_OUTCOMES_MAX) {
        add_to(&answers->outcomes[outcome], 1);
        observe(&answers->took_us, &metrics_seconds, took_us);
    }
}

/* ---- reading ---- */

static uint64_t value_of(const cell *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void read_cells(const struct histogram *histogram, struct metrics_cells *cells)
{
    for (size_t i = 0; i <= METRICS_BOUNDS_MAX; i++) {
        cells->buckets[i] = value_of(&histogram->buckets[i]);
    }
    cells->sum = value_of(&histogram->sum);
}

const char *metrics_name(enum metric metric)
{
    return counters[metric].name;
}

const char *metrics_help(enum metric metric)
{
    return counters[metric].help;
}

uint64_t metrics_value(const struct metrics *metrics, enum metric metric)
{
    return value_of(&metrics->counters[metric]);
}

const char *metrics_histogram_name(enum metric_histogram histogram)
{
    return histograms[histogram].name;
}

const char *metrics_histogram_help(enum metric_histogram histogram)
{
    return histograms[histogram].help;
}

const struct metrics_bounds *metrics_histogram_bounds(enum metric_histogram histogram)
{
    return histograms[histogram].bounds;
}

void metrics_cells(const struct metrics *metrics, enum metric_histogram histogram,
                   struct metrics_cells *cells)
{
    read_cells(&metrics->histograms[histogram], cells);
}

bool metrics_mount_at(const struct metrics *metrics, size_t i, struct metrics_mount *mount)
{
    if (i >= METRICS_MOUNTS_MAX ||
        i >= atomic_load_explicit(&metrics->mount_count, memory_order_acquire)) {
        return false;
    }
    *mount = metrics->mounts[i];
    mount->path[METRICS_PATH_MAX] = mount->dialect[METRICS_WORD_MAX] = '\0';
    return true;
}

uint64_t metrics_answers_value(const struct metrics *metrics, size_t i, size_t outcome)
{
    return value_of(&metrics->answers[i].outcomes[outcome]);
}

void metrics_answers_cells(const struct metrics *metrics, size_t i, struct metrics_cells *cells)
{
    read_cells(&metrics->answers[i].took_us, cells);
}
