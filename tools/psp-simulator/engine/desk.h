/* Carries out one task in the open transaction of the books. For the teller. */
#pragma once

#include <stdint.h>

#include "engine/task.h"
#include "store/books.h"

struct desk_config {
	int64_t fail_percent;      /* of orders that are not scripted */
	int64_t no_answer_percent; /* likewise */
	bool notifies;             /* whether there is somebody to notify */
};

/* Sets the task's status, its result, and when it is to be answered. Returns an error only when the
 * books failed, and with them the whole transaction; what the caller did wrong is in the task's
 * status. */
struct rt_status desk_serve(const struct desk_config *config, struct books *books,
			    struct task *task);
