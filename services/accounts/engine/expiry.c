#include "engine/expiry.h"

#include <stdio.h>
#include <stdlib.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/log.h"
#include "rt/metrics.h"
#include "store/expiry_store.h"
#include "store/plans.h"

/* What one page of a sweep takes at most: some megabytes of memory, and a part of a batch of each
 * ledger. */
#define LEDGERS_MAX      32
#define HOLDS_MAX        250
#define ARENA_BYTES      ((size_t)16 << 20)
#define STATEMENT_US_MAX (5 * RT_US_PER_S)
#define POST_US_MAX      (5 * RT_US_PER_S)
#define NAME_BYTES       24
/* Holds that fail by themselves or are refused, because of what only somebody else can have
 * spoiled, are left out of sweeps for a while, so that they hide no others. */
#define ASIDE_MAX        1024
#define ASIDE_US         (60 * RT_US_PER_S)

/* Holds that are due are few among many, and so are their accounts: both are found by their
 * indexes. Without statistics PostgreSQL would read a third of all holds, and all accounts. */
#define EXPIRY_SESSION                                                                             \
	"-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "                    \
	"-c enable_bitmapscan=off"

struct expiry {
	struct expiry_config config;
	struct rt_pg *pg;
	struct plans plans;
	struct rt_series *expired;
	struct rt_arena arena;
	/* A stranger may have used the id that an expiry was to have: then the next sweep derives
	 * others. */
	int64_t name_number;
	bool name_taken; /* set by lanes, under the lock, like the next two */
	bool failed;
	size_t waiting; /* for answers of the posting engine */
	struct rt_uuid aside[ASIDE_MAX];
	size_t aside_count; /* set by lanes, under the lock */
	int64_t aside_until_us;
	bool stop;
	struct rt_lock lock;
	pthread_cond_t changed;
	pthread_t thread;
};

/* Expiries of a ledger that are posted in one request. */
struct part {
	struct posting_request request; /* first */
	struct expiry *expiry;
	const struct rt_uuid *ledger_id;
	bool spoiled; /* failed for good, because of one of them at least */
};

/* Under the lock. False: there is no room. */
static bool set_aside(struct expiry *expiry, const struct rt_uuid *hold_id)
{
	if (expiry->aside_count == ASIDE_MAX)
		return false;
	expiry->aside[expiry->aside_count++] = *hold_id;
	return true;
}

static const struct rt_uuid *hold_of(const struct posting_request *request, size_t index)
{
	return &request->groups[index].transfers[0].target_id;
}

/* Under the lock, as the next one. What the ledger itself refuses has ended meanwhile, or its
 * accounts are not as the hold left them: it would be refused at once again. */
static void take_outcomes(struct part *part, const struct outcome *outcomes)
{
	struct expiry *expiry = part->expiry;
	int64_t posted = 0;
	for (size_t i = 0; i < part->request.group_count; i++) {
		const struct outcome *outcome = &outcomes[i];
		posted += outcome->record != NULL && !outcome->replayed;
		if (outcome->refusal == REFUSAL_MISMATCH)
			expiry->name_taken = true;
		else if (outcome->refusal != REFUSAL_NONE &&
			 !set_aside(expiry, hold_of(&part->request, i)))
			expiry->failed = true;
	}
	rt_series_add(expiry->expired, posted);
}

/* Several that fail for good are posted again, one by one. */
static void take_failure(struct part *part, const struct rt_status *status)
{
	part->spoiled = status->code == RT_INTERNAL;
	if (!part->spoiled || (part->request.group_count == 1 &&
			       !set_aside(part->expiry, hold_of(&part->request, 0))))
		part->expiry->failed = true;
}

static void take_answer(struct posting_request *request, struct rt_status status,
			const struct outcome *outcomes)
{
	struct part *part = (struct part *)request;
	struct expiry *expiry = part->expiry;
	if (!rt_is_ok(&status))
		RT_LOG(WARN, "expiry_failed", RT_UUID("hold_id", hold_of(request, 0)),
		       RT_INT("holds", (int64_t)request->group_count), RT_STATUS(&status));
	RT_LOCKED(&expiry->lock);
	if (rt_is_ok(&status))
		take_outcomes(part, outcomes);
	else
		take_failure(part, &status);
	expiry->waiting--;
	pthread_cond_signal(&expiry->changed);
}

static struct part *make_part(struct expiry *expiry, const struct rt_uuid *ledger_id,
			      struct group *groups, size_t count)
{
	struct part *part = rt_arena_alloc(&expiry->arena, sizeof(*part));
	if (part == NULL)
		return NULL;
	*part = (struct part){
		.request = {.groups = groups,
			    .group_count = count,
			    .transfer_count = count,
			    .answer = take_answer},
		.expiry = expiry,
		.ledger_id = ledger_id,
	};
	return part;
}

static struct group *make_groups(struct expiry *expiry, const struct expiry_due *due)
{
	struct group *groups = rt_arena_array(&expiry->arena, due->count, sizeof(groups[0]));
	if (groups == NULL)
		return NULL;
	char name[NAME_BYTES];
	snprintf(name, sizeof(name), "expiry %lld", (long long)expiry->name_number);
	for (size_t i = 0; i < due->count; i++) {
		due->transfers[i].id = rt_uuid_derive(&due->transfers[i].target_id, name);
		groups[i] = (struct group){.transfers = &due->transfers[i], .count = 1};
		group_fill_hash(&groups[i], &due->ledger_id);
	}
	return groups;
}

static struct rt_status submit(struct expiry *expiry, struct part *part)
{
	if (part == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
			       "the expiries need too much memory");
	rt_lock_take(&expiry->lock);
	expiry->waiting++;
	rt_lock_give(&expiry->lock);
	struct rt_status status =
		posting_submit(expiry->config.posting, &part->request, part->ledger_id, 0,
			       rt_clock_mono_us() + POST_US_MAX);
	if (!rt_is_ok(&status)) {
		RT_LOCKED(&expiry->lock);
		expiry->waiting--;
	}
	return status;
}

/* Each has an answer, because each has a deadline. */
static void await_answers(struct expiry *expiry)
{
	RT_LOCKED(&expiry->lock);
	while (expiry->waiting > 0)
		rt_lock_wait(&expiry->lock, &expiry->changed, RT_NO_DEADLINE);
}

/* What failed together is posted one by one, so that who is to blame is alone. */
static struct rt_status submit_apart(struct expiry *expiry, const struct part *part)
{
	struct rt_status status = rt_ok();
	if (part == NULL || !part->spoiled || part->request.group_count == 1)
		return status;
	for (size_t i = 0; i < part->request.group_count && rt_is_ok(&status); i++)
		status = submit(expiry,
				make_part(expiry, part->ledger_id, &part->request.groups[i], 1));
	await_answers(expiry);
	return status;
}

/* Posts what is due of some ledgers. */
static struct rt_status post_due(struct expiry *expiry, const struct expiry_due *due, size_t count)
{
	struct part *parts[LEDGERS_MAX] = {0};
	struct rt_status status = rt_ok();
	for (size_t i = 0; i < count && rt_is_ok(&status); i++) {
		struct group *groups = due[i].count == 0 ? NULL : make_groups(expiry, &due[i]);
		if (due[i].count == 0)
			continue;
		if (groups != NULL)
			parts[i] = make_part(expiry, &due[i].ledger_id, groups, due[i].count);
		status = submit(expiry, parts[i]);
	}
	await_answers(expiry);
	for (size_t i = 0; i < count && rt_is_ok(&status); i++)
		status = submit_apart(expiry, parts[i]);
	return status;
}

/* The ledgers after *after; *after becomes the last of them, nil after the last of all. */
static struct rt_status sweep_page(struct expiry *expiry, struct rt_uuid *after, bool *more)
{
	struct expiry_due *due;
	size_t count;
	int64_t deadline_us = rt_clock_mono_us() + STATEMENT_US_MAX;
	struct expiry_scope scope = {
		.after = *after,
		.ledgers_max = LEDGERS_MAX,
		.holds_max = HOLDS_MAX,
		.without = expiry->aside,
		.without_count = expiry->aside_count,
	};
	RT_TRY(plans_refresh(&expiry->plans, expiry->pg, rt_clock_mono_us(), deadline_us));
	RT_TRY(expiry_store_due(expiry->pg, &scope, &expiry->arena, deadline_us, &due, &count));
	for (size_t i = 0; i < count; i++)
		*more = *more || due[i].count == HOLDS_MAX;
	*after = count == LEDGERS_MAX ? due[count - 1].ledger_id : (struct rt_uuid){0};
	return post_due(expiry, due, count);
}

static bool is_stopped(struct expiry *expiry)
{
	RT_LOCKED(&expiry->lock);
	return expiry->stop;
}

/* What was set aside has its turn again now and then: it may have been mended. */
static void take_back(struct expiry *expiry)
{
	int64_t now_us = rt_clock_mono_us();
	if (expiry->aside_count > 0 && now_us < expiry->aside_until_us)
		return;
	expiry->aside_count = 0;
	expiry->aside_until_us = now_us + ASIDE_US;
}

/* All ledgers once. Returns whether there is more to do at once. */
static bool sweep(struct expiry *expiry)
{
	struct rt_uuid after = {0};
	bool more = false;
	expiry->name_taken = false;
	expiry->failed = false;
	take_back(expiry);
	do {
		struct rt_status status = sweep_page(expiry, &after, &more);
		rt_arena_deinit(&expiry->arena);
		if (!rt_is_ok(&status)) {
			RT_LOG(WARN, "expiry_sweep_failed", RT_STATUS(&status));
			return false;
		}
	} while (!rt_uuid_is_nil(&after) && !is_stopped(expiry));
	expiry->name_number = expiry->name_taken ? expiry->name_number + 1 : 0;
	return !expiry->failed && (more || expiry->name_taken);
}

/* False when told to stop. */
static bool rest(struct expiry *expiry)
{
	int64_t tenth_us = expiry->config.interval_ms * RT_US_PER_MS / 10;
	int64_t due_us = rt_clock_mono_us() + 9 * tenth_us +
			 (int64_t)rt_random_below((uint64_t)(2 * tenth_us) + 1);
	RT_LOCKED(&expiry->lock);
	while (!expiry->stop && rt_clock_mono_us() < due_us)
		rt_lock_wait(&expiry->lock, &expiry->changed, due_us);
	return !expiry->stop;
}

static void *run(void *argument)
{
	struct expiry *expiry = argument;
	while (rest(expiry))
		while (sweep(expiry) && !is_stopped(expiry))
			;
	return NULL;
}

struct expiry *expiry_start(const struct expiry_config *config)
{
	struct expiry *expiry = calloc(1, sizeof(*expiry));
	RT_ASSERT(expiry != NULL);
	expiry->config = *config;
	expiry->config.pg.session = EXPIRY_SESSION;
	expiry->pg = rt_pg_new(&expiry->config.pg);
	expiry->expired = RT_SERIES(HOLDS_EXPIRED);
	rt_arena_init(&expiry->arena, ARENA_BYTES);
	rt_lock_init(&expiry->lock, RT_RANK_SERVICE);
	rt_condition_init(&expiry->changed);
	int failed = pthread_create(&expiry->thread, NULL, run, expiry);
	RT_ASSERT(failed == 0);
	return expiry;
}

void expiry_stop(struct expiry *expiry)
{
	if (expiry == NULL)
		return;
	rt_lock_take(&expiry->lock);
	expiry->stop = true;
	pthread_cond_signal(&expiry->changed);
	rt_lock_give(&expiry->lock);
	pthread_join(expiry->thread, NULL);
	rt_pg_destroy(expiry->pg);
	rt_arena_deinit(&expiry->arena);
	pthread_cond_destroy(&expiry->changed);
	rt_lock_deinit(&expiry->lock);
	free(expiry);
}
