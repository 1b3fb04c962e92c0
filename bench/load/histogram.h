/* Latencies in buckets of at most 1.6 % width, from 1 us to over an hour. For the load generator.
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 2048

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t total;
	int64_t largest_us;
};

void histogram_add(struct histogram *histogram, int64_t duration_us);
/* The upper edge of the bucket in which the fraction `per_million` of the samples lies; 0 without
 * samples. */
int64_t histogram_quantile_us(const struct histogram *histogram, uint32_t per_million);
