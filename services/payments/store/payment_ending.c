/* See payment_ending.h: the shared transaction's own parts, for a batch of one. */
#include "store/payment_ending.h"

#include "store/limit_batch.h"
#include "store/payment_columns.h"
#include "store/payment_originals.h"

static const bool written[] = {true};

struct rt_status payment_ending_lock(struct rt_pg *pg, struct payment_ending *ending,
				     struct rt_arena *arena)
{
	ending->advances[0] = &ending->advance;
	ending->batch = (struct payment_batch){.advances = ending->advances, .advance_count = 1};
	if (!payment_originals_wanted(&ending->batch))
		return rt_ok();
	RT_TRY(payment_send_lock_originals(pg, &ending->batch, arena));
	return rt_pg_receive(pg, &ending->originals, 1);
}

static struct rt_status settle_original(struct rt_pg *pg, const struct payment_ending *ending,
					struct rt_arena *arena)
{
	const struct rt_pg_rows no_rounds = {0};
	struct payment_originals originals;
	size_t sent = 0;

	if (!payment_originals_wanted(&ending->batch))
		return rt_ok();
	RT_TRY(payment_originals_decide(&ending->batch, written, &ending->originals, &no_rounds,
					arena, &originals));
	RT_TRY(payment_send_originals(pg, &originals, arena, &sent));
	return rt_pg_receive(pg, NULL, 0);
}

static struct rt_status settle_limits(struct rt_pg *pg, const struct payment_ending *ending,
				      struct rt_arena *arena)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows persons = {0};
	struct limit_purses *purses = NULL;

	if (!limit_batch_wanted(&ending->batch))
		return rt_ok();
	RT_TRY(limit_batch_send_lock(pg, &ending->batch, arena));
	RT_TRY(rt_pg_receive(pg, &persons, 1));
	return limit_batch_decide(pg, &ending->batch, written, &persons, arena, &purses);
}

struct rt_status payment_ending_settle(struct rt_pg *pg, struct payment_ending *ending,
				       struct rt_arena *arena)
{
	RT_TRY(settle_original(pg, ending, arena));
	return settle_limits(pg, ending, arena);
}

void payment_ending_deinit(struct payment_ending *ending)
{
	rt_pg_rows_deinit(&ending->originals);
}
