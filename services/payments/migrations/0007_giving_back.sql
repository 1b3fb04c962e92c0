-- Only what took money from somebody is given back: deposits by refunds, wagers and settlements by rollbacks.
ALTER TABLE payments
	DROP CONSTRAINT payments_claims,
	ADD CONSTRAINT payments_claims CHECK (0 <= refunded_minor AND refunded_minor <= claimed_minor
		AND claimed_minor <= amount_minor AND (claimed_minor = 0 OR kind IN (1, 6, 7)));
