/* SPDX-License-Identifier: ISC */
/* hook_http.c: see hook_http.h. */
#include "operation/hook_http.h"

#include <pthread.h>
#include <stdlib.h>

#include "http/client.h"

/* Connections that are kept open. */
enum { KEPT = 8 };

struct hook_http {
    pthread_mutex_t opening;
    struct http_client *client; /* NULL: not open yet */
};

struct hook_http *hook_http_open(void)
{
    struct hook_http *hooked = calloc(1, sizeof *hooked);

    if (hooked != NULL) {
        pthread_mutex_init(&hooked->opening, NULL);
    }
    return hooked;
}

void hook_http_close(struct hook_http *hooked)
{
    if (hooked != NULL) {
        http_client_close(hooked->client);
        pthread_mutex_destroy(&hooked->opening);
        free(hooked);
    }
}

bool hook_http_prepare(struct hook_http *hooked, struct fault *fault)
{
    bool open;

    pthread_mutex_lock(&hooked->opening);
    if (hooked->client == NULL) {
        hooked->client = http_client_open(KEPT, fault);
    }
    open = hooked->client != NULL;
    pthread_mutex_unlock(&hooked->opening);
    return open;
}

bool hook_http_post(void *self, const struct hook_settings *hook, struct text body,
                    struct arena *arena, struct text *answer, struct fault *fault)
{
    struct hook_http *hooked = self;
    struct http_call call = {.url = hook->url,
                             .body = body,
                             .headers = {"Content-Type: application/json"},
                             .timeout_ms = hook->timeout_ms,
                             .room = arena_alloc(arena, HOOK_ANSWER_MAX),
                             .room_size = HOOK_ANSWER_MAX};

    if (call.room == NULL) {
        fault_set(fault, "the request's memory is used up");
    } else if (!hook_http_prepare(hooked, fault)) {
        return false;
    } else if (!http_client_post(hooked->client, &call)) {
        *fault = call.fault;
    } else if (call.status != 200) {
        fault_set(fault, "it answered with status %d", call.status);
    } else if (call.cut) {
        fault_set(fault, "its answer is larger than %d KiB", HOOK_ANSWER_MAX / 1024);
    } else {
        *answer = (struct text){call.room, call.size};
        return true;
    }
    return false;
}
