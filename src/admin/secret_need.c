/* SPDX-License-Identifier: ISC */
/* secret_need.c: see secret_need.h. */
#include "admin/secret_need.h"

#include <string.h>

#include "base/secret.h"

static bool read_lines(struct call *call, struct secret_need *need, struct fault *fault);
static bool count_sessions(struct call *call, struct secret_need *need, struct fault *fault);

bool secret_need_read(struct call *call, struct secret_need *need, struct fault *fault)
{
    memset(need, 0, sizeof *need);
    need->current = secrets_current(&call->service.secrets, call->now_ms);
    return read_lines(call, need, fault) && count_sessions(call, need, fault);
}

static bool read_lines(struct call *call, struct secret_need *need, struct fault *fault)
{
    const struct config *config = &call->service.config;
    struct secrets_file file;

    if (!secrets_file_read(config->secret_file, config->secret_passed, &file, fault)) {
        return false;
    }
    for (size_t i = 0; i < file.count; i++) {
        need->lines[i] = file.lines[i];
        secret_wipe(need->lines[i].master, sizeof need->lines[i].master);
    }
    need->count = file.count;
    secret_wipe(&file, sizeof file);
    return true;
}

/* A page at a time, so that memory is bounded. */
static bool count_sessions(struct call *call, struct secret_need *need, struct fault *fault)
{
    enum { PAGE = 128 };
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE];
    size_t count = PAGE;

    fault_set(fault, "out of memory");
    for (bool first = true; rows != NULL && count == PAGE; first = false) {
        if (store_session_list(call->service.store, 0, first ? NULL : after, rows, PAGE, &count,
                               fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            bool over = rows[i].end != SESSION_LIVE ||
                        (rows[i].expires_ms != 0 && rows[i].expires_ms <= call->now_ms);

            need->sessions[rows[i].secret] += over ? 0 : 1;
            memcpy(after, rows[i].id, sizeof after);
        }
    }
    return rows != NULL;
}

uint8_t secret_need_number(const struct secret_need *need, size_t i)
{
    return i == 0 ? 0 : need->lines[i].name[0];
}

bool secret_need_has(const struct secret_need *need, uint8_t number)
{
    for (size_t i = 0; i < need->count; i++) {
        if (secret_need_number(need, i) == number) {
            return true;
        }
    }
    return false;
}

const char *secret_need_state(const struct secret_need *need, size_t i, int64_t now_ms)
{
    bool is_newer = true;

    if (need->lines[i].retired) {
        return "retired";
    } else if (secret_need_number(need, i) == need->current) {
        return "current";
    }
    for (size_t later = i; later < need->count; later++) {
        is_newer = is_newer && secret_need_number(need, later) != need->current;
    }
    return is_newer && need->lines[i].from_ms > now_ms ? "published" : "accepted";
}
