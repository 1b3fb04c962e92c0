-- Brings holds of earlier batches to where they stand now; the epoch stands for null. Index: holds_pkey.
UPDATE holds AS h
SET captured_minor = u.captured_minor, state = u.state, expires = u.expires
FROM (
	SELECT hold_id, ($3::bigint[])[i::int] AS captured_minor, ($4::smallint[])[i::int] AS state,
		NULLIF(($5::timestamptz[])[i::int], 'epoch') AS expires
	FROM unnest($2::uuid[]) WITH ORDINALITY AS p (hold_id, i)
) AS u
WHERE h.ledger_id = $1 AND h.hold_id = u.hold_id
