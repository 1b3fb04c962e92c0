/* transfer: movements within a ledger, by the ledger's own hand. */
#include <daler/accounts/v1/accounts.pb-c.h>
#include <stdio.h>

#include "args.h"
#include "link.h"
#include "show.h"

#define ACCOUNTS "daler.accounts.v1.AccountsService"

/* The four kinds' messages, of which a transfer refers to one. */
struct kinds {
	Daler__Accounts__V1__Direct direct;
	Daler__Accounts__V1__Hold hold;
	Daler__Accounts__V1__Capture capture;
	Daler__Accounts__V1__Release release;
};

static void kinds_init(struct kinds *kinds)
{
	daler__accounts__v1__direct__init(&kinds->direct);
	daler__accounts__v1__hold__init(&kinds->hold);
	daler__accounts__v1__capture__init(&kinds->capture);
	daler__accounts__v1__release__init(&kinds->release);
}

static struct rt_status kind_take(const struct ctl *ctl, struct kinds *kinds,
				  Daler__Accounts__V1__Transfer *transfer)
{
	int given =
		flag_given(ctl, "hold") + flag_given(ctl, "capture") + flag_given(ctl, "release");
	if (given > 1)
		return CTL_USAGE_ERROR("only one of --hold, --capture and --release can be given");
	transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_DIRECT;
	transfer->direct = &kinds->direct;
	if (flag_given(ctl, "hold")) {
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_HOLD;
		transfer->hold = &kinds->hold;
	} else if (flag_given(ctl, "capture")) {
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_CAPTURE;
		transfer->capture = &kinds->capture;
		return flag_id(ctl, "capture", &kinds->capture.hold_id);
	} else if (flag_given(ctl, "release")) {
		transfer->kind_case = DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE;
		transfer->release = &kinds->release;
		return flag_id(ctl, "release", &kinds->release.hold_id);
	}
	return rt_ok();
}

static struct rt_status amount_take(const struct ctl *ctl, const struct rt_currency *currency,
				    Daler__Accounts__V1__Transfer *transfer)
{
	if (transfer->kind_case != DALER__ACCOUNTS__V1__TRANSFER__KIND_RELEASE)
		return flag_amount(ctl, "amount", currency, &transfer->amount_minor);
	if (flag_given(ctl, "amount"))
		return CTL_USAGE_ERROR("--release has no --amount: it gives all back");
	return rt_ok();
}

static void show_posted(struct ctl *ctl, struct table *table,
			const Daler__Accounts__V1__PostedTransfer *posted)
{
	const Daler__Accounts__V1__Transfer *transfer = posted->transfer;
	if (transfer == NULL)
		return;
	TABLE_ROW(table, "transfer", transfer->transfer_id);
	TABLE_ROW(table, "debited", transfer->debit_account_id);
	TABLE_ROW(table, "credited", transfer->credit_account_id);
	TABLE_ROW(table, "amount", show_money(ctl, transfer->amount_minor, transfer->currency));
	TABLE_ROW(table, "reference", transfer->reference);
	TABLE_ROW(table, "group", posted->group_id);
	TABLE_ROW(table, "created", show_time(ctl, posted->create_time));
}

static enum ctl_exit show_outcome(struct ctl *ctl, const Daler__Accounts__V1__Outcome *outcome)
{
	bool posted = outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_POSTED;
	struct table table;
	show_record_init(ctl, &table);
	TABLE_ROW(&table, "outcome", posted ? "posted" : "declined");
	if (outcome->replayed)
		TABLE_ROW(&table, "replayed", "yes: this is the outcome of an earlier call");
	if (posted && outcome->posted->n_transfers == 1)
		show_posted(ctl, &table, outcome->posted->transfers[0]);
	if (outcome->result_case == DALER__ACCOUNTS__V1__OUTCOME__RESULT_DECLINE) {
		TABLE_ROW(&table, "reason", outcome->decline->reason);
		TABLE_ROW(&table, "field", outcome->decline->field);
	}
	if (!show_is_json(ctl))
		table_print(&table, stdout);
	return posted ? CTL_DONE : CTL_REFUSED;
}

static struct rt_status transfer_take(struct ctl *ctl, struct kinds *kinds,
				      Daler__Accounts__V1__Transfer *transfer)
{
	const struct rt_currency *currency = NULL;
	bool made = false;
	RT_TRY(flag_currency(ctl, "currency", &currency));
	RT_TRY(flag_id(ctl, "from", &transfer->debit_account_id));
	RT_TRY(flag_id(ctl, "to", &transfer->credit_account_id));
	RT_TRY(kind_take(ctl, kinds, transfer));
	RT_TRY(amount_take(ctl, currency, transfer));
	RT_TRY(flag_id_or_new(ctl, "transfer-id", &transfer->transfer_id, &made));
	transfer->currency = flag_text(ctl, "currency");
	transfer->reference = flag_text_or(ctl, "reference", transfer->reference);
	if (made)
		show_made("transfer id", transfer->transfer_id);
	return rt_ok();
}

static struct rt_status transfer_post_run(struct ctl *ctl)
{
	static const struct link_method method =
		LINK_METHOD(ACCOUNTS, ACCOUNTS, "Post", daler__accounts__v1__post_response);
	Daler__Accounts__V1__PostRequest request;
	daler__accounts__v1__post_request__init(&request);
	Daler__Accounts__V1__Group group;
	daler__accounts__v1__group__init(&group);
	Daler__Accounts__V1__Transfer transfer;
	daler__accounts__v1__transfer__init(&transfer);
	struct kinds kinds;
	kinds_init(&kinds);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(transfer_take(ctl, &kinds, &transfer));
	group.n_transfers = 1;
	group.transfers = (Daler__Accounts__V1__Transfer *[]){&transfer};
	request.group = &group;
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__PostResponse *answer = (const void *)reply;
	if (show_is_json(ctl))
		show_json(reply);
	if (answer->outcome != NULL)
		ctl->exit = show_outcome(ctl, answer->outcome);
	return rt_ok();
}

static struct rt_status transfer_get_run(struct ctl *ctl)
{
	static const struct link_method method = LINK_METHOD(
		ACCOUNTS, ACCOUNTS, "GetTransfer", daler__accounts__v1__get_transfer_response);
	Daler__Accounts__V1__GetTransferRequest request;
	daler__accounts__v1__get_transfer_request__init(&request);
	const ProtobufCMessage *reply = NULL;
	RT_TRY(flag_id(ctl, "ledger", &request.ledger_id));
	RT_TRY(flag_id(ctl, "transfer-id", &request.transfer_id));
	RT_TRY(link_call(ctl, &method, &request.base, &reply));
	const Daler__Accounts__V1__GetTransferResponse *answer = (const void *)reply;
	if (show_is_json(ctl)) {
		show_json(reply);
		return rt_ok();
	}
	struct table table;
	show_record_init(ctl, &table);
	if (answer->transfer != NULL)
		show_posted(ctl, &table, answer->transfer);
	if (answer->hold_state != DALER__ACCOUNTS__V1__HOLD_STATE__HOLD_STATE_UNSPECIFIED)
		TABLE_ROW(&table, "hold",
			  show_enum(&daler__accounts__v1__hold_state__descriptor,
				    (int)answer->hold_state, "HOLD_STATE_"));
	table_print(&table, stdout);
	return rt_ok();
}

static const struct flag post_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"from", "debit", "ACCOUNT", FLAG_REQUIRED, "the account that is debited"},
	{"to", "credit", "ACCOUNT", FLAG_REQUIRED, "the account that is credited"},
	{"amount", NULL, "AMOUNT", FLAG_OPTIONAL,
	 "decimal, such as 12.50 (required but for --release)"},
	{"currency", NULL, "CODE", FLAG_REQUIRED, "ISO 4217, that of both accounts"},
	{"transfer-id", "key", "ID", FLAG_OPTIONAL,
	 "a UUID; a new one is made, and printed before it is sent"},
	{"hold", NULL, NULL, FLAG_OPTIONAL, "set the amount aside only"},
	{"capture", NULL, "HOLD", FLAG_OPTIONAL, "move all or part of what this hold set aside"},
	{"release", NULL, "HOLD", FLAG_OPTIONAL, "give back what this hold set aside"},
	{"reference", NULL, "TEXT", FLAG_OPTIONAL, "your own, up to 128 characters"},
};

static const struct flag get_flags[] = {
	{"ledger", "ledger-id", "ID", FLAG_REQUIRED, "the ledger"},
	{"transfer-id", "transfer", "ID", FLAG_REQUIRED, "the transfer"},
};

static const struct command transfer_commands[] = {
	{.verb = "post",
	 .purpose = "post one transfer; exit 1 when it is declined",
	 .notes = "A decline is an outcome: it is printed, and the same id returns it for ever.\n",
	 .flags = post_flags,
	 .flag_count = CTL_COUNT(post_flags),
	 .run = transfer_post_run},
	{.verb = "get",
	 .purpose = "show a transfer, and what became of it when it is a hold",
	 .flags = get_flags,
	 .flag_count = CTL_COUNT(get_flags),
	 .run = transfer_get_run},
};

const struct command_group ctl_transfer_group = {"transfer",
						 "Transfers between two accounts of a ledger.",
						 transfer_commands, CTL_COUNT(transfer_commands)};
