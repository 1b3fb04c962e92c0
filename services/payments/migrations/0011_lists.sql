-- A caller's payments in a ledger, newest first: a list of them was read through all that the ledger has.
CREATE INDEX payments_of_caller ON payments (caller, ledger_id, payment_id);
