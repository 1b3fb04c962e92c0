-- All entries of some accounts, which have few, by account and sequence; with what was asked for at the debited one.
-- Indexes: transfers_debit_sequence and transfers_credit_sequence.
SELECT account_id, sequence, debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor,
	transfer_id, target_id, kind, moved_minor, keep_open, is_debit, currency, created,
	group_id, credit_account_id, amount_minor, expires, reference, group_position, group_size, group_hash
FROM (
	(SELECT debit_account_id AS account_id, debit_sequence AS sequence,
		debit_debits_posted_minor AS debits_posted_minor, debit_credits_posted_minor AS credits_posted_minor,
		debit_debits_pending_minor AS debits_pending_minor, debit_credits_pending_minor AS credits_pending_minor,
		transfer_id, target_id, kind, moved_minor, keep_open, true AS is_debit, currency, created,
		group_id, credit_account_id, amount_minor, expires, reference, group_position, group_size, group_hash
	FROM transfers
	WHERE ledger_id = $1 AND debit_account_id = ANY ($2::uuid[]))
	UNION ALL
	(SELECT credit_account_id AS account_id, credit_sequence AS sequence,
		credit_debits_posted_minor AS debits_posted_minor, credit_credits_posted_minor AS credits_posted_minor,
		credit_debits_pending_minor AS debits_pending_minor, credit_credits_pending_minor AS credits_pending_minor,
		transfer_id, target_id, kind, moved_minor, keep_open, false AS is_debit, currency, created,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM transfers
	WHERE ledger_id = $1 AND credit_account_id = ANY ($2::uuid[]))
) AS entries
ORDER BY account_id, sequence
