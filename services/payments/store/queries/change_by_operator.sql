-- An operator's change of state, only if nothing has changed since it was decided. Nobody has the payment then (the nil owner
-- is nobody who lives): whoever takes it over goes on from its new state, and whoever had it writes nothing any more. Locks the
-- row. Index: the primary key.
UPDATE payments AS p
SET state = $5, open = $6, reason = $7, version = p.version + 1, update_time = $8, fence = p.fence + 1,
	lease_owner = '00000000-0000-0000-0000-000000000000', review_since = NULL
WHERE p.payment_id = $1 AND p.ledger_id = $2 AND p.version = $3 AND p.fence = $4
RETURNING p.version
