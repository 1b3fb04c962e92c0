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

struct payment_draft map_draft(const Daler__Payments__V1__CreatePaymentRequest *request)
{
	struct payment_draft draft = {
		.idempotency_key = request->idempotency_key,
		.ledger_id = request->ledger_id,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.reference = request->reference,
	};

	switch ((int)request->kind_case) {
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_DEPOSIT:
		draft.kind = PAYMENT_DEPOSIT;
		draft.account_id = request->deposit->account_id;
		draft.connector = request->deposit->connector;
		draft.instrument = request->deposit->instrument;
		break;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WITHDRAWAL:
		draft.kind = PAYMENT_WITHDRAWAL;
		draft.account_id = request->withdrawal->account_id;
		draft.connector = request->withdrawal->connector;
		draft.instrument = request->withdrawal->instrument;
		break;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_TRANSFER:
		draft.kind = PAYMENT_TRANSFER;
		draft.account_id = request->transfer->from_account_id;
		draft.counter_id = request->transfer->to_account_id;
		break;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND__NOT_SET:
	default:
		break;
	}
	return draft;
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

static void set_deposit(Daler__Payments__V1__Payment *payment,
			const struct payment_request *request, struct rt_arena *arena)
{
	Daler__Payments__V1__Deposit *deposit = rt_arena_alloc(arena, sizeof(*deposit));

	if (deposit == NULL)
		return;
	daler__payments__v1__deposit__init(deposit);
	deposit->account_id = map_uuid(&request->account_id, arena);
	deposit->connector = map_lent(request->connector);
	deposit->instrument = map_lent(request->instrument);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_DEPOSIT;
	payment->deposit = deposit;
}

static void set_withdrawal(Daler__Payments__V1__Payment *payment,
			   const struct payment_request *request, struct rt_arena *arena)
{
	Daler__Payments__V1__Withdrawal *withdrawal = rt_arena_alloc(arena, sizeof(*withdrawal));

	if (withdrawal == NULL)
		return;
	daler__payments__v1__withdrawal__init(withdrawal);
	withdrawal->account_id = map_uuid(&request->account_id, arena);
	withdrawal->connector = map_lent(request->connector);
	withdrawal->instrument = map_lent(request->instrument);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_WITHDRAWAL;
	payment->withdrawal = withdrawal;
}

static void set_transfer(Daler__Payments__V1__Payment *payment,
			 const struct payment_request *request, struct rt_arena *arena)
{
	Daler__Payments__V1__InternalTransfer *transfer = rt_arena_alloc(arena, sizeof(*transfer));

	if (transfer == NULL)
		return;
	daler__payments__v1__internal_transfer__init(transfer);
	transfer->from_account_id = map_uuid(&request->account_id, arena);
	transfer->to_account_id = map_uuid(&request->counter_id, arena);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_TRANSFER;
	payment->transfer = transfer;
}

static void set_kind(Daler__Payments__V1__Payment *payment, const struct payment_request *request,
		     struct rt_arena *arena)
{
	switch (request->kind) {
	case PAYMENT_DEPOSIT:
		set_deposit(payment, request, arena);
		return;
	case PAYMENT_WITHDRAWAL:
		set_withdrawal(payment, request, arena);
		return;
	case PAYMENT_TRANSFER:
		set_transfer(payment, request, arena);
		return;
	case PAYMENT_REMOTE_TRANSFER:
	case PAYMENT_REFUND:
	case PAYMENT_WAGER:
	case PAYMENT_SETTLE:
	case PAYMENT_WAGER_ROLLBACK:
	case PAYMENT_SETTLE_ROLLBACK:
		return;
	}
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
	set_kind(payment, request, arena);
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
