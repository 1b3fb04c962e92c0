-- Locks a ledger for one batch of postings, or one change of an account: those of one ledger take turns, whichever process
-- they come from. Index: ledgers_pkey. Lock: the ledger's row FOR NO KEY UPDATE, before any account's.
SELECT version FROM ledgers WHERE ledger_id = $1 FOR NO KEY UPDATE
