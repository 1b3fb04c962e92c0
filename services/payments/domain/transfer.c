/* Money from one account to another of the same ledger: the ledger alone. */
#include "domain/plan.h"

static const struct saga_step transfer = {
	.name = "transfer",
	.party = PARTY_LEDGER,
	.transfers = {{"transfer", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"transfer-fee", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};

const struct saga_plan payment_transfer_plan = {
	.kind = PAYMENT_TRANSFER,
	.name = "transfer",
	.prepare = &transfer,
};
