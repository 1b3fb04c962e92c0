-- Payments that failed give back what they have claimed, to the periods that it was taken from; each once. The persons' rows
-- are locked. Index: the primary keys.
WITH ended AS (
	UPDATE limit_claims AS c SET state = 3
	FROM unnest($1::uuid[], $2::uuid[]) AS k (ledger_id, payment_id)
	WHERE c.payment_id = k.payment_id AND c.ledger_id = k.ledger_id AND c.state = 1
	RETURNING c.ledger_id, c.person_id, c.currency, c.measure, c.day_start, c.week_start, c.month_start, c.amount_minor
), back AS (
	SELECT e.ledger_id, e.person_id, e.currency, e.measure, v.period, v.period_start, sum(e.amount_minor) AS amount_minor
	FROM ended AS e, LATERAL (VALUES (1, e.day_start), (2, e.week_start), (3, e.month_start)) AS v (period, period_start)
	GROUP BY e.ledger_id, e.person_id, e.currency, e.measure, v.period, v.period_start
)
UPDATE limit_usage AS u SET used_minor = limit_sum(u.used_minor - b.amount_minor)
FROM back AS b
WHERE u.ledger_id = b.ledger_id AND u.person_id = b.person_id AND u.currency = b.currency AND u.measure = b.measure
	AND u.period = b.period AND u.period_start = b.period_start
