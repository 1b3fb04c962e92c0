-- Entries of one account after one sequence number and up to another, in order, with the account right after each.
-- Indexes: transfers_debit_sequence and transfers_credit_sequence, merged.
SELECT transfer_id, debit_account_id, credit_account_id, amount_minor, created, target_id, kind, currency, reference,
	expires, keep_open, moved_minor,
	sequence, debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor
FROM (
	(SELECT transfer_id, debit_account_id, credit_account_id, amount_minor, created, target_id, kind, currency, reference,
		expires, keep_open, moved_minor,
		debit_sequence AS sequence, debit_debits_posted_minor AS debits_posted_minor,
		debit_credits_posted_minor AS credits_posted_minor, debit_debits_pending_minor AS debits_pending_minor,
		debit_credits_pending_minor AS credits_pending_minor
	FROM transfers
	WHERE ledger_id = $1 AND debit_account_id = $2 AND debit_sequence > $3 AND debit_sequence <= $4
	ORDER BY debit_sequence LIMIT $5)
	UNION ALL
	(SELECT transfer_id, debit_account_id, credit_account_id, amount_minor, created, target_id, kind, currency, reference,
		expires, keep_open, moved_minor,
		credit_sequence AS sequence, credit_debits_posted_minor AS debits_posted_minor,
		credit_credits_posted_minor AS credits_posted_minor, credit_debits_pending_minor AS debits_pending_minor,
		credit_credits_pending_minor AS credits_pending_minor
	FROM transfers
	WHERE ledger_id = $1 AND credit_account_id = $2 AND credit_sequence > $3 AND credit_sequence <= $4
	ORDER BY credit_sequence LIMIT $5)
) AS entries
ORDER BY sequence LIMIT $5
