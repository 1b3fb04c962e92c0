/* Validation and hashing of a request; see request.h. */
#include "domain/request.h"

#include <string.h>

#include "rt/money.h"
#include "rt/text.h"

#define CONNECTOR_CHARACTERS      "abcdefghijklmnopqrstuvwxyz0123456789-"
#define KEY_BYTES_MAX             64
#define CONNECTOR_BYTES_MAX       (PAYMENT_CONNECTOR_BYTES - 1)
#define INSTRUMENT_CHARACTERS_MAX 256
#define REFERENCE_CHARACTERS_MAX  128

/* The fields of one kind, as the proto names them. */
struct field_names {
	const char *account;
	const char *connector;
	const char *instrument;
};

static const struct field_names names[PAYMENT_KIND_MAX + 1] = {
	[PAYMENT_DEPOSIT] = {"deposit.account_id", "deposit.connector", "deposit.instrument"},
	[PAYMENT_WITHDRAWAL] = {"withdrawal.account_id", "withdrawal.connector",
				"withdrawal.instrument"},
	[PAYMENT_TRANSFER] = {"transfer.from_account_id", "", ""},
};

const char *payment_account_field(enum payment_kind kind)
{
	return names[kind].account;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

struct rt_status payment_connector_check(const char *field, const char *connector)
{
	return rt_ascii_field(field, connector, 1, CONNECTOR_BYTES_MAX, CONNECTOR_CHARACTERS);
}

static struct rt_status check_transfer(const struct payment_draft *draft,
				       struct payment_request *request)
{
	RT_TRY(rt_uuid_field("transfer.to_account_id", draft->counter_id, &request->counter_id));
	if (rt_uuid_equal(&request->account_id, &request->counter_id))
		return RT_BAD_FIELD("INVALID_FIELD", "transfer.to_account_id",
				    "must differ from transfer.from_account_id");
	return rt_ok();
}

static struct rt_status check_connected(const struct payment_draft *draft,
					struct payment_request *request)
{
	const struct field_names *fields = &names[request->kind];

	RT_TRY(payment_connector_check(fields->connector, or_empty(draft->connector)));
	RT_TRY(rt_text_field(fields->instrument, draft->instrument, 0, INSTRUMENT_CHARACTERS_MAX));
	request->connector = draft->connector;
	request->instrument = or_empty(draft->instrument);
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
	if (draft->kind < PAYMENT_DEPOSIT || draft->kind > PAYMENT_TRANSFER)
		return RT_BAD_FIELD("INVALID_FIELD", "kind",
				    "one of deposit, withdrawal, transfer is required");
	request->kind = (enum payment_kind)draft->kind;
	request->connector = "";
	request->instrument = "";
	request->round_id = "";
	request->idempotency_key = draft->idempotency_key;
	request->reference = or_empty(draft->reference);
	RT_TRY(rt_uuid_field(names[request->kind].account, or_empty(draft->account_id),
			     &request->account_id));
	return request->kind == PAYMENT_TRANSFER ? check_transfer(draft, request)
						 : check_connected(draft, request);
}

void payment_request_hash(const struct payment_request *request, uint8_t hash[RT_DIGEST_BYTES])
{
	/* The clearing account of a deposit or withdrawal is ours to know, not part of what was
	 * asked. */
	static const struct rt_uuid none = {0};
	const struct rt_uuid *counter =
		request->kind == PAYMENT_TRANSFER ? &request->counter_id : &none;
	struct rt_digest digest;

	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler.payments.v1.CreatePayment");
	rt_digest_int(&digest, request->kind);
	rt_digest_bytes(&digest, request->ledger_id.bytes, sizeof(request->ledger_id.bytes));
	rt_digest_int(&digest, request->amount_minor);
	rt_digest_text(&digest, request->currency);
	rt_digest_bytes(&digest, request->account_id.bytes, sizeof(request->account_id.bytes));
	rt_digest_bytes(&digest, counter->bytes, sizeof(counter->bytes));
	rt_digest_text(&digest, request->connector);
	rt_digest_text(&digest, request->instrument);
	rt_digest_text(&digest, request->reference);
	rt_digest_finish(&digest, hash);
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
