/* ledger: self-contained sets of accounts. */
#include <daler/accounts/v1/accounts.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define ACCOUNTS "daler.accounts.v1.AccountsService"

static void show_ledger(struct ctl *ctl, const Daler__Accounts__V1__Ledger *ledger)
{
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "ledger", ledger->ledger_id);
	TABLE_ROW(&table, "name", ledger->name);
	TABLE_ROW(&table, "created", show_time(ctl, ledger->create_time));
	table_print(&table, stdout);
}

static struct rt_status ledger_create_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "CreateLedger", daler__accounts__v1__create_ledger_response);
	Daler__Accounts__V1__CreateLedgerRequest request;
	daler__accounts__v1__create_ledger_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	bool made = false;
	RT_TRY(flag_id_or_new(ctl, "ledger-id", &request.ledger_id, &made));
	request.name = flag_text(ctl, "name");
	if (made)
		show_made("ledger id", request.ledger_id);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__CreateLedgerResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->ledger != NULL)
		show_ledger(ctl, answer->ledger);
	return rt_ok();
}

static struct rt_status ledger_get_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetLedger", daler__accounts__v1__get_ledger_response);
	Daler__Accounts__V1__GetLedgerRequest request;
	daler__accounts__v1__get_ledger_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetLedgerResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else if (answer->ledger != NULL)
		show_ledger(ctl, answer->ledger);
	return rt_ok();
}

static void show_ledgers(struct ctl *ctl, const Daler__Accounts__V1__ListLedgersResponse *reply)
{
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "LEDGER", "CREATED", "NAME");
	for (size_t i = 0; i < reply->n_ledgers; i++)
		TABLE_ROW(&table, reply->ledgers[i]->ledger_id,
			  show_time(ctl, reply->ledgers[i]->create_time), reply->ledgers[i]->name);
	table_print(&table, stdout);
	show_more(reply->next_page_token);
}

static struct rt_status ledger_list_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "ListLedgers", daler__accounts__v1__list_ledgers_response);
	Daler__Accounts__V1__ListLedgersRequest request;
	daler__accounts__v1__list_ledgers_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	int64_t page_size = 0;
	RT_TRY(flag_int(ctl, "page-size", 0, &page_size));
	request.page_size = (int32_t)page_size;
	request.page_token = flag_text_or(ctl, "page-token", request.page_token);
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_ledgers(ctl, (const void *)reply);
	return rt_ok();
}

/* By an accounts that does not tell exact sums yet, the digits are empty. */
static const char *sum_text(struct ctl *ctl, int64_t sum_minor, const char *digits,
			    const char *currency)
{
	return digits[0] == '\0' ? show_amount(ctl, sum_minor, currency)
				 : show_sum(ctl, digits, currency);
}

static const char *difference_text(struct ctl *ctl,
				   const Daler__Accounts__V1__TrialBalanceLine *line,
				   const Daler__Accounts__V1__ExactTotals *exact)
{
	int64_t difference_minor = 0;
	bool fits = line->debits_posted_minor < INT64_MAX && line->credits_posted_minor < INT64_MAX;
	if (!fits && strcmp(exact->debits_posted_minor, exact->credits_posted_minor) != 0)
		return "?";
	if (fits)
		difference_minor = line->debits_posted_minor - line->credits_posted_minor;
	return show_amount(ctl, difference_minor, line->currency);
}

static void show_trial_balance(struct ctl *ctl,
			       const Daler__Accounts__V1__GetTrialBalanceResponse *reply)
{
	static const Daler__Accounts__V1__ExactTotals none =
		DALER__ACCOUNTS__V1__EXACT_TOTALS__INIT;
	struct table table;
	TABLE_HEADS(&table, &ctl->arena, "CURRENCY", ">ACCOUNTS", ">DEBITS", ">CREDITS",
		    ">DIFFERENCE", ">PENDING DEBITS", ">PENDING CREDITS");
	for (size_t i = 0; i < reply->n_lines; i++) {
		const Daler__Accounts__V1__TrialBalanceLine *line = reply->lines[i];
		const Daler__Accounts__V1__ExactTotals *exact =
			line->exact != NULL ? line->exact : &none;
		const char *currency = line->currency;
		TABLE_ROW(&table, currency, show_int(ctl, line->account_count),
			  sum_text(ctl, line->debits_posted_minor, exact->debits_posted_minor,
				   currency),
			  sum_text(ctl, line->credits_posted_minor, exact->credits_posted_minor,
				   currency),
			  difference_text(ctl, line, exact),
			  sum_text(ctl, line->debits_pending_minor, exact->debits_pending_minor,
				   currency),
			  sum_text(ctl, line->credits_pending_minor, exact->credits_pending_minor,
				   currency));
	}
	table_print(&table, stdout);
	puts(reply->balanced ? "balanced: debits equal credits"
			     : "NOT BALANCED: debits do not equal credits");
}

static struct rt_status ledger_trial_balance_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "GetTrialBalance",
			    daler__accounts__v1__get_trial_balance_response);
	Daler__Accounts__V1__GetTrialBalanceRequest request;
	daler__accounts__v1__get_trial_balance_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetTrialBalanceResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	else
		show_trial_balance(ctl, answer);
	ctl->exit = answer->balanced ? CTL_DONE : CTL_REFUSED;
	return rt_ok();
}

static const struct flag create_flags[] = {
	{"name", NULL, "TEXT", FLAG_REQUIRED, "1 to 128 characters"},
	{"ledger-id", "ledger", "ID", FLAG_OPTIONAL, "a UUID; a new one is made without it"},
};

static const struct flag ledger_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
};

static const struct flag list_flags[] = {
	{"page-size", NULL, "N", FLAG_OPTIONAL, "at most so many, up to 1000 (default 100)"},
	{"page-token", NULL, "TOKEN", FLAG_OPTIONAL, "where the page before ended"},
};

static const struct command ledger_commands[] = {
	{.verb = "create",
	 .purpose = "create a ledger",
	 .flags = create_flags,
	 .flag_count = CTL_COUNT(create_flags),
	 .run = ledger_create_run},
	{.verb = "get",
	 .purpose = "show a ledger",
	 .flags = ledger_flags,
	 .flag_count = CTL_COUNT(ledger_flags),
	 .run = ledger_get_run},
	{.verb = "list",
	 .purpose = "list the ledgers",
	 .flags = list_flags,
	 .flag_count = CTL_COUNT(list_flags),
	 .run = ledger_list_run},
	{.verb = "trial-balance",
	 .purpose = "show the sums of a ledger; exit 1 when they are not equal",
	 .flags = ledger_flags,
	 .flag_count = CTL_COUNT(ledger_flags),
	 .run = ledger_trial_balance_run},
	{.verb = "verify",
	 .purpose = "recompute a ledger from its transfers; exit 1 when anything differs",
	 .notes = "It goes on for as long as --timeout lets it, which 10,000,000 transfers need "
		  "minutes of.\n"
		  "Progress goes to standard error. With --json, the answer is one object a "
		  "message.\n",
	 .flags = ledger_flags,
	 .flag_count = CTL_COUNT(ledger_flags),
	 .run = ledger_verify_run},
};

const struct command_group ctl_ledger_group = {"ledger",
					       "Ledgers: self-contained sets of accounts.",
					       ledger_commands, CTL_COUNT(ledger_commands)};
