#include "client/message.h"
#include "domain/page_token.h"
#include "rpc/ask.h"
#include "rpc/handlers.h"

#define PAGE_SIZE_USUAL 100
#define PAGE_SIZE_MAX   1000

static void end_get(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__GetOperationResponse reply;
	struct message_operation operation;

	daler__connector__v1__get_operation_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

void simulator_get_operation(struct rt_call *call)
{
	const Daler__Connector__V1__GetOperationRequest *request =
		(const Daler__Connector__V1__GetOperationRequest *)rt_call_request(call);
	struct rt_status status = reference_check(request->reference);
	struct asked *asked;

	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	asked = ask_new(call, TASK_FIND, 1);
	if (asked == NULL)
		return;
	asked->task.reference = request->reference;
	ask(asked, end_get);
}

/* Fills the reply; one operation more than the page has been asked for, to know whether there is a
 * next page. */
static struct rt_status fill_list(struct rt_arena *arena, const struct task *task,
				  Daler__Connector__V1__ListOperationsResponse *reply)
{
	size_t page_size = task->limit - 1;
	size_t count = task->count < page_size ? task->count : page_size;
	struct message_operation *operations = rt_arena_array(arena, count, sizeof(*operations));
	Daler__Connector__V1__Operation **pointers = rt_arena_array(arena, count, sizeof(void *));
	char *token = rt_arena_alloc(arena, PAGE_TOKEN_BYTES);

	if (arena->overflowed)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OVERLOADED",
			       "the page does not fit the call's memory");
	for (size_t i = 0; i < count; i++) {
		message_operation_fill(&operations[i], &task->operations[i]);
		pointers[i] = &operations[i].message;
	}
	reply->operations = pointers;
	reply->n_operations = count;
	if (task->count > page_size) {
		page_token_make(task->operations[page_size - 1].arrival, token);
		reply->next_page_token = token;
	}
	return rt_ok();
}

static void end_list(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__ListOperationsResponse reply;

	daler__connector__v1__list_operations_response__init(&reply);
	rt_call_end(call, fill_list(rt_call_arena(call), task, &reply), &reply.base);
}

static struct rt_status check_page(const Daler__Connector__V1__ListOperationsRequest *request,
				   size_t *page_size, int64_t *after)
{
	if (request->page_size < 0 || request->page_size > PAGE_SIZE_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "page_size", "must be 0 to %d", PAGE_SIZE_MAX);
	*page_size = request->page_size == 0 ? PAGE_SIZE_USUAL : (size_t)request->page_size;
	*after = 0;
	if (request->page_token[0] != '\0' && !page_token_read(request->page_token, after))
		return RT_BAD_FIELD("PAGE_TOKEN_INVALID", "page_token",
				    "is not one that was given out");
	return rt_ok();
}

void simulator_list_operations(struct rt_call *call)
{
	const Daler__Connector__V1__ListOperationsRequest *request =
		(const Daler__Connector__V1__ListOperationsRequest *)rt_call_request(call);
	size_t page_size = 0;
	int64_t after = 0;
	struct rt_status status = check_page(request, &page_size, &after);
	struct asked *asked;

	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	asked = ask_new(call, TASK_LIST, page_size + 1);
	if (asked == NULL)
		return;
	asked->task.after = after;
	ask(asked, end_list);
}
