/* Keeps this process's lease, and takes over the sagas of processes whose lease has run out. For
 * main.c. */
#pragma once

#include <stdint.h>

#include "engine/executor.h"
#include "rt/pg.h"
#include "rt/status.h"

struct recovery;

struct recovery_config {
	struct rt_pg_config pg;
	struct executor *executor;
	const char *host;    /* of which one process at a time can say that it runs there: the sagas
				of the one before are taken over at once; "": unknown */
	int64_t lease_ms;    /* renewed three times as often */
	int64_t interval_ms; /* between looks for sagas to take over */
	int64_t review_ms;   /* after which an outcome that is not known is for a person too */
};

/* Makes the lease, then starts the thread. Errors: rt_pg's. */
struct rt_status recovery_start(const struct recovery_config *config, struct recovery **recovery);
/* Ends the thread; the lease is kept until _release. */
void recovery_stop(struct recovery *recovery);
/* Gives the lease up, so that others take over at once, and destroys. After the executor has
 * stopped. */
void recovery_release(struct recovery *recovery, int64_t deadline_mono_us);
