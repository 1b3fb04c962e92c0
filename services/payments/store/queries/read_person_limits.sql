-- The limits of a person, or one of them, with what is used in the period that runs. Locks nothing. Index: the primary keys.
SELECT l.currency, l.measure, l.period, coalesce(l.limit_minor, 9223372036854775807),
	coalesce(l.pending_minor, 9223372036854775807), coalesce(l.pending_time, '-infinity'), coalesce(u.used_minor, 0),
	s.period_start::timestamp AT TIME ZONE m.time_zone, limit_period_end(l.period, now(), m.time_zone, m.week_start), now()
FROM person_limits AS l
JOIN limit_markets AS m ON m.ledger_id = l.ledger_id
CROSS JOIN LATERAL (SELECT limit_period_start(l.period, now(), m.time_zone, m.week_start) AS period_start) AS s
LEFT JOIN limit_usage AS u ON u.ledger_id = l.ledger_id AND u.person_id = l.person_id AND u.currency = l.currency
	AND u.measure = l.measure AND u.period = l.period AND u.period_start = s.period_start
WHERE l.ledger_id = $1 AND l.person_id = $2 AND ($3 = '' OR (l.currency = $3 AND l.measure = $4 AND l.period = $5))
ORDER BY l.currency, l.measure, l.period
