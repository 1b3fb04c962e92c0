-- All registered assets of a ledger, by code. Index: assets_pkey.
SELECT code, exponent, created FROM assets WHERE ledger_id = $1 ORDER BY code
