/* The buckets of attempts at passwords, shared by all replicas. A bucket that is not on record is
 * full. For auth's engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/arena.h"
#include "rt/digest.h"
#include "rt/pg.h"
#include "rt/status.h"

struct bucket_key {
	uint8_t bytes[RT_DIGEST_BYTES];
};

struct bucket {
	bool on_record;
	int64_t full_wall_us; /* 0 when not on record */
	int64_t now_wall_us;  /* the database's time: all replicas go by one clock */
};

struct rt_status throttle_store_read(struct rt_pg *pg, const struct bucket_key *key,
				     int64_t deadline_mono_us, struct rt_arena *arena,
				     struct bucket *bucket);
/* Puts `full_wall_us` on record where still stands what was `read`, in one step; else *put is
 * false. A few of those that have become full go, more than one is added, so that the table holds
 * no more than what has been tried lately. */
struct rt_status throttle_store_put(struct rt_pg *pg, const struct bucket_key *key,
				    const struct bucket *read, int64_t full_wall_us,
				    int64_t deadline_mono_us, struct rt_arena *arena, bool *put);
/* Fills the bucket. */
struct rt_status throttle_store_fill(struct rt_pg *pg, const struct bucket_key *key,
				     int64_t deadline_mono_us, struct rt_arena *arena);
