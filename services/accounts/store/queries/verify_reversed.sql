-- Of some transfers those of which something else was moved back than is on record, or more than they moved. Indexes:
-- transfers_pkey, reversed_pkey, transfers_reversals.
SELECT o.original_id, COALESCE(t.moved_minor, 0), COALESCE(r.reversed_minor, 0), COALESCE(v.moved_minor, 0)::text
FROM (SELECT DISTINCT unnest($2::uuid[]) AS original_id) AS o
LEFT JOIN transfers AS t ON t.ledger_id = $1 AND t.transfer_id = o.original_id AND t.kind IN (1, 3, 5)
LEFT JOIN reversed AS r ON r.ledger_id = $1 AND r.original_id = o.original_id
CROSS JOIN LATERAL (
	SELECT sum(moved_minor) AS moved_minor FROM transfers
	WHERE ledger_id = $1 AND target_id = o.original_id AND kind = 6
) AS v
WHERE r.amount_minor IS DISTINCT FROM t.moved_minor OR r.reversed_minor IS DISTINCT FROM v.moved_minor
	OR v.moved_minor > t.moved_minor
