#include "store/throttle_store.h"

#include "auth.sql.h"

static const struct rt_pg_statement bucket_read = {"bucket_read", auth_bucket_read};
static const struct rt_pg_statement bucket_put = {"bucket_put", auth_bucket_put};
static const struct rt_pg_statement bucket_sweep = {"bucket_sweep", auth_bucket_sweep};
static const struct rt_pg_statement bucket_fill = {"bucket_fill", auth_bucket_fill};

static void params_of(struct rt_pg_params *params, const struct bucket_key *key,
		      struct rt_arena *arena)
{
	rt_pg_params_init(params, arena);
	rt_pg_add_bytes(params, key->bytes, sizeof(key->bytes));
}

struct rt_status throttle_store_read(struct rt_pg *pg, const struct bucket_key *key,
				     int64_t deadline_mono_us, struct rt_arena *arena,
				     struct bucket *bucket)
{
	CLEANUP(rt_pg_rows_deinit) struct rt_pg_rows rows = {0};
	struct rt_pg_params params;

	params_of(&params, key, arena);
	RT_TRY(rt_pg_run(pg, &bucket_read, &params, deadline_mono_us, &rows));
	*bucket = (struct bucket){
		.on_record = !rt_pg_is_null(&rows, 0, 0),
		.now_wall_us = rt_pg_time_us(&rows, 0, 1),
	};
	if (bucket->on_record)
		bucket->full_wall_us = rt_pg_time_us(&rows, 0, 0);
	return rt_ok();
}

static void two_rows_deinit(struct rt_pg_rows (*rows)[2])
{
	rt_pg_rows_deinit(&(*rows)[0]);
	rt_pg_rows_deinit(&(*rows)[1]);
}

struct rt_status throttle_store_put(struct rt_pg *pg, const struct bucket_key *key,
				    const struct bucket *read, int64_t full_wall_us,
				    int64_t deadline_mono_us, struct rt_arena *arena, bool *put)
{
	CLEANUP(two_rows_deinit) struct rt_pg_rows rows[2] = {0};
	struct rt_pg_params params, sweep;

	params_of(&params, key, arena);
	rt_pg_add_time(&params, full_wall_us);
	if (read->on_record)
		rt_pg_add_time(&params, read->full_wall_us);
	else
		rt_pg_add_null(&params, RT_PG_TIMESTAMPTZ);
	rt_pg_params_init(&sweep, arena);
	rt_pg_add_time(&sweep, read->now_wall_us);
	RT_TRY(rt_pg_send_begin(pg, deadline_mono_us));
	RT_TRY(rt_pg_send(pg, &bucket_put, &params));
	RT_TRY(rt_pg_send(pg, &bucket_sweep, &sweep));
	RT_TRY(rt_pg_send_commit(pg));
	RT_TRY(rt_pg_receive(pg, rows, 2));
	*put = rt_pg_affected(&rows[0]) == 1;
	return rt_ok();
}

struct rt_status throttle_store_fill(struct rt_pg *pg, const struct bucket_key *key,
				     int64_t deadline_mono_us, struct rt_arena *arena)
{
	struct rt_pg_params params;

	params_of(&params, key, arena);
	return rt_pg_run(pg, &bucket_fill, &params, deadline_mono_us, NULL);
}
