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
    struct poll *kept; /* DEVICE_POLLS_KEPT, from the first poll on: most processes see none */
};

struct poll {
    uint8_t session[SESSION_ID_SIZE];
    int64_t at_ms; /* 0 = none */
};

static bool too_soon(struct poll *poll, const uint8_t session[SESSION_ID_SIZE], int64_t now_ms);

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
        free(polls->kept);
        free(polls);
    }
}

bool device_polls_too_soon(struct device_polls *polls, const uint8_t session[SESSION_ID_SIZE],
                           int64_t now_ms)
{
    /* the end of an id is random (UUIDv7) */
    size_t place = codec_get_u32(session + SESSION_ID_SIZE - 4) % DEVICE_POLLS_KEPT;
    bool soon;

    pthread_mutex_lock(&polls->lock);
    if (polls->kept == NULL) {
        polls->kept = calloc(DEVICE_POLLS_KEPT, sizeof *polls->kept);
    }
    soon = polls->kept != NULL && too_soon(&polls->kept[place], session, now_ms);
    pthread_mutex_unlock(&polls->lock);
    return soon;
}

static bool too_soon(struct poll *poll, const uint8_t session[SESSION_ID_SIZE], int64_t now_ms)
{
    bool known = poll->at_ms != 0 && secret_equal(poll->session, session, SESSION_ID_SIZE);
    int64_t since_ms = now_ms - poll->at_ms;

    memcpy(poll->session, session, SESSION_ID_SIZE);
    poll->at_ms = now_ms;
    /* a clock that was set back makes none come too soon */
    return known && since_ms >= 0 &&
           since_ms < DEVICE_INTERVAL_S * CLOCK_SECOND - DEVICE_POLLS_SLACK_MS;
}
