-- What is to be given back: by its id, or by the caller and key that it was asked for with. Locks nothing. Indexes: the
-- primary key, payments_key.
SELECT k.n, p.payment_id, p.ledger_id, p.kind, p.state, p.version, p.account_id, p.counter_id, p.fee_account_id, p.fee_minor,
	p.amount_minor, p.claimed_minor, p.refunded_minor, p.currency, p.connector, p.round_id
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k (ledger_id, payment_id, n)
JOIN payments AS p ON p.payment_id = k.payment_id AND p.ledger_id = k.ledger_id
UNION ALL
SELECT k.n, p.payment_id, p.ledger_id, p.kind, p.state, p.version, p.account_id, p.counter_id, p.fee_account_id, p.fee_minor,
	p.amount_minor, p.claimed_minor, p.refunded_minor, p.currency, p.connector, p.round_id
FROM unnest($1::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS k (ledger_id, caller, idempotency_key, n)
JOIN payments AS p ON p.caller = k.caller AND p.idempotency_key = k.idempotency_key AND p.ledger_id = k.ledger_id
