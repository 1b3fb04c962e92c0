/* Money from an account of one ledger to one of another, by way of a transit account in each: held
 * at the source, credited at the destination, captured at the source; released when the destination
 * declines. */
#include "domain/plan.h"

static const struct saga_step hold = {
	.name = "hold",
	.party = PARTY_LEDGER,
	.transfers = {{"hold", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"hold-fee", LEDGER_HOLD, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};
static const struct saga_step credit = {
	.name = "credit",
	.party = PARTY_REMOTE_LEDGER,
	.transfers = {{"credit", LEDGER_DIRECT, SIDE_REMOTE_COUNTER, SIDE_REMOTE_ACCOUNT,
		       AMOUNT_WHOLE, NULL}},
};
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

const struct saga_plan payment_remote_transfer_plan = {
	.kind = PAYMENT_REMOTE_TRANSFER,
	.name = "remote_transfer",
	.prepare = &hold,
	.submit = &credit,
	.settle = &capture,
	.undo = &release,
	.undoes = UNDOES_PREPARE,
};
