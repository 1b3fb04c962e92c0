-- What operators did, newest first: about one payment ($3), or about any. Locks nothing. Indexes: the primary key, or
-- operator_actions_in_time.
SELECT a.action_id, a.payment_id, a.kind, a.operator, a.outcome, a.reason, a.reference, a.from_state, a.create_time
FROM operator_actions AS a
WHERE a.ledger_id = $1 AND a.action_id < $2 AND ($3::uuid IS NULL OR a.payment_id = $3) AND ($4 = 0 OR a.kind = $4)
ORDER BY a.action_id DESC
LIMIT $5
