-- The reversals of a transfer, which are few: for VerifyLedger.
CREATE INDEX transfers_reversals ON transfers (target_id, ledger_id) WHERE kind = 6;
