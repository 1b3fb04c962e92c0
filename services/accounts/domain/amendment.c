#include "domain/amendment.h"

#include <string.h>

#include "rt/digest.h"
#include "rt/money.h"
#include "rt/text.h"

static const struct {
	const char *path;
	unsigned field;
} names[] = {
	{"label", AMEND_LABEL},
	{"status", AMEND_STATUS},
	{"lower_limit", AMEND_LOWER_LIMIT},
	{"upper_limit", AMEND_UPPER_LIMIT},
	{"credit_line_minor", AMEND_CREDIT_LINE},
};

unsigned amendment_field_of(const char *path)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].path, path) == 0)
			return names[i].field;
	return 0;
}

static bool sets(const struct amendment *amendment, enum amendment_field field)
{
	return (amendment->fields & (unsigned)field) != 0;
}

struct rt_status amendment_check(const struct amendment *amendment)
{
	if (amendment->expected_version < 1)
		return RT_BAD_FIELD("INVALID_FIELD", "expected_version", "must be at least 1");
	if (amendment->fields == 0)
		return RT_BAD_FIELD("INVALID_FIELD", "update_mask", "must name at least one field");
	if (sets(amendment, AMEND_LABEL))
		RT_TRY(rt_text_field("label", amendment->label, 0, ACCOUNT_TEXT_CHARACTERS_MAX));
	if (sets(amendment, AMEND_STATUS) &&
	    (amendment->status < ACCOUNT_ACTIVE || amendment->status > ACCOUNT_CLOSED))
		return RT_BAD_FIELD("INVALID_FIELD", "status",
				    "must be active, frozen, blocked or closed");
	if (sets(amendment, AMEND_CREDIT_LINE) && amendment->credit_line_minor < 0)
		return RT_BAD_FIELD("INVALID_AMOUNT", "credit_line_minor", "must be 0 or more");
	if (sets(amendment, AMEND_LOWER_LIMIT) && sets(amendment, AMEND_UPPER_LIMIT) &&
	    amendment->lower.set && amendment->upper.set &&
	    amendment->lower.amount_minor > amendment->upper.amount_minor)
		return RT_BAD_FIELD("LIMITS_CONTRADICT", "upper_limit",
				    "must not be below lower_limit");
	return rt_ok();
}

static void hash_limit(struct rt_digest *digest, bool named, const struct account_limit *limit)
{
	rt_digest_int(digest, named && limit->set ? 1 : 0);
	rt_digest_int(digest, named && limit->set ? limit->amount_minor : 0);
}

void amendment_hash(const struct amendment *amendment, uint8_t hash[AMENDMENT_HASH_BYTES])
{
	_Static_assert(AMENDMENT_HASH_BYTES <= RT_DIGEST_BYTES, "a digest is cut, never padded");
	uint8_t whole[RT_DIGEST_BYTES];
	struct rt_digest digest;
	rt_digest_init(&digest);
	rt_digest_text(&digest, "daler.accounts.amendment.v1");
	rt_digest_bytes(&digest, amendment->ledger_id.bytes, sizeof(amendment->ledger_id.bytes));
	rt_digest_bytes(&digest, amendment->account_id.bytes, sizeof(amendment->account_id.bytes));
	rt_digest_int(&digest, amendment->expected_version);
	rt_digest_int(&digest, (int64_t)amendment->fields);
	rt_digest_text(&digest, sets(amendment, AMEND_LABEL) ? amendment->label : "");
	rt_digest_int(&digest, sets(amendment, AMEND_STATUS) ? (int64_t)amendment->status : 0);
	hash_limit(&digest, sets(amendment, AMEND_LOWER_LIMIT), &amendment->lower);
	hash_limit(&digest, sets(amendment, AMEND_UPPER_LIMIT), &amendment->upper);
	rt_digest_int(&digest,
		      sets(amendment, AMEND_CREDIT_LINE) ? amendment->credit_line_minor : 0);
	rt_digest_finish(&digest, whole);
	memcpy(hash, whole, AMENDMENT_HASH_BYTES);
}

static void set_fields(const struct amendment *amendment, struct account_record *after)
{
	struct account *account = &after->account;
	if (sets(amendment, AMEND_LABEL))
		after->label = amendment->label;
	if (sets(amendment, AMEND_STATUS))
		account->status = amendment->status;
	if (sets(amendment, AMEND_LOWER_LIMIT))
		account->lower = amendment->lower;
	if (sets(amendment, AMEND_UPPER_LIMIT))
		account->upper = amendment->upper;
	if (sets(amendment, AMEND_CREDIT_LINE))
		account->credit_line_minor = amendment->credit_line_minor;
}

static struct rt_status contradict(const char *field, const char *how)
{
	return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "LIMITS_CONTRADICT", "%s", how), field);
}

/* The limit that the balance breaks, as the amendment sets it: by itself, or by the line below it.
 */
static struct rt_status below_limit(const struct amendment *amendment)
{
	return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "BALANCE_BELOW_LIMIT",
				       "less is available than the lower limit would allow"),
			       sets(amendment, AMEND_LOWER_LIMIT) ? "lower_limit"
								  : "credit_line_minor");
}

static struct rt_status above_limit(void)
{
	return rt_status_about(
		RT_FAIL(FAILED_PRECONDITION, "BALANCE_ABOVE_LIMIT",
			"more is or could become available than the upper limit would allow"),
		"upper_limit");
}

/* Of the fields that contradict each other, one that the amendment sets is at fault: what was there
 * before agreed. */
static struct rt_status check_limits(const struct amendment *amendment,
				     const struct account *account)
{
	int64_t floor_minor;
	if (account->lower.set && account->upper.set &&
	    account->lower.amount_minor > account->upper.amount_minor)
		return contradict(sets(amendment, AMEND_UPPER_LIMIT) ? "upper_limit"
								     : "lower_limit",
				  "the lower limit would be above the upper limit");
	if (!account->lower.set)
		return rt_ok();
	if (!rt_money_sub(account->lower.amount_minor, account->credit_line_minor, &floor_minor))
		return contradict(sets(amendment, AMEND_CREDIT_LINE) ? "credit_line_minor"
								     : "lower_limit",
				  "the lower limit less the credit line is too low for a number");
	if (account_available_minor(account->side, &account->state.totals) < floor_minor)
		return below_limit(amendment);
	return rt_ok();
}

static struct rt_status check_upper(const struct account *account)
{
	if (account->upper.set && account_ceiling_minor(account->side, &account->state.totals) >
					  account->upper.amount_minor)
		return above_limit();
	return rt_ok();
}

static struct rt_status check_closing(const struct account *account)
{
	const struct account_totals *totals = &account->state.totals;
	if (totals->debits_pending_minor != 0 || totals->credits_pending_minor != 0)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "ACCOUNT_HAS_HOLDS",
					       "holds on the account are pending"),
				       "status");
	if (totals->debits_posted_minor != totals->credits_posted_minor)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "ACCOUNT_NOT_EMPTY",
					       "the account's balance is not zero"),
				       "status");
	return rt_ok();
}

struct rt_status amendment_apply(const struct amendment *amendment,
				 const struct account_record *before, struct account_record *after)
{
	if (before->version != amendment->expected_version)
		return rt_status_about(RT_FAIL(ABORTED, "VERSION_CONFLICT",
					       "the account is at version %lld, not %lld",
					       (long long)before->version,
					       (long long)amendment->expected_version),
				       "expected_version");
	if (before->account.status == ACCOUNT_CLOSED)
		return rt_status_about(RT_FAIL(FAILED_PRECONDITION, "ACCOUNT_CLOSED",
					       "a closed account is closed for ever"),
				       "account_id");
	*after = *before;
	after->version++;
	set_fields(amendment, after);
	RT_TRY(check_limits(amendment, &after->account));
	RT_TRY(check_upper(&after->account));
	if (after->account.status == ACCOUNT_CLOSED)
		return check_closing(&after->account);
	return rt_ok();
}
