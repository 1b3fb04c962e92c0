-- Looks through the next $17 of a ledger's payments, newest first, and returns those that are asked for (null: not asked for),
-- at most $15, and how many were looked at and the last of them with each row: one row at least, empty but for that. $2: ids
-- below this one, $3: and above this one. $16 is the way to go: 1 all of the ledger, 2 an account's, 3 a caller's, 4 those with
-- a reference. Whole keys are compared and ordered by, so that no other index can serve than the way's, and no more is read
-- than is looked at. Locks nothing. After plan_by_index. Indexes: payments_of_ledger, payments_of_account,
-- payments_of_caller, payments_of_reference.
WITH looked AS MATERIALIZED (
	(SELECT p FROM payments AS p
	WHERE $16 = 1 AND (p.ledger_id, p.payment_id) < ($1, $2) AND (p.ledger_id, p.payment_id) > ($1, $3)
	ORDER BY p.ledger_id DESC, p.payment_id DESC LIMIT $17)
	UNION ALL
	(SELECT p FROM payments AS p
	WHERE $16 = 2 AND (p.account_id, p.ledger_id, p.payment_id) < ($6, $1, $2)
		AND (p.account_id, p.ledger_id, p.payment_id) > ($6, $1, $3)
	ORDER BY p.account_id DESC, p.ledger_id DESC, p.payment_id DESC LIMIT $17)
	UNION ALL
	(SELECT p FROM payments AS p
	WHERE $16 = 3 AND (p.caller || '', p.ledger_id, p.payment_id) < ($7, $1, $2)
		AND (p.caller || '', p.ledger_id, p.payment_id) > ($7, $1, $3)
	ORDER BY p.caller || '' DESC, p.ledger_id DESC, p.payment_id DESC LIMIT $17)
	UNION ALL
	(SELECT p FROM payments AS p
	WHERE $16 = 4 AND p.reference <> '' AND (p.reference, p.ledger_id, p.payment_id) < ($9, $1, $2)
		AND (p.reference, p.ledger_id, p.payment_id) > ($9, $1, $3)
	ORDER BY p.reference DESC, p.ledger_id DESC, p.payment_id DESC LIMIT $17)
), found AS (
	SELECT (l.p).* FROM looked AS l
	WHERE ($4::bigint IS NULL OR (l.p).state = $4)
		AND ($5::bigint IS NULL OR (l.p).kind = $5)
		AND ($6::uuid IS NULL OR (l.p).account_id = $6)
		AND ($7::text IS NULL OR (l.p).caller = $7)
		AND ($8::text IS NULL OR (l.p).connector = $8)
		AND ($9::text IS NULL OR (l.p).reference = $9)
		AND (l.p).create_time >= $10 AND (l.p).create_time < $11
		AND (l.p).amount_minor BETWEEN $12 AND $13
		AND ($14::text IS NULL OR (l.p).currency = $14)
	ORDER BY (l.p).payment_id DESC
	LIMIT $15
), edge AS (
	SELECT (SELECT count(*) FROM looked) AS looked,
		(SELECT (l.p).payment_id FROM looked AS l ORDER BY (l.p).payment_id LIMIT 1) AS last
)
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data,
	e.looked, e.last
FROM edge AS e
LEFT JOIN found AS p ON true
ORDER BY p.payment_id DESC
