/* Time, in microseconds. Not for domain code, which is given its time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RT_US_PER_MS   INT64_C(1000)
#define RT_US_PER_S    INT64_C(1000000)
/* A deadline that never comes. */
#define RT_NO_DEADLINE INT64_MAX

int64_t rt_clock_mono_us(void); /* for durations and deadlines */
int64_t rt_clock_wall_us(void); /* since 1970 UTC; for records */
/* Milliseconds from now to a monotonic deadline: 0 when past, at most `most_ms`. */
int rt_clock_left_ms(int64_t deadline_mono_us, int most_ms);
void rt_clock_sleep_us(int64_t duration_us);
/* RFC 3339 in UTC with microseconds, 27 characters and NUL. */
#define RT_TIME_TEXT_BYTES 28
void rt_clock_format(int64_t wall_us, char text[RT_TIME_TEXT_BYTES]);
