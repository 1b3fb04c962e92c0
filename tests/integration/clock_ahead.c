/* A wall clock that is ahead, for one process: LD_PRELOAD takes it in, DALER_TEST_AHEAD_S says by
 * how much. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, now);
	const char *ahead_s = getenv("DALER_TEST_AHEAD_S");
	if (failed == 0 && clock == CLOCK_REALTIME && ahead_s != NULL)
		now->tv_sec += strtol(ahead_s, NULL, 10);
	return failed;
}
