-- A page of a ledger's payments, newest first, by whatever is given (null: not asked for). $2: ids below this one, $3: and
-- above this one, both from the times that are asked for, to keep the page within them. Locks nothing. After
-- plan_with_values, so that the index fits what is asked for: payments_of_account, payments_of_reference or payments_key when
-- they are given, else payments_of_ledger.
SELECT p.payment_id, p.ledger_id, p.idempotency_key, p.caller, p.kind, p.account_id, p.counter_id, p.amount_minor, p.currency,
	p.connector, p.instrument, p.reference, p.state, p.reason, p.version, p.create_time, p.update_time, p.remote_ledger_id,
	p.remote_account_id, p.remote_counter_id, p.parent_id, p.round_id, p.fee_minor, p.fee_account_id, p.refunded_minor,
	p.review_since, p.action_url, p.action_data
FROM payments AS p
WHERE p.ledger_id = $1 AND p.payment_id < $2 AND p.payment_id > $3
	AND ($4::bigint IS NULL OR p.state = $4)
	AND ($5::bigint IS NULL OR p.kind = $5)
	AND ($6::uuid IS NULL OR p.account_id = $6)
	AND ($7::text IS NULL OR p.caller = $7)
	AND ($8::text IS NULL OR p.connector = $8)
	AND ($9::text IS NULL OR p.reference = $9)
	AND p.create_time >= $10 AND p.create_time < $11
	AND p.amount_minor BETWEEN $12 AND $13
	AND ($14::text IS NULL OR p.currency = $14)
ORDER BY p.payment_id DESC
LIMIT $15
