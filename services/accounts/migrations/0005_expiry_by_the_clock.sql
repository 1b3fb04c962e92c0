-- Holds expire by the clock, which may be behind the time of an account's last entry, and so behind the time that a transfer is
-- given: docs/decisions/0034-the-time-of-a-batch.md. What is left to be said of expires is that it is a hold's. NOT VALID: what
-- is there is not read again, under a lock that nobody could post beside.
ALTER TABLE transfers
	DROP CONSTRAINT transfers_expires,
	ADD CONSTRAINT transfers_expires CHECK (expires IS NULL OR kind = 2) NOT VALID;
