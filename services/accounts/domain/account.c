#include "domain/account.h"

#include <string.h>

#include "rt/assert.h"
#include "rt/digest.h"
#include "rt/money.h"
#include "rt/text.h"

int64_t account_posted_minor(enum account_side side, const struct account_totals *totals)
{
	/* Both are at least 0, so that their difference always fits. */
	if (side == ACCOUNT_DEBIT_NORMAL)
		return totals->debits_posted_minor - totals->credits_posted_minor;
	return totals->credits_posted_minor - totals->debits_posted_minor;
}

int64_t account_available_minor(enum account_side side, const struct account_totals *totals)
{
	if (side == ACCOUNT_DEBIT_NORMAL)
		return totals->debits_posted_minor -
		       (totals->credits_posted_minor + totals->credits_pending_minor);
	return totals->credits_posted_minor -
	       (totals->debits_posted_minor + totals->debits_pending_minor);
}

int64_t account_ceiling_minor(enum account_side side, const struct account_totals *totals)
{
	if (side == ACCOUNT_DEBIT_NORMAL)
		return (totals->debits_posted_minor + totals->debits_pending_minor) -
		       totals->credits_posted_minor;
	return (totals->credits_posted_minor + totals->credits_pending_minor) -
	       totals->debits_posted_minor;
}

/* The least that may be available, by the lower limit and the credit line; their difference was
 * checked to fit. */
static int64_t floor_minor(const struct account *account)
{
	return account->lower.amount_minor - account->credit_line_minor;
}

int64_t account_debitable_minor(const struct account *account)
{
	const struct account_totals *totals = &account->state.totals;
	if (account->side == ACCOUNT_DEBIT_NORMAL) {
		int64_t ceiling_minor = account_ceiling_minor(account->side, totals);
		int64_t most_minor = account->upper.set && account->upper.amount_minor < 0
					     ? account->upper.amount_minor
					     : 0;
		return ceiling_minor < most_minor ? most_minor - ceiling_minor : 0;
	}
	int64_t available_minor = account_available_minor(account->side, totals);
	int64_t kept_minor =
		account->lower.set && floor_minor(account) > 0 ? floor_minor(account) : 0;
	return available_minor > kept_minor ? available_minor - kept_minor : 0;
}

enum decline_reason account_allows(const struct account *account, enum account_use use)
{
	switch (account->status) {
	case ACCOUNT_ACTIVE:
		return DECLINE_NONE;
	case ACCOUNT_FROZEN:
		return use == ACCOUNT_TAKEN ? DECLINE_ACCOUNT_FROZEN : DECLINE_NONE;
	case ACCOUNT_BLOCKED:
		return use == ACCOUNT_LET_GO ? DECLINE_NONE : DECLINE_ACCOUNT_BLOCKED;
	case ACCOUNT_CLOSED:
		return DECLINE_ACCOUNT_CLOSED;
	}
	rt_assert_failed("an account's status", __FILE__, __LINE__);
}

/* False when the total would leave 0..INT64_MAX. */
static bool change_total(int64_t total_minor, int64_t change_minor, int64_t *after_minor)
{
	return rt_money_add(total_minor, change_minor, after_minor) && *after_minor >= 0;
}

static bool change_totals(const struct account_totals *totals, const struct account_change *change,
			  struct account_totals *after)
{
	int64_t debits_minor, credits_minor;
	return change_total(totals->debits_posted_minor, change->debits_posted_minor,
			    &after->debits_posted_minor) &&
	       change_total(totals->credits_posted_minor, change->credits_posted_minor,
			    &after->credits_posted_minor) &&
	       change_total(totals->debits_pending_minor, change->debits_pending_minor,
			    &after->debits_pending_minor) &&
	       change_total(totals->credits_pending_minor, change->credits_pending_minor,
			    &after->credits_pending_minor) &&
	       /* So that a capture always finds room, and the sums above never overflow. */
	       rt_money_add(after->debits_posted_minor, after->debits_pending_minor,
			    &debits_minor) &&
	       rt_money_add(after->credits_posted_minor, after->credits_pending_minor,
			    &credits_minor);
}

enum decline_reason account_try(const struct account *account, const struct account_change *change,
				struct account_state *after)
{
	const struct account_totals *before = &account->state.totals;
	struct account_state next = {.sequence = account->state.sequence + 1};
	if (!change_totals(before, change, &next.totals))
		return DECLINE_BALANCE_OVERFLOW;

	int64_t available_minor = account_available_minor(account->side, &next.totals);
	if (account->lower.set && available_minor < floor_minor(account) &&
	    available_minor < account_available_minor(account->side, before))
		return DECLINE_INSUFFICIENT_FUNDS;

	int64_t ceiling_minor = account_ceiling_minor(account->side, &next.totals);
	if (account->upper.set && ceiling_minor > account->upper.amount_minor &&
	    ceiling_minor > account_ceiling_minor(account->side, before))
		return DECLINE_LIMIT_EXCEEDED;

	*after = next;
	return DECLINE_NONE;
}

struct rt_status account_check_credit_line(const struct account *account)
{
	int64_t floor_minor;
	if (account->credit_line_minor < 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "credit_line_minor", "must not be below 0");
	if (account->lower.set &&
	    !rt_money_sub(account->lower.amount_minor, account->credit_line_minor, &floor_minor))
		return RT_BAD_FIELD("INVALID_AMOUNT", "credit_line_minor",
				    "is too large: the lower limit less it doesn't fit 63 bits");
	return rt_ok();
}

static struct rt_status check_limits(const struct account *account)
{
	if (account->lower.set && account->upper.set &&
	    account->lower.amount_minor > account->upper.amount_minor)
		return RT_BAD_FIELD("LIMITS_CONTRADICT", "upper_limit",
				    "must not be below lower_limit");
	if (account->lower.set && account->lower.amount_minor > 0)
		return RT_BAD_FIELD("INVALID_FIELD", "lower_limit",
				    "must not be above 0: an account begins empty");
	if (account->upper.set && account->upper.amount_minor < 0)
		return RT_BAD_FIELD("INVALID_FIELD", "upper_limit",
				    "must not be below 0: an account begins empty");
	return account_check_credit_line(account);
}

struct rt_status account_check_new(const struct account_record *record)
{
	if (rt_uuid_is_nil(&record->account.id))
		return RT_BAD_FIELD("INVALID_UUID", "account_id", "must not be the nil UUID");
	RT_TRY(rt_text_field("owner", record->owner, 1, ACCOUNT_TEXT_CHARACTERS_MAX));
	RT_TRY(currency_field("currency", record->account.currency));
	if (record->account.side != ACCOUNT_DEBIT_NORMAL &&
	    record->account.side != ACCOUNT_CREDIT_NORMAL)
		return RT_BAD_FIELD("INVALID_FIELD", "normal_side", "must be debit or credit");
	RT_TRY(rt_text_field("label", record->label, 0, ACCOUNT_TEXT_CHARACTERS_MAX));
	return check_limits(&record->account);
}

static void hash_limit(struct rt_digest *digest, const struct account_limit *limit)
{
	rt_digest_int(digest, limit->set ? 1 : 0);
	rt_digest_int(digest, limit->set ? limit->amount_minor : 0);
}

void account_hash(const struct account_record *record, uint8_t hash[ACCOUNT_HASH_BYTES])
{
	_Static_assert(ACCOUNT_HASH_BYTES <= RT_DIGEST_BYTES, "a digest is cut, never padded");
	uint8_t whole[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler.accounts.account.v1");
	rt_digest_bytes(&digest, record->ledger_id.bytes, sizeof(record->ledger_id.bytes));
	rt_digest_bytes(&digest, record->account.id.bytes, sizeof(record->account.id.bytes));
	rt_digest_text(&digest, record->owner);
	rt_digest_text(&digest, record->account.currency);
	rt_digest_int(&digest, (int64_t)record->account.side);
	rt_digest_text(&digest, record->label);
	hash_limit(&digest, &record->account.lower);
	hash_limit(&digest, &record->account.upper);
	/* Only when there is one, so that what was created before there were credit lines keeps its
	 * hash. */
	if (record->account.credit_line_minor != 0)
		rt_digest_int(&digest, record->account.credit_line_minor);
	rt_digest_finish(&digest, whole);
	memcpy(hash, whole, ACCOUNT_HASH_BYTES);
}
