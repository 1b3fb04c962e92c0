-- The holds that a batch is to capture or end. Index: holds_pkey. No lock: they change only under that of their ledger.
SELECT hold_id, debit_account_id, credit_account_id, amount_minor, captured_minor, state, expires
FROM holds
WHERE ledger_id = $1 AND hold_id = ANY ($2::uuid[])
