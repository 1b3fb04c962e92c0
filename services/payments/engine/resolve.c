/* What must be known before a payment is recorded: its clearing or transit accounts, what it gives
 * back, whose account it is. See create.c. */
#include <stdlib.h>
#include <string.h>

#include "domain/request.h"
#include "engine/capabilities.h"
#include "engine/executor_internal.h"
#include "rt/assert.h"
#include "rt/clock.h"

static struct clearing_entry **clearing_bucket(struct executor *executor,
					       const struct rt_uuid *ledger_id)
{
	return &executor->clearing[ledger_id->bytes[15] % CLEARING_BUCKETS];
}

/* A clearing account never changes once it is named, so that it can be remembered. With the lock
 * held. */
static bool clearing_known(struct executor *executor, const struct payment_request *request,
			   struct rt_uuid *account_id)
{
	struct clearing_entry *entry = *clearing_bucket(executor, &request->ledger_id);

	while (entry != NULL && !(rt_uuid_equal(&entry->ledger_id, &request->ledger_id) &&
				  strcmp(entry->connector, request->connector) == 0 &&
				  strcmp(entry->currency, request->currency) == 0))
		entry = entry->next;
	if (entry != NULL)
		*account_id = entry->account_id;
	return entry != NULL;
}

static void clearing_remember(struct executor *executor, const struct payment_request *request)
{
	struct clearing_entry **bucket = clearing_bucket(executor, &request->ledger_id);
	struct rt_uuid known;

	RT_LOCKED(&executor->lock);
	if (executor->clearing_count >= CLEARING_MAX || clearing_known(executor, request, &known))
		return;
	struct clearing_entry *entry = calloc(1, sizeof(*entry));

	RT_ASSERT(entry != NULL);
	*entry = (struct clearing_entry){.next = *bucket,
					 .ledger_id = request->ledger_id,
					 .account_id = request->counter_id};
	memcpy(entry->connector, request->connector, strlen(request->connector) + 1);
	memcpy(entry->currency, request->currency, sizeof(entry->currency));
	*bucket = entry;
	executor->clearing_count++;
}

/* Whether what must be known of the account is remembered, and is good; else it is asked for, in
 * the usual way. */
static bool account_known_good(struct payment_creation *creation)
{
	const struct payment_request *request = &creation->request;
	struct account_facts facts;

	if (!account_memory_find(creation->executor->config.accounts.memory, &request->ledger_id,
				 &request->account_id, &facts) ||
	    (creation->own_accounts_only && strcmp(facts.owner, creation->caller) != 0) ||
	    strcmp(facts.currency, request->currency) != 0)
		return false;
	memcpy(creation->person, facts.owner, strlen(facts.owner) + 1);
	return true;
}

/* Whether it must be known beforehand that the fee's account can take it: the ledger would refuse
 * the fee, and everything with it, only after the connector has taken the money. */
static bool asks_for_fee_account(const struct payment_creation *creation)
{
	const struct payment_request *request = &creation->request;
	struct account_facts facts;

	if (request->kind != PAYMENT_DEPOSIT || request->fee_minor == 0 ||
	    creation->refusal[0] != '\0')
		return false;
	return !account_memory_find(creation->executor->config.accounts.memory, &request->ledger_id,
				    &request->fee_account_id, &facts) ||
	       strcmp(facts.currency, request->currency) != 0;
}

/* Whether the owner of the account must be known: it must be the player who asks, or it is their
 * limits that count. What only buries a wager that never arrived concerns nobody's. */
static bool asks_for_owner(const struct payment_creation *creation)
{
	if (creation->own_accounts_only)
		return true;
	return creation->tombstone == NULL &&
	       limit_rule_of(creation->request.kind).effect != LIMIT_NO_EFFECT;
}

/* A payment that its connector can't do is refused only when its key is not on record already. */
static bool connector_can(const struct connector *connector, const struct payment_request *request)
{
	struct rt_status status = capabilities_check(&connector->capabilities, request, 0);

	return rt_is_ok(&status);
}

/* Whether it can be recorded without asking anybody. */
bool creation_ready(struct payment_creation *creation)
{
	struct executor *executor = creation->executor;
	struct payment_request *request = &creation->request;

	if ((asks_for_owner(creation) && !account_known_good(creation)) ||
	    asks_for_fee_account(creation))
		return false;
	/* A key that is known is answered all the same. */
	if (creation_account_full(creation))
		return false;
	if (request->kind == PAYMENT_REMOTE_TRANSFER || request->kind == PAYMENT_REFUND ||
	    request->original_key[0] != '\0')
		return false;
	if (request->connector[0] == '\0')
		return true;
	RT_LOCKED(&executor->lock);
	const struct connector *connector = executor_connector(executor, request->connector);

	return connector != NULL && connector_can(connector, request) &&
	       clearing_known(executor, request, &request->counter_id) &&
	       !rt_uuid_equal(&request->counter_id, &request->account_id);
}

static void refuse_account(struct payment_creation *creation, const struct rt_status *status,
			   const char *field)
{
	struct rt_status named = *status;

	/* Accounts names the field of its own request. */
	if (named.code == RT_NOT_FOUND && named.reason != NULL &&
	    strcmp(named.reason, "ACCOUNT_NOT_FOUND") == 0)
		named = rt_status_about(named, field);
	/* Whatever is not the caller's doing is worth another try. */
	if (named.code != RT_NOT_FOUND && named.code != RT_INVALID_ARGUMENT &&
	    named.code != RT_RESOURCE_EXHAUSTED)
		named = RT_FAIL(UNAVAILABLE, "ACCOUNTS_UNAVAILABLE",
				"the account could not be checked");
	creation_end(creation, named);
}

static struct rt_call_options look_up_options(const struct payment_creation *creation)
{
	return (struct rt_call_options){.deadline_mono_us = creation->answer_by_us,
					.trace = &creation->trace};
}

static void on_fee_account(void *context, struct rt_status status, const char *owner,
			   const char *currency)
{
	struct payment_creation *creation = context;

	(void)owner;
	if (!rt_is_ok(&status) && status.code != RT_NOT_FOUND) {
		refuse_account(creation, &status, "fee.account_id");
		return;
	}
	if (!rt_is_ok(&status))
		payment_reason_copy(creation->refusal, status.reason, "ACCOUNT_NOT_FOUND");
	else if (strcmp(currency, creation->request.currency) != 0)
		payment_reason_copy(creation->refusal, "CURRENCY_MISMATCH", "CURRENCY_MISMATCH");
	creation_record(creation);
}

static void record_or_ask_for_fee_account(struct payment_creation *creation)
{
	const struct payment_request *request = &creation->request;
	struct rt_call_options options = look_up_options(creation);

	if (asks_for_fee_account(creation))
		accounts_look_up(&creation->executor->config.accounts, &request->ledger_id,
				 &request->fee_account_id, &options, on_fee_account, creation);
	else
		creation_record(creation);
}

/* An account that a player names must be theirs; what else is wrong with it declines the payment,
 * as the ledger would. */
static void on_account(void *context, struct rt_status status, const char *owner,
		       const char *currency)
{
	struct payment_creation *creation = context;

	if (status.code == RT_NOT_FOUND && !creation->own_accounts_only) {
		payment_reason_copy(creation->refusal, status.reason, "ACCOUNT_NOT_FOUND");
		creation_record(creation);
		return;
	}
	const char *field = payment_account_field(creation->request.kind);

	if (!rt_is_ok(&status)) {
		refuse_account(creation, &status, field);
		return;
	}
	if (creation->own_accounts_only && strcmp(owner, creation->caller) != 0) {
		/* Whether it exists is not theirs to know: these are the words of accounts. */
		status = RT_FAIL(NOT_FOUND, "ACCOUNT_NOT_FOUND",
				 "there is no such account in this ledger");
		refuse_account(creation, &status, field);
		return;
	}
	/* An owner with a longer name is no person. */
	if (strlen(owner) < sizeof(creation->person))
		memcpy(creation->person, owner, strlen(owner) + 1);
	/* The ledger would refuse it only after the connector has taken the money. */
	if (creation->request.kind == PAYMENT_DEPOSIT &&
	    strcmp(currency, creation->request.currency) != 0)
		payment_reason_copy(creation->refusal, "CURRENCY_MISMATCH", "CURRENCY_MISMATCH");
	record_or_ask_for_fee_account(creation);
}

static struct rt_status check_connector(struct payment_creation *creation)
{
	struct payment_request *request = &creation->request;

	if (!creation->entry.clearing_found ||
	    executor_connector(creation->executor, request->connector) == NULL)
		return RT_FAIL(
			FAILED_PRECONDITION, "CONNECTOR_NOT_REGISTERED",
			"the ledger has no clearing account for this connector and currency");
	request->counter_id = creation->entry.clearing_id;
	clearing_remember(creation->executor, request);
	if (rt_uuid_equal(&request->counter_id, &request->account_id))
		return RT_BAD_FIELD("INVALID_FIELD", payment_account_field(request->kind),
				    "is the connector's clearing account");
	return capabilities_allow(creation->executor, request, 0);
}

static struct rt_status check_transit(struct payment_creation *creation)
{
	struct payment_request *request = &creation->request;

	if (!creation->entry.transit_found)
		return RT_FAIL(FAILED_PRECONDITION, "TRANSIT_NOT_REGISTERED",
			       "one of the ledgers has no transit account for this currency");
	request->counter_id = creation->entry.transit_id;
	request->remote_counter_id = creation->entry.remote_transit_id;
	if (rt_uuid_equal(&request->counter_id, &request->account_id))
		return RT_BAD_FIELD("INVALID_FIELD", payment_account_field(request->kind),
				    "is the ledger's transit account");
	if (rt_uuid_equal(&request->remote_counter_id, &request->remote_account_id))
		return RT_BAD_FIELD("INVALID_FIELD", "remote_transfer.to_account_id",
				    "is the ledger's transit account");
	return rt_ok();
}

void creation_take_original(struct payment_creation *creation)
{
	struct payment_request *request = &creation->request;
	const struct payment_original *original = &creation->entry.original;

	request->parent_id = original->payment_id;
	if (request->kind == PAYMENT_WAGER_ROLLBACK && original->kind == PAYMENT_SETTLE)
		request->kind = PAYMENT_SETTLE_ROLLBACK;
	if (request->original_key[0] != '\0') {
		request->fee_minor = original->fee_minor;
		request->fee_account_id = original->fee_account_id;
	}
	if (request->kind == PAYMENT_REFUND) {
		request->account_id = original->account_id;
		request->counter_id = original->counter_id;
		request->connector = original->connector;
	}
}

/* What never arrived: its key is taken for it, so that it is refused when it comes. */
static void bury(struct payment_creation *creation)
{
	struct payment_tombstone *tombstone = calloc(1, sizeof(*tombstone));
	const struct saga_decision decision = {.change_count = 1,
					       .changes = {{PAYMENT_CANCELED, "ROLLED_BACK"}}};

	RT_ASSERT(tombstone != NULL);
	creation->tombstone = tombstone;
	tombstone->request = creation->request;
	tombstone->request.kind = PAYMENT_WAGER;
	tombstone->request.idempotency_key = creation->request.original_key;
	tombstone->standing = (struct payment_standing){.payment_id = rt_uuid_v7(),
							.create_time_us = rt_clock_wall_us()};
	tombstone->standing.update_time_us = tombstone->standing.create_time_us;
	tombstone->entry = (struct payment_entry){
		.request = &tombstone->request,
		.caller = creation->request.original_caller[0] != '\0'
				  ? creation->request.original_caller
				  : creation->caller,
		.body_hash = payment_tombstone_hash,
		.insert = true,
		.standing = &tombstone->standing,
		.pair = &creation->entry,
	};
	payment_entry_wish(&tombstone->entry, &decision);
	creation->entry.pair = &tombstone->entry;
	creation->request.parent_id = tombstone->standing.payment_id;
}

static struct rt_status check_rollback(struct payment_creation *creation)
{
	struct payment_request *request = &creation->request;

	if (strcmp(request->original_key, request->idempotency_key) == 0 &&
	    (request->original_caller[0] == '\0' ||
	     strcmp(request->original_caller, creation->caller) == 0))
		return RT_BAD_FIELD("INVALID_FIELD", "rollback.original_key",
				    "must differ from idempotency_key");
	/* An earlier look may have found nothing, or another standing. */
	request->kind = PAYMENT_WAGER_ROLLBACK;
	request->fee_minor = 0;
	request->fee_account_id = (struct rt_uuid){0};
	if (creation->entry.original_found)
		creation_take_original(creation);
	else
		bury(creation);
	return rt_ok();
}

/* A refund has everything but its amount from the deposit that it gives back. */
static struct rt_status check_refund(struct payment_creation *creation)
{
	struct payment_request *request = &creation->request;
	const struct payment_original *original = &creation->entry.original;

	if (!creation->entry.original_found)
		return rt_status_about(RT_FAIL(NOT_FOUND, "PAYMENT_NOT_FOUND",
					       "there is no such payment in this ledger"),
				       "refund.payment_id");
	if (original->kind != PAYMENT_DEPOSIT)
		return RT_BAD_FIELD("NOT_REFUNDABLE", "refund.payment_id", "is not a deposit");
	creation_take_original(creation);
	if (rt_uuid_equal(&request->fee_account_id, &request->account_id))
		return RT_BAD_FIELD("INVALID_FIELD", "fee.account_id",
				    "must differ from the account that pays it");
	if (executor_connector(creation->executor, request->connector) == NULL)
		return RT_FAIL(FAILED_PRECONDITION, "CONNECTOR_NOT_REGISTERED",
			       "the deposit's connector is not configured");
	return capabilities_allow(creation->executor, request, original->amount_minor);
}

/* What the look-up had to find for the payment to be recorded. */
static struct rt_status check_found(struct payment_creation *creation)
{
	const struct payment_request *request = &creation->request;

	if (request->kind == PAYMENT_REMOTE_TRANSFER)
		return check_transit(creation);
	if (request->original_key[0] != '\0')
		return check_rollback(creation);
	if (request->kind == PAYMENT_REFUND)
		return check_refund(creation);
	return request->connector[0] != '\0' ? check_connector(creation) : rt_ok();
}

void creation_resolve(struct payment_creation *creation)
{
	struct rt_status status = check_found(creation);

	if (!rt_is_ok(&status)) {
		creation_end(creation, status);
		return;
	}
	if (!asks_for_owner(creation) || account_known_good(creation)) {
		record_or_ask_for_fee_account(creation);
		return;
	}
	struct rt_call_options options = look_up_options(creation);

	accounts_look_up(&creation->executor->config.accounts, &creation->request.ledger_id,
			 &creation->request.account_id, &options, on_account, creation);
}
