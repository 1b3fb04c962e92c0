-- The transit accounts of both ledgers of a transfer between them. Locks nothing. Index: the primary key.
SELECT k.n, s.account_id, d.account_id
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS k (ledger_id, remote_ledger_id, currency, n)
JOIN transit_accounts AS s ON s.ledger_id = k.ledger_id AND s.currency = k.currency
JOIN transit_accounts AS d ON d.ledger_id = k.remote_ledger_id AND d.currency = k.currency
