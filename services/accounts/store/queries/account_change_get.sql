-- What one change made of an account. Index: account_changes_pkey.
SELECT change_hash, new_status, new_lower_limit_minor, new_upper_limit_minor, new_credit_line_minor, new_label
FROM account_changes
WHERE ledger_id = $1 AND account_id = $2 AND version = $3
