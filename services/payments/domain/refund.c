/* A deposit given back, whole or in part: held on the account, given back by the connector, then
 * captured or released. */
#include "domain/plan.h"

static const struct saga_step hold = {
	.name = "hold",
	.party = PARTY_LEDGER,
	.transfers = {{"hold", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"hold-fee", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};
static const struct saga_step give_back = {.name = "refund",
					   .party = PARTY_PROVIDER,
					   .operation = PROVIDER_REFUND,
					   .original = ORIGINAL_PARENT};
static const struct saga_step capture = {
	.name = "capture",
	.party = PARTY_LEDGER,
	.transfers = {{"capture", LEDGER_CAPTURE, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, "hold"},
		      {"capture-fee", LEDGER_CAPTURE, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE,
		       "hold-fee"}},
};
static const struct saga_step release = {
	.name = "release",
	.party = PARTY_LEDGER,
	.transfers = {{"release", LEDGER_RELEASE, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, "hold"},
		      {"release-fee", LEDGER_RELEASE, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE,
		       "hold-fee"}},
};

const struct saga_plan payment_refund_plan = {
	.kind = PAYMENT_REFUND,
	.name = "refund",
	.prepare = &hold,
	.submit = &give_back,
	.settle = &capture,
	.undo = &release,
	.undoes = UNDOES_PREPARE,
};
