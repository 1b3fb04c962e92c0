#include "rpc/ask.h"

#include "rpc/handlers.h"

struct asked *ask_new(struct rt_call *call, enum task_kind kind, size_t room)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct asked *asked = rt_arena_alloc(arena, sizeof(*asked));
	struct operation *operations = rt_arena_array(arena, room, sizeof(*operations));

	if (asked == NULL || operations == NULL) {
		rt_call_end(call,
			    RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED", "the request does not fit"),
			    NULL);
		return NULL;
	}
	asked->call = call;
	asked->task = (struct task){
		.kind = kind,
		.arena = arena,
		.deadline_mono_us = rt_call_deadline_us(call),
		.operations = operations,
		.limit = room,
	};
	return asked;
}

static void answer(struct task *task)
{
	struct asked *asked = (struct asked *)task;

	if (rt_is_ok(&task->status))
		asked->end(asked->call, task);
	else
		rt_call_end(asked->call, task->status, NULL);
}

void ask(struct asked *asked, ask_end end)
{
	const struct simulator *simulator = rt_call_service(asked->call);
	struct rt_status status;

	asked->task.answer = answer;
	asked->end = end;
	status = teller_submit(simulator->teller, &asked->task);
	if (!rt_is_ok(&status))
		rt_call_end(asked->call, status, NULL);
}
