-- From now on the person's payments are counted. Only in a ledger that has a market.
INSERT INTO limit_persons (ledger_id, person_id, create_time)
SELECT m.ledger_id, $2::text, now() FROM limit_markets AS m WHERE m.ledger_id = $1
ON CONFLICT (ledger_id, person_id) DO NOTHING
