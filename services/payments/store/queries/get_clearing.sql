-- The clearing account of a connector and currency in a ledger. Locks nothing. Index: the primary key.
SELECT c.account_id FROM clearing_accounts AS c WHERE c.ledger_id = $1 AND c.connector = $2 AND c.currency = $3
