#include "engine/posting.h"

#include <stdlib.h>

#include "engine/wanted.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/metrics.h"
#include "store/plans.h"
#include "store/posting_store.h"

/* A bound, not a size: a batch of the largest call takes a fifth of it. */
#define BATCH_ARENA_BYTES        ((size_t)128 << 20)

/* What a transaction is given, however soon its callers give up. */
#define BATCH_US_MIN             RT_US_PER_S

/* From this size on a batch locks its ledger before it is complete. */
#define LOCK_FIRST_TRANSFERS_MIN 16
#define LOCK_ARENA_BYTES         ((size_t)4096)

/* A smaller one does so too when the lane had to wait for the ledger, longer than a round trip
 * takes, in one of so many batches before: it may wait again, and would be complete. */
#define WAITED_US                (2 * RT_US_PER_MS)
#define WAITED_BATCHES           16

/* Below the deadline of a statement, so that none fails for a trial balance before it. */
#define READS_REST_US_MAX        (4 * RT_US_PER_S)

/* A lane's statements find rows by their keys, however many there are: one plan serves each, and
 * none that reads a whole table is good. Left to itself PostgreSQL plans them anew for each small
 * batch, and reads whole tables while they are small. Figures:
 * docs/decisions/0015-what-a-batch-costs.md. */
#define LANE_SESSION                                                                               \
	"-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off "      \
	"-c enable_mergejoin=off -c enable_bitmapscan=off"

/* A lane is a thread with one connection. */
static _Thread_local struct plans lane_plans;
/* When it locked the ledger of the batch that is next. */
static _Thread_local int64_t lane_locked_us;

/* The ledger that the lane waited for last, and how many more of its batches remember it. */
static _Thread_local struct {
	struct rt_uuid ledger_id;
	int batches;
} lane_waited;

struct posting {
	struct rt_commit *commit;
	struct rt_pace *reads;
	struct rt_series *posted, *declined, *replayed, *refused;
};

/* One attempt to carry out a batch. */
struct batch {
	struct posting_request **requests;
	size_t count;
	size_t group_count;
	int64_t deadline_us;
	struct rt_uuid ledger_id;
	struct book book;
	struct outcome *outcomes; /* of all groups, in order */
};

static void answer_all(struct batch *batch, struct rt_status status)
{
	const struct outcome *outcomes = batch->outcomes;
	for (size_t i = 0; i < batch->count; i++) {
		struct posting_request *request = batch->requests[i];
		size_t count = request->group_count; /* the answer ends the request's life */
		request->answer(request, status, rt_is_ok(&status) ? outcomes : NULL);
		outcomes += count;
	}
}

/* Counts what the calls were told. */
static void count_outcomes(const struct posting *posting, const struct batch *batch)
{
	int64_t posted = 0, declined = 0, replayed = 0, refused = 0;
	for (size_t i = 0; i < batch->group_count; i++) {
		const struct outcome *outcome = &batch->outcomes[i];
		if (outcome->record == NULL)
			refused++;
		else if (outcome->replayed)
			replayed++;
		else if (outcome->record->decline != DECLINE_NONE)
			declined++;
		else
			posted++;
	}
	rt_series_add(posting->posted, posted);
	rt_series_add(posting->declined, declined);
	rt_series_add(posting->replayed, replayed);
	rt_series_add(posting->refused, refused);
}

static struct rt_status decide_all(struct batch *batch)
{
	struct outcome *outcome = batch->outcomes;
	for (size_t i = 0; i < batch->count; i++)
		for (size_t j = 0; j < batch->requests[i]->group_count; j++)
			RT_TRY(book_decide(&batch->book, &batch->requests[i]->groups[j],
					   outcome++));
	return rt_ok();
}

static void set_attempted(const struct batch *batch, int64_t attempted_us)
{
	for (size_t i = 0; i < batch->count; i++)
		for (size_t j = 0; j < batch->requests[i]->group_count; j++)
			batch->requests[i]->groups[j].attempted_us = attempted_us;
}

static bool has_waited(const struct rt_uuid *ledger_id)
{
	return lane_waited.batches > 0 && rt_uuid_equal(&lane_waited.ledger_id, ledger_id);
}

/* The ledger was locked, by what was sent then. */
static void note_lock(const struct rt_uuid *ledger_id, int64_t sent_us)
{
	if (rt_clock_mono_us() - sent_us >= WAITED_US) {
		lane_waited.ledger_id = *ledger_id;
		lane_waited.batches = WAITED_BATCHES;
	} else if (has_waited(ledger_id)) {
		lane_waited.batches--;
	}
}

static bool has_writes(const struct book *book)
{
	return book->first_new != NULL;
}

/* Reads, decides, writes. Whoever leaves early leaves no transaction open. */
static struct rt_status carry_out(struct batch *batch, struct rt_pg *pg, struct rt_arena *arena)
{
	struct posting_wanted wanted;
	RT_TRY(wanted_collect(batch->requests, batch->count, arena, &wanted));
	struct book_size size = {
		.accounts = wanted.account_count,
		.transfers = wanted.transfer_count,
		.holds = wanted.hold_count,
		.originals = wanted.original_count,
	};
	batch->ledger_id = wanted.ledger_id;
	batch->outcomes = rt_arena_array(arena, batch->group_count, sizeof(batch->outcomes[0]));
	if (batch->outcomes == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
			       "the batch needs too much memory");
	RT_TRY(book_init(&batch->book, arena, &size));
	bool locked = rt_pg_is_open(pg);
	if (!locked)
		RT_TRY(plans_refresh(&lane_plans, pg, rt_clock_mono_us(), batch->deadline_us));
	int64_t sent_us = rt_clock_mono_us();
	RT_TRY(posting_store_read(pg, &wanted, batch->deadline_us, &batch->book, &lane_locked_us));
	if (!locked)
		note_lock(&wanted.ledger_id, sent_us);
	/* The time of a batch is that when it has its ledger to itself, so that batches follow each
	 * other in time. */
	book_set_time(&batch->book, lane_locked_us);
	RT_TRY(decide_all(batch));
	if (!has_writes(&batch->book)) {
		rt_pg_abandon(pg);
		return rt_ok();
	}
	struct rt_status status = posting_store_write(pg, &batch->ledger_id, &batch->book);
	/* When the next attempt finds these groups on record with this time, it was this one that
	 * wrote them. */
	if (status.code == RT_OUTCOME_UNKNOWN)
		set_attempted(batch, batch->book.now_us);
	plans_add_rows(&lane_plans, (int64_t)batch->book.counts.posted_transfers);
	return status;
}

static size_t weight_of(struct rt_commit_item *const *items, size_t count)
{
	size_t weight = 0;
	for (size_t i = 0; i < count; i++)
		weight += items[i]->weight;
	return weight;
}

/* The most patient caller's: those who gave up before are told so, and find the outcome later. Nor
 * is a transaction cut off a moment after it began: that would cost the lane its connection, and
 * those who wait for the lane their time. */
static int64_t deadline_of(struct rt_commit_item *const *items, size_t count)
{
	int64_t deadline_us = rt_clock_mono_us() + BATCH_US_MIN;
	for (size_t i = 0; i < count; i++)
		if (items[i]->deadline_mono_us > deadline_us)
			deadline_us = items[i]->deadline_mono_us;
	return deadline_us;
}

/* Locks the ledger before the batch is complete: while another process has it, the batch grows. A
 * round trip more, so not for a few, unless they would wait. What fails here fails again in the
 * batch, and is told there. */
static void lock_first(void *context, struct rt_pg *pg, struct rt_commit_item **items, size_t count)
{
	(void)context;
	const struct rt_uuid *ledger_id = &items[0]->key;
	if (weight_of(items, count) < LOCK_FIRST_TRANSFERS_MIN && !has_waited(ledger_id))
		return;
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	rt_arena_init(&arena, LOCK_ARENA_BYTES);
	int64_t deadline_us = deadline_of(items, count);
	struct rt_status status = plans_refresh(&lane_plans, pg, rt_clock_mono_us(), deadline_us);
	int64_t sent_us = rt_clock_mono_us();
	if (rt_is_ok(&status))
		status = posting_store_lock(pg, ledger_id, deadline_us, &arena, &lane_locked_us);
	if (rt_is_ok(&status))
		note_lock(ledger_id, sent_us);
	else
		rt_pg_abandon(pg);
}

static struct rt_status run_batch(void *context, struct rt_pg *pg, struct rt_commit_item **items,
				  size_t count, struct rt_arena *arena)
{
	struct batch batch = {.count = count, .deadline_us = deadline_of(items, count)};
	batch.requests = rt_arena_array(arena, count, sizeof(batch.requests[0]));
	if (batch.requests == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "BATCH_TOO_LARGE",
			       "the batch needs too much memory");
	for (size_t i = 0; i < count; i++) {
		batch.requests[i] = (struct posting_request *)(void *)items[i];
		batch.group_count += batch.requests[i]->group_count;
	}
	struct rt_status status = carry_out(&batch, pg, arena);
	if (!rt_is_ok(&status))
		rt_pg_abandon(pg);
	if (status.code == RT_NOT_FOUND) {
		answer_all(&batch, status); /* all are of one ledger */
		return rt_ok();
	}
	if (rt_is_ok(&status)) {
		count_outcomes(context, &batch);
		answer_all(&batch, status);
	}
	return status;
}

static void fail_item(void *context, struct rt_commit_item *item, struct rt_status status)
{
	(void)context;
	struct posting_request *request = (struct posting_request *)(void *)item;
	request->answer(request, status, NULL);
}

struct posting *posting_new(const struct posting_config *config)
{
	struct posting *posting = calloc(1, sizeof(*posting));
	RT_ASSERT(posting != NULL);
	posting->posted = RT_SERIES(POSTED, "posted");
	posting->declined = RT_SERIES(POSTED, "declined");
	posting->replayed = RT_SERIES(POSTED, "replayed");
	posting->refused = RT_SERIES(POSTED, "refused");
	struct rt_commit_config commit = {
		.name = "posting",
		.pg = config->pg,
		.lanes = config->lanes,
		.queue_max = config->queue_max,
		.batch_items_max = config->transfers_max,
		.batch_weight_max = config->transfers_max,
		.arena_bytes = BATCH_ARENA_BYTES,
		.prepare = lock_first,
		.batch = run_batch,
		.fail = fail_item,
		.context = posting,
	};
	commit.pg.session = LANE_SESSION;
	posting->commit = rt_commit_new(&commit);
	posting->reads = rt_pace_new(posting->commit, config->reads_percent, READS_REST_US_MAX);
	return posting;
}

struct rt_status posting_submit(struct posting *posting, struct posting_request *request,
				const struct rt_uuid *ledger_id, uint64_t caller,
				int64_t deadline_mono_us)
{
	RT_ASSERT(request->transfer_count > 0);
	request->item.key = *ledger_id;
	request->item.source = caller;
	request->item.weight = request->transfer_count;
	request->item.deadline_mono_us = deadline_mono_us;
	return rt_commit_submit(posting->commit, &request->item);
}

struct rt_pace *posting_reads(struct posting *posting)
{
	return posting->reads;
}

void posting_stop(struct posting *posting, int64_t deadline_mono_us)
{
	rt_commit_stop(posting->commit, deadline_mono_us);
}

void posting_destroy(struct posting *posting)
{
	if (posting == NULL)
		return;
	rt_pace_destroy(posting->reads);
	rt_commit_destroy(posting->commit);
	free(posting);
}
