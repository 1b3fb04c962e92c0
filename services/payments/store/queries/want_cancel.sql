-- Somebody wants a payment called off whose other side has not been asked to act (1 created, 2 held, 10 requires action): noted
-- with the payment, and for the worker that has it. The row is locked first, so that whoever takes the payment over sees the
-- note, or is the worker that is woken; the wake carries the wish, because a worker that takes it out may have looked at the
-- payment before. No row: it is too late. Index: the primary keys.
WITH wanted AS (
	UPDATE payments AS p
	SET cancel_caller = CASE p.cancel_caller WHEN '' THEN $3 ELSE p.cancel_caller END,
		cancel_time = coalesce(p.cancel_time, now())
	WHERE p.payment_id = $1 AND p.ledger_id = $2 AND p.state IN (1, 2, 10)
	RETURNING p.ledger_id, p.payment_id, p.lease_owner
), woken AS (
	INSERT INTO saga_wakes (worker_id, ledger_id, payment_id, cancel)
	SELECT w.lease_owner, w.ledger_id, w.payment_id, true FROM wanted AS w
	ON CONFLICT (worker_id, payment_id, ledger_id) DO UPDATE SET cancel = true
)
SELECT w.payment_id FROM wanted AS w
