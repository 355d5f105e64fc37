/* SPDX-License-Identifier: ISC */
/* adopted.c: see adopted.h. */
#include "admin/adopted.h"

#include <string.h>

#include "base/codec.h"

struct counting {
    const char *realm;
    struct adopted *adopted;
};

static void count_one(void *self, const struct session *session);
static int64_t began_ms(const struct session *session);

bool adopted_count(struct call *call, const char *realm, struct adopted *adopted,
                   struct fault *fault)
{
    struct counting counting = {realm, adopted};

    *adopted = (struct adopted){.count = 0};
    return call_each_session(call, count_one, &counting, fault);
}

static void count_one(void *self, const struct session *session)
{
    const struct counting *counting = self;

    if (session->kept_until_ms != 0 && strcmp(session->realm, counting->realm) == 0) {
        counting->adopted->count++;
        counting->adopted->last_ms = began_ms(session); /* in order of ids, so of these times */
    }
}

/* Of its id, a UUIDv7 (RFC 9562 section 5.7); created_ms is when it began at the other server. */
static int64_t began_ms(const struct session *session)
{
    uint8_t ms[8] = {0};

    memcpy(ms + 2, session->id, 6);
    return (int64_t)codec_get_u64(ms);
}
