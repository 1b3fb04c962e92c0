-- Changes an account's metadata. Index: accounts_pkey; its row is locked already.
UPDATE accounts
SET version = $3, label = $4, status = $5, lower_limit_minor = $6, upper_limit_minor = $7, credit_line_minor = $8
WHERE ledger_id = $1 AND account_id = $2 AND version = $3 - 1
