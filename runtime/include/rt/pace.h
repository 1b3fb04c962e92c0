/* Work that gives way to group commit: while lanes are at work most of the time, all of it together
 * takes no more than a share of one thread's time; else as much as it likes. For reads of many
 * rows. Source: docs/decisions/0039-shapes-and-readers.md. */
#pragma once

#include <stdint.h>

struct rt_commit;
struct rt_pace;

/* Lends the group commit, which must outlive it. `percent`, 1 to 100: 100 gives way to nothing.
 * `rest_us_max`: what is owed after a long turn is no more. */
struct rt_pace *rt_pace_new(struct rt_commit *commit, int64_t percent, int64_t rest_us_max);
void rt_pace_destroy(struct rt_pace *pace);
/* Waits until earlier turns are paid for, lanes are idle again, or the deadline has come; returns
 * the time, at which a turn begins. Holds no lock and no transaction of anybody's. */
int64_t rt_pace_begin(struct rt_pace *pace, int64_t deadline_mono_us);
/* The turn is over. A turn of which no part waited for a caller: its time is what is paid for. */
void rt_pace_end(struct rt_pace *pace, int64_t began_mono_us);
