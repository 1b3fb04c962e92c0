-- Payments whose success counts have succeeded, each once: a settlement in the periods in which it was recorded, a rollback in
-- those in which what it rolls back was counted, and nowhere when that was counted nowhere. What adds to the usage is a fact
-- that no limit undoes, and stretches it. The persons' rows are locked. Index: the primary keys.
WITH ended AS (
	UPDATE limit_claims AS c SET state = 3
	FROM unnest($1::uuid[], $2::uuid[]) AS k (ledger_id, payment_id)
	WHERE c.payment_id = k.payment_id AND c.ledger_id = k.ledger_id AND c.state = 2
	RETURNING c.ledger_id, c.payment_id, c.person_id, c.currency, c.measure, c.amount_minor
), counted AS (
	SELECT e.ledger_id, e.person_id, e.currency, e.measure, v.period, v.period_start, limit_sum(sum(e.amount_minor)) AS amount_minor
	FROM ended AS e
	JOIN payments AS p ON p.payment_id = e.payment_id AND p.ledger_id = e.ledger_id
	JOIN limit_claims AS o ON o.payment_id = coalesce(p.parent_id, p.payment_id) AND o.ledger_id = p.ledger_id,
	LATERAL (VALUES (1, o.day_start), (2, o.week_start), (3, o.month_start)) AS v (period, period_start)
	GROUP BY e.ledger_id, e.person_id, e.currency, e.measure, v.period, v.period_start
)
INSERT INTO limit_usage AS u (ledger_id, person_id, currency, measure, period, period_start, used_minor)
SELECT c.ledger_id, c.person_id, c.currency, c.measure, c.period, c.period_start, c.amount_minor
FROM counted AS c
ON CONFLICT (ledger_id, person_id, currency, measure, period, period_start)
DO UPDATE SET used_minor = limit_sum(u.used_minor::numeric + excluded.used_minor),
	allowed_minor = CASE WHEN u.allowed_minor IS NOT NULL
		THEN greatest(u.allowed_minor, limit_sum(u.used_minor::numeric + excluded.used_minor)) END
