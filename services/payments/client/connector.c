/* Messages to and from a connector; see connector.h. */
#include "client/connector.h"

#include <stdlib.h>
#include <string.h>

#include "daler/connector/v1/connector.pb-c.h"
#include "domain/limits.h"
#include "domain/resolution.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/text.h"

#define SERVICE "daler.connector.v1.ConnectorService"

typedef Daler__Connector__V1__Operation operation_message;

/* Of a connector's words, those that decide what becomes of a payment. */
static const char *const reasons[] = {"IDEMPOTENCY_PAYLOAD_MISMATCH", "OPERATION_NOT_FOUND", NULL};

#define REMOTE(name, reply_prefix)                                                                 \
	{                                                                                          \
		SERVICE, name, &reply_prefix##_response__descriptor, true, reasons                 \
	}

static const struct rt_remote authorize_method =
	REMOTE("Authorize", daler__connector__v1__authorize);
static const struct rt_remote capture_method = REMOTE("Capture", daler__connector__v1__capture);
static const struct rt_remote cancel_method = REMOTE("Cancel", daler__connector__v1__cancel);
static const struct rt_remote payout_method = REMOTE("Payout", daler__connector__v1__payout);
static const struct rt_remote refund_method = REMOTE("Refund", daler__connector__v1__refund);
static const struct rt_remote get_operation_method =
	REMOTE("GetOperation", daler__connector__v1__get_operation);

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

/* Words that mean something of ours: in a connector's mouth they would tell people, or the machine
 * itself, that somebody called the payment off, that a limit was reached. */
static bool is_ours(const char *reason)
{
	static const char *const words[] = {SAGA_REASON_CANCELED, SAGA_REASON_ANEW,
					    RESOLUTION_REASON, REASKED_REASON, GIVE_BACK_REASON};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(reason, words[i]) == 0)
			return true;
	}
	return limit_reason(reason);
}

/* A no must have a reason, even when the connector gives none. */
static struct saga_event declined(const char *reason)
{
	bool given = reason != NULL && reason[0] != '\0' && !is_ours(reason);

	return event_of(SAGA_PROVIDER_DECLINED, given ? reason : "CONNECTOR_DECLINED");
}

static bool has_reason(const struct rt_status *status, const char *reason)
{
	return status->reason != NULL && strcmp(status->reason, reason) == 0;
}

static struct saga_event silence(const struct rt_status *status)
{
	if (status->code == RT_OUTCOME_UNKNOWN || status->code == RT_DEADLINE_EXCEEDED)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_TIMEOUT");
	if (status->code == RT_UNAVAILABLE)
		return (struct saga_event){.kind = SAGA_PROVIDER_SILENT,
					   .reason = "CONNECTOR_UNAVAILABLE",
					   .unreached = true};
	return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_ERROR");
}

static bool names(const char *text, const struct rt_uuid *reference)
{
	struct rt_uuid named;

	return rt_uuid_parse(text, &named) && rt_uuid_equal(&named, reference);
}

/* Whether it is what we asked for, to the unit. A refund that names what it gives back names the
 * authorization that we named. */
static bool operation_matches(const operation_message *message,
			      const struct connector_operation *operation)
{
	static const enum _Daler__Connector__V1__OperationKind kinds[] = {
		[PROVIDER_AUTHORIZE] = DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_CHARGE,
		[PROVIDER_PAYOUT] = DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_PAYOUT,
		[PROVIDER_REFUND] = DALER__CONNECTOR__V1__OPERATION_KIND__OPERATION_KIND_REFUND,
	};

	return names(message->reference, &operation->reference) &&
	       (operation->kind != PROVIDER_REFUND || message->original_reference[0] == '\0' ||
		names(message->original_reference, &operation->original)) &&
	       message->kind == kinds[operation->kind] &&
	       message->amount_minor == operation->amount_minor &&
	       strcmp(message->currency, operation->currency) == 0;
}

/* What a person must do is bounded, or left out. */
static const char *bounded(const char *text, size_t characters_max)
{
	struct rt_status status = rt_text_field("action", text, 0, characters_max);

	return rt_is_ok(&status) ? text : "";
}

static struct saga_event requires_action(const Daler__Connector__V1__RequiredAction *action)
{
	struct saga_event event = event_of(SAGA_PROVIDER_ACTION, NULL);

	if (action != NULL) {
		event.action_url = bounded(action->url, PAYMENT_ACTION_URL_MAX);
		event.action_data = bounded(action->data, PAYMENT_ACTION_DATA_MAX);
	}
	return event;
}

static struct saga_event operation_verdict(const operation_message *message,
					   const struct connector_operation *operation)
{
	if (message == NULL)
		return event_of(SAGA_PROVIDER_SILENT, "CONNECTOR_ERROR");
	if (!operation_matches(message, operation))
		return event_of(SAGA_PROVIDER_CONFLICT, "OPERATION_MISMATCH");
	switch ((int)message->status) {
	case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_SUCCEEDED:
		return event_of(SAGA_PROVIDER_SUCCEEDED, NULL);
	case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_DECLINED:
		return declined(message->decline_reason);
	case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_PENDING:
		return event_of(SAGA_PROVIDER_PENDING, NULL);
	default:
		break;
	}
	/* Only an authorization can be in these. */
	if (operation->kind == PROVIDER_AUTHORIZE) {
		switch ((int)message->status) {
		case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_AUTHORIZED:
			return event_of(SAGA_PROVIDER_AUTHORIZED, NULL);
		case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_CANCELED:
			return event_of(SAGA_PROVIDER_CANCELED, NULL);
		case DALER__CONNECTOR__V1__OPERATION_STATUS__OPERATION_STATUS_REQUIRES_ACTION:
			return requires_action(message->action);
		default:
			break;
		}
	}
	/* A number that we do not know is not guessed at. */
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

static void on_authorized(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;
	const Daler__Connector__V1__AuthorizeResponse *reply = (const void *)message;
	struct saga_event event = rt_is_ok(&status)
					  ? operation_event(reply == NULL ? NULL : reply->operation,
							    &asking->operation)
					  : submit_failed(&status);

	answer(asking, event);
}

static void on_captured(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;
	const Daler__Connector__V1__CaptureResponse *reply = (const void *)message;
	struct saga_event event = rt_is_ok(&status)
					  ? operation_event(reply == NULL ? NULL : reply->operation,
							    &asking->operation)
					  : silence(&status);

	/* Refused for good or not, the authorization is asked what it is now. */
	if (event.kind == SAGA_PROVIDER_AUTHORIZED)
		event = event_of(SAGA_PROVIDER_PENDING, NULL);
	answer(asking, event);
}

static void on_canceled(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;
	const Daler__Connector__V1__CancelResponse *reply = (const void *)message;
	struct saga_event event = rt_is_ok(&status)
					  ? operation_event(reply == NULL ? NULL : reply->operation,
							    &asking->operation)
					  : silence(&status);

	if (event.kind == SAGA_PROVIDER_ACTION || event.kind == SAGA_PROVIDER_AUTHORIZED)
		event = event_of(SAGA_PROVIDER_SILENT, "CANCEL_REFUSED");
	answer(asking, event);
}

static void on_paid_out(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;
	const Daler__Connector__V1__PayoutResponse *reply = (const void *)message;
	struct saga_event event = rt_is_ok(&status)
					  ? operation_event(reply == NULL ? NULL : reply->operation,
							    &asking->operation)
					  : submit_failed(&status);

	answer(asking, event);
}

static void on_refunded(void *context, struct rt_status status, const ProtobufCMessage *message)
{
	struct asking *asking = context;
	const Daler__Connector__V1__RefundResponse *reply = (const void *)message;
	struct saga_event event = rt_is_ok(&status)
					  ? operation_event(reply == NULL ? NULL : reply->operation,
							    &asking->operation)
					  : submit_failed(&status);

	answer(asking, event);
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
					  const struct connector_operation *operation,
					  const struct rt_trace *trace)
{
	return (struct rt_call_options){.deadline_mono_us = rt_clock_mono_us() +
							    client->timeout_ms * RT_US_PER_MS,
					.trace = trace,
					.repeat = operation->repeat};
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

static void start_authorize(const struct connector_client *client, struct asking *asking,
			    char *reference, const char *instrument,
			    const struct rt_call_options *options)
{
	Daler__Connector__V1__AuthorizeRequest request;
	daler__connector__v1__authorize_request__init(&request);

	request.reference = reference;
	request.amount_minor = asking->operation.amount_minor;
	request.currency = asking->operation.currency;
	request.instrument = lent(instrument);
	rt_channel_start(client->channel, &authorize_method, &request.base, options, on_authorized,
			 asking);
}

static void start_payout(const struct connector_client *client, struct asking *asking,
			 char *reference, const char *instrument,
			 const struct rt_call_options *options)
{
	Daler__Connector__V1__PayoutRequest request;
	daler__connector__v1__payout_request__init(&request);

	request.reference = reference;
	request.amount_minor = asking->operation.amount_minor;
	request.currency = asking->operation.currency;
	request.instrument = lent(instrument);
	rt_channel_start(client->channel, &payout_method, &request.base, options, on_paid_out,
			 asking);
}

static void start_refund(const struct connector_client *client, struct asking *asking,
			 char *reference, const char *instrument,
			 const struct rt_call_options *options)
{
	Daler__Connector__V1__RefundRequest request;
	daler__connector__v1__refund_request__init(&request);
	char original[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&asking->operation.original, original);
	request.reference = reference;
	request.original_reference = original;
	request.amount_minor = asking->operation.amount_minor;
	request.currency = asking->operation.currency;
	request.instrument = lent(instrument);
	rt_channel_start(client->channel, &refund_method, &request.base, options, on_refunded,
			 asking);
}

void connector_submit(const struct connector_client *client,
		      const struct connector_operation *operation, const char *instrument,
		      const struct rt_trace *trace, connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, operation, trace);
	struct asking *asking = asking_new(operation, done, context);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->reference, reference);
	switch (operation->kind) {
	case PROVIDER_AUTHORIZE:
		start_authorize(client, asking, reference, instrument, &options);
		return;
	case PROVIDER_PAYOUT:
		start_payout(client, asking, reference, instrument, &options);
		return;
	case PROVIDER_REFUND:
		start_refund(client, asking, reference, instrument, &options);
		return;
	case PROVIDER_NONE:
		break;
	}
	RT_ASSERT(operation->kind != PROVIDER_NONE);
}

void connector_capture(const struct connector_client *client,
		       const struct connector_operation *operation, const struct rt_trace *trace,
		       connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, operation, trace);
	Daler__Connector__V1__CaptureRequest request;
	daler__connector__v1__capture_request__init(&request);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->reference, reference);
	request.reference = reference;
	rt_channel_start(client->channel, &capture_method, &request.base, &options, on_captured,
			 asking_new(operation, done, context));
}

void connector_cancel(const struct connector_client *client,
		      const struct connector_operation *operation, const struct rt_trace *trace,
		      connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, operation, trace);
	Daler__Connector__V1__CancelRequest request;
	daler__connector__v1__cancel_request__init(&request);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->reference, reference);
	request.reference = reference;
	rt_channel_start(client->channel, &cancel_method, &request.base, &options, on_canceled,
			 asking_new(operation, done, context));
}

void connector_ask(const struct connector_client *client,
		   const struct connector_operation *operation, const struct rt_trace *trace,
		   connector_answered done, void *context)
{
	struct rt_call_options options = options_for(client, operation, trace);
	Daler__Connector__V1__GetOperationRequest request;
	daler__connector__v1__get_operation_request__init(&request);
	char reference[RT_UUID_TEXT_BYTES];

	rt_uuid_format(&operation->reference, reference);
	request.reference = reference;
	rt_channel_start(client->channel, &get_operation_method, &request.base, &options, on_asked,
			 asking_new(operation, done, context));
}
