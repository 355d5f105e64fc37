/* SPDX-License-Identifier: ISC */
/* hook.h: where it is asked what an access token says of an account. Values only, filled by
 * process/config. */
#ifndef RETOKEN_MODEL_HOOK_H
#define RETOKEN_MODEL_HOOK_H

#include <stdint.h>

enum { HOOK_NAME_MAX = 32, HOOK_URL_MAX = 256, HOOK_CALLS_MAX = 128 };

/* What a request is told where the hook does not answer: 503, or what the hook said last. */
enum hook_on_fault { HOOK_ON_FAULT_REFUSE, HOOK_ON_FAULT_LAST };

struct hook_settings {
    char name[HOOK_NAME_MAX + 1];
    char url[HOOK_URL_MAX + 1]; /* http to loopback, or unix:/path */
    int64_t timeout_ms;         /* of one call, from beginning to end */
    int64_t cache_ms; /* an answer is not asked for again before it is so old; 0 = always */
    enum hook_on_fault on_fault;
    int64_t last_for_ms; /* HOOK_ON_FAULT_LAST: so old an answer may be */
    uint64_t calls;      /* at most, at a time, of one process */
};

#endif
