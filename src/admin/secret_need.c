/* SPDX-License-Identifier: ISC */
/* secret_need.c: see secret_need.h. */
#include "admin/secret_need.h"

#include <string.h>

#include "base/secret.h"

struct counting {
    struct secret_need *need;
    int64_t now_ms;
};

static bool read_lines(struct call *call, struct secret_need *need, struct fault *fault);
static void count_one(void *self, const struct session *session);

bool secret_need_read(struct call *call, struct secret_need *need, struct fault *fault)
{
    struct counting counting = {need, call->now_ms};

    memset(need, 0, sizeof *need);
    need->current = secrets_current(&call->service.secrets, call->now_ms);
    return read_lines(call, need, fault) && call_each_session(call, count_one, &counting, fault);
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

static void count_one(void *self, const struct session *session)
{
    struct counting *counting = self;
    bool over = session->end != SESSION_LIVE ||
                (session->expires_ms != 0 && session->expires_ms <= counting->now_ms);

    counting->need->sessions[session->secret] += over ? 0 : 1;
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
