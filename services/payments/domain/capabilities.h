/* What a connector says it can do, and whether that is enough for a payment. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/payment.h"
#include "domain/plan.h"
#include "rt/status.h"

#define CAPABILITY_CURRENCIES_MAX 512
#define CAPABILITY_NAME_BYTES     129

struct connector_capabilities {
	bool known; /* false: nothing is refused */
	bool partial_refunds;
	bool operations[PROVIDER_REFUND + 1];
	size_t currency_count; /* 0: any */
	char currencies[CAPABILITY_CURRENCIES_MAX][4];
	char name[CAPABILITY_NAME_BYTES]; /* the connector's own, with its version */
};

/* Whether the connector can do what the payment asks of it. `original_minor` is the amount of what
 * a refund gives back. Errors: FAILED_PRECONDITION OPERATION_UNSUPPORTED, CURRENCY_UNSUPPORTED,
 * AMOUNT_UNSUPPORTED, naming the field. */
struct rt_status capabilities_check(const struct connector_capabilities *capabilities,
				    const struct payment_request *request, int64_t original_minor);
bool capabilities_same(const struct connector_capabilities *one,
		       const struct connector_capabilities *other);
