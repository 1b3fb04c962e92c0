/* From a handler to the teller and back. For rpc. */
#pragma once

#include "engine/task.h"
#include "rt/rpc_server.h"

/* Ends the call with what the task found; called with a status that is OK. */
typedef void (*ask_end)(struct rt_call *call, const struct task *task);

/* A task with the call that it answers. */
struct asked {
	struct task task; /* first */
	struct rt_call *call;
	ask_end end;
};

/* Makes a task in the call's arena, with room for so many operations; NULL when it does not fit,
 * and the call has ended. */
struct asked *ask_new(struct rt_call *call, enum task_kind kind, size_t room);
/* Queues it; `end` is called unless it fails, when the call ends with the status. */
void ask(struct asked *asked, ask_end end);
