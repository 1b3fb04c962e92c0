-- The change of state that an operator made.
INSERT INTO payment_events (ledger_id, payment_id, version, from_state, state, reason, create_time, operator, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
