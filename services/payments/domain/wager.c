/* The seamless wallet of gaming: a wager goes from the player's account to the game's, a settlement
 * back, a rollback undoes either. The ledger alone: one group each. */
#include "domain/plan.h"

static const struct saga_step wager = {
	.name = "wager",
	.party = PARTY_LEDGER,
	.transfers = {{"wager", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"wager-fee", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};
static const struct saga_step settle = {
	.name = "settle",
	.party = PARTY_LEDGER,
	.transfers = {{"settle", LEDGER_DIRECT, SIDE_COUNTER, SIDE_ACCOUNT, AMOUNT_WHOLE, NULL},
		      {"settle-fee", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};
/* The fee of what is rolled back goes back too: the rollback has the amounts of its original. */
static const struct saga_step wager_rollback = {
	.name = "rollback",
	.party = PARTY_LEDGER,
	.transfers = {{"rollback", LEDGER_DIRECT, SIDE_COUNTER, SIDE_ACCOUNT, AMOUNT_WHOLE, NULL},
		      {"rollback-fee", LEDGER_DIRECT, SIDE_FEE, SIDE_ACCOUNT, AMOUNT_FEE, NULL}},
};
static const struct saga_step settle_rollback = {
	.name = "rollback",
	.party = PARTY_LEDGER,
	.transfers = {{"rollback", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_COUNTER, AMOUNT_WHOLE, NULL},
		      {"rollback-fee", LEDGER_DIRECT, SIDE_FEE, SIDE_ACCOUNT, AMOUNT_FEE, NULL}},
};

const struct saga_plan payment_wager_plan = {
	.kind = PAYMENT_WAGER, .name = "wager", .prepare = &wager};
const struct saga_plan payment_settle_plan = {
	.kind = PAYMENT_SETTLE, .name = "settle", .prepare = &settle};
const struct saga_plan payment_wager_rollback_plan = {
	.kind = PAYMENT_WAGER_ROLLBACK, .name = "wager_rollback", .prepare = &wager_rollback};
const struct saga_plan payment_settle_rollback_plan = {
	.kind = PAYMENT_SETTLE_ROLLBACK, .name = "settle_rollback", .prepare = &settle_rollback};
