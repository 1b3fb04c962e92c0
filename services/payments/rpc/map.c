/* Mapping; see map.h. */
#include "rpc/map.h"

#include <string.h>

#include "rt/clock.h"

char *map_lent(const char *text)
{
	union {
		const char *in;
		char *out;
	} cast = {.in = text};

	return cast.out;
}

void map_caller(const struct rt_caller *caller, char text[PAYMENT_CALLER_BYTES])
{
	if (!rt_uuid_is_nil(&caller->user_id)) {
		rt_uuid_format(&caller->user_id, text);
		return;
	}
	const char *name = rt_identity_name(caller->identity);

	memcpy(text, name, strlen(name) + 1);
}

char *map_uuid(const struct rt_uuid *uuid, struct rt_arena *arena)
{
	char *text = rt_arena_alloc(arena, RT_UUID_TEXT_BYTES);

	if (text != NULL)
		rt_uuid_format(uuid, text);
	return text;
}

Google__Protobuf__Timestamp *map_time(int64_t wall_us, struct rt_arena *arena)
{
	Google__Protobuf__Timestamp *time = rt_arena_alloc(arena, sizeof(*time));

	if (time == NULL)
		return NULL;
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / RT_US_PER_S;
	time->nanos = (int32_t)(wall_us % RT_US_PER_S) * 1000;
	return time;
}

Daler__Payments__V1__Payment *map_payment(const struct payment_request *request,
					  const struct payment_standing *standing,
					  struct rt_arena *arena)
{
	Daler__Payments__V1__Payment *payment = rt_arena_alloc(arena, sizeof(*payment));

	if (payment == NULL)
		return NULL;
	daler__payments__v1__payment__init(payment);
	payment->payment_id = map_uuid(&standing->payment_id, arena);
	payment->idempotency_key = map_lent(request->idempotency_key);
	payment->ledger_id = map_uuid(&request->ledger_id, arena);
	payment->amount_minor = request->amount_minor;
	payment->currency = map_lent(request->currency);
	payment->reference = map_lent(request->reference);
	payment->state = (Daler__Payments__V1__PaymentState)standing->state;
	payment->reason = map_lent(standing->reason);
	payment->version = standing->version;
	payment->create_time = map_time(standing->create_time_us, arena);
	payment->update_time = map_time(standing->update_time_us, arena);
	payment->refunded_minor = standing->refunded_minor;
	if (!rt_uuid_is_nil(&request->parent_id))
		payment->original_payment_id = map_uuid(&request->parent_id, arena);
	map_kind(payment, request, arena);
	return arena->overflowed ? NULL : payment;
}

Daler__Payments__V1__PaymentEvent *map_event(const struct payment_event *event,
					     struct rt_arena *arena)
{
	Daler__Payments__V1__PaymentEvent *message = rt_arena_alloc(arena, sizeof(*message));

	if (message == NULL)
		return NULL;
	daler__payments__v1__payment_event__init(message);
	message->version = event->version;
	message->state = (Daler__Payments__V1__PaymentState)event->state;
	message->reason = map_lent(event->reason);
	message->create_time = map_time(event->create_time_us, arena);
	return arena->overflowed ? NULL : message;
}
