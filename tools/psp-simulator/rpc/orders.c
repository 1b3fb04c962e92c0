#include "client/message.h"
#include "rpc/ask.h"
#include "rpc/handlers.h"

static void end_charge(struct rt_call *call, const struct task *task)
{
	Daler__Connector__V1__ChargeResponse reply;
	struct message_operation operation;

	daler__connector__v1__charge_response__init(&reply);
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
	if (rt_is_ok(&status))
		ask(asked, end);
	else
		rt_call_end(call, status, NULL);
}

void simulator_charge(struct rt_call *call)
{
	const Daler__Connector__V1__ChargeRequest *request =
		(const Daler__Connector__V1__ChargeRequest *)rt_call_request(call);
	const struct order wanted = {
		.kind = OPERATION_CHARGE,
		.reference = request->reference,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.instrument = request->instrument,
	};
	order(call, &wanted, end_charge);
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
	};
	order(call, &wanted, end_payout);
}
