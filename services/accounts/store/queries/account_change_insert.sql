-- Appends who changed what about an account. Index: account_changes_pkey.
INSERT INTO account_changes (ledger_id, account_id, version, sequence, created, user_id, identity, change_hash,
	old_status, new_status, old_lower_limit_minor, new_lower_limit_minor, old_upper_limit_minor, new_upper_limit_minor,
	old_credit_line_minor, new_credit_line_minor, old_label, new_label)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
