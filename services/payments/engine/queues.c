/* The queues in front of the ledger and the connectors: what waits there goes out together, a
 * bounded number of calls at a time; each answer starts the next. No timer: a call that finds
 * nothing in flight goes at once. */
#include <stdlib.h>
#include <string.h>

#include "engine/calls.h"
#include "engine/capabilities.h"
#include "engine/executor_internal.h"
#include "engine/fail_point.h"
#include "rt/assert.h"
#include "rt/clock.h"

/* A call to accounts in flight. */
struct post_batch {
	struct executor *executor;
	struct rt_uuid ledger_id;
	bool repeat; /* some of it was sent before, and not answered */
	size_t count;
	struct saga *sagas[];
};

/* Starting a call may end it at once, on this thread; then the pump below goes on with what that
 * has queued. */
static _Thread_local bool pumping;

static struct ledger_queue *ledger_queue_find(struct executor *executor,
					      const struct rt_uuid *ledger_id)
{
	for (struct ledger_queue *queue = executor->ledgers; queue != NULL; queue = queue->next) {
		if (rt_uuid_equal(&queue->ledger_id, ledger_id))
			return queue;
	}
	return NULL;
}

static struct ledger_queue *ledger_queue_make(struct executor *executor,
					      const struct rt_uuid *ledger_id)
{
	struct ledger_queue *queue = calloc(1, sizeof(*queue));

	RT_ASSERT(queue != NULL);
	queue->ledger_id = *ledger_id;
	queue->next = executor->ledgers;
	executor->ledgers = queue;
	return queue;
}

static void ledger_queue_drop(struct executor *executor, struct ledger_queue *queue)
{
	struct ledger_queue **link = &executor->ledgers;

	while (*link != queue)
		link = &(*link)->next;
	*link = queue->next;
	free(queue);
}

static void append(struct saga_queue *queue, struct saga *saga)
{
	saga->queue_next = NULL;
	if (queue->last == NULL)
		queue->first = saga;
	else
		queue->last->queue_next = saga;
	queue->last = saga;
	queue->count++;
}

static struct saga *take_first(struct saga_queue *queue)
{
	struct saga *saga = queue->first;

	queue->first = saga->queue_next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->count--;
	return saga;
}

/* A token for a repeat; without one the pump is called when there is. With the lock held. */
static bool may_repeat(struct executor *executor, struct rt_channel *channel,
		       struct repeats *repeats)
{
	int64_t wait_us = 0;

	if (rt_channel_may_repeat(channel, &wait_us))
		return true;
	executor_arm(executor, &repeats->timer, TIMER_BUDGET, rt_clock_mono_us() + wait_us);
	return false;
}

void queue_post(struct executor *executor, struct saga *saga)
{
	const struct rt_uuid *ledger_id = saga->decision.step->party == PARTY_REMOTE_LEDGER
						  ? &saga->remote_ledger_id
						  : &saga->ledger_id;
	RT_LOCKED(&executor->lock);
	struct ledger_queue *queue = ledger_queue_find(executor, ledger_id);

	if (queue == NULL)
		queue = ledger_queue_make(executor, ledger_id);
	append(saga->unheard ? &queue->repeats : &queue->fresh, saga);
	rt_series_add(executor->posts.waiting, saga->unheard);
}

/* Moves sagas from a queue to the call; how many. One whose content made a whole call fail goes by
 * itself. */
static size_t fill(struct post_batch *batch, struct saga_queue *queue)
{
	size_t before = batch->count;

	while (queue->first != NULL && batch->count < ACCOUNTS_BATCH_MAX) {
		if (batch->count > 0 && (queue->first->alone || batch->sagas[0]->alone))
			break;
		batch->sagas[batch->count++] = take_first(queue);
	}
	return batch->count - before;
}

/* Repeats go first, when the budget allows, and what else is sent goes with them. With the lock
 * held. */
static struct post_batch *take_batch(struct executor *executor, struct ledger_queue *queue)
{
	bool repeat = queue->repeats.count > 0 &&
		      may_repeat(executor, executor->config.accounts.channel, &executor->posts);
	size_t waiting = queue->fresh.count + (repeat ? queue->repeats.count : 0);
	size_t most = waiting < ACCOUNTS_BATCH_MAX ? waiting : ACCOUNTS_BATCH_MAX;

	if (waiting == 0)
		return NULL;
	struct post_batch *batch = malloc(sizeof(*batch) + most * sizeof(struct saga *));

	RT_ASSERT(batch != NULL);
	*batch = (struct post_batch){
		.executor = executor, .ledger_id = queue->ledger_id, .repeat = repeat};
	if (repeat)
		rt_series_add(executor->posts.waiting, -(int64_t)fill(batch, &queue->repeats));
	fill(batch, &queue->fresh);
	for (size_t i = 0; i < batch->count; i++)
		batch->sagas[i]->comebacks = executor->accounts_comebacks;
	queue->in_flight++;
	return batch;
}

/* Takes the next call's worth of posts from any ledger that may have one more in flight; with the
 * lock held. */
static struct post_batch *take_posts(struct executor *executor)
{
	struct post_batch *batch = NULL;

	for (struct ledger_queue *queue = executor->ledgers; queue != NULL && batch == NULL;
	     queue = queue->next) {
		if (queue->in_flight < executor->config.posts_in_flight_max)
			batch = take_batch(executor, queue);
	}
	return batch;
}

static void post_ended(struct executor *executor, const struct rt_uuid *ledger_id)
{
	RT_LOCKED(&executor->lock);
	struct ledger_queue *queue = ledger_queue_find(executor, ledger_id);

	RT_ASSERT(queue != NULL && queue->in_flight > 0);
	queue->in_flight--;
	if (queue->in_flight == 0 && queue->fresh.count == 0 && queue->repeats.count == 0)
		ledger_queue_drop(executor, queue);
}

static void on_posted(void *context, const struct saga_event *events, bool refused)
{
	struct post_batch *batch = context;
	struct executor *executor = batch->executor;

	for (size_t i = 0; i < batch->count; i++) {
		struct saga *saga = batch->sagas[i];

		fail_point_reach(FAIL_POST_AFTER, saga->standing.state, saga->amount_minor);
		saga->alone = refused;
		if (!refused)
			saga_feed(executor, saga, events[i]);
		else if (!atomic_load(&executor->quiet))
			queue_post(executor, saga);
	}
	post_ended(executor, &batch->ledger_id);
	free(batch);
	executor_pump(executor);
}

static void start_posts(struct executor *executor, struct post_batch *batch)
{
	struct ledger_post *posts = malloc(batch->count * sizeof(*posts));

	RT_ASSERT(posts != NULL);
	for (size_t i = 0; i < batch->count; i++) {
		const struct saga *saga = batch->sagas[i];

		fail_point_reach(FAIL_POST_BEFORE, saga->standing.state, saga->amount_minor);
		posts[i] = (struct ledger_post){
			.payment_id = saga->standing.payment_id,
			.step = saga->decision.step,
			.take = saga->take,
			.sides = saga->sides,
			.amounts = {saga->amount_minor, saga->fee_minor},
			.currency = saga->currency,
		};
	}
	/* A call for one payment is part of its trace; a shared one has its own. */
	struct rt_trace trace = batch->count == 1 ? batch->sagas[0]->trace : rt_trace_new();
	struct rt_uuid ledger_id = batch->ledger_id;

	accounts_post(&executor->config.accounts, &ledger_id, posts, batch->count, batch->repeat,
		      &trace, on_posted, batch);
	free(posts);
}

/* Whether its call may begin as soon as one more may be in flight: a repeat needs a token, and
 * those that have waited for one longer come first. With the lock held. */
static bool may_go(struct executor *executor, struct saga *saga)
{
	struct connector *connector = saga->connector;

	saga->repeats = saga->unheard && connector->repeats.queue.count == 0 &&
			may_repeat(executor, connector->client.channel, &connector->repeats);
	return saga->repeats || !saga->unheard;
}

/* What was answered that it goes on there, and is asked about again by its pause alone, lets what
 * has had no answer yet go first. */
static struct saga_queue *provider_queue(const struct saga *saga, bool goes)
{
	struct connector *connector = saga->connector;
	bool again = saga->decision.action == SAGA_ASK && saga->attempts > 0 && !saga->unheard;

	if (!goes)
		return &connector->repeats.queue;
	return again ? &connector->polls : &connector->fresh;
}

void queue_provider(struct executor *executor, struct saga *saga)
{
	if (saga->connector == NULL) {
		/* Recorded when it was configured, or by another process; it may be again. */
		saga_feed(executor, saga,
			  (struct saga_event){.kind = SAGA_PROVIDER_SILENT,
					      .reason = "CONNECTOR_NOT_CONFIGURED"});
		return;
	}
	rt_lock_take(&executor->lock);
	bool goes = may_go(executor, saga);

	rt_lock_give(&executor->lock);
	/* Who waits for a payment whose outcome is not known does not wait for the budget. */
	if (!goes && saga->standing.state == PAYMENT_UNKNOWN)
		saga_answer_waiters(executor, saga);
	RT_LOCKED(&executor->lock);
	append(provider_queue(saga, goes), saga);
	rt_series_add(saga->connector->repeats.waiting, !goes);
}

/* What a call to a connector needs to know when it ends. */
struct provider_call {
	struct executor *executor;
	struct saga *saga;
};

/* The step boundaries of a call, for test builds. */
static void reach(const struct saga *saga, enum fail_point order, enum fail_point ask)
{
	fail_point_reach(saga->decision.action == SAGA_ASK ? ask : order, saga->standing.state,
			 saga->amount_minor);
}

static void on_answered(void *context, struct saga_event event)
{
	struct provider_call *call = context;
	struct executor *executor = call->executor;

	reach(call->saga, FAIL_ORDER_AFTER, FAIL_ASK_AFTER);
	rt_lock_take(&executor->lock);
	call->saga->connector->in_flight--;
	if (event.unreached)
		capabilities_hurry(executor, call->saga->connector);
	rt_lock_give(&executor->lock);
	call_end(call->saga, &event);
	saga_feed(executor, call->saga, event);
	free(call);
	executor_pump(executor);
}

/* Of so many calls one is for a poll, whatever else waits. */
#define POLL_EVERY 8

static struct saga *take_poll_or_fresh(struct connector *connector)
{
	bool poll = connector->polls.count > 0 &&
		    (connector->fresh.count == 0 || ++connector->passed_over >= POLL_EVERY);

	if (poll) {
		connector->passed_over = 0;
		return take_first(&connector->polls);
	}
	return connector->fresh.count > 0 ? take_first(&connector->fresh) : NULL;
}

/* Repeats first: the budget sees to it that they are few. */
struct saga *queue_take_provider(struct executor *executor, struct connector *connector)
{
	struct repeats *repeats = &connector->repeats;

	if (connector->in_flight >= executor->config.provider_in_flight_max)
		return NULL;
	if (repeats->queue.count > 0 && may_repeat(executor, connector->client.channel, repeats)) {
		struct saga *saga = take_first(&repeats->queue);

		rt_series_add(repeats->waiting, -1);
		saga->repeats = true;
		return saga;
	}
	return take_poll_or_fresh(connector);
}

/* With the lock held. */
static struct saga *take_provider(struct executor *executor)
{
	for (size_t i = 0; i < executor->config.connector_count; i++) {
		struct connector *connector = &executor->connectors[i];
		struct saga *saga = queue_take_provider(executor, connector);

		if (saga == NULL)
			continue;
		connector->in_flight++;
		saga->comebacks = connector->comebacks;
		return saga;
	}
	return NULL;
}

static struct connector_operation operation_of(const struct saga *saga)
{
	const struct saga_step *step = saga->decision.step;
	struct connector_operation operation = {.reference = call_reference(saga, step),
						.kind = step->operation,
						.amount_minor = saga->amount_minor,
						.repeat = saga->repeats};

	if (step->original == ORIGINAL_PARENT)
		operation.original = saga->parent_id;
	if (step->original == ORIGINAL_SELF)
		operation.original = saga->standing.payment_id;
	memcpy(operation.currency, saga->currency, sizeof(operation.currency));
	return operation;
}

static void start_provider(struct executor *executor, struct saga *saga)
{
	struct provider_call *call = malloc(sizeof(*call));
	struct connector_operation operation = operation_of(saga);
	/* The saga may be gone when the call has been started. */
	const struct connector_client *client = &saga->connector->client;
	struct rt_trace trace = saga->trace;

	RT_ASSERT(call != NULL);
	reach(saga, FAIL_ORDER_BEFORE, FAIL_ASK_BEFORE);
	call_begin(saga);
	*call = (struct provider_call){executor, saga};
	switch (saga->decision.action) {
	case SAGA_SUBMIT:
		connector_submit(client, &operation, saga->instrument, &trace, on_answered, call);
		return;
	case SAGA_CAPTURE:
		connector_capture(client, &operation, &trace, on_answered, call);
		return;
	case SAGA_CANCEL:
		connector_cancel(client, &operation, &trace, on_answered, call);
		return;
	case SAGA_ASK:
	case SAGA_POST:
	case SAGA_REST:
		connector_ask(client, &operation, &trace, on_answered, call);
		return;
	}
}

/* One call, of either kind. False: nothing may go out now. */
static bool start_one(struct executor *executor)
{
	struct post_batch *batch = NULL;
	struct saga *saga = NULL;

	rt_lock_take(&executor->lock);
	batch = take_posts(executor);
	if (batch == NULL)
		saga = take_provider(executor);
	rt_lock_give(&executor->lock);
	if (batch != NULL)
		start_posts(executor, batch);
	else if (saga != NULL)
		start_provider(executor, saga);
	return batch != NULL || saga != NULL;
}

void executor_pump(struct executor *executor)
{
	if (pumping)
		return;
	pumping = true;
	while (!atomic_load(&executor->quiet) && start_one(executor))
		;
	pumping = false;
}
