-- Appends a batch's transfers. Indexes: transfers_pkey, transfers_debit_sequence, transfers_credit_sequence. A column is an array
-- of elements of one width, nil and the epoch standing for null, so that the i-th is found without a walk.
INSERT INTO transfers (ledger_id, created, transfer_id, group_id, debit_account_id, credit_account_id, amount_minor,
	debit_sequence, debit_debits_posted_minor, debit_credits_posted_minor, debit_debits_pending_minor,
	debit_credits_pending_minor,
	credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor, credit_debits_pending_minor,
	credit_credits_pending_minor,
	target_id, group_position, group_size, kind, group_hash, currency, reference, moved_minor, expires, keep_open)
SELECT $1, $2, ($4::uuid[])[i], ($5::uuid[])[i], ($6::uuid[])[i], ($7::uuid[])[i], ($8::bigint[])[i],
	($9::bigint[])[i], ($10::bigint[])[i], ($11::bigint[])[i], ($12::bigint[])[i], ($13::bigint[])[i],
	($14::bigint[])[i], ($15::bigint[])[i], ($16::bigint[])[i], ($17::bigint[])[i], ($18::bigint[])[i],
	NULLIF(($19::uuid[])[i], '00000000-0000-0000-0000-000000000000'), ($20::smallint[])[i], ($21::smallint[])[i],
	($22::smallint[])[i], ($23::uuid[])[i], t.currency, t.reference, ($26::bigint[])[i],
	NULLIF(($27::timestamptz[])[i], 'epoch'), ($28::boolean[])[i]
FROM ROWS FROM (generate_series(1, $3::int), unnest($24::text[]), unnest($25::text[])) AS t (i, currency, reference)
