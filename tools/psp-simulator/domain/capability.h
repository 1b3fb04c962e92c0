/* What the simulator says that it can do, and keeps to. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/operation.h"

#define CAPABILITY_CURRENCIES_MAX 32

struct capability {
	bool operations[OPERATION_REFUND + 1];
	size_t currency_count; /* 0: any */
	char currencies[CAPABILITY_CURRENCIES_MAX][4];
	bool partial_refunds;
};

/* From the settings: names of operations and codes of currencies, separated by commas. Errors:
 * INVALID_ARGUMENT INVALID_FIELD naming the setting. */
struct rt_status capability_parse(const char *operations, const char *currencies,
				  bool partial_refunds, struct capability *capability);
/* Errors: FAILED_PRECONDITION OPERATION_UNSUPPORTED, CURRENCY_UNSUPPORTED. */
struct rt_status capability_check(const struct capability *capability, const struct order *order);
