#include "histogram.h"

#include "rt/assert.h"

/* Values below 64 have a bucket each; above, each power of two is cut into 64. */
static unsigned bucket_of(uint64_t value)
{
	if (value < 64)
		return (unsigned)value;
	unsigned top = 63U - (unsigned)__builtin_clzll(value);
	unsigned shift = top - 6;
	return 64U * (shift + 1) + (unsigned)((value >> shift) - 64);
}

static int64_t upper_edge(unsigned bucket)
{
	if (bucket < 64)
		return bucket;
	unsigned shift = bucket / 64 - 1;
	return (int64_t)(((uint64_t)(bucket % 64 + 64 + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t duration_us)
{
	unsigned bucket = bucket_of(duration_us < 0 ? 0 : (uint64_t)duration_us);
	RT_ASSERT(bucket < HISTOGRAM_BUCKETS || duration_us > 0);
	histogram->counts[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
	histogram->total++;
	if (duration_us > histogram->largest_us)
		histogram->largest_us = duration_us;
}

int64_t histogram_quantile_us(const struct histogram *histogram, uint32_t per_million)
{
	uint64_t wanted = (histogram->total * per_million + 999999) / 1000000;
	uint64_t seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= wanted && histogram->total > 0)
			return upper_edge(i);
	}
	return 0;
}
