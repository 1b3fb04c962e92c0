-- Declined ids of a ledger after an id, in order: whether one is posted, too, and whether the decline that caused it and the
-- first of its group say the same of it. Indexes: declines_pkey, transfers_pkey.
SELECT d.transfer_id, EXISTS (SELECT FROM transfers WHERE ledger_id = $1 AND transfer_id = d.transfer_id),
	COALESCE((c.group_id, c.group_hash, c.cause_id, c.reason, c.created) = (d.group_id, d.group_hash, d.cause_id, d.reason, d.created)
		AND c.cause_side IS NOT DISTINCT FROM d.cause_side, false)
	AND COALESCE((f.group_id, f.group_hash, f.cause_id) = (d.group_id, d.group_hash, d.cause_id), false)
FROM (
	SELECT transfer_id, group_id, cause_id, reason, group_hash, created, cause_side FROM declines
	WHERE ledger_id = $1 AND transfer_id > $2
	ORDER BY transfer_id LIMIT $3
) AS d
LEFT JOIN declines AS c ON c.ledger_id = $1 AND c.transfer_id = d.cause_id
LEFT JOIN declines AS f ON f.ledger_id = $1 AND f.transfer_id = d.group_id
ORDER BY d.transfer_id
