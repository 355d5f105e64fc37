/* SPDX-License-Identifier: ISC */
/* sweep_time.h: the time by which sessions are removed for good, and by which their uses are noted
 * while the wall clock is behind it. A clock that is ahead for a while makes sessions expire, and
 * when it is mended they are as live as before; what has been removed does not come back. So the
 * store keeps a time of its own, the trusted time: it goes on by what really passed, which the time
 * since boot tells and no setting of the wall clock changes. Knows clocks and one record of the
 * table meta; does not know sessions.
 *
 *   - Within one boot, trusted time goes on as fast as the time since boot. While the wall clock is
 *     ahead of it, it may go twice as fast, for a day in all.
 *   - Nothing tells how long a machine was off. After a boot it may go twice as fast for as long as
 *     it lay behind the wall clock when that boot was first seen, and for a day at least. (A
 *     machine without a battery learns the time a moment later.)
 *   - Where the boot is not known, the wall clock's own steps count, each for a day at most.
 *   - Nothing is removed by a time that is more than a day ahead of it, nor ahead of the clock. */
#ifndef RETOKEN_STORE_VERBS_SWEEP_TIME_H
#define RETOKEN_STORE_VERBS_SWEEP_TIME_H

#include "store/records/rows.h"

/* The trusted time as of now, as the record and the clocks tell. A store that has none takes the
 * wall clock's word. Not stored. */
struct record_time sweep_time_at(const struct record_time *stored, const struct clock_moment *now);
/* The wall clock is right, whatever was trusted before. */
struct record_time sweep_time_set(const struct clock_moment *now);

/* What was due at this time may be removed: wall_ms, or a day after the trusted time. */
int64_t sweep_time_limit_ms(const struct record_time *time, int64_t wall_ms);
/* How far wall_ms is ahead of the trusted time; 0: by no more than a day. */
int64_t sweep_time_ahead_ms(const struct record_time *time, int64_t wall_ms);
/* How far it is behind; 0: by no more than a minute. What is noted by such a clock would be over
 * when the clock is mended. */
int64_t sweep_time_behind_ms(const struct record_time *time, int64_t wall_ms);

/* Has it changed so much that it is worth a write? By a minute, or in whether it is ahead. */
bool sweep_time_worth_storing(const struct record_time *stored, const struct record_time *now);

#endif
