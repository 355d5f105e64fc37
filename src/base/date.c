/* SPDX-License-Identifier: ISC */
/* date.c: RFC 3339. */
#include "base/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

enum { FRACTION_DIGITS_MAX = 9 };

static bool take(struct text *rest, const char *any_of);
static bool number(struct text *rest, size_t digits, int64_t least, int64_t most, int64_t *value);
static bool calendar_day(struct text *rest, int64_t *days);
static bool time_of_day(struct text *rest, int64_t *ms);
static bool offset(struct text *rest, int64_t *ms);
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day);
static bool is_leap(int64_t year);

bool date_parse(struct text text, int64_t *ms)
{
    int64_t days = 0, time_ms = 0, offset_ms = 0;

    if (!calendar_day(&text, &days)) {
        return false;
    } else if (text.size > 0 && (!take(&text, "Tt ") || !time_of_day(&text, &time_ms) ||
                                 !offset(&text, &offset_ms) || text.size > 0)) {
        return false;
    }
    time_ms += days * CLOCK_DAY - offset_ms;
    if (time_ms < 0) {
        return false;
    }
    *ms = time_ms;
    return true;
}

static bool calendar_day(struct text *rest, int64_t *days)
{
    static const int8_t length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;

    if (!number(rest, 4, 1970, 9999, &year) || !take(rest, "-") ||
        !number(rest, 2, 1, 12, &month) || !take(rest, "-") || !number(rest, 2, 1, 31, &day) ||
        day > length[month - 1] || (month == 2 && day == 29 && !is_leap(year))) {
        return false;
    }
    *days = days_since_1970(year, month, day);
    return true;
}

static bool time_of_day(struct text *rest, int64_t *ms)
{
    int64_t hour, minute, second, fraction = 0, unit = CLOCK_SECOND / 10;
    size_t digits = 0;

    if (!number(rest, 2, 0, 23, &hour) || !take(rest, ":") || !number(rest, 2, 0, 59, &minute) ||
        !take(rest, ":") || !number(rest, 2, 0, 60, &second)) {
        return false;
    }
    if (take(rest, ".")) {
        int64_t digit;

        for (; digits < FRACTION_DIGITS_MAX && number(rest, 1, 0, 9, &digit); digits++) {
            fraction += digit * unit;
            unit /= 10;
        }
        if (digits == 0) {
            return false;
        }
    }
    second = second == 60 ? 59 : second;
    *ms = hour * CLOCK_HOUR + minute * CLOCK_MINUTE + second * CLOCK_SECOND + fraction;
    return true;
}

/* "Z", "+02:00", "-0530" or "+02". */
static bool offset(struct text *rest, int64_t *ms)
{
    int64_t sign = text_starts(*rest, TEXT("-")) ? -1 : 1;
    int64_t hours, minutes = 0;

    if (take(rest, "Zz")) {
        *ms = 0;
        return true;
    } else if (!take(rest, "+-") || !number(rest, 2, 0, 23, &hours)) {
        return false;
    }
    if ((take(rest, ":") || rest->size > 0) && !number(rest, 2, 0, 59, &minutes)) {
        return false;
    }
    *ms = sign * (hours * CLOCK_HOUR + minutes * CLOCK_MINUTE);
    return true;
}

/* One character, which must be one of these. */
static bool take(struct text *rest, const char *any_of)
{
    if (rest->size == 0 || text_find(text_of(any_of), rest->data[0]) == strlen(any_of)) {
        return false;
    }
    *rest = text_from(*rest, 1);
    return true;
}

static bool number(struct text *rest, size_t digits, int64_t least, int64_t most, int64_t *value)
{
    uint64_t read;

    if (rest->size < digits || !text_to_u64(text_cut(*rest, digits), (uint64_t)most, &read) ||
        (int64_t)read < least) {
        return false;
    }
    *value = (int64_t)read;
    *rest = text_from(*rest, digits);
    return true;
}

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1; /* whole years, and what leap days they had, since the year 1 */
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400;

    days += before[month - 1] + day - 1 + (month > 2 && is_leap(year) ? 1 : 0);
    return days - 719162;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

void date_format(int64_t ms, char out[DATE_SIZE])
{
    int64_t s = ms / CLOCK_SECOND - (ms % CLOCK_SECOND < 0 ? 1 : 0);
    time_t t = (time_t)s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        snprintf(out, DATE_SIZE, "@%" PRId64, s);
    }
}
