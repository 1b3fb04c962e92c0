/* The posting engine by itself: batches from one connection, without gRPC; what PostgreSQL allows.
 * For main.c. */
#pragma once

#include <stddef.h>

#include "load.h"
#include "world.h"

/* Posts for a time on the database of `conninfo`, with two calls of `groups` transfers in flight.
 */
void lane_run(const char *conninfo, const struct load_world *world, size_t groups,
	      int64_t duration_us, struct load_result *result);
