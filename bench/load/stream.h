/* The cases "stream" and "stream-single": PostStream with as many groups in flight as the service
 * takes, some or one in a message. For the load generator's main.c. */
#pragma once

#include "load.h"

void stream_run(struct rt_channel *channel, const struct load_world *world, size_t message_groups,
		int64_t duration_us, struct load_result *result);
