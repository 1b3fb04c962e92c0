-- One transfer with both accounts' sides, its hold when it made one, and what of it was moved back. Indexes: the primary keys.
SELECT t.transfer_id, t.group_id, t.debit_account_id, t.credit_account_id, t.amount_minor, t.created,
	t.debit_sequence, t.debit_debits_posted_minor, t.debit_credits_posted_minor, t.debit_debits_pending_minor,
	t.debit_credits_pending_minor,
	t.credit_sequence, t.credit_debits_posted_minor, t.credit_credits_posted_minor, t.credit_debits_pending_minor,
	t.credit_credits_pending_minor,
	t.target_id, t.group_position, t.kind, t.currency, t.reference, t.moved_minor, t.expires, t.keep_open,
	d.normal_side, c.normal_side, h.state, h.captured_minor, r.reversed_minor
FROM transfers AS t
JOIN accounts AS d ON d.ledger_id = t.ledger_id AND d.account_id = t.debit_account_id
JOIN accounts AS c ON c.ledger_id = t.ledger_id AND c.account_id = t.credit_account_id
LEFT JOIN holds AS h ON h.ledger_id = t.ledger_id AND h.hold_id = t.transfer_id
LEFT JOIN reversed AS r ON r.ledger_id = t.ledger_id AND r.original_id = t.transfer_id
WHERE t.ledger_id = $1 AND t.transfer_id = $2
