-- What is on record as posted of a batch's ids. The reference is not read: a record is told only to whom asked for the
-- same, with the same reference. Index: transfers_pkey.
SELECT transfer_id, group_id, debit_account_id, credit_account_id, amount_minor, created,
	debit_sequence, debit_debits_posted_minor, debit_credits_posted_minor, debit_debits_pending_minor,
	debit_credits_pending_minor,
	credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor, credit_debits_pending_minor,
	credit_credits_pending_minor,
	target_id, group_position, kind, currency, '' AS reference, moved_minor, expires, keep_open, group_size, group_hash
FROM transfers
WHERE ledger_id = $1 AND transfer_id = ANY ($2::uuid[])
