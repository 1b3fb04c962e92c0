/* connector: the way to a payment service provider. */
#include <daler/connector/v1/connector.pb-c.h>
#include <daler/payments/v1/payments.pb-c.h>
#include <stdio.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define PAYMENTS  "daler.payments.v1.PaymentsService"
#define CONNECTOR "daler.connector.v1.ConnectorService"

static struct rt_status register_clearing_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(PAYMENTS, PAYMENTS, "RegisterClearingAccount",
			    daler__payments__v1__register_clearing_account_response);
	Daler__Payments__V1__RegisterClearingAccountRequest request;
	daler__payments__v1__register_clearing_account_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	request.connector = flag_text(ctl, "connector");
	request.currency = flag_text(ctl, "currency");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		printf("account %s mirrors %s at %s\n", request.account_id, request.currency,
		       request.connector);
	return rt_ok();
}

static void add_operation(struct ctl *ctl, struct table *table,
			  const Daler__Connector__V1__Operation *operation)
{
	TABLE_ROW(table, operation->reference,
		  show_enum(&daler__connector__v1__operation_kind__descriptor, (int)operation->kind,
			    "OPERATION_KIND_"),
		  show_amount(ctl, operation->amount_minor, operation->currency),
		  operation->currency,
		  show_enum(&daler__connector__v1__operation_status__descriptor,
			    (int)operation->status, "OPERATION_STATUS_"),
		  operation->decline_reason, show_time(ctl, operation->create_time));
}

static void operations_init(struct ctl *ctl, struct table *table)
{
	TABLE_HEADS(table, &ctl->arena, "REFERENCE", "KIND", ">AMOUNT", "CURRENCY", "STATUS",
		    "REASON", "CREATED");
}

static struct rt_status operations_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(CONNECTOR, CONNECTOR, "ListOperations",
			    daler__connector__v1__list_operations_response);
	Daler__Connector__V1__ListOperationsRequest request;
	daler__connector__v1__list_operations_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl)) {
		show_json(reply);
		return rt_ok();
	}
	const Daler__Connector__V1__ListOperationsResponse *answer = (const void *)reply;
	struct table table;
	operations_init(ctl, &table);
	for (size_t i = 0; i < answer->n_operations; i++)
		add_operation(ctl, &table, answer->operations[i]);
	table_print(&table, stdout);
	show_more(answer->next_page_token);
	return rt_ok();
}

static struct rt_status operation_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		CONNECTOR, CONNECTOR, "GetOperation", daler__connector__v1__get_operation_response);
	Daler__Connector__V1__GetOperationRequest request;
	daler__connector__v1__get_operation_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	request.reference = flag_text(ctl, "reference");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Connector__V1__GetOperationResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
	} else if (answer->operation != NULL) {
		struct table table;
		operations_init(ctl, &table);
		add_operation(ctl, &table, answer->operation);
		table_print(&table, stdout);
	}
	return rt_ok();
}

static const struct flag register_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"connector", NULL, "NAME", FLAG_REQUIRED, "1 to 32 characters of a-z 0-9 -"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, that of the account"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account that mirrors our money there"},
};

static const struct flag operations_flags[] = {
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag operation_flags[] = {
	{"reference", NULL, "TEXT", FLAG_REQUIRED, "ours, of the operation"},
};

static const struct command connector_commands[] = {
	{.verb = "register-clearing",
	 .purpose = "name the account that mirrors our money at a provider",
	 .flags = register_flags,
	 .flag_count = CTL_COUNT(register_flags),
	 .run = register_clearing_run},
	{.verb = "operations",
	 .purpose = "list what the provider has in its books",
	 .flags = operations_flags,
	 .flag_count = CTL_COUNT(operations_flags),
	 .run = operations_run},
	{.verb = "operation",
	 .purpose = "show one operation of the provider",
	 .flags = operation_flags,
	 .flag_count = CTL_COUNT(operation_flags),
	 .run = operation_run},
};

const struct command_group ctl_connector_group = {
	"connector", "Connectors: the ways to payment service providers.", connector_commands,
	CTL_COUNT(connector_commands)};
