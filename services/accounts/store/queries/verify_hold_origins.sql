-- Holds of a ledger after an id, in order, and whether the transfer of that id made them so. Indexes: holds_pkey,
-- transfers_pkey.
SELECT h.hold_id, h.debit_account_id, COALESCE(t.kind = 2 AND t.moved_minor = h.amount_minor
	AND t.debit_account_id = h.debit_account_id AND t.credit_account_id = h.credit_account_id
	AND (h.state <> 1 OR h.expires IS NOT DISTINCT FROM t.expires), false)
FROM (
	SELECT hold_id, debit_account_id, credit_account_id, amount_minor, state, expires FROM holds
	WHERE ledger_id = $1 AND hold_id > $2
	ORDER BY hold_id LIMIT $3
) AS h
LEFT JOIN transfers AS t ON t.ledger_id = $1 AND t.transfer_id = h.hold_id
ORDER BY h.hold_id
