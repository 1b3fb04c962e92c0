/* OperationsService: what is stuck, retries, resolutions, and the record of them. */
#include <stdio.h>
#include <string.h>

#include "daler/payments/v1/operations.pb-c.h"
#include "domain/page.h"
#include "domain/resolution.h"
#include "rpc/map.h"
#include "rpc/service.h"
#include "rt/clock.h"
#include "rt/text.h"
#include "store/operations_store.h"

#define STUCK_SECONDS_USUAL 60
#define STUCK_SECONDS_MAX   31622400 /* 366 days */
#define REASON_MAX          256
#define REFERENCE_MAX       128
#define EVIDENCE_BYTES      513

static struct rt_status out_of_arena(void)
{
	return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
}

static Daler__Payments__V1__StuckPayment *map_stuck(const struct stuck_payment *payment,
						    struct rt_arena *arena)
{
	Daler__Payments__V1__StuckPayment *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__stuck_payment__init(message);
	message->payment = map_record(&payment->record, arena);
	message->since_time = map_time(payment->record.standing.update_time_us, arena);
	if (!rt_uuid_is_nil(&payment->worker_id))
		message->worker_id = map_uuid(&payment->worker_id, arena);
	message->attempts = payment->attempts;
	message->last_error = map_lent(payment->last_error);
	if (payment->attempts > 0) {
		message->last_try_time = map_time(payment->try_us, arena);
		message->next_try_time = map_time(payment->next_us, arena);
	}
	return message;
}

/* The seconds count towards the list as of each page's own moment. */
static struct rt_status read_stuck(const Daler__Payments__V1__ListStuckPaymentsRequest *request,
				   struct stuck_filter *filter, struct rt_page_seal *seal)
{
	int64_t seconds = request->seconds_min == 0 ? STUCK_SECONDS_USUAL : request->seconds_min;
	struct page_place place = {0};
	size_t size = 0;

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &filter->ledger_id));
	if (seconds < 0 || seconds > STUCK_SECONDS_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "seconds_min", "must be 0 to %d",
				    STUCK_SECONDS_MAX);
	RT_TRY(rt_page_size_check(request->page_size, &size));
	struct rt_digest digest = page_seal_begin("ListStuckPayments");

	rt_digest_bytes(&digest, filter->ledger_id.bytes, sizeof(filter->ledger_id.bytes));
	rt_digest_int(&digest, seconds);
	*seal = rt_page_seal_end(&digest);
	if (request->page_token[0] != '\0')
		RT_TRY(page_token_read(seal, "page_token", request->page_token, &place));
	filter->after = place.id;
	filter->before_us = rt_clock_wall_us() - seconds * RT_US_PER_S;
	filter->limit = (int64_t)size;
	return rt_ok();
}

static struct rt_status list_stuck(struct rt_call *call,
				   Daler__Payments__V1__ListStuckPaymentsResponse *reply)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct stuck_filter filter = {0};
	struct stuck_payment *payments = NULL;
	struct rt_page_seal seal;
	size_t count = 0;

	RT_TRY(read_stuck((const void *)rt_call_request(call), &filter, &seal));
	size_t page = (size_t)filter.limit++;

	RT_TRY(operations_store_stuck(rt_call_worker(call), &filter, arena,
				      rt_call_deadline_us(call), &payments, &count));
	reply->n_payments = count > page ? page : count;
	reply->payments = rt_arena_array(arena, reply->n_payments,
					 sizeof(struct Daler__Payments__V1__StuckPayment *));
	for (size_t i = 0; reply->payments != NULL && i < reply->n_payments; i++)
		reply->payments[i] = map_stuck(&payments[i], arena);
	if (count > page) {
		struct page_place place = {.id = payments[page - 1].record.standing.payment_id};

		reply->next_page_token = rt_arena_alloc(arena, PAGE_TOKEN_BYTES);
		if (reply->next_page_token != NULL)
			page_token_make(&seal, &place, reply->next_page_token);
	}
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_list_stuck_payments(struct rt_call *call)
{
	Daler__Payments__V1__ListStuckPaymentsResponse reply;
	daler__payments__v1__list_stuck_payments_response__init(&reply);
	struct rt_status status = list_stuck(call, &reply);

	rt_call_end(call, status, &reply.base);
}

/* What an operator's action needs to know. */
struct acting {
	struct rt_call *call;
	struct payment_record *record;
	struct payment_origin origin;
	struct operator_action action;
	char actor[MAP_OPERATOR_BYTES];
};

static struct rt_status acting_init(struct acting *acting, struct rt_call *call,
				    const char *payment_id)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct rt_uuid id;

	acting->call = call;
	acting->record = rt_arena_alloc(arena, sizeof(*acting->record));
	if (acting->record == NULL)
		return out_of_arena();
	RT_TRY(rt_uuid_field("payment_id", payment_id, &id));
	RT_TRY(payment_store_get(rt_call_worker(call), &id, arena, rt_call_deadline_us(call),
				 acting->record));
	RT_TRY(operations_store_origin(rt_call_worker(call), acting->record, arena,
				       rt_call_deadline_us(call), &acting->origin));
	map_operator(rt_call_caller(call), acting->actor);
	acting->action = (struct operator_action){.ledger_id = acting->record->request.ledger_id,
						  .action_id = rt_uuid_v7(),
						  .payment_id = id,
						  .actor = acting->actor,
						  .reason = "",
						  .reference = "",
						  .from_state = acting->origin.state,
						  .create_us = rt_clock_wall_us()};
	return rt_ok();
}

/* Writes the action, and the change that was decided, if any. */
static struct rt_status act(struct acting *acting, const struct saga_decision *decision,
			    const char *evidence)
{
	struct rt_arena *arena = rt_call_arena(acting->call);
	struct payment_standing *standing = &acting->record->standing;
	struct operator_change change = {.origin = acting->origin, .evidence = evidence};

	if (decision == NULL)
		return operations_store_act(rt_call_worker(acting->call), &acting->action, NULL,
					    arena, rt_call_deadline_us(acting->call));
	change.state = decision->changes[0].state;
	change.reason = decision->changes[0].reason;
	acting->action.version = acting->origin.version + 1;
	RT_TRY(operations_store_act(rt_call_worker(acting->call), &acting->action, &change, arena,
				    rt_call_deadline_us(acting->call)));
	standing->state = change.state;
	standing->version = acting->action.version;
	standing->update_time_us = acting->action.create_us;
	payment_reason_copy(standing->reason, change.reason, "");
	return rt_ok();
}

static struct rt_status retry(struct rt_call *call,
			      Daler__Payments__V1__RetryPaymentResponse *reply)
{
	const Daler__Payments__V1__RetryPaymentRequest *request =
		(const void *)rt_call_request(call);
	struct acting acting = {0};

	RT_TRY(rt_text_field("reason", request->reason, 0, REASON_MAX));
	RT_TRY(acting_init(&acting, call, request->payment_id));
	acting.action.kind = OPERATOR_RETRY;
	acting.action.reason = request->reason;
	struct saga_decision again = resolution_ask_again(saga_plan_of(acting.origin.kind),
							  acting.origin.state, acting.origin.from);

	if (!again.legal && !payment_state_open(acting.origin.state))
		return RT_FAIL(FAILED_PRECONDITION, "PAYMENT_NOT_OPEN",
			       "nothing is being tried for this payment");
	RT_TRY(act(&acting, again.legal ? &again : NULL, request->reason));
	reply->payment = map_record(acting.record, rt_call_arena(call));
	return reply->payment == NULL ? out_of_arena() : rt_ok();
}

void payments_retry_payment(struct rt_call *call)
{
	Daler__Payments__V1__RetryPaymentResponse reply;
	daler__payments__v1__retry_payment_response__init(&reply);
	struct rt_status status = retry(call, &reply);

	rt_call_end(call, status, &reply.base);
}

/* What was resolved already, when nothing is left to resolve. */
static struct rt_status resolved_before(const struct acting *acting, bool *same)
{
	const struct operator_action *action = &acting->action;
	struct action_filter filter = {.ledger_id = action->ledger_id,
				       .payment_id = action->payment_id,
				       .kind = OPERATOR_RESOLVE,
				       .limit = 1};
	struct operator_action *before = NULL;
	size_t count = 0;

	memset(filter.before.bytes, 0xff, sizeof(filter.before.bytes));
	RT_TRY(operations_store_actions(rt_call_worker(acting->call), &filter,
					rt_call_arena(acting->call),
					rt_call_deadline_us(acting->call), &before, &count));
	if (count == 0)
		return RT_FAIL(FAILED_PRECONDITION, "PAYMENT_NOT_UNRESOLVED",
			       "the payment is neither unknown nor in manual review");
	*same = before->outcome == action->outcome && strcmp(before->reason, action->reason) == 0 &&
		strcmp(before->reference, action->reference) == 0;
	if (!*same)
		return RT_FAIL(FAILED_PRECONDITION, "RESOLVED_OTHERWISE",
			       "the payment was resolved already, in another way");
	return rt_ok();
}

static struct rt_status check_evidence(const Daler__Payments__V1__ResolvePaymentRequest *request)
{
	if (request->outcome != DALER__PAYMENTS__V1__RESOLUTION_OUTCOME__RESOLUTION_OUTCOME_DONE &&
	    request->outcome !=
		    DALER__PAYMENTS__V1__RESOLUTION_OUTCOME__RESOLUTION_OUTCOME_NOT_DONE)
		return RT_BAD_FIELD("INVALID_FIELD", "outcome", "must be done or not done");
	RT_TRY(rt_text_field("reason", request->reason, 1, REASON_MAX));
	return rt_text_field("reference", request->reference, 1, REFERENCE_MAX);
}

/* "reference: reason", as far as it fits in characters and bytes. */
static char *evidence_of(const Daler__Payments__V1__ResolvePaymentRequest *request,
			 struct rt_arena *arena)
{
	size_t bytes = strlen(request->reference) + strlen(request->reason) + 3;
	char *text = rt_arena_alloc(arena, bytes);

	if (text == NULL)
		return NULL;
	snprintf(text, bytes, "%s: %s", request->reference, request->reason);
	return text;
}

static struct rt_status impossible(const struct payment_origin *origin,
				   enum resolution_outcome outcome)
{
	if (!resolution_contradicts(saga_plan_of(origin->kind), origin->from, outcome))
		return RT_FAIL(FAILED_PRECONDITION, "OUTCOME_IMPOSSIBLE",
			       "the other side was never asked");
	if (outcome == RESOLUTION_DONE)
		return RT_FAIL(FAILED_PRECONDITION, "OUTCOME_CONTRADICTED",
			       "the other ledger has not credited it: it can only be not done");
	return RT_FAIL(FAILED_PRECONDITION, "OUTCOME_CONTRADICTED",
		       "the other ledger has credited it: mend what keeps this ledger from "
		       "following, then say done");
}

static struct rt_status resolve(struct rt_call *call,
				Daler__Payments__V1__ResolvePaymentResponse *reply)
{
	const Daler__Payments__V1__ResolvePaymentRequest *request =
		(const void *)rt_call_request(call);
	struct rt_arena *arena = rt_call_arena(call);
	char *evidence = evidence_of(request, arena);
	struct acting acting = {0};

	RT_TRY(check_evidence(request));
	RT_TRY(acting_init(&acting, call, request->payment_id));
	acting.action.kind = OPERATOR_RESOLVE;
	acting.action.outcome = (int)request->outcome;
	acting.action.reason = request->reason;
	acting.action.reference = request->reference;
	struct saga_decision decision =
		resolution_decide(saga_plan_of(acting.origin.kind), acting.origin.state,
				  acting.origin.from, (enum resolution_outcome)request->outcome);
	bool unresolved = acting.origin.state == PAYMENT_UNKNOWN ||
			  acting.origin.state == PAYMENT_MANUAL_REVIEW;
	bool same = false;

	if (unresolved && !decision.legal)
		return impossible(&acting.origin, (enum resolution_outcome)request->outcome);
	if (evidence == NULL)
		return out_of_arena();
	RT_TRY(unresolved ? act(&acting, &decision, evidence) : resolved_before(&acting, &same));
	reply->replayed = same;
	reply->payment = map_record(acting.record, arena);
	return reply->payment == NULL ? out_of_arena() : rt_ok();
}

void payments_resolve_payment(struct rt_call *call)
{
	Daler__Payments__V1__ResolvePaymentResponse reply;
	daler__payments__v1__resolve_payment_response__init(&reply);
	struct rt_status status = resolve(call, &reply);

	rt_call_end(call, status, &reply.base);
}

static Daler__Payments__V1__OperatorAction *map_action(const struct operator_action *action,
						       struct rt_arena *arena)
{
	Daler__Payments__V1__OperatorAction *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__operator_action__init(message);
	message->payment_id = map_uuid(&action->payment_id, arena);
	message->action = map_lent(action->kind == OPERATOR_RETRY ? "retry" : "resolve");
	message->actor = map_lent(action->actor);
	message->outcome = (Daler__Payments__V1__ResolutionOutcome)action->outcome;
	message->reason = map_lent(action->reason);
	message->reference = map_lent(action->reference);
	message->from_state = (Daler__Payments__V1__PaymentState)action->from_state;
	message->create_time = map_time(action->create_us, arena);
	return message;
}

static struct rt_status
read_action_filter(const Daler__Payments__V1__ListOperatorActionsRequest *request,
		   struct action_filter *filter, struct rt_page_seal *seal)
{
	struct page_place place = {0};
	size_t size = 0;

	RT_TRY(rt_uuid_field("ledger_id", request->ledger_id, &filter->ledger_id));
	if (request->payment_id[0] != '\0')
		RT_TRY(rt_uuid_field("payment_id", request->payment_id, &filter->payment_id));
	RT_TRY(rt_page_size_check(request->page_size, &size));
	struct rt_digest digest = page_seal_begin("ListOperatorActions");

	rt_digest_bytes(&digest, filter->ledger_id.bytes, sizeof(filter->ledger_id.bytes));
	rt_digest_bytes(&digest, filter->payment_id.bytes, sizeof(filter->payment_id.bytes));
	*seal = rt_page_seal_end(&digest);
	memset(place.id.bytes, 0xff, sizeof(place.id.bytes));
	if (request->page_token[0] != '\0')
		RT_TRY(page_token_read(seal, "page_token", request->page_token, &place));
	filter->before = place.id;
	filter->limit = (int64_t)size;
	return rt_ok();
}

static struct rt_status list_actions(struct rt_call *call,
				     Daler__Payments__V1__ListOperatorActionsResponse *reply)
{
	struct rt_arena *arena = rt_call_arena(call);
	struct action_filter filter = {0};
	struct operator_action *actions = NULL;
	struct rt_page_seal seal;
	size_t count = 0;

	RT_TRY(read_action_filter((const void *)rt_call_request(call), &filter, &seal));
	size_t page = (size_t)filter.limit++;

	RT_TRY(operations_store_actions(rt_call_worker(call), &filter, arena,
					rt_call_deadline_us(call), &actions, &count));
	reply->n_actions = count > page ? page : count;
	reply->actions = rt_arena_array(arena, reply->n_actions,
					sizeof(struct Daler__Payments__V1__OperatorAction *));
	for (size_t i = 0; reply->actions != NULL && i < reply->n_actions; i++)
		reply->actions[i] = map_action(&actions[i], arena);
	if (count > page) {
		struct page_place place = {.id = actions[page - 1].action_id};

		reply->next_page_token = rt_arena_alloc(arena, PAGE_TOKEN_BYTES);
		if (reply->next_page_token != NULL)
			page_token_make(&seal, &place, reply->next_page_token);
	}
	return arena->overflowed ? out_of_arena() : rt_ok();
}

void payments_list_operator_actions(struct rt_call *call)
{
	Daler__Payments__V1__ListOperatorActionsResponse reply;
	daler__payments__v1__list_operator_actions_response__init(&reply);
	struct rt_status status = list_actions(call, &reply);

	rt_call_end(call, status, &reply.base);
}
