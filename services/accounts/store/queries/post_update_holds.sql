-- Brings holds of earlier batches to where they stand now; the epoch stands for null. Index: holds_pkey.
UPDATE holds AS h
SET captured_minor = u.captured_minor, state = u.state, expires = u.expires
FROM (
	SELECT ($3::uuid[])[i] AS hold_id, ($4::bigint[])[i] AS captured_minor, ($5::smallint[])[i] AS state,
		NULLIF(($6::timestamptz[])[i], 'epoch') AS expires
	FROM generate_series(1, $2::int) AS i
) AS u
WHERE h.ledger_id = $1 AND h.hold_id = u.hold_id
