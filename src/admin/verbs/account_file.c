/* SPDX-License-Identifier: ISC */
/* account_file.c: `retoken account import` and `export`: many accounts at a time. Knows when
 * a line adds an account, changes one or leaves it alone; does not know how a line is spelled. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/account_line.h"
#include "admin/lines.h"
#include "admin/verbs/verbs.h"
#include "base/secret.h"

/* BATCH accounts go into one commit. ROUNDS: how often a line is decided again because another
 * process, or an earlier line of the same name, changed its account. */
enum { BATCH = 256, ROUNDS = 8, PAGE = 64, LINE_MEMORY = 4 * 1024 * 1024 };

struct entry {
    struct importing *importing;
    uint64_t number; /* of the line */
    struct account_line line;
    struct account before, after;
    struct store_write write;
    uint64_t *counter; /* of what it is when it is written */
    enum store_result result;
    struct fault fault;
};

struct importing {
    struct call *call;
    enum account_format format;
    struct lines lines;
    struct arena *arena; /* of one line */
    bool update, dry_run;
    uint64_t added, changed, unchanged, exist, passed_over;
    struct entry *entries; /* BATCH */
    size_t count;
    bool failed; /* fault says what */
    struct fault fault;
};

static const struct column columns[] = {
    {"added", "added", COLUMN_NUMBER, false},
    {"changed", "changed", COLUMN_NUMBER, false},
    {"unchanged", "unchanged", COLUMN_NUMBER, false},
    {"exist", "exist", COLUMN_NUMBER, false},
    {"without_password", "without password", COLUMN_NUMBER, false},
    {"refused", "refused", COLUMN_NUMBER, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static enum call_end import_all(struct importing *importing);
static void read_all(struct importing *importing);
static void take_line(struct importing *importing, struct text text);
static void write_batch(struct importing *importing);
static void place(struct entry *entry);
static void add(struct entry *entry);
static void change(struct entry *entry);
static bool take_password(struct entry *entry);
static void change_and_end(struct entry *entry);
static void submit(struct entry *entry, uint64_t *counter);
static void submitted(void *self, enum store_result result);
static void settle(struct entry *entry);
static enum call_end tell(struct importing *importing);

enum call_end verbs_account_import(struct call *call)
{
    const struct options *options = &call->options;
    struct importing importing = {.call = call,
                                  .update = options_has(options, OPTION_UPDATE),
                                  .dry_run = options_has(options, OPTION_DRY_RUN)};
    enum call_end end;

    if (options_has(options, OPTION_HTPASSWD) && options_has(options, OPTION_SHADOW)) {
        return call_wrong(call, "--htpasswd and --shadow exclude each other");
    }
    importing.format = options_has(options, OPTION_HTPASSWD) ? ACCOUNT_HTPASSWD
                       : options_has(options, OPTION_SHADOW) ? ACCOUNT_SHADOW
                                                             : ACCOUNT_JSON;
    importing.arena = arena_open(LINE_MEMORY);
    importing.entries = calloc(BATCH, sizeof *importing.entries);
    if (importing.arena == NULL || importing.entries == NULL) {
        fault_set(&importing.fault, "out of memory");
        end = call_fault(call, &importing.fault);
    } else {
        end = import_all(&importing);
        secret_wipe(importing.entries, BATCH * sizeof *importing.entries);
    }
    free(importing.entries);
    arena_close(importing.arena);
    return end;
}

static enum call_end import_all(struct importing *importing)
{
    enum call_end end;

    if (!lines_open(&importing->lines, call_argument(importing->call, 0), &importing->fault)) {
        return call_refuse(importing->call, "%s", importing->fault.text);
    }
    read_all(importing);
    end = tell(importing);
    lines_close(&importing->lines);
    return end;
}

static void read_all(struct importing *importing)
{
    enum lines_result result = LINES_ONE;
    struct text text;

    while (!importing->failed &&
           (result = lines_next(&importing->lines, &text, &importing->fault)) == LINES_ONE) {
        take_line(importing, text);
        lines_progress(&importing->lines, importing->lines.number, "accounts");
    }
    importing->failed = importing->failed || result == LINES_FAULT;
    write_batch(importing);
    lines_progress_end(&importing->lines);
}

static void take_line(struct importing *importing, struct text text)
{
    struct entry *entry = &importing->entries[importing->count];
    struct lines *lines = &importing->lines;
    struct fault fault;

    arena_reset(importing->arena);
    switch (account_line_read(importing->arena, importing->format, text, importing->call->now_ms,
                              &entry->line, &fault)) {
    case ACCOUNT_LINE_ONE:
        break;
    case ACCOUNT_LINE_NONE:
        importing->passed_over += !text_starts(text, TEXT("#"));
        return;
    case ACCOUNT_LINE_WRONG:
        lines_wrong(lines, lines->number, "%s", fault.text);
        return;
    }
    entry->importing = importing;
    entry->number = lines->number;
    importing->count++;
    place(entry);
    if (importing->count == BATCH) {
        write_batch(importing);
    }
}

/* Makes durable what was handed in. What came too late is decided again. */
static void write_batch(struct importing *importing)
{
    bool again = true;

    for (int round = 0; again && !importing->failed; round++) {
        store_flush(importing->call->service.store);
        again = false;
        for (size_t i = 0; i < importing->count && !importing->failed; i++) {
            struct entry *entry = &importing->entries[i];

            if (entry->counter != NULL && round < ROUNDS &&
                (entry->result == STORE_EXISTS || entry->result == STORE_STALE ||
                 entry->result == STORE_ABSENT)) {
                again = true;
                place(entry);
            } else {
                settle(entry);
            }
        }
    }
    store_flush(importing->call->service.store);
    importing->count = 0;
}

/* ---- one line ---- */

/* What is to be done is handed in; entry->counter is NULL when nothing is. */
static void place(struct entry *entry)
{
    struct importing *importing = entry->importing;

    entry->counter = NULL;
    switch (store_account_find(importing->call->service.store, entry->line.account.name,
                               &entry->before, &importing->fault)) {
    case STORE_OK:
        if (importing->update) {
            change(entry);
        } else {
            importing->exist++;
        }
        return;
    case STORE_ABSENT:
        add(entry);
        return;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    importing->failed = true;
}

static void add(struct entry *entry)
{
    struct importing *importing = entry->importing;

    entry->before = (struct account){.enabled = true, .created_ms = importing->call->now_ms};
    memcpy(entry->before.name, entry->line.account.name, sizeof entry->before.name);
    entry->after = entry->before;
    account_line_apply(&entry->line, &entry->after);
    if (take_password(entry)) {
        store_prepare_account_add(&entry->write, &entry->after);
        submit(entry, &importing->added);
    }
}

/* A hash that was imported before is no other password, even where a login has put a better one in
 * its place. */
static void change(struct entry *entry)
{
    struct importing *importing = entry->importing;

    entry->after = entry->before;
    account_line_apply(&entry->line, &entry->after);
    if (!take_password(entry)) {
        return;
    } else if (strcmp(entry->before.password, entry->after.password) != 0 &&
               !entry->after.keep_on_password_change && !importing->dry_run) {
        change_and_end(entry);
    } else if (account_is_same(&entry->before, &entry->after)) {
        importing->unchanged++;
    } else {
        store_prepare_account_update(&entry->write, &entry->before, &entry->after);
        submit(entry, &importing->changed);
    }
}

/* False: the line is refused, or something broke. */
static bool take_password(struct entry *entry)
{
    struct importing *importing = entry->importing;
    struct text password = text_of(entry->line.password);
    struct call *call = importing->call;
    struct fault fault;

    if (entry->line.has_hash && !account_has_hash(&entry->before, entry->line.account.password)) {
        memcpy(entry->after.password, entry->line.account.password, sizeof entry->after.password);
    } else if (password.size > 0 && !importing->dry_run &&
               password_verify(password, entry->before.password) != PASSWORD_RIGHT &&
               !password_hash(password, &call->service.config.password_method, &call->randomness,
                              entry->after.password, &fault)) {
        lines_wrong(&importing->lines, entry->number, "%s: %s", entry->after.name, fault.text);
        return false;
    }
    return true;
}

/* One by one, because the records of its sessions are marked, too. */
static void change_and_end(struct entry *entry)
{
    size_t count;

    entry->counter = &entry->importing->changed;
    entry->result = store_account_update_and_end(
        entry->importing->call->service.store, &entry->before, &entry->after, SESSION_ENDED_ACCOUNT,
        entry->importing->call->now_ms, &count, &entry->fault);
}

static void submit(struct entry *entry, uint64_t *counter)
{
    if (entry->importing->dry_run) {
        ++*counter;
        return;
    }
    entry->counter = counter;
    store_submit(entry->importing->call->service.store, &entry->write, &entry->fault, submitted,
                 entry);
}

static void submitted(void *self, enum store_result result)
{
    struct entry *entry = self;

    entry->result = result;
}

/* Counts it, once. */
static void settle(struct entry *entry)
{
    struct importing *importing = entry->importing;

    if (entry->counter == NULL) {
        return;
    }
    switch (entry->result) {
    case STORE_OK:
        ++*entry->counter;
        break;
    case STORE_FAULT:
        importing->fault = entry->fault;
        importing->failed = true;
        break;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_ABSENT:
        lines_wrong(&importing->lines, entry->number,
                    "%s: changed by other processes all the time; import it again",
                    entry->line.account.name);
        break;
    }
    entry->counter = NULL;
}

static enum call_end tell(struct importing *importing)
{
    struct call *call = importing->call;
    const struct cell cells[COLUMNS] = {
        CELL_NUMBER(importing->added),       CELL_NUMBER(importing->changed),
        CELL_NUMBER(importing->unchanged),   CELL_NUMBER(importing->exist),
        CELL_NUMBER(importing->passed_over), CELL_NUMBER(importing->lines.wrong)};
    uint64_t made = importing->dry_run ? 0 : importing->added + importing->changed;
    enum call_end end = CALL_DONE;
    char note[EVENT_NOTE_MAX + 1];

    if (call->output.json) {
        output_record(&call->output, columns, COLUMNS, cells);
    }
    output_say(&call->output, "%s%" PRIu64 " added, %" PRIu64 " changed, %" PRIu64 " unchanged",
               importing->dry_run ? "would be: " : "", importing->added, importing->changed,
               importing->unchanged);
    if (importing->exist > 0) {
        output_say(&call->output, "%" PRIu64 " exist already; --update changes them",
                   importing->exist);
    }
    if (importing->passed_over > 0) {
        output_say(&call->output, "%" PRIu64 " without a password, passed over",
                   importing->passed_over);
    }
    if (importing->lines.wrong > 0) {
        output_say(&call->output, "%" PRIu64 " refused", importing->lines.wrong);
        end = CALL_REFUSED;
    }
    if (made > 0) {
        snprintf(note, sizeof note, "import: %" PRIu64 " added, %" PRIu64 " changed",
                 importing->added, importing->changed);
        if (call_event(call, EVENT_ACCOUNT, 0, NULL, note) != CALL_DONE) {
            end = CALL_FAULT;
        }
    }
    return importing->failed ? call_fault(call, &importing->fault) : end;
}

/* ---- export ---- */

static bool write_page(struct call *call, struct arena *arena, const struct account *rows,
                       size_t count);

/* A page at a time, so that memory is bounded. */
enum call_end verbs_account_export(struct call *call)
{
    struct account *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct arena *arena = arena_open(LINE_MEMORY);
    struct fault fault = {"out of memory"};
    char after[ACCOUNT_NAME_MAX + 1] = "";
    size_t count = PAGE;
    bool good = rows != NULL && arena != NULL;

    while (good && count == PAGE) {
        good = store_account_list(call->service.store, after[0] != '\0' ? after : NULL, rows, PAGE,
                                  &count, &fault) == STORE_OK &&
               write_page(call, arena, rows, count);
        if (good && count > 0) {
            memcpy(after, rows[count - 1].name, sizeof after);
        }
    }
    if (rows != NULL) {
        secret_wipe(rows, PAGE * sizeof *rows);
    }
    arena_close(arena);
    return good ? CALL_DONE : call_fault(call, &fault);
}

static bool write_page(struct call *call, struct arena *arena, const struct account *rows,
                       size_t count)
{
    bool with_hashes = options_has(&call->options, OPTION_WITH_HASHES);

    for (size_t i = 0; i < count; i++) {
        struct buffer buffer;
        struct text line;

        arena_reset(arena);
        buffer_start(&buffer, arena, 1024);
        struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
        account_line_write(&out, arena, &rows[i], with_hashes);
        buffer_add_char(&buffer, '\n');
        if (!buffer_finish(&buffer, &line) ||
            fwrite(line.data, 1, line.size, call->output.stream) != line.size) {
            return false;
        }
    }
    return true;
}
