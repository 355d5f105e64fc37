/* SPDX-License-Identifier: ISC */
/* adopted.c: see adopted.h. */
#include "admin/adopted.h"

#include <string.h>

#include "base/codec.h"

enum { PAGE = 64 };

static int64_t began_ms(const struct session *session);

bool adopted_count(struct call *call, const char *realm, struct adopted *adopted,
                   struct fault *fault)
{
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE];
    bool first = true;
    size_t count = PAGE;

    *adopted = (struct adopted){.count = 0};
    if (rows == NULL) {
        fault_set(fault, "out of memory");
        return false;
    }
    while (count == PAGE) {
        if (store_session_list(call->service.store, 0, first ? NULL : after, rows, PAGE, &count,
                               fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (rows[i].kept_until_ms != 0 && strcmp(rows[i].realm, realm) == 0) {
                adopted->count++;
                adopted->last_ms = began_ms(&rows[i]); /* in order of ids, so of these times */
            }
        }
        if (count > 0) {
            memcpy(after, rows[count - 1].id, sizeof after);
        }
        first = false;
    }
    return true;
}

/* Of its id, a UUIDv7 (RFC 9562 section 5.7); created_ms is when it began at the other server. */
static int64_t began_ms(const struct session *session)
{
    uint8_t ms[8] = {0};

    memcpy(ms + 2, session->id, 6);
    return (int64_t)codec_get_u64(ms);
}
