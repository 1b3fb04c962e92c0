-- What a batch's decisions need of its accounts, and where their rows are. Index: accounts_pkey. No lock: an account changes
-- only under that of its ledger.
SELECT account_id, currency, normal_side, lower_limit_minor, upper_limit_minor, sequence,
	debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	status, credit_line_minor, last_entry, ctid
FROM accounts
WHERE ledger_id = $1 AND account_id = ANY ($2::uuid[])
