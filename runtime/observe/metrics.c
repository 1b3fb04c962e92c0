#include "rt/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "process_metrics.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/lock.h"

/* Bounds on what a mistake with labels can cost: further series of a metric go into one that is
 * labelled "other". */
#define SERIES_PER_METRIC_MAX 1024
#define SERIES_MAX            4096
#define SLOTS                 8192 /* a power of two, at least twice SERIES_MAX, so that a search ends soon */
#define LABELS_MAX            8
#define BUCKETS               17

enum metric_kind { COUNTER, GAUGE, SECONDS, SIZES };

struct metric_row {
	const char *name;
	enum metric_kind kind;
	const char *labels;
	const char *help;
};

static const struct metric_row rows[RT_METRIC_COUNT] = {
#define RT_METRIC_ENUM(id, name_text, metric_kind, label_names, help_text)                         \
	[RT_METRIC_##id] = {.name = (name_text),                                                   \
			    .kind = (metric_kind),                                                 \
			    .labels = (label_names),                                               \
			    .help = (help_text)},
#include "rt/metrics.def"
#undef RT_METRIC_ENUM
};

/* The upper edges of the buckets, as numbers and as they are shown. */
static const int64_t edges_us[BUCKETS] = {50,     100,     250,     500,     1000,    2500,
					  5000,   10000,   25000,   50000,   100000,  250000,
					  500000, 1000000, 2500000, 5000000, 10000000};
static const char *const edges_seconds_text[BUCKETS] = {
	"0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
	"0.05",    "0.1",    "0.25",    "0.5",    "1",     "2.5",    "5",     "10"};
static const int64_t edges_count[BUCKETS] = {1,   2,    4,    8,    16,   32,    64,    128,  256,
					     512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};

/* A histogram's last bucket holds what is beyond every edge; its count is the sum of all buckets,
 * so that the two can't disagree in a scrape. */
struct rt_series {
	enum rt_metric metric;
	uint64_t hash;
	struct rt_series *next; /* of the metric, in the order of making */
	_Atomic int64_t value;  /* a histogram's sum */
	_Atomic int64_t *buckets;
	char *labels;   /* as shown, without the braces */
	char *values[]; /* NULL-terminated */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct rt_lock registry_lock;
static _Atomic(struct rt_series *) slots[SLOTS];
static _Atomic(struct rt_series *) first_of[RT_METRIC_COUNT];
static struct rt_series *last_of[RT_METRIC_COUNT];
static struct rt_series *other_of[RT_METRIC_COUNT];
static size_t count_of[RT_METRIC_COUNT];
static size_t series_count;

static void prepare(void)
{
	rt_lock_init(&registry_lock, RT_RANK_REGISTRY);
}

static size_t label_count(const struct metric_row *row)
{
	if (row->labels[0] == '\0')
		return 0;
	size_t count = 1;
	for (const char *at = row->labels; *at != '\0'; at++)
		count += *at == ',' ? 1 : 0;
	return count;
}

/* FNV-1a; the metric and each value's end are hashed too. */
static uint64_t hash_of(enum rt_metric metric, const char *const *values, size_t count)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)metric;
	for (size_t i = 0; i < count; i++) {
		const char *at = values[i];
		do {
			hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
		} while (*at++ != '\0');
	}
	return hash ^ (hash >> 32);
}

static bool is_same(const struct rt_series *series, enum rt_metric metric, uint64_t hash,
		    const char *const *values, size_t count)
{
	if (series->metric != metric || series->hash != hash)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(series->values[i], values[i]) != 0)
			return false;
	return true;
}

/* Returns the series or, when there is none, NULL and the slot that it belongs into. */
static struct rt_series *find(enum rt_metric metric, uint64_t hash, const char *const *values,
			      size_t count, size_t *slot)
{
	for (size_t i = 0; i < SLOTS; i++) {
		*slot = (hash + i) & (SLOTS - 1);
		struct rt_series *series =
			atomic_load_explicit(&slots[*slot], memory_order_acquire);
		if (series == NULL || is_same(series, metric, hash, values, count))
			return series;
	}
	return NULL;
}

/* Source: Prometheus text format 0.0.4: backslash, quote and line feed are escaped in label values.
 */
static void print_escaped(FILE *out, const char *text, bool in_quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\\\", out);
		else if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' && in_quotes)
			fputs("\\\"", out);
		else
			fputc(*text, out);
	}
}

static char *render_labels(const struct metric_row *row, const char *const *values)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	RT_ASSERT(out != NULL);
	const char *name = row->labels;
	for (size_t i = 0; *name != '\0'; i++) {
		size_t name_length = strcspn(name, ",");
		fprintf(out, "%s%.*s=\"", i == 0 ? "" : ",", (int)name_length, name);
		print_escaped(out, values[i], true);
		fputc('"', out);
		name += name_length + (name[name_length] == ',' ? 1 : 0);
	}
	int failed = fclose(out);
	RT_ASSERT(failed == 0);
	return text;
}

static struct rt_series *make(enum rt_metric metric, uint64_t hash, const char *const *values,
			      size_t count)
{
	const struct metric_row *row = &rows[metric];
	struct rt_series *series = calloc(1, sizeof(*series) + (count + 1) * sizeof(char *));
	RT_ASSERT(series != NULL);
	series->metric = metric;
	series->hash = hash;
	for (size_t i = 0; i < count; i++) {
		series->values[i] = strdup(values[i]);
		RT_ASSERT(series->values[i] != NULL);
	}
	series->labels = render_labels(row, values);
	if (row->kind == SECONDS || row->kind == SIZES) {
		series->buckets = calloc(BUCKETS + 1, sizeof(*series->buckets));
		RT_ASSERT(series->buckets != NULL);
	}
	return series;
}

/* Puts the series at the end of its metric's list, where a scrape may be reading. */
static void enlist(struct rt_series *series)
{
	enum rt_metric metric = series->metric;
	if (last_of[metric] == NULL)
		atomic_store_explicit(&first_of[metric], series, memory_order_release);
	else
		__atomic_store_n(&last_of[metric]->next, series, __ATOMIC_RELEASE);
	last_of[metric] = series;
}

static struct rt_series *other_series(enum rt_metric metric, size_t count)
{
	if (other_of[metric] == NULL) {
		const char *values[LABELS_MAX];
		for (size_t i = 0; i < count; i++)
			values[i] = "other";
		other_of[metric] = make(metric, 0, values, count);
		enlist(other_of[metric]);
	}
	return other_of[metric];
}

static struct rt_series *find_or_make(enum rt_metric metric, uint64_t hash,
				      const char *const *values, size_t count)
{
	RT_LOCKED(&registry_lock);
	size_t slot;
	struct rt_series *series = find(metric, hash, values, count, &slot);
	if (series != NULL)
		return series;
	if (series_count >= SERIES_MAX || count_of[metric] >= SERIES_PER_METRIC_MAX)
		return other_series(metric, count);
	series = make(metric, hash, values, count);
	enlist(series);
	series_count++;
	count_of[metric]++;
	atomic_store_explicit(&slots[slot], series, memory_order_release);
	return series;
}

struct rt_series *rt_series_get(enum rt_metric metric, const char *const *label_values)
{
	RT_ASSERT((size_t)metric < RT_METRIC_COUNT);
	size_t count = label_count(&rows[metric]);
	RT_ASSERT(count <= LABELS_MAX);
	for (size_t i = 0; i < count; i++)
		RT_ASSERT(label_values[i] != NULL);
	uint64_t hash = hash_of(metric, label_values, count);
	size_t slot;
	struct rt_series *series = find(metric, hash, label_values, count, &slot);
	if (series != NULL)
		return series;
	pthread_once(&once, prepare);
	return find_or_make(metric, hash, label_values, count);
}

void rt_series_add(struct rt_series *series, int64_t amount)
{
	RT_ASSERT(series->buckets == NULL);
	RT_ASSERT(amount >= 0 || rows[series->metric].kind == GAUGE);
	atomic_fetch_add_explicit(&series->value, amount, memory_order_relaxed);
}

void rt_series_set(struct rt_series *series, int64_t value)
{
	RT_ASSERT(rows[series->metric].kind == GAUGE);
	atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

static void observe(struct rt_series *series, const int64_t *edges, int64_t value)
{
	size_t bucket = 0;
	while (bucket < BUCKETS && value > edges[bucket])
		bucket++;
	atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&series->value, value, memory_order_relaxed);
}

void rt_series_observe_us(struct rt_series *series, int64_t duration_us)
{
	RT_ASSERT(rows[series->metric].kind == SECONDS);
	observe(series, edges_us, duration_us > 0 ? duration_us : 0);
}

void rt_series_observe_count(struct rt_series *series, int64_t count)
{
	RT_ASSERT(rows[series->metric].kind == SIZES);
	observe(series, edges_count, count > 0 ? count : 0);
}

int64_t rt_series_value(const struct rt_series *series)
{
	return atomic_load_explicit(&series->value, memory_order_relaxed);
}

static void print_value(FILE *out, const struct rt_series *series)
{
	const char *name = rows[series->metric].name;
	int64_t value = rt_series_value(series);
	if (series->labels[0] == '\0')
		fprintf(out, "%s %lld\n", name, (long long)value);
	else
		fprintf(out, "%s{%s} %lld\n", name, series->labels, (long long)value);
}

static void print_bucket(FILE *out, const struct rt_series *series, const char *edge, int64_t total)
{
	fprintf(out, "%s_bucket{%s%sle=\"%s\"} %lld\n", rows[series->metric].name, series->labels,
		series->labels[0] == '\0' ? "" : ",", edge, (long long)total);
}

static void print_part(FILE *out, const struct rt_series *series, const char *part)
{
	const char *open = series->labels[0] == '\0' ? "" : "{";
	const char *close = series->labels[0] == '\0' ? "" : "}";
	fprintf(out, "%s_%s%s%s%s ", rows[series->metric].name, part, open, series->labels, close);
}

static void print_histogram(FILE *out, const struct rt_series *series)
{
	bool seconds = rows[series->metric].kind == SECONDS;
	int64_t total = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		char count_text[24];
		snprintf(count_text, sizeof(count_text), "%lld", (long long)edges_count[i]);
		total += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
		print_bucket(out, series, seconds ? edges_seconds_text[i] : count_text, total);
	}
	total += atomic_load_explicit(&series->buckets[BUCKETS], memory_order_relaxed);
	print_bucket(out, series, "+Inf", total);
	int64_t sum = rt_series_value(series);
	print_part(out, series, "sum");
	if (seconds)
		fprintf(out, "%lld.%06lld\n", (long long)(sum / 1000000),
			(long long)(sum % 1000000));
	else
		fprintf(out, "%lld\n", (long long)sum);
	print_part(out, series, "count");
	fprintf(out, "%lld\n", (long long)total);
}

static const char *type_name(enum metric_kind kind)
{
	switch (kind) {
	case COUNTER:
		return "counter";
	case GAUGE:
		return "gauge";
	case SECONDS:
	case SIZES:
		break;
	}
	return "histogram";
}

static void print_metric(FILE *out, enum rt_metric metric)
{
	const struct metric_row *row = &rows[metric];
	const struct rt_series *series =
		atomic_load_explicit(&first_of[metric], memory_order_acquire);
	if (series == NULL)
		return;
	fprintf(out, "# HELP %s ", row->name);
	print_escaped(out, row->help, false);
	fprintf(out, "\n# TYPE %s %s\n", row->name, type_name(row->kind));
	for (; series != NULL; series = __atomic_load_n(&series->next, __ATOMIC_ACQUIRE)) {
		if (series->buckets != NULL)
			print_histogram(out, series);
		else
			print_value(out, series);
	}
}

char *rt_metrics_text(size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	RT_ASSERT(out != NULL);
	for (size_t i = 0; i < RT_METRIC_COUNT; i++)
		print_metric(out, (enum rt_metric)i);
	process_metrics_print(out);
	int failed = fclose(out);
	RT_ASSERT(failed == 0);
	return text;
}
