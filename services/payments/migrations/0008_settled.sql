-- Settlements alone are looked for by round, and by whose they are. It keeps wagers, the hottest kind, out of an index.
DROP INDEX payments_by_round;
CREATE INDEX payments_settled ON payments (round_id, account_id, ledger_id) WHERE kind = 7;
