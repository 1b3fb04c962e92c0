-- Appends a batch's transfers. Indexes: transfers_pkey, transfers_debit_sequence, transfers_credit_sequence.
INSERT INTO transfers (ledger_id, created, transfer_id, group_id, debit_account_id, credit_account_id, amount_minor,
	debit_sequence, debit_debits_posted_minor, debit_credits_posted_minor, debit_debits_pending_minor,
	debit_credits_pending_minor,
	credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor, credit_debits_pending_minor,
	credit_credits_pending_minor,
	target_id, group_position, group_size, kind, group_hash, currency, reference, moved_minor, expires, keep_open)
SELECT $1, $2, t.transfer_id, t.group_id, t.debit_account_id, t.credit_account_id, t.amount_minor,
	t.debit_sequence, t.debit_debits_posted_minor, t.debit_credits_posted_minor, t.debit_debits_pending_minor,
	t.debit_credits_pending_minor,
	t.credit_sequence, t.credit_debits_posted_minor, t.credit_credits_posted_minor, t.credit_debits_pending_minor,
	t.credit_credits_pending_minor,
	t.target_id, t.group_position, t.group_size, t.kind, t.group_hash, t.currency, t.reference, t.moved_minor, t.expires,
	t.keep_open
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[],
	$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
	$13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
	$18::uuid[], $19::smallint[], $20::smallint[], $21::smallint[], $22::bytea[], $23::text[], $24::text[],
	$25::bigint[], $26::timestamptz[], $27::boolean[])
	AS t (transfer_id, group_id, debit_account_id, credit_account_id, amount_minor,
		debit_sequence, debit_debits_posted_minor, debit_credits_posted_minor, debit_debits_pending_minor,
		debit_credits_pending_minor,
		credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor, credit_debits_pending_minor,
		credit_credits_pending_minor,
		target_id, group_position, group_size, kind, group_hash, currency, reference, moved_minor, expires, keep_open)
