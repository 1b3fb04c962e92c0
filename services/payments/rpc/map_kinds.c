/* Kinds of payments between protobuf and the domain; see map.h. A kind's message is a list of
 * texts: which field of the message is which of the request's is what this file says. */
#include "rpc/map.h"

typedef Daler__Payments__V1__CreatePaymentRequest create_request;
typedef Daler__Payments__V1__Payment payment_message;

static void draft_kind(const create_request *request, struct payment_draft *draft)
{
	switch ((int)request->kind_case) {
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_DEPOSIT:
		draft->kind = PAYMENT_DEPOSIT;
		draft->account_id = request->deposit->account_id;
		draft->connector = request->deposit->connector;
		draft->instrument = request->deposit->instrument;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WITHDRAWAL:
		draft->kind = PAYMENT_WITHDRAWAL;
		draft->account_id = request->withdrawal->account_id;
		draft->connector = request->withdrawal->connector;
		draft->instrument = request->withdrawal->instrument;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_TRANSFER:
		draft->kind = PAYMENT_TRANSFER;
		draft->account_id = request->transfer->from_account_id;
		draft->counter_id = request->transfer->to_account_id;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_REMOTE_TRANSFER:
		draft->kind = PAYMENT_REMOTE_TRANSFER;
		draft->account_id = request->remote_transfer->from_account_id;
		draft->remote_ledger_id = request->remote_transfer->to_ledger_id;
		draft->remote_account_id = request->remote_transfer->to_account_id;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_REFUND:
		draft->kind = PAYMENT_REFUND;
		draft->parent_id = request->refund->payment_id;
		draft->instrument = request->refund->instrument;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WAGER:
		draft->kind = PAYMENT_WAGER;
		draft->account_id = request->wager->account_id;
		draft->counter_id = request->wager->game_account_id;
		draft->round_id = request->wager->round_id;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_SETTLEMENT:
		draft->kind = PAYMENT_SETTLE;
		draft->account_id = request->settlement->account_id;
		draft->counter_id = request->settlement->game_account_id;
		draft->round_id = request->settlement->round_id;
		return;
	case DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_ROLLBACK:
		draft->kind = PAYMENT_WAGER_ROLLBACK;
		draft->account_id = request->rollback->account_id;
		draft->counter_id = request->rollback->game_account_id;
		draft->round_id = request->rollback->round_id;
		draft->original_key = request->rollback->original_key;
		draft->original_caller = request->rollback->original_caller;
		return;
	default:
		return;
	}
}

struct payment_draft map_draft(const create_request *request)
{
	struct payment_draft draft = {
		.idempotency_key = request->idempotency_key,
		.ledger_id = request->ledger_id,
		.amount_minor = request->amount_minor,
		.currency = request->currency,
		.reference = request->reference,
	};

	if (request->fee != NULL) {
		draft.has_fee = true;
		draft.fee_minor = request->fee->amount_minor;
		draft.fee_account_id = request->fee->account_id;
	}
	draft_kind(request, &draft);
	return draft;
}

static void set_deposit(payment_message *payment, const struct payment_request *request,
			struct rt_arena *arena)
{
	Daler__Payments__V1__Deposit *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__deposit__init(kind);
	kind->account_id = map_uuid(&request->account_id, arena);
	kind->connector = map_lent(request->connector);
	kind->instrument = map_lent(request->instrument);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_DEPOSIT;
	payment->deposit = kind;
}

static void set_withdrawal(payment_message *payment, const struct payment_request *request,
			   struct rt_arena *arena)
{
	Daler__Payments__V1__Withdrawal *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__withdrawal__init(kind);
	kind->account_id = map_uuid(&request->account_id, arena);
	kind->connector = map_lent(request->connector);
	kind->instrument = map_lent(request->instrument);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_WITHDRAWAL;
	payment->withdrawal = kind;
}

static void set_transfer(payment_message *payment, const struct payment_request *request,
			 struct rt_arena *arena)
{
	Daler__Payments__V1__InternalTransfer *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__internal_transfer__init(kind);
	kind->from_account_id = map_uuid(&request->account_id, arena);
	kind->to_account_id = map_uuid(&request->counter_id, arena);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_TRANSFER;
	payment->transfer = kind;
}

static void set_remote_transfer(payment_message *payment, const struct payment_request *request,
				struct rt_arena *arena)
{
	Daler__Payments__V1__RemoteTransfer *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__remote_transfer__init(kind);
	kind->from_account_id = map_uuid(&request->account_id, arena);
	kind->to_ledger_id = map_uuid(&request->remote_ledger_id, arena);
	kind->to_account_id = map_uuid(&request->remote_account_id, arena);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_REMOTE_TRANSFER;
	payment->remote_transfer = kind;
}

static void set_refund(payment_message *payment, const struct payment_request *request,
		       struct rt_arena *arena)
{
	Daler__Payments__V1__Refund *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__refund__init(kind);
	kind->payment_id = map_uuid(&request->parent_id, arena);
	kind->instrument = map_lent(request->instrument);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_REFUND;
	payment->refund = kind;
}

static void set_wager(payment_message *payment, const struct payment_request *request,
		      struct rt_arena *arena)
{
	Daler__Payments__V1__Wager *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__wager__init(kind);
	kind->account_id = map_uuid(&request->account_id, arena);
	kind->game_account_id = map_uuid(&request->counter_id, arena);
	kind->round_id = map_lent(request->round_id);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_WAGER;
	payment->wager = kind;
}

static void set_settlement(payment_message *payment, const struct payment_request *request,
			   struct rt_arena *arena)
{
	Daler__Payments__V1__Settlement *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__settlement__init(kind);
	kind->account_id = map_uuid(&request->account_id, arena);
	kind->game_account_id = map_uuid(&request->counter_id, arena);
	kind->round_id = map_lent(request->round_id);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_SETTLEMENT;
	payment->settlement = kind;
}

static void set_rollback(payment_message *payment, const struct payment_request *request,
			 struct rt_arena *arena)
{
	Daler__Payments__V1__Rollback *kind = rt_arena_alloc(arena, sizeof(*kind));

	if (kind == NULL)
		return;
	daler__payments__v1__rollback__init(kind);
	kind->account_id = map_uuid(&request->account_id, arena);
	kind->game_account_id = map_uuid(&request->counter_id, arena);
	kind->round_id = map_lent(request->round_id);
	payment->kind_case = DALER__PAYMENTS__V1__PAYMENT__KIND_ROLLBACK;
	payment->rollback = kind;
}

static void set_fee(payment_message *payment, const struct payment_request *request,
		    struct rt_arena *arena)
{
	Daler__Payments__V1__Fee *fee = rt_arena_alloc(arena, sizeof(*fee));

	if (fee == NULL)
		return;
	daler__payments__v1__fee__init(fee);
	fee->amount_minor = request->fee_minor;
	fee->account_id = map_uuid(&request->fee_account_id, arena);
	payment->fee = fee;
}

typedef void (*set_function)(payment_message *payment, const struct payment_request *request,
			     struct rt_arena *arena);

void map_kind(payment_message *payment, const struct payment_request *request,
	      struct rt_arena *arena)
{
	static const set_function setters[PAYMENT_KIND_MAX + 1] = {
		[PAYMENT_DEPOSIT] = set_deposit,
		[PAYMENT_WITHDRAWAL] = set_withdrawal,
		[PAYMENT_TRANSFER] = set_transfer,
		[PAYMENT_REMOTE_TRANSFER] = set_remote_transfer,
		[PAYMENT_REFUND] = set_refund,
		[PAYMENT_WAGER] = set_wager,
		[PAYMENT_SETTLE] = set_settlement,
		[PAYMENT_WAGER_ROLLBACK] = set_rollback,
		[PAYMENT_SETTLE_ROLLBACK] = set_rollback,
	};

	if (setters[request->kind] != NULL)
		setters[request->kind](payment, request, arena);
	if (request->fee_minor > 0)
		set_fee(payment, request, arena);
}

bool map_required_action(payment_message *payment, const char *url, const char *data,
			 struct rt_arena *arena)
{
	if (payment == NULL || url == NULL ||
	    payment->state != DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_REQUIRES_ACTION)
		return payment != NULL;
	Daler__Payments__V1__RequiredAction *action = rt_arena_alloc(arena, sizeof(*action));

	if (action == NULL)
		return false;
	daler__payments__v1__required_action__init(action);
	action->url = rt_arena_strdup(arena, url);
	action->data = rt_arena_strdup(arena, data);
	payment->action = action;
	return !arena->overflowed;
}
