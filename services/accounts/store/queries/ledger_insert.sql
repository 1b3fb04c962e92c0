-- Creates a ledger, unless its id is taken. Index: ledgers_pkey.
INSERT INTO ledgers (ledger_id, name, created) VALUES ($1, $2, $3)
ON CONFLICT (ledger_id) DO NOTHING
