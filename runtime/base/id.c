#include "rt/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/digest.h"
#include "rt/secret.h"

/* Each thread draws from the system by the pool, and wipes what it hands out. */
#define POOL_BYTES 512

struct pool {
	uint8_t bytes[POOL_BYTES];
	size_t left_bytes; /* at the end of `bytes` */
	unsigned generation;
};

static _Thread_local struct pool pool;

/* A child of fork has its parent's pools and last id: what it has inherited must not be used in
 * both. */
static atomic_uint fork_generation;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
	atomic_fetch_add_explicit(&fork_generation, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
	int failed = pthread_atfork(NULL, NULL, count_fork);
	RT_ASSERT(failed == 0);
}

static void read_system_random(uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t got = getrandom(bytes, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		RT_ASSERT(got > 0);
		bytes += got;
		length -= (size_t)got;
	}
}

static void refill(struct pool *mine, unsigned generation)
{
	pthread_once(&fork_once, watch_forks);
	read_system_random(mine->bytes, sizeof(mine->bytes));
	mine->left_bytes = sizeof(mine->bytes);
	mine->generation = generation;
}

void rt_random_bytes(void *bytes, size_t length)
{
	if (length > POOL_BYTES / 4) {
		read_system_random(bytes, length);
		return;
	}
	unsigned generation = atomic_load_explicit(&fork_generation, memory_order_relaxed);
	if (pool.left_bytes < length || pool.generation != generation)
		refill(&pool, generation);
	uint8_t *from = pool.bytes + sizeof(pool.bytes) - pool.left_bytes;
	memcpy(bytes, from, length);
	rt_wipe(from, length);
	pool.left_bytes -= length;
}

uint64_t rt_random_below(uint64_t bound)
{
	RT_ASSERT(bound > 0);
	/* Numbers below 2^64 mod bound would make the small results likelier: drawn again. */
	uint64_t uneven = -bound % bound;
	for (;;) {
		uint64_t number;
		rt_random_bytes(&number, sizeof(number));
		if (number >= uneven)
			return number % bound;
	}
}

#define COUNTER_BITS      20
#define COUNTER_SEED_MASK UINT64_C(0x7ffff)

/* Milliseconds and a counter in one number that only rises. A new millisecond begins its counter at
 * a random place in the lower half; a full counter, or a clock that was set back, borrows from the
 * milliseconds to come. Source: RFC 9562, 6.2, method 1. */
static uint64_t next_tick(uint64_t seed)
{
	static _Atomic uint64_t last;
	uint64_t now = ((uint64_t)(rt_clock_wall_us() / RT_US_PER_MS) << COUNTER_BITS) |
		       (seed & COUNTER_SEED_MASK);
	uint64_t before = atomic_load_explicit(&last, memory_order_relaxed);
	uint64_t next;
	do {
		next = (now >> COUNTER_BITS) > (before >> COUNTER_BITS) ? now : before + 1;
	} while (!atomic_compare_exchange_weak_explicit(&last, &before, next, memory_order_relaxed,
							memory_order_relaxed));
	return next;
}

static void set_version(struct rt_uuid *uuid, unsigned version)
{
	uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0fU) | (version << 4));
	uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3fU) | 0x80U);
}

struct rt_uuid rt_uuid_v7(void)
{
	uint64_t random[2];
	rt_random_bytes(random, sizeof(random));
	uint64_t tick = next_tick(random[0]);
	uint64_t now_ms = tick >> COUNTER_BITS;
	struct rt_uuid uuid;
	memcpy(uuid.bytes + 8, &random[1], 8);
	for (int i = 0; i < 6; i++)
		uuid.bytes[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	/* The counter: 12 bits beside the version, 6 beside the variant, 2 in the byte after it. */
	uuid.bytes[6] = (uint8_t)((tick >> 16) & 0x0fU);
	uuid.bytes[7] = (uint8_t)(tick >> 8);
	uuid.bytes[8] = (uint8_t)((tick >> 2) & 0x3fU);
	uuid.bytes[9] = (uint8_t)((uuid.bytes[9] & 0x3fU) | ((tick & 3U) << 6));
	set_version(&uuid, 7);
	return uuid;
}

struct rt_uuid rt_uuid_derive(const struct rt_uuid *space, const char *name)
{
	struct rt_digest digest;
	uint8_t hash[RT_DIGEST_BYTES];
	rt_digest_init(&digest);
	rt_digest_bytes(&digest, space->bytes, sizeof(space->bytes));
	rt_digest_text(&digest, name);
	rt_digest_finish(&digest, hash);
	struct rt_uuid uuid;
	memcpy(uuid.bytes, space->bytes, 6);
	memcpy(uuid.bytes + 6, hash, 10);
	set_version(&uuid, 8);
	return uuid;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool is_dash_place(size_t place)
{
	return place == 8 || place == 13 || place == 18 || place == 23;
}

bool rt_uuid_parse(const char *text, struct rt_uuid *uuid)
{
	if (text == NULL || strnlen(text, RT_UUID_TEXT_BYTES) != RT_UUID_TEXT_BYTES - 1)
		return false;
	struct rt_uuid parsed;
	size_t byte = 0;
	for (size_t i = 0; i < RT_UUID_TEXT_BYTES - 1;) {
		if (is_dash_place(i)) {
			if (text[i++] != '-')
				return false;
			continue;
		}
		int high = hex_value(text[i]);
		int low = hex_value(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		parsed.bytes[byte++] = (uint8_t)(high * 16 + low);
		i += 2;
	}
	*uuid = parsed;
	return true;
}

struct rt_status rt_uuid_field(const char *field, const char *text, struct rt_uuid *uuid)
{
	struct rt_uuid parsed;
	if (!rt_uuid_parse(text, &parsed))
		return RT_BAD_FIELD("INVALID_UUID", field, "must be a UUID of 36 characters");
	if (rt_uuid_is_nil(&parsed))
		return RT_BAD_FIELD("INVALID_UUID", field, "must not be the nil UUID");
	*uuid = parsed;
	return rt_ok();
}

void rt_uuid_format(const struct rt_uuid *uuid, char text[RT_UUID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;
	for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
		if (is_dash_place(at))
			text[at++] = '-';
		text[at++] = digits[uuid->bytes[i] >> 4];
		text[at++] = digits[uuid->bytes[i] & 0x0fU];
	}
	text[at] = '\0';
}

int rt_uuid_compare(const struct rt_uuid *a, const struct rt_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool rt_uuid_equal(const struct rt_uuid *a, const struct rt_uuid *b)
{
	return rt_uuid_compare(a, b) == 0;
}

bool rt_uuid_is_nil(const struct rt_uuid *uuid)
{
	static const struct rt_uuid nil;
	return rt_uuid_equal(uuid, &nil);
}
