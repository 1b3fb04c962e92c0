#include "rt/process.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "rt/assert.h"
#include "rt/log.h"

static sigset_t handled_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

/* Memory of large messages goes back to the system when it is freed, and what one thread frees
 * another one can use: glibc would keep a heap for each thread, with what its largest request took.
 */
#define HEAPS             1
#define MAPPED_BYTES_MIN  (256 << 10)
#define TRIMMED_BYTES_MIN (1 << 20)

static void bound_memory(void)
{
	mallopt(M_ARENA_MAX, HEAPS);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
	mallopt(M_TRIM_THRESHOLD, TRIMMED_BYTES_MIN);
}

void rt_process_init(void)
{
	bound_memory();
	sigset_t set = handled_signals();
	int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
	RT_ASSERT(failed == 0);
	/* A peer that has gone is an error of the write, not the end of the process. */
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	failed = sigaction(SIGPIPE, &ignore, NULL);
	RT_ASSERT(failed == 0);
}

static void log_signal(int signal_number)
{
	RT_LOG(INFO, "signal", RT_TEXT("name", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"));
}

void rt_process_wait(void)
{
	sigset_t set = handled_signals();
	int signal_number = 0;
	do {
		int failed = sigwait(&set, &signal_number);
		RT_ASSERT(failed == 0);
	} while (signal_number ==
		 SIGHUP); /* certificates are watched: there is nothing to reload */
	log_signal(signal_number);
}

bool rt_process_wait_ms(int64_t duration_ms)
{
	sigset_t set = handled_signals();
	const struct timespec timeout = {.tv_sec = duration_ms / 1000,
					 .tv_nsec = duration_ms % 1000 * 1000000};
	int signal_number = sigtimedwait(&set, NULL, &timeout);

	if (signal_number < 0 || signal_number == SIGHUP)
		return true;
	log_signal(signal_number);
	return false;
}

void rt_process_fail(const char *event, struct rt_status status)
{
	RT_LOG(ERROR, event, RT_STATUS(&status));
	exit(status.code == RT_INVALID_ARGUMENT ? 2 : 1);
}

void rt_process_must(const char *event, struct rt_status status)
{
	if (!rt_is_ok(&status))
		rt_process_fail(event, status);
}
