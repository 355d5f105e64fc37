/* SPDX-License-Identifier: ISC */
/* store.c: `retoken store …`. Knows what the store says about itself;
 * does not know what kind of store it is. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/prompt.h"

struct checking {
    struct call *call;
    const char *what; /* "checking" */
    bool terminal;
    bool drawn; /* a progress line is on the terminal */
};

static void found(void *self, const char *line);
static void progress(void *self, uint64_t done, uint64_t total);
static void clear_progress(struct checking *checking);

enum call_end verbs_store_stat(struct call *call)
{
    static const enum column_kind kinds[] = {[STORE_FACT_NUMBER] = COLUMN_NUMBER,
                                             [STORE_FACT_BYTES] = COLUMN_SIZE,
                                             [STORE_FACT_TEXT] = COLUMN_TEXT};
    struct store_fact facts[STORE_FACTS_MAX];
    struct column columns[STORE_FACTS_MAX];
    struct cell cells[STORE_FACTS_MAX];
    struct fault fault = {0};
    size_t count = 0;

    if (store_facts(call->service.store, facts, &count, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    for (size_t i = 0; i < count; i++) {
        columns[i] = (struct column){facts[i].name, facts[i].name, kinds[facts[i].type], false};
        cells[i] = facts[i].type == STORE_FACT_TEXT ? CELL_TEXT(text_of(facts[i].text))
                                                    : CELL_NUMBER(facts[i].number);
    }
    output_record(&call->output, columns, count, cells);
    return CALL_DONE;
}

/* ---- check ---- */

enum call_end verbs_store_check(struct call *call)
{
    struct checking checking = {
        .call = call, .what = "checking", .terminal = isatty(STDERR_FILENO) == 1};
    const struct store_check check = {found, progress, &checking};
    struct json_out *out = &call->output.out;
    struct fault fault = {0};
    uint64_t findings = 0;

    if (call->output.json) {
        json_out_open(out);
        json_out_key(out, "findings");
        json_out_array_open(out);
    }
    enum store_result result = store_check(call->service.store, &check, &findings, &fault);
    clear_progress(&checking);
    if (result != STORE_OK) {
        return call_fault(call, &fault);
    }
    if (call->output.json) {
        json_out_array_close(out);
        json_out_member_int(out, "count", (int64_t)findings);
        json_out_close(out);
        output_json_end(&call->output);
    }
    if (findings == 0) {
        output_say(&call->output, "nothing wrong");
        return CALL_DONE;
    }
    output_say(&call->output, "%" PRIu64 " finding%s", findings, findings == 1 ? "" : "s");
    return CALL_FAULT;
}

static void found(void *self, const char *line)
{
    struct checking *checking = self;
    struct output *output = &checking->call->output;

    clear_progress(checking);
    if (output->json) {
        json_out_text(&output->out, text_of(line));
    }
    output_say(output, "%s", line);
}

static void progress(void *self, uint64_t done, uint64_t total)
{
    struct checking *checking = self;

    if (checking->terminal && total > 0) {
        fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " (%d %%)\033[K", checking->what, done,
                total, (int)((double)done * 100 / (double)total));
        checking->drawn = true;
    }
}

static void clear_progress(struct checking *checking)
{
    if (checking->drawn) {
        fputs("\r\033[K", stderr);
        checking->drawn = false;
    }
}

/* ---- backup and prune ---- */

enum call_end verbs_store_backup(struct call *call)
{
    const char *directory = call_argument(call, 0);
    struct fault fault = {0};

    if (store_backup(call->service.store, directory, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    output_say(&call->output,
               "store copied into %s; keep a copy of %s too, but elsewhere: one is "
               "useless without the other",
               directory, call->service.config.secret_file);
    return CALL_DONE;
}

static enum call_end read_url(struct call *call, size_t argument, char url[STORE_URL_MAX]);

/* Opens nothing before it: neither of the two has to be the configuration's. */
enum call_end verbs_store_copy(struct call *call)
{
    struct checking copying = {
        .call = call, .what = "copying", .terminal = isatty(STDERR_FILENO) == 1};
    struct checking checking = {.call = call, .what = "checking", .terminal = copying.terminal};
    const struct store_check check = {found, progress, &checking};
    char from[STORE_URL_MAX], to[STORE_URL_MAX];
    const struct service_copy copy = {from, to, progress, &check, &copying};
    struct fault fault = {0};
    uint64_t findings = 0;

    if (!config_load(options_value(&call->options, OPTION_CONFIG), &call->service.config, &fault)) {
        return call_fault(call, &fault);
    }
    enum call_end end = read_url(call, 0, from);
    if (end == CALL_DONE) {
        end = read_url(call, 1, to);
    }
    if (end != CALL_DONE) {
        return end;
    }
    enum store_result result = service_copy(&call->service, &copy, &findings, &fault);
    clear_progress(&copying);
    clear_progress(&checking);
    if (result == STORE_STALE || result == STORE_EXISTS) {
        return call_refuse(call, "%s", fault.text);
    } else if (result != STORE_OK) {
        return call_fault(call, &fault);
    } else if (findings > 0) {
        output_say(&call->output, "%" PRIu64 " finding%s", findings, findings == 1 ? "" : "s");
        return CALL_FAULT;
    }
    output_say(&call->output, "copied, and nothing wrong in %s: name it in `store`",
               store_url_place(to));
    return CALL_DONE;
}

static enum call_end read_url(struct call *call, size_t argument, char url[STORE_URL_MAX])
{
    const char *wrong;

    switch (store_url_complete(call_argument(call, argument), url, STORE_URL_MAX, &wrong)) {
    case STORE_URL_GOOD:
        return CALL_DONE;
    case STORE_URL_SECRET:
        return call_wrong(call, "a store %s", wrong);
    case STORE_URL_WRONG:
        break;
    }
    return call_wrong(call, "%.80s: %s", call_argument(call, argument), wrong);
}

static void describe_clock(int64_t ahead_ms, char out[96]);
static bool is_clock_right(const char *what);

/* What is removed by a clock that is wrong does not come back when it is mended. */
static void say_restored(struct call *call, const struct store_restored *restored);
static void warn_of_adoption(struct call *call);
static const char *journal_meaning(enum store_journal journal);

/* Opens nothing itself: what is there may be unreadable, and that is when it is needed. */
enum call_end verbs_store_restore(struct call *call)
{
    static const struct column columns[] = {
        {"written", "last written", COLUMN_TIME, false},
        {"sessions", "live sessions", COLUMN_NUMBER, false},
        {"ended_again", "ended again", COLUMN_NUMBER, false},
        {"kept", "kept", COLUMN_TEXT, false},
        {"ends", "ends since", COLUMN_TEXT, false},
    };
    const char *directory = call_argument(call, 0);
    struct store_restored restored;
    struct fault fault = {0};

    if (!config_load(options_value(&call->options, OPTION_CONFIG), &call->service.config, &fault)) {
        return call_fault(call, &fault);
    }
    enum store_result result = service_restore(&call->service, directory, &restored, &fault);
    if (result == STORE_STALE) {
        return call_refuse(call, "%s", fault.text);
    } else if (result != STORE_OK) {
        return call_fault(call, &fault);
    }
    if (call->output.json) {
        const struct cell cells[] = {
            CELL_NUMBER(restored.newest_ms), CELL_NUMBER(restored.sessions),
            CELL_NUMBER(restored.ended_again), CELL_TEXT(text_of(restored.kept)),
            CELL_TEXT(text_of(journal_meaning(restored.journal)))};

        output_record(&call->output, columns, sizeof columns / sizeof columns[0], cells);
    } else {
        say_restored(call, &restored);
    }
    warn_of_adoption(call);
    return CALL_DONE;
}

/* The journal names sessions by ids that the copy does not have. */
static void warn_of_adoption(struct call *call)
{
    const struct config *config = &call->service.config;

    for (size_t i = 0; i < config->realm_count; i++) {
        const struct adoption_policy *policy = &config->realms[i].adoption;

        if (policy->on && (policy->until_ms == 0 || policy->until_ms > call->now_ms)) {
            call_warn(call,
                      "realm %s adopts: a token of the other server that was adopted and revoked "
                      "since the copy was made is adopted again; to prevent that, disable the "
                      "account or set adopt-until",
                      config->realms[i].name);
        }
    }
}

static void say_restored(struct call *call, const struct store_restored *restored)
{
    const char *place = store_url_place(call->service.config.store);
    char written[OUTPUT_TIME_SIZE], ago[OUTPUT_TIME_SIZE];

    output_time(restored->newest_ms, written);
    output_relative(restored->newest_ms, call->now_ms, ago);
    output_say(&call->output,
               "restored: a copy last written to %s (%s), with %" PRIu64 " live session%s", written,
               ago, restored->sessions, restored->sessions == 1 ? "" : "s");
    output_say(&call->output, "ended since and kept so: %" PRIu64 "; %s", restored->ended_again,
               journal_meaning(restored->journal));
    output_say(&call->output,
               "users: sessions renewed since go on, except that a uuid token made since is not "
               "known; who logged in since must do it again");
    output_say(&call->output,
               "passwords, client secrets and signing keys are as they were: change or retire "
               "again what was changed since");
    if (restored->kept[0] != '\0') {
        output_say(&call->output, "what was there is kept as %s/%s", place, restored->kept);
    }
}

static const char *journal_meaning(enum store_journal journal)
{
    switch (journal) {
    case STORE_JOURNAL_SOUND:
        return "ended.log was there";
    case STORE_JOURNAL_ABSENT:
        return "ended.log is lost: what was revoked since is live again, so revoke it again";
    case STORE_JOURNAL_DAMAGED:
        return "ended.log is damaged: some of what was revoked since may be live again";
    case STORE_JOURNAL_FOREIGN:
        return "ended.log is of another store: what was revoked since is live again";
    }
    return "";
}

enum call_end verbs_store_prune(struct call *call)
{
    enum { BATCH = 1000 };
    struct fault fault = {0};
    char clock[96];
    int64_t ahead_ms = 0;
    size_t all = 0;
    bool more = true;

    if (store_clock_ahead(call->service.store, call->now_ms, &ahead_ms, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    describe_clock(ahead_ms, clock);
    if (ahead_ms != 0 && !options_has(&call->options, OPTION_YES) &&
        !(prompt_is_terminal() && is_clock_right(clock))) {
        return call_refuse(call, "%s; if the clock is right, use --yes", clock);
    }
    while (more) {
        size_t removed = 0;

        if (store_prune(call->service.store, call->now_ms, ahead_ms != 0, BATCH, &removed, &more,
                        &fault) != STORE_OK) {
            return call_fault(call, &fault);
        }
        all += removed;
        more = more && removed > 0;
    }
    char kept[32];

    config_duration_format(call->service.config.keep_ended_ms, kept);
    output_say(&call->output, "%zu ended session%s removed%s%s%s", all, all == 1 ? "" : "s",
               all == 0 ? " (none ended more than keep-ended, " : "", all == 0 ? kept : "",
               all == 0 ? ", ago)" : "");
    return CALL_DONE;
}

static void describe_clock(int64_t ahead_ms, char out[96])
{
    int64_t by_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;

    snprintf(out, 96, "the clock is %" PRId64 " days %s the time that has passed for this store",
             (by_ms + CLOCK_DAY / 2) / CLOCK_DAY, ahead_ms < 0 ? "behind" : "ahead of");
}

static bool is_clock_right(const char *what)
{
    char answer[8] = "";

    fprintf(stderr,
            "%s.\nIf it is wrong, this may remove sessions that are still wanted. Is it right? "
            "[y/N] ",
            what);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}
