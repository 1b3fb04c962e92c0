-- Brings holds of earlier batches to where they stand now. Index: holds_pkey.
UPDATE holds AS h
SET captured_minor = u.captured_minor, state = u.state, expires = u.expires
FROM unnest($2::uuid[], $3::bigint[], $4::smallint[], $5::timestamptz[]) AS u (hold_id, captured_minor, state, expires)
WHERE h.ledger_id = $1 AND h.hold_id = u.hold_id
