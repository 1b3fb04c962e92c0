-- Payments whose success counts have succeeded: in the periods that run now; each once. What adds to the usage is a fact that
-- no limit undoes, and stretches it. The persons' rows are locked. Index: the primary keys.
WITH ended AS (
	UPDATE limit_claims AS c SET state = 3
	FROM unnest($1::uuid[], $2::uuid[]) AS k (ledger_id, payment_id)
	WHERE c.payment_id = k.payment_id AND c.ledger_id = k.ledger_id AND c.state = 2
	RETURNING c.ledger_id, c.person_id, c.currency, c.measure, c.amount_minor
)
INSERT INTO limit_usage AS u (ledger_id, person_id, currency, measure, period, period_start, used_minor)
SELECT e.ledger_id, e.person_id, e.currency, e.measure, v.period,
	limit_period_start(v.period, now(), m.time_zone, m.week_start), limit_sum(sum(e.amount_minor))
FROM ended AS e
JOIN limit_markets AS m ON m.ledger_id = e.ledger_id
CROSS JOIN unnest('{1, 2, 3}'::smallint[]) AS v (period)
GROUP BY e.ledger_id, e.person_id, e.currency, e.measure, v.period, m.time_zone, m.week_start
ON CONFLICT (ledger_id, person_id, currency, measure, period, period_start)
DO UPDATE SET used_minor = limit_sum(u.used_minor::numeric + excluded.used_minor),
	allowed_minor = CASE WHEN u.allowed_minor IS NOT NULL
		THEN greatest(u.allowed_minor, limit_sum(u.used_minor::numeric + excluded.used_minor)) END
