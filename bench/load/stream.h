/* The case "stream": PostStream with as many groups in flight as the service takes. For the load
 * generator's main.c. */
#pragma once

#include "load.h"

void stream_run(struct rt_channel *channel, const struct load_world *world, int64_t duration_us,
		struct load_result *result);
