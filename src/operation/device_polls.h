/* SPDX-License-Identifier: ISC */
/* device_polls.h: when devices last asked whether they are approved, so that one that asks too
 * often is told to slow down (RFC 8628 section 3.5) without a write for each poll. Kept in this
 * process alone, and of a bounded number of devices: in another process, or when more devices wait
 * than that, one may ask more often. Knows sessions' ids and times; does not know what is asked. */
#ifndef RETOKEN_OPERATION_DEVICE_POLLS_H
#define RETOKEN_OPERATION_DEVICE_POLLS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/session.h"

/* How often a device may ask, as it is told, and how much earlier than that a network makes some
 * polls seem. */
enum { DEVICE_INTERVAL_S = 5, DEVICE_POLLS_SLACK_MS = 1000, DEVICE_POLLS_KEPT = 4096 };

struct device_polls;
struct device_polls *device_polls_open(void);        /* NULL: no memory */
void device_polls_close(struct device_polls *polls); /* NULL is harmless */

/* Notes a poll, and says whether it comes too soon after the last one of this session. Without
 * memory it notes none. */
bool device_polls_too_soon(struct device_polls *polls, const uint8_t session[SESSION_ID_SIZE],
                           int64_t now_ms);

#endif
