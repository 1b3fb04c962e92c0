/* account: who owns what. */
#include <daler/accounts/v1/accounts.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define ACCOUNTS "daler.accounts.v1.AccountsService"

static const char *side_text(Daler__Accounts__V1__NormalSide side)
{
	return show_enum(&daler__accounts__v1__normal_side__descriptor, (int)side, "NORMAL_SIDE_");
}

static const char *limit_text(struct ctl *ctl, const Daler__Accounts__V1__Limit *limit,
			      const char *currency)
{
	return limit != NULL ? show_amount(ctl, limit->amount_minor, currency) : "none";
}

static void show_account(struct ctl *ctl, const Daler__Accounts__V1__Account *account)
{
	const Daler__Accounts__V1__AccountMetadata *metadata = account->metadata;
	const Daler__Accounts__V1__Balances *balances = account->balances;
	struct table table;
	show_record_init(ctl, &table);
	if (metadata == NULL || balances == NULL)
		return;
	TABLE_ROW(&table, "account", metadata->account_id);
	TABLE_ROW(&table, "ledger", metadata->ledger_id);
	TABLE_ROW(&table, "owner", metadata->owner);
	TABLE_ROW(&table, "label", metadata->label);
	TABLE_ROW(&table, "currency", metadata->currency);
	TABLE_ROW(&table, "normal side", side_text(metadata->normal_side));
	TABLE_ROW(&table, "lower limit",
		  limit_text(ctl, metadata->lower_limit, metadata->currency));
	TABLE_ROW(&table, "upper limit",
		  limit_text(ctl, metadata->upper_limit, metadata->currency));
	TABLE_ROW(&table, "posted", show_amount(ctl, balances->posted_minor, metadata->currency));
	TABLE_ROW(&table, "available",
		  show_amount(ctl, balances->available_minor, metadata->currency));
	TABLE_ROW(&table, "entries", show_int(ctl, balances->sequence));
	TABLE_ROW(&table, "created", show_time(ctl, metadata->create_time));
	table_print(&table, stdout);
}

static struct rt_status side_take(const struct ctl *ctl, Daler__Accounts__V1__NormalSide *side)
{
	const char *text = flag_text(ctl, "normal-side");
	if (strcmp(text, "debit") == 0)
		*side = DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_DEBIT;
	else if (strcmp(text, "credit") == 0)
		*side = DALER__ACCOUNTS__V1__NORMAL_SIDE__NORMAL_SIDE_CREDIT;
	else
		return CTL_USAGE_ERROR("--normal-side must be debit or credit, not '%.40s'", text);
	return rt_ok();
}

/* *place stays NULL, which means no limit, when the flag is absent. */
static struct rt_status limit_take(const struct ctl *ctl, const char *name,
				   const struct rt_currency *currency,
				   Daler__Accounts__V1__Limit *limit,
				   Daler__Accounts__V1__Limit **place)
{
	if (!flag_given(ctl, name))
		return rt_ok();
	*place = limit;
	return flag_amount(ctl, name, currency, &limit->amount_minor);
}

static struct rt_status account_create_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "CreateAccounts",
			    daler__accounts__v1__create_accounts_response);
	Daler__Accounts__V1__CreateAccountsRequest request;
	daler__accounts__v1__create_accounts_request__init(&request);
	Daler__Accounts__V1__NewAccount account;
	daler__accounts__v1__new_account__init(&account);
	Daler__Accounts__V1__Limit lower;
	daler__accounts__v1__limit__init(&lower);
	Daler__Accounts__V1__Limit upper;
	daler__accounts__v1__limit__init(&upper);
	const struct rt_currency *currency = NULL;
	const ProtobufCMessage *reply = NULL;
	bool made = false;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_currency(ctl, "currency", &currency));
	RT_TRY(side_take(ctl, &account.normal_side));
	RT_TRY(limit_take(ctl, "lower-limit", currency, &lower, &account.lower_limit));
	RT_TRY(limit_take(ctl, "upper-limit", currency, &upper, &account.upper_limit));
	RT_TRY(flag_id_or_new(ctl, "account-id", &account.account_id, &made));
	account.owner = flag_text(ctl, "owner");
	account.currency = flag_text(ctl, "currency");
	account.label = flag_text_or(ctl, "label", account.label);
	request.n_accounts = 1;
	request.accounts = (Daler__Accounts__V1__NewAccount *[]){&account};
	if (made)
		show_made("account id", account.account_id);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__CreateAccountsResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->n_accounts == 1)
		show_account(ctl, answer->accounts[0]);
	return rt_ok();
}

static struct rt_status account_get_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetAccount", daler__accounts__v1__get_account_response);
	Daler__Accounts__V1__GetAccountRequest request;
	daler__accounts__v1__get_account_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetAccountResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->account != NULL)
		show_account(ctl, answer->account);
	return rt_ok();
}

static struct rt_status account_metadata_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "GetAccountMetadata",
			    daler__accounts__v1__get_account_metadata_response);
	Daler__Accounts__V1__GetAccountMetadataRequest request;
	daler__accounts__v1__get_account_metadata_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetAccountMetadataResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
	} else if (answer->metadata != NULL) {
		struct table table;
		show_record_init(ctl, &table);
		TABLE_ROW(&table, "account", answer->metadata->account_id);
		TABLE_ROW(&table, "owner", answer->metadata->owner);
		TABLE_ROW(&table, "label", answer->metadata->label);
		TABLE_ROW(&table, "currency", answer->metadata->currency);
		TABLE_ROW(&table, "normal side", side_text(answer->metadata->normal_side));
		TABLE_ROW(&table, "version", show_int(ctl, answer->metadata->version));
		table_print(&table, stdout);
	}
	return rt_ok();
}

static void show_accounts(struct ctl *ctl, const Daler__Accounts__V1__ListAccountsResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "ACCOUNT", "OWNER", "SIDE", ">POSTED", ">AVAILABLE",
		    "CURRENCY", "LABEL");
	for (size_t i = 0; i < reply->n_accounts; i++) {
		const Daler__Accounts__V1__AccountMetadata *metadata = reply->accounts[i]->metadata;
		const Daler__Accounts__V1__Balances *balances = reply->accounts[i]->balances;
		if (metadata == NULL || balances == NULL)
			continue;
		TABLE_ROW(&table, metadata->account_id, metadata->owner,
			  side_text(metadata->normal_side),
			  show_amount(ctl, balances->posted_minor, metadata->currency),
			  show_amount(ctl, balances->available_minor, metadata->currency),
			  metadata->currency, metadata->label);
	}
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

static struct rt_status account_list_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "ListAccounts", daler__accounts__v1__list_accounts_response);
	Daler__Accounts__V1__ListAccountsRequest request;
	daler__accounts__v1__list_accounts_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	request.owner = flag_text_or(ctl, "owner", request.owner);
	request.currency = flag_text_or(ctl, "currency", request.currency);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_accounts(ctl, (const void *)reply);
	return rt_ok();
}

static const char *kind_text(const Daler__Accounts__V1__Transfer *transfer)
{
	if (transfer->kind_case == DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD)
		return "hold";
	if (transfer->kind_case == DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE)
		return "capture";
	return transfer->kind_case == DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE ? "release"
										  : "transfer";
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
		const char *amount =
			show_amount(ctl, entry->transfer->amount_minor, account->currency);
		TABLE_ROW(&table, show_int(ctl, entry->sequence),
			  show_time(ctl, entry->create_time), kind_text(entry->transfer),
			  debit ? amount : "", debit ? "" : amount,
			  show_amount(ctl, entry->balances->posted_minor, account->currency),
			  show_amount(ctl, entry->balances->available_minor, account->currency),
			  entry->transfer->reference, entry->transfer->transfer_id);
	}
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

static struct rt_status account_statement_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetStatement", daler__accounts__v1__get_statement_response);
	Daler__Accounts__V1__GetStatementRequest request;
	daler__accounts__v1__get_statement_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "account", &request.account_id));
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_statement(ctl, (const void *)reply);
	return rt_ok();
}

static const struct flag create_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"owner", NULL, "OWNER", FLAG_REQUIRED, "a user's id, or a name such as house"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, such as EUR"},
	{"normal-side", NULL, "SIDE", FLAG_REQUIRED,
	 "credit (a player's wallet) or debit (money at a provider)"},
	{"account-id", "account", "ID", FLAG_OPTIONAL, "a UUID; a new one is made without it"},
	{"label", NULL, "TEXT", FLAG_OPTIONAL, "for people; up to 128 characters"},
	{"lower-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not fall below (default: no limit)"},
	{"upper-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not rise above (default: no limit)"},
};

static const struct flag account_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
};

static const struct flag list_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"owner", NULL, "OWNER", FLAG_OPTIONAL, "only theirs"},
	{"currency", NULL, "CODE", FLAG_OPTIONAL, "only in this currency"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag statement_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct command account_commands[] = {
	{.verb = "create",
	 .purpose = "open an account",
	 .flags = create_flags,
	 .flag_count = CTL_COUNT(create_flags),
	 .run = account_create_run},
	{.verb = "get",
	 .purpose = "show an account with its balances",
	 .flags = account_flags,
	 .flag_count = CTL_COUNT(account_flags),
	 .run = account_get_run},
	{.verb = "metadata",
	 .purpose = "show an account without its balances (may come from the cache)",
	 .flags = account_flags,
	 .flag_count = CTL_COUNT(account_flags),
	 .run = account_metadata_run},
	{.verb = "list",
	 .purpose = "list the accounts of a ledger",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = account_list_run},
	{.verb = "statement",
	 .purpose = "show an account's entries with the balance after each",
	 .flags = statement_flags,
	 .flag_count = CTL_COUNT(statement_flags),
	 .run = account_statement_run},
};

const struct command_group ctl_account_group = {"account", "Accounts: who owns what.",
						account_commands, CTL_COUNT(account_commands)};
