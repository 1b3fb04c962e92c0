-- The transfers of groups by the ids of their first ones, as entries of the debited accounts, by group and position.
-- Indexes: transfers_pkey, transfers_by_group.
WITH members AS (
	SELECT unnest($2::uuid[]) AS transfer_id
	UNION ALL
	SELECT transfer_id FROM transfers WHERE ledger_id = $1 AND group_id = ANY ($2::uuid[]) AND group_position > 0
)
SELECT t.debit_account_id, t.debit_sequence, t.debit_debits_posted_minor, t.debit_credits_posted_minor,
	t.debit_debits_pending_minor, t.debit_credits_pending_minor,
	t.transfer_id, t.target_id, t.kind, t.moved_minor, t.keep_open, true, t.currency, t.created,
	t.group_id, t.credit_account_id, t.amount_minor, t.expires, t.reference, t.group_position, t.group_size, t.group_hash
FROM members
JOIN transfers AS t ON t.ledger_id = $1 AND t.transfer_id = members.transfer_id
ORDER BY t.group_id, t.group_position
