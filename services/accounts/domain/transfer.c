#include "domain/transfer.h"

#include <string.h>

#include "rt/assert.h"
#include "rt/money.h"
#include "rt/text.h"

static struct rt_status check_kind(const struct transfer *transfer)
{
	switch (transfer->kind) {
	case TRANSFER_DIRECT:
	case TRANSFER_HOLD:
		return rt_ok();
	case TRANSFER_CAPTURE:
	case TRANSFER_RELEASE:
		if (rt_uuid_is_nil(&transfer->hold_id))
			return RT_BAD_FIELD("INVALID_UUID", "hold_id", "must not be the nil UUID");
		return rt_ok();
	}
	return RT_BAD_FIELD("INVALID_FIELD", "kind", "must be direct, hold, capture or release");
}

static struct rt_status check_amount(const struct transfer *transfer)
{
	if (transfer->kind == TRANSFER_RELEASE && transfer->amount_minor != 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be 0 for a release");
	if (transfer->kind != TRANSFER_RELEASE && transfer->amount_minor <= 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be above 0");
	return rt_ok();
}

struct rt_status transfer_check(const struct transfer *transfer)
{
	const struct rt_currency *currency;
	RT_TRY(check_kind(transfer));
	if (rt_uuid_equal(&transfer->debit_account_id, &transfer->credit_account_id))
		return RT_BAD_FIELD("SAME_ACCOUNT", "credit_account_id",
				    "must not be the debited account");
	RT_TRY(check_amount(transfer));
	RT_TRY(rt_currency_field("currency", transfer->currency, &currency));
	return rt_text_field("reference", transfer->reference, 0,
			     TRANSFER_REFERENCE_CHARACTERS_MAX);
}

/* Both accounts change alike, each on its own side. */
static void changes_of(const struct transfer *transfer, const struct hold *hold,
		       int64_t *posted_minor, int64_t *pending_minor)
{
	switch (transfer->kind) {
	case TRANSFER_DIRECT:
		*posted_minor = transfer->amount_minor;
		*pending_minor = 0;
		return;
	case TRANSFER_HOLD:
		*posted_minor = 0;
		*pending_minor = transfer->amount_minor;
		return;
	case TRANSFER_CAPTURE:
	case TRANSFER_RELEASE:
		*posted_minor = transfer->amount_minor;
		*pending_minor = -hold_remaining_minor(hold);
		return;
	}
	rt_assert_failed("a kind of transfer", __FILE__, __LINE__);
}

static enum decline_reason check_parties(const struct transfer *transfer,
					 const struct transfer_parties *parties)
{
	if (parties->debit == NULL || parties->credit == NULL)
		return DECLINE_ACCOUNT_NOT_FOUND;
	if (strcmp(parties->debit->currency, transfer->currency) != 0 ||
	    strcmp(parties->credit->currency, transfer->currency) != 0)
		return DECLINE_CURRENCY_MISMATCH;
	if (!transfer_ends_hold(transfer->kind))
		return DECLINE_NONE;
	if (parties->hold == NULL)
		return DECLINE_HOLD_NOT_FOUND;
	return hold_check_end(parties->hold, &transfer->debit_account_id,
			      &transfer->credit_account_id, transfer->amount_minor);
}

enum decline_reason transfer_apply(const struct transfer *transfer,
				   const struct transfer_parties *parties)
{
	enum decline_reason reason = check_parties(transfer, parties);
	if (reason != DECLINE_NONE)
		return reason;
	RT_ASSERT(parties->debit != parties->credit);

	int64_t posted_minor, pending_minor;
	changes_of(transfer, parties->hold, &posted_minor, &pending_minor);
	struct account_change debit = {.debits_posted_minor = posted_minor,
				       .debits_pending_minor = pending_minor};
	struct account_change credit = {.credits_posted_minor = posted_minor,
					.credits_pending_minor = pending_minor};
	struct account_state debit_after, credit_after;
	reason = account_try(parties->debit, &debit, &debit_after);
	if (reason == DECLINE_NONE)
		reason = account_try(parties->credit, &credit, &credit_after);
	if (reason != DECLINE_NONE)
		return reason;

	parties->debit->state = debit_after;
	parties->credit->state = credit_after;
	if (transfer_ends_hold(transfer->kind))
		hold_end(parties->hold, transfer->amount_minor);
	return DECLINE_NONE;
}
