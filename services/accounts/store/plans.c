#include "store/plans.h"

#include <stdbool.h>

#include "rt/clock.h"

#define ROWS_MIN   500
#define AGE_US_MAX RT_US_PER_S

static const struct rt_pg_statement discard = {"discard_plans", "DISCARD PLANS"};

static bool is_due(const struct plans *plans, int64_t now_mono_us)
{
	int64_t grown = plans->rows - plans->rows_at_last;
	return (grown >= ROWS_MIN && grown >= plans->rows_at_last) ||
	       now_mono_us - plans->last_mono_us >= AGE_US_MAX;
}

struct rt_status plans_refresh(struct plans *plans, struct rt_pg *pg, int64_t now_mono_us,
			       int64_t deadline_us)
{
	if (!is_due(plans, now_mono_us))
		return rt_ok();
	struct rt_status status = rt_pg_run(pg, &discard, NULL, deadline_us, NULL);
	if (status.code == RT_OUTCOME_UNKNOWN) /* there is nothing in it that could be in doubt */
		return RT_FAIL(UNAVAILABLE, "DATABASE_UNAVAILABLE",
			       "the connection to the database was lost");
	RT_TRY(status);
	plans->rows_at_last = plans->rows;
	plans->last_mono_us = now_mono_us;
	return rt_ok();
}

void plans_add_rows(struct plans *plans, int64_t rows)
{
	plans->rows += rows;
}
