-- Accounts of a ledger after an id, in order, with how many entries each has. Index: accounts_by_ledger.
SELECT account_id, sequence FROM accounts
WHERE ledger_id = $1 AND account_id > $2 AND version >= 1
ORDER BY account_id LIMIT $3
