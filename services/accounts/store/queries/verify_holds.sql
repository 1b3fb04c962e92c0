-- What is on record of holds. Index: holds_pkey.
SELECT hold_id, state, amount_minor, captured_minor FROM holds WHERE ledger_id = $1 AND hold_id = ANY ($2::uuid[])
