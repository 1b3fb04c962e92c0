/* The audit trail: who did what to whom, append-only, ids without personal data. For auth's engine.
 */
#pragma once

#include <stdint.h>

#include "rt/arena.h"
#include "rt/id.h"
#include "rt/pg.h"
#include "rt/status.h"
#include "rt/trace.h"

/* One entry. Every text comes from a table of the code: none from a caller. */
struct audit_event {
	const char *action;         /* "create_user", "log_in" */
	const char *outcome;        /* "ok", "refused" */
	const char *reason;         /* why; "" when there is nothing to say */
	const char *actor_identity; /* of the certificate; "console" for a command on the server */
	const struct rt_uuid *actor_user_id;   /* of the token; NULL: none */
	const struct rt_uuid *subject_user_id; /* NULL: there is no such user */
	const struct rt_trace *trace;          /* NULL: none */
	int64_t wall_us;
};

/* Writes one entry, in the open transaction if there is one. */
struct rt_status audit_store_insert(struct rt_pg *pg, const struct audit_event *event,
				    int64_t deadline_mono_us, struct rt_arena *arena);
