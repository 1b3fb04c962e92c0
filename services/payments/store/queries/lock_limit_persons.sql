-- Of the persons of new payments, and of payments that end, those who have limits or restrictions: where they stand, and the
-- periods that run. Locks their rows, in the order of their key, until the commit. Index: the primary keys.
WITH wanted (ledger_id, person_id) AS (
	SELECT u.ledger_id, u.person_id FROM unnest($1::uuid[], $2::text[]) AS u (ledger_id, person_id)
	UNION
	SELECT c.ledger_id, c.person_id FROM unnest($3::uuid[], $4::uuid[]) AS k (ledger_id, payment_id)
	JOIN limit_claims AS c ON c.payment_id = k.payment_id AND c.ledger_id = k.ledger_id
)
SELECT p.ledger_id, p.person_id, coalesce(p.excluded_until, '-infinity'), coalesce(p.timed_out_until, '-infinity'), now(),
	limit_period_start(1::smallint, now(), m.time_zone, m.week_start) - DATE '1970-01-01',
	limit_period_start(2::smallint, now(), m.time_zone, m.week_start) - DATE '1970-01-01',
	limit_period_start(3::smallint, now(), m.time_zone, m.week_start) - DATE '1970-01-01',
	limit_period_end(1::smallint, now(), m.time_zone, m.week_start),
	limit_period_end(2::smallint, now(), m.time_zone, m.week_start),
	limit_period_end(3::smallint, now(), m.time_zone, m.week_start)
FROM wanted AS w
JOIN limit_persons AS p ON p.ledger_id = w.ledger_id AND p.person_id = w.person_id
JOIN limit_markets AS m ON m.ledger_id = p.ledger_id
ORDER BY p.ledger_id, p.person_id COLLATE "C"
FOR NO KEY UPDATE OF p
