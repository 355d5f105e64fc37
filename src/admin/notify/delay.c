/* SPDX-License-Identifier: ISC */
/* delay.c: see delay.h. */
#include "admin/notify/delay.h"

int64_t notify_delay(uint32_t tries, int64_t retry_after_ms, uint32_t chance)
{
    int64_t most = NOTIFY_DELAY_FIRST;

    for (uint32_t i = 1; i < tries && most < NOTIFY_DELAY_MOST; i++) {
        most *= 2;
    }
    most = most < NOTIFY_DELAY_MOST ? most : NOTIFY_DELAY_MOST;
    int64_t delay = most / 2 + (int64_t)chance % (most / 2 + 1);
    int64_t asked = retry_after_ms < NOTIFY_DELAY_MOST ? retry_after_ms : NOTIFY_DELAY_MOST;

    return delay > asked ? delay : asked;
}

bool notify_delay_is_over(int64_t first_ms, int64_t next_ms)
{
    return next_ms - first_ms > NOTIFY_GIVEN_UP;
}
