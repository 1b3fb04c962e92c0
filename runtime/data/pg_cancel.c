/* Cancel requests. libpq's PQcancel connects and waits without a deadline, so it runs in a thread
 * of its own; when that one is stuck, requests are dropped, and the server's statement timeout and
 * its check for closed connections do the work, a little later. */
#include <pthread.h>

#include "pg_internal.h"
#include "rt/assert.h"
#include "rt/queue.h"

#define CANCELS_MAX 64

static struct rt_queue *cancels;
static pthread_once_t started = PTHREAD_ONCE_INIT;

static void *send_cancels(void *unused)
{
	(void)unused;
	for (;;) {
		PGcancel *cancel = rt_queue_pop(cancels, RT_NO_DEADLINE);
		char error[256];
		/* Nothing waits for the answer, and the connection is closed by now. */
		(void)PQcancel(cancel, error, sizeof(error));
		PQfreeCancel(cancel);
	}
	return NULL;
}

static void start(void)
{
	pthread_t thread;
	cancels = rt_queue_new(CANCELS_MAX);
	int failed = pthread_create(&thread, NULL, send_cancels, NULL);
	RT_ASSERT(failed == 0);
	pthread_detach(thread);
}

void pg_cancel(PGconn *conn)
{
	PGcancel *cancel = PQgetCancel(conn);
	if (cancel == NULL)
		return;
	pthread_once(&started, start);
	if (!rt_queue_push(cancels, cancel))
		PQfreeCancel(cancel);
}
