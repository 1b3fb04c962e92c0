/* Numbers and times as PostgreSQL sends them, for runtime/data alone. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01 UTC; its infinities are the ends of the range. */
#define PG_EPOCH_US    INT64_C(946684800000000)

/* A block's number and a place in it. */
#define PG_PLACE_BYTES 6

static inline void pg_put_u32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void pg_put_u64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

static inline uint16_t pg_get_u16(const void *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static inline uint32_t pg_get_u32(const void *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static inline uint64_t pg_get_u64(const void *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

/* INT64_MAX and INT64_MIN stand for the infinities on both sides; what lies beyond PostgreSQL's
 * range becomes one. */
static inline int64_t pg_time_from_wall(int64_t wall_us)
{
	int64_t time_us;
	if (wall_us == INT64_MAX)
		return INT64_MAX;
	return __builtin_sub_overflow(wall_us, PG_EPOCH_US, &time_us) ? INT64_MIN : time_us;
}

static inline int64_t pg_time_to_wall(int64_t time_us)
{
	int64_t wall_us;
	if (time_us == INT64_MIN)
		return INT64_MIN;
	return __builtin_add_overflow(time_us, PG_EPOCH_US, &wall_us) ? INT64_MAX : wall_us;
}
