/* What connectors can do is asked for at start, again at intervals, and soon when one could not be
 * reached; nobody waits for it. A connector that is down is thereby also looked for, so that the
 * breaker closes soon after it is back. For the executor. */
#pragma once

#include "engine/executor_internal.h"

/* Begins asking. */
void capabilities_start(struct executor *executor);
/* The connector's timer is due. */
void capabilities_ask(struct connector *connector);
/* The connector could not be reached, or may have changed: asked again soon. With the lock held. */
void capabilities_hurry(struct executor *executor, struct connector *connector);
/* Whether its connector, which must be configured, can carry the payment out, as far as is known;
 * see capabilities_check. */
struct rt_status capabilities_allow(struct executor *executor,
				    const struct payment_request *request, int64_t original_minor);
