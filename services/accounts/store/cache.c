#include "store/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/metrics.h"
#include "store/cache_entry.h"

struct cache {
	struct rt_redis *redis;
	int64_t ttl_ms;
	struct rt_series *results[CACHE_UNUSABLE + 1]; /* by enum cache_result */
};

struct cache *cache_new(const struct cache_config *config)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	RT_ASSERT(cache != NULL);
	cache->redis = rt_redis_new(&config->redis);
	cache->ttl_ms = config->ttl_ms;
	cache->results[CACHE_HIT] = RT_SERIES(CACHE, "hit");
	cache->results[CACHE_MISS] = RT_SERIES(CACHE, "miss");
	cache->results[CACHE_UNUSABLE] = RT_SERIES(CACHE, "error");
	return cache;
}

void cache_destroy(struct cache *cache)
{
	if (cache == NULL)
		return;
	rt_redis_destroy(cache->redis);
	free(cache);
}

#define KEY_BYTES 128

static void make_key(const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
		     char key[KEY_BYTES])
{
	char ledger[RT_UUID_TEXT_BYTES], account[RT_UUID_TEXT_BYTES];
	rt_uuid_format(ledger_id, ledger);
	rt_uuid_format(account_id, account);
	snprintf(key, KEY_BYTES, "daler:accounts:v1:%s:%s", ledger, account);
}

static enum cache_result look_up(struct cache *cache, const struct rt_uuid *ledger_id,
				 const struct rt_uuid *account_id, struct rt_arena *arena,
				 struct account_record *record)
{
	CLEANUP(rt_redis_reply_deinit) struct rt_redis_reply reply = {0};
	char key[KEY_BYTES];
	make_key(ledger_id, account_id, key);
	struct rt_status status = RT_REDIS(cache->redis, &reply, "GET", key);
	if (!rt_is_ok(&status))
		return CACHE_UNUSABLE;
	if (reply.kind == RT_REDIS_NIL)
		return CACHE_MISS;
	bool readable =
		reply.kind == RT_REDIS_TEXT &&
		cache_entry_read(reply.text, reply.length, ledger_id, account_id, arena, record);
	return readable ? CACHE_HIT : CACHE_MISS; /* the fill repairs it */
}

enum cache_result cache_find(struct cache *cache, const struct rt_uuid *ledger_id,
			     const struct rt_uuid *account_id, struct rt_arena *arena,
			     struct account_record *record)
{
	enum cache_result result = look_up(cache, ledger_id, account_id, arena, record);
	rt_series_add(cache->results[result], 1);
	return result;
}

/* Between nine and eleven tenths. */
static int64_t jittered_ttl_ms(const struct cache *cache)
{
	int64_t least_ms = cache->ttl_ms - cache->ttl_ms / 10;
	return least_ms + (int64_t)rt_random_below((uint64_t)(cache->ttl_ms / 5) + 1);
}

void cache_fill(struct cache *cache, const struct account_record *record)
{
	char key[KEY_BYTES], ttl[24], entry[CACHE_ENTRY_BYTES_MAX];
	size_t length = cache_entry_write(record, entry);
	if (length == 0)
		return;
	make_key(&record->ledger_id, &record->account.id, key);
	snprintf(ttl, sizeof(ttl), "%lld", (long long)jittered_ttl_ms(cache));
	const char *const words[] = {"SET", key, entry, "PX", ttl};
	const size_t lengths[] = {3, strnlen(key, KEY_BYTES), length, 2, strnlen(ttl, sizeof(ttl))};
	struct rt_status status = rt_redis_command(cache->redis, 5, words, lengths, NULL);
	if (!rt_is_ok(&status))
		rt_series_add(cache->results[CACHE_UNUSABLE], 1);
}
