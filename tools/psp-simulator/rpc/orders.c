#include <string.h>

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
	const struct simulator *simulator = rt_call_service(call);

	status = order_check(wanted);
	if (rt_is_ok(&status))
		status = capability_check(&simulator->capability, wanted);
	if (rt_is_ok(&status))
		status = read_behaviour(simulator, wanted->instrument, &asked->task);
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
	const struct simulator *simulator = rt_call_service(call);
	const struct capability *capability = &simulator->capability;
	Daler__Connector__V1__OperationKind kinds[OPERATION_REFUND + 1];
	char codes[CAPABILITY_CURRENCIES_MAX][4];
	char *currencies[CAPABILITY_CURRENCIES_MAX];
	Daler__Connector__V1__GetCapabilitiesResponse reply;

	daler__connector__v1__get_capabilities_response__init(&reply);
	reply.name = message_text("daler-psp-simulator " DALER_VERSION);
	for (int kind = OPERATION_CHARGE; kind <= OPERATION_REFUND; kind++) {
		if (capability->operations[kind])
			kinds[reply.n_operations++] = (Daler__Connector__V1__OperationKind)kind;
	}
	reply.operations = kinds;
	for (size_t i = 0; i < capability->currency_count; i++) {
		memcpy(codes[i], capability->currencies[i], sizeof(codes[i]));
		currencies[i] = codes[i];
	}
	reply.n_currencies = capability->currency_count;
	reply.currencies = currencies;
	reply.requires_action = true;
	reply.partial_refunds = capability->partial_refunds;
	rt_call_end(call, rt_ok(), &reply.base);
}
