/* SPDX-License-Identifier: ISC */
/* secret.c: the life of master secrets: `retoken secret list`, rotate and retire. Knows how
 * long others need to learn of a new one; does not know what is derived from it. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/secret_need.h"
#include "base/codec.h"

/* Processes of this machine look at their next request; another machine has to be given the file.
 */
enum { WAIT_HERE_MS = CLOCK_MINUTE, WAIT_THERE_MS = CLOCK_DAY };

static const struct column columns[] = {
    {"id", "id", COLUMN_TEXT, false},       {"state", "state", COLUMN_TEXT, false},
    {"from", "from", COLUMN_TIME, false},   {"sessions", "sessions", COLUMN_NUMBER, false},
    {"store", "store", COLUMN_FLAG, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static struct secret_need *read_need(struct call *call, enum call_end *end);
static void show(struct call *call, uint8_t id, const char *state, int64_t from_ms,
                 uint64_t sessions, bool store);
static enum call_end refuse_passed(const struct call *call, int64_t from_ms);
static enum call_end refuse_published(const struct call *call, const struct secret_need *need);
static bool has_other_machines(const struct call *call);
static void say_rotated(struct call *call, uint8_t id, int64_t from_ms);

/* ---- list ---- */

enum call_end verbs_secret_list(struct call *call)
{
    enum call_end end;
    const struct secret_need *need = read_need(call, &end);

    if (need == NULL) {
        return end;
    }
    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < need->count; i++) {
        show(call, need->lines[i].name[0], secret_need_state(need, i, call->now_ms),
             need->lines[i].from_ms, need->sessions[secret_need_number(need, i)], i == 0);
    }
    for (size_t number = 1; number < SECRET_NUMBERS; number++) {
        if (need->sessions[number] > 0 && !secret_need_has(need, (uint8_t)number)) {
            show(call, (uint8_t)number, "missing", 0, need->sessions[number], false);
        }
    }
    output_table_end(&call->output, "");
    return CALL_DONE;
}

/* NULL: *end, with its reason said. */
static struct secret_need *read_need(struct call *call, enum call_end *end)
{
    struct secret_need *need = arena_alloc(call->arena, sizeof *need);
    struct fault fault = {"out of memory"};

    if (need == NULL || !secret_need_read(call, need, &fault)) {
        *end = call_fault(call, &fault);
        return NULL;
    }
    *end = CALL_DONE;
    return need;
}

static void show(struct call *call, uint8_t id, const char *state, int64_t from_ms,
                 uint64_t sessions, bool store)
{
    char spelled[3];

    codec_hex_encode(&id, sizeof id, spelled);
    const struct cell cells[COLUMNS] = {
        CELL_TEXT(text_of(spelled)), CELL_TEXT(text_of(state)), CELL_NUMBER(from_ms),
        CELL_NUMBER(sessions),       CELL_NUMBER(store),
    };
    output_row(&call->output, cells);
}

/* ---- rotate ---- */

enum call_end verbs_secret_rotate(struct call *call)
{
    const struct config *config = &call->service.config;
    bool now = options_has(&call->options, OPTION_NOW);
    int64_t wait_ms = has_other_machines(call) ? WAIT_THERE_MS : WAIT_HERE_MS;
    int64_t from_ms = call->now_ms + (now ? 0 : wait_ms);
    struct fault fault = {0};
    char note[EVENT_NOTE_MAX + 1];
    uint8_t id;
    enum call_end end;
    const struct secret_need *need = read_need(call, &end);

    if (need == NULL) {
        return end;
    } else if (config->secret_passed) {
        return refuse_passed(call, from_ms);
    } else if (!now && refuse_published(call, need) != CALL_DONE) {
        return CALL_REFUSED;
    } else if (!secrets_file_add(config->secret_file, from_ms, &call->randomness, &id, &fault)) {
        return call_fault(call, &fault);
    }
    say_rotated(call, id, from_ms);
    snprintf(note, sizeof note, "master secret %02x added by rotate", id);
    return call_event(call, EVENT_KEY, 0, NULL, note);
}

/* Whoever passes the file has it, and this user may not write it. */
static enum call_end refuse_passed(const struct call *call, int64_t from_ms)
{
    char from[OUTPUT_TIME_SIZE];

    output_time(from_ms, from);
    return call_refuse(call,
                       "%s is passed to the service: add a line to the file that it is made from, "
                       "as by `echo \"$(openssl rand -hex 32) %s\" >>FILE`, and restart every "
                       "service before that time",
                       call->service.config.secret_file, from);
}

/* One change at a time: nobody could tell which one the other machines have. */
static enum call_end refuse_published(const struct call *call, const struct secret_need *need)
{
    for (size_t i = 0; i < need->count; i++) {
        if (strcmp(secret_need_state(need, i, call->now_ms), "published") == 0) {
            char from[OUTPUT_TIME_SIZE];

            output_time(need->lines[i].from_ms, from);
            return call_refuse(call,
                               "%02x makes tokens from %s on already; --now adds another that "
                               "does so at once",
                               need->lines[i].name[0], from);
        }
    }
    return CALL_DONE;
}

static bool has_other_machines(const struct call *call)
{
    return store_url_directory(call->service.config.store) == NULL;
}

static void say_rotated(struct call *call, uint8_t id, int64_t from_ms)
{
    const char *file = call->service.config.secret_file;
    char from[OUTPUT_TIME_SIZE];

    if (call->output.json) {
        output_table_start(&call->output, columns, COLUMNS);
        show(call, id, from_ms > call->now_ms ? "published" : "current", from_ms, 0, false);
        output_table_end(&call->output, "");
        return;
    }
    output_time(from_ms, from);
    output_say(&call->output,
               "%02x makes tokens from %s on; tokens of those before it stay good until their "
               "sessions end, or are renewed",
               id, from);
    if (has_other_machines(call)) {
        output_say(
            &call->output,
            "copy %s to the other web servers%s; one without it answers 503 to tokens of %02x",
            file, from_ms > call->now_ms ? " before that" : " now", id);
    }
    output_say(&call->output, "keep a copy of %s with that of the store's backups", file);
}

/* ---- retire ---- */

static bool read_id(const char *spelled, uint8_t *id);

enum call_end verbs_secret_retire(struct call *call)
{
    const char *spelled = call_argument(call, 0);
    const char *file = call->service.config.secret_file;
    struct fault fault = {0};
    char note[EVENT_NOTE_MAX + 1];
    uint8_t id;
    enum call_end end;
    const struct secret_need *need = read_need(call, &end);
    size_t i = 0;

    if (need == NULL) {
        return end;
    } else if (!read_id(spelled, &id)) {
        return call_wrong(call, "%s is no id; `retoken secret list` shows all", spelled);
    }
    while (i < need->count && need->lines[i].name[0] != id) {
        i++;
    }
    if (i == need->count) {
        return call_refuse(call, "no master secret %02x; `retoken secret list` shows all", id);
    }
    uint8_t number = secret_need_number(need, i);
    if (number == need->current) {
        return call_refuse(call, "tokens are made under %02x; first `retoken secret rotate`", id);
    } else if (need->sessions[number] > 0) {
        return call_refuse(call,
                           "%" PRIu64 " session%s %02x; each leaves it when it is renewed, where "
                           "its tokens rotate, and all end by `retoken session revoke --all`",
                           need->sessions[number],
                           need->sessions[number] == 1 ? " needs" : "s need", id);
    } else if (!secrets_file_retire(file, id, call->now_ms, &fault)) {
        return call_fault(call, &fault);
    }
    output_say(&call->output, "%02x is retired; its tokens are refused%s", id,
               i == 0 ? ". Its line stays: the store is under it" : "");
    snprintf(note, sizeof note, "master secret %02x retired", id);
    return call_event(call, EVENT_KEY, 0, NULL, note);
}

static bool read_id(const char *spelled, uint8_t *id)
{
    return codec_hex_decode(text_of(spelled), id, sizeof *id);
}
