-- The limits of persons whose rows are locked, and what is used in the periods that run. Locks nothing. Index: the primary
-- keys.
SELECT k.n, l.currency, l.measure, l.period, true, coalesce(l.limit_minor, 9223372036854775807),
	coalesce(l.pending_minor, 9223372036854775807), coalesce(l.pending_time, '-infinity')
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k (ledger_id, person_id, n)
JOIN person_limits AS l ON l.ledger_id = k.ledger_id AND l.person_id = k.person_id
UNION ALL
SELECT k.n, u.currency, u.measure, u.period, false, u.used_minor, 0, '-infinity'
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
	AS k (ledger_id, person_id, day_start, week_start, month_start, n)
JOIN limit_usage AS u ON u.ledger_id = k.ledger_id AND u.person_id = k.person_id
	AND u.period_start >= DATE '1970-01-01' + least(k.week_start, k.month_start)::integer
	AND u.period_start = DATE '1970-01-01'
		+ CASE u.period WHEN 1 THEN k.day_start WHEN 2 THEN k.week_start ELSE k.month_start END::integer
