/* Validation and hashing of a request; see request.h. */
#include "domain/request.h"

#include <string.h>

#include "rt/money.h"
#include "rt/text.h"

#define CONNECTOR_CHARACTERS      "abcdefghijklmnopqrstuvwxyz0123456789-"
#define KEY_BYTES_MAX             64
#define ROUND_BYTES_MAX           (PAYMENT_ROUND_BYTES - 1)
#define CONNECTOR_BYTES_MAX       (PAYMENT_CONNECTOR_BYTES - 1)
#define INSTRUMENT_CHARACTERS_MAX 256
#define REFERENCE_CHARACTERS_MAX  128

/* What a kind must be told, by the proto's names of the fields; NULL: it has no such field. */
struct kind_fields {
	bool for_players;
	const char *account;
	const char *counter;
	const char *connector;
	const char *instrument;
	const char *remote_ledger;
	const char *remote_account;
	const char *parent;
	const char *round;
	const char *original_key;
	const char *original_caller;
};

static const struct kind_fields kinds[PAYMENT_KIND_MAX + 1] = {
	[PAYMENT_DEPOSIT] = {.for_players = true,
			     .account = "deposit.account_id",
			     .connector = "deposit.connector",
			     .instrument = "deposit.instrument"},
	[PAYMENT_WITHDRAWAL] = {.for_players = true,
				.account = "withdrawal.account_id",
				.connector = "withdrawal.connector",
				.instrument = "withdrawal.instrument"},
	[PAYMENT_TRANSFER] = {.for_players = true,
			      .account = "transfer.from_account_id",
			      .counter = "transfer.to_account_id"},
	[PAYMENT_REMOTE_TRANSFER] = {.for_players = true,
				     .account = "remote_transfer.from_account_id",
				     .remote_ledger = "remote_transfer.to_ledger_id",
				     .remote_account = "remote_transfer.to_account_id"},
	[PAYMENT_REFUND] = {.parent = "refund.payment_id", .instrument = "refund.instrument"},
	[PAYMENT_WAGER] = {.for_players = true,
			   .account = "wager.account_id",
			   .counter = "wager.game_account_id",
			   .round = "wager.round_id"},
	[PAYMENT_SETTLE] = {.account = "settlement.account_id",
			    .counter = "settlement.game_account_id",
			    .round = "settlement.round_id"},
	[PAYMENT_WAGER_ROLLBACK] = {.account = "rollback.account_id",
				    .counter = "rollback.game_account_id",
				    .round = "rollback.round_id",
				    .original_key = "rollback.original_key",
				    .original_caller = "rollback.original_caller"},
	/* Found out to be one when the original is looked up. */
	[PAYMENT_SETTLE_ROLLBACK] = {.account = "rollback.account_id"},
};

const char *payment_account_field(enum payment_kind kind)
{
	return kinds[kind].account != NULL ? kinds[kind].account : kinds[kind].parent;
}

const char *payment_connector_field(enum payment_kind kind)
{
	return kinds[kind].connector != NULL ? kinds[kind].connector : kinds[kind].parent;
}

bool payment_kind_for_players(enum payment_kind kind)
{
	return kinds[kind].for_players;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

struct rt_status payment_connector_check(const char *field, const char *connector)
{
	return rt_ascii_field(field, connector, 1, CONNECTOR_BYTES_MAX, CONNECTOR_CHARACTERS);
}

struct rt_status payment_name_check(const char *field, const char *name)
{
	char canonical[RT_UUID_TEXT_BYTES];
	struct rt_uuid id;

	if (!rt_uuid_parse(name, &id))
		return rt_ok();
	rt_uuid_format(&id, canonical);
	if (strcmp(name, canonical) != 0)
		return RT_BAD_FIELD("INVALID_UUID", field, "must be in lower case");
	return rt_ok();
}

/* An id, where the kind has the field. */
static struct rt_status check_id(const char *field, const char *text, struct rt_uuid *id)
{
	return field == NULL ? rt_ok() : rt_uuid_field(field, or_empty(text), id);
}

static struct rt_status check_ids(const struct kind_fields *fields,
				  const struct payment_draft *draft,
				  struct payment_request *request)
{
	RT_TRY(check_id(fields->account, draft->account_id, &request->account_id));
	RT_TRY(check_id(fields->counter, draft->counter_id, &request->counter_id));
	RT_TRY(check_id(fields->remote_ledger, draft->remote_ledger_id,
			&request->remote_ledger_id));
	RT_TRY(check_id(fields->remote_account, draft->remote_account_id,
			&request->remote_account_id));
	RT_TRY(check_id(fields->parent, draft->parent_id, &request->parent_id));
	if (fields->counter != NULL && rt_uuid_equal(&request->account_id, &request->counter_id))
		return RT_BAD_FIELD("INVALID_FIELD", fields->counter, "must differ from %s",
				    fields->account);
	if (fields->remote_ledger != NULL &&
	    rt_uuid_equal(&request->ledger_id, &request->remote_ledger_id))
		return RT_BAD_FIELD("INVALID_FIELD", fields->remote_ledger,
				    "must differ from ledger_id");
	return rt_ok();
}

static struct rt_status check_texts(const struct kind_fields *fields,
				    const struct payment_draft *draft,
				    struct payment_request *request)
{
	request->connector = fields->connector == NULL ? "" : or_empty(draft->connector);
	request->instrument = fields->instrument == NULL ? "" : or_empty(draft->instrument);
	request->round_id = fields->round == NULL ? "" : or_empty(draft->round_id);
	request->original_key = fields->original_key == NULL ? "" : or_empty(draft->original_key);
	request->original_caller =
		fields->original_caller == NULL ? "" : or_empty(draft->original_caller);
	if (fields->connector != NULL)
		RT_TRY(payment_connector_check(fields->connector, request->connector));
	if (fields->instrument != NULL)
		RT_TRY(rt_text_field(fields->instrument, request->instrument, 0,
				     INSTRUMENT_CHARACTERS_MAX));
	if (fields->round != NULL)
		RT_TRY(rt_ascii_field(fields->round, request->round_id, 1, ROUND_BYTES_MAX, NULL));
	if (fields->original_key == NULL)
		return rt_ok();
	RT_TRY(rt_ascii_field(fields->original_key, request->original_key, 1, KEY_BYTES_MAX, NULL));
	RT_TRY(rt_ascii_field(fields->original_caller, request->original_caller, 0,
			      PAYMENT_CALLER_BYTES - 1, NULL));
	return payment_name_check(fields->original_caller, request->original_caller);
}

static struct rt_status check_fee(const struct kind_fields *fields,
				  const struct payment_draft *draft,
				  struct payment_request *request)
{
	if (!draft->has_fee)
		return rt_ok();
	if (fields->original_key != NULL)
		return RT_BAD_FIELD("INVALID_FIELD", "fee", "a rollback has its original's");
	if (draft->fee_minor <= 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "fee.amount_minor", "must be more than 0");
	request->fee_minor = draft->fee_minor;
	RT_TRY(rt_uuid_field("fee.account_id", or_empty(draft->fee_account_id),
			     &request->fee_account_id));
	if (rt_uuid_equal(&request->fee_account_id, &request->account_id))
		return RT_BAD_FIELD("INVALID_FIELD", "fee.account_id",
				    "must differ from the account that pays it");
	return rt_ok();
}

static struct rt_status check_money(const struct payment_draft *draft,
				    struct payment_request *request)
{
	const struct rt_currency *currency = NULL;

	if (draft->amount_minor <= 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be more than 0");
	request->amount_minor = draft->amount_minor;
	RT_TRY(rt_currency_field("currency", or_empty(draft->currency), &currency));
	memcpy(request->currency, currency->code, sizeof(request->currency));
	return rt_ok();
}

struct rt_status payment_request_check(const struct payment_draft *draft,
				       struct payment_request *request)
{
	*request = (struct payment_request){0};
	RT_TRY(rt_ascii_field("idempotency_key", or_empty(draft->idempotency_key), 1, KEY_BYTES_MAX,
			      NULL));
	RT_TRY(rt_uuid_field("ledger_id", or_empty(draft->ledger_id), &request->ledger_id));
	RT_TRY(check_money(draft, request));
	RT_TRY(rt_text_field("reference", draft->reference, 0, REFERENCE_CHARACTERS_MAX));
	if (draft->kind <= 0 || draft->kind > PAYMENT_KIND_MAX)
		return RT_BAD_FIELD("INVALID_FIELD", "kind",
				    "one of deposit, withdrawal, transfer, remote_transfer, wager, "
				    "settlement, rollback is required");
	const struct kind_fields *fields = &kinds[draft->kind];

	request->kind = (enum payment_kind)draft->kind;
	request->idempotency_key = draft->idempotency_key;
	request->reference = or_empty(draft->reference);
	RT_TRY(check_ids(fields, draft, request));
	RT_TRY(check_texts(fields, draft, request));
	return check_fee(fields, draft, request);
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void hash_begin(struct rt_digest *digest, const struct payment_request *request)
{
	rt_digest_init(digest);
	rt_digest_text(digest, "daler.payments.v1.CreatePayment");
	rt_digest_int(digest, request->kind);
}

static void hash_ids(struct rt_digest *digest, const struct rt_uuid *const *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rt_digest_bytes(digest, ids[i]->bytes, sizeof(ids[i]->bytes));
}

static void hash_texts(struct rt_digest *digest, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rt_digest_text(digest, texts[i]);
}

void payment_request_hash(const struct payment_request *request, uint8_t hash[RT_DIGEST_BYTES])
{
	static const struct rt_uuid none = {0};
	const struct kind_fields *fields = &kinds[request->kind];
	const struct rt_uuid *const ids[] = {
		&request->ledger_id,
		fields->account != NULL ? &request->account_id : &none,
		fields->counter != NULL ? &request->counter_id : &none,
		&request->remote_ledger_id,
		&request->remote_account_id,
		fields->parent != NULL ? &request->parent_id : &none,
		&request->fee_account_id,
	};
	const char *const texts[] = {request->currency,       request->connector,
				     request->instrument,     request->reference,
				     request->round_id,       request->original_key,
				     request->original_caller};
	struct rt_digest digest;

	hash_begin(&digest, request);
	rt_digest_int(&digest, request->amount_minor);
	rt_digest_int(&digest, request->fee_minor);
	hash_ids(&digest, ids, COUNT_OF(ids));
	hash_texts(&digest, texts, COUNT_OF(texts));
	rt_digest_finish(&digest, hash);
}

bool payment_request_hash_first(const struct payment_request *request,
				uint8_t hash[RT_DIGEST_BYTES])
{
	if (request->kind > PAYMENT_TRANSFER || request->fee_minor != 0)
		return false;
	static const struct rt_uuid none = {0};
	const struct rt_uuid *const ledger[] = {&request->ledger_id};
	const struct rt_uuid *const accounts[] = {
		&request->account_id,
		kinds[request->kind].counter != NULL ? &request->counter_id : &none};
	const char *const texts[] = {request->connector, request->instrument, request->reference};
	struct rt_digest digest;

	hash_begin(&digest, request);
	hash_ids(&digest, ledger, COUNT_OF(ledger));
	rt_digest_int(&digest, request->amount_minor);
	rt_digest_text(&digest, request->currency);
	hash_ids(&digest, accounts, COUNT_OF(accounts));
	hash_texts(&digest, texts, COUNT_OF(texts));
	rt_digest_finish(&digest, hash);
	return true;
}

static bool reason_valid(const char *reason)
{
	size_t length = strspn(reason, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return length > 0 && length < PAYMENT_REASON_BYTES && reason[length] == '\0';
}

void payment_reason_copy(char reason[PAYMENT_REASON_BYTES], const char *from, const char *fallback)
{
	const char *chosen = from != NULL && reason_valid(from) ? from : fallback;

	memcpy(reason, chosen, strlen(chosen) + 1);
}
