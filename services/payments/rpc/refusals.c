/* See refusals.h. */
#include "rpc/refusals.h"

#include "rpc/map.h"
#include "store/limit_store.h"

struct rt_status refusals_add(struct rt_call *call, const struct payment_record *records,
			      Daler__Payments__V1__Payment **payments, size_t count)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct limit_refusal *refusals = rt_arena_array(arena, count, sizeof(*refusals));
	struct limit_refusal_of *wanted = rt_arena_array(arena, count, sizeof(*wanted));
	size_t found = 0;

	if (refusals == NULL || wanted == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
	for (size_t i = 0; i < count; i++) {
		if (limit_reason(records[i].standing.reason))
			wanted[found++] = (struct limit_refusal_of){records[i].request.ledger_id,
								    records[i].standing.payment_id,
								    &refusals[i]};
	}
	if (found == 0)
		return rt_ok();
	RT_TRY(limit_store_refusals(rt_call_worker(call), wanted, found, arena,
				    rt_call_deadline_us(call)));
	for (size_t i = 0; i < count; i++) {
		if (!map_refusal(payments[i], &records[i].standing, &refusals[i], arena))
			return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				       "the reply is too large");
	}
	return rt_ok();
}
