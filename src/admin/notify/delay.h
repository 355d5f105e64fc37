/* SPDX-License-Identifier: ISC */
/* delay.h: when a delivery that failed is tried again, and when no more. Knows neither time
 * nor chance by itself: both are handed in. */
#ifndef RETOKEN_ADMIN_NOTIFY_DELAY_H
#define RETOKEN_ADMIN_NOTIFY_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define NOTIFY_DELAY_FIRST (INT64_C(5) * CLOCK_SECOND)
#define NOTIFY_DELAY_MOST  (INT64_C(6) * CLOCK_HOUR)
#define NOTIFY_GIVEN_UP    (INT64_C(3) * CLOCK_DAY)

/* After the `tries`th try (from 1 on): 5 s, doubled with each, at most 6 h, and of that between a
 * half and all, as `chance` (any number) decides, so that those who failed together do not come
 * back together. At least retry_after_ms, as far as that is not more than 6 h. */
int64_t notify_delay(uint32_t tries, int64_t retry_after_ms, uint32_t chance);
/* Is a delivery that began to wait at first_ms dead, rather than tried again at next_ms? */
bool notify_delay_is_over(int64_t first_ms, int64_t next_ms);

#endif
