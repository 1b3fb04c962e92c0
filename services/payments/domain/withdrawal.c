/* Money out: held with its fee, paid out by the connector, then captured or released. */
#include "domain/plan.h"

static const struct saga_step hold = {
	.name = "hold",
	.party = PARTY_LEDGER,
	.transfers = {{"hold", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"hold-fee", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};
static const struct saga_step payout = {
	.name = "payout", .party = PARTY_PROVIDER, .operation = PROVIDER_PAYOUT};
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

const struct saga_plan payment_withdrawal_plan = {
	.kind = PAYMENT_WITHDRAWAL,
	.name = "withdrawal",
	.prepare = &hold,
	.submit = &payout,
	.settle = &capture,
	.undo = &release,
	.undoes = UNDOES_PREPARE,
};
