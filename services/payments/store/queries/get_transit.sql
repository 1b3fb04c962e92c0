-- The transit account of a ledger and currency. Locks nothing. Index: the primary key.
SELECT t.account_id FROM transit_accounts AS t WHERE t.ledger_id = $1 AND t.currency = $2
