/* SPDX-License-Identifier: ISC */
/* device_polls.c: see device_polls.h. A table in which a device takes the place of another. */
#include "operation/device_polls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"

struct device_polls {
    pthread_mutex_t lock;
    struct poll {
        uint8_t session[SESSION_ID_SIZE];
        int64_t at_ms; /* 0 = none */
    } kept[DEVICE_POLLS_KEPT];
};

struct device_polls *device_polls_open(void)
{
    struct device_polls *polls = calloc(1, sizeof *polls);

    if (polls != NULL) {
        pthread_mutex_init(&polls->lock, NULL);
    }
    return polls;
}

void device_polls_close(struct device_polls *polls)
{
    if (polls != NULL) {
        pthread_mutex_destroy(&polls->lock);
        free(polls);
    }
}

bool device_polls_too_soon(struct device_polls *polls, const uint8_t session[SESSION_ID_SIZE],
                           int64_t now_ms)
{
    /* the end of an id is random (UUIDv7) */
    size_t place = codec_get_u32(session + SESSION_ID_SIZE - 4) % DEVICE_POLLS_KEPT;
    struct poll *poll = &polls->kept[place];
    int64_t since_ms;
    bool known;

    pthread_mutex_lock(&polls->lock);
    known = poll->at_ms != 0 && secret_equal(poll->session, session, SESSION_ID_SIZE);
    since_ms = now_ms - poll->at_ms;
    memcpy(poll->session, session, SESSION_ID_SIZE);
    poll->at_ms = now_ms;
    pthread_mutex_unlock(&polls->lock);
    /* a clock that was set back makes none come too soon */
    return known && since_ms >= 0 &&
           since_ms < DEVICE_INTERVAL_S * CLOCK_SECOND - DEVICE_POLLS_SLACK_MS;
}
