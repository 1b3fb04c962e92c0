#include "store/audit_store.h"

#include "auth.sql.h"

#define PG_BYTEA 17

static const struct rt_pg_statement insert = {"audit_insert", auth_audit_insert};

struct rt_status audit_store_insert(struct rt_pg *pg, const struct audit_event *event,
				    int64_t deadline_mono_us, struct rt_arena *arena)
{
	const struct rt_uuid id = rt_uuid_v7();
	struct rt_pg_params params;

	rt_pg_params_init(&params, arena);
	rt_pg_add_uuid(&params, &id);
	rt_pg_add_time(&params, event->wall_us);
	rt_pg_add_text(&params, event->action);
	rt_pg_add_text(&params, event->outcome);
	rt_pg_add_text(&params, event->reason);
	rt_pg_add_text(&params, event->actor_identity);
	rt_pg_add_uuid(&params, event->actor_user_id);
	rt_pg_add_uuid(&params, event->subject_user_id);
	if (event->trace != NULL)
		rt_pg_add_bytes(&params, event->trace->trace_id, sizeof(event->trace->trace_id));
	else
		rt_pg_add_null(&params, PG_BYTEA);
	return rt_pg_run(pg, &insert, &params, deadline_mono_us, NULL);
}
