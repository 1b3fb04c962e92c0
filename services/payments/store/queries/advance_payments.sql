-- Moves payments on, each only if nobody else has since: version, fence and owner must be those that the saga knows. A row
-- that is not returned was not written. Locks the rows. Index: the primary key.
UPDATE payments AS p
SET state = u.state, open = u.open, reason = u.reason, version = u.version_new, update_time = u.update_time
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], $7::boolean[], $8::text[],
	$9::timestamptz[]) WITH ORDINALITY
	AS u (ledger_id, payment_id, version, version_new, fence, state, open, reason, update_time, n)
WHERE p.payment_id = u.payment_id AND p.ledger_id = u.ledger_id AND p.version = u.version AND p.fence = u.fence
	AND p.lease_owner = $10
RETURNING u.n
