-- The holds of a ledger whose time has come, by the clock that batches go by, the longest overdue first. Indexes: holds_due,
-- accounts_pkey. No lock: whoever ends them looks again.
SELECT h.hold_id, h.debit_account_id, h.credit_account_id, a.currency
FROM holds AS h
JOIN accounts AS a ON a.ledger_id = h.ledger_id AND a.account_id = h.debit_account_id
WHERE h.ledger_id = $1 AND h.expires <= statement_timestamp() AND h.hold_id <> ALL ($3)
ORDER BY h.expires LIMIT $2
