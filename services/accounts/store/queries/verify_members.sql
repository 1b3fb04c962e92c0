-- Of some transfers that are not the first of their groups, those whose group has no first. Index: transfers_pkey.
SELECT m.transfer_id, m.debit_account_id
FROM transfers AS m
LEFT JOIN transfers AS f ON f.ledger_id = $1 AND f.transfer_id = m.group_id
WHERE m.ledger_id = $1 AND m.transfer_id = ANY ($2::uuid[]) AND f.transfer_id IS NULL
