/* Operations of the simulator's books. Any layer of the simulator may include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt/status.h"

/* The numbers are those of the contract and of the books. */
enum operation_kind { OPERATION_CHARGE = 1, OPERATION_PAYOUT = 2, OPERATION_REFUND = 3 };
enum operation_status {
	OPERATION_PENDING = 1,
	OPERATION_SUCCEEDED = 2,
	OPERATION_DECLINED = 3,
	OPERATION_REQUIRES_ACTION = 4,
	OPERATION_AUTHORIZED = 5,
	OPERATION_CANCELED = 6,
};

/* What is asked for. Owns: nothing; texts live in the request's arena. */
struct order {
	enum operation_kind kind;
	const char *reference;
	const char *currency;
	const char *instrument;
	const char *original; /* the reference of the charge that a refund gives back; else "" */
	int64_t amount_minor;
};

struct operation {
	struct order order;
	int64_t arrival; /* 1, 2, 3 ...; 0 before it is in the books */
	enum operation_status status;
	enum operation_status final_status; /* what a pending one will become */
	const char *decline_reason;         /* "" unless it is, or will be, declined */
	const char *provider_reference;
	int64_t created_wall_us;
	int64_t updated_wall_us;
	int64_t final_due_wall_us; /* of a pending one */
};

const char *operation_kind_name(enum operation_kind kind);
const char *operation_status_name(enum operation_status status);

/* Errors: INVALID_ARGUMENT naming the field. */
struct rt_status order_check(const struct order *order);
struct rt_status reference_check(const char *reference);
/* Whether two orders of one reference are the same. */
bool order_same(const struct order *a, const struct order *b);
