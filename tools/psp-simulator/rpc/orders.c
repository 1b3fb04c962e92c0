#include "client/message.h"
#include "rpc/ask.h"
#include "rpc/handlers.h"

static void end_authorize(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__AuthorizeResponse reply;
	struct message_operation operation;

	daler__connector__v1__authorize_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void end_capture(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__CaptureResponse reply;
	struct message_operation operation;

	daler__connector__v1__capture_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void end_cancel(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__CancelResponse reply;
	struct message_operation operation;

	daler__connector__v1__cancel_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void end_payout(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__PayoutResponse reply;
	struct message_operation operation;

	daler__connector__v1__payout_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

static void end_refund(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__RefundResponse reply;
	struct message_operation operation;

	daler__connector__v1__refund_response__init(&reply);
	message_operation_fill(&operation, &task->operations[0]);
	reply.operation = &operation.message;
	rt_call_end(call, rt_ok(), &reply.base);
}

static struct rt_status read_behaviour(const struct simulator *simulator, const char *instrument,
				       struct task *task)
{
	task->scripted = behaviour_is_scripted(instrument);
	if (task->scripted)
		return behaviour_parse("instrument", instrument + sizeof(BEHAVIOUR_PREFIX) - 1,
				       &task->behaviour);
	task->behaviour = simulator->default_behaviour;
	return rt_ok();
}

static void order(struct rt_call *call, const struct order *wanted, ask_end end)
{
	struct asked *asked = ask_new(call, TASK_ORDER, 1);
	struct rt_status status;

	if (asked == NULL)
		return;
	asked->task.order = *wanted;
	status = order_check(wanted);
	if (rt_is_ok(&status))
		status = read_behaviour(rt_call_service(call), wanted->instrument, &asked->task);
	if (wanted->kind != OPERATION_CHARGE) {
		asked->task.behaviour.values[BEHAVIOUR_AUTHORIZE_ONLY] = 0;
		asked->task.behaviour.values[BEHAVIOUR_ACTION] = 0;
	}
	if (rt_is_ok(&status))
		ask(asked, end);
	else
		rt_call_end(call, status, NULL);
}

void simulator_authorize(struct rt_call *call)
{
	const Daler__Connector__V1__AuthorizeRequest *request =
		(const Daler__Connector__V1__AuthorizeRequest *)rt_call_request(call);
	const struct order wanted = {
		.kind = OPERATION_CHARGE,
		.reference = request->reference,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.instrument = request->instrument,
		.original = "",
	};
	order(call, &wanted, end_authorize);
}

void simulator_payout(struct rt_call *call)
{
	const Daler__Connector__V1__PayoutRequest *request =
		(const Daler__Connector__V1__PayoutRequest *)rt_call_request(call);
	const struct order wanted = {
		.kind = OPERATION_PAYOUT,
		.reference = request->reference,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.instrument = request->instrument,
		.original = "",
	};
	order(call, &wanted, end_payout);
}

void simulator_refund(struct rt_call *call)
{
	const Daler__Connector__V1__RefundRequest *request =
		(const Daler__Connector__V1__RefundRequest *)rt_call_request(call);
	const struct order wanted = {
		.kind = OPERATION_REFUND,
		.reference = request->reference,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.instrument = request->instrument,
		.original = request->original_reference,
	};
	order(call, &wanted, end_refund);
}

/* What is done to an authorization. */
static void follow(struct rt_call *call, enum task_kind kind, const char *reference, ask_end end)
{
	struct rt_status status = reference_check(reference);

	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	struct asked *asked = ask_new(call, kind, 1);

	if (asked == NULL)
		return;
	asked->task.reference = reference;
	ask(asked, end);
}

void simulator_capture(struct rt_call *call)
{
	const Daler__Connector__V1__CaptureRequest *request =
		(const Daler__Connector__V1__CaptureRequest *)rt_call_request(call);

	follow(call, TASK_CAPTURE, request->reference, end_capture);
}

void simulator_cancel(struct rt_call *call)
{
	const Daler__Connector__V1__CancelRequest *request =
		(const Daler__Connector__V1__CancelRequest *)rt_call_request(call);

	follow(call, TASK_CANCEL, request->reference, end_cancel);
}

void simulator_get_capabilities(struct rt_call *call)
{
	static Daler__Connector__V1__OperationKind kinds[] = {
		DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_CHARGE,
		DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_PAYOUT,
		DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_REFUND,
	};
	Daler__Connector__V1__GetCapabilitiesResponse reply;

	daler__connector__v1__get_capabilities_response__init(&reply);
	reply.name = message_text("daler-psp-simulator " DALER_VERSION);
	reply.n_operations = sizeof(kinds) / sizeof(kinds[0]);
	reply.operations = kinds;
	reply.requires_action = true;
	reply.partial_refunds = true;
	rt_call_end(call, rt_ok(), &reply.base);
}
