/* The one thread that works with the books: takes what is queued, carries it out in one
 * transaction, answers each when it is due, makes pending operations final and sends notifications.
 * Nothing waits for anything else: what is held back, or due later, is a time and not a thread. */
#pragma once

#include <stdint.h>

#include "client/payments.h"
#include "engine/desk.h"
#include "engine/task.h"
#include "rt/rpc_client.h"
#include "rt/status.h"

struct teller;

struct teller_config {
	struct books *books; /* lent: the teller's alone until it is stopped */
	struct desk_config desk;
	struct payments_client payments; /* without a channel nobody is notified */
	int64_t notify_attempts_max;
	size_t queue_max;
};

struct rt_status teller_new(const struct teller_config *config, struct teller **teller);
/* Queues a task. Thread: any; never blocks. Errors: RESOURCE_EXHAUSTED OVERLOADED; the task stays
 * the caller's. */
struct rt_status teller_submit(struct teller *teller, struct task *task);
/* Whether the books worked the last time. Thread: any. */
bool teller_works(const struct teller *teller);
/* From now on nothing is held back, and what would never be answered ends with UNAVAILABLE
 * SHUTTING_DOWN. */
void teller_release(struct teller *teller);
/* Takes no more, serves what waits, and ends the thread. */
void teller_stop(struct teller *teller);
/* After _stop, and after the client that notifies was stopped. */
void teller_destroy(struct teller *teller);
