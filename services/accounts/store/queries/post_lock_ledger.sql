-- Locks a ledger for one batch of postings, or one change of an account: those of one ledger take turns, whichever process
-- they come from. Index: ledgers_pkey. Lock: the ledger's row FOR NO KEY UPDATE, before any account's.
-- The time is that when it is locked: a subquery's rows are locked before what is made of them. Without one it would be the
-- time when the lock was asked for.
SELECT clock_timestamp() FROM (SELECT FROM ledgers WHERE ledger_id = $1 FOR NO KEY UPDATE) AS locked
