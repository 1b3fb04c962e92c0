/* What waits because a connector or accounts did not answer need not wait its pause out when it is
 * back: it is brought forward, spread over a little time, and within the budget of repeats. For the
 * executor. */
#pragma once

#include "engine/executor_internal.h"

/* Has the executor told of comebacks. Before the first call. */
void comeback_watch(struct executor *executor);
/* The pause of a saga that is about to wait: shorter when its target has come back since its call
 * began. With the lock held. */
int64_t comeback_pause_us(const struct executor *executor, const struct saga *saga,
			  int64_t pause_us);
