/* payment: what operators do about payments that do not end by themselves, and the stream of
 * changes. */
#include <daler/payments/v1/operations.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "payment.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "show.h"

#define PAYMENTS       "daler.payments.v1.PaymentsService"
#define OPERATIONS     "daler.payments.v1.OperationsService"
#define AGAIN_US       (500 * RT_US_PER_MS)
#define MESSAGE_BYTES  ((size_t)1 << 20)
#define POSITION_BYTES 128

static const struct link_method watch_method =
	LINK_METHOD(PAYMENTS, PAYMENTS, "Watch", daler__payments__v1__watch_response);
static const struct link_method stuck_method =
	LINK_METHOD(PAYMENTS, OPERATIONS, "ListStuckPayments",
		    daler__payments__v1__list_stuck_payments_response);
static const struct link_method retry_method = LINK_METHOD(
	PAYMENTS, OPERATIONS, "RetryPayment", daler__payments__v1__retry_payment_response);
static const struct link_method resolve_method = LINK_METHOD(
	PAYMENTS, OPERATIONS, "ResolvePayment", daler__payments__v1__resolve_payment_response);
static const struct link_method reconcile_method =
	LINK_METHOD(PAYMENTS, OPERATIONS, "ReconcileConnector",
		    daler__payments__v1__reconcile_connector_response);
static const struct link_method actions_method =
	LINK_METHOD(PAYMENTS, OPERATIONS, "ListOperatorActions",
		    daler__payments__v1__list_operator_actions_response);

struct watching {
	struct ctl *ctl;
	char position[POSITION_BYTES];
};

static void print_change(struct ctl *ctl, const Daler__Payments__V1__Payment *payment)
{
	printf("%s  %s  %3s  %s  %s  %s  %s\n", show_time(ctl, payment->update_time),
	       payment->payment_id, show_int(ctl, payment->version), payment_kind_text(payment),
	       show_money(ctl, payment->amount_minor, payment->currency),
	       payment_state_text(payment->state), payment->reason);
}

/* What is made for one message is gone after it: a watch may last. */
static void watch_message(void *context, const ProtobufCMessage *reply)
{
	struct watching *watching = context;
	struct ctl *ctl = watching->ctl;
	const Daler__Payments__V1__WatchResponse *change = (const void *)reply;
	struct rt_arena kept = ctl->arena;

	rt_arena_init(&ctl->arena, MESSAGE_BYTES);
	if (show_is_json(ctl))
		show_json(reply);
	else if (change->payment != NULL)
		print_change(ctl, change->payment);
	fflush(stdout);
	rt_arena_deinit(&ctl->arena);
	ctl->arena = kept;
	snprintf(watching->position, sizeof(watching->position), "%s", change->position);
}

/* Goes on from where it was when the service was away. */
struct rt_status payment_watch_run(struct ctl *ctl)
{
	Daler__Payments__V1__WatchRequest request;
	daler__payments__v1__watch_request__init(&request);
	struct watching watching = {.ctl = ctl};
	struct rt_status status = rt_ok();

	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.caller = flag_text_or(ctl, "caller", request.caller);
	request.from_now = flag_given(ctl, "from-now");
	snprintf(watching.position, sizeof(watching.position), "%s",
		 flag_text(ctl, "position") == NULL ? "" : flag_text(ctl, "position"));
	while (rt_clock_mono_us() + AGAIN_US < ctl->deadline_mono_us) {
		request.position = watching.position;
		request.from_now = request.from_now && watching.position[0] == '\0';
		status = link_stream(ctl, &watch_method, &request.base, watch_message, &watching);
		if (status.code != RT_UNAVAILABLE)
			break;
		rt_clock_sleep_us(AGAIN_US);
	}
	if (watching.position[0] != '\0')
		show_made("position", watching.position);
	bool over = status.code == RT_DEADLINE_EXCEEDED || status.code == RT_OUTCOME_UNKNOWN;

	return over ? rt_ok() : status;
}

static void show_stuck(struct ctl *ctl, const Daler__Payments__V1__ListStuckPaymentsResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "PAYMENT", "KIND", ">AMOUNT", "STATE", "SINCE", "REASON",
		    ">TRIES", "LAST ERROR", "NEXT TRY", "CONNECTOR");
	for (size_t i = 0; i < reply->n_payments; i++) {
		const Daler__Payments__V1__StuckPayment *stuck = reply->payments[i];
		const Daler__Payments__V1__Payment *payment = stuck->payment;
		const char *connector = "";

		if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_DEPOSIT)
			connector = payment->deposit->connector;
		else if (payment->kind_case == DALER__PAYMENTS__V1__PAYMENT__KIND_WITHDRAWAL)
			connector = payment->withdrawal->connector;
		TABLE_ROW(&table, payment->payment_id, payment_kind_text(payment),
			  show_money(ctl, payment->amount_minor, payment->currency),
			  payment_state_text(payment->state), show_time(ctl, stuck->since_time),
			  payment->reason, show_int(ctl, stuck->attempts), stuck->last_error,
			  stuck->next_try_time == NULL ? "" : show_time(ctl, stuck->next_try_time),
			  connector);
	}
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

struct rt_status payment_stuck_run(struct ctl *ctl)
{
	Daler__Payments__V1__ListStuckPaymentsRequest request;
	daler__payments__v1__list_stuck_payments_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0, seconds = 0;

	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_int(ctl, "seconds", 0, &seconds));
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.seconds_min = (int32_t)seconds;
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &stuck_method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_stuck(ctl, (const void *)reply);
	return rt_ok();
}

static void show_now(struct ctl *ctl, const ProtobufCMessage *reply,
		     const Daler__Payments__V1__Payment *payment)
{
	struct table table;

	if (show_is_json(ctl)) {
		show_json(reply);
		return;
	}
	if (payment == NULL)
		return;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "payment", payment->payment_id);
	TABLE_ROW(&table, "state", payment_state_text(payment->state));
	TABLE_ROW(&table, "reason", payment->reason);
	TABLE_ROW(&table, "since", show_time(ctl, payment->update_time));
	table_print(&table, stdout);
}

struct rt_status payment_retry_run(struct ctl *ctl)
{
	Daler__Payments__V1__RetryPaymentRequest request;
	daler__payments__v1__retry_payment_request__init(&request);
	const ProtobufCMessage *reply = NULL;

	RT_TRY(flag_id(ctl, "payment-id", &request.payment_id));
	request.reason = flag_text_or(ctl, "reason", request.reason);
	RT_TRY(link_call(ctl, &retry_method, &request.base, &reply));
	const Daler__Payments__V1__RetryPaymentResponse *answer = (const void *)reply;

	show_now(ctl, reply, answer->payment);
	return rt_ok();
}

struct rt_status payment_resolve_run(struct ctl *ctl)
{
	Daler__Payments__V1__ResolvePaymentRequest request;
	daler__payments__v1__resolve_payment_request__init(&request);
	const ProtobufCMessage *reply = NULL;

	RT_TRY(flag_id(ctl, "payment-id", &request.payment_id));
	request.outcome =
		strcmp(ctl->operand, "done") == 0
			? DALER__PAYMENTS__V1__RESOLUTION_OUTCOME__RESOLUTION_OUTCOME_DONE
			: DALER__PAYMENTS__V1__RESOLUTION_OUTCOME__RESOLUTION_OUTCOME_NOT_DONE;
	request.reason = flag_text(ctl, "reason");
	request.reference = flag_text(ctl, "reference");
	RT_TRY(link_call(ctl, &resolve_method, &request.base, &reply));
	const Daler__Payments__V1__ResolvePaymentResponse *answer = (const void *)reply;

	show_now(ctl, reply, answer->payment);
	return rt_ok();
}

static void show_differences(struct ctl *ctl,
			     const Daler__Payments__V1__ReconcileConnectorResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "DIFFERENCE", "REFERENCE", "OUR STATE", ">OURS", ">THEIRS",
		    "THEIR STATUS");
	for (size_t i = 0; i < reply->n_differences; i++) {
		const Daler__Payments__V1__Difference *one = reply->differences[i];
		const Daler__Connector__V1__Operation *theirs = one->theirs;

		TABLE_ROW(&table,
			  show_enum(&daler__payments__v1__difference_kind__descriptor,
				    (int)one->kind, "DIFFERENCE_KIND_"),
			  one->reference,
			  one->payment_id[0] == '\0' ? "" : payment_state_text(one->state),
			  one->payment_id[0] == '\0'
				  ? ""
				  : show_money(ctl, one->our_amount_minor, one->our_currency),
			  theirs == NULL ? ""
					 : show_money(ctl, theirs->amount_minor, theirs->currency),
			  theirs == NULL
				  ? ""
				  : show_enum(&daler__connector__v1__operation_status__descriptor,
					      (int)theirs->status, "OPERATION_STATUS_"));
	}
	table_print(&table, stdout);
	fprintf(stderr, "dalerctl: %lld operations and %lld payments compared, %lld differences\n",
		(long long)reply->operation_count, (long long)reply->payment_count,
		(long long)reply->difference_count);
}

static Google__Protobuf__Timestamp moment_of(int64_t wall_us)
{
	Google__Protobuf__Timestamp moment;
	google__protobuf__timestamp__init(&moment);
	moment.seconds = wall_us / RT_US_PER_S;
	moment.nanos = (int32_t)(wall_us % RT_US_PER_S) * 1000;
	return moment;
}

struct rt_status payment_reconcile_run(struct ctl *ctl)
{
	static char simulator[] = "simulator";
	Daler__Payments__V1__ReconcileConnectorRequest request;
	daler__payments__v1__reconcile_connector_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t start_us = 0, end_us = rt_clock_wall_us();

	RT_TRY(flag_moment(ctl, "from", &start_us));
	if (flag_given(ctl, "to"))
		RT_TRY(flag_moment(ctl, "to", &end_us));
	Google__Protobuf__Timestamp start = moment_of(start_us), end = moment_of(end_us);

	request.connector = flag_text_or(ctl, "connector", simulator);
	request.start_time = &start;
	request.end_time = &end;
	RT_TRY(link_call(ctl, &reconcile_method, &request.base, &reply));
	const Daler__Payments__V1__ReconcileConnectorResponse *answer = (const void *)reply;

	if (show_is_json(ctl))
		show_json(reply);
	else
		show_differences(ctl, answer);
	ctl->exit = answer->difference_count == 0 ? CTL_DONE : CTL_REFUSED;
	return rt_ok();
}

static void show_actions(struct ctl *ctl,
			 const Daler__Payments__V1__ListOperatorActionsResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "TIME", "PAYMENT", "ACTION", "OUTCOME", "FROM", "WHO",
		    "REASON", "REFERENCE");
	for (size_t i = 0; i < reply->n_actions; i++) {
		const Daler__Payments__V1__OperatorAction *one = reply->actions[i];

		TABLE_ROW(&table, show_time(ctl, one->create_time), one->payment_id, one->action,
			  one->outcome == 0
				  ? ""
				  : show_enum(&daler__payments__v1__resolution_outcome__descriptor,
					      (int)one->outcome, "RESOLUTION_OUTCOME_"),
			  payment_state_text(one->from_state), one->actor, one->reason,
			  one->reference);
	}
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

struct rt_status payment_actions_run(struct ctl *ctl)
{
	Daler__Payments__V1__ListOperatorActionsRequest request;
	daler__payments__v1__list_operator_actions_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;

	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	request.payment_id = flag_text_or(ctl, "payment-id", request.payment_id);
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &actions_method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_actions(ctl, (const void *)reply);
	return rt_ok();
}

/* The filters of `payment list`. */
static struct rt_status take_enum(const struct ctl *ctl, const char *name,
				  const ProtobufCEnumDescriptor *descriptor, const char *prefix,
				  int *value)
{
	const char *text = flag_text(ctl, name);

	for (unsigned i = 0; text != NULL && i < descriptor->n_values; i++) {
		int number = descriptor->values[i].value;

		if (number != 0 && strcasecmp(show_enum(descriptor, number, prefix), text) == 0) {
			*value = number;
			return rt_ok();
		}
	}
	return text == NULL ? rt_ok()
			    : CTL_USAGE_ERROR("--%s: there is no %s '%.40s'", name, name, text);
}

static struct rt_status take_moment(struct ctl *ctl, const char *name,
				    Google__Protobuf__Timestamp **moment)
{
	int64_t wall_us = 0;

	if (!flag_given(ctl, name))
		return rt_ok();
	RT_TRY(flag_moment(ctl, name, &wall_us));
	*moment = rt_arena_alloc(&ctl->arena, sizeof(**moment));
	RT_ASSERT(*moment != NULL);
	**moment = moment_of(wall_us);
	return rt_ok();
}

struct rt_status payment_filters_take(struct ctl *ctl,
				      Daler__Payments__V1__ListPaymentsRequest *request)
{
	int state = 0, kind = 0;

	RT_TRY(take_enum(ctl, "state", &daler__payments__v1__payment_state__descriptor,
			 "PAYMENT_STATE_", &state));
	RT_TRY(take_enum(ctl, "kind", &daler__payments__v1__payment_kind__descriptor,
			 "PAYMENT_KIND_", &kind));
	request->state = (Daler__Payments__V1__PaymentState)state;
	request->kind = (Daler__Payments__V1__PaymentKind)kind;
	request->account_id = flag_text_or(ctl, "account", request->account_id);
	request->caller = flag_text_or(ctl, "caller", request->caller);
	request->connector = flag_text_or(ctl, "connector", request->connector);
	request->reference = flag_text_or(ctl, "reference", request->reference);
	request->currency = flag_text_or(ctl, "currency", request->currency);
	RT_TRY(take_moment(ctl, "from", &request->start_time));
	RT_TRY(take_moment(ctl, "to", &request->end_time));
	if (flag_given(ctl, "amount-min"))
		RT_TRY(flag_minor(ctl, "amount-min", request->currency,
				  &request->amount_minor_min));
	return flag_given(ctl, "amount-max") ? flag_minor(ctl, "amount-max", request->currency,
							  &request->amount_minor_max)
					     : rt_ok();
}
