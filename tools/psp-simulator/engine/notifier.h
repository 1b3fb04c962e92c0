/* Sends what is due to payments, and again until it is taken. What waits is in the books; only what
 * is on its way is in memory, and bounded. Thread: the teller's, but for the ends of calls. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "client/payments.h"
#include "rt/queue.h"
#include "rt/rpc_client.h"
#include "store/books.h"

struct notifier {
	struct payments_client payments; /* without a channel nobody is notified */
	struct rt_queue *tasks;          /* the teller's: learns here what was taken */
	int64_t attempts_max;
	atomic_int on_the_way;
};

/* Sends what was due when the books were last settled, and nothing that is not final in them yet;
 * in transactions of its own. */
struct rt_status notifier_sweep(struct notifier *notifier, struct books *books,
				int64_t settled_wall_us);
/* Whether as many as allowed are on their way. */
bool notifier_is_full(const struct notifier *notifier);
