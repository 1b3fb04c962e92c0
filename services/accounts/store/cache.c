#include "store/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "rt/metrics.h"
#include "store/cache_entry.h"
#include "store/cache_script.h"

#define TICKET_MS 5000
#define SHUT_MS   10000
/* Redis and we count time by different clocks. */
#define SLACK_MS  1000

struct cache {
	struct rt_redis *redis;
	int64_t ttl_ms;
	struct rt_series *hits, *misses, *errors;
};

struct cache *cache_new(const struct cache_config *config)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	RT_ASSERT(cache != NULL);
	cache->redis = rt_redis_new(&config->redis);
	cache->ttl_ms = config->ttl_ms;
	cache->hits = RT_SERIES(CACHE, "hit");
	cache->misses = RT_SERIES(CACHE, "miss");
	cache->errors = RT_SERIES(CACHE, "error");
	return cache;
}

void cache_destroy(struct cache *cache)
{
	if (cache == NULL)
		return;
	rt_redis_destroy(cache->redis);
	free(cache);
}

int64_t cache_stale_us(const struct cache_config *config)
{
	return (config->ttl_ms + config->ttl_ms / 10 + TICKET_MS + SLACK_MS) * RT_US_PER_MS;
}

#define KEY_BYTES 80

static void make_key(const struct rt_uuid *ledger_id, const struct rt_uuid *account_id,
		     char key[KEY_BYTES])
{
	char ledger[RT_UUID_TEXT_BYTES], account[RT_UUID_TEXT_BYTES];
	rt_uuid_format(ledger_id, ledger);
	rt_uuid_format(account_id, account);
	snprintf(key, KEY_BYTES, "%s:%s", ledger, account);
}

static void format_ms(int64_t duration_ms, char text[24])
{
	snprintf(text, 24, "%lld", (long long)duration_ms);
}

static void make_token(char token[33])
{
	uint8_t bytes[16];
	rt_random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

/* What stands after the version and its colon. */
static bool take_entry(const struct rt_redis_reply *reply, const struct rt_uuid *ledger_id,
		       const struct rt_uuid *account_id, struct rt_arena *arena,
		       struct account_record *record)
{
	const char *colon = memchr(reply->text, ':', reply->length);
	if (colon == NULL)
		return false;
	size_t before = (size_t)(colon + 1 - reply->text);
	return cache_entry_read(colon + 1, reply->length - before, ledger_id, account_id, arena,
				record);
}

static void take_ticket(const struct rt_redis_reply *reply, struct cache_ticket *ticket)
{
	if (reply->text[0] == 'T' && reply->length < sizeof(ticket->text))
		memcpy(ticket->text, reply->text + 1, reply->length); /* with its NUL */
}

bool cache_find(struct cache *cache, const struct rt_uuid *ledger_id,
		const struct rt_uuid *account_id, struct rt_arena *arena,
		struct account_record *record, struct cache_ticket *ticket)
{
	CLEANUP(rt_redis_reply_deinit) struct rt_redis_reply reply = {0};
	char key[KEY_BYTES], token[33], life[24];
	*ticket = (struct cache_ticket){0};
	make_key(ledger_id, account_id, key);
	make_token(token);
	format_ms(TICKET_MS, life);
	struct rt_status status =
		RT_REDIS(cache->redis, &reply, "EVAL", CACHE_SCRIPT_FIND, "1", key, token, life);
	if (!rt_is_ok(&status) || reply.kind != RT_REDIS_TEXT || reply.length == 0) {
		rt_series_add(cache->errors, 1);
		return false;
	}
	if (reply.text[0] != 'E') {
		rt_series_add(reply.text[0] == 'R' ? cache->errors : cache->misses, 1);
		take_ticket(&reply, ticket);
		return false;
	}
	bool found = take_entry(&reply, ledger_id, account_id, arena, record);
	rt_series_add(found ? cache->hits : cache->errors, 1);
	return found;
}

/* Between eight and ten tenths. */
static int64_t jittered_ttl_ms(const struct cache *cache)
{
	int64_t least_ms = cache->ttl_ms - cache->ttl_ms / 5;
	return least_ms + (int64_t)rt_random_below((uint64_t)(cache->ttl_ms / 5) + 1);
}

void cache_fill(struct cache *cache, const struct cache_ticket *ticket,
		const struct account_record *record)
{
	char key[KEY_BYTES], version[24], life[24], entry[CACHE_ENTRY_BYTES_MAX];
	size_t length = cache_entry_write(record, entry);
	if (ticket->text[0] == '\0' || length == 0)
		return;
	make_key(&record->ledger_id, &record->account.id, key);
	snprintf(version, sizeof(version), "%lld", (long long)record->version);
	format_ms(jittered_ttl_ms(cache), life);
	const char *const words[] = {"EVAL",       CACHE_SCRIPT_FILL, "1",   key,
				     ticket->text, version,           entry, life};
	const size_t lengths[] = {4,
				  sizeof(CACHE_SCRIPT_FILL) - 1,
				  1,
				  strnlen(key, KEY_BYTES),
				  strnlen(ticket->text, CACHE_TICKET_BYTES),
				  strnlen(version, sizeof(version)),
				  length,
				  strnlen(life, sizeof(life))};
	struct rt_status status = rt_redis_command(cache->redis, 8, words, lengths, NULL);
	if (!rt_is_ok(&status))
		rt_series_add(cache->errors, 1);
}

void cache_shut(struct cache *cache, const struct rt_uuid *ledger_id,
		const struct rt_uuid *account_id)
{
	char key[KEY_BYTES], life[24];
	make_key(ledger_id, account_id, key);
	format_ms(SHUT_MS, life);
	struct rt_status status =
		RT_REDIS(cache->redis, NULL, "EVAL", CACHE_SCRIPT_SHUT, "1", key, life);
	if (!rt_is_ok(&status))
		rt_series_add(cache->errors, 1);
}

struct rt_status cache_drop(struct cache *cache, const struct rt_uuid *ledger_id,
			    const struct rt_uuid *account_id)
{
	CLEANUP(rt_redis_reply_deinit) struct rt_redis_reply reply = {0};
	char key[KEY_BYTES];
	make_key(ledger_id, account_id, key);
	struct rt_status status =
		RT_REDIS(cache->redis, &reply, "EVAL", CACHE_SCRIPT_DROP, "1", key);
	if (rt_is_ok(&status) && reply.kind == RT_REDIS_TEXT && reply.length == 1 &&
	    reply.text[0] == 'D')
		return rt_ok();
	rt_series_add(cache->errors, 1);
	return RT_FAIL(UNAVAILABLE, "REDIS_UNAVAILABLE",
		       "the cache could not be told of the change");
}
