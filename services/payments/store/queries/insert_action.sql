-- What an operator did; stays.
INSERT INTO operator_actions (ledger_id, action_id, payment_id, kind, operator, outcome, reason, reference, from_state, version,
	create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
