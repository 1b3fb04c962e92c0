-- A page of what was changed about a person, newest first; $3: the last one of the page before. Locks nothing. Index: the
-- primary key.
SELECT c.change_id, c.action, c.currency, c.measure, c.period, coalesce(c.limit_minor, 9223372036854775807), c.effective_time,
	c.market, c.identity, coalesce(c.user_id, '00000000-0000-0000-0000-000000000000'), c.reason, c.create_time
FROM limit_changes AS c
WHERE c.ledger_id = $1 AND c.person_id = $2 AND c.change_id < $3
ORDER BY c.change_id DESC
LIMIT $4
