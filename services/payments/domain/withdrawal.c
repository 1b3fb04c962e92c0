/* Money out: held, paid out by the connector, then captured or released. */
#include "domain/saga.h"

static const struct ledger_step hold = {.name = "hold", .move = LEDGER_HOLD};
static const struct ledger_step capture = {
	.name = "capture", .move = LEDGER_CAPTURE, .hold = "hold"};
static const struct ledger_step release = {
	.name = "release", .move = LEDGER_RELEASE, .hold = "hold"};

const struct saga_plan payment_withdrawal_plan = {
	.kind = PAYMENT_WITHDRAWAL,
	.name = "withdrawal",
	.prepare = &hold,
	.operation = PROVIDER_PAYOUT,
	.settle = &capture,
	.release = &release,
};
