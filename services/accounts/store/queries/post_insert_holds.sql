-- Appends the holds that a batch made, perhaps ended already. Index: holds_pkey, holds_due.
INSERT INTO holds (ledger_id, hold_id, debit_account_id, credit_account_id, amount_minor, captured_minor, state, expires)
SELECT $1, h.hold_id, h.debit_account_id, h.credit_account_id, h.amount_minor, h.captured_minor, h.state, h.expires
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::smallint[], $8::timestamptz[])
	AS h (hold_id, debit_account_id, credit_account_id, amount_minor, captured_minor, state, expires)
