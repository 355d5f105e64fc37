/* SPDX-License-Identifier: ISC */
/* facts.c: what a store of this kind says about itself: in numbers, and as an operator looks at it.
 * Knows maps and readers, so that no file above the store has to. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/lmdb/lmdb_store.h"
#include "store/lmdb/ended_log.h"

static bool read_stat(struct store *store, struct env_stat *stat, struct fault *fault)
{
    struct rows rows;
    bool done;

    if (!verbs_read_begin(store, &rows, fault)) {
        return false;
    }
    done = env_stat(&rows.txn, stat, fault) == TXN_OK;
    verbs_read_end(&rows, true);
    return done;
}

/* ---- facts ---- */

static void add(struct store_fact *facts, size_t *count, const char *name, uint64_t number)
{
    facts[(*count)++] =
        (struct store_fact){.name = name, .type = STORE_FACT_NUMBER, .number = number};
}

static void add_bytes(struct store_fact *facts, size_t *count, const char *name, uint64_t bytes)
{
    add(facts, count, name, bytes);
    facts[*count - 1].type = STORE_FACT_BYTES;
}

enum store_result facts_list(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                             size_t *count, struct fault *fault)
{
    const struct lmdb_store *lmdb = lmdb_store_of(store);
    struct env_stat stat;

    *count = 0;
    if (!read_stat(store, &stat, fault)) {
        return STORE_FAULT;
    }
    facts[(*count)++] = (struct store_fact){.name = "engine", .type = STORE_FACT_TEXT};
    memcpy(facts[0].text, stat.name, sizeof facts[0].text);
    add(facts, count, "format_version", lmdb->verbs.format_version);
    add(facts, count, "sessions", stat.entries[TABLE_SESSIONS]);
    add(facts, count, "aliases", stat.entries[TABLE_ALIASES]);
    add(facts, count, "accounts", stat.entries[TABLE_ACCOUNTS]);
    add(facts, count, "clients", stat.entries[TABLE_CLIENTS]);
    add(facts, count, "keys", stat.entries[TABLE_KEYS]);
    add(facts, count, "events", stat.entries[TABLE_EVENTS]);
    add(facts, count, "marks", stat.entries[TABLE_MARK_ENDS]);
    add_bytes(facts, count, "map_bytes", stat.map_size);
    add_bytes(facts, count, "used_bytes", stat.used_bytes);
    add_bytes(facts, count, "file_bytes", stat.file_bytes);
    add_bytes(facts, count, "limit_bytes", env_map_limit(lmdb->env));
    add_bytes(facts, count, "disk_free_bytes", env_disk_free(lmdb->env));
    add(facts, count, "readers", stat.readers);
    add(facts, count, "readers_max", stat.readers_max);
    return STORE_OK;
}

/* ---- remarks ---- */

static void format_bytes(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double value = (double)bytes;

    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++) {
        value /= 1024;
    }
    snprintf(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

/* LMDB 0.9.26 to 0.9.31 can lose a lock when one process closes while another opens (ITS#9278);
 * no short-lived process of Retoken closes. */
static void remark_version(const struct env_stat *stat, struct store_remark *remark)
{
    unsigned patch = 0;
    bool racy = sscanf(stat->name, "LMDB 0.9.%u", &patch) == 1 && patch >= 26 && patch <= 31;

    remark->subject = "engine";
    snprintf(remark->text, sizeof remark->text, "%s%s", stat->name,
             racy ? "; its race at closing is avoided" : "");
}

static void remark_map(const struct lmdb_store *store, const struct env_stat *stat,
                       struct store_remark *remark)
{
    uint64_t limit = env_map_limit(store->env);
    char used[32], size[32];

    format_bytes(stat->used_bytes, used);
    format_bytes(limit > 0 ? limit : stat->map_size, size);
    remark->subject = "map";
    remark->warn = limit > 0 && stat->used_bytes > limit / 10 * 8;
    if (remark->warn) {
        snprintf(remark->text, sizeof remark->text,
                 "%s of at most %s used: raise store-limit, or `retoken store prune`", used, size);
    } else {
        snprintf(remark->text, sizeof remark->text, "%s of %s%s used%s", used,
                 limit > 0 ? "at most " : "", size, limit > 0 ? "" : "; it grows by itself");
    }
}

static void remark_readers(const struct env_stat *stat, struct store_remark *remark)
{
    remark->subject = "readers";
    remark->warn = stat->readers > stat->readers_max / 10 * 8;
    snprintf(remark->text, sizeof remark->text, "%" PRIu32 " of %" PRIu32 " slots%s", stat->readers,
             stat->readers_max,
             remark->warn ? ": too many processes, or dead ones that opening did not clear" : "");
}

static enum store_result remark_journal(struct store *store, struct store_remark *remark,
                                        struct fault *fault);
static enum store_result remark_time(struct store *store, struct store_remark *remark,
                                     struct fault *fault);

enum store_result facts_remarks(struct store *store, struct store_remark remarks[STORE_REMARKS_MAX],
                                size_t *count, struct fault *fault)
{
    struct env_stat stat;

    *count = 0;
    if (!read_stat(store, &stat, fault)) {
        return STORE_FAULT;
    }
    memset(remarks, 0, 5 * sizeof *remarks);
    remark_version(&stat, &remarks[0]);
    remark_map(lmdb_store_of(store), &stat, &remarks[1]);
    remark_readers(&stat, &remarks[2]);
    if (remark_journal(store, &remarks[3], fault) != STORE_OK) {
        return STORE_FAULT;
    }
    *count = 4;
    if (verbs_of(store)->clock.now_ms != NULL) {
        return remark_time(store, &remarks[(*count)++], fault);
    }
    return STORE_OK;
}

/* An end that was cut off is normal after a power cut, and the next entry mends it. */
static enum store_result remark_journal(struct store *store, struct store_remark *remark,
                                        struct fault *fault)
{
    const struct lmdb_store *lmdb = lmdb_store_of(store);
    struct record_counters counters = {0};
    struct ended_log_state state;
    struct rows rows;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    rows_counters_get(&rows, &counters);
    ended_log_look(env_path(lmdb->env), lmdb->verbs.mac, counters.ended, &state);
    remark->subject = "ended.log";
    remark->warn = true;
    if (state.damaged > 0) {
        snprintf(remark->text, sizeof remark->text,
                 "%zu of %zu entries are damaged, changed by hand or another store's: a restore "
                 "may bring to life what they ended",
                 state.damaged, state.damaged + state.entries);
    } else if (state.newer > 0) {
        snprintf(remark->text, sizeof remark->text,
                 "the data are an older copy: %zu ends are made again when the store is next "
                 "opened for writing",
                 state.newer);
    } else if (counters.ended > 0 && state.last < counters.ended) {
        snprintf(remark->text, sizeof remark->text,
                 "%s: a restore would bring to life what has ended; make a new backup now",
                 state.entries == 0 ? "it is missing or empty" : "its last entries are missing");
    } else {
        remark->warn = false;
        snprintf(remark->text, sizeof remark->text, "%zu entries, up to the store's last end",
                 state.entries);
    }
    return verbs_read_end(&rows, true);
}

static enum store_result remark_time(struct store *store, struct store_remark *remark,
                                     struct fault *fault)
{
    int64_t now_ms = clock_now_ms(&verbs_of(store)->clock);
    int64_t ahead_ms = 0;
    enum store_result result = sweep_clock_ahead(store, now_ms, &ahead_ms, fault);

    remark->subject = "sweeping";
    remark->warn = ahead_ms != 0;
    if (ahead_ms > 0) {
        snprintf(remark->text, sizeof remark->text,
                 "the clock is %" PRId64 " days ahead of the time that has passed, so ended "
                 "sessions stay: set it, or if it is right, `retoken store prune`",
                 (ahead_ms + CLOCK_DAY / 2) / CLOCK_DAY);
    } else if (ahead_ms < 0) {
        snprintf(remark->text, sizeof remark->text,
                 "the clock is %" PRId64 " days behind the time that has passed: set it, or if it "
                 "is right, `retoken store prune`",
                 (CLOCK_DAY / 2 - ahead_ms) / CLOCK_DAY);
    } else {
        snprintf(remark->text, sizeof remark->text, "sessions are removed by the clock");
    }
    return result;
}
