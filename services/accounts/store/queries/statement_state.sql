-- An account right after one of its entries. Indexes: transfers_debit_sequence and transfers_credit_sequence.
SELECT debit_sequence AS sequence, debit_debits_posted_minor AS debits_posted_minor,
	debit_credits_posted_minor AS credits_posted_minor, debit_debits_pending_minor AS debits_pending_minor,
	debit_credits_pending_minor AS credits_pending_minor
FROM transfers
WHERE ledger_id = $1 AND debit_account_id = $2 AND debit_sequence = $3
UNION ALL
SELECT credit_sequence, credit_debits_posted_minor, credit_credits_posted_minor, credit_debits_pending_minor,
	credit_credits_pending_minor
FROM transfers
WHERE ledger_id = $1 AND credit_account_id = $2 AND credit_sequence = $3
