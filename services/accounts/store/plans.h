/* Keeping cached plans true. For the service's engine/ and rpc/.
 *
 * A prepared statement keeps the plan that was made for the tables as they were then; made for
 * tables that were nearly empty, it reads all of them for one row, and goes on so until the next
 * ANALYZE. So a connection has its plans made anew when what it has written doubles, and from time
 * to time because others write too. Planning anew looks at the tables' real size. */
#pragma once

#include <stdint.h>

#include "rt/pg.h"
#include "rt/status.h"

/* Of one connection; zero-initialised is new. Thread: one at a time. */
struct plans {
	int64_t rows_at_last; /* that the connection had written when its plans were last made anew
			       */
	int64_t rows;
	int64_t last_mono_us;
};

/* Before a transaction: has the plans made anew when it is time to. */
struct rt_status plans_refresh(struct plans *plans, struct rt_pg *pg, int64_t now_mono_us,
			       int64_t deadline_us);
/* After one: how many rows it added. */
void plans_add_rows(struct plans *plans, int64_t rows);
