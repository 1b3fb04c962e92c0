/* CreatePayment: hands the request to the executor and ends the call when that answers; no thread
 * waits. */
#include <string.h>

#include "rpc/map.h"
#include "rpc/service.h"

static void on_created(struct payment_creation *creation, struct rt_status status)
{
	Daler__Payments__V1__CreatePaymentResponse reply;
	daler__payments__v1__create_payment_response__init(&reply);
	struct rt_call *call = creation->context;

	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	reply.payment = map_payment(&creation->request, &creation->standing, rt_call_arena(call));
	reply.replayed = creation->replayed;
	if (!map_required_action(reply.payment, creation->action_url, creation->action_data,
				 rt_call_arena(call)) ||
	    !map_refusal(reply.payment, &creation->standing, &creation->limit,
			 rt_call_arena(call))) {
		rt_call_end(call,
			    RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large"),
			    NULL);
		return;
	}
	rt_call_end(call, rt_ok(), &reply.base);
}

void payments_create_payment(struct rt_call *call)
{
	const Daler__Payments__V1__CreatePaymentRequest *request =
		(const void *)rt_call_request(call);
	struct payments_service *service = rt_call_service(call);
	struct payment_creation *creation = rt_arena_alloc(rt_call_arena(call), sizeof(*creation));
	const struct rt_caller *caller = rt_call_caller(call);
	struct payment_draft draft = map_draft(request);

	if (creation == NULL) {
		rt_call_end(
			call,
			RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the request is too large"),
			NULL);
		return;
	}
	struct rt_status status = payment_request_check(&draft, &creation->request);

	if (rt_is_ok(&status) && caller->role == RT_ROLE_PLAYER &&
	    !payment_kind_for_players(creation->request.kind))
		status = RT_FAIL(PERMISSION_DENIED, "KIND_DENIED",
				 "players may not ask for this kind of payment");
	if (!rt_is_ok(&status)) {
		rt_call_end(call, status, NULL);
		return;
	}
	map_caller(caller, creation->caller);
	creation->own_accounts_only = caller->role == RT_ROLE_PLAYER;
	creation->trace = *rt_call_trace(call);
	creation->deadline_mono_us = rt_call_deadline_us(call);
	creation->done = on_created;
	creation->context = call;
	executor_create(service->executor, creation);
}
