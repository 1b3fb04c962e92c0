/* See capabilities.h. */
#include "engine/capabilities.h"

#include "client/connector_capabilities.h"
#include "rt/clock.h"
#include "rt/log.h"

/* While it can't be reached; the breaker has its own pauses. */
#define SOON_US (500 * RT_US_PER_MS)

/* All replicas at once is not how a connector wants to be asked. */
static int64_t jittered(int64_t most_us)
{
	return most_us / 2 + (int64_t)rt_random_below((uint64_t)(most_us / 2 + 1));
}

void capabilities_start(struct executor *executor)
{
	int64_t now_us = rt_clock_mono_us();

	RT_LOCKED(&executor->lock);
	for (size_t i = 0; i < executor->config.connector_count; i++) {
		struct connector *connector = &executor->connectors[i];

		executor_arm(executor, &connector->timer, TIMER_CONNECTOR, now_us);
	}
}

void capabilities_hurry(struct executor *executor, struct connector *connector)
{
	int64_t soon_us = rt_clock_mono_us() + jittered(SOON_US);

	/* Not armed: it is being asked. */
	if (connector->timer.place != 0 && connector->timer.due_us > soon_us)
		executor_arm(executor, &connector->timer, TIMER_CONNECTOR, soon_us);
}

/* What was known stays when it does not answer; one without the method is one that can't say. */
static void keep(struct connector *connector, const struct rt_status *status,
		 const struct connector_capabilities *told)
{
	struct connector_capabilities *known = &connector->capabilities;

	if (!rt_is_ok(status) && status->code != RT_UNIMPLEMENTED)
		return;
	if (!capabilities_same(known, told))
		RT_LOG(INFO, "connector_capabilities", RT_TEXT("connector", connector->client.name),
		       RT_TEXT("name", told->name), RT_INT("known", told->known),
		       RT_INT("charge", told->operations[PROVIDER_AUTHORIZE]),
		       RT_INT("payout", told->operations[PROVIDER_PAYOUT]),
		       RT_INT("refund", told->operations[PROVIDER_REFUND]),
		       RT_INT("partial_refunds", told->partial_refunds),
		       RT_INT("currencies", (int64_t)told->currency_count));
	*known = *told;
}

static void on_told(void *context, struct rt_status status,
		    const struct connector_capabilities *told)
{
	struct connector *connector = context;
	struct executor *executor = connector->executor;
	int64_t pause_us = rt_code_retryable(status.code)
				   ? SOON_US
				   : executor->config.capabilities_ms * RT_US_PER_MS;

	RT_LOCKED(&executor->lock);
	keep(connector, &status, told);
	if (!atomic_load(&executor->quiet))
		executor_arm(executor, &connector->timer, TIMER_CONNECTOR,
			     rt_clock_mono_us() + jittered(pause_us));
}

void capabilities_ask(struct connector *connector)
{
	if (!atomic_load(&connector->executor->quiet))
		connector_tell(&connector->client, on_told, connector);
}

struct rt_status capabilities_allow(struct executor *executor,
				    const struct payment_request *request, int64_t original_minor)
{
	RT_LOCKED(&executor->lock);
	const struct connector *connector = executor_connector(executor, request->connector);

	return capabilities_check(&connector->capabilities, request, original_minor);
}
