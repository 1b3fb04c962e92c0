/* Money in: the connector first, then the ledger follows. When the ledger refuses what the
 * connector took (the account was closed meanwhile, or would pass its limit), the connector gives
 * it back. */
#include "domain/plan.h"

static const struct saga_step charge = {
	.name = "charge", .party = PARTY_PROVIDER, .operation = PROVIDER_AUTHORIZE};
static const struct saga_step credit = {
	.name = "credit",
	.party = PARTY_LEDGER,
	.transfers = {{"credit", LEDGER_DIRECT, SIDE_COUNTER, SIDE_ACCOUNT, AMOUNT_WHOLE, NULL},
		      {"credit-fee", LEDGER_DIRECT, SIDE_ACCOUNT, SIDE_FEE, AMOUNT_FEE, NULL}},
};

static const struct saga_step give_back = {.name = "give_back",
					   .party = PARTY_PROVIDER,
					   .operation = PROVIDER_REFUND,
					   .original = ORIGINAL_SELF,
					   .reference = "give-back"};

const struct saga_plan payment_deposit_plan = {
	.kind = PAYMENT_DEPOSIT,
	.name = "deposit",
	.submit = &charge,
	.settle = &credit,
	.undo = &give_back,
	.undoes = UNDOES_SUBMIT,
};
