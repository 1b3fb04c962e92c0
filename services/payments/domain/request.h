/* The request for a payment: what makes it valid, and the hash that tells two bodies apart. Pure.
 */
#pragma once

#include "domain/payment.h"
#include "rt/status.h"

/* As it came, before any check; NULL counts as empty. */
struct payment_draft {
	int kind; /* enum payment_kind; 0: none was given */
	const char *idempotency_key;
	const char *ledger_id;
	int64_t amount_minor;
	const char *currency;
	const char *account_id; /* a transfer's: the debited one */
	const char *counter_id; /* a transfer's: the credited one; a wager's: the game's */
	const char *connector;
	const char *instrument;
	const char *remote_ledger_id;
	const char *remote_account_id;
	const char *parent_id;
	const char *round_id;
	const char *original_key;
	const char *original_caller;
	const char *reference;
	bool has_fee;
	int64_t fee_minor;
	const char *fee_account_id;
};

/* Errors: INVALID_ARGUMENT INVALID_TEXT, INVALID_LENGTH, INVALID_UUID, INVALID_AMOUNT,
 * INVALID_CURRENCY, INVALID_FIELD, naming the field as the proto does. */
struct rt_status payment_request_check(const struct payment_draft *draft,
				       struct payment_request *request);

/* The name of a connector. Errors: INVALID_ARGUMENT naming `field`. */
struct rt_status payment_connector_check(const char *field, const char *connector);

/* A name that is compared byte by byte with those on record: of a caller, or of who owns an
 * account. A user's id in upper case would be nobody's, without a word. Errors: INVALID_ARGUMENT
 * INVALID_UUID naming `field`. */
struct rt_status payment_name_check(const char *field, const char *name);

/* SHA-256 over every field of the body but the key; independent of how it was encoded, and of what
 * payments fills in later (clearing and transit accounts, the original). */
void payment_request_hash(const struct payment_request *request, uint8_t hash[RT_DIGEST_BYTES]);

/* The same as payments hashed it before there were fees and more kinds: what was recorded then
 * keeps its hash for ever. False when the body could not be asked for then. */
bool payment_request_hash_first(const struct payment_request *request,
				uint8_t hash[RT_DIGEST_BYTES]);

/* The proto's name of the field that holds account_id, or the parent's: "deposit.account_id". */
const char *payment_account_field(enum payment_kind kind);

/* That of the field that says which connector takes part: "deposit.connector", "refund.payment_id".
 */
const char *payment_connector_field(enum payment_kind kind);

/* Whether a player may ask for it. */
bool payment_kind_for_players(enum payment_kind kind);
