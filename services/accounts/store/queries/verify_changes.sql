-- Changes of accounts' limits, in order. Index: account_changes_pkey.
SELECT account_id, sequence, old_lower_limit_minor, new_lower_limit_minor, old_upper_limit_minor, new_upper_limit_minor,
	old_credit_line_minor, new_credit_line_minor
FROM account_changes
WHERE ledger_id = $1 AND account_id = ANY ($2::uuid[])
ORDER BY account_id, version
