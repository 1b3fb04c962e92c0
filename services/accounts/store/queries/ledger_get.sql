-- One ledger. Index: ledgers_pkey.
SELECT ledger_id, name, created FROM ledgers WHERE ledger_id = $1
