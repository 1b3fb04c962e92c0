/* The executor's life, its registry and its timers' face; see executor.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/capabilities.h"
#include "engine/comeback.h"
#include "engine/executor_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define LANE_ITEMS_MAX   1000
#define LANE_ARENA_BYTES (16U << 20)

static void make_series(struct executor *executor)
{
	executor->open_series = RT_SERIES(PAYMENTS_OPEN);
	executor->recovered_series = RT_SERIES(PAYMENTS_RECOVERED);
	executor->posts.waiting = RT_SERIES(PAYMENTS_REPEATS_WAITING, "accounts");
	for (size_t i = 0; i < executor->config.connector_count; i++)
		executor->connectors[i].repeats.waiting =
			RT_SERIES(PAYMENTS_REPEATS_WAITING, executor->connectors[i].client.name);
	for (int kind = PAYMENT_DEPOSIT; kind <= PAYMENT_KIND_MAX; kind++) {
		for (int state = 1; state <= PAYMENT_STATE_MAX; state++) {
			if (payment_state_open((enum payment_state)state))
				continue;
			executor->rest_series[kind][state] =
				RT_SERIES(PAYMENTS, saga_plan_of((enum payment_kind)kind)->name,
					  payment_state_name((enum payment_state)state));
		}
	}
}

static void make_registry(struct executor *executor)
{
	size_t buckets = 1024;

	while (buckets < executor->config.sagas_max)
		buckets *= 2;
	executor->registry = calloc(buckets, sizeof(struct saga *));
	RT_ASSERT(executor->registry != NULL);
	executor->registry_mask = buckets - 1;
}

static struct rt_commit *make_lanes(struct executor *executor)
{
	struct rt_commit_config config = {
		.name = "payments",
		.pg = executor->config.pg,
		.lanes = executor->config.lanes,
		.queue_max = executor->config.queue_max,
		.batch_items_max = LANE_ITEMS_MAX,
		.batch_weight_max = LANE_ITEMS_MAX,
		.arena_bytes = LANE_ARENA_BYTES,
		.batch = lanes_batch,
		.fail = lanes_fail,
		.context = executor,
	};

	return rt_commit_new(&config);
}

struct executor *executor_new(const struct executor_config *config)
{
	struct executor *executor = calloc(1, sizeof(*executor));

	RT_ASSERT(executor != NULL);
	executor->config = *config;
	executor->worker_id = rt_uuid_v7();
	executor->hurry_by_us = RT_NO_DEADLINE;
	for (size_t i = 0; i < config->connector_count; i++)
		executor->connectors[i] =
			(struct connector){.executor = executor, .client = config->connectors[i]};
	rt_lock_init(&executor->lock, RT_RANK_SERVICE);
	rt_condition_init(&executor->timer_changed);
	make_series(executor);
	make_registry(executor);
	executor->commit = make_lanes(executor);
	RT_ASSERT(pthread_create(&executor->timer_thread, NULL, timers_run, executor) == 0);
	comeback_watch(executor);
	capabilities_start(executor);
	return executor;
}

struct rt_uuid executor_worker_id(const struct executor *executor)
{
	return executor->worker_id;
}

const struct connector_client *executor_connector_client(struct executor *executor,
							 const char *name)
{
	const struct connector *connector = executor_connector(executor, name);

	return connector == NULL ? NULL : &connector->client;
}

size_t executor_open(struct executor *executor)
{
	RT_LOCKED(&executor->lock);
	return executor->open;
}

size_t executor_room(struct executor *executor)
{
	RT_LOCKED(&executor->lock);
	return executor->open < executor->config.sagas_max
		       ? executor->config.sagas_max - executor->open
		       : 0;
}

void executor_hurry(struct executor *executor, int64_t by_mono_us)
{
	RT_LOCKED(&executor->lock);
	executor->hurry_by_us = by_mono_us;
	timer_heap_hurry(&executor->timers, TIMER_WAITER, by_mono_us);
	pthread_cond_signal(&executor->timer_changed);
}

void executor_quiesce(struct executor *executor)
{
	atomic_store(&executor->quiet, true);
	executor_hurry(executor, rt_clock_mono_us());
}

void executor_stop(struct executor *executor, int64_t deadline_mono_us)
{
	rt_commit_stop(executor->commit, deadline_mono_us);
	rt_lock_take(&executor->lock);
	executor->timer_stop = true;
	pthread_cond_signal(&executor->timer_changed);
	rt_lock_give(&executor->lock);
	pthread_join(executor->timer_thread, NULL);
}

static void free_queues(struct executor *executor)
{
	for (struct ledger_queue *queue = executor->ledgers, *next; queue != NULL; queue = next) {
		next = queue->next;
		free(queue);
	}
	for (size_t i = 0; i < CLEARING_BUCKETS; i++) {
		for (struct clearing_entry *entry = executor->clearing[i], *next; entry != NULL;
		     entry = next) {
			next = entry->next;
			free(entry);
		}
	}
}

static void free_sagas(struct saga *list)
{
	for (struct saga *saga = list, *next; saga != NULL; saga = next) {
		next = saga->registry_next;
		saga_release(saga);
	}
}

void executor_destroy(struct executor *executor)
{
	rt_commit_destroy(executor->commit);
	for (size_t i = 0; i <= executor->registry_mask; i++)
		free_sagas(executor->registry[i]);
	free_sagas(executor->apart);
	free_queues(executor);
	free(executor->registry);
	timer_heap_deinit(&executor->timers);
	pthread_cond_destroy(&executor->timer_changed);
	rt_lock_deinit(&executor->lock);
	free(executor);
}

/* The last eight bytes of an id are random. */
static size_t registry_bucket(const struct executor *executor, const struct rt_uuid *payment_id)
{
	uint64_t tail = 0;

	memcpy(&tail, payment_id->bytes + 8, sizeof(tail));
	return (size_t)(tail >> 8) & executor->registry_mask;
}

struct saga *registry_find(const struct executor *executor, const struct rt_uuid *payment_id)
{
	struct saga *saga = executor->registry[registry_bucket(executor, payment_id)];

	while (saga != NULL && !rt_uuid_equal(&saga->standing.payment_id, payment_id))
		saga = saga->registry_next;
	return saga;
}

size_t executor_strays(struct executor *executor, struct payment_place *places, size_t count)
{
	size_t strays = 0;

	RT_LOCKED(&executor->lock);
	for (size_t i = 0; i < count; i++) {
		if (registry_find(executor, &places[i].payment_id) == NULL)
			places[strays++] = places[i];
	}
	return strays;
}

bool registry_add(struct executor *executor, struct saga *saga)
{
	struct saga **bucket =
		&executor->registry[registry_bucket(executor, &saga->standing.payment_id)];

	if (registry_find(executor, &saga->standing.payment_id) != NULL)
		return false;
	saga->registry_next = *bucket;
	*bucket = saga;
	return true;
}

static void unlink_saga(struct saga **link, const struct saga *saga)
{
	while (*link != NULL && *link != saga)
		link = &(*link)->registry_next;
	if (*link == saga)
		*link = saga->registry_next;
}

void registry_remove(struct executor *executor, struct saga *saga)
{
	unlink_saga(&executor->registry[registry_bucket(executor, &saga->standing.payment_id)],
		    saga);
}

void apart_add(struct executor *executor, struct saga *saga)
{
	RT_ASSERT(!saga->apart);
	saga->apart = true;
	saga->registry_next = executor->apart;
	executor->apart = saga;
}

void apart_remove(struct executor *executor, struct saga *saga)
{
	if (saga->apart)
		unlink_saga(&executor->apart, saga);
	saga->apart = false;
}

bool executor_reserve(struct executor *executor)
{
	if (executor->open >= executor->config.sagas_max)
		return false;
	executor_reserve_always(executor);
	return true;
}

void executor_reserve_always(struct executor *executor)
{
	executor->open++;
	rt_series_set(executor->open_series, (int64_t)executor->open);
}

void executor_release(struct executor *executor)
{
	RT_ASSERT(executor->open > 0);
	executor->open--;
	rt_series_set(executor->open_series, (int64_t)executor->open);
}

_Atomic uint32_t *executor_account_open(struct executor *executor, const struct rt_uuid *account_id)
{
	uint64_t tail = 0;

	memcpy(&tail, account_id->bytes + 8, sizeof(tail));
	return &executor->accounts_open[(tail * UINT64_C(0x9e3779b97f4a7c15) >> 40) %
					ACCOUNT_BUCKETS];
}

struct connector *executor_connector(struct executor *executor, const char *name)
{
	for (size_t i = 0; i < executor->config.connector_count; i++) {
		if (strcmp(executor->connectors[i].client.name, name) == 0)
			return &executor->connectors[i];
	}
	return NULL;
}

int64_t executor_backoff_us(const struct executor *executor, uint32_t attempts)
{
	int64_t most = executor->config.retry_ms_max * RT_US_PER_MS;
	int64_t delay = executor->config.retry_ms_min * RT_US_PER_MS;

	for (uint32_t i = 1; i < attempts && delay < most; i++)
		delay *= 2;
	if (delay > most)
		delay = most;
	return delay / 2 + (int64_t)rt_random_below((uint64_t)(delay / 2 + 1));
}

void executor_arm(struct executor *executor, struct timer *timer, enum timer_kind kind,
		  int64_t due_us)
{
	timer->kind = kind;
	if (timer_heap_arm(&executor->timers, timer, due_us))
		pthread_cond_signal(&executor->timer_changed);
}

/* The same key of a caller always goes the same way; one lane at a time works for a shard. */
struct rt_uuid executor_shard_key(const struct executor *executor, uint64_t hash)
{
	return (struct rt_uuid){.bytes = {(uint8_t)(hash % executor->config.lanes), 1}};
}
