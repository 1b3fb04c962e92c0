-- Keys begin with the id (docs/decisions/0013): an index that began with ledger_id and ended with payment_id was taken for the
-- way to find a payment by both, and read the whole ledger for each. The same lists, from the account on.
DROP INDEX payments_of_account;
CREATE INDEX payments_of_account ON payments (account_id, ledger_id, payment_id);
DROP INDEX payments_of_reference;
CREATE INDEX payments_of_reference ON payments (reference, ledger_id, payment_id) WHERE reference <> '';
