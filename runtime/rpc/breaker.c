#include "rpc/breaker.h"

#include "rt/clock.h"

#define FAILURES_MAX          5
#define OPEN_FIRST_US         (250 * RT_US_PER_MS)
#define OPEN_MOST_US          (2 * RT_US_PER_S)
/* A probe that never came back must not keep the breaker open. */
#define PROBE_MOST_US         (10 * RT_US_PER_S)

#define BACKOFF_FIRST_US      (50 * RT_US_PER_MS)
#define BACKOFF_DOUBLINGS_MAX 5
#define BACKOFF_MOST_US       RT_US_PER_S

bool rt_breaker_admit(struct rt_breaker *breaker, int64_t now_us, uint32_t *probe)
{
	*probe = 0;
	if (!breaker->open)
		return true;
	if (now_us < breaker->open_until_us)
		return false;
	if (breaker->probe != 0 && now_us - breaker->probe_since_us < PROBE_MOST_US)
		return false;
	breaker->probes = breaker->probes == UINT32_MAX ? 1 : breaker->probes + 1;
	breaker->probe = breaker->probes;
	breaker->probe_since_us = now_us;
	*probe = breaker->probe;
	return true;
}

void rt_breaker_reached(struct rt_breaker *breaker)
{
	*breaker = (struct rt_breaker){.probes = breaker->probes};
}

static void open_for(struct rt_breaker *breaker, int64_t now_us, int64_t duration_us)
{
	breaker->open = true;
	breaker->probe = 0;
	breaker->open_for_us = duration_us;
	breaker->open_until_us = now_us + duration_us;
}

void rt_breaker_missed(struct rt_breaker *breaker, int64_t now_us, uint32_t probe)
{
	breaker->failures++;
	if (!breaker->open) {
		if (breaker->failures >= FAILURES_MAX)
			open_for(breaker, now_us, OPEN_FIRST_US);
		return;
	}
	if (probe == 0 || probe != breaker->probe)
		return;
	int64_t next_us = breaker->open_for_us * 2;
	open_for(breaker, now_us, next_us < OPEN_MOST_US ? next_us : OPEN_MOST_US);
}

void rt_breaker_unknown(struct rt_breaker *breaker, uint32_t probe)
{
	if (probe != 0 && probe == breaker->probe)
		breaker->probe = 0;
}

int64_t rt_backoff_us(unsigned repeat, int64_t asked_ms, uint64_t random)
{
	int64_t most_us = BACKOFF_MOST_US;
	if (repeat < BACKOFF_DOUBLINGS_MAX)
		most_us = BACKOFF_FIRST_US << repeat;
	int64_t half_us = most_us / 2;
	int64_t wait_us = half_us + (int64_t)(random % (uint64_t)(half_us + 1));
	return wait_us + asked_ms * RT_US_PER_MS;
}
