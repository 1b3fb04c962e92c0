-- Ends holds of earlier batches. Index: holds_pkey.
UPDATE holds AS h
SET captured_minor = e.captured_minor, state = e.state
FROM unnest($2::uuid[], $3::bigint[], $4::smallint[]) AS e (hold_id, captured_minor, state)
WHERE h.ledger_id = $1 AND h.hold_id = e.hold_id
