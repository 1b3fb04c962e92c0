/* payment: business operations that cross systems. */
#include <daler/payments/v1/payments.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "show.h"

#define PAYMENTS "daler.payments.v1.PaymentsService"
#define POLL_US  (200 * RT_US_PER_MS)

static const struct link_method create_method = LINK_METHOD(
	PAYMENTS, PAYMENTS, "CreatePayment", daler__payments__v1__create_payment_response);
static const struct link_method get_method =
	LINK_METHOD(PAYMENTS, PAYMENTS, "GetPayment", daler__payments__v1__get_payment_response);
static const struct link_method list_method = LINK_METHOD(
	PAYMENTS, PAYMENTS, "ListPayments", daler__payments__v1__list_payments_response);

static const char *state_text(Daler__Payments__V1__PaymentState state)
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

static const char *kind_text(const Daler__Payments__V1__Payment *payment)
{
	if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_DEPOSIT)
		return "deposit";
	if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_WITHDRAWAL)
		return "withdrawal";
	return payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_TRANSFER ? "transfer" : "?";
}

static void add_kind(struct table *table, const Daler__Payments__V1__Payment *payment)
{
	TABLE_ROW(table, "kind", kind_text(payment));
	if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_DEPOSIT) {
		TABLE_ROW(table, "to account", payment->deposit->account_id);
		TABLE_ROW(table, "through", payment->deposit->connector);
	} else if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_WITHDRAWAL) {
		TABLE_ROW(table, "from account", payment->withdrawal->account_id);
		TABLE_ROW(table, "through", payment->withdrawal->connector);
	} else if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_TRANSFER) {
		TABLE_ROW(table, "from account", payment->transfer->from_account_id);
		TABLE_ROW(table, "to account", payment->transfer->to_account_id);
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
	TABLE_ROW(&table, "state", state_text(payment->state));
	if (payment->reason[0] != '\0')
		TABLE_ROW(&table, "reason", payment->reason);
	add_refusal(ctl, &table, payment);
	if (replayed)
		TABLE_ROW(&table, "replayed", "yes: this key's payment was there already");
	add_kind(&table, payment);
	TABLE_ROW(&table, "amount", show_money(ctl, payment->amount_minor, payment->currency));
	TABLE_ROW(&table, "key", payment->idempotency_key);
	TABLE_ROW(&table, "reference", payment->reference);
	TABLE_ROW(&table, "ledger", payment->ledger_id);
	TABLE_ROW(&table, "created", show_time(ctl, payment->create_time));
	TABLE_ROW(&table, "updated", show_time(ctl, payment->update_time));
	table_print(&table, stdout);
}

static void show_timeline(struct ctl *ctl, const Daler__Payments__V1__GetPaymentResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, ">#", "TIME", "STATE", "REASON");
	for (size_t i = 0; i < reply->n_events; i++)
		TABLE_ROW(&table, show_int(ctl, reply->events[i]->version),
			  show_time(ctl, reply->events[i]->create_time),
			  state_text(reply->events[i]->state), reply->events[i]->reason);
	putchar('\n');
	table_print(&table, stdout);
}

/* The kinds' messages, of which a request refers to one. */
struct kinds {
	Daler__Payments__V1__Deposit deposit;
	Daler__Payments__V1__Withdrawal withdrawal;
	Daler__Payments__V1__InternalTransfer transfer;
};

static void kinds_init(struct kinds *kinds)
{
	daler__payments__v1__deposit__init(&kinds->deposit);
	daler__payments__v1__withdrawal__init(&kinds->withdrawal);
	daler__payments__v1__internal_transfer__init(&kinds->transfer);
}

static struct rt_status flag_forbid(const struct ctl *ctl, const char *name)
{
	return flag_given(ctl, name) ? CTL_USAGE_ERROR("a %s has no --%s", ctl->operand, name)
				     : rt_ok();
}

static struct rt_status transfer_take(const struct ctl *ctl, struct kinds *kinds,
				      Daler__Payments__V1__CreatePaymentRequest *request)
{
	RT_TRY(flag_forbid(ctl, "connector"));
	RT_TRY(flag_forbid(ctl, "instrument"));
	RT_TRY(flag_id(ctl, "account", &kinds->transfer.from_account_id));
	RT_TRY(flag_id(ctl, "to-account", &kinds->transfer.to_account_id));
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_TRANSFER;
	request->transfer = &kinds->transfer;
	return rt_ok();
}

static struct rt_status kind_take(struct ctl *ctl, struct kinds *kinds,
				  Daler__Payments__V1__CreatePaymentRequest *request)
{
	static char connector[] = "simulator";
	static char instrument[] = "sim:ok";
	if (strcmp(ctl->operand, "transfer") == 0)
		return transfer_take(ctl, kinds, request);
	RT_TRY(flag_forbid(ctl, "to-account"));
	if (strcmp(ctl->operand, "deposit") == 0) {
		request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_DEPOSIT;
		request->deposit = &kinds->deposit;
		kinds->deposit.connector = flag_text_or(ctl, "connector", connector);
		kinds->deposit.instrument = flag_text_or(ctl, "instrument", instrument);
		return flag_id(ctl, "account", &kinds->deposit.account_id);
	}
	request->kind_case = DALER__PAYMENTS__V1__CREATE_PAYMENT_REQUEST__KIND_WITHDRAWAL;
	request->withdrawal = &kinds->withdrawal;
	kinds->withdrawal.connector = flag_text_or(ctl, "connector", connector);
	kinds->withdrawal.instrument = flag_text_or(ctl, "instrument", instrument);
	return flag_id(ctl, "account", &kinds->withdrawal.account_id);
}

static struct rt_status request_take(struct ctl *ctl, struct kinds *kinds,
				     Daler__Payments__V1__CreatePaymentRequest *request)
{
	const struct rt_currency *currency = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request->ledger_id));
	RT_TRY(flag_currency(ctl, "currency", &currency));
	RT_TRY(flag_amount(ctl, "amount", currency, &request->amount_minor));
	RT_TRY(kind_take(ctl, kinds, request));
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
	struct kinds kinds;
	kinds_init(&kinds);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(request_take(ctl, &kinds, &request));
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

static struct rt_status state_take(const struct ctl *ctl, Daler__Payments__V1__PaymentState *state)
{
	const char *text = flag_text(ctl, "state");
	const ProtobufCEnumDescriptor *descriptor = &daler__payments__v1__payment_state__descriptor;
	for (unsigned i = 0; text != NULL && i < descriptor->n_values; i++) {
		int value = descriptor->values[i].value;
		if (value != 0 &&
		    strcasecmp(state_text((Daler__Payments__V1__PaymentState)value), text) == 0) {
			*state = (Daler__Payments__V1__PaymentState)value;
			return rt_ok();
		}
	}
	return text == NULL ? rt_ok() : CTL_USAGE_ERROR("--state: there is no state '%.40s'", text);
}

static void show_payments(struct ctl *ctl, const Daler__Payments__V1__ListPaymentsResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "PAYMENT", "CREATED", "KIND", ">AMOUNT", "CURRENCY",
		    "STATE", "REASON", "REFERENCE");
	for (size_t i = 0; i < reply->n_payments; i++) {
		const Daler__Payments__V1__Payment *payment = reply->payments[i];
		TABLE_ROW(&table, payment->payment_id, show_time(ctl, payment->create_time),
			  kind_text(payment),
			  show_amount(ctl, payment->amount_minor, payment->currency),
			  payment->currency, state_text(payment->state), payment->reason,
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
	RT_TRY(state_take(ctl, &request.state));
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
	{"account", "from-account", "ID", FLAG_REQUIRED,
	 "deposit: credited; withdrawal, transfer: debited"},
	{"to-account", NULL, "ID", FLAG_OPTIONAL, "transfer: credited"},
	{"amount", NULL, "AMOUNT", FLAG_REQUIRED, "decimal, such as 50.00"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, such as EUR"},
	{"key", NULL, "KEY", FLAG_OPTIONAL,
	 "makes it safe to repeat; a new one is made, and printed before it is sent"},
	{"connector", NULL, "NAME", FLAG_OPTIONAL,
	 "deposit, withdrawal: through which (default simulator)"},
	{"instrument", NULL, "TOKEN", FLAG_OPTIONAL,
	 "who pays or is paid, as the provider knows them (default sim:ok)"},
	{"reference", NULL, "TEXT", FLAG_OPTIONAL, "your own, up to 128 characters"},
	{"no-wait", NULL, NULL, FLAG_OPTIONAL, "don't wait until the payment rests"},
};

static const struct flag get_flags[] = {
	{"payment-id", "payment", "ID", FLAG_REQUIRED, "the payment"},
};

static const struct flag list_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"state", NULL, "STATE", FLAG_OPTIONAL, "only in this state, such as succeeded"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct command payment_commands[] = {
	{.verb = "create",
	 .operand = "deposit|withdrawal|transfer",
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
	{.verb = "list",
	 .purpose = "list the payments of a ledger, newest first",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = payment_list_run},
};

const struct command_group ctl_payment_group = {"payment",
						"Payments: deposits, withdrawals, transfers.",
						payment_commands, CTL_COUNT(payment_commands)};
