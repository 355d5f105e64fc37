/* SPDX-License-Identifier: ISC */
/* metrics.c: the operation that tells what is counted and what the store says of itself, as
 * Prometheus text (0.0.4) or as OpenMetrics (1.0). The names and units are those of OpenMetrics in
 * both. Knows what each number is called; does not know how it was counted, or who may ask. */
#include <config.h> /* of the build */

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "operation/operation.h"

enum { KEYS_MOST = KEYRING_MAX };

/* One page of text. */
struct metrics_page {
    struct buffer *out;
    bool open_metrics;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void tell_build(const struct metrics_page *page);
static void tell_answers(const struct metrics_page *page, const struct metrics *metrics);
static void tell_counters(const struct metrics_page *page, const struct metrics *metrics);
static void tell_histograms(const struct metrics_page *page, const struct metrics *metrics);
static bool tell_store(const struct metrics_page *page, struct request *request);
static bool tell_keys(const struct metrics_page *page, struct request *request);
static bool tell_outbox(const struct metrics_page *page, struct request *request);
static void family(const struct metrics_page *page, const char *name, const char *type,
                   const char *unit, const char *help);
static void label(const struct metrics_page *page, const char *name, const char *value);
static void gauge(const struct metrics_page *page, const char *name, const char *unit,
                  const char *help, uint64_t value);
static void histogram(const struct metrics_page *page, const char *name, const struct text labels,
                      const struct metrics_bounds *bounds, const struct metrics_cells *cells);

const struct operation operation_metrics = {
    .word = "metrics", .routine = true, .begin = begin, .step = step};

_Static_assert((int)OUTCOME_NO_MOUNT < (int)METRICS_OUTCOMES_MAX,
               "struct metrics_answers has room for every outcome");

/* A store that cannot be read is told as such, beside what is counted. */
static bool begin(struct request *request)
{
    const struct metrics *metrics = request->issuer->metrics;
    struct buffer out;
    struct metrics_page page = {&out, request->input.metrics.open_metrics};

    if (metrics == NULL) {
        fault_set(&request->fault, "nothing is counted: metrics = off, or there is no memory");
        return false;
    }
    buffer_start(&out, request->arena, 16 * 1024);
    tell_build(&page);
    tell_answers(&page, metrics);
    tell_counters(&page, metrics);
    tell_histograms(&page, metrics);
    bool ready =
        tell_store(&page, request) && tell_keys(&page, request) && tell_outbox(&page, request);
    gauge(&page, "retoken_store_ready", "", "1: a write could be made now; 0: the log says more.",
          ready ? 1 : 0);
    buffer_add_c(&out, page.open_metrics ? "# EOF\n" : "");
    if (!buffer_finish(&out, &request->answer.metrics)) {
        fault_set(&request->fault, "the request's memory is used up");
        return false;
    }
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    (void)request;
    *outcome = OUTCOME_SERVED;
    return NULL;
}

/* ---- what is counted ---- */

static void tell_build(const struct metrics_page *page)
{
    family(page, "retoken_build_info", "gauge", "", "The version that answers.");
    buffer_add_c(page->out, "retoken_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
}

static const char *word_of(size_t outcome)
{
    return outcome == OUTCOME_NO_MOUNT ? "no-mount" : outcome_word((enum outcome)outcome);
}

static void add_mount(const struct metrics_page *page, const struct metrics_mount *mount)
{
    label(page, "mount", mount->path);
    buffer_add_char(page->out, ',');
    label(page, "dialect", mount->dialect);
}

/* Outcomes that have not come yet are left out, but for a fault: an alert asks for its rate, which
 * is known only from its second sample on. */
static void tell_answers(const struct metrics_page *page, const struct metrics *metrics)
{
    struct metrics_cells cells;
    struct metrics_mount mount;

    family(page, "retoken_answers", "counter", "",
           "Answers by mount (none: no mount has that path), dialect and outcome.");
    for (size_t i = 0; metrics_mount_at(metrics, i, &mount); i++) {
        for (size_t outcome = 0; outcome <= OUTCOME_NO_MOUNT; outcome++) {
            uint64_t value = metrics_answers_value(metrics, i, outcome);

            if (value > 0 || outcome == OUTCOME_FAULT) {
                buffer_add_c(page->out, "retoken_answers_total{");
                add_mount(page, &mount);
                buffer_addf(page->out, ",outcome=\"%s\"} %" PRIu64 "\n", word_of(outcome), value);
            }
        }
    }
    family(page, "retoken_answer_seconds", "histogram", "seconds",
           "Time from a whole request to its answer.");
    for (size_t i = 0; metrics_mount_at(metrics, i, &mount); i++) {
        struct text labels = {0};
        struct buffer scratch;

        metrics_answers_cells(metrics, i, &cells);
        buffer_start(&scratch, page->out->arena, 128);
        add_mount(&(struct metrics_page){&scratch, page->open_metrics}, &mount);
        if (buffer_finish(&scratch, &labels)) {
            histogram(page, "retoken_answer_seconds", labels, &metrics_seconds, &cells);
        }
    }
}

static void tell_counters(const struct metrics_page *page, const struct metrics *metrics)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const char *name = metrics_name((enum metric)i);

        family(page, name, "counter", "", metrics_help((enum metric)i));
        buffer_addf(page->out, "%s_total %" PRIu64 "\n", name,
                    metrics_value(metrics, (enum metric)i));
    }
}

static void tell_histograms(const struct metrics_page *page, const struct metrics *metrics)
{
    for (size_t i = 0; i < METRIC_HISTOGRAM_COUNT; i++) {
        enum metric_histogram which = (enum metric_histogram)i;
        const struct metrics_bounds *bounds = metrics_histogram_bounds(which);
        const char *name = metrics_histogram_name(which);
        struct metrics_cells cells;

        metrics_cells(metrics, which, &cells);
        family(page, name, "histogram", bounds->microseconds ? "seconds" : "",
               metrics_histogram_help(which));
        histogram(page, name, (struct text){0}, bounds, &cells);
    }
}

/* ---- what the store says ---- */

/* Facts that not every kind of store has are left out where it does not have them. */
static const struct {
    const char *fact, *name, *unit, *help;
} facts_told[] = {
    {"sessions", "retoken_sessions", "", "Sessions kept, ended ones too (keep-ended)."},
    {"accounts", "retoken_accounts", "", "Accounts."},
    {"clients", "retoken_clients", "", "Clients."},
    {"events", "retoken_events", "", "Events in the list."},
    {"marks", "retoken_marks", "", "What is remembered for a time: wrong guesses, known networks."},
    {"used_bytes", "retoken_store_used_bytes", "bytes", "Bytes of the store in use."},
    {"map_bytes", "retoken_store_map_bytes", "bytes", "Size of the store's map, which grows."},
    {"limit_bytes", "retoken_store_limit_bytes", "bytes", "It grows up to this; 0: no limit."},
    {"disk_free_bytes", "retoken_store_disk_free_bytes", "bytes",
     "Bytes free on the disk of the store."},
    {"readers", "retoken_store_readers", "", "Slots for readers that are in use."},
};

/* False: the store cannot be read or written. */
static bool tell_store(const struct metrics_page *page, struct request *request)
{
    enum store_readiness readiness = STORE_COMMIT_WAITS;
    struct store *store = request->issuer->store;
    struct store_fact facts[STORE_FACTS_MAX];
    size_t count = 0;

    if (store_facts(store, facts, &count, NULL) != STORE_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof facts_told / sizeof facts_told[0]; i++) {
        size_t j = 0;

        while (j < count && !text_is(text_of(facts[j].name), facts_told[i].fact)) {
            j++;
        }
        if (j < count) {
            gauge(page, facts_told[i].name, facts_told[i].unit, facts_told[i].help,
                  facts[j].number);
        }
    }
    return store_readiness(store, &readiness, NULL) == STORE_OK && readiness == STORE_READY;
}

static bool tell_keys(const struct metrics_page *page, struct request *request)
{
    struct issuer *issuer = request->issuer;
    struct signing_row *rows = arena_alloc(request->arena, KEYS_MOST * sizeof *rows);
    int64_t now_ms = clock_now_ms(&issuer->clock);
    size_t count = 0;

    if (rows == NULL ||
        store_key_list(issuer->store, false, rows, KEYS_MOST, &count, NULL) != STORE_OK) {
        return false;
    }
    family(page, "retoken_key_age_seconds", "gauge", "seconds",
           "Time since a key was made, of those that are not retired.");
    for (size_t i = 0; i < count; i++) {
        int64_t age_ms = now_ms > rows[i].created_ms ? now_ms - rows[i].created_ms : 0;

        if (signing_state_is_retired(rows[i].state)) {
            continue;
        }
        buffer_add_c(page->out, "retoken_key_age_seconds{");
        label(page, "kid", rows[i].kid);
        buffer_add_char(page->out, ',');
        label(page, "algorithm", signing_algorithm_name(rows[i].algorithm));
        buffer_add_char(page->out, ',');
        label(page, "state", signing_state_name(rows[i].state));
        buffer_addf(page->out, "} %" PRId64 "\n", age_ms / CLOCK_SECOND);
    }
    return true;
}

static void tell_waiting(const struct metrics_page *page, const char *webhook, const char *state,
                         uint64_t value);
static void tell_webhook(const struct metrics_page *page, const char *name, const char *webhook,
                         uint64_t value);

/* One row per webhook of the configuration; the families one after the other, as the formats want
 * them. */
static bool tell_outbox(const struct metrics_page *page, struct request *request)
{
    const struct issuer *issuer = request->issuer;
    size_t count = issuer->webhook_count;
    struct store_delivery_stat *stats = arena_alloc(request->arena, count * sizeof *stats + 1);
    int64_t now_ms = clock_now_ms(&issuer->clock);

    if (stats == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (store_delivery_stat(issuer->store, issuer->webhooks[i].name, &stats[i], NULL) !=
            STORE_OK) {
            return false;
        }
    }
    family(page, "retoken_outbox_events", "gauge", "",
           "Events for a webhook, by what they wait for.");
    for (size_t i = 0; i < count; i++) {
        const char *name = issuer->webhooks[i].name;

        tell_waiting(page, name, "waiting", stats[i].waiting);
        tell_waiting(page, name, "leased", stats[i].leased);
        tell_waiting(page, name, "delayed", stats[i].delayed);
        tell_waiting(page, name, "dead", stats[i].dead);
    }
    family(page, "retoken_outbox_limit_events", "gauge", "", "As many are kept for a webhook.");
    for (size_t i = 0; i < count; i++) {
        tell_webhook(page, "retoken_outbox_limit_events", issuer->webhooks[i].name, stats[i].most);
    }
    family(page, "retoken_outbox_oldest_seconds", "gauge", "seconds",
           "Age of the oldest event that is not dead; 0: none waits.");
    for (size_t i = 0; i < count; i++) {
        int64_t oldest_ms = stats[i].oldest_ms;

        tell_webhook(page, "retoken_outbox_oldest_seconds", issuer->webhooks[i].name,
                     oldest_ms != 0 && now_ms > oldest_ms
                         ? (uint64_t)(now_ms - oldest_ms) / CLOCK_SECOND
                         : 0);
    }
    family(page, "retoken_outbox_delivered", "counter", "", "Events that a webhook has taken.");
    for (size_t i = 0; i < count; i++) {
        tell_webhook(page, "retoken_outbox_delivered_total", issuer->webhooks[i].name,
                     stats[i].delivered);
    }
    family(page, "retoken_outbox_dropped", "counter", "",
           "Events lost to the bound of the outbox.");
    for (size_t i = 0; i < count; i++) {
        tell_webhook(page, "retoken_outbox_dropped_total", issuer->webhooks[i].name,
                     stats[i].dropped);
    }
    return true;
}

static void tell_waiting(const struct metrics_page *page, const char *webhook, const char *state,
                         uint64_t value)
{
    buffer_add_c(page->out, "retoken_outbox_events{");
    label(page, "webhook", webhook);
    buffer_addf(page->out, ",state=\"%s\"} %" PRIu64 "\n", state, value);
}

static void tell_webhook(const struct metrics_page *page, const char *name, const char *webhook,
                         uint64_t value)
{
    buffer_addf(page->out, "%s{", name);
    label(page, "webhook", webhook);
    buffer_addf(page->out, "} %" PRIu64 "\n", value);
}

/* ---- spelling ---- */

/* In the older text format a counter is named with its _total here, too, and has no unit line. */
static void family(const struct metrics_page *page, const char *name, const char *type,
                   const char *unit, const char *help)
{
    const char *end = !page->open_metrics && text_is(text_of(type), "counter") ? "_total" : "";

    buffer_addf(page->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, help, name, end, type);
    if (page->open_metrics && unit[0] != '\0') {
        buffer_addf(page->out, "# UNIT %s %s\n", name, unit);
    }
}

static void label(const struct metrics_page *page, const char *name, const char *value)
{
    buffer_addf(page->out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        buffer_add_c(page->out, *value == '"' || *value == '\\' ? "\\" : "");
        buffer_add_char(page->out, *value == '\n' ? ' ' : *value);
    }
    buffer_add_char(page->out, '"');
}

static void gauge(const struct metrics_page *page, const char *name, const char *unit,
                  const char *help, uint64_t value)
{
    family(page, name, "gauge", unit, help);
    buffer_addf(page->out, "%s %" PRIu64 "\n", name, value);
}

/* As the number was observed: 2500 microseconds are 0.0025, and 8 writes 8.0. */
static void add_bound(const struct metrics_page *page, const struct metrics_bounds *bounds,
                      uint64_t value)
{
    char digits[32];
    size_t size;

    size = (size_t)snprintf(digits, sizeof digits, "%" PRIu64 ".%06" PRIu64,
                            bounds->microseconds ? value / 1000000 : value,
                            bounds->microseconds ? value % 1000000 : 0);
    while (digits[size - 1] == '0' && digits[size - 2] != '.') {
        size--;
    }
    buffer_add(page->out, (struct text){digits, size});
}

/* The count is the sum of the buckets, so that it fits them whenever it is asked. */
static void histogram(const struct metrics_page *page, const char *name, const struct text labels,
                      const struct metrics_bounds *bounds, const struct metrics_cells *cells)
{
    const char *comma = labels.size > 0 ? "," : "";
    uint64_t count = 0;

    for (size_t i = 0; i <= bounds->count; i++) {
        count += cells->buckets[i];
        buffer_addf(page->out, "%s_bucket{%.*s%sle=\"", name, TEXT_ARGS(labels), comma);
        if (i < bounds->count) {
            add_bound(page, bounds, bounds->upper[i]);
        } else {
            buffer_add_c(page->out, "+Inf");
        }
        buffer_addf(page->out, "\"} %" PRIu64 "\n", count);
    }
    const char *before = labels.size > 0 ? "{" : "", *behind = labels.size > 0 ? "}" : "";

    buffer_addf(page->out, "%s_sum%s%.*s%s ", name, before, TEXT_ARGS(labels), behind);
    add_bound(page, bounds, cells->sum);
    buffer_addf(page->out, "\n%s_count%s%.*s%s %" PRIu64 "\n", name, before, TEXT_ARGS(labels),
                behind, count);
}
