/* What a payment is, as plain data. Pure; any layer of payments may include this. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "domain/states.h"
#include "rt/digest.h"
#include "rt/id.h"

/* The numbers are in the database. */
enum payment_kind {
	PAYMENT_DEPOSIT = 1,
	PAYMENT_WITHDRAWAL = 2,
	PAYMENT_TRANSFER = 3,
};
#define PAYMENT_KIND_MAX        3

#define PAYMENT_REASON_BYTES    65 /* 64 characters of A-Z 0-9 _ */
#define PAYMENT_CALLER_BYTES    65 /* a user's id, or the name of an identity */
#define PAYMENT_CONNECTOR_BYTES 33

/* What was asked for, validated. Text points to where the request lives. */
struct payment_request {
	enum payment_kind kind;
	struct rt_uuid ledger_id;
	struct rt_uuid account_id; /* credited by a deposit, debited by the others */
	struct rt_uuid counter_id; /* transfer: the credited account; else the clearing account,
				      once it is known */
	int64_t amount_minor;
	char currency[4];
	const char *connector;  /* "" for a transfer */
	const char *instrument; /* "" for a transfer */
	const char *reference;
	const char *idempotency_key;
};

/* Where a payment stands. */
struct payment_standing {
	struct rt_uuid payment_id;
	enum payment_state state;
	int64_t version;
	int64_t create_time_us; /* wall clock */
	int64_t update_time_us;
	char reason[PAYMENT_REASON_BYTES];
};

/* Copies a reason that came from elsewhere, or `fallback` when it is not 1 to 64 characters of A-Z
 * 0-9 _. */
void payment_reason_copy(char reason[PAYMENT_REASON_BYTES], const char *from, const char *fallback);
