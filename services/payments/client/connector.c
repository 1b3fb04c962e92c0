/* Messages to and from a connector; see connector.h. */
#include "client/connector.h"

#include <stdlib.h>
#include <string.h>

#include "daler/connector/v1/connector.pb-c.h"
#include "rt/assert.h"
#include "rt/clock.h"

#define SERVICE "daler.connector.v1.ConnectorService"

typedef Daler__Connector__V1__Operation operation_message;

static const struct rt_remote charge = {SERVICE, "Charge",
					&daler__connector__v1__charge_response__descriptor, true};
static const struct rt_remote payout = {SERVICE, "Payout",
					&daler__connector__v1__payout_response__descriptor, true};
static const struct rt_remote get_operation = {
	SERVICE, "GetOperation", &daler__connector__v1__get_operation_response__descriptor, true};

/* A call in flight. */
struct asking {
	struct connector_operation operation;
	connector_answered done;
	void *context;
};

static struct asking *asking_new(const struct connector_operation *operation,
				 connector_answered done, void *context)
{
	struct asking *asking = malloc(sizeof(*asking));

	RT_ASSERT(asking != NULL);
	*asking = (struct asking){*operation, done, context};
	return asking;
}

static struct saga_event event_of(enum saga_event_kind kind, const char *reason)
{
	return (struct saga_event){.kind = kind, .reason = reason};
}

/* A no must have a reason, even when the connector gives none. */
static struct saga_event declined(const char *reason)
{
	bool given = reason != NULL && reason[0] != '\0';

	return event_of(SAGA_PROVIDER_DECLINED, given ? reason : "CONNECTOR_DECLINED");
}

static struct saga_event silence(const struct rt_status *status)
{
	if (status->code == RT_OUTCOME_UNKNOWN || status->code == RT_DEADLINE_EXCEEDED)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_TIMEOUT");
	if (status->code == RT_UNAVAILABLE)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_UNAVAILABLE");
	return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_ERROR");
}

/* Whether it is what we asked for, to the unit. */
static bool operation_matches(const operation_message *message,
			      const struct connector_operation *operation)
{
	enum _Daler__Connector__V1__OperationKind kind =
		operation->kind == PROVIDER_AUTHORIZE
			? DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_CHARGE
			: DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_PAYOUT;
	struct rt_uuid reference;

	return rt_uuid_parse(message->reference, &reference) &&
	       rt_uuid_equal(&reference, &operation->payment_id) && message->kind == kind &&
	       message->amount_minor == operation->amount_minor &&
	       strcmp(message->currency, operation->currency) == 0;
}

static struct saga_event operation_verdict(const operation_message *message,
					   const struct connector_operation *operation)
{
	if (message == NULL)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_ERROR");
	if (!operation_matches(message, operation))
		return event_of(SAGA_PROVIDER_CONFLICT, "OPERATION_MISMATCH");
	/* A number that we do not know is not guessed at. */
	if (message->status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_SUCCEEDED)
		return event_of(SAGA_PROVIDER_SUCCEEDED, NULL);
	if (message->status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_DECLINED)
		return declined(message->decline_reason);
	if (message->status == DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_PENDING)
		return event_of(SAGA_PROVIDER_PENDING, NULL);
	return event_of(SAGA_PROVIDER_SILENT, "OPERATION_STATUS_UNKNOWN");
}

static struct saga_event operation_event(const operation_message *message,
					 const struct connector_operation *operation)
{
	struct saga_event event = operation_verdict(message, operation);

	if (message != NULL)
		event.provider_reference = message->provider_reference;
	return event;
}

static bool has_reason(const struct rt_status *status, const char *reason)
{
	return status->reason != NULL && strcmp(status->reason, reason) == 0;
}

static struct saga_event submit_failed(const struct rt_status *status)
{
	if (status->code == RT_FAILED_PRECONDITION &&
	    has_reason(status, "IDEMPOTENCY_PAYLOAD_MISMATCH"))
		return event_of(SAGA_PROVIDER_CONFLICT, "OPERATION_MISMATCH");
	if (status->code == RT_FAILED_PRECONDITION || status->code == RT_INVALID_ARGUMENT)
		return declined(status->reason);
	return silence(status);
}

static void answer(struct asking *asking, struct saga_event event)
{
	asking->done(asking->context, event);
	free(asking);
}

static void on_charged(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;

	if (!rt_is_ok(&status)) {
		answer(asking, submit_failed(&status));
		return;
	}
	const Daler__Connector__V1__ChargeResponse *reply = (const void *)message;

	answer(asking,
	       operation_event(reply == NULL ? NULL : reply->operation, &asking->operation));
}

static void on_paid_out(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;

	if (!rt_is_ok(&status)) {
		answer(asking, submit_failed(&status));
		return;
	}
	const Daler__Connector__V1__PayoutResponse *reply = (const void *)message;

	answer(asking,
	       operation_event(reply == NULL ? NULL : reply->operation, &asking->operation));
}

static void on_asked(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;

	if (status.code == RT_NOT_FOUND && has_reason(&status, "OPERATION_NOT_FOUND")) {
		answer(asking, event_of(SAGA_PROVIDER_ABSENT, NULL));
		return;
	}
	if (!rt_is_ok(&status)) {
		answer(asking, silence(&status));
		return;
	}
	const Daler__Connector__V1__GetOperationResponse *reply = (const void *)message;

	answer(asking,
	       operation_event(reply == NULL ? NULL : reply->operation, &asking->operation));
}

static struct rt_call_options options_for(const struct connector_client *client,
					  const struct rt_trace *trace)
{
	return (struct rt_call_options){.deadline_mono_us = rt_clock_mono_us() +
							    client->timeout_ms * RT_US_PER_MS,
					.trace = trace};
}

/* protobuf-c's strings are not const, though it never writes to them. */
static char *lent(const char *text)
{
	union {
		const char *in;
		char *out;
	} cast = {.in = text};

	return cast.out;
}

void connector_submit(const struct connector_client *client,
		      const struct connector_operation *operation, const char *instrument,
		      const struct rt_trace *trace, connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, trace);
	struct asking *asking = asking_new(operation, done, context);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->payment_id, reference);
	if (operation->kind == PROVIDER_AUTHORIZE) {
		Daler__Connector__V1__ChargeRequest request;
		daler__connector__v1__charge_request__init(&request);

		request.reference = reference;
		request.amount_minor = operation->amount_minor;
		request.currency = lent(operation->currency);
		request.instrument = lent(instrument);
		rt_channel_start(client->channel, &charge, &request.base, &options, on_charged,
				 asking);
		return;
	}
	RT_ASSERT(operation->kind == PROVIDER_PAYOUT);
	Daler__Connector__V1__PayoutRequest request;
	daler__connector__v1__payout_request__init(&request);

	request.reference = reference;
	request.amount_minor = operation->amount_minor;
	request.currency = lent(operation->currency);
	request.instrument = lent(instrument);
	rt_channel_start(client->channel, &payout, &request.base, &options, on_paid_out, asking);
}

void connector_ask(const struct connector_client *client,
		   const struct connector_operation *operation, const struct rt_trace *trace,
		   connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, trace);
	Daler__Connector__V1__GetOperationRequest request;
	daler__connector__v1__get_operation_request__init(&request);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->payment_id, reference);
	request.reference = reference;
	rt_channel_start(client->channel, &get_operation, &request.base, &options, on_asked,
			 asking_new(operation, done, context));
}
