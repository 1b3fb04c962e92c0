/* payment: business operations that cross systems. */
#include <daler/payments/v1/payments.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "payment.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "show.h"

#define PAYMENTS "daler.payments.v1.PaymentsService"
#define POLL_US  (200 * RT_US_PER_MS)

static const struct link_method create_method = LINK_METHOD(
	PAYMENTS, PAYMENTS, "CreatePayment", daler__payments__v1__create_payment_response);
static const struct link_method cancel_method = LINK_METHOD(
	PAYMENTS, PAYMENTS, "CancelPayment", daler__payments__v1__cancel_payment_response);
static const struct link_method get_method =
	LINK_METHOD(PAYMENTS, PAYMENTS, "GetPayment", daler__payments__v1__get_payment_response);
static const struct link_method list_method = LINK_METHOD(
	PAYMENTS, PAYMENTS, "ListPayments", daler__payments__v1__list_payments_response);

const char *payment_state_text(Daler__Payments__V1__PaymentState state)
{
	return show_enum(&daler__payments__v1__payment_state__descriptor, (int)state,
			 "PAYMENT_STATE_");
}

enum standing { GOES_ON, DONE, NOT_DONE, FOR_A_PERSON };

static enum standing standing_of(const Daler__Payments__V1__Payment *payment)
{
	switch ((int)payment->state) {
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_SUCCEEDED:
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_PARTLY_REFUNDED:
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_REFUNDED:
		return DONE;
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_DECLINED:
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_CANCELED:
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_COMPENSATED:
		return NOT_DONE;
	case DALER__PAYMENTS__V1__PAYMENT_STATE__PAYMENT_STATE_MANUAL_REVIEW:
		return FOR_A_PERSON;
	default:
		return GOES_ON;
	}
}

/* Whether the payment goes on by itself. */
static bool is_open(const Daler__Payments__V1__Payment *payment)
{
	return standing_of(payment) == GOES_ON;
}

static enum ctl_exit exit_of(const Daler__Payments__V1__Payment *payment)
{
	enum standing standing = standing_of(payment);

	if (standing == DONE)
		return CTL_DONE;
	return standing == NOT_DONE ? CTL_REFUSED : CTL_UNCERTAIN;
}

#define KIND(NAME) DALER__PAYMENTS__V1__PAYMENT__KIND_##NAME

const char *payment_kind_text(const Daler__Payments__V1__Payment *payment)
{
	static const char *const names[] = {
		[KIND(DEPOSIT)] = "deposit",
		[KIND(WITHDRAWAL)] = "withdrawal",
		[KIND(TRANSFER)] = "transfer",
		[KIND(REMOTE_TRANSFER)] = "transfer between ledgers",
		[KIND(REFUND)] = "refund",
		[KIND(WAGER)] = "wager",
		[KIND(SETTLEMENT)] = "settlement",
		[KIND(ROLLBACK)] = "rollback",
	};
	size_t kind = (size_t)payment->kind_case;

	/* A newer service may know more. */
	return kind < sizeof(names) / sizeof(names[0]) && names[kind] != NULL ? names[kind] : "?";
}

static void add_round(struct table *table, const char *from, const char *to, const char *round)
{
	TABLE_ROW(table, "from account", from);
	TABLE_ROW(table, "to account", to);
	TABLE_ROW(table, "round", round);
}

static void add_kind(struct table *table, const Daler__Payments__V1__Payment *payment)
{
	TABLE_ROW(table, "kind", payment_kind_text(payment));
	switch ((int)payment->kind_case) {
	case KIND(DEPOSIT):
		TABLE_ROW(table, "to account", payment->deposit->account_id);
		TABLE_ROW(table, "through", payment->deposit->connector);
		break;
	case KIND(WITHDRAWAL):
		TABLE_ROW(table, "from account", payment->withdrawal->account_id);
		TABLE_ROW(table, "through", payment->withdrawal->connector);
		break;
	case KIND(TRANSFER):
		TABLE_ROW(table, "from account", payment->transfer->from_account_id);
		TABLE_ROW(table, "to account", payment->transfer->to_account_id);
		break;
	case KIND(REMOTE_TRANSFER):
		TABLE_ROW(table, "from account", payment->remote_transfer->from_account_id);
		TABLE_ROW(table, "to ledger", payment->remote_transfer->to_ledger_id);
		TABLE_ROW(table, "to account", payment->remote_transfer->to_account_id);
		break;
	case KIND(REFUND):
		TABLE_ROW(table, "of payment", payment->refund->payment_id);
		break;
	case KIND(WAGER):
		add_round(table, payment->wager->account_id, payment->wager->game_account_id,
			  payment->wager->round_id);
		break;
	case KIND(SETTLEMENT):
		add_round(table, payment->settlement->game_account_id,
			  payment->settlement->account_id, payment->settlement->round_id);
		break;
	case KIND(ROLLBACK):
		TABLE_ROW(table, "player's account", payment->rollback->account_id);
		TABLE_ROW(table, "game's account", payment->rollback->game_account_id);
		TABLE_ROW(table, "round", payment->rollback->round_id);
		break;
	default:
		break;
	}
}

static void add_refusal(struct ctl *ctl, struct table *table,
			const Daler__Payments__V1__Payment *payment)
{
	const Daler__Payments__V1__LimitRefusal *refusal = payment->limit_refusal;
	if (refusal == NULL)
		return;
	if (refusal->measure != DALER__PAYMENTS__V1__LIMIT_MEASURE__LIMIT_MEASURE_UNSPECIFIED) {
		TABLE_ROW(table, "limited are",
			  show_enum(&daler__payments__v1__limit_measure__descriptor,
				    (int)refusal->measure, "LIMIT_MEASURE_"));
		TABLE_ROW(table, "each",
			  show_enum(&daler__payments__v1__limit_period__descriptor,
				    (int)refusal->period, "LIMIT_PERIOD_"));
		TABLE_ROW(table, "to", show_money(ctl, refusal->limit_minor, payment->currency));
		TABLE_ROW(table, "left was",
			  show_money(ctl, refusal->left_minor, payment->currency));
	}
	TABLE_ROW(table, "until",
		  refusal->until != NULL ? show_time(ctl, refusal->until) : "for ever");
}

static void show_payment(struct ctl *ctl, const Daler__Payments__V1__Payment *payment,
			 bool replayed)
{
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "payment", payment->payment_id);
	TABLE_ROW(&table, "state", payment_state_text(payment->state));
	if (payment->reason[0] != '\0')
		TABLE_ROW(&table, "reason", payment->reason);
	add_refusal(ctl, &table, payment);
	if (replayed)
		TABLE_ROW(&table, "replayed", "yes: this key's payment was there already");
	add_kind(&table, payment);
	TABLE_ROW(&table, "amount", show_money(ctl, payment->amount_minor, payment->currency));
	if (payment->fee != NULL)
		TABLE_ROW(&table, "fee",
			  show_money(ctl, payment->fee->amount_minor, payment->currency));
	TABLE_ROW(&table, "key", payment->idempotency_key);
	TABLE_ROW(&table, "reference", payment->reference);
	TABLE_ROW(&table, "ledger", payment->ledger_id);
	TABLE_ROW(&table, "created", show_time(ctl, payment->create_time));
	TABLE_ROW(&table, "updated", show_time(ctl, payment->update_time));
	table_print(&table, stdout);
}

static void show_posts(struct ctl *ctl, const Daler__Payments__V1__GetPaymentResponse *reply)
{
	struct table table;
	if (reply->n_posts == 0)
		return;
	TABLE_HEADS(&table, &ctl->arena, "STEP", "OUTCOME", "REASON", "TRANSFER", "KIND",
		    ">AMOUNT");
	for (size_t i = 0; i < reply->n_posts; i++) {
		const Daler__Payments__V1__LedgerPost *post = reply->posts[i];
		for (size_t j = 0; j < post->n_transfers; j++)
			TABLE_ROW(&table, post->step, post->outcome, post->reason,
				  post->transfers[j]->transfer_id, post->transfers[j]->kind,
				  show_amount(ctl, post->transfers[j]->amount_minor,
					      reply->payment->currency));
	}
	putchar('\n');
	table_print(&table, stdout);
}

static void show_timeline(struct ctl *ctl, const Daler__Payments__V1__GetPaymentResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, ">#", "TIME", "STATE", "REASON", "WHO", "WHY");
	for (size_t i = 0; i < reply->n_events; i++)
		TABLE_ROW(&table, show_int(ctl, reply->events[i]->version),
			  show_time(ctl, reply->events[i]->create_time),
			  payment_state_text(reply->events[i]->state), reply->events[i]->reason,
			  reply->events[i]->actor, reply->events[i]->evidence);
	putchar('\n');
	table_print(&table, stdout);
	show_posts(ctl, reply);
	if (reply->n_calls == 0)
		return;
	TABLE_HEADS(&table, &ctl->arena, "CALL", "TIME", "RESULT", "REASON", ">TRY", "REFERENCE",
		    "THEIR REFERENCE");
	for (size_t i = 0; i < reply->n_calls; i++)
		TABLE_ROW(&table, reply->calls[i]->action,
			  show_time(ctl, reply->calls[i]->end_time), reply->calls[i]->result,
			  reply->calls[i]->reason, show_int(ctl, reply->calls[i]->attempt),
			  reply->calls[i]->reference, reply->calls[i]->provider_reference);
	putchar('\n');
	table_print(&table, stdout);
}

/* The fee and who receives it go together. */
static struct rt_status fee_take(struct ctl *ctl, const struct rt_currency *currency,
				 Daler__Payments__V1__CreatePaymentRequest *request)
{
	if (!flag_given(ctl, "fee") && !flag_given(ctl, "fee-account"))
		return rt_ok();
	if (!flag_given(ctl, "fee") || !flag_given(ctl, "fee-account"))
		return CTL_USAGE_ERROR("a fee needs --fee and --fee-account");
	request->fee = rt_arena_alloc(&ctl->arena, sizeof(*request->fee));
	RT_ASSERT(request->fee != NULL);
	daler__payments__v1__fee__init(request->fee);
	RT_TRY(flag_amount(ctl, "fee", currency, &request->fee->amount_minor));
	return flag_id(ctl, "fee-account", &request->fee->account_id);
}

static struct rt_status request_take(struct ctl *ctl,
				     Daler__Payments__V1__CreatePaymentRequest *request)
{
	const struct rt_currency *currency = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request->ledger_id));
	RT_TRY(flag_currency(ctl, "currency", &currency));
	RT_TRY(flag_amount(ctl, "amount", currency, &request->amount_minor));
	RT_TRY(payment_kind_take(ctl, request));
	RT_TRY(fee_take(ctl, currency, request));
	request->currency = flag_text(ctl, "currency");
	request->reference = flag_text_or(ctl, "reference", request->reference);
	request->idempotency_key = flag_text(ctl, "key");
	if (request->idempotency_key != NULL)
		return rt_ok();
	struct rt_uuid uuid = rt_uuid_v7();
	request->idempotency_key = rt_arena_alloc(&ctl->arena, RT_UUID_TEXT_BYTES);
	RT_ASSERT(request->idempotency_key != NULL);
	rt_uuid_format(&uuid, request->idempotency_key);
	show_made("key", request->idempotency_key);
	return rt_ok();
}

/* Reads the payment again until it rests or the time is over; *payment is then what was read last.
 */
static struct rt_status payment_await(struct ctl *ctl, Daler__Payments__V1__Payment **payment)
{
	Daler__Payments__V1__GetPaymentRequest request;
	daler__payments__v1__get_payment_request__init(&request);
	request.payment_id = (*payment)->payment_id;
	while (is_open(*payment) && rt_clock_mono_us() + POLL_US < ctl->deadline_mono_us) {
		const ProtobufCMessage *reply = NULL;
		rt_clock_sleep_us(POLL_US);
		RT_TRY(link_call(ctl, &get_method, &request.base, &reply));
		const Daler__Payments__V1__GetPaymentResponse *answer = (const void *)reply;
		if (answer->payment != NULL)
			*payment = answer->payment;
	}
	return rt_ok();
}

static struct rt_status payment_create_run(struct ctl *ctl)
{
	Daler__Payments__V1__CreatePaymentRequest request;
	daler__payments__v1__create_payment_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(request_take(ctl, &request));
	RT_TRY(link_call(ctl, &create_method, &request.base, &reply));
	Daler__Payments__V1__CreatePaymentResponse answer =
		*(const Daler__Payments__V1__CreatePaymentResponse *)(const void *)reply;
	if (answer.payment == NULL)
		return RT_FAIL(INTERNAL, "EMPTY_ANSWER", "payments answered without a payment");
	if (!flag_given(ctl, "no-wait"))
		RT_TRY(payment_await(ctl, &answer.payment));
	if (show_is_json(ctl))
		show_json(&answer.base);
	else
		show_payment(ctl, answer.payment, answer.replayed);
	ctl->exit = exit_of(answer.payment);
	if (ctl->exit == CTL_UNCERTAIN && is_open(answer.payment))
		fprintf(stderr,
			"dalerctl: not final yet; it goes on by itself: dalerctl payment get "
			"--payment-id %s\n",
			answer.payment->payment_id);
	return rt_ok();
}

static struct rt_status payment_get_run(struct ctl *ctl)
{
	Daler__Payments__V1__GetPaymentRequest request;
	daler__payments__v1__get_payment_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "payment-id", &request.payment_id));
	RT_TRY(link_call(ctl, &get_method, &request.base, &reply));
	const Daler__Payments__V1__GetPaymentResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
	} else if (answer->payment != NULL) {
		show_payment(ctl, answer->payment, false);
		show_timeline(ctl, answer);
	}
	return rt_ok();
}

static struct rt_status payment_cancel_run(struct ctl *ctl)
{
	Daler__Payments__V1__CancelPaymentRequest request;
	daler__payments__v1__cancel_payment_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "payment-id", &request.payment_id));
	RT_TRY(link_call(ctl, &cancel_method, &request.base, &reply));
	const Daler__Payments__V1__CancelPaymentResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->payment != NULL)
		show_payment(ctl, answer->payment, answer->replayed);
	return rt_ok();
}

static void show_payments(struct ctl *ctl, const Daler__Payments__V1__ListPaymentsResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "PAYMENT", "CREATED", "KIND", ">AMOUNT", "CURRENCY",
		    "STATE", "REASON", "REFERENCE");
	for (size_t i = 0; i < reply->n_payments; i++) {
		const Daler__Payments__V1__Payment *payment = reply->payments[i];
		TABLE_ROW(&table, payment->payment_id, show_time(ctl, payment->create_time),
			  payment_kind_text(payment),
			  show_amount(ctl, payment->amount_minor, payment->currency),
			  payment->currency, payment_state_text(payment->state), payment->reason,
			  payment->reference);
	}
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

static struct rt_status payment_list_run(struct ctl *ctl)
{
	Daler__Payments__V1__ListPaymentsRequest request;
	daler__payments__v1__list_payments_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(payment_filters_take(ctl, &request));
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &list_method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_payments(ctl, (const void *)reply);
	return rt_ok();
}

static const struct flag create_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "from-account", "ID", FLAG_OPTIONAL,
	 "deposit, settlement: credited; withdrawal, transfers, wager: debited; not for a refund"},
	{"to-account", NULL, "ID", FLAG_OPTIONAL, "transfers: credited"},
	{"to-ledger", NULL, "ID", FLAG_OPTIONAL, "remote-transfer: where that account is"},
	{"payment-id", "payment", "ID", FLAG_OPTIONAL, "refund: the deposit that is given back"},
	{"game-account", NULL, "ID", FLAG_OPTIONAL,
	 "wager: credited; settlement: debited; rollback: the original's"},
	{"round", NULL, "TEXT", FLAG_OPTIONAL, "wager, settlement, rollback: the round"},
	{"original-key", NULL, "KEY", FLAG_OPTIONAL, "rollback: the key of what it undoes"},
	{"original-caller", NULL, "WHO", FLAG_OPTIONAL,
	 "rollback: whose key that is (default your own)"},
	{"amount", NULL, "AMOUNT", FLAG_REQUIRED, "decimal, such as 50.00"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, such as EUR"},
	{"fee", NULL, "AMOUNT", FLAG_OPTIONAL, "on top, from the same account"},
	{"fee-account", NULL, "ID", FLAG_OPTIONAL, "who receives the fee"},
	{"key", NULL, "KEY", FLAG_OPTIONAL,
	 "makes it safe to repeat; a new one is made, and printed before it is sent"},
	{"connector", NULL, "NAME", FLAG_OPTIONAL,
	 "deposit, withdrawal: through which (default simulator)"},
	{"instrument", NULL, "TOKEN", FLAG_OPTIONAL,
	 "deposit, withdrawal, refund: who pays or is paid, as the provider knows them (default "
	 "sim:ok)"},
	{"reference", NULL, "TEXT", FLAG_OPTIONAL, "your own, up to 128 characters"},
	{"no-wait", NULL, NULL, FLAG_OPTIONAL, "don't wait until the payment rests"},
};

static const struct flag get_flags[] = {
	{"payment-id", "payment", "ID", FLAG_REQUIRED, "the payment"},
};

static const struct flag list_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"state", NULL, "STATE", FLAG_OPTIONAL, "only in this state, such as succeeded"},
	{"kind", NULL, "KIND", FLAG_OPTIONAL, "only of this kind, such as deposit"},
	{"account", NULL, "ID", FLAG_OPTIONAL, "only about this account"},
	{"caller", NULL, "WHO", FLAG_OPTIONAL, "only of this caller: a user's id, or a service"},
	{"connector", NULL, "NAME", FLAG_OPTIONAL, "only through this connector"},
	{"reference", NULL, "TEXT", FLAG_OPTIONAL, "only with this reference of the caller's"},
	{"from", NULL, "TIME", FLAG_OPTIONAL, "created then (UTC) or later"},
	{"to", NULL, "TIME", FLAG_OPTIONAL, "created before then"},
	{"currency", NULL, "CODE", FLAG_OPTIONAL, "only in this currency"},
	{"amount-min", NULL, "AMOUNT", FLAG_OPTIONAL, "at least so much; with --currency"},
	{"amount-max", NULL, "AMOUNT", FLAG_OPTIONAL, "at most so much; with --currency"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag watch_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"caller", NULL, "WHO", FLAG_OPTIONAL, "only of this caller: a user's id, or a service"},
	{"position", NULL, "POSITION", FLAG_OPTIONAL, "where an earlier watch ended"},
	{"from-now", NULL, NULL, FLAG_OPTIONAL, "not what has been, only what comes"},
};

static const struct flag stuck_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"seconds", NULL, "N", FLAG_OPTIONAL, "in their state for at least so long (default 60)"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag retry_flags[] = {
	{"payment-id", "payment", "ID", FLAG_REQUIRED, "the payment"},
	{"reason", NULL, "TEXT", FLAG_OPTIONAL, "why, for the record"},
};

static const struct flag resolve_flags[] = {
	{"payment-id", "payment", "ID", FLAG_REQUIRED, "the payment"},
	{"reason", NULL, "TEXT", FLAG_REQUIRED, "how it is known"},
	{"reference", NULL, "TEXT", FLAG_REQUIRED, "where that can be looked up"},
};

static const struct flag reconcile_flags[] = {
	{"connector", NULL, "NAME", FLAG_OPTIONAL, "which (default simulator)"},
	{"from", NULL, "TIME", FLAG_REQUIRED, "payments created then (UTC) or later"},
	{"to", NULL, "TIME", FLAG_OPTIONAL, "and before then (default now), at most 31 days later"},
};

static const struct flag actions_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"payment-id", "payment", "ID", FLAG_OPTIONAL, "only about this payment"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct command payment_commands[] = {
	{.verb = "create",
	 .operand = "deposit|withdrawal|transfer|remote-transfer|refund|wager|settlement|rollback",
	 .purpose = "pay",
	 .notes = "exit status: 0 succeeded; 1 declined (the outcome is printed, and the same key "
		  "returns it for ever);\n"
		  "3 not final when the time was over, or a person must look at it: the same "
		  "command may be repeated.\n",
	 .flags = create_flags,
	 .flag_count = CTL_COUNT(create_flags),
	 .run = payment_create_run},
	{.verb = "get",
	 .purpose = "show a payment with its timeline",
	 .flags = get_flags,
	 .flag_count = CTL_COUNT(get_flags),
	 .run = payment_get_run},
	{.verb = "cancel",
	 .purpose = "call a payment off, before the other side has been asked to act",
	 .notes = "exit status: 0 it is called off; 1 it is too late\n",
	 .flags = get_flags,
	 .flag_count = CTL_COUNT(get_flags),
	 .run = payment_cancel_run},
	{.verb = "list",
	 .purpose = "list the payments of a ledger, newest first",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = payment_list_run},
	{.verb = "watch",
	 .purpose = "print the changes of a ledger's payments as they come",
	 .notes = "ends when the time is over (--timeout), and prints the position from which to "
		  "go on\n",
	 .flags = watch_flags,
	 .flag_count = CTL_COUNT(watch_flags),
	 .run = payment_watch_run},
	{.verb = "stuck",
	 .purpose = "list what does not end by itself, oldest first, with why",
	 .flags = stuck_flags,
	 .flag_count = CTL_COUNT(stuck_flags),
	 .run = payment_stuck_run},
	{.verb = "retry",
	 .purpose = "try the next step now, instead of after its pause",
	 .flags = retry_flags,
	 .flag_count = CTL_COUNT(retry_flags),
	 .run = payment_retry_run},
	{.verb = "resolve",
	 .operand = "done|not-done",
	 .purpose = "say what the other side did, with evidence",
	 .notes = "done: it carried the payment out; not-done: it did not, and will not. It can't "
		  "be "
		  "taken back.\n",
	 .flags = resolve_flags,
	 .flag_count = CTL_COUNT(resolve_flags),
	 .run = payment_resolve_run},
	{.verb = "reconcile",
	 .purpose = "compare a connector's operations with payments",
	 .notes = "exit status: 0 nothing differs; 1 the differences are printed\n",
	 .flags = reconcile_flags,
	 .flag_count = CTL_COUNT(reconcile_flags),
	 .run = payment_reconcile_run},
	{.verb = "actions",
	 .purpose = "list what operators did, newest first",
	 .flags = actions_flags,
	 .flag_count = CTL_COUNT(actions_flags),
	 .run = payment_actions_run},
};

const struct command_group ctl_payment_group = {
	"payment", "Payments: deposits, withdrawals, transfers, refunds, wagers.", payment_commands,
	CTL_COUNT(payment_commands)};
