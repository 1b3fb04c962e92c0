/* Counters, gauges and histograms, shown as Prometheus text. A series is made once, at start, and
 * then updated without a lock. Every metric has a row in metrics.def (runtime) with its help text.
 * Thread: any. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rt_metric {
#define RT_METRIC_ENUM(id, name, kind, labels, help) RT_METRIC_##id,
#include "rt/metrics.def"
#undef RT_METRIC_ENUM
	RT_METRIC_COUNT
};

struct rt_series;

/* Finds or makes the series of a metric with these label values, in the order of the table's label
 * names. Owns: the registry owns it, for ever. Label values must come from bounded sets. */
struct rt_series *rt_series_get(enum rt_metric metric, const char *const *label_values);
#define RT_SERIES(metric, ...)                                                                     \
	rt_series_get(RT_METRIC_##metric, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

void rt_series_add(struct rt_series *series, int64_t amount); /* counter, gauge */
void rt_series_set(struct rt_series *series, int64_t value);  /* gauge */
/* Histogram of durations: given in microseconds, shown in seconds. */
void rt_series_observe_us(struct rt_series *series, int64_t duration_us);
/* Histogram of sizes: buckets in powers of two. */
void rt_series_observe_count(struct rt_series *series, int64_t count);

/* What a counter or gauge stands at; a histogram's sum. For tests. */
int64_t rt_series_value(const struct rt_series *series);

/* All series as Prometheus text format 0.0.4. Owns: the caller frees with free(). */
char *rt_metrics_text(size_t *length);
