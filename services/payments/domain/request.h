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
	const char *account_id; /* transfer: the debited one */
	const char *counter_id; /* transfer: the credited one */
	const char *connector;
	const char *instrument;
	const char *reference;
};

/* Errors: INVALID_ARGUMENT INVALID_TEXT, INVALID_LENGTH, INVALID_UUID, INVALID_AMOUNT,
 * INVALID_CURRENCY, INVALID_FIELD, naming the field as the proto does. */
struct rt_status payment_request_check(const struct payment_draft *draft,
				       struct payment_request *request);

/* The name of a connector. Errors: INVALID_ARGUMENT naming `field`. */
struct rt_status payment_connector_check(const char *field, const char *connector);

/* SHA-256 over every field of the body but the key; independent of how it was encoded. */
void payment_request_hash(const struct payment_request *request, uint8_t hash[RT_DIGEST_BYTES]);

/* The proto's name of the field that holds account_id: "deposit.account_id". */
const char *payment_account_field(enum payment_kind kind);
