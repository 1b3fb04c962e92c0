#include "domain/throttle.h"

#include "rt/assert.h"

struct throttle_verdict throttle_take(const struct throttle_rule *rule, int64_t full_us,
				      int64_t now_us)
{
	RT_ASSERT(rule->burst > 0);
	RT_ASSERT(rule->refill_us > 0);
	int64_t holds_us = rule->burst * rule->refill_us;
	int64_t lacks_us = full_us > now_us ? full_us - now_us : 0;
	if (lacks_us > holds_us)
		lacks_us = holds_us;
	int64_t lacks_then_us = lacks_us + rule->refill_us;
	if (lacks_then_us <= holds_us)
		return (struct throttle_verdict){.admitted = true,
						 .full_us = now_us + lacks_then_us};
	return (struct throttle_verdict){.full_us = now_us + lacks_us,
					 .wait_us = lacks_then_us - holds_us};
}
