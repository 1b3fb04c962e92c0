/* The way of a CreatePayment: its key is looked up, what must be known beforehand is asked, the
 * payment is recorded unless its key is taken, and the caller waits with the saga. See executor.h.
 *
 * looked up -> (account checked) -> recorded -> waits -> answered. What needs no check is recorded
 * at once: recording looks the key up too. A key is looked up before accounts is asked, so that a
 * replay needs nobody but the database. What must be known beforehand is in resolve.c. */
#include <stdlib.h>
#include <string.h>

#include "domain/request.h"
#include "engine/executor_internal.h"
#include "engine/fail_point.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define POLL_FIRST_US      (5 * RT_US_PER_MS)
#define POLL_MOST_US       (500 * RT_US_PER_MS)
/* An answer leaves this much before the caller's deadline, so that it arrives. */
#define MARGIN_US          (100 * RT_US_PER_MS)
#define RETRY_WHEN_FULL_MS 1000

static uint64_t key_hash(const struct payment_creation *creation)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *c = creation->caller; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	hash = (hash ^ 0xff) * UINT64_C(0x100000001b3);
	for (const char *c = creation->request.idempotency_key; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	return hash;
}

void creation_end(struct payment_creation *creation, struct rt_status status)
{
	enum payment_state state = creation->standing.state;
	int64_t amount_minor = creation->request.amount_minor;

	fail_point_reach(FAIL_ANSWER_BEFORE, state, amount_minor);
	creation_drop_tombstone(creation);
	creation->done(creation, status);
	fail_point_reach(FAIL_ANSWER_AFTER, state, amount_minor);
}

static void submit(struct payment_creation *creation, enum lane_kind kind)
{
	creation->lane.kind = kind;
	creation->entry.insert = kind == LANE_INSERT;
	struct rt_status status =
		rt_commit_submit(creation->executor->commit, &creation->lane.item);

	if (!rt_is_ok(&status))
		creation_failed(creation, status);
}

static void prepare(struct executor *executor, struct payment_creation *creation)
{
	int64_t now_us = rt_clock_mono_us();

	creation->executor = executor;
	creation->poll_us = POLL_FIRST_US;
	creation->answer_by_us = creation->deadline_mono_us - MARGIN_US;
	if (creation->answer_by_us < now_us)
		creation->answer_by_us = now_us + (creation->deadline_mono_us - now_us) / 2;
	payment_request_hash(&creation->request, creation->body_hash);
	creation->entry = (struct payment_entry){
		.request = &creation->request,
		.caller = creation->caller,
		.body_hash = creation->body_hash,
		.standing = &creation->standing,
		.person = creation->person,
		.refusal = &creation->limit,
	};
	creation->lane = (struct lane_item){
		.item = {.key = executor_shard_key(executor, key_hash(creation)),
			 .weight = 1,
			 .deadline_mono_us = creation->deadline_mono_us},
	};
}

void executor_create(struct executor *executor, struct payment_creation *creation)
{
	prepare(executor, creation);
	if (creation_ready(creation))
		creation_record(creation);
	else
		submit(creation, LANE_FIND);
}

/* ---- the key is taken ---- */

static int64_t answer_by(const struct payment_creation *creation)
{
	int64_t hurry_us = creation->executor->hurry_by_us;

	return hurry_us < creation->answer_by_us ? hurry_us : creation->answer_by_us;
}

/* Joins the waiters of the saga, with the lock held. */
static void wait_for(struct payment_creation *creation, struct saga *saga)
{
	creation->waits_for = saga;
	creation->next = saga->waiters;
	saga->waiters = creation;
	executor_arm(creation->executor, &creation->timer, TIMER_WAITER, answer_by(creation));
}

void creation_leave_saga(struct payment_creation *creation)
{
	struct payment_creation **link = &creation->waits_for->waiters;

	while (*link != creation)
		link = &(*link)->next;
	*link = creation->next;
	creation->standing = creation->waits_for->standing;
	creation->waits_for = NULL;
}

/* Whether the payment is looked up again after a pause, which doubles; false: it is time to answer.
 */
static bool looks_again(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;
	int64_t now_us = rt_clock_mono_us();

	RT_LOCKED(&executor->lock);
	int64_t due_us = now_us + creation->poll_us;

	if (now_us >= answer_by(creation))
		return false;
	executor_arm(executor, &creation->timer, TIMER_POLL,
		     due_us < answer_by(creation) ? due_us : answer_by(creation));
	creation->poll_us =
		creation->poll_us * 2 < POLL_MOST_US ? creation->poll_us * 2 : POLL_MOST_US;
	return true;
}

static void poll_later(struct payment_creation *creation)
{
	if (!looks_again(creation))
		creation_end(creation, rt_ok());
}

void creation_drop_tombstone(struct payment_creation *creation)
{
	free(creation->tombstone);
	creation->tombstone = NULL;
	creation->entry.pair = NULL;
}

void creation_poll(struct payment_creation *creation)
{
	submit(creation, LANE_FIND);
}

/* What is in the way of recording it must come to rest first: looked up again, and again, until the
 * deadline. */
static void try_later(struct payment_creation *creation)
{
	creation_drop_tombstone(creation);
	if (!looks_again(creation))
		creation_end(creation, RT_FAIL(ABORTED, "IN_FLIGHT",
					       "the original is being carried out; try again"));
}

/* There is a payment with the key: the first outcome is the answer, or what becomes of it is waited
 * for. */
static void replay(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;
	bool waits = false;

	if (creation->entry.rolled_back) {
		creation_end(creation, RT_FAIL(FAILED_PRECONDITION, "ROLLED_BACK",
					       "it was rolled back before it arrived"));
		return;
	}
	if (!creation->entry.same_body) {
		creation_end(creation, RT_FAIL(FAILED_PRECONDITION, "IDEMPOTENCY_PAYLOAD_MISMATCH",
					       "the key was used with another request"));
		return;
	}
	creation->replayed = true;
	if (creation->entry.original_found)
		creation_take_original(creation);
	if (!payment_state_open(creation->standing.state) ||
	    creation->standing.state == PAYMENT_UNKNOWN ||
	    creation->standing.state == PAYMENT_REQUIRES_ACTION) {
		creation->action_url = creation->entry.action_url;
		creation->action_data = creation->entry.action_data;
		creation_end(creation, rt_ok());
		return;
	}
	rt_lock_take(&executor->lock);
	struct saga *saga = registry_find(executor, &creation->standing.payment_id);

	if (saga != NULL && !atomic_load(&executor->quiet)) {
		wait_for(creation, saga);
		waits = true;
	}
	rt_lock_give(&executor->lock);
	if (!waits)
		poll_later(creation);
}

static void canceling_looked_up(struct payment_creation *creation);

void creation_looked_up(struct payment_creation *creation)
{
	if (creation->calls_off)
		canceling_looked_up(creation);
	else if (creation->entry.found)
		replay(creation);
	else
		creation_resolve(creation);
}

/* ---- recording ---- */

static struct payment_creation **claim_bucket(const struct payment_creation *creation)
{
	return &creation->executor->claims[key_hash(creation) % CLAIM_BUCKETS];
}

/* Whether this creation is the only one that records its key now; else it follows the one that
 * does. With the lock held. */
static bool claim_or_follow(struct payment_creation *creation)
{
	struct payment_creation **bucket = claim_bucket(creation);
	struct payment_creation *other = *bucket;

	while (other != NULL &&
	       !(strcmp(other->caller, creation->caller) == 0 &&
		 strcmp(other->request.idempotency_key, creation->request.idempotency_key) == 0))
		other = other->claim_next;
	if (other != NULL) {
		creation->next = other->followers;
		other->followers = creation;
		return false;
	}
	creation->claim_next = *bucket;
	*bucket = creation;
	return true;
}

/* Gives the claim up; returns those who followed. With the lock held. */
static struct payment_creation *unclaim(struct payment_creation *creation)
{
	struct payment_creation **link = claim_bucket(creation);
	struct payment_creation *followers = creation->followers;

	while (*link != creation)
		link = &(*link)->claim_next;
	*link = creation->claim_next;
	creation->followers = NULL;
	return followers;
}

/* The machine's first decision: what is recorded with the payment, and done once it is. */
static void first_standing(struct payment_creation *creation, struct saga_decision *decision)
{
	struct payment_standing *standing = &creation->standing;
	struct saga_event event = {.kind = SAGA_BEGIN};

	if (creation->tombstone != NULL)
		event = (struct saga_event){.kind = SAGA_NOTHING_TO_DO,
					    .reason = "NOTHING_TO_ROLL_BACK"};
	if (creation->refusal[0] != '\0')
		event = (struct saga_event){.kind = SAGA_REFUSED_AT_ONCE,
					    .reason = creation->refusal};
	*decision = saga_decide(saga_plan_of(creation->request.kind), PAYMENT_CREATED, event);
	*standing = (struct payment_standing){
		.payment_id = rt_uuid_v7(),
		.create_time_us = rt_clock_wall_us(),
	};
	standing->update_time_us = standing->create_time_us;
	payment_entry_wish(&creation->entry, decision);
	decision->change_count = 0;
}

static void refuse_for_room(struct payment_creation *creation, const char *reason,
			    const char *detail)
{
	struct rt_status status = RT_FAIL(RESOURCE_EXHAUSTED, reason, "%s", detail);

	status.retry_after_ms = RETRY_WHEN_FULL_MS;
	creation_end(creation, status);
}

/* Payments may wait for a person for as long as a connector lets them: whoever begins ever more and
 * ends none takes no more than their own room. */
bool creation_account_full(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;

	return creation->own_accounts_only &&
	       atomic_load(executor_account_open(executor, &creation->request.account_id)) >=
		       executor->config.account_open_max;
}

void creation_record(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;
	struct saga_decision decision;

	if (creation_account_full(creation)) {
		refuse_for_room(creation, "TOO_MANY_OPEN",
				"too many payments of this account are open");
		return;
	}
	rt_lock_take(&executor->lock);
	bool room = executor_reserve(executor);
	bool first = room && claim_or_follow(creation);

	if (room && !first)
		executor_release(executor);
	rt_lock_give(&executor->lock);
	if (!room) {
		refuse_for_room(creation, "OVERLOADED", "too many payments are open");
		return;
	}
	if (!first)
		return;
	first_standing(creation, &decision);
	creation->saga = saga_new(executor, &creation->request, &creation->standing, 1);
	creation->saga->trace = creation->trace;
	creation->saga->decision = decision;
	submit(creation, LANE_INSERT);
}

static void release_followers(struct payment_creation *followers)
{
	for (struct payment_creation *next = NULL; followers != NULL; followers = next) {
		next = followers->next;
		submit(followers, LANE_FIND);
	}
}

/* Another process was first with the key. What was prepared for this one, as what it would give
 * back, is not that one's: it is looked up. */
static void look_again(struct payment_creation *creation)
{
	creation_drop_tombstone(creation);
	submit(creation, LANE_FIND);
}

void creation_recorded(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;
	struct saga *saga = creation->saga;
	bool recorded = creation->entry.recorded;

	creation->saga = NULL;
	if (recorded && creation->entry.decided) {
		/* The transaction knew better, and left nothing to be done. */
		saga->standing = creation->standing;
		saga->decision = (struct saga_decision){.legal = true, .action = SAGA_REST};
	}
	rt_lock_take(&executor->lock);
	struct payment_creation *followers = unclaim(creation);

	/* Another saga under this id would be this payment, taken over by this very process. */
	bool added = recorded && registry_add(executor, saga);

	if (recorded && added)
		wait_for(creation, saga);
	rt_lock_give(&executor->lock);
	if (recorded && added) {
		saga_act(executor, saga);
	} else {
		saga_free(executor, saga);
		if (recorded)
			poll_later(creation);
		else if (creation->entry.waits)
			try_later(creation);
		else
			look_again(creation);
	}
	release_followers(followers);
}

void creation_failed(struct payment_creation *creation, struct rt_status status)
{
	struct executor *executor = creation->executor;
	struct saga *saga = creation->saga;

	if (saga == NULL) {
		/* A look-up: of a payment whose standing is known, from an earlier one, or of none.
		 */
		creation_end(creation,
			     creation->replayed || creation->calls_off ? rt_ok() : status);
		return;
	}
	creation->saga = NULL;
	rt_lock_take(&executor->lock);
	struct payment_creation *followers = unclaim(creation);

	rt_lock_give(&executor->lock);
	if (creation->attempted)
		saga_probe(executor, saga);
	else
		saga_free(executor, saga);
	creation_end(creation, status);
	release_followers(followers);
}

/* ---- calling off ---- */

/* As it was looked up: decided, or to be looked at again. */
static void canceling_looked_up(struct payment_creation *creation)
{
	if (saga_canceling(saga_plan_of(creation->request.kind), &creation->standing))
		poll_later(creation);
	else
		creation_end(creation, rt_ok());
}

void executor_cancel(struct executor *executor, struct payment_creation *creation)
{
	prepare(executor, creation);
	creation->calls_off = true;
	rt_lock_take(&executor->lock);
	struct saga *saga = atomic_load(&executor->quiet)
				    ? NULL
				    : registry_find(executor, &creation->standing.payment_id);

	if (saga != NULL) {
		atomic_store(&saga->cancel_wanted, true);
		saga_hasten(executor, saga);
		wait_for(creation, saga);
	}
	rt_lock_give(&executor->lock);
	if (saga == NULL)
		poll_later(creation);
}

/* ---- answering ---- */

void creations_answer(struct payment_creation *list)
{
	for (struct payment_creation *next = NULL; list != NULL; list = next) {
		next = list->next;
		creation_end(list, rt_ok());
	}
}

void creations_poll(struct payment_creation *list)
{
	for (struct payment_creation *next = NULL; list != NULL; list = next) {
		next = list->next;
		poll_later(list);
	}
}
