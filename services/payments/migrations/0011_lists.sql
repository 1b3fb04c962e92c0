-- A caller's payments in a ledger, newest first: a list of them was read through all that the ledger has. Of an expression that
-- only the list asks for: planned while the table is empty, the look-up of a key would go by this index too, and read all that
-- its caller ever had.
CREATE INDEX payments_of_caller ON payments ((caller || ''), ledger_id, payment_id);
