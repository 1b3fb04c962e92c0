/* Money in: the connector first, then the ledger follows. */
#include "domain/saga.h"

static const struct ledger_step credit = {
	.name = "credit", .move = LEDGER_DIRECT, .from_counter = true};

const struct saga_plan payment_deposit_plan = {
	.kind = PAYMENT_DEPOSIT,
	.name = "deposit",
	.operation = PROVIDER_CHARGE,
	.settle = &credit,
};
