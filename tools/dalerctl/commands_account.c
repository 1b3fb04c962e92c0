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

static const char *status_text(Daler__Accounts__V1__AccountStatus status)
{
	return show_enum(&daler__accounts__v1__account_status__descriptor, (int)status,
			 "ACCOUNT_STATUS_");
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
	TABLE_ROW(&table, "credit line",
		  show_amount(ctl, metadata->credit_line_minor, metadata->currency));
	TABLE_ROW(&table, "status", status_text(metadata->status));
	TABLE_ROW(&table, "version", show_int(ctl, metadata->version));
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
static struct rt_status limit_take(const struct ctl *ctl, const char *name, const char *currency,
				   Daler__Accounts__V1__Limit *limit,
				   Daler__Accounts__V1__Limit **place)
{
	if (!flag_given(ctl, name))
		return rt_ok();
	*place = limit;
	return flag_minor(ctl, name, currency, &limit->amount_minor);
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
	const ProtobufCMessage *reply = NULL;
	bool made = false;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	account.currency = flag_text(ctl, "currency");
	RT_TRY(side_take(ctl, &account.normal_side));
	RT_TRY(limit_take(ctl, "lower-limit", account.currency, &lower, &account.lower_limit));
	RT_TRY(limit_take(ctl, "upper-limit", account.currency, &upper, &account.upper_limit));
	if (flag_given(ctl, "credit-line"))
		RT_TRY(flag_minor(ctl, "credit-line", account.currency,
				  &account.credit_line_minor));
	RT_TRY(flag_id_or_new(ctl, "account-id", &account.account_id, &made));
	account.owner = flag_text(ctl, "owner");
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
		TABLE_ROW(&table, "status", status_text(answer->metadata->status));
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
	request.label = flag_text_or(ctl, "label", request.label);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_accounts(ctl, (const void *)reply);
	return rt_ok();
}

static const struct flag create_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"owner", NULL, "OWNER", FLAG_REQUIRED, "a user's id, or a name such as house"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, such as EUR, or a registered asset's"},
	{"normal-side", NULL, "SIDE", FLAG_REQUIRED,
	 "credit (a player's wallet) or debit (money at a provider)"},
	{"account-id", "account", "ID", FLAG_OPTIONAL, "a UUID; a new one is made without it"},
	{"label", NULL, "TEXT", FLAG_OPTIONAL, "for people; up to 128 characters"},
	{"lower-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not fall below (default: no limit)"},
	{"upper-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not rise above (default: no limit)"},
	{"credit-line", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "how far below the lower limit it may fall (default: 0)"},
};

static const struct flag account_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
};

static const struct flag list_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"owner", NULL, "OWNER", FLAG_OPTIONAL, "only theirs"},
	{"currency", NULL, "CODE", FLAG_OPTIONAL, "only in this currency"},
	{"label", NULL, "TEXT", FLAG_OPTIONAL, "only with this label"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct flag statement_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
	{"descending", NULL, NULL, FLAG_OPTIONAL, "newest first"},
	{"from", NULL, "N", FLAG_OPTIONAL, "only from this entry on"},
	{"to", NULL, "N", FLAG_OPTIONAL, "only up to this entry"},
	{"from-time", NULL, "TIME", FLAG_OPTIONAL, "only at or after this moment in UTC"},
	{"to-time", NULL, "TIME", FLAG_OPTIONAL, "only before this moment in UTC"},
};

static const struct flag balance_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
	{"at", NULL, "TIME", FLAG_REQUIRED,
	 "a past moment in UTC, such as 2026-11-22 or 2026-11-22T17:00:00Z"},
};

static const struct flag update_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
	{"version", NULL, "N", FLAG_OPTIONAL,
	 "the version that you have seen; without it, the one that it has now"},
	{"label", NULL, "TEXT", FLAG_OPTIONAL, "for people; up to 128 characters"},
	{"status", NULL, "STATUS", FLAG_OPTIONAL, "active, frozen, blocked or closed"},
	{"lower-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not fall below; none: no limit"},
	{"upper-limit", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "what the available balance may not rise above; none: no limit"},
	{"credit-line", NULL, "AMOUNT", FLAG_OPTIONAL, "how far below the lower limit it may fall"},
};

static const struct flag close_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"account", "account-id", "ID", FLAG_REQUIRED, "the account"},
	{"version", NULL, "N", FLAG_OPTIONAL,
	 "the version that you have seen; without it, the one that it has now"},
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
	{.verb = "update",
	 .purpose = "change what is given of an account's label, status, limits and credit line",
	 .flags = update_flags,
	 .flag_count = CTL_COUNT(update_flags),
	 .run = account_update_run},
	{.verb = "close",
	 .purpose = "close an account for ever; it must be empty and without holds",
	 .flags = close_flags,
	 .flag_count = CTL_COUNT(close_flags),
	 .run = account_close_run},
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
	{.verb = "balance",
	 .purpose = "show an account's balances as they were at a moment",
	 .flags = balance_flags,
	 .flag_count = CTL_COUNT(balance_flags),
	 .run = account_balance_run},
};

const struct command_group ctl_account_group = {"account", "Accounts: who owns what.",
						account_commands, CTL_COUNT(account_commands)};
