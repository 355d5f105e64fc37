/* SPDX-License-Identifier: ISC */
/* date.h: points in time as people and other programs write them. Does not know what they are
 * for. */
#ifndef RETOKEN_BASE_DATE_H
#define RETOKEN_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* "2025-11-20T11:04:00Z" (RFC 3339 section 5.6; a space may be in the place of the T, as SQL has
 * it, and the minutes of the offset may be left out) or "2025-11-20", which is its first moment in
 * UTC. From 1970 to 9999. False otherwise, and *ms is unchanged. A leap second counts as the one
 * before it. */
bool date_parse(struct text text, int64_t *ms);

/* "2025-11-20T11:04:00Z"; "@" and seconds since 1970 where gmtime(3) has no date. */
enum { DATE_SIZE = 32 };
void date_format(int64_t ms, char out[DATE_SIZE]);

#endif
