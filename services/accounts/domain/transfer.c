#include "domain/transfer.h"

#include <string.h>

#include "rt/assert.h"
#include "rt/money.h"
#include "rt/text.h"

/* Where the kind names its hold or its original; "": it names none. */
static const char *target_field(enum transfer_kind kind)
{
	switch (kind) {
	case TRANSFER_CAPTURE:
		return "capture.hold_id";
	case TRANSFER_RELEASE:
	case TRANSFER_EXPIRY:
		return "release.hold_id";
	case TRANSFER_REVERSAL:
		return "reversal.original_id";
	case TRANSFER_DIRECT:
	case TRANSFER_HOLD:
	case TRANSFER_BALANCING:
		break;
	}
	return "";
}

static struct rt_status check_kind(const struct transfer *transfer)
{
	switch (transfer->kind) {
	case TRANSFER_DIRECT:
	case TRANSFER_HOLD:
	case TRANSFER_BALANCING:
		return rt_ok();
	case TRANSFER_CAPTURE:
	case TRANSFER_RELEASE:
	case TRANSFER_EXPIRY:
	case TRANSFER_REVERSAL:
		if (rt_uuid_is_nil(&transfer->target_id))
			return RT_BAD_FIELD("INVALID_UUID", target_field(transfer->kind),
					    "must not be the nil UUID");
		return rt_ok();
	}
	return RT_BAD_FIELD("INVALID_FIELD", "kind",
			    "must be direct, hold, capture, release, balancing or reversal");
}

static struct rt_status check_amount(const struct transfer *transfer)
{
	bool is_end = transfer->kind == TRANSFER_RELEASE || transfer->kind == TRANSFER_EXPIRY;
	if (is_end && transfer->amount_minor != 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be 0 for a release");
	if (!is_end && transfer->amount_minor <= 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "amount_minor", "must be above 0");
	return rt_ok();
}

struct rt_status transfer_check(const struct transfer *transfer)
{
	RT_TRY(check_kind(transfer));
	if (rt_uuid_equal(&transfer->debit_account_id, &transfer->credit_account_id))
		return RT_BAD_FIELD("SAME_ACCOUNT", "credit_account_id",
				    "must not be the debited account");
	RT_TRY(check_amount(transfer));
	RT_TRY(currency_field("currency", transfer->currency));
	return rt_text_field("reference", transfer->reference, 0,
			     TRANSFER_REFERENCE_CHARACTERS_MAX);
}

const char *transfer_declined_field(const struct transfer *transfer, enum decline_reason reason,
				    enum decline_side side)
{
	static const char *const accounts[] = {
		[DECLINE_SIDE_NONE] = "",
		[DECLINE_SIDE_DEBIT] = "debit_account_id",
		[DECLINE_SIDE_CREDIT] = "credit_account_id",
	};
	switch (decline_about(reason)) {
	case DECLINE_ABOUT_AMOUNT:
		return "amount_minor";
	case DECLINE_ABOUT_CURRENCY:
		return "currency";
	case DECLINE_ABOUT_TARGET:
		return target_field(transfer->kind);
	case DECLINE_ABOUT_ACCOUNT:
		return accounts[side];
	}
	rt_assert_failed("what a decline is about", __FILE__, __LINE__);
}

bool transfer_expiry_is_ahead(const struct transfer *transfer, int64_t now_us)
{
	return transfer->expires_us == 0 ||
	       (transfer->expires_us > now_us &&
		transfer->expires_us - now_us <= TRANSFER_EXPIRES_US_MAX);
}

/* What a transfer is to do to both accounts alike, each on its own side. */
struct movement {
	int64_t moved_minor;
	int64_t posted_minor;
	int64_t pending_minor;
};

static enum decline_reason move_captured(const struct transfer *transfer, const struct hold *hold,
					 int64_t now_us, struct movement *movement)
{
	if (hold == NULL)
		return DECLINE_HOLD_NOT_FOUND;
	int64_t let_go_minor =
		transfer->keep_open ? transfer->amount_minor : hold_remaining_minor(hold);
	*movement = (struct movement){.moved_minor = transfer->amount_minor,
				      .posted_minor = transfer->amount_minor,
				      .pending_minor = -let_go_minor};
	return hold_check(hold, &transfer->debit_account_id, &transfer->credit_account_id,
			  transfer->amount_minor, now_us);
}

static enum decline_reason move_released(const struct transfer *transfer, const struct hold *hold,
					 int64_t now_us, struct movement *movement)
{
	if (hold == NULL)
		return DECLINE_HOLD_NOT_FOUND;
	int64_t left_minor = hold_remaining_minor(hold);
	*movement = (struct movement){.moved_minor = left_minor, .pending_minor = -left_minor};
	/* Before its time a hold is not the ledger's to end. */
	if (transfer->kind == TRANSFER_EXPIRY && hold_is_due(hold, now_us) &&
	    hold_is_between(hold, &transfer->debit_account_id, &transfer->credit_account_id))
		return DECLINE_NONE;
	if (transfer->kind == TRANSFER_EXPIRY)
		return DECLINE_HOLD_MISMATCH;
	return hold_check(hold, &transfer->debit_account_id, &transfer->credit_account_id, 0,
			  now_us);
}

static enum decline_reason move_back(const struct transfer *transfer,
				     const struct original *original, struct movement *movement)
{
	if (original == NULL)
		return DECLINE_TRANSFER_NOT_FOUND;
	*movement = (struct movement){.moved_minor = transfer->amount_minor,
				      .posted_minor = transfer->amount_minor};
	return original_check(original, &transfer->debit_account_id, &transfer->credit_account_id,
			      transfer->amount_minor);
}

/* As much as there is on the debited account, up to the amount. */
static enum decline_reason move_balance(const struct transfer *transfer,
					const struct account *debit, struct movement *movement)
{
	int64_t there_minor = account_debitable_minor(debit);
	if (there_minor <= 0)
		return DECLINE_INSUFFICIENT_FUNDS;
	int64_t moved_minor =
		there_minor < transfer->amount_minor ? there_minor : transfer->amount_minor;
	*movement = (struct movement){.moved_minor = moved_minor, .posted_minor = moved_minor};
	return DECLINE_NONE;
}

static enum decline_reason work_out(const struct transfer *transfer,
				    const struct transfer_parties *parties, int64_t now_us,
				    struct movement *movement)
{
	int64_t amount_minor = transfer->amount_minor;
	switch (transfer->kind) {
	case TRANSFER_DIRECT:
		*movement = (struct movement){.moved_minor = amount_minor,
					      .posted_minor = amount_minor};
		return DECLINE_NONE;
	case TRANSFER_HOLD:
		*movement = (struct movement){.moved_minor = amount_minor,
					      .pending_minor = amount_minor};
		return DECLINE_NONE;
	case TRANSFER_CAPTURE:
		return move_captured(transfer, parties->hold, now_us, movement);
	case TRANSFER_RELEASE:
	case TRANSFER_EXPIRY:
		return move_released(transfer, parties->hold, now_us, movement);
	case TRANSFER_BALANCING:
		return move_balance(transfer, parties->debit, movement);
	case TRANSFER_REVERSAL:
		return move_back(transfer, parties->original, movement);
	}
	rt_assert_failed("a kind of transfer", __FILE__, __LINE__);
}

/* What a transfer means to an account, for its status. */
static enum account_use use_of(enum transfer_kind kind, enum account_side side,
			       enum account_side grows)
{
	if (kind == TRANSFER_RELEASE || kind == TRANSFER_EXPIRY)
		return ACCOUNT_LET_GO;
	if (side == grows)
		return ACCOUNT_GIVEN;
	return kind == TRANSFER_CAPTURE ? ACCOUNT_TAKEN_AS_HELD : ACCOUNT_TAKEN;
}

/* Whether it is there, and its status allows what the transfer does with it. */
static enum decline_reason check_account(const struct transfer *transfer,
					 const struct account *account, enum account_side side)
{
	if (account == NULL)
		return DECLINE_ACCOUNT_NOT_FOUND;
	return account_allows(account, use_of(transfer->kind, side, account->side));
}

static enum decline_reason check_accounts(const struct transfer *transfer,
					  const struct transfer_parties *parties)
{
	const struct account *debit = parties->debit, *credit = parties->credit;
	if (debit == NULL || credit == NULL)
		return DECLINE_ACCOUNT_NOT_FOUND;
	if (strcmp(debit->currency, transfer->currency) != 0 ||
	    strcmp(credit->currency, transfer->currency) != 0)
		return DECLINE_CURRENCY_MISMATCH;
	enum decline_reason reason = check_account(transfer, debit, ACCOUNT_DEBIT_NORMAL);
	if (reason != DECLINE_NONE)
		return reason;
	return check_account(transfer, credit, ACCOUNT_CREDIT_NORMAL);
}

enum decline_side transfer_declined_side(const struct transfer *transfer,
					 const struct transfer_parties *parties,
					 enum decline_reason reason)
{
	if (decline_about(reason) != DECLINE_ABOUT_ACCOUNT)
		return DECLINE_SIDE_NONE;
	if (check_account(transfer, parties->debit, ACCOUNT_DEBIT_NORMAL) == reason)
		return DECLINE_SIDE_DEBIT;
	return DECLINE_SIDE_CREDIT;
}

/* Both accounts, or none. */
static enum decline_reason change_accounts(const struct transfer_parties *parties,
					   const struct movement *movement)
{
	const struct account_change debit = {.debits_posted_minor = movement->posted_minor,
					     .debits_pending_minor = movement->pending_minor};
	const struct account_change credit = {.credits_posted_minor = movement->posted_minor,
					      .credits_pending_minor = movement->pending_minor};
	struct account_state debit_after, credit_after;
	RT_ASSERT(parties->debit != parties->credit);
	enum decline_reason reason = account_try(parties->debit, &debit, &debit_after);
	if (reason == DECLINE_NONE)
		reason = account_try(parties->credit, &credit, &credit_after);
	if (reason != DECLINE_NONE)
		return reason;
	parties->debit->state = debit_after;
	parties->credit->state = credit_after;
	return DECLINE_NONE;
}

enum decline_reason transfer_apply(const struct transfer *transfer,
				   const struct transfer_parties *parties, int64_t now_us,
				   int64_t *moved_minor)
{
	struct movement movement = {0};
	enum decline_reason reason = check_accounts(transfer, parties);
	if (reason == DECLINE_NONE)
		reason = work_out(transfer, parties, now_us, &movement);
	if (reason == DECLINE_NONE)
		reason = change_accounts(parties, &movement);
	if (reason != DECLINE_NONE)
		return reason;
	if (transfer->kind == TRANSFER_CAPTURE)
		hold_capture(parties->hold, transfer->amount_minor, transfer->keep_open);
	else if (transfer_names_hold(transfer->kind))
		hold_end(parties->hold,
			 transfer->kind == TRANSFER_RELEASE ? HOLD_RELEASED : HOLD_EXPIRED);
	else if (transfer->kind == TRANSFER_REVERSAL)
		original_reverse(parties->original, transfer->amount_minor);
	*moved_minor = movement.moved_minor;
	return DECLINE_NONE;
}
