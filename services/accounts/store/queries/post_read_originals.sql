-- The transfers that a batch is to move back, and how much of each was. Indexes: transfers_pkey, reversed_pkey. No lock: what
-- was reversed changes only under the ledger's.
SELECT t.transfer_id, t.debit_account_id, t.credit_account_id, t.moved_minor, t.kind, COALESCE(r.reversed_minor, 0)
FROM transfers AS t
LEFT JOIN reversed AS r ON r.ledger_id = t.ledger_id AND r.original_id = t.transfer_id
WHERE t.ledger_id = $1 AND t.transfer_id = ANY ($2::uuid[])
