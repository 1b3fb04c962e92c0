#include "client/message.h"

#include <string.h>

#include "rt/clock.h"

char *message_text(const char *text)
{
	char *mutable;

	memcpy(&mutable, &text, sizeof(mutable));
	return mutable;
}

static void fill_time(Google__Protobuf__Timestamp *time, int64_t wall_us)
{
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / RT_US_PER_S;
	time->nanos = (int32_t)(wall_us % RT_US_PER_S) * 1000;
}

void message_operation_fill(struct message_operation *message, const struct operation *operation)
{
	Daler__Connector__V1__Operation *wire = &message->message;

	daler__connector__v1__operation__init(wire);
	wire->reference = message_text(operation->order.reference);
	wire->kind = (Daler__Connector__V1__OperationKind)operation->order.kind;
	wire->amount_minor = operation->order.amount_minor;
	wire->currency = message_text(operation->order.currency);
	wire->status = (Daler__Connector__V1__OperationStatus)operation->status;
	if (operation->status == OPERATION_DECLINED)
		wire->decline_reason = message_text(operation->decline_reason);
	daler__connector__v1__required_action__init(&message->action);
	if (operation->status == OPERATION_REQUIRES_ACTION) {
		message->action.url = message_text("https://psp.example/act");
		message->action.data = message_text(operation->order.reference);
		wire->action = &message->action;
	}
	wire->original_reference = message_text(operation->order.original);
	wire->provider_reference = message_text(operation->provider_reference);
	fill_time(&message->created, operation->created_wall_us);
	fill_time(&message->updated, operation->updated_wall_us);
	wire->create_time = &message->created;
	wire->update_time = &message->updated;
}
