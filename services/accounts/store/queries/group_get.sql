-- The transfers of the group that a transfer belongs to, in its order, with both accounts' sides. Indexes: transfers_pkey,
-- transfers_by_group, accounts_pkey.
WITH wanted AS (
	SELECT group_id FROM transfers WHERE ledger_id = $1 AND transfer_id = $2
), members AS (
	SELECT group_id AS transfer_id FROM wanted
	UNION ALL
	SELECT m.transfer_id FROM transfers AS m
	WHERE m.ledger_id = $1 AND m.group_id = (SELECT group_id FROM wanted) AND m.group_position > 0
)
SELECT t.transfer_id, t.group_id, t.debit_account_id, t.credit_account_id, t.amount_minor, t.created,
	t.debit_sequence, t.debit_debits_posted_minor, t.debit_credits_posted_minor, t.debit_debits_pending_minor,
	t.debit_credits_pending_minor,
	t.credit_sequence, t.credit_debits_posted_minor, t.credit_credits_posted_minor, t.credit_debits_pending_minor,
	t.credit_credits_pending_minor,
	t.target_id, t.group_position, t.kind, t.currency, t.reference, t.moved_minor, t.expires, t.keep_open,
	d.normal_side, c.normal_side
FROM members
JOIN transfers AS t ON t.ledger_id = $1 AND t.transfer_id = members.transfer_id
JOIN accounts AS d ON d.ledger_id = t.ledger_id AND d.account_id = t.debit_account_id
JOIN accounts AS c ON c.ledger_id = t.ledger_id AND c.account_id = t.credit_account_id
ORDER BY t.group_position
