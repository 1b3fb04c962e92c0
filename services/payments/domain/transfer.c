/* Money from one account to another of the same ledger: the ledger alone. */
#include "domain/saga.h"

static const struct ledger_step transfer = {.name = "transfer", .move = LEDGER_DIRECT};

const struct saga_plan payment_transfer_plan = {
	.kind = PAYMENT_TRANSFER,
	.name = "transfer",
	.prepare = &transfer,
	.operation = PROVIDER_NONE,
};
