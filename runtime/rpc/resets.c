#include "rpc/resets.h"

#include <stdatomic.h>

/* A connection may have some 4,200 calls in flight, and a process 4,096 in work, whose callers may
 * give them all up at once; half as many deadlines may pass in each second. gRPC keeps 10 to 15 KB
 * for each until it comes to it. */
static const struct limit {
	int64_t burst, each_us;
} own_limit = {.burst = 5000, .each_us = 1000}, shared_limit = {.burst = 6000, .each_us = 500};

#define PREFACE_BYTES (sizeof("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") - 1)
#define RST_STREAM    3

void rt_resets_init(struct rt_resets *resets, struct rt_resets_bucket *shared)
{
	*resets = (struct rt_resets){.skip_bytes = PREFACE_BYTES, .shared = shared};
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int64_t count_resets(struct rt_resets *resets, const unsigned char *bytes, size_t count)
{
	int64_t found = 0;
	while (count > 0) {
		size_t part = lesser(count, resets->skip_bytes);
		resets->skip_bytes -= part;
		bytes += part;
		count -= part;
		while (count > 0 && resets->head_bytes < sizeof(resets->head)) {
			resets->head[resets->head_bytes++] = *bytes++;
			count--;
		}
		if (resets->head_bytes < sizeof(resets->head))
			break;
		resets->head_bytes = 0;
		resets->skip_bytes = (size_t)resets->head[0] << 16 | (size_t)resets->head[1] << 8 |
				     resets->head[2];
		if (resets->head[3] == RST_STREAM)
			found++;
	}
	return found;
}

static bool take(struct rt_resets_bucket *bucket, const struct limit *limit, int64_t count,
		 int64_t now_us)
{
	int64_t last_us = atomic_load(&bucket->full_us), full_us;
	do {
		full_us = (last_us > now_us ? last_us : now_us) + count * limit->each_us;
		if (full_us - now_us > limit->burst * limit->each_us)
			return false;
	} while (!atomic_compare_exchange_weak(&bucket->full_us, &last_us, full_us));
	return true;
}

bool rt_resets_take(struct rt_resets *resets, const unsigned char *bytes, size_t count,
		    int64_t now_us)
{
	int64_t found = count_resets(resets, bytes, count);
	return found == 0 || (take(&resets->own, &own_limit, found, now_us) &&
			      take(resets->shared, &shared_limit, found, now_us));
}
