-- Appends the holds that a batch made, perhaps ended already; the epoch stands for null. Index: holds_pkey, holds_due.
INSERT INTO holds (ledger_id, hold_id, debit_account_id, credit_account_id, amount_minor, captured_minor, state, expires)
SELECT $1, ($3::uuid[])[i], ($4::uuid[])[i], ($5::uuid[])[i], ($6::bigint[])[i], ($7::bigint[])[i], ($8::smallint[])[i],
	NULLIF(($9::timestamptz[])[i], 'epoch')
FROM generate_series(1, $2::int) AS i
