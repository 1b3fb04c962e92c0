-- Accounts of one status but active, which are few, and of one currency: lists by these read no others. No posting changes what is
-- named here, so that its updates stay heap-only.
CREATE INDEX accounts_by_status ON accounts (ledger_id, status, account_id) WHERE status > 1;
CREATE INDEX accounts_by_currency ON accounts (ledger_id, currency, account_id);
