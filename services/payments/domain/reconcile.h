/* Comparing a connector's operations with payments. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "domain/plan.h"

/* What a connector's word about an operation comes to. */
enum reconcile_status { RECONCILE_UNCLEAR, RECONCILE_DONE, RECONCILE_NOT_DONE };

struct reconcile_theirs {
	enum provider_operation operation; /* PROVIDER_NONE: one that is not known here */
	int64_t amount_minor;
	const char *currency;
	enum reconcile_status status;
};

struct reconcile_ours {
	enum payment_kind kind;
	enum payment_state state;
	int64_t amount_minor;
	const char *currency;
	const char *reason;
};

/* The numbers are the wire's. */
enum reconcile_difference {
	RECONCILE_SAME = 0,
	RECONCILE_MISSING_THERE = 1,
	RECONCILE_MISSING_HERE = 2,
	RECONCILE_AMOUNT = 3,
	RECONCILE_CURRENCY = 4,
	RECONCILE_STATUS = 5,
	RECONCILE_OPERATION = 6,
	RECONCILE_UNSETTLED = 7,
};

/* The first that is found, from the worst on. `theirs` NULL: the connector has no such operation;
 * `ours` NULL: there is no such payment; not both. */
enum reconcile_difference reconcile_compare(const struct reconcile_ours *ours,
					    const struct reconcile_theirs *theirs);
/* The same of what gives back, at the connector, what the payment did there; `theirs` NULL: they
 * have none. What an operator says was given back otherwise is not looked for. */
enum reconcile_difference reconcile_compare_undo(const struct reconcile_ours *ours,
						 const struct reconcile_theirs *theirs);
