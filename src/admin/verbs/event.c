/* SPDX-License-Identifier: ISC */
/* event.c: `retoken events …`: what happened, as a list, as it comes, and summed up. Reads
 * only, a page at a time, so no writer waits for it. Knows how events are chosen and counted; does
 * not know who writes them. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/codec.h"

enum { PAGE = 256, LISTED = 50, FOLLOWED = 10, NEWS = 4096 };

/* What is asked for; what is zero asks for everything. */
struct filter {
    const uint8_t *session; /* in `id` */
    uint8_t id[SESSION_ID_SIZE];
    uint64_t account;
    const char *client;
    uint64_t kinds;
    int64_t since_ms;
};

/* A way back through the events, newest first. */
struct walk {
    struct filter filter;
    struct event *rows;
    size_t count, next;
};

static enum call_end begin(struct call *call, struct walk *walk);
static enum call_end read_filter(struct call *call, struct filter *filter);
static enum call_end read_last(struct call *call, uint64_t most, uint64_t *last);
static bool next_event(struct call *call, struct walk *walk, const struct event **event,
                       struct fault *fault);
static bool passes(const struct filter *filter, const struct event *event);
static int64_t latest_ms(const struct event *event);

/* ---- the list ---- */

static const struct column columns[] = {
    {"number", "number", COLUMN_NUMBER, true},   {"at", "at", COLUMN_TIME, false},
    {"event", "event", COLUMN_TEXT, false},      {"class", "class", COLUMN_TEXT, true},
    {"times", "times", COLUMN_NUMBER, false},    {"last", "last", COLUMN_TIME, true},
    {"session", "session", COLUMN_TEXT, false},  {"account", "account", COLUMN_TEXT, false},
    {"generation", "gen", COLUMN_NUMBER, false}, {"spent_ago", "spent ago", COLUMN_NUMBER, true},
    {"network", "network", COLUMN_TEXT, true},   {"realm", "realm", COLUMN_TEXT, true},
    {"mount", "mount", COLUMN_TEXT, true},       {"client", "client", COLUMN_TEXT, false},
    {"address", "address", COLUMN_TEXT, false},  {"cause", "cause", COLUMN_TEXT, false},
    {"note", "note", COLUMN_TEXT, false},        {"meaning", "meaning", COLUMN_TEXT, true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const char *const networks[EVENT_NETWORKS] = {
    [EVENT_NETWORK_UNKNOWN] = "", [EVENT_NETWORK_SAME] = "same", [EVENT_NETWORK_OTHER] = "other"};

struct shown {
    struct call_name account;
    struct call_name none;
    char session[37];
};

static bool fill(struct call *call, const struct event *event, struct shown *shown,
                 struct cell cells[COLUMNS], struct fault *fault);

enum call_end verbs_event_list(struct call *call)
{
    struct walk walk;
    struct shown shown = {0};
    struct fault fault = {0};
    const struct event *event;
    uint64_t most = LISTED;
    enum call_end end = begin(call, &walk);

    end = end == CALL_DONE ? read_last(call, STORE_EVENTS_KEPT, &most) : end;
    if (end != CALL_DONE) {
        return end;
    } else if (walk.filter.since_ms != 0 && !options_has(&call->options, OPTION_LAST)) {
        most = UINT64_MAX;
    }
    output_table_start(&call->output, columns, COLUMNS);
    for (uint64_t i = 0; i < most; i++) {
        struct cell cells[COLUMNS];

        if (!next_event(call, &walk, &event, &fault)) {
            return call_fault(call, &fault);
        } else if (event == NULL) {
            break;
        } else if (!fill(call, event, &shown, cells, &fault)) {
            return call_fault(call, &fault);
        }
        output_row(&call->output, cells);
    }
    output_table_end(&call->output, "no events");
    return CALL_DONE;
}

/* Cells that point into event and shown. */
static bool fill(struct call *call, const struct event *event, struct shown *shown,
                 struct cell cells[COLUMNS], struct fault *fault)
{
    struct call_name *name = event->account != 0 ? &shown->account : &shown->none;

    if (call_account_name(call, event->account, name, fault) != STORE_OK) {
        return false;
    }
    shown->session[0] = '\0';
    if (event_has_session(event)) {
        codec_uuid_format(event->session, shown->session);
    }
    const struct cell row[COLUMNS] = {
        CELL_NUMBER(event->number),
        CELL_NUMBER(event->at_ms),
        CELL_TEXT(text_of(event_word(event->kind))),
        CELL_TEXT(text_of(event_class_word(event_class(event->kind)))),
        CELL_NUMBER((int64_t)event->repeats + 1),
        CELL_NUMBER(latest_ms(event)),
        CELL_TEXT(text_of(shown->session)),
        CELL_TEXT(text_of(name->text)),
        CELL_NUMBER(event->generation),
        CELL_NUMBER(event->spent_ago_ms / CLOCK_SECOND),
        CELL_TEXT(text_of(networks[event->network])),
        CELL_TEXT(text_of(event->realm)),
        CELL_TEXT(text_of(event->mount)),
        CELL_TEXT(text_of(event->client)),
        CELL_TEXT(text_of(event->address)),
        CELL_TEXT(text_of(event->cause)),
        CELL_TEXT(text_of(event->note)),
        CELL_TEXT(text_of(event_meaning(event->kind))),
    };
    memcpy(cells, row, sizeof row);
    return true;
}

/* ---- as they come ---- */

static volatile sig_atomic_t stopped;

static bool tell_news(struct call *call, struct walk *walk, uint64_t most, struct fault *fault);
static void tell_line(struct call *call, const struct cell cells[COLUMNS]);
static void stop(int signal);

enum call_end verbs_event_follow(struct call *call)
{
    const struct sigaction action = {.sa_handler =
                                         stop}; /* without SA_RESTART: it ends the sleep */
    const struct timespec second = {.tv_sec = 1};
    struct walk walk;
    struct fault fault = {0};
    uint64_t most = FOLLOWED;
    enum call_end end = begin(call, &walk);

    end = end == CALL_DONE ? read_last(call, PAGE, &most) : end;
    if (end != CALL_DONE) {
        return end;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (stopped == 0 && !call->output.failed) {
        if (!tell_news(call, &walk, most, &fault)) {
            return call_fault(call, &fault);
        }
        most = UINT64_MAX;
        nanosleep(&second, NULL);
    }
    return CALL_DONE;
}

static void stop(int signal)
{
    stopped = signal;
}

struct told {
    uint64_t number;  /* all up to it are told */
    int64_t again_ms; /* those told again up to then are, too */
};

/* What has come since the last time, oldest first, the newest `most` of it. What happened again is
 * found among the newest PAGE. */
static bool tell_news(struct call *call, struct walk *walk, uint64_t most, struct fault *fault)
{
    static struct told told;
    static struct event news[NEWS];
    struct told now = told;
    struct shown shown = {0};
    const struct event *event;
    size_t count = 0;

    walk->count = walk->next = 0;
    for (size_t seen = 0; count < NEWS && count < most; seen++) {
        if (!next_event(call, walk, &event, fault)) {
            return false;
        } else if (event == NULL || (event->number <= told.number && seen >= PAGE)) {
            break;
        }
        now.number = event->number > now.number ? event->number : now.number;
        now.again_ms = latest_ms(event) > now.again_ms ? latest_ms(event) : now.again_ms;
        if (event->number > told.number || latest_ms(event) > told.again_ms) {
            news[count++] = *event;
        }
    }
    told = now;
    while (count > 0) {
        struct cell cells[COLUMNS];

        if (!fill(call, &news[--count], &shown, cells, fault)) {
            return false;
        }
        tell_line(call, cells);
    }
    call->output.failed |= fflush(call->output.stream) != 0;
    return true;
}

/* "2026-11-26T03:04:16Z reuse session=… account=ada", or a JSON object, on a line of its own. */
static void tell_line(struct call *call, const struct cell cells[COLUMNS])
{
    struct output *output = &call->output;
    char at[OUTPUT_TIME_SIZE];
    struct text line = TEXT("(out of memory)");
    struct buffer b;

    if (output->json) {
        json_out_open(&output->out);
        output_members(output, columns, COLUMNS, cells);
        json_out_close(&output->out);
        output_json_end(output);
        return;
    }
    buffer_start(&b, output->arena, 512);
    for (size_t i = 0; i < COLUMNS; i++) {
        bool is_text = columns[i].kind == COLUMN_TEXT;

        if (strcmp(columns[i].key, "at") == 0) {
            output_time(cells[i].number, at);
            buffer_add_c(&b, at);
        } else if (strcmp(columns[i].key, "event") == 0) {
            buffer_addf(&b, " %.*s", TEXT_ARGS(cells[i].text));
        } else if (columns[i].detail || (is_text && cells[i].text.size == 0)) {
            continue;
        } else if (is_text) {
            buffer_addf(&b, " %s=%.*s", columns[i].key, TEXT_ARGS(cells[i].text));
        } else {
            buffer_addf(&b, " %s=%" PRId64, columns[i].key, cells[i].number);
        }
    }
    buffer_finish(&b, &line);
    output_say(output, "%.*s", TEXT_ARGS(line));
}

/* ---- summed up ---- */

enum { GAPS = 5 };

static const struct {
    int64_t most_ms;
    const char *words;
} gaps[GAPS] = {{5 * CLOCK_MINUTE, "within 5 min"},
                {CLOCK_HOUR, "within an hour"},
                {CLOCK_DAY, "within a day"},
                {INT64_MAX, "later than a day"},
                {0, "not known"}};

/* A session to which a spent token came back, and the first that did. */
struct returned {
    uint8_t session[SESSION_ID_SIZE];
    uint64_t number;
    size_t gap;
    enum event_network network;
};

struct returns {
    struct returned *rows;
    size_t count;
    size_t sessions;
    size_t by[GAPS][EVENT_NETWORKS];
};

struct summary {
    uint64_t times[EVENT_KINDS];
    int64_t last_ms[EVENT_KINDS];
    struct returns reported, ended;
};

static bool sum_up(struct call *call, struct walk *walk, struct summary *summary,
                   struct fault *fault);
static void add_return(struct returns *returns, const struct event *event);
static void count_sessions(struct returns *returns);
static void show_kinds(struct call *call, const struct summary *summary);
static void show_returns(struct call *call, const char *key, const char *title,
                         const struct returns *returns);

enum call_end verbs_event_summary(struct call *call)
{
    struct summary *summary = arena_alloc(call->arena, sizeof *summary);
    struct json_out *out = &call->output.out;
    struct fault fault = {"out of memory"};
    struct walk walk;
    char since[OUTPUT_TIME_SIZE];
    enum call_end end = begin(call, &walk);

    if (end != CALL_DONE) {
        return end;
    } else if (walk.filter.since_ms == 0) {
        walk.filter.since_ms = call->now_ms - 7 * (int64_t)CLOCK_DAY;
    }
    if (summary == NULL || !sum_up(call, &walk, summary, &fault)) {
        return call_fault(call, &fault);
    }
    output_time(walk.filter.since_ms, since);
    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "since", text_of(since));
    }
    output_say(&call->output, "since %s:", since);
    show_kinds(call, summary);
    show_returns(call, "reported",
                 "with reuse = report: sessions that reuse would have ended, by how long after its "
                 "successor\nthe first spent token came back, and from which address",
                 &summary->reported);
    show_returns(call, "ended",
                 "sessions that reuse ended, by how long after its successor the spent token came "
                 "back",
                 &summary->ended);
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return CALL_DONE;
}

static bool sum_up(struct call *call, struct walk *walk, struct summary *summary,
                   struct fault *fault)
{
    const size_t size = STORE_EVENTS_KEPT * sizeof(struct returned);
    const struct event *event;

    memset(summary, 0, sizeof *summary);
    summary->reported.rows = arena_alloc(call->arena, size);
    summary->ended.rows = arena_alloc(call->arena, size);
    if (summary->reported.rows == NULL || summary->ended.rows == NULL) {
        return false;
    }
    do {
        if (!next_event(call, walk, &event, fault)) {
            return false;
        } else if (event != NULL) {
            int64_t *last_ms = &summary->last_ms[event->kind];

            summary->times[event->kind] += 1 + (uint64_t)event->repeats;
            *last_ms = latest_ms(event) > *last_ms ? latest_ms(event) : *last_ms;
            if (event->kind == EVENT_REUSE_REPORTED) {
                add_return(&summary->reported, event);
            } else if (event->kind == EVENT_REUSE) {
                add_return(&summary->ended, event);
            }
        }
    } while (event != NULL);
    count_sessions(&summary->reported);
    count_sessions(&summary->ended);
    return true;
}

static void add_return(struct returns *returns, const struct event *event)
{
    struct returned *row = &returns->rows[returns->count];
    size_t gap = 0;

    if (returns->count == STORE_EVENTS_KEPT) {
        return;
    }
    while (event->spent_ago_ms > gaps[gap].most_ms) {
        gap++;
    }
    memcpy(row->session, event->session, sizeof row->session);
    row->number = event->number;
    row->gap = event->spent_ago_ms > 0 ? gap : GAPS - 1;
    row->network = event->network;
    returns->count++;
}

static int by_session(const void *a, const void *b)
{
    const struct returned *one = a, *other = b;
    int order = memcmp(one->session, other->session, sizeof one->session);

    if (order != 0) {
        return order;
    }
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Each counts once, by what would have ended it. */
static void count_sessions(struct returns *returns)
{
    const struct returned *rows = returns->rows;

    qsort(returns->rows, returns->count, sizeof *rows, by_session);
    for (size_t i = 0; i < returns->count; i++) {
        if (i == 0 || memcmp(rows[i].session, rows[i - 1].session, SESSION_ID_SIZE) != 0) {
            returns->sessions++;
            returns->by[rows[i].gap][rows[i].network]++;
        }
    }
}

static void show_kinds(struct call *call, const struct summary *summary)
{
    static const struct column kind_columns[] = {{"class", "class", COLUMN_TEXT, false},
                                                 {"event", "event", COLUMN_TEXT, false},
                                                 {"times", "times", COLUMN_NUMBER, false},
                                                 {"last", "last", COLUMN_TIME, false},
                                                 {"meaning", "meaning", COLUMN_TEXT, false}};
    const size_t count = sizeof kind_columns / sizeof kind_columns[0];
    struct output *output = &call->output;

    if (output->json) {
        json_out_key(&output->out, "events");
        json_out_array_open(&output->out);
    } else {
        output_table_start(output, kind_columns, count);
    }
    for (unsigned of = 0; of < EVENT_CLASSES; of++) {
        for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
            const struct cell cells[] = {CELL_TEXT(text_of(event_class_word((enum event_class)of))),
                                         CELL_TEXT(text_of(event_word((enum event_kind)kind))),
                                         CELL_NUMBER(summary->times[kind]),
                                         CELL_NUMBER(summary->last_ms[kind]),
                                         CELL_TEXT(text_of(event_meaning((enum event_kind)kind)))};

            if (event_class((enum event_kind)kind) != (enum event_class)of ||
                summary->times[kind] == 0) {
                continue;
            } else if (output->json) {
                json_out_open(&output->out);
                output_members(output, kind_columns, count, cells);
                json_out_close(&output->out);
            } else {
                output_row(output, cells);
            }
        }
    }
    if (output->json) {
        json_out_array_close(&output->out);
    } else {
        output_table_end(output, "no events");
    }
}

static void show_returns(struct call *call, const char *key, const char *title,
                         const struct returns *returns)
{
    static const struct column gap_columns[] = {{"came_back", "came back", COLUMN_TEXT, false},
                                                {"same", "same address", COLUMN_NUMBER, false},
                                                {"other", "another", COLUMN_NUMBER, false},
                                                {"unknown", "not known", COLUMN_NUMBER, false}};
    const size_t count = sizeof gap_columns / sizeof gap_columns[0];
    struct output *output = &call->output;

    if (output->json) {
        json_out_key(&output->out, key);
        json_out_open(&output->out);
        json_out_member_int(&output->out, "sessions", (int64_t)returns->sessions);
        json_out_key(&output->out, "gaps");
        json_out_array_open(&output->out);
    } else if (returns->sessions == 0) {
        return;
    } else {
        output_say(output, "\n%zu %s:", returns->sessions, title);
        output_table_start(output, gap_columns, count);
    }
    for (size_t i = 0; i < GAPS; i++) {
        const size_t *by = returns->by[i];
        const struct cell cells[] = {
            CELL_TEXT(text_of(gaps[i].words)), CELL_NUMBER(by[EVENT_NETWORK_SAME]),
            CELL_NUMBER(by[EVENT_NETWORK_OTHER]), CELL_NUMBER(by[EVENT_NETWORK_UNKNOWN])};

        if (output->json) {
            json_out_open(&output->out);
            output_members(output, gap_columns, count, cells);
            json_out_close(&output->out);
        } else {
            output_row(output, cells);
        }
    }
    if (output->json) {
        json_out_array_close(&output->out);
        json_out_close(&output->out);
    } else {
        output_table_end(output, "");
    }
}

/* ---- which events ---- */

static enum call_end begin(struct call *call, struct walk *walk)
{
    const struct fault fault = {"out of memory"};

    *walk = (struct walk){.rows = arena_alloc(call->arena, PAGE * sizeof *walk->rows)};
    return walk->rows != NULL ? read_filter(call, &walk->filter) : call_fault(call, &fault);
}

static enum call_end read_filter(struct call *call, struct filter *filter)
{
    const char *session = options_value(&call->options, OPTION_SESSION);
    const char *account = options_value(&call->options, OPTION_ACCOUNT);
    const char *since = options_value(&call->options, OPTION_SINCE);
    const char *word;
    struct account found;
    size_t at = 0;
    enum call_end end = CALL_DONE;

    filter->client = options_value(&call->options, OPTION_CLIENT);
    if (since != NULL) {
        int64_t span_ms;

        if (!config_duration_parse(text_of(since), &span_ms) || span_ms <= 0 ||
            span_ms >= call->now_ms) {
            return call_wrong(call, "--since %s: a duration like 7d", since);
        }
        filter->since_ms = call->now_ms - span_ms;
    }
    while ((word = options_next(&call->options, OPTION_KIND, &at)) != NULL) {
        uint64_t kinds;

        if (!event_kinds_of(text_of(word), &kinds)) {
            return call_wrong(call, "--kind %s: no kind of event and no class; see retoken(1)",
                              word);
        }
        filter->kinds |= kinds;
    }
    if (session != NULL) {
        end = call_session_id(call, session, filter->id);
        filter->session = filter->id;
    }
    if (end == CALL_DONE && account != NULL) {
        end = call_account(call, account, &found);
        filter->account = end == CALL_DONE ? found.number : 0;
    }
    return end;
}

static enum call_end read_last(struct call *call, uint64_t most, uint64_t *last)
{
    const char *value = options_value(&call->options, OPTION_LAST);

    if (value != NULL && (!text_to_u64(text_of(value), most, last) || *last == 0)) {
        return call_wrong(call, "--last %s: a number from 1 to %" PRIu64, value, most);
    }
    return CALL_DONE;
}

/* The next one that passes, in the walk's page; *event = NULL after the last. */
static bool next_event(struct call *call, struct walk *walk, const struct event **event,
                       struct fault *fault)
{
    for (;;) {
        if (walk->next == walk->count) {
            uint64_t before = walk->count > 0 ? walk->rows[walk->count - 1].number : 0;

            *event = NULL;
            if (walk->count > 0 && walk->count < PAGE) {
                return true;
            } else if (store_event_list(call->service.store, walk->filter.session, before,
                                        walk->rows, PAGE, &walk->count, fault) != STORE_OK) {
                return false;
            }
            walk->next = 0;
            if (walk->count == 0) {
                return true;
            }
        }
        *event = &walk->rows[walk->next++];
        if (passes(&walk->filter, *event)) {
            return true;
        }
    }
}

static bool passes(const struct filter *filter, const struct event *event)
{
    return (filter->account == 0 || event->account == filter->account) &&
           (filter->client == NULL || strcmp(event->client, filter->client) == 0) &&
           (filter->kinds == 0 || (filter->kinds & event_bit(event->kind)) != 0) &&
           latest_ms(event) >= filter->since_ms;
}

static int64_t latest_ms(const struct event *event)
{
    return event->repeats > 0 ? event->last_ms : event->at_ms;
}
