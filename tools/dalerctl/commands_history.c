/* account statement, account balance, ledger verify: what was. */
#include <daler/accounts/v1/accounts.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define ACCOUNTS "daler.accounts.v1.AccountsService"

static const char *kind_text(const Daler__Accounts__V1__Transfer *transfer)
{
	switch ((int)transfer->kind_case) {
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD:
		return "hold";
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE:
		return "capture";
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE:
		return "release";
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_BALANCING:
		return "balancing";
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_REVERSAL:
		return "reversal";
	case DALER__ACCOUNTS__V1__TRANSFER__KIND_EXPIRY:
		return "expiry";
	default:
		return "transfer";
	}
}

/* What the whole range began and ended with, whichever page this is. */
static void show_ends(struct ctl *ctl, const Daler__Accounts__V1__GetStatementResponse *reply)
{
	const char *currency = reply->account->currency;
	if (reply->opening_balances == NULL || reply->closing_balances == NULL)
		return;
	printf("opening %s, closing %s (entries %lld to %lld)\n",
	       show_money(ctl, reply->opening_balances->posted_minor, currency),
	       show_money(ctl, reply->closing_balances->posted_minor, currency),
	       (long long)reply->opening_balances->sequence + 1,
	       (long long)reply->closing_balances->sequence);
}

static void show_statement(struct ctl *ctl, const Daler__Accounts__V1__GetStatementResponse *reply)
{
	const Daler__Accounts__V1__AccountMetadata *account = reply->account;
	struct table table;
	if (account == NULL)
		return;
	printf("%s %s, owner %s, in %s\n", account->account_id, account->label, account->owner,
	       account->currency);
	TABLE_HEADS(&table, &ctl->arena, ">#", "TIME", "KIND", ">DEBIT", ">CREDIT", ">BALANCE",
		    ">AVAILABLE", "REFERENCE", "TRANSFER");
	for (size_t i = 0; i < reply->n_entries; i++) {
		const Daler__Accounts__V1__StatementEntry *entry = reply->entries[i];
		if (entry->transfer == NULL || entry->balances == NULL)
			continue;
		bool debit = strcmp(entry->transfer->debit_account_id, account->account_id) == 0;
		const char *amount = show_amount(ctl, entry->moved_minor, account->currency);
		TABLE_ROW(&table, show_int(ctl, entry->sequence),
			  show_time(ctl, entry->create_time), kind_text(entry->transfer),
			  debit ? amount : "", debit ? "" : amount,
			  show_amount(ctl, entry->balances->posted_minor, account->currency),
			  show_amount(ctl, entry->balances->available_minor, account->currency),
			  entry->transfer->reference, entry->transfer->transfer_id);
	}
	table_print(&table, stdout);
	show_ends(ctl, reply);
	show_more(reply->next_page_token);
}

/* *place stays NULL, which means no bound, when the flag is absent. */
static struct rt_status moment_take(const struct ctl *ctl, const char *name,
				    Google__Protobuf__Timestamp *time,
				    Google__Protobuf__Timestamp **place)
{
	int64_t wall_us = 0;
	if (!flag_given(ctl, name))
		return rt_ok();
	RT_TRY(flag_moment(ctl, name, &wall_us));
	google__protobuf__timestamp__init(time);
	time->seconds = wall_us / 1000000;
	time->nanos = (int32_t)(wall_us % 1000000 * 1000);
	if (time->nanos < 0) {
		time->nanos += 1000000000;
		time->seconds--;
	}
	*place = time;
	return rt_ok();
}

struct rt_status account_statement_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetStatement", daler__accounts__v1__get_statement_response);
	Daler__Accounts__V1__GetStatementRequest request;
	daler__accounts__v1__get_statement_request__init(&request);
	Google__Protobuf__Timestamp from, to;
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	RT_TRY(flag_int(ctl, "from", 0, &request.from_sequence));
	RT_TRY(flag_int(ctl, "to", 0, &request.to_sequence));
	RT_TRY(moment_take(ctl, "from-time", &from, &request.from_time));
	RT_TRY(moment_take(ctl, "to-time", &to, &request.to_time));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	request.descending = flag_given(ctl, "descending");
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_statement(ctl, (const void *)reply);
	return rt_ok();
}

static struct rt_status currency_ask(struct ctl *ctl, char *ledger_id, char *account_id,
				     const char **currency)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "GetAccountMetadata",
			    daler__accounts__v1__get_account_metadata_response);
	Daler__Accounts__V1__GetAccountMetadataRequest request;
	daler__accounts__v1__get_account_metadata_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	request.ledger_id = ledger_id;
	request.account_id = account_id;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetAccountMetadataResponse *answer = (const void *)reply;
	*currency = answer->metadata != NULL ? answer->metadata->currency : "";
	return rt_ok();
}

static void show_balances(struct ctl *ctl, const Daler__Accounts__V1__Balances *balances,
			  const char *currency)
{
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "posted", show_money(ctl, balances->posted_minor, currency));
	TABLE_ROW(&table, "available", show_money(ctl, balances->available_minor, currency));
	TABLE_ROW(&table, "debits", show_amount(ctl, balances->debits_posted_minor, currency));
	TABLE_ROW(&table, "credits", show_amount(ctl, balances->credits_posted_minor, currency));
	TABLE_ROW(&table, "pending debits",
		  show_amount(ctl, balances->debits_pending_minor, currency));
	TABLE_ROW(&table, "pending credits",
		  show_amount(ctl, balances->credits_pending_minor, currency));
	TABLE_ROW(&table, "entries", show_int(ctl, balances->sequence));
	table_print(&table, stdout);
}

struct rt_status account_balance_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetBalanceAt", daler__accounts__v1__get_balance_at_response);
	Daler__Accounts__V1__GetBalanceAtRequest request;
	daler__accounts__v1__get_balance_at_request__init(&request);
	Google__Protobuf__Timestamp time;
	const ProtobufCMessage *reply = NULL;
	const char *currency = "";
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	RT_TRY(moment_take(ctl, "at", &time, &request.time));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetBalanceAtResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
	} else if (answer->balances != NULL) {
		RT_TRY(currency_ask(ctl, request.ledger_id, request.account_id, &currency));
		show_balances(ctl, answer->balances, currency);
	}
	return rt_ok();
}

/* What a verification has said so far. */
struct verifying {
	bool json;
	bool complete;
	int64_t discrepancies;
};

static void verify_message(void *context, const ProtobufCMessage *reply)
{
	struct verifying *verifying = context;
	const Daler__Accounts__V1__VerifyLedgerResponse *answer = (const void *)reply;
	verifying->complete = answer->complete;
	verifying->discrepancies += (int64_t)answer->n_discrepancies;
	if (verifying->json) {
		show_json(reply);
		return;
	}
	for (size_t i = 0; i < answer->n_discrepancies; i++) {
		const Daler__Accounts__V1__Discrepancy *found = answer->discrepancies[i];
		printf("%s account %s transfer %s: %s\n", found->reason,
		       found->account_id[0] ? found->account_id : "-",
		       found->transfer_id[0] ? found->transfer_id : "-", found->detail);
	}
	fprintf(stderr, "%lld accounts, %lld transfers\n", (long long)answer->account_count,
		(long long)answer->transfer_count);
}

struct rt_status ledger_verify_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "VerifyLedger", daler__accounts__v1__verify_ledger_response);
	Daler__Accounts__V1__VerifyLedgerRequest request;
	daler__accounts__v1__verify_ledger_request__init(&request);
	struct verifying verifying = {.json = show_is_json(ctl)};
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(link_stream(ctl, &method, &request.base, verify_message, &verifying));
	if (!verifying.complete)
		return RT_FAIL(UNAVAILABLE, "INCOMPLETE", "the verification ended early");
	if (!verifying.json)
		printf("%lld discrepancies\n", (long long)verifying.discrepancies);
	ctl->exit = verifying.discrepancies == 0 ? CTL_DONE : CTL_REFUSED;
	return rt_ok();
}
