/* ReconcileConnector: a connector's report, or what it answers when it is asked, against payments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/connector_report.h"
#include "daler/payments/v1/operations.pb-c.h"
#include "domain/plan.h"
#include "domain/request.h"
#include "engine/reconciling.h"
#include "rpc/map.h"
#include "rpc/service.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/text.h"

#define RANGE_US_MAX    (RT_US_PER_S * 3600 * 24 * 31)
#define REPORT_MAX      10000
/* Operations of a connector that are held at a time, when it is asked. */
#define OPERATIONS_MAX  100000
#define DIFFERENCES_MAX 1000

typedef Daler__Connector__V1__Operation operation_message;
typedef Daler__Payments__V1__ReconcileConnectorRequest reconcile_request;

/* What is gathered of the connector's operations. */
struct gathering {
	struct reported *reported;
	size_t count;
	size_t room;
	size_t most;
	bool too_many;
};

static enum provider_operation operation_of(int kind)
{
	if (kind == DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_CHARGE)
		return PROVIDER_AUTHORIZE;
	if (kind == DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_PAYOUT)
		return PROVIDER_PAYOUT;
	if (kind == DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_REFUND)
		return PROVIDER_REFUND;
	return PROVIDER_NONE;
}

/* What is neither is not final, or not known here. */
static enum reconcile_status status_of(int status)
{
	if (status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_SUCCEEDED)
		return RECONCILE_DONE;
	if (status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_DECLINED ||
	    status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_CANCELED)
		return RECONCILE_NOT_DONE;
	return RECONCILE_UNCLEAR;
}

/* What a deposit had given back by itself: part of that payment, under a reference derived from its
 * own. */
static bool is_give_back(const operation_message *operation)
{
	struct rt_uuid original;
	struct rt_uuid reference;

	if (!rt_uuid_parse(operation->original_reference, &original) ||
	    !rt_uuid_parse(operation->reference, &reference))
		return false;
	struct rt_uuid derived = rt_uuid_derive(&original, payment_deposit_plan.undo->reference);

	return rt_uuid_equal(&reference, &derived);
}

/* Ids are compared as we write them, however they do. */
static void take_reference(const char *reference, char taken[RECONCILE_REFERENCE_BYTES])
{
	struct rt_uuid id;

	if (rt_uuid_parse(reference, &id))
		rt_uuid_format(&id, taken);
	else
		snprintf(taken, RECONCILE_REFERENCE_BYTES, "%s", reference);
}

/* One that is no time is none. */
static int64_t time_of(const operation_message *operation)
{
	int64_t wall_us = 0;
	struct rt_status status = map_moment_or("create_time", operation->create_time, 0, &wall_us);

	return rt_is_ok(&status) ? wall_us : 0;
}

static bool gather(void *context, const operation_message *operation)
{
	struct gathering *gathering = context;

	if (gathering->count == gathering->most) {
		gathering->too_many = true;
		return false;
	}
	if (gathering->count == gathering->room) {
		gathering->room = gathering->room == 0 ? 256 : gathering->room * 2;
		gathering->reported = realloc(gathering->reported,
					      gathering->room * sizeof(*gathering->reported));
		RT_ASSERT(gathering->reported != NULL);
	}
	struct reported *made = &gathering->reported[gathering->count++];

	*made = (struct reported){
		.operation = operation_of((int)operation->kind),
		.status = status_of((int)operation->status),
		.amount_minor = operation->amount_minor,
		.wire_kind = (int)operation->kind,
		.wire_status = (int)operation->status,
		.give_back = is_give_back(operation),
		.create_us = time_of(operation),
	};
	take_reference(operation->reference, made->reference);
	snprintf(made->currency, sizeof(made->currency), "%s", operation->currency);
	return true;
}

/* The answer as it grows. */
struct answering {
	struct rt_arena *arena;
	Daler__Payments__V1__ReconcileConnectorResponse *reply;
};

static operation_message *map_theirs(const struct reported *theirs, struct rt_arena *arena)
{
	operation_message *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__connector__v1__operation__init(message);
	message->reference = rt_arena_strdup(arena, theirs->reference);
	message->currency = rt_arena_strdup(arena, theirs->currency);
	message->kind = (Daler__Connector__V1__OperationKind)theirs->wire_kind;
	message->status = (Daler__Connector__V1__OperationStatus)theirs->wire_status;
	message->amount_minor = theirs->amount_minor;
	if (theirs->create_us != 0)
		message->create_time = map_time(theirs->create_us, arena);
	return message;
}

static void found(void *context, enum reconcile_difference kind, const struct reconcile_row *ours,
		  const struct reported *theirs)
{
	struct answering *answering = context;
	struct rt_arena *arena = answering->arena;

	answering->reply->difference_count++;
	if (answering->reply->n_differences == DIFFERENCES_MAX)
		return;
	Daler__Payments__V1__Difference *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return;
	daler__payments__v1__difference__init(message);
	message->kind = (Daler__Payments__V1__DifferenceKind)kind;
	if (ours != NULL) {
		message->payment_id = map_uuid(&ours->payment_id, arena);
		message->reference = message->payment_id;
		message->state = (Daler__Payments__V1__PaymentState)ours->state;
		message->our_amount_minor = ours->amount_minor;
		message->our_currency = rt_arena_strdup(arena, ours->currency);
	}
	if (theirs != NULL) {
		message->reference = rt_arena_strdup(arena, theirs->reference);
		message->theirs = map_theirs(theirs, arena);
	}
	answering->reply->differences[answering->reply->n_differences++] = message;
}

static struct rt_status read_range(const reconcile_request *request,
				   struct reconciling *reconciling)
{
	RT_TRY(payment_connector_check("connector", request->connector));
	if (request->start_time == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "start_time", "is required");
	if (request->end_time == NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "end_time", "is required");
	RT_TRY(map_moment_or("start_time", request->start_time, 0, &reconciling->start_us));
	RT_TRY(map_moment_or("end_time", request->end_time, 0, &reconciling->end_us));
	if (reconciling->end_us <= reconciling->start_us ||
	    reconciling->end_us - reconciling->start_us > RANGE_US_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "end_time",
				    "must be after start_time, by at most 31 days");
	if (request->n_report > REPORT_MAX)
		return RT_BAD_FIELD("INVALID_LENGTH", "report", "has more than %d operations",
				    REPORT_MAX);
	reconciling->connector = request->connector;
	return rt_ok();
}

/* From the request, or from the connector itself. */
static struct rt_status gather_all(struct rt_call *call, const reconcile_request *request,
				   struct gathering *gathering)
{
	const struct payments_service *service = rt_call_service(call);
	const struct connector_client *client =
		executor_connector_client(service->executor, request->connector);
	const struct rt_call_options options = {.deadline_mono_us = rt_call_deadline_us(call),
						.trace = rt_call_trace(call)};

	gathering->most = request->n_report > 0 ? REPORT_MAX : OPERATIONS_MAX;
	for (size_t i = 0; i < request->n_report; i++) {
		char field[64];

		snprintf(field, sizeof(field), "report[%zu].reference", i);
		RT_TRY(rt_ascii_field(field, request->report[i]->reference, 1, 64, NULL));
		gather(gathering, request->report[i]);
	}
	if (request->n_report > 0)
		return rt_ok();
	if (client == NULL)
		return RT_FAIL(FAILED_PRECONDITION, "CONNECTOR_NOT_CONFIGURED",
			       "this service knows no such connector");
	RT_TRY(connector_list(client, &options, gather, gathering));
	if (gathering->too_many)
		return RT_FAIL(FAILED_PRECONDITION, "TOO_MANY_OPERATIONS",
			       "the connector has more than %d; give a report", OPERATIONS_MAX);
	return rt_ok();
}

static struct rt_status compare(struct rt_call *call, const reconcile_request *request,
				struct gathering *gathering,
				Daler__Payments__V1__ReconcileConnectorResponse *reply)
{
	struct answering answering = {.arena = rt_call_arena(call), .reply = reply};
	struct reconciling reconciling = {.pg = rt_call_worker(call),
					  .deadline_mono_us = rt_call_deadline_us(call),
					  .whole = request->n_report == 0 ||
						   request->report_is_whole,
					  .found = found,
					  .context = &answering};

	RT_TRY(read_range(request, &reconciling));
	RT_TRY(gather_all(call, request, gathering));
	reply->differences = rt_arena_array(answering.arena, DIFFERENCES_MAX,
					    sizeof(struct Daler__Payments__V1__Difference *));
	if (reply->differences == NULL)
		return RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large");
	reconciling.report = gathering->reported;
	reconciling.count = gathering->count;
	RT_TRY(reconciling_run(&reconciling));
	reply->operation_count = (int64_t)gathering->count;
	reply->payment_count = reconciling.payment_count;
	return answering.arena->overflowed
		       ? RT_FAIL(RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the reply is too large")
		       : rt_ok();
}

void payments_reconcile_connector(struct rt_call *call)
{
	const reconcile_request *request = (const void *)rt_call_request(call);
	struct gathering gathering = {0};
	Daler__Payments__V1__ReconcileConnectorResponse reply;
	daler__payments__v1__reconcile_connector_response__init(&reply);
	struct rt_status status = compare(call, request, &gathering, &reply);

	rt_call_end(call, status, &reply.base);
	free(gathering.reported);
}
