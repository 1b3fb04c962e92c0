/* See comeback.h. */
#include "engine/comeback.h"

#include <stddef.h>

#include "engine/capabilities.h"
#include "rt/clock.h"
#include "rt/log.h"

/* So much time for each one that waits, so that they come neither all at once nor late. */
#define EACH_US         RT_US_PER_MS
#define SPREAD_LEAST_US (100 * RT_US_PER_MS)

/* A target that is back. */
struct comeback {
	const struct connector *connector; /* NULL: accounts */
	int64_t now_us;
	int64_t spread_us;
	size_t count; /* of those that wait for it */
};

static struct saga *saga_of(struct timer *timer)
{
	return (struct saga *)(void *)((char *)timer - offsetof(struct saga, timer));
}

/* What waits for a person or for a slow operation was answered, and keeps its pause. */
static bool waits_for(struct timer *timer, const struct comeback *comeback)
{
	if (timer->kind != TIMER_SAGA_ACT)
		return false;
	const struct saga *saga = saga_of(timer);

	if (!saga->unheard)
		return false;
	if (saga->decision.action == SAGA_POST)
		return comeback->connector == NULL;
	return comeback->connector != NULL && saga->connector == comeback->connector;
}

static int64_t count(struct timer *timer, void *context)
{
	struct comeback *comeback = context;

	comeback->count += waits_for(timer, comeback);
	return timer->due_us;
}

static int64_t random_us(int64_t most_us)
{
	return (int64_t)rt_random_below((uint64_t)most_us + 1);
}

static int64_t bring_forward(struct timer *timer, void *context)
{
	const struct comeback *comeback = context;
	int64_t due_us = timer->due_us;

	if (!waits_for(timer, comeback))
		return due_us;
	int64_t soon_us = comeback->now_us + random_us(comeback->spread_us);

	return soon_us < due_us ? soon_us : due_us;
}

/* With the lock held. */
static void come_back(struct executor *executor, const struct connector *connector)
{
	int64_t most_us = executor->config.retry_ms_max * RT_US_PER_MS;
	struct comeback comeback = {.connector = connector, .now_us = rt_clock_mono_us()};

	timer_heap_revise(&executor->timers, count, &comeback);
	comeback.spread_us = SPREAD_LEAST_US + (int64_t)comeback.count * EACH_US;
	if (comeback.spread_us > most_us)
		comeback.spread_us = most_us;
	timer_heap_revise(&executor->timers, bring_forward, &comeback);
	pthread_cond_signal(&executor->timer_changed);
	RT_LOG(INFO, "target_is_back",
	       RT_TEXT("target", connector == NULL ? "accounts" : connector->client.name),
	       RT_INT("brought_forward", (int64_t)comeback.count));
}

static void on_connector(void *context)
{
	struct connector *connector = context;
	struct executor *executor = connector->executor;

	RT_LOCKED(&executor->lock);
	connector->comebacks++;
	come_back(executor, connector);
	capabilities_hurry(executor, connector);
}

static void on_accounts(void *context)
{
	struct executor *executor = context;

	RT_LOCKED(&executor->lock);
	executor->accounts_comebacks++;
	come_back(executor, NULL);
}

void comeback_watch(struct executor *executor)
{
	rt_channel_on_recovery(executor->config.accounts.channel, on_accounts, executor);
	for (size_t i = 0; i < executor->config.connector_count; i++) {
		struct connector *connector = &executor->connectors[i];

		rt_channel_on_recovery(connector->client.channel, on_connector, connector);
	}
}

/* A connector that is not configured never does. */
static bool is_back(const struct executor *executor, const struct saga *saga)
{
	if (saga->decision.action == SAGA_POST)
		return saga->comebacks != executor->accounts_comebacks;
	return saga->connector != NULL && saga->comebacks != saga->connector->comebacks;
}

int64_t comeback_pause_us(const struct executor *executor, const struct saga *saga,
			  int64_t pause_us)
{
	if (!saga->unheard || !is_back(executor, saga))
		return pause_us;
	int64_t soon_us = random_us(SPREAD_LEAST_US);

	return soon_us < pause_us ? soon_us : pause_us;
}
