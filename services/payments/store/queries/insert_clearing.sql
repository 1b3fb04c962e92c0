-- Names a clearing account, unless one is named already.
INSERT INTO clearing_accounts (ledger_id, connector, currency, account_id, create_time)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (ledger_id, connector, currency) DO NOTHING
