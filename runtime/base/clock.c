#include "rt/clock.h"

#include <errno.h>
#include <time.h>

#include "rt/assert.h"

#define SECONDS_PER_DAY INT64_C(86400)

static int64_t read_us(clockid_t clock)
{
	struct timespec now;
	int failed = clock_gettime(clock, &now);
	RT_ASSERT(failed == 0);
	return (int64_t)now.tv_sec * RT_US_PER_S + now.tv_nsec / 1000;
}

int64_t rt_clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t rt_clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int rt_clock_left_ms(int64_t deadline_mono_us, int most_ms)
{
	if (deadline_mono_us == RT_NO_DEADLINE)
		return most_ms;
	int64_t now_us = rt_clock_mono_us();
	if (deadline_mono_us <= now_us)
		return 0;
	/* Rounded up: whoever waits this long finds the deadline past, rather than spinning through
	 * its last millisecond. */
	int64_t left_ms = (deadline_mono_us - now_us - 1) / RT_US_PER_MS + 1;
	return left_ms < most_ms ? (int)left_ms : most_ms;
}

void rt_clock_sleep_us(int64_t duration_us)
{
	if (duration_us <= 0)
		return;
	int64_t end_us;
	if (__builtin_add_overflow(rt_clock_mono_us(), duration_us, &end_us))
		end_us = INT64_MAX;
	struct timespec end = {.tv_sec = end_us / RT_US_PER_S,
			       .tv_nsec = end_us % RT_US_PER_S * 1000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		continue;
}

/* A date of the proleptic Gregorian calendar. */
struct date {
	int64_t year;
	unsigned month;
	unsigned day;
};

/* Counts in years that begin in March, so that the leap day comes last, and in eras of 400 years,
 * which all have the same length. gmtime_r would do, but takes a lock of the C library that every
 * thread that logs would meet at. */
static struct date date_of(int64_t days_since_1970)
{
	const int64_t days_per_era = 146097;
	int64_t days = days_since_1970 + 719468; /* since 0000-03-01 */
	int64_t era = (days >= 0 ? days : days - days_per_era + 1) / days_per_era;
	int64_t day_of_era = days - era * days_per_era;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
	return (struct date){.year = year, .month = (unsigned)month, .day = (unsigned)day};
}

static char *put_digits(char *at, int64_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + digits;
}

void rt_clock_format(int64_t wall_us, char text[RT_TIME_TEXT_BYTES])
{
	/* RFC 3339 has four digits for the year: what is outside of it is shown as the nearest time
	 * that it can write. */
	const int64_t least_us = INT64_C(-62167219200) * RT_US_PER_S;
	const int64_t most_us = INT64_C(253402300800) * RT_US_PER_S - 1;
	if (wall_us < least_us)
		wall_us = least_us;
	if (wall_us > most_us)
		wall_us = most_us;

	int64_t day_us = SECONDS_PER_DAY * RT_US_PER_S;
	int64_t days = wall_us / day_us - (wall_us % day_us < 0 ? 1 : 0);
	int64_t left_us = wall_us - days * day_us;
	int64_t second = left_us / RT_US_PER_S;
	struct date date = date_of(days);

	char *at = put_digits(text, date.year, 4);
	*at++ = '-';
	at = put_digits(at, date.month, 2);
	*at++ = '-';
	at = put_digits(at, date.day, 2);
	*at++ = 'T';
	at = put_digits(at, second / 3600, 2);
	*at++ = ':';
	at = put_digits(at, second / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, second % 60, 2);
	*at++ = '.';
	at = put_digits(at, left_us % RT_US_PER_S, 6);
	*at++ = 'Z';
	*at = '\0';
}
