-- Any replica takes the wish to call a payment off: it is kept with the payment, for whoever has it or takes it over.
ALTER TABLE payments
	-- Who wants it called off, as in caller, and since when; empty: nobody.
	ADD COLUMN cancel_caller text NOT NULL DEFAULT '' CHECK (length(cancel_caller) <= 64),
	ADD COLUMN cancel_time   timestamptz,
	ADD CONSTRAINT payments_cancel CHECK ((cancel_caller <> '') = (cancel_time IS NOT NULL));
ALTER TABLE saga_wakes
	-- Not only to be looked at: somebody wants it called off.
	ADD COLUMN cancel boolean NOT NULL DEFAULT false;

GRANT UPDATE (cancel_caller, cancel_time) ON payments TO :runtime_role;
GRANT UPDATE (cancel) ON saga_wakes TO :runtime_role;
