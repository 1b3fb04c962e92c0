-- Clearing accounts by ledger, connector and currency. Locks nothing. Index: the primary key.
SELECT k.n, c.account_id
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS k (ledger_id, connector, currency, n)
JOIN clearing_accounts AS c
	ON c.ledger_id = k.ledger_id AND c.connector = k.connector AND c.currency = k.currency
