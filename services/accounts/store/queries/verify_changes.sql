-- Changes of accounts, in order. Index: account_changes_pkey.
SELECT account_id, sequence, version,
	old_status, old_lower_limit_minor, old_upper_limit_minor, old_credit_line_minor, old_label,
	new_status, new_lower_limit_minor, new_upper_limit_minor, new_credit_line_minor, new_label
FROM account_changes
WHERE ledger_id = $1 AND account_id = ANY ($2::uuid[])
ORDER BY account_id, version
