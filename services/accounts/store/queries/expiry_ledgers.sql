-- Ids of ledgers after an id, in order. Index: ledgers_pkey.
SELECT ledger_id FROM ledgers WHERE ledger_id > $1 ORDER BY ledger_id LIMIT $2
