#include "rt/process.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

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

void rt_process_init(void)
{
	sigset_t set = handled_signals();
	int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
	RT_ASSERT(failed == 0);
	/* A peer that has gone is an error of the write, not the end of the process. */
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	failed = sigaction(SIGPIPE, &ignore, NULL);
	RT_ASSERT(failed == 0);
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
	RT_LOG(INFO, "signal", RT_TEXT("name", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"));
}

void rt_process_fail(const char *event, struct rt_status status)
{
	RT_LOG(ERROR, event, RT_STATUS(&status));
	exit(status.code == RT_INVALID_ARGUMENT ? 2 : 1);
}
