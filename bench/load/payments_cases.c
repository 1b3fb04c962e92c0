#include "payments_cases.h"

#include <stdio.h>
#include <string.h>

#include "daler/payments/v1/payments.pb-c.h"
#include "rt/assert.h"
#include "rt/cleanup.h"
#include "rt/clock.h"
#include "world.h"

#define CLEARING_ACCOUNT 0 /* takes part in nothing else */
#define AMOUNT_MINOR_MAX 1000
#define GAMES            16    /* accounts after the clearing account */
#define FINISHED_COUNT   10000 /* payments that are asked for again; bench/payments makes as many */
#define PAYMENTS         "daler.payments.v1.PaymentsService"

static const struct rt_remote create_payment = {
	.service = PAYMENTS,
	.name = "CreatePayment",
	.reply = &daler__payments__v1__create_payment_response__descriptor,
	.repeatable = true,
};

static const struct rt_remote register_clearing = {
	.service = PAYMENTS,
	.name = "RegisterClearingAccount",
	.reply = &daler__payments__v1__register_clearing_account_response__descriptor,
	.repeatable = true,
};

static char connector[] = "simulator";
static char currency[] = WORLD_CURRENCY;
static char no_text[] = "";

static char *account(const struct slot *slot, size_t index)
{
	return world_account_id(load_world_of(slot), index);
}

static size_t any_account(struct slot *slot)
{
	return 1 + load_random(slot, load_world_of(slot)->account_count - 1);
}

/* A request with this key; the kind is still to be set. */
static Daler__Payments__V1__CreatePaymentRequest *request_new(struct slot *slot, struct rt_uuid key,
							      int64_t amount_minor)
{
	Daler__Payments__V1__CreatePaymentRequest *request =
		rt_arena_alloc(&slot->arena, sizeof(*request));
	char *text = rt_arena_alloc(&slot->arena, RT_UUID_TEXT_BYTES);
	RT_ASSERT(request && text);
	daler__payments__v1__create_payment_request__init(request);
	rt_uuid_format(&key, text);
	slot->memory = key;
	request->idempotency_key = text;
	request->ledger_id = rt_arena_strdup(&slot->arena, load_world_of(slot)->ledger_id);
	request->amount_minor = amount_minor;
	request->currency = currency;
	request->reference = no_text;
	slot->remote = &create_payment;
	return request;
}

static int64_t any_amount(struct slot *slot)
{
	return 1 + (int64_t)load_random(slot, AMOUNT_MINOR_MAX);
}

static const ProtobufCMessage *transfer_between(struct slot *slot, struct rt_uuid key,
						int64_t amount_minor, size_t from, size_t to)
{
	Daler__Payments__V1__CreatePaymentRequest *request = request_new(slot, key, amount_minor);
	Daler__Payments__V1__InternalTransfer *transfer =
		rt_arena_alloc(&slot->arena, sizeof(*transfer));
	RT_ASSERT(transfer);
	daler__payments__v1__internal_transfer__init(transfer);
	transfer->from_account_id = account(slot, from);
	transfer->to_account_id = account(slot, to);
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_TRANSFER;
	request->transfer = transfer;
	return &request->base;
}

static const ProtobufCMessage *build_transfer(struct slot *slot)
{
	size_t others = load_world_of(slot)->account_count - 1;
	size_t from = load_random(slot, others);
	size_t to = (from + 1 + load_random(slot, others - 1)) % others;
	return transfer_between(slot, rt_uuid_v7(), any_amount(slot), 1 + from, 1 + to);
}

static const ProtobufCMessage *deposit_of(struct slot *slot, char *instrument)
{
	Daler__Payments__V1__CreatePaymentRequest *request =
		request_new(slot, rt_uuid_v7(), any_amount(slot));
	Daler__Payments__V1__Deposit *deposit = rt_arena_alloc(&slot->arena, sizeof(*deposit));
	RT_ASSERT(deposit);
	daler__payments__v1__deposit__init(deposit);
	deposit->account_id = account(slot, any_account(slot));
	deposit->connector = connector;
	deposit->instrument = instrument;
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_DEPOSIT;
	request->deposit = deposit;
	return &request->base;
}

static const ProtobufCMessage *withdrawal_of(struct slot *slot, char *instrument)
{
	Daler__Payments__V1__CreatePaymentRequest *request =
		request_new(slot, rt_uuid_v7(), any_amount(slot));
	Daler__Payments__V1__Withdrawal *withdrawal =
		rt_arena_alloc(&slot->arena, sizeof(*withdrawal));
	RT_ASSERT(withdrawal);
	daler__payments__v1__withdrawal__init(withdrawal);
	withdrawal->account_id = account(slot, any_account(slot));
	withdrawal->connector = connector;
	withdrawal->instrument = instrument;
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WITHDRAWAL;
	request->withdrawal = withdrawal;
	return &request->base;
}

static const ProtobufCMessage *build_deposit(struct slot *slot)
{
	static char instrument[] = "sim:ok";
	return deposit_of(slot, instrument);
}

static const ProtobufCMessage *wager_of(struct slot *slot, char *player, char *game, char *round)
{
	Daler__Payments__V1__CreatePaymentRequest *request =
		request_new(slot, rt_uuid_v7(), any_amount(slot));
	Daler__Payments__V1__Wager *wager = rt_arena_alloc(&slot->arena, sizeof(*wager));
	RT_ASSERT(wager);
	daler__payments__v1__wager__init(wager);
	wager->account_id = player;
	wager->game_account_id = game;
	wager->round_id = round;
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WAGER;
	request->wager = wager;
	return &request->base;
}

static const ProtobufCMessage *settlement_of(struct slot *slot, char *player, char *game,
					     char *round)
{
	Daler__Payments__V1__CreatePaymentRequest *request =
		request_new(slot, rt_uuid_v7(), any_amount(slot));
	Daler__Payments__V1__Settlement *settlement =
		rt_arena_alloc(&slot->arena, sizeof(*settlement));
	RT_ASSERT(settlement);
	daler__payments__v1__settlement__init(settlement);
	settlement->account_id = player;
	settlement->game_account_id = game;
	settlement->round_id = round;
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_SETTLEMENT;
	request->settlement = settlement;
	return &request->base;
}

/* Phase 0 sends a wager of a new round, phase 1 what the round pays. */
static const ProtobufCMessage *build_round(struct slot *slot)
{
	size_t players = load_world_of(slot)->account_count - 1 - GAMES;
	if (slot->phase == 0) {
		slot->round = rt_uuid_v7();
		slot->player = 1 + GAMES + load_random(slot, players);
	}
	char *round = rt_arena_alloc(&slot->arena, RT_UUID_TEXT_BYTES);
	RT_ASSERT(round);
	rt_uuid_format(&slot->round, round);
	char *player = account(slot, slot->player);
	char *game = account(slot, 1 + slot->player % GAMES);
	return slot->phase == 0 ? wager_of(slot, player, game, round)
				: settlement_of(slot, player, game, round);
}

/* Payments of which the provider says "pending" for a while: half of them in, half out. */
static const ProtobufCMessage *build_pending(struct slot *slot)
{
	static char instrument[] = "sim:pending=9000";
	return slot->serial % 2 == 0 ? deposit_of(slot, instrument)
				     : withdrawal_of(slot, instrument);
}

/* Money out, of which the provider says nothing: for a payments that does not reach it. */
static const ProtobufCMessage *build_open(struct slot *slot)
{
	static char instrument[] = "sim:ok";
	return withdrawal_of(slot, instrument);
}

/* The payment of this number, the same each time. */
static const ProtobufCMessage *numbered(struct slot *slot, uint64_t number)
{
	const struct load_world *world = load_world_of(slot);
	size_t others = world->account_count - 1;
	char name[32];
	(void)snprintf(name, sizeof(name), "finished-%llu", (unsigned long long)number);
	return transfer_between(slot, rt_uuid_derive(&world->ledger, name),
				1 + (int64_t)(number % AMOUNT_MINOR_MAX), 1 + number % others,
				1 + (number + 1) % others);
}

static const ProtobufCMessage *build_finish(struct slot *slot)
{
	return numbered(slot, slot->serial);
}

static const ProtobufCMessage *build_replay(struct slot *slot)
{
	return numbered(slot, load_random(slot, FINISHED_COUNT));
}

/* The payment that was asked for, in any state; NULL when the answer is of another. */
static const Daler__Payments__V1__Payment *payment_of(const struct slot *slot,
						      const ProtobufCMessage *reply, bool replayed)
{
	const Daler__Payments__V1__CreatePaymentResponse *response =
		(const Daler__Payments__V1__CreatePaymentResponse *)reply;
	struct rt_uuid key;
	if (!response->payment || (bool)response->replayed != replayed ||
	    !rt_uuid_parse(response->payment->idempotency_key, &key) ||
	    !rt_uuid_equal(&key, &slot->memory))
		return NULL;
	return response->payment;
}

static bool check_succeeded(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	const Daler__Payments__V1__Payment *payment = payment_of(slot, reply, false);
	*units = 1;
	return payment &&
	       payment->state == DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_SUCCEEDED;
}

static bool check_round(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	slot->phase = 1 - slot->phase;
	return check_succeeded(slot, reply, units);
}

static bool check_replayed(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	const Daler__Payments__V1__Payment *payment = payment_of(slot, reply, true);
	*units = 1;
	return payment &&
	       payment->state == DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_SUCCEEDED;
}

/* Neither refused nor finished. */
static bool check_open(struct slot *slot, const ProtobufCMessage *reply, uint64_t *units)
{
	const Daler__Payments__V1__Payment *payment = payment_of(slot, reply, false);
	*units = 1;
	return payment &&
	       (payment->state == DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_SUBMITTED ||
		payment->state == DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_UNKNOWN);
}

const struct load_case payments_cases[] = {
	{"transfer", 256, build_transfer, check_succeeded},
	{"wager", 256, build_round, check_round},
	{"deposit", 256, build_deposit, check_succeeded},
	{"finish", 256, build_finish, check_succeeded},
	{"replay", 256, build_replay, check_replayed},
	{"pending", 1000, build_pending, check_open},
	{"open", 256, build_open, check_open},
};
const size_t payments_case_count = sizeof(payments_cases) / sizeof(payments_cases[0]);

struct rt_status payments_set_up(const struct load_world *world, struct rt_channel *channel,
				 const char *bearer)
{
	CLEANUP(rt_arena_deinit) struct rt_arena arena;
	const ProtobufCMessage *reply = NULL;
	Daler__Payments__V1__RegisterClearingAccountRequest request;

	rt_arena_init(&arena, 1U << 20);
	daler__payments__v1__register_clearing_account_request__init(&request);
	request.ledger_id = rt_arena_strdup(&arena, world->ledger_id);
	request.connector = connector;
	request.currency = currency;
	request.account_id = world_account_id(world, CLEARING_ACCOUNT);
	struct rt_call_options options = {
		.deadline_mono_us = rt_clock_mono_us() + 30 * RT_US_PER_S,
		.bearer = bearer,
		.wait_for_ready = true,
	};
	return rt_channel_call(channel, &register_clearing, &request.base, &options, &arena,
			       &reply);
}
