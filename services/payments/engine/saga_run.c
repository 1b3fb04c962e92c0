/* One saga's way: what happened is fed to the machine, the changes it orders are written, then its
 * action is taken. */
#include <stdlib.h>
#include <string.h>

#include "domain/posts.h"
#include "engine/calls.h"
#include "engine/comeback.h"
#include "engine/executor_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"

/* How often a payment whose commit was not confirmed is looked for before it counts as never
 * recorded. */
#define PROBE_ATTEMPTS_MAX 5
#define WRITE_RETRY_US     (50 * RT_US_PER_MS)
#define TELL_ATTEMPTS_MIN  3
#define TELL_ATTEMPTS_MAX  6
#define TELL_EVERY_US      (60 * RT_US_PER_S)

struct saga *saga_new(struct executor *executor, const struct payment_request *request,
		      const struct payment_standing *standing, int64_t fence)
{
	size_t instrument_bytes = strlen(request->instrument) + 1;
	struct saga *saga = calloc(1, sizeof(*saga) + instrument_bytes);
	uint64_t hash = 0;

	RT_ASSERT(saga != NULL);
	saga->plan = saga_plan_of(request->kind);
	saga->connector = executor_connector(executor, request->connector);
	saga->ledger_id = request->ledger_id;
	saga->remote_ledger_id = request->remote_ledger_id;
	saga->parent_id = request->parent_id;
	payment_sides(request, saga->sides);
	saga->amount_minor = request->amount_minor;
	saga->fee_minor = request->fee_minor;
	saga->fence = fence;
	saga->standing = *standing;
	memcpy(saga->currency, request->currency, sizeof(saga->currency));
	memcpy(saga->instrument, request->instrument, instrument_bytes);
	memcpy(&hash, standing->payment_id.bytes + 8, sizeof(hash));
	saga->lane.item.key = executor_shard_key(executor, hash >> 8);
	saga->lane.item.weight = 1;
	saga->lane.item.deadline_mono_us = RT_NO_DEADLINE;
	saga->lane.kind = LANE_ADVANCE;
	saga->trace = rt_trace_new();
	atomic_fetch_add(executor_account_open(executor, &request->account_id), 1);
	return saga;
}

/* What was kept for writing it: it is written, or led to nothing that is. */
static void forget_written(struct saga *saga)
{
	call_forget(saga);
	free(saga->next_reason);
	saga->next_reason = NULL;
}

void saga_release(struct saga *saga)
{
	forget_written(saga);
	free(saga->action);
	free(saga);
}

void saga_free(struct executor *executor, struct saga *saga)
{
	RT_ASSERT(saga->waiters == NULL && saga->timer.place == 0);
	atomic_fetch_sub(executor_account_open(executor, &saga->sides[SIDE_ACCOUNT]), 1);
	rt_lock_take(&executor->lock);
	apart_remove(executor, saga);
	executor_release(executor);
	rt_lock_give(&executor->lock);
	saga_release(saga);
}

/* Who waits for a saga: for what becomes of the payment, or of the wish to call it off. */
enum waiters { WAITERS_ALL, WAITERS_FOR_OUTCOME, WAITERS_FOR_CALLING_OFF };

static bool are_among(const struct payment_creation *creation, enum waiters waiters)
{
	return waiters == WAITERS_ALL ||
	       creation->calls_off == (waiters == WAITERS_FOR_CALLING_OFF);
}

/* Takes waiters from a saga; with the lock held. */
static struct payment_creation *detach_waiters(struct executor *executor, struct saga *saga,
					       enum waiters waiters)
{
	struct payment_creation **link = &saga->waiters;
	struct payment_creation *list = NULL;

	while (*link != NULL) {
		struct payment_creation *creation = *link;

		if (!are_among(creation, waiters)) {
			link = &creation->next;
			continue;
		}
		*link = creation->next;
		timer_heap_disarm(&executor->timers, &creation->timer);
		creation->waits_for = NULL;
		creation->standing = saga->standing;
		creation->next = list;
		list = creation;
	}
	return list;
}

static struct payment_creation *leave_registry(struct executor *executor, struct saga *saga)
{
	RT_LOCKED(&executor->lock);
	registry_remove(executor, saga);
	return detach_waiters(executor, saga, WAITERS_ALL);
}

static void answer_waiters(struct executor *executor, struct saga *saga, enum waiters waiters)
{
	rt_lock_take(&executor->lock);
	struct payment_creation *list = detach_waiters(executor, saga, waiters);

	rt_lock_give(&executor->lock);
	for (struct payment_creation *creation = list; creation != NULL;
	     creation = creation->next) {
		creation->action_url = saga->action;
		creation->action_data =
			saga->action == NULL ? NULL : saga->action + strlen(saga->action) + 1;
	}
	creations_answer(list);
}

void saga_answer_waiters(struct executor *executor, struct saga *saga)
{
	answer_waiters(executor, saga, WAITERS_FOR_OUTCOME);
}

static void poll_waiters(struct executor *executor, struct saga *saga)
{
	rt_lock_take(&executor->lock);
	struct payment_creation *list = detach_waiters(executor, saga, WAITERS_FOR_OUTCOME);

	rt_lock_give(&executor->lock);
	creations_poll(list);
}

/* Those who wait are told how it stands. What the person must do is not kept for longer than that;
 * whoever comes too late for it looks at the database. */
static void tell_waiters(struct executor *executor, struct saga *saga)
{
	if (saga->standing.state == PAYMENT_REQUIRES_ACTION && saga->action == NULL)
		poll_waiters(executor, saga);
	else
		saga_answer_waiters(executor, saga);
	free(saga->action);
	saga->action = NULL;
}

/* It rests: final, or a person's turn. */
static void finish(struct executor *executor, struct saga *saga)
{
	struct payment_creation *list = leave_registry(executor, saga);

	RT_ASSERT(!payment_state_open(saga->standing.state));
	rt_series_add(executor->rest_series[saga->plan->kind][saga->standing.state], 1);
	if (saga->standing.state == PAYMENT_MANUAL_REVIEW)
		RT_LOG(ERROR, "payment_needs_review",
		       RT_UUID("payment_id", &saga->standing.payment_id),
		       RT_TEXT("kind", saga->plan->name), RT_TEXT("reason", saga->standing.reason),
		       RT_TRACE(&saga->trace));
	creations_answer(list);
	saga_free(executor, saga);
}

/* Another process has it now: nothing of what was to be written was. */
static void lose(struct executor *executor, struct saga *saga)
{
	struct payment_creation *list = leave_registry(executor, saga);

	RT_LOG(WARN, "saga_lost", RT_UUID("payment_id", &saga->standing.payment_id),
	       RT_INT("fence", saga->fence));
	creations_poll(list);
	saga_free(executor, saga);
}

static void arm(struct executor *executor, struct saga *saga, enum timer_kind kind,
		int64_t delay_us)
{
	RT_LOCKED(&executor->lock);
	if (kind == TIMER_SAGA_ACT)
		delay_us = comeback_pause_us(executor, saga, delay_us);
	executor_arm(executor, &saga->timer, kind, rt_clock_mono_us() + delay_us);
}

/* Whether the event says that the attempt did not help. */
static bool fruitless(enum saga_event_kind kind)
{
	return kind == SAGA_LEDGER_SILENT || kind == SAGA_PROVIDER_SILENT ||
	       kind == SAGA_PROVIDER_PENDING || kind == SAGA_PROVIDER_ABSENT;
}

/* What the person must do is kept with the saga until it is written and callers are told. */
static void keep_action(struct saga *saga, const struct saga_event *event)
{
	const char *url = event->action_url == NULL ? "" : event->action_url;
	const char *data = event->action_data == NULL ? "" : event->action_data;
	size_t url_bytes = strlen(url) + 1;
	size_t data_bytes = strlen(data) + 1;

	if (event->kind != SAGA_PROVIDER_ACTION)
		return;
	free(saga->action);
	saga->action = malloc(url_bytes + data_bytes);
	RT_ASSERT(saga->action != NULL);
	memcpy(saga->action, url, url_bytes);
	memcpy(saga->action + url_bytes, data, data_bytes);
}

/* A reason that is lent is kept until it is written. */
static const char *keep_reason(struct saga *saga, const char *reason, const char *fallback)
{
	if (saga->next_reason == NULL)
		saga->next_reason = malloc(PAYMENT_REASON_BYTES);
	RT_ASSERT(saga->next_reason != NULL);
	payment_reason_copy(saga->next_reason, reason, fallback);
	return saga->next_reason;
}

/* No change is without a reason of the saga's own; at most one of them says anything. */
static void keep_reasons(struct saga *saga)
{
	for (size_t i = 0; i < saga->decision.change_count; i++) {
		struct saga_change *change = &saga->decision.changes[i];

		if (change->reason == NULL)
			change->reason = saga->standing.reason;
		if (change->reason[0] == '\0')
			continue;
		change->reason = keep_reason(saga, change->reason, "DECLINED");
	}
}

/* Whether it compensates because somebody called it off. */
static bool called_off(const struct saga *saga)
{
	return strcmp(saga->standing.reason, SAGA_REASON_CANCELED) == 0;
}

/* The first tries in a row are soon over; then people are told of a few, and of one a minute. */
static bool worth_telling(const struct saga *saga, int64_t now_us)
{
	if (saga->attempts < TELL_ATTEMPTS_MIN)
		return false;
	return saga->attempts <= TELL_ATTEMPTS_MAX || now_us - saga->told_us >= TELL_EVERY_US;
}

/* Nothing changes: it is tried again after a pause, and now and then that is written down. */
static void tried_in_vain(struct executor *executor, struct saga *saga, const char *reason)
{
	int64_t now_us = rt_clock_mono_us();

	saga->pause_us = executor_backoff_us(executor, saga->attempts);
	if (!worth_telling(saga, now_us)) {
		saga_act(executor, saga);
		return;
	}
	saga->told_us = now_us;
	keep_reason(saga, reason, "");
	saga->lane.kind = LANE_TRY;
	struct rt_status status = rt_commit_submit(executor->commit, &saga->lane.item);

	if (!rt_is_ok(&status))
		saga_tried(executor, saga);
}

void saga_tried(struct executor *executor, struct saga *saga)
{
	saga->lane.kind = LANE_ADVANCE;
	saga_act(executor, saga);
}

void saga_feed(struct executor *executor, struct saga *saga, struct saga_event event)
{
	if (atomic_load(&executor->quiet))
		return;
	if (atomic_load(&saga->displaced)) {
		lose(executor, saga);
		return;
	}
	/* A wish that came too late does not change why it compensates. */
	event.canceled = called_off(saga) || (atomic_load(&saga->cancel_wanted) &&
					      saga->standing.state != PAYMENT_COMPENSATING);
	if (event.kind == SAGA_PROVIDER_ACTION && atomic_load(&saga->cancel_wanted) &&
	    saga->standing.state == PAYMENT_REQUIRES_ACTION)
		event.kind = SAGA_CANCEL_ASKED;
	event.anew = saga->take > 0;
	event.again = event.on_record && saga->take < saga->take_max;
	saga->take += event.again;
	struct saga_decision decision = saga_decide(saga->plan, saga->standing.state, event);

	if (!decision.legal) {
		/* A defect; the saga starts over from what is written, which is always safe. */
		RT_LOG(ERROR, "saga_event_illegal",
		       RT_UUID("payment_id", &saga->standing.payment_id),
		       RT_TEXT("state", payment_state_name(saga->standing.state)),
		       RT_INT("event", event.kind));
		decision = saga_decide(saga->plan, saga->standing.state,
				       (struct saga_event){.kind = SAGA_BEGIN});
		decision.pause = true;
	}
	saga->attempts = saga_attempts_after(saga->attempts, event.kind);
	saga->unheard = event.kind == SAGA_LEDGER_SILENT || event.kind == SAGA_PROVIDER_SILENT;
	keep_action(saga, &event);
	saga->decision = decision;
	if (decision.pause && decision.action == SAGA_ASK &&
	    atomic_exchange(&saga->nudged, false)) {
		saga->decision.pause = false;
		saga->attempts = 0;
	}
	keep_reasons(saga);
	if (decision.change_count > 0) {
		saga->lane.kind = LANE_ADVANCE;
		saga_write(executor, saga);
		return;
	}
	if (fruitless(event.kind) && saga->decision.pause) {
		tried_in_vain(executor, saga, event.reason);
		return;
	}
	saga_act(executor, saga);
}

void saga_write(struct executor *executor, struct saga *saga)
{
	struct rt_status status = rt_commit_submit(executor->commit, &saga->lane.item);

	if (!rt_is_ok(&status))
		saga_write_failed(executor, saga, status);
}

void saga_write_failed(struct executor *executor, struct saga *saga, struct rt_status status)
{
	bool probing = saga->lane.kind == LANE_PROBE;

	if (atomic_load(&executor->quiet)) {
		if (probing)
			saga_free(executor, saga);
		return;
	}
	if (status.code != RT_RESOURCE_EXHAUSTED)
		RT_LOG(ERROR, "saga_write_failed",
		       RT_UUID("payment_id", &saga->standing.payment_id), RT_STATUS(&status));
	saga->attempts++;
	arm(executor, saga, TIMER_SAGA_WRITE,
	    WRITE_RETRY_US + executor_backoff_us(executor, saga->attempts));
}

static void log_change(const struct saga *saga, enum payment_state from)
{
	if (saga->standing.state == PAYMENT_UNKNOWN)
		RT_LOG(WARN, "payment_unknown", RT_UUID("payment_id", &saga->standing.payment_id),
		       RT_TEXT("reason", saga->standing.reason), RT_TRACE(&saga->trace));
	else if (from == PAYMENT_UNKNOWN)
		RT_LOG(INFO, "payment_resolved", RT_UUID("payment_id", &saga->standing.payment_id),
		       RT_TEXT("state", payment_state_name(saga->standing.state)),
		       RT_TRACE(&saga->trace));
}

static void apply(struct executor *executor, struct saga *saga, int64_t time_us)
{
	const struct saga_change *last = &saga->decision.changes[saga->decision.change_count - 1];
	char reason[PAYMENT_REASON_BYTES];

	RT_LOCKED(&executor->lock);
	payment_reason_copy(reason, last->reason, "");
	saga->standing.state = last->state;
	saga->standing.version += (int64_t)saga->decision.change_count;
	saga->standing.update_time_us = time_us;
	memcpy(saga->standing.reason, reason, sizeof(reason));
	saga->decision.change_count = 0;
	saga->take = 0;
	saga->take_max = 0;
}

void saga_written(struct executor *executor, struct saga *saga, bool written, int64_t time_us)
{
	enum payment_state from = saga->standing.state;

	if (!written) {
		lose(executor, saga);
		return;
	}
	apply(executor, saga, time_us);
	log_change(saga, from);
	if (atomic_load(&saga->cancel_wanted) && !saga_canceling(saga->plan, &saga->standing))
		answer_waiters(executor, saga, WAITERS_FOR_CALLING_OFF);
	saga_act(executor, saga);
}

void saga_act(struct executor *executor, struct saga *saga)
{
	forget_written(saga);
	if (saga->decision.action == SAGA_REST) {
		finish(executor, saga);
		return;
	}
	if (atomic_load(&executor->quiet))
		return;
	bool nudged = saga->decision.pause && atomic_exchange(&saga->nudged, false);

	if (!saga->decision.pause || nudged) {
		saga->pause_us = 0;
		saga->unheard = saga->unheard && !nudged;
		saga->attempts = nudged ? 0 : saga->attempts;
		saga_perform(executor, saga);
		return;
	}
	/* Asked once and still unknown, or waiting for a person: callers are told so now. */
	if (saga->standing.state == PAYMENT_UNKNOWN ||
	    saga->standing.state == PAYMENT_REQUIRES_ACTION)
		tell_waiters(executor, saga);
	arm(executor, saga, TIMER_SAGA_ACT,
	    saga->pause_us > 0 ? saga->pause_us : executor_backoff_us(executor, saga->attempts));
	saga->pause_us = 0;
}

void saga_perform(struct executor *executor, struct saga *saga)
{
	if (atomic_load(&executor->quiet))
		return;
	if (atomic_load(&saga->displaced)) {
		lose(executor, saga);
		return;
	}
	switch (saga->decision.action) {
	case SAGA_REST:
		finish(executor, saga);
		return;
	case SAGA_POST:
		queue_post(executor, saga);
		return;
	case SAGA_SUBMIT:
	case SAGA_CAPTURE:
	case SAGA_CANCEL:
	case SAGA_ASK:
		queue_provider(executor, saga);
		return;
	}
}

void saga_probe(struct executor *executor, struct saga *saga)
{
	saga->lane.kind = LANE_PROBE;
	saga->attempts = 0;
	rt_lock_take(&executor->lock);
	apart_add(executor, saga);
	rt_lock_give(&executor->lock);
	saga_write(executor, saga);
}

void saga_probed(struct executor *executor, struct saga *saga, const struct payment_probe *probe)
{
	if (!probe->found && ++saga->attempts < PROBE_ATTEMPTS_MAX &&
	    !atomic_load(&executor->quiet)) {
		/* A server that lost us may still be committing. */
		arm(executor, saga, TIMER_SAGA_WRITE,
		    executor_backoff_us(executor, saga->attempts + 2));
		return;
	}
	if (!probe->found || !probe->mine) {
		saga_free(executor, saga);
		return;
	}
	rt_lock_take(&executor->lock);
	apart_remove(executor, saga);
	bool added = registry_add(executor, saga);

	rt_lock_give(&executor->lock);
	if (!added) {
		saga_free(executor, saga);
		return;
	}
	saga->attempts = 0;
	saga->lane.kind = LANE_ADVANCE;
	saga_feed(executor, saga, (struct saga_event){.kind = SAGA_BEGIN});
}

static void adopt(struct executor *executor, const struct payment_lapsed *lapsed)
{
	struct saga *saga = saga_new(executor, &lapsed->request, &lapsed->standing, lapsed->fence);

	atomic_store(&saga->cancel_wanted, lapsed->cancel_wanted);
	saga->take_max = lapsed->declines;
	/* What this process may still have of it is from before: it takes no more steps. */
	executor_displace(executor, &lapsed->standing.payment_id);
	rt_lock_take(&executor->lock);
	executor_reserve_always(executor);
	bool added = registry_add(executor, saga);

	rt_lock_give(&executor->lock);
	if (!added) {
		saga_free(executor, saga);
		return;
	}
	rt_series_add(executor->recovered_series, 1);
	saga_feed(executor, saga, (struct saga_event){.kind = SAGA_BEGIN});
}

void executor_adopt(struct executor *executor, const struct payment_lapsed *lapsed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		adopt(executor, &lapsed[i]);
	executor_pump(executor);
}
