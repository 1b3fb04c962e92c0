/* What of the PostgreSQL layer depends on its arguments alone, for runtime/data and its tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/status.h"

/* The status of a SQLSTATE alone; `state` has five characters. */
struct rt_status pg_state_status(const char *state, const char *statement);
/* After this error the connection should be made anew: stale plans, a demoted server. */
bool pg_state_breaks(const char *state);
/* Whether a statement by itself changes the database. */
bool pg_sql_writes(const char *sql);
/* The statement timeout for a deadline, coarsely, so that it seldom has to be told: at most an
 * eighth earlier, never later. Units: milliseconds; 0 is none. */
int64_t pg_timeout_ms(int64_t deadline_mono_us, int64_t now_mono_us);
