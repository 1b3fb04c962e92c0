#include "rpc/retry_budget.h"

#include "rt/assert.h"

#define TOKEN   INT64_C(1000000)
#define BURST_S 10

void rt_retry_budget_init(struct rt_retry_budget *budget, int64_t percent, int64_t per_s,
			  int64_t now_us)
{
	RT_ASSERT(per_s > 0);
	RT_ASSERT(percent >= 0);
	int64_t most_micros = per_s * BURST_S * TOKEN;
	*budget = (struct rt_retry_budget){.micros = most_micros,
					   .most_micros = most_micros,
					   .first_micros = percent * TOKEN / 100,
					   .per_s = per_s,
					   .as_of_us = now_us};
}

static void put(struct rt_retry_budget *budget, int64_t micros)
{
	int64_t room = budget->most_micros - budget->micros;
	budget->micros += micros < room ? micros : room;
}

void rt_retry_first(struct rt_retry_budget *budget)
{
	put(budget, budget->first_micros);
}

/* A token a second is a millionth a microsecond. What is longer than it takes to fill is as long.
 */
static void pass_time(struct rt_retry_budget *budget, int64_t now_us)
{
	int64_t passed_us = now_us - budget->as_of_us;
	if (passed_us <= 0)
		return;
	budget->as_of_us = now_us;
	put(budget, (passed_us < BURST_S * TOKEN ? passed_us : BURST_S * TOKEN) * budget->per_s);
}

bool rt_retry_take(struct rt_retry_budget *budget, int64_t now_us, int64_t *wait_us)
{
	pass_time(budget, now_us);
	*wait_us = 0;
	if (budget->micros < TOKEN) {
		*wait_us = (TOKEN - budget->micros + budget->per_s - 1) / budget->per_s;
		return false;
	}
	budget->micros -= TOKEN;
	return true;
}

void rt_retry_give_back(struct rt_retry_budget *budget)
{
	put(budget, TOKEN);
}
