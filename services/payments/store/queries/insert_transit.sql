-- Names a transit account, unless one is named already.
INSERT INTO transit_accounts (ledger_id, currency, account_id, create_time)
VALUES ($1, $2, $3, $4)
ON CONFLICT (ledger_id, currency) DO NOTHING
